"""Coverability of unbounded nets: which places grow without bound, which transitions can fire at all.

Karp and Miller 1969: depth-first through markings in which omega stands for "as many as you like". A marking that
strictly covers an ancestor gets omega where it is greater. The graph is finite for every net with weights and read arcs;
it can be far larger than any state space, so it runs on a budget. Resets, inhibitors and capacities are refused: with
resets the construction is not complete, with inhibitors boundedness is undecidable.
"""

from __future__ import annotations

from operator import lt
from typing import TYPE_CHECKING, NamedTuple

from placet.engines.protocol import Stop

if TYPE_CHECKING:
    from placet.net.core import Marking, Net

OMEGA = float("inf")
_LOOKS = 3_000_000  # comparisons of markings, and tests whether a transition can fire; about three seconds


class Coverage(NamedTuple):
    """What the coverability graph tells: transitions that can fire (all of them if `complete`), and a loop that pumps."""

    complete: bool
    alive: frozenset[int]
    pump: Stop | None
    unbounded: frozenset[int] = frozenset()  # places; all of them if `complete`


def is_monotone(net: Net) -> bool:
    """Whether only weights and read arcs occur, so that more tokens never disable anything."""
    return not (net.capacity or any(net.inhibit) or any(net.reset))


def cover(net: Net, initial: Marking, limit: int = 20_000) -> Coverage:
    """Explore the coverability graph, up to `limit` markings; needs `is_monotone`.

    The first marking that covers an ancestor has no omega in its past, so that its loop is one of the net itself and is
    given as `pump`. Whether there is one decides boundedness. Cost: O(markings * (arcs + depth * P)), cut off at a fixed
    number of looks at markings and transitions.
    """
    width = len(net.transitions)
    seen: set[tuple[float, ...]] = set()
    alive: set[int] = set()
    unbounded: set[int] = set()
    pump: Stop | None = None
    line: list[tuple[float, ...]] = []  # the markings from the initial one to the present one
    fired: list[int] = []  # the transitions between them
    looked = 0
    work: list[tuple[int, int, tuple[float, ...]]] = [(0, -1, tuple(initial))]  # (depth, transition, marking)
    while work:
        depth, t, marking = work.pop()
        del line[depth:], fired[max(depth - 1, 0) :]
        if t >= 0:
            fired.append(t)
        looked += len(line) + width + len(marking) // 4  # a marking is made place by place
        for back, before in enumerate(line):
            if marking != before and not any(map(lt, marking, before)):
                looked += len(marking) // 4
                grown = [p for p, (a, b) in enumerate(zip(marking, before, strict=True)) if a > b]
                if pump is None:
                    pump = Stop("unbounded", str(len(seen)), grown[0], tuple(fired[:back]), tuple(fired[back:]))
                unbounded.update(grown)
                marking = tuple(OMEGA if a > b else a for a, b in zip(marking, before, strict=True))
        if marking in seen:
            continue
        if len(seen) >= limit or looked > _LOOKS:
            return Coverage(complete=False, alive=frozenset(alive), pump=pump, unbounded=frozenset(unbounded))
        seen.add(marking)
        line.append(marking)
        for u in range(width - 1, -1, -1):
            if all(marking[p] >= w for side in (net.pre, net.read) for p, w in side[u]):
                alive.add(u)
                after = list(marking)
                for p, w in net.pre[u]:
                    after[p] -= w
                for p, w in net.post[u]:
                    after[p] += w
                work.append((depth + 1, u, tuple(after)))
    return Coverage(complete=True, alive=frozenset(alive), pump=pump, unbounded=frozenset(unbounded))
