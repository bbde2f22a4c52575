"""A set of states that no firing leaves, with its edges, by the firing rule alone; and what it means for evidence to be refused."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

from placet.certificate.form import unshifted
from placet.logic.state import evaluate
from placet.net.firing import fire_state
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.evidence import State, Trace
    from placet.logic.state import Predicate


class RefusedError(Exception):
    """The evidence does not show what it should: why, in a few words."""


class BeyondError(RefusedError):
    """What the evidence shows is too large to be checked."""


class Graph(NamedTuple):
    """A closed set with its edges: those of state i are at `offsets[i] .. offsets[i + 1] - 1`; targets of moves that may leave it are -1."""

    states: tuple[State, ...]
    offsets: array[int]
    labels: array[int]
    targets: array[int]

    def fired(self, i: int) -> array[int]:
        """The transitions enabled in a state."""
        return self.labels[self.offsets[i] : self.offsets[i + 1]]

    def next(self, i: int) -> array[int]:
        """By transition enabled in a state, the state after it."""
        return self.targets[self.offsets[i] : self.offsets[i + 1]]

    def having(self, predicate: Predicate) -> bytearray:
        """By state, 1 where the predicate holds."""
        return bytearray(evaluate(predicate, s, lambda i=i: self.fired(i)) for i, s in enumerate(self.states))  # type: ignore[misc]


def index(value: Any) -> int:  # noqa: ANN401 - as JSON gives it
    """A number of something in a certificate."""
    if type(value) is not int or value < 0:
        raise RefusedError("its evidence is not made as evidence is")
    return value


def fired_along(compiled: Compiled, state: State, trace: Trace) -> State:
    """The state after a run. Raises RefusedError at a step that cannot happen."""
    for number, t in enumerate(trace, 1):
        after = fire_state(compiled.net, compiled.observers, state, t) if t < len(compiled.net.transitions) else None
        if after is None:
            raise RefusedError(f"step {number} of its run cannot happen there")
        state = after
    return state


def closed_set(compiled: Compiled, states: Any, start: State, without: frozenset[int]) -> Graph:  # noqa: ANN401
    """The graph of a set of rows. Raises RefusedError where it lacks the start, or a firing other than of `without` leaves it."""
    net, width = compiled.net, len(compiled.net.places)
    if states.width != len(start):
        raise RefusedError("its states are not those of this net")
    members = tuple(unshifted(width, row) for row in states.rows)
    numbers = {state: i for i, state in enumerate(members)}
    if start not in numbers:
        raise RefusedError("its set does not hold the state to start from")
    always = [t for t in range(len(net.transitions)) if not net.pre[t]]
    users: list[list[int]] = [[] for _ in range(width)]
    for t, arcs in enumerate(net.pre):
        if arcs:
            users[arcs[0][0]].append(t)
    offsets, labels, targets = array("q", (0,)), array("q"), array("q")
    for state in members:
        candidates = [*always, *(t for p in range(width) if state[p] for t in users[p])]
        for t in candidates:
            after = fire_state(net, compiled.observers, state, t)
            if after is None:
                continue
            target = numbers.get(after, -1)
            if target < 0 and t not in without:
                raise RefusedError("a firing leaves its set")
            labels.append(t)
            targets.append(target)
        offsets.append(len(labels))
    return Graph(members, offsets, labels, targets)


def leading_to(graph: Graph, goal: bytearray, without: frozenset[int]) -> bytearray:
    """By state, 1 where the goal holds or can be reached without these transitions."""
    before: list[list[int]] = [[] for _ in graph.states]
    for i in range(len(graph.states)):
        for at in range(graph.offsets[i], graph.offsets[i + 1]):
            if graph.labels[at] not in without:
                before[graph.targets[at]].append(i)
    found, pending = bytearray(goal), [i for i, holds in enumerate(goal) if holds]
    while pending:
        for i in before[pending.pop()]:
            if not found[i]:
                found[i] = 1
                pending.append(i)
    return found
