"""How text is laid out: its width, its colours, and how much it tells."""

from __future__ import annotations

from placet.report.words import clean
from placet.values import NamedTuple

_CODES = {
    "good": "32",
    "bad": "31;1",
    "unsure": "33",
    "strong": "1",
    "faint": "2",
    "place": "36",
}


class Style(NamedTuple):
    """What the terminal can show and what the user wants to see.

    `colour` is decided by the caller (a terminal, no NO_COLOR); plain text never holds an escape sequence.
    """

    width: int = 100
    colour: bool = False
    verbose: int = 0

    def paint(self, text: str, look: str) -> str:
        """The text in a look: good, bad, unsure, strong, faint or place."""
        return f"\x1b[{_CODES[look]}m{text}\x1b[0m" if self.colour and text else text


PLAIN = Style()


def columns(text: str) -> int:
    """Terminal columns of a text without escapes: wide East Asian characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def pad(text: str, width: int) -> str:
    """The text filled with blanks to a number of columns."""
    return text + " " * max(0, width - columns(text))


def clip(text: str, width: int) -> str:
    """The text cut to a number of columns, with `...` where something is missing."""
    if columns(text) <= width:
        return text
    kept = ""
    for character in text[:width]:
        if columns(kept + character) > width - 3:
            break
        kept += character
    return kept + "..."


def wrap(text: str, width: int, indent: str = "", hanging: str | None = None) -> list[str]:
    """Lines of at most `width` columns, broken at blanks; a word longer than a line is broken anywhere.

    What stands in backticks stays on one line where it fits on one. `indent` stands before the first line, `hanging` (default: the same) before the others.
    """
    hanging = indent if hanging is None else hanging
    lines: list[str] = []
    line, room = "", max(8, width - columns(indent))
    for word in _words(clean(text), max(8, width - columns(hanging))):
        rest = word
        while rest:
            free = room - columns(line) - (1 if line else 0)
            if columns(rest) <= free:
                line = f"{line} {rest}" if line else rest
                break
            if line:
                lines.append(line)
                line, room = "", max(8, width - columns(hanging))
                continue
            cut = _fitting(rest, room)
            lines.append(rest[:cut])
            rest, room = rest[cut:], max(8, width - columns(hanging))
    lines.append(line)
    return [(hanging if n else indent) + words for n, words in enumerate(lines) if words or not n]


def _words(text: str, room: int) -> list[str]:
    """What is not to be broken: words, and quotations that fit into the room."""
    import re

    words: list[str] = []
    for piece in re.findall(r"(?:[^ `]|`[^`]*`)+(?= |$)|[^ ]+", text):
        words += [piece] if columns(piece) <= room else piece.split(" ")
    return words


def _fitting(word: str, room: int) -> int:
    used = 0
    for n, character in enumerate(word):
        used += columns(character)
        if used > room:
            return max(1, n)
    return len(word)
