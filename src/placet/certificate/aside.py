"""What the language demands and no run does: handlers of ends that do not come about, and the steps that only they lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placet.compiled import Compiled


def behind(compiled: Compiled, never: frozenset[int]) -> frozenset[int]:
    """These transitions, and all that could happen after them and not without them, if tokens were never used up. O(transitions x arcs)."""
    net = compiled.net
    marked = {p for p, tokens in enumerate(compiled.initial) if tokens}
    given = {p for t in never for p, _ in net.post[t]}
    return never | (_possible(compiled, marked | given, never) - _possible(compiled, marked, never))


def _possible(compiled: Compiled, marked: set[int], never: frozenset[int]) -> frozenset[int]:
    net = compiled.net
    needs = {
        t: {p for p, _ in (*net.pre[t], *net.read[t])} for t in range(len(net.transitions)) if t not in never
    }  # fmt: skip
    reached, fired = set(marked), set[int]()
    while new := [t for t, places in needs.items() if t not in fired and places <= reached]:
        fired.update(new)
        reached.update(p for t in new for p, _ in net.post[t])
    return frozenset(fired)
