"""The report as JSON, `placet.verify/1`: fields may be added to it, none renamed. The schema is published beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from placet.report.style import PLAIN, Style

if TYPE_CHECKING:
    from placet.diagnostics import Diagnostic
    from placet.evidence import Assumptions
    from placet.report.report import CheckReport, CoverageReport, ModelReport, Report, Story
    from placet.source import Span

SCHEMA = "placet.verify/1"


def render(report: Report, style: Style = PLAIN) -> str:
    """The document as text, ASCII only, so that no encoding can damage it."""
    import json

    return json.dumps(document(report), indent=2 if style.verbose >= 0 else None) + "\n"


def schema() -> str:
    """The JSON Schema (draft 2020-12) that every document keeps to."""
    return (Path(__file__).parent / "schema" / "verify-1.schema.json").read_text(encoding="utf-8")


def document(report: Report) -> dict[str, Any]:
    """The report as values that JSON knows. Counts of states are strings: they can be huge."""
    count = report.summary
    return {
        "schema": SCHEMA,
        "verdict": report.verdict,
        "summary": {
            "proved": count.proved,
            "violated": count.violated,
            "inconclusive": count.inconclusive,
            "models": count.models,
            "broken": count.broken,
            "faults": count.faults,
            "waived": count.waived,
        },
        "exit_status": report.exit_status,
        "interrupted": report.interrupted,
        "models": [_model(model) for model in report.models],
    }


def _model(model: ModelReport) -> dict[str, Any]:
    return {
        "path": model.path,
        "format": model.format,
        "subject": model.subject,
        "kind": model.kind,
        "net": {"places": model.places, "transitions": model.transitions} if model.subject else None,
        "diagnostics": [_diagnostic(d) for d in model.diagnostics],
        "checks": [_check(c) for c in model.checks],
        "fault": model.fault or None,
        "conformed": model.conformed._asdict() if model.conformed is not None else None,
    }


def _diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "span": _span(diagnostic.span),
        "labels": [{"span": _span(label.span), "text": label.text} for label in diagnostic.labels],
        "notes": list(diagnostic.notes),
        "help": diagnostic.help or None,
        **({"waived": diagnostic.waived} if diagnostic.waived else {}),
    }


def _check(check: CheckReport) -> dict[str, Any]:
    return {
        "id": check.id,
        "label": check.label,
        "verdict": check.outcome,
        "message": check.message,
        "sentence": check.sentence or None,
        **({"waived": check.waived} if check.waived else {}),
        "engine": check.engine,
        "states": str(check.states),
        "edges": str(check.edges),
        "seconds": round(check.seconds, 6),
        "span": _span(check.span),
        "assumptions": _assumptions(check.assumptions),
        "vacuous": check.vacuous or None,
        **({"note": check.note} if check.note else {}),
        "argument": check.argument or None,
        "reductions": list(check.reductions),
        "budget": {"kind": check.budget, "limit": check.limit, "option": check.option} if check.budget else None,
        "counterexample": _story(check.story) if check.story else None,
        **({"coverage": coverage_document(check.coverage)} if check.coverage else {}),
    }


def coverage_document(found: CoverageReport) -> dict[str, Any]:
    """What was counted, as values that JSON knows."""
    return {
        "level": found.level or None,
        "faults": list(found.faults),
        "budget": found.budget,
        "assumed": list(found.assumed),
        "demand": found.demand,
        "feasible": found.feasible,
        "covered": found.covered,
        "by_escalation": found.by_escalation,
        "undecided": found.undecided,
        "exercised": found.exercised,
        "matrix": {
            step or "the saga as a whole": {
                kind: {"covered": covered, "owed": owed}
                for kind, (covered, owed) in zip(found.kinds, cells, strict=True)
                if owed
            }
            for step, cells in found.matrix
        },
        "findings": list(found.findings),
        "obligations": [
            {
                "family": o.family,
                "step": o.step or None,
                "scenario": o.scenario,
                "status": o.status,
                "counterexample": _story(o.run) if o.run else None,
            }
            for o in found.obligations
        ],
    }


def _assumptions(assumptions: Assumptions) -> dict[str, Any]:
    return {
        "bounds": dict(assumptions.bounds),
        "unjustified_bounds": assumptions.unjustified_bounds,
        "environment": assumptions.environment,
        "fairness": assumptions.fairness or None,
        "faults": list(assumptions.faults),
        "fault_budget": assumptions.fault_budget,
        "guarantees": list(assumptions.guarantees),
        "free_guards": list(assumptions.free_guards),
        "decisions": list(assumptions.decisions),
        "choices": list(assumptions.choices),
        "time_ignored": assumptions.time_ignored,
        "final": assumptions.final or None,
    }


def _story(story: Story) -> dict[str, Any]:
    return {
        "kind": story.kind,
        "loop": story.loop,
        "turned": story.turned,
        "headline": story.headline,
        "why": list(story.why),
        "advice": list(story.advice),
        "steps": [
            {
                "id": step.id,
                "phrase": step.phrase,
                "service": step.service,
                "kind": step.kind,
                "span": _span(step.span),
                "fault": step.fault or None,
                "delta": dict(step.delta),
                "shown": step.shown,
                "transition": step.transition,
            }
            for step in story.steps
        ],
        **({"branches": [_story(branch) for branch in story.branches]} if story.branches else {}),
    }


def _span(span: Span | None) -> dict[str, Any] | None:
    """Lines and columns from 1; the end is the first character after the span."""
    if span is None:
        return None
    places = [span.source.position(offset) for offset in (span.start, span.end)]
    start, end = ({"line": line, "column": column} for line, column in places)
    return {"file": span.source.path, "start": start, "end": end}
