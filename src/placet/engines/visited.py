"""The set of states seen, exact: open addressing over packed words, many look-ups at a time.

A slot holds the number of a state, and two states are the same only if all their words are: the hash chooses where to
look, never what is found. Among equal new states of a batch the first one gets the number, so that numbers follow the
order in which states are offered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy
    from numpy.typing import NDArray

    Column = NDArray[numpy.uint64]

MIX = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)
MOST = (1 << 31) - 2  # states: numbers are 32 bits wide


def scatter(columns: Sequence[Column]) -> Column:
    """A hash of every state. Nothing but speed depends on it."""
    import numpy as np

    total = columns[0] * np.uint64(MIX[0])
    total ^= total >> np.uint64(32)
    for column in columns[1:]:
        total ^= column
        total *= np.uint64(MIX[1])
        total ^= total >> np.uint64(29)
    total *= np.uint64(MIX[2])
    total ^= total >> np.uint64(32)
    return total


class Visited:
    """States numbered from 0 in the order in which they were first offered."""

    def __init__(self, words: int) -> None:
        import numpy as np

        self._np = np
        self.count = 0
        self._columns = [np.empty(1024, dtype=np.uint64) for _ in range(words)]
        self._table = np.full(4096, -1, dtype=np.int32)

    @property
    def bytes(self) -> int:
        """Memory held."""
        return self._table.nbytes + sum(c.nbytes for c in self._columns)

    def room(self, more: int) -> int:
        """Memory that would be held with so many states more, while it is enlarged."""
        need = self.count + more
        slots, space = len(self._table), len(self._columns[0])
        while slots < 2 * need:
            slots *= 2
        while space < need:
            space *= 2
        grown = 4 * slots if slots > len(self._table) else 0
        return self.bytes + grown + (8 * space if space > len(self._columns[0]) else 0) * len(self._columns)

    def columns(self, start: int = 0, end: int | None = None) -> list[Column]:
        """The words of the states with these numbers; views, not copies."""
        return [c[start : self.count if end is None else end] for c in self._columns]

    def add(self, columns: Sequence[Column]) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64]]:
        """Offer states: the number of each, and the positions of those that are new, ascending."""
        np, base, offered = self._np, self.count, len(columns[0])
        self._enlarge(base + offered)
        for mine, theirs in zip(self._columns, columns, strict=True):
            mine[base : base + offered] = theirs  # for a while each offered state has the number base + its position
        mask = np.int64(len(self._table) - 1)
        slots = (scatter(columns) & np.uint64(mask)).astype(np.int64)
        numbers = np.empty(offered, dtype=np.int64)
        pending, at = np.arange(offered), slots
        while len(pending):
            held = self._table[at]
            free = held < 0
            if free.any():
                claimed, who = at[free], pending[free]
                self._table[claimed[::-1]] = (base + who[::-1]).astype(np.int32)  # backwards: the first one stays
                held = self._table[at]
            same = self._columns[0][held] == columns[0][pending]
            for mine, theirs in zip(self._columns[1:], columns[1:], strict=True):
                same &= mine[held] == theirs[pending]
            numbers[pending[same]] = held[same]
            slots[pending] = at
            other = ~same
            pending = pending[other]
            at = (at[other] + 1) & mask
        new = np.flatnonzero(numbers == np.arange(base, base + offered))
        self._settle(columns, numbers, new, slots)
        return numbers, new

    def _settle(
        self,
        columns: Sequence[Column],
        numbers: NDArray[numpy.int64],
        new: NDArray[numpy.int64],
        slots: NDArray[numpy.int64],
    ) -> None:
        """Give the new states the numbers that come next, without gaps."""
        np, base = self._np, self.count
        rank = np.empty(len(numbers), dtype=np.int64)
        rank[new] = np.arange(base, base + len(new))
        fresh = numbers >= base
        numbers[fresh] = rank[numbers[fresh] - base]
        self._table[slots[new]] = np.arange(base, base + len(new), dtype=np.int32)
        for mine, theirs in zip(self._columns, columns, strict=True):
            mine[base : base + len(new)] = theirs[new]
        self.count += len(new)

    def _enlarge(self, need: int) -> None:
        np = self._np
        space = len(self._columns[0])
        if need > space:
            while space < need:
                space *= 2
            for w, old in enumerate(self._columns):
                self._columns[w] = np.empty(space, dtype=np.uint64)
                self._columns[w][: self.count] = old[: self.count]
        slots = len(self._table)
        if 2 * need > slots:
            while slots < 2 * need:
                slots *= 2
            self._table = np.full(slots, -1, dtype=np.int32)
            self._rehash()

    def _rehash(self) -> None:
        """Enter all states anew; they are different, so that nothing is compared."""
        np, mask = self._np, len(self._table) - 1
        step = 1 << 18
        for start in range(0, self.count, step):
            end = min(self.count, start + step)
            at = (scatter(self.columns(start, end)) & np.uint64(mask)).astype(np.int64)
            pending = np.arange(start, end, dtype=np.int32)
            while len(pending):
                free = self._table[at] < 0
                self._table[at[free]] = pending[free]
                left = self._table[at] != pending
                pending, at = pending[left], (at[left] + 1) & mask
