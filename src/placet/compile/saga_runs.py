"""Sagas that continue as new, so many times: a copy of the body for each run, since each has records and undos of its own.

`carrying undo`: a run that turns back and has undone what it did itself goes on backwards in the run before it, where that
had continued. Without it the run before is forgotten: the saga ends compensated, and what that run did stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.env import END, Back, Ports, Runs, Throw, record, throw
from placet.compile.ports import waits_here
from placet.compile.retry_budget import renewed_retries
from placet.compile.signals import opened
from placet.compile.survey import ABANDON
from placet.compile.values import renewed
from placet.compile.vocabulary import statements
from placet.ir.model import Again

if TYPE_CHECKING:
    from placet.compile.env import Agenda, Env, Frame

FORGETS = ", and forgets what there is to undo"  # how the phrase ends where a run hands on no undos


def enter(agenda: Agenda, frame: Frame, start: int, env: Env, undone: int) -> None:
    """All runs of a saga from its start to its ends, of which `failed` and `compensated` are there already."""
    process = frame.process
    written = [s for s in statements(process.body) if isinstance(s, Again)]
    runs = frame.runs = Runs(
        env, undone, 1 + max(s.at_most or 0 for s in written), carry=any(s.carrying for s in written)
    )
    words = f"a run of `{frame.name}` begins"
    frame.again = agenda.place(f"{frame.path}#run", env, process.id, words, process.span)
    agenda.bounds[f"{frame.path}#runs"] = runs.most
    first = _chosen(agenda, frame, env, 1)
    pre, post = (start,), (frame.again, first)
    agenda.draft.quiet.add(agenda.move(f"{frame.path}#begins", pre, post, env, process.id, words, process.span))
    begin = renewed(agenda, frame.again, env) if process.variables else frame.again
    begin = opened(agenda, begin, env) if process.signals else begin
    if (most := process.policy.retry_budget) is not None:
        begin = renewed_retries(agenda, begin, env, most)
    _run(agenda, frame, runs, 1, begin, first, undone)


def _chosen(agenda: Agenda, frame: Frame, env: Env, number: int) -> int:
    """The record that this run is the next one."""
    words = f"run {number} of `{frame.name}` is the one that begins"
    return record(agenda, f"{frame.path}#run[{number}]", env, frame.process.id, words, frame.process.span)


def _run(agenda: Agenda, frame: Frame, runs: Runs, number: int, begin: int, chosen: int, undone: int) -> None:
    """One run, and when all in it is compiled the next one."""
    process, path = frame.process, frame.path
    span = process.span
    suffix = f"[{number}]" if number > 1 else ""
    past = True in runs.past
    env = runs.env._replace(suffix=suffix, route=Back(undone, None), past=past, run=number)
    which = f" in run {number}" if number > 1 else ""
    start = agenda.place(f"{path}#start.run[{number}]", env, process.id, f"run {number} of `{frame.name}` begins", span)
    words = f"run {number} of `{frame.name}` begins"
    agenda.draft.quiet.add(
        agenda.move(f"{path}#begins[{number}]", (begin, chosen), (start,), env, process.id, words, span)
    )
    done = agenda.place(f"{path}#done{suffix}", env, process.id, f"all of `{frame.name}` is done{which}", span)
    undo = agenda.place(f"{path}#undo{suffix}", env, process.id, f"all of `{frame.name}` is to be undone{which}", span)
    words = f"`{frame.name}` is completed{which}"
    end = agenda.end(frame, "completed")
    agenda.move(f"{path}#ends{suffix}.completed", (done,), (end,), env, process.id, words, span, END)
    facts = agenda.survey.of(process.body)
    waits_here(agenda, env._replace(past=past or facts.pivot), done, undo if facts.undoable else undone, process.body)
    runs.past = set()
    if number < runs.most:
        runs.next = _chosen(agenda, frame, runs.env, number + 1)
        runs.back = runs.undone
        if runs.carry:
            words = f"all that `{frame.name}` did in run {number + 1} is undone, as far as it knows"
            runs.back = agenda.place(f"{path}#undone[{number + 1}]", env, process.id, words, span)
        agenda.later(_run, frame, runs, number + 1, begin, runs.next, runs.back)
    agenda.push(process.body, Ports(start, done, undo, undone), env)


def again(agenda: Agenda, stmt: Again, ports: Ports, env: Env) -> None:
    """To the next run, or on, where the saga has continued as often as it may."""
    frame, path = env.frame, env.path(stmt.id)
    runs = frame.runs
    number = env.run
    if runs is None or number > (stmt.at_most or 0):
        words = f"`{frame.name}` has continued as new as often as it may, and goes on"
        made = agenda.move(f"{path}#last", (ports.start,), (ports.done,), env, stmt.id, words, stmt.span)
        agenda.draft.quiet.add(made)
        return
    given: tuple[int, ...] = (frame.again, runs.next)
    words = f"`{frame.name}` continues as new"
    if runs.carry:
        came = record(agenda, f"{path}#continued", env, stmt.id, f"run {number} has continued as new here", stmt.span)
        given = (*given, came)
        back = f"`{frame.name}` goes back to what it did in run {number}"
        if not stmt.carrying:
            back = f"`{frame.name}` knows nothing of what it did in run {number}"
        # what has no step is compiled as in a workflow: there the way back is that of giving up, which no handler takes
        thrown = throw(agenda, env.route, ABANDON) if stmt.carrying else Throw((), (runs.undone,))
        variants = [("", thrown.pre, thrown.post), *([(".later", *thrown.later)] if thrown.later else [])]
        for label, pre, post in variants:
            needs = (runs.back, came, *pre)
            agenda.draft.quiet.add(agenda.move(f"{path}#back{label}", needs, post, env, stmt.id, back, stmt.span))
    words += ", and its undos with it" if stmt.carrying else FORGETS
    agenda.draft.step(stmt.id, agenda.move(path, (ports.start,), given, env, stmt.id, words, stmt.span))
    runs.past.add(env.past and stmt.carrying)
    if len(runs.past) > 1:
        agenda.report(
            "P403", "error", "a point of no return lies behind where one run continues as new, and not where another one does",
            stmt.span, help="let it continue as new at one place, or only behind the pivot",
        )  # fmt: skip
