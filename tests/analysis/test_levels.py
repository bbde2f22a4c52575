"""Levels for diagrams: a partition of what changes, and the diagrams that come of them."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles.reachability import explore
from placet.analysis.diagrams import Attempts
from placet.analysis.levels import candidates
from placet.engines.diagrams.order import breadth, force, greedy, sloan
from placet.net.builder import NetBuilder
from strategies import cases

HOUR = 1e12


@settings(max_examples=200)
@given(cases())
def test_each_candidate_has_what_changes_once_and_its_diagram_all_states(case):
    (net, initial), observers, _ = case
    graph = explore(net, initial, observers, 300)
    assume(graph.whole)
    start = next(iter(graph.depth))
    moved = {i for state in graph.depth for i, value in enumerate(state) if value != start[i]}
    for levels in candidates(net, initial, observers):
        slots = [slot for level in levels for slot in level]
        assert len(set(slots)) == len(slots)
        assert moved <= set(slots)
    diagram = Attempts(net, initial, observers).run(1 << 40, HOUR)
    assert diagram.states == len(graph.depth)


def test_places_of_an_invariant_with_one_token_share_a_level():
    builder = NetBuilder()
    places = [builder.place(f"p{i}", int(i == 0)) for i in range(5)]
    for i in range(5):
        builder.transition(f"t{i}", {places[i]: 1}, {places[(i + 1) % 5]: 1})
    net, initial = builder.build()
    assert [sorted(level) for level in next(candidates(net, initial))] == [places]


def test_an_unbounded_net_has_no_diagram_and_the_attempts_end():
    builder = NetBuilder()
    place = builder.place("p")
    builder.transition("t", {}, {place: 1})
    attempts = Attempts(*builder.build())
    assert attempts.run(1 << 40, HOUR, 5_000_000) is None
    assert attempts.over


@settings(max_examples=200)
@given(st.integers(1, 12), st.data())
def test_orders_have_each_item_once(count, data):
    edges = (
        data.draw(st.lists(st.sets(st.integers(0, count - 1), min_size=2, max_size=4).map(tuple), max_size=15))
        if count > 1
        else []
    )
    for order in (
        sloan(count, edges),
        greedy(count, edges),
        breadth(count, edges, 0),
        force(count, edges, range(count)),
    ):
        assert sorted(order) == list(range(count))


def test_a_line_is_followed_from_one_end():
    edges = [(7, 3), (3, 9), (9, 0), (0, 5), (5, 1), (1, 8), (8, 2), (2, 4), (4, 6)]
    line = [7, 3, 9, 0, 5, 1, 8, 2, 4, 6]
    assert sloan(10, edges) in (line, line[::-1])
