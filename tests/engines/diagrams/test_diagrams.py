"""Sets of states as diagrams against the textbook's: every number, every predicate, every predecessor."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from engines.diagrams.drawn import diagrams
from placet.engines.diagrams.backward import Backward
from placet.engines.diagrams.numbers import Numbers
from placet.engines.diagrams.sets import Selection
from strategies import predicates

CASES = 250


@settings(max_examples=CASES)
@given(diagrams())
def test_the_states_are_those_of_the_textbook(drawn):
    assert drawn.members(drawn.root) == set(drawn.graph.depth)
    assert Numbers(drawn.forest, drawn.relation, drawn.root).states == len(drawn.graph.depth)


@settings(max_examples=CASES)
@given(diagrams(), st.data())
def test_the_numbers_are_exact(drawn, data):
    graph = drawn.graph
    numbers = Numbers(drawn.forest, drawn.relation, drawn.root)
    assert numbers.firings() == Counter(t for row in graph.edges.values() for t, _ in row)
    columns = list(zip(*graph.depth, strict=True))
    assert list(numbers.bounds()) == [(min(column), max(column)) for column in columns]
    weights = data.draw(st.lists(st.tuples(st.integers(0, len(columns) - 1), st.integers(-2, 3)), max_size=4))
    assert numbers.greatest(weights) == max(sum(w * state[i] for i, w in weights) for state in graph.depth)


@settings(max_examples=CASES)
@given(diagrams())
def test_a_predicate_selects_the_states_in_which_it_holds(drawn):
    found = Selection(drawn.forest, drawn.relation).select(drawn.root, drawn.predicate)
    assert drawn.members(found) == drawn.graph.where(drawn.predicate)
    assert Numbers(drawn.forest, drawn.relation, found).states == len(drawn.graph.where(drawn.predicate))


@settings(max_examples=CASES)
@given(diagrams(), st.data())
def test_predecessors_are_those_of_the_edges(drawn, data):
    graph, count = drawn.graph, len(drawn.graph.net.transitions)
    aside = data.draw(st.frozensets(st.integers(0, count - 1), max_size=2))
    second = data.draw(predicates(len(next(iter(graph.depth))), count))
    select = Selection(drawn.forest, drawn.relation).select
    goal, frame = select(drawn.root, drawn.predicate), select(drawn.root, second)
    backward = Backward(drawn.forest, drawn.relation, aside)
    to, within = graph.where(drawn.predicate), graph.where(second)

    def before(states):
        return {s for s, row in graph.edges.items() if any(t not in aside and after in states for t, after in row)}

    assert drawn.members(backward.before(goal, drawn.root)) == before(to)
    assert drawn.members(backward.before(goal, frame)) == before(to) & within
    leading = to & within
    while (more := leading | (before(leading) & within)) != leading:
        leading = more
    assert drawn.members(backward.leading_to(goal, frame)) == leading
