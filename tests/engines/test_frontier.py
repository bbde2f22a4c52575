"""The numpy engine against the contract of every engine, and against the reference engine, number by number."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings

from engines.engine_contract import EngineContract, grid, toggles
from placet.engines import frontier, visited
from placet.engines.frontier import Frontier
from placet.engines.protocol import Needs, Visitor
from placet.engines.reference import Reference
from placet.evidence import Budget
from placet.logic.state import FALSE, Dead
from strategies import cases


class TestFrontier(EngineContract):
    engine = Frontier()

    @pytest.mark.parametrize("needs", [Needs.STATES, Needs.EDGES])
    @pytest.mark.parametrize("marked", [toggles(22), grid(3000)], ids=["small states", "wider and wider"])
    def test_the_memory_that_is_named_is_what_is_used(self, marked, needs):
        """With tens of megabytes: what numpy itself and a block of work take is no more than that."""
        tracemalloc.start()
        try:
            found = self.explore(marked, (), (Visitor(Dead(), needs),), Budget(states=None, bytes=30_000_000))
            used = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert found.stop is not None
        assert found.stop.budget == "bytes"
        assert 0.5 < used / int(found.stop.reached) < 1.5


@settings(max_examples=300)
@given(cases())
def test_states_have_the_numbers_that_the_reference_engine_gives(case):
    (net, initial), observers, predicate = case
    visitors = (Visitor(predicate, Needs.EDGES), Visitor(Dead()))
    budget = Budget(states=400)
    mine = Frontier().explore(net, initial, observers, visitors, budget)
    other = Reference().explore(net, initial, observers, visitors, budget)
    if mine.complete and other.complete:
        assert [mine.state(i) for i in range(mine.states)] == [other.state(i) for i in range(other.states)]
        assert [mine.trace(i) for i in range(mine.states)] == [other.trace(i) for i in range(other.states)]
        assert [list(column) for column in mine.graph()] == [list(column) for column in other.graph()]
        assert mine.found == other.found
        assert list(mine.holds(0)) == list(other.holds(0))


def test_what_was_not_expanded_is_looked_at_as_far_as_it_pays(monkeypatch):
    looked = []
    note = frontier.Search._note

    def noted(self, start, columns, visitors, *more):
        if visitors:
            looked.append(start + len(columns[0]))
        note(self, start, columns, visitors, *more)

    monkeypatch.setattr(frontier, "_LAST", 0)
    monkeypatch.setattr(frontier.Search, "_note", noted)
    net, initial = toggles(300)  # the first states lead to all the others
    found = Frontier().explore(net, initial, (), (Visitor(Dead(), Needs.STATES),), Budget(states=40_000))
    assert (found.states, found.complete, found.stop.budget) == (40_000, False, "states")
    assert 0 < found.expanded < 1_000
    assert max(looked) < 1_000


def test_a_hash_that_is_always_the_same_changes_nothing(monkeypatch):
    import numpy as np

    monkeypatch.setattr(visited, "scatter", lambda columns: np.zeros(len(columns[0]), dtype=np.uint64))
    net, initial = toggles(7)
    found = Frontier().explore(net, initial, (), (Visitor(FALSE, Needs.EDGES),), Budget())
    assert (found.complete, found.states, found.edges) == (True, 128, 7 * 128)


def test_a_net_of_many_words_and_many_chunks():
    net, initial = grid(300)
    found = Frontier().explore(net, initial, (), (Visitor(Dead(), Needs.EDGES),), Budget())
    assert (found.complete, found.states, found.edges) == (True, 301 * 301, 2 * 300 * 301)
    net, initial = toggles(14)
    extra = tuple(f"x{i}" for i in range(90))
    wide = net._replace(places=net.places + extra)
    found = Frontier().explore(wide, initial + (1,) * 90, (), (Visitor(Dead(), Needs.EDGES),), Budget())
    assert (found.complete, found.states, found.edges, found.found) == (True, 1 << 14, 14 << 14, (-1,))
