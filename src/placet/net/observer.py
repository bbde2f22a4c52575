"""Observers: total, deterministic, saturating counters over firings, run in product with the net by every engine.

An observer never enables or disables anything: projecting the observers away gives the same reachability graph.
"""

from __future__ import annotations

from placet.values import NamedTuple


class Observer(NamedTuple):
    """Counts firings: `value = min(high, max(low, value + delta))` where (transition, delta) is listed.

    A latch ("has x ever been done") is low 0, high 1, delta +1. `e_s`, effective applies minus effective undos of step
    s, is low -1, high 2. Values must lie in [-128, 127].
    """

    id: str  # stable id, such as `book_trip/flight#done`
    phrase: str  # in the user's words
    deltas: tuple[tuple[int, int], ...]  # (transition, delta), sorted
    low: int = 0
    high: int = 1
    initial: int = 0
    every_run: bool = False  # where a saga runs twice at once it counts both runs, else the first alone
    momentary: bool = (
        False  # it says what the last step was: `deltas` has every transition, -1 those that it does not mean
    )

    def step(self, value: int, transition: int) -> int:
        """The value after a transition fired."""
        for t, delta in self.deltas:
            if t == transition:
                return min(self.high, max(self.low, value + delta))
        return value


def completed(observer: Observer, transitions: int) -> Observer:
    """The observer over a net of so many transitions: one that says what the last step was takes every new one for another."""
    if not observer.momentary:
        return observer
    listed = dict(observer.deltas)
    return observer._replace(deltas=tuple((t, listed.get(t, -1)) for t in range(transitions)))
