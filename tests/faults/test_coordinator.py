"""Cancellation and crashes: what each policy makes possible and what it rules out, by every run of small sagas."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles.saga_bodies import bodies
from oracles.sagas import settle
from placet.compile.workflow_to_net import process_to_net
from placet.faults.hypothesis import LEVELS, Hypothesis
from placet.faults.weave import weave
from placet.ir import model as ir
from placet.net.roles import Kind

ENDS = ("completed", "compensated", "failed")
BARE: frozenset[str] = frozenset()
IDEMPOTENT = frozenset(("idempotent",))
SAFE = IDEMPOTENT | {"null_safe"}
BARRIER = SAFE | {"rejects_after_cancel"}
CANCEL, CRASH = Hypothesis(("cancel",), 1), Hypothesis(("crash",), 1)
DEFAULT = ir.Policy()


def step(name: str, guarantees=BARRIER, timeout: float | None = 10.0, **more) -> ir.Step:
    given_ = {"undo": ir.Undo(f"cancel_{name}"), **more}
    return ir.Step(f"b/{name}", name, f"{name}s", timeout=timeout, guarantees=guarantees, **given_)


def seq(*parts: ir.Statement) -> ir.Sequence:
    return ir.Sequence("b", parts)


def par(*parts: ir.Statement) -> ir.Parallel:
    return ir.Parallel("b/both", tuple(ir.Way(f"b/both[{i}]", None, p) for i, p in enumerate(parts)))


def found(body, faults, policy: ir.Policy = DEFAULT, others=(), *, stuck: bool = False):
    net, problems = process_to_net(ir.Process("b", "saga", body, ENDS, policy), {p.id: p for p in others})
    assert not problems
    result = settle(weave(net, faults).compiled)
    told = [result.net.origin.transitions[t].phrase for t in result.stuck or ()]
    assert (result.stuck is not None) == stuck, told
    return result


# -- cancelled -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [None, 10.0])
def test_a_cancelled_saga_undoes_what_it_did_wherever_it_was(timeout) -> None:
    result = found(seq(step("a", timeout=timeout), step("c", timeout=timeout)), CANCEL)
    assert set(result.ends) == {("completed", (1, 1)), ("compensated", (0, 0))}
    causes = {
        result.net.origin.transitions[t].phrase
        for t, role in enumerate(result.net.roles.transitions)
        if role.fault == "cancel"
    }
    assert causes == {
        "`b` is cancelled before it asks for `a`",
        "`b` is cancelled while it waits for `a`",
        "`b` is cancelled before it asks for `c`",
        "`b` is cancelled while it waits for `c`",
        "`b` is cancelled",
    }


@pytest.mark.parametrize("timeout", [None, 10.0])
def test_a_step_that_was_asked_for_when_the_saga_was_cancelled_needs_a_barrier(timeout) -> None:
    result = found(step("a", SAFE, timeout), CANCEL)
    assert result.effects("compensated") == {(0,), (1,)}
    story = result.story("compensated", (1,))
    order = ["`b` is cancelled while it waits for `a`", "`cancel_a` finds nothing to undo", "`a` is applied at `as`"]
    assert [s for s in story if s in order] == order


def test_an_undo_that_is_registered_after_success_misses_the_step_in_flight() -> None:
    after = ir.Policy(register="after", undo_failing="no")
    result = found(seq(step("a"), step("c")), CANCEL, after)
    assert result.effects("compensated") == {(0, 0), (1, 0), (0, 1)}
    assert found(seq(step("a"), step("c")), CRASH, after).effects("completed") == {(1, 1)}


def test_masked_the_undo_is_left_in_peace_unmasked_it_is_cancelled_too() -> None:
    body = seq(step("a"), step("c"), ir.Abandon("b/stop"))
    assert set(found(body, CANCEL).ends) == {("compensated", (0, 0))}
    result = found(body, CANCEL, ir.Policy(cancellation="unmasked"))
    assert result.effects("compensated") == {(0, 0)}
    assert {(1, 1), (1, 0), (0, 0)} <= result.effects("failed")
    told = [p for key in result.ends for p in result.story(*key)]
    assert any(p.endswith("and nothing more is undone") for p in told)


def test_undos_registered_at_submission_run_for_a_step_that_was_never_asked_for() -> None:
    """With `before` the undo of a step is registered when it is asked for, so nothing is undone in vain."""
    assert found(step("a", IDEMPOTENT), CANCEL, ir.Policy(register="submit")).effects("compensated") >= {(-1,)}
    never_asked = "`b` is cancelled before it asks for `a`"
    for register in ("before", "submit"):
        result = found(step("a", IDEMPOTENT), CANCEL, ir.Policy(register=register))
        story = result.story("compensated", (-1,)) if (-1,) in result.effects("compensated") else []
        assert (never_asked in story) == (register == "submit")


def test_after_the_point_of_no_return_a_cancellation_is_not_heard() -> None:
    body = seq(step("a"), step("p", pivot=True, undo=None), step("r", retriable=True, undo=None))
    result = found(body, CANCEL)
    assert set(result.ends) == {("completed", (1, 1, 1)), ("compensated", (0, 0, 0))}
    heard = found(body, CANCEL, ir.Policy(cancellation="unmasked"))
    assert (1, 1, 0) in heard.effects("failed")


@pytest.mark.parametrize("siblings", ["await", "cancel"])
def test_a_cancellation_reaches_all_ways_of_a_parallel(siblings) -> None:
    body = seq(step("z"), par(step("a"), step("c")))
    result = found(body, CANCEL, ir.Policy(siblings=siblings))
    assert set(result.ends) == {("completed", (1, 1, 1)), ("compensated", (0, 0, 0))}
    words = {result.net.origin.transitions[t].phrase for t in range(len(result.net.net.transitions))}
    assert "the cancellation of `b` is noticed while it waits for `c`" in words


def test_a_cancellation_is_no_error_that_a_handler_could_catch() -> None:
    body = seq(ir.Scope("b/s", step("a"), (ir.Handler("b/s[on any]", "error", "*", step("r")),)), step("c"))
    result = found(body, CANCEL)
    assert set(result.ends) == {("completed", (1, 0, 1)), ("compensated", (0, 0, 0))}
    forked = seq(ir.Scope("b/s", par(step("a"), step("e")), (ir.Handler("b/s[on any]", "error", "*", step("r")),)))
    result = found(forked, Hypothesis(("cancel", "reject"), 2))
    assert result.effects("compensated") == {(0, 0, 0)}
    assert set(result.ends) >= {("completed", (0, 0, 1)), ("completed", (1, 1, 0))}


def child(policy: ir.Policy = DEFAULT) -> ir.Process:
    return ir.Process(
        "c", "saga", ir.Step("c/k", "k", "ks", ir.Undo("uk"), timeout=10.0, guarantees=BARRIER), ENDS, policy
    )


def test_a_child_is_cancelled_with_its_parent_or_awaited() -> None:
    apology = ir.Task("b/sorry", "sorry")
    body = seq(step("a"), ir.Call("b/c", "c", (("compensated", apology),)), step("d"))
    propagated = found(body, CANCEL, others=[child()])
    assert set(propagated.ends) >= {("completed", (1, 1, 1)), ("compensated", (0, 0, 0))}
    in_child = [n for n in propagated.net.net.transitions if n.startswith("b/c/k#waiting[1]:cancel")]
    assert in_child
    awaited = found(body, CANCEL, ir.Policy(children="await"), others=[child()])
    assert set(awaited.ends) == {("completed", (1, 1, 1)), ("compensated", (0, 0, 0))}
    assert not [n for n in awaited.net.net.transitions if n.startswith("b/c/") and ":cancel" in n]


def test_the_causes_say_what_was_under_way() -> None:
    net, _ = process_to_net(ir.Process("b", "saga", seq(step("a"), step("c")), ENDS), {})
    woven = weave(net, Hypothesis(("cancel", "crash"), 1))
    roles = woven.compiled.roles.transitions
    cancels = {(roles[t].step, roles[t].attempt) for t in woven.causes if roles[t].fault == "cancel"}
    assert cancels == {("b/a", 0), ("b/a", 1), ("b/c", 0), ("b/c", 1), ("", 0)}
    assert all(roles[t].commits for t in woven.causes if roles[t].fault == "cancel")
    crashes = {(roles[t].step, roles[t].direction) for t in woven.causes if roles[t].fault == "crash"}
    assert crashes == {(s, d) for s in ("b/a", "b/c") for d in ("forward", "undo")}
    assert not any(roles[t].commits for t in woven.causes if roles[t].fault == "crash")


# -- crashed ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [None, 10.0])
def test_a_coordinator_that_is_back_asks_again_so_a_step_may_be_done_twice(timeout) -> None:
    twice = found(seq(step("a", BARE, timeout), step("c", timeout=timeout)), CRASH)
    assert twice.effects("completed") == {(1, 1), (2, 1)}
    story = twice.story("completed", (2, 1))
    assert "`b` crashes before it has recorded the reply of `a`, and asks again" in story
    once = found(seq(step("a", IDEMPOTENT, timeout), step("c", timeout=timeout)), CRASH)
    assert set(once.ends) == {("completed", (1, 1))}


def test_a_coordinator_that_crashes_while_it_undoes_goes_on_undoing() -> None:
    body = seq(step("a"), step("c"), ir.Abandon("b/stop"))
    assert set(found(body, CRASH).ends) == {("compensated", (0, 0))}
    assert (-1, 0) in found(seq(step("a", BARE), step("c"), ir.Abandon("b/stop")), CRASH).effects("compensated")


def test_a_coordinator_may_turn_back_after_a_crash() -> None:
    result = found(seq(step("a"), step("c")), CRASH, ir.Policy(recovery="undo"))
    assert set(result.ends) == {("completed", (1, 1)), ("compensated", (0, 0))}
    pivot = seq(step("a"), step("p", pivot=True, undo=None))
    result = found(pivot, CRASH, ir.Policy(recovery="undo"))
    assert set(result.ends) == {("completed", (1, 1)), ("compensated", (0, 0))}


def test_a_coordinator_without_a_memory_leaves_everything_where_it_was() -> None:
    result = found(seq(step("a"), step("c")), CRASH, ir.Policy(recovery="forget"), stuck=True)
    assert set(result.ends) == {("completed", (1, 1))}


# -- a deadline -----------------------------------------------------------------------------------------------------


def test_a_saga_that_takes_too_long_turns_back_calls_a_person_or_goes_on() -> None:
    """Its time is up where a message is slow; a step without a time-out of its own gets an end by it."""
    body = seq(step("a", timeout=None), step("c", timeout=None))
    slow = Hypothesis(("slow",), 1)
    assert set(found(body, slow).ends) == {("completed", (1, 1))}
    undone = found(body, slow, ir.Policy(deadline="undo"))
    assert set(undone.ends) == {("completed", (1, 1)), ("compensated", (0, 0))}
    assert "`b` takes too long while it waits for `a`" in {o.phrase for o in undone.net.origin.transitions}
    escalated = found(body, slow, ir.Policy(deadline="escalate"))
    assert {(1, 0), (1, 1), (0, 0)} >= escalated.effects("failed") > set()
    calls = [r for r in escalated.net.roles.transitions if r.escalates]
    assert calls
    assert {r.kind for r in calls} == {Kind.TIMER}
    assert found(body, slow, ir.Policy(deadline="forward")).net.net == found(body, slow).net.net


def test_a_deadline_ends_a_wait_for_what_is_lost() -> None:
    body, lost = seq(step("a", timeout=None), step("c", timeout=None)), Hypothesis(("lost",), 1)
    assert found(body, lost, stuck=True).effects("compensated") == set()
    assert set(found(body, lost, ir.Policy(deadline="undo")).ends) == {("completed", (1, 1)), ("compensated", (0, 0))}
    waits = seq(step("a"), step("c", retry=1))  # lost at one call, out of time at a later one
    names = found(waits, lost, ir.Policy(deadline="undo")).net.net.transitions
    assert {"b/c#waiting[2]:overdue", "b#done:overdue"} <= set(names)


def test_a_deadline_reaches_all_ways_of_a_parallel() -> None:
    body = par(step("a", timeout=None), step("c", timeout=None))
    result = found(body, Hypothesis(("slow",), 1), ir.Policy(deadline="undo"))
    assert set(result.ends) == {("completed", (1, 1)), ("compensated", (0, 0))}
    assert "that `b` takes too long is noticed while it waits for `c`" in {
        o.phrase for o in result.net.origin.transitions
    }


def test_a_deadline_needs_a_message_that_is_lost_or_slow() -> None:
    body = seq(step("a"), step("c"))
    for faults in (Hypothesis(("reject",), 1), Hypothesis(("duplicate",), 1)):
        assert found(body, faults, ir.Policy(deadline="undo")).net.net == found(body, faults).net.net


# -- both, on random sagas -------------------------------------------------------------------------------------------


def guarded(statement):
    """The same body with a barrier and a time-out at every step, and no point of no return."""
    match statement:
        case ir.Step():
            undo = statement.undo if statement.read_only else ir.Undo(f"cancel_{statement.name}")
            return statement._replace(
                guarantees=BARRIER, timeout=10.0, retry=0, pivot=False, retriable=False, undo=undo
            )
        case ir.Sequence():
            return statement._replace(parts=tuple(guarded(p) for p in statement.parts))
        case ir.Choice() | ir.Parallel():
            return statement._replace(ways=tuple(w._replace(body=guarded(w.body)) for w in statement.ways))
        case ir.Scope():
            handlers = tuple(h._replace(body=guarded(h.body)) for h in statement.handlers)
            return statement._replace(body=guarded(statement.body), handlers=handlers)
    return statement


ROBUST = st.builds(
    DEFAULT._replace,
    register=st.sampled_from(["before", "submit", "log"]),
    undo_failing=st.just("yes"),
    on_unknown=st.sampled_from(["undo", "retry"]),
    undo_order=st.sampled_from(["reverse", "parallel"]),
    siblings=st.sampled_from(["await", "cancel"]),
    children=st.sampled_from(["propagate", "await"]),
    deadline=st.sampled_from(["none", "undo"]),
    recovery=st.sampled_from(["resume", "undo"]),
)


@settings(max_examples=40, deadline=None)
@given(
    bodies(2),
    ROBUST,
    st.sampled_from(
        [
            CANCEL,
            CRASH,
            Hypothesis(("slow",), 1),
            Hypothesis(("cancel", "crash"), 2),
            Hypothesis(("cancel", "slow"), 2, "transient"),
        ]
    ),
)
def test_with_barriers_and_masks_nothing_is_half_undone_and_nothing_is_stuck(body, policy, faults) -> None:
    result = found(guarded(body), faults, policy)
    assert all(not any(effects) for effects in result.effects("compensated"))
    assert not result.effects("failed")


def test_level_four_is_survived_by_what_is_guarded() -> None:
    result = found(step("a"), LEVELS["L4"], ir.Policy(undo_failing="yes"))
    assert set(result.ends) == {("completed", (1,)), ("compensated", (0,))}
