"""Liveness: from every reachable state the transition can fire again (level L4 of Commoner and Murata)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.passes import Asks, Pass
from placet.engines.protocol import Needs
from placet.evidence import Holds, Inconclusive, NoReturn, Strands, Verdict, Violated
from placet.logic.state import FALSE, Fireable, Or

if TYPE_CHECKING:
    from placet.analysis.subject import Subject
    from placet.compiled import Query


def _expected(subject: Subject, query: Query) -> tuple[tuple[int, ...], ...]:
    if query.transition >= 0:
        return (subject.compiled.same(query.transition),)
    aside = subject.compiled.quiet | subject.faults
    return subject.compiled.apart([t for t in range(len(subject.net.transitions)) if t not in aside])


class Live:
    """Each transition, or the one that is named, is live: it fires in every terminal strongly connected set."""

    existential = True
    cuts_sinks = True

    def asks(self, subject: Subject, query: Query) -> Asks | Inconclusive:
        """All edges; the goal is looked for by `judge`."""
        named = frozenset(subject.compiled.same(query.transition)) if query.transition >= 0 else frozenset()
        return Asks(((FALSE, Needs.EDGES),), transitions=named | subject.faults)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by the shortest run to a terminal set in which some transition never fires."""
        wanted = _expected(subject, query)
        rows = seen.rows
        worst: tuple[int, list[tuple[int, ...]]] | None = None
        for members in seen.terminal():
            fired = {label for i in members for label in rows.labels[rows.offsets[i] : rows.offsets[i + 1]]}
            again = fired if seen.reduced is None else seen.reduced.recurring(fired)
            missing = [some for some in wanted if again.isdisjoint(some)]
            if missing and (worst is None or min(members) < worst[0]):
                worst = (min(members), missing)
        if worst is None:
            return Holds(seen.proof("each fires again from everywhere")) if seen.complete else None
        state, missing = worst
        if seen.reduced is None:
            state = self._earliest(seen, missing[0], state)
        goal = [Fireable(t) for t in missing[0]]
        claim = Strands(goal[0] if len(goal) == 1 else Or(tuple(goal)))
        witness = NoReturn(seen.trace(state), seen.closed(state))
        return Violated(claim, witness, seen.proof(), culprits=tuple(t for some in missing for t in some))

    @staticmethod
    def _earliest(seen: Pass, some: tuple[int, ...], known: int) -> int:
        """The first state from which none of the transitions fires again; `known` is one."""
        from placet.analysis.components import hopeless

        rows = seen.rows
        fires = bytearray(rows.states)
        for i in range(rows.expanded):
            if any(t in some for t in rows.labels[rows.offsets[i] : rows.offsets[i + 1]]):
                fires[i] = 1
        first = hopeless(rows, fires).find(1)
        return first if first >= 0 else known


LIVE = Live()
