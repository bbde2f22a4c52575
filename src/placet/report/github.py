"""Workflow commands of GitHub Actions: each finding becomes an annotation of the line it stands on.

GitHub shows at most ten errors, ten warnings and ten notices of a step as annotations; all of them stay in the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.report.findings import findings
from placet.report.style import PLAIN, Style
from placet.report.text import last_line
from placet.report.words import clean

if TYPE_CHECKING:
    from placet.report.report import Report

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render(report: Report, style: Style = PLAIN) -> str:
    """A command for each finding, then the last line of the text output."""
    lines = []
    for found in findings(report):
        where = {"file": found.path}
        if found.span:
            line, column = found.span.source.position(found.span.start)
            last, end = found.span.source.position(max(found.span.start, found.span.end - 1))
            where |= {"line": str(line), "endLine": str(last)}
            if line == last:  # GitHub takes columns only where the annotation keeps to one line
                where |= {"col": str(column), "endColumn": str(end)}
        where["title"] = f"placet: {found.code}"
        properties = ",".join(f"{key}={_property(value)}" for key, value in where.items())
        lines.append(f"::{_COMMANDS[found.severity]} {properties}::{_data(clean(found.message))}\n")
    return "".join(lines) + last_line(report, style._replace(colour=False)) + "\n"


def _data(text: str) -> str:
    """The message as the runner unescapes it: per cent first, then the line ends."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A property value: also its separators. A path keeps its characters, or the annotation finds no file."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
