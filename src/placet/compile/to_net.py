"""A model to nets: one `Compiled`, with its queries, for every subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.checks import with_queries
from placet.compile.vocabulary import Calls, statements
from placet.ir import model as ir

if TYPE_CHECKING:
    from placet.compile.joint_to_net import Part
    from placet.compiled import Compiled
    from placet.diagnostics import Diagnostic


def compile_model(model: ir.Model) -> tuple[tuple[Compiled, ...], tuple[Diagnostic, ...]]:
    """The subjects of a model: what its checks name; without checks every net and every process that none calls.

    Linear in the size of the nets; the queries are not yet woven with faults.
    """
    asked: dict[str, list[ir.Check]] = {}
    for check in model.checks:
        asked.setdefault(check.subject, []).append(check)
    joint: dict[str, Part] = {}
    if model.choreographies or model.system:
        from placet.compile.joint_to_net import joins, parts
        from placet.compile.joint_to_net import joint as joint_to_net

        joint = {part.subject: part for part in parts(model)}
        if not asked and not joins(model):
            joint.pop(model.system, None)
    subjects = frozenset(asked or (*uncalled(model), *joint))
    processes = {p.id: p for p in model.processes}
    sagas = frozenset(p.id for p in model.processes if p.kind == "saga")
    amounts = {
        s.id: s.amounts
        for p in model.processes
        if p.kind == "saga"
        for s in statements(p.body)
        if isinstance(s, ir.Step) and s.amounts
    }
    timed_steps = _timed_steps(model)
    variables = {v.id: v for v in (*model.variables, *(v for p in model.processes for v in p.variables))}
    nets = {n.id: n for n in model.nets}
    machines = {m.id: m for m in model.machines}
    compiled: list[Compiled] = []
    diagnostics: dict[Diagnostic, None] = {}  # a process that is called twice has its problems once
    for subject in [s for s in (*processes, *nets, *machines, *joint) if s in subjects]:
        if subject in joint:
            made, problems = joint_to_net(joint[subject], model)
        elif subject in processes:
            from placet.compile.workflow_to_net import process_to_net

            made, problems = process_to_net(processes[subject], processes, model.variables)
        elif subject in machines:
            from placet.compile.machine_to_net import machine_to_compiled

            made, problems = machine_to_compiled(machines[subject]), ()
        else:
            from placet.compile.plain_net import net_to_compiled

            made, problems = net_to_compiled(nets[subject]), ()
        if model.timings or timed_steps:
            from placet.compile.timing import timed

            made = timed(made, model, timed_steps)
        made, unasked = with_queries(made, tuple(asked[subject]) if asked else None, sagas, amounts, variables)
        compiled.append(made)
        diagnostics.update(dict.fromkeys((*problems, *unasked)))
    return tuple(compiled), tuple(diagnostics)


def _timed_steps(model: ir.Model) -> dict[str, ir.Step]:
    """The steps that pause between their attempts, by id."""
    bodies = [p.body for p in model.processes]
    return {s.id: s for body in bodies for s in statements(body) if isinstance(s, ir.Step) and s.backoff}


def uncalled(model: ir.Model) -> list[str]:
    """The processes that no other one calls, the nets and the state machines."""
    targets = {
        p.id: frozenset(s.target for s in statements(p.body) if isinstance(s, ir.Call) and not s.detached)
        for p in model.processes
    }
    return [*Calls(targets).uncalled(), *(n.id for n in model.nets), *(m.id for m in model.machines)]
