"""Sums of tokens that no firing raises, in whole numbers: what should be out of reach would need a larger one (Farkas)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.certificate.closed import RefusedError, index
from placet.logic.state import And, Dead, Fireable, Linear, Not, Or

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from placet.compiled import Compiled
    from placet.logic.state import Predicate


def weights(compiled: Compiled, pairs: Iterable[Sequence[int]]) -> dict[int, int]:
    """By place its weight, as evidence gives them."""
    found = {index(p): w for p, w in pairs}
    if any(type(w) is not int or p >= len(compiled.net.places) for p, w in found.items()):
        raise RefusedError("its weights are not those of places")
    return found


def bounding(compiled: Compiled, pairs: Iterable[Sequence[int]]) -> None:
    """Accept a sum over all places that no firing raises. Raises RefusedError for another one."""
    found = weights(compiled, pairs)
    falling(compiled, found)
    if any(found.get(p, 0) <= 0 for p in range(len(compiled.net.places))):
        raise RefusedError("its sum leaves a place out")


def falling(compiled: Compiled, summed: dict[int, int]) -> None:
    """No firing raises the sum."""
    net = compiled.net
    for t, arcs in enumerate(net.pre):
        change = sum(summed.get(p, 0) * w for p, w in net.post[t]) - sum(summed.get(p, 0) * w for p, w in arcs)
        if change > 0 or any(summed.get(p, 0) < 0 for p in net.reset[t]):
            raise RefusedError("a firing raises its sum")


def dwindling(compiled: Compiled, pairs: Iterable[Sequence[int]], aside: frozenset[int]) -> None:
    """Accept a sum that is never below 0 and that every firing lowers but those aside, so that no run of the others goes on for ever."""
    summed, net = weights(compiled, pairs), compiled.net
    if any(w < 0 for w in summed.values()):
        raise RefusedError("its sum may fall below 0")
    for t, arcs in enumerate(net.pre):
        change = sum(summed.get(p, 0) * w for p, w in net.post[t]) - sum(summed.get(p, 0) * w for p, w in arcs)
        if change >= 0 and t not in aside:
            raise RefusedError("a firing does not lower its sum")


def outweighed(compiled: Compiled, predicate: Predicate, shown: Sequence[Any]) -> None:
    """Each alternative demands a sum above the initial one: `y C <= 0`, `y >= z A` where states obey `A m >= b`, `y m0 < z b`."""
    alternatives = predicate.of if isinstance(predicate, Or) else (predicate,)
    if len(shown) != len(alternatives):
        raise RefusedError("it does not rule out every case")
    for alternative, (pairs, prices) in zip(alternatives, shown, strict=True):
        summed, demands = weights(compiled, pairs), _demands(compiled, alternative)
        falling(compiled, summed)
        if len(prices) != len(demands):
            raise RefusedError("it does not weigh every condition")
        wanted: dict[int, int] = {}
        for price, (terms, _) in zip(prices, demands, strict=True):
            for p, c in terms:
                wanted[p] = wanted.get(p, 0) + index(price) * c
        bound = sum(price * least for price, (_, least) in zip(prices, demands, strict=True))
        if any(wanted.get(p, 0) > summed.get(p, 0) for p in {*wanted, *summed}):
            raise RefusedError("its sum is less than the condition asks for")
        if sum(w * compiled.initial[p] for p, w in summed.items()) >= bound:
            raise RefusedError("its sum leaves room for what should be out of reach")


def _demands(compiled: Compiled, predicate: Predicate) -> list[tuple[tuple[tuple[int, int], ...], int]]:
    """A conjunction as `sum >= bound` each. Raises RefusedError for what is none."""
    if isinstance(predicate, And):
        return [demand for part in predicate.of for demand in _demands(compiled, part)]
    if isinstance(predicate, Not | Or | Dead | Fireable) or any(i >= len(compiled.initial) for i, _ in predicate.terms):
        raise RefusedError("sums cannot show this")
    terms, op, bound = predicate
    less = (tuple((i, -c) for i, c in terms), -bound + (op == "<"))
    more = (terms, bound + (op == ">"))
    sides = {"<": [less], "<=": [less], ">": [more], ">=": [more], "==": [less, more]}
    if not isinstance(predicate, Linear) or op not in sides:
        raise RefusedError("sums cannot show this")
    return sides[op]
