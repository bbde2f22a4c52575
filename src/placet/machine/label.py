"""What happens at the edge of a coordinator: what it hears, what it sends, times that pass, and its ends."""

from __future__ import annotations

from enum import Enum

from placet.durations import seconds_of
from placet.values import NamedTuple


class Seen(Enum):
    """What kind of thing is seen from outside."""

    HEARS = "receive"  # a message or an outside event
    OUTCOME = "outcome"  # a task of the coordinator is over, one way or another
    SENDS = "send"
    TIME = "time"
    END = "end"
    CHOICE = "choice"  # a decision of the coordinator's own, where those are to be seen


INPUTS = frozenset((Seen.HEARS, Seen.OUTCOME, Seen.TIME))


class Label(NamedTuple):
    """One thing that can be seen. Labels with the same text are the same."""

    kind: Seen
    name: (
        str  # of the message, the event, the end; of an outcome `pack.done`; of a time what tells it from an equal one
    )
    about: str = ""  # the task that an outcome is of, the request that a time-out waits for
    time: str = ""  # as written, such as 24h

    @property
    def text(self) -> str:
        """As people write it: `?paid`, `!invoice`, `after 24h`, `end done`, `[in stock]`."""
        if self.kind is Seen.TIME:
            told = f" ({self.name})" if self.name else ""
            return f"after {self.time or 'a time'}" + (f" without {self.about}" if self.about else "") + told
        if self.kind is Seen.END:
            return f"end {self.name}"
        if self.kind is Seen.CHOICE:
            return f"[{self.name}]"
        return f"{'!' if self.kind is Seen.SENDS else '?'}{self.name}"


def seconds(time: str) -> float:
    """How long a time is; 0 where it is not said."""
    return seconds_of(time) or 0.0
