"""States from which a run can stay in a set: by what rings take, by rings that were found, and only then the greatest fixpoint.

The states sought are the greatest set whose every state ends a run or has a step into the set (J. Burch et al. (1992), "Symbolic model
checking: 10^20 states and beyond"). That fixpoint is approached a layer at a time, and each layer costs a pass over the whole set, which saturation
is there to avoid. But whoever can get to one state that stays, through the set, stays as well, and that is one saturation (Zhao and Ciardo 2009).
So what leads to an end is taken out first. A run in what is left that never ends goes round at last, by transitions of rings alone: the
fixpoint is wanted of these, which is reached in fewer layers. And states on rings are looked for by walks; what leads to them is taken out too.
No state is guessed: what is left leads to none that was taken out, so that its own fixpoint is the rest of the answer.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from placet.engines.diagrams.forest import deep
from placet.engines.diagrams.relation import NEVER
from placet.engines.diagrams.rings import on_no_ring

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placet.engines.diagrams.backward import Backward
    from placet.engines.diagrams.forest import Forest
    from placet.engines.diagrams.relation import Relation

_WALKS = 3  # before a layer, each of which is cheap beside it
_STEPS = 2  # of a walk, for each level: towards a set that the walk does not leave again


class Staying:
    """Looks for them within sets. Raises LimitError as the forest does."""

    def __init__(self, forest: Forest, relation: Relation, against: Callable[[frozenset[int]], Backward]) -> None:
        """`against` gives what goes against the direction of the relation, without certain transitions."""
        self._forest, self._relation, self._against = forest, relation, against

    def within(self, held: int, ends: int, aside: frozenset[int]) -> int:
        """The states of the set from which a run through it goes on for ever, or gets to one of `ends`, without transitions aside."""
        forest, backward = self._forest, self._against(aside)
        if any(t not in aside for t in self._relation.idle):
            return held
        found = backward.leading_to(ends, held)
        with deep(self._relation.height):
            left = forest.difference(held, found)
        rings = self._rings(left, aside)
        with deep(self._relation.height):
            return forest.union(found, backward.leading_to(rings, left))

    def _rings(self, left: int, aside: frozenset[int]) -> int:
        """States of the set, all on rings among them, from which a run stays in it for ever."""
        forest, relation = self._forest, self._relation
        chain_of = {t: chain for t, chain in relation.chain_of.items() if t not in aside}
        never = on_no_ring(forest, relation, left, chain_of.values()) if left else frozenset()
        backward = self._against(aside | {t for t, chain in chain_of.items() if chain in never})
        chains = [chain for row in backward.heads for chain in row]
        rng = Random(relation.height)  # noqa: S311 - no secret
        found = layers = next_walk = 0
        while left:
            if layers == next_walk:
                for _ in range(_WALKS):
                    ring = self._ring(left, backward, chains, rng) if left else 0
                    if not ring:
                        break
                    with deep(relation.height):
                        found, left = forest.union(found, ring), forest.difference(left, ring)
                next_walk = max(1, 2 * layers)
            less = backward.before(left, left)
            if less == left:
                with deep(relation.height):
                    return forest.union(found, left)
            left = less
            layers += 1
        return found

    def _ring(self, left: int, backward: Backward, chains: Sequence[int], rng: Random) -> int:
        """What leads, within the set, to a state on a ring within it; 0 where a walk came to none."""
        relation = self._relation
        local = self._any(left, rng)
        for _ in range(_STEPS * relation.height):
            after = self._step(local, left, chains, rng)
            if after is None:
                return 0
            local = after
        goal = self._forest.chain(local)
        leading = backward.leading_to(goal, left)
        for chain in chains:
            after = self._fire(chain, local)
            if after is not None and self._forest.holds(leading, after, relation.height):
                return leading
        return 0

    def _any(self, states: int, rng: Random) -> list[int]:
        """One state of a set that has one, lowest level first."""
        local, node = [], states
        for _ in range(self._relation.height):
            row = self._forest.kids[node]
            index = rng.choice([i for i, child in enumerate(row) if child])
            local.append(index)
            node = row[index]
        return local[::-1]

    def _step(self, local: Sequence[int], within: int, chains: Sequence[int], rng: Random) -> list[int] | None:
        """The state after one step within a set; None where there is none."""
        height = self._relation.height
        first = rng.randrange(len(chains)) if chains else 0
        for k in range(len(chains)):
            after = self._fire(chains[(first + k) % len(chains)], local)
            if after is not None and self._forest.holds(within, after, height):
                return after
        return None

    def _fire(self, chain: int, local: Sequence[int]) -> list[int] | None:
        relation, after = self._relation, list(local)
        while chain >= 0:
            level, effect, chain = relation.chains[chain]
            index = relation.next(effect, after[level - 1])
            if index == NEVER:
                return None
            after[level - 1] = index
        return after
