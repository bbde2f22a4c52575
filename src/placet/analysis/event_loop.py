"""Event loops: messages that bring about messages that bring about the first ones again, without end.

Each handling publishes finitely many messages, and finitely many come from outside, so that messages without end need a
chain of causes without end (Koenig), hence a handler that brings itself about. It is one where the repeated part of a run
takes and publishes round a circle of handlers. Without a circle in the text there is none; with one, the states decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.boundedness import pumped
from placet.analysis.components import Rows, components, cycle
from placet.analysis.messages import ALL_CONSUMED, NO_MESSAGES, NO_ORPHAN, UNSENT
from placet.analysis.passes import Asks, Pass
from placet.engines.protocol import Needs
from placet.evidence import Cycles, Holds, Inconclusive, Lasso, Proof, Pump, Verdict, Violated
from placet.logic.state import FALSE, TRUE

if TYPE_CHECKING:
    from collections.abc import Collection

    from placet.analysis.subject import Subject
    from placet.compiled import Query
    from placet.net.roles import Roles


def circle(roles: Roles, fired: Collection[int] | None = None) -> list[str]:
    """The handlers and processes of a circle of causes among these transitions (None: all), in order; empty for none.

    O(publishings times readers), and a depth-first search over handlers.
    """
    takers: dict[str, set[str]] = {}
    for d in roles.deliveries:
        if fired is None or any(t in fired for t in d.takes):
            takers.setdefault(d.event, set()).add(d.handler or d.process)
    leads: dict[str, set[str]] = {}
    for p in roles.published:
        if (fired is None or p.transition in fired) and p.event in takers:
            leads.setdefault(p.handler, set()).update(takers[p.event])
    done: set[str] = set()
    for root in sorted(leads):
        path: list[str] = [root]
        work = [iter(sorted(leads.get(root, ())))]
        while work:
            following = next(work[-1], None)
            if following is None:
                work.pop()
                done.add(path.pop())
            elif following in path:
                return path[path.index(following) :]
            elif following not in done:
                path.append(following)
                work.append(iter(sorted(leads.get(following, ()))))
    return []


class NoEventLoop:
    """No reachable part of a run that can be repeated goes round a circle of handlers."""

    existential = False
    cuts_sinks = False

    def asks(self, subject: Subject, query: Query) -> Asks | Holds | Inconclusive:
        """All edges of the net as it is; a proof by the text where nothing leads back to itself."""
        roles = subject.compiled.roles
        if not roles.published:
            return UNSENT if roles.deliveries else NO_MESSAGES
        if not circle(roles):
            return Holds(Proof("structure", argument="no message brings itself about"))
        return Asks(((FALSE, Needs.EDGES),), reducible=False)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by the loop that the shortest run gets into, or by one that leaves more messages each time."""
        roles = subject.compiled.roles
        grows = pumped(subject, seen, frozenset(range(len(subject.net.places))))
        if grows is not None and isinstance(grows.witness, Pump) and circle(roles, grows.witness.loop):
            return grows
        rows = seen.rows
        best: tuple[int, list[int], list[str]] | None = None
        for members in components(rows, lambda i: i < rows.expanded):
            if best is not None and min(members) >= best[0]:
                continue
            own = set(members)
            inside = {
                rows.labels[e]
                for i in members
                for e in range(rows.offsets[i], rows.offsets[i + 1])
                if rows.targets[e] in own
            }
            found = circle(roles, inside) if inside else []
            if found:
                best = (min(members), members, found)
        if best is None:
            return Holds(seen.proof("every chain of messages comes to its end")) if seen.complete else None
        start, members, handlers = best
        takes = {t for d in roles.deliveries if (d.handler or d.process) in handlers for t in d.takes}
        loop = _through(rows, start, members, [[t for t in takes if t in _of(roles, h)] for h in handlers])
        claim = Cycles(TRUE)
        return Violated(claim, Lasso(seen.trace(start), loop), seen.proof(), culprits=tuple(sorted(takes)))


def _of(roles: Roles, handler: str) -> set[int]:
    return {t for d in roles.deliveries if (d.handler or d.process) == handler for t in d.takes}


def _through(rows: Rows, start: int, members: list[int], groups: list[list[int]]) -> tuple[int, ...]:
    """A way from a state back to itself within a strongly connected set on which a label of each group is met."""
    own = set(members)
    way: list[int] = []
    at = start
    for group in groups:
        met, at = _to(rows, at, own, frozenset(group), -1)
        way += met
    if at == start:
        return tuple(way) or cycle(rows, start, members)
    back, _ = _to(rows, at, own, frozenset(), start)
    return (*way, *back)


def _to(rows: Rows, start: int, own: set[int], labels: frozenset[int], goal: int) -> tuple[list[int], int]:
    """The shortest way to an edge with one of the labels, or to the goal: its labels, and where it ends."""
    before: dict[int, tuple[int, int]] = {}
    queue = [start]
    for i in queue:
        for e in range(rows.offsets[i], rows.offsets[i + 1]):
            j, label = rows.targets[e], rows.labels[e]
            if j not in own:
                continue
            if label in labels or j == goal:
                found, at = [label], i
                while at != start:
                    at, step = before[at]
                    found.append(step)
                return found[::-1], j
            if j not in before and j != start:
                before[j] = (i, label)
                queue.append(j)
    return [], start


class Settles:
    """A23: no event loop, and no message that nobody reads or that is left when nothing can happen any more."""

    existential = True
    cuts_sinks = False

    def asks(self, subject: Subject, query: Query) -> Asks | Holds | Inconclusive:
        """What its parts ask."""
        wanted = [part.asks(subject, query) for part in (NO_EVENT_LOOP, NO_ORPHAN, ALL_CONSUMED)]
        asked = [a for a in wanted if isinstance(a, Asks)]
        if not asked:
            return wanted[0]
        return Asks(
            tuple(goal for a in asked for goal in a.goals),
            places=frozenset().union(*(a.places for a in asked)),
            transitions=frozenset().union(*(a.transitions for a in asked)),
            reducible=all(a.reducible for a in asked),
        )

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by any part."""
        verdicts: list[Verdict | None] = []
        for part in (NO_EVENT_LOOP, NO_ORPHAN, ALL_CONSUMED):
            asked = part.asks(subject, query)
            verdicts.append(asked if not isinstance(asked, Asks) else part.judge(subject, query, seen))
        for verdict in verdicts:
            if isinstance(verdict, Violated):
                return verdict
        if all(isinstance(v, Holds) for v in verdicts):
            return Holds(seen.proof("every chain of messages ends, and leaves none behind"))
        return None


NO_EVENT_LOOP = NoEventLoop()
SETTLES = Settles()
