"""CTL labels against the definition on runs, on whole graphs and on parts of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.temporal.graphs import LETTERS, ctl, labelled
from oracles.runs import holds_in
from placet.analysis.passes import OutOfTimeError
from placet.analysis.temporal.ctl import Labelling
from placet.errors import UsageError
from placet.logic.temporal import Always, Atom, Eventually, Every, Neg, Next, Some, is_ctl, simplify


@settings(max_examples=800)
@given(labelled(), ctl)
def test_labels_are_the_definition(case, formula):
    label = Labelling(case.graph(), case.truth).label(formula)
    wanted = [holds_in(formula, s, case.edges, case.holds) for s in range(len(case.edges))]
    assert label.surely.tolist() == wanted
    assert label.maybe.tolist() == wanted


@settings(max_examples=800)
@given(labelled(), ctl, st.data())
def test_on_a_part_of_the_graph_labels_bound_the_truth(case, formula, data):
    expanded = data.draw(st.integers(0, len(case.edges)))
    label = Labelling(case.graph(expanded), case.truth).label(formula)
    for s in range(len(case.edges)):
        true = holds_in(formula, s, case.edges, case.holds)
        assert not (label.surely[s] and not true)
        assert not (true and not label.maybe[s])
        assert label.at(s) in (None, true)


@settings(max_examples=800)
@given(labelled(), ctl, st.sampled_from(LETTERS), st.booleans())
def test_simplifying_changes_no_truth(case, formula, fact, value):
    shows = tuple(s | 1 << LETTERS.index(fact) if value else s & ~(1 << LETTERS.index(fact)) for s in case.shows)
    case = case._replace(shows=shows)
    smaller = simplify(formula, lambda p: value if p == fact else None)
    assert is_ctl(smaller)
    for s in range(len(case.edges)):
        want = holds_in(formula, s, case.edges, case.holds)
        assert bool(Labelling(case.graph(), holder(case)).label(smaller).surely[s]) == want


def holder(case):
    """Truth of the predicates that simplifying builds out of letters."""
    import numpy as np

    from placet.logic.state import And, Linear, Not, Or

    def truth(predicate):
        match predicate:
            case Linear():
                if predicate in LETTERS:
                    return case.truth(predicate)
                return ~case.truth(predicate._replace(op=">=" if predicate.op == "<" else predicate.op))
            case Not(of):
                return ~truth(of)
            case And(of):
                return np.all([truth(p) for p in of] or [np.ones(len(case.edges), dtype=bool)], axis=0)
            case Or(of):
                return np.any([truth(p) for p in of] or [np.zeros(len(case.edges), dtype=bool)], axis=0)

    return truth


def test_a_dead_end_ends_its_runs():
    from analysis.temporal.graphs import Labelled

    case = Labelled(((1,), ()), (1, 0))
    a = Atom(LETTERS[0])
    labels = Labelling(case.graph(), case.truth)
    assert labels.label(Every(Next(a))).surely.tolist() == [False, True]
    assert labels.label(Some(Next(Neg(a)))).surely.tolist() == [True, False]
    assert labels.label(Some(Always(Neg(a)))).surely.tolist() == [False, True]
    assert labels.label(Every(Eventually(Neg(a)))).surely.tolist() == [True, True]


def test_what_is_no_ctl_is_refused():
    from analysis.temporal.graphs import Labelled

    case = Labelled(((0,),), (1,))
    for formula in (Next(Atom(LETTERS[0])), Some(Atom(LETTERS[0])), Every(Eventually(Always(Atom(LETTERS[0]))))):
        with pytest.raises(UsageError):
            Labelling(case.graph(), case.truth).label(formula)


def test_the_time_is_kept():
    from analysis.temporal.graphs import Labelled

    case = Labelled(((0,),), (1,))
    graph = case.graph()
    graph.until = 0.0
    with pytest.raises(OutOfTimeError):
        Labelling(graph, case.truth).label(Some(Always(Atom(LETTERS[0]))))
