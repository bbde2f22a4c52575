"""One exploration seen by many checks: goals by what they ask, traces lifted, backward sets computed once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, Union

from placet.analysis.components import Rows, closure, hopeless, terminal, without
from placet.analysis.subject import Exceeds
from placet.engines.protocol import Needs, Visitor
from placet.evidence import Proof
from placet.logic.state import And, Not, Or, Predicate, at_least
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.analysis.coverability import Coverage
    from placet.analysis.reduction import Reduced
    from placet.analysis.subject import Subject
    from placet.engines.protocol import Exploration, Stop
    from placet.evidence import Trace

Goal: TypeAlias = Union[Predicate, Exceeds]


class OutOfTimeError(Exception):
    """The time that was given for looking at a pass is over; whoever asked catches it."""


class Asks(NamedTuple):
    """What a check wants of a pass. Everything is by index of the unreduced net."""

    goals: tuple[tuple[Goal, Needs], ...] = ()
    final: bool = False  # some goal speaks of the final markings
    places: frozenset[int] = frozenset()  # any count of these may be asked
    transitions: frozenset[int] = frozenset()  # these must stay transitions of their own
    bounded: frozenset[int] = frozenset()  # the greatest bound of these is asked
    reducible: bool = True
    kit: str = "all"  # which reduction rules keep the answer: a key of `reduction.KITS`
    alone: bool = False  # it has a reduced net for itself, where that is much smaller
    drawn: bool = False  # a diagram of all states answers it


def key(goal: Goal) -> tuple[object, ...]:
    """The goal with the names of its kinds: as bare tuples a conjunction and a disjunction of the same parts are equal."""
    if isinstance(goal, (And, Or)):
        return (type(goal).__name__, *(key(part) for part in goal.of))
    if isinstance(goal, Not):
        return ("Not", key(goal.of))
    return (type(goal).__name__, *goal)


class Pass:
    """What one exploration tells."""

    symbolic = False  # whether it is a `SymbolicPass`

    def __init__(self, subject: Subject, wanted: Sequence[Asks], reduced: Reduced | None = None) -> None:
        self.subject = subject
        self.reduced = reduced
        self._renamed = None if reduced is None else reduced.renaming(len(subject.observers))
        self._index: dict[tuple[object, ...], int] = {}
        self.visitors: list[Visitor] = []
        for asks in wanted:
            for goal, needs in asks.goals:
                self._enter(goal, needs)
        self._doomed: dict[tuple[object, ...], bytearray] = {}
        self._found: tuple[int, ...] | None = None  # of the exploration, which is over when it is asked
        self._rows: Rows | None = None
        self._terminal: list[list[int]] | None = None
        self.seen: Exploration
        self.coverage: Coverage | None = None
        self.until = float("inf")  # when judging must be over, on the monotonic clock

    def _enter(self, goal: Goal, needs: Needs) -> None:
        at = self._index.setdefault(key(goal), len(self.visitors))
        if at == len(self.visitors):
            self.visitors.append(Visitor(self._translate(goal), needs))
        elif needs is Needs.EDGES or self.visitors[at].needs is Needs.FIRST:
            self.visitors[at] = self.visitors[at]._replace(needs=needs)

    def _translate(self, goal: Goal) -> Predicate:
        if isinstance(goal, Exceeds):
            if self.reduced is None:
                return goal.predicate()
            kept = enumerate(self.reduced.places)
            return Or(tuple(at_least(i, goal.most + 1) for i, p in kept if p in goal.places))
        return goal if self._renamed is None else self._renamed.predicate(goal)

    def spelt(self, goal: Goal) -> Predicate:
        """A goal as a predicate over the states of this net. It must have been asked for."""
        return self.visitors[self._index[key(goal)]].goal

    # -- what was seen -----------------------------------------------------------------------------------------------

    @property
    def complete(self) -> bool:
        """Whether every reachable state was seen."""
        return self.seen.complete

    @property
    def stop(self) -> Stop | None:
        """Why the exploration ended early; what a coverability search found out since goes first."""
        if self.coverage is not None and self.coverage.pump is not None:
            return self.coverage.pump
        return self.seen.stop

    def first(self, goal: Goal) -> int:
        """The first state with the goal, or -1."""
        if self._found is None:
            self._found = self.seen.found
        return self._found[self._index[key(goal)]]

    def goal_states(self, goal: Goal) -> Sequence[int]:
        """By state, 1 where the goal holds."""
        return self.seen.holds(self._index[key(goal)])

    def trace(self, state: int) -> Trace:
        """A firing sequence of the unreduced net to a state."""
        fired = self.seen.trace(state)
        return fired if self.reduced is None else self.reduced.lift(fired)

    def alive(self) -> frozenset[int]:
        """The transitions that were seen to be able to fire."""
        fired = self.seen.fired
        if self.coverage is not None:
            fired |= self.coverage.alive
        return fired if self.reduced is None else self.reduced.alive(fired)

    @property
    def all_alive_known(self) -> bool:
        """Whether `alive` is all that can fire: every state, or the whole coverability graph, was seen."""
        return self.seen.complete or (self.coverage is not None and self.coverage.complete)

    @property
    def rows(self) -> Rows:
        """The edges but for those of faults, which nothing may rely on."""
        if self._rows is None:
            self._rows = without(Rows(self.seen.states, *self.seen.graph()), self.faults)
        return self._rows

    @property
    def faults(self) -> frozenset[int]:
        """The transitions of this net that are faults."""
        faults = self.subject.faults
        if self.reduced is None:
            return faults
        return frozenset(i for i, t in enumerate(self.reduced.transitions) if t in faults)

    def doomed(self, goal: Goal) -> bytearray:
        """By state, 1 where it is certain that no state with the goal can be reached. Right for partial passes too."""
        name = key(goal)
        if name not in self._doomed:
            self._doomed[name] = hopeless(self.rows, self.goal_states(goal))
        return self._doomed[name]

    def terminal(self) -> list[list[int]]:
        """The terminal strongly connected sets that were seen whole."""
        if self._terminal is None:
            self._terminal = terminal(self.rows)
        return self._terminal

    def closed(self, state: int) -> int:
        """How many states can be reached from a state, itself included."""
        return len(closure(self.rows, state))

    def proof(self, argument: str = "") -> Proof:
        """Who found it, over how many states."""
        rules = () if self.reduced is None else tuple(name for name, _ in self.reduced.rules)
        return Proof(self.seen.engine, self.seen.states, self.seen.edges, rules, argument)
