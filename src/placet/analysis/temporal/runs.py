"""LTL on fair runs: a run of the graph that is fair and that an automaton for the negated formula accepts.

The product of graph and automaton is explored forwards from the initial state; a fair strongly connected set in it that takes every
acceptance mark is a run that breaks the formula. Where a run ends its last state repeats, in which nothing fires any more: so each
state where it may end has a *quiet* twin, from which only the idle step leads on, unless the state is its own twin. Cost: states of the automaton
times edges of the graph.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from placet.analysis.components import Rows, closure
from placet.analysis.temporal.buchi import automaton
from placet.analysis.temporal.fair import IDLE, FairSet, Space, fair_sets, in_time, loop, short_loop
from placet.logic.temporal import Neg, atoms
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placet.analysis.temporal.buchi import Automaton
    from placet.analysis.temporal.fair import Fairness
    from placet.logic.state import Predicate
    from placet.logic.temporal import Formula

MOST_NODES = 6_000_000  # of the product
_OFTEN = 4096  # nodes between two looks at the clock


class Looping(NamedTuple):
    """A run: the labels of its beginning, of a loop that is fair (not where `whole` is false), and of a short one like it.

    Without a loop the run ends.
    """

    trace: tuple[int, ...]
    loop: tuple[int, ...]
    told: tuple[int, ...]
    whole: bool = True


class Sought(NamedTuple):
    """What was found out: a run that breaks the formula, or None; and whether runs may leave the part that is known."""

    run: Looping | None
    leaves: bool
    nodes: int


class Graph(NamedTuple):
    """States with their edges by label, those of faults, and the truth of predicates: now, and where a run has ended."""

    rows: Rows
    faults: frozenset[int]
    truth: Callable[[Predicate], Sequence[int]]
    quiet: Callable[[Predicate, int], bool]  # of a state where a run has ended
    same: Callable[[int], bool]  # whether the state where a run has ended is like the state in which it ended


class TooManyNodesError(Exception):
    """The product has more than `MOST_NODES` nodes."""


def refuted(graph: Graph, formula: Formula, fairness: Fairness, until: float = float("inf")) -> Sought:
    """Look for a fair run that does not satisfy a formula of LTL.

    Raises UsageError at a quantifier, TooLargeError where the automaton is too large, TooManyNodesError where the product is,
    OutOfTimeError past that time, on the monotonic clock.
    """
    made = automaton(Neg(formula))
    look = in_time(until)
    product = _Product(graph, made, atoms(formula), look)
    space = product.space()
    for found in fair_sets(space, fairness, lambda _: True, look):
        return Sought(_run(product, space, found, fairness), product.leaves, len(product.over))
    return Sought(None, product.leaves, len(product.over))


def breaks_however(graph: Graph, formula: Formula, trace: Sequence[int], until: float = float("inf")) -> bool:
    """Whether every run that begins like this, and is fair on edges, goes against the formula. Raises as `refuted`.

    The states of the beginning come first, each with its one step, then all that can be reached from its end.
    """
    rows = graph.rows
    state, chain = 0, [0]
    for label in trace:
        steps = range(rows.offsets[state], rows.offsets[state + 1])
        state = next(rows.targets[e] for e in steps if rows.labels[e] == label)
        chain.append(state)
    beyond = closure(rows, state)
    if any(i >= rows.expanded for i in beyond):
        return False
    over = chain[:-1] + beyond
    at = {i: n for n, i in enumerate(beyond, len(trace))}
    offsets, labels, targets = array("q", (0,)), array("i"), array("I")
    for n, label in enumerate(trace, 1):
        labels.append(label)
        targets.append(n)
        offsets.append(n)
    for i in beyond:
        for e in range(rows.offsets[i], rows.offsets[i + 1]):
            labels.append(rows.labels[e])
            targets.append(at[rows.targets[e]])
        offsets.append(len(targets))

    def truth(predicate: Predicate) -> Sequence[int]:
        whole = graph.truth(predicate)
        return bytes(whole[i] for i in over)

    part = Graph(
        Rows(len(over), offsets, labels, targets),
        graph.faults,
        truth,
        lambda predicate, n: graph.quiet(predicate, over[n]),
        lambda n: graph.same(over[n]),
    )
    return refuted(part, Neg(formula), "edges", until).run is None


class _Product:
    """Nodes (state of the automaton, state of the graph); a twin of state s counts as state s + the number of states."""

    def __init__(self, graph: Graph, made: Automaton, asked: Sequence[Predicate], look: Callable[[], None]) -> None:
        self.graph, self.made, self._look = graph, made, look
        self.leaves = False
        self.over: list[int] = []
        self.came: list[tuple[int, int]] = [(-1, IDLE)]  # by node: from which node, by which label
        self._automaton: list[int] = []
        self._truth = {p: graph.truth(p) for p in asked}
        self._guards: dict[object, Sequence[int]] = {}
        self._offsets, self._labels, self._targets = array("q", (0,)), array("i"), array("I")
        self._marks: list[int] = []
        self._enabled: dict[int, Sequence[int]] = {}
        self._explore()

    def _guard(self, guard: frozenset[tuple[Predicate, bool]]) -> Sequence[int]:
        found = self._guards.get(guard)
        if found is None:
            count = self.graph.rows.states
            whole = int.from_bytes(b"\x01" * count, "little")
            now = whole
            for predicate, positive in guard:
                one = int.from_bytes(bytes(self._truth_of(predicate)), "little")
                now &= one if positive else whole ^ one
            found = self._guards[guard] = now.to_bytes(count, "little")
        return found

    def _truth_of(self, predicate: Predicate) -> Sequence[int]:
        if predicate not in self._truth:
            self._truth[predicate] = self.graph.truth(predicate)
        return self._truth[predicate]

    def _shows(self, guard: frozenset[tuple[Predicate, bool]], state: int) -> bool:
        """Whether the state, or the twin, satisfies the guard."""
        count = self.graph.rows.states
        if state < count:
            return bool(self._guard(guard)[state])
        return all(self.graph.quiet(p, state - count) is positive for p, positive in guard)

    def enabled(self, state: int) -> Sequence[int]:
        """The labels of the edges of a state, faults apart."""
        found = self._enabled.get(state)
        if found is None:
            graph = self.graph
            if state >= graph.rows.states:
                found = ()
            else:
                low, high = graph.rows.offsets[state], graph.rows.offsets[state + 1]
                found = tuple(t for t in graph.rows.labels[low:high] if t not in graph.faults)
            self._enabled[state] = found
        return found

    def _steps(self, state: int) -> list[tuple[int, int]]:
        """(label, state) of every step; the idle one where a run may end."""
        graph = self.graph
        count = graph.rows.states
        if state >= count:
            return [(IDLE, state)]
        low, high = graph.rows.offsets[state], graph.rows.offsets[state + 1]
        found = list(zip(graph.rows.labels[low:high], graph.rows.targets[low:high], strict=True))
        if not self.enabled(state):
            own = not found and graph.same(state)
            found.append((IDLE, state if own else state + count))
        return found

    def _explore(self) -> None:
        expanded, count = self.graph.rows.expanded, self.graph.rows.states
        numbers: dict[tuple[int, int], int] = {(0, 0): 0}
        self.over.append(0)
        self._automaton.append(0)
        node = 0
        while node < len(self.over):
            if not node % _OFTEN:
                self._look()
            q, s = self._automaton[node], self.over[node]
            if s < count and s >= expanded:
                self.leaves = True
            else:
                steps = self._steps(s)
                for edge in self.made.edges[q]:
                    if not self._shows(edge.guard, s):
                        continue
                    for label, to in steps:
                        key = (edge.target, to)
                        found = numbers.get(key)
                        if found is None:
                            found = numbers[key] = len(self.over)
                            self.over.append(to)
                            self._automaton.append(edge.target)
                            self.came.append((node, label))
                        self._labels.append(label)
                        self._targets.append(found)
                        self._marks.append(edge.marks)
                if len(self.over) > MOST_NODES:
                    raise TooManyNodesError
            self._offsets.append(len(self._targets))
            node += 1

    def space(self) -> Space:
        """The product without the steps of faults, which happen finitely often."""
        offsets, labels, targets = array("q", (0,)), array("i"), array("I")
        marks: list[int] = []
        faults = self.graph.faults
        for node in range(len(self.over)):
            if not node % _OFTEN:
                self._look()
            for e in range(self._offsets[node], self._offsets[node + 1]):
                if self._labels[e] not in faults:
                    labels.append(self._labels[e])
                    targets.append(self._targets[e])
                    marks.append(self._marks[e])
            offsets.append(len(targets))
        rows = Rows(len(self.over), offsets, labels, targets)
        return Space(rows, self.over, marks, (1 << self.made.sets) - 1, self.enabled)


def _run(product: _Product, space: Space, found: FairSet, fairness: Fairness) -> Looping:
    start = min(found.members)  # nodes are numbered as they were found, breadth-first
    trace: list[int] = []
    node = start
    while node > 0:
        node, label = product.came[node]
        if label != IDLE:
            trace.append(label)
    labels = space.rows.labels
    whole, fair = loop(space, found, start, fairness)
    told = short_loop(space, found, start)
    return Looping(
        tuple(reversed(trace)),
        tuple(labels[e] for e in whole if labels[e] != IDLE),
        tuple(labels[e] for e in told if labels[e] != IDLE),
        fair,
    )
