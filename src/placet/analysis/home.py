"""Reversibility and home spaces: what can be got back to, whatever has happened.

A set of markings is a home space where from every reachable marking some marking of the set is reachable; a home marking
is one alone, and a net is reversible where its initial marking is one (T. Murata, "Petri nets: properties, analysis and
applications", Proc. IEEE 77(4), 1989, section IV.D). Faults may happen, but no way back relies on them. Observers only
watch: the initial marking is reached again whatever they have counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.passes import Asks, Pass
from placet.engines.protocol import Needs
from placet.evidence import Holds, NoReturn, Strands, Verdict, Violated
from placet.logic.state import And, Linear

if TYPE_CHECKING:
    from placet.analysis.subject import Subject
    from placet.compiled import Query
    from placet.logic.state import Predicate
    from placet.net.core import Marking


def exactly(marking: Marking) -> Predicate:
    """The predicate that holds in one marking only. O(places)."""
    held = [Linear(((p, 1),), "==", tokens) for p, tokens in enumerate(marking) if tokens]
    empty = tuple((p, 1) for p, tokens in enumerate(marking) if not tokens)
    return And((*held, *((Linear(empty, "==", 0),) if empty else ())))


class Home:
    """AG EF goal, where the goal is the condition of the query, or else the initial marking."""

    existential = True
    cuts_sinks = False

    @staticmethod
    def _goal(subject: Subject, query: Query) -> Predicate:
        return exactly(subject.compiled.initial) if query.predicate is None else query.predicate

    def asks(self, subject: Subject, query: Query) -> Asks:
        """The goal with all edges, of the net as it is: reductions forget the markings in between."""
        return Asks(((self._goal(subject, query), Needs.EDGES),), transitions=subject.faults, reducible=False)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by the first state that cannot get back, in breadth-first order."""
        goal = self._goal(subject, query)
        state = seen.doomed(goal).find(1)
        if state < 0:
            return Holds(seen.proof("there is a way back from every state")) if seen.complete else None
        return Violated(Strands(goal), NoReturn(seen.trace(state), seen.closed(state)), seen.proof())


HOME = Home()
