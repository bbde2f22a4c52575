"""From traces to structure: the inductive miner (Leemans, Fahland, van der Aalst 2013).

The set of traces is cut by its directly-follows graph into an exclusive choice, a sequence, parallel parts or a loop, and
each part is looked at in the same way. Where nothing fits the part becomes a loop over any of its activities. So the tree
shows every trace it was made from, and each activity stands in it once.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias, Union

from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Trace: TypeAlias = tuple[str, ...]
MOST_DEPTH = 30  # of cuts within each other; beyond it, any order
MOST_ACTIVITIES = 300


class Leaf(NamedTuple):
    """An activity, or nothing where it has no name."""

    name: str = ""


class Node(NamedTuple):
    """Parts one after the other (`then`), one of them (`or`), all at once (`and`), or the first with rounds of the others (`loop`)."""

    kind: str
    parts: tuple[Tree, ...]


Tree: TypeAlias = Union[Leaf, Node]
NOTHING = Leaf()


def discover(traces: Iterable[Trace]) -> Tree:
    """A tree that shows every trace. O(traces + activities ** 2) for each cut."""
    return _tree(frozenset(traces), 0)


def _tree(traces: frozenset[Trace], depth: int) -> Tree:
    """Recurses over cuts; each has fewer activities or fewer events, and depth is bounded."""
    full = traces - {()}
    if not full:
        return NOTHING
    activities = sorted({a for trace in full for a in trace})
    if len(full) < len(traces):
        inner = _tree(full, depth + 1)
        return (
            inner
            if isinstance(inner, Node) and inner.kind == "loop" and inner.parts[0] == NOTHING
            else Node("or", (inner, NOTHING))
        )
    if len(activities) == 1 and full == {(activities[0],)}:
        return Leaf(activities[0])
    if depth < MOST_DEPTH and len(activities) <= MOST_ACTIVITIES:
        graph = _Graph(full, activities)
        for kind, cut in (
            ("or", graph.choice),
            ("then", graph.sequence),
            ("and", graph.parallel),
            ("loop", graph.loop),
        ):
            groups = cut()
            if len(groups) > 1:
                return Node(kind, tuple(_tree(part, depth + 1) for part in _SPLITS[kind](full, groups)))
        again = graph.rounds(full)
        if again != full:
            return Node("loop", (_tree(again, depth + 1), NOTHING))
    leaves = tuple(Leaf(a) for a in activities)
    return Node("loop", (NOTHING, *leaves))


class _Graph:
    """Which activity directly follows which."""

    def __init__(self, traces: frozenset[Trace], activities: list[str]) -> None:
        self.activities = activities
        self.follows: dict[str, set[str]] = {a: set() for a in activities}
        self.starts = {trace[0] for trace in traces}
        self.ends = {trace[-1] for trace in traces}
        for trace in traces:
            for a, b in pairwise(trace):
                self.follows[a].add(b)
        self.reaches = {a: self._beyond(a) for a in activities}

    def _beyond(self, start: str) -> set[str]:
        seen: set[str] = set()
        pending = [start]
        while pending:
            for b in self.follows[pending.pop()] - seen:
                seen.add(b)
                pending.append(b)
        return seen

    def _groups(self, nodes: list[str], together: Callable[[str, str], bool]) -> list[set[str]]:
        """The classes of the equivalence that a relation generates."""
        groups: list[set[str]] = []
        for a in nodes:
            joined = {a}
            apart = []
            for group in groups:
                if any(together(a, b) for b in group):
                    joined |= group
                else:
                    apart.append(group)
            groups = [*apart, joined]
        return sorted(groups, key=min)

    def choice(self) -> list[set[str]]:
        """Parts that never meet in a trace."""
        return self._groups(self.activities, lambda a, b: b in self.follows[a] or a in self.follows[b])

    def sequence(self) -> list[set[str]]:
        """Parts of which one always comes before the other."""
        reaches = self.reaches
        groups = self._groups(self.activities, lambda a, b: (b in reaches[a]) == (a in reaches[b]))

        def before(group: set[str]) -> int:
            return sum(1 for g in groups if g is not group and any(reaches[a] & group for a in g))

        return sorted(groups, key=before)

    def parallel(self) -> list[set[str]]:
        """Parts whose activities follow each other in either order; each can begin and end."""
        groups = self._groups(self.activities, lambda a, b: b not in self.follows[a] or a not in self.follows[b])
        whole = [g for g in groups if g & self.starts and g & self.ends]
        rest = set().union(*(g for g in groups if g not in whole))
        return [whole[0] | rest, *whole[1:]] if whole else []

    def loop(self) -> list[set[str]]:
        """A body, and parts that lead from its end to its start."""
        body = self.starts | self.ends
        others = [a for a in self.activities if a not in body]
        groups = self._groups(others, lambda a, b: b in self.follows[a] or a in self.follows[b])
        rounds = []
        for group in groups:
            into = {a for a in body if self.follows[a] & group}
            out = {b for a in group for b in self.follows[a] if b in body}
            if into and out and into <= self.ends and out <= self.starts:
                rounds.append(group)
            else:
                body = body | group
        return [body, *rounds] if rounds else []

    def rounds(self, traces: frozenset[Trace]) -> frozenset[Trace]:
        """The traces cut wherever an end is followed by a start."""
        found: set[Trace] = set()
        for trace in traces:
            begin = 0
            for n in range(1, len(trace)):
                if trace[n - 1] in self.ends and trace[n] in self.starts:
                    found.add(trace[begin:n])
                    begin = n
            found.add(trace[begin:])
        return frozenset(found)


def _apart(traces: frozenset[Trace], groups: list[set[str]]) -> list[frozenset[Trace]]:
    return [frozenset(t for t in traces if t[0] in group) for group in groups]


def _projected(traces: frozenset[Trace], groups: list[set[str]]) -> list[frozenset[Trace]]:
    return [frozenset(tuple(a for a in t if a in group) for t in traces) for group in groups]


def _rounds(traces: frozenset[Trace], groups: list[set[str]]) -> list[frozenset[Trace]]:
    """The stretches of each trace within one group. A round may not be empty, a body between two rounds may."""
    found: list[set[Trace]] = [set() for _ in groups]
    where = {a: n for n, group in enumerate(groups) for a in group}
    for trace in traces:
        begin = 0
        for n in range(1, len(trace) + 1):
            if n == len(trace) or where[trace[n]] != where[trace[begin]]:
                found[where[trace[begin]]].add(trace[begin:n])
                if n < len(trace) and where[trace[begin]] and where[trace[n]]:
                    found[0].add(())
                begin = n
    return [frozenset(part) for part in found]


_SPLITS: dict[str, Callable[[frozenset[Trace], list[set[str]]], list[frozenset[Trace]]]] = {
    "or": _apart,
    "then": _projected,
    "and": _projected,
    "loop": _rounds,
}
