"""All minimal siphons, and all minimal traps, as far as a bounded amount of work goes: there can be exponentially many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

    from placet.net.core import Net

MOST = 200
MOST_WORK = 300_000
MOST_PLACES = 4_000  # sets are kept as bits; no list of siphons of a larger net would be read


class Sets(NamedTuple):
    """Sets of places, each minimal; all there are if `complete`."""

    found: tuple[tuple[int, ...], ...]
    complete: bool


def minimal_siphons(net: Net, most: int = MOST, most_work: int = MOST_WORK) -> Sets:
    """The siphons that contain no smaller one, by size, of a net without inhibitor and reset arcs.

    For each place those that contain it and none before it: while some transition gives to the set and takes nothing from it,
    one of the places that it takes from must be in the set too, and each is tried, without those tried before. A minimal
    siphon is met where at every such transition the first of its own places is taken. O(`most_work`) sets are looked at.
    """
    inputs = [tuple(dict.fromkeys(p for p, _ in (*pre, *read))) for pre, read in zip(net.pre, net.read, strict=True)]
    return _sets(net.producers(), inputs, len(net.places), most, most_work)


def minimal_traps(net: Net, most: int = MOST, most_work: int = MOST_WORK) -> Sets:
    """The traps that contain no smaller one: siphons of the net with its arcs turned round."""
    outputs = [
        tuple(dict.fromkeys(p for p, _ in (*post, *read))) for post, read in zip(net.post, net.read, strict=True)
    ]
    return _sets(net.consumers(), outputs, len(net.places), most, most_work)


def _sets(givers: list[list[int]], inputs: list[tuple[int, ...]], count: int, most: int, most_work: int) -> Sets:
    if count > MOST_PLACES:
        return Sets((), complete=False)
    found: list[int] = []  # as sets of bits
    masks = [sum(1 << p for p in some) for some in inputs]
    work = 0
    for first in range(count):
        stack = [
            (1 << first, (1 << first) - 1, tuple(givers[first]))
        ]  # the set, what is forbidden, transitions to look at
        while stack:
            inside, forbidden, open_ = stack.pop()
            work += 1
            if work > most_work or len(found) > 20 * most:
                return Sets(_minimal(found)[:most], complete=False)
            while open_ and masks[open_[-1]] & inside:
                open_ = open_[:-1]
            if not open_:
                if all(known & ~inside for known in found):
                    found.append(inside)
                continue
            branches = []
            for p in inputs[open_[-1]]:
                if not forbidden >> p & 1:
                    branches.append((inside | 1 << p, forbidden, (*open_[:-1], *givers[p])))
                    forbidden |= 1 << p
            stack += reversed(branches)
    shown = _minimal(found)
    return Sets(shown[:most], len(shown) <= most)


def _minimal(found: list[int]) -> tuple[tuple[int, ...], ...]:
    kept: list[int] = []
    for some in sorted(found, key=lambda bits: (bits.bit_count(), bits)):
        if all(known & ~some for known in kept):
            kept.append(some)
    return tuple(tuple(p for p in range(some.bit_length()) if some >> p & 1) for some in kept)


def greatest_trap(net: Net, places: Collection[int]) -> frozenset[int]:
    """The greatest trap within a set of places, perhaps empty. O(places times arcs)."""
    inside = set(places)
    changed = True
    while changed:
        changed = False
        for pre, post, read in zip(net.pre, net.post, net.read, strict=True):
            gives = any(p in inside for p, _ in (*post, *read))
            if not gives:
                for p, _ in pre:
                    if p in inside:
                        inside.discard(p)
                        changed = True
    return frozenset(inside)
