"""Shortcuts: a transition that does at once what two others do one after the other.

`t` is not fixed; `a` has the same inputs as `t`, `b` takes nothing but what `a` puts out, and `a` then `b` changes a marking
as `t` does. None of the three has a read, inhibitor or reset arc or puts out to a place with one or with a capacity, and
`a` and `b` are not fixed. `t` goes. It is the smallest case of the nonnegative linearly dependent transition (rule phi_T of
Desel and Esparza 1995, chapter 7), with a firing sequence in place of the linear combination, so that no free choice is
needed.

Preserves the reachable markings, which can be reached from which, and the dead ones (`a` can fire whenever `t` can); the
marking between `a` and `b` was reachable before. Lifting: the trace is the same. Account: `t` can fire exactly when `a` can.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from placet.analysis.reduction.rule import Rule

if TYPE_CHECKING:
    from placet.analysis.reduction.work import Work

CANDIDATES = 8  # transitions looked at for each place: keeps the rule linear


def apply(work: Work, t: int) -> bool:
    """Drop `t` if two others do its work."""
    pre = work.pre[t]
    if not pre or work.fixed[t] or work.odd_transition[t]:
        return False
    rivals = min((work.consumers[p] for p in pre), key=len)
    if len(rivals) < 2:
        return False
    for a in islice(rivals, CANDIDATES):
        if a != t and work.pre[a] == pre and not work.fixed[a] and work.unconditional(a) and _completed(work, t, a):
            work.count("shortcut transition")
            work.also.setdefault(work.stands_for[a], []).append(work.stands_for[t])
            work.drop_transition(t)
            return True
    return False


def _completed(work: Work, t: int, a: int) -> bool:
    """Whether some `b` after `a` gives what `t` gives."""
    between, wanted = work.post[a], work.post[t]
    for q in between:
        for b in islice(work.consumers[q], CANDIDATES):
            if b == t or work.fixed[b] or not work.unconditional(b):
                continue
            taken = work.pre[b]
            if any(between.get(p, 0) < w for p, w in taken.items()):
                continue
            after = {p: w - taken.get(p, 0) for p, w in between.items() if w > taken.get(p, 0)}
            for p, w in work.post[b].items():
                after[p] = after.get(p, 0) + w
            if after == wanted:
                return True
    return False


SHORTCUT_TRANSITION = Rule("shortcut transition", "Desel, Esparza 1995, chapter 7", "transition", 3, apply)
