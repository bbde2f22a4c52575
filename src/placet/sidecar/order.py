"""Which steps of a definition come directly before which others, while nothing fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.formats.asl.machine import targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.formats.asl.calls import Element


def follows(every: Sequence[Element], steps: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """By path of a step those directly before it in the same machine, steps in an order in which these come first.

    What stands on a loop with another step is before none. O(steps * states).
    """
    scopes = {e.path: e.path[: -len(e.path.rpartition("/")[2])] for e in every}
    named = {(scopes[e.path], e.name): e.path for e in every}
    onward = {
        e.path: [
            path
            for how, target in targets(e.state)
            if not how.startswith("Catch") and (path := named.get((scopes[e.path], target.name))) is not None
        ]
        for e in every
    }
    asked = frozenset(steps)
    reach = {step: _reached(onward, step) for step in steps}
    after = {step: _reached(onward, step, asked) for step in steps}
    before: dict[str, list[str]] = {step: [] for step in steps}
    for step in steps:
        for other in steps:
            if other != step and other in after[step] and step not in reach[other]:
                before[other].append(step)
    order: dict[str, tuple[str, ...]] = {}
    left = list(steps)
    while left:
        ready = [s for s in left if all(b in order for b in before[s])]
        for step in ready:
            order[step] = tuple(before[step])
        left = [s for s in left if s not in order]
    return order


def _reached(onward: dict[str, list[str]], start: str, until: frozenset[str] = frozenset()) -> set[str]:
    """What comes after a state; with `until` no further than to these."""
    found: set[str] = set()
    pending = [start]
    while pending:
        for path in onward[pending.pop()]:
            if path not in found:
                found.add(path)
                if path not in until:
                    pending.append(path)
    return found
