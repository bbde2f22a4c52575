"""When a run can be repeated for ever and adds tokens each time: the on-the-fly test for unboundedness.

A run from state a to state b with b >= a, more tokens on place p, and p not emptied on the way repeats from b: firing
is monotone in nets with weights, reads and resets (Dufourd, Finkel, Schnoebelen 1998). A transition with an inhibitor
arc or a capacity is enabled again where the places it tests hold in b what they held in a.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from placet.engines.packing import Ceilings

if TYPE_CHECKING:
    from placet.evidence import State, Trace
    from placet.net.core import Marking, Net


class Lineage(Protocol):
    """A search that remembers where its states come from."""

    @property
    def states(self) -> int:
        """How many states were found."""
        ...

    def line(self, number: int) -> tuple[list[int], list[int]]:
        """The state numbers from the initial state to this one, and the transitions between them."""
        ...

    def covers(self, greater: int, less: int) -> bool:
        """Whether the one state has at least the other's tokens everywhere."""
        ...

    def state(self, index: int) -> State:
        """The state of that number."""
        ...


class Pumping:
    """Looks along the ancestors of states with a new record. Its work stays in proportion to the search's own."""

    _FREE = 20_000  # ancestors that may always be looked at

    def __init__(self, net: Net, initial: Marking) -> None:
        self._net = net
        self._initial = initial
        self._tested: list[frozenset[int]] | None = None
        self._walked = 0

    def look(self, search: Lineage, number: int) -> tuple[int, Trace, Trace] | None:
        """(place, trace, loop) where a loop up to this state can be repeated and the place grows. O(ancestors * P)."""
        if self._walked > self._FREE + 4 * search.states:
            return None
        path, fired = search.line(number)
        self._walked += len(path)
        after: State | None = None
        tested: set[int] = set()  # by the transitions of the loop
        emptied: set[int] = set()
        for back in range(len(path) - 2, -1, -1):
            tested.update(self._tests(fired[back]))
            emptied.update(self._net.reset[fired[back]])
            if search.covers(number, path[back]):
                self._walked += 8  # what unpacking a state costs, in ancestors
                after = after or search.state(number)
                place = self._repeats(search.state(path[back]), after, tested, emptied)
                if place >= 0:
                    return place, tuple(fired[:back]), tuple(fired[back:])
        return None

    def _tests(self, transition: int) -> frozenset[int]:
        """The places of which the transition asks that they hold fewer than some number."""
        if self._tested is None:
            ceilings = Ceilings(self._net, self._initial)
            self._tested = [frozenset(ceilings.of(t)) for t in range(len(self._net.transitions))]
        return self._tested[transition]

    def _repeats(self, before: State, after: State, tested: set[int], emptied: set[int]) -> int:
        """A place that grows each time the loop is repeated, or -1."""
        if any(before[p] != after[p] for p in tested):
            return -1
        for p in range(len(self._net.places)):
            if after[p] > before[p] and p not in emptied:
                return p
        return -1
