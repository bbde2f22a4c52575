"""Sums of tokens that every firing lowers, so that each run comes to its end: by the order of the places, else by linear programming."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.certificate.closed import RefusedError
from placet.certificate.sums import dwindling
from placet.net.final import PlaceClass

if TYPE_CHECKING:
    from placet.compiled import Compiled

_BITS = 256  # of a weight
_PLACES = 5_000  # of a net that a linear program is made for


def dwindles(compiled: Compiled, aside: frozenset[int], until: float) -> list[tuple[int, int]] | None:
    """Weights of such a sum, which transitions aside may raise; None where none was found. Nearly linear, but for the last attempt."""
    classes = compiled.final.classes
    moving = {p for p, kind in enumerate(classes) if kind in (PlaceClass.CONTROL, PlaceClass.CHANNEL)}
    for places in (set(range(len(classes))), moving):
        found = _by_order(compiled, aside, places)
        if found is not None and _is_so(compiled, found, aside):
            return found
    found = _by_program(compiled, aside, until)
    return found if found is not None and _is_so(compiled, found, aside) else None


def _is_so(compiled: Compiled, weights: list[tuple[int, int]], aside: frozenset[int]) -> bool:
    try:
        dwindling(compiled, weights, aside)
    except RefusedError:
        return False
    return all(w.bit_length() <= _BITS for _, w in weights)


def _changes(compiled: Compiled, aside: frozenset[int]) -> list[dict[int, int]]:
    """By transition that is not aside, what it adds to which place."""
    found = []
    for t, arcs in enumerate(compiled.net.post):
        if t not in aside:
            change = dict(arcs)
            for p, w in compiled.net.pre[t]:
                change[p] = change.get(p, 0) - w
            found.append({p: w for p, w in change.items() if w})
    return found


def _by_order(compiled: Compiled, aside: frozenset[int], places: set[int]) -> list[tuple[int, int]] | None:
    """Each place weighs more than all that comes of a token on it; None where something comes of itself. The others weigh nothing."""
    changes = [{p: w for p, w in change.items() if p in places} for change in _changes(compiled, aside)]
    takes: dict[int, list[dict[int, int]]] = {}
    for change in changes:
        for p, w in change.items():
            if w < 0:
                takes.setdefault(p, []).append(change)
    weights: dict[int, int] = {}
    begun: set[int] = set()
    for first in places:
        stack = [first]
        while stack:
            p = stack[-1]
            if p in weights:
                stack.pop()
                continue
            left = [q for change in takes.get(p, ()) for q, w in change.items() if w > 0 and q not in weights]
            if not left:
                gains = [1 + sum(w * weights[q] for q, w in change.items() if w > 0) for change in takes.get(p, ())]
                weights[p] = max(gains, default=0)
                stack.pop()
            elif p in begun:
                return None
            else:
                begun.add(p)
                stack += left
    return sorted((p, w) for p, w in weights.items() if w)


def _by_program(compiled: Compiled, aside: frozenset[int], until: float) -> list[tuple[int, int]] | None:
    from placet.analysis.weightings import dwindling as found_by_program

    if len(compiled.net.places) > _PLACES:
        return None
    found = found_by_program(_changes(compiled, aside), len(compiled.net.places), until)
    return None if found is None else [(p, w) for p, w in enumerate(found) if w]
