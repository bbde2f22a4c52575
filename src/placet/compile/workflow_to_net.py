"""A workflow or a saga as a net: the one entrance to what lies beside this module.

Processes that are called are copied in at the call; ids in the copy begin with the path of the call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile import beside, draft, instances, pools, saga_parallel, saga_scopes, saga_to_net, scopes, statements
from placet.compile.call_net import step
from placet.compile.draft import TooLargeError
from placet.compile.env import Agenda, Env, Frame, Top
from placet.compile.graph_to_net import graph
from placet.compile.policy_words import choices
from placet.compile.ports import begins
from placet.compile.survey import Survey, concurrent
from placet.compile.value_table import Values
from placet.compile.values import chosen_first, used_by
from placet.diagnostics import Diagnostic
from placet.evidence import Assumptions
from placet.ir import model as ir

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placet.compile.env import Dispatch
    from placet.compiled import Compiled

PLAIN: Dispatch = {
    ir.Task: statements.task,
    ir.Sequence: statements.sequence,
    ir.Choice: statements.choice,
    ir.Parallel: statements.parallel,
    ir.Loop: statements.loop,
    ir.Receive: statements.waits,
    ir.Publish: statements.publish,
    ir.Timer: statements.waits,
    ir.Race: statements.race,
    ir.Raise: statements.raises,
    ir.End: statements.ends,
    ir.Again: scopes.again,
    ir.Abandon: statements.abandon,
    ir.Scope: scopes.scope,
    ir.Beside: beside.beside,
    ir.Repeat: scopes.repeat,
    ir.Tolerant: instances.tolerant,
    ir.Spare: instances.spare,
    ir.Call: scopes.call,
    ir.With: pools.within,
    ir.Holding: pools.holding,
    ir.Graph: graph,
}

SAGA: Dispatch = {
    ir.Step: step,
    ir.Sequence: saga_to_net.sequence,
    ir.Choice: saga_to_net.choice,
    ir.Parallel: saga_parallel.parallel,
    ir.Loop: saga_to_net.loop,
    ir.Race: saga_to_net.race,
    ir.Scope: saga_scopes.scope,
    ir.Call: saga_scopes.call,
    ir.With: pools.saga_within,
    ir.Repeat: saga_to_net.unsupported,
    ir.Tolerant: instances.saga_tolerant,
    ir.Spare: instances.saga_spare,
    ir.Beside: saga_to_net.unsupported,
    ir.Graph: saga_to_net.unsupported,
}


def process_to_net(
    process: ir.Process, processes: Mapping[str, ir.Process], variables: tuple[ir.Variable, ...] = ()
) -> tuple[Compiled, tuple[Diagnostic, ...]]:
    """The net of a process, without queries and observers. Linear in the size of the net.

    `processes` are those that may be called, by id, `variables` those of the model. A model that unrolls to more than `draft.LIMIT` elements gives an empty net
    and a diagnostic.
    """
    survey = Survey(process, processes)
    known = {v.id: v for v in (*variables, *(v for p in processes.values() for v in p.variables), *process.variables)}
    values = Values(known, used_by(process, processes) if known else set())
    agenda = Agenda(survey, PLAIN, SAGA, begins, values)
    frame = Frame(process, process.id)
    frame.root = True
    try:
        start = agenda.draft.place(
            f"{process.id}#start", process.id, f"`{frame.name}` is about to start", process.span, process.id, tokens=1
        )
        if known:
            start = chosen_first(agenda, start, Env(frame, frame.path, process.id, "", Top(frame)), variables)
        scopes.enter(agenda, frame, start, None)
        agenda.run()
    except TooLargeError:
        what = f"{draft.LIMIT:,} places and transitions"
        if agenda.draft.letters > draft.LETTERS:
            what = f"{draft.LETTERS:,} letters of names"
        large = Diagnostic(
            "P217", "error", f"`{frame.name}` becomes a net of more than {what}", process.span,
            help="lower the bounds of its loops and retries, or call fewer processes within each other",
        )  # fmt: skip
        agenda = Agenda(survey, PLAIN, SAGA, begins, values)
        agenda.diagnostics.append(large)
        frame = Frame(process, process.id)
        agenda.end(frame, "completed")
    assumptions = assumed(agenda)
    many = isinstance(process.body, ir.Graph) and concurrent(process.body)
    compiled = agenda.draft.compiled(process.id, process.kind, tuple(frame.ends.values()), assumptions, any_sink=many)
    return compiled, (*survey.diagnostics, *agenda.diagnostics)


def assumed(agenda: Agenda) -> Assumptions:
    """What a verdict about the net that an agenda made rests on."""
    return Assumptions(
        bounds=tuple(agenda.bounds.items()),
        unjustified_bounds=agenda.unjustified,
        free_guards=tuple(agenda.free_guards),
        decisions=tuple(agenda.decisions),
        time_ignored=agenda.timed,
        choices=tuple(choices(p) for p in reversed(agenda.survey.sagas)),
        guarantees=(
            *dict.fromkeys(f"{s.service}: {g}" for s in agenda.draft.saga_steps for g in s.guarantees),
            *dict.fromkeys(agenda.draft.trusted),
        ),
    )
