"""What choreographies are asked: no message forgotten, nobody unheard, no handler that never runs, no half-done double write.

Messages lie in the queues and hands that `roles.deliveries` names; what the broker or the handler has dropped is kept in mind by
a place, `lost`. Faults may happen, but "in the end" does not rely on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.passes import Asks, Pass
from placet.analysis.predicates import NEVER
from placet.engines.protocol import Needs
from placet.evidence import (
    Certificate,
    Holds,
    Inconclusive,
    Never,
    NeverHolds,
    NoReturn,
    Proof,
    Reach,
    Reaches,
    Strands,
    Verdict,
    Violated,
)
from placet.logic.state import FALSE, Fireable, Linear, Or, at_least

if TYPE_CHECKING:
    from placet.analysis.subject import Subject
    from placet.compiled import Query
    from placet.net.roles import Delivery

NO_MESSAGES = Inconclusive("nobody in it sends messages to anybody, so there is nothing to ask", "theory")

UNSENT = Holds(Proof("structure", argument="nothing is published"), vacuous="nothing is published")


class AllConsumed:
    """From every reachable state one can be reached in which no message waits or is in hand, and none was lost.

    Since what is lost stays lost, this is AG EF of one state predicate.
    """

    existential = True
    cuts_sinks = True

    def asks(self, subject: Subject, query: Query) -> Asks | Inconclusive:
        """The states without messages, with all edges."""
        goal = self._goal(subject)
        if not goal.terms:
            return NO_MESSAGES
        places = frozenset(p for p, _ in goal.terms)
        goals = ((goal, Needs.EDGES), *((single, Needs.EDGES) for single in self._singles(subject)))
        return Asks(goals, places=places, transitions=subject.faults)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by a state from which some message is never consumed.

        The first state after which one certain queue is never empty again tells more than the first from which not all are:
        of the latter no message can be named, for those that wait there may all be dealt with, and others left.
        """
        goal = self._goal(subject)
        found = [(state, single) for single in self._singles(subject) if (state := seen.doomed(single).find(1)) >= 0]
        state, stays = min(found, key=lambda pair: pair[0]) if found else (seen.doomed(goal).find(1), None)
        if state < 0:
            return Holds(seen.proof("every message is dealt with in the end")) if seen.complete else None
        trace = seen.trace(state)
        end = subject.end_state(trace)
        culprits = tuple(p for p, _ in stays.terms if end[p]) if stays is not None else ()
        return Violated(Strands(goal), NoReturn(trace, seen.closed(state)), seen.proof(), culprits=culprits)

    @staticmethod
    def _goal(subject: Subject) -> Linear:
        return _empty(list(subject.compiled.roles.deliveries))

    @staticmethod
    def _singles(subject: Subject) -> list[Linear]:
        """That one queue is empty, and all hands that take from it."""
        queues: dict[frozenset[int], list[Delivery]] = {}
        for d in subject.compiled.roles.deliveries:
            queues.setdefault(frozenset(d.waiting), []).append(d)
        return list(dict.fromkeys(_empty(queue) for queue in queues.values()))


def _empty(deliveries: list[Delivery]) -> Linear:
    """No message waits or is in hand, and none was lost."""
    found: set[int] = set()
    for d in deliveries:
        found.update(d.waiting, d.hands, (d.lost,))
    found.discard(-1)
    return Linear(tuple((p, 1) for p in sorted(found)), "==", 0)


class NoOrphan:
    """No message is published that nobody reads."""

    existential = False
    cuts_sinks = False

    def asks(self, subject: Subject, query: Query) -> Asks | Holds | Inconclusive:
        """That such a message was published; a proof by the text alone where every event has a reader."""
        if not subject.compiled.roles.published:
            return UNSENT if subject.compiled.roles.deliveries else NO_MESSAGES
        if query.predicate is None or query.predicate == FALSE:
            return Holds(Proof("structure", argument="every event that is published has a reader"))
        return NEVER.asks(subject, query)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by the first publishing of such a message."""
        return NEVER.judge(subject, query, seen)


class NoDualWrite:
    """What is stored and the message about it come together: in no quiet state there is one without the other (A20)."""

    existential = False
    cuts_sinks = False

    def asks(self, subject: Subject, query: Query) -> Asks | Holds | Inconclusive:
        """A quiet state with one of the two alone."""
        if query.predicate is None or query.predicate == FALSE:
            argument = "no message is published right before or after a task"
            return Holds(Proof("structure", argument=argument), vacuous=argument)
        return NEVER.asks(subject, query)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by the first such state."""
        return NEVER.judge(subject, query, seen)


class HandledOnce:
    """No message is handled a second time because it was delivered a second time."""

    existential = False
    cuts_sinks = False

    def asks(self, subject: Subject, query: Query) -> Asks | Holds | Inconclusive:
        """That a second copy is in somebody's hand."""
        if not subject.compiled.roles.deliveries:
            return NO_MESSAGES
        goal = self._goal(subject)
        if not goal.of:
            return Holds(Proof("structure", argument="no message is delivered twice to a handler"))
        places = frozenset(p for d in subject.compiled.roles.deliveries for p in d.double)
        return Asks(((goal, Needs.FIRST),), places=places)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by the first such state."""
        goal = self._goal(subject)
        state = seen.first(goal)
        if state < 0:
            return Holds(seen.proof("no message was handled twice")) if seen.complete else None
        trace = seen.trace(state)
        end = subject.end_state(trace)
        culprits = tuple(p for d in subject.compiled.roles.deliveries for p in d.double if end[p])
        return Violated(Reaches(goal), Reach(trace), seen.proof(), culprits=culprits)

    @staticmethod
    def _goal(subject: Subject) -> Or:
        return Or(tuple(at_least(p) for d in subject.compiled.roles.deliveries for p in d.double))


class NoDeadHandler:
    """Each handler runs in some run."""

    existential = True
    cuts_sinks = True

    def asks(self, subject: Subject, query: Query) -> Asks | Inconclusive:
        """All states: which transitions fire is always counted."""
        if not any(d.handler for d in subject.compiled.roles.deliveries):
            return NO_MESSAGES
        return Asks(((FALSE, Needs.STATES),))

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by all handlers together that never get a message."""
        alive = seen.alive()
        handlers = [d.takes for d in subject.compiled.roles.deliveries if d.handler]
        missing = tuple(t for takes in handlers if alive.isdisjoint(takes) for t in takes)
        if not missing:
            return Holds(seen.proof("each was seen to run"))
        if not seen.all_alive_known:
            return None
        claim = NeverHolds(Or(tuple(Fireable(t) for t in missing)))
        certificate = Certificate("closed set", states=seen.seen.states)
        return Violated(claim, Never(certificate), seen.proof(), culprits=missing)


ALL_CONSUMED = AllConsumed()
NO_ORPHAN = NoOrphan()
NO_DUAL_WRITE = NoDualWrite()
HANDLED_ONCE = HandledOnce()
NO_DEAD_HANDLER = NoDeadHandler()
