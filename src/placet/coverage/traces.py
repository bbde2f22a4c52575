"""Shortest runs for uncovered obligations.

A run is a way through the product of scenarios to an entry of the obligation's scenario, and from there on without
faults to the edge or the terminal set that breaks it. Where it was broken before the last fault, the way itself is
searched again with "broken yet" in the state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.coverage.facts import BALANCE, UNDO_FAIL
from placet.coverage.obligations import PHASES

if TYPE_CHECKING:
    from placet.coverage.facts import Facts
    from placet.coverage.ghosts import Ghosts
    from placet.coverage.obligations import Obligation
    from placet.coverage.scenarios import Context, Entry, Scenarios
    from placet.evidence import Trace


class Finder:
    """Finds shortest runs on one measured graph."""

    def __init__(self, facts: Facts, ghosts: Ghosts, scenarios: Scenarios) -> None:
        self._facts, self._ghosts, self._scenarios = facts, ghosts, scenarios
        self._number = {s.id: i for i, s in enumerate(ghosts.steps)}
        self._entries: dict[tuple[int, ...], list[Entry]] = {}
        for entry in scenarios.entries:
            self._entries.setdefault(entry.context.causes, []).append(entry)
        self._ends: dict[tuple[int, bool], dict[str, Trace]] = {}  # by state and whether it still goes on
        self._calm, self._can = scenarios.calm, scenarios.can
        self._future = scenarios.future

    def find(self, o: Obligation) -> Trace:
        """A shortest run that breaks the obligation."""
        wanted = self._wanted(o)
        column = self._number.get(o.step, len(self._ghosts.steps))
        best: Trace | None = None
        for entry in self._entries[o.faults]:
            if o.phase and o.family != "UNDO-FAIL" and not entry.context.phases[PHASES.index(o.phase)] >> column & 1:
                continue
            if entry.context.calm and not self._can[self._scenarios.states[entry.node]]:
                continue
            for way in self._from(entry, wanted):
                if best is None or len(way) < len(best):
                    best = way
        return best or ()

    def sample(self, faults: tuple[int, ...]) -> tuple[Trace, tuple[str, ...]]:
        """A shortest run with these causes to where it is over, and the names of the ends that such runs can have."""
        best: Trace | None = None
        ends: dict[str, None] = {}
        for entry in self._entries.get(faults, ()):
            for way, end in self._over(entry):
                ends[end] = None
                if best is None or len(way) < len(best):
                    best = way
        return best or (), tuple(sorted(ends))

    def _over(self, entry: Entry) -> list[tuple[Trace, str]]:
        """The shortest ways through an entry to every end that is reached without further faults."""
        start, calm = self._scenarios.states[entry.node], entry.context.calm
        if calm and not self._can[start]:
            return []
        found = self._ends.get((start, calm))
        if found is None:
            found = self._ends[start, calm] = self._to_ends(start, calm)
        before = self._scenarios.way(entry.node)
        return [(before + way, end) for end, way in found.items()]

    def _to_ends(self, start: int, calm: bool) -> dict[str, Trace]:  # noqa: FBT001
        """The shortest way without faults from a state to each end that can be reached so. O(edges)."""
        facts, rows, commits = self._facts, self._facts.calm, self._ghosts.commits
        back: dict[int, tuple[int, int]] = {start: (-1, -1)}
        queue = [start]
        found: dict[str, Trace] = {}
        for i in queue:
            if i in facts.own:
                end = facts.end_of(i)
                if end is not None and end not in found:
                    found[end] = _unwind(back, i)
            if i >= rows.expanded:
                continue
            for e in range(rows.offsets[i], rows.offsets[i + 1]):
                t, j = rows.labels[e], rows.targets[e]
                if j not in back and not (calm and (t in commits or not self._can[j])):
                    back[j] = (i, t)
                    queue.append(j)
        return found

    def _wanted(self, o: Obligation) -> int:
        bits = self._facts.bits
        if o.family == UNDO_FAIL:
            total = 0
            for s in range(len(self._ghosts.steps)):
                total |= bits.broken(BALANCE, s)
        else:
            total = bits.broken(o.family, self._number.get(o.step, len(self._ghosts.steps)))
        return total & (1 << bits.section) - 1

    def _from(self, entry: Entry, wanted: int) -> list[Trace]:
        """Up to two runs through an entry: broken after it, and broken before it."""
        node = entry.node
        state = self._scenarios.states[node]
        ways = []
        if (self._calm if entry.context.calm else self._future)[state] & wanted:
            ways.append(self._scenarios.way(node) + self._onwards(state, wanted, entry.context.calm))
        if self._scenarios.past[node] & wanted:
            before = self._through(node, wanted)
            if before is not None:
                ways.append(before)
        return ways

    def _onwards(self, start: int, wanted: int, calm: bool) -> Trace:  # noqa: FBT001
        """The shortest way without faults to where it is broken."""
        facts, rows = self._facts, self._facts.calm
        commits = self._ghosts.commits
        back: dict[int, tuple[int, int]] = {start: (-1, -1)}
        queue = [start]
        for i in queue:
            if facts.own.get(i, 0) & wanted:
                return _unwind(back, i)
            if i >= rows.expanded:
                continue
            for e in range(rows.offsets[i], rows.offsets[i + 1]):
                t, j = rows.labels[e], rows.targets[e]
                if calm and (t in commits or not self._can[j]):
                    continue
                if facts.edge(t, i) & wanted:
                    return (*_unwind(back, i), t)
                if j not in back:
                    back[j] = (i, t)
                    queue.append(j)
        return ()

    def _through(self, target: int, wanted: int) -> Trace | None:
        """The shortest way to a node of the product on which it is broken; None where the way found none."""
        scenarios, facts = self._scenarios, self._facts
        end = (scenarios.states[target], scenarios.contexts[scenarios.context[target]])
        start = (0, scenarios.start, False)
        back: dict[tuple[int, Context, bool], tuple[tuple[int, Context, bool], int]] = {}
        seen, queue = {start}, [start]
        for here in queue:
            i, context, broken = here
            if broken and (i, context) == end:
                way = []
                while here in back:
                    here, t = back[here]  # noqa: PLW2901
                    way.append(t)
                return tuple(reversed(way))
            for t, j, after in scenarios.following(i, context):
                if after.causes != end[1].causes[: len(after.causes)]:
                    continue
                if not after.calm and after.phases != end[1].phases:
                    continue
                there = (j, after, broken or bool(facts.edge(t, i) & wanted))
                if there not in seen:
                    seen.add(there)
                    back[there] = (here, t)
                    queue.append(there)
        return None


def _unwind(back: dict[int, tuple[int, int]], state: int) -> Trace:
    way = []
    while back[state][0] >= 0:
        state, t = back[state]
        way.append(t)
    return tuple(reversed(way))
