"""Automata and products against direct evaluation on lassos."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.temporal.graphs import LETTERS, Labelled, labelled, ltl
from oracles.runs import lassos, on_lasso
from placet.analysis.temporal.buchi import TooLargeError, automaton
from placet.analysis.temporal.ltl import Product, endless, holds_on_every_run
from placet.errors import UsageError
from placet.logic.temporal import Always, Atom, Conj, Eventually, Neg, Some, Until

letters = st.integers(0, 7)


def show(predicate, letter):
    return bool(letter >> LETTERS.index(predicate) & 1)


@settings(max_examples=800)
@given(ltl, st.lists(letters, max_size=3), st.lists(letters, min_size=1, max_size=3))
def test_the_automaton_accepts_the_words_that_satisfy_the_formula(formula, stem, loop):
    word = [*stem, *loop]
    after = [(i + 1,) if i + 1 < len(word) else (len(stem),) for i in range(len(word))]
    case = Labelled(tuple(after), tuple(word))
    want = on_lasso(formula, stem, loop, show)
    assert Product(case.graph(), automaton(formula), case.truth).accepts() is want
    assert holds_on_every_run(case.graph(), formula, case.truth) is want


@settings(max_examples=800)
@given(labelled(4), ltl, st.data())
def test_a_formula_holds_where_no_lasso_refutes_it(case, formula, data):
    graph = endless(case.graph())
    found = holds_on_every_run(graph, formula, case.truth)
    refuted = any(
        not on_lasso(formula, [case.shows[s] for s in stem], [case.shows[s] for s in loop], show)
        for stem, loop in lassos(case.edges, 5)
    )
    assert found is not None
    if refuted:
        assert found is False
    expanded = data.draw(st.integers(0, len(case.edges)))
    part = holds_on_every_run(endless(case.graph(expanded)), formula, case.truth)
    assert part in (None, found)


@settings(max_examples=400)
@given(labelled(4), ltl)
def test_a_refuted_formula_has_a_run_against_it(case, formula):
    """Longer lassos than a graph of four states and a small automaton need, where the short ones do not refute."""
    if holds_on_every_run(endless(case.graph()), formula, case.truth) is False:
        for longest in (4, 6, 8, 10):
            if any(
                not on_lasso(formula, [case.shows[s] for s in stem], [case.shows[s] for s in loop], show)
                for stem, loop in lassos(case.edges, longest)
            ):
                return
        pytest.fail("no run refutes it")


def test_a_large_formula_is_refused_rather_than_expanded_for_ever():
    a, b, c = (Atom(x) for x in LETTERS)
    formula = Conj(
        tuple(
            Always(Eventually(Until(Neg(x), Until(y, Eventually(z)))))
            for x in (a, b, c)
            for y in (a, b, c)
            for z in (a, b, c)
        )
    )
    with pytest.raises(TooLargeError):
        automaton(formula)


def test_what_is_no_ltl_is_refused():
    with pytest.raises(UsageError):
        automaton(Some(Eventually(Atom(LETTERS[0]))))
