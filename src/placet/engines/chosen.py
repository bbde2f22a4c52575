"""The engine that is used when none is named: the reference engine for small state spaces, numpy for large ones.

A probe with the reference engine costs nothing to start. Where it meets its limit the search begins anew with the engine
that is several times faster: states have the same numbers in both, so that nothing but the time tells which one it was.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from placet.engines.reference import Reference
from placet.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.engines.protocol import Engine, Exploration, Progress, Visitor
    from placet.evidence import Budget
    from placet.net.core import Marking, Net
    from placet.net.observer import Observer

PROBE = 30_000  # states: a tenth of a second to half a second of the reference engine


class Chosen:
    """Reference first, frontier where that pays."""

    name = "chosen"

    def __init__(self, probe: int = PROBE) -> None:
        self._probe = probe

    def explore(
        self,
        net: Net,
        initial: Marking,
        observers: Sequence[Observer],
        visitors: Sequence[Visitor],
        budget: Budget,
        progress: Progress | None = None,
    ) -> Exploration:
        """Explore from `initial`; see the protocol."""
        begun = monotonic()
        small = budget.states is not None and budget.states <= 2 * self._probe
        probe = budget if small else budget._replace(states=self._probe)
        found = Reference().explore(net, initial, observers, visitors, probe, progress)
        if small or found.stop is None or found.stop.budget != "states":
            return found
        from placet.engines.frontier import Frontier

        if budget.seconds is not None:
            budget = budget._replace(seconds=max(0.0, budget.seconds - (monotonic() - begun)))
        return Frontier().explore(net, initial, observers, visitors, budget, progress)


NAMES = ("reference", "frontier")


def engine(name: str | None) -> Engine:
    """The engine of that name, or the one that chooses. Raises UsageError where there is none of the name."""
    if name is None:
        return Chosen()
    if name == "reference":
        return Reference()
    if name == "frontier":
        from placet.engines.frontier import Frontier

        return Frontier()
    raise UsageError(f"there is no engine `{name}`; known: {', '.join(NAMES)}")
