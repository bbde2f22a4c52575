"""Bodies of processes: from the syntax tree to the IR, with ids.

One class, though a long one: names are given in the order of the text, so whatever builds a part of a body shares its counters.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from placet.compile.each import instances, together
from placet.compile.findings import figure, listed
from placet.compile.flow import ANY, continuing
from placet.compile.leaves import Leaves
from placet.compile.names import LABELLED, branch_way, distinct, handler_way, members, sentence, slug
from placet.compile.signal_decls import ARRIVALS, Signals, arrivals
from placet.diagnostics import Label
from placet.ir import model as ir
from placet.syntax import ast
from placet.syntax.indices import evaluated
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TypeAlias, Union

    from placet.compile.arrays import Arrays
    from placet.compile.data import Data
    from placet.compile.findings import Findings
    from placet.compile.steps import Steps
    from placet.compile.topics import Topics
    from placet.source import Span

    Construct: TypeAlias = Union[
        ast.Choice, ast.Either, ast.Parallel, ast.Patch, ast.Every, ast.Loop, ast.FirstOf, ast.Try
    ]

CONSTRUCTS = frozenset(LABELLED)
MOST_ROUNDS = 100_000
CANCEL, GO_ON = "cancel", "go_on"


class Callee(NamedTuple):
    """What a caller needs to know of another process."""

    kind: str
    ends: tuple[str, ...] | None  # None: not known, since the calls go in a circle


class Built(NamedTuple):
    """A statement, and the name by which an unlabelled construct around it may be called."""

    statement: ir.Statement
    name: str


class _RawWay(NamedTuple):
    """A way whose id is not known yet, since it hangs on the first name inside the construct."""

    way: str
    guard: ast.Text | ast.Formula | None
    trigger: ir.Statement | None
    parts: tuple[ir.Statement, ...]
    first: str
    span: Span


class _Raw(NamedTuple):
    """The inside of a construct."""

    ways: tuple[_RawWay, ...]
    called: str  # by what is written at its head: a condition, a trigger
    first: str  # the first name in it


class Body(Leaves):
    """Builds the body of one process. Nesting is bounded by the parser, so recursion over it is too."""

    def __init__(
        self,
        process: ast.Process,
        steps: Steps,
        callees: Mapping[str, Callee],
        data: Data,
        topics: Topics,
        findings: Findings,
        signals: Signals | None = None,
        arrays: Arrays | None = None,
    ) -> None:
        super().__init__(process, steps, data, topics, findings, Signals((), findings) if signals is None else signals)
        self._arrays = arrays
        self._callees = callees
        self._prefix = process.name.text
        self._names: Iterator[str] = iter(())
        self._taken: dict[str, int] = {}
        self._times = 1  # how many instances of what is built there are

    def build(self) -> ir.Sequence:
        """The body, as one sequence."""
        self._open(self._process.body.statements)
        parts, _ = self._parts(self._process.body, whole=True)
        return ir.Sequence(f"{self._prefix}{{}}", parts, self._process.body.span)

    # -- names -------------------------------------------------------------------------------------------------------

    def _open(self, statements: tuple[ast.Statement, ...]) -> None:
        """Settle the names of all members under the current label."""
        found = members(statements)
        names, alike = distinct(found)
        self._names = iter(names)
        for group in alike:
            first, second = found[group[0]], found[group[1]]
            if what := second.what or first.what:
                self._alike(what, first.segment, first.span, second.span)

    def _alike(self, what: str, name: str, first: Span, second: Span) -> None:
        labels = (Label(first, "the first one"),)
        message = f"the {what} `{name}` stands twice in `{self._prefix}` with nothing to tell one from the other"
        if what == "step":
            help_ = "rename one of them: undos, checks and counterexamples speak of steps by name"
            self._findings.add("P212", message, second, labels=labels, help=help_)
        else:
            help_ = "rename one of them, or give a label to the construct around one"
            self._findings.add("P213", message, second, severity="warning", labels=labels, help=help_)

    def _unique(self, name: str) -> tuple[str, str]:
        """The own name and id of a construct without label; a name that is taken gets an ordinal."""
        identifier = f"{self._prefix}/{name}{self._instance}"
        count = self._taken[identifier] = self._taken.get(identifier, 0) + 1
        return (name, identifier) if count == 1 else (f"{name}~{count}", f"{identifier}~{count}")

    # -- constructs --------------------------------------------------------------------------------------------------

    def _parts(self, block: ast.Block, *, whole: bool = False) -> tuple[tuple[ir.Statement, ...], str]:
        """The statements of a block, and its first name. `whole`: what the process does is over when it is."""
        parts: list[ir.Statement] = []
        first = ""
        for number, statement in enumerate(block.statements):
            if isinstance(statement, ast.Parallel) and statement.others is not None and statement.others.text == GO_ON:
                behind = block.statements[number + 1 :]
                return self._going_on(statement, behind, parts, first)
            if isinstance(statement, ast.Call) and statement.on_close is not None:
                made = self._started(statement, block, number, whole=whole)
                if made is not None:
                    return (*parts, made), first or statement.target.text
            part, name = self._statement(statement)
            parts.append(part)
            first = first or name
        return tuple(parts), first

    def _going_on(
        self, some: ast.Parallel, behind: tuple[ast.Statement, ...], parts: list[ir.Statement], first: str
    ) -> tuple[tuple[ir.Statement, ...], str]:
        """A parallel whose other branches go on, beside what follows in the block."""
        made, name = self._statement(some)
        if not behind or not isinstance(made, ir.Parallel) or made.need is None:
            if isinstance(made, ir.Parallel):
                made = made._replace(need=None)  # nothing goes on but the block around, which waits for all of it
            return (*parts, made), first or name
        span = behind[0].span._replace(end=behind[-1].span.end)
        inner, its = self._parts(ast.Block(behind, span))
        rest = ir.Way(f"{made.id}[then {its}]", None, ir.Sequence(f"{made.id}[then]{{}}", inner, span), span)
        return (*parts, made._replace(rest=rest)), first or name or its

    def _started(self, call: ast.Call, block: ast.Block, number: int, *, whole: bool) -> ir.Parallel | None:
        """A process that is started, and that the end of this one waits for or stops, beside what follows; None where it is let alone."""
        from placet.compile.child import WAIT
        from placet.compile.runs import closing

        how = closing(call, self._findings, saga=self._saga, whole=whole)
        callee = self._callees.get(call.target.text)
        if not how or callee is None:
            return None
        behind = block.statements[number + 1 :]
        identifier = f"{self._prefix}/{next(self._names)}{self._instance}"
        on = [(end, ir.Sequence(f"{identifier}[{end}]{{}}", (), call.span)) for end in callee.ends or ()]
        its = ir.Call(identifier, call.target.text, tuple(on), call.span)
        span = behind[0].span._replace(end=behind[-1].span.end) if behind else call.span
        inner, _ = self._parts(ast.Block(behind, span), whole=True)
        name = f"{identifier}[detached]"
        rest = ir.Way(f"{name}[then]", None, ir.Sequence(f"{name}[then]{{}}", inner, span), span)
        way = ir.Way(f"{name}[it]", None, ir.Sequence(f"{name}[it]{{}}", (its,), call.span), call.span)
        return ir.Parallel(name, (way,), call.span, need=int(how == WAIT), rest=rest, close=(how, call.target.text))

    def _some_of(self, some: ast.Parallel, made: ir.Parallel) -> ir.Parallel:
        """How many of its branches it needs, and what becomes of the others."""
        if some.others is not None and some.others.text not in (CANCEL, GO_ON):
            help_ = self._findings.meant(some.others.text, (CANCEL, GO_ON), "write `others cancel` or `others go_on`")
            self._findings.add("P297", f"`{some.others.text}` is nothing that others do", some.others.span, help=help_)
        if some.need is None:
            return made
        need, count = some.need.value, len(made.ways)
        if not 1 <= need <= count:
            what = "with 0 it would not wait at all" if need < 1 else f"there are only {count} branches"
            help_ = "write how many of the branches have to be done before it goes on"
            self._findings.add(
                "P297", f"{figure(need)} of them cannot be waited for: {what}", some.need.span, help=help_
            )
            return made
        return made._replace(need=need)

    def _statement(self, statement: ast.Statement) -> Built:
        kind = type(statement)
        if kind is ast.Block:
            parts, first = self._parts(statement)  # type: ignore[arg-type]
            name, identifier = self._unique(f"block({first})")
            return Built(ir.Sequence(identifier, parts, statement.span), name if first else "")
        if kind is ast.With:
            return self._with(statement)  # type: ignore[arg-type]
        if kind is ast.ForEach:
            return self._for_each(statement)  # type: ignore[arg-type]
        if kind is ast.Every:
            return self._every(statement)  # type: ignore[arg-type]
        if kind in CONSTRUCTS:
            return self._construct(statement)  # type: ignore[arg-type]
        name = next(self._names)
        if self._arrays is not None and self._instance:
            name = evaluated(name, self._data.numbers)
        identifier = f"{self._prefix}/{name}{self._instance}"
        if isinstance(statement, ast.Call):
            return Built(self._call(statement, identifier), name)
        return Built(self.leaf(statement, identifier), name)

    def _with(self, within: ast.With) -> Built:
        parts, first = self._parts(within.body)
        name, identifier = self._unique(f"with({within.pool.text})")
        body = ir.Sequence(f"{identifier}{{}}", parts, within.body.span)
        pool = within.pool
        return Built(ir.With(identifier, pool.text, self._steps.pool(pool), body, within.span), name if first else "")

    def _construct(self, construct: Construct) -> Built:
        if isinstance(construct, ast.Patch | ast.Every) or construct.label is None:
            raw = self._raw(construct)
            name, identifier = self._unique(f"{LABELLED[type(construct)]}({raw.called or raw.first})")
            return Built(self._finish(construct, identifier, raw), name if raw.first else "")
        name = next(self._names)
        prefix, names = self._prefix, self._names
        self._prefix = f"{prefix}/{name}"
        self._open((construct._replace(label=None),))
        raw = self._raw(construct)
        self._prefix, self._names = prefix, names
        return Built(self._finish(construct, f"{prefix}/{name}{self._instance}", raw), name)

    def _raw(self, construct: Construct) -> _Raw:
        """Build what is inside, before the id of the construct itself is known."""
        found: list[_RawWay] = []
        called = ""

        def add(
            way: str, guard: ast.Text | ast.Formula | None, body: ast.Block, trigger: ir.Statement | None = None
        ) -> None:
            parts, first = self._parts(body)
            found.append(_RawWay(way, guard, trigger, parts, first, body.span))

        match construct:
            case ast.Choice(_, branches, otherwise):
                for branch in branches:
                    called = called or (slug(sentence(branch.guard)) if branch.guard is not None else "")
                    add(branch_way(branch), branch.guard, branch.body)
                if otherwise is not None:
                    add("[otherwise]", None, otherwise)
            case ast.Either(_, branches) | ast.Parallel(_, branches):
                for branch in branches:
                    add("", None, branch.body)
            case ast.Patch(patch_name, body, otherwise):
                called = slug(patch_name.text)
                add("[new]", None, body)
                if otherwise is not None:
                    add("[old]", None, otherwise)
            case ast.FirstOf(_, branches):
                for branch in branches:
                    if branch.trigger is not None:
                        trigger = self._statement(branch.trigger)
                        called = called or trigger.name
                        add(branch_way(branch), None, branch.body, trigger.statement)
            case ast.Loop() | ast.Every():
                add("", None, construct.body)
            case ast.Try(_, body, handlers):
                add("", None, body)
                for handler in handlers:
                    add(handler_way(handler), None, handler.body)
        first = next((w.first for w in found if w.first), "") or called
        return _Raw(tuple(found), called, first)

    def _finish(self, construct: Construct, identifier: str, raw: _Raw) -> ir.Statement:
        """Put together a construct whose id and content are known."""
        span = construct.span
        ids = _way_ids(identifier, raw.ways)
        bodies = [ir.Sequence(f"{i}{{}}", w.parts, w.span) for i, w in zip(ids, raw.ways, strict=True)]
        match construct:
            case ast.Parallel():
                return self._some_of(construct, ir.Parallel(identifier, self._ways(ids, raw, bodies), span))
            case ast.Patch():
                guard = self._version(construct)
                new = ir.Way(ids[0], guard, bodies[0], bodies[0].span)
                old = bodies[1] if len(bodies) > 1 else ir.Sequence(f"{identifier}[old]{{}}", (), span)
                other = ir.Way(ids[1] if len(ids) > 1 else f"{identifier}[old]", None, old, old.span)
                return ir.Choice(identifier, (new, other), span=span)
            case ast.Choice():
                ways = self._ways(ids, raw, bodies)
                open_way = any(w.guard is None for w in ways) or self._data.exhaustive([w.guard for w in ways])
                return ir.Choice(identifier, ways, open_way, span)
            case ast.Either():
                return ir.Choice(identifier, self._ways(ids, raw, bodies), exhaustive=True, span=span)
            case ast.FirstOf():
                pairs = zip((w.trigger for w in raw.ways), bodies, strict=True)
                return ir.Race(identifier, tuple(pairs), span)  # type: ignore[arg-type] # the parser gives triggers
            case ast.Loop():
                return self._loop(construct, identifier, bodies[0])
            case ast.Every():
                from placet.compile.every import OVERLAPS

                return OVERLAPS.get(construct.overlap.text, OVERLAPS["skip"])(construct, identifier, bodies[0])
            case ast.Try():
                return self._try(construct, identifier, ids, bodies)

    def _ways(self, ids: list[str], raw: _Raw, bodies: list[ir.Sequence]) -> tuple[ir.Way, ...]:
        guards: list[ir.Guard | None] = []
        for way in raw.ways:
            guards.append(self._data.guard(way.guard, guards))
        parts = zip(ids, guards, bodies, raw.ways, strict=True)
        return tuple([ir.Way(i, guard, body, way.span) for i, guard, body, way in parts])

    def _for_each(self, each: ast.ForEach, every: ast.Every | None = None) -> Built:
        """The instances of the body, each built anew with its number; ids of what is in them end with it.

        With `every` each goes round by itself, or is one of its runs where it has so many.
        """
        numbers = instances(each, self._findings, len(members(each.body.statements)) * self._times)
        outer, names, times = self._instance, self._names, self._times
        self._times *= max(1, len(numbers))
        _, identifier = self._unique(
            f"for_each({each.name.text})" if every is None else slug(f"every({every.duration.text})")
        )
        bodies: list[ir.Sequence] = []
        first, reported = "", len(self._findings.diagnostics)
        hidden = self._data.numbers.get(each.name.text)
        for number in numbers:
            self._instance = f"{outer}[{number}]"
            self._data.numbers[each.name.text] = number
            self._names = copy(names)
            self._steps.instance = self._instance
            block = each.body
            if self._arrays is not None:
                block = self._arrays.instance(block, each.name.text, number, self._process.name.text)
            parts, first = self._parts(block)
            body = ir.Sequence(f"{identifier}[{number}]{{}}", parts, each.body.span)
            if every is not None:
                from placet.compile.every import repeated, run_of

                inner = f"{identifier}/run[{number}]"
                its = body._replace(id=f"{inner}{{body}}")
                run = repeated(every, inner, its) if every.rounds is None else run_of(every, inner, its, number)
                body = ir.Sequence(body.id, (run,), body.span)
            bodies.append(body)
            self._findings.once(reported)
        self._times = times
        self._names = self._names if numbers else names
        self._instance = self._steps.instance = outer
        if hidden is None:
            self._data.numbers.pop(each.name.text, None)
        else:
            self._data.numbers[each.name.text] = hidden
        return Built(together(each, identifier, bodies, numbers, self._findings), first)

    def _every(self, every: ast.Every) -> Built:
        from placet.compile.every import ALLOW, OVERLAPS, checked, side_by_side, so_often

        how = checked(every, self._findings)
        if every.rounds is not None:
            its = (
                every
                if every.overlap.text in (*OVERLAPS, ALLOW)
                else every._replace(overlap=every.overlap._replace(text="skip"))
            )
            return self._for_each(so_often(every, how), its)
        if how == ALLOW:
            return self._for_each(side_by_side(every), every)
        return self._construct(every)

    def _loop(self, loop: ast.Loop, identifier: str, body: ir.Sequence) -> ir.Loop:
        text = loop.while_ or loop.until
        if loop.while_ is not None and loop.until is not None:
            help_ = "a loop tests before each round or after it: keep one of them"
            self._findings.add("P207", "a loop has both `while` and `until`", loop.until.span, help=help_)
        at_most = loop.at_most.value if loop.at_most is not None else None
        if loop.at_most is not None and not 1 <= loop.at_most.value <= MOST_ROUNDS:
            message = f"a loop of {figure(loop.at_most.value)} rounds cannot be looked at"
            self._findings.add("P217", message, loop.at_most.span, help="two or three rounds show what many show")
            at_most = 1
        guard = self._data.guard(text)
        test = "never" if text is None else "before" if loop.while_ is not None else "after"
        return ir.Loop(identifier, body, test, guard, at_most, loop.span)  # type: ignore[arg-type] # one of the three

    def _try(self, scope: ast.Try, identifier: str, ids: list[str], bodies: list[ir.Sequence]) -> ir.Statement:
        """A body with handlers: those that run beside it belong to what the others handle."""
        handlers: list[ir.Handler] = []
        listeners: list[ir.Listener] = []
        seen: set[str] = set()
        for handler, its, body in zip(scope.handlers, ids[1:], bodies[1:], strict=True):
            name, span = handler.name.text, handler.span
            timeout = is_timeout(handler)
            word = f"signal {name}" if handler.signal else name
            if word in seen or ("any" in seen and not timeout and not handler.signal):
                message = f"`{name}` is handled further up already"
                help_ = "the first handler that fits is taken: remove this one, or move it up"
                self._findings.add("P210", message, handler.name.span, help=help_)
            seen.add(word)
            if handler.signal:
                self._signals.handled(handler.name, self._topics)
            text = handler.timeout.text if handler.timeout is not None else ""
            if handler.beside:
                most, given = arrivals(handler.at_most, 1 if timeout else ARRIVALS, self._findings)
                trigger, called = ("timeout", text) if timeout else ("event", name)
                listeners.append(ir.Listener(its, trigger, called, body, most, given or timeout, span))  # type: ignore[arg-type] # one of the two
            elif timeout:
                handlers.append(ir.Handler(its, "timeout", text, body, span=span))
            elif handler.signal:
                handlers.append(ir.Handler(its, "event", name, body, span=span))
            else:
                handlers.append(ir.Handler(its, "error", ANY if name == "any" else name, body, span=span))
        inner: ir.Statement = bodies[0]
        if listeners:
            inner = ir.Beside(
                f"{identifier}{{beside}}" if handlers else identifier, inner, tuple(listeners), scope.span
            )
        return ir.Scope(identifier, inner, tuple(handlers), span=scope.span) if handlers else inner

    # -- calls -------------------------------------------------------------------------------------------------------

    def _call(self, call: ast.Call, identifier: str) -> ir.Call:
        target = call.target.text
        bodies: dict[str, ir.Statement] = {}
        for handler in call.handlers:
            parts, _ = self._parts(handler.body)
            end = handler.name.text
            if is_timeout(handler) or handler.signal:
                what = "signals" if handler.signal else "time-out"
                shown = f"signal {end}" if handler.signal else "timeout ..."
                help_ = f"write `try {{ call {target} ... }} on {shown} {{ ... }}`"
                message = f"a call has no {what} of its own"
                self._findings.add("P215", message, handler.name.span, help=help_)
            elif end in bodies:
                message = f"the end `{end}` of `{target}` is handled further up already"
                self._findings.add("P210", message, handler.name.span, help="keep one of the handlers")
            else:
                bodies[end] = ir.Sequence(f"{identifier}[{end}]{{}}", parts, handler.body.span)
        callee = self._callees.get(target)
        if call.detached and call.handlers:
            message = f"nobody waits for `{target}`, so none of its ends can be handled"
            self._findings.add("P298", message, call.handlers[0].name.span, help="leave `detached` or the handlers out")
        if callee is None:
            help_ = self._findings.meant(target, self._callees, "a call names a workflow or saga of this file")
            self._findings.add("P202", f"no process is called `{target}`", call.target.span, help=help_)
        elif callee.ends is not None and not call.detached:
            self._all_ends(call, callee.kind, callee.ends, bodies, identifier)
        if call.detached:
            return ir.Call(identifier, target, (), call.span, detached=True)
        return ir.Call(identifier, target, tuple(bodies.items()), call.span)

    def _all_ends(
        self, call: ast.Call, kind: str, ends: tuple[str, ...], bodies: dict[str, ir.Statement], identifier: str
    ) -> None:
        """Hold the handlers of a call against the ends of its callee; the end that goes on needs none."""
        target = call.target.text
        for handler in call.handlers:
            if handler.name.text not in ends and not is_timeout(handler) and not handler.signal:
                help_ = self._findings.meant(handler.name.text, ends, f"its ends are {listed(ends)}")
                message = f"`{target}` has no end `{handler.name.text}`"
                self._findings.add("P209", message, handler.name.span, help=help_)
                bodies.pop(handler.name.text, None)
        goes_on = continuing(ends, kind)
        if goes_on and goes_on not in bodies:
            bodies[goes_on] = ir.Sequence(f"{identifier}[{goes_on}]{{}}", (), call.span)
        missing = [end for end in ends if end not in bodies]
        if missing:
            subject = (
                f"the ends {listed(missing)} of `{target}` are"
                if missing[1:]
                else f"the end `{missing[0]}` of `{target}` is"
            )
            help_ = f"say what happens then: `on {missing[0]} {{ ... }}`"
            self._findings.add("P208", f"{subject} not handled", call.target.span, help=help_)


def is_timeout(handler: ast.Handler) -> bool:
    """`on timeout 10s { }`, or with the time left open `on timeout { }`."""
    return handler.timeout is not None or (handler.name.text == "timeout" and not handler.signal)


def _way_ids(identifier: str, ways: tuple[_RawWay, ...]) -> list[str]:
    """`choice(...)[in stock]`; a way without a condition is called by the first name in it."""
    ids: list[str] = []
    counts: dict[str, int] = {}
    for way in ways:
        name = way.way or f"[{way.first}]"
        count = counts[name] = counts.get(name, 0) + 1
        ids.append(f"{identifier}{name}" if count == 1 else f"{identifier}{name}~{count}")
    return ids
