"""A workflow of the IR as a state machine: tasks become Task states, branches Parallel, what is decided outside Choice states.

What ASL has only on Task, Parallel and Map (`Catch`, `Retry`) is put on a Parallel of one branch where the body is more than a
task. An end inside a branch becomes an error of its own name that every level hands on, since a branch cannot end the machine.
"""

from __future__ import annotations

import re
from math import ceil
from typing import TYPE_CHECKING, Any, TypeAlias

from placet.diagnostics import Diagnostic
from placet.ir import model as ir

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.source import Span

State: TypeAlias = "dict[str, Any]"

MOST_DEPTH = 60
_LAMBDA = "arn:aws:states:::lambda:invoke"
_CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
_START = "arn:aws:states:::states:startExecution.sync:2"
_END = "end."  # the error by which a branch asks for an end of the machine
_UNFIT = re.compile(r"\W+")


class _Machine:
    """A machine that is being written: its states, and the ends that its caller has to care for."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.states: dict[str, State] = {}
        self.ends: dict[str, None] = {}


class Writer:
    """Writes one process; `losses` fills as it goes, and an error among them says that the text is not the process."""

    def __init__(self, process: ir.Process) -> None:
        self.process = process
        self.losses: list[Diagnostic] = []
        self.names: set[str] = set()

    def definition(self) -> State:
        """The machine."""
        top = _Machine(0)
        start = self.emit(self.process.body, self.end(self.process.done, top), top)
        if start is None:
            raise ValueError("the body of a process leads to its end")
        comment = self.process.title or self.process.id
        return {"Comment": comment, **self.written(start, top)}

    # -- pieces

    def lose(self, code: str, message: str, span: Span | None, hint: str = "") -> None:
        """Something that cannot be written: an error where the machine would do something else."""
        severity = {"P547": "error", "P516": "note"}.get(code, "warning")
        self.losses.append(Diagnostic(code, severity, message, span, help=hint))  # type: ignore[arg-type] # one of both

    def name(self, wanted: str) -> str:
        """A name that no state of the machine has; AWS takes 80 letters."""
        wanted = wanted[:70] or "state"
        found, number = wanted, 1
        while found in self.names:
            number += 1
            found = f"{wanted} ({number})"
        self.names.add(found)
        return found

    def put(self, machine: _Machine, wanted: str, state: State, after: str | None = None) -> str:
        """A state, and what follows it where it is one that something follows."""
        name = self.name(wanted)
        if state["Type"] not in ("Choice", "Succeed", "Fail"):
            state.update({"End": True} if after is None else {"Next": after})
        machine.states[name] = state
        return name

    def end(self, name: str, machine: _Machine) -> str:
        """The state of an end."""
        if machine.depth:
            machine.ends[name] = None
            return self.put(machine, f"end {name}", {"Type": "Fail", "Error": _END + name})
        if name == "failed":
            return self.put(machine, "failed", {"Type": "Fail", "Error": "failed"})
        return self.put(machine, name, {"Type": "Succeed"})

    def goal(self, name: str | None, machine: _Machine) -> str:
        """A state to lead to, also where what follows is the end of a branch."""
        return self.put(machine, "done", {"Type": "Succeed"}) if name is None else name

    def branch(self, statement: ir.Statement, machine: _Machine) -> tuple[State, _Machine]:
        """A statement as a machine of its own."""
        inner = _Machine(machine.depth + 1)
        start = self.emit(statement, None, inner) if machine.depth < MOST_DEPTH else None
        if machine.depth >= MOST_DEPTH:
            self.lose("P547", f"nested more than {MOST_DEPTH} deep", None)
        if start is None:
            start = self.put(inner, "nothing", {"Type": "Pass"})
        return self.written(start, inner), inner

    def handing_on(self, inner: list[_Machine], machine: _Machine) -> list[State]:
        """Catchers for the ends that are reached inside."""
        ends = dict.fromkeys(end for one in inner for end in one.ends)
        return [{"ErrorEquals": [_END + end], "Next": self.end(end, machine)} for end in ends]

    def written(self, start: str, machine: _Machine) -> State:
        """A machine without the states that nothing leads to, which AWS refuses."""
        reached = {start}
        pending = [start]
        while pending:
            state = machine.states[pending.pop()]
            entries = (*state.get("Choices", ()), *state.get("Catch", ()))
            for target in (state.get("Next"), state.get("Default"), *(entry["Next"] for entry in entries)):
                if target is not None and target not in reached:
                    reached.add(target)
                    pending.append(target)
        for name, state in machine.states.items():
            if name not in reached and state["Type"] not in ("Succeed", "Fail", "Pass"):
                self.lose("P516", f"`{name}` can never happen, and is left out", None)
        return {"StartAt": start, "States": {n: s for n, s in reversed(machine.states.items()) if n in reached}}

    # -- statements

    def emit(self, statement: ir.Statement | ir.Gateway, after: str | None, machine: _Machine) -> str | None:
        """The states of a statement that goes on at `after` (None: the end of the branch); gives its first one."""
        write: Callable[[Any, str | None, _Machine], str | None] | None = getattr(
            self, f"on_{type(statement).__name__.lower()}", None
        )
        if write is None:
            kind = type(statement).__name__.lower()
            self.lose("P547", f"a {kind} cannot be written as states", getattr(statement, "span", None))
            return after
        return write(statement, after, machine)

    def on_sequence(self, statement: ir.Sequence, after: str | None, machine: _Machine) -> str | None:
        """One after the other, written from the last one on."""
        for part in reversed(statement.parts):
            after = self.emit(part, after, machine)
        return after

    def on_task(self, statement: ir.Task, after: str | None, machine: _Machine) -> str:
        """A function call; the errors that it names are only listed, since any task may fail by any error."""
        state: State = {
            "Type": "Task",
            "Resource": _LAMBDA,
            "Parameters": {"FunctionName": f"${{{_word(statement.service or statement.name)}}}", "Payload.$": "$"},
        }
        if statement.errors:
            state["Comment"] = "fails " + ", ".join(statement.errors)
        return self.put(machine, statement.name, state, after)

    def on_choice(self, statement: ir.Choice, after: str | None, machine: _Machine) -> str:
        """Each way by a variable of the input that is named after its condition."""
        rules: list[State] = []
        default = None
        ways = list(statement.ways)
        for number, way in enumerate(ways):
            start = self.goal(self.emit(way.body, after, machine), machine)
            if statement.exhaustive and number + 1 == len(ways):
                default = start
            else:
                text = way.guard.text if way.guard is not None else f"way {number + 1}"
                rules.append({"Variable": f"$.{_word(text)}", "BooleanEquals": True, "Next": start, "Comment": text})
        if not rules:
            return self.goal(default, machine)
        state: State = {"Type": "Choice", "Choices": rules}
        if default is not None:
            state["Default"] = default
        return self.put(machine, "choice", state)

    def on_parallel(self, statement: ir.Parallel, after: str | None, machine: _Machine) -> str:
        """Branches, all of which it waits for."""
        if statement.close[0]:
            self.lose(
                "P547", f"`{statement.close[1]}` is not let alone by who started it, which has no state", statement.span
            )
        elif statement.need is not None or statement.rest is not None:
            self.lose("P547", "states wait for all branches, not for some of them", statement.span)
        elif statement.width is not None:
            self.lose("P547", "branches all begin at once, not so many at a time", statement.span)
        written = [self.branch(way.body, machine) for way in statement.ways]
        state: State = {"Type": "Parallel", "Branches": [branch for branch, _ in written]}
        catch = self.handing_on([inner for _, inner in written], machine)
        if catch:
            state["Catch"] = catch
        return self.put(machine, "parallel", state, after)

    def on_repeat(self, statement: ir.Repeat, after: str | None, machine: _Machine) -> str:
        """A Map."""
        branch, inner = self.branch(statement.body, machine)
        state: State = {"Type": "Map", "ItemProcessor": branch}
        if statement.width is not None:
            state["MaxConcurrency"] = statement.width
        catch = self.handing_on([inner], machine)
        if catch:
            state["Catch"] = catch
        return self.put(machine, "each", state, after)

    def on_loop(self, statement: ir.Loop, after: str | None, machine: _Machine) -> str:
        """A Choice that leads back, or a state that always does."""
        if statement.at_most is not None:
            message = f"that the loop goes round at most {statement.at_most} times is left to its condition"
            self.lose("P518", message, statement.span, "count the rounds in the data")
        if statement.test == "never" and statement.at_most is None:
            again = self.name("again")
            start = self.emit(statement.body, again, machine) or again
            machine.states[again] = {"Type": "Pass", "Next": start}
            return start
        test = self.name("again")
        start = self.emit(statement.body, test, machine) or test
        out = self.goal(after, machine)
        if start == test:
            start = test
        text = statement.guard.text if statement.guard is not None else "again"
        leaves = statement.test != "before"
        to, otherwise = (out, start) if leaves and statement.guard is not None else (start, out)
        rule = {"Variable": f"$.{_word(text)}", "BooleanEquals": True, "Next": to, "Comment": text}
        machine.states[test] = {"Type": "Choice", "Choices": [rule], "Default": otherwise}
        return test if statement.test == "before" else start

    def on_scope(self, statement: ir.Scope, after: str | None, machine: _Machine) -> str:
        """`Catch` and `Retry` on a task, or on a Parallel of one branch."""
        body = statement.body
        while isinstance(body, ir.Sequence) and len(body.parts) == 1:
            body = body.parts[0]
        late = [h for h in statement.handlers if h.trigger == "timeout"]
        other = [h for h in statement.handlers if h.trigger == "event" or not h.interrupting]
        if other or (late and not isinstance(body, ir.Task | ir.Receive)):
            self.lose("P547", "only a single task can be interrupted by time, and nothing by an event", statement.span)
        first: list[State] = []
        if isinstance(body, ir.Task | ir.Receive):
            name = self.emit(body, after, machine)
            state = machine.states[name or ""]
        else:
            branch, inner = self.branch(body, machine)
            state = {"Type": "Parallel", "Branches": [branch]}
            first = self.handing_on([inner], machine)
            name = self.put(machine, "try", state, after)
        catch = [
            {"ErrorEquals": [_error(handler)], "Next": self.goal(self.emit(handler.body, after, machine), machine)}
            for handler in _used(statement.handlers)
        ]
        for handler in late:
            seconds = re.match(r"\s*(\d+)", handler.name)
            state["TimeoutSeconds"] = max(1, int(seconds.group(1)) if seconds else 60)
        if statement.retry:
            state["Retry"] = [
                {
                    "ErrorEquals": list(r.errors) or ["States.ALL"],
                    "MaxAttempts": 99_999_999 if r.times is None else r.times,
                }
                for r in statement.retry
            ]
        if first or catch:
            state["Catch"] = [*first, *sorted(catch, key=lambda entry: entry["ErrorEquals"] == ["States.ALL"])]
        return name or ""

    def on_raise(self, statement: ir.Raise, after: str | None, machine: _Machine) -> str:
        """A Fail state, which a Parallel around it may catch."""
        return self.put(machine, f"raise {statement.error}", {"Type": "Fail", "Error": statement.error})

    def on_end(self, statement: ir.End, after: str | None, machine: _Machine) -> str:
        """An end."""
        return self.end(statement.name, machine)

    def on_timer(self, statement: ir.Timer, after: str | None, machine: _Machine) -> str:
        """A Wait."""
        how: State = {"SecondsPath": "$.seconds"} if statement.seconds is None else {"Seconds": ceil(statement.seconds)}
        return self.put(machine, f"wait {statement.text}".strip(), {"Type": "Wait", **how}, after)

    def on_receive(self, statement: ir.Receive, after: str | None, machine: _Machine) -> str:
        """A message with a task token, and the wait for its answer."""
        parameters = {"QueueUrl": f"${{{_word(statement.event)}}}", "MessageBody": {"token.$": "$$.Task.Token"}}
        state: State = {"Type": "Task", "Resource": _CALLBACK, "Parameters": parameters}
        return self.put(machine, f"wait for {statement.event}", state, after)

    def on_race(self, statement: ir.Race, after: str | None, machine: _Machine) -> str:
        """One wait for an answer; what it says chooses between events, the time-out is a catcher."""
        timers = [(t, body) for t, body in statement.ways if isinstance(t, ir.Timer)]
        events = [(e, body) for e, body in statement.ways if isinstance(e, ir.Receive)]
        if len(timers) > 1 or not events:
            self.lose("P547", "a race of several times, or of no event, cannot be written as states", statement.span)
            return self.goal(after, machine)
        starts = [(e, self.goal(self.emit(body, after, machine), machine)) for e, body in events]
        following = starts[0][1]
        if starts[1:]:
            rules = [{"Variable": "$.event", "StringEquals": e.event, "Next": to} for e, to in starts[:-1]]
            following = self.put(machine, "which", {"Type": "Choice", "Choices": rules, "Default": starts[-1][1]})
        name = self.on_receive(events[0][0], following, machine)
        for timer, body in timers:
            to = self.goal(self.emit(body, after, machine), machine)
            machine.states[name]["TimeoutSeconds"] = max(1, ceil(timer.seconds or 1))
            machine.states[name]["Catch"] = [{"ErrorEquals": ["States.Timeout"], "Next": to}]
        return name

    def on_call(self, statement: ir.Call, after: str | None, machine: _Machine) -> str:
        """A nested execution; the end that it came to is in its output. One that is started only is let alone."""
        parameters = {"StateMachineArn": f"${{{_word(statement.target)}}}", "Input.$": "$"}
        state: State = {"Type": "Task", "Resource": _START, "Parameters": parameters}
        if statement.detached:
            state["Resource"] = _START.partition(".sync")[0]
        starts = {end: self.goal(self.emit(body, after, machine), machine) for end, body in statement.on}
        failed = starts.pop("failed", None)
        rules = [{"Variable": "$.Output.end", "StringEquals": end, "Next": to} for end, to in list(starts.items())[:-1]]
        following = next(reversed(starts.values()), after)
        if rules:
            following = self.put(machine, "which end", {"Type": "Choice", "Choices": rules, "Default": following})
        name = self.put(machine, statement.target, state, following)
        if failed is not None:
            state["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": failed}]
        return name


def _used(handlers: tuple[ir.Handler, ...]) -> list[ir.Handler]:
    """The handlers without those that stand behind one for any error."""
    every = next((i for i, h in enumerate(handlers) if h.trigger == "error" and h.name == "*"), len(handlers))
    return [h for i, h in enumerate(handlers) if i <= every or h.trigger != "error"]


def _error(handler: ir.Handler) -> str:
    if handler.trigger == "timeout":
        return "States.Timeout"
    return "States.ALL" if handler.name == "*" else handler.name


def _word(text: str) -> str:
    """A text as a name of a variable or a placeholder."""
    return _UNFIT.sub("_", text).strip("_")[:60] or "it"
