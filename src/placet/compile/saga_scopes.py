"""Scopes and calls around saga steps: what failed inside is undone before anything outside hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.env import (
    END,
    Back,
    Env,
    Frame,
    Ports,
    SagaScope,
    Top,
    deafened,
    record,
    shielded,
    timed,
    told_of_time,
)
from placet.compile.findings import head
from placet.compile.interrupts import INTERRUPT, heard, interrupts, raised_by, within
from placet.compile.names import NEXT
from placet.compile.order import callee_steps
from placet.compile.phrases import called, next_up
from placet.compile.ports import waits_here
from placet.compile.saga_to_net import alternative
from placet.compile.scopes import ending
from placet.compile.signals import opened
from placet.compile.statements import name_of
from placet.compile.values import renewed
from placet.compile.vocabulary import statements
from placet.ir.model import Scope, Sequence, Spare, Step, Tolerant
from placet.net.roles import PLAIN
from placet.net.roles import Scope as ScopeRecord

if TYPE_CHECKING:
    from placet.compile.env import Agenda
    from placet.ir.model import Call, Handler, Process, Statement


def scope(agenda: Agenda, stmt: Scope, ports: Ports, env: Env) -> None:
    """A body that fails is undone first; then the handler of its error runs in its place."""
    base = env.path(stmt.id)
    span = stmt.span
    outside = [h for h in stmt.handlers if h.trigger != "error"]
    if stmt.retry:
        agenda.report(
            "P403", "error", "a scope around steps cannot be retried as a whole", span, help="give the steps a `retry`"
        )
    handlers = list(stmt.handlers)
    undone = agenda.place(f"{base}#undone", env, stmt.id, f"`{name_of(stmt.id)}` has failed and is undone", span)
    clear = raised = -1
    if agenda.survey.of(stmt.body).forks:
        clear = record(agenda, f"{base}#clear", env, stmt.id, "no error was raised", span, 1)
        raised = record(agenda, f"{base}#raised", env, stmt.id, "an error was raised", span)

    def remember(error: str) -> int:
        label = error.rpartition("/")[2] or "abandon"
        return record(
            agenda, f"{base}#caught.{label}", env, stmt.id, f"`{name_of(stmt.id)}` turned back: {label}", span
        )

    inner_scope = SagaScope(len(agenda.draft.saga_scopes), env.scope, remember, clear, raised)
    outer = env.scope.number if env.scope is not None else -1
    agenda.draft.saga_scopes.append(ScopeRecord(undone, ports.undone, outer, clear, raised))
    starts = {}
    for handler in handlers:
        path = env.path(handler.id)
        starts[handler.id] = agenda.place(
            f"{path}#start", env, handler.id, f"`{handler.name}` is to be handled", handler.span
        )
    agenda.later(_finish_scope, stmt, ports, env, inner_scope, undone, starts)
    for handler in handlers:
        alternative(agenda, handler.id, handler.span, handler.body, starts[handler.id], ports, env)
    body = stmt.body
    inner = env._replace(scope=inner_scope)
    if outside:
        inner = _interruptible(agenda, stmt, outside, inner, env)
        begin = agenda.place(f"{base}#begin", inner, stmt.id, next_up(stmt.body), span)
        agenda.draft.quiet.add(
            agenda.move(f"{base}#enter", (ports.start,), (begin,), env, stmt.id, f"{called(stmt)} begins", span)
        )
        ports = ports._replace(start=begin)
    if ports.undo == ports.undone:
        agenda.push(body, Ports(ports.start, ports.done, undone, undone), inner)
        return
    quiet = agenda.draft.quiet
    going = record(agenda, f"{base}#going", env, stmt.id, f"`{name_of(stmt.id)}` is not being undone", span, 1)
    asked = record(agenda, f"{base}#asked", env, stmt.id, f"`{name_of(stmt.id)}` was done and is being undone", span)
    taken = record(agenda, f"{base}#taken", env, stmt.id, f"`{name_of(stmt.id)}` was done without a handler", span)
    done = agenda.place(f"{base}#done", env, stmt.id, f"`{name_of(stmt.id)}` is done", span)
    quiet.add(
        agenda.move(f"{base}#leave", (done,), (ports.done, taken), env, stmt.id, f"`{name_of(stmt.id)}` is done", span)
    )
    undo = undone
    if agenda.survey.of(body).undoable:
        undo = agenda.place(f"{base}#undo", env, stmt.id, f"`{name_of(stmt.id)}` is to be undone", span)
    back = f"`{env.frame.name}` goes back through `{name_of(stmt.id)}`"
    quiet.add(agenda.move(f"{base}#back", (ports.undo, taken, going), (undo, asked), env, stmt.id, back, span))
    quiet.add(agenda.move(f"{base}#backed", (undone, asked), (ports.undone, asked), env, stmt.id, back, span))
    agenda.push(body, Ports(ports.start, done, undo, undone), inner)


def _interruptible(agenda: Agenda, stmt: Scope, outside: list[Handler], inner: Env, env: Env) -> Env:
    """The surroundings of a body that signals and time-outs interrupt."""
    for statement in statements(stmt.body) if agenda.survey.of(stmt.body).forks else ():
        if isinstance(statement, Spare) and agenda.survey.of(statement).steps:
            agenda.report(
                "P403", "error", "what interrupts one of several ways with instances that may fail might be heard of too late, behind what another way does",
                head(outside[0].span), help="let the instances follow each other, leave `tolerate` out, or put the `try` into the block of the instances",
            )  # fmt: skip
            return inner
    if env.policy is not None and env.policy.siblings == "abandon" and agenda.survey.of(stmt.body).forks:
        agenda.report(
            "P403", "error", "what interrupts ways would reach those too that `siblings abandon` has left alone, when the scope is left",
            head(outside[0].span), help="say `siblings await`, or put the `try` into the ways",
        )  # fmt: skip
    for handler in outside:
        box = env.frame.mailboxes.get(handler.name)
        if handler.trigger == "event" and box is not None and not box.kept:
            agenda.report(
                "P403", "error", f"whether `{handler.name}` comes too early cannot be told where it interrupts steps",
                head(handler.span), help="leave its declaration out, or receive it `buffered`",
            )  # fmt: skip
        agenda.timed = agenda.timed or handler.trigger == "timeout"
    words = f"nothing has interrupted `{name_of(stmt.id)}`"
    armed = heard(record(agenda, f"{env.path(stmt.id)}#uninterrupted", env, stmt.id, words, stmt.span, 1), outside)
    around = [(armed, outside, env), *agenda.scopes_heard.get(env.heard[-1].armed if env.heard else -1, ())]
    agenda.scopes_heard[armed.armed] = around
    agenda.interrupting[armed.armed] = lambda its, outer, plain, undone: within(its, outer, plain, undone, around)
    agenda.later(interrupts, outside, armed, env)
    return inner._replace(heard=(*env.heard, armed))


def _finish_scope(
    agenda: Agenda, stmt: Scope, ports: Ports, env: Env, scope: SagaScope, undone: int, starts: dict[str, int]
) -> None:
    """What each error that made the body turn back leads to: a handler, or further back."""
    handlers = list(stmt.handlers)
    for handler in handlers:
        if not any(_handles(handler, e) for e in scope.arrived):
            scope.mark(raised_by(handler) if handler.trigger != "error" else handler.name)
    back = env._replace(route=Back(ports.undone, env.scope))
    flag = (scope.raised,) if scope.raised >= 0 else ()
    # a way that nobody looks after may fail when the scope is left
    stays = flag if env.policy is not None and env.policy.siblings == "abandon" else ()
    for error, mark in list(scope.arrived.items()):
        first = next((h for h in handlers if _handles(h, error)), None)
        if first is None:
            label = error.rpartition("/")[2] or "abandon"
            phrase = f"`{env.frame.name}` goes further back"
            found = agenda.raising(
                f"{env.path(stmt.id)}#leave.{label}",
                (undone, mark, *flag),
                error,
                back,
                stmt.id,
                phrase,
                stmt.span,
                PLAIN,
                stays,
            )
            agenda.draft.quiet.update(found)
            continue
        named = f"#{error}" if first.trigger == "error" else "#handled"
        made = agenda.move(
            f"{env.path(first.id)}{named}", (undone, mark, *flag), (starts[first.id], *stays), env, first.id,
            f"`{first.name if first.trigger != 'error' else error}` is handled", first.span,
        )  # fmt: skip
        if first.trigger == "error" and error != NEXT:
            agenda.draft.step(first.id, made)
        else:
            agenda.draft.quiet.add(made)


def _handles(handler: Handler, error: str) -> bool:
    if handler.trigger != "error":
        return error == raised_by(handler)
    return handler.name == error or (handler.name == "*" and bool(error) and not error.startswith(INTERRUPT))


def call(agenda: Agenda, stmt: Call, ports: Ports, env: Env) -> None:
    """Another process with steps. What it completed is undone with its caller; what it undid itself is an end of its."""
    path = env.path(stmt.id)
    frame = Frame(agenda.survey.processes[stmt.target], path)
    frame.nested = True
    frame.held = env.held
    entry = ports.undone
    if ports.undo != ports.undone and agenda.survey.of(frame.process.body).undoable:
        entry = agenda.place(
            f"{path}#caller.undo", env, stmt.id, f"`{frame.name}` is to be undone as a whole", stmt.span
        )
    agenda.later(_finish_call, stmt, ports, env, frame, entry)
    for name, body in stmt.on:
        start = agenda.place(f"{path}#on.{name}", env, stmt.id, f"`{frame.name}` has ended `{name}`", stmt.span)
        agenda.later(_after, stmt, env, frame, name, start)
        undone, its = ports.undone, env
        if name not in ("compensated", "failed"):
            past = env.past or agenda.survey.of(frame.process.body).pivot
            undone = entry
            its = env._replace(before=callee_steps(agenda.survey, stmt, env.stands, env.before), past=past)
        alternative(agenda, f"{stmt.id}#{name}", stmt.span, body, start, ports._replace(undone=undone), its)
    _enter(agenda, frame, stmt, ports, entry, env)


def _enter(agenda: Agenda, frame: Frame, stmt: Call, ports: Ports, entry: int, env: Env) -> None:
    """The body of a callee. Turned back by itself it ends `compensated`; undone by its caller it goes back with it."""
    process, path = frame.process, frame.path
    own = process.kind == "saga"
    span = process.span
    awaited = env.policy is not None and env.policy.children == "await"
    frame.top = env.frame.top
    inner = Env(
        frame, path, process.id, "", Top(frame), None, process.policy if own else env.policy,
        past=env.past and not own, beyond=env.past or env.beyond, before=env.before, beside=True, deaf=deafened(env) if own else env.deaf or awaited,
        held=env.held, stops=() if awaited or env.past else env.stops,
        budget=path if own else env.budget, overdue=told_of_time(env) if own else () if awaited else env.overdue,
        clocks=env.clocks, unasked=env.unasked,
    )  # fmt: skip
    for name in ("completed", "compensated", "failed") if own else process.ends:
        agenda.end(frame, name)
    done = agenda.place(f"{path}#done", inner, process.id, f"all of `{frame.name}` is done", span)
    undone = agenda.place(
        f"{path}#undone", inner, process.id, f"all that `{frame.name}` did is undone, as far as it knows", span
    )
    failed = agenda.place(f"{path}#failed", inner, process.id, f"`{frame.name}` has stopped half-way", span)
    ending(agenda, inner, process, done, "completed", f"`{frame.name}` is completed")
    turned = "compensated" if own else "failed"
    undo, going = undone, -1
    words = f"`{frame.name}` ends failed"
    if entry == ports.undone:
        ending(agenda, inner, process, failed, "failed", words)
        ending(agenda, inner, process, undone, turned, f"`{frame.name}` turns back")
    else:
        undo = agenda.place(f"{path}#undo", inner, process.id, f"all of `{frame.name}` is to be undone", span)
        going = record(agenda, f"{path}#going", env, stmt.id, f"nobody has asked to undo `{frame.name}`", span, 1)
        asked = record(
            agenda, f"{path}#asked", env, stmt.id, f"`{env.frame.name}` has asked to undo `{frame.name}`", span
        )
        back = f"`{env.frame.name}` undoes `{frame.name}`"
        quiet = agenda.draft.quiet
        quiet.add(agenda.move(f"{path}#back", (entry, going), (undo, asked), env, stmt.id, back, stmt.span))
        over = f"`{frame.name}` is undone"
        quiet.add(agenda.move(f"{path}#backed", (undone, asked), (ports.undone, asked), env, stmt.id, over, stmt.span))
        end = agenda.end(frame, "failed")
        agenda.move(f"{path}#ends.failed", (failed, going), (end, going), inner, process.id, words, span, END)
        words = f"`{env.frame.name}` fails, since `{frame.name}`, which it undoes, has stopped half-way"
        fails = (env.failed, asked)
        quiet.add(agenda.move(f"{path}#stopped", (failed, asked), fails, inner, process.id, words, span))
        end = agenda.end(frame, turned)
        words = f"`{frame.name}` ends {turned}"
        name = f"{path}#ends.{turned}" if own else f"{path}#ends.turned"
        agenda.move(name, (undone, going), (end, going), inner, process.id, words, span, END)
    inner = shielded(env, inner._replace(failed=failed, route=Back(undone, None)), going)
    if own:
        inner = timed(inner, path, process.policy, going)
    pivot = agenda.survey.of(process.body).pivot
    waits_here(agenda, inner._replace(past=inner.past or pivot), done, undo, process.body)
    start = renewed(agenda, ports.start, inner) if process.variables else ports.start
    start = opened(agenda, start, inner) if process.signals else start
    if own and start == ports.start and _begins_by_itself(process):
        start = agenda.place(f"{path}#begun", inner, process.id, next_up(process.body), span)
        words = f"`{frame.name}` begins"
        agenda.draft.quiet.add(agenda.move(f"{path}#begins", (ports.start,), (start,), env, stmt.id, words, stmt.span))
    agenda.push(process.body, Ports(start, done, undo, undone), inner)


def _begins_by_itself(process: Process) -> bool:
    """Whether the moment before the first request is one of the callee, not of its caller.

    It is where the undo is noted by then, or where that is the moment too before the step is asked for once more.
    """
    first: Statement = process.body
    while not isinstance(first, Step):
        if isinstance(first, Sequence) and first.parts:
            first = first.parts[0]
        elif isinstance(first, Tolerant | Spare) or (
            isinstance(first, Scope) and all(h.trigger == "error" for h in first.handlers)
        ):
            first = first.body
        else:
            return False
    policy = process.policy
    insists = first.retriable or first.pivot
    return insists or (policy is not None and (policy.on_unknown == "retry" or policy.register == "submit"))


def _after(agenda: Agenda, stmt: Call, env: Env, frame: Frame, name: str, start: int) -> None:
    end = agenda.end(frame, name)
    phrase = f"`{env.frame.name}` goes on after `{frame.name}` has ended `{name}`"
    made = agenda.move(f"{frame.path}#after.{name}", (end,), (start,), env, stmt.id, phrase, stmt.span)
    agenda.draft.step(f"{stmt.id}#{name}", made)
    if frame.process.kind == "saga" and name in ("compensated", "failed"):
        agenda.draft.demanded.add(made)


def _finish_call(agenda: Agenda, stmt: Call, ports: Ports, env: Env, frame: Frame, entry: int) -> None:
    """Ends without a handler: `failed` fails the caller too, `compensated` turns it back, the others go on."""
    handled = {name for name, _ in stmt.on}
    back = env._replace(route=Back(ports.undone, env.scope))
    saga = frame.process.kind == "saga"
    for name, place in frame.ends.items():
        if name in handled:
            continue
        if name == ("compensated" if saga else "failed"):
            phrase = f"`{env.frame.name}` turns back, as `{frame.name}` did"
            agenda.raising(f"{frame.path}#turned", (place,), name, back, stmt.id, phrase, stmt.span, PLAIN)
        elif name == "failed":
            phrase = f"`{env.frame.name}` fails, as `{frame.name}` did"
            role = PLAIN._replace(commits=True)
            agenda.move(f"{frame.path}#after.failed", (place,), (env.failed,), env, stmt.id, phrase, stmt.span, role)
        else:
            phrase = f"`{env.frame.name}` goes on after `{frame.name}` has ended `{name}`"
            if ports.undo == ports.undone:
                agenda.move(f"{frame.path}#after.{name}", (place,), (ports.done,), env, stmt.id, phrase, stmt.span)
                continue
            taken = record(
                agenda, f"{frame.path}#{name}.taken", env, stmt.id, f"`{frame.name}` had ended `{name}`", stmt.span
            )
            agenda.move(f"{frame.path}#after.{name}", (place,), (ports.done, taken), env, stmt.id, phrase, stmt.span)
            words = f"`{env.frame.name}` goes back over `{frame.name}`"
            pre = (ports.undo, taken)
            agenda.draft.quiet.add(
                agenda.move(f"{frame.path}#{name}.back", pre, (entry,), env, stmt.id, words, stmt.span)
            )
