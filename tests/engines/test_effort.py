"""A budget of states holds for states that take a hundred times the work of others."""

from __future__ import annotations

import pytest

from placet.engines.effort import DEAR, WIDE, Columns, Effort
from placet.engines.frontier import Frontier
from placet.engines.protocol import Needs, Visitor
from placet.engines.reference import Reference
from placet.evidence import Budget
from placet.logic.state import Dead, at_least
from placet.net.builder import NetBuilder


def counter(width: int, readers: int):
    """A counter of `width` bits; each bit that is set enables the `readers` transitions that then look at it."""
    builder = NetBuilder("counter")
    zero = [builder.place(f"zero{i}", 1) for i in range(width)]
    one = [builder.place(f"one{i}", 0) for i in range(width)]
    never = builder.place("never")
    for i in range(width):
        clear = {one[k]: 1 for k in range(i)}
        builder.transition(f"t{i}", {zero[i]: 1, **clear}, {one[i]: 1, **{zero[k]: 1 for k in range(i)}})
        for k in range(readers):
            builder.transition(f"r{i}_{k}", {one[i]: 1, never: 1}, {})
    return builder.build()


def explored(readers: int, states: int | None, goals: int = 1):
    visitors = [Visitor(at_least(0, 2 + k)) for k in range(goals - 1)] + [Visitor(Dead(), Needs.STATES)]
    return Reference().explore(*counter(14, readers), (), visitors, Budget(states=states))


def test_ordinary_states_get_the_whole_budget():
    found = explored(1, 6_000)
    assert (found.states, found.stop.budget, found.stop.note) == (6_000, "states", "")


@pytest.mark.parametrize(("readers", "goals"), [(1_000, 1), (1, 1_000)])
def test_states_that_many_transitions_or_goals_look_at_count_for_more(readers, goals):
    found = explored(readers, 6_000, goals)
    assert 10 <= found.states < 3_000
    assert found.stop.budget == "states"
    assert found.stop.reached == str(found.states)
    assert "ordinary ones" in found.stop.note
    assert not found.complete


def test_the_frontier_engine_counts_what_it_does_to_columns():
    visitors = [Visitor(Dead(), Needs.STATES)]
    found = Frontier().explore(*counter(14, 1_000), (), visitors, Budget(states=2_000))
    assert 10 <= found.states < 2_000
    assert (found.stop.budget, found.stop.reached) == ("states", str(found.states))
    assert "ordinary ones" in found.stop.note
    assert not found.complete


def test_columns():
    effort = Columns(2)
    effort.add(2, WIDE)
    assert not effort.used_up
    effort.add(1, 1)
    assert effort.used_up
    assert not Columns(None).used_up


def test_without_a_budget_of_states_all_are_seen():
    assert explored(300, None).states == 1 << 14


def test_what_is_counted():
    effort = Effort(1)
    effort.add(512, [2, 3], [10], 4)
    assert effort.units == 2 * 15 + 4 * 20
    assert not effort.used_up
    effort.add(0, [DEAR - 110], [], 0)
    assert not effort.used_up
    effort.add(0, [1], [], 0)
    assert effort.used_up
