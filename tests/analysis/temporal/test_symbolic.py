"""Formulas on diagrams: CTL against its definition on runs, and LTL, as far as CTL says it, against all short lassos and the automata."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.contest.test_contest import formulas
from engines.diagrams.drawn import diagrams
from oracles.runs import holds_in, lassos, on_lasso
from placet.analysis.temporal.graph import Graph
from placet.analysis.temporal.ltl import endless, holds_on_every_run
from placet.analysis.temporal.symbolic import Symbolic, branching
from placet.analysis.temporal.symbolic_ltl import holds_on_every_run as on_every_run
from placet.engines.diagrams.diagram import Diagram
from placet.logic.state import Fireable, Linear
from placet.logic.temporal import Always, Atom, Conj, Disj, Eventually, Every, Next, Release, Some, Until


@st.composite
def cases(draw, most, *, linear):
    drawn = draw(diagrams(limit=most))
    slots, count = len(next(iter(drawn.graph.depth))), len(drawn.graph.net.transitions)
    atoms = st.one_of(
        st.builds(Fireable, st.integers(0, count - 1)),
        st.builds(
            lambda i, op, b: Linear(((i, 1),), op, b),
            st.integers(0, slots - 1),
            st.sampled_from([">=", "<", "=="]),
            st.integers(0, 2),
        ),
    )
    formula = draw(formulas(atoms, linear=linear))
    states = list(drawn.graph.depth)
    edges = [[states.index(a) for _, a in drawn.graph.edges[s]] for s in states]
    diagram = Diagram(drawn.graph.net, states[0][: len(drawn.graph.net.places)], drawn.levels, drawn.observers)
    return drawn, formula, states, edges, diagram


@settings(max_examples=100)
@given(cases(10, linear=False))
def test_ctl_is_its_definition(case):
    drawn, formula, states, edges, diagram = case
    if isinstance(formula, Some) and isinstance(formula.of, Until):
        formula = Disj((formula, Some(Release(formula.of.left, formula.of.right))))
    found = Symbolic(diagram).label(formula)
    for number, state in enumerate(states):
        assert diagram.has(found, state) == holds_in(
            formula, number, edges, lambda p, s: drawn.graph.holds(p, states[s])
        )


@settings(max_examples=100)
@given(cases(6, linear=True))
def test_ltl_that_ctl_can_say(case):
    drawn, formula, states, edges, diagram = case
    said = branching(formula)
    if said is None:
        return
    holds = lambda p, s: drawn.graph.holds(p, states[s])  # noqa: E731
    found = diagram.has(Symbolic(diagram, endless=True).label(said), states[0])
    if found:
        assert all(on_lasso(formula.of, stem, loop, holds) for stem, loop in lassos(edges, 6))
    rows = [sorted(set(row)) for row in edges]
    offsets = np.cumsum([0, *map(len, rows)])
    graph = Graph(len(states), offsets, np.array([t for row in rows for t in row], dtype=np.int64))
    truth = lambda p: np.array([holds(p, s) for s in range(len(states))], dtype=bool)  # noqa: E731
    assert holds_on_every_run(endless(graph), formula.of, truth) is found


@settings(max_examples=100)
@given(cases(6, linear=True))
def test_the_product_with_an_automaton(case):
    drawn, formula, states, edges, diagram = case
    holds = lambda p, s: drawn.graph.holds(p, states[s])  # noqa: E731
    found = on_every_run(diagram, formula.of, states[0])
    if found:
        assert all(on_lasso(formula.of, stem, loop, holds) for stem, loop in lassos(edges, 6))
    rows = [sorted(set(row)) for row in edges]
    offsets = np.cumsum([0, *map(len, rows)])
    graph = Graph(len(states), offsets, np.array([t for row in rows for t in row], dtype=np.int64))
    truth = lambda p: np.array([holds(p, s) for s in range(len(states))], dtype=bool)  # noqa: E731
    assert holds_on_every_run(endless(graph), formula.of, truth) is found


def test_what_ctl_cannot_say_is_left_alone():
    a = Atom(Linear(((0, 1),), ">=", 1))
    assert branching(Every(Eventually(Always(a)))) is None
    assert branching(Every(Always(Eventually(a)))) is not None
    assert branching(Conj((Every(Next(a)), Some(Eventually(Always(a)))))) is not None
    assert branching(Disj((Every(Eventually(Next(a))), a))) is None
