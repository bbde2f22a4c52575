"""A reachability graph, or the part of it that is known, as numpy arrays, with the closures that model checking needs.

States are `0 .. states-1`, 0 the initial one; those from `expanded` on were found, but their edges are not known. All
functions take and give truth by state. Each is linear in the edges it crosses.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from placet.analysis.passes import OutOfTimeError

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Truth = NDArray[numpy.bool_]
    Numbers = NDArray[numpy.int64]


class Graph:
    """Edges in compressed rows: those of state i go to `targets[offsets[i] : offsets[i + 1]]`."""

    def __init__(
        self, states: int, offsets: Numbers, targets: NDArray[numpy.uint32], until: float | None = None
    ) -> None:
        self.states = states
        self.offsets = offsets
        self.targets = targets
        self.until = until  # on the monotonic clock

    @property
    def expanded(self) -> int:
        """How many states, from 0 on, have all their edges here."""
        return len(self.offsets) - 1

    @property
    def whole(self) -> bool:
        """Whether every state has its edges."""
        return self.expanded == self.states

    @cached_property
    def degrees(self) -> Numbers:
        """By state, how many edges leave it; 0 for those that are not expanded."""
        import numpy as np

        found = np.zeros(self.states, dtype=np.int64)
        found[: self.expanded] = np.diff(self.offsets)
        return found

    @cached_property
    def ends(self) -> Truth:
        """The expanded states that no edge leaves: there a run is over."""
        found: Truth = self.degrees == 0
        found[self.expanded :] = False
        return found

    @cached_property
    def unknown(self) -> Truth:
        """The states whose edges are not known."""
        import numpy as np

        found = np.zeros(self.states, dtype=bool)
        found[self.expanded :] = True
        return found

    @cached_property
    def sources(self) -> NDArray[numpy.uint32]:
        """By edge, where it begins."""
        import numpy as np

        return np.repeat(np.arange(self.expanded, dtype=np.uint32), np.diff(self.offsets))

    @cached_property
    def backward(self) -> tuple[Numbers, NDArray[numpy.uint32]]:
        """The reversed edges in compressed rows."""
        import numpy as np

        self.check()
        order = np.argsort(self.targets, kind="stable")
        origins = self.sources[order]
        del order
        counts = np.bincount(self.targets, minlength=self.states)
        return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)]), origins

    def check(self) -> None:
        """Raises OutOfTimeError when the time is over."""
        if self.until is not None:
            from time import monotonic

            if monotonic() > self.until:
                raise OutOfTimeError

    @cached_property
    def _scratch(self) -> Numbers:
        import numpy as np

        return np.empty(self.states, dtype=np.int64)

    def distinct(self, some: Numbers) -> Numbers:
        """Each of these states once, in no order. Linear, where sorting or hashing is many times slower."""
        import numpy as np

        if len(some) < 2:
            return some
        places = np.arange(len(some))
        self._scratch[some] = places
        last: Numbers = some[self._scratch[some] == places]
        return last

    def before(self, some: Numbers) -> Numbers:
        """The states with an edge to one of these, as often as they have one."""
        offsets, origins = self.backward
        return origins[rows(offsets, some)].astype("int64")

    def after(self, some: Numbers) -> tuple[Numbers, Numbers]:
        """(position in `some`, state) for every edge out of these expanded states."""
        import numpy as np

        counts = self.offsets[some + 1] - self.offsets[some]
        return np.repeat(np.arange(len(some)), counts), self.targets[rows(self.offsets, some)].astype("int64")

    def some_next(self, goal: Truth) -> Truth:
        """The expanded states with an edge to a goal."""
        import numpy as np

        self.check()
        found = np.zeros(self.states, dtype=bool)
        found[self.sources[goal[self.targets]]] = True
        return found

    def leads_to(self, goal: Truth, through: Truth) -> Truth:
        """The states from which a run through `through` states reaches a goal; goals themselves."""
        import numpy as np

        found = goal.copy()
        front = np.flatnonzero(goal)
        while len(front):
            self.check()
            origins = self.before(front)
            origins = origins[through[origins] & ~found[origins]]
            found[origins] = True
            front = self.distinct(origins)
        return found

    def can_stay(self, within: Truth, ends: Truth) -> Truth:
        """The states with a maximal run that never leaves `within`; runs may also end in `ends`, as far as these are within."""
        import numpy as np

        self.check()
        stays = within.copy()
        left = np.bincount(self.sources[stays[self.targets]], minlength=self.states)  # edges to states that may stay
        front = np.flatnonzero(stays & ~ends & (left == 0))
        while len(front):
            self.check()
            stays[front] = False
            origins = self.before(front)
            np.subtract.at(left, origins, 1)
            touched = self.distinct(origins)
            front = touched[stays[touched] & ~ends[touched] & (left[touched] == 0)]
        return stays


def rows(offsets: Numbers, some: Numbers) -> Numbers:
    """The positions of all entries of these rows, one row after the other."""
    import numpy as np

    starts = offsets[some]
    counts = offsets[some + 1] - starts
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - counts), counts) + np.arange(total)
