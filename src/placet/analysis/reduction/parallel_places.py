"""Parallel places: of two places with the same arcs the one with more tokens says nothing that the other does not.

`p` and `q` have the same arcs with the same weights and `m0(p) = m0(q) + c`, `c >= 0`; then `m(p) = m(q) + c` always, and
`p` never keeps a transition from firing. `p` goes. Murata 1989, section IV, fig. 22c; Berthelot 1987.

Preserves the reachability graph: it stays the same but for the component `p`. Predicates: `p` must be FREE, or both ZERO
or CHANNEL, `p` not ZERO alone, and `c = 0`, so that they are empty together. Bounds: that of `p` is that of `q` plus `c`, exactly; where
it is asked, `c` must be 0 and that of `q` asked too, so that the greatest bound is still seen on the reduced net.
Lifting: the trace is the same. Account: the transitions are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.reduction.rule import Rule
from placet.analysis.reduction.work import Asked

if TYPE_CHECKING:
    from placet.analysis.reduction.work import Work


def apply(work: Work, p: int) -> bool:
    """Look `p` up in the table of places by their arcs; drop it or its twin."""
    if work.odd_place[p]:
        return False
    producers, consumers = work.producers[p], work.consumers[p]
    if not producers and not consumers:
        return False
    key = (frozenset(producers.items()), frozenset(consumers.items()))
    twins = work.tables.setdefault("places", {}).setdefault(key, [])
    current = []
    for q in twins:
        if q == p or work.place_gone[q] or work.producers[q] != producers or work.consumers[q] != consumers:
            continue
        current.append(q)
        for less, more in ((q, p), (p, q)):
            if _implied(work, less, more):
                work.count("parallel places")
                work.drop_place(more, less, work.tokens[more] - work.tokens[less], exact=True)
                twins[:] = [less]
                return more == p
    twins[:] = [*current, p]
    return False


def _implied(work: Work, less: int, more: int) -> bool:
    c = work.tokens[more] - work.tokens[less]
    if c < 0 or (work.bounded[more] and (c or not work.bounded[less])):
        return False
    return not work.asked[more] or (work.asked[more] <= work.asked[less] <= Asked.ZERO and c == 0)


PARALLEL_PLACES = Rule("parallel places", "Murata 1989, IV; Berthelot 1987", "place", 2, apply)
