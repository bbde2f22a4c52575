from __future__ import annotations

import pytest
from hypothesis import assume, given, settings

from families import branches, philosophers
from oracles.reachability import explore as textbook
from placet.analysis import counting
from placet.analysis.counting import count
from placet.errors import UsageError
from placet.evidence import Budget
from placet.logic.state import Dead
from placet.net.builder import NetBuilder
from placet.report.words import counted
from strategies import any_nets

ENGINES = (None, "reference", "frontier", "symbolic")


@settings(max_examples=100)
@given(any_nets())
def test_every_engine_counts_what_the_textbook_counts(marked):
    net, initial = marked
    graph = textbook(net, initial, (), 300)
    assume(graph.whole)
    places = range(len(net.places))
    wanted = (
        len(graph.edges),
        sum(map(len, graph.edges.values())),
        len(graph.where(Dead())),
        max((s[p] for s in graph.edges for p in places), default=0),
        max(sum(s) for s in graph.edges),
    )
    for name in ENGINES:
        found = count(net, initial, Budget(5000), name)
        assert found[:5] == wanted, name
        assert found.stop is None


def test_a_structured_net_is_counted_whatever_its_size():
    found = count(*branches(40, 10), Budget())
    assert (found.states, found.deadlocks, found.engine) == (10**40 + 2, 1, "symbolic")
    assert found.edges == 40 * 9 * 10**39 + 2
    assert (found.most_in_place, found.most_in_marking) == (1, 40)
    assert count(*philosophers(200), Budget()).deadlocks == 2


def test_seconds_that_are_left_are_used():
    net, initial = philosophers(3)
    assert count(net, initial, Budget(seconds=600.0)).states == count(net, initial, Budget()).states


def test_diagrams_go_on_where_the_first_look_ends():
    found = count(*philosophers(9), Budget(), "symbolic")
    assert found.states > 2_000
    assert found.stop is None


def test_the_engines_agree_where_both_can_count(monkeypatch):
    monkeypatch.setattr(counting, "FEW", 100)
    marked = philosophers(7)
    drawn, searched = count(*marked, Budget()), count(*marked, Budget(), "frontier")
    assert drawn.engine == "symbolic"
    assert drawn[:5] == searched[:5]


def test_what_has_no_bound_is_no_diagram():
    builder = NetBuilder("pump")
    p = builder.place("p")
    builder.transition("t", {}, {p: 1})
    for name in ENGINES:
        assert count(*builder.build(), Budget(), name).stop.budget == "unbounded"


def test_a_budget_of_states_is_kept_and_an_engine_has_a_known_name():
    assert count(*philosophers(7), Budget(500)).stop.budget == "states"
    with pytest.raises(UsageError):
        count(*philosophers(3), Budget(), "warp")


def test_large_numbers_are_told_by_their_size():
    assert counted(1, "situation") == "1 situation"
    assert counted(999_999_999_999_999, "situation") == "999999999999999 situations"
    assert counted(10**40 + 2, "situation") == "1.00 * 10^40 situations"
    assert counted(345 * 10**5000, "situation") == "3.45 * 10^5002 situations"
