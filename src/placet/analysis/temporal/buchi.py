"""Automata for formulas of LTL: transition-based generalised Büchi automata by tableau.

J.-M. Couvreur (1999), "On-the-fly verification of linear temporal logic": a state is a set of formulas that must hold
from here on; it is expanded into alternatives, each with what must hold now, what must hold from the next state on, and
which untils are put off. A run is accepted if no until is put off for ever: for each until, infinitely many of the edges taken do
not put it off. The size is exponential in the formula at worst, so it has a bound.
"""

from __future__ import annotations

from typing import TypeAlias

from placet.errors import UsageError
from placet.logic.state import Linear, Predicate
from placet.logic.temporal import (
    NO,
    YES,
    Always,
    Atom,
    Conj,
    Disj,
    Eventually,
    Formula,
    Neg,
    Next,
    Release,
    Until,
    opposite,
)
from placet.values import NamedTuple

MOST_STATES = 400
MOST_ALTERNATIVES = 4000

Literal: TypeAlias = tuple[Predicate, bool]  # the predicate holds, or does not
Duty: TypeAlias = frozenset[Formula]


class TooLargeError(Exception):
    """The automaton would have too many states or edges."""


class Edge(NamedTuple):
    """What the present state must show, where to go, and which acceptance sets the edge is in, as bits."""

    guard: frozenset[Literal]
    target: int
    marks: int


class Automaton(NamedTuple):
    """States `0 .. n-1`, 0 the initial one, and by state its edges. Accepting: every one of `sets` marks infinitely often."""

    edges: tuple[tuple[Edge, ...], ...]
    sets: int


class _Way(NamedTuple):
    now: frozenset[Literal]
    then: Duty
    put_off: frozenset[Formula]


def automaton(formula: Formula) -> Automaton:
    """An automaton that accepts exactly the infinite runs which satisfy a formula without quantifiers.

    Raises TooLargeError past `MOST_STATES` states or `MOST_ALTERNATIVES` alternatives of one of them.
    """
    goal = positive(formula)
    untils: dict[Formula, int] = {}
    numbers: dict[Duty, int] = {}
    queue: list[Duty] = []

    def number(duty: Duty) -> int:
        found = numbers.get(duty)
        if found is None:
            if len(numbers) >= MOST_STATES:
                raise TooLargeError
            found = numbers[duty] = len(queue)
            queue.append(duty)
        return found

    number(frozenset((goal,)))
    drawn: list[list[tuple[frozenset[Literal], int, frozenset[Formula]]]] = []
    for duty in queue:
        ways = _ways(duty)
        for way in ways:
            for until in way.put_off:
                untils.setdefault(until, len(untils))
        drawn.append([(way.now, number(way.then), way.put_off) for way in ways])
    full = (1 << len(untils)) - 1
    edges = tuple(
        tuple(Edge(now, to, full & ~sum(1 << untils[u] for u in put_off)) for now, to, put_off in one) for one in drawn
    )
    return _trimmed(Automaton(edges, len(untils)))


def positive(formula: Formula, *, negated: bool = False) -> Formula:
    """The formula, or its negation, with negation only in literals, of `Next`, `Until`, `Release`, `Conj` and `Disj`.

    On infinite runs. Raises UsageError at a quantifier.
    """
    match formula:
        case Atom(predicate):
            if isinstance(predicate, Linear) and predicate.op in ("<", ">", "!="):  # one form for it and its opposite
                formula, negated = Atom(opposite(predicate)), not negated
            return Neg(formula) if negated else formula
        case Neg(of):
            return positive(of, negated=not negated)
        case Conj(parts) | Disj(parts):
            turned = tuple(dict.fromkeys(positive(p, negated=negated) for p in parts))
            both = isinstance(formula, Conj) is not negated
            unit, zero = (YES, NO) if both else (NO, YES)
            if zero in turned:
                return zero
            turned = tuple(p for p in turned if p != unit)
            return turned[0] if len(turned) == 1 else Conj(turned) if both else Disj(turned)
        case Next(of):
            inner = positive(of, negated=negated)
            return inner if inner in (YES, NO) else Next(inner)
        case Eventually(of):
            return _released(NO, positive(of, negated=True)) if negated else _untilled(YES, positive(of))
        case Always(of):
            return _untilled(YES, positive(of, negated=True)) if negated else _released(NO, positive(of))
        case Until(left, right) | Release(left, right):
            a, b = positive(left, negated=negated), positive(right, negated=negated)
            return _untilled(a, b) if isinstance(formula, Until) is not negated else _released(a, b)
    raise UsageError("no formula of LTL: a quantifier over runs stands in it")


def _untilled(left: Formula, right: Formula) -> Formula:
    if right in (YES, NO) or left == NO:
        return right
    if left == YES:
        if isinstance(right, Until) and right.left == YES:  # F F a = F a
            return right
        if isinstance(right, Release) and right.left == NO and _eventual(right.right):  # F G F a = G F a
            return right
    return Until(left, right)


def _released(left: Formula, right: Formula) -> Formula:
    if right in (YES, NO) or left == YES:
        return right
    if left == NO:
        if isinstance(right, Release) and right.left == NO:  # G G a = G a
            return right
        if (
            isinstance(right, Until)
            and right.left == YES
            and isinstance(right.right, Release)
            and right.right.left == NO
        ):
            return right  # G F G a = F G a
    return Release(left, right)


def _eventual(formula: Formula) -> bool:
    return isinstance(formula, Until) and formula.left == YES


def _ways(duty: Duty) -> list[_Way]:
    """The alternatives of a state, without those that another one makes needless."""
    found: dict[_Way, None] = {}
    seen = set()
    pending: list[tuple[tuple[Formula, ...], frozenset[Formula], dict[Predicate, bool], Duty, frozenset[Formula]]] = [
        (tuple(duty), frozenset(), {}, frozenset(), frozenset())
    ]
    while pending:
        todo, done, now, then, put_off = pending.pop()
        if not todo:
            found[_Way(frozenset(now.items()), then, put_off)] = None
            if len(found) > MOST_ALTERNATIVES:
                raise TooLargeError
            continue
        one, rest = todo[0], todo[1:]
        key = (frozenset(todo), frozenset(now.items()), then, put_off)
        if key in seen:
            continue
        seen.add(key)
        if len(seen) > 20 * MOST_ALTERNATIVES:
            raise TooLargeError
        done = done | {one}  # `rest` has it no more, and what is put before `rest` must not bring back what is done
        match one:
            case Atom() | Neg():
                predicate, holds = (one.predicate, True) if isinstance(one, Atom) else (one.of.predicate, False)  # type: ignore[union-attr]
                if now.get(predicate, holds) is holds:
                    pending.append((rest, done, now | {predicate: holds}, then, put_off))
            case Conj(parts):
                pending.append((_left(done, *parts, *rest), done, now, then, put_off))
            case Disj(parts):
                pending.extend((_left(done, part, *rest), done, now, then, put_off) for part in reversed(parts))
            case Next(of):
                pending.append((rest, done, now, then | _split(of), put_off))
            case Until(left, right):
                pending.append((_left(done, left, *rest), done, now, then | {one}, put_off | {one}))
                pending.append((_left(done, right, *rest), done, now, then, put_off))
            case Release(left, right):
                pending.append((_left(done, right, *rest), done, now, then | {one}, put_off))
                pending.append((_left(done, left, right, *rest), done, now, then, put_off))
            case _:
                raise AssertionError("`positive` leaves nothing else")
    ways = list(found)
    if len(ways) > 300:
        return ways
    return [w for w in ways if not any(_better(other, w) for other in ways if other != w)]


def _left(done: frozenset[Formula], *todo: Formula) -> tuple[Formula, ...]:
    return tuple(f for f in dict.fromkeys(todo) if f not in done)


def _split(formula: Formula) -> Duty:
    return frozenset(formula.of) if isinstance(formula, Conj) else frozenset((formula,))


def _better(one: _Way, other: _Way) -> bool:
    """Whether all that the first asks the other asks too: whatever run goes the other way can go this one."""
    return one.now <= other.now and one.then <= other.then and one.put_off <= other.put_off


def _trimmed(made: Automaton) -> Automaton:
    """Without the states from which no edge leads on, but for the initial one; equal rows are merged."""
    edges = [list(row) for row in made.edges]
    alive = [True] * len(edges)
    changed = True
    while changed:
        changed = False
        for state, row in enumerate(edges):
            row[:] = [e for e in row if alive[e.target]]
            if alive[state] and not row:
                alive[state] = False
                changed = True
    merged = list(range(len(edges)))
    while True:
        rows: dict[frozenset[Edge], int] = {}
        again = [
            rows.setdefault(frozenset(e._replace(target=merged[e.target]) for e in row), state)
            for state, row in enumerate(edges)
        ]
        if again == merged:
            break
        merged = again
    kept: dict[int, int] = {merged[0]: 0}
    order = [merged[0]]
    for state in order:
        for edge in edges[state]:
            to = merged[edge.target]
            if to not in kept:
                kept[to] = len(order)
                order.append(to)
    return Automaton(
        tuple(tuple(dict.fromkeys(e._replace(target=kept[merged[e.target]]) for e in edges[state])) for state in order),
        made.sets,
    )


def refuting(formula: Formula) -> Automaton:
    """The automaton of the runs that do not satisfy the formula."""
    return automaton(Neg(formula))
