"""Structural classes of nets, for which theorems hold that do not hold for all.

All are about ordinary nets: weights of one, no read, inhibitor or reset arcs, no capacities. The preset of a place is the
set of transitions that put tokens on it, its postset those that take from it. The definitions are those of T. Murata,
"Petri nets: properties, analysis and applications", Proc. IEEE 77(4), 1989, section VI; free choice as in J. Desel and
J. Esparza, "Free Choice Petri Nets", 1995 (their definition 4.1 is `EXTENDED_FREE_CHOICE` here).
"""

from __future__ import annotations

from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placet.net.core import Net


class NetClass(Enum):
    """A class, with its definition."""

    MARKED_GRAPH = "every place has exactly one transition before it and one after it"
    S_NET = "every transition has exactly one place before it and one after it"
    FREE_CHOICE = "an arc from a place is the only one from that place, or the only one to its transition"
    EXTENDED_FREE_CHOICE = "places that share a transition after them share all"
    ASYMMETRIC_CHOICE = "of places that share a transition after them, one has all that the other has"


def classes(net: Net) -> frozenset[NetClass]:
    """The classes that a net belongs to; none where it is not ordinary. Linear, but for places that share transitions."""
    if not net.is_ordinary:
        return frozenset()
    consumers = [frozenset(ts) for ts in net.consumers()]
    producers = net.producers()
    found = set()
    if all(len(c) == 1 and len(p) == 1 for c, p in zip(consumers, producers, strict=True)):
        found.add(NetClass.MARKED_GRAPH)
    if all(len(pre) == 1 and len(post) == 1 for pre, post in zip(net.pre, net.post, strict=True)):
        found.add(NetClass.S_NET)
    if all(len(consumers[p]) == 1 or len(pre) == 1 for pre in net.pre for p, _ in pre):
        found.add(NetClass.FREE_CHOICE)
    shared = [[consumers[p] for p, _ in pre] for pre in net.pre]
    # places that share a transition are those of its preset, and equality carries over from one to the next
    if all(after == postsets[0] for postsets in shared for after in postsets):
        found.add(NetClass.EXTENDED_FREE_CHOICE)
    if all(_chain(postsets) for postsets in shared):
        found.add(NetClass.ASYMMETRIC_CHOICE)
    return frozenset(found)


def _chain(postsets: list[frozenset[int]]) -> bool:
    """Whether any two of the sets are comparable: sorted by size, each is part of the next."""
    ordered = sorted(postsets, key=len)
    return all(small <= large for small, large in pairwise(ordered))
