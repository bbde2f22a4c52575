"""Redundant places: a place that always has enough tokens whenever one other place has.

`p` never has less than `m(q) + c`, `c = m0(p) - m0(q)`, because no transition changes `p` by less than it changes `q`; and
no transition takes more from `p` than it takes from `q`, plus `c`. Then `p` never keeps a transition from firing, and
goes. It is the redundant place of Berthelot (1986, "Checking properties of nets using transformations") with one place in
its reference set, and with none: `p` never loses tokens and has enough from the start.

Preserves the reachability graph but for the component `p`. Predicates: `p` must be FREE; or every transition changes `p`
and `q` alike, `c = 0` and both are ZERO or CHANNEL, `p` not ZERO alone, so that they are empty together. Bounds: that of `p` is that of `q` plus `c` where
all changes are alike, and is not known otherwise; where it is asked they must be alike, `c = 0`, and that of `q` asked.
Lifting: the trace is the same. Account: the transitions are the same.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from placet.analysis.reduction.rule import Rule
from placet.analysis.reduction.work import UNKNOWN, Asked

if TYPE_CHECKING:
    from placet.analysis.reduction.work import Work

CANDIDATES = 8  # places looked at for each place: keeps the rule linear


def apply(work: Work, p: int) -> bool:
    """Drop `p` if it never decides anything."""
    if work.odd_place[p] or work.asked[p] > Asked.ZERO:
        return False
    if not work.asked[p] and not work.bounded[p] and _never_short(work, p):
        work.count("redundant place")
        work.drop_place(p, UNKNOWN, 0, exact=False)
        return True
    consumers = work.consumers[p]
    if not consumers:
        return False
    narrow = min(consumers, key=lambda t: len(work.pre[t]))
    for q in islice(work.pre[narrow], CANDIDATES + 1):
        if q != p and not work.odd_place[q] and _serves(work, p, q):
            alike = _alike(work, p, q)
            c = work.tokens[p] - work.tokens[q]
            if (work.asked[p] or work.bounded[p]) and not (alike and c == 0):
                continue
            if (work.asked[p] and not work.asked[p] <= work.asked[q] <= Asked.ZERO) or (
                work.bounded[p] and not work.bounded[q]
            ):
                continue
            work.count("redundant place")
            work.drop_place(p, q if alike else UNKNOWN, c if alike else 0, exact=alike)
            return True
    return False


def _never_short(work: Work, p: int) -> bool:
    producers, tokens = work.producers[p], work.tokens[p]
    return all(w <= tokens and producers.get(t, 0) >= w for t, w in work.consumers[p].items())


def _serves(work: Work, p: int, q: int) -> bool:
    """Whether `p` has enough tokens for a transition whenever `q` has."""
    c = work.tokens[p] - work.tokens[q]
    taken_p, taken_q, given_p, given_q = work.consumers[p], work.consumers[q], work.producers[p], work.producers[q]
    for t, w in taken_p.items():
        from_q = taken_q.get(t, 0)
        if w > from_q + c or given_p.get(t, 0) - w < given_q.get(t, 0) - from_q:
            return False
    return all(t in taken_p or given_p.get(t, 0) >= w - taken_q.get(t, 0) for t, w in given_q.items())


def _alike(work: Work, p: int, q: int) -> bool:
    """Whether every transition changes `p` and `q` by the same."""
    taken_p, taken_q, given_p, given_q = work.consumers[p], work.consumers[q], work.producers[p], work.producers[q]
    return all(
        given_p.get(t, 0) - taken_p.get(t, 0) == given_q.get(t, 0) - taken_q.get(t, 0)
        for side in (taken_p, taken_q, given_p, given_q)
        for t in side
    )


REDUNDANT_PLACE = Rule("redundant place", "Berthelot 1986", "place", 3, apply)
