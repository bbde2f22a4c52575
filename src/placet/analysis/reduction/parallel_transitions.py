"""Parallel transitions: of transitions with the same arcs one is enough.

`t` and `u` have the same input, output, read, inhibitor and reset arcs, and neither is fixed (an observer of the one that
stays would count what the other may do instead); `u` goes. Murata 1989, section IV, fig. 22d; Berthelot 1987.

Preserves the reachable markings, which of them follow which, and the dead ones: nothing is lost but the name on an edge.
Lifting: the trace is the same. Account: `u` can fire exactly when `t` can, wherever `t` can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.reduction.rule import Rule

if TYPE_CHECKING:
    from placet.analysis.reduction.work import Work


def apply(work: Work, t: int) -> bool:
    """Look `t` up in the table of transitions by their arcs; drop it if there is a twin."""
    if work.fixed[t]:
        return False
    pre, post = work.pre[t], work.post[t]
    side = work.side.get(t) if work.odd_transition[t] else None
    key = (
        tuple(pre.items()) if len(pre) < 2 else frozenset(pre.items()),
        tuple(post.items()) if len(post) < 2 else frozenset(post.items()),
        side,
    )
    twins = work.tables.setdefault("transitions", {}).setdefault(key, [])
    for u in twins:
        if u != t and not work.transition_gone[u] and work.pre[u] == pre and work.post[u] == post:
            work.count("parallel transitions")
            work.also.setdefault(work.stands_for[u], []).append(work.stands_for[t])
            work.drop_transition(t)
            return True
    twins[:] = [t]
    return False


PARALLEL_TRANSITIONS = Rule("parallel transitions", "Murata 1989, IV; Berthelot 1987", "transition", 1, apply)
