"""What a statement can do, known before it is compiled: errors that leave it, saga steps in it, effects to undo.

One pass over each process, children before parents, without recursion: nesting is bounded by the parser only for models
written by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.flow import TOO_MANY
from placet.diagnostics import Diagnostic
from placet.ir.model import (
    Abandon,
    Beside,
    Call,
    Choice,
    End,
    Gateway,
    Graph,
    Holding,
    Loop,
    Parallel,
    Publish,
    Race,
    Raise,
    Receive,
    Repeat,
    Scope,
    Sequence,
    Spare,
    Step,
    Task,
    Timer,
    Tolerant,
    With,
)
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placet.ir.model import Process, Statement, Way

NOTHING: frozenset[str] = frozenset()
ABANDON = ""  # the error that gives a saga up; no handler catches it
NO_CHOICE = "NoChoiceMatched"


class Facts(NamedTuple):
    """`errors` may leave the statement; `steps`: a saga step is in it, with `undoable` one that turns back differently.

    `forks` says that it can hold several tokens at once, `pivot` that a step in it is a point of no return.
    """

    errors: frozenset[str] = NOTHING
    steps: bool = False
    undoable: bool = False
    forks: bool = False
    pivot: bool = False
    ends: bool = False  # an end of the process is in it


PLAIN = Facts()
STEP = Facts(steps=True)
UNDOABLE = Facts(steps=True, undoable=True)
PIVOT = Facts(steps=True, undoable=True, pivot=True)
_ENDS = Facts(ends=True)
_ABANDONS = Facts(errors=frozenset((ABANDON,)))


class Survey:
    """Facts of every statement of a process and of the processes it calls."""

    def __init__(self, root: Process, processes: Mapping[str, Process]) -> None:
        self.processes = processes
        self.diagnostics: list[Diagnostic] = []
        self.sagas: list[Process] = []  # those with steps, callees before callers
        self.recursive: set[int] = set()  # calls that are left out
        self._facts: dict[int, Facts] = {}
        self._process: dict[str, Facts] = {}
        self._survey(root)

    def add(self, process: Process) -> None:
        """One more process that nobody may call."""
        if process.id not in self._process:
            self._survey(process)

    def of(self, statement: Statement) -> Facts:
        """The facts of a statement of one of the processes."""
        if isinstance(statement, Task):
            return Facts(frozenset(statement.errors)) if statement.errors else PLAIN
        if isinstance(statement, Step):
            if statement.pivot:
                return PIVOT
            return UNDOABLE if statement.undo else STEP
        return self._facts.get(id(statement), PLAIN)

    def _survey(self, root: Process) -> None:
        """Callees before callers; a call that closes a circle is reported and left out."""
        open_: dict[str, list[Call]] = {}
        stack: list[tuple[Process, list[Call]]] = [(root, _calls(root.body))]
        open_[root.id] = []
        while stack:
            process, calls = stack[-1]
            if not calls:
                stack.pop()
                del open_[process.id]
                self._process[process.id] = self._body(process)
                if process.kind == "saga" and self._process[process.id].steps:
                    self.sagas.append(process)
                continue
            call = calls.pop()
            if call.target in open_:
                self._circle(call)
            elif call.target in self.processes and call.target not in self._process:
                callee = self.processes[call.target]
                open_[callee.id] = []
                stack.append((callee, _calls(callee.body)))

    def _circle(self, call: Call) -> None:
        self.recursive.add(id(call))
        self.diagnostics.append(
            Diagnostic(
                "P211",
                "error",
                f"`{call.target}` calls itself, directly or through others",
                call.span,
                help="repeat with a loop; a call is compiled by copying the process it calls",
            )
        )

    def _body(self, process: Process) -> Facts:
        for statement in reversed(_preorder(process.body)):
            kind = type(statement)
            if kind is Task or kind is Step:
                continue
            found = self._one(statement)
            if found is not PLAIN:
                self._facts[id(statement)] = found
        return self.of(process.body)

    def _one(self, statement: Statement) -> Facts:
        match statement:
            case Abandon():
                return _ABANDONS
            case End():
                return _ENDS
            case Beside():
                return _union([self.of(child) for child in children(statement)])._replace(forks=True)
            case Raise():
                return Facts(errors=frozenset((statement.error,)))
            case Scope():
                return self._scope(statement)
            case Call():
                return self._call(statement)
            case Graph():
                found = _union([self.of(n) for n in statement.nodes if not isinstance(n, Gateway)])
                if any(isinstance(n, Gateway) and not n.exhaustive for n in statement.nodes):
                    found = found._replace(errors=found.errors | {NO_CHOICE})
                return found._replace(forks=found.forks or concurrent(statement))
            case Parallel():
                return _union([self.of(way.body) for way in ways_of(statement)])._replace(forks=True)
            case Repeat():
                return self.of(statement.body)._replace(forks=True)
            case Spare():
                found = self.of(statement.body)
                return found._replace(errors=frozenset((TOO_MANY,))) if found.errors else found
            case Choice():
                found = _union([self.of(way.body) for way in statement.ways])
                return found if statement.exhaustive else found._replace(errors=found.errors | {NO_CHOICE})
            case _:
                return _union([self.of(child) for child in children(statement)])

    def _scope(self, scope: Scope) -> Facts:
        body = self.of(scope.body)
        caught = {h.name for h in scope.handlers if h.trigger == "error"}
        left = {e for e in body.errors if e not in caught and ("*" not in caught or e == ABANDON)}
        rest = _union([self.of(h.body) for h in scope.handlers])
        forks = body.forks or rest.forks
        pivot = body.pivot or rest.pivot
        steps, undoable = body.steps or rest.steps, body.undoable or rest.undoable
        return Facts(frozenset(left) | rest.errors, steps, undoable, forks, pivot, body.ends or rest.ends)

    def _call(self, call: Call) -> Facts:
        found = _union([self.of(body) for _, body in call.on])
        callee = self.processes.get(call.target)
        if callee is None or call.detached or id(call) in self.recursive:
            return found
        inner = self._process[callee.id]
        errors = found.errors
        if not any(name == "failed" for name, _ in call.on):
            errors |= {"failed"}
        undoable = inner.undoable or found.undoable
        forks, pivot = inner.forks or found.forks, inner.pivot or found.pivot
        return Facts(errors, inner.steps or found.steps, undoable, forks, pivot, found.ends)


def concurrent(graph: Graph) -> bool:
    """Whether several tokens may move in a graph at once. A graph that only might is one that can."""
    deciding = {n.id for n in graph.nodes if isinstance(n, Gateway) and n.kind in ("exclusive", "event")}
    leaving: dict[tuple[str, str], int] = {}
    for flow in graph.flows:
        if flow.source not in deciding:
            key = (flow.source, flow.exit)
            leaving[key] = leaving.get(key, 0) + 1
    spawns = any(isinstance(n, Scope) and any(not h.interrupting for h in n.handlers) for n in graph.nodes)
    return spawns or any(count > 1 for count in leaving.values())


def ways_of(statement: Parallel) -> tuple[Way, ...]:
    """All ways, with what comes after the first of them."""
    return statement.ways if statement.rest is None else (*statement.ways, statement.rest)


def children(statement: Statement) -> tuple[Statement, ...]:
    """The statements directly inside."""
    match statement:
        case Sequence():
            return statement.parts
        case Choice():
            return tuple([way.body for way in statement.ways])
        case Parallel():
            return tuple([way.body for way in ways_of(statement)])
        case Loop() | Repeat() | Tolerant() | Spare() | With():
            return (statement.body,)
        case Race():
            return tuple([body for _, body in statement.ways])
        case Scope():
            return (statement.body, *[h.body for h in statement.handlers])
        case Beside():
            return (statement.body, *[one.body for one in statement.listeners])
        case Call():
            return tuple([body for _, body in statement.on])
        case Graph():
            return tuple([n for n in statement.nodes if not isinstance(n, Gateway)])
        case _:
            return ()


_LEAVES = frozenset((Task, Step, Holding, Receive, Publish, Timer, Raise, End, Abandon))


def _preorder(body: Statement) -> list[Statement]:
    """Every statement, parents before children."""
    found: list[Statement] = [body]
    for statement in found:
        if type(statement) not in _LEAVES:
            found.extend(children(statement))
    return found


def _calls(body: Statement) -> list[Call]:
    return [s for s in _preorder(body) if type(s) is Call and not s.detached]


def _union(parts: list[Facts]) -> Facts:
    parts = [p for p in parts if p is not PLAIN]
    if not parts:
        return PLAIN
    if len(parts) == 1 or all(p is parts[0] for p in parts):
        return parts[0]
    return Facts(
        NOTHING.union(*{p.errors for p in parts}),
        any(p.steps for p in parts),
        any(p.undoable for p in parts),
        any(p.forks for p in parts),
        any(p.pivot for p in parts),
        any(p.ends for p in parts),
    )
