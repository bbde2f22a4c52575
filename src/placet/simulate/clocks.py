"""Which transition fires next, and when: at random where no times are known, else by a race of clocks.

A transition with a delay gets a clock when it becomes enabled, and loses it when it is disabled; the first clock that runs
out fires (the race policy with enabling memory of M. Ajmone Marsan et al., "Modelling with Generalized Stochastic Petri
Nets", 1995, chapter 2). Transitions without a delay go before all others. Where a service works on so many requests at once,
the clocks of the others wait, first come, first served. Only `random()` of the generator is used.
"""

from __future__ import annotations

from math import cos, exp, log, pi, sqrt
from typing import TYPE_CHECKING

from placet.net.delays import Delay
from placet.net.roles import Kind

if TYPE_CHECKING:
    from random import Random

    from placet.compiled import Compiled

ARRIVALS = 1.0  # seconds until an event from outside comes, on the average, where nobody says when


def sample(delay: Delay, dice: Random) -> float:
    """A time in seconds."""
    if delay.shape == "constant":
        return delay.first
    u = dice.random()
    if delay.shape == "uniform":
        return delay.first + (delay.second - delay.first) * u
    if delay.shape == "exponential":
        return -delay.first * log(1.0 - u)
    normal = sqrt(-2.0 * log(1.0 - u)) * cos(2.0 * pi * dice.random())  # Box and Muller 1958
    return delay.first * exp(normal * log(delay.second))


class Clocks:
    """The times of one run. `now` is 0 at its beginning."""

    def __init__(self, compiled: Compiled, dice: Random, arrivals: float = ARRIVALS) -> None:
        self.now = 0.0
        self._dice = dice
        self._delays = dict(compiled.timing)
        for t, role in enumerate(compiled.roles.transitions):
            if role.kind is Kind.EVENT:
                self._delays.setdefault(t, Delay("exponential", arrivals))
        self._group = {t: n for n, (group, _) in enumerate(compiled.limits) for t in group}
        self._most = [most for _, most in compiled.limits]
        self._running = [0] * len(self._most)
        self._due: dict[int, float] = {}
        self._waiting: dict[int, None] = {}  # enabled, and the service is busy

    def choose(self, enabled: list[int]) -> int:
        """The transition that fires next, one of those enabled, of which there is at least one; `now` moves on to it."""
        there = set(enabled)
        for t in [t for t in self._due if t not in there]:
            self._stop(t)
        for t in [t for t in self._waiting if t not in there]:
            del self._waiting[t]
        instant = [t for t in enabled if t not in self._delays]
        if instant:
            return instant[int(self._dice.random() * len(instant))]
        for t in enabled:
            if t not in self._due:
                self._waiting.setdefault(t)
        for t in list(self._waiting):
            group = self._group.get(t)
            if group is None or self._running[group] < self._most[group]:
                del self._waiting[t]
                self._due[t] = self.now + sample(self._delays[t], self._dice)
                if group is not None:
                    self._running[group] += 1
        chosen = min(self._due, key=lambda t: (self._due[t], t))
        self.now = self._due[chosen]
        self._stop(chosen)
        return chosen

    def _stop(self, t: int) -> None:
        del self._due[t]
        if t in self._group:
            self._running[self._group[t]] -= 1
