"""LTL on a diagram of all reachable states: the product with an automaton, a set of states for each state of the automaton.

What is computed are the states of the product from which an accepted run goes on (Emerson and Lei 1986, "Efficient model
checking in fragments of the propositional mu-calculus"; with fairness for each transition Kesten, Pnueli and Raviv 1998, see
`drawn_fair`): again and again only those are left that lead, through what is left, to what must happen infinitely often. An accepted run ends in one
strongly connected component of the automaton, so that each is looked at by itself; of one that is a single state which it is enough to stay in,
what is asked is where a run can stay in a set (`staying`), as for automata that are very weak (Emerson and Lei; F. Somenzi and R. Bloem
2000 cut the product in the same way). Stretches in which the automaton stays where it is are closed by saturation. Runs are infinite: where nothing but a fault can happen the last state may
repeat for ever. Faults happen finitely often.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.temporal.buchi import refuting
from placet.engines.diagrams.rings import components
from placet.logic.state import Dead, Fireable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from placet.analysis.temporal.buchi import Automaton
    from placet.analysis.temporal.fair import Fairness
    from placet.engines.diagrams.diagram import Diagram
    from placet.logic.state import Predicate
    from placet.logic.temporal import Formula

_NONE: frozenset[int] = frozenset()


def holds_on_every_run(diagram: Diagram, formula: Formula, state: Sequence[int]) -> bool:
    """Whether every run from a reachable state satisfies a formula without quantifiers.

    Raises TooLargeError where the automaton grows past its bound, LimitError as the diagram does.
    """
    found = SymbolicProduct(diagram, refuting(formula)).fair(lambda sets: diagram.has(sets[0], state))
    return not diagram.has(found[0], state)


class SymbolicProduct:
    """The product of an automaton and the states of a diagram. `where`: the states with a predicate, where it is one of another net."""

    def __init__(
        self,
        diagram: Diagram,
        made: Automaton,
        where: Callable[[Predicate], int] | None = None,
        faults: frozenset[int] = _NONE,
        fairness: Fairness = "nothing",
    ) -> None:
        self._diagram, self.made, self._where = diagram, made, where or diagram.where
        self._faults, self._fairness = faults, fairness
        self._dead = diagram.where(Dead(faults))
        self._guards: dict[frozenset[tuple[Predicate, bool]], int] = {}
        # by automaton state and target: the states in which an edge may be taken; the same for edges with each mark
        self._ways: list[dict[int, int]] = []
        self._marked: list[dict[tuple[int, int], int]] = []
        for row in made.edges:
            ways: dict[int, int] = {}
            marked: dict[tuple[int, int], int] = {}
            for edge in row:
                guard = self.guard(edge.guard)
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

    def guard(self, guard: frozenset[tuple[Predicate, bool]]) -> int:
        """The states that satisfy the guard of an edge."""
        known = self._guards.get(guard)
        if known is not None:
            return known
        diagram = self._diagram
        found = diagram.all
        for predicate, positive in sorted(guard, key=repr):
            one = self._where(predicate)
            found = diagram.intersection(found, one) if positive else diagram.difference(found, one)
        self._guards[guard] = found
        return found

    def fair(self, enough: Callable[[list[int]], bool] = lambda _: False) -> list[int]:
        """By automaton state, the states from which an accepted fair run goes on without a fault. Not for fairness on edges.

        Or some of them, once they are enough.
        """
        diagram = self._diagram
        whole = [diagram.all] * len(self.made.edges)
        found = [0] * len(whole)
        members: dict[int, list[int]] = {}
        for q, root in components((q, target) for q, ways in enumerate(self._ways) for target in ways).items():
            members.setdefault(root, []).append(q)
        for (
            inside
        ) in members.values():  # what others lead to comes before them, so that no more is asked of what leads there
            if len(inside) > 1 or inside[0] in self._ways[inside[0]]:
                core = self._core(inside, [diagram.difference(diagram.all, found[q]) for q in inside])
                for q, states in zip(inside, core, strict=True):
                    found[q] = diagram.union(found[q], states)
            found = self.close(found, whole, self._faults)
            if enough(found):
                break
        return found

    def _core(self, inside: list[int], asked: list[int]) -> list[int]:
        """The same of accepted runs in which the automaton stays within one of its components, through states asked for."""
        every = (1 << self.made.sets) - 1
        marks = [edge.marks for q in inside for edge in self.made.edges[q] if edge.target in inside]
        together = 0
        for some in marks:
            together |= some
        if together != every:
            return [0] * len(inside)
        if len(inside) == 1 and self._fairness == "nothing" and all(some == every for some in marks):
            held = self._diagram.intersection(asked[0], self._ways[inside[0]][inside[0]])
            return [self._diagram.staying(held, self._dead, self._faults)]
        left = [0] * len(self.made.edges)
        for q, states in zip(inside, asked, strict=True):
            left[q] = states
        left = self._again_and_again(left)
        return [left[q] for q in inside]

    def _again_and_again(self, left: list[int]) -> list[int]:
        """What is left of these where all that must happen infinitely often does."""
        demanding = self._fairness in ("weak", "strong")
        able = {t: self._diagram.where(Fireable(t)) for t in self._others(_NONE)} if demanding else {}
        while True:
            before = list(left)
            for mark in range(self.made.sets):
                left = self.close(self._marked_into(left, mark), left, self._faults)
            if not self.made.sets or demanding:
                left = self._going_on(left)
            for t, states in able.items():
                left = self._meeting(left, t, states)
            if left == before:
                return left

    def _others(self, than: frozenset[int]) -> Iterator[int]:
        return (t for t in sorted(self._diagram.firings) if t not in self._faults and t not in than)

    def _meeting(self, left: list[int], t: int, able: int) -> list[int]:
        """Those of `left` that can get to where the fairness is met for one transition; strong: that never need to, too."""
        diagram = self._diagram
        asked = [diagram.intersection(states, able) for states in left]
        if not any(asked):
            return left
        aside = frozenset(self._diagram.firings) - {t}
        fires = [self._step(q, states, left, aside, idle=False) for q, states in enumerate(asked)]
        spared = [diagram.difference(states, those) for states, those in zip(left, asked, strict=True)]
        if self._fairness == "strong":
            found = self.close(fires, left, self._faults)
            return [diagram.union(a, b) for a, b in zip(spared, found, strict=True)]
        return self.close([diagram.union(a, b) for a, b in zip(spared, fires, strict=True)], left, self._faults)

    def _going_on(self, left: list[int]) -> list[int]:
        while True:
            less = [self._step(q, states, left, self._faults) for q, states in enumerate(left)]
            if less == left:
                return left
            left = less

    def _step(self, q: int, within: int, goals: Sequence[int], aside: frozenset[int], *, idle: bool = True) -> int:
        """The states of `within` from which one step, from `q`, leads to the goals."""
        diagram, found = self._diagram, 0
        for target, guard in self._ways[q].items():
            frame = diagram.intersection(within, guard)
            found = diagram.union(found, self._before(goals[target], frame, aside, idle=idle))
        return found

    def _before(self, goal: int, frame: int, aside: frozenset[int], *, idle: bool = True) -> int:
        """The states of the frame with a next state in the goal."""
        diagram = self._diagram
        if not goal or not frame:
            return 0
        found = diagram.before(goal, frame, aside)
        if not idle:
            return found
        return diagram.union(found, diagram.intersection(diagram.intersection(goal, self._dead), frame))

    def _marked_into(self, left: list[int], mark: int) -> list[int]:
        """Those of `left` with an edge of that acceptance set which leads to `left`."""
        diagram = self._diagram
        found = [0] * len(left)
        for q, marked in enumerate(self._marked):
            for (which, target), guard in marked.items():
                if which == mark:
                    frame = diagram.intersection(left[q], guard)
                    found[q] = diagram.union(found[q], self._before(left[target], frame, self._faults))
        return found

    def close(self, found: list[int], left: list[int], aside: frozenset[int]) -> list[int]:
        """What leads to these within `left`, and they themselves."""
        diagram = self._diagram
        found = list(found)
        done = [0] * len(left)  # what has been closed already
        busy = {q for q, states in enumerate(found) if states}
        while busy:
            q = busy.pop()
            stay = self._ways[q].get(q, 0)
            if stay and found[q] != done[q]:
                frame = diagram.union(diagram.intersection(left[q], stay), found[q])
                found[q] = diagram.leading_to(found[q], frame, aside)
            if found[q] == done[q]:
                continue
            done[q] = found[q]
            for p in self._sources[q]:
                frame = diagram.difference(diagram.intersection(left[p], self._ways[p][q]), found[p])
                more = self._before(found[q], frame, aside)
                if more:
                    found[p] = diagram.union(found[p], more)
                    busy.add(p)
        return found
