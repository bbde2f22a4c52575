"""Which transitions can be part of a ring within a set of states, judged level by level.

A run that comes back to a state comes back to each local state. So every move of it, from one local state of a level to another, lies within one
strongly connected component of the moves of that level (R. E. Tarjan 1972); a transition all of whose moves at some level lead from one
component to another is on no ring, and without it the components may be smaller, until nothing changes. What remains may still
be on none: nothing is asked about the levels together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.engines.diagrams.relation import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placet.engines.diagrams.forest import Forest
    from placet.engines.diagrams.relation import Relation


def on_no_ring(forest: Forest, relation: Relation, states: int, chains: Iterable[int]) -> frozenset[int]:
    """Those of the chains that no ring within the set takes. O(moves) for each time that some are found."""
    local = _local_states(forest, states, relation.height)
    moves: dict[int, list[tuple[int, set[tuple[int, int]]]]] = {}
    gone: set[int] = set()
    for head in chains:
        parts, chain = [], head
        while chain >= 0:
            level, effect, chain = relation.chains[chain]
            here = local[level]
            pairs = {(i, j) for i in here if (j := relation.next(effect, i)) != NEVER and j in here}
            parts.append((level, pairs))
        moves[head] = parts
    while True:
        edges: list[set[tuple[int, int]]] = [set() for _ in local]
        for head, parts in moves.items():
            if head not in gone:
                for level, pairs in parts:
                    edges[level] |= pairs
        component = [components(row) for row in edges]
        before = len(gone)
        for head, parts in moves.items():
            if head not in gone:
                for level, pairs in parts:
                    of = component[level]
                    pairs -= {(i, j) for i, j in pairs if of[i] != of[j]}
                    if not pairs:
                        gone.add(head)
        if len(gone) == before:
            return frozenset(gone)


def _local_states(forest: Forest, states: int, height: int) -> list[frozenset[int]]:
    """By level, the local states that occur in the set."""
    found: list[frozenset[int]] = [frozenset()] * (height + 1)
    nodes = {states} if states else set()
    for level in range(height, 0, -1):
        below: set[int] = set()
        here: set[int] = set()
        for node in nodes:
            for i, child in enumerate(forest.kids[node]):
                if child:
                    here.add(i)
                    below.add(child)
        found[level], nodes = frozenset(here), below
    return found


def components(edges: Iterable[tuple[int, int]]) -> dict[int, int]:
    """By node of a graph, a node that stands for its strongly connected component; those of a component follow those it leads to."""
    out: dict[int, list[int]] = {}
    for i, j in edges:
        out.setdefault(i, []).append(j)
        out.setdefault(j, [])
    number: dict[int, int] = {}
    least: dict[int, int] = {}
    component: dict[int, int] = {}
    open_: list[int] = []
    for root in list(out):
        if root in number:
            continue
        path = [(root, iter(out[root]))]
        number[root] = least[root] = len(number)
        open_.append(root)
        while path:
            node, rest = path[-1]
            for other in rest:
                if other not in number:
                    number[other] = least[other] = len(number)
                    open_.append(other)
                    path.append((other, iter(out[other])))
                    break
                if other not in component:
                    least[node] = min(least[node], number[other])
            else:
                path.pop()
                if path:
                    least[path[-1][0]] = min(least[path[-1][0]], least[node])
                if least[node] == number[node]:
                    while True:
                        member = open_.pop()
                        component[member] = node
                        if member == node:
                            break
    return component
