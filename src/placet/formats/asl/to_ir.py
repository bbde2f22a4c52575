"""A state machine as a process of the IR.

A machine is a graph. A state is two or three nodes of it: it is entered, it does its work, it is exited; each is one
transition of the net, as each is one event of a recorded execution. Work that can be retried or caught is a scope, whose
handlers leave it by the exit of their catcher. An error is raised under the words of its class (errors.py), so that a
scope needs no rules about wildcards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from placet.formats.asl import data_use, errors
from placet.formats.asl.errors import Class, Level
from placet.formats.asl.findings import doomed
from placet.formats.asl.formulas import variables
from placet.formats.asl.marks import ITEM, Mark, Marks
from placet.formats.asl.sources import Origins
from placet.ir import model as ir
from placet.source import Span
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.formats.asl.bounds import Bounds
    from placet.formats.asl.machine import Catcher, Machine, State, Target
    from placet.formats.data_tree import Node
    from placet.source import SourceFile

_ESCAPED = str.maketrans({c: f"%{ord(c):02X}" for c in "%/#[]@"})


class Escaped(NamedTuple):
    """A machine as a graph, and the errors that leave it."""

    graph: ir.Graph
    errors: tuple[str, ...]


def path_of(base: str, name: str) -> str:
    """The id of a state: its name, below that of what it is in."""
    return f"{base}/{name.translate(_ESCAPED)}"


class Builder:
    """Builds one process; `marks` fills as it goes."""

    def __init__(self, source: SourceFile, bounds: Bounds, ends: dict[str, str] | None = None) -> None:
        self.source = source
        self.ends = ends or {}  # by path of a state of the outermost machine that ends it: what end that is
        self.bounds = bounds
        self.marks = Marks()
        self.copies: dict[str, int] = {}  # by the path of a Map the most items that are looked at
        self.doomed: set[str] = set()  # the paths of states that no end is reached from
        self.idle: list[tuple[State, Catcher]] = []  # catchers of errors that nothing raises

    def process(self, name: str, machine: Machine) -> ir.Process:
        """The whole of a definition."""
        span = Span(self.source, machine.node.start, machine.node.start + 1)
        found = self.graph(name, machine, (), ())
        handlers = []
        for error in found.errors:
            identifier = f"{name}#failed[{error}]"
            self.mark(identifier, Mark("end", span=span, errors=self.marks.classes[error]))
            end = ir.End(identifier, "failed", span=span)
            handlers.append(ir.Handler(f"{name}#fails[{error}]", "error", error, end, span=span))
        body = ir.Scope(f"{name}#execution", found.graph, tuple(handlers), span=span)
        self.mark(name, Mark("process", span=span))
        ends = tuple(dict.fromkeys(("succeeded", "failed", *self.ends.values())))
        return ir.Process(name, "workflow", body, ends, title=name, span=span, done="succeeded")

    def mark(self, identifier: str, mark: Mark) -> str:
        """Remember what a statement stands for; gives its id."""
        self.marks.of[identifier] = mark
        return identifier

    def graph(self, base: str, machine: Machine, levels: Sequence[Level], scope: tuple[str, ...]) -> Escaped:
        """A machine below the id `base`. Recurses over nesting, which is bounded."""
        drawing = _Graph(self, base, machine, levels, scope)
        for state in machine.states.values():
            drawing.state(state)
        self.doomed.update(path_of(base, state.name) for state in doomed(machine))
        start = path_of(base, machine.start.name)
        span = Span(self.source, machine.node.start, machine.node.start + 1)
        graph = ir.Graph(f"{base}{{}}", tuple(drawing.nodes), tuple(drawing.flows), (start,), span)
        return Escaped(graph, tuple(drawing.escaping))


class _Graph:
    """One machine while it becomes a graph."""

    def __init__(
        self, builder: Builder, base: str, machine: Machine, levels: Sequence[Level], scope: tuple[str, ...]
    ) -> None:
        self.builder = builder
        self.base = base
        self.machine = machine
        self.levels = tuple(levels)
        self.scope = scope
        self.nodes: list[ir.Statement | ir.Gateway] = []
        self.flows: list[ir.Flow] = []
        self.escaping: dict[str, None] = {}
        self.origins: Origins | None = None
        self.exact: dict[str, Class] = {}  # of the state that is drawn, by their words

    # -- pieces

    def span(self, node: Node) -> Span:
        text = self.builder.source.text
        line = text.find("\n", node.start, node.end)
        return Span(self.builder.source, node.start, line if line > node.start else node.end)

    def key(self, state: State) -> Span:
        return Span(self.builder.source, *state.key)

    def mark(self, identifier: str, role: str, state: State, **more: Any) -> str:  # noqa: ANN401 # fields of Mark
        found = Mark(role, state.name, self.scope, self.key(state))._replace(**more)
        return self.builder.mark(identifier, found)

    def named(self, found: tuple[Class, ...]) -> tuple[str, ...]:
        """The words of classes, which are remembered as they are in this state."""
        self.exact.update((one.text, one) for one in found)
        return self.builder.marks.named(found)

    def task(
        self, identifier: str, role: str, state: State, failing: tuple[str, ...] = (), service: str = ""
    ) -> ir.Task:
        """A statement of one transition, and one for each error."""
        step = path_of(self.base, state.name) if role == "entered" else ""
        self.mark(identifier, role, state, step=step, raises=tuple(self.exact[e] for e in failing if e in self.exact))
        return ir.Task(identifier, state.name, failing, service, self.key(state))

    def flow(self, source: str, target: str, how: str, exit_: str = "", guard: ir.Guard | None = None) -> None:
        self.flows.append(ir.Flow(f"{source}#{how}", source, target, guard, exit_))

    def to(self, source: str, target: Target | None, how: str = "Next", exit_: str = "") -> None:
        """An arrow to a state; none at the end of the machine."""
        if target is not None:
            self.flow(source, path_of(self.base, target.name), how, exit_)

    def uncaught(self, failing: tuple[str, ...]) -> tuple[str, ...]:
        """Errors that nothing in this machine catches."""
        self.escaping.update(dict.fromkeys(failing))
        return failing

    # -- states

    def state(self, state: State) -> None:
        """The nodes of a state, and the arrows from it."""
        path = path_of(self.base, state.name)
        self.exact = {}
        self.nodes.append(self.task(path, "entered", state))
        getattr(self, f"on_{state.kind.lower()}")(state, path)

    def exited(self, state: State, path: str, before: str, failing: tuple[str, ...] = ()) -> None:
        """The last node of a state."""
        self.nodes.append(self.task(f"{path}#exit", "exited", state, failing))
        self.flow(before, f"{path}#exit", "done")
        self.onward(state, path)

    def onward(self, state: State, path: str) -> None:
        """What comes after a state: another one, or the end of the execution that it is said to be."""
        self.to(f"{path}#exit", state.next)
        kind = self.builder.ends.get(path, "")
        if state.next is None and kind:
            end = self.mark(f"{path}#ends", "ended", state)
            self.nodes.append(ir.End(end, kind, span=self.key(state)))
            self.flow(f"{path}#exit", end, "ends")

    def data(self, state: State, levels: tuple[Level, ...], *, output: bool = False) -> tuple[str, ...]:
        """The errors of looking at the data, where the state does."""
        every = self.builder.bounds.unforeseen
        if not (every or (data_use.after(state) if output else data_use.before(state))):
            return ()
        return self.named(errors.of_bad_data(levels, jsonata=state.jsonata, output=output or every, large=every))

    def either(self, state: State) -> tuple[str, ...]:
        """The errors of looking at the data at all, of a state that catches nothing."""
        found = self.data(state, self.levels), self.data(state, self.levels, output=True)
        return self.uncaught(found[1] or found[0])

    def on_pass(self, state: State, path: str) -> None:
        self.exited(state, path, path, self.either(state))

    def on_succeed(self, state: State, path: str) -> None:
        self.exited(state, path, path, self.either(state))

    def on_wait(self, state: State, path: str) -> None:
        failing = self.either(state)
        before = path
        if failing:
            before = f"{path}#input"
            self.nodes.append(self.task(before, "data", state, failing))
            self.flow(path, before, "begins")
        seconds = state.node.get("Seconds")
        known = float(seconds.text) if seconds is not None and seconds.kind == "number" else None
        self.mark(f"{path}#exit", "exited", state)
        self.nodes.append(ir.Timer(f"{path}#exit", known, span=self.key(state)))
        self.flow(before, f"{path}#exit", "done")
        self.onward(state, path)

    def on_choice(self, state: State, path: str) -> None:
        gate = f"{path}#choice"
        self.nodes.append(ir.Gateway(gate, "exclusive", span=self.key(state)))
        self.flow(path, gate, "begins")
        free = not self.decided(state)
        taken, formulas = (state.ways.rules, state.ways.formulas) if state.ways is not None else ((), ())
        for number, rule in enumerate(state.rules):
            if taken[number]:  # one that is never taken is said by a finding
                told = free and not isinstance(formulas[number], bool)
                guard = ir.Guard(rule.text, told)
                self.way(state, gate, f"Choices[{number}]", rule.target, guard, self.span(rule.node))
        if state.ways is not None and not state.ways.none:
            pass
        elif state.default is not None:
            guard = ir.Guard(f"none of the rules of {state.name} holds", free)
            self.way(state, gate, "Default", state.default, guard, self.span(state.default.node))
        else:
            self.raising(state, path, gate, errors.classes((errors.NO_CHOICE,), self.levels), "no_choice")
        self.raising(
            state, path, gate, errors.of_bad_data(self.levels, jsonata=state.jsonata, output=False), "bad_data"
        )

    def decided(self, state: State) -> bool:
        """Each way of a choice can be taken, whatever was before: by values that are decided outside, or by constants."""
        if state.ways is None or not state.ways.sure:
            return False
        if self.origins is None:
            self.origins = Origins(self.machine, top=not self.scope)
        names = set().union(*(variables(formula) for formula in state.ways.formulas))
        return all(self.origins.outside(state, name) for name in names)

    def way(self, state: State, gate: str, how: str, target: Target, guard: ir.Guard, span: Span) -> None:
        """One way of a choice."""
        identifier = f"{gate}#{how}"
        step = f"{path_of(self.base, state.name)}/{how}"
        self.mark(identifier, "way", state, target=target.name, via=how, base=gate, step=step, span=span)
        self.flows.append(ir.Flow(identifier, gate, path_of(self.base, target.name), guard, span=span))

    def raising(self, state: State, path: str, gate: str, found: tuple[Class, ...], kind: str) -> None:
        """Nodes that raise errors, and the ways to them."""
        for error in self.uncaught(self.named(found)):
            identifier = f"{path}#{kind}[{error}]"
            self.mark(identifier, "raise", state, kind=kind, errors=self.exact[error])
            self.nodes.append(ir.Raise(identifier, error, self.key(state)))
            self.flow(gate, identifier, kind + error)
            self.mark(f"{gate}#{kind}{error}", "quiet", state, base=gate)

    def on_fail(self, state: State, path: str) -> None:
        name = state.text("Error")
        fluid = "{%" in name or state.has("ErrorPath") or not state.has("Error")
        found = errors.of_an_unknown(self.levels) if fluid else errors.classes((name or errors.ANY,), self.levels)
        gate = f"{path}#raises"
        self.nodes.append(ir.Gateway(gate, "exclusive", span=self.key(state)))
        self.flow(path, gate, "begins")
        kind = self.builder.ends.get(path, "")
        if kind:
            self.ending(state, path, gate, found, kind)
        else:
            self.raising(state, path, gate, found, "raised")
        if data_use.before(state):
            bad = errors.of_bad_data(self.levels, jsonata=state.jsonata, output=False)
            self.raising(state, path, gate, bad, "bad_data")

    def ending(self, state: State, path: str, gate: str, found: tuple[Class, ...], kind: str) -> None:
        """A failure of the execution that nothing can catch, as the end that it is said to be."""
        for error in self.named(found):
            identifier = self.mark(f"{path}#raised[{error}]", "end", state, errors=self.exact[error])
            self.nodes.append(ir.End(identifier, kind, span=self.key(state)))
            self.flow(gate, identifier, "raised" + error)
            self.mark(f"{gate}#raised{error}", "quiet", state, base=gate)

    # -- states with work in them

    def on_task(self, state: State, path: str) -> None:
        levels = (errors.level(state), *self.levels)
        failing = self.named(errors.of_a_task(state, levels, late=self.builder.bounds.unforeseen))
        service = state.resource
        parts: list[ir.Statement] = []
        if state.callback:
            parts += self.answered(state, path, failing, service)
        else:
            parts.append(self.task(f"{path}#scheduled", "scheduled", state, (), service))
            parts.append(self.task(f"{path}#outcome", "outcome", state, failing, service))
        self.attempts(state, path, parts, failing)

    def answered(self, state: State, path: str, failing: tuple[str, ...], service: str) -> list[ir.Statement]:
        """A task whose answer comes from outside, if ever."""
        classes = self.builder.marks.classes
        late = tuple(e for e in failing if classes[e].timed_out)
        refused = tuple(e for e in failing if not classes[e].timed_out)
        sent = () if state.activity else refused
        span = self.key(state)
        done = self.mark(f"{path}#outcome", "answer", state)
        ways: list[tuple[ir.Receive | ir.Timer, ir.Statement]] = [
            (ir.Receive(done, f"the answer to {state.name}", span), ir.Sequence(f"{done}{{}}", ()))
        ]
        for error in refused:
            event = self.mark(f"{path}#refused[{error}]", "refusal", state, errors=self.exact[error])
            raised = self.mark(f"{event}!", "quiet", state)
            ways.append((ir.Receive(event, f"a failure of {state.name}", span), ir.Raise(raised, error, span)))
        for error in late:
            event = self.mark(f"{path}#late[{error}]", "refusal", state, errors=classes[error])
            raised = self.mark(f"{event}!", "quiet", state)
            ways.append((ir.Timer(event, None, f"the time of {state.name}", span), ir.Raise(raised, error, span)))
        scheduled = self.task(f"{path}#scheduled", "scheduled", state, (), service)
        submitted = [self.task(f"{path}#submitted", "submitted", state, sent, service)] if sent else []
        return [scheduled, *submitted, ir.Race(f"{path}#wait", tuple(ways), span)]

    def on_parallel(self, state: State, path: str) -> None:
        levels = (errors.level(state), *self.levels)
        ways, failing = [], dict[str, None]()
        for number, branch in enumerate(state.inner):
            base = f"{path}/branch:{number}"
            found = self.builder.graph(base, branch, levels, (*self.scope, f"{state.name}/branch:{number}"))
            failing.update(dict.fromkeys(found.errors))
            ways.append(ir.Way(base, None, found.graph, self.key(state)))
        self.mark(f"{path}#branches", "fork", state)
        body = ir.Parallel(f"{path}#branches", tuple(ways), self.key(state))
        self.attempts(state, path, [body], tuple(failing))

    def on_map(self, state: State, path: str) -> None:
        own = (errors.level(state), *self.levels)
        failing: dict[str, None] = {}
        body: ir.Statement
        if not state.inner:
            body = ir.Sequence(f"{path}#items{{}}", ())
        elif state.distributed:
            body = self.children(state, path, failing, own)
        else:
            scope = (*self.scope, f"{state.name}/{ITEM}")
            found = self.builder.graph(f"{path}/item", state.inner[0], own, scope)
            failing.update(dict.fromkeys(found.errors))
            body = found.graph
        begins: ir.Statement = self.task(f"{path}#item", "item", state)
        ends = self.task(f"{path}#item.done", "item_done", state)
        parts = [begins, body, ends]
        if self.builder.bounds.unforeseen:  # what an item is given is made when it starts
            bad = self.data(state, own)
            failing.update(dict.fromkeys(bad))
            parts[1:1] = [self.task(f"{path}#item.given", "data", state, bad)]
            parts[:0] = [self.task(f"{path}#item.data", "data", state, bad)]
        each = ir.Sequence(f"{path}#each", tuple(parts), self.key(state))
        width = state.node.get("MaxConcurrency")
        one = width is not None and width.text == "1"
        self.mark(f"{path}#items", "items", state)
        depth = sum(part.endswith("#") for part in self.scope)
        copies = self.builder.bounds.numbers(state.name, depth)
        self.builder.copies[path] = max(copies)
        items: ir.Statement
        if copies == (0, 1) and self.builder.bounds.plain:
            items = self.at_most_one(state, path, each)
        else:
            items = ir.Repeat(f"{path}#items", each, copies, 1 if one else None, span=self.key(state))
        self.attempts(state, path, [items], tuple(failing))

    def at_most_one(self, state: State, path: str, each: ir.Statement) -> ir.Choice:
        """No item, or one."""
        span = self.key(state)
        ways = []
        for count, body in enumerate((ir.Sequence(f"{path}#none{{}}", (), span), each)):
            way = self.mark(f"{path}#items.{count}", "count", state, kind=str(count))
            ways.append(ir.Way(way, None, body, span))
        return ir.Choice(f"{path}#items", tuple(ways), span=span)

    def children(self, state: State, path: str, failing: dict[str, None], levels: tuple[Level, ...]) -> ir.Statement:
        """The processor of a distributed Map: child executions, whose errors stay in them and are counted outside."""
        edge = (Level(edge=True),)
        scope = (*self.scope, f"{state.name}/{ITEM.replace('iter', 'run')}")
        found = self.builder.graph(f"{path}/item", state.inner[0], edge, scope)
        (over,) = self.named(errors.classes((errors.THRESHOLD,), levels))
        failing[over] = None
        span = self.key(state)
        handlers = []
        for error in found.errors:
            base = f"{path}#child[{error}]"
            raised = self.mark(f"{base}!", "raise", state, kind="too_many", errors=self.builder.marks.classes[over])
            body: ir.Statement = ir.Raise(raised, over, span)
            if state.tolerant:
                kept = self.mark(f"{base}?", "quiet", state)
                skip = ir.Way(kept, None, ir.Sequence(f"{kept}{{}}", (), span), span)
                body = ir.Choice(f"{base}#tolerated", (skip, ir.Way(f"{base}+", None, body, span)), span=span)
            handlers.append(ir.Handler(base, "error", error, body, span=span))
        return ir.Scope(f"{path}#child", found.graph, tuple(handlers), span=span)

    def attempts(self, state: State, path: str, parts: list[ir.Statement], failing: tuple[str, ...]) -> None:
        """Work with its data before and after it, retried and caught as the state says; and the exit of the state."""
        levels = (errors.level(state), *self.levels)
        before, after = self.data(state, levels), self.data(state, levels, output=True)
        own: tuple[str, ...] = ()
        if state.kind == "Map" and state.distributed:
            own = self.named(errors.classes(("States.ItemReaderFailed", "States.ResultWriterFailed"), levels))
        if after or own:
            parts = [*parts, self.task(f"{path}#output", "data", state, tuple(dict.fromkeys((*own, *after))))]
        failing = tuple(dict.fromkeys((*failing, *before, *own, *after)))
        work = self.mark(f"{path}#work", "attempt", state)
        classes = self.builder.marks.classes
        retry = []
        for number, retrier in enumerate(state.retry):
            taken = tuple(e for e in failing if errors.first(levels[0].retry, classes[e].names[0]) == number)
            if taken:
                retry.append(ir.Retry(taken, self.builder.bounds.times(retrier.times)))
        reads = [self.task(f"{path}#input", "data", state, before)] if before else []
        if reads and retry and self.builder.bounds.unforeseen:
            # input that cannot be read can not be read again either, so attempts that fail over it are no further ones
            inner = self.mark(f"{path}#tries", "attempt", state)
            tries = ir.Sequence(f"{inner}{{}}", tuple(parts), self.key(state))
            parts, retry = [ir.Scope(inner, tries, (), tuple(retry), self.key(state))], []
        body = ir.Sequence(f"{path}#work{{}}", (*reads, *parts), self.key(state))
        handlers: list[ir.Handler] = []
        for number, catcher in enumerate(state.catch):
            taken = tuple(e for e in failing if errors.first(levels[0].catch, classes[e].names[0]) == number)
            handlers += [self.caught(state, path, number, catcher, error) for error in taken]
            if taken:
                self.to(work, catcher.target, f"Catch[{number}]", f"Catch[{number}]")
            else:
                self.builder.idle.append((state, catcher))
        self.uncaught(tuple(e for e in failing if errors.first(levels[0].catch, classes[e].names[0]) < 0))
        self.nodes.append(ir.Scope(work, body, tuple(handlers), tuple(retry), self.key(state)))
        self.flow(path, work, "begins")
        self.exited(state, path, work)

    def caught(self, state: State, path: str, number: int, catcher: Catcher, error: str) -> ir.Handler:
        """A handler for one class of one catcher."""
        how = f"Catch[{number}]"
        identifier = f"{path}#{how}[{error}]"
        span = self.span(catcher.node)
        self.mark(
            identifier, "catch", state, target=catcher.target.name, via=how, span=span, step=f"{path}/{how}",
            errors=self.builder.marks.classes[error],
        )  # fmt: skip
        nothing = ir.Sequence(f"{identifier}{{}}", (), span)
        return ir.Handler(identifier, "error", error, nothing, exit=how, span=span)
