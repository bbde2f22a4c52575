"""Runs of any length into sets of states: they can be fired, stay in their frame, and end where they should."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engines.diagrams.drawn import diagrams
from families import philosophers
from placet.analysis import strategy, symbolic_pass
from placet.compiled import Query
from placet.engines.diagrams.backward import Backward
from placet.engines.diagrams.route import Route
from placet.engines.diagrams.sets import Selection
from placet.evidence import Budget, Violated
from placet.net.builder import NetBuilder
from placet.net.firing import fire_state
from strategies import compiled_of, predicates


@settings(max_examples=300)
@given(diagrams(), st.data())
def test_a_run_stays_in_its_frame_and_ends_in_the_goal(drawn, data):
    graph = drawn.graph
    second = data.draw(predicates(len(next(iter(graph.depth))), len(graph.net.transitions)))
    select = Selection(drawn.forest, drawn.relation).select
    frame = drawn.root if data.draw(st.booleans()) else select(drawn.root, second)
    goal = drawn.forest.intersection(select(drawn.root, drawn.predicate), frame)
    backward = Backward(drawn.forest, drawn.relation)
    able, within, to = (drawn.members(node) for node in (backward.leading_to(goal, frame), frame, goal))
    for start in sorted(able)[:12]:
        route = Route(drawn.forest, drawn.relation, backward, drawn.relation.local(start))
        route.go(goal, frame)
        state = start
        for t in route.fired:
            state = fire_state(graph.net, drawn.observers, state, t)
            assert state in within
        assert state in to
        assert drawn.relation.whole(route.local) == state


def decided(net, initial, check="deadlock_free", **options):
    query = Query(check, check)
    return strategy.decide(compiled_of(net, initial), [query], strategy.Options(**options))[0].verdict


def test_a_deadlock_that_is_hundreds_of_steps_away_is_shown():
    verdict = decided(*philosophers(500))
    assert isinstance(verdict, Violated)
    assert verdict.proof.engine == "symbolic"
    assert len(verdict.witness.trace) >= 500


def test_a_long_run_without_choice_is_shown():
    """Two counters in one component each, of which the second counts the rounds of the first: 90 * 90 steps."""
    size = 90
    builder = NetBuilder("clock")
    minutes = [builder.place(f"m{k}", int(k == 0)) for k in range(size)]
    hours = [builder.place(f"h{k}", int(k == 0)) for k in range(size)]
    spare = [builder.place(f"s{k}", 1) for k in range(14)]  # what goes its own way, so that no search lists all
    for k in range(size - 1):
        builder.transition(f"tick{k}", {minutes[k]: 1}, {minutes[k + 1]: 1})
        builder.transition(f"hour{k}", {minutes[-1]: 1, hours[k]: 1}, {minutes[0]: 1, hours[k + 1]: 1})
    for k, p in enumerate(spare):
        away = builder.place(f"a{k}")
        builder.transition(f"go{k}", {p: 1}, {away: 1})
        builder.transition(f"back{k}", {away: 1, hours[-1]: 1}, {p: 1, hours[-1]: 1})
    net, initial = builder.build()
    compiled = compiled_of(net, initial)
    from placet.logic.state import And, at_least

    goal = And((at_least(hours[-1], 1), *(at_least(p, 1) for p in spare)))
    query = Query("never", "never", predicate=goal)
    options = strategy.Options(Budget(states=70_000), reduce=False)
    verdict = strategy.decide(compiled, [query], options)[0].verdict
    assert isinstance(verdict, Violated)
    assert len(verdict.witness.trace) == (size - 1) ** 2 + size - 1


def test_what_is_near_is_still_shown_by_a_shortest_run(monkeypatch):
    net, initial = philosophers(14)
    near = decided(net, initial, engine="symbolic", budget=Budget(states=1))
    assert len(near.witness.trace) == 14
    monkeypatch.setattr(symbolic_pass, "_STEPS", 0)
    far = decided(net, initial, engine="symbolic", budget=Budget(states=1))
    assert isinstance(far, Violated)
    assert len(far.witness.trace) >= 14
