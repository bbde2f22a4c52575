"""The net: frozen, integer-indexed, without a marking.

Places are `0 .. P-1`, transitions `0 .. T-1`. All arcs of a transition are kept with it, sorted by place, so that an
engine can walk them without a look-up. Side tables (origin, roles, final markings) are keyed by the same integers and
live elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from placet.values import NamedTuple

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

Arcs: TypeAlias = tuple[tuple[int, int], ...]  # (place, weight), sorted by place, weights >= 1
Marking: TypeAlias = tuple[int, ...]  # tokens of the P places


class Net(NamedTuple):
    """A place/transition net with weights, read, inhibitor and reset arcs and place capacities.

    Firing `t` in marking m: enabled iff `m[p] >= w` for every (p, w) of `pre[t]` and `read[t]`, `m[p] < w` for every
    (p, w) of `inhibit[t]`, and no capacity is exceeded afterwards. Then the preset is removed, the places of `reset[t]`
    are emptied, and the postset is added, in this order (Dufourd, Finkel, Schnoebelen 1998 for reset arcs).
    """

    places: tuple[str, ...]  # stable ids
    transitions: tuple[str, ...]  # stable ids
    pre: tuple[Arcs, ...]  # by transition
    post: tuple[Arcs, ...]
    read: tuple[Arcs, ...]
    inhibit: tuple[Arcs, ...]
    reset: tuple[tuple[int, ...], ...]
    capacity: tuple[tuple[int, int], ...] = ()  # (place, most tokens), only places that have one
    name: str = ""

    @property
    def is_plain(self) -> bool:
        """Only ordinary (possibly weighted) arcs: no read, inhibitor or reset arc and no capacity."""
        return not (self.capacity or any(self.read) or any(self.inhibit) or any(self.reset))

    @property
    def is_ordinary(self) -> bool:
        """Plain, and all weights are one."""
        return self.is_plain and all(w == 1 for side in (self.pre, self.post) for arcs in side for _, w in arcs)

    def producers(self) -> list[list[int]]:
        """For each place its preset: the transitions that put tokens on it, ascending. O(arcs)."""
        return _by_place(len(self.places), self.post)

    def consumers(self) -> list[list[int]]:
        """For each place its postset: the transitions that take tokens from it, ascending. O(arcs)."""
        return _by_place(len(self.places), self.pre)

    def incidence(self) -> NDArray[numpy.int64]:
        """`post - pre` : int64[P, T]; read, inhibitor and reset arcs do not appear. Dense: P * T * 8 bytes."""
        import numpy as np

        matrix = np.zeros((len(self.places), len(self.transitions)), dtype=np.int64)
        for sign, side in ((-1, self.pre), (1, self.post)):
            for t, arcs in enumerate(side):
                for p, w in arcs:
                    matrix[p, t] += sign * w
        return matrix

    def place(self, identifier: str) -> int:
        """Index of a place id. Raises KeyError. O(P): build a dict for many."""
        try:
            return self.places.index(identifier)
        except ValueError:
            raise KeyError(identifier) from None

    def transition(self, identifier: str) -> int:
        """Index of a transition id. Raises KeyError. O(T): build a dict for many."""
        try:
            return self.transitions.index(identifier)
        except ValueError:
            raise KeyError(identifier) from None


def _by_place(count: int, side: tuple[Arcs, ...]) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in range(count)]
    for t, arcs in enumerate(side):
        for p, _ in arcs:
            found[p].append(t)
    return found
