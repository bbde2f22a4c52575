"""Words in pictures: how wide they are, where they break, and how they are written into XML."""

from __future__ import annotations

import re
from unicodedata import combining, east_asian_width

# What XML does not allow, and what hides or reorders the words around it.
_UNFIT = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u061b\u061d-\u200a\u2010-\u2027\u202f-\u205f\u2070-\ud7ff"
    "\ue000-\ufdcf\ufdf0-\ufefe\uff00-\ufffd\U00010000-\U0010fffd]"
)
_NARROW = frozenset("iljtfrI.,:;!|'`()[]{} ")
_BROAD = frozenset("mwMW@%&")


def width_of(text: str, size: float) -> float:
    """About how wide the text is in a sans-serif font of that size; rather too wide than too narrow."""
    return sum(_width(c) for c in text) * size


def _width(character: str) -> float:
    if character.isascii():
        if character in _NARROW:
            return 0.36
        return 0.92 if character in _BROAD else 0.72 if character.isupper() else 0.6
    if combining(character):
        return 0.0
    return 1.05 if east_asian_width(character) in "WF" else 0.68


def wrapped(text: str, most: float, size: float, lines: int) -> tuple[str, ...]:
    """The text in at most that many lines of at most that width, ended by an ellipsis where words are left out.

    Breaks at blanks, else behind what joins the parts of a name, else anywhere. At least one line.
    """
    text = " ".join(text[:2_000].split())
    done: list[str] = []
    line = ""
    for piece in re.findall(r"[^\s/_.\-#:]*[/_.\-#:]|[^\s/_.\-#:]+\s*|\s+", text):
        rest = piece
        while rest:
            if width_of((line + rest).rstrip(), size) <= most:
                line += rest
                break
            if line.strip():
                done.append(line.rstrip())
                line = ""
                continue
            cut = len(rest) - 1
            while cut > 1 and width_of(rest[:cut], size) > most:
                cut = cut - max(1, (cut - int(most / size)) // 2)
            done.append(rest[: max(cut, 1)])
            rest = rest[max(cut, 1) :]
    if line.strip() or not done:
        done.append(line.rstrip())
    if len(done) <= lines:
        return tuple(done)
    last = done[lines - 1]
    while last and width_of(last + "…", size) > most:
        last = last[:-1]
    return (*done[: lines - 1], last.rstrip() + "…")


def escaped(text: str) -> str:
    """Text for XML: nothing in it can be taken for markup, and nothing is left that XML does not allow."""
    clean = _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text)
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
