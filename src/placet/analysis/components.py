"""Backward reachability and strongly connected components of a reachability graph in compressed rows.

The edges of state i stand at `offsets[i] .. offsets[i + 1] - 1` of `labels` and `targets`; states at and past
`len(offsets) - 1` were found but not expanded.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence


class Rows(NamedTuple):
    """A graph over `states` states in compressed rows."""

    states: int
    offsets: Sequence[int]
    labels: Sequence[int]
    targets: Sequence[int]

    @property
    def expanded(self) -> int:
        """How many states have all their edges."""
        return len(self.offsets) - 1

    def out(self, state: int) -> Sequence[int]:
        """The targets of a state's edges; none where it was not expanded."""
        if state >= self.expanded:
            return ()
        return self.targets[self.offsets[state] : self.offsets[state + 1]]


def without(rows: Rows, labels: Collection[int]) -> Rows:
    """The graph without the edges of these labels. O(edges)."""
    if not labels:
        return rows
    offsets, kept, targets = array("q", (0,)), array("I"), array("I")
    for i in range(rows.expanded):
        for e in range(rows.offsets[i], rows.offsets[i + 1]):
            if rows.labels[e] not in labels:
                kept.append(rows.labels[e])
                targets.append(rows.targets[e])
        offsets.append(len(targets))
    return Rows(rows.states, offsets, kept, targets)


def hopeless(rows: Rows, goal: Sequence[int]) -> bytearray:
    """By state, 1 where no state with the goal, and none that was not expanded, can be reached.

    Breadth-first numbers mostly grow along edges, so that a few sweeps from the back settle nearly all; what is left
    goes through reversed edges. O(states + edges).
    """
    able = bytearray(goal)
    expanded = rows.expanded
    for i in range(expanded, rows.states):
        able[i] = 1
    offsets, targets = rows.offsets, rows.targets
    for _ in range(2):
        changed = False
        high = offsets[expanded]
        for i in range(expanded - 1, -1, -1):
            low = offsets[i]
            if not able[i] and low < high and any(map(able.__getitem__, targets[low:high])):
                able[i] = 1
                changed = True
            high = low
        if not changed:
            break
    else:
        _spread(rows, able)
    return bytearray(1 - x for x in able)


def _spread(rows: Rows, able: bytearray) -> None:
    """Mark all that can reach a marked state, through reversed edges out of unmarked states only."""
    sources: dict[int, list[int]] = {}
    queue = []
    for i in range(rows.expanded):
        if not able[i]:
            for j in rows.out(i):
                if able[j]:
                    queue.append(i)
                else:
                    sources.setdefault(j, []).append(i)
    while queue:
        i = queue.pop()
        if not able[i]:
            able[i] = 1
            queue.extend(sources.get(i, ()))


def closure(rows: Rows, start: int) -> list[int]:
    """The states reachable from one, itself first, breadth-first."""
    seen, order = {start}, [start]
    for i in order:
        for j in rows.out(i):
            if j not in seen:
                seen.add(j)
                order.append(j)
    return order


def components(rows: Rows, inside: Callable[[int], bool], roots: Iterable[int] | None = None) -> list[list[int]]:
    """The strongly connected components of the states for which `inside` holds, each after those it leads to.

    `roots`: all these states, where they are known. Iterative depth-first search with one stack of roots (Gabow 2000). O(states + edges).
    """
    number: dict[int, int] = {}  # -1: its component is complete
    found: list[list[int]] = []
    for root in range(rows.states) if roots is None else roots:
        if root in number or not inside(root):
            continue
        path: list[int] = []
        borders: list[int] = []
        work = [(root, iter(rows.out(root)))]
        number[root] = 0
        path.append(root)
        borders.append(0)
        while work:
            state, left = work[-1]
            for j in left:
                if j not in number:
                    if inside(j):
                        number[j] = len(path)
                        borders.append(len(path))
                        path.append(j)
                        work.append((j, iter(rows.out(j))))
                        break
                elif number[j] >= 0:
                    while borders[-1] > number[j]:
                        borders.pop()
            else:
                work.pop()
                if borders[-1] == number[state]:
                    cut = borders.pop()
                    members = path[cut:]
                    del path[cut:]
                    for j in members:
                        number[j] = -1
                    found.append(members)
    return found


def terminal(rows: Rows, inside: Callable[[int], bool] = lambda _: True) -> list[list[int]]:
    """The strongly connected sets that no edge leaves, of states that all were expanded.

    `inside` must hold for every state that can be reached from one for which it holds.
    """
    result = []
    for members in components(rows, inside):
        own = set(members)
        if all(i < rows.expanded and own.issuperset(rows.out(i)) for i in members):
            result.append(members)
    return result


def cycle(rows: Rows, start: int, members: Collection[int]) -> tuple[int, ...]:
    """The labels of a shortest way from a state back to itself within a strongly connected set that has an edge."""
    own = set(members)
    back: dict[int, tuple[int, int]] = {}
    queue = [start]
    for i in queue:
        for e in range(rows.offsets[i], rows.offsets[i + 1]):
            j = rows.targets[e]
            if j == start:
                way, at = [rows.labels[e]], i
                while at != start:
                    at, label = back[at]
                    way.append(label)
                return tuple(reversed(way))
            if j in own and j not in back:
                back[j] = (i, rows.labels[e])
                queue.append(j)
    return ()
