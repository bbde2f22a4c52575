"""LTL on a diagram of all reachable states: the product with an automaton, a set of states for each state of the automaton.

What is computed are the states of the product from which an accepted run goes on (Emerson and Lei 1986, "Efficient model
checking in fragments of the propositional mu-calculus"): again and again only those are left that lead, through what is left,
to an edge of each acceptance set. Stretches in which the automaton stays where it is are closed by saturation. Runs are
infinite: where no transition is enabled the last state repeats for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.temporal.buchi import refuting
from placet.logic.state import Dead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.analysis.temporal.buchi import Automaton
    from placet.engines.diagrams.diagram import Diagram
    from placet.logic.state import Predicate
    from placet.logic.temporal import Formula


def holds_on_every_run(diagram: Diagram, formula: Formula, state: Sequence[int]) -> bool:
    """Whether every run from a reachable state satisfies a formula without quantifiers.

    Raises TooLargeError where the automaton grows past its bound, LimitError as the diagram does.
    """
    return not diagram.has(SymbolicProduct(diagram, refuting(formula)).fair()[0], state)


class SymbolicProduct:
    """The product of an automaton and the states of a diagram."""

    def __init__(self, diagram: Diagram, made: Automaton) -> None:
        self._diagram, self._made = diagram, made
        self._dead = diagram.where(Dead())
        guards: dict[frozenset[tuple[Predicate, bool]], int] = {}
        for row in made.edges:
            for edge in row:
                if edge.guard not in guards:
                    guards[edge.guard] = self._guard(edge.guard)
        # by automaton state and target: the states in which an edge may be taken; the same for edges with each mark
        self._ways: list[dict[int, int]] = []
        self._marked: list[dict[tuple[int, int], int]] = []
        for row in made.edges:
            ways: dict[int, int] = {}
            marked: dict[tuple[int, int], int] = {}
            for edge in row:
                guard = guards[edge.guard]
                ways[edge.target] = diagram.union(ways.get(edge.target, 0), guard)
                for mark in range(made.sets):
                    if edge.marks >> mark & 1:
                        marked[mark, edge.target] = diagram.union(marked.get((mark, edge.target), 0), guard)
            self._ways.append(ways)
            self._marked.append(marked)
        self._sources: list[list[int]] = [[] for _ in made.edges]
        for q, ways in enumerate(self._ways):
            for target in ways:
                if target != q:
                    self._sources[target].append(q)

    def _guard(self, guard: frozenset[tuple[Predicate, bool]]) -> int:
        diagram = self._diagram
        found = diagram.all
        for predicate, positive in sorted(guard, key=repr):
            one = diagram.where(predicate)
            found = diagram.intersection(found, one) if positive else diagram.difference(found, one)
        return found

    def fair(self) -> list[int]:
        """By automaton state, the states from which an accepted run goes on."""
        left = [self._diagram.all] * len(self._made.edges)
        while True:
            before = list(left)
            for mark in range(self._made.sets):
                left = self._leading_to_mark(left, mark)
            if not self._made.sets:
                left = [self._step(q, left[q], left) for q in range(len(left))]
            if left == before:
                return left

    def _step(self, q: int, within: int, goals: Sequence[int]) -> int:
        """The states of `within` from which one step, from `q`, leads to the goals."""
        diagram, found = self._diagram, 0
        for target, guard in self._ways[q].items():
            found = diagram.union(found, self._before(goals[target], diagram.intersection(within, guard)))
        return found

    def _before(self, goal: int, frame: int) -> int:
        """The states of the frame with a next state in the goal."""
        diagram = self._diagram
        if not goal or not frame:
            return 0
        found = diagram.before(goal, frame)
        return diagram.union(found, diagram.intersection(diagram.intersection(goal, self._dead), frame))

    def _leading_to_mark(self, left: list[int], mark: int) -> list[int]:
        """Those of `left` that lead, through `left`, to an edge of that acceptance set which leads to `left`."""
        diagram = self._diagram
        found = [0] * len(left)
        for q, marked in enumerate(self._marked):
            for (which, target), guard in marked.items():
                if which == mark:
                    frame = diagram.intersection(left[q], guard)
                    found[q] = diagram.union(found[q], self._before(left[target], frame))
        done = [0] * len(left)  # what has been closed already
        busy = {q for q, states in enumerate(found) if states}
        while busy:
            q = busy.pop()
            stay = self._ways[q].get(q, 0)
            if stay and found[q] != done[q]:
                frame = diagram.union(diagram.intersection(left[q], stay), found[q])
                found[q] = diagram.leading_to(found[q], frame)
            if found[q] == done[q]:
                continue
            done[q] = found[q]
            for p in self._sources[q]:
                frame = diagram.difference(diagram.intersection(left[p], self._ways[p][q]), found[p])
                more = self._before(found[q], frame)
                if more:
                    found[p] = diagram.union(found[p], more)
                    busy.add(p)
        return found
