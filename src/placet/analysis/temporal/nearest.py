"""The nodes nearest to one of a diagram's states, or of its product with an automaton, one by one: where runs to show are looked for."""

from __future__ import annotations

from array import array
from functools import cache
from typing import TYPE_CHECKING, Generic, TypeVar

from placet.analysis.components import Rows
from placet.analysis.temporal.fair import IDLE, Space, fair_sets, loop, short_loop
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from placet.analysis.temporal.fair import Fairness
    from placet.evidence import Trace

LOOKS = (100, 2_000, 20_000)  # nodes among which a run is looked for, one after the other

Node = TypeVar("Node")


class Round(NamedTuple):
    """A way to where a run goes round, that round and a short one like it, none where the run ends; and the number of the node there."""

    way: Trace
    loop: Trace
    told: Trace
    at: int


class Nearest(Generic[Node]):
    """The nodes nearest to one of them, breadth-first, through those that are wanted. `steps`: (label, marks, node) of every step."""

    def __init__(
        self, steps: Callable[[Node], Iterable[tuple[int, int, Node]]], start: Node, wanted: Callable[[Node], bool]
    ) -> None:
        self._steps, self._wanted = steps, wanted
        self.order = [start]
        self._numbers = {start: 0}
        self._came = [(-1, IDLE)]
        self._offsets, self._labels, self._targets = array("q", (0,)), array("i"), array("I")
        self._marks: list[int] = []

    def expand(self, most: int, goal: Callable[[Node], bool]) -> int:
        """Go on up to so many nodes; gives one with the goal, which is not expanded, or -1."""
        while len(self._offsets) <= min(most, len(self.order)):
            at = len(self._offsets) - 1
            if goal(self.order[at]):
                return at
            for t, marks, to in self._steps(self.order[at]):
                number = self._numbers.get(to, -1)
                if number < 0:
                    if not self._wanted(to):
                        continue
                    number = self._numbers[to] = len(self.order)
                    self.order.append(to)
                    self._came.append((at, t))
                self._labels.append(t)
                self._targets.append(number)
                self._marks.append(marks)
            self._offsets.append(len(self._targets))
        return -1

    def way(self, at: int) -> Trace:
        """The transitions from the first node to one."""
        found = []
        while at:
            at, t = self._came[at]
            if t != IDLE:
                found.append(t)
        return tuple(reversed(found))

    def round(
        self, fairness: Fairness, wanted: int, able: Callable[[Node], Sequence[int]], end: Callable[[Node], bool]
    ) -> Round | None:
        """The nearest end, or a fair round that marks all that is wanted; None where there is none among those looked at."""
        enabled = cache(lambda number: able(self.order[number]))
        for most in LOOKS:
            ended = self.expand(most, end)
            if ended >= 0:
                return Round(self.way(ended), (), (), ended)
            rows = Rows(len(self.order), self._offsets, self._labels, self._targets)
            space = Space(rows, range(len(self.order)), self._marks if wanted else (), wanted, enabled)
            for found in fair_sets(space, fairness, range(rows.expanded).__contains__):
                at = min(found.members)
                edges, whole = loop(space, found, at, fairness)
                if whole:
                    return Round(self.way(at), self._told(edges), self._told(short_loop(space, found, at)), at)
            if rows.expanded == rows.states:
                return None
        return None

    def _told(self, edges: Iterable[int]) -> Trace:
        return tuple(self._labels[e] for e in edges if self._labels[e] != IDLE)
