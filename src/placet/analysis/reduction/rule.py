"""What a reduction rule is to the loop that applies it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.analysis.reduction.work import Work


class Rule(NamedTuple):
    """A rule: looks at one place, one transition or all of the net, applies itself there or leaves the net as it is.

    `stage` orders the rules: a stage is run dry before the next one has its turn, and cheap rules come first. Rules on all of the net come when all others are done; they get 0.
    """

    name: str
    paper: str
    subject: Literal["place", "transition", "net"]
    stage: int
    apply: Callable[[Work, int], bool]  # True: the subject, or part of the net, is gone
