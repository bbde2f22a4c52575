"""Formulas on nets that were reduced for them: the same truth as on the whole net, by enumeration."""

from __future__ import annotations

import random

import numpy as np
import pytest

from analysis.reduction.oracle import Graph as Enumerated
from analysis.reduction.random_nets import arbitrary, structured
from placet.analysis.reduction import BRANCHING, GRAPH, LINEAR, reduce
from placet.analysis.temporal.ctl import Labelling
from placet.analysis.temporal.graph import Graph
from placet.analysis.temporal.ltl import endless, holds_on_every_run
from placet.logic.state import Linear
from placet.logic.temporal import (
    Always,
    Atom,
    Conj,
    Disj,
    Eventually,
    Every,
    Neg,
    Next,
    Release,
    Some,
    Until,
    with_atoms,
)


def of_runs(draw, places, depth, *, following):
    """A random formula of LTL."""
    kind = draw.randrange(9) if depth else 0
    inner = lambda: of_runs(draw, places, depth - 1, following=following)  # noqa: E731
    if kind < 2:
        return atom(draw, places)
    if kind < 4:
        return draw.choice([Conj, Disj])((inner(), inner()))
    if kind == 4:
        return Neg(inner())
    if kind < 7:
        return draw.choice([Eventually, Always, *([Next] if following else [])])(inner())
    return draw.choice([Until, Release])(inner(), inner())


def of_states(draw, places, depth, *, following):
    """A random formula of CTL."""
    kind = draw.randrange(9) if depth else 0
    inner = lambda: of_states(draw, places, depth - 1, following=following)  # noqa: E731
    if kind < 2:
        return atom(draw, places)
    if kind < 4:
        return draw.choice([Conj, Disj])((inner(), inner()))
    if kind == 4:
        return Neg(inner())
    quantifier = draw.choice([Some, Every])
    if kind < 7:
        return quantifier(draw.choice([Eventually, Always, *([Next] if following else [])])(inner()))
    return quantifier(draw.choice([Until, Release])(inner(), inner()))


def atom(draw, places):
    terms = ((draw.choice(places), 1), (draw.choice(places), draw.choice([0, 1, -1])))
    return Atom(Linear(terms, draw.choice(["==", ">=", "<="]), draw.choice([0, 1, 1, 2])))


def truth_on(net, initial, formula, *, linear, limit):
    """The truth initially; None past the limit of states."""
    graph = Enumerated.of(net, initial, (), limit)
    if graph is None:
        return None
    states = list(graph.edges)
    number = {s: k for k, s in enumerate(states)}
    rows = [sorted({number[after] for _, after in graph.edges[s]}) for s in states]
    flat = np.array([t for row in rows for t in row], dtype=np.int64)
    found = Graph(len(states), np.cumsum([0, *map(len, rows)]), flat)
    truth = lambda p: np.array([s in graph.where(p) for s in states], dtype=bool)  # noqa: E731
    if linear:
        return holds_on_every_run(endless(found), formula, truth)
    return Labelling(found, truth).label(formula).at(0)


@pytest.mark.parametrize(
    ("rules", "linear", "following"),
    [
        (LINEAR, True, False),
        (BRANCHING, False, False),
        (BRANCHING, True, False),
        (GRAPH, True, True),
        (GRAPH, False, True),
    ],
    ids=["linear", "branching", "branching for runs", "graph for runs", "graph"],
)
def test_the_rules_keep_the_truth(rules, linear, following):
    applied, verdicts, names = 0, set(), set()
    for seed in range(4000):
        draw = random.Random(seed)
        case = draw.choice([structured, structured, arbitrary])(draw, odd=draw.random() < 0.2)
        places = draw.sample(range(len(case.net.places)), min(len(case.net.places), draw.choice([1, 2, 2, 3])))
        reduced = reduce(case.net, case.initial, visible_places=places, bounded_places=(), rules=rules)
        if not reduced.rules:
            continue
        formula = (of_runs if linear else of_states)(draw, places, 3, following=following)
        want = truth_on(case.net, case.initial, formula, linear=linear, limit=60)
        if want is None:
            continue
        there = with_atoms(formula, reduced.predicate)
        assert truth_on(reduced.net, reduced.initial, there, linear=linear, limit=400) is want, (seed, formula)
        applied += 1
        verdicts.add(want)
        names.update(name for name, _ in reduced.rules)
        if applied == 250 and names == {rule.name for rule in rules}:
            break
    assert applied >= 250
    assert verdicts == {True, False}
    assert names == {rule.name for rule in rules}
