"""A pass over a decision diagram: the questions of checks answered for state spaces that no search can list.

It answers what sets of states tell: whether a goal is reached, what can still be reached from everywhere, bounds, and which transitions
can fire. A set stands where an explicit pass has a state: it is a number, and its trace is a shortest one to any of its
states, found by going backwards from it one step at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.passes import Pass
from placet.analysis.subject import Exceeds
from placet.engines.diagrams.diagram import LimitError
from placet.net.firing import fire_state

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from placet.analysis.passes import Asks, Goal
    from placet.analysis.reduction import Reduced
    from placet.analysis.subject import Subject
    from placet.engines.diagrams.diagram import Diagram
    from placet.engines.protocol import Stop
    from placet.evidence import State, Trace
    from placet.logic.state import Predicate
    from placet.net.core import Net
    from placet.net.observer import Observer

NAME = "symbolic"
# Checks that ask for single edges, or for components of the graph, are left to a search.
ANSWERED = frozenset(
    (
        *("sound", "weak_sound", "easy_sound", "option_to_complete", "proper_completion", "no_dead_step", "quasi_live"),
        *("safe", "bounded", "deadlock_free", "reversible", "home", "never", "possible", "anomaly_A1", "no_orphan"),
        *("handled_once", "no_dead_handler", "no_dual_write", "anomaly_A20"),
    )
)
_STEPS = 300  # of a shortest run that is looked for
_NEAR = 300_000  # entries that layers for a shortest run may take

__all__ = ["ANSWERED", "FarError", "LimitError", "SymbolicPass"]


class FarError(LimitError):
    """There are such states, but the run to one that was found is too long to be kept."""


class Sets:
    """What an exploration tells, of a diagram. States are not numbered; see `SymbolicPass`."""

    engine = NAME
    stop: Stop | None = None
    complete = True

    def __init__(self, diagram: Diagram, net: Net) -> None:
        self.diagram, self._net = diagram, net

    @property
    def states(self) -> int:
        """How many states there are, exactly."""
        return self.diagram.states

    @property
    def edges(self) -> int:
        """How many edges there are, exactly."""
        return sum(self.diagram.firings.values())

    @property
    def fired(self) -> frozenset[int]:
        """The transitions that can fire."""
        return frozenset(self.diagram.firings)

    @property
    def bounds(self) -> tuple[int, ...]:
        """By place, the most tokens in any state."""
        return tuple(most for _, most in self.diagram.bounds[: len(self._net.places)])


class _Set(bytearray):
    """A set of states where an explicit pass has marks by state: `find(1)` gives its number, or -1 where it is empty."""

    number: int

    def find(self, *_: object) -> int:
        return self.number or -1


class SymbolicPass(Pass):
    """As `Pass`, of a diagram of the net, perhaps a reduced one. Any call may raise LimitError."""

    symbolic = True

    def __init__(
        self,
        subject: Subject,
        wanted: Sequence[Asks],
        reduced: Reduced | None,
        diagram: Diagram,
        observers: tuple[Observer, ...],
    ) -> None:
        super().__init__(subject, wanted, reduced)
        net, initial = (subject.net, subject.compiled.initial) if reduced is None else (reduced.net, reduced.initial)
        self._net, self._initial, self.diagram, self._observers = net, initial, diagram, observers
        self.seen = Sets(diagram, net)  # type: ignore[assignment] # of the protocol, what these checks ask

    def first(self, goal: Goal) -> int:
        """The set of the reachable states with the goal, or -1."""
        if isinstance(goal, Exceeds):  # bounds are known all at once
            kept = range(len(self._net.places)) if self.reduced is None else self.reduced.places
            most = max((b for b, p in zip(self.seen.bounds, kept, strict=True) if p in goal.places), default=0)
            if most <= goal.most:
                return -1
        return self.diagram.where(self.spelt(goal)) or -1

    def doomed(self, goal: Goal) -> bytearray:
        """The set of the states from which no state with the goal can be reached without a fault."""
        faults = self.faults
        diagram = self.diagram
        found = _Set()
        good = diagram.leading_to(diagram.where(self.spelt(goal)), aside=faults)
        found.number = diagram.difference(diagram.all, good)
        return found

    def trace(self, state: int) -> Trace:
        """A shortest firing sequence of this net to a state of the set, lifted."""
        fired, _ = self.way(self.start, state)
        return fired if self.reduced is None else self.reduced.lift(fired)

    @property
    def start(self) -> State:
        """The initial state of the net of the diagram."""
        return (*self._initial, *(o.initial for o in self._observers))

    def where(self, predicate: Predicate) -> int:
        """The set of the states with a predicate of the unreduced net."""
        return self.diagram.where(self._translate(predicate))

    def next(self, state: State) -> Iterator[tuple[int, State]]:
        """(transition, state after it) of every step from a state."""
        for t in range(len(self._net.transitions)):
            after = fire_state(self._net, self._observers, state, t)
            if after is not None:
                yield t, after

    def way(self, state: State, goal: int, through: int | None = None) -> tuple[Trace, State]:
        """A way from a state to one of a set, those before it in `through`; and the state that it leads to.

        A shortest one where that is near: by breadth-first layers back to the state, then forward through them, by the first transition
        that does. So it is the first of the shortest in the order of transition numbers, which is the one that a search finds.
        """
        diagram = self.diagram
        layers, most = [goal], diagram.entries + _NEAR
        while not diagram.has(layers[-1], state):
            if len(layers) > _STEPS or diagram.entries > most:
                return self._far(state, goal, through)
            more = diagram.union(layers[-1], diagram.before(layers[-1], through))
            if more == layers[-1]:
                raise AssertionError("a reachable state cannot be reached")
            layers.append(more)
        fired: list[int] = []
        for layer in reversed(layers[:-1]):
            t, state = next(step for step in self.next(state) if diagram.has(layer, step[1]))
            fired.append(t)
        return tuple(fired), state

    def _far(self, state: State, goal: int, through: int | None) -> tuple[Trace, State]:
        """As `way`, level by level, which takes no layers: no shortest way, but one that comes by no state twice."""
        frame = None if through is None else self.diagram.union(through, goal)
        try:
            return self.diagram.route(state, goal, frame)
        except LimitError as problem:
            if problem.which == "steps":
                raise FarError("steps") from problem
            raise

    def closed(self, state: int) -> int:
        """Not counted: the replay looks at what can be reached from the end of the run for itself."""
        return 0
