"""Findings about topics: what nobody reads, and what is joined by a topic and never looked at as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.choreographies import Members
from placet.compile.findings import head, listed
from placet.compile.vocabulary import statements
from placet.ir import model as ir

if TYPE_CHECKING:
    from placet.compile.findings import Findings


def lint_topics(model: ir.Model, findings: Findings) -> None:
    """Notes and warnings about the topics of a model. Linear in its size."""
    members = Members({p.id: p for p in model.processes}, model.choreographies)
    awaited = frozenset().union(*members.awaited.values())
    topics = {t.id: t for t in model.topics}
    bodies = [*(p.body for p in model.processes), *(r.body for c in model.choreographies for r in c.reactions)]
    told: set[str] = set()
    for body in bodies:
        sends = [s for s in statements(body) if isinstance(s, ir.Publish) and s.topic]
        for statement in sorted(sends, key=lambda s: s.span.start if s.span is not None else 0):
            event = statement.event
            if event in awaited or topics[statement.topic].outside or event in told:
                continue
            told.add(event)
            message = f"nobody in this file reads `{event}`"
            help_ = f"where other systems read it, say so: `topic {statement.topic} {{ outside }}`"
            findings.add("P330", message, statement.span, severity="note", help=help_)
    if not model.system and members.joined():
        shared = [t.id for t in model.topics if len(members.users(t.id)) > 1]
        users = [m for m in members.sent if any(m in members.users(t) for t in shared)]
        message = f"{listed(users)} send messages to each other, and nothing here looks at them together"
        span = next((t.span for t in model.topics if t.id in shared), None)
        help_ = "name the whole: `system NAME`; it is then checked as well"
        findings.add("P332", message, head(span), severity="note", help=help_)
