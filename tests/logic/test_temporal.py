"""Formulas over runs: constructors, classes, simplification. That simplifying keeps the truth is tested with CTL."""

from __future__ import annotations

from placet.logic.state import And, Fireable, Not, Or, at_least
from placet.logic.temporal import (
    NO,
    YES,
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
    atoms,
    conj,
    disj,
    is_ctl,
    is_ltl,
    neg,
    parts,
    simplify,
)

P, Q = Atom(at_least(0)), Atom(Fireable(3))


def test_junctions_are_flat_and_hold_one_atom():
    assert conj(()) == YES
    assert disj(()) == NO
    assert conj((P, Q)) == Atom(And((P.predicate, Q.predicate)))
    assert disj((P, YES, Q)) == YES
    assert conj((P, NO)) == NO
    assert conj((P, conj((Eventually(Q), Q)))) == Conj((Atom(And((P.predicate, Q.predicate))), Eventually(Q)))
    assert disj((P, P)) == P
    assert disj((P, neg(P))) == YES
    assert conj((Eventually(P), Neg(Eventually(P)))) == NO


def test_negation():
    assert neg(neg(Eventually(P))) == Eventually(P)
    assert neg(P).predicate == at_least(0)._replace(op="<")
    assert neg(Q) == Atom(Not(Fireable(3)))
    assert (neg(YES), neg(NO)) == (NO, YES)


def test_classes_of_formulas():
    assert is_ctl(Every(Always(Some(Eventually(P)))))
    assert not is_ctl(Every(Always(Eventually(P))))
    assert not is_ctl(Some(P))
    assert not is_ctl(Eventually(P))
    assert is_ltl(Until(P, Next(Q)))
    assert not is_ltl(Every(Until(P, Next(Q))))


def test_parts_and_atoms():
    formula = Conj((Until(P, Q), Release(P, Disj((Q, Next(P))))))
    assert atoms(formula) == [P.predicate, Q.predicate]
    assert sum(1 for _ in parts(formula)) == 10


def test_simplify():
    facts = {P.predicate: True, Q.predicate: False}
    assert simplify(Every(Always(P)), facts.get) == YES
    assert simplify(Some(Until(P, Conj((Q, Some(Next(P)))))), facts.get) == NO
    assert simplify(Every(Next(Q)), facts.get) == Every(Next(NO))
    assert simplify(Some(Next(Q)), facts.get) == NO
    assert simplify(Every(Next(P)), facts.get) == YES
    assert simplify(Eventually(Eventually(P))) == Eventually(P)
    assert simplify(Until(YES, P)) == Eventually(P)
    assert simplify(Release(NO, P)) == Always(P)
    assert simplify(Or((at_least(0),)) and Disj((Atom(Or((at_least(0),))),))) == Atom(Or((at_least(0),)))
