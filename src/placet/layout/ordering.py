"""The order within layers: few crossings, by barycentre sweeps and swaps of neighbours."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SMALL = 4_000  # vertices and waypoints up to which crossings are counted and the best order is kept


def order_layers(layers: Sequence[int], links: Sequence[tuple[int, int]], real: int) -> list[list[int]]:
    """Vertices by layer, in order. `links` join adjacent layers, `real` vertices come before the waypoints.

    A bounded number of sweeps, each O(links log links); Eades and Wormald 1994 for the barycentre rule.
    """
    count = len(layers)
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for a, b in links:
        below[a].append(b)
        above[b].append(a)
    rows = _initial(layers, above, below, real)
    if len(rows) < 2:
        return rows
    small = count <= _SMALL
    best = [row[:] for row in rows]
    fewest = crossings(rows, below) if small else 0
    for sweep in range(16 if small else 6):
        if sweep % 2 == 0:
            for at in range(1, len(rows)):
                _sort(rows[at], rows[at - 1], above)
        else:
            for at in range(len(rows) - 2, -1, -1):
                _sort(rows[at], rows[at + 1], below)
        if small:
            now = crossings(rows, below)
            if now < fewest:
                fewest, best = now, [row[:] for row in rows]
            if not fewest:
                break
    rows = best if small else rows
    if small and fewest:
        for _ in range(3):
            if not _swap(rows, above, below):
                break
    return rows


def crossings(rows: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> int:
    """How many pairs of links cross, between all neighbouring layers."""
    total = 0
    for at in range(len(rows) - 1):
        place = {v: x for x, v in enumerate(rows[at + 1])}
        ends: list[int] = []
        for v in rows[at]:
            xs = sorted(place[u] for u in below[v])
            for x in xs:
                total += len(ends) - bisect_left(ends, x + 1)
            for x in xs:
                insort(ends, x)
    return total


def _initial(
    layers: Sequence[int], above: Sequence[Sequence[int]], below: Sequence[Sequence[int]], real: int
) -> list[list[int]]:
    """The order in which a search down and up the links meets the vertices: parts that belong together stay together."""
    rows: list[list[int]] = [[] for _ in range(max(layers) + 1)]
    seen = [False] * len(layers)
    for root in [*(v for v in range(real) if not above[v]), *range(real)]:
        if seen[root]:
            continue
        seen[root] = True
        todo = [root]
        while todo:
            v = todo.pop()
            rows[layers[v]].append(v)
            for u in (*reversed(above[v]), *reversed(below[v])):
                if not seen[u]:
                    seen[u] = True
                    todo.append(u)
    return rows


def _sort(row: list[int], fixed: Sequence[int], neighbours: Sequence[Sequence[int]]) -> None:
    """Sort a layer by the mean place of its neighbours in the fixed one; those without any stay where they are."""
    place = {v: x for x, v in enumerate(fixed)}
    keys: dict[int, float] = {}
    for v in row:
        near = neighbours[v]
        if near:
            keys[v] = sum(place[u] for u in near) / len(near)
    movable = iter(sorted(keys, key=keys.__getitem__))  # stable: equal keys keep their order
    row[:] = [next(movable) if v in keys else v for v in row]


def _swap(rows: list[list[int]], above: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> bool:
    """Swap neighbours where that saves crossings; whether any was swapped."""
    changed = False
    for at, row in enumerate(rows):
        up = {v: x for x, v in enumerate(rows[at - 1])} if at else {}
        down = {v: x for x, v in enumerate(rows[at + 1])} if at + 1 < len(rows) else {}
        for x in range(len(row) - 1):
            v, w = row[x], row[x + 1]
            saved = 0
            for near, place in ((above, up), (below, down)):
                left = [place[u] for u in near[v]] if place else []
                right = [place[u] for u in near[w]] if place else []
                if len(left) * len(right) <= 400:
                    saved += sum((a > b) - (a < b) for a in left for b in right)
            if saved > 0:
                row[x], row[x + 1] = w, v
                changed = True
    return changed
