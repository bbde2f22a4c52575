"""How much a search in plain Python has done, in units that no machine changes.

A state of a net of ten thousand places, a place that a thousand transitions take from, or ten thousand goals make a
state cost a hundred times what an ordinary one costs. A budget of states then is hours of work: so such states count
for more than one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

DEAR = 250  # units that each state of the budget may take
ORDINARY = 30  # units that a state takes as a rule: 10 to 80
_GOAL = 20  # units of the test of a goal, a function of its own
_WORD = 512  # bits that are added in the time of any smaller number


class Effort:
    """Counts units: firings and tests of transitions, each by the width of a state, and tests of goals."""

    def __init__(self, states: int | None) -> None:
        self._most = None if states is None else states * DEAR
        self.units = 0

    def add(self, bits: int, firings: Iterable[int], tests: Iterable[int], goals: int) -> None:
        """States were found: what was fired and tested for each, with states of so many bits, and goals tested in all."""
        self.units += (1 + bits // _WORD) * (sum(firings) + sum(tests)) + _GOAL * goals

    @property
    def used_up(self) -> bool:
        """Whether as much was done as the whole budget of states may cost."""
        return self._most is not None and self.units > self._most

    def note(self, states: int) -> str:
        """Why the budget of states ended before its number, in a few words."""
        return f"each took the work of about {max(2, self.units // max(1, states) // ORDINARY)} ordinary ones"


WIDE = 3_000  # operations that each state of the budget may take, of engines that work on columns of states
_USUAL = 300  # operations that a state takes as a rule: 50 to 600


class Columns:
    """Counts operations on one word of one state, for the engines that do one thing to thousands of states at a time."""

    def __init__(self, states: int | None) -> None:
        self._most = None if states is None else states * WIDE
        self.units = 0

    def add(self, states: int, each: int) -> None:
        """So many states took so many operations each."""
        self.units += states * each

    @property
    def used_up(self) -> bool:
        """Whether as much was done as the whole budget of states may cost."""
        return self._most is not None and self.units > self._most

    def note(self, states: int) -> str:
        """Why the budget of states ended before its number, in a few words."""
        return f"each took the work of about {max(2, self.units // max(1, states) // _USUAL)} ordinary ones"
