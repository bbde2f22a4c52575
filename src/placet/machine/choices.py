"""Where a transition system is not deterministic: choices that its environment cannot see."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.lts import Lts


class Hidden(NamedTuple):
    """A state, and the edges between which something inside chooses.

    One silent edge is a choice between it and waiting; one that leads back to its state is going on for ever unseen.
    """

    state: int
    edges: tuple[int, ...]
    label: int  # of all the edges; the silent one where nothing is seen at all
    before: tuple[int, ...]  # the labels of a shortest way to the state, silent ones left out


def hidden(lts: Lts, silent: int) -> list[Hidden]:
    """Every choice that cannot be seen, in the order of a search from the initial state. O(edges log edges)."""
    out: list[list[int]] = [[] for _ in range(lts.states)]
    for number, (source, _, _) in enumerate(lts.edges):
        out[source].append(number)
    way: dict[int, tuple[int, ...]] = {lts.initial: ()}
    queue = deque((lts.initial,))
    found: list[Hidden] = []
    while queue:
        state = queue.popleft()
        by_label: dict[int, list[int]] = {}
        for number in out[state]:
            _, label, target = lts.edges[number]
            if label == silent and target == state:
                found.append(Hidden(state, (number,), silent, way[state]))
                continue
            by_label.setdefault(label, []).append(number)
            if target not in way:
                way[target] = way[state] if label == silent else (*way[state], label)
                queue.append(target)
        for label, numbers in sorted(by_label.items()):
            if label == silent or len(numbers) > 1:
                found.append(Hidden(state, tuple(numbers), label, way[state]))
    return found
