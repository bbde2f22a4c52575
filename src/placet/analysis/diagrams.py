"""Building the diagram of a net: several orders of its levels are tried, each a little, then more of each.

How much an order costs cannot be told beforehand, and differs by orders of magnitude. So each is given the same number
of entries, which is a measure of work that no machine changes, and where none is enough each gets four times as many.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from placet.analysis.levels import candidates
from placet.engines.diagrams.diagram import ENTRY, Diagram, LimitError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from placet.analysis.levels import Levels
    from placet.net.core import Marking, Net
    from placet.net.observer import Observer

PROBE = 100_000  # entries: a tenth of a second to half a second
GROWTH = 4
MEMORY = 2 << 30
_TOO_MANY = 40_000  # places or transitions: reading them in takes longer than a probe may


class Attempts:
    """Attempts at the diagram of one net, ever longer ones."""

    def __init__(self, net: Net, initial: Marking, observers: Sequence[Observer] = ()) -> None:
        self._net, self._initial, self._observers = net, initial, observers
        self._source: Iterator[Levels] = (
            iter(()) if len(net.places) > _TOO_MANY else candidates(net, initial, observers)
        )
        self._known: list[Levels] = []
        self._next = 0
        self.entries = PROBE  # of each attempt of the next round
        self.over = len(net.places) > _TOO_MANY  # nothing more will come of it

    @property
    def places(self) -> int:
        """How many places the net has."""
        return len(self._net.places)

    def run(self, entries: int, until: float, memory: int = MEMORY, tries: int = 1 << 30) -> Diagram | None:
        """The diagram, where attempts of so many entries each at most, until then and within so many bytes, give it.

        At most so many of them are made: the most promising orders come first.
        """
        while not self.over and self.entries <= entries and tries > 0 and monotonic() < until:
            tries -= 1
            levels = self._levels()
            if levels is None:
                self.over = not self._known or self.entries * ENTRY >= memory
                self.entries *= GROWTH
                self._next = 0
                continue
            found = self._one(levels, min(self.entries, memory // ENTRY), until)
            if found is not None:
                return found
        return None

    def _levels(self) -> Levels | None:
        """The next of this round."""
        if self._next == len(self._known):
            levels = next(self._source, None)
            if levels is None:
                return None
            self._known.append(levels)
        self._next += 1
        return self._known[self._next - 1]

    def _one(self, levels: Levels, entries: int, until: float) -> Diagram | None:
        try:
            return Diagram(self._net, self._initial, levels, self._observers, most=entries, until=until)
        except LimitError:
            return None
        except MemoryError:
            self.over = True
            return None
