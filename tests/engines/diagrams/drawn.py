"""Random nets with random levels, and their sets of states as the textbook has them."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import assume
from hypothesis import strategies as st

from oracles.reachability import Graph, explore
from placet.engines.diagrams.forest import Forest
from placet.engines.diagrams.relation import Relation
from placet.engines.diagrams.saturation import Saturation
from strategies import cases

LIMIT = 300


class Drawn(NamedTuple):
    """A net whose states are all known, and the same as a diagram."""

    graph: Graph
    observers: tuple
    predicate: object
    forest: Forest
    relation: Relation
    saturation: Saturation
    root: int
    levels: list

    def members(self, node):
        """The states of a set, each asked for."""
        found = set()
        for state in self.graph.depth:
            local = self.relation.local(state)
            if local is not None and self.forest.holds(node, local, self.relation.height):
                found.add(state)
        return found


@st.composite
def diagrams(draw, limit=LIMIT):
    """A bounded net of every kind of arc, its observers, a predicate, and levels in any order and grouping."""
    (net, initial), observers, predicate = draw(cases())
    graph = explore(net, initial, observers, limit)
    assume(graph.whole)
    slots = len(initial) + len(observers)
    order = draw(st.permutations(range(slots)))
    if draw(st.booleans()):
        moved = {i for state in graph.depth for i, value in enumerate(state) if value != next(iter(graph.depth))[i]}
        changed = {p for t in range(len(net.transitions)) for p, _ in (*net.pre[t], *net.post[t])}
        changed |= {p for row in net.reset for p in row} | set(range(len(initial), slots))
        assert moved <= changed
        order = [slot for slot in order if slot in changed]
    cuts = sorted(draw(st.sets(st.integers(1, len(order) - 1)))) if len(order) > 1 else []
    levels = [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True) if order[a:b]]
    forest = Forest()
    relation = Relation(net, initial, levels, observers)
    saturation = Saturation(forest, relation)
    return Drawn(graph, observers, predicate, forest, relation, saturation, saturation.reachable(), levels)
