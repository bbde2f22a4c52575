"""Weaving: what is appended, what it costs, and what it must not depend on."""

from __future__ import annotations

import pytest

from placet.compile.workflow_to_net import process_to_net
from placet.compiled import Query
from placet.errors import UsageError
from placet.faults.hypothesis import DEFAULT, KINDS, LEVELS, Hypothesis, checked, level
from placet.faults.weave import weave
from placet.ir import model as ir
from placet.logic.state import And, Fireable, Linear, Not, Or
from placet.net.final import PlaceClass
from placet.net.firing import enabled, fire, fire_state
from placet.net.observer import Observer
from placet.net.roles import Kind

ALL = tuple(KINDS)


def net_of(retry: int = 0, timeout: float | None = 10.0, **more):
    step = ir.Step(
        "b/a", "a", "as", ir.Undo("cancel_a"), retry, timeout, guarantees=frozenset(("idempotent", "null_safe")), **more
    )
    found, diagnostics = process_to_net(ir.Process("b", "saga", step, ("completed", "compensated", "failed")), {})
    assert not diagnostics
    return found


def reachable(compiled):
    seen, pending = {compiled.initial}, [compiled.initial]
    while pending:
        marking = pending.pop()
        assert len(seen) < 20_000
        for t in enabled(compiled.net, marking):
            after = fire(compiled.net, marking, t)
            if after not in seen:
                seen.add(after)
                pending.append(after)
    return seen


@pytest.mark.parametrize("faults", [*LEVELS.values(), DEFAULT, Hypothesis(ALL, 3, "permanent")])
def test_what_was_there_stays_where_it_was(faults) -> None:
    base = net_of(retry=1)
    woven = weave(base, faults)
    net, after = base.net, woven.compiled.net
    places, transitions = len(net.places), len(net.transitions)
    assert (woven.places, woven.transitions) == (places, transitions)
    assert after.places[:places] == net.places
    assert after.transitions[:transitions] == net.transitions
    assert after.pre[:transitions] == net.pre
    assert after.post[:transitions] == net.post
    assert woven.compiled.initial[:places] == base.initial
    assert woven.compiled.steps == base.steps
    for side in (
        woven.compiled.origin.transitions,
        woven.compiled.roles.transitions,
        after.read,
        after.inhibit,
        after.reset,
    ):
        assert len(side) == len(after.transitions)
    for side in (woven.compiled.origin.places, woven.compiled.final.classes, woven.compiled.initial):
        assert len(side) == len(after.places)
    added = range(transitions, len(after.transitions))
    assert set(added) <= woven.compiled.quiet
    assert set(added) == {*woven.causes, *woven.consequences}
    assert all(woven.compiled.roles.transitions[t].kind is Kind.FAULT for t in woven.causes)
    assert all(woven.compiled.roles.transitions[t].fault for t in woven.causes)
    assert len(set(after.transitions)) == len(after.transitions)
    assert len(set(after.places)) == len(after.places)


def test_only_causes_cost_and_the_budget_is_never_given_back() -> None:
    woven = weave(net_of(retry=2), Hypothesis(ALL, 2))
    net = woven.compiled.net
    budget = woven.budget
    assert woven.compiled.initial[budget] == 2
    assert woven.compiled.final.classes[budget] is PlaceClass.BUDGET
    for t in range(len(net.transitions)):
        taken, given = dict(net.pre[t]).get(budget, 0), dict(net.post[t]).get(budget, 0)
        assert (taken, given) == ((1, 0) if t in woven.causes else (0, 0))
    assert woven.consequences


def test_faults_work_on_roles_and_messages_alone() -> None:
    base = net_of()
    renamed = base._replace(
        net=base.net._replace(places=tuple(f"p{i}" for i in range(len(base.net.places)))), subject="other", kind="net"
    )
    one, two = weave(base, DEFAULT).compiled.net, weave(renamed, DEFAULT).compiled.net
    assert (one.pre, one.post) == (two.pre, two.post)


def test_the_net_does_not_depend_on_observers_and_queries_follow_the_shift() -> None:
    base = net_of()
    apply = base.net.transition("b/a#apply[1]")
    observer = Observer("o", "effect of `a`", ((apply, 1),), -1, 2)
    index = len(base.net.places)
    predicate = And((Linear(((0, 1), (index, 2)), ">=", 1), Not(Or((Linear(((index, 1),), "==", 0), Fireable(apply))))))
    query = Query("never", "x", predicate, atoms=((predicate, "x"),))
    asked = base._replace(observers=(observer,), queries=(query,))
    faults = Hypothesis(("reject", "partial"), 1)
    one, two = weave(base, faults), weave(asked, faults)
    assert one.compiled.net == two.compiled.net
    shifted = len(two.compiled.net.places)
    assert two.compiled.queries[0].predicate == And(
        (Linear(((0, 1), (shifted, 2)), ">=", 1), Not(Or((Linear(((shifted, 1),), "==", 0), Fireable(apply)))))
    )
    assert two.compiled.queries[0].atoms[0][0] == two.compiled.queries[0].predicate
    partial = two.compiled.net.transition("b/a#apply[1]:partial")
    assert two.compiled.observers[0].deltas == ((apply, 1), (partial, 1))
    send = two.compiled.net.transition("b/a#send[1]")
    state = fire_state(two.compiled.net, two.compiled.observers, two.compiled.start, send)
    assert fire_state(two.compiled.net, two.compiled.observers, state, partial)[-1] == 1


def test_without_faults_or_messages_nothing_is_added() -> None:
    base = net_of()
    assert weave(base, Hypothesis((), 3)).compiled.net is base.net
    assert weave(base, Hypothesis(("lost",), 0)).compiled.net is base.net
    workflow, _ = process_to_net(ir.Process("w", "workflow", ir.Task("w/t", "t"), ("completed",)), {})
    woven = weave(workflow, DEFAULT)
    assert woven.compiled.net is workflow.net
    assert woven.budget == -1


def kinds_of(woven) -> set[str]:
    return {woven.compiled.roles.transitions[t].fault for t in woven.causes}


def test_each_kind_of_fault_is_woven_where_it_can_happen() -> None:
    assert kinds_of(weave(net_of(), Hypothesis(ALL, 1))) == set(ALL)
    # nobody waits with a clock: a slow message is no fault, a lost one blocks
    assert kinds_of(weave(net_of(timeout=None), Hypothesis(ALL, 1))) == {
        "reject", "partial", "lost", "undo-fail", "undo-lost", "duplicate", "cancel", "crash",
    }  # fmt: skip


def test_a_time_out_needs_a_fault() -> None:
    base = net_of(retry=1)
    timers = {t for t, role in enumerate(base.roles.transitions) if role.kind is Kind.TIMER}
    assert timers
    fired = {t for marking in reachable(base) for t in enabled(base.net, marking)}
    assert not fired & timers
    woven = weave(base, Hypothesis(("slow",), 1)).compiled
    assert {t for marking in reachable(woven) for t in enabled(woven.net, marking)} & timers


@pytest.mark.parametrize("modes", ["transient", "permanent", "both"])
@pytest.mark.parametrize("retriable", [False, True])
def test_woven_nets_are_bounded(modes, retriable) -> None:
    woven = weave(net_of(retry=1, retriable=retriable), Hypothesis(ALL, 2, modes)).compiled
    assert max(max(marking) for marking in reachable(woven)) <= 4


def test_a_lasting_fault_hits_each_later_attempt_at_most_once_and_no_attempt_that_is_made_for_ever() -> None:
    woven = weave(net_of(retry=2), Hypothesis(("reject",), 1))
    names = [woven.compiled.net.transitions[t] for t in woven.consequences]
    assert names == ["b/a#request[2]:reject:still", "b/a#request[3]:reject:still"]
    for_ever = weave(net_of(retry=2, retriable=True), Hypothesis(("reject",), 1))
    names = [for_ever.compiled.net.transitions[t] for t in for_ever.consequences]
    assert names == ["b/a#request[2]:reject:still"]
    assert any("for ever" in g for g in for_ever.compiled.assumptions.guarantees)


def test_an_attempt_that_is_made_for_ever_hands_no_lasting_fault_on() -> None:
    rules = (ir.ErrorRule("Busy", 2, "reject"),)
    woven = weave(net_of(retriable=True, errors=rules), Hypothesis(("lost",), 1))
    first = [t for t in woven.causes if woven.compiled.net.transitions[t].startswith("b/a#request[1]")]
    assert [woven.compiled.net.transitions[t] for t in first] == ["b/a#request[1]:lost"]


def test_assumptions_name_the_faults() -> None:
    woven = weave(net_of(), Hypothesis(("slow", "reject"), 2, "transient")).compiled
    assert woven.assumptions.faults == ("reject", "slow")
    assert woven.assumptions.fault_budget == 2
    assert "faults are transient" in woven.assumptions.guarantees


def test_a_trace_is_mapped_back() -> None:
    woven = weave(net_of(), DEFAULT)
    fault = woven.causes[0]
    assert woven.back((0, fault, 1)) == (0, 1)


@pytest.mark.parametrize(
    "hypothesis", [Hypothesis(("nonsense",), 1), Hypothesis((), -1), Hypothesis((), 101),
                   Hypothesis((), 1, "now and then")]
)  # fmt: skip
def test_a_hypothesis_without_sense_is_refused(hypothesis) -> None:
    with pytest.raises(UsageError):
        checked(hypothesis)


def test_levels_grow_and_later_ones_are_refused() -> None:
    names = ("L0", "L1", "L2", "L3", "L4")
    assert all(set(level(a).faults) < set(level(b).faults) for a, b in zip(names, names[1:], strict=False))
    for name in ("L6", "L9"):
        with pytest.raises(UsageError, match=name):
            level(name)
