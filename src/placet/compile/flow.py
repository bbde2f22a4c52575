"""How control leaves a statement: whether it goes on, which ends it reaches, which errors escape it.

One walk over the IR; linear in the size of the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.ir import model as ir
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.source import Span

ANY = "*"
NO_CHOICE = "NoChoiceMatched"
TOO_MANY = "TooManyFailed"  # raised where more instances fail than are tolerated
OUT_OF_RANGE = "OutOfRange"  # raised by a task that sets a variable to a value outside its domain


class Flow(NamedTuple):
    """What was found about a process, in the order of the text."""

    completes: bool  # some run leaves the body at its bottom
    ends: tuple[str, ...]  # named by `end`
    escaping: tuple[tuple[str, Span | None], ...]  # errors that nothing in it handles, and where they come from
    unreachable: tuple[ir.Statement, ...]  # the first of each run of statements that nothing leads to
    idle: tuple[ir.Handler, ...]  # handlers of errors that nothing raises


def flow(process: ir.Process) -> Flow:
    """Follow the control flow of a process."""
    walk = _Walk()
    raised: dict[str, Span | None] = {}
    completes = walk.visit(process.body, raised)
    return Flow(completes, tuple(walk.ends), tuple(raised.items()), tuple(walk.unreachable), tuple(walk.idle))


def ends_of(process: ir.Process, found: Flow) -> tuple[str, ...]:
    """The ends of a process: of a workflow those it names, `completed` at its bottom, `failed` for escaped errors."""
    if process.kind == "saga":
        return ("completed", "compensated", "failed")
    ends = dict.fromkeys(found.ends)
    if found.completes:
        ends["completed"] = None
    if found.escaping:
        ends["failed"] = None
    return tuple(ends)


def continuing(ends: tuple[str, ...], kind: str) -> str:
    """The end after which a call goes on without a handler; empty where every end needs one.

    It is `completed`, or the only end of a workflow besides `failed`.
    """
    if kind == "saga" or "completed" in ends:
        return "completed"
    others = [e for e in ends if e != "failed"]
    return others[0] if len(others) == 1 else ""


class _Walk:
    def __init__(self) -> None:
        self.ends: dict[str, None] = {}
        self.unreachable: list[ir.Statement] = []
        self.idle: list[ir.Handler] = []

    def visit(self, statement: ir.Statement, raised: dict[str, Span | None]) -> bool:
        """Whether control can go on after the statement; errors that escape it are put into `raised`."""
        match statement:
            case ir.Sequence(_, parts):
                return self._sequence(parts, raised)
            case ir.Task():
                for error in statement.errors:
                    raised.setdefault(error, statement.span)
                return True
            case ir.End():
                self.ends.setdefault(statement.name)
                return False
            case ir.Again():
                return statement.at_most is not None
            case ir.Abandon():
                return False
            case ir.Raise():
                raised.setdefault(statement.error, statement.span)
                return False
            case ir.Choice(_, ways, exhaustive):
                going = [self.visit(w.body, raised) for w in ways]
                if not exhaustive:
                    raised.setdefault(NO_CHOICE, statement.span)
                return any(going)
            case ir.Parallel(_, ways):
                going = [self.visit(w.body, raised) for w in ways]
                if statement.rest is not None and statement.close[0] == "cancel":
                    return self.visit(statement.rest.body, raised)
                if statement.rest is not None:
                    return self.visit(statement.rest.body, raised) and all(going)
                return all(going) if statement.need is None else sum(going) >= statement.need
            case ir.Race(_, ways):
                going = [self.visit(body, raised) for _, body in ways]
                return any(going)
            case ir.Loop(_, body, test, _, at_most):
                going_on = self.visit(body, raised)
                return test == "before" or (going_on and (test == "after" or at_most is not None))
            case ir.Scope():
                return self._scope(statement, raised)
            case ir.Repeat(_, body) | ir.Tolerant(_, body) | ir.With(_, _, _, body):
                return self.visit(body, raised)
            case ir.Beside():
                going_on = self.visit(statement.body, raised)
                for one in statement.listeners:
                    self.visit(one.body, raised)
                return going_on
            case ir.Spare(_, body):
                inner: dict[str, Span | None] = {}
                going_on = self.visit(body, inner)
                if inner or step_errors(body):
                    raised.setdefault(TOO_MANY, statement.span)
                return going_on or bool(inner) or bool(step_errors(body))
            case ir.Call() if statement.detached:
                return True
            case ir.Call(_, _, on):
                going = [self.visit(body, raised) for _, body in on]
                return any(going)
            case ir.Graph(_, nodes):
                for node in nodes:
                    if not isinstance(node, ir.Gateway):
                        self.visit(node, raised)
                return True
        return True

    def _sequence(self, parts: tuple[ir.Statement, ...], raised: dict[str, Span | None]) -> bool:
        going = True
        for index, part in enumerate(parts):
            after = self.visit(part, raised)
            if going and not after:
                going = False
                if index + 1 < len(parts):
                    self.unreachable.append(parts[index + 1])
        return going

    def _scope(self, scope: ir.Scope, raised: dict[str, Span | None]) -> bool:
        inner: dict[str, Span | None] = {}
        going = self.visit(scope.body, inner)
        outer: dict[str, Span | None] = {}
        for handler in scope.handlers:
            going = self.visit(handler.body, outer) or going
        refused = None
        for handler in scope.handlers:
            if handler.trigger != "error":
                continue
            if handler.name != ANY and inner.pop(handler.name, _ABSENT) is not _ABSENT:
                continue
            if handler.name == ANY and inner:
                inner.clear()
                continue
            refused = step_errors(scope.body) if refused is None else refused
            if not (refused if handler.name == ANY else handler.name in refused):
                self.idle.append(handler)
        for errors in (inner, outer):
            for error, span in errors.items():
                raised.setdefault(error, span)
        return going


_ABSENT = object()


def step_errors(statement: ir.Statement) -> frozenset[str]:
    """The names by which steps inside may be refused; not empty where there is a step at all."""
    found: set[str] = set()
    pending: list[ir.Statement | ir.Gateway] = [statement]
    while pending:
        at = pending.pop()
        if isinstance(at, ir.Step):
            found |= {"rejected", *(rule.error for rule in at.errors)}
        else:
            pending += children(at)
    return frozenset(found)


def interrupted(statement: ir.Statement | ir.Gateway) -> bool:
    """Whether something from outside may make the first thing in it turn back."""
    return isinstance(statement, ir.Scope) and any(h.trigger != "error" and h.interrupting for h in statement.handlers)


def children(statement: ir.Statement | ir.Gateway) -> list[ir.Statement | ir.Gateway]:
    """The statements directly inside a statement, in the order of the text."""
    match statement:
        case ir.Sequence(_, parts):
            return list(parts)
        case ir.Choice(_, ways):
            return [w.body for w in ways]
        case ir.Parallel(_, ways):
            return [w.body for w in (*ways, *((statement.rest,) if statement.rest is not None else ()))]
        case ir.Race(_, ways):
            return [part for way in ways for part in way]
        case ir.Loop(_, body) | ir.Repeat(_, body) | ir.Tolerant(_, body) | ir.Spare(_, body):
            return [body]
        case ir.With():
            return [statement.body]
        case ir.Scope(_, body, handlers):
            return [body, *(h.body for h in handlers)]
        case ir.Beside():
            return [statement.body, *(one.body for one in statement.listeners)]
        case ir.Call(_, _, on):
            return [body for _, body in on]
        case ir.Graph(_, nodes):
            return list(nodes)
    return []
