"""Deadlock: a marking that is not final and in which nothing can happen any more, faults aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.completion import stuck
from placet.analysis.passes import Asks, Pass
from placet.engines.protocol import Needs
from placet.evidence import Holds, Inconclusive, Reach, Reaches, Verdict, Violated
from placet.logic.state import And, Dead, Not

if TYPE_CHECKING:
    from placet.analysis.subject import Subject
    from placet.compiled import Query
    from placet.logic.state import Predicate


class DeadlockFree:
    """Every reachable marking is final or enables a transition that is no fault."""

    existential = False
    cuts_sinks = True

    def asks(self, subject: Subject, query: Query) -> Asks | Inconclusive:
        """A dead marking that is not final."""
        return Asks(((_goal(subject), Needs.FIRST),), final=subject.has_final, transitions=subject.faults)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by the first such marking."""
        state = seen.first(_goal(subject))
        if state < 0:
            return Holds(seen.proof("no situation is stuck")) if seen.complete else None
        trace = seen.trace(state)
        end = subject.end_state(trace)
        claim: Predicate = Dead(subject.faults)
        if subject.compiled.final.quiet:
            claim = _goal(subject)
        elif subject.has_final:
            claim = And((claim, Not(subject.final)))
        marked = tuple(p for p in range(len(subject.net.places)) if end[p])
        return Violated(Reaches(claim), Reach(trace), seen.proof(), culprits=marked)


def _goal(subject: Subject) -> Predicate:
    final = subject.compiled.final
    if final.quiet:  # a message that is left over holds nobody up; that it is left is for `all_consumed` to say
        return And((Dead(subject.faults), Not(final.predicate(subject.compiled.initial, in_flight=True))))
    return stuck(subject) if subject.has_final else Dead(subject.faults)


DEADLOCK_FREE = DeadlockFree()
