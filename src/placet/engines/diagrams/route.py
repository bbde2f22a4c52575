"""A run from a state into a set, however long: by the levels of a diagram, with the sets that saturation has closed.

Which states lead to a goal by transitions of the levels 1 to k alone is known for each k, for what is below one node (`Backward.close`). So a
run is made from the top down: as long as lower levels suffice the highest one is passed by; where they do not, it is counted how many transitions of the
highest level are needed (there are few: each changes the local state of one component), and the run is made of pieces: by lower levels to where the next of
them can fire, that transition, and so on. Nothing is searched state by state, and layers of the breadth-first search, of which there are as
many as the run is long, are not needed. The run is not a shortest one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.engines.diagrams.forest import LimitError, deep
from placet.engines.diagrams.relation import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.engines.diagrams.backward import Backward
    from placet.engines.diagrams.forest import Forest
    from placet.engines.diagrams.relation import Relation

MOST_CELLS = 10_000_000  # steps times levels: their local states are kept


class _ArrivedError(Exception):
    """The goal is reached; never leaves this room."""


class Route:
    """One run, as it is made. Raises LimitError as the forest does, and where too many steps are to be kept."""

    def __init__(self, forest: Forest, relation: Relation, backward: Backward, local: Sequence[int]) -> None:
        self._forest, self._relation, self._backward = forest, relation, backward
        self.local = list(local)  # where the run has led to, lowest level first
        self.fired: list[int] = []
        self._goal = 0
        self._seen: dict[tuple[int, ...], int] = {}  # by state of the run, after how many steps
        self._bearer: dict[int, int] = {}  # by chain, the first transition that is it
        for t, chain in sorted(relation.chain_of.items(), reverse=True):
            self._bearer[chain] = t

    def go(self, goal: int, frame: int) -> None:
        """To the first state of the goal that comes, by states of the frame, none of them twice; it must be known that there is a way."""
        self._goal = goal
        self._seen = {tuple(self.local): 0}
        with deep(self._relation.height):
            try:
                self._reach(self._relation.height, goal, frame)
            except _ArrivedError:
                return

    def _reach(self, level: int, goal: int, frame: int) -> None:
        """As `go`, below a node of a level, by transitions of this level and lower ones."""
        forest, local = self._forest, self.local
        if forest.holds(goal, local, level):
            return
        while level:
            below = level - 1
            rows = forest.kids[frame]
            goals = self._closed(below, goal, rows)
            at = local[below]
            if not forest.holds(goals[at], local, below):
                layers = [goals]
                while not forest.holds(layers[-1][at], local, below):
                    layers.append(self._before(level, layers[-1], rows))
                for nearer in reversed(layers[:-1]):
                    if not forest.holds(nearer[local[below]], local, below):
                        self._cross(level, nearer, rows)
                if forest.holds(goal, local, level):
                    return
            at = local[below]
            goal, frame, level = forest.intersection(forest.kids[goal][at], rows[at]), rows[at], below

    def _closed(self, below: int, goal: int, rows: Sequence[int]) -> list[int]:
        """By local state, what leads to the goal by lower levels alone."""
        forest, made = self._forest, [0] * len(rows)
        for i, child in enumerate(forest.kids[goal]):
            if child and i < len(rows) and rows[i]:
                made[i] = self._backward.close(below, forest.intersection(child, rows[i]), rows[i])
        return made

    def _before(self, level: int, nearer: list[int], rows: Sequence[int]) -> list[int]:
        """What leads to these by one transition of the level more."""
        forest, backward = self._forest, self._backward
        made = list(nearer)
        for i, inner in enumerate(rows):
            if inner and made[i] != inner:
                doors = 0
                for _, _, door in self._doors(level, i, nearer, inner):
                    doors = forest.union(doors, door)
                more = forest.union(made[i], doors)
                if more != made[i]:
                    made[i] = backward.close(level - 1, more, inner)
        if made == nearer:
            raise AssertionError("what leads to the goal does not lead there")
        return made

    def _doors(self, level: int, at: int, nearer: list[int], inner: int) -> list[tuple[int, int, int]]:
        """(chain, local state after it, states below from which it leads nearer) of each transition of the level."""
        forest, backward, relation = self._forest, self._backward, self._relation
        found = []
        for head in backward.heads[level]:
            _, effect, rest = relation.chains[head]
            to = relation.next(effect, at)
            if to != NEVER and to < len(nearer) and nearer[to]:
                if rest < 0:
                    door = forest.intersection(nearer[to], inner)
                else:
                    door = backward.step_by(rest, level - 1, nearer[to], inner)
                if door:
                    found.append((head, to, door))
        return found

    def _cross(self, level: int, nearer: list[int], rows: Sequence[int]) -> None:
        """By lower levels to where a transition of this level leads nearer, and by it."""
        forest, local = self._forest, self.local
        at = local[level - 1]
        doors = self._doors(level, at, nearer, rows[at])
        goal = 0
        for _, _, door in doors:
            goal = forest.union(goal, door)
        self._reach(level - 1, goal, rows[at])
        for head, _, door in doors:
            if forest.holds(door, local, level - 1):
                self._fire(head)
                return
        raise AssertionError("where the way was to lead to no door is")

    def _fire(self, head: int) -> None:
        relation, local, chain = self._relation, self.local, head
        while chain >= 0:
            own, effect, chain = relation.chains[chain]
            local[own - 1] = relation.next(effect, local[own - 1])
        self.fired.append(self._bearer[head])
        state = tuple(local)
        known = self._seen.get(state)
        if known is None:
            self._seen[state] = len(self.fired)
        else:  # it was here before: what came since then is left out
            del self.fired[known:]
            self._seen = {one: number for one, number in self._seen.items() if number <= known}
        if len(self._seen) * len(state) > MOST_CELLS:
            raise LimitError("steps")
        if self._forest.holds(self._goal, local, relation.height):
            raise _ArrivedError
        self._forest.entries += 1
        if self._forest.entries > self._forest.next_look:
            self._forest.look()
