"""One line for each finding: `path:line:column: CODE message`, as editors and grep read it. No finding, no line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.report.findings import findings
from placet.report.style import PLAIN, Style
from placet.report.words import clean

if TYPE_CHECKING:
    from placet.report.report import Report


def render(report: Report, style: Style = PLAIN) -> str:
    """The lines; a finding that stands nowhere is put at line 1, column 1."""
    lines = []
    for found in findings(report):
        line, column = found.span.source.position(found.span.start) if found.span else (1, 1)
        look = {"error": "bad", "warning": "unsure", "note": "faint"}[found.severity]
        where = style.paint(f"{clean(found.path)}:{line}:{column}", "place")
        lines.append(f"{where}: {style.paint(found.code, look)} {clean(found.message)}\n")
    return "".join(lines)
