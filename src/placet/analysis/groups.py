"""Queries without an answer yet: which of them share a reduced net, and what is observed on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placet.analysis.check import Check
    from placet.analysis.passes import Asks
    from placet.analysis.reduction import Reduced
    from placet.analysis.subject import Subject
    from placet.compiled import Query
    from placet.evidence import Verdict
    from placet.net.observer import Observer

MUCH_SMALLER = 0.9  # of the places and transitions: else a net reduced for one query saves no search that others share


class Open:
    """A query without a verdict yet."""

    def __init__(self, position: int, query: Query, chosen: Check, asks: Asks) -> None:
        self.position, self.query, self.check, self.asks = position, query, chosen, asks
        self.seconds = 0.0
        self.known: Verdict | None = None  # a violation that a diagram shows
        self.late = False  # the time was over before a pass was judged
        self.far = False  # a diagram has what violates it, further off than it can find a run to


def smaller(subject: Subject, reduced: Reduced) -> bool:
    """Whether a reduced net is so much smaller that a search of its own pays."""
    before = len(subject.net.places) + len(subject.net.transitions)
    return len(reduced.places) + len(reduced.transitions) <= MUCH_SMALLER * before


def alike(group: list[Open]) -> list[list[Open]]:
    """Groups that one reduction serves: the greatest bound is kept for one set of places at a time, and some want a net for themselves."""
    parts: dict[frozenset[int], list[Open]] = {}
    together = [o for o in group if not o.asks.alone]
    for o in together:
        if o.asks.bounded:
            parts.setdefault(o.asks.bounded, []).append(o)
    rest = [o for o in together if not o.asks.bounded]
    if rest:
        least = min(parts, key=len) if parts else frozenset()
        parts.setdefault(least, []).extend(rest)
    return [*parts.values(), *([o] for o in group if o.asks.alone)]


def moved(subject: Subject, reduced: Reduced) -> tuple[Observer, ...]:
    """The observers over the transitions of the reduced net."""
    numbers: dict[int, list[int]] = {}
    for i, t in enumerate(reduced.transitions):
        numbers.setdefault(t, []).append(i)
    return tuple(
        o._replace(
            deltas=tuple(sorted((i, d) for t, d in dict(reversed(o.deltas)).items() for i in numbers.get(t, ())))
        )
        for o in subject.observers
    )
