"""Livelock: a loop that can be left, if at all, only into itself, and in which no final marking can be reached.

On a finite graph a run that is fair on edges ends in a terminal strongly connected set; a livelock is such a set that
has an edge and no final marking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.components import cycle, terminal
from placet.analysis.passes import Asks, Pass
from placet.engines.protocol import Needs
from placet.evidence import Cycles, Holds, Inconclusive, Lasso, Verdict, Violated
from placet.logic.state import Not

if TYPE_CHECKING:
    from placet.analysis.subject import Subject
    from placet.compiled import Query

NO_FINAL = Inconclusive(
    "without an end a loop is as good as any other run; ask for `live` or `deadlock_free`", "theory"
)


class LivelockFree:
    """No reachable terminal strongly connected set with an edge is without a final marking."""

    existential = True
    cuts_sinks = True

    def asks(self, subject: Subject, query: Query) -> Asks | Inconclusive:
        """The final markings, with all edges."""
        if not subject.has_final:
            return NO_FINAL
        return Asks(((subject.goal, Needs.EDGES),), final=True, transitions=subject.faults)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by the loop that the shortest run gets into."""
        rows, doomed = seen.rows, seen.doomed(subject.goal)
        sets = [s for s in terminal(rows, lambda i: bool(doomed[i])) if rows.out(s[0])]
        if not sets:
            return Holds(seen.proof("every loop can be left towards an end")) if seen.complete else None
        members = min(sets, key=min)
        start = min(members)
        loop = cycle(rows, start, members)
        if seen.reduced is not None:
            loop = seen.reduced.expand(loop)
        claim = Cycles(Not(subject.final), escape=subject.final)
        return Violated(claim, Lasso(seen.trace(start), loop), seen.proof(), culprits=tuple(sorted(set(loop))))


LIVELOCK_FREE = LivelockFree()
