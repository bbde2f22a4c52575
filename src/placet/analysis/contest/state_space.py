"""The size of the state space: states, edges, most tokens in a place and in a marking; exact, or not at all.

Counters are asked in turn, each with its share of the time: whether a net has few states, or many in a small diagram, is not
known beforehand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.engines.protocol import Needs, Visitor
from placet.logic.state import FALSE
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.analysis.contest.context import Context

FEW = 50_000  # states: searched at once


class Size(NamedTuple):
    """The four numbers of the examination."""

    states: int
    edges: int
    most_in_place: int
    most_in_marking: int


def explicit(context: Context, states: int | None, until: float) -> Size | None:
    """By search through all states."""
    seen = context.search([Visitor(FALSE, Needs.STATES)], states, until)
    if seen is None or not seen.complete:
        return None
    return Size(seen.states, seen.edges, max(seen.bounds, default=0), seen.most_in_marking)


def symbolic(context: Context, until: float) -> Size | None:
    """By a diagram of all states."""
    from placet.engines.diagrams.diagram import LimitError

    diagram = context.diagram(until)
    if diagram is None:
        return None
    places = range(len(context.initial))
    try:
        return Size(
            diagram.states,
            sum(diagram.firings.values()),
            max((most for _, most in diagram.bounds[: len(places)]), default=0),
            diagram.greatest((p, 1) for p in places),
        )
    except LimitError:
        return None


def size(context: Context) -> Size | None:
    """The numbers, by the first counter that has them."""
    return (
        explicit(context, FEW, context.share(0.2))
        or symbolic(context, context.share(0.4))
        or explicit(context, None, context.share(0.5))
        or symbolic(context, context.until)
    )
