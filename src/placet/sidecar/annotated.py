"""An annotated definition compiled: the net of the definition as it is, and the one in which its steps are calls.

What is asked of the flow (can it end, can every state happen) is asked of the definition as it is, where anything may
fail at any time, so that the answers are those that the definition gets by itself. What is asked about effects, or about
what happens in a run, is asked of the calls, under faults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.check import STANDARD
from placet.analysis.questions import about_calls
from placet.compile.check_items import CheckReader
from placet.compile.checks import with_queries
from placet.compile.findings import Findings, head, listed
from placet.compile.resolve import written_out
from placet.compile.sited_calls import Sited, with_calls
from placet.compile.vocabulary import Calls, Named, Vocabulary
from placet.diagnostics import Diagnostic
from placet.formats.asl import reader, services
from placet.formats.asl.bounds import fitted
from placet.formats.asl.calls import Element, elements, free_failures, sites
from placet.ir import model as ir
from placet.net.roles import PLAIN, Kind
from placet.sidecar.opening import opened
from placet.sidecar.order import follows
from placet.sidecar.roles import Reader, Roles
from placet.sidecar.states import States
from placet.sidecar.waivers import waived, without_waived
from placet.syntax import ast
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from placet.compiled import Compiled, Query
    from placet.formats.asl.documents import Definition
    from placet.formats.asl.machine import Machine
    from placet.formats.data_tree import Limits
    from placet.net.roles import Role as Part
    from placet.source import SourceFile


class Known(NamedTuple):
    """One annotated machine, understood."""

    source: SourceFile
    definition: Definition
    machine: Machine
    limits: Limits
    roles: Roles


class Around(NamedTuple):
    """What the rest of the file declares."""

    services: tuple[ast.Service, ...]
    params: dict[str, int]


class Found(NamedTuple):
    """What the sidecars of a file come to."""

    compiled: tuple[Compiled, ...]
    diagnostics: tuple[Diagnostic, ...]


def compile_all(file: ast.File) -> Found:
    """Every `annotate` of a file, in its order. Raises nothing, whatever the definitions say."""
    file, around = _around(file)
    compiled: list[Compiled] = []
    diagnostics: list[Diagnostic] = []
    seen: dict[tuple[str, str], ast.Annotate] = {}
    for item in file.items:
        if isinstance(item, ast.Annotate):
            found, problems = _one(item, around, seen)
            compiled += found
            diagnostics += problems
    return Found(tuple(compiled), tuple(diagnostics))


def _around(file: ast.File) -> tuple[ast.File, Around]:
    """The file with parameters and arrays written out, and what its sidecars may speak of. What is wrong with it `resolve` says."""
    file, params, _ = written_out(file, Findings())
    return file, Around(tuple([item for item in file.items if isinstance(item, ast.Service)]), params)


def known(file: ast.File, subject: str) -> Known | None:
    """The annotated machine of that name; None where the file has none, or it is broken."""
    file, around = _around(file)
    for item in file.items:
        if not isinstance(item, ast.Annotate):
            continue
        source, _ = opened(item.path)
        machines, problems = reader.definitions(source) if source is not None else ([], [])
        findings = Findings()
        chosen = None if any(d.severity == "error" for d in problems) else _chosen(item, machines, findings)
        if source is None or chosen is None or chosen[0].name != subject:
            continue
        roles = _roles(item, list(elements(subject, chosen[1])), subject, around.services, findings)[0]
        return None if any(d.severity == "error" for d in findings.diagnostics) else Known(source, *chosen, roles)
    return None


def calls_of(found: Known) -> Compiled | None:
    """The calls of an annotated machine; None where they cannot be made."""
    name, machine = found.definition.name, found.machine
    every = list(elements(name, machine))
    at = {element.path: element for element in every}
    roles = found.roles._replace(
        steps=tuple(
            role._replace(does=at[role.does.path], undoes=tuple(at[undo.path] for undo in role.undoes))
            for role in found.roles.steps
        )
    )
    made, _ = reader.net_of(found.source, name, machine, found.limits, bounds=fitted(machine), ends=dict(roles.ends))
    return None if made is None else _calls(made, roles, every, Findings())


def _roles(
    annotate: ast.Annotate, every: Sequence[Element], machine: str, outer: Sequence[ast.Service], findings: Findings
) -> tuple[Roles, States]:
    """What the lines of a sidecar say, and its states by name."""
    states = States(machine, every, findings)
    own = [part for part in annotate.parts if isinstance(part, ast.Service)]
    return Reader(states, annotate.span.source, [*outer, *own], findings).read(annotate), states


def _one(
    annotate: ast.Annotate, around: Around, seen: dict[tuple[str, str], ast.Annotate]
) -> tuple[list[Compiled], list[Diagnostic]]:
    """One `annotate`."""
    source, unread = opened(annotate.path)
    if source is None:
        return [], list(unread)
    from placet.formats.registry import find

    form = find(source)
    if isinstance(form, Diagnostic) or form.name != "asl":
        known = form.message if isinstance(form, Diagnostic) else f"it is {form.title}"
        message = f"`{annotate.path.text}` cannot be annotated: {known}"
        hint = "a sidecar speaks of a definition of AWS Step Functions"
        return [], [Diagnostic("P802", "error", message, annotate.path.span, help=hint)]
    machines, problems = reader.definitions(source)
    if any(d.severity == "error" for d in problems):
        return [], problems
    findings = Findings()
    chosen = _chosen(annotate, machines, findings)
    if chosen is None:
        return [], [*problems, *findings.diagnostics]
    if seen.setdefault((source.path, chosen[0].name), annotate) is not annotate:
        message = f"`{chosen[0].name}` of `{annotate.path.text}` is annotated already"
        findings.add("P805", message, annotate.path.span, help="write it in one place")
        return [], list(findings.diagnostics)
    made, more = _compiled(annotate, source, chosen, around, findings)
    return made, [*problems, *more]


def _chosen(
    annotate: ast.Annotate, machines: list[tuple[Definition, Machine, Limits]], findings: Findings
) -> tuple[Definition, Machine, Limits] | None:
    """The machine that is meant."""
    names = {definition.name: number for number, (definition, _, _) in enumerate(machines)}
    if annotate.machine is None:
        if len(machines) == 1:
            return machines[0]
        message = f"`{annotate.path.text}` holds {len(machines)} state machines"
        help_ = f'name one of {listed(names)}: `annotate "{annotate.path.text}" {next(iter(names), "NAME")} {{`'
        findings.add("P802", message, annotate.path.span, help=help_)
        return None
    name = annotate.machine
    if name.text not in names:
        help_ = findings.meant(name.text, names, f"there is {listed(names)}")
        findings.add("P803", f"`{annotate.path.text}` has no machine `{name.text}`", name.span, help=help_)
        return None
    return machines[names[name.text]]


def _compiled(
    annotate: ast.Annotate,
    source: SourceFile,
    chosen: tuple[Definition, Machine, Limits],
    around: Around,
    findings: Findings,
) -> tuple[list[Compiled], list[Diagnostic]]:
    definition, machine, limits = chosen
    every = list(elements(definition.name, machine))
    roles, states = _roles(annotate, every, definition.name, around.services, findings)
    waivers = [
        w
        for part in annotate.parts
        if isinstance(part, ast.Waiver) and (w := waived(part, states, findings)) is not None
    ]
    written = [part for part in annotate.parts if isinstance(part, ast.Check)]
    checks = _checks(written, definition.name, every, roles, around.params, findings)
    if any(d.severity == "error" for d in findings.diagnostics):
        return [], list(findings.diagnostics)
    bounds = fitted(machine)
    made, found = reader.net_of(source, definition.name, machine, limits, bounds=bounds, ends=dict(roles.ends))
    told = [*found, *_without_role(annotate, every, roles)]
    diagnostics = [*findings.diagnostics, *without_waived(tuple(told), waivers)]
    if made is None:
        return [], diagnostics
    called = _calls(made, roles, every, findings)
    if any(d.severity == "error" for d in findings.diagnostics):
        return [], list(findings.diagnostics)
    plain, problems = _asked(made.finished, called, checks, roles)
    living = tuple((w.what, f"until {w.until}: {w.reason}") for w in waivers)
    return [plain._replace(waived=living)], [*diagnostics, *problems]


def _checks(
    written: Sequence[ast.Check],
    machine: str,
    every: Sequence[Element],
    roles: Roles,
    params: dict[str, int],
    findings: Findings,
) -> list[ir.Check]:
    """The checks of the sidecar, whose names are those of the states."""
    steps = {role.does.path: role.step for role in roles.steps}
    parts: list[ir.Statement] = []
    for element in every:
        name = roles.names.get(element.path, element.name)
        step = steps.get(element.path)
        parts.append(step if step is not None else ir.Task(element.path, name))
        if name != element.name:
            parts.append(ir.Task(element.path, element.name) if step is None else step._replace(name=element.name))
    ends = tuple(dict.fromkeys(("succeeded", "failed", *roles.ends.values())))
    process = ir.Process(machine, "saga", ir.Sequence(f"{machine}{{}}", tuple(parts)), ends)
    check_reader = CheckReader(
        Vocabulary({machine: process}, {}), Calls({machine: frozenset()}), findings, Named({}, {}, set(), params)
    )
    return [found for check in written for found in check_reader.read(check)]


def _without_role(annotate: ast.Annotate, every: Sequence[Element], roles: Roles) -> list[Diagnostic]:
    """A note that counts the tasks of which nothing is known."""
    known = {role.does.path for role in roles.steps} | {undo.path for role in roles.steps for undo in role.undoes}
    known |= roles.escalates
    names = without_role(every, known)
    if not names:
        return []
    one = len(names) == 1
    message = f"{len(names)} {'task has' if one else 'tasks have'} no role: {listed(names)}"
    note = "what has no role is taken to change nothing, and not to fail, wherever faults or effects are looked at"
    help_ = "say what it is: `NAME on SERVICE`, `undone by`, or `{ read_only }`"
    return [Diagnostic("P811", "note", message, head(annotate.span), notes=(note,), help=help_)]


def without_role(every: Iterable[Element], known: set[str]) -> list[str]:
    """The tasks that are none of these, and change something as far as their name says."""
    return [
        e.name for e in every if e.state.kind == "Task" and e.path not in known and not services.reads_only(e.state)
    ]


def _calls(made: reader.Made, roles: Roles, every: Sequence[Element], findings: Findings) -> Compiled:
    """The net in which the steps are calls, and where `done` of a state means that its work is."""
    base = made.compiled
    bounds = made.builder.bounds
    sited: list[Sited] = []
    sends: set[str] = set()
    before = follows(every, [role.does.path for role in roles.steps])
    rank = {path: number for number, path in enumerate(before)}
    for role in sorted(roles.steps, key=lambda role: rank[role.does.path]):
        sends.update(e.path for e in (role.does, *role.undoes))
        undoes = [sites(base, undo, bounds) for undo in role.undoes]
        found_sites = sites(base, role.does, bounds, role.fails)
        if not found_sites:
            message = f"`{role.does.name}` never happens in any item that is looked at, so it can be no step"
            findings.add("P804", message, role.line.span, help="leave out its role")
        for suffix, site in found_sites.items():
            back = [found[suffix] if suffix in found else found.get("") for found in undoes]
            missing = next((u for u, b in zip(role.undoes, back, strict=True) if b is None), None)
            if missing is not None or (suffix == "" and any("" not in found for found in undoes)):
                name = (missing or role.undoes[0]).name
                message = f"`{role.does.name}` and `{name}` do not happen equally often, as items of a Map"
                help_ = "let the undo happen in a Map of its own, item by item, or undo in the Map itself"
                findings.add("P804", message, role.line.span, help=help_)
                continue
            if suffix and any("" in found for found in undoes):
                message = f"`{role.does.name}` happens for each item of a Map, and what undoes it once for all"
                findings.add("P804", message, role.line.span, help="undo each item by itself, in a Map or inside it")
                continue
            earlier = tuple(path + suffix for path in before[role.does.path])
            sited.append(Sited(role.step, site, tuple(b for b in back if b is not None), earlier))
    acts = enumerate(zip(base.roles.transitions, base.origin.transitions, strict=True))
    idle = [t for t, (r, o) in acts if r.kind is Kind.TASK and o.event is None]
    base = base._replace(quiet=base.quiet.union(idle))
    base = base._replace(steps=_done(base, sends), roles=base.roles._replace(transitions=_escalating(base, roles)))
    if not sited:
        return base
    return with_calls(base, sited, free_failures(base, every), made.process)


def _done(base: Compiled, calls: set[str]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """By state the transitions by which its work is done."""
    found: dict[str, list[int]] = {}
    for t, origin in enumerate(base.origin.transitions):
        kind = origin.event.kind if origin.event is not None else ""
        if kind in ("succeeded", "failed", "timed_out") if origin.id in calls else kind == "exited":
            if kind in ("succeeded", "exited"):
                found.setdefault(origin.id, []).append(t)
        elif kind == "raised" or (kind == "execution_failed" and origin.event is not None and origin.event.element):
            found.setdefault(origin.id, []).append(t)
    return tuple((name, tuple(ts)) for name, ts in found.items())


def _escalating(base: Compiled, roles: Roles) -> tuple[Part, ...]:
    """The roles of transitions, with those by which the case is handed to a person."""
    found = [
        PLAIN if r.kind is Kind.TASK and o.event is None else r
        for r, o in zip(base.roles.transitions, base.origin.transitions, strict=True)
    ]
    over = {p for p in base.final.ends if base.net.places[p].endswith("#end.escalated")}
    for t, origin in enumerate(base.origin.transitions):
        kind = origin.event.kind if origin.event is not None else ""
        handed = origin.id in roles.escalates and kind in ("succeeded", "exited")
        if handed or any(p in over for p, _ in base.net.post[t]):
            found[t] = found[t]._replace(escalates=True)
    return tuple(found)


def _asked(
    plain: Compiled, called: Compiled, checks: list[ir.Check], roles: Roles
) -> tuple[Compiled, tuple[Diagnostic, ...]]:
    """Both nets with the queries each is asked; the plain one lists them all, in the order of the text."""
    subject = plain.subject
    if not checks:
        names = [*STANDARD["workflow"], *(["coverage"] if roles.steps else [])]
        checks = [ir.Check(name, subject, f"{name}({subject})") for name in names]
    amounts = {role.step.id: role.step.amounts for role in roles.steps if role.step.amounts}
    of_flow = tuple(c for c in checks if not _about_calls(c))
    of_calls = tuple(c for c in checks if _about_calls(c))
    queries: dict[int, Query] = {}
    problems: list[Diagnostic] = []
    for asked, net in ((of_flow, plain), (of_calls, called)):
        made, found = with_queries(net, asked, frozenset((subject,)), amounts)
        problems += found
        good = [c for c in asked if c.span is None or c.span not in {d.span for d in found}]
        queries.update((id(c), q) for c, q in zip(good, made.queries, strict=True))
        if net is called:
            called = made._replace(queries=())
    return plain._replace(called=called, queries=tuple(queries[id(c)] for c in checks if id(c) in queries)), tuple(
        problems
    )


def _about_calls(check: ir.Check) -> bool:
    return check.formula is not None or about_calls(check.check)
