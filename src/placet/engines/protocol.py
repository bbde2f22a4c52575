"""The engine protocol: `explore(net, initial, observers, visitors, budget) -> Exploration`.

One pass serves many visitors. A visitor names a goal, a state predicate; the engine records the first state, in
breadth-first order, in which it holds. A visitor that needs the edges makes the engine keep the whole graph.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol

from placet.logic.state import FALSE, Predicate
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.evidence import Budget, State, Trace
    from placet.net.core import Marking, Net
    from placet.net.observer import Observer


class Needs(Enum):
    """What a visitor needs of the exploration."""

    FIRST = "first"  # only the first state with the goal: the pass may stop there
    STATES = "states"  # every state
    EDGES = "edges"  # every state and every edge


class Visitor(NamedTuple):
    """What one question wants to see of a pass."""

    goal: Predicate = FALSE
    needs: Needs = Needs.FIRST


class Stop(NamedTuple):
    """Why an exploration ended early: "states", "bytes", "seconds", "interrupted", "unbounded", and the figure reached."""

    budget: str
    reached: str
    place: int = -1  # unbounded: the place that grows
    trace: Trace = ()  # unbounded: to the state from which `loop` can be repeated for ever
    loop: Trace = ()
    note: str = ""  # what else to say of the figure


class Exploration(Protocol):
    """What a pass found. States are numbered from 0, the initial one, in the order of discovery."""

    @property
    def engine(self) -> str:
        """Which engine it was."""
        ...

    @property
    def states(self) -> int:
        """How many states were found."""
        ...

    @property
    def edges(self) -> int:
        """How many edges were crossed."""
        ...

    @property
    def stop(self) -> Stop | None:
        """Why the pass ended early; None: every reachable state was seen, or every visitor was content."""
        ...

    @property
    def complete(self) -> bool:
        """Whether every reachable state (and, where asked for, every edge) was seen."""
        ...

    @property
    def found(self) -> tuple[int, ...]:
        """By visitor: the first state with its goal, or -1."""
        ...

    @property
    def fired(self) -> frozenset[int]:
        """The transitions seen to be enabled."""
        ...

    @property
    def bounds(self) -> tuple[int, ...]:
        """By place: the most tokens seen."""
        ...

    def state(self, index: int) -> State:
        """The state of that number."""
        ...

    def observed(self, index: int) -> tuple[int, ...]:
        """The values of the observers in the state of that number; equal values are the same object where that is cheap."""
        ...

    def trace(self, index: int) -> Trace:
        """A shortest firing sequence (in this pass's net) to the state of that number."""
        ...

    def successors(self, index: int) -> Sequence[tuple[int, int]]:
        """(transition, state number) for every edge out of a state; only where some visitor needed edges."""
        ...

    def graph(self) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
        """All edges at once: those of state i are at `offsets[i] .. offsets[i + 1] - 1` of (offsets, transitions, targets)."""
        ...

    def holds(self, visitor: int) -> Sequence[int]:
        """By state number, 1 where the goal of that visitor holds and 0 elsewhere."""
        ...


class Progress(Protocol):
    """Called every few thousand states; may raise KeyboardInterrupt."""

    def __call__(self, states: int, frontier: int) -> None:
        """Told the states found so far and how many of them wait to be expanded."""


class Engine(Protocol):
    """A way to explore."""

    name: str

    def explore(
        self,
        net: Net,
        initial: Marking,
        observers: Sequence[Observer],
        visitors: Sequence[Visitor],
        budget: Budget,
        progress: Progress | None = None,
    ) -> Exploration:
        """Explore from `initial`, whose observers have their initial values."""
        ...
