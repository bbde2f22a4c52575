"""How large a state space is: states, edges, dead ends, tokens; exact, by whatever engine gets there first.

A short search first, which is all that small nets need; then a decision diagram, which has structured nets of any size; then the
search with its whole budget; then larger diagrams. What is counted does not depend on which of them it was.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from placet.engines.chosen import engine
from placet.engines.protocol import Needs, Visitor
from placet.evidence import Budget
from placet.logic.state import Dead
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.analysis.diagrams import Attempts
    from placet.engines.protocol import Exploration, Progress, Stop
    from placet.net.core import Marking, Net

FEW, CELLS = 30_000, 1_500_000  # states of the short search, and states times places and transitions
ENTRIES, MOST = 100_000, 1_600_000  # of an attempt at a diagram before the whole search, and after it
TRIES = 2  # such attempts before the whole search
WIDE = 100  # entries that an attempt is given for each place and transition at the least


class Counts(NamedTuple):
    """The numbers; where `stop` is set not all was seen, and they are those of what was."""

    states: int
    edges: int
    deadlocks: int
    most_in_place: int
    most_in_marking: int
    engine: str
    stop: Stop | None = None


def count(
    net: Net, initial: Marking, budget: Budget, name: str | None = None, progress: Progress | None = None
) -> Counts:
    """Count the state space with the engine of that name, or with those that fit. Raises UsageError for an unknown name."""
    chosen = engine(name)
    until = float("inf") if budget.seconds is None else monotonic() + budget.seconds
    attempts: Attempts | None = None

    def search(states: int | None) -> Exploration:
        seconds = None if budget.seconds is None else max(0.0, until - monotonic())
        limit = Budget(states, budget.bytes, seconds)
        return chosen.explore(net, initial, (), (Visitor(Dead(), Needs.STATES),), limit, progress)

    def draw(entries: int, tries: int) -> Counts | None:
        nonlocal attempts
        from placet.analysis.diagrams import MEMORY, Attempts

        attempts = attempts or Attempts(net, initial)
        attempts.entries = max(attempts.entries, WIDE * width)
        return _drawn(attempts, max(entries, WIDE * width), until, budget.bytes or MEMORY, tries)

    width = len(net.places) + len(net.transitions)
    if name == "symbolic":
        found = search(min(budget.states or 2000, 2000))  # a net without bound has no diagram
        if found.stop is not None and found.stop.budget == "states":
            return draw(MOST, 1 << 30) or _counts(search(budget.states))
        return draw(MOST, 1 << 30) or _counts(found) if found.stop is None else _counts(found)
    few = min(FEW, CELLS // max(1, width))
    if name is not None or (budget.states is not None and budget.states <= few):
        return _counts(search(budget.states))
    found = search(few)
    for entries, tries in ((ENTRIES, TRIES), (MOST, 1 << 30)):
        if found.stop is None or found.stop.budget not in ("states", "bytes"):
            break
        drawn = draw(entries, tries)
        if drawn is not None:
            return drawn
        if entries == ENTRIES:
            found = search(budget.states)
    return _counts(found)


def _counts(found: Exploration) -> Counts:
    known: int | None = getattr(found, "most_in_marking", None)  # an engine that holds states in columns knows at once
    most = max(sum(found.state(i)) for i in range(found.states)) if known is None else known
    dead = sum(found.holds(0))
    return Counts(found.states, found.edges, dead, max(found.bounds, default=0), most, found.engine, found.stop)


def _drawn(attempts: Attempts, entries: int, until: float, memory: int, tries: int) -> Counts | None:
    """By a diagram; None where there is none of that size."""
    from placet.engines.diagrams.diagram import ENTRY, LimitError

    diagram = attempts.run(entries, until, memory, tries)
    if diagram is None:
        return None
    diagram.allow(min(4 * entries, memory // ENTRY), until)
    places = range(attempts.places)
    try:
        dead = diagram.count(diagram.where(Dead()))
        edges, most = sum(diagram.firings.values()), max((most for _, most in diagram.bounds[: len(places)]), default=0)
        return Counts(diagram.states, edges, dead, most, diagram.greatest((p, 1) for p in places), "symbolic")
    except (LimitError, MemoryError):
        return None
