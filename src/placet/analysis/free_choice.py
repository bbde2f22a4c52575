"""Free-choice nets: live and bounded decided by linear algebra, live by Commoner's theorem.

J. Desel and J. Esparza, "Free Choice Petri Nets", 1995. The rank theorem (6.17, and 5.8 for the marking): a connected
free-choice net is live and bounded under a marking if and only if a positive place invariant and a positive transition
invariant exist, the rank of its incidence matrix is the number of its clusters less one, and every siphon is marked.
Commoner's theorem (4.3): it is live if and only if every siphon contains a marked trap. Free choice is meant as there:
places that share a transition after them share all (`EXTENDED_FREE_CHOICE`).
"""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

from placet.analysis.invariants import semiflows
from placet.analysis.siphons import empty_siphon
from placet.net.classes import NetClass, classes
from placet.net.core import Net

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from placet.net.core import Arcs, Marking

LARGE = 500  # places: with more, linear programming comes first
MOST_ENTRIES = 3_000_000  # of rows that an elimination may write: a few seconds


def clusters(net: Net) -> list[tuple[frozenset[int], frozenset[int]]]:
    """The clusters, as places and transitions: what is connected by arcs from places to transitions. Linear."""
    parent = list(range(len(net.places) + len(net.transitions)))

    def root(of: int) -> int:
        while parent[of] != of:
            parent[of] = parent[parent[of]]
            of = parent[of]
        return of

    for t, arcs in enumerate(net.pre, start=len(net.places)):
        for p, _ in arcs:
            parent[root(p)] = root(t)
    members: dict[int, tuple[set[int], set[int]]] = {}
    for p in range(len(net.places)):
        members.setdefault(root(p), (set(), set()))[0].add(p)
    for t in range(len(net.transitions)):
        members.setdefault(root(len(net.places) + t), (set(), set()))[1].add(t)
    return [(frozenset(places), frozenset(transitions)) for places, transitions in members.values()]


def rank(net: Net, most_entries: int = MOST_ENTRIES) -> int | None:
    """The rank of the incidence matrix, exactly, by elimination with whole numbers; None where that takes too long."""
    rows: list[dict[int, int]] = []
    for pre, post in zip(net.pre, net.post, strict=True):
        row: dict[int, int] = {}
        for sign, arcs in ((-1, pre), (1, post)):
            for p, w in arcs:
                row[p] = row.get(p, 0) + sign * w
        rows.append({p: w for p, w in row.items() if w})
    pivots: dict[int, dict[int, int]] = {}
    written = 0
    for row in sorted(rows, key=len):
        at = dict(row)
        while at:
            known = next((p for p in at if p in pivots), None)
            if known is None:
                break
            pivot = pivots[known]
            mine, its = pivot[known], at[known]
            divisor = gcd(mine, its)
            mine, its = mine // divisor, its // divisor
            after = {p: mine * w for p, w in at.items()}
            for p, w in pivot.items():
                after[p] = after.get(p, 0) - its * w
            at = {p: w for p, w in after.items() if w}
            shared = gcd(*at.values()) if at else 1
            if shared > 1:
                at = {p: w // shared for p, w in at.items()}
            written += len(pivot) + len(at)
            if written > most_entries:
                return None
        if at:
            pivots[next(iter(at))] = at
    return len(pivots)


def transposed(net: Net) -> Net:
    """Places and transitions exchanged: its place invariants are the transition invariants of the net."""

    def side(arcs: Sequence[Arcs]) -> tuple[Arcs, ...]:
        found: list[list[tuple[int, int]]] = [[] for _ in net.places]
        for t, some in enumerate(arcs):
            for p, w in some:
                found[p].append((t, w))
        return tuple(map(tuple, found))

    none: tuple[Arcs, ...] = ((),) * len(net.places)
    return Net(net.transitions, net.places, side(net.pre), side(net.post), none, none, ((),) * len(net.places))


def covered(net: Net) -> bool | None:
    """Whether a place invariant exists that is positive everywhere; None where that was not found out."""
    large = len(net.places) > LARGE
    if large and _positive(net):
        return True
    flows = semiflows(net)
    inside = {p for flow in flows.found for p, _ in flow.weights}
    if len(inside) == len(net.places):
        return True
    if flows.complete:
        return False
    return True if not large and _positive(net) else None


def _positive(net: Net) -> bool:
    """Whether linear programming finds such an invariant."""
    from placet.analysis.weightings import positive_invariant

    columns: list[dict[int, int]] = []
    for pre, post in zip(net.pre, net.post, strict=True):
        column: dict[int, int] = {}
        for sign, arcs in ((-1, pre), (1, post)):
            for p, w in arcs:
                column[p] = column.get(p, 0) + sign * w
        columns.append({p: w for p, w in column.items() if w})
    return positive_invariant(columns, len(net.places))


def is_free_choice(net: Net) -> bool:
    """Whether the theorems of this module are about the net: free choice, connected, not empty."""
    return bool(net.places and net.transitions) and NetClass.EXTENDED_FREE_CHOICE in classes(net) and connected(net)


def connected(net: Net) -> bool:
    """Whether arcs, whatever their direction, connect everything. Linear."""
    count = len(net.places)
    beside: list[set[int]] = [set() for _ in range(count + len(net.transitions))]
    for t, (pre, post) in enumerate(zip(net.pre, net.post, strict=True), start=count):
        for p, _ in (*pre, *post):
            beside[p].add(t)
            beside[t].add(p)
    seen, todo = {0}, [0]
    while todo:
        for other in beside[todo.pop()]:
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return len(seen) == len(beside)


def well_formed(net: Net) -> bool | None:
    """Whether some marking makes a free-choice net live and bounded; None where that was not found out."""
    size = rank(net)
    if size is not None and size != len(clusters(net)) - 1:
        return False
    places = covered(net)
    if places is False:
        return False
    transitions = covered(transposed(net))
    if transitions is False:
        return False
    return None if size is None or places is None or transitions is None else True


def live_and_bounded(net: Net, initial: Marking) -> bool | None:
    """Whether a free-choice net is live and bounded, by the rank theorem; None for other nets, or where it takes too long.

    Polynomial: an elimination, and two sets of invariants whose work is bounded.
    """
    if not is_free_choice(net):
        return None
    if empty_siphon(net, initial):
        return False
    return well_formed(net)


def live(net: Net, initial: Marking, siphons: Iterable[Collection[int]]) -> bool:
    """Whether a free-choice net is live, by Commoner's theorem, from all its minimal siphons."""
    from placet.analysis.siphon_list import greatest_trap

    return all(any(initial[p] for p in greatest_trap(net, siphon)) for siphon in siphons)


def short_circuited(net: Net, start: int, ends: Sequence[int]) -> Net:
    """The net with a transition from each end back to the start: live and bounded exactly where the workflow net is sound.

    W.M.P. van der Aalst, "The application of Petri nets to workflow management", 1998, theorem 11; with several ends, of
    which one is reached, the same proof holds.
    """
    count = len(ends)
    none: tuple[Arcs, ...] = ((),) * count
    return net._replace(
        transitions=(*net.transitions, *(f"{net.places[end]}#again" for end in ends)),
        pre=(*net.pre, *(((end, 1),) for end in ends)),
        post=(*net.post, *(((start, 1),) for _ in ends)),
        read=net.read + none,
        inhibit=net.inhibit + none,
        reset=net.reset + ((),) * count,
    )
