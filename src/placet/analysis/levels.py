"""Which places share a level of a diagram, and in which order the levels stand.

An invariant of ones with one token says that at most one of its places is marked: together they have one local state
more than places, where apart they have two each. Places that always change together, or oppositely, share a level too.
All of this is only a matter of size: the local states of a level are those that are met.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from placet.analysis.invariants import semiflows
from placet.engines.diagrams.order import breadth, cost, force, greedy, sloan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from placet.analysis.invariants import Semiflow
    from placet.net.core import Marking, Net
    from placet.net.observer import Observer

Levels = list[tuple[int, ...]]  # the lowest first

_WORK = 400_000  # of the search for invariants


def candidates(net: Net, initial: Marking, observers: Sequence[Observer] = ()) -> Iterator[Levels]:
    """Levels of all that changes, the most promising first; each is found when it is asked for."""
    changes = _changes(net)
    moving = sorted({p for row in changes for p in row} | {p for emptied in net.reset for p in emptied})
    counting = [(len(net.places) + o,) for o in range(len(observers))]
    flows = semiflows(net, most_work=_WORK).found
    by_component = _merged(net, changes, moving, _components(flows, initial, frozenset(moving))) + counting
    by_place = _merged(net, changes, moving, []) + counting
    seen: set[tuple[tuple[int, ...], ...]] = set()
    for groups in (by_component, by_place):
        if groups is by_place and sorted(by_place) == sorted(by_component):
            return
        for found in _orders(net, groups, observers, flows):
            if tuple(found) not in seen:
                seen.add(tuple(found))
                yield found


def _orders(net: Net, groups: Levels, observers: Sequence[Observer], flows: Sequence[Semiflow]) -> Iterator[Levels]:
    edges, count = _edges(net, groups, observers), len(groups)
    file = sorted(range(count), key=lambda g: min(groups[g]))

    def turned(order: list[int]) -> Levels:
        back = order[::-1]
        return [groups[g] for g in (order if cost(order, edges)[1] <= cost(back, edges)[1] else back)]

    yield turned(force(count, edges, file))
    yield turned(greedy(count, edges))
    # what an invariant joins is pulled together too (E. Amparore, G. Ciardo, S. Donatelli, A. Miner 2017, "Gradient-based
    # variable ordering of decision diagrams for systems with structural units", ATVA)
    wave = sloan(count, edges)
    yield turned(force(count, edges + _joined(groups, flows), wave))
    yield turned(wave)
    yield turned(force(count, edges, breadth(count, edges, file[0])) if count else [])
    yield turned(file)


def _joined(groups: Levels, flows: Sequence[Semiflow]) -> list[tuple[int, ...]]:
    """The groups that an invariant joins."""
    at = {slot: g for g, group in enumerate(groups) for slot in group}
    found = {tuple(sorted({at[p] for p, _ in flow.weights if p in at})): None for flow in flows}
    return [edge for edge in found if len(edge) > 1]


def _changes(net: Net) -> list[dict[int, int]]:
    """By transition, what it adds to each place that it changes."""
    found = []
    for pre, post in zip(net.pre, net.post, strict=True):
        row = dict(post)
        for p, w in pre:
            row[p] = row.get(p, 0) - w
        found.append({p: w for p, w in row.items() if w})
    return found


def _components(flows: Sequence[Semiflow], initial: Marking, moving: frozenset[int]) -> Levels:
    """Disjoint sets of places of which at most one is marked, the largest first."""
    sets = [
        tuple(p for p, _ in flow.weights if p in moving)
        for flow in flows
        if all(w == 1 for _, w in flow.weights) and flow.total(initial) == 1
    ]
    heap = [(-len(places), number) for number, places in enumerate(sets)]
    heapify(heap)
    taken: set[int] = set()
    found = []
    while heap:
        size, number = heappop(heap)
        left = tuple(p for p in sets[number] if p not in taken)
        if len(left) < 2:
            continue
        if len(left) < -size:
            sets[number] = left
            heappush(heap, (-len(left), number))
            continue
        taken.update(left)
        found.append(left)
    return found


def _merged(net: Net, changes: list[dict[int, int]], moving: Sequence[int], groups: Levels) -> Levels:
    """The groups, and all other places, those whose changes are the same or opposite in one of them."""
    rows: dict[int, list[tuple[int, int]]] = {p: [] for p in moving}
    for t, row in enumerate(changes):
        for p, w in row.items():
            rows[p].append((t, w))
    emptied = {p for row in net.reset for p in row}
    made = [list(group) for group in groups]
    of_place = {p: g for g, group in enumerate(made) for p in group}
    alike: dict[tuple[tuple[int, int], ...], int] = {}

    def shape(p: int) -> tuple[tuple[int, int], ...]:
        if p in emptied:
            return ((-1, p),)
        return min(tuple(rows[p]), tuple((t, -w) for t, w in rows[p]))

    for p, g in of_place.items():
        alike.setdefault(shape(p), g)
    for p in moving:
        if p not in of_place:
            g = alike.setdefault(shape(p), len(made))
            if g == len(made):
                made.append([])
            made[g].append(p)
    return [tuple(group) for group in made]


def _edges(net: Net, groups: Levels, observers: Sequence[Observer]) -> list[tuple[int, ...]]:
    """The groups that a transition joins, where it joins several; each set once."""
    at = {slot: g for g, group in enumerate(groups) for slot in group}
    counted: dict[int, list[int]] = {}
    for o, observer in enumerate(observers):
        for t, _ in observer.deltas:
            counted.setdefault(t, []).append(at[len(net.places) + o])
    found: dict[tuple[int, ...], None] = {}
    for t in range(len(net.transitions)):
        joined = {at[p] for side in (net.pre, net.post, net.read, net.inhibit) for p, _ in side[t] if p in at}
        joined.update(at[p] for p in net.reset[t])
        joined.update(counted.get(t, ()))
        if len(joined) > 1:
            found[tuple(sorted(joined))] = None
    return list(found)
