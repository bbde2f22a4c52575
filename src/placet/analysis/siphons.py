"""Siphons: sets of places that stay empty once they are empty.

A set S is a siphon where every transition that puts a token on S takes one from S, or needs one there. An initially
unmarked siphon stays so, and every transition that takes from it or reads it is dead (Commoner 1972; Murata 1989).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placet.net.core import Marking, Net


def empty_siphon(net: Net, initial: Marking) -> frozenset[int]:
    """The greatest initially unmarked siphon, perhaps empty. O(arcs)."""
    inputs = [{p for p, _ in net.pre[t]} | {p for p, _ in net.read[t]} for t in range(len(net.transitions))]
    inside = {p for p, tokens in enumerate(initial) if tokens == 0}
    readers: list[list[int]] = [[] for _ in net.places]
    for t, places in enumerate(inputs):
        for p in places:
            readers[p].append(t)
    held = [sum(1 for p in places if p in inside) for places in inputs]
    ready = [t for t, count in enumerate(held) if count == 0]
    while ready:
        for p, _ in net.post[ready.pop()]:
            if p in inside:
                inside.discard(p)
                for t in readers[p]:
                    held[t] -= 1
                    if held[t] == 0:
                        ready.append(t)
    return frozenset(inside)


def smaller(net: Net, siphon: frozenset[int], wanted: int) -> tuple[int, ...]:
    """A siphon within `siphon` that holds the place `wanted`, which comes first: why no token ever arrives there."""
    producers = net.producers()
    chosen = [wanted]
    have = {wanted}
    for p in chosen:
        for t in producers[p]:
            inputs = [q for q, _ in (*net.pre[t], *net.read[t]) if q in siphon]
            if have.isdisjoint(inputs):
                have.add(inputs[0])
                chosen.append(inputs[0])
    return tuple(chosen)
