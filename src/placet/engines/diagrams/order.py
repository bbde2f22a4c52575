"""Static orders of levels: transitions should concern levels that lie close together, and low.

F. Aloul, I. Markov, K. Sakallah (2003), "FORCE: a fast and easy-to-implement variable-ordering heuristic", GLSVLSI: each
edge pulls what it joins to its centre of gravity, and what is joined is sorted by the mean of the centres, until the spans
shrink no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROUNDS = 60
_PATIENCE = 8  # rounds without a better order


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
