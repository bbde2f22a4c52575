"""Sums of tokens that never change: what a transition adds to one it takes from the place that fills it up, and back.

`slots + waiting = 2` says that each call that waits holds one of two slots. A transition that takes the token from where it waits, whatever it
is there for, gives the slot back; nobody who writes a transition, or weaves in a fault, need think of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.net.core import Arcs


class Balance(NamedTuple):
    """A weighted sum over places that is kept by means of one of them, the `filler`, whose weight is 1."""

    weights: tuple[tuple[int, int], ...]  # (place, weight), the filler among them
    filler: int


class Scales:
    """Balances, in the order in which they are made even. Linear in the arcs of what is weighed."""

    def __init__(self, balances: Sequence[Balance]) -> None:
        self._fillers = [balance.filler for balance in balances]
        self._weights: dict[int, list[tuple[int, int]]] = {}  # place -> (number of a balance, weight)
        for number, balance in enumerate(balances):
            for place, weight in balance.weights:
                self._weights.setdefault(place, []).append((number, weight))

    def even(self, pre: Arcs, post: Arcs) -> tuple[Arcs, Arcs]:
        """The arcs of a transition with what is missing for all sums to stay the same."""
        change: dict[int, int] = {}
        for arcs, sign in ((pre, -1), (post, 1)):
            for place, tokens in arcs:
                for number, weight in self._weights.get(place, ()):
                    change[number] = change.get(number, 0) + sign * weight * tokens
        if not any(change.values()):
            return pre, post
        for number, filler in enumerate(self._fillers):
            excess = change.get(number, 0)
            if excess > 0:
                pre = _more(pre, filler, excess)
            elif excess < 0:
                post = _more(post, filler, -excess)
            if excess:
                for other, weight in self._weights[filler]:
                    change[other] = change.get(other, 0) - weight * excess
        return pre, post


def _more(arcs: Arcs, place: int, tokens: int) -> Arcs:
    weights = dict(arcs)
    weights[place] = weights.get(place, 0) + tokens
    return tuple(sorted(weights.items()))
