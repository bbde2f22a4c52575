"""What is known of a signal in one run of a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.ir.model import Signal


class Mailbox(NamedTuple):
    """The counters of a signal in one run of a process, and the places from which somebody may take it."""

    signal: Signal
    left: list[int]
    kept: list[int]  # empty where nothing is kept
    hears: list[int]

    def takes(self) -> list[tuple[str, tuple[int, ...], tuple[int, ...]]]:
        """(suffix of the name, taken, given): one that was kept, or else one that comes at that moment."""
        counter = self.kept or self.left
        return [(f"[{n}]", (counter[n],), (counter[n - 1],)) for n in range(1, len(counter))]
