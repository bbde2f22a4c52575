"""Dominated transitions: one that never does more than another one, or than nothing.

`t` is not fixed, and no place holds more after it than before, those that a predicate asks for as many: then a run does as
well without it. Or there is a `u`, plain, that takes no more than `t` anywhere and changes no place by less, those that a
predicate asks for by the same: then `u` can fire wherever `t` can, and leaves as much. `t` goes. Y. Thierry-Mieg 2020,
"Structural reductions revisited", Petri nets, rules "sink transition" and "dominated transition".

Preserves reachability of predicates over EXACT places, and nothing else (`REACH`): more tokens on places that nobody asks
for, and that no inhibitor arc, reset or capacity looks at, disable nothing and make what follows possible all the more.
Lifting: the trace is the same.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from placet.analysis.reduction.rule import Rule
from placet.analysis.reduction.work import Asked

if TYPE_CHECKING:
    from placet.analysis.reduction.work import Work

CANDIDATES = 24  # transitions looked at for each transition: keeps the rule linear


def apply(work: Work, t: int) -> bool:
    """Drop `t` if nothing, or another transition, is as good."""
    if work.fixed[t] or work.odd_transition[t] or any(work.odd_place[p] for p in (*work.pre[t], *work.post[t])):
        return False
    pre, post = work.pre[t], work.post[t]
    change = {p: post.get(p, 0) - pre.get(p, 0) for p in {**pre, **post}}
    if all(c == 0 or (c < 0 and work.asked[p] == Asked.FREE) for p, c in change.items()):
        return _dropped(work, t)
    if not pre:
        return False
    rivals = min(
        (work.producers[p] for p, c in change.items() if c > 0), key=len, default=work.consumers[next(iter(pre))]
    )
    for u in islice(rivals, CANDIDATES):
        if u != t and not work.fixed[u] and work.unconditional(u) and _as_good(work, u, pre, change):
            return _dropped(work, t)
    return False


def _as_good(work: Work, u: int, pre: dict[int, int], change: dict[int, int]) -> bool:
    taken, given = work.pre[u], work.post[u]
    if any(w > pre.get(p, 0) for p, w in taken.items()) or any(work.odd_place[p] for p in taken):
        return False
    for p in {**change, **taken, **given}:
        mine, other = given.get(p, 0) - taken.get(p, 0), change.get(p, 0)
        if mine < other or (mine > other and work.asked[p] != Asked.FREE):
            return False
    return True


def _dropped(work: Work, t: int) -> bool:
    work.count("dominated transition")
    work.drop_transition(t)
    return True


DOMINATED_TRANSITION = Rule("dominated transition", "Thierry-Mieg 2020", "transition", 2, apply)
