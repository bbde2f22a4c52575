"""Idle transitions: one that changes nothing, where another one can fire whenever it can.

`t` gives back what it takes, is not fixed, and there is a transition `u`, not visible, with the same inputs and no further condition.
`t` goes. Murata 1989, section IV, fig. 22f (self-loop transitions) asks for no `u`; then a marking in which only `t` can
fire would become a deadlock, and nothing would tell whether `t` can fire.

Preserves the reachable markings, which can be reached from which, and the dead ones (if `t` can fire, so can `u`, which no
predicate leaves out of account).
Lifting: the trace is the same. Account: `t` can fire exactly when `u` can.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from placet.analysis.reduction.rule import Rule

if TYPE_CHECKING:
    from placet.analysis.reduction.work import Work

CANDIDATES = 64  # transitions looked at for each transition: keeps the rule linear


def apply(work: Work, t: int) -> bool:
    """Drop `t` if it is idle and another one stands in for it."""
    pre = work.pre[t]
    if not pre or pre != work.post[t] or work.fixed[t] or work.odd_transition[t]:
        return False
    rivals = min((work.consumers[p] for p in pre), key=len)
    for u in islice(rivals, CANDIDATES + 1):
        if u != t and work.fixed[u] < 2 and work.pre[u] == pre and work.unconditional(u):
            work.count("idle transition")
            work.also.setdefault(work.stands_for[u], []).append(work.stands_for[t])
            work.drop_transition(t)
            return True
    return False


IDLE_TRANSITION = Rule("idle transition", "Murata 1989, IV", "transition", 1, apply)
