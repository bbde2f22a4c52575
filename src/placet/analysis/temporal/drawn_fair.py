"""Weak and strong fairness on a diagram: the states in which a fair run can go round for ever, and a run that shows it.

Y. Kesten, A. Pnueli, L. Raviv (1998), "Algorithmic verification of linear temporal logic specifications": from a set of states those are
taken out that cannot get, within what is left, to where the fairness is met for one transition - it fires, or cannot fire - until nothing changes.
Then the sets at the end of all ways in what is left are fair: each has a step, and meets each demand. A fair set is never cut. Faults are
exempt, and never taken.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Protocol

from placet.analysis.components import Rows
from placet.analysis.temporal.fair import Space, fair_sets, loop, short_loop
from placet.engines.diagrams.forest import LimitError
from placet.logic.state import Fireable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placet.analysis.temporal.fair import Fairness
    from placet.engines.diagrams.diagram import Diagram
    from placet.evidence import State, Trace
    from placet.logic.state import Predicate

_LOOKS = (100, 2_000, 20_000)  # states among which a loop is looked for


class Steps(Protocol):
    """What a diagram's net can do, one state at a time."""

    diagram: Diagram

    def where(self, predicate: Predicate) -> int:
        """The states with a predicate of the unreduced net."""
        ...

    def way(self, state: State, goal: int, through: int | None) -> tuple[Trace, State]:
        """A shortest way to a state of the goal, all states before it in `through`, and that state."""
        ...

    def next(self, state: State) -> Iterable[tuple[int, State]]:
        """(transition, state after it) of every step."""
        ...


def fair_states(diagram: Diagram, held: int, faults: frozenset[int], *, strong: bool) -> int:
    """The states of a set from which a fair run can stay in it for ever without a fault, or, of these, all that are needed to get to one.

    Raises LimitError as the diagram does. O(transitions) closures for each time that the set is cut down.
    """
    every = frozenset(diagram.firings)
    able = {t: diagram.where(Fireable(t)) for t in sorted(every - faults)}
    left = held
    while True:
        before = left
        left = _going_on(diagram, left, faults)
        for t, states in able.items():
            asked = diagram.intersection(left, states)
            if not asked:
                continue
            met = diagram.union(diagram.difference(left, asked), diagram.before(left, left, every - {t}))
            if not strong:
                left = diagram.leading_to(met, left, faults)
                continue
            fires = diagram.leading_to(diagram.before(left, left, every - {t}), left, faults)
            left = diagram.union(diagram.difference(left, asked), fires)
        if left == before:
            return left


def _going_on(diagram: Diagram, left: int, faults: frozenset[int]) -> int:
    """The states of a set from which a run without a fault can stay in it, step after step."""
    while left:
        less = diagram.before(left, left, faults)
        if less == left:
            break
        left = less
    return left


def fair_round(
    steps: Steps, stay: int, start: State, faults: frozenset[int], fairness: Fairness
) -> tuple[Trace, Trace, Trace, State]:
    """A way within a set, without a fault, to where the run ends or goes round fairly: the way, the round, a short one, where it begins.

    Raises LimitError where there is none among the nearest states.
    """
    seen = _Near(steps, stay, start, faults)
    for most in _LOOKS:
        end = seen.expand(most)
        if end >= 0:
            return seen.way(end), (), (), seen.order[end]
        space = seen.space()
        inside = range(space.rows.expanded)
        for found in fair_sets(space, fairness, inside.__contains__):
            first = min(found.members)
            round_, whole = loop(space, found, first, fairness)
            if whole:
                labels = seen.labels
                told = short_loop(space, found, first)
                return (
                    seen.way(first),
                    tuple(labels[e] for e in round_),
                    tuple(labels[e] for e in told),
                    seen.order[first],
                )
        if space.rows.expanded == space.rows.states:
            break
    raise LimitError("work")


class _Near:
    """The states of a set that are nearest to one of them, breadth-first, with their steps within the set."""

    def __init__(self, steps: Steps, stay: int, start: State, faults: frozenset[int]) -> None:
        self._steps, self._stay, self._faults = steps, stay, faults
        self.order = [start]
        self._numbers = {start: 0}
        self._came = [(-1, -1)]
        self._offsets, self.labels, self._targets = array("q", (0,)), array("i"), array("I")
        self._able: list[tuple[int, ...]] = []

    def expand(self, most: int) -> int:
        """Go on up to so many states; gives one where nothing but a fault can happen, or -1."""
        while len(self._able) < min(most, len(self.order)):
            at = len(self._able)
            able = [(t, to) for t, to in self._steps.next(self.order[at]) if t not in self._faults]
            self._able.append(tuple(t for t, _ in able))
            for t, to in able:
                number = self._numbers.get(to, -1)
                if number < 0:
                    if not self._steps.diagram.has(self._stay, to):
                        continue
                    number = self._numbers[to] = len(self.order)
                    self.order.append(to)
                    self._came.append((at, t))
                self.labels.append(t)
                self._targets.append(number)
            self._offsets.append(len(self.labels))
            if not able:
                return at
        return -1

    def space(self) -> Space:
        rows = Rows(len(self.order), self._offsets, self.labels, self._targets)
        return Space(rows, range(len(self.order)), (), 0, self._able.__getitem__)

    def way(self, at: int) -> Trace:
        """The steps from the first state to one."""
        found = []
        while at:
            at, t = self._came[at]
            found.append(t)
        return tuple(reversed(found))
