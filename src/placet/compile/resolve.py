"""From the tree to the IR: every name resolved, every id given, every policy decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.bodies import Body, Callee
from placet.compile.bounds import Sizes
from placet.compile.check_items import CheckReader
from placet.compile.data import Data, Known, together
from placet.compile.data import declared as variables
from placet.compile.declarations import declarations
from placet.compile.each import MOST_INSTANCES
from placet.compile.findings import Findings, listed, once_each
from placet.compile.flow import ends_of, flow
from placet.compile.machine_decls import as_net, resolve_machine
from placet.compile.names import blocks
from placet.compile.net_decls import resolve_net
from placet.compile.params import filled, parameters
from placet.compile.patches import patched, version
from placet.compile.profiles import override, profile
from placet.compile.runs import alone, check_runs
from placet.compile.signal_decls import Signals
from placet.compile.steps import Steps
from placet.compile.topics import Topics
from placet.compile.vocabulary import Calls, Named, Vocabulary
from placet.ir import model as ir
from placet.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from placet.compile.arrays import Arrays
    from placet.compile.choreographies import Members
    from placet.compile.declarations import Declarations
    from placet.diagnostics import Diagnostic


def resolve(file: ast.File) -> tuple[ir.Model, tuple[Diagnostic, ...]]:
    """Resolve a file. The model holds what could be understood; one with an error among its diagnostics is not verified.

    Linear in the size of the file, but for guesses at misspelt names, of which there is a fixed number.
    """
    findings = Findings()
    file, params, arrays = written_out(file, findings)
    if arrays is not None and findings.diagnostics:  # what else is wrong may be wrong because of it
        return ir.Model(file.source.path, (), (), ()), tuple(findings.diagnostics)
    declared = declarations(file, findings)
    topics = Topics(tuple([item for item in file.items if isinstance(item, ast.Topic)]), findings)
    targets = {name: _targets(process.body, arrays, name) for name, process in declared.processes.items()}
    common = variables(declared.variables, "", {}, findings, params) if declared.variables else {}
    used: set[str] = set()
    known_ = Known(common, used, params, arrays)
    processes, callees, sizes = _processes(declared, targets, known_, topics, findings)
    for process in processes.values():
        check_runs(process, processes, common, findings)
    choreographies: list[ir.Choreography] = []
    system = ""
    if declared.choreographies or topics.topics:
        from placet.compile.choreographies import Choreographies, Members

        resolver = Choreographies(declared, callees, sizes.stepping, known_, topics, findings)
        choreographies = [resolver.resolve(c) for c in declared.choreographies.values()]
        members = Members(processes, choreographies)
        system = _system(declared, members)
        topics.unused()
    nets = {name: resolve_net(net, findings) for name, net in declared.nets.items()}
    machines = tuple(resolve_machine(machine, findings) for machine in declared.machines.values())
    checks: list[ir.Check] = []
    written = [item for item in file.items if isinstance(item, ast.Check)]
    if written:
        called = {
            name: frozenset(t.text for t in _targets(p.body, arrays, name, awaited=True))
            for name, p in declared.processes.items()
        }
        known = {**nets, **{machine.id: as_net(machine) for machine in machines}}
        own = {p.id: {v.name: v for v in p.variables} for p in processes.values() if p.variables}
        subjects = dict(processes)
        using: dict[str, list[str]] = {}
        if declared.choreographies or topics.topics:
            from placet.compile.choreographies import as_processes

            subjects |= as_processes(choreographies)
            for name, written_ in declared.choreographies.items():
                called[name] = frozenset(
                    t.text
                    for m in written_.members
                    for r in m.reactions
                    for t in _targets(r.body, arrays, name, awaited=True)
                )
            using = {topic: members.users(topic) for topic in topics.topics}
            if system:
                called[system] = frozenset(members.sent)
                subjects[system] = ir.Process(system, "system", ir.Sequence(f"{system}{{}}", ()), ())
        reader = CheckReader(
            Vocabulary(subjects, known), Calls(called), findings, Named(common, own, used, params), using, system
        )
        for check in written:
            checks += reader.read(check)
    for item in file.items:
        if isinstance(item, ast.Annotate):  # what they mean is known only with the definition they speak of
            declared.used.update(
                p.service.text for p in item.parts if isinstance(p, ast.Role) and p.service is not None
            )
    _unused(declared, findings)
    _idle([*common.values(), *(v for p in processes.values() for v in p.variables)], used, findings)
    model = ir.Model(
        file.source.path,
        tuple(processes[name] for name in declared.processes),
        tuple(nets.values()),
        tuple(checks),
        declared.title,
        machines,
        tuple(common.values()),
        tuple(topics.topics.values()),
        tuple(choreographies),
        system,
        declared.timings,
    )
    return model, tuple(findings.diagnostics if arrays is None else once_each(findings.diagnostics))


def written_out(file: ast.File, findings: Findings) -> tuple[ast.File, dict[str, int], Arrays | None]:
    """The file with numbers for parameters and members for arrays, which are not filled in where an array is wrong."""
    params: dict[str, int] = {}
    named = file.named or any(isinstance(item, ast.Parameter) for item in file.items)
    if named:
        params = parameters(file, findings)
    arrays = None
    if _has_arrays(file):
        from placet.compile.arrays import Arrays

        arrays = Arrays(params, findings)
        file = arrays.expanded(file)
        if findings.diagnostics:
            return file, params, arrays
    return (filled(file, params, findings) if named else file), params, arrays


def _has_arrays(file: ast.File) -> bool:
    return any(
        "[" in item.span.text or (isinstance(item, ast.Check) and any(i.each for i in item.items))
        for item in file.items
    )


def _system(declared: Declarations, members: Members) -> str:
    """The name of the system, where there is something in it that sends messages to something else in it."""
    if declared.system is None or not (declared.choreographies or members.joined()):
        return ""
    name = declared.system.name.text
    taken = name in declared.processes or name in declared.nets or name in declared.choreographies
    return "" if taken else name


def _targets(body: ast.Block, arrays: Arrays | None, owner: str, *, awaited: bool = False) -> list[ast.Name]:
    """The targets of all calls in a body, in no particular order; `awaited`: without those that are only started."""
    found: list[ast.Name] = []
    pending: list[ast.Statement] = list(body.statements)
    while pending:
        statement = pending.pop()
        if isinstance(statement, ast.Call) and not (awaited and alone(statement)):
            found.append(statement.target)
        for block in blocks(statement):
            if arrays is None or not isinstance(statement, ast.ForEach):
                pending += block.statements
                continue
            for number in range(
                statement.low.value, min(statement.high.value, statement.low.value + MOST_INSTANCES) + 1
            ):
                instance = arrays.instance(block, statement.name.text, number, owner)
                pending += instance.statements
                if instance is block:
                    break
    return found


def _processes(
    declared: Declarations,
    targets: Mapping[str, list[ast.Name]],
    known: Known,
    topics: Topics,
    findings: Findings,
) -> tuple[dict[str, ir.Process], dict[str, Callee], Sizes]:
    """All processes, callees before callers, so that a caller knows the ends of what it calls."""
    callees = {name: Callee(process.kind, None) for name, process in declared.processes.items()}
    found: dict[str, ir.Process] = {}
    sizes = Sizes(found, findings)
    for name in _callees_first(targets, findings):
        process = _process(declared.processes[name], declared, callees, known, topics, findings)
        found[name] = process
        callees[name] = Callee(process.kind, process.ends)
        sizes.add(process)
    return found, callees, sizes


def _callees_first(targets: Mapping[str, list[ast.Name]], findings: Findings) -> list[str]:
    """Depth-first over the calls; a call that closes a circle is reported, once for each circle found."""
    order: list[str] = []
    done: set[str] = set()
    for root in targets:
        if root in done:
            continue
        path: dict[str, None] = {root: None}
        stack: list[tuple[str, Iterable[ast.Name]]] = [(root, iter(targets[root]))]
        while stack:
            name, rest = stack[-1]
            target = next(iter(rest), None)
            if target is None:
                stack.pop()
                path.pop(name)
                done.add(name)
                order.append(name)
            elif target.text in path:
                _circle(list(path), target, findings)
            elif target.text in targets and target.text not in done:
                path[target.text] = None
                stack.append((target.text, iter(targets[target.text])))
    return order


def _circle(path: list[str], target: ast.Name, findings: Findings) -> None:
    circle = path[path.index(target.text) :]
    itself = f"`{target.text}` calls itself"
    message = itself if len(circle) == 1 else f"{listed(circle)} call each other in a circle"
    help_ = "a call waits for its callee to end; write a loop instead"
    findings.add("P211", message, target.span, help=help_)


def _process(
    process: ast.Process,
    declared: Declarations,
    callees: Mapping[str, Callee],
    known: Known,
    topics: Topics,
    findings: Findings,
) -> ir.Process:
    name = process.name.text
    policy = ir.Policy()
    if process.kind == "saga":
        policy = override(profile(process.profile, findings), process.policies, findings)
    steps = Steps(name, declared, findings, together=policy.undoes_together)
    common, used, params, arrays = known
    own = variables(process.variables, f"{name}/", common, findings, params) if process.variables else {}
    patches = patched(process.body) if "patch" in process.span.text else ()
    own |= {f"patch {p}": version(name, p, process.name.span) for p in patches}
    data = Data({**common, **own}, findings, params)
    signals = Signals(process.signals, findings)
    body = Body(process, steps, callees, data, topics, findings, signals, arrays).build()
    used |= data.used
    if data.used:
        together([v for v in data.names.values() if v.id in data.used], name, process.name.span, findings)
    steps.close()
    resolved = ir.Process(name, "saga" if process.kind == "saga" else "workflow", body, (), policy, span=process.span)
    resolved = resolved._replace(variables=tuple(own.values())) if own else resolved
    if known_signals := signals.known():
        resolved = resolved._replace(signals=known_signals)
    if patches:
        resolved = resolved._replace(patches=patches)
    return resolved._replace(ends=ends_of(resolved, flow(resolved)))


def _idle(known: Iterable[ir.Variable], used: set[str], findings: Findings) -> None:
    for variable in known:
        if variable.id not in used:
            message = f"nothing reads or sets `{variable.name}`"
            findings.add("P321", message, variable.span, severity="warning", help="remove it, or use it in a condition")


def _unused(declared: Declarations, findings: Findings) -> None:
    if not declared.processes:  # a file of declarations, which others import
        return
    for name, service in declared.services.items():
        if name not in declared.used:
            message = f"no step and no task is on the service `{name}`"
            findings.add("P302", message, service.name.span, severity="warning", help="remove it, or say who uses it")
