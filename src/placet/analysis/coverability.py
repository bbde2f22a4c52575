"""Coverability of unbounded nets: which places grow without bound, which transitions can fire at all.

Karp and Miller 1969: a tree of markings in which omega stands for "as many as you like"; a marking that covers an ancestor gets omega where
it is greater. Of the tree only its greatest markings matter, the minimal coverability set (Finkel 1991), so what others cover is cut
off as it grows: P.-A. Reynier and F. Servais (2013), "Minimal coverability set for Petri nets: Karp and Miller algorithm with pruning",
Algorithm 3, which is the one of these that was proved (Theorem 5). The set is finite for every net with weights and read
arcs; it can be far larger than any state space, so it runs on a budget. Resets, inhibitors and capacities are refused: with
resets the construction is not complete (see `backward`), with inhibitors boundedness is undecidable.
"""

from __future__ import annotations

from operator import le
from typing import TYPE_CHECKING

from placet.engines.protocol import Stop
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.net.core import Marking, Net

OMEGA = float("inf")
_LOOKS = 3_000_000  # comparisons of markings, and tests whether a transition can fire; about three seconds


class Coverage(NamedTuple):
    """What the coverability set tells: transitions that can fire (all of them if `complete`), and a loop that pumps."""

    complete: bool
    alive: frozenset[int]
    pump: Stop | None
    unbounded: frozenset[int] = frozenset()  # places; all of them if `complete`
    greatest: tuple[tuple[float, ...], ...] = ()  # the markings that cover all others, if `complete`


def is_monotone(net: Net) -> bool:
    """Whether only weights and read arcs occur, so that more tokens never disable anything."""
    return not (net.capacity or any(net.inhibit) or any(net.reset))


def cover(net: Net, initial: Marking, limit: int = 20_000) -> Coverage:
    """Find the coverability set, with up to `limit` nodes of the tree; needs `is_monotone`.

    The first marking that covers an ancestor has no omega in its past, so that its loop is one of the net itself and is
    given as `pump`. Whether there is one decides boundedness. Cost: O(nodes * (arcs + (active + depth) * P)), cut off at a fixed
    number of looks at markings and transitions.
    """
    return _Tree(net, tuple(initial)).grown(limit)


class _Tree:
    """Nodes by number, each with its marking, its parent and the transition that led to it."""

    def __init__(self, net: Net, initial: tuple[float, ...]) -> None:
        self._net = net
        self._markings: list[tuple[float, ...]] = [initial]
        self._parents: list[int] = [-1]
        self._fired: list[int] = [-1]
        self._active: set[int] = {0}
        self._below: list[int] = [1]  # how many active nodes are in the part of the tree that begins here
        self._alive: set[int] = set()
        self._unbounded: set[int] = set()
        self._pump: Stop | None = None
        self._looked = 0
        self._compared = (
            1 + len(self._net.places) // 256
        )  # what a comparison of two markings counts: wide ones cost more

    def grown(self, limit: int) -> Coverage:
        work = [(0, t) for t in self._enabled(0)]
        while work:
            node, t = work.pop()
            if node not in self._active:
                continue
            if self._looked > _LOOKS:
                return self._found(complete=False)
            after = list(self._markings[node])
            for p, w in self._net.pre[t]:
                after[p] -= w
            for p, w in self._net.post[t]:
                after[p] += w
            line = self._line(node)
            marking = self._accelerated(tuple(after), line, t)
            if self._covered(marking):
                continue
            made = len(self._markings)
            if made >= limit:
                return self._found(complete=False)
            self._prune(marking, {*line})
            self._markings.append(marking)
            self._parents.append(node)
            self._fired.append(t)
            self._below.append(0)
            self._activate(made, 1)
            work += [(made, u) for u in self._enabled(made)]
        return self._found(complete=True)

    def _found(self, *, complete: bool) -> Coverage:
        greatest = tuple(sorted(self._markings[n] for n in self._active)) if complete else ()
        return Coverage(complete, frozenset(self._alive), self._pump, frozenset(self._unbounded), greatest)

    def _enabled(self, node: int) -> list[int]:
        """The transitions that can fire in a node, the first of them last."""
        marking, net = self._markings[node], self._net
        width = len(net.transitions)
        self._looked += width
        found = [
            t
            for t in range(width - 1, -1, -1)
            if all(marking[p] >= w for p, w in net.pre[t]) and all(marking[p] >= w for p, w in net.read[t])
        ]
        self._alive.update(found)
        return found

    def _line(self, node: int) -> list[int]:
        """The nodes from the root to this one."""
        found = []
        while node >= 0:
            found.append(node)
            node = self._parents[node]
        return found[::-1]

    def _accelerated(self, marking: tuple[float, ...], line: list[int], t: int) -> tuple[float, ...]:
        """Omega where an ancestor, active or not, has less and nowhere more."""
        self._looked += len(line) * self._compared + len(marking) // 4
        for number, n in enumerate(line):
            before = self._markings[n]
            if marking != before and all(map(le, before, marking)):
                grown = [p for p, (a, b) in enumerate(zip(marking, before, strict=True)) if a > b]
                if self._pump is None:
                    way = [*(self._fired[m] for m in line[1:]), t]
                    reached = str(len(self._markings))
                    self._pump = Stop("unbounded", reached, grown[0], tuple(way[:number]), tuple(way[number:]))
                self._unbounded.update(grown)
                marking = tuple(OMEGA if a > b else a for a, b in zip(marking, before, strict=True))
        return marking

    def _covered(self, marking: tuple[float, ...]) -> bool:
        self._looked += len(self._active) * self._compared
        return any(all(map(le, marking, self._markings[n])) for n in self._active)

    def _prune(self, marking: tuple[float, ...], line: set[int]) -> None:
        """Deactivate what grew from a node that the marking covers, if that node is active or beside the way to the marking."""
        self._looked += len(self._markings) * self._compared
        covered = [
            n
            for n, count in enumerate(self._below)
            if count and (n in self._active or n not in line) and all(map(le, self._markings[n], marking))
        ]
        if not covered:
            return
        roots = set(covered)
        for n in list(self._active):
            at = n
            while at >= 0 and at not in roots:
                at = self._parents[at]
            self._looked += 1
            if at >= 0:
                self._activate(n, -1)

    def _activate(self, node: int, by: int) -> None:
        (self._active.add if by > 0 else self._active.discard)(node)
        while node >= 0:
            self._below[node] += by
            node = self._parents[node]
