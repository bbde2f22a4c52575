"""A set of states that no firing leaves, with its edges, by the firing rule alone; and what it means for evidence to be refused."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

from placet.certificate.form import unshifted
from placet.logic.state import evaluate
from placet.net.firing import fire, fire_state
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


def grows(compiled: Compiled, before: State, loop: Trace) -> None:
    """The loop can be repeated for ever and adds each time: nothing is less after it, and what could hold it up is as before."""
    net, width = compiled.net, len(compiled.net.places)
    after = fired_along(compiled, before, loop)
    emptied = {p for t in loop for p in net.reset[t]}
    held = {
        p for t in loop for p, _ in net.inhibit[t]
    }.union(  # and those with a capacity, where it is not emptied first
        p
        for p, most in net.capacity
        if before[p] > most or not all(p in net.reset[t] for t in loop if p in dict(net.post[t]))
    )
    if any(after[p] < before[p] for p in range(width)) or any(after[p] != before[p] for p in held):
        raise RefusedError("its loop cannot be repeated for ever")
    if all(after[p] == before[p] for p in range(width) if p not in emptied):
        raise RefusedError("its loop adds nothing")


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
    counting = _counting(compiled)
    users: list[list[int]] = [[] for _ in range(width)]
    for t, arcs in enumerate(net.pre):
        if arcs:
            users[arcs[0][0]].append(t)
    offsets, labels, targets = array("q", (0,)), array("q"), array("q")
    for state in members:
        candidates = [*always, *(t for p in range(width) if state[p] for t in users[p])]
        for t in candidates:
            marked = fire(net, state[:width], t)
            if marked is None:
                continue
            after = marked + state[width:]
            for slot, delta, low, high in counting[t]:
                value = min(high, max(low, after[slot] + delta))
                after = (*after[:slot], value, *after[slot + 1 :])
            target = numbers.get(after, -1)
            if target < 0 and t not in without:
                raise RefusedError("a firing leaves its set")
            labels.append(t)
            targets.append(target)
        offsets.append(len(labels))
    return Graph(members, offsets, labels, targets)


def _counting(compiled: Compiled) -> list[list[tuple[int, int, int, int]]]:
    """By transition, which slots of a state it counts up or down, by how much and within which limits."""
    found: list[list[tuple[int, int, int, int]]] = [[] for _ in compiled.net.transitions]
    for slot, observer in enumerate(compiled.observers, len(compiled.net.places)):
        for t, delta in observer.deltas:
            found[t].append((slot, delta, observer.low, observer.high))
    return found


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


def components(steps: Sequence[Iterable[tuple[int, int]]], inside: set[int]) -> list[set[int]]:
    """The strongly connected components within a set of nodes (R. E. Tarjan 1972); a step is a label and the node it leads to."""
    found: list[set[int]] = []
    low: dict[int, int] = {}
    number: dict[int, int] = {}
    stack: list[int] = []
    for root in inside:
        if root in number:
            continue
        number[root] = low[root] = len(number)
        stack.append(root)
        work = [(root, iter(steps[root]))]
        while work:
            node, onwards = work[-1]
            for _, to in onwards:
                if to not in inside:
                    continue
                if to not in number:
                    number[to] = low[to] = len(number)
                    stack.append(to)
                    work.append((to, iter(steps[to])))
                    break
                if low[to] >= 0:
                    low[node] = min(low[node], number[to])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    own = set()
                    while node not in own:
                        own.add(stack.pop())
                    for done in own:
                        low[done] = -1  # of no matter to the rest
                    found.append(own)
    return found
