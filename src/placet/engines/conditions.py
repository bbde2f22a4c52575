"""State predicates compiled to closures over packed states.

A closure takes the packed state and the set of its enabled transitions as a bit mask. Comparisons of one field with a
constant become threshold masks, and conjunctions and disjunctions of them a single test, so that "some place of a
thousand holds two tokens" costs four operations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from placet.logic.state import And, Dead, Fireable, Linear, Not, Or, Predicate, compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.engines.packing import Layout

Condition: TypeAlias = "Callable[[int, int], bool]"


def condition(predicate: Predicate, fields: Layout) -> Condition:
    """The closure of a predicate for one layout. Nesting is the user's formula, so a fixed bound on it is elsewhere."""
    match predicate:
        case Linear():
            return _linear(predicate, fields)
        case Fireable(transition):
            bit = 1 << transition
            return lambda _m, enabled: enabled & bit != 0
        case Dead(ignoring):
            others = ~sum(1 << t for t in ignoring)
            return lambda _m, enabled: enabled & others == 0
        case Not(of):
            inner = condition(of, fields)
            return lambda m, enabled: not inner(m, enabled)
        case And(parts):
            # not (a or b) as well as a and b: the negated parts go through the disjunction's threshold masks
            inner = _disjunction(tuple(_negated(p) for p in parts), fields)
            return lambda m, enabled: not inner(m, enabled)
        case Or(parts):
            return _disjunction(parts, fields)


def _negated(predicate: Predicate) -> Predicate:
    if isinstance(predicate, Not):
        return predicate.of
    if isinstance(predicate, Linear):
        opposite = {"<=": ">", ">=": "<", "==": "!=", "!=": "==", "<": ">=", ">": "<="}
        return predicate._replace(op=opposite[predicate.op])  # type: ignore[arg-type]
    return Not(predicate)


def _at_least(atom: Predicate) -> tuple[int, int] | None:
    """(index, w) where the atom says no more than `state[index] >= w`."""
    if not isinstance(atom, Linear) or len(atom.terms) != 1:
        return None
    ((index, coefficient),) = atom.terms
    if coefficient == 0 or atom.op in ("==", "!="):
        return None
    # c * x >= b, with > and < turned into >= and <= of integers; a negative c turns the comparison round
    bound = atom.bound + (atom.op == ">") - (atom.op == "<")
    if atom.op in (">=", ">"):
        return (index, -(-bound // coefficient)) if coefficient > 0 else None
    return (index, -(bound // -coefficient)) if coefficient < 0 else None


def _disjunction(parts: tuple[Predicate, ...], fields: Layout) -> Condition:
    floors: dict[int, int] = {}
    rest: list[Condition] = []
    for part in parts:
        pair = _at_least(part)
        if pair is None:
            rest.append(condition(part, fields))
        else:
            floors[pair[0]] = min(pair[1], floors.get(pair[0], pair[1]))
    need = mask = 0
    for index, weight in floors.items():
        found = fields.threshold(index, weight)
        if found is not None:
            need |= found[0]
            mask |= found[1]
    if mask:
        some: Condition = lambda m, _enabled: ((m | mask) - need) & mask != 0  # noqa: E731 - one of a family of closures
        if not rest:
            return some
        rest.insert(0, some)
    if len(rest) == 1:
        return rest[0]
    if len(rest) == 2:
        first, second = rest
        return lambda m, enabled: first(m, enabled) or second(m, enabled)
    return lambda m, enabled: any(one(m, enabled) for one in rest)


def _linear(atom: Linear, fields: Layout) -> Condition:
    pair = _at_least(atom)
    if pair is not None:
        found = fields.threshold(*pair)
        if found is None:
            return lambda _m, _enabled: False
        need, mask = found
        return lambda m, _enabled: ((m | mask) - need) & mask != 0
    turned = _at_least(_negated(atom))
    if turned is not None:
        return condition(Not(_negated(atom)), fields)
    empty = _emptiness(atom, fields)
    if empty is not None:
        return empty
    bound, op = atom.bound, atom.op
    read = [(c, fields.shift[i], (1 << fields.width[i]) - 1) for i, c in atom.terms]
    base = sum(c * fields.low[i] for i, c in atom.terms)
    if len(read) == 1:
        c, shift, ones = read[0]
        return lambda m, _enabled: compare(base + c * (m >> shift & ones), op, bound)
    return lambda m, _enabled: compare(base + sum(c * (m >> s & ones) for c, s, ones in read), op, bound)


def _emptiness(atom: Linear, fields: Layout) -> Condition | None:
    """Sums of positive terms that are compared with nothing at all: one mask says whether all fields are empty."""
    empty = {("==", 0): True, ("<=", 0): True, ("<", 1): True, ("!=", 0): False, (">", 0): False, (">=", 1): False}
    wanted = empty.get((atom.op, atom.bound))
    if wanted is None or any(c <= 0 or fields.low[i] for i, c in atom.terms):
        return None
    ones = 0
    for i, _ in atom.terms:
        ones |= fields.field(i)
    return (lambda m, _enabled: m & ones == 0) if wanted else (lambda m, _enabled: m & ones != 0)
