"""The reachability graph by the textbook: `net/firing.py`, a queue, and nothing clever."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from placet.logic.state import evaluate
from placet.net.firing import enabled, fire_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.logic.state import Predicate
    from placet.net.core import Marking, Net
    from placet.net.observer import Observer


class Graph(NamedTuple):
    """All reachable states with their distance, and all edges. `whole` is False where the limit was hit."""

    net: Net
    depth: dict[tuple[int, ...], int]
    edges: dict[tuple[int, ...], list[tuple[int, tuple[int, ...]]]]
    whole: bool

    def holds(self, predicate: Predicate, state: tuple[int, ...]) -> bool:
        return evaluate(predicate, state, lambda: [t for t, _ in self.edges[state]])

    def where(self, predicate: Predicate) -> set[tuple[int, ...]]:
        return {s for s in self.edges if self.holds(predicate, s)}

    def reach(self, start: tuple[int, ...]) -> set[tuple[int, ...]]:
        """Every state reachable from `start`, itself included."""
        seen, queue = {start}, [start]
        while queue:
            for _, after in self.edges[queue.pop()]:
                if after not in seen:
                    seen.add(after)
                    queue.append(after)
        return seen


def explore(net: Net, initial: Marking, observers: Sequence[Observer] = (), limit: int = 400) -> Graph:
    """Breadth-first, up to `limit` states expanded."""
    start = (*initial, *(o.initial for o in observers))
    depth, edges, queue = {start: 0}, {}, deque([start])
    while queue:
        if len(edges) >= limit:
            return Graph(net, depth, edges, whole=False)
        state = queue.popleft()
        edges[state] = []
        for t in enabled(net, state[: len(net.places)]):
            after = fire_state(net, observers, state, t)
            edges[state].append((t, after))
            if after not in depth:
                depth[after] = depth[state] + 1
                queue.append(after)
    return Graph(net, depth, edges, whole=True)
