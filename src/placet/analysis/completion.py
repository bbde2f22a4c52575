"""Option to complete and proper completion, the two halves of weak soundness.

Whatever has happened, a final marking can still be reached; and an end is reached only when nothing else is left to do.
Both are relative to the final markings of `net/final.py`. Fault transitions may happen, but "can still be reached" does
not rely on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.passes import Asks, Pass
from placet.engines.protocol import Needs
from placet.evidence import Holds, Inconclusive, NoReturn, Proof, Reach, Reaches, Strands, Verdict, Violated
from placet.logic.state import And, Dead, Not
from placet.net.final import PlaceClass

if TYPE_CHECKING:
    from placet.analysis.subject import Subject
    from placet.compiled import Query
    from placet.logic.state import Predicate

NO_FINAL = Inconclusive("the model has no end, so that there is nothing to complete", "theory")


def stuck(subject: Subject) -> And:
    """No transition but faults is enabled, and the marking is not final."""
    return And((Dead(subject.faults), Not(subject.goal)))


def left_over(subject: Subject, state: tuple[int, ...]) -> tuple[int, ...]:
    """The marked places that should be empty at the end: what the message should name."""
    kinds = (PlaceClass.CONTROL, PlaceClass.CHANNEL)
    pending = subject.places(*kinds) - frozenset(subject.compiled.final.ends)
    return tuple(p for p in sorted(pending) if state[p])


class OptionToComplete:
    """From every reachable marking a final marking is reachable: AG EF final."""

    existential = True
    cuts_sinks = True

    def asks(self, subject: Subject, query: Query) -> Asks | Inconclusive:
        """The final markings, with all edges, and dead ends before them."""
        if not subject.has_final:
            return NO_FINAL
        return Asks(
            ((subject.goal, Needs.EDGES), (stuck(subject), Needs.FIRST)), final=True, transitions=subject.faults
        )

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by the first state that cannot complete, in breadth-first order."""
        doomed = seen.doomed(subject.goal)
        state = doomed.find(1)
        if state < 0:
            state = seen.first(stuck(subject))
        if state < 0:
            return Holds(seen.proof("every state leads to a final one")) if seen.complete else None
        trace = seen.trace(state)
        return Violated(
            Strands(subject.final),
            NoReturn(trace, seen.closed(state)),
            seen.proof(),
            culprits=left_over(subject, subject.end_state(trace)),
        )


class ProperCompletion:
    """Whenever some end is marked the marking is final, but for messages on their way: one end, no control, resources back."""

    existential = False
    cuts_sinks = True

    def asks(self, subject: Subject, query: Query) -> Asks | Inconclusive:
        """An end is marked and something is left over."""
        if not subject.has_final:
            return NO_FINAL
        if subject.compiled.final.any_sink:
            return Asks()
        return Asks(((self._bad(subject), Needs.FIRST),), final=True)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by the first such marking."""
        if subject.compiled.final.any_sink:
            return Holds(Proof("none", argument="a run may reach several ends"), vacuous="a run may reach several ends")
        state = seen.first(self._bad(subject))
        if state < 0:
            return Holds(seen.proof("no end is reached early")) if seen.complete else None
        trace = seen.trace(state)
        culprits = left_over(subject, subject.end_state(trace))
        return Violated(Reaches(self._bad(subject)), Reach(trace), seen.proof(), culprits=culprits)

    @staticmethod
    def _bad(subject: Subject) -> Predicate:
        return subject.compiled.final.early(subject.compiled.initial)


OPTION_TO_COMPLETE = OptionToComplete()
PROPER_COMPLETION = ProperCompletion()
