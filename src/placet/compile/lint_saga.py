"""Findings about sagas: steps whose classes contradict each other, effects that nothing compensates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.call_kinds import last_attempt
from placet.compile.flow import children, interrupted
from placet.diagnostics import Label
from placet.durations import said
from placet.ir import model as ir

if TYPE_CHECKING:
    from placet.compile.findings import Findings
    from placet.compile.turning import Turning
    from placet.source import Span


class SagaLint:
    """The steps of one saga. Recurses over nesting, which the parser bounds; linear."""

    def __init__(self, process: ir.Process, turning: Turning, findings: Findings) -> None:
        self._process = process
        self._policy = process.policy
        self._findings = findings
        self._turning = turning

    def run(self) -> None:
        """Report everything."""
        self._forward(self._process.body, None)
        self._backward(self._process.body, failing=False)

    def _warn(self, code: str, message: str, span: Span | None, help_: str, labels: tuple[Label, ...] = ()) -> None:
        self._findings.add(code, message, span, severity="warning", help=help_, labels=labels)

    # -- what stands at a step itself, and what may have happened before it ------------------------------------------

    def _forward(self, statement: ir.Statement | ir.Gateway, pivot: ir.Step | None) -> ir.Step | None:
        """Look at the steps, in the order in which they happen; gives a pivot that may have been passed."""
        match statement:
            case ir.Sequence(_, parts):
                for part in parts:
                    pivot = self._forward(part, pivot)
                return pivot
            case ir.Step():
                self._step(statement)
                if pivot is not None:
                    self._after_pivot(statement, pivot)
                return statement if statement.pivot else pivot
        passed = [self._forward(child, pivot) for child in children(statement)]
        return next((p for p in passed if p is not None), pivot)

    def _step(self, step: ir.Step) -> None:
        name = step.name
        if step.pivot and step.retriable:
            message = f"`{name}` is a pivot and retriable: a step that is retried until it succeeds decides nothing"
            self._warn("P310", message, step.span, "keep `pivot` if it may refuse, `retriable` if it may not")
        if step.undo is not None and step.read_only:
            message = f"`{name}` is read_only: there is nothing for `{step.undo.name}` to undo"
            self._warn("P311", message, step.undo.span or step.span, "remove the undo, or `read_only`")
        if step.timeout is not None and self._policy.on_unknown == "ignore" and not step.retriable and not step.retry:
            message = f"nothing happens when `{name}` times out: unknown outcomes are ignored"
            self._warn("P309", message, step.span, "say `on unknown undo` or `on unknown retry`")
        self._key(step)
        again = step.retriable or step.retry or any(r.retry for r in step.errors) or self._policy.on_unknown == "retry"
        if again and not step.read_only and "idempotent" not in step.guarantees:
            message = f"`{name}` may be sent to `{step.service}` again, which is not idempotent"
            help_ = "declare the service or the step `idempotent` if it recognises a request it has seen"
            self._warn("P314", message, step.span, help_)

    def _key(self, step: ir.Step) -> None:
        """A key that the second attempt does not have, or that is forgotten before it comes."""
        if step.read_only or "idempotent" not in step.guarantees:
            return
        if step.per == "attempt" and (step.retriable or step.retry):
            message = f"each attempt of `{step.name}` has a key of its own, so `{step.service}` takes the second one for something new"
            self._warn("P340", message, step.span, "write `key NAME per run`")
        elif step.ttl is not None and step.retry and last_attempt(step) >= step.ttl:
            message = f"`{step.service}` forgets the key of `{step.name}` before its last attempt may come"
            help_ = f"remember it for more than {said(last_attempt(step))}, or try less often"
            self._warn("P341", message, step.span, help_)

    def _after_pivot(self, step: ir.Step, pivot: ir.Step) -> None:
        if step.retriable or step.read_only:
            return
        message = f"`{step.name}` may fail after the pivot `{pivot.name}`, when there is no way back"
        help_ = f"make it `retriable`, or move it before `{pivot.name}`"
        labels = (Label(pivot.span, "the pivot"),) if pivot.span is not None else ()
        self._warn("P312", message, step.span, help_, labels)

    # -- what may fail after a step ----------------------------------------------------------------------------------

    def _backward(self, statement: ir.Statement | ir.Gateway, *, failing: bool) -> bool:
        """Walk against the order in which things happen; `failing` says that something after the statement may fail."""
        match statement:
            case ir.Sequence(_, parts):
                for part in reversed(parts):
                    failing = self._backward(part, failing=failing)
                return failing
            case ir.Parallel(_, ways) if statement.rest is None:
                fallible = [bool(self._turning.of(way.body)) for way in ways]
                count = sum(fallible)
                for way, own in zip(ways, fallible, strict=True):
                    self._backward(way.body, failing=failing or count > own)
                return failing or any(fallible)
            case ir.Step():
                safe = statement.undo is not None or statement.pivot or statement.retriable or statement.read_only
                if failing and not safe:
                    message = f"`{statement.name}` has no undo, and a later step may fail"
                    help_ = "give it an `undo`, or say that it is `pivot`, `retriable` or `read_only`"
                    self._warn("P315", message, statement.span, help_)
        here = failing or bool(self._turning.of(statement))
        again = isinstance(statement, ir.Loop | ir.Repeat | ir.Parallel)  # a later round may fail
        for n, child in enumerate(children(statement)):
            inside = here if again else failing or (n == 0 and interrupted(statement))
            self._backward(child, failing=inside)
        return here
