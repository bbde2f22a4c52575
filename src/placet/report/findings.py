"""The findings of a report in a row, for outputs that know only "where, how bad, what"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from placet.report.words import resting_on
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placet.report.report import CheckReport, ModelReport, Report
    from placet.source import Span


class Finding(NamedTuple):
    """One thing to look at. `code` is a diagnostic code or a check id; an empty one is a fault of the tool."""

    severity: Literal["error", "warning", "note"]
    code: str
    message: str
    path: str
    span: Span | None = None


def findings(report: Report) -> Iterator[Finding]:
    """Diagnostics, violations, open checks and vacuous proofs, in the order of the report."""
    for model in report.models:
        if model.fault:
            yield Finding("error", "fault", f"a fault of placet itself: {model.fault}", model.path)
        for d in model.diagnostics:
            text = f"{d.message} (help: {d.help})" if d.help else d.message
            text = f"{text}, waived {d.waived}" if d.waived else text
            yield Finding(d.severity, d.code, text, d.span.source.path if d.span else d.path or model.path, d.span)
        for check in model.checks:
            yield from _of_check(model, check)


def _of_check(model: ModelReport, check: CheckReport) -> Iterator[Finding]:
    span = check.span or _last_place(check)
    path = span.source.path if span else model.path
    if check.counts == "waived":
        yield Finding("note", check.id, f"{check.label} is {check.outcome}, and waived {check.waived}", path, span)
        return
    if check.outcome == "violated":
        basis = resting_on(check.assumptions)
        text = f"{check.message} ({basis})" if basis else check.message
        if check.sentence:
            text = f'"{check.sentence}" does not hold: {text}'
        if check.story and check.story.advice:
            text += f" (what to do: {check.story.advice[0]})"
        yield Finding("error", check.id, text, path, span)
    elif check.outcome == "inconclusive":
        text = f"{check.label} is inconclusive: {check.message}"
        yield Finding("warning", check.id, f"{text} ({check.option})" if check.option else text, path, span)
    elif check.vacuous:
        yield Finding("warning", check.id, f"{check.label} proves nothing here, {check.vacuous}", path, span)


def _last_place(check: CheckReport) -> Span | None:
    """Where the run ends that shows the violation: the best there is when the check itself stands nowhere."""
    steps = check.story.steps if check.story else ()
    return next((step.span for step in reversed(steps) if step.span), None)
