"""Static orders of levels: transitions should concern levels that lie close together, and low.

F. Aloul, I. Markov, K. Sakallah (2003), "FORCE: a fast and easy-to-implement variable-ordering heuristic", GLSVLSI: each
edge pulls what it joins to its centre of gravity, and what is joined is sorted by the mean of the centres, until the spans
shrink no more.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROUNDS = 60
_PATIENCE = 8  # rounds without a better order
_WIDEST = 40  # items of an edge beyond which `sloan` takes no notice of it


def force(count: int, edges: Sequence[Sequence[int]], start: Sequence[int]) -> list[int]:
    """The items `0 .. count - 1` in an order of small spans, from the one given. O(rounds * (pins + count log count))."""
    order = list(start)
    of_item: list[list[int]] = [[] for _ in range(count)]
    for e, edge in enumerate(edges):
        for item in edge:
            of_item[item].append(e)
    best, least, idle = order, _span(order, edges), 0
    for _ in range(_ROUNDS):
        at = [0.0] * count
        for position, item in enumerate(order):
            at[item] = float(position)
        centres = [sum([at[item] for item in edge]) / len(edge) for edge in edges]
        pulled = [sum([centres[e] for e in row]) / len(row) if row else at[item] for item, row in enumerate(of_item)]
        order = sorted(order, key=pulled.__getitem__)
        span = _span(order, edges)
        if span < least:
            best, least, idle = order, span, 0
        else:
            idle += 1
            if idle == _PATIENCE:
                break
    return best


def _span(order: Sequence[int], edges: Sequence[Sequence[int]]) -> int:
    at = [0] * len(order)
    for position, item in enumerate(order):
        at[item] = position
    total = 0
    for edge in edges:
        places = [at[item] for item in edge]
        total += max(places) - min(places)
    return total


def cost(order: Sequence[int], edges: Sequence[Sequence[int]]) -> tuple[int, int]:
    """(sum of the spans of the edges, sum of their highest levels): less is better."""
    at = [0] * len(order)
    for position, item in enumerate(order):
        at[item] = position
    return _span(order, edges), sum(max(at[item] for item in edge) for edge in edges)


def breadth(count: int, edges: Sequence[Sequence[int]], start: int) -> list[int]:
    """The items in the order in which a search finds them, that with the fewest open neighbours first (Cuthill and McKee)."""
    of_item: list[list[int]] = [[] for _ in range(count)]
    for e, edge in enumerate(edges):
        for item in edge:
            of_item[item].append(e)
    found: dict[int, None] = {}
    for first in (start, *range(count)):
        if first in found:
            continue
        found[first] = None
        queue = [first]
        for item in queue:
            near = {other for e in of_item[item] for other in edges[e] if other not in found}
            for other in sorted(near, key=lambda o: (len(of_item[o]), o)):
                found[other] = None
                queue.append(other)
    return list(found)


def greedy(count: int, edges: Sequence[Sequence[int]]) -> list[int]:
    """One item after the other, that which closes the most edges for the fewest it opens (after A. Noack, 1999)."""
    of_item: list[list[int]] = [[] for _ in range(count)]
    for e, edge in enumerate(edges):
        for item in edge:
            of_item[item].append(e)
    inside = [0] * len(edges)
    sizes = [len(edge) for edge in edges]
    left = dict.fromkeys(range(count))
    gain = [0.0] * count
    for item in range(count):
        gain[item] = -sum(1.0 / sizes[e] for e in of_item[item])
    order = []
    near: dict[int, None] = {}
    while left:
        item = max(near or left, key=gain.__getitem__)
        del left[item]
        near.pop(item, None)
        order.append(item)
        for e in of_item[item]:
            before = inside[e]
            inside[e] += 1
            for other in edges[e]:
                if other in left:
                    near[other] = None
                    # an open edge pulls: the more of it is inside, the harder
                    gain[other] += (2.0 if before == 0 else 1.0) / sizes[e] + (inside[e] == sizes[e] - 1)
    return order


def sloan(count: int, edges: Sequence[Sequence[int]]) -> list[int]:
    """The items so that few are begun and not finished at any point, from one far end of the graph to the other.

    S. W. Sloan (1989), "A FORTRAN program for profile and wavefront reduction": next comes an item near to what has come
    that is far from the end and begins few others. O(pins * _WIDEST * log count).
    """
    near: list[dict[int, None]] = [{} for _ in range(count)]
    for edge in edges:
        if len(edge) <= _WIDEST:
            for item in edge:
                near[item].update(dict.fromkeys(edge))
    for item, row in enumerate(near):
        row.pop(item, None)
    order: list[int] = []
    done = [False] * count
    for first in sorted(range(count), key=lambda item: len(near[item])):
        if not done[first]:
            _wave(near, *_ends(near, first), order, done)
    return order


def _far(near: Sequence[dict[int, None]], start: int) -> tuple[dict[int, int], int]:
    """(distances from an item, one of those farthest from it, with few neighbours)."""
    found = {start: 0}
    queue = [start]
    for item in queue:
        for other in near[item]:
            if other not in found:
                found[other] = found[item] + 1
                queue.append(other)
    most = found[queue[-1]]
    return found, min((item for item in queue if found[item] == most), key=lambda item: len(near[item]))


def _ends(near: Sequence[dict[int, None]], start: int) -> tuple[int, dict[int, int]]:
    """(an item at one far end of what is joined to this one, distances from the other far end)."""
    distance, end = _far(near, start)
    for _ in range(4):
        back, other = _far(near, end)
        if back[other] <= distance[end]:
            return start, back
        start, distance, end = end, back, other
    return start, _far(near, end)[0]


def _wave(
    near: Sequence[dict[int, None]], start: int, ahead: dict[int, int], order: list[int], done: list[bool]
) -> None:
    """Append what is joined to `start`; `ahead` are the distances from the other end."""
    priority = {item: ahead[item] - 2 * (len(near[item]) + 1) for item in ahead}
    active: set[int] = set()  # has a neighbour that has come
    heap = [(-priority[start], start)]

    def raised(item: int) -> None:
        priority[item] += 2
        heappush(heap, (-priority[item], item))

    while heap:
        least, item = heappop(heap)
        if done[item] or -least != priority[item]:
            continue  # raised since, or taken
        if item not in active:
            for other in near[item]:
                if not done[other]:
                    raised(other)
        done[item] = True
        order.append(item)
        for other in near[item]:
            if not done[other] and other not in active:
                active.add(other)
                raised(other)
                for beyond in near[other]:
                    if not done[beyond]:
                        raised(beyond)
