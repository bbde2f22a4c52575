"""Workflow nets: one source, one sink, and every place and transition on a path from the one to the other.

W.M.P. van der Aalst, "The application of Petri nets to workflow management", J. Circuits, Systems and Computers 8(1),
1998, definition 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.net.core import Net


class WorkflowNet(NamedTuple):
    """The source place and the sink place."""

    source: int
    sink: int


def workflow_net(net: Net) -> WorkflowNet | None:
    """The source and the sink of a workflow net, or None for any other net. Linear in the arcs.

    Read arcs count as arcs in both directions; inhibitor and reset arcs carry no tokens and connect nothing.
    """
    forward, backward = _neighbours(net)
    count = len(net.places)
    sources = [p for p in range(count) if not backward[p]]
    sinks = [p for p in range(count) if not forward[p]]
    if len(sources) != 1 or len(sinks) != 1 or sources == sinks:
        return None
    if not all(_reached(sources[0], forward)) or not all(_reached(sinks[0], backward)):
        return None
    return WorkflowNet(sources[0], sinks[0])


def _neighbours(net: Net) -> tuple[list[list[int]], list[list[int]]]:
    """Successors and predecessors; transition `t` has the number `P + t`."""
    count = len(net.places)
    total = count + len(net.transitions)
    forward: list[list[int]] = [[] for _ in range(total)]
    backward: list[list[int]] = [[] for _ in range(total)]
    for t, (pre, post, read) in enumerate(zip(net.pre, net.post, net.read, strict=True), start=count):
        for p, _ in (*pre, *read):
            forward[p].append(t)
            backward[t].append(p)
        for p, _ in (*post, *read):
            forward[t].append(p)
            backward[p].append(t)
    return forward, backward


def _reached(start: int, edges: list[list[int]]) -> list[bool]:
    seen = [False] * len(edges)
    seen[start] = True
    pending = [start]
    while pending:
        for other in edges[pending.pop()]:
            if not seen[other]:
                seen[other] = True
                pending.append(other)
    return seen
