"""From reductions to syntax trees: a method for each rule (or alias) of the grammar, with what the rule keeps.

What comes in stands in the order of the grammar, `[...]` left out as None, and the elements of `...*` one by one.

One class, though a long one: a method of two or three lines for each rule, found by its name, in the order of the grammar.
"""

# ruff: noqa: D102 - the rule of the grammar says what each method is for
from __future__ import annotations

from typing import TYPE_CHECKING

from placet.diagnostics import Diagnostic
from placet.durations import UNITS
from placet.source import Span
from placet.syntax import ast
from placet.syntax.indices import plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias, Union

    from placet.source import SourceFile

    Guard: TypeAlias = Union[ast.Text, ast.Formula]
    Beside: TypeAlias = tuple[Union[ast.Number, None]]
    Inside: TypeAlias = tuple[ast.Block, tuple[ast.Option, ...], tuple[ast.Variable, ...], tuple[ast.Signal, ...]]

Maybe = ast.Name | None
LARGEST = 10**9
MOST_NESTED = 60  # operators of a formula about runs


class Builder:
    """Builds the values of one file; what the grammar cannot say is reported through `report`."""

    def __init__(
        self, source: SourceFile, report: Callable[[Diagnostic], None], complained_since: Callable[[int], bool]
    ) -> None:
        self.source = source
        self.report = report
        self._depths: dict[int, int] = {}  # of formulas about runs, by their identity: they live as long as the file
        self.uses_names = False  # a number was given by the name of a parameter
        self.complained_since = complained_since

    # -- tokens

    def text(self, text: str, span: Span) -> ast.Text:
        """A quoted sentence; only the quote and the backslash itself are escaped by a backslash."""
        inner = text[1:-1] if len(text) > 1 and text[-1] == '"' else text[1:]
        if "\\" in inner:
            inner = "\\".join(part.replace('\\"', '"') for part in inner.split("\\\\"))
        return ast.Text(inner, span)

    def two_words(self, text: str, span: Span) -> ast.Name:
        """A keyword of two words, whatever stands between them."""
        return ast.Name(" ".join(text.split()), span)

    def number(self, text: str, span: Span) -> ast.Number:
        """A whole number of at most 10^9."""
        return ast.Number(int(self._bounded(text, span)) if text.isdecimal() else 0, span)

    def duration(self, text: str, span: Span) -> ast.Duration:
        """A time with its unit."""
        unit = text.lstrip("0123456789.")
        if unit not in UNITS or text.count(".") > 1:
            return ast.Duration(0, "0s", span)
        return ast.Duration(float(self._bounded(text[: -len(unit)], span)) * UNITS[unit], text, span)

    def _bounded(self, digits: str, span: Span) -> str:
        whole = digits.partition(".")[0].lstrip("0")
        if len(whole) < 10 or whole == str(LARGEST):
            return digits[:40]
        shown = whole if len(whole) < 30 else f"{whole[:12]}..."
        self.report(
            Diagnostic("P108", "error", f"`{shown}` is too large", span, help=f"numbers go up to {LARGEST} (10^9)")
        )
        return str(LARGEST)

    def _defines(self, name: ast.Name) -> ast.Name:
        if "." in name.text and "." in (bare := plain(name.text)):
            start = name.span.start + (name.text.index(".") if bare == name.text else name.text.rindex("]") + 1)
            self.report(
                Diagnostic(
                    "P112",
                    "error",
                    f"the name `{name.text}` has a dot",
                    Span(self.source, start, start + 1),
                    notes=("dots lead from a name to what belongs to it, as in `charge.done`",),
                    help=f"write `{bare.replace('.', '_')}`",
                )
            )
        return name

    # -- declarations

    def start(self, _: Span, *items: ast.Item) -> ast.File:
        return ast.File(self.source, items, self.uses_names)

    def system(self, span: Span, name: ast.Name, title: ast.Text | None) -> ast.System:
        return ast.System(self._defines(name), title, span)

    def service(self, span: Span, name: ast.Name, via: Maybe, options: tuple[ast.Option, ...] | None) -> ast.Service:
        return ast.Service(self._defines(name), options or (), span, via)

    def sided_service(self, span: Span, name: ast.Name, *rest: tuple[ast.Option, ...] | None) -> ast.Service:
        return ast.Service(self._defines(name), rest[-1] or (), span)

    def guarantees(self, _: Span, *options: ast.Option) -> tuple[ast.Option, ...]:
        return options

    def option(self, span: Span, key: ast.Name, *operands: ast.Name | ast.Number | ast.Duration | None) -> ast.Option:
        return ast.Option(key, tuple(o for o in operands if o is not None), span)

    guarantee = policy = topic_option = option

    def topic(
        self, span: Span, names: tuple[ast.Name, ...], broker: Maybe, options: tuple[ast.Option, ...] | None
    ) -> ast.Topic:
        return ast.Topic(tuple(map(self._defines, names)), broker, options or (), span)

    topic_options = guarantees

    def choreography(self, span: Span, name: ast.Name, *members: ast.Member) -> ast.Choreography:
        return ast.Choreography(self._defines(name), members, span)

    def member(self, span: Span, name: ast.Name, *reactions: ast.Reaction) -> ast.Member:
        return ast.Member(self._defines(name), reactions, span)

    def reaction(self, span: Span, event: ast.Name, body: ast.Block) -> ast.Reaction:
        return ast.Reaction(event, body, span)

    def workflow(self, span: Span, name: ast.Name, body: Inside) -> ast.Process:
        block, policies, variables, signals = body
        return ast.Process("workflow", self._defines(name), None, block, policies, span, variables, signals)

    def saga(self, span: Span, name: ast.Name, profile: Maybe, body: Inside) -> ast.Process:
        block, policies, variables, signals = body
        return ast.Process("saga", self._defines(name), profile, block, policies, span, variables, signals)

    def saga_body(self, span: Span, *parts: ast.Statement | ast.Option | ast.Variable | ast.Signal) -> Inside:
        policies = tuple([p for p in parts if isinstance(p, ast.Option)])
        variables = tuple([p for p in parts if isinstance(p, ast.Variable)])
        signals = tuple([p for p in parts if isinstance(p, ast.Signal)])
        statements = tuple([p for p in parts if not isinstance(p, (ast.Option, ast.Variable, ast.Signal))])
        return ast.Block(statements, span), policies, variables, signals

    def signal(self, span: Span, _: ast.Name, names: tuple[ast.Name, ...], at_most: ast.Number | None) -> ast.Signal:
        return ast.Signal(tuple(map(self._defines, names)), at_most, span)

    workflow_body = saga_body

    # -- data

    def variable(
        self, span: Span, name: ast.Name, domain: ast.Domain, initial: ast.Name | ast.Number | None
    ) -> ast.Variable:
        return ast.Variable(self._defines(name), domain, initial, span)

    def importing(self, span: Span, path: ast.Text) -> ast.Import:
        return ast.Import(path, span)

    def parameter(self, span: Span, name: ast.Name, value: ast.Number) -> ast.Parameter:
        return ast.Parameter(self._defines(name), value, span)

    def named(self, span: Span, name: ast.Name) -> ast.Number:
        self.uses_names = True
        return ast.Number(0, span, name.text)

    def kind(self, span: Span, name: ast.Name) -> ast.Domain:
        return ast.Domain(name, (), None, None, span)

    def enumeration(self, span: Span, names: tuple[ast.Name, ...]) -> ast.Domain:
        return ast.Domain(None, names, None, None, span)

    def range(self, span: Span, low: ast.Number, high: ast.Number) -> ast.Domain:
        return ast.Domain(None, (), low, high, span)

    def value(self, span: Span, minus: Maybe, number: ast.Number) -> ast.Number:
        return number if minus is None else ast.Number(-number.value, span)

    def expression(self, span: Span, *terms: tuple[int, Maybe]) -> ast.Expression:
        return ast.Expression(terms, span)

    def constant(self, _: Span, number: ast.Number) -> tuple[int, Maybe]:
        return number.value, None

    def multiple(self, _: Span, weight: ast.Number, name: ast.Name) -> tuple[int, Maybe]:
        return weight.value, name

    def single(self, _: Span, name: ast.Name) -> tuple[int, Maybe]:
        return 1, name

    def less(self, _: Span, term: tuple[int, Maybe]) -> tuple[int, Maybe]:
        return -term[0], term[1]

    def sets(self, _: Span, *assignments: ast.Assignment) -> tuple[ast.Assignment, ...]:
        return assignments

    def assignment(self, span: Span, name: ast.Name, value: ast.Expression) -> ast.Assignment:
        return ast.Assignment(name, value, False, span)

    def flipped(self, span: Span, name: ast.Name, value: ast.Name) -> ast.Assignment:
        return ast.Assignment(name, ast.Expression(((1, value),), value.span), True, span)

    # -- statements

    def block(self, span: Span, *statements: ast.Statement) -> ast.Block:
        return ast.Block(statements, span)

    def task(
        self,
        span: Span,
        name: ast.Name,
        service: Maybe,
        fails: tuple[ast.Name, ...] | None,
        sets: tuple[ast.Assignment, ...] | None,
    ) -> ast.Task:
        return ast.Task(self._defines(name), service, fails or (), span, sets or ())

    def step(
        self,
        span: Span,
        name: ast.Name,
        service: Maybe = None,
        via: Maybe = None,
        *parts: ast.Option | tuple[ast.ErrorRule, ...],
    ) -> ast.Step:
        options = tuple(p for p in parts if isinstance(p, ast.Option))
        rules = tuple(rule for p in parts if not isinstance(p, ast.Option) for rule in p)
        return ast.Step(self._defines(name), service, options, rules, span, via)

    def errors(self, _: Span, *rules: ast.ErrorRule) -> tuple[ast.ErrorRule, ...]:
        return rules

    def decided(self, span: Span, error: ast.Name, action: ast.Name) -> ast.ErrorRule:
        return ast.ErrorRule(error, None, action, span)

    def retried(
        self, span: Span, error: ast.Name, _: ast.Name, times: ast.Number, *others: ast.Duration | ast.Name | None
    ) -> ast.ErrorRule:
        *pauses, action = others
        return ast.ErrorRule(error, times, action, span, tuple(p for p in pauses if p is not None))  # type: ignore[arg-type, misc]

    def choice(self, span: Span, label: Maybe, *ways: ast.Branch | ast.Block | None) -> ast.Choice:
        *branches, otherwise = ways
        if not branches:
            self._empty("choice", "when", span)
        return ast.Choice(self._label(label), tuple(branches), otherwise, span)  # type: ignore[arg-type]

    def when(self, span: Span, guard: Guard, body: ast.Block) -> ast.Branch:
        return ast.Branch(guard, None, body, span)

    def otherwise(self, _: Span, body: ast.Block) -> ast.Block:
        return body

    def patch(self, span: Span, name: ast.Text, body: ast.Block, otherwise: ast.Block | None) -> ast.Patch:
        return ast.Patch(name, body, otherwise, span)

    def either(self, span: Span, label: Maybe, *bodies: ast.Block) -> ast.Either:
        return ast.Either(self._label(label), tuple(map(self._way, bodies)), span)

    def parallel(self, span: Span, label: Maybe, *bodies: ast.Statement) -> ast.Parallel:
        return ast.Parallel(self._label(label), tuple(map(self._way, bodies)), span)

    def some_of(
        self, span: Span, label: Maybe, need: ast.Number, *rest: ast.Statement | ast.Name | None
    ) -> ast.Parallel:
        *bodies, others = rest
        ways = tuple([self._way(body) for body in bodies])  # type: ignore[arg-type] # all but the last are statements
        return ast.Parallel(self._label(label), ways, span, need, others)  # type: ignore[arg-type]

    def _way(self, body: ast.Statement) -> ast.Branch:
        return ast.Branch(None, None, self._braced(body), body.span)

    def _braced(self, body: ast.Statement) -> ast.Block:
        return body if isinstance(body, ast.Block) else ast.Block((body,), body.span)

    def _label(self, label: Maybe) -> Maybe:
        return label and self._defines(label)

    def _empty(self, construct: str, part: str, span: Span) -> None:
        if self.complained_since(span.start):
            return  # it is empty because what stands in it was not understood
        first = Span(self.source, span.start, span.start + len(construct))
        self.report(Diagnostic("P113", "error", f"this `{construct}` has no `{part}`", first))

    def loop(
        self, span: Span, label: Maybe, at_most: ast.Number | None, body: ast.Block, until: Guard | None
    ) -> ast.Loop:
        return ast.Loop(self._label(label), at_most, None, until, body, span)

    def while_loop(
        self, span: Span, label: Maybe, test: ast.Text, at_most: ast.Number | None, body: ast.Block
    ) -> ast.Loop:
        return ast.Loop(self._label(label), at_most, test, None, body, span)

    def while_data(self, span: Span, test: ast.Formula, at_most: ast.Number | None, body: ast.Block) -> ast.Loop:
        return ast.Loop(None, at_most, test, None, body, span)

    def for_each(
        self,
        span: Span,
        name: ast.Name,
        low: ast.Number,
        high: ast.Number,
        at_most: ast.Number | None,
        parallel: Maybe,
        tolerate: ast.Number | None,
        body: ast.Block,
    ) -> ast.ForEach:
        return ast.ForEach(self._defines(name), low, high, at_most, parallel is not None, tolerate, body, span)

    def receive(
        self, span: Span, event: ast.Name, buffered: Maybe, sets: tuple[ast.Assignment, ...] | None
    ) -> ast.Receive:
        return ast.Receive(event, span, sets or (), buffered is not None)

    def publish(self, span: Span, event: ast.Name) -> ast.Publish:
        return ast.Publish(event, span)

    def timer(self, span: Span, duration: ast.Duration) -> ast.Timer:
        return ast.Timer(duration, span)

    def first_of(self, span: Span, label: Maybe, *branches: ast.Branch) -> ast.FirstOf:
        if not branches:
            self._empty("first", "receive` or `timer", span)
        return ast.FirstOf(self._label(label), branches, span)

    def branch(self, span: Span, trigger: ast.Receive | ast.Timer, body: ast.Statement | None) -> ast.Branch:
        after = Span(self.source, span.end, span.end)
        return ast.Branch(None, trigger, ast.Block((), after) if body is None else self._braced(body), span)

    def try_block(self, span: Span, label: Maybe, body: ast.Block, *handlers: ast.Handler) -> ast.Try:
        return ast.Try(self._label(label), body, handlers, span)

    def throw(self, span: Span, error: ast.Name) -> ast.Raise:
        return ast.Raise(error, span)

    def call(
        self, span: Span, target: ast.Name, detached: Maybe, on_close: ast.Name | None, *handlers: ast.Handler
    ) -> ast.Call:
        return ast.Call(target, handlers, span, detached is not None, on_close)

    def again(
        self, span: Span, carrying: Maybe = None, _: Maybe = None, at_most: ast.Number | None = None
    ) -> ast.Again:
        return ast.Again(span, carrying is not None, at_most)

    def every(
        self,
        span: Span,
        duration: ast.Duration,
        rounds: ast.Number | None,
        overlap: ast.Name,
        at_most: ast.Number | None,
        body: ast.Block,
    ) -> ast.Every:
        return ast.Every(duration, overlap, body, span, at_most, rounds)

    def handler(self, span: Span, name: ast.Name, *rest: ast.Duration | Beside | ast.Block | None) -> ast.Handler:
        if len(rest) == 1:
            return ast.Handler(name, None, rest[0], span)  # type: ignore[arg-type]
        timeout, beside, body = rest
        return self._handles(span, name, timeout, beside, body, signal=False)  # type: ignore[arg-type]

    def signalled(self, span: Span, _: ast.Name, name: ast.Name, beside: Beside | None, body: ast.Block) -> ast.Handler:
        return self._handles(span, name, None, beside, body, signal=True)

    def _handles(
        self,
        span: Span,
        name: ast.Name,
        time: ast.Duration | None,
        beside: Beside | None,
        body: ast.Block,
        *,
        signal: bool,
    ) -> ast.Handler:
        return ast.Handler(name, time, body, span, signal, beside is not None, beside[0] if beside else None)

    def beside(self, _: Span, at_most: ast.Number | None) -> Beside:
        return (at_most,)

    def end(self, span: Span, name: ast.Name) -> ast.End:
        return ast.End(self._defines(name), span)

    def abandon(self, span: Span, reason: ast.Text | None) -> ast.Abandon:
        return ast.Abandon(reason, span)

    def pool(self, span: Span, name: ast.Name, size: ast.Number) -> ast.Pool:
        return ast.Pool(self._defines(name), size, span)

    def within(self, span: Span, pool: ast.Name, body: ast.Block) -> ast.With:
        return ast.With(pool, body, span)

    def acquire(self, span: Span, pool: ast.Name) -> ast.Acquire:
        return ast.Acquire(pool, span)

    def release(self, span: Span, pool: ast.Name) -> ast.Release:
        return ast.Release(pool, span)

    def names(self, _: Span, *names: ast.Name) -> tuple[ast.Name, ...]:
        return names

    # -- plain nets

    def net(
        self, span: Span, name: ast.Name, *parts: list[ast.PlaceDecl] | ast.TransitionDecl | tuple[ast.Name, ...]
    ) -> ast.NetDecl:
        places: list[ast.PlaceDecl] = []
        transitions: list[ast.TransitionDecl] = []
        finals: list[ast.Name] = []
        for part in parts:
            if isinstance(part, list):
                places += part
            elif isinstance(part, ast.TransitionDecl):
                transitions.append(part)
            else:
                finals += part
        return ast.NetDecl(self._defines(name), tuple(places), tuple(transitions), tuple(finals), span)

    def places(self, _: Span, *places: ast.PlaceDecl) -> list[ast.PlaceDecl]:
        return list(places)

    def place(
        self, span: Span, name: ast.Name, tokens: ast.Number | None, capacity: ast.Number | None
    ) -> ast.PlaceDecl:
        return ast.PlaceDecl(self._defines(name), tokens, capacity, span)

    def transition(
        self,
        span: Span,
        name: ast.Name,
        priority: ast.Number | None,
        inputs: tuple[ast.Arc, ...],
        outputs: tuple[ast.Arc, ...],
    ) -> ast.TransitionDecl:
        return ast.TransitionDecl(self._defines(name), inputs, outputs, span, priority)

    def inputs(self, _: Span, *arcs: ast.Arc | None) -> tuple[ast.Arc, ...]:
        return tuple(arc for arc in arcs if arc is not None)

    outputs = inputs

    def final(self, _: Span, names: tuple[ast.Name, ...]) -> tuple[ast.Name, ...]:
        return names

    def arc(self, span: Span, weight: ast.Number | None, place: ast.Name) -> ast.Arc:
        return ast.Arc("", weight, place, span)

    def special_arc(self, span: Span, kind: ast.Name, weight: ast.Number | None, place: ast.Name) -> ast.Arc:
        return ast.Arc(kind.text, weight, place, span)

    def reset_arc(self, span: Span, kind: ast.Name, place: ast.Name) -> ast.Arc:
        return ast.Arc(kind.text, None, place, span)

    # -- state machines

    def machine(
        self, span: Span, name: ast.Name, *parts: ast.Name | ast.Move | tuple[ast.Name, ...]
    ) -> ast.MachineDecl:
        initials: list[ast.Name] = []
        moves: list[ast.Move] = []
        finals: list[ast.Name] = []
        for part in parts:
            if isinstance(part, ast.Move):
                moves.append(part)
            elif isinstance(part, ast.Name):
                initials.append(part)
            else:
                finals += part
        return ast.MachineDecl(self._defines(name), tuple(initials), tuple(moves), tuple(finals), span)

    def initial(self, _: Span, name: ast.Name) -> ast.Name:
        return name

    def finals(self, _: Span, *names: ast.Name) -> tuple[ast.Name, ...]:
        return names

    other = initial

    def move(
        self, span: Span, source: ast.Name, trigger: ast.Name | ast.Duration, sends: tuple[ast.Name, ...] | None,
        target: ast.Name,
    ) -> ast.Move:  # fmt: skip
        return ast.Move(source, trigger, sends or (), target, span)

    def unasked_move(self, span: Span, source: ast.Name, sends: tuple[ast.Name, ...], target: ast.Name) -> ast.Move:
        return ast.Move(source, None, sends, target, span)

    def trigger(self, _: Span, *words: ast.Name | ast.Duration) -> ast.Name | ast.Duration:
        return words[-1]

    def sends(self, _: Span, names: tuple[ast.Name, ...]) -> tuple[ast.Name, ...]:
        return names

    # -- sidecars

    def annotate(
        self,
        span: Span,
        path: ast.Text,
        machine: Maybe,
        *parts: ast.Role | ast.Service | ast.SidedEnd | ast.Check | ast.Waiver,
    ) -> ast.Annotate:
        return ast.Annotate(path, machine, parts, span)

    def role(
        self,
        span: Span,
        state: ast.Name | ast.Text,
        alias: Maybe,
        service: Maybe,
        undone: tuple[ast.Undoing, ...] | None,
        fails: tuple[ast.Name, ...] | None,
        options: tuple[ast.Option, ...] | None,
    ) -> ast.Role:
        return ast.Role(state, self._label(alias), service, undone or (), fails or (), options or (), span)

    def role_options(self, _: Span, *options: ast.Option) -> tuple[ast.Option, ...]:
        return options

    def undone(self, _: Span, *undoing: ast.Undoing) -> tuple[ast.Undoing, ...]:
        return undoing

    def failing(self, _: Span, first: ast.Name, *more: list[ast.Name] | ast.Name) -> tuple[ast.Name, ...]:
        return (first, *(name for part in more for name in (part if isinstance(part, list) else [part])))

    def undoing(self, span: Span, state: ast.Name | ast.Text, given: Maybe) -> ast.Undoing:
        return ast.Undoing(state, given, span)

    def sided_end(self, span: Span, state: ast.Name | ast.Text, kind: ast.Name) -> ast.SidedEnd:
        return ast.SidedEnd(state, kind, span)

    def at_state(self, _: Span, state: ast.Name | ast.Text) -> ast.Name | ast.Text:
        return state

    def waiver(
        self, span: Span, what: ast.Name, state: ast.Name | ast.Text | None, reason: ast.Text, until: Maybe
    ) -> ast.Waiver:
        return ast.Waiver(what, state, reason, until, span)

    # -- checks

    def check(
        self, span: Span, *parts: ast.CheckItem | tuple[tuple[ast.Name, ...], ast.Number | None] | None
    ) -> ast.Check:
        *items, under = parts
        faults, budget = under or (None, None)  # type: ignore[misc]
        return ast.Check(tuple(items), faults, budget, span)  # type: ignore[arg-type]

    sided_check = check

    def under(
        self, _: Span, faults: tuple[ast.Name, ...] | None, budget: ast.Number | None
    ) -> tuple[tuple[ast.Name, ...], ast.Number | None]:
        return faults or (), budget

    def check_item(
        self,
        span: Span,
        check: ast.Name,
        *rest: ast.Formula | ast.Number | ast.Text | ast.Name | ast.Demand | ast.EachOf | None,
    ) -> ast.CheckItem:
        each = tuple([o for o in rest if isinstance(o, ast.EachOf)])
        *operands, level, demand, sentence = [o for o in rest if not isinstance(o, ast.EachOf)]
        kept = tuple(o for o in operands if o is not None)
        return ast.CheckItem(check, kept, sentence, span, level, demand, None, each)  # type: ignore[arg-type]

    def each_of(self, span: Span, name: ast.Name, low: ast.Number, high: ast.Number) -> ast.EachOf:
        return ast.EachOf(self._defines(name), low, high, span)

    def about_runs(
        self,
        span: Span,
        logic: ast.Name,
        of: Maybe,
        formula: ast.Formula,
        assuming: Maybe,
        level: Maybe,
        *rest: ast.EachOf | ast.Text | None,
    ) -> ast.CheckItem:
        operands = (formula,) if of is None else (ast.Atom(of, of.span), formula)
        *each, sentence = rest
        return ast.CheckItem(logic, operands, sentence, span, level, None, assuming, tuple(each))  # type: ignore[arg-type]

    def sided_runs(
        self,
        span: Span,
        logic: ast.Name,
        formula: ast.Formula,
        assuming: Maybe,
        level: Maybe,
        *rest: ast.EachOf | ast.Text | None,
    ) -> ast.CheckItem:
        *each, sentence = rest
        return ast.CheckItem(logic, (formula,), sentence, span, level, None, assuming, tuple(each))  # type: ignore[arg-type]

    def modal(self, span: Span, op: ast.Name, of: ast.Formula) -> ast.Formula:
        return self._nested(ast.Modal(op.text, (of,), span))

    def until(self, span: Span, left: ast.Formula, op: ast.Name, right: ast.Formula) -> ast.Formula:
        return self._nested(ast.Modal(op.text, (left, right), span))

    def run_negation(self, span: Span, of: ast.Formula) -> ast.Formula:
        return self._nested(ast.Negation(of, span))

    def runs_conjunction(self, span: Span, *parts: ast.Formula) -> ast.Formula:
        return self._nested(ast.Junction("and", parts, span))

    def runs_disjunction(self, span: Span, *parts: ast.Formula) -> ast.Formula:
        return self._nested(ast.Junction("or", parts, span))

    def runs_implication(self, span: Span, left: ast.Formula, right: ast.Formula) -> ast.Formula:
        return self._nested(ast.Junction("implies", (left, right), span))

    def _nested(self, made: ast.Modal | ast.Negation | ast.Junction) -> ast.Formula:
        """The formula, unless it nests deeper than anything that walks it can follow: operators in front need no parentheses."""
        parts = made.parts if isinstance(made, (ast.Modal, ast.Junction)) else (made.of,)
        depth = 1 + max(self._depths.get(id(part), 0) for part in parts)
        if depth > MOST_NESTED:
            self._depths[id(parts[0])] = -LARGEST  # said once
            message = f"operators are nested {MOST_NESTED} deep here, which nobody can follow"
            self.report(Diagnostic("P109", "error", message, made.span))
            return parts[0]
        self._depths[id(made)] = depth
        return made

    def at_level(self, _: Span, level: ast.Name) -> ast.Name:
        return level

    def demand(self, span: Span, op: ast.Name, percent: ast.Number) -> ast.Demand:
        return ast.Demand(op.text, percent, span)

    def implication(self, span: Span, left: ast.Formula, right: ast.Formula) -> ast.Junction:
        return ast.Junction("implies", (left, right), span)

    def disjunction(self, span: Span, *parts: ast.Formula) -> ast.Junction:
        return ast.Junction("or", parts, span)

    def conjunction(self, span: Span, *parts: ast.Formula) -> ast.Junction:
        return ast.Junction("and", parts, span)

    def negation(self, span: Span, of: ast.Formula) -> ast.Negation:
        return ast.Negation(of, span)

    def atom(self, span: Span, name: ast.Name) -> ast.Atom:
        return ast.Atom(name, span)

    def compare(
        self, span: Span, terms: tuple[tuple[int, ast.Atom], ...], op: ast.Name, right: ast.Expression
    ) -> ast.Compare:
        bound: ast.Number | ast.Expression = right
        if len(right.terms) == 1 and right.terms[0][1] is None and right.terms[0][0] >= 0:
            bound = ast.Number(right.terms[0][0], right.span)
        return ast.Compare(terms, op.text, bound, span)

    def sum(self, _: Span, *terms: tuple[int, ast.Atom]) -> tuple[tuple[int, ast.Atom], ...]:
        return terms

    def minus(self, _: Span, term: tuple[int, ast.Atom]) -> tuple[int, ast.Atom]:
        return -term[0], term[1]

    def term(self, _: Span, weight: ast.Number | None, name: ast.Name) -> tuple[int, ast.Atom]:
        return (1 if weight is None else weight.value), ast.Atom(name, name.span)
