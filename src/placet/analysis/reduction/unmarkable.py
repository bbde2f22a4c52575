"""Transitions that can never fire because one input place never has enough tokens.

No firing puts more than the initial `k` tokens on `p`: each of its producers takes at least as much from `p` as it gives
back, or needs more than `k` of them. Then `m(p) <= k` always, and consumers that need more than `k` go. For `k = 0` it
says that a place that only dead transitions could mark is a siphon that is empty from the start (Murata 1989, section
V; Desel and Esparza 1995, proposition 4.10).

Preserves everything: what goes never fires. Any arcs may touch `p`: a reset only takes tokens away, read and inhibitor arcs
move none, a capacity only forbids. Lifting: the trace is the same. Account: the dead ones stand for nothing that fires.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.reduction.rule import Rule

if TYPE_CHECKING:
    from placet.analysis.reduction.work import Work


def apply(work: Work, p: int) -> bool:
    """Drop the consumers of `p` that can never be served."""
    consumers, most = work.consumers[p], work.tokens[p]
    if not consumers:
        return False
    for t, given in work.producers[p].items():
        taken = consumers.get(t, 0)
        if taken < given and taken <= most:
            return False
    dead = [t for t, taken in consumers.items() if taken > most and not work.fixed[t]]
    for t in dead:
        work.count("unmarkable")
        work.drop_transition(t)
    return False


UNMARKABLE = Rule("unmarkable", "Desel, Esparza 1995", "place", 0, apply)
