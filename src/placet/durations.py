"""Times with units, as models write them: `250ms`, `10s`, `5min`, `24h`, `3d`."""

from __future__ import annotations

UNITS = {"ms": 0.001, "s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def seconds_of(text: str) -> float | None:
    """The seconds of a time as it was written; None where it is none."""
    unit = text.lstrip("0123456789.")
    digits = text[: len(text) - len(unit)]
    if unit not in UNITS or not digits or digits.count(".") > 1 or digits == ".":
        return None
    return float(digits) * UNITS[unit]


def said(seconds: float) -> str:
    """A time in the largest unit of which it is a whole number: 259200 is `3d`, 90 is `90s`, 0.25 is `250ms`.

    Hours stay hours up to two days, as people set them: `24h`, `36h`, `3d`.
    """
    if seconds and seconds < 1:
        return f"{seconds * 1000:g}ms"
    for unit in ("d", "h", "min"):
        if seconds and seconds % UNITS[unit] == 0 and (unit != "d" or seconds > 2 * UNITS["d"]):
            return f"{seconds / UNITS[unit]:g}{unit}"
    return f"{seconds:g}s"
