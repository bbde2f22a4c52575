"""What the terminal can show: colour, width; and writing to it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from placet.report.style import Style


def style(stream: TextIO, color: str = "auto", verbose: int = 0) -> Style:
    """The style for a stream. `auto` colours a terminal unless NO_COLOR is set or the terminal is dumb."""
    from placet.report.style import Style

    terminal = stream.isatty()
    colour = color == "always" or (
        color == "auto" and terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )
    return Style(max(40, min(120, columns(stream))) if terminal else 100, colour, verbose)


def columns(stream: TextIO) -> int:
    """How wide the terminal is; 80 where it does not say."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def write(text: str) -> None:
    """Write to standard output. A reader who has gone (`| head`) changes nothing: the exit status stays the verdict's.

    Characters that the terminal's encoding lacks are written as escapes.
    """
    out = sys.stdout
    try:
        try:
            out.write(text)
        except UnicodeEncodeError:
            out.write(text.encode(out.encoding or "ascii", "backslashreplace").decode(out.encoding or "ascii"))
        out.flush()
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - lives as long as the process
