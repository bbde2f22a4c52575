"""The output formats by name; each module is loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from placet.errors import UsageError
from placet.report.style import PLAIN, Style

if TYPE_CHECKING:
    from placet.report.report import Report

FORMATS = {
    "text": "placet.report.text",
    "concise": "placet.report.concise",
    "json": "placet.report.json_report",
    "github": "placet.report.github",
    "junit": "placet.report.junit",
}


class Render(Protocol):
    """A whole report in one format, with its last line end."""

    def __call__(self, report: Report, style: Style = PLAIN) -> str:
        """The text to write out."""
        ...


def renderer(name: str) -> Render:
    """The renderer of that format. Raises UsageError for a name that is not there."""
    if name not in FORMATS:
        raise UsageError(f"no output format is called `{name}`; there are {', '.join(FORMATS)}")
    return cast("Render", import_module(FORMATS[name]).render)


def render(report: Report, form: str = "text", style: Style = PLAIN) -> str:
    """The report in that format."""
    return renderer(form)(report, style)
