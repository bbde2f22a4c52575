"""The complaints about what is no token of the language. Imported only when there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.diagnostics import Diagnostic
from placet.source import Span
from placet.syntax.error_examples import STRANGERS
from placet.syntax.lexer import BAD_NUMBER, OPEN_QUOTE

if TYPE_CHECKING:
    from placet.source import SourceFile


def misspelt_token(source: SourceFile, group: int, start: int, end: int) -> Diagnostic:
    """A quote that is not closed, digits that are no number, or characters that mean nothing."""
    text = source.text[start : min(end, start + 30)]
    if group == OPEN_QUOTE:
        return Diagnostic(
            "P105",
            "error",
            "this sentence is not closed",
            Span(source, start, start + 1),
            help='a sentence ends with `"` on the same line',
        )
    span = Span(source, start, end)
    if group == BAD_NUMBER and ".." in text:
        return Diagnostic("P107", "error", f"`{text}` is no range: its bounds are whole numbers", span)
    if group == BAD_NUMBER:
        return Diagnostic("P107", "error", f"`{text}` is neither a number nor a time", span, help=_number_help(text))
    help_ = next((words for begin, words in STRANGERS if text.startswith(begin)), "")
    if text[0] == "\x00":
        return Diagnostic("P106", "error", "a NUL byte is not text", span, help=help_)
    shown = text if text.isprintable() else " ".join(f"U+{ord(c):04X}" for c in text[:3])
    return Diagnostic("P106", "error", f"`{shown}` means nothing here", span, help=help_)


def _number_help(text: str) -> str:
    digits = text.rstrip("".join(c for c in text if not (c.isdecimal() or c == ".")))
    unit = text[len(digits) :]
    if "." in digits and not unit:
        return "numbers are whole numbers"
    if unit.lower().startswith(("sec", "min", "hour", "day", "week", "milli", "ms")):
        return "the units of time are ms, s, min (or m), h, d and w, as in `10s`"
    return "a name begins with a letter; between a number and a name stands a blank"


def nothing_here(source: SourceFile) -> Diagnostic:
    """A file without a declaration."""
    return Diagnostic(
        "P110",
        "error",
        "there is nothing in this file",
        Span(source, 0, 0),
        help="a model has at least one `workflow`, `saga` or `net`",
    )
