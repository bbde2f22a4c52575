"""The cone of influence: what can have no part in a run to a marking that is asked for.

Relevant are the transitions that change a place which a predicate asks for, those that are fixed, and those that put more than
they take on an input of a relevant one. The others go. A. Rakow 2008, "Slicing Petri nets with an application to workflow
verification", SOFSEM (there "safety slicing", 2012).

Preserves reachability of predicates over EXACT places and observers, and nothing else (`REACH`): leave the others out of
a run, and what is left can still fire, as they only take from the inputs of relevant transitions; places that are asked for
hold what they held. Conversely the sliced net's runs are runs. Refuses nets with read, inhibitor or reset arcs or capacities.
Lifting: the trace is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.reduction.rule import Rule
from placet.analysis.reduction.work import Asked

if TYPE_CHECKING:
    from placet.analysis.reduction.work import Work


def apply(work: Work, _: int) -> bool:
    """Drop all transitions outside of the cone; whether there are any. Linear in the arcs."""
    if any(work.odd_place) or any(work.odd_transition):
        return False
    pending = [p for p, kind in enumerate(work.asked) if kind != Asked.FREE and not work.place_gone[p]]
    asked = set(pending)
    seen, relevant = set(pending), set()
    fixed = [t for t, kind in enumerate(work.fixed) if kind and not work.transition_gone[t]]
    for t in fixed:
        relevant.add(t)
        for q in work.pre[t]:
            if q not in seen:
                seen.add(q)
                pending.append(q)
    while pending:
        p = pending.pop()
        consumers, producers = work.consumers[p], work.producers[p]
        those = [t for t, w in producers.items() if w > consumers.get(t, 0)]
        if p in asked:
            those += [t for t, w in consumers.items() if w > producers.get(t, 0)]
        for t in those:
            if t not in relevant:
                relevant.add(t)
                for q in work.pre[t]:
                    if q not in seen:
                        seen.add(q)
                        pending.append(q)
    others = [t for t in range(len(work.pre)) if not work.transition_gone[t] and t not in relevant]
    for t in others:
        work.count("cone")
        work.drop_transition(t)
    return bool(others)


CONE = Rule("cone", "Rakow 2008", "net", 9, apply)
