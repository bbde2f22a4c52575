"""Building a net: the only mutable object in the room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.errors import UsageError
from placet.net.core import Arcs, Net

if TYPE_CHECKING:
    from collections.abc import Mapping


class NetBuilder:
    """Collects places, transitions and arcs by id; `build` gives the frozen net and its initial marking.

    Arcs are given as mappings from place index to weight; weights below one, places that are not there, ids used twice
    are misuse (UsageError).
    """

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.places: dict[str, int] = {}
        self.transitions: dict[str, int] = {}
        self.initial: list[int] = []
        self.capacity: dict[int, int] = {}
        self._arcs: list[tuple[Arcs, Arcs, Arcs, Arcs, tuple[int, ...]]] = []

    def place(self, identifier: str, tokens: int = 0, capacity: int | None = None) -> int:
        """Add a place; gives its index."""
        if identifier in self.places:
            raise UsageError(f"place `{identifier}` is there already")
        if tokens < 0 or (capacity is not None and capacity < tokens):
            raise UsageError(f"place `{identifier}` cannot hold {tokens} tokens")
        index = self.places[identifier] = len(self.places)
        self.initial.append(tokens)
        if capacity is not None:
            self.capacity[index] = capacity
        return index

    def transition(
        self,
        identifier: str,
        pre: Mapping[int, int],
        post: Mapping[int, int],
        *,
        read: Mapping[int, int] | None = None,
        inhibit: Mapping[int, int] | None = None,
        reset: tuple[int, ...] = (),
    ) -> int:
        """Add a transition with all its arcs; gives its index."""
        if identifier in self.transitions:
            raise UsageError(f"transition `{identifier}` is there already")
        arcs = (self._side(pre), self._side(post), self._side(read or {}), self._side(inhibit or {}))
        if any(not 0 <= p < len(self.places) for p in reset):
            raise UsageError(f"transition `{identifier}` empties a place that is not there")
        index = self.transitions[identifier] = len(self.transitions)
        self._arcs.append((*arcs, tuple(sorted(set(reset)))))
        return index

    def _side(self, arcs: Mapping[int, int]) -> Arcs:
        count = len(self.places)
        for p, w in arcs.items():
            if not 0 <= p < count or w < 1:
                raise UsageError(f"no arc of weight {w} to place number {p}")
        return tuple(sorted(arcs.items())) if len(arcs) > 1 else tuple(arcs.items())

    def build(self) -> tuple[Net, tuple[int, ...]]:
        """The frozen net and its initial marking."""
        columns = list(zip(*self._arcs, strict=True)) or [(), (), (), (), ()]
        pre, post, read, inhibit, reset = columns
        net = Net(
            tuple(self.places),
            tuple(self.transitions),
            pre,
            post,
            read,
            inhibit,
            reset,
            tuple(sorted(self.capacity.items())),
            self.name,
        )
        return net, tuple(self.initial)
