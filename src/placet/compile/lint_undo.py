"""Findings about what a saga does when a reply stays out, and about the undos that are meant to mend it.

Each looks at one step and at what may fail after it, before any search: what they point at is a gap whatever the faults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.findings import head, listed
from placet.compile.flow import ANY, children, interrupted
from placet.compile.names import NEXT
from placet.diagnostics import Label
from placet.ir import model as ir

if TYPE_CHECKING:
    from placet.compile.findings import Findings
    from placet.compile.turning import Turning
    from placet.source import Span

HELP = "give it a limit: `timeout 10s`"


class UndoLint:
    """The steps of one saga with their undos. Recurses over nesting, which the parser bounds; linear."""

    def __init__(self, process: ir.Process, turning: Turning, findings: Findings, *, called: bool) -> None:
        self._process = process
        self._policy = process.policy
        self._findings = findings
        outside = self._policy.deadline == "undo" or self._policy.recovery == "undo"
        self._anyway = called or outside  # it may be turned back at any time
        self._patient: list[ir.Step] = []
        self._turning = turning

    def run(self) -> None:
        """Report everything."""
        self._backward(self._process.body, turning=self._anyway)
        self._handlers(self._process.body)
        if self._patient:
            self._waits(sorted(self._patient, key=lambda step: step.span.start if step.span is not None else 0))

    def _waits(self, steps: list[ir.Step]) -> None:
        """Steps without a time-out: one finding, at the first of them."""
        first, *others = steps
        if others:
            message = f"{listed([s.name for s in steps], 4)} wait for ever for a reply when a message is lost"
        else:
            message = f"`{first.name}` waits for `{first.service}` for ever when a message is lost"
        labels = tuple([Label(s.span, "this one too") for s in others[:3] if s.span is not None])
        self._add("P317", message, first.span, "give each a limit: `timeout 10s`" if others else HELP, labels)

    def _add(self, code: str, message: str, span: Span | None, help_: str, labels: tuple[Label, ...] = ()) -> None:
        self._findings.add(code, message, span, severity="warning", help=help_, labels=labels)

    # -- one step ----------------------------------------------------------------------------------------------------

    def _step(self, step: ir.Step, *, turning: bool) -> None:
        if step.timeout is None:
            self._patient.append(step)
        elif any(rule.error == "timeout" and rule.action == "halt" for rule in step.errors):
            message = f"when `{step.name}` times out the saga stops, and nothing is undone"
            help_ = "let a time-out turn the saga back like any failure: leave `timeout: halt` out"
            self._add("P318", message, step.span, help_)
        undo = step.undo
        if undo is None or step.read_only:
            return
        if step.pivot:
            message = f"`{undo.name}` never runs: a pivot is never undone"
            self._add("P316", message, undo.span or step.span, "remove it, or `pivot`")
            return
        if not (turning or self._undoes_itself(step, timed=True)):
            message = (
                f"`{undo.name}` runs only if the saga is cancelled: nothing in it fails once `{step.name}` is done"
            )
            help_ = "remove it, or let something after the step be able to fail"
            self._findings.add("P316", message, undo.span or step.span, severity="note", help=help_)
            return
        self._unknown(step, undo)

    def _unknown(self, step: ir.Step, undo: ir.Undo) -> None:
        """What becomes of a step whose outcome the saga never learns."""
        if undo.input and self._undoes_itself(step, timed=step.timeout is not None):
            message = f"`{undo.name}` needs the reply of `{step.name}`, which it may not have"
            why = "the step fails or times out" if self._policy.undo_failing == "yes" else "the outcome is unknown"
            help_ = f"the undo also runs when {why}: let it find what it needs by a key the saga chose"
            self._add("P319", message, undo.span or step.span, help_)
        undone = self._policy.register != "after" and self._policy.undo_failing != "no"
        if (
            step.timeout is not None
            and not undone
            and not _halts(step)
            and self._policy.on_unknown == "undo"
            and not step.retriable
        ):
            why = "is registered after the reply" if self._policy.register == "after" else "leaves the failing step out"
            message = f"nothing undoes `{step.name}` when it times out: its undo {why}"
            help_ = "say `register before` and `failing_step undo_unless_rejected`, or `on unknown retry`"
            self._add("P320", message, step.span, help_)

    def _undoes_itself(self, step: ir.Step, *, timed: bool) -> bool:
        """Whether a step that failed, or perhaps failed, is undone itself."""
        policy = self._policy
        if step.retriable or policy.register == "after" or policy.undo_failing == "no":
            return False
        if policy.undo_failing == "yes":
            return True
        unclear = (timed and not _halts(step)) or any(rule.action == "unknown" for rule in step.errors)
        return unclear and policy.on_unknown == "undo"

    # -- what may turn the saga back after a step --------------------------------------------------------------------

    def _backward(self, statement: ir.Statement | ir.Gateway, *, turning: bool) -> bool:
        """Walk against the order of things; `turning` says that something after the statement may turn the saga back."""
        match statement:
            case ir.Sequence(_, parts):
                for part in reversed(parts):
                    turning = self._backward(part, turning=turning)
                return turning
            case ir.Step():
                self._step(statement, turning=turning)
                if statement.pivot and not self._anyway:
                    return bool(self._turning.of(statement))  # what fails after it does not lead back behind it
                return turning or bool(self._turning.of(statement))
            case ir.Parallel(_, ways) if statement.rest is None:
                fallible = [bool(self._turning.of(way.body)) for way in ways]
                count = sum(fallible)
                for way, own in zip(ways, fallible, strict=True):
                    self._backward(way.body, turning=turning or count > own)
                return turning or any(fallible)
        here = turning or bool(self._turning.of(statement))
        again = isinstance(
            statement, ir.Loop | ir.Repeat | ir.Graph | ir.Parallel
        )  # a later round, or a way back, may fail
        for n, child in enumerate(children(statement)):
            inside = here if again else turning or (n == 0 and interrupted(statement))
            self._backward(child, turning=inside)
        return here

    # -- handlers ----------------------------------------------------------------------------------------------------

    def _handlers(self, statement: ir.Statement | ir.Gateway) -> None:
        if isinstance(statement, ir.Scope):
            caught = [h for h in statement.handlers if h.trigger == "error"]
            if caught and not any(h.name in (ANY, NEXT) for h in caught):
                step = self._may_time_out(statement.body)
                if step is not None:
                    message = f"`{step.name}` may time out, which nothing here handles"
                    help_ = "`on any { ... }` handles time-outs too; without it the saga turns back"
                    labels = (Label(step.span, "it has a time-out"),) if step.span is not None else ()
                    self._add("P318", message, head(caught[-1].span), help_, labels)
        for child in children(statement):
            self._handlers(child)

    def _may_time_out(self, statement: ir.Statement | ir.Gateway) -> ir.Step | None:
        """The first step inside whose time-out leaves the statement."""
        if isinstance(statement, ir.Step):
            waits = (
                statement.retriable
                or statement.pivot
                or self._policy.on_unknown in ("retry", "ask")
                or _halts(statement)
            )
            return None if waits or statement.timeout is None else statement
        inner = children(statement)
        if isinstance(statement, ir.Scope) and any(h.trigger == "error" and h.name == ANY for h in statement.handlers):
            inner = inner[1:]
        return next((step for child in inner if (step := self._may_time_out(child)) is not None), None)


def _halts(step: ir.Step) -> bool:
    """Whether a time-out stops the saga where it stands."""
    return any(rule.error == "timeout" and rule.action in ("halt", "escalate") for rule in step.errors)
