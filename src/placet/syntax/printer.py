"""From the syntax tree to text: `parse(render(file))` is `file`, but for the spans.

The layout depends on the tree alone: two blanks for each brace, one statement a line, options on the line of their step
where there is room. Comments are not in the tree. Nothing recurs over statements, however deep they are nested.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, Union

from placet.syntax import ast
from placet.syntax.indices import several

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

WIDTH = 100
Piece: TypeAlias = "tuple[int, Union[str, ast.Statement, ast.Item, ast.Role, ast.SidedEnd, ast.Waiver]]"
_STRENGTH = {"implies": 0, "or": 1, "and": 2}
_ONE_LINE = (ast.Import, ast.System, ast.Service, ast.Topic, ast.Parameter, ast.Variable, ast.Check)


def render(file: ast.File) -> str:
    """The text of a file. Cost: linear in the size of the tree."""
    lines: list[str] = []
    for number, item in enumerate(file.items):
        if number and not (type(item) is type(file.items[number - 1]) and isinstance(item, _ONE_LINE)):
            lines.append("")
        _write(item, lines)
    return "\n".join(lines) + "\n" if lines else ""


def _write(item: ast.Item, lines: list[str]) -> None:
    todo: list[Piece] = [(0, item)]
    while todo:
        indent, piece = todo.pop()
        if isinstance(piece, str):
            lines.append("  " * indent + piece if piece else "")
        else:
            todo.extend(reversed(_PIECES[type(piece)](indent, piece)))


# -- small parts


def text(value: ast.Text) -> str:
    """A sentence in quotes."""
    escaped = value.text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def number(value: ast.Number) -> str:
    """A number, or the parameter that stands for it."""
    return value.name or str(value.value)


def _names(names: Iterable[ast.Name]) -> str:
    return ", ".join(name.text for name in names)


def _some(before: str, value: ast.Name | ast.Number | ast.Text | ast.Duration | None) -> str:
    """` before value`, or nothing."""
    if value is None:
        return ""
    shown = (
        text(value) if isinstance(value, ast.Text) else number(value) if isinstance(value, ast.Number) else value.text
    )
    return f" {before} {shown}" if before else f" {shown}"


_BEFORE_TIMES = {"circuit_breaker": "probe", "key": "ttl"}  # the word before the time that an option takes


def _option(option: ast.Option) -> str:
    key, operands = option.key.text, [_some("", o)[1:] for o in option.operands]
    if key == "undo":
        return f"undo {operands[0]}({operands[1]})" if len(operands) > 1 else f"undo {operands[0]}"
    if key == "effect" and len(operands) > 2:
        return f"effect {operands[0]}({operands[1]}, {operands[2]})"
    if key == "latency" and len(operands) > 1:
        return f"latency {operands[0]}({', '.join(operands[1:])})"
    if key == "retry" and len(operands) > 1:
        return f"retry {operands[0]} backoff {'..'.join(operands[1:])}"
    if key in _BEFORE_TIMES:
        times = [isinstance(o, ast.Duration) for o in option.operands]
        operands = [f"{_BEFORE_TIMES[key]} {o}" if time else o for o, time in zip(operands, times, strict=True)]
    if key in ("after", "undo_after"):
        return f"{key} {', '.join(operands)}"
    if key == "on undo_failure" and isinstance(option.operands[-1], ast.Name) and len(operands) > 1:
        operands.insert(-1, "then")
    return " ".join([key, *operands])


def _error_rule(rule: ast.ErrorRule) -> str:
    if rule.retry is None:
        return f"{rule.error.text}:{_some('', rule.action)}"
    pauses = f" backoff {'..'.join(pause.text for pause in rule.backoff)}" if rule.backoff else ""
    return f"{rule.error.text}: retry {number(rule.retry)}{pauses}{_some('then', rule.action)}"


def _braced(indent: int, head: str, parts: list[str]) -> list[Piece]:
    """`head { a; b }` where it fits on the line, else one part a line."""
    short = f"{head} {{ {'; '.join(parts)} }}"
    if 2 * indent + len(short) <= WIDTH:
        return [(indent, short)]
    return [(indent, f"{head} {{"), *((indent + 1, part) for part in parts), (indent, "}")]


def _block(indent: int, head: str, block: ast.Block, tail: str = "") -> list[Piece]:
    if not block.statements:
        return [(indent, f"{head} {{ }}{tail}")]
    return [(indent, f"{head} {{"), (indent + 1, block), (indent, f"}}{tail}")]


# -- statements


def _guard(guard: ast.Text | ast.Formula) -> str:
    """A condition as it is written: a sentence in quotes, or a formula."""
    return text(guard) if isinstance(guard, ast.Text) else formula(guard)


def _sets(assignments: tuple[ast.Assignment, ...]) -> str:
    shown = [f"{a.variable.text} = {'not ' if a.negated else ''}{expression(a.value)}" for a in assignments]
    return f" sets {', '.join(shown)}" if shown else ""


def _task(indent: int, task: ast.Task) -> list[Piece]:
    fails = f" fails {_names(task.fails)}" if task.fails else ""
    return [(indent, f"task {task.name.text}{_some('on', task.service)}{fails}{_sets(task.sets)}")]


def _step(indent: int, step: ast.Step) -> list[Piece]:
    head = f"step {step.name.text}{_some('on', step.service)}{_some('via', step.via)}"
    options = [_option(o) for o in step.options]
    if step.errors:
        errors = _braced(indent + 1, "errors", [_error_rule(rule) for rule in step.errors])
        inner: list[Piece] = [(indent + 1, option) for option in options]
        return [(indent, f"{head} {{"), *inner, *errors, (indent, "}")]
    return _braced(indent, head, options) if options else [(indent, head)]


def _choice(indent: int, choice: ast.Choice) -> list[Piece]:
    pieces: list[Piece] = [(indent, f"choice{_some('', choice.label)} {{")]
    for branch in choice.branches:
        pieces += _block(indent + 1, f"when {_guard(branch.guard)}", branch.body) if branch.guard else []
    if choice.otherwise is not None:
        pieces += _block(indent + 1, "otherwise", choice.otherwise)
    return [*pieces, (indent, "}")]


def _either(indent: int, either: ast.Either) -> list[Piece]:
    pieces: list[Piece] = []
    head = f"either{_some('', either.label)} {{"
    for branch in either.branches:
        pieces += [(indent, head), (indent + 1, branch.body)]
        head = "} or {"
    return [*pieces, (indent, "}")]


def _parallel(indent: int, parallel: ast.Parallel) -> list[Piece]:
    need = f" {number(parallel.need)} of" if parallel.need is not None else ""
    pieces: list[Piece] = [(indent, f"parallel{_some('', parallel.label)}{need} {{")]
    for branch in parallel.branches:
        statements = branch.body.statements
        # an array in braces of its own is one branch, without them as many as it has members
        if len(statements) == 1 and not (several(statements[0]) and branch.body.span != statements[0].span):
            pieces += [(indent + 1, statements[0])]
            continue
        if pieces and isinstance(before := pieces[-1][1], ast.Step) and not (before.options or before.errors):
            pieces += [(indent + 1, ";")]  # or the brace would open the options of the step
        pieces += [(indent + 1, "{"), (indent + 2, branch.body), (indent + 1, "}")]
    return [*pieces, (indent, f"}}{_some('others', parallel.others)}")]


def _patch(indent: int, patch: ast.Patch) -> list[Piece]:
    pieces: list[Piece] = [(indent, f"patch {text(patch.name)} {{"), (indent + 1, patch.body)]
    if patch.otherwise is not None:
        pieces += [(indent, "} otherwise {"), (indent + 1, patch.otherwise)]
    return [*pieces, (indent, "}")]


def _loop(indent: int, loop: ast.Loop) -> list[Piece]:
    if loop.while_ is not None:
        head = f"while{_some('', loop.label)} {_guard(loop.while_)}{_some('at_most', loop.at_most)}"
    else:
        head = f"loop{_some('', loop.label)}{_some('at_most', loop.at_most)}"
    return _block(indent, head, loop.body, f" until {_guard(loop.until)}" if loop.until is not None else "")


def _for_each(indent: int, each: ast.ForEach) -> list[Piece]:
    how = (_some("at_most", each.at_most) + " parallel") if each.parallel else ""
    head = (
        f"for each {each.name.text} in {number(each.low)}..{number(each.high)}{how}{_some('tolerate', each.tolerate)}"
    )
    return _block(indent, head, each.body)


def _receive(receive: ast.Receive) -> str:
    return f"receive {receive.event.text}{' buffered' * receive.buffered}{_sets(receive.sets)}"


def _first_of(indent: int, race: ast.FirstOf) -> list[Piece]:
    pieces: list[Piece] = [(indent, f"first of{_some('', race.label)} {{")]
    for branch in race.branches:
        trigger = branch.trigger
        shown = f"timer {trigger.duration.text}" if isinstance(trigger, ast.Timer) else ""
        shown = _receive(trigger) if isinstance(trigger, ast.Receive) else shown
        pieces += _block(indent + 1, f"{shown} ->", branch.body) if branch.body.statements else [(indent + 1, shown)]
    return [*pieces, (indent, "}")]


def _handler(handler: ast.Handler) -> str:
    beside = f" beside{_some('at_most', handler.at_most)}" if handler.beside else ""
    return f"on {'signal ' * handler.signal}{handler.name.text}{_some('', handler.timeout)}{beside} {{"


def _try(indent: int, attempt: ast.Try) -> list[Piece]:
    pieces: list[Piece] = [(indent, f"try{_some('', attempt.label)} {{"), (indent + 1, attempt.body)]
    for handler in attempt.handlers:
        pieces += [(indent, f"}} {_handler(handler)}"), (indent + 1, handler.body)]
    return [*pieces, (indent, "}")]


def _again(indent: int, again: ast.Again) -> list[Piece]:
    return [(indent, f"continue_as_new{' carrying undo' * again.carrying}{_some('at_most', again.at_most)}")]


def _every(indent: int, every: ast.Every) -> list[Piece]:
    often, overlap = _some("at_most", every.rounds), f"{every.overlap.text}{_some('at_most', every.at_most)}"
    return _block(indent, f"every {every.duration.text}{often} overlap {overlap}", every.body)


def _call(indent: int, call: ast.Call) -> list[Piece]:
    pieces: list[Piece] = [
        (indent, f"call {call.target.text}{' detached' * call.detached}{_some('on_close', call.on_close)}")
    ]
    for handler in call.handlers:
        pieces += _block(indent + 1, _handler(handler)[:-2], handler.body)
    return pieces


# -- declarations


def _service(indent: int, service: ast.Service) -> list[Piece]:
    head = f"service {service.name.text}{_some('via', service.via)}"
    return _braced(indent, head, [_option(o) for o in service.options]) if service.options else [(indent, head)]


def _topic(indent: int, topic: ast.Topic) -> list[Piece]:
    head = f"topic {_names(topic.names)}{_some('on', topic.broker)}"
    return _braced(indent, head, [_option(o) for o in topic.options]) if topic.options else [(indent, head)]


def _choreography(indent: int, choreography: ast.Choreography) -> list[Piece]:
    pieces: list[Piece] = [(indent, f"choreography {choreography.name.text} {{")]
    for member in choreography.members:
        pieces.append((indent + 1, f"service {member.name.text} {{"))
        for reaction in member.reactions:
            pieces += _block(indent + 2, f"on {reaction.event.text}", reaction.body)
        pieces.append((indent + 1, "}"))
    return [*pieces, (indent, "}")]


def _process(indent: int, process: ast.Process) -> list[Piece]:
    head = f"{process.kind} {process.name.text}{_some('uses', process.profile)}"
    policies: list[Piece] = [(indent + 1, _option(policy)) for policy in process.policies]
    variables: list[Piece] = [(indent + 1, variable) for variable in process.variables]
    variables += [(indent + 1, f"signal {_names(s.names)}{_some('at_most', s.at_most)}") for s in process.signals]
    if not policies and not variables:
        return _block(indent, head, process.body)
    return [(indent, f"{head} {{"), *variables, (indent + 1, process.body), *policies, (indent, "}")]


def _variable(indent: int, variable: ast.Variable) -> list[Piece]:
    domain = variable.domain
    if domain.low is not None and domain.high is not None:
        shown = f"{number(domain.low)}..{number(domain.high)}"
    else:
        shown = domain.kind.text if domain.kind is not None else f"{{ {_names(domain.names)} }}"
    return [(indent, f"var {variable.name.text} : {shown}{_some('=', variable.initial)}")]


def _arc(arc: ast.Arc) -> str:
    weight = f"{arc.weight.value} " if arc.weight else ""
    return f"{arc.kind} {weight}{arc.place.text}" if arc.kind else f"{weight}{arc.place.text}"


def _net(indent: int, net: ast.NetDecl) -> list[Piece]:
    inner: list[Piece] = []
    line = ""
    for place in net.places:
        shown = f"{place.name.text}{_some('=', place.tokens)}{_some('capacity', place.capacity)}"
        if line and 2 * indent + 4 + len(line) + len(shown) > WIDTH:
            inner.append((indent + 1, line))
            line = ""
        line = f"{line}, {shown}" if line else f"place {shown}"
    if line:
        inner.append((indent + 1, line))
    for transition in net.transitions:
        sides = [" + ".join(map(_arc, side)) for side in (transition.inputs, transition.outputs)]
        head = f"transition {transition.name.text}{_some('priority', transition.priority)}"
        inner.append((indent + 1, f"{head}: {sides[0]} -> {sides[1]}".replace(":  ", ": ").rstrip()))
    if net.finals:
        inner.append((indent + 1, f"final {_names(net.finals)}"))
    return (
        [(indent, f"net {net.name.text} {{"), *inner, (indent, "}")]
        if inner
        else [(indent, f"net {net.name.text} {{ }}")]
    )


def _move(move: ast.Move) -> str:
    trigger = move.trigger
    shown = "" if trigger is None else trigger.text if isinstance(trigger, ast.Name) else f"after {trigger.text}"
    sends = f"/ send {_names(move.sends)}" if move.sends else ""
    return f"{move.source.text} --{' '.join(filter(None, (shown, sends)))}--> {move.target.text}"


def _machine(indent: int, machine: ast.MachineDecl) -> list[Piece]:
    inner: list[Piece] = [(indent + 1, f"initial {name.text}") for name in machine.initials]
    inner += [(indent + 1, _move(move)) for move in machine.moves]
    if machine.finals:
        inner.append((indent + 1, f"final {_names(machine.finals)}"))
    head = f"machine {machine.name.text} {{"
    return [(indent, head), *inner, (indent, "}")] if inner else [(indent, f"{head} }}")]


# -- checks


def formula(value: ast.Formula | ast.Number) -> str:
    """A formula, with the parentheses that it needs and no others."""
    if isinstance(value, ast.Number):
        return str(value.value)
    if isinstance(value, ast.Atom):
        return value.name.text
    if isinstance(value, ast.Compare):
        return _compare(value)
    if isinstance(value, ast.Modal):
        return _modal(value)
    if isinstance(value, ast.Negation):
        inner = formula(value.of)
        bare = isinstance(value.of, (ast.Atom, ast.Compare)) or _binds(value.of)
        return f"not {inner}" if bare else f"not ({inner})"
    strength = _STRENGTH[value.op]
    parts = [
        f"({formula(p)})" if isinstance(p, ast.Junction) and _STRENGTH[p.op] <= strength else formula(p)
        for p in value.parts
    ]
    return f" {value.op} ".join(parts)


def _binds(value: ast.Formula) -> bool:
    """Whether it is an operator on runs in front of a formula."""
    return isinstance(value, ast.Modal) and len(value.parts) == 1


def _modal(value: ast.Modal) -> str:
    parts = [
        formula(p) if isinstance(p, (ast.Atom, ast.Compare, ast.Negation)) or _binds(p) else f"({formula(p)})"
        for p in value.parts
    ]
    return f"{value.op} {parts[0]}" if len(parts) == 1 else f"{parts[0]} {value.op} {parts[1]}"


def _item(item: ast.CheckItem, *, sided: bool) -> str:
    """A check without its sentence; in a sidecar formulas about runs stand in parentheses."""
    if item.check.text not in ("ctl", "ltl") or not item.operands:
        listed = ", ".join(map(formula, item.operands))
        return f"{item.check.text}({listed}){_some('at', item.level)}{_demand(item.demand)}"
    *named, asked = item.operands
    of = f" of {formula(named[0])}" if named else ""
    shown = f"({formula(asked)})" if sided else formula(asked)
    return f"{item.check.text}{of} {shown}{_some('assuming', item.assuming)}{_some('at', item.level)}"


def _each_of(item: ast.CheckItem) -> str:
    return "".join(f" for each {e.name.text} in {number(e.low)}..{number(e.high)}" for e in item.each)


def _compare(value: ast.Compare) -> str:
    shown = ""
    for weight, atom in value.terms:
        sign = " - " if weight < 0 else " + " if shown else ""
        factor = "" if abs(weight) == 1 else f"{abs(weight)} "
        shown += f"{sign}{factor}{atom.name.text}"
    shown = shown or "0"
    bound = expression(value.bound) if isinstance(value.bound, ast.Expression) else str(value.bound.value)
    return f"{shown.lstrip()} {value.op} {bound}"


def expression(value: ast.Expression) -> str:
    """A sum of weighted names and of numbers."""
    shown = ""
    for weight, name in value.terms:
        sign = (" - " if shown else "-") if weight < 0 else " + " if shown else ""
        factor = "" if abs(weight) == 1 else f"{abs(weight)} * "
        shown += sign + (str(abs(weight)) if name is None else f"{factor}{name.text}")
    return shown


def _demand(demand: ast.Demand | None) -> str:
    return "" if demand is None else f" {demand.op} {demand.percent.value}%"


def _check(indent: int, check: ast.Check, *, sided: bool = False) -> list[Piece]:
    items = [f"{_item(item, sided=sided)}{_each_of(item)}{_some('', item.sentence)}" for item in check.items]
    under = ""
    if check.faults is not None:
        under = f" under {{ {_names(check.faults)} }}" if check.faults else " under { }"
        under += _some("at_most", check.fault_budget)
    short = f"check {', '.join(items)}{under}"
    if 2 * indent + len(short) <= WIDTH or len(items) == 1:
        return [(indent, short)]
    lines = [f"{item}," for item in items[:-1]] + [items[-1] + under]
    return [(indent, f"check {lines[0]}"), *((indent + 3, line) for line in lines[1:])]


# -- sidecars


def _state(name: ast.Name | ast.Text) -> str:
    return text(name) if isinstance(name, ast.Text) else name.text


def _role(indent: int, role: ast.Role) -> list[Piece]:
    head = f"state {_state(role.state)}" if isinstance(role.state, ast.Text) else role.state.text
    head += _some("as", role.alias) + _some("on", role.service)
    if role.undone:
        given = [f"{_state(u.state)}({u.given.text})" if u.given else _state(u.state) for u in role.undone]
        head += f" undone by {', '.join(given)}"
    if role.fails:
        head += f" fails {_names(role.fails)}"
    return _braced(indent, head, [_option(o) for o in role.options]) if role.options else [(indent, head)]


def _waiver(indent: int, waiver: ast.Waiver) -> list[Piece]:
    at = f" at {_state(waiver.state)}" if waiver.state is not None else ""
    return [(indent, f"waive {waiver.what.text}{at}{_some('', waiver.reason)}{_some('until', waiver.until)}")]


def _annotate(indent: int, annotate: ast.Annotate) -> list[Piece]:
    head = f"annotate{_some('', annotate.path)}{_some('', annotate.machine)} {{"
    if not annotate.parts:
        return [(indent, f"{head} }}")]
    inner: list[Piece] = []
    for part in annotate.parts:
        inner += _check(indent + 1, part, sided=True) if isinstance(part, ast.Check) else [(indent + 1, part)]
    return [(indent, head), *inner, (indent, "}")]


_PIECES: dict[type, Callable[..., list[Piece]]] = {
    ast.Block: lambda indent, block: [(indent, statement) for statement in block.statements],
    ast.Task: _task,
    ast.Step: _step,
    ast.Choice: _choice,
    ast.Either: _either,
    ast.Patch: _patch,
    ast.Again: _again,
    ast.Every: _every,
    ast.Parallel: _parallel,
    ast.Loop: _loop,
    ast.ForEach: _for_each,
    ast.Receive: lambda indent, receive: [(indent, _receive(receive))],
    ast.Publish: lambda indent, publish: [(indent, f"publish {publish.event.text}")],
    ast.Timer: lambda indent, timer: [(indent, f"timer {timer.duration.text}")],
    ast.FirstOf: _first_of,
    ast.Try: _try,
    ast.Raise: lambda indent, raised: [(indent, f"raise {raised.error.text}")],
    ast.Call: _call,
    ast.End: lambda indent, end: [(indent, f"end {end.name.text}")],
    ast.Abandon: lambda indent, abandon: [(indent, f"abandon{_some('', abandon.reason)}")],
    ast.With: lambda indent, within: _block(indent, f"with {within.pool.text}", within.body),
    ast.Acquire: lambda indent, acquire: [(indent, f"acquire {acquire.pool.text}")],
    ast.Release: lambda indent, release: [(indent, f"release {release.pool.text}")],
    ast.Pool: lambda indent, pool: [(indent, f"pool {pool.name.text} {number(pool.size)}")],
    ast.System: lambda indent, system: [(indent, f"system {system.name.text}{_some('', system.title)}")],
    ast.Service: _service,
    ast.Topic: _topic,
    ast.Import: lambda indent, each: [(indent, f"import {text(each.path)}")],
    ast.Parameter: lambda indent, p: [(indent, f"param {p.name.text} = {number(p.value)}")],
    ast.Variable: _variable,
    ast.Process: _process,
    ast.Choreography: _choreography,
    ast.NetDecl: _net,
    ast.MachineDecl: _machine,
    ast.Annotate: _annotate,
    ast.Role: _role,
    ast.SidedEnd: lambda indent, end: [(indent, f"end {_state(end.state)} {end.kind.text}")],
    ast.Waiver: _waiver,
    ast.Check: _check,
}
