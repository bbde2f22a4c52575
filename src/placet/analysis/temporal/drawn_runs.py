"""LTL on fair runs of a diagram, for formulas that CTL cannot say: whether some run breaks it, and one that does.

Decided by the product with an automaton for the opposite (`symbolic_ltl`). Fairness on edges is not a matter of single transitions:
every run that is fair on edges is strongly fair, so that what no strongly fair run breaks is proved, and nothing else is said. A run is looked
for among the nearest states of the product, those from which an accepted fair run goes on. Not for what has just happened: where a run is
over its last state repeats as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.temporal.buchi import refuting
from placet.analysis.temporal.fair import IDLE
from placet.analysis.temporal.nearest import LOOKS, Nearest
from placet.analysis.temporal.symbolic_ltl import SymbolicProduct
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placet.analysis.temporal.drawn_fair import Steps
    from placet.analysis.temporal.fair import Fairness
    from placet.evidence import State, Trace
    from placet.logic.temporal import Formula

MOST_STATES = 40  # of an automaton

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
        first = Nearest(self._next, (0, start), lambda node: self._in(self._lost, node))
        for most in LOOKS:
            found = first.expand(most, lambda node: self._in(self._fair, node))
            if found >= 0:
                return self._round(first.way(found), first.order[found])
        return None

    def _round(self, trace: Trace, node: Node) -> Broken | None:
        near = Nearest(self._helped, node, lambda one: self._in(self._fair, one))
        found = near.round(self._fairness, self._wanted(), self._able, lambda _: False)
        return None if found is None else Broken(trace + found.way, found.loop, found.told)

    def _in(self, sets: list[int], node: Node) -> bool:
        return self._steps.diagram.has(sets[node[0]], node[1])

    def _wanted(self) -> int:
        assert self._product is not None
        return (1 << self._product.made.sets) - 1

    def _able(self, node: Node) -> tuple[int, ...]:
        return tuple(t for t, _ in self._steps.next(node[1]) if t not in self._faults)

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
