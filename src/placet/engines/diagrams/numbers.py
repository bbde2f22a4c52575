"""Exact numbers of a set of states, by passes over its nodes from the bottom to the top or back; no recursion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.engines.diagrams.relation import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placet.engines.diagrams.forest import Forest
    from placet.engines.diagrams.relation import Relation

_LOOK = 255


class Numbers:
    """How many states, how often each transition is enabled, how many tokens. Raises LimitError as the forest does."""

    def __init__(self, forest: Forest, relation: Relation, root: int) -> None:
        self._forest, self._relation, self._root = forest, relation, root
        self.nodes = forest.below(root)
        self._level = self._levels()
        self._by_level: list[list[int]] = [[] for _ in relation.levels]
        for node in self.nodes:
            self._by_level[self._level[node]].append(node)
        self._below = self._count()
        self._lifted: dict[tuple[int, int], dict[int, int]] = {}

    @property
    def states(self) -> int:
        """How many states there are."""
        return self._below[self._root]

    def _levels(self) -> dict[int, int]:
        level = {1: 0}
        kids = self._forest.kids
        for node in self.nodes:
            level[node] = level[kids[node][-1]] + 1  # no zero stands at the end
        return level

    def _count(self) -> dict[int, int]:
        kids = self._forest.kids
        below = {0: 0, 1: 1}
        for node in self.nodes:
            total = 0
            for child in kids[node]:
                if child:
                    total += below[child]
            below[node] = total
        return below

    def firings(self) -> dict[int, int]:
        """By transition, in how many of the states it is enabled: its edges. The dead ones are not listed."""
        relation, kids = self._relation, self._forest.kids
        above = dict.fromkeys(self.nodes, 0)
        above[self._root] = 1
        for node in reversed(self.nodes):
            ways = above[node]
            for child in kids[node]:
                if child > 1:
                    above[child] += ways
        of_chain: dict[int, int] = {}
        for head in sorted(set(relation.chain_of.values())):
            self._forest.look()
            level = relation.chains[head][0]
            of_chain[head] = sum(above[node] * ways for node, ways in self._enabled(head, level).items())
        found = {t: of_chain[chain] for t, chain in relation.chain_of.items() if of_chain[chain]}
        if self._root:
            found.update(dict.fromkeys(relation.idle, self.states))
        return found

    def _enabled(self, chain: int, level: int) -> dict[int, int]:
        """By node of the level, in how many of its states the chain is enabled; nodes with none are not listed."""
        todo = []
        step = (chain, level)
        while step[0] >= 0 and step not in self._lifted:
            todo.append(step)
            own, _, below = self._relation.chains[step[0]]
            step = (below if own == step[1] else step[0], step[1] - 1)
        for one in reversed(todo):
            self._lifted[one] = self._one(*one)
        return self._lifted[chain, level]

    def _one(self, chain: int, level: int) -> dict[int, int]:
        relation, kids = self._relation, self._forest.kids
        own, effect, below = relation.chains[chain]
        inner = self._below if own == level and below < 0 else self._lifted[below if own == level else chain, level - 1]
        able = [own < level or relation.next(effect, i) != NEVER for i in range(len(relation.states[level]))]
        found = {}
        for node in self._by_level[level]:
            ways = 0
            for i, child in enumerate(kids[node]):
                if child and able[i]:
                    ways += inner.get(child, 0)
            if ways:
                found[node] = ways
        self._forest.entries += len(found)
        return found

    def used(self, level: int) -> set[int]:
        """The local states of a level that occur."""
        kids = self._forest.kids
        return {i for node in self._by_level[level] for i, child in enumerate(kids[node]) if child}

    def bounds(self) -> tuple[tuple[int, int], ...]:
        """By slot, the least and the greatest value."""
        relation = self._relation
        found = [(value, value) for value in relation.start]
        for k in range(1, relation.height + 1):
            states = [relation.states[k][i] for i in self.used(k)]
            for position, slot in enumerate(relation.levels[k]):
                values = [state[position] for state in states]
                found[slot] = (min(values), max(values))
        return tuple(found)

    def greatest(self, terms: Iterable[tuple[int, int]]) -> int:
        """The greatest value of a weighted sum of slots over the states (of which there must be one)."""
        weights: dict[int, int] = {}
        for slot, weight in terms:
            weights[slot] = weights.get(slot, 0) + weight
        relation, kids = self._relation, self._forest.kids
        local = [
            [sum(weights.get(slot, 0) * value for slot, value in zip(slots, state, strict=True)) for state in states]
            for slots, states in zip(relation.levels, relation.states, strict=True)
        ]
        best = {1: sum(w * relation.start[slot] for slot, w in weights.items() if slot not in relation.where)}
        for node in self.nodes:
            gains = local[self._level[node]]
            best[node] = max(gains[i] + best[child] for i, child in enumerate(kids[node]) if child)
        return best[self._root]
