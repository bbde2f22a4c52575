"""Predecessors within a set: one step, or any number by constrained saturation.

Y. Zhao, G. Ciardo (2009), "Symbolic CTL model checking of asynchronous systems using constrained saturation", ATVA. What is
asked for lies within a *frame*, a set of states whose every local state has been met: the predecessors of a state by a
chain are then those states of the frame that the chain leads to it, and no inverse is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.engines.diagrams.forest import deep
from placet.engines.diagrams.relation import NEVER

if TYPE_CHECKING:
    from placet.engines.diagrams.forest import Forest
    from placet.engines.diagrams.relation import Relation


class Backward:
    """Against the direction of a relation, without the transitions in `aside`. Raises LimitError as the forest does."""

    def __init__(self, forest: Forest, relation: Relation, aside: frozenset[int] = frozenset()) -> None:
        self._forest, self._relation = forest, relation
        heads: list[dict[int, None]] = [{} for _ in relation.levels]
        for t, chain in relation.chain_of.items():
            if t not in aside:
                heads[relation.chains[chain][0]][chain] = None
        self.heads = [tuple(row) for row in heads]
        self._idle = not aside.issuperset(relation.idle)
        self._sources: list[dict[int, list[tuple[int, int]]] | None] = [None] * (relation.height + 1)
        self._closures: dict[tuple[int, int], int] = {}
        self._saturated: dict[tuple[tuple[int, ...], int], int] = {}
        self._fired: list[dict[tuple[int, int], int]] = [{} for _ in relation.chains]
        self._before: dict[tuple[int, int], int] = {}
        self._before_chain: dict[tuple[int, int, int], int] = {}

    def leading_to(self, goal: int, frame: int) -> int:
        """The states of the frame from which a goal within it can be reached by states of the frame alone."""
        with deep(self._relation.height):
            return self.close(self._relation.height, self._forest.intersection(goal, frame), frame)

    def before(self, goal: int, frame: int) -> int:
        """The states of the frame from which one step leads into the goal."""
        forest = self._forest
        with deep(self._relation.height):
            found = self._step(self._relation.height, goal, frame)
            return forest.union(found, forest.intersection(goal, frame)) if self._idle else found

    # -- one step ----------------------------------------------------------------------------------------------------

    def _step(self, level: int, goal: int, frame: int) -> int:
        if not level or not goal or not frame:
            return 0
        key = (goal, frame)
        found = self._before.get(key)
        if found is not None:
            return found
        forest = self._forest
        after, rows = forest.kids[goal], forest.kids[frame]
        made = [0] * len(rows)
        for i, inner in enumerate(rows):
            if inner and i < len(after) and after[i]:
                made[i] = self._step(level - 1, after[i], inner)
        sources = self._towards(level)
        for j, target in enumerate(after):
            for i, below in sources.get(j, ()) if target else ():
                if i < len(rows) and rows[i]:
                    if below < 0:
                        one = forest.intersection(target, rows[i])
                    else:
                        one = self.step_by(below, level - 1, target, rows[i])
                    made[i] = forest.union(made[i], one)
        found = self._before[key] = forest.node(made)
        forest.entries += 1
        return found

    def step_by(self, chain: int, level: int, goal: int, frame: int) -> int:
        """The states of the frame, both of that level, from which (the rest of) a chain leads into the goal. Within `deep`."""
        key = (chain, goal, frame)
        found = self._before_chain.get(key)
        if found is not None:
            return found
        forest, relation = self._forest, self._relation
        own, effect, below = relation.chains[chain]
        after, made = forest.kids[goal], []
        for i, inner in enumerate(forest.kids[frame]):
            j = (i if own < level else relation.next(effect, i)) if inner else NEVER
            if j < 0 or j >= len(after) or not after[j]:
                made.append(0)
            elif own == level and below < 0:
                made.append(forest.intersection(after[j], inner))
            else:
                made.append(self.step_by(chain if own < level else below, level - 1, after[j], inner))
        found = self._before_chain[key] = forest.node(made)
        forest.entries += 1
        return found

    # -- any number of steps -----------------------------------------------------------------------------------------

    def close(self, level: int, goal: int, frame: int) -> int:
        """What leads to the goal within the frame, both of that level, by transitions of no higher levels. Within `deep`."""
        if not level or not goal or goal == frame:
            return goal
        key = (goal, frame)
        found = self._closures.get(key)
        if found is not None:
            return found
        rows, made = self._forest.kids[frame], []
        for i, child in enumerate(self._forest.kids[goal]):
            made.append(self.close(level - 1, child, rows[i]) if child else 0)
        found = self._closures[key] = self._saturate(level, made, frame)
        self._forest.entries += 1
        return found

    def _saturate(self, level: int, kids: list[int], frame: int) -> int:
        key = (tuple(kids), frame)
        found = self._saturated.get(key)
        if found is not None:
            return found
        forest, sources = self._forest, self._towards(level)
        rows = forest.kids[frame]
        kids.extend([0] * (len(rows) - len(kids)))
        waiting = [j for j, child in enumerate(kids) if child]
        at = set(waiting)
        for j in waiting:
            at.discard(j)
            for i, below in sources.get(j, ()):
                if i >= len(rows) or kids[i] == rows[i] or (i == j and below < 0):
                    continue
                if below < 0:
                    one = self.close(level - 1, forest.intersection(kids[j], rows[i]), rows[i])
                else:
                    one = self._fire(below, level - 1, kids[j], rows[i])
                if not one:
                    continue
                more = forest.union(kids[i], one)
                if more != kids[i]:
                    kids[i] = more
                    if i not in at:
                        at.add(i)
                        waiting.append(i)
        found = self._saturated[key] = forest.node(kids)
        forest.entries += len(key[0]) + 2
        return found

    def _fire(self, chain: int, level: int, goal: int, frame: int) -> int:
        cache = self._fired[chain]
        found = cache.get((goal, frame))
        if found is not None:
            return found
        forest, relation = self._forest, self._relation
        own, effect, below = relation.chains[chain]
        after, made = forest.kids[goal], []
        for i, inner in enumerate(forest.kids[frame]):
            j = (i if own < level else relation.next(effect, i)) if inner else NEVER
            if j < 0 or j >= len(after) or not after[j]:
                made.append(0)
            elif own == level and below < 0:
                made.append(self.close(level - 1, forest.intersection(after[j], inner), inner))
            else:
                made.append(self._fire(chain if own < level else below, level - 1, after[j], inner))
        while made and not made[-1]:
            made.pop()
        found = cache[goal, frame] = self._saturate(level, made, frame) if made else 0
        forest.entries += 1
        return found

    def _towards(self, level: int) -> dict[int, list[tuple[int, int]]]:
        """By local state: (the one before, the rest of the chain) for each transition of this highest level."""
        found = self._sources[level]
        if found is None:
            relation = self._relation
            rows: dict[int, dict[tuple[int, int], None]] = {}
            count = len(relation.states[level])
            for head in self.heads[level]:
                _, effect, below = relation.chains[head]
                for i in range(count):
                    j = relation.next(effect, i)
                    if j != NEVER:
                        rows.setdefault(j, {})[i, below] = None
            found = self._sources[level] = {j: list(row) for j, row in rows.items()}
        return found
