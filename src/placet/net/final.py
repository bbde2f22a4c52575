"""When a run is over: classes of places and the final markings that soundness is relative to.

Final: exactly one named end holds one token; all other control and channel places are empty; every resource is as it
was initially; records and budgets are free. `any_sink` is the variant for nets without named ends: at least one end is
marked, with any count, and all else is empty. `quiet` is that for nets in which services only react: no end, all empty.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from placet.logic.state import And, Linear, Not, Or, at_least
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.logic.state import Predicate
    from placet.net.core import Marking


class PlaceClass(Enum):
    """What a token on the place means."""

    CONTROL = "control"  # where a run has got to
    CHANNEL = "channel"  # a message on its way
    RESOURCE = "resource"  # something borrowed and given back
    RECORD = "record"  # what a participant remembers: barrier, de-duplication, dead letters
    BUDGET = "budget"  # faults and retries still to be spent


class Final(NamedTuple):
    """The final markings of a net. An empty `ends` means that the net has none, unless it is `quiet`."""

    ends: tuple[int, ...]  # places, one for each named end
    classes: tuple[PlaceClass, ...]  # by place
    any_sink: bool = False
    quiet: bool = False  # without ends: final is where nothing is going on and no message is left

    def predicate(self, initial: Marking, *, in_flight: bool = False) -> Predicate:
        """The final markings as a state predicate; linear in the number of places.

        With `in_flight` messages may still be on their way.
        """
        ends, resource = frozenset(self.ends), PlaceClass.RESOURCE
        control = PlaceClass.CONTROL  # tuples compare by identity first, where a set would hash enum members
        asked = (control, resource) if in_flight else (control, PlaceClass.CHANNEL, resource)
        held = [p for p, kind in enumerate(self.classes) if kind is resource and initial[p] and p not in ends]
        aside = ends.union(held)
        zero = tuple([(p, 1) for p, kind in enumerate(self.classes) if kind in asked and p not in aside])
        exact = [Linear(((p, 1),), "==", initial[p]) for p in held]
        total = Linear(tuple((p, 1) for p in self.ends), ">=" if self.any_sink else "==", 1)
        if self.quiet:
            return And((*exact, *((Linear(zero, "==", 0),) if zero else ())))
        return And((total, *exact, *((Linear(zero, "==", 0),) if zero else ())))

    def ended(self) -> Predicate:
        """Some end is marked: the premise of proper completion."""
        return Or(tuple(at_least(p) for p in self.ends))

    def early(self, initial: Marking) -> Predicate:
        """An end is marked while something still runs: what proper completion rules out.

        A message on its way is no such thing: a late request can outlive its saga, and that it drains is for the option
        to complete to say.
        """
        return And((self.ended(), Not(self.predicate(initial, in_flight=True))))
