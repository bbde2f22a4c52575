"""The anomalies of sagas, A1 to A25, as questions to the obligations: which family, and in which scenarios.

Some are families of their own, finer than those that are counted: two kinds of undo without effect to undo, two kinds of
never ending. They are facts of the same exploration, and their runs are judged by the same replay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placet.coverage.obligations import Cause, Obligation

NOT_UNDONE = "not undone"  # settled compensated or failed, still in effect, and nobody called
NOT_COMPLETE = "not complete"  # settled otherwise, and not in effect although acknowledged (or the other way round)
SAYS_COMPENSATED = "says compensated"  # settled compensated, and still in effect
UNDO_OF_NOTHING = "undo of nothing"
UNDO_TWICE = "undo twice"
ACTS_AFTER_END = "acts after its end"
UNDONE_LATE = "undone after completion"  # its undo is asked for or takes effect when the whole has ended `completed`
WRONG_SCOPE = "wrong scope"  # the reply to another call is taken for its own
ISOLATION = "isolation"  # it is undone after another run has touched what it did
RETRIES = (
    "retries used up"  # its undo is given up, since attempts forward have used the retries that it shares with them
)
STUCK = "stuck"
LIVELOCK = "livelock"

OF_ENDS = (STUCK, LIVELOCK)
WHOLE = frozenset(("TERM", *OF_ENDS))  # obligations of the saga as a whole


class Seen(NamedTuple):
    """What scenarios are told by: the causes of the net, and the pairs of steps that may be in flight at once."""

    causes: Sequence[Cause]
    beside: frozenset[tuple[str, str]]


class Anomaly(NamedTuple):
    """One anomaly: its name, the families that show it, and in which of their scenarios; None: in all."""

    name: str
    families: tuple[str, ...]
    where: Callable[[Obligation, Seen], bool] | None = None

    def asks(self, obligation: Obligation, seen: Seen) -> bool:
        """Whether an obligation is one of those that it is about."""
        return obligation.family in self.families and (self.where is None or self.where(obligation, seen))


def _unknown(o: Obligation, _: Seen) -> bool:
    return o.phase == "applied, not acknowledged"


def _beside(o: Obligation, seen: Seen) -> bool:
    """The step was in flight when the saga gave up because of another one beside it."""
    if o.phase not in ("on its way", "applied, not acknowledged"):
        return False
    return any((o.step, seen.causes[f].step) in seen.beside for f in o.faults)


def _cancelled(o: Obligation, seen: Seen) -> bool:
    return any(seen.causes[f].kind == "cancel" for f in o.faults)


ANOMALIES: dict[str, Anomaly] = {
    "anomaly_A1": Anomaly("lost compensation", (NOT_UNDONE,)),
    "anomaly_A2": Anomaly("loss of an unknown outcome", (NOT_UNDONE,), _unknown),
    "anomaly_A3": Anomaly("null compensation", (UNDO_OF_NOTHING,)),
    "anomaly_A4": Anomaly("hanging request", ("LATE",)),
    "anomaly_A5": Anomaly("double effect", ("ONCE",)),
    "anomaly_A6": Anomaly("double undo", (UNDO_TWICE,)),
    "anomaly_A7": Anomaly("undo out of order", ("ORDER",)),
    "anomaly_A8": Anomaly("undo failure swallowed", ("UNDO-FAIL",)),
    "anomaly_A9": Anomaly("undo without its input", ("INPUT",)),
    "anomaly_A10": Anomaly("undo of a finished saga", (UNDONE_LATE,)),
    "anomaly_A11": Anomaly("back past the pivot", ("PIVOT",)),
    "anomaly_A12": Anomaly("sibling in flight", (NOT_UNDONE, "LATE"), _beside),
    "anomaly_A13": Anomaly("cancellation kills the undo", (NOT_UNDONE,), _cancelled),
    "anomaly_A14": Anomaly("stuck saga", (STUCK,)),
    "anomaly_A15": Anomaly("endless undo", (LIVELOCK,)),
    "anomaly_A16": Anomaly("an ended saga acts", (ACTS_AFTER_END,)),
    "anomaly_A17": Anomaly("wrong scope completed", (WRONG_SCOPE,)),
    "anomaly_A18": Anomaly("reported compensated, is not", (SAYS_COMPENSATED,)),
    "anomaly_A19": Anomaly("no isolation", (ISOLATION,)),
    "anomaly_A21": Anomaly("shared retry budget", (RETRIES,)),
    "anomaly_A25": Anomaly("reported complete, is not", (NOT_COMPLETE,)),
}
