"""The reachable states by saturation.

G. Ciardo, G. Lüttgen, R. Siminiceanu (2001), "Saturation: an efficient iteration strategy for symbolic state-space
generation", TACAS: nodes are brought to a fixpoint from the lowest level up, each under all transitions whose highest
level is its own; what a transition makes of a node below is saturated before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.engines.diagrams.forest import deep
from placet.engines.diagrams.relation import NEVER, UNKNOWN

if TYPE_CHECKING:
    from placet.engines.diagrams.forest import Forest
    from placet.engines.diagrams.relation import Relation


class Saturation:
    """Closes sets under a relation. Raises LimitError as its forest does; then nothing is known."""

    def __init__(self, forest: Forest, relation: Relation) -> None:
        self._forest, self._relation = forest, relation
        self._moves: list[list[list[tuple[int, int]] | None]] = [[] for _ in relation.levels]
        self._fired: list[dict[int, int]] = [{} for _ in relation.chains]
        self._closed: dict[tuple[int, ...], int] = {}

    def reachable(self) -> int:
        """All states that can be reached from the initial one."""
        relation = self._relation
        with deep(relation.height):
            node = 1
            for k in range(1, relation.height + 1):
                node = self._saturate(k, [node])  # the initial local state is the first one met
        return node

    def _saturate(self, level: int, kids: list[int]) -> int:
        """The closure of a set whose children are closed already."""
        key = tuple(kids)
        found = self._closed.get(key)
        if found is not None:
            return found
        forest, moves = self._forest, self._moves[level]
        union = forest.union
        waiting = [i for i, child in enumerate(kids) if child]
        at = set(waiting)
        for i in waiting:
            at.discard(i)
            child = kids[i]
            while i >= len(moves):
                moves.append(None)
            able = moves[i]
            if able is None:
                able = moves[i] = self._able(level, i)
            for j, chain in able:
                made = child if chain < 0 else self._fire(chain, level - 1, child)
                if not made:
                    continue
                while j >= len(kids):
                    kids.append(0)
                    forest.entries += 1  # a level without bound grows here alone
                    if forest.entries > forest.next_look:
                        forest.look()
                old = kids[j]
                if old:
                    if old == made:
                        continue
                    made = union(old, made)
                    if made == old:
                        continue
                kids[j] = made
                if j == i:
                    child = made
                if j not in at:
                    at.add(j)
                    waiting.append(j)
        node = forest.node(kids)
        self._closed[key] = node
        forest.entries += len(key) + 1
        return node

    def _able(self, level: int, index: int) -> list[tuple[int, int]]:
        """(next local state, the rest of the chain) of the transitions with this highest level; those that stay put come first."""
        relation = self._relation
        found: dict[tuple[int, int], None] = {}
        for head in relation.heads[level]:
            _, effect, below = relation.chains[head]
            j = relation.next(effect, index)
            if j != NEVER and (j != index or below >= 0):
                found[j, below] = None
        return sorted(found, key=lambda move: (move[0] != index, move[0]))

    def _fire(self, chain: int, level: int, node: int) -> int:
        """What a chain makes of a closed set of that level, closed."""
        cache = self._fired[chain]
        found = cache.get(node)
        if found is not None:
            return found
        own, effect, below = self._relation.chains[chain]
        row = self._forest.kids[node]
        made: list[int] = []
        if own < level:
            for child in row:
                made.append(self._fire(chain, level - 1, child) if child else 0)
        else:
            after = self._relation.after[effect]
            for i, child in enumerate(row):
                if not child:
                    continue
                j = after[i]
                if j == UNKNOWN:
                    j = self._relation.next(effect, i)
                if j < 0:
                    continue
                if below >= 0:
                    child = self._fire(below, level - 1, child)  # noqa: PLW2901 - what it becomes
                    if not child:
                        continue
                while j >= len(made):
                    made.append(0)
                made[j] = self._forest.union(made[j], child) if made[j] else child
        while made and not made[-1]:
            made.pop()
        found = cache[node] = self._saturate(level, made) if made else 0
        self._forest.entries += 1
        return found
