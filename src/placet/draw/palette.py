"""Colours: dark words on light fills, told apart with a colour weakness too, a contrast of at least 7 for words."""

from __future__ import annotations

PAPER = "#ffffff"
INK = "#1f2933"
FAINT = "#52606d"
MARK = "#b91c1c"
COORDINATOR = ("#f5f7fa", "#52606d")

_LANES = (
    ("#dbeafe", "#1d4ed8"),
    ("#fef3c7", "#92580c"),
    ("#d1fae5", "#047857"),
    ("#fce7f3", "#9d174d"),
    ("#ede9fe", "#5b21b6"),
    ("#ffedd5", "#9a3412"),
    ("#cffafe", "#0e7490"),
    ("#ecfccb", "#3f6212"),
)


def colours(lanes: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """(fill, border) by service; the coordinator, with the empty name, is grey. Colours repeat after eight services."""
    return {"": COORDINATOR, **{lane: _LANES[at % len(_LANES)] for at, lane in enumerate(lanes)}}
