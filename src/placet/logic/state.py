"""State predicates over the integer indices of a net.

A *state* is the vector of the tokens of all P places, followed by the values of the O observers, so index `i < P` is a
place and `P + o` is observer `o`. `Fireable` and `Dead` speak of the enabled transitions of the state. Predicates carry
no names: printing them is the business of those who know the origin map. The `tag` keeps tuples of the same parts apart:
`And(x) != Or(x)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, Union

from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Comparison = Literal["<=", ">=", "==", "!=", "<", ">"]


class Linear(NamedTuple):
    """`sum(coefficient * state[index]) op bound`."""

    terms: tuple[tuple[int, int], ...]  # (index, coefficient)
    op: Comparison
    bound: int


class Fireable(NamedTuple):
    """The transition is enabled."""

    transition: int
    tag: Literal["fireable"] = "fireable"


class Dead(NamedTuple):
    """No transition is enabled, except those in `ignoring`."""

    ignoring: frozenset[int] = frozenset()
    tag: Literal["dead"] = "dead"


class Not(NamedTuple):
    """Negation."""

    of: Predicate
    tag: Literal["not"] = "not"


class And(NamedTuple):
    """Conjunction; empty = true."""

    of: tuple[Predicate, ...]
    tag: Literal["and"] = "and"


class Or(NamedTuple):
    """Disjunction; empty = false."""

    of: tuple[Predicate, ...]
    tag: Literal["or"] = "or"


Predicate: TypeAlias = Union[Linear, Fireable, Dead, Not, And, Or]

TRUE = And(())
FALSE = Or(())


def at_least(index: int, count: int = 1) -> Linear:
    """`state[index] >= count`."""
    return Linear(((index, 1),), ">=", count)


def evaluate(predicate: Predicate, state: Sequence[int], enabled: Callable[[], Sequence[int]]) -> bool:
    """Whether the predicate holds in `state`; `enabled()` gives its enabled transitions, asked for only when needed."""
    match predicate:
        case Linear(terms, op, bound):
            return compare(sum(c * state[i] for i, c in terms), op, bound)
        case Fireable(transition):
            return transition in enabled()
        case Dead(ignoring):
            return all(t in ignoring for t in enabled())
        case Not(of):
            return not evaluate(of, state, enabled)
        case And(parts):
            return all(evaluate(p, state, enabled) for p in parts)
        case Or(parts):
            return any(evaluate(p, state, enabled) for p in parts)


def compare(value: int, op: Comparison, bound: int) -> bool:
    """`value op bound`."""
    if op == "<=":
        return value <= bound
    if op == ">=":
        return value >= bound
    if op == "==":
        return value == bound
    if op == "!=":
        return value != bound
    return value < bound if op == "<" else value > bound


def support(predicate: Predicate) -> tuple[frozenset[int], frozenset[int]]:
    """The state indices and the transitions that the truth of a predicate can depend on directly.

    `Dead` depends on every transition and is not listed: reductions name deadlock among what they preserve.
    """
    match predicate:
        case Linear(terms, _, _):
            return frozenset(i for i, _ in terms), frozenset()
        case Fireable(transition):
            return frozenset(), frozenset((transition,))
        case Dead():
            return frozenset(), frozenset()
        case Not(of):
            return support(of)
        case And(parts) | Or(parts):
            pairs = [support(p) for p in parts]
            return frozenset().union(*(i for i, _ in pairs)), frozenset().union(*(t for _, t in pairs))
