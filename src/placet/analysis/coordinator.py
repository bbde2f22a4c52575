"""The state machine of a coordinator: its open net, made as small as it can be, or why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.open_net import SILENT, behaviour, names
from placet.machine.bisimulation import classes, quotient
from placet.machine.choices import hidden
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.engines.protocol import Progress, Stop
    from placet.evidence import Budget
    from placet.lts import Lts
    from placet.machine.choices import Hidden
    from placet.machine.label import Label


class Coordinator(NamedTuple):
    """The smallest transition system with the same behaviour, and what stands in the way of a state machine."""

    lts: Lts
    labels: tuple[Label, ...]
    by: tuple[int, ...]  # by edge the transition of the whole net
    hidden: tuple[Hidden, ...]  # choices that nobody outside can see
    situations: int  # before it was made small
    stop: Stop | None = None  # why it was not seen whole


def coordinator(
    compiled: Compiled, budget: Budget, *, decisions: bool = False, progress: Progress | None = None
) -> Coordinator:
    """The coordinator of a subject, without faults: they are the environment's, and so may happen whenever it waits."""
    seen = behaviour(compiled, budget, decisions=decisions, progress=progress)
    if seen.stop is not None:
        return Coordinator(seen.lts, (), (), (), 0, seen.stop)
    small = quotient(seen.lts, classes(seen.lts, SILENT, seen.marks), SILENT)
    lts = small.lts._replace(names=names(compiled, seen, small.settled))
    by = tuple(seen.by[edge] for edge in small.stands_for)
    return Coordinator(lts, seen.labels, by, tuple(hidden(lts, SILENT)), seen.lts.states)
