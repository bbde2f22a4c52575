"""Walks see nothing but reachable states, and on small nets nearly all of them."""

from __future__ import annotations

from time import monotonic

from hypothesis import assume, given, settings

from engines.engine_contract import counter, toggles
from oracles.reachability import explore as textbook
from placet.engines.walk import Walk
from placet.logic.state import at_least
from strategies import any_nets, cases


@settings(max_examples=150)
@given(cases())
def test_what_is_seen_is_reachable(case):
    (net, initial), _, predicate = case
    graph = textbook(net, initial, (), 300)
    assume(graph.whole)
    assume(all(i < len(net.places) for i in mentioned(predicate)))
    walk = Walk(net, initial, (predicate,))
    number = walk.watch((0,))
    walk.run(monotonic() + 60, 40, bounds=True)
    states = set(graph.edges)
    assert all(s in states for s in walk.ends(20))
    assert walk.fired <= {t for out in graph.edges.values() for t, _ in out}
    assert not walk.dead or any(not out for out in graph.edges.values())
    assert walk.moved <= {p for p in range(len(initial)) if any(s[p] != initial[p] for s in states)}
    assert all(m <= max(s[p] for s in states) for p, m in enumerate(walk.most))
    assert walk.greatest(number) <= max(s[0] for s in states)
    if walk.found:
        assert graph.holds(predicate, walk.where[0])


def mentioned(predicate):
    from placet.logic.state import support

    return support(predicate)[0]


@settings(max_examples=40)
@given(any_nets())
def test_small_nets_are_seen_whole(marked):
    net, initial = marked
    graph = textbook(net, initial, (), 12)
    assume(graph.whole)
    walk = Walk(net, initial)
    walk.run(monotonic() + 60, 200, bounds=True)
    assert walk.fired == {t for out in graph.edges.values() for t, _ in out}
    assert walk.dead == any(not out for out in graph.edges.values())
    assert walk.most == tuple(max(s[p] for s in graph.edges) for p in range(len(initial)))
    assert walk.moved == {p for p in range(len(initial)) if any(s[p] != initial[p] for s in graph.edges)}


def test_a_counter_is_followed_past_its_width():
    net, initial = counter(500)
    walk = Walk(net, initial, (at_least(1, 500),))
    walk.run(monotonic() + 60, 3000)
    assert walk.found == {0}
    assert walk.where[0] == (0, 500)


def test_the_time_is_kept_and_a_found_goal_ends_the_walk():
    net, initial = toggles(5)
    walk = Walk(net, initial, (at_least(1),))
    walk.run(monotonic() - 1)
    assert walk.steps == 0
    walk.run(monotonic() + 60)
    assert walk.found == {0}
    assert walk.steps < 1000
