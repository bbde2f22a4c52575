"""Free agglomeration: transitions that only prepare a token are put off until it is taken, whatever else wants their inputs.

`x` is empty at first; its producers H put out one token, on `x`, and take something, from places that no predicate asks for;
consumers F take one token from `x` and give none back. Each pair of `h` and `f` becomes one transition; `x` and H go. It is
pre-agglomeration without the condition that nobody else takes from the inputs of H. Y. Thierry-Mieg 2020, "Structural
reductions revisited", Petri nets, rule "free agglomeration".

Preserves reachability of predicates over EXACT places and observers, and nothing else (of the rules for it: `REACH`). Every
run of the reduced net is one of the original. Take a run of the original to a marking with phi, move each `h` to just before
the `f` that takes its token, and leave out those whose token nobody takes: until then their inputs hold more tokens than
before, which disables nothing, and `x` has no other use. The marking at the end differs in `x` and in inputs of H, for which phi
does not ask. Deadlocks are not preserved: an `h` can take a token away from others and lead nowhere.

Lifting: the new transition becomes `h` then `f`. `x` is left empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.reduction.rule import Rule
from placet.analysis.reduction.work import UNKNOWN, Asked

if TYPE_CHECKING:
    from placet.analysis.reduction.work import Work

GROWTH = 6  # transitions that one application may add, in return for a place and what lies between


def apply(work: Work, x: int) -> bool:
    """Melt `x` into pairs of its producers and consumers."""
    producers, consumers = work.producers[x], work.consumers[x]
    if work.tokens[x] or work.odd_place[x] or work.asked[x] != Asked.FREE or work.bounded[x]:
        return False
    if not producers or not consumers or len(producers) * len(consumers) > len(producers) + len(consumers) + GROWTH:
        return False
    if not work.silent(producers) or not work.silent(consumers):
        return False
    if any(w != 1 for w in consumers.values()) or any(x in work.post[f] for f in consumers):
        return False
    for h in producers:
        if work.post[h] != {x: 1} or not work.pre[h]:
            return False
        if any(work.asked[p] != Asked.FREE or work.odd_place[p] for p in work.pre[h]):
            return False
    work.count("free agglomeration")
    for h, f in [(h, f) for h in producers for f in consumers]:
        pre = {p: w for p, w in work.pre[f].items() if p != x}
        for p, w in work.pre[h].items():
            pre[p] = pre.get(p, 0) + w
        number = work.sequence(work.stands_for[h], work.stands_for[f])
        work.new_transition(pre, dict(work.post[f]), number, work.label[f])
    for t in (*producers, *consumers):
        work.drop_transition(t)
    work.drop_place(x, UNKNOWN, 0, exact=False)
    return True


FREE_AGGLOMERATION = Rule("free agglomeration", "Thierry-Mieg 2020", "place", 4, apply)
