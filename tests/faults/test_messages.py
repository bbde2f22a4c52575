"""What each fault of a message makes possible, and what it does not, told by every run of small sagas."""

from __future__ import annotations

import pytest

from oracles.sagas import settle
from placet.compile.workflow_to_net import process_to_net
from placet.faults.hypothesis import Hypothesis
from placet.faults.weave import weave
from placet.ir import model as ir
from placet.net.final import PlaceClass

ENDS = ("completed", "compensated", "failed")
BARE: frozenset[str] = frozenset()
IDEMPOTENT = frozenset(("idempotent",))
SAFE = IDEMPOTENT | {"null_safe"}
BARRIER = SAFE | {"rejects_after_cancel"}


def step(name: str, guarantees=BARRIER, timeout: float | None = 10.0, **more) -> ir.Step:
    return ir.Step(
        f"b/{name}", name, f"{name}s", ir.Undo(f"cancel_{name}"), timeout=timeout, guarantees=guarantees, **more
    )


def found(body, faults, budget: int = 1, policy: ir.Policy | None = None):
    net, problems = process_to_net(ir.Process("b", "saga", body, ENDS, policy or ir.Policy()), {})
    assert not problems
    return settle(weave(net, Hypothesis(faults, budget)).compiled)


def seq(*parts: ir.Statement) -> ir.Sequence:
    return ir.Sequence("b", parts)


@pytest.mark.parametrize("timeout", [None, 10.0])
def test_a_request_that_comes_twice_is_carried_out_twice_unless_the_service_knows_it(timeout) -> None:
    twice = found(step("a", BARE, timeout), ("duplicate",))
    assert set(twice.ends) == {("completed", (1,)), ("completed", (2,))}
    story = twice.story("completed", (2,))
    assert "the request for `a` is delivered twice" in story
    assert "the second request arrives: `a` is applied at `as` once more" in story
    assert twice.stuck is None
    once = found(step("a", IDEMPOTENT, timeout), ("duplicate",))
    assert set(once.ends) == {("completed", (1,))}
    assert once.stuck is None


def test_a_second_request_arrives_after_the_undo_and_only_a_barrier_keeps_it_out() -> None:
    body = seq(step("a", BARE), ir.Abandon("b/stop"))
    assert (1,) in found(body, ("duplicate",)).effects("compensated")
    for guarantees in (IDEMPOTENT, BARRIER):  # it is known already, or refused
        body = seq(step("a", guarantees), ir.Abandon("b/stop"))
        assert found(body, ("duplicate",)).effects("compensated") == {(0,)}


def test_an_undo_that_comes_twice_undoes_twice_unless_the_service_knows_it() -> None:
    body = seq(step("a", BARE), ir.Abandon("b/stop"))
    assert (-1,) in found(body, ("duplicate",)).effects("compensated")
    body = seq(step("a", IDEMPOTENT), ir.Abandon("b/stop"))
    assert found(body, ("duplicate",)).effects("compensated") == {(0,)}


@pytest.mark.parametrize("timeout", [None, 10.0])
@pytest.mark.parametrize("retriable", [False, True])
def test_a_reply_that_comes_twice_changes_nothing(timeout, retriable) -> None:
    body = seq(step("a", timeout=timeout, retriable=retriable), ir.Choice("b/c", (
        ir.Way("b/c[0]", None, ir.Abandon("b/stop")), ir.Way("b/c[1]", None, ir.Task("b/t", "t")),
    )))  # fmt: skip
    result = found(body, ("duplicate", "slow"), 2)
    assert result.effects("completed") == {(1,)}
    assert result.effects("compensated") == {(0,)}
    assert result.stuck is None


def test_one_copy_may_be_refused_and_the_other_carried_out() -> None:
    body = seq(step("a"), step("c"))
    assert (1, 0) in found(body, ("duplicate", "reject"), 2).effects("compensated")
    careful = ir.Policy(undo_failing="yes")
    assert found(body, ("duplicate", "reject"), 2, careful).effects("compensated") == {(0, 0)}


def test_copies_are_messages_so_a_run_is_not_over_while_one_is_on_its_way() -> None:
    net, _ = process_to_net(ir.Process("b", "saga", step("a"), ENDS), {})
    woven = weave(net, Hypothesis(("duplicate",), 1))
    copies = [c for c in woven.compiled.roles.channels if c.part == "copy"]
    assert copies
    assert all(woven.compiled.final.classes[c.place] is PlaceClass.CHANNEL for c in copies)


def test_a_lasting_duplicate_hits_the_next_attempt_too() -> None:
    net, _ = process_to_net(ir.Process("b", "saga", step("a", retry=1), ENDS), {})
    woven = weave(net, Hypothesis(("duplicate",), 1)).compiled
    names = woven.net.transitions
    assert "b/a#request[1]:duplicate:lasting" in names
    assert "b/a#request[2]:duplicate:still" in names


def test_a_lost_undo_is_tried_again_and_without_a_time_out_it_blocks_the_saga() -> None:
    body = seq(step("a"), ir.Abandon("b/stop"))
    assert found(body, ("undo-lost",)).effects("compensated") == {(0,)}
    assert found(body, ("undo-lost",)).stuck is None
    waiting = found(seq(step("a", timeout=None), ir.Abandon("b/stop")), ("undo-lost",))
    assert waiting.stuck is not None
    gives_up = ir.Policy(undo_failure="continue", undo_retries=0)
    assert (1,) in found(body, ("undo-lost",), policy=gives_up).effects("compensated")


def test_a_late_request_races_with_the_undo_and_a_late_reply_is_thrown_away() -> None:
    """Without a barrier a slow request is applied after its undo; replies of attempts that were given up change nothing."""
    body = seq(step("a", SAFE), step("c", SAFE))
    assert found(body, ("slow",)).effects("compensated") == {(0, 0), (1, 0), (0, 1)}
    body = seq(step("a", BARRIER), step("c", BARRIER))
    result = found(body, ("slow",))
    assert result.effects("compensated") == {(0, 0)}
    assert result.stuck is None
