"""Drawings of labelled transition systems: reachability graphs and state machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.draw.drawing import Drawing, Element, Link, Shape, lanes_of, plural
from placet.errors import UsageError

if TYPE_CHECKING:
    from placet.lts import Lts

MOST_STATES = 2_000


def from_lts(lts: Lts, title: str = "states") -> Drawing:
    """Every state and edge; edges between the same two states share an arrow.

    The initial state has a token, final ones a double border. Raises UsageError beyond `MOST_STATES`: nobody could read it.
    """
    if lts.states > MOST_STATES:
        raise UsageError(f"{lts.states} states are too many to draw; the most is {MOST_STATES}")
    elements = tuple(
        Element(
            f"s{s}",
            (lts.names[s] if lts.names else str(s)) or str(s),
            Shape.END if s in lts.final else Shape.STATE,
            tokens=1 if s == lts.initial else 0,
        )
        for s in range(lts.states)
    )
    words: dict[tuple[int, int], list[str]] = {}
    for source, label, target in lts.edges:
        words.setdefault((source, target), []).append(lts.labels[label])
    links = tuple(
        Link(source, target, ", ".join(labels[:3]) + (f" and {len(labels) - 3} more" if len(labels) > 3 else ""))
        for (source, target), labels in words.items()
    )
    description = f"{plural(lts.states, 'state')} and {plural(len(lts.edges), 'edge')}."
    return Drawing(title, description, elements, links, lanes_of(elements))
