"""Multi-way decision diagrams: shared nodes, and the set operations on them.

A set of states over levels `L, .., 1` is a node: 0 is the empty set, 1 the set of the empty vector, and a node of level k
is a tuple of nodes of level k - 1, one for each local state of the level, without zeros at its end. No level is left
out, so that equal sets are the same number; a child has a smaller number than its parents, so that passes from the
bottom to the top need no recursion. Recursion elsewhere is as deep as there are levels (`deep`).
"""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ENTRY = 110  # bytes of a child, a cached result, or a note: what a process was seen to grow by
_LOOK = 8192  # entries between two looks at the clock
_FRAMES = 6  # calls that are open for each level, at most


class LimitError(Exception):
    """The work, the memory or the time that was allowed is used up; `which` is "bytes", "work", "seconds", or "steps" of a run."""

    def __init__(self, which: str) -> None:
        super().__init__(which)
        self.which = which


class Forest:
    """Nodes, each once, and caches of operations on them.

    Raises LimitError from any operation once there are more than `most` entries (children of nodes and results kept)
    or `until`, on the monotonic clock, is past.
    """

    def __init__(self, most: int = 1 << 62, until: float = float("inf")) -> None:
        self.most, self.until = most, until
        self.kids: list[tuple[int, ...]] = [(), ()]
        self.entries = 0
        self.next_look = 0
        self._unique: dict[tuple[int, ...], int] = {}
        self._unions: dict[tuple[int, int], int] = {}
        self._intersections: dict[tuple[int, int], int] = {}
        self._differences: dict[tuple[int, int], int] = {}

    def node(self, kids: list[int]) -> int:
        """The node with these children; zeros at the end are dropped, from the list too."""
        while kids and not kids[-1]:
            kids.pop()
        if not kids:
            return 0
        key = tuple(kids)
        found = self._unique.get(key)
        if found is None:
            found = self._unique[key] = len(self.kids)
            self.kids.append(key)
            self.entries += len(key) + 2
            if self.entries > self.next_look:
                self.look()
        return found

    def look(self) -> None:
        """Raises LimitError where a limit is exceeded."""
        self.next_look = self.entries + _LOOK
        if self.entries > self.most:
            raise LimitError("work")
        if monotonic() > self.until:
            raise LimitError("seconds")

    def chain(self, indices: Sequence[int]) -> int:
        """The set of one state, given by its local states from the lowest level up."""
        node = 1
        for index in indices:
            node = self.node([0] * index + [node])
        return node

    def union(self, a: int, b: int) -> int:
        """States of the one set or the other."""
        if a == b or not b:
            return a
        if not a:
            return b
        key = (a, b) if a < b else (b, a)
        found = self._unions.get(key)
        if found is not None:
            return found
        kids = self.kids
        longer, shorter = kids[a], kids[b]
        if len(longer) < len(shorter):
            longer, shorter = shorter, longer
        made = list(longer)
        union = self.union
        for i, y in enumerate(shorter):
            if y:
                x = made[i]
                if x != y:
                    made[i] = union(x, y) if x else y
        self.entries += 1
        found = self._unions[key] = self.node(made)
        return found

    def intersection(self, a: int, b: int) -> int:
        """States of both sets."""
        if a == b:
            return a
        if not a or not b:
            return 0
        key = (a, b) if a < b else (b, a)
        found = self._intersections.get(key)
        if found is not None:
            return found
        made = []
        for x, y in zip(self.kids[a], self.kids[b], strict=False):
            made.append(x if x == y else self.intersection(x, y) if x and y else 0)
        self.entries += 1
        found = self._intersections[key] = self.node(made)
        return found

    def difference(self, a: int, b: int) -> int:
        """States of the first set that are not in the other."""
        if a == b or not a:
            return 0
        if not b:
            return a
        key = (a, b)
        found = self._differences.get(key)
        if found is not None:
            return found
        made = list(self.kids[a])
        for i, y in enumerate(self.kids[b]):
            if i == len(made):
                break
            if y and made[i]:
                made[i] = self.difference(made[i], y)
        self.entries += 1
        found = self._differences[key] = self.node(made)
        return found

    def below(self, *roots: int) -> list[int]:
        """The nodes that these are made of, themselves included, without 0 and 1; each after its children."""
        kids = self.kids
        found = {root for root in roots if root > 1}
        pending = list(found)
        while pending:
            for child in kids[pending.pop()]:
                if child > 1 and child not in found:
                    found.add(child)
                    pending.append(child)
        return sorted(found)

    def holds(self, node: int, indices: Sequence[int], level: int) -> bool:
        """Whether the set, of that level, has the state whose local states (lowest level first) are these."""
        kids = self.kids
        try:
            for index in indices[level - 1 :: -1] if level else ():
                node = kids[node][index]
        except IndexError:  # node 0 has no children, and no node has zeros at its end
            return False
        return node == 1

    def forget(self) -> None:
        """Empty the caches of results; sets stay what they are."""
        self._unions, self._intersections, self._differences = {}, {}, {}


@contextmanager
def deep(levels: int) -> Iterator[None]:
    """Room for recursion over so many levels, and no garbage collector, which has nothing to find among numbers.

    A call of one function of Python by another takes no room on the stack of C. No generator, no comprehension and no
    function of C that calls back may therefore stand in the way of a recursion.
    """
    limit, collecting = sys.getrecursionlimit(), gc.isenabled()
    sys.setrecursionlimit(max(limit, 2000 + _FRAMES * levels + limit))
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
        sys.setrecursionlimit(limit)
