"""Statements that contain no others: from the syntax tree to the IR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.findings import figure
from placet.compile.flow import OUT_OF_RANGE
from placet.ir import model as ir
from placet.syntax import ast

if TYPE_CHECKING:
    from placet.compile.data import Data
    from placet.compile.findings import Findings
    from placet.compile.signal_decls import Signals
    from placet.compile.steps import Steps
    from placet.compile.topics import Topics
    from placet.source import Span

MOST_RUNS = 20  # of a saga: each is a copy of its body


class Leaves:
    """Builds those of one process."""

    def __init__(
        self, process: ast.Process, steps: Steps, data: Data, topics: Topics, findings: Findings, signals: Signals
    ) -> None:
        self._process = process
        self._saga = process.kind == "saga"
        self._steps = steps
        self._data = data
        self._topics = topics
        self._findings = findings
        self._signals = signals
        self._instance = ""  # the numbers of the instances of `for each` around: `[1]`

    def leaf(self, statement: ast.Statement, identifier: str) -> ir.Statement:
        """The statement with its id. Raises TypeError for one that contains others."""
        span = statement.span
        match statement:
            case ast.Task(name, service, fails):
                errors = tuple(dict.fromkeys([f.text for f in fails])) if fails else ()
                service_name = self._steps.service(service) if service is not None else ""
                if not statement.sets:
                    return ir.Task(identifier, name.text + self._instance, errors, service_name, span)
                sets, outside = self._data.assignments(statement.sets)
                if outside and OUT_OF_RANGE not in errors:
                    errors = (*errors, OUT_OF_RANGE)
                return ir.Task(identifier, name.text + self._instance, errors, service_name, span, sets)
            case ast.Step(name):
                if not self._saga:
                    message = f"`{name.text}` is a step, but `{self._process.name.text}` is no saga"
                    self._misplaced(message, name.span, "write `task`, or make the process a `saga`")
                return self._steps.step(statement, identifier)
            case ast.Receive(event):
                sets, outside = self._data.assignments(statement.sets) if statement.sets else ((), False)
                if outside:
                    message = f"what `{event.text}` sets may be outside the values of its variable"
                    help_ = "an event cannot fail: set `any` or a value that is always there, or set it in a task"
                    self._findings.add("P262", message, statement.sets[0].span, help=help_)
                    sets = ()
                topic = self._topics.of(event)
                self._signals.received(statement, topic)
                return ir.Receive(identifier, event.text, span, sets, topic)
            case ast.Publish(event):
                return ir.Publish(identifier, self._topics.message(event, "publish"), event.text, span)
            case ast.Timer(duration):
                return ir.Timer(identifier, duration.seconds, duration.text, span)
            case ast.Acquire(pool) | ast.Release(pool):
                takes = isinstance(statement, ast.Acquire)
                return ir.Holding(identifier, pool.text, self._steps.pool(pool), takes, span)
            case ast.Raise(error):
                return ir.Raise(identifier, error.text, span)
            case ast.End(name):
                if self._saga and name.text != "completed":
                    message = f"a saga has no end `{name.text}`: it is completed, compensated or failed"
                    help_ = "`abandon` starts the compensation; `end completed` finishes early"
                    self._misplaced(message, name.span, help_)
                return ir.End(identifier, name.text, span=span)
            case ast.Again():
                return self._again(statement, identifier)
            case ast.Abandon(reason):
                if not self._saga:
                    message = f"`{self._process.name.text}` is no saga: there is nothing to abandon"
                    self._misplaced(message, span, "write `end` or `raise`, or make the process a `saga`")
                return ir.Abandon(identifier, reason.text if reason is not None else "", span)
        raise TypeError(f"{type(statement).__name__} is no leaf")

    def _again(self, again: ast.Again, identifier: str) -> ir.Again:
        most = again.at_most.value if again.at_most is not None else None
        message = help_ = ""
        if not self._saga:
            if again.carrying:
                message = f"`{self._process.name.text}` is no saga: it has no undos to carry along"
                help_ = "leave `carrying undo` out, or make the process a `saga`"
            elif most is not None:
                message, help_ = "how often a workflow continues as new need not be said", "leave `at_most` out"
        elif most is None:
            message = "a saga that continues as new needs a bound"
            help_ = "write `continue_as_new carrying undo at_most 2`: each run has undos of its own, so the runs must be counted"
        elif not 1 <= most <= MOST_RUNS:
            message = f"{figure(most)} times cannot be looked at" if most else "with 0 it would never continue as new"
            help_ = "two or three runs show what many show"
        if message:
            at = again.at_most.span if most is not None and again.at_most is not None else again.span
            self._findings.add("P298", message, at, help=help_)
            return ir.Again(identifier, again.span)
        return ir.Again(identifier, again.span, most, again.carrying)

    def _version(self, patch: ast.Patch) -> ir.Guard:
        """That this run has a version; a handler of messages has no run that would keep it."""
        if self._process.kind != "handler":
            return ir.Guard(f"patch {patch.name.text}", condition=self._data.patched(patch.name.text))
        message = "a handler of messages has no versions: none of it goes on from one message to the next"
        self._misplaced(
            message, patch.name.span, "write `either { ... } or { ... }`, or `call` a workflow that has them"
        )
        return ir.Guard(f"patch {patch.name.text}")

    def _misplaced(self, message: str, span: Span, help_: str) -> None:
        self._findings.add("P215", message, span, help=help_)
