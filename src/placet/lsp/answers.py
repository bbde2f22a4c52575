"""What the server answers, without the protocol: offsets and texts in, offsets and texts out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placet.lsp.names import Symbol, index
from placet.source import SourceFile
from placet.syntax.indices import plain
from placet.syntax.lexer import NAME, TOKEN, kind_of
from placet.syntax.machine import shift
from placet.syntax.parser import parse
from placet.syntax.tables import ROWS, WORDS
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.lsp.names import Index, Occurrence
    from placet.source import Span
    from placet.syntax import ast

_WHOLE = re.compile(r"[^\W\d]\w*(?:[.-]\w+)*")
_KINDS = {
    "service": "service", "subject": "", "element": "", "undo": "undo", "end": "end", "error": "error",
    "event": "event", "place": "place", "transition": "transition", "state": "state", "topic": "topic", "pool": "pool",
    "message": "message", "index": "number", "variable": "variable", "value": "value", "parameter": "parameter",
}  # fmt: skip
_SHOWN = 8  # lines of a declaration


class Refused(Exception):  # noqa: N818 - an answer, not an error
    """The editor's wish cannot be met; the message says why."""


class Document:
    """One text with what it means, as far as it could be read."""

    def __init__(self, path: str, text: str) -> None:
        self.source = SourceFile(path, text)
        self.file, self.problems = parse(self.source)
        self.index: Index = index(self.file)

    def word_at(self, offset: int) -> str:
        """The word of the language that stands at an offset, or ""."""
        for match in _WHOLE.finditer(self.source.text):
            if match.start() <= offset <= match.end():
                return match[0]
            if match.start() > offset:
                break
        return ""


def hover(document: Document, offset: int, codes: tuple[str, ...] = ()) -> str:
    """Markdown on what stands there: the pages of these diagnostics, a declaration, or the page of a check."""
    pages = [page for code in codes if (page := explained(code))]
    if pages:
        return "\n\n---\n\n".join(pages)
    found = document.index.at(offset)
    if found is not None:
        declared = document.index.declarations(found.symbol)
        uses = len(document.index.of(found.symbol)) - len([o for o in declared if o.declares])
        text = _excerpt((declared[0] if declared else found).whole)
        return f"```placet\n{text}\n```\n\n{_introduction(found.symbol)}; used {_times(uses)} in this file"
    return explained(document.word_at(offset))


def explained(name: str) -> str:
    """The page of `placet explain` for a code or a check, or ""."""
    from placet.data_files import data_folder

    if not re.fullmatch(r"\w+", name):
        return ""
    page = data_folder("explain") / f"{name}.md"
    return page.read_text(encoding="utf-8") if page.is_file() else ""


def _introduction(symbol: Symbol) -> str:
    kind = _KINDS[symbol.kind]
    of = f" of `{symbol.owner}`" if symbol.owner else ""
    return f"{kind} `{symbol.text}`{of}".strip()


def _times(count: int) -> str:
    return {0: "nowhere else", 1: "once"}.get(count, f"{count} times")


def _excerpt(span: Span) -> str:
    lines = span.text.splitlines()
    shown = lines[:_SHOWN]
    margin = min((len(x) - len(x.lstrip()) for x in shown[1:] if x.strip()), default=0)
    text = [shown[0], *(x[margin:] for x in shown[1:])]
    return "\n".join([*text, *(["..."] if len(lines) > _SHOWN else [])])


def definitions(document: Document, offset: int) -> list[Occurrence]:
    """Where the name at an offset is declared."""
    found = document.index.at(offset)
    return document.index.declarations(found.symbol) if found else []


def references(document: Document, offset: int) -> list[Occurrence]:
    """Everywhere that the name at an offset stands."""
    found = document.index.at(offset)
    return document.index.of(found.symbol) if found else []


_DECLARED = ("service", "topic", "subject")  # names that a file which uses them declares, or imports


def rename(document: Document, offset: int, new: str) -> list[Span]:
    """The spans to replace by a new name. Raises Refused where the model would not mean the same with it.

    The renamed text is read again: it must have no problem that the old one had not, and the new name must stand exactly at
    the places where the old one stood.
    """
    found = document.index.at(offset)
    if found is None:
        raise Refused("there is no name of this file here")
    if any(d.severity == "error" for d in document.problems):
        raise Refused("mend the errors of this file first; with them not every use of the name can be found")
    if not _WHOLE.fullmatch(new):
        raise Refused(f"`{new}` is no name: a letter, then letters, digits, `_`, and `.` or `-` within")
    if found.symbol.kind in _DECLARED and not any(o.declares for o in document.index.of(found.symbol)):
        raise Refused(
            f"`{found.symbol.text}` is declared in another file: rename it there, and wherever it is imported"
        )
    old = document.index.of(found.symbol)
    text, shifted, moved = document.source.text, [], 0
    for one in old:
        shifted.append(one.span.start + moved)
        text = text[: one.span.start + moved] + new + text[one.span.end + moved :]
        moved += len(new) - (one.span.end - one.span.start)
    renamed = Document(document.source.path, text)
    now = renamed.index.at(shifted[0])
    there = [o.span.start for o in renamed.index.of(now.symbol)] if now else []
    if there != shifted or _troubles(renamed.source) > _troubles(document.source):
        raise Refused(f"`{new}` means something else in this file already, or cannot stand here")
    return [one.span for one in old]


def _troubles(source: SourceFile) -> int:
    from placet.pipeline import compile_source

    return sum(d.severity == "error" for d in compile_source(source).diagnostics)


class Proposal(NamedTuple):
    """Something that may be written at the cursor."""

    text: str
    kind: str  # keyword, or a kind of symbol, or check, fault, level, profile
    detail: str = ""


def completions(document: Document, offset: int) -> list[Proposal]:
    """What the grammar takes at an offset: keywords, and the names that make sense behind the word before."""
    text = document.source.text
    start = offset
    while start and (text[start - 1].isalnum() or text[start - 1] in "_.-"):
        start -= 1
    states, before = _states_before(text, start)
    taken = {kind for kind in ROWS[states[-1]] if shift([*states], kind)}
    found = [Proposal(word, "keyword") for word, kind in sorted(WORDS.items()) if kind in taken]
    if NAME in taken:
        found = _names(document, before, start) + found
    return found


def _states_before(text: str, end: int) -> tuple[list[int], list[str]]:
    """The stack of the parser before an offset, what does not fit left out; and the tokens up to there."""
    states, words = [0], []
    for match in TOKEN.finditer(text, 0, end):
        group = match.lastindex
        if group is None or (match.end() >= end and not match[group]):
            break
        if shift(states, kind_of(group, match[group], ROWS[states[-1]])):
            words.append(match[group])
    return states, words


def _names(document: Document, before: list[str], offset: int) -> list[Proposal]:
    from placet.analysis.check import CHECKS
    from placet.compile.call_kinds import CALL_KINDS
    from placet.compile.profiles import PROFILES
    from placet.faults.hypothesis import KINDS, LEVELS

    names = document.index.names
    last, last_but_one = (["", "", *before])[-1], (["", "", *before])[-2]
    owner = _process_at(document.file, offset)
    if last == "on" and last_but_one not in ("}", ""):
        return [Proposal(n, "service") for n in names("service")]
    if last in ("with", "acquire", "release"):
        return [Proposal(n, "pool") for n in names("pool")]
    if last == "via":
        return [Proposal(n, "kind of call") for n in sorted(CALL_KINDS)]
    if last == "call":
        return [Proposal(n, "subject") for n in names("subject") if n != owner]
    if last == "uses":
        return [Proposal(n, "profile") for n in sorted(PROFILES)]
    if last == "at":
        return [Proposal(n, "level", ", ".join(h.faults)) for n, h in LEVELS.items()]
    if last == "check" or (last == "," and ")" in before[-3:] and not owner):
        return [Proposal(n, "check", explained(n).partition("\n")[0].lstrip("# ")) for n in sorted(CHECKS)]
    if "under" in before[-12:] and last in ("{", ","):
        return [Proposal(n, "fault") for n in KINDS]
    if last in ("raise", "fails"):
        return [Proposal(n, "error") for n in names("error")]
    if last in ("->", "+", "place", "final", ":", "read", "without", "reset") and owner:
        return [Proposal(n, "place") for n in names("place", owner)]
    if last in ("when", "until", "while", "sets"):
        return [Proposal(n, "variable") for n in sorted({*names("variable", ""), *names("variable", owner)})]
    if last in ("publish", "receive", "on"):
        known = {o.symbol for o in document.index.occurrences if o.symbol.kind == "message"}
        return [Proposal(n, "message") for n in sorted(f"{s.owner}.{s.text}" for s in known)]
    if last == "after":
        return [Proposal(n, "element") for n in names("element", owner)]
    if owner:
        return []  # a new name: nothing to propose
    found = [Proposal(n, "subject") for n in names("subject")]
    found += [Proposal(n, "place") for n in names("place")]
    return found + [Proposal(f"{n}.done", "element") for n in names("element")]


def _process_at(file: ast.File, offset: int) -> str:
    """The process, net or machine in whose braces an offset is, or ""."""
    for item in file.items:
        name = getattr(item, "name", None)
        if name is not None and item.span.start < offset < item.span.end:
            return plain(name.text)
    return ""
