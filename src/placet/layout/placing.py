"""The x coordinates of layers whose order is fixed: each vertex near its neighbours, none closer than the gap."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_STRAIGHT = 6.0  # how much more it counts that a long edge is straight than that an ordinary one is


def place_layers(
    rows: Sequence[Sequence[int]],
    links: Sequence[tuple[int, int]],
    extents: Sequence[tuple[float, float]],
    gap: float,
    real: int,
) -> list[float]:
    """The anchor of every vertex, which has (left, right) of it; the leftmost border is at 0.

    A bounded number of rounds, each linear.
    """
    count = len(extents)
    above: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    below: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    for a, b in links:
        weight = _STRAIGHT if a >= real and b >= real else 2.0 if a >= real or b >= real else 1.0
        below[a].append((b, weight))
        above[b].append((a, weight))
    xs = [0.0] * count
    for row in rows:
        at = 0.0
        for v in row:
            xs[v] = at + extents[v][0]
            at += sum(extents[v]) + gap
        for v in row:
            xs[v] -= (at - gap) / 2
    for number in range(12 if count <= 20_000 else 4):
        down = number % 2 == 0
        for row in rows if down else reversed(rows):
            _settle(row, (above, below) if down else (below, above), xs, extents, gap, both=number >= 6)
    for _ in range(3):
        straighten(rows, runs(rows, above, below), extents, gap, xs)
    left = min(xs[v] - extents[v][0] for v in range(count))
    return [x - left for x in xs]


def _settle(
    row: Sequence[int],
    sides: tuple[Sequence[Sequence[tuple[int, float]]], Sequence[Sequence[tuple[int, float]]]],
    xs: list[float],
    extents: Sequence[tuple[float, float]],
    gap: float,
    *,
    both: bool,
) -> None:
    """Move the vertices of a layer to the mean of their neighbours, as near as order and gap allow."""
    wanted: list[float] = []
    weights: list[float] = []
    for v in row:
        near = [*sides[0][v], *sides[1][v]] if both or not sides[0][v] else sides[0][v]
        total = sum(w for _, w in near)
        wanted.append(sum(xs[u] * w for u, w in near) / total if total else xs[v])
        weights.append(total or 0.1)
    apart = [0.0]
    for v, w in itertools.pairwise(row):
        apart.append(apart[-1] + extents[v][1] + extents[w][0] + gap)
    fitted = rising([want - offset for want, offset in zip(wanted, apart, strict=True)], weights)
    for v, x, offset in zip(row, fitted, apart, strict=True):
        xs[v] = x + offset


def runs(
    rows: Sequence[Sequence[int]],
    above: Sequence[Sequence[tuple[int, float]]],
    below: Sequence[Sequence[tuple[int, float]]],
) -> list[list[int]]:
    """Paths on which each vertex has one link to the next and the next has no other from above; the longest first."""
    found: list[list[int]] = []
    for row in rows:
        for v in row:
            if len(above[v]) == 1 and len(below[above[v][0][0]]) == 1:
                continue  # inside of one
            run = [v]
            while len(below[run[-1]]) == 1 and len(above[below[run[-1]][0][0]]) == 1:
                run.append(below[run[-1]][0][0])
            if len(run) > 1:
                found.append(run)
    return sorted(found, key=len, reverse=True)


def straighten(
    rows: Sequence[Sequence[int]],
    paths: Sequence[Sequence[int]],
    extents: Sequence[tuple[float, float]],
    gap: float,
    xs: list[float],
) -> None:
    """Give the vertices of each path one x, or as few as the vertices beside it allow; nothing else is moved. Linear."""
    beside: dict[int, tuple[int, int]] = {}
    for row in rows:
        for at, v in enumerate(row):
            beside[v] = row[at - 1] if at else -1, row[at + 1] if at + 1 < len(row) else -1
    for path in paths:
        part: list[int] = []
        low, high = float("-inf"), float("inf")
        for v in [*path, -1]:
            lowest, highest = float("inf"), float("-inf")
            if v >= 0:
                left, right = beside[v]
                lowest = xs[left] + extents[left][1] + gap + extents[v][0] if left >= 0 else float("-inf")
                highest = xs[right] - extents[right][0] - gap - extents[v][1] if right >= 0 else float("inf")
            if max(low, lowest) <= min(high, highest):
                part.append(v)
                low, high = max(low, lowest), min(high, highest)
                continue
            if part:
                middle = sorted(xs[u] for u in part)[len(part) // 2]
                for u in part:
                    xs[u] = min(max(middle, low), high)
            part, low, high = [v], lowest, highest


def rising(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The non-decreasing sequence nearest to `values` in weighted squares: pool adjacent violators, linear.

    Barlow, Bartholomew, Bremner, Brunk 1972, chapter 1.
    """
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    for value, weight in zip(values, weights, strict=True):
        mean, total, size = value, weight, 1
        while pools and pools[-1][0] > mean:
            before, more, many = pools.pop()
            mean = (mean * total + before * more) / (total + more)
            total += more
            size += many
        pools.append((mean, total, size))
    return [mean for mean, _, size in pools for _ in range(size)]
