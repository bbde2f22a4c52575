"""The compiled walk sees nothing but reachable states, and on small nets nearly all of them."""

from __future__ import annotations

from time import monotonic

import pytest
from hypothesis import assume, given, settings

from engines.engine_contract import counter, toggles
from oracles.reachability import explore as textbook
from placet.engines.compiled_walk import CompiledWalk, UnfitError
from placet.logic.state import And, Dead, Fireable, Linear, Not, Or, at_least, support
from strategies import any_nets, cases

pytest.importorskip("numba")


@settings(max_examples=15)
@given(cases())
def test_what_is_seen_is_reachable(case):
    (net, initial), _, predicate = case
    graph = textbook(net, initial, (), 300)
    assume(graph.whole)
    assume(all(i < len(net.places) for i in support(predicate)[0]))
    goals = (predicate, Not(predicate), And((predicate, Fireable(0))), Or((Not(Fireable(0)), predicate)))
    try:
        walk = CompiledWalk(net, initial, goals)
    except UnfitError:
        assume(False)  # a goal that leaves transitions out of account
    number = walk.watch((0,))
    walk.run(monotonic() + 60, 40)
    states = set(graph.edges)
    assert all(s in states for s in walk.ends(20))
    assert walk.fired <= {t for out in graph.edges.values() for t, _ in out}
    assert not walk.dead or any(not out for out in graph.edges.values())
    assert walk.moved <= {p for p in range(len(initial)) if any(s[p] != initial[p] for s in states)}
    assert all(m <= max(s[p] for s in states) for p, m in enumerate(walk.most))
    assert walk.greatest(number) <= max(s[0] for s in states)
    for k, where in walk.where.items():
        assert where in states
        assert graph.holds(goals[k], where)
    if len(states) < 12:
        assert walk.found == {k for k, goal in enumerate(goals) if graph.where(goal)}


@settings(max_examples=15)
@given(any_nets())
def test_small_nets_are_seen_whole(marked):
    net, initial = marked
    graph = textbook(net, initial, (), 12)
    assume(graph.whole)
    walk = CompiledWalk(net, initial, (Dead(), Not(Dead())))
    number = walk.watch((0, len(initial) - 1) if len(initial) > 1 else (0,))
    walk.run(monotonic() + 60, 240)
    ends = [s for s, out in graph.edges.items() if not out]
    assert walk.fired == {t for out in graph.edges.values() for t, _ in out}
    assert walk.dead == bool(ends)
    assert walk.found == ({0} if ends else set()) | ({1} if len(ends) < len(graph.edges) else set())
    assert walk.most == tuple(max(s[p] for s in graph.edges) for p in range(len(initial)))
    assert walk.moved == {p for p in range(len(initial)) if any(s[p] != initial[p] for s in graph.edges)}
    watched = {0, len(initial) - 1}
    assert walk.greatest(number) == max(sum(s[p] for p in watched) for s in graph.edges)


def test_a_distant_goal_is_walked_towards():
    net, initial = toggles(40)
    goal = And(tuple(at_least(p) for p in range(len(initial)) if not initial[p]))
    walk = CompiledWalk(net, initial, (goal,))
    walk.run(monotonic() + 60, 800)
    assert walk.found == {0}  # one state of 2^40
    assert all(m for m, first in zip(walk.where[0], initial, strict=True) if not first)


def test_the_time_is_kept_and_a_found_goal_ends_the_walk():
    net, initial = counter(500)
    walk = CompiledWalk(net, initial, (at_least(1, 500),))
    walk.run(monotonic() - 1)
    assert walk.steps == 0
    walk.run(monotonic() + 60)
    assert walk.found == {0}
    assert walk.where[0] == (0, 500)


def test_what_does_not_fit_is_refused():
    net, initial = counter(3)
    for goal in (Linear(((0, 1),), ">=", 1 << 50), Dead(frozenset({0})), Linear(((9, 1),), ">=", 1)):
        with pytest.raises(UnfitError):
            CompiledWalk(net, initial, (goal,))
    with pytest.raises(UnfitError):
        CompiledWalk(net, (1 << 50, 0), ())
