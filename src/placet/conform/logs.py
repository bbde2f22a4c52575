"""Opening a log of recorded runs: which form it has is seen from its first event, not from its name."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from placet.conform import runs, step_functions, temporal
from placet.conform.json_stream import items
from placet.conform.record import Log, LogError
from placet.diagnostics import Diagnostic
from placet.source import SourceFile, Span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from placet.conform.json_stream import Item
    from placet.conform.record import Case

MOST_BYTES = 1 << 30
MOST_EVENTS = 2_000_000
MOST_LINES = 1_000_000
SHOWN = 120  # characters of a line in a diagnostic

_FORMS = (step_functions, temporal, runs)
_KNOWN = "the histories of `aws stepfunctions get-execution-history` and of Temporal, and runs as `placet conform` writes them down"


def read(path: str) -> Log:
    """All runs of a log. Raises nothing: what is wrong with it is a diagnostic (P602, P603, P701, P702)."""
    cases: list[Case] = []
    try:
        found = os.stat(path)  # noqa: PTH116 - pathlib costs 4 ms of every start
        if not stat.S_ISREG(found.st_mode):
            return _refused(path, "P603", f"`{path}` is no regular file")
        if found.st_size > MOST_BYTES:
            return _refused(path, "P701", f"`{path}` is larger than {MOST_BYTES >> 20} MB")
        with open(path, encoding="utf-8-sig", newline="") as stream:  # noqa: PTH123
            cases.extend(_cases(path, stream))
    except FileNotFoundError:
        return _refused(path, "P602", f"there is no file `{path}`")
    except (OSError, ValueError) as problem:
        if isinstance(problem, UnicodeDecodeError):
            return Log(path, tuple(cases), _refused(path, "P701", "the log is not UTF-8 text").diagnostics)
        return _refused(path, "P603", f"`{path}` cannot be read: {getattr(problem, 'strerror', None) or problem}")
    except LogError as problem:
        return Log(path, tuple(cases), (_located(path, problem),))
    if not cases:
        return _refused(path, "P702", f"there is no recorded run in `{path}`")
    return Log(path, tuple(cases))


def _cases(path: str, stream: TextIO) -> Iterator[Case]:
    head = stream.read(4096)
    begin = head.lstrip("\ufeff \t\r\n")[:1]
    stream.seek(0)
    if begin and begin not in "[{":
        yield from runs.text_cases(path, stream)
        return
    found = _counted(items(stream))
    first = next(found, None)
    if first is None:
        return
    for form in _FORMS:
        if form.is_event(first.value):
            yield from form.cases(path, _again(first, found))
            return
    raise LogError("the first event is of no log that is read", first.line)


def _counted(found: Iterator[Item]) -> Iterator[Item]:
    for number, item in enumerate(found):
        if number >= MOST_EVENTS:
            raise LogError(f"it has more than {MOST_EVENTS:,} events", item.line)
        yield item


def _again(first: Item, rest: Iterator[Item]) -> Iterator[Item]:
    yield first
    yield from rest


def _refused(path: str, code: str, message: str) -> Log:
    hint = f"logs that are read: {_KNOWN}" if code in ("P701", "P702") else ""
    return Log(path, (), (Diagnostic(code, "error", message, path=path, help=hint),))


def _located(path: str, problem: LogError) -> Diagnostic:
    """The diagnostic of a log that cannot be read on, at its line. Of the text only that line is kept."""
    code = "P702" if "no log that is read" in problem.message else "P701"
    hint = f"logs that are read: {_KNOWN}" if code == "P702" else ""
    message = problem.message if code == "P702" else f"the log cannot be read on: {problem.message}"
    span = _line(path, problem.line) if 0 < problem.line < MOST_LINES else None
    return Diagnostic(code, "error", message, span, help=hint, path=path)


def _line(path: str, number: int) -> Span | None:
    """The beginning of a line of a file, as a span."""
    try:
        with open(path, encoding="utf-8-sig", errors="replace", newline="\n") as stream:  # noqa: PTH123
            passed = 1
            while passed < number:
                part = stream.readline(1 << 16)
                if not part:
                    return None
                passed += part.endswith("\n")
            text = stream.readline(SHOWN).rstrip("\r\n")
    except OSError:
        return None
    source = SourceFile(path, "\n" * (number - 1) + text)
    return Span(source, number - 1, number - 1 + len(text))
