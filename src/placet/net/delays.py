"""How long something takes: known to simulation, ignored by verification, which looks at every order of events."""

from __future__ import annotations

from typing import Literal

from placet.values import NamedTuple


class Delay(NamedTuple):
    """A distribution of times in seconds.

    `constant` first; `uniform` between first and second; `exponential` with the mean first; `lognormal` with the median first
    and the factor second: two of three times lie between the median divided by it and the median times it.
    """

    shape: Literal["constant", "uniform", "exponential", "lognormal"]
    first: float
    second: float = 0.0
