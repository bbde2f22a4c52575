"""The plain-Python engine against the contract of every engine, and its account of its memory."""

from __future__ import annotations

import sys
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.engine_contract import EngineContract, grid, run, toggles
from oracles.reachability import explore as textbook
from placet.engines import reference
from placet.engines.protocol import Needs, Visitor
from placet.engines.reference import Reference
from placet.evidence import Budget
from placet.logic.state import Dead, at_least
from placet.net.builder import NetBuilder
from placet.net.observer import Observer


def ring(count):
    """A token that goes round, and for each place a transition that is held up only while the token is there."""
    builder = NetBuilder()
    places = [builder.place(f"p{i}", int(i == 0)) for i in range(count)]
    for i in range(count):
        builder.transition(f"go{i}", {places[i]: 1}, {places[i - 1]: 1})
        builder.transition(f"idle{i}", {}, {}, inhibit={places[i]: 1})
    return builder.build()


class Interrupting:
    """Raises KeyboardInterrupt before one of the lines of the search that are run."""

    def __init__(self, lines):
        self.left = lines

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.called)

    def __exit__(self, *_):
        sys.settrace(self.before)

    def called(self, frame, event, arg):
        if frame.f_code.co_filename != reference.__file__ or frame.f_code.co_name in ("run", "_mend", "explore"):
            return None
        callers = frame.f_back
        while callers is not None and callers.f_code.co_name != "run":
            callers = callers.f_back
        return self.stepped if callers is not None and callers.f_code.co_filename == reference.__file__ else None

    def stepped(self, frame, event, arg):
        if event == "line":
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return self.stepped


class TestReference(EngineContract):
    engine = Reference()

    @pytest.mark.parametrize("needs", [Needs.STATES, Needs.EDGES])
    @pytest.mark.parametrize(
        ("marked", "watched"),
        [
            pytest.param(toggles(16), 32, id="many observers"),
            pytest.param(toggles(16), 0, id="small states"),
            pytest.param(toggles(300), 0, id="many transitions"),
            pytest.param(ring(1500), 0, id="no two sets of enabled transitions alike"),
            pytest.param(grid(300), 1, id="wider and wider"),
        ],
    )
    def test_the_memory_that_is_named_is_what_is_used(self, marked, watched, needs):
        watch = tuple(Observer(f"o{t}", "seen", ((t, 1),)) for t in range(watched))
        tracemalloc.start()
        try:
            found = self.explore(marked, watch, (Visitor(Dead(), needs),), Budget(bytes=2_000_000))
            used = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert found.stop is not None
        assert found.stop.budget == "bytes"
        assert 0.67 < used / int(found.stop.reached) < 1.5

    def test_a_budget_of_no_states_is_used_up_at_once(self):
        found = self.explore(grid(3), budget=Budget(states=0))
        assert found.stop is not None
        assert (found.stop.budget, found.states) == ("states", 1)

    @settings(max_examples=300)
    @given(st.integers(1, 6000), st.sampled_from(Needs))
    def test_an_interrupt_at_any_moment_leaves_what_was_found(self, moment, needs):
        """Also while all states are packed anew: `grid(9)` outgrows its first fields of four bits, and the next."""
        net, initial = grid(9)
        net = net._replace(post=(((1, 3),), net.post[1]))
        watch = (Observer("o", "a seen", ((0, 1),)),)
        goal = at_least(1, 20)
        graph = textbook(net, initial, watch)
        with Interrupting(moment):
            found = self.explore((net, initial), watch, (Visitor(goal, needs), Visitor(Dead(), Needs.STATES)), Budget())
        if found.stop is not None:
            assert found.stop.budget == "interrupted"
        assert found.complete == (found.stop is None)
        states = [found.state(i) for i in range(found.states)]
        assert len(set(states)) == len(states)
        assert not found.complete or found.states == len(graph.edges)
        for i, state in enumerate(states):
            trace = found.trace(i)
            assert run(net, initial, watch, trace) == state
            assert len(trace) == graph.depth[state]
            assert bool(found.holds(0)[i]) == graph.holds(goal, state)
            edges = [(t, states[j]) for t, j in found.successors(i)]
            assert edges in ([], graph.edges[state])
        assert found.found[0] < 0 or graph.holds(goal, states[found.found[0]])
        assert found.bounds <= tuple(max(s[p] for s in graph.edges) for p in range(4))
