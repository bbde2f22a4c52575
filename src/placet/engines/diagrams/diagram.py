"""The reachable states of a net as a diagram, with all that can be asked of them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from placet.engines.diagrams.backward import Backward
from placet.engines.diagrams.forest import ENTRY, Forest, LimitError, deep
from placet.engines.diagrams.numbers import Numbers
from placet.engines.diagrams.relation import Relation
from placet.engines.diagrams.rings import on_no_ring
from placet.engines.diagrams.route import Route
from placet.engines.diagrams.saturation import Saturation
from placet.engines.diagrams.sets import Selection
from placet.engines.diagrams.staying import Staying

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from placet.logic.state import Predicate
    from placet.net.core import Marking, Net
    from placet.net.observer import Observer

__all__ = ["ENTRY", "Diagram", "LimitError"]


class Diagram:
    """All reachable states, over levels of slots: places, then observers. Sets of them are numbers; 0 is the empty one.

    `most` limits the entries (about `ENTRY` bytes each) and `until` the time, on the monotonic clock; both may be raised between
    two calls. Any call raises LimitError past a limit, or MemoryError, and has then changed no set.
    """

    def __init__(
        self,
        net: Net,
        initial: Marking,
        levels: Sequence[Sequence[int]],
        observers: Sequence[Observer] = (),
        *,
        most: int = 1 << 62,
        until: float = float("inf"),
    ) -> None:
        self._forest = Forest(most, until)
        self._relation = Relation(net, initial, levels, observers)
        self.all = Saturation(self._forest, self._relation).reachable()
        self._backward: dict[frozenset[int], Backward] = {}
        self._selection = Selection(self._forest, self._relation)

    def allow(self, most: int, until: float) -> None:
        """Set the limits anew: so many entries more than there are, and until then."""
        self._forest.most, self._forest.until = self._forest.entries + most, until

    @property
    def entries(self) -> int:
        """How many entries there are."""
        return self._forest.entries

    # -- numbers -----------------------------------------------------------------------------------------------------

    @cached_property
    def _numbers(self) -> Numbers:
        return Numbers(self._forest, self._relation, self.all)

    @property
    def states(self) -> int:
        """How many states can be reached."""
        return self._numbers.states

    @cached_property
    def firings(self) -> dict[int, int]:
        """By transition, in how many states it is enabled; the dead ones are not listed."""
        return self._numbers.firings()

    @cached_property
    def bounds(self) -> tuple[tuple[int, int], ...]:
        """By slot, the least and the greatest value in any state."""
        return self._numbers.bounds()

    def greatest(self, terms: Iterable[tuple[int, int]]) -> int:
        """The greatest value of a weighted sum of slots."""
        return self._numbers.greatest(terms)

    def count(self, states: int) -> int:
        """How many states a set has."""
        return Numbers(self._forest, self._relation, states).states

    # -- sets --------------------------------------------------------------------------------------------------------

    def where(self, predicate: Predicate) -> int:
        """The reachable states in which the predicate holds."""
        return self._selection.select(self.all, predicate)

    def union(self, a: int, b: int) -> int:
        """States of one or the other."""
        with deep(self._relation.height):
            return self._forest.union(a, b)

    def intersection(self, a: int, b: int) -> int:
        """States of both."""
        with deep(self._relation.height):
            return self._forest.intersection(a, b)

    def difference(self, a: int, b: int) -> int:
        """States of the first that are not in the second."""
        with deep(self._relation.height):
            return self._forest.difference(a, b)

    def before(self, goal: int, frame: int | None = None, aside: frozenset[int] = frozenset()) -> int:
        """The states (of the frame) from which one step, by none of the transitions aside, leads into the goal."""
        return self._against(aside).before(goal, self.all if frame is None else frame)

    def leading_to(self, goal: int, frame: int | None = None, aside: frozenset[int] = frozenset()) -> int:
        """The states (of the frame) from which the goal can be reached, through the frame, by none of the transitions aside."""
        return self._against(aside).leading_to(goal, self.all if frame is None else frame)

    def staying(self, held: int, ends: int, aside: frozenset[int] = frozenset()) -> int:
        """The states of a set from which a run through it, by none of the transitions aside, goes on for ever or gets to `ends`."""
        return Staying(self._forest, self._relation, self._against).within(held, ends, aside)

    def on_no_ring(self, states: int, aside: frozenset[int] = frozenset()) -> frozenset[int]:
        """Transitions, those aside among them, that no run within a set takes again and again: all that are easily found."""
        relation = self._relation
        chain_of = {t: chain for t, chain in relation.chain_of.items() if t not in aside}
        never = on_no_ring(self._forest, relation, states, chain_of.values()) if states else frozenset()
        return aside | {t for t, chain in chain_of.items() if chain in never}

    def route(
        self, state: Sequence[int], goal: int, frame: int | None = None
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """A run from a state of the frame into the goal through the frame, which there must be, no shortest one; and where it ends."""
        local = self._relation.local(state)
        if local is None:
            raise ValueError("no state of the frame")
        route = Route(self._forest, self._relation, self._against(frozenset()), local)
        route.go(goal, self.all if frame is None else frame)
        return tuple(route.fired), self._relation.whole(route.local)

    def _against(self, aside: frozenset[int]) -> Backward:
        found = self._backward.get(aside)
        if found is None:
            found = self._backward[aside] = Backward(self._forest, self._relation, aside)
        return found

    def has(self, states: int, state: Sequence[int]) -> bool:
        """Whether a set has a state."""
        local = self._relation.local(state)
        return local is not None and self._forest.holds(states, local, self._relation.height)

    def some(self, states: int) -> tuple[int, ...]:
        """One state of a set that has one: by level, from the highest, the local state that was met first."""
        local: list[int] = []
        node = states
        for _ in range(self._relation.height):
            row = self._forest.kids[node]
            index = next(i for i, child in enumerate(row) if child)
            local.append(index)
            node = row[index]
        return self._relation.whole(local[::-1])

    def written(
        self,
    ) -> tuple[tuple[tuple[int, ...], ...], tuple[tuple[tuple[int, ...], ...], ...], tuple[tuple[int, ...], ...], int]:
        """All reachable states to be written down: the slots of each level, its local states, the nodes from number 2 on, the root."""
        relation, kids = self._relation, self._forest.kids
        nodes = self._forest.below(self.all)
        numbers = {0: 0, 1: 1} | {node: n for n, node in enumerate(nodes, 2)}
        made = tuple(tuple(numbers[kid] for kid in kids[node]) for node in nodes)
        return relation.levels[1:], tuple(tuple(row) for row in relation.states[1:]), made, numbers[self.all]
