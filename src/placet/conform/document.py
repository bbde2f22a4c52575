"""What came out as JSON, `placet.conform/1`: fields may be added, none renamed. The schema is published beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from placet.conform.conform import Conformance
    from placet.conform.hold import Held
    from placet.conform.record import Event
    from placet.diagnostics import Diagnostic

SCHEMA = "placet.conform/1"


def render(found: Conformance) -> str:
    """The document as text, ASCII only, so that no encoding can damage it."""
    import json

    return json.dumps(document(found), indent=2) + "\n"


def schema() -> str:
    """The JSON Schema (draft 2020-12) that every document keeps to."""
    path = Path(__file__).parents[1] / "report" / "schema" / "conform-1.schema.json"
    return path.read_text(encoding="utf-8")


def document(found: Conformance) -> dict[str, Any]:
    """What came out as values that JSON knows."""
    counts = {verdict: found.count(verdict) for verdict in ("conforms", "violates", "unknown")}
    return {
        "schema": SCHEMA,
        "verdict": found.verdict,
        "exit_status": found.exit_status,
        "summary": {**counts, "logs": found.logs},
        "model": {"path": found.model, "format": found.format, "subject": found.subject or None},
        "diagnostics": [_diagnostic(d) for d in found.diagnostics],
        "cases": [_case(held) for held in found.held],
    }


def _case(held: Held) -> dict[str, Any]:
    return {
        "log": held.case.path,
        "case": held.case.name,
        "source": held.case.source,
        "verdict": held.verdict,
        "events": len(held.case.events),
        "matched": held.matched,
        "complete": held.case.complete,
        "reason": held.reason or None,
        "event": _event(held.event),
        "last": _event(held.last),
        "allowed": list(held.allowed),
        "allowed_among_others": held.among,
        "notes": list(held.notes),
    }


def _event(event: Event | None) -> dict[str, Any] | None:
    if event is None:
        return None
    return {
        "number": event.number,
        "id": event.id or None,
        "line": event.line,
        "type": event.type,
        "kind": event.kind,
        "what": event.what,
        "name": event.name or None,
        "items": list(event.copies),
        "error": event.error or None,
    }


def _diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "path": diagnostic.path or None,
        "line": diagnostic.span.line if diagnostic.span is not None else None,
        "help": diagnostic.help or None,
    }
