"""Formulas of CTL, LTL and what lies between, over state predicates.

`Every` and `Some` speak of the maximal runs from a state; `Next`, `Eventually`, `Always` and `Until` of one run. A formula
in which each of these four stands directly under a quantifier, and each quantifier over one of the four, is CTL; one
with a quantifier at the top alone is LTL. Readers bound the nesting (200), so that a function may follow the formula by
recursion. No tuples: a type checker compares the parts of recursive tuples again and again, for minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias, Union

from placet.logic.state import And, Linear, Not, Or, Predicate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class Atom:
    """The state predicate holds in the (first) state."""

    predicate: Predicate


@dataclass(frozen=True, slots=True)
class Neg:
    """Negation."""

    of: Formula


@dataclass(frozen=True, slots=True)
class Conj:
    """Conjunction; empty = true."""

    of: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Disj:
    """Disjunction; empty = false."""

    of: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Next:
    """In the next state of the run. Where the run ends `Some(Next(f))` is false and `Every(Next(f))` is true."""

    of: Formula


@dataclass(frozen=True, slots=True)
class Eventually:
    """Now or later on the run."""

    of: Formula


@dataclass(frozen=True, slots=True)
class Always:
    """Now and in every later state of the run."""

    of: Formula


@dataclass(frozen=True, slots=True)
class Until:
    """`right` at some time, and `left` at all times before."""

    left: Formula
    right: Formula


@dataclass(frozen=True, slots=True)
class Release:
    """`right` up to and including the first time that `left` holds; for ever where it never does. Dual of `Until`."""

    left: Formula
    right: Formula


@dataclass(frozen=True, slots=True)
class Every:
    """Every maximal run from the state satisfies it."""

    of: Formula


@dataclass(frozen=True, slots=True)
class Some:
    """Some maximal run from the state satisfies it."""

    of: Formula


Formula: TypeAlias = Union[Atom, Neg, Conj, Disj, Next, Eventually, Always, Until, Release, Every, Some]

YES = Conj(())
NO = Disj(())

MOST_NESTING = 200


def children(formula: Formula) -> tuple[Formula, ...]:
    """The formulas that it is made of directly."""
    match formula:
        case Atom():
            return ()
        case Conj(of) | Disj(of):
            return of
        case Until(left, right) | Release(left, right):
            return (left, right)
    return (formula.of,)


def parts(formula: Formula) -> Iterator[Formula]:
    """Every part of the formula, itself included, each before what it is made of."""
    pending = [formula]
    while pending:
        one = pending.pop()
        yield one
        pending.extend(children(one))


def atoms(formula: Formula) -> list[Predicate]:
    """The predicates of the formula, each once, in the order of their appearance."""
    return list(dict.fromkeys(one.predicate for one in parts(formula) if isinstance(one, Atom)))


def with_atoms(formula: Formula, change: Callable[[Predicate], Predicate]) -> Formula:
    """The formula with its predicates changed."""
    match formula:
        case Atom(predicate):
            return Atom(change(predicate))
        case Conj(of) | Disj(of):
            return type(formula)(tuple(with_atoms(f, change) for f in of))
        case Until(left, right) | Release(left, right):
            return type(formula)(with_atoms(left, change), with_atoms(right, change))
    return replace(formula, of=with_atoms(formula.of, change))


def conj(parts: tuple[Formula, ...]) -> Formula:
    """Their conjunction: flattened, without constants, what is only about the state in one atom."""
    return _junction(parts, conjunction=True)


def disj(parts: tuple[Formula, ...]) -> Formula:
    """Their disjunction, likewise."""
    return _junction(parts, conjunction=False)


def neg(formula: Formula) -> Formula:
    """Its negation, pushed into predicates and through constants and double negations."""
    match formula:
        case Neg(of):
            return of
        case Atom(predicate):
            return Atom(opposite(predicate))
        case Conj(()):
            return NO
        case Disj(()):
            return YES
    return Neg(formula)


def opposite(predicate: Predicate) -> Predicate:
    """The negation of a predicate, inside comparisons where it is one."""
    if isinstance(predicate, Not):
        return predicate.of
    if isinstance(predicate, Linear):
        turned = {"<=": ">", ">=": "<", "==": "!=", "!=": "==", "<": ">=", ">": "<="}
        return predicate._replace(op=turned[predicate.op])  # type: ignore[arg-type]
    return Not(predicate)


def _junction(parts: tuple[Formula, ...], *, conjunction: bool) -> Formula:
    kind, unit, zero = (Conj, YES, NO) if conjunction else (Disj, NO, YES)
    flat: dict[Formula, None] = {}
    said: dict[Predicate, None] = {}
    for part in parts:
        for one in part.of if isinstance(part, kind) else (part,):
            if one == zero:
                return zero
            if isinstance(one, Atom):
                said[one.predicate] = None
            elif one != unit:
                flat[one] = None
    if any(opposite(p) in said for p in said) or any(neg(f) in flat for f in flat):
        return zero
    merged: Predicate = (And if conjunction else Or)(tuple(said)) if len(said) > 1 else next(iter(said), And(()))
    found = ((Atom(merged),) if said else ()) + tuple(flat)
    return found[0] if len(found) == 1 else kind(found)


def simplify(formula: Formula, known: Callable[[Predicate], bool | None] = lambda _: None) -> Formula:
    """An equivalent formula, smaller where it can be. `known` says which predicates hold in every state, or in none.

    Equivalent on maximal runs, finite ones included: `Next` of true, or of false, is left alone, as runs can end.
    """
    match formula:
        case Atom(predicate):
            fact = known(predicate)
            return formula if fact is None else YES if fact else NO
        case Neg(of):
            return neg(simplify(of, known))
        case Conj(of):
            return conj(tuple(simplify(f, known) for f in of))
        case Disj(of):
            return disj(tuple(simplify(f, known) for f in of))
        case Every(of) | Some(of):
            inner = simplify(of, known)
            if isinstance(inner, Next) and inner.of == (YES if isinstance(formula, Every) else NO):
                return inner.of
            return inner if _of_state(inner) else replace(formula, of=inner)
        case Next(of):
            return Next(simplify(of, known))
        case Eventually(of):
            inner = simplify(of, known)
            return inner if isinstance(inner, Eventually) or inner in (YES, NO) else Eventually(inner)
        case Always(of):
            inner = simplify(of, known)
            return inner if isinstance(inner, Always) or inner in (YES, NO) else Always(inner)
        case Until(left, right):
            return _until(simplify(left, known), simplify(right, known))
        case Release(left, right):
            return _release(simplify(left, known), simplify(right, known))


def _until(left: Formula, right: Formula) -> Formula:
    if right in (YES, NO) or left in (NO, right):
        return right
    return Eventually(right) if left == YES else Until(left, right)


def _release(left: Formula, right: Formula) -> Formula:
    if right in (YES, NO) or left in (YES, right):
        return right
    return Always(right) if left == NO else Release(left, right)


def _of_state(formula: Formula) -> bool:
    """Whether its truth is a matter of the first state: every operator on runs stands under a quantifier."""
    pending = [formula]
    while pending:
        one = pending.pop()
        if isinstance(one, (Next, Eventually, Always, Until, Release)):
            return False
        if isinstance(one, (Neg, Conj, Disj)):
            pending.extend(children(one))
    return True


def predicate_of(formula: Formula) -> Predicate | None:
    """The predicate that a formula without operators on runs is."""
    match formula:
        case Atom(predicate):
            return predicate
        case Neg(of):
            inner = predicate_of(of)
            return None if inner is None else Not(inner)
        case Conj(of) | Disj(of):
            parts = [predicate_of(p) for p in of]
            if None in parts:
                return None
            return (And if isinstance(formula, Conj) else Or)(tuple(p for p in parts if p is not None))
    return None


def once(given: Predicate, formula: Formula) -> Formula:
    """A formula about one run that is asked from the first moment on at which a predicate holds; true where it never does."""
    then = Conj((Atom(given), formula))
    return Release(then, Disj((Neg(Atom(given)), then)))


def is_ctl(formula: Formula) -> bool:
    """Whether each quantifier stands over exactly one operator on runs, and each of these under a quantifier."""
    pending = [formula]
    while pending:
        one = pending.pop()
        if isinstance(one, (Every, Some)):
            if not isinstance(one.of, (Next, Eventually, Always, Until, Release)):
                return False
            pending.extend(children(one.of))
        elif isinstance(one, (Next, Eventually, Always, Until, Release)):
            return False
        else:
            pending.extend(children(one))
    return True


def is_ltl(formula: Formula) -> bool:
    """Whether no quantifier stands in it: a formula about one run."""
    return not any(isinstance(one, (Every, Some)) for one in parts(formula))


def is_plain(formula: Formula) -> bool:
    """Whether it looks at one state only: no quantifier, no operator on runs."""
    return all(isinstance(one, (Atom, Neg, Conj, Disj)) for one in parts(formula))


def without_next(formula: Formula) -> bool:
    """Whether no `Next` stands in it: then runs that differ only in how long they stay in like states are alike to it."""
    return not any(isinstance(one, Next) for one in parts(formula))


def renamed(formula: Formula, name: Callable[[Predicate], Predicate]) -> Formula:
    """The formula with other predicates in the places of its own."""
    match formula:
        case Atom(predicate):
            return Atom(name(predicate))
        case Conj(of):
            return Conj(tuple(renamed(f, name) for f in of))
        case Disj(of):
            return Disj(tuple(renamed(f, name) for f in of))
        case Until(left, right):
            return Until(renamed(left, name), renamed(right, name))
        case Release(left, right):
            return Release(renamed(left, name), renamed(right, name))
    return replace(formula, of=renamed(formula.of, name))


def normal(formula: Formula, *, negated: bool = False) -> Formula:
    """The formula, or its negation, with `Neg` at atoms only, and of the operators on runs `Next`, `Until` and `Release`.

    Of CTL on maximal runs, of LTL on endless ones (there alone a `Next` without a quantifier is its own dual).
    """
    match formula:
        case Atom():
            return Neg(formula) if negated else formula
        case Neg(of):
            return normal(of, negated=not negated)
        case Conj(of) | Disj(of):
            both = isinstance(formula, Conj) is not negated
            return (Conj if both else Disj)(tuple(normal(f, negated=negated) for f in of))
        case Every(of) | Some(of):
            every = isinstance(formula, Every) is not negated
            return (Every if every else Some)(normal(of, negated=negated))
        case Next(of):
            return Next(normal(of, negated=negated))
        case Eventually(of):
            return Release(NO, normal(of, negated=True)) if negated else Until(YES, normal(of))
        case Always(of):
            return Until(YES, normal(of, negated=True)) if negated else Release(NO, normal(of))
        case Until(left, right) | Release(left, right):
            until = isinstance(formula, Until) is not negated
            return (Until if until else Release)(normal(left, negated=negated), normal(right, negated=negated))
