"""The size of the state space: states, edges, most tokens in a place and in a marking; exact, or not at all.

Counters are asked in turn. One on decision diagrams belongs before the explicit one once there is such an engine: a function
of the context that gives the four numbers, or None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from placet.engines.protocol import Needs, Visitor
from placet.logic.state import FALSE

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.analysis.contest.context import Context


class Size(NamedTuple):
    """The four numbers of the examination."""

    states: int
    edges: int
    most_in_place: int
    most_in_marking: int


def explicit(context: Context) -> Size | None:
    """By search through all states."""
    seen = context.search([Visitor(FALSE, Needs.STATES)], None, context.until)
    if seen is None or not seen.complete:
        return None
    return Size(seen.states, seen.edges, max(seen.bounds, default=0), seen.most_in_marking)


COUNTERS: tuple[Callable[[Context], Size | None], ...] = (explicit,)


def size(context: Context) -> Size | None:
    """The numbers, by the first counter that has them."""
    for counter in COUNTERS:
        found = counter(context)
        if found is not None:
            return found
    return None
