"""The choices of a saga, one by one: what each makes reachable, and what it rules out."""

from __future__ import annotations

import pytest

from oracles.sagas import settle
from placet.compile.profiles import PROFILES
from placet.compile.workflow_to_net import process_to_net
from placet.faults.hypothesis import Hypothesis
from placet.faults.weave import weave
from placet.ir import model as ir

ENDS = ("completed", "compensated", "failed")
IDEMPOTENT = frozenset(("idempotent",))
SAFE = IDEMPOTENT | {"null_safe"}
BARRIER = SAFE | {"rejects_after_cancel"}
DEFAULT = ir.Policy()


def step(name: str, guarantees=BARRIER, **more) -> ir.Step:
    given = {"undo": ir.Undo(f"cancel_{name}"), "timeout": 10.0, **more}
    return ir.Step(f"b/{name}", name, f"{name}s", guarantees=guarantees, **given)


def seq(*parts: ir.Statement) -> ir.Sequence:
    return ir.Sequence("b", parts)


def found(body, faults, policy: ir.Policy, budget: int = 1, *, stuck: bool = False):
    net, problems = process_to_net(ir.Process("b", "saga", body, ENDS, policy), {})
    assert not problems
    result = settle(weave(net, Hypothesis(faults, budget)).compiled)
    assert (result.stuck is not None) == stuck
    return result


# -- on unknown ------------------------------------------------------------------------------------------------------

ASK = DEFAULT._replace(on_unknown="ask")


def test_who_asks_goes_on_when_the_step_was_done_and_turns_back_when_it_was_not() -> None:
    result = found(seq(step("a"), step("c")), ("lost",), ASK)
    assert set(result.ends) == {("completed", (1, 1)), ("compensated", (0, 0))}
    told = [p for key in result.ends for p in result.story(*key)]
    assert "`b` asks what became of `a`: `as` has not applied it" in told
    assert "`b` asks what became of `a`: `as` has applied it" in {o.phrase for o in result.net.origin.transitions}


def test_the_answer_that_it_was_not_done_may_be_too_early() -> None:
    """A slow request arrives after the question; who then leaves the step alone is wrong, barrier or not."""
    assert (1,) in found(step("a"), ("slow",), ASK).effects("compensated")
    undoing = ASK._replace(undo_failing="yes")
    assert found(step("a"), ("slow",), undoing).effects("compensated") == {(0,)}
    assert (1,) in found(step("a", SAFE), ("slow",), undoing).effects("compensated")


def test_an_unknown_pivot_is_asked_about_or_tried_again() -> None:
    body = seq(step("a"), step("p", pivot=True, undo=None))
    asked = found(body, ("lost",), ASK)
    assert set(asked.ends) == {("completed", (1, 1)), ("compensated", (0, 0))}
    assert set(found(body, ("lost",), DEFAULT).ends) == {("completed", (1, 1)), ("compensated", (0, 0))}
    names = found(body, ("lost",), ASK).net.net.transitions
    assert "b/p#told.applied" in names


def test_a_retriable_step_is_asked_for_again_whatever_became_of_it() -> None:
    result = found(step("a", retriable=True), ("lost",), ASK)
    assert set(result.ends) == {("completed", (1,))}
    assert not [n for n in result.net.net.transitions if "#told" in n]


def test_a_refusal_after_a_time_out_is_asked_about_too() -> None:
    body = seq(step("a", retry=1), step("c"))
    result = found(body, ("lost", "reject"), ASK, 2)
    assert result.effects("compensated") == {(0, 0)}
    ignored = found(body, ("lost", "reject"), DEFAULT._replace(on_unknown="ignore"), 2)
    assert (1, 0) in ignored.effects("compensated")


def test_an_error_that_means_unknown_is_asked_about() -> None:
    body = step("a", errors=(ir.ErrorRule("Timeout", 0, "unknown"),))
    result = found(body, ("reject", "partial"), ASK)
    assert set(result.ends) == {("completed", (1,)), ("compensated", (0,)), ("compensated", (1,))}
    story = result.story("compensated", (1,))  # the other error, which means a refusal, came with an effect
    assert "`b` learns that `a` is refused" in story


@pytest.mark.parametrize(("choice", "effects"), [("undo", {(0,)}), ("ignore", {(0,), (1,)}), ("retry", set())])
def test_what_an_unknown_outcome_leads_to(choice, effects) -> None:
    result = found(step("a"), ("lost",), DEFAULT._replace(on_unknown=choice))
    assert result.effects("compensated") == effects


@pytest.mark.parametrize("failing", ["yes", "unless_rejected", "no"])
def test_a_refusal_after_a_time_out_does_not_tell_that_nothing_was_done(failing) -> None:
    """Found with the habits of Temporal and Restate, tried again when in doubt: the first attempt was applied, unheard."""
    policy = DEFAULT._replace(on_unknown="retry", undo_failing=failing)
    for faults in [("lost", "reject"), ("slow", "reject")]:
        left = (1,) in found(step("a"), faults, policy, 2).effects("compensated")
        assert left == (failing == "no")
    partly = found(step("a"), ("lost", "partial"), policy, 2).effects("compensated")
    assert ((1,) in partly) == (failing != "yes")  # an error with an effect is taken for a refusal


# -- register --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("register", "effects"), [
    ("before", {(0, 0)}), ("submit", {(0, 0)}), ("log", {(0, 0)}), ("after", {(0, 0), (1, 0), (0, 1)}),
])  # fmt: skip
def test_an_undo_registered_after_success_misses_what_was_done_unheard(register, effects) -> None:
    policy = DEFAULT._replace(register=register)
    assert found(seq(step("a"), step("c")), ("lost",), policy).effects("compensated") == effects


def test_the_participants_own_log_undoes_only_what_is_in_it() -> None:
    """Undone by what the saga believes, a step that was never applied is undone in vain."""
    body = step("a", IDEMPOTENT)
    assert (-1,) in found(body, ("lost",), DEFAULT).effects("compensated")
    assert found(body, ("lost",), DEFAULT._replace(register="log")).effects("compensated") == {(0,)}


# -- the failing step ------------------------------------------------------------------------------------------------


def test_the_failing_step_is_undone_or_not() -> None:
    body = step("a", IDEMPOTENT)
    assert (-1,) in found(body, ("reject",), DEFAULT._replace(undo_failing="yes")).effects("compensated")
    for choice in ("unless_rejected", "no"):
        assert found(body, ("reject",), DEFAULT._replace(undo_failing=choice)).effects("compensated") == {(0,)}
    partial = {choice: (1,) in found(step("a"), ("partial",), DEFAULT._replace(undo_failing=choice)).effects("compensated")
               for choice in ("yes", "unless_rejected", "no")}  # fmt: skip
    assert partial == {"yes": False, "unless_rejected": True, "no": True}
    lost = {choice: (1,) in found(step("a"), ("lost",), DEFAULT._replace(undo_failing=choice)).effects("compensated")
            for choice in ("yes", "unless_rejected", "no")}  # fmt: skip
    assert lost == {"yes": False, "unless_rejected": False, "no": True}


# -- an undo that gives up -------------------------------------------------------------------------------------------

HALT = DEFAULT._replace(undo_failure="halt", undo_retries=0)


def par(*bodies: ir.Statement) -> ir.Parallel:
    return ir.Parallel("b/both", tuple(ir.Way(f"b/both[{i}]", None, b) for i, b in enumerate(bodies)))


@pytest.mark.parametrize("siblings", ["await", "cancel", "abandon"])
def test_an_undo_that_gives_up_in_a_parallel_lets_the_saga_end(siblings) -> None:
    failing = seq(step("c"), ir.Task("b/t", "t", ("E",)))._replace(id="b/way")
    result = found(
        seq(step("z"), par(step("a"), failing)), ("reject", "undo-fail"), HALT._replace(siblings=siblings), 2
    )
    assert result.effects("failed")
    assert all(any(effects) for effects in result.effects("failed"))


def test_an_undo_that_gives_up_lets_those_that_run_beside_it_finish() -> None:
    result = found(
        seq(step("a"), step("c"), step("d")), ("reject", "undo-fail"), HALT._replace(undo_order="parallel"), 2
    )
    assert result.effects("failed") == {(1, 0, 0), (0, 1, 0)}
    reverse = found(seq(step("a"), step("c"), step("d")), ("reject", "undo-fail"), HALT, 2)
    assert reverse.effects("failed") == {(1, 0, 0), (1, 1, 0)}


@pytest.mark.parametrize("order", ["reverse", "parallel"])
def test_a_point_of_no_return_ends_going_back_in_any_order(order) -> None:
    body = seq(step("a"), step("p", pivot=True, undo=None), step("c"))
    result = found(body, ("reject",), DEFAULT._replace(undo_order=order))
    assert set(result.ends) == {("completed", (1, 1, 1)), ("compensated", (0, 0, 0)), ("failed", (1, 1, 0))}


# -- profiles --------------------------------------------------------------------------------------------------------

LOST, FAILS, CANCELLED = ("lost",), ("reject", "undo-fail"), ("cancel",)
WHOLE: frozenset[str] = frozenset()


@pytest.mark.parametrize(("profile", "half_undone"), [
    ("default", WHOLE),
    ("dtm", WHOLE),
    ("seata", WHOLE),
    ("restate", WHOLE),
    ("temporal-java", {"cancel"}),  # the undo runs in what was cancelled
    ("temporal-go", {"lost", "undo-fail", "cancel"}),  # registered after success, and what fails is ignored
    ("axon", {"lost", "undo-fail", "cancel"}),
    ("masstransit", {"lost", "undo-fail", "cancel"}),
    ("eventuate", {"undo-fail", "cancel"}),  # retried where the outcome is unknown, unless it is cancelled then
    ("camunda7", {"undo-fail", "cancel"}),
    ("camunda8", {"undo-fail", "cancel"}),
    ("step-functions", {"undo-fail", "cancel"}),
    ("conductor", {"lost", "undo-fail", "cancel"}),
])  # fmt: skip
def test_what_each_profile_survives_where_services_guarantee_everything(profile, half_undone) -> None:
    policy = PROFILES[profile]
    body = seq(step("a"), step("c"))
    short = policy._replace(undo_retries=min(policy.undo_retries, 1)) if policy.undo_retries else policy
    assert not left(found(body, ("reject",), short))
    result = set()
    for name, faults, budget in (("lost", LOST, 1), ("undo-fail", FAILS, 2), ("cancel", CANCELLED, 1)):
        if left(found(body, faults, short, budget)):
            result.add(name)
    assert result == set(half_undone)


def left(result) -> set[tuple[str, tuple[int, ...]]]:
    """The ends that are not `completed` and leave an effect."""
    return {(end, effects) for end, effects in result.ends if end != "completed" and any(effects)}
