"""The compiled engine against the contract of every engine, and against the reference engine, number by number."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings

from engines.engine_contract import EngineContract, grid, toggles
from placet.engines.frontier import Frontier
from placet.engines.native import Native, _ones
from placet.engines.protocol import Needs, Visitor
from placet.engines.reference import Reference
from placet.evidence import Budget
from placet.logic.state import FALSE, Dead
from strategies import cases

pytest.importorskip("numba", reason="the extra `fast` is not installed")


class TestNative(EngineContract):
    engine = Native()

    @pytest.mark.parametrize("needs", [Needs.STATES, Needs.EDGES])
    @pytest.mark.parametrize("marked", [toggles(22), grid(3000)], ids=["small states", "wider and wider"])
    def test_the_memory_that_is_named_is_what_is_used(self, marked, needs):
        self.explore(grid(3))  # compiled
        tracemalloc.start()
        try:
            found = self.explore(marked, (), (Visitor(Dead(), needs),), Budget(states=None, bytes=60_000_000))
            used = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert found.stop is not None
        assert found.stop.budget == "bytes"
        assert 0.4 < used / int(found.stop.reached) < 1.5


@settings(max_examples=300)
@given(cases())
def test_states_have_the_numbers_that_the_reference_engine_gives(case):
    (net, initial), observers, predicate = case
    visitors = (Visitor(predicate, Needs.EDGES), Visitor(Dead()))
    budget = Budget(states=400)
    mine = Native().explore(net, initial, observers, visitors, budget)
    other = Reference().explore(net, initial, observers, visitors, budget)
    if mine.complete and other.complete:
        assert [mine.state(i) for i in range(mine.states)] == [other.state(i) for i in range(other.states)]
        assert [mine.trace(i) for i in range(mine.states)] == [other.trace(i) for i in range(other.states)]
        assert [list(column) for column in mine.graph()] == [list(column) for column in other.graph()]
        assert mine.found == other.found
        assert list(mine.holds(0)) == list(other.holds(0))


def test_a_hash_that_is_always_the_same_changes_nothing(monkeypatch):
    monkeypatch.setattr("placet.engines.native.MIX", (0, 0, 0))
    net, initial = toggles(7)
    found = Native().explore(net, initial, (), (Visitor(FALSE, Needs.EDGES),), Budget())
    assert (found.complete, found.states, found.edges) == (True, 128, 7 * 128)


def test_a_net_of_many_words_and_many_stretches():
    net, initial = grid(300)
    found = Native().explore(net, initial, (), (Visitor(Dead(), Needs.EDGES),), Budget())
    assert (found.complete, found.states, found.edges) == (True, 301 * 301, 2 * 300 * 301)
    net, initial = toggles(14)
    extra = tuple(f"x{i}" for i in range(90))
    wide = net._replace(places=net.places + extra)
    found = Native().explore(wide, initial + (1,) * 90, (), (Visitor(Dead(), Needs.EDGES),), Budget())
    assert (found.complete, found.states, found.edges, found.found) == (True, 1 << 14, 14 << 14, (-1,))


def test_where_a_state_was_found_is_found_out_again_among_many():
    net, initial = grid(300)
    found = Native().explore(net, initial, (), (Visitor(),), Budget())
    other = Frontier().explore(net, initial, (), (Visitor(),), Budget())
    for number in (*range(1, 400), *range(400, 301 * 301, 997), 301 * 301 - 1):
        assert found.line(number) == other.line(number)
    words = found._seen.origins
    assert list(_ones(words)) == [int(word).bit_count() for word in words]
