"""The user's own predicates: `never`, which no reachable state may satisfy, and `possible`, which some must.

`anomaly_A1` is a `never` whose predicate the compiler gives: a saga ended as compensated although an effect remains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.passes import Asks, Pass
from placet.engines.protocol import Needs
from placet.errors import UsageError
from placet.evidence import Certificate, Holds, Inconclusive, Never, NeverHolds, Reach, Reaches, Verdict, Violated
from placet.logic.state import support

if TYPE_CHECKING:
    from placet.analysis.subject import Subject
    from placet.compiled import Query
    from placet.logic.state import Predicate


def _predicate(query: Query) -> Predicate:
    if query.predicate is None:
        raise UsageError(f"the check `{query.check}` needs a condition")
    return query.predicate


def _asks(subject: Subject, query: Query) -> Asks:
    predicate = _predicate(query)
    indices, transitions = support(predicate)
    return Asks(
        ((predicate, Needs.FIRST),),
        places=frozenset(i for i in indices if i < len(subject.net.places)) | _inputs(subject, transitions),
        transitions=transitions | _ignored(predicate),
    )


def _inputs(subject: Subject, transitions: frozenset[int]) -> frozenset[int]:
    """The places that decide whether these transitions are enabled."""
    net = subject.net
    sides = (net.pre, net.read, net.inhibit)
    found = {p for t in transitions for side in sides for p, _ in side[t]}
    if transitions:
        found.update(p for p, _ in net.capacity)
    return frozenset(found)


def _ignored(predicate: Predicate) -> frozenset[int]:
    """The transitions that some `Dead` in the predicate leaves aside."""
    found: set[int] = set()
    parts: list[object] = [predicate]
    while parts:
        part = parts.pop()
        ignoring = getattr(part, "ignoring", None)
        if ignoring is not None:
            found.update(ignoring)
        inner = getattr(part, "of", ())
        parts.extend([inner] if hasattr(inner, "_fields") else inner)
    return frozenset(found)


class NeverCheck:
    """No reachable state satisfies the predicate."""

    existential = False
    cuts_sinks = False

    def asks(self, subject: Subject, query: Query) -> Asks | Inconclusive:
        """The predicate."""
        return _asks(subject, query)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by the first state that satisfies it."""
        state = seen.first(_predicate(query))
        if state < 0:
            return Holds(seen.proof("no state satisfies it")) if seen.complete else None
        return Violated(Reaches(_predicate(query)), Reach(seen.trace(state)), seen.proof())


class PossibleCheck:
    """Some reachable state satisfies the predicate."""

    existential = True
    cuts_sinks = False

    def asks(self, subject: Subject, query: Query) -> Asks | Inconclusive:
        """The predicate."""
        return _asks(subject, query)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by the whole state space, in which no state satisfies it."""
        if seen.first(_predicate(query)) >= 0:
            return Holds(seen.proof("a state satisfies it"))
        if not seen.complete:
            return None
        certificate = Certificate("closed set", states=seen.seen.states)
        return Violated(NeverHolds(_predicate(query)), Never(certificate), seen.proof())


NEVER = NeverCheck()
POSSIBLE = PossibleCheck()
