"""JUnit XML, as Jenkins, GitLab and most dashboards read it: a suite for each model, a test case for each check.

Violated is a failure; waived is a skipped test, with the reason. Inconclusive is an *error*, not a skipped test: dashboards show skipped tests green, and a check
that ran out of its budget must never pass for one that held. A broken file is a suite with one case in error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.report.snippet import render_diagnostic
from placet.report.style import PLAIN, Style
from placet.report.text import render_check

if TYPE_CHECKING:
    from placet.report.report import CheckReport, ModelReport, Report


def render(report: Report, style: Style = PLAIN) -> str:
    """The document. No time stamp is in it, so that equal runs give equal files but for the seconds."""
    style = style._replace(colour=False, verbose=0)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    suites = [_suite(model, style) for model in report.models]
    totals = [sum(column) for column in zip(*(counts for counts, _ in suites), strict=True)] or [0, 0, 0]
    tests, failures, errors = totals
    seconds = sum(c.seconds for m in report.models for c in m.checks)
    lines.append(
        f'<testsuites name="placet" tests="{tests}" failures="{failures}" errors="{errors}" time="{seconds:.3f}">'
    )
    for _, body in suites:
        lines += body
    lines.append("</testsuites>")
    return "\n".join(lines) + "\n"


def _suite(model: ModelReport, style: Style) -> tuple[tuple[int, int, int], list[str]]:
    cases: list[str] = []
    failures = errors = skipped = 0
    broken = [d for d in model.diagnostics if d.severity == "error"]
    if broken or model.fault:
        errors += 1
        kind = broken[0].code if broken else "fault"
        message = broken[0].message if broken else f"a fault of placet itself: {model.fault}"
        text = "\n\n".join("\n".join(render_diagnostic(d, style)) for d in broken) or message
        cases += _case(model, "load", 0.0, ("error", kind, message, text))
    for check in model.checks:
        failures += check.counts == "violated"
        errors += check.counts == "inconclusive"
        skipped += check.counts == "waived"
        cases += _case(model, check.label, check.seconds, _problem(check, model, style))
    count = len(model.checks) + bool(broken or model.fault)
    name = f"{model.path}: {model.subject}" if model.subject else model.path
    seconds = sum(c.seconds for c in model.checks)
    head = (
        f'  <testsuite name="{_text(name)}" tests="{count}" failures="{failures}" errors="{errors}" skipped="{skipped}" '
        f'file="{_text(model.path)}" '
        f'time="{seconds:.3f}">'
    )
    return (count, failures, errors), [head, *cases, "  </testsuite>"]


def _problem(check: CheckReport, model: ModelReport, style: Style) -> tuple[str, str, str, str] | None:
    """The element, its type, its message and its text; None for a check that holds."""
    if check.outcome == "proved":
        return None
    if check.counts == "waived":
        return "skipped", "waived", f"{check.outcome}, and waived {check.waived}", check.message
    element = "failure" if check.outcome == "violated" else "error"
    kind = check.id if check.outcome == "violated" else "inconclusive"
    return element, kind, check.message, "\n".join(render_check(check, model, style))


def _case(model: ModelReport, name: str, seconds: float, problem: tuple[str, str, str, str] | None) -> list[str]:
    classname = f"placet.{model.subject}" if model.subject else "placet"
    head = f'    <testcase name="{_text(name)}" classname="{_text(classname)}" time="{seconds:.3f}"'
    if problem is None:
        return [head + "/>"]
    element, kind, message, text = problem
    kind = "" if element == "skipped" else f' type="{_text(kind)}"'
    return [
        head + ">",
        f'      <{element}{kind} message="{_text(message)}">{_text(text, lines=True)}</{element}>',
        "    </testcase>",
    ]


def _text(text: str, *, lines: bool = False) -> str:
    """Escaped for XML 1.0; a character that XML cannot hold, or a line end in an attribute, becomes visible."""
    kept = "".join(c if _allowed(ord(c)) or (lines and c == "\n") else f"\\u{ord(c):04x}" for c in text)
    return kept.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _allowed(code: int) -> bool:
    """Production 2 of XML 1.0 without tab and line ends, and without the C1 control characters it only discourages."""
    return 0x20 <= code <= 0x7E or 0xA0 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
