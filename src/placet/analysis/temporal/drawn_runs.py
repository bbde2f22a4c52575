"""LTL on fair runs of a diagram, for formulas that CTL cannot say: whether some run breaks it, and one that does.

Decided by the product with an automaton for the opposite (`symbolic_ltl`). Fairness on edges is not a matter of single transitions:
every run that is fair on edges is strongly fair, so that what no strongly fair run breaks is proved, and nothing else is said. A run is looked
for among the nearest states of the product, those from which an accepted fair run goes on. Not for what has just happened: where a run is
over its last state repeats as it is.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from placet.analysis.components import Rows
from placet.analysis.temporal.buchi import refuting
from placet.analysis.temporal.fair import IDLE, Space, fair_sets, loop, short_loop
from placet.analysis.temporal.symbolic_ltl import SymbolicProduct
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from placet.analysis.temporal.drawn_fair import Steps
    from placet.analysis.temporal.fair import Fairness
    from placet.evidence import State, Trace
    from placet.logic.temporal import Formula

MOST_STATES = 40  # of an automaton
_LOOKS = (100, 2_000, 20_000)  # states of the product among which a run is looked for

Node = tuple[int, "State"]  # of the automaton, of the net


class Broken(NamedTuple):
    """A run: its beginning and its loop, none where it ends; a short one like it."""

    trace: Trace
    loop: Trace
    told: Trace


class DrawnRuns:
    """The runs of a diagram that break a formula. Any call may raise LimitError, making one TooLargeError."""

    def __init__(self, steps: Steps, faults: frozenset[int], formula: Formula, fairness: Fairness) -> None:
        self._steps, self._faults, self._fairness = steps, faults, fairness
        made = refuting(formula)
        self.fits = len(made.edges) <= MOST_STATES
        demanded: Fairness = "strong" if fairness == "edges" else fairness
        self._product = SymbolicProduct(steps.diagram, made, steps.where, faults, demanded) if self.fits else None
        self._fair: list[int] = []
        self._lost: list[int] = []

    def broken(self, start: State) -> bool | None:
        """Whether some fair run from a state breaks the formula; None where that cannot be told."""
        product = self._product
        if product is None:
            return None
        self._fair = product.fair()
        whole = [self._steps.diagram.all] * len(self._fair)
        self._lost = product.close(self._fair, whole, frozenset())
        if not self._steps.diagram.has(self._lost[0], start):
            return False
        return None if self._fairness == "edges" else True

    def run(self, start: State) -> Broken | None:
        """A run that breaks it, after `broken` has found that there is one; None where none is near."""
        first = _Near(self._next, (0, start), lambda node: self._in(self._lost, node))
        for most in _LOOKS:
            found = first.expand(most, lambda node: self._in(self._fair, node))
            if found >= 0:
                return self._round(first.way(found), first.order[found])
        return None

    def _round(self, trace: Trace, node: Node) -> Broken | None:
        near = _Near(self._helped, node, lambda one: self._in(self._fair, one))
        for most in _LOOKS:
            near.expand(most, lambda _: False)
            space = Space(near.rows(), range(len(near.order)), near.marks, self._wanted(), self._able(near.order))
            inside = range(space.rows.expanded)
            for found in fair_sets(space, self._fairness, inside.__contains__):
                at = min(found.members)
                round_, whole = loop(space, found, at, self._fairness)
                if whole:
                    told = short_loop(space, found, at)
                    return Broken(trace + near.way(at), near.told(round_), near.told(told))
        return None

    def _in(self, sets: list[int], node: Node) -> bool:
        return self._steps.diagram.has(sets[node[0]], node[1])

    def _wanted(self) -> int:
        assert self._product is not None
        return (1 << self._product.made.sets) - 1

    def _able(self, order: list[Node]) -> Callable[[int], tuple[int, ...]]:
        known: dict[int, tuple[int, ...]] = {}

        def able(number: int) -> tuple[int, ...]:
            if number not in known:
                steps = self._steps.next(order[number][1])
                known[number] = tuple(t for t, _ in steps if t not in self._faults)
            return known[number]

        return able

    def _next(self, node: Node) -> Iterator[tuple[int, int, Node]]:
        """(label, marks, node) of every step, those of faults too."""
        assert self._product is not None
        q, state = node
        steps = list(self._steps.next(state))
        if all(t in self._faults for t, _ in steps):
            steps.append((IDLE, state))
        for edge in self._product.made.edges[q]:
            if self._steps.diagram.has(self._product.guard(edge.guard), state):
                for t, to in steps:
                    yield t, edge.marks, (edge.target, to)

    def _helped(self, node: Node) -> Iterator[tuple[int, int, Node]]:
        return (step for step in self._next(node) if step[0] not in self._faults)


class _Near:
    """The nodes nearest to one of them, breadth-first, through those that are wanted."""

    def __init__(
        self, steps: Callable[[Node], Iterator[tuple[int, int, Node]]], start: Node, wanted: Callable[[Node], bool]
    ) -> None:
        self._steps, self._wanted = steps, wanted
        self.order = [start]
        self._numbers = {start: 0}
        self._came = [(-1, IDLE)]
        self._offsets, self._labels, self._targets = array("q", (0,)), array("i"), array("I")
        self.marks: list[int] = []

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
                self.marks.append(marks)
            self._offsets.append(len(self._targets))
        return -1

    def rows(self) -> Rows:
        return Rows(len(self.order), self._offsets, self._labels, self._targets)

    def told(self, edges: tuple[int, ...]) -> Trace:
        """The transitions of these edges."""
        return tuple(self._labels[e] for e in edges if self._labels[e] != IDLE)

    def way(self, at: int) -> Trace:
        """The transitions from the first node to one."""
        found = []
        while at:
            at, t = self._came[at]
            if t != IDLE:
                found.append(t)
        return tuple(reversed(found))
