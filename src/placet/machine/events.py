"""What the events, messages and clocks of a state chart are called in formats that know no blanks in a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.machine.label import Seen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placet.machine.chart import Action, Chart, Move
    from placet.machine.label import Label


def plain(text: str) -> str:
    """Letters, digits, underscores and hyphens, with single dots between them."""
    kept = "".join(c if c.isalpha() or c.isdecimal() or c in "._-" else " " for c in text)
    return ".".join("_".join(part.split()) for part in kept.split(".") if part.split()) or "_"


def event(label: Label) -> str:
    """The event of a label: `paid`, `pack.done`, `after.24h`, `timeout.flight`, `choose.in_stock`."""
    if label.kind is Seen.TIME:
        return clock_event(label.text)
    if label.kind is Seen.CHOICE:
        return f"choose.{plain(label.name)}"
    return plain(label.name)


def clock_event(clock: str) -> str:
    """The event of a clock that has run down."""
    after, _, about = clock.partition(" without ")
    return f"timeout.{plain(about)}" if about else plain(after.replace("after ", "after.", 1))


def trigger(chart: Chart, move: Move) -> str:
    """The event that a move needs; empty where it is taken at once.

    Where the coordinator itself chooses between several things to send, the choice is an event that its program raises.
    """
    if move.on is not None:
        return event(move.on)
    alone = sum(1 for other in chart.of(move.source) if other.on is None or other.on.kind is Seen.CHOICE) == 1
    return (
        ""
        if alone
        else "choose." + plain("_".join(action.text for action in move.actions) or chart.states[move.target])
    )


def words(move: Move) -> str:
    """A move as people write it: `paid / send invoice`. That clocks are set and stopped goes without saying."""
    on = "" if move.on is None else move.on.text
    does = said(move.actions)
    return f"{on} / {does}".strip() if does else on


def said(actions: Iterable[Action]) -> str:
    """What is sent and started, as people write it."""
    return ", ".join(action.text for action in actions if action.kind in ("send", "start"))
