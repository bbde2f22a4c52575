"""The states of a set in which a predicate holds, as a set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.engines.diagrams.forest import deep
from placet.engines.diagrams.relation import NEVER
from placet.logic.state import And, Dead, Fireable, Linear, Not, Or, compare

if TYPE_CHECKING:
    from placet.engines.diagrams.forest import Forest
    from placet.engines.diagrams.relation import Relation
    from placet.logic.state import Predicate

_INFINITE = 1 << 300


class Selection:
    """Picks states out of sets of all levels. Raises LimitError as the forest does."""

    def __init__(self, forest: Forest, relation: Relation) -> None:
        self._forest, self._relation = forest, relation
        self._enabled: dict[tuple[int, int], int] = {}

    def select(self, node: int, predicate: Predicate) -> int:
        """Those states of the set in which the predicate holds."""
        forest = self._forest
        if not node:
            return 0
        match predicate:
            case Linear():
                return self._linear(node, predicate)
            case Fireable(t):
                return self._fireable(node, t)
            case Dead(ignoring):
                return self._dead(node, ignoring)
            case Not(of):
                with deep(self._relation.height):
                    return forest.difference(node, self.select(node, of))
            case And(parts):
                for part in parts:
                    node = self.select(node, part)
                return node
            case Or(parts):
                found = 0
                with deep(self._relation.height):
                    for part in parts:
                        found = forest.union(found, self.select(node, part))
                return found

    def _fireable(self, node: int, transition: int) -> int:
        chain = self._relation.chain_of.get(transition)
        if chain is None:
            return node if transition in self._relation.idle else 0
        with deep(self._relation.height):
            return self._able(node, self._relation.height, chain)

    def _able(self, node: int, level: int, chain: int) -> int:
        if chain < 0:
            return node
        found = self._enabled.get((node, chain))
        if found is not None:
            return found
        relation = self._relation
        own, effect, below = relation.chains[chain]
        made = []
        for i, child in enumerate(self._forest.kids[node]):
            if not child:
                made.append(0)
            elif own < level:
                made.append(self._able(child, level - 1, chain))
            elif relation.next(effect, i) != NEVER:
                made.append(self._able(child, level - 1, below))
            else:
                made.append(0)
        found = self._enabled[node, chain] = self._forest.node(made)
        self._forest.entries += 1
        return found

    def _dead(self, node: int, ignoring: frozenset[int]) -> int:
        relation = self._relation
        if not ignoring.issuperset(relation.idle):
            return 0
        heads: list[dict[int, None]] = [{} for _ in relation.levels]
        for t, chain in relation.chain_of.items():
            if t not in ignoring:
                heads[relation.chains[chain][0]][chain] = None
        search = _Dead(self._forest, relation, [tuple(row) for row in heads])
        with deep(relation.height):
            return search.of(node, relation.height, frozenset())

    def _linear(self, node: int, atom: Linear) -> int:
        weights: dict[int, int] = {}
        constant = 0
        for slot, weight in atom.terms:
            if slot in self._relation.where:
                weights[slot] = weights.get(slot, 0) + weight
            else:
                constant += weight * self._relation.start[slot]
        weights = {slot: weight for slot, weight in weights.items() if weight}
        bound = atom.bound - constant
        if not weights:
            return node if compare(0, atom.op, bound) else 0
        low, high = {
            "<=": (-_INFINITE, bound), "<": (-_INFINITE, bound - 1), ">=": (bound, _INFINITE),
            ">": (bound + 1, _INFINITE), "==": (bound, bound), "!=": (bound, bound),
        }[atom.op]  # fmt: skip
        search = _Sum(self._forest, self._relation, node, weights)
        with deep(self._relation.height):
            found = search.between(node, low, high)
            return self._forest.difference(node, found) if atom.op == "!=" else found


class _Dead:
    """The states in which no chain is enabled: from the top, with the chains that all levels so far allow."""

    def __init__(self, forest: Forest, relation: Relation, heads: list[tuple[int, ...]]) -> None:
        self._forest, self._relation, self._heads = forest, relation, heads
        self._known: dict[tuple[int, frozenset[int]], int] = {}

    def of(self, node: int, level: int, pending: frozenset[int]) -> int:
        if not level:
            return node
        key = (node, pending)
        found = self._known.get(key)
        if found is not None:
            return found
        chains, made = self._relation.chains, []
        here = list(self._heads[level])
        later = set()
        for chain in pending:
            if chains[chain][0] == level:
                here.append(chain)
            else:
                later.add(chain)
        for i, child in enumerate(self._forest.kids[node]):
            left = self._left(here, i, later) if child else None
            made.append(0 if left is None else self.of(child, level - 1, left))
        found = self._known[key] = self._forest.node(made)
        self._forest.entries += 2 + len(pending)
        return found

    def _left(self, here: list[int], index: int, later: set[int]) -> frozenset[int] | None:
        """The chains that may still be enabled below this local state; None where one is enabled whatever follows."""
        relation = self._relation
        left = set(later)
        for chain in here:
            _, effect, below = relation.chains[chain]
            if relation.next(effect, index) != NEVER:
                if below < 0:
                    return None
                left.add(below)
        return frozenset(left)


class _Sum:
    """The states in which a weighted sum lies between two numbers."""

    def __init__(self, forest: Forest, relation: Relation, root: int, weights: dict[int, int]) -> None:
        self._forest = forest
        kids = forest.kids
        local = [
            [sum(weights.get(slot, 0) * value for slot, value in zip(slots, state, strict=True)) for state in states]
            for slots, states in zip(relation.levels, relation.states, strict=True)
        ]
        self._local: dict[int, list[int]] = {}
        self._least, self._most = {1: 0}, {1: 0}
        level = {1: 0}
        for node in forest.below(root):
            row = kids[node]
            k = level[node] = level[row[-1]] + 1
            gains = self._local[node] = local[k]
            least, most = _INFINITE, -_INFINITE
            for i, child in enumerate(row):
                if child:
                    least = min(least, gains[i] + self._least[child])
                    most = max(most, gains[i] + self._most[child])
            self._least[node], self._most[node] = least, most
        self._known: dict[tuple[int, int, int], int] = {}

    def between(self, node: int, low: int, high: int) -> int:
        least, most = self._least[node], self._most[node]
        if low <= least and most <= high:
            return node
        if most < low or least > high:
            return 0
        key = (node, low, high)
        found = self._known.get(key)
        if found is not None:
            return found
        gains, made = self._local[node], []
        for i, child in enumerate(self._forest.kids[node]):
            made.append(self.between(child, low - gains[i], high - gains[i]) if child else 0)
        found = self._known[key] = self._forest.node(made)
        self._forest.entries += 1
        return found
