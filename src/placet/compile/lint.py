"""Findings that need the IR: what is well-formed, and still hardly meant.

They never stand in the way of verification: what they point at is compiled and checked as it was written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placet.compile.findings import Findings, head, listed
from placet.compile.flow import NO_CHOICE, flow
from placet.compile.lint_saga import SagaLint
from placet.compile.lint_undo import UndoLint
from placet.compile.names import CANCELLED
from placet.compile.turning import Turning
from placet.compile.vocabulary import statements
from placet.ir import model as ir

if TYPE_CHECKING:
    from placet.diagnostics import Diagnostic
    from placet.source import Span

INSTANCE = re.compile(r"\[\d+\]")


def lint(model: ir.Model) -> tuple[Diagnostic, ...]:
    """Warnings and notes about a model, in the order of the text. Linear in its size."""
    findings = Findings()
    called = {s.target for p in model.processes for s in statements(p.body) if isinstance(s, ir.Call)}
    for process in model.processes:
        _flow(process, findings)
        _Shapes(process, findings, called=process.id in called).visit(process.body, limited=False)
        if process.kind == "saga":
            turning = Turning(process.body)
            SagaLint(process, turning, findings).run()
            UndoLint(process, turning, findings, called=process.id in called).run()
    if model.topics:
        from placet.compile.lint_topics import lint_topics

        lint_topics(model, findings)
    # what is said of several instances is said of the first
    found = {(d.code, d.span, INSTANCE.sub("", d.message)): d for d in reversed(findings.diagnostics)}
    return tuple(sorted(found.values(), key=lambda d: d.span.start if d.span is not None else 0))


def _flow(process: ir.Process, findings: Findings) -> None:
    found = flow(process)
    for statement in found.unreachable:
        message = "nothing leads to this statement: what stands before it never goes on"
        help_ = "remove it, or let one of the ways before it go on"
        findings.add("P301", message, head(statement.span), severity="warning", help=help_)
    for handler in found.idle:
        error = "any error" if handler.name == "*" else f"`{handler.name}`"
        help_ = f"say who does: `task ... fails {handler.name}`" if handler.name != "*" else "remove the handler"
        findings.add("P303", f"nothing here raises {error}", head(handler.span), severity="warning", help=help_)
    if process.kind != "workflow":
        return
    for error, span in found.escaping:
        if error == NO_CHOICE:
            continue  # reported at the choice
        message = f"nothing handles `{error}`: `{process.id}` then ends in `failed`"
        help_ = f"to handle it, write `try {{ ... }} on {error} {{ ... }}`"
        findings.add("P304", message, head(span), severity="note", help=help_)


class _Shapes:
    """Constructs that say less than they seem to. Recurses over nesting, which the parser bounds."""

    def __init__(self, process: ir.Process, findings: Findings, *, called: bool) -> None:
        self._findings = findings
        self._started_by = None if called else _first(process.body)

    def visit(self, statement: ir.Statement | ir.Gateway, *, limited: bool) -> None:
        """Look at a statement and what is in it; `limited` says that a time-out stands around it."""
        match statement:
            case ir.Sequence(_, parts):
                for part in parts:
                    self.visit(part, limited=limited)
            case ir.Choice():
                self._choice(statement)
                for way in statement.ways:
                    self.visit(way.body, limited=limited)
            case ir.Parallel(_, ways, span):
                if len(ways) < 2 and not statement.close[0] and not (span is not None and span.text.startswith("for")):
                    what = "one branch" if ways else "no branch"
                    help_ = "write its statements without `parallel`, or add a branch"
                    self._warn("P305", f"this `parallel` has {what}", span, help_)
                for way in (*ways, *((statement.rest,) if statement.rest is not None else ())):
                    self.visit(way.body, limited=limited)
            case ir.Race():
                self._race(statement, limited=limited)
            case ir.Loop(_, body) | ir.Repeat(_, body) | ir.Tolerant(_, body) | ir.Spare(_, body):
                self.visit(body, limited=limited)
            case ir.With():
                self.visit(statement.body, limited=limited)
            case ir.Scope():
                self._scope(statement, limited=limited)
            case ir.Beside():
                self.visit(statement.body, limited=limited)
                for one in statement.listeners:
                    self.visit(one.body, limited=limited)
            case ir.Call(_, _, on):
                for _, body in on:
                    self.visit(body, limited=limited)
            case ir.Receive(_, event, span):
                if not limited and statement is not self._started_by:
                    self._endless(f"`{event}`", span)
            case ir.Graph(_, nodes):
                for node in nodes:
                    self.visit(node, limited=True)

    def _warn(self, code: str, message: str, span: Span | None, help_: str) -> None:
        self._findings.add(code, message, head(span), severity="warning", help=help_)

    def _choice(self, choice: ir.Choice) -> None:
        guarded = any(w.guard is not None for w in choice.ways)
        if len(choice.ways) < 2:
            help_ = "say what happens otherwise: `otherwise { ... }`"
            self._warn(
                "P306", "this choice has one way only" if choice.ways else "this choice has no way", choice.span, help_
            )
        elif guarded and not choice.exhaustive:
            message = "no way is open when none of these conditions holds"
            help_ = f"add `otherwise {{ ... }}`; without it the error `{NO_CHOICE}` is raised"
            self._warn("P308", message, choice.span, help_)

    def _race(self, race: ir.Race, *, limited: bool) -> None:
        receives = [t for t, _ in race.ways if isinstance(t, ir.Receive)]
        timers = [(t, body) for t, body in race.ways if isinstance(t, ir.Timer)]
        if len(race.ways) < 2:
            help_ = "add the other event or a `timer`, or write it without `first of`"
            self._warn("P307", "this `first of` waits for one thing only", race.span, help_)
        elif not timers and not limited and not any(t is self._started_by for t in receives):
            self._endless(listed(dict.fromkeys(t.event for t in receives)), head(race.span))
        for timer, body in timers:
            if receives and _empty(body):
                message = f"after {timer.text or 'the time-out'} it goes on as if what it waits for had come"
                self._warn("P309", message, timer.span, "say what happens then: `timer 24h -> { ... }`")
        for _, body in race.ways:
            self.visit(body, limited=limited)

    def _scope(self, scope: ir.Scope, *, limited: bool) -> None:
        timeouts = [h for h in scope.handlers if h.trigger == "timeout"]
        for handler in timeouts:
            if _empty(handler.body) and not handler.id.endswith(CANCELLED):
                message = "after this time-out it goes on as if all had been done"
                self._warn("P309", message, handler.span, "say what happens then")
        events = any(h.trigger == "event" for h in scope.handlers)
        self.visit(scope.body, limited=limited or events or bool(timeouts))
        for handler in scope.handlers:
            self.visit(handler.body, limited=limited)

    def _endless(self, what: str, span: Span | None) -> None:
        message = f"this waits for {what} for ever"
        help_ = "give it a limit: `first of { receive ... -> { ... } timer 24h -> { ... } }`"
        self._findings.add("P313", message, span, severity="warning", help=help_)


def _empty(body: ir.Statement) -> bool:
    return isinstance(body, ir.Sequence) and all(_empty(part) for part in body.parts)


def _first(body: ir.Statement) -> ir.Statement | None:
    """The event that starts an instance: a receive which is the first thing that happens."""
    at: ir.Statement = body
    while True:
        match at:
            case ir.Sequence(_, parts) if parts:
                at = parts[0]
            case ir.Scope(_, inner):
                at = inner
            case ir.Race(_, ways) if ways and isinstance(ways[0][0], ir.Receive):
                return ways[0][0]
            case ir.Receive():
                return at
            case _:
                return None
