"""Proofs by the state equation against the textbook's reachable markings; without the solver there is nothing to test."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles.reachability import explore as textbook
from placet.analysis.state_equation import StateEquation, UnfitError, available
from placet.analysis.weightings import falling, positive_invariant
from placet.logic.state import Dead, Fireable, at_least
from placet.net.builder import NetBuilder
from strategies import any_nets, cases, weighted_nets

pytestmark = pytest.mark.skipif(not available(), reason="the solver is not installed (extra `fast`)")


def equation(net, initial):
    try:
        return StateEquation(net, initial)
    except UnfitError:
        assume(False)


@settings(max_examples=600)
@given(cases())
def test_what_is_proved_never_to_hold_never_does(case):
    (net, initial), _, predicate = case
    graph = textbook(net, initial, (), 200)
    proved = equation(net, initial).never(predicate)
    if proved:
        assert not graph.where(predicate)


@settings(max_examples=320)
@given(any_nets(), st.data())
def test_a_proved_bound_is_a_bound(marked, data):
    net, initial = marked
    graph = textbook(net, initial, (), 200)
    terms = [(p, data.draw(st.integers(1, 3))) for p in range(len(initial)) if data.draw(st.booleans())]
    bound = equation(net, initial).most(terms)
    seen = max(sum(c * s[p] for p, c in terms) for s in graph.edges)
    assert bound is None or bound >= seen


@settings(max_examples=120)
@given(any_nets())
def test_the_same_equation_answers_many_questions(marked):
    """Rows and columns of one question are gone before the next; a trap that was found stays."""
    net, initial = marked
    graph = textbook(net, initial, (), 200)
    one = equation(net, initial)
    questions = [
        Dead(),
        *(Fireable(t) for t in range(len(net.transitions))),
        *(at_least(p, 2) for p in range(len(initial))),
    ]
    for predicate in (*questions, *reversed(questions)):
        if one.never(predicate):
            assert not graph.where(predicate)


def mutex():
    builder = NetBuilder()
    key = builder.place("key", 1)
    for name in "ab":
        idle, busy = builder.place(f"idle{name}", 1), builder.place(f"busy{name}")
        builder.transition(f"in{name}", {idle: 1, key: 1}, {busy: 1})
        builder.transition(f"out{name}", {busy: 1}, {idle: 1, key: 1})
    return builder.build()


def test_mutual_exclusion_and_no_deadlock():
    from placet.logic.state import And

    net, initial = mutex()
    one = StateEquation(net, initial)
    both = And((at_least(net.place("busya")), at_least(net.place("busyb"))))
    assert one.never(both)
    assert one.never(Dead())
    assert one.most([(net.place("busya"), 1), (net.place("busyb"), 1)]) == 1
    assert not one.never(at_least(net.place("busya")))
    assert one.hint is not None


def test_a_trap_refutes_what_the_equation_admits():
    """Peterson-like: the flag goes round in a trap that the equation alone may empty."""
    builder = NetBuilder()
    a, b = builder.place("a", 1), builder.place("b")
    builder.transition("t", {a: 1}, {a: 1, b: 1})
    builder.transition("u", {a: 1, b: 1}, {b: 1})
    builder.transition("v", {b: 2}, {a: 1})
    net, initial = builder.build()
    from placet.logic.state import And, Linear

    empty = And((Linear(((a, 1),), "==", 0), Linear(((b, 1),), "==", 0)))
    graph = textbook(net, initial, (), 50)
    assert not graph.where(empty)
    assert StateEquation(net, initial).never(empty)


def test_nothing_is_proved_by_a_wrong_dual():
    net, initial = mutex()
    one = StateEquation(net, initial)
    from placet.analysis.state_equation import AtMost

    assert not one._refuted((AtMost(((0, -1),), -1),), [1.0] * 5, [1.0])
    assert not one._falls({0: 1})


@settings(max_examples=120)
@given(weighted_nets())
def test_weightings(marked):
    net, initial = marked
    columns = StateEquation(net, initial).columns
    found = falling(columns, len(initial))
    if found is not None:
        graph = textbook(net, initial, (), 200)
        weight = lambda s: sum(w * m for w, m in zip(found, s, strict=True))  # noqa: E731
        assert all(weight(a) <= weight(s) for s, out in graph.edges.items() for _, a in out)
    if positive_invariant(columns, len(initial)):  # then no marking can outgrow the initial one
        graph = textbook(net, initial, (), 400)
        assert all(any(s) == any(initial) for s in graph.edges)
