"""LTL on a reachability graph: the product with an automaton, and whether it has an accepting cycle.

Runs are infinite: where no transition is enabled the last state repeats for ever. The product is explored forwards, then
cut down to the states that can go on for ever and reach, again and again, an edge of every acceptance set (Emerson and
Lei 1986, "Efficient model checking in fragments of the propositional mu-calculus"; with trimming: Fisler, Fraer, Kamhi,
Vardi, Yang 2001, "Is there a best symbolic cycle-detection algorithm?"). What is left is empty iff no run is accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.temporal.buchi import refuting
from placet.analysis.temporal.graph import Graph

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy
    from numpy.typing import NDArray

    from placet.analysis.temporal.buchi import Automaton
    from placet.analysis.temporal.graph import Numbers, Truth
    from placet.logic.state import Predicate
    from placet.logic.temporal import Formula


def endless(graph: Graph) -> Graph:
    """The graph with a loop at every state where runs end."""
    import numpy as np

    dead = np.flatnonzero(graph.ends[: graph.expanded])
    if not len(dead):
        return graph
    loops = np.zeros(graph.expanded + 1, dtype=np.int64)
    loops[dead + 1] = 1
    targets = np.insert(graph.targets, graph.offsets[dead], dead.astype(np.uint32))
    return Graph(graph.states, graph.offsets + np.cumsum(loops), targets, graph.until)


def holds_on_every_run(graph: Graph, formula: Formula, truth: Callable[[Predicate], Truth]) -> bool | None:
    """Whether every run from state 0 of an `endless` graph satisfies a formula without quantifiers.

    None where only part of the graph is known and a run that leaves it may be the one that does not. Raises
    TooLargeError where the automaton grows past its bound, OutOfTimeError when the graph's time is over.
    """
    found = Product(graph, refuting(formula), truth).accepts()
    return None if found is None else not found


class Product:
    """The states (q, s) of an automaton and a graph, as one array of truth over s for each q."""

    def __init__(self, graph: Graph, made: Automaton, truth: Callable[[Predicate], Truth]) -> None:
        self._graph, self._made = graph, made
        self._guards: dict[frozenset[tuple[Predicate, bool]], Truth | None] = {}
        for row in made.edges:
            for edge in row:
                if edge.guard not in self._guards:
                    self._guards[edge.guard] = self._guard(edge.guard, truth)
        self.leaves = False  # whether some run may leave the known part of the graph

    def _guard(self, guard: frozenset[tuple[Predicate, bool]], truth: Callable[[Predicate], Truth]) -> Truth | None:
        """The states that satisfy all literals; None: all of them."""
        found = None
        for predicate, positive in guard:
            one = truth(predicate) if positive else ~truth(predicate)
            found = one if found is None else found & one
        return found

    def accepts(self) -> bool | None:
        """Whether the automaton accepts some run from state 0; None where the known part does not tell."""
        reached = self._explore()
        if any(row is not None for row in reached) and self._fair(reached):
            return True
        return None if self.leaves else False

    def _explore(self) -> list[Truth]:
        import numpy as np

        graph, edges = self._graph, self._made.edges
        seen = [np.zeros(graph.states, dtype=bool) for _ in edges]
        seen[0][0] = True
        fronts: list[list[Numbers]] = [[] for _ in edges]
        fronts[0].append(np.zeros(1, dtype=np.int64))
        busy = {0}
        while busy:
            graph.check()
            q = busy.pop()
            front = np.concatenate(fronts[q])
            fronts[q] = []
            for edge in edges[q]:
                guard = self._guards[edge.guard]
                chosen = front if guard is None else front[guard[front]]
                known = chosen < graph.expanded
                if not known.all():
                    self.leaves = True
                    chosen = chosen[known]
                if not len(chosen):
                    continue
                after = graph.after(chosen)[1]
                mine = seen[edge.target]
                after = graph.distinct(after[~mine[after]])
                if len(after):
                    mine[after] = True
                    fronts[edge.target].append(after)
                    busy.add(edge.target)
        return seen

    def _fair(self, left: list[Truth]) -> bool:
        """Whether a state is left once all are cut off from which no accepting run goes on. Changes `left`."""
        full = range(self._made.sets)
        before = -1
        self._trim(left)
        while (count := sum(int(row.sum()) for row in left)) and count != before:
            before = count
            for mark in full:
                self._keep_those_that_reach(left, mark)
                self._trim(left)
        return count > 0

    def _keep_those_that_reach(self, left: list[Truth], mark: int) -> None:
        import numpy as np

        graph, edges = self._graph, self._made.edges
        found = [np.zeros(graph.states, dtype=bool) for _ in edges]
        fronts: list[list[Numbers]] = [[] for _ in edges]
        busy = set()
        for q, row in enumerate(edges):
            for edge in row:
                if edge.marks >> mark & 1 and left[edge.target].any() and left[q].any():
                    goal = graph.some_next(left[edge.target]) & left[q]
                    guard = self._guards[edge.guard]
                    found[q] |= goal if guard is None else goal & guard
            if found[q].any():
                fronts[q].append(np.flatnonzero(found[q]))
                busy.add(q)
        into = self._into()
        while busy:
            graph.check()
            q = busy.pop()
            origins = graph.before(np.concatenate(fronts[q]))
            fronts[q] = []
            for p, guard in into[q]:
                some = origins[left[p][origins] & ~found[p][origins]]
                if guard is not None:
                    some = some[guard[some]]
                if len(some):
                    some = graph.distinct(some)
                    found[p][some] = True
                    fronts[p].append(some)
                    busy.add(p)
        left[:] = found

    def _into(self) -> list[list[tuple[int, Truth | None]]]:
        into: list[list[tuple[int, Truth | None]]] = [[] for _ in self._made.edges]
        for p, row in enumerate(self._made.edges):
            for guard, target in dict.fromkeys((e.guard, e.target) for e in row):
                into[target].append((p, self._guards[guard]))
        return into

    def _trim(self, left: list[Truth]) -> None:
        """Take away, again and again, what has no edge to what is left."""
        import numpy as np

        graph = self._graph
        into = self._into()
        counts = [self._count(left, q) for q in range(len(left))]
        fronts: list[Numbers] = [np.flatnonzero(row & (count == 0)) for row, count in zip(left, counts, strict=True)]
        while any(len(front) for front in fronts):
            graph.check()
            for q, front in enumerate(fronts):
                left[q][front] = False
            origins = [graph.before(front) for front in fronts]
            touched: list[list[Numbers]] = [[] for _ in left]
            for q, some in enumerate(origins):
                for p, guard in into[q] if len(some) else ():
                    mine = some if guard is None else some[guard[some]]
                    np.subtract.at(counts[p], mine, 1)
                    touched[p].append(mine)
            fronts = []
            for p, pieces in enumerate(touched):
                some = graph.distinct(np.concatenate(pieces)) if pieces else np.zeros(0, dtype=np.int64)
                fronts.append(some[left[p][some] & (counts[p][some] == 0)])

    def _count(self, left: list[Truth], q: int) -> NDArray[numpy.int64]:
        """By state s, how many edges of the product lead from (q, s) to what is left."""
        import numpy as np

        graph = self._graph
        total = np.zeros(graph.states, dtype=np.int64)
        if not left[q].any():
            return total
        for guard_of, target in dict.fromkeys((e.guard, e.target) for e in self._made.edges[q]):
            if left[target].any():
                graph.check()
                count = np.bincount(graph.sources[left[target][graph.targets]], minlength=graph.states)
                guard = self._guards[guard_of]
                total += count if guard is None else count * guard
        return total
