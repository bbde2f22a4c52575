"""Weak and strong fairness on a diagram: the states in which a fair run can go round for ever, and a run that shows it.

Y. Kesten, A. Pnueli, L. Raviv (1998), "Algorithmic verification of linear temporal logic specifications": from a set of states those are
taken out that cannot get, within what is left, to where the fairness is met for one transition - it fires, or cannot fire - until nothing changes.
Then the sets at the end of all ways in what is left are fair: each has a step, and meets each demand. A fair set is never cut. Faults are
exempt, and never taken.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Protocol

from placet.analysis.temporal.nearest import Nearest
from placet.engines.diagrams.forest import LimitError
from placet.logic.state import Fireable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placet.analysis.temporal.fair import Fairness
    from placet.engines.diagrams.diagram import Diagram
    from placet.evidence import State, Trace
    from placet.logic.state import Predicate


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
        left = diagram.staying(left, 0, faults)
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


def fair_round(
    steps: Steps, stay: int, start: State, faults: frozenset[int], fairness: Fairness
) -> tuple[Trace, Trace, Trace, State]:
    """A way within a set, without a fault, to where the run ends or goes round fairly: the way, the round, a short one, where it begins.

    Raises LimitError where there is none among the nearest states.
    """

    @cache
    def able(state: State) -> tuple[tuple[int, State], ...]:
        return tuple((t, to) for t, to in steps.next(state) if t not in faults)

    near = Nearest(
        lambda state: ((t, 0, to) for t, to in able(state)), start, lambda state: steps.diagram.has(stay, state)
    )
    found = near.round(fairness, 0, lambda state: tuple(t for t, _ in able(state)), lambda state: not able(state))
    if found is None:
        raise LimitError("work")
    return found.way, found.loop, found.told, near.order[found.at]
