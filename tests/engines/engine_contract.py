"""What every engine must do, as a class to inherit from: set `engine` and collect it in a test module."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles.reachability import explore as textbook
from placet.engines.protocol import Needs, Visitor
from placet.evidence import Budget
from placet.logic.state import FALSE, TRUE, Dead, Fireable, Linear, at_least, evaluate
from placet.net.builder import NetBuilder
from placet.net.firing import enabled, fire_state
from placet.net.observer import Observer
from strategies import any_nets, cases, full_nets, plain_nets, weighted_nets

LIMIT = 300
ALL = Budget(states=LIMIT * 4, bytes=None)


def run(net, start, observers, trace):
    """The state after firing the trace by the textbook rule; fails where a transition is not enabled."""
    state = (*start, *(o.initial for o in observers))
    for t in trace:
        state = fire_state(net, observers, state, t)
        assert state is not None
    return state


def counter(steps: int):
    """One transition that fills a place one token at a time, up to `steps`."""
    builder = NetBuilder()
    source, sink = builder.place("source", steps), builder.place("sink")
    builder.transition("move", {source: 1}, {sink: 1})
    return builder.build()


def grid(side: int):
    """Two independent counters: (side + 1)^2 states."""
    builder = NetBuilder()
    for name in "ab":
        source, sink = builder.place(f"{name}1", side), builder.place(f"{name}2")
        builder.transition(name, {source: 1}, {sink: 1})
    return builder.build()


def toggles(count):
    """So many places with a token that goes away and comes back: 2^count states."""
    builder = NetBuilder()
    for i in range(count):
        there, away = builder.place(f"p{i}", 1), builder.place(f"q{i}")
        builder.transition(f"go{i}", {there: 1}, {away: 1})
        builder.transition(f"back{i}", {away: 1}, {there: 1})
    return builder.build()


class EngineContract:
    """Inherit and set `engine`."""

    engine = None

    def explore(self, marked, observers=(), visitors=(), budget=ALL, progress=None):
        net, initial = marked
        return self.engine.explore(net, initial, observers, visitors, budget, progress)

    @settings(max_examples=400)
    @given(cases())
    def test_states_edges_bounds_and_first_states_are_the_textbook_s(self, case):
        marked, observers, predicate = case
        net, initial = marked
        graph = textbook(net, initial, observers, LIMIT)
        assume(graph.whole)
        found = self.explore(marked, observers, (Visitor(predicate, Needs.EDGES), Visitor(FALSE)))
        assert found.stop is None
        assert found.complete
        states = [found.state(i) for i in range(found.states)]
        assert states[0] == (*initial, *(o.initial for o in observers))
        assert len(set(states)) == len(states)
        assert set(states) == set(graph.edges)
        assert found.edges == sum(len(out) for out in graph.edges.values())
        for i, state in enumerate(states):
            assert sorted((t, states[j]) for t, j in found.successors(i)) == sorted(graph.edges[state])
            trace = found.trace(i)
            assert run(net, initial, observers, trace) == state
            assert len(trace) == graph.depth[state]
            assert bool(found.holds(0)[i]) == graph.holds(predicate, state)
        assert found.bounds == tuple(max(s[p] for s in states) for p in range(len(net.places)))
        assert found.fired == {t for out in graph.edges.values() for t, _ in out}
        wanted = graph.where(predicate)
        assert (found.found[0] < 0) == (not wanted)
        if wanted:
            assert states[found.found[0]] in wanted
            assert graph.depth[states[found.found[0]]] == min(graph.depth[s] for s in wanted)
        assert found.found[1] == -1

    @settings(max_examples=300)
    @given(cases())
    def test_a_content_pass_stops_early_with_the_first_state(self, case):
        marked, observers, predicate = case
        net, initial = marked
        graph = textbook(net, initial, observers, LIMIT)
        found = self.explore(marked, observers, (Visitor(predicate), Visitor(TRUE)))
        seen = {s for s in graph.edges if graph.holds(predicate, s)}
        if found.found[0] >= 0:
            assert found.stop is None
            state = run(net, initial, observers, found.trace(found.found[0]))
            assert state == found.state(found.found[0])
            assert evaluate(predicate, state, lambda: enabled(net, state[: len(net.places)]))
            if seen:
                assert len(found.trace(found.found[0])) == min(graph.depth[s] for s in seen)
        else:
            assert not seen or found.stop is not None
            assert found.complete == (found.stop is None)
        assert found.found[1] == 0

    @settings(max_examples=200)
    @given(any_nets(), st.data())
    def test_observers_never_change_the_projected_graph(self, marked, data):
        from strategies import observers

        net, initial = marked
        assume(textbook(net, initial, (), LIMIT).whole)
        watch = data.draw(observers(len(net.transitions)))
        bare = self.explore(marked)
        watched = self.explore(marked, watch)
        assume(bare.complete and watched.complete)
        width = len(net.places)
        assert {watched.state(i)[:width] for i in range(watched.states)} == {bare.state(i) for i in range(bare.states)}
        assert watched.bounds == bare.bounds
        assert watched.fired == bare.fired

    @settings(max_examples=300)
    @given(st.one_of(plain_nets(), weighted_nets(), full_nets(), any_nets()))
    def test_unbounded_only_where_the_loop_can_be_repeated(self, marked):
        net, initial = marked
        found = self.explore(marked, visitors=(Visitor(FALSE, Needs.STATES),), budget=Budget(states=LIMIT))
        graph = textbook(net, initial, (), LIMIT)
        if graph.whole:
            assert found.stop is None
            return
        assert found.stop is not None
        assert found.stop.budget in ("unbounded", "states")
        if found.stop.budget == "unbounded":
            counts = [
                run(net, initial, (), found.stop.trace + found.stop.loop * times)[found.stop.place]
                for times in range(5)
            ]
            assert all(b > a for a, b in zip(counts, counts[1:], strict=False))

    @settings(max_examples=100)
    @given(any_nets(), st.integers(1, 40))
    def test_a_budget_of_states_is_kept_and_named(self, marked, limit):
        net, initial = marked
        total = len(textbook(net, initial, (), LIMIT).edges)
        found = self.explore(marked, visitors=(Visitor(FALSE, Needs.EDGES),), budget=Budget(states=limit))
        assert found.states <= limit
        assert not (found.complete and total > limit)
        if found.stop is not None and found.stop.budget == "states":
            assert found.stop.reached == str(limit)
            assert not found.complete
            assert total > limit
        assert all(j < found.states for i in range(found.states) for _, j in found.successors(i))

    def test_a_counter_that_outgrows_its_width_goes_on(self):
        steps = 1000
        found = self.explore(counter(steps), visitors=(Visitor(at_least(1, steps), Needs.EDGES),), budget=Budget())
        assert found.complete
        assert found.states == steps + 1
        assert found.edges == steps
        assert found.state(found.found[0]) == (0, steps)
        assert found.trace(found.found[0]) == (0,) * steps
        assert found.bounds == (steps, steps)

    def test_widening_keeps_numbers_traces_edges_and_observers(self):
        net, initial = grid(12)
        watch = (Observer("o", "a seen", ((0, 1),)),)
        found = self.explore((net, initial), watch, (Visitor(Dead(), Needs.EDGES),), Budget())
        assert found.complete
        assert found.states == len(textbook(net, initial, watch, 1000).edges)
        for i in range(found.states):
            assert run(net, initial, watch, found.trace(i)) == found.state(i)
            for t, j in found.successors(i):
                assert fire_state(net, watch, found.state(i), t) == found.state(j)
            assert len(found.successors(i)) == len(enabled(net, found.state(i)[:4]))

    def test_huge_weights_and_counts(self):
        builder = NetBuilder()
        a, b = builder.place("a", 10**30), builder.place("b")
        builder.transition("t", {a: 10**30}, {b: 10**29})
        builder.transition("u", {b: 10**30}, {a: 1})
        found = self.explore(builder.build())
        assert found.complete
        assert [found.state(i) for i in range(found.states)] == [(10**30, 0), (0, 10**29)]
        assert found.fired == {0}

    def test_a_budget_of_bytes_is_kept_and_named(self):
        found = self.explore(grid(120), budget=Budget(states=None, bytes=200_000))
        assert found.stop is not None
        assert found.stop.budget == "bytes"
        assert int(found.stop.reached) > 200_000
        assert not found.complete
        assert found.states < 121 * 121

    def test_a_budget_of_seconds_is_kept_and_named(self):
        found = self.explore(grid(120), budget=Budget(None, None, 0.0))
        assert found.stop is not None
        assert found.stop.budget == "seconds"
        assert not found.complete

    def test_a_wide_net_keeps_its_budget_of_bytes_within_one_state_s_successors(self):
        marked = toggles(1500)
        found = self.explore(marked, visitors=(Visitor(Dead(), Needs.EDGES),), budget=Budget(bytes=6_000_000))
        assert found.stop is not None
        assert found.stop.budget == "bytes"
        assert int(found.stop.reached) < 12_000_000
        assert found.states < 10_000
        assert found.found == (-1,)
        assert all(j < found.states for i in range(found.states) for _, j in found.successors(i))

    def test_a_net_whose_tables_are_too_large_is_not_explored(self):
        net, initial = toggles(3000)
        goals = (Dead(), at_least(0), Fireable(0), Fireable(1))
        found = self.explore(
            (net, initial), visitors=[Visitor(g, Needs.EDGES) for g in goals], budget=Budget(bytes=1_000_000)
        )
        assert not found.complete
        assert found.stop is not None
        assert found.stop.budget == "bytes"
        assert int(found.stop.reached) > 1_000_000
        assert found.found == (-1, 0, 0, -1)
        assert found.state(0) == initial
        assert found.trace(0) == ()
        assert found.fired >= set(enabled(net, initial))
        assert found.successors(0) == ()
        assert found.holds(2)[0] == 1

    def test_a_busy_place_and_many_observers_cost_what_is_fired(self):
        """A hub that 4,000 transitions take from and give back to, each watched; all but two wait for something else."""
        builder = NetBuilder()
        hub, never = builder.place("hub", 1), builder.place("never")
        count = 4000
        ends = [builder.place(f"p{i}") for i in range(count)]
        for i in range(count):
            builder.transition(f"t{i}", {hub: 1} if i < 2 else {hub: 1, never: 1}, {ends[i]: 1})
        watch = tuple(Observer(f"o{i}", "seen", ((i, 1),)) for i in range(count))
        found = self.explore(builder.build(), watch, (Visitor(Dead(), Needs.EDGES),), budget=Budget(bytes=100_000_000))
        assert found.complete
        assert (found.states, found.edges) == (3, 2)
        assert found.state(1)[:3] == (0, 0, 1)
        assert found.state(1)[2 + count : 4 + count] == (1, 0)
        assert found.found == (1,)

    def test_an_interrupt_gives_what_is_known(self):
        def interrupt(states, frontier):
            assert states > frontier > 0
            raise KeyboardInterrupt

        found = self.explore(grid(120), (), (Visitor(at_least(1), Needs.EDGES),), Budget(), interrupt)
        assert found.stop is not None
        assert found.stop.budget == "interrupted"
        assert not found.complete
        assert found.found == (1,)
        assert run(*grid(120), (), found.trace(found.states - 1)) == found.state(found.states - 1)
        assert all(j < found.states for i in range(found.states) for _, j in found.successors(i))

    def test_progress_is_told(self):
        told = []
        found = self.explore(grid(120), (), (), Budget(), lambda states, frontier: told.append((states, frontier)))
        assert found.complete
        assert len(told) >= 2
        assert [s for s, _ in told] == sorted(s for s, _ in told)

    @pytest.mark.parametrize("needs", list(Needs))
    def test_a_goal_of_the_initial_state(self, needs):
        found = self.explore(grid(1), visitors=(Visitor(Linear((), "==", 0), needs),))
        assert found.found == (0,)
        assert found.complete == (needs is not Needs.FIRST)

    def test_a_net_without_transitions_and_one_without_places(self):
        builder = NetBuilder()
        builder.place("p", 3)
        found = self.explore(builder.build(), visitors=(Visitor(Dead(), Needs.EDGES),))
        assert (found.states, found.edges, found.complete, found.found) == (1, 0, True, (0,))
        builder = NetBuilder()
        builder.transition("t", {}, {})
        found = self.explore(builder.build(), visitors=(Visitor(Dead(), Needs.EDGES),))
        assert (found.states, found.edges, found.complete, found.found) == (1, 1, True, (-1,))
        assert found.successors(0) == ((0, 0),)
