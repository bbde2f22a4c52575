"""Constant places: a place that every transition leaves as it was, with enough tokens for all.

Every arc into `p` comes with an arc of the same weight out of it, and the initial tokens serve the heaviest of them; an
isolated place is the plainest case. Then `m(p) = m0(p)` always and `p` never keeps a transition from firing. `p` goes.
Murata 1989, section IV, fig. 22e (self-loop places); Berthelot 1987.

Preserves the reachability graph but for the component `p`. Predicates: `p` must be FREE, or ZERO or CHANNEL and empty. Bounds: `m0(p)`,
exactly; where it is asked it must be at most 1, so that the greatest bound of the rest tells whether the net is k-bounded,
for any k from 1. Lifting: the trace is the same. Account: the transitions are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.reduction.rule import Rule
from placet.analysis.reduction.work import CONSTANT, Asked

if TYPE_CHECKING:
    from placet.analysis.reduction.work import Work


def apply(work: Work, p: int) -> bool:
    """Drop `p` if it is constant and sufficient."""
    consumers, tokens = work.consumers[p], work.tokens[p]
    if work.producers[p] != consumers or any(w > tokens for w in consumers.values()):
        return False
    if (
        work.odd_place[p]
        or work.asked[p] > Asked.ZERO
        or (work.asked[p] and tokens)
        or (work.bounded[p] and tokens > 1)
    ):
        return False
    work.count("constant place")
    work.drop_place(p, CONSTANT, tokens, exact=True)
    return True


CONSTANT_PLACE = Rule("constant place", "Murata 1989, IV; Berthelot 1987", "place", 0, apply)
