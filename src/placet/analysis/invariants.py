"""Place invariants: weighted sums of tokens that no transition changes, or that none increases.

Minimal semiflows by Farkas' algorithm: J. Martinez, M. Silva, "A simple and fast algorithm to obtain all invariants of
a generalised Petri net", Informatik-Fachberichte 52, 1982. With `surplus` the sums may decrease, which is the same
elimination with a slack for each transition.

A vector y >= 0 with y * C <= 0 bounds each place p with y(p) > 0 by (y * m0) / y(p), whatever the order of firing (T.
Murata, "Petri nets: properties, analysis and applications", Proc. IEEE 77(4), 1989, section VIII). Read and inhibitor
arcs and capacities only forbid firings, and a reset arc only takes more tokens away, so it holds for them as well. Not
every bounded net has such a vector for each place: bounded from one initial marking and unbounded from another it has not.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import product
from math import gcd
from time import perf_counter
from typing import TYPE_CHECKING

from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placet.net.core import Marking, Net

MOST_PAIRS = 2_000  # of rows that one transition may combine; then each with some others
MOST_WORK = 1_000_000  # entries added and supports compared in all; under a second


class Semiflow(NamedTuple):
    """Weights by place, all others zero; their greatest common divisor is one."""

    weights: tuple[tuple[int, int], ...]  # (place, weight >= 1), ascending

    def total(self, marking: Marking) -> int:
        """The weighted sum of tokens."""
        return sum(w * marking[p] for p, w in self.weights)


class Semiflows(NamedTuple):
    """Semiflows of minimal support; all there are if `complete`, else some of them, not all of them minimal."""

    found: tuple[Semiflow, ...]
    complete: bool


class _Row:
    """A combination of places, and how the transitions not yet eliminated change it."""

    __slots__ = ("change", "support", "weights")

    def __init__(self, weights: dict[int, int], change: dict[int, int], support: int) -> None:
        self.weights, self.change, self.support = weights, change, support

    def with_other(self, other: _Row, transition: int) -> _Row:
        """The positive combination of both that the transition does not change."""
        mine, others = -other.change[transition], self.change[transition]
        if mine < 0:
            mine, others = -mine, -others
        weights = _sum(self.weights, mine, other.weights, others)
        change = _sum(self.change, mine, other.change, others)
        divisor = gcd(*weights.values(), *change.values())
        if divisor > 1:
            weights = {p: w // divisor for p, w in weights.items()}
            change = {t: w // divisor for t, w in change.items()}
        return _Row(weights, change, self.support | other.support)


def _sum(one: dict[int, int], times: int, other: dict[int, int], times_other: int) -> dict[int, int]:
    total = {key: times * value for key, value in one.items()}
    for key, value in other.items():
        total[key] = total.get(key, 0) + times_other * value
    return {key: value for key, value in total.items() if value}


class _Elimination:
    """Farkas' algorithm: transition after transition, the rows that it changes give way to combinations it does not."""

    def __init__(self, net: Net, *, surplus: bool, most_pairs: int, most_work: int, until: float) -> None:
        self._surplus, self._most_pairs, self._left, self._until = surplus, most_pairs, most_work, until
        self._places = len(net.places)
        self._number = 0
        self.rows: dict[int, _Row] = {}
        self._touching: dict[int, dict[int, None]] = {t: {} for t in range(len(net.transitions))}  # ordered sets
        self._moved: dict[int, None] = {}  # transitions whose rows are others than when their cost was looked at
        self.complete = True
        changes: list[dict[int, int]] = [{} for _ in net.places]
        for sign, side in ((-1, net.pre), (1, net.post)):
            for t, arcs in enumerate(side):
                for p, w in arcs:
                    changes[p][t] = changes[p].get(t, 0) + sign * w
        for p, change in enumerate(changes):
            self._add(_Row({p: 1}, {t: w for t, w in change.items() if w}, 1 << p))

    def _add(self, row: _Row) -> None:
        self.rows[self._number] = row
        for t in row.change:
            self._touching[t][self._number] = None
        self._moved.update(dict.fromkeys(row.change))
        self._number += 1

    def _drop(self, number: int) -> None:
        change = self.rows.pop(number).change
        for t in change:
            self._touching[t].pop(number, None)
        self._moved.update(dict.fromkeys(change))

    def run(self) -> None:
        """Eliminate every transition, the cheapest first, until it is done or the work is used up."""
        known = {t: self._cost(t) for t in self._touching}
        heap = [(cost, t) for t, cost in known.items()]
        heapify(heap)
        self._moved.clear()
        while heap:
            cost, transition = heappop(heap)
            if known.get(transition) != cost:
                continue  # it is another one since, or done
            if perf_counter() > self._until or not self._eliminate(transition, len(known)):
                self.complete = False
                break
            del known[transition]
            for t in self._moved:
                if t in known:
                    known[t] = self._cost(t)
                    heappush(heap, (known[t], t))
            self._moved.clear()
        for number in [n for n, row in self.rows.items() if row.change]:
            self._drop(number)

    def _cost(self, transition: int) -> int:
        touching = self._touching[transition]
        self._left -= 1 + len(touching)
        up = sum(1 for n in touching if self.rows[n].change[transition] > 0)
        return up * (len(touching) - up) - len(touching)

    def _pairs(self, up: list[_Row], down: list[_Row], remaining: int) -> Iterable[tuple[_Row, _Row]]:
        """Each with each; where that takes more than a fair share of the work left, each with one other at least."""
        share = self._left // (remaining * (20 + len(self.rows)))
        most = min(self._most_pairs, max(share, 1))
        if len(up) * len(down) <= most:
            return product(up, down)
        self.complete = False
        longer = max(len(up), len(down))
        shifts = range(max(1, most // longer))
        return ((up[k % len(up)], down[(k + shift) % len(down)]) for shift in shifts for k in range(longer))

    def _eliminate(self, transition: int, remaining: int) -> bool:
        touching = list(self._touching[transition])
        up = [self.rows[n] for n in touching if self.rows[n].change[transition] > 0]
        down = [self.rows[n] for n in touching if self.rows[n].change[transition] < 0]
        made = []
        for one, other in self._pairs(up, down, remaining):
            self._left -= 1 + sum(map(len, (one.weights, one.change, other.weights, other.change)))
            if self._left < 0:
                return False
            made.append(one.with_other(other, transition))
        for n in touching:
            row = self.rows[n]
            if self._surplus and row.change[transition] < 0:  # what is lost goes into the slack of the transition
                row.support |= 1 << self._places + transition
                del row.change[transition]
            else:
                self._drop(n)
        self._touching[transition].clear()
        for row in self._minimal(made):
            self._add(row)
        return self._left >= 0

    def _minimal(self, made: list[_Row]) -> list[_Row]:
        """The new rows whose support contains that of no other row; if rows were left out, those whose support is new."""
        if not self.complete:
            return list({row.support: row for row in made}.values())
        kept = []
        made.sort(key=lambda row: row.support.bit_count())
        supports = [row.support for row in self.rows.values()] if made else []
        for row in made:
            self._left -= len(supports)
            if all(support & ~row.support for support in supports):
                kept.append(row)
                supports.append(row.support)
        return kept


def semiflows(
    net: Net,
    *,
    surplus: bool = False,
    most_pairs: int = MOST_PAIRS,
    most_work: int = MOST_WORK,
    until: float = float("inf"),
) -> Semiflows:
    """The minimal semiflows y >= 0 with y * C = 0; with `surplus` y * C <= 0, minimal in places and decreasing transitions.

    There can be exponentially many: the work is cut off, and what is given then is right but not all. O(`most_work`), and
    not much longer than `until`, a reading of `perf_counter`.
    """
    elimination = _Elimination(net, surplus=surplus, most_pairs=most_pairs, most_work=most_work, until=until)
    elimination.run()
    found = {tuple(sorted(_reduced(row.weights).items())) for row in elimination.rows.values()}
    return Semiflows(tuple(Semiflow(weights) for weights in sorted(found)), elimination.complete)


def _reduced(weights: dict[int, int]) -> dict[int, int]:
    divisor = gcd(*weights.values())
    return {p: w // divisor for p, w in weights.items()} if divisor > 1 else weights


class Bounds:
    """Numbers of tokens that places never exceed, from capacities and invariants, each computed once when first needed.

    Invariants that may decrease are looked for only where those that do not leave some place above what is enough. What
    is above its capacity initially never becomes more, since no firing may leave it above. `until`: see `semiflows`.
    """

    def __init__(self, net: Net, initial: Marking, until: float = float("inf")) -> None:
        self._net, self._initial, self._until = net, initial, until
        self._known = {p: max(most, initial[p]) for p, most in net.capacity}
        self._next = [True, False]  # surplus or not, from the end

    def of(self, places: Iterable[int], enough: float = float("inf")) -> dict[int, int | None]:
        """By place a bound, or None where none was found."""
        wanted = tuple(places)
        while self._next and any(p not in self._known or self._known[p] > enough for p in wanted):
            self._learn(surplus=self._next.pop())
        return {p: self._known.get(p) for p in wanted}

    def _learn(self, *, surplus: bool) -> None:
        for flow in semiflows(self._net, surplus=surplus, until=self._until).found:
            total = flow.total(self._initial)
            for p, w in flow.weights:
                most = total // w
                if most < self._known.get(p, most + 1):
                    self._known[p] = most
