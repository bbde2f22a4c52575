"""Scopes with handlers and retries, calls of other processes, and several instances of one body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile import saga_runs
from placet.compile.env import END, Back, Env, Exit, Forked, Frame, Handled, Ports, Thread, Top, record, timed
from placet.compile.names import NEXT
from placet.compile.phrases import called, next_up
from placet.compile.phrases import done as had
from placet.compile.ports import waits_here
from placet.compile.signals import hearing, opened, taken
from placet.compile.statements import name_of
from placet.compile.threads import finish_thread, new_fork
from placet.compile.values import renewed
from placet.compile.vocabulary import statements
from placet.ir.model import Again
from placet.net.roles import PLAIN, Kind, Role

if TYPE_CHECKING:
    from placet.compile.env import Agenda
    from placet.ir.model import Call, Handler, Process, Repeat, Retry, Scope

EVENT = Role(Kind.EVENT)
TIMER = Role(Kind.TIMER)
TASK = Role(Kind.TASK)


def scope(agenda: Agenda, stmt: Scope, ports: Ports, env: Env) -> None:
    """A body with handlers. Time-outs and events take the token of the body from wherever it is."""
    path = env.path(stmt.id)
    exits = env.exits or {}
    env = env._replace(exits=None)
    beside = [h for h in stmt.handlers if not h.interrupting]
    starts = {}
    for handler in stmt.handlers:
        hpath = env.path(handler.id)
        starts[handler.id] = agenda.place(
            f"{hpath}#start", env, handler.id, f"`{handler.name}` is to be handled", handler.span
        )
    inner = env
    thread = None
    once: list[list[int]] = []
    if any(h.trigger != "error" for h in stmt.handlers):
        thread = Thread()
        if env.thread is not None:
            env.thread.inner.append(thread)
        inner = env._replace(thread=thread)
        for handler in stmt.handlers:
            if handler.trigger != "error":
                armed = _armed(agenda, handler, env) if handler in beside else []
                thread.exits += _fires(agenda, handler, starts[handler.id], env, armed)
                once.append(armed)
    begin = agenda.place(f"{path}#begin", inner, stmt.id, next_up(stmt.body), stmt.span)
    over = ports.done
    names = {h.name for h in stmt.handlers if h.trigger == "error"}
    for retry in stmt.retry:
        names.update(retry.errors or ("*",))
    if names:

        def caught(error: str) -> int:
            return agenda.place(
                f"{path}#caught.{error}", env, stmt.id, f"`{error}` is raised in {called(stmt)}", stmt.span
            )

        handled = Handled(frozenset(names), env.route, caught)
        inner = inner._replace(route=handled)
        counters = [_counter(agenda, stmt, number, retry, env) for number, retry in enumerate(stmt.retry)]
        agenda.later(_finish_scope, stmt, env, handled, starts, begin, counters)
        if thread is not None or env.thread is not None:  # else every way out sets them back
            once += counters
        if any(len(counter) > 1 for counter in counters):
            over = agenda.place(f"{path}#over", inner, stmt.id, had(stmt), stmt.span)
            _forgets(agenda, stmt, env, "over", over, ports.done, counters)
    _enter(agenda, stmt, ports.start, begin, env, once)
    for handler in stmt.handlers:
        done = exits.get(handler.exit, ports.done)
        if not handler.interrupting and (not handler.exit or handler.exit not in exits):
            agenda.report(
                "P403", "error", f"`{handler.name}` interrupts nothing: that is understood only on a node of a graph",
                handler.span, help="let it interrupt the scope, or run its work in a parallel",
            )  # fmt: skip
        agenda.push(handler.body, Ports(starts[handler.id], done), env)
    if thread is not None:
        agenda.later(finish_thread, thread, env)
    agenda.push(stmt.body, Ports(begin, over), inner)


def _armed(agenda: Agenda, handler: Handler, env: Env) -> list[int]:
    """A handler that interrupts nothing fires at most once while its scope runs: records of whether it has."""
    path, word = env.path(handler.id), handler.name
    return [
        record(agenda, f"{path}#armed", env, handler.id, f"`{word}` has not come", handler.span, 1),
        record(agenda, f"{path}#fired", env, handler.id, f"`{word}` has come", handler.span),
    ]


def _fires(agenda: Agenda, handler: Handler, start: int, env: Env, armed: list[int]) -> list[Exit]:
    timeout = handler.trigger == "timeout"
    if timeout:
        agenda.timed = True
    phrase = f"the time of `{handler.name}` is over" if timeout and handler.name else "the time is over"
    if not timeout:
        phrase = f"`{handler.name}` arrives" + (" and interrupts" if handler.interrupting else "")
    label = f"{env.path(handler.id)}#fires"
    role = (TIMER if timeout else EVENT)._replace(says=handler.name)
    pre: tuple[int, ...] = ()
    post: tuple[int, ...] = (start,)
    if armed:
        pre = (armed[0],)
        post = (start, armed[1], *((env.active,) if env.active >= 0 else ()))
    hears = None if timeout else hearing(env, handler.name)
    return [
        Exit(
            f"{label}{suffix}", (*pre, *more), (*post, *given), phrase, handler.id, handler.span, role, handler.id,
            bool(armed), hears,
        )
        for suffix, more, given in ([("", (), ())] if timeout else taken(env, handler.name))
    ]  # fmt: skip


def _counter(agenda: Agenda, stmt: Scope, number: int, retry: Retry, env: Env) -> list[int]:
    """The records of how often a retry rule was used; none where it has no bound."""
    if retry.times is None:
        return []
    path = env.path(stmt.id)
    agenda.bounds[f"{path}#retry[{number}]"] = retry.times
    return [
        record(agenda, f"{path}#retry[{number}].used[{i}]", env, stmt.id, f"retried {i} times", stmt.span, int(i == 0))
        for i in range(retry.times + 1)
    ]


def _enter(agenda: Agenda, stmt: Scope, start: int, begin: int, env: Env, counters: list[list[int]]) -> None:
    """Entering sets every counter back, one after the other."""
    path = env.path(stmt.id)
    phrase = f"{called(stmt)} begins"
    used = [c for c in counters if c]
    for number, counter in enumerate(used):
        last = number == len(used) - 1
        after = begin if last else agenda.place(f"{path}#entering[{number}]", env, stmt.id, phrase, stmt.span)
        for i, place in enumerate(counter):
            name = f"{path}#enter" if len(used) == 1 and i == 0 else f"{path}#enter[{number}.{i}]"
            made = agenda.move(name, (start, place), (after, counter[0]), env, stmt.id, phrase, stmt.span)
            agenda.draft.quiet.add(made)
        start = after
    if not used:
        made = agenda.move(f"{path}#enter", (start,), (begin,), env, stmt.id, phrase, stmt.span)
        agenda.draft.quiet.add(made)


def _forgets(
    agenda: Agenda, stmt: Scope, env: Env, name: str, start: int, after: int, counters: list[list[int]]
) -> None:
    """From `start` to `after`, every counter set back: what is over must not tell runs apart that go on alike."""
    path = env.path(stmt.id)
    phrase = f"the retries of `{name_of(stmt.id)}` are over"
    used = [(number, c) for number, c in enumerate(counters) if len(c) > 1]
    for number, counter in used:
        last = number == used[-1][0]
        label = f"{path}#forget.{name}[{number}]"
        then = after if last else agenda.place(label, env, stmt.id, phrase, stmt.span)
        for i, place in enumerate(counter):
            made = agenda.move(f"{label}.{i}", (start, place), (then, counter[0]), env, stmt.id, phrase, stmt.span)
            agenda.draft.quiet.add(made)
        start = then


def _finish_scope(
    agenda: Agenda,
    stmt: Scope,
    env: Env,
    handled: Handled,
    starts: dict[str, int],
    begin: int,
    counters: list[list[int]],
) -> None:
    """What each error that arrived leads to: a retry, a handler, or further out."""
    for handler in stmt.handlers:  # a handler whose error nobody raises keeps its transition, which can never fire
        if handler.trigger == "error" and not any(_first(stmt, error) is handler for error in handled.arrived):
            handled.arrived.setdefault(handler.name, handled.place(handler.name))
    path = env.path(stmt.id)
    for error, place in list(handled.arrived.items()):
        target = place
        for number, retry in enumerate(stmt.retry):
            if not retry.errors or error in retry.errors or "*" in retry.errors:
                target = _retries(agenda, stmt, env, error, place, begin, counters[number])
                break
        if target < 0:
            continue
        if any(len(counter) > 1 for counter in counters):
            told = agenda.place(f"{path}#told.{error}", env, stmt.id, f"`{error}` is to be handled", stmt.span)
            _forgets(agenda, stmt, env, error, target, told, counters)
            target = told
        first = _first(stmt, error)
        if first is None:
            phrase = f"`{error}` leaves `{name_of(stmt.id)}`"
            agenda.raising(f"{path}#leave.{error}", (target,), error, env, stmt.id, phrase, stmt.span, PLAIN)
            continue
        made = agenda.move(
            f"{env.path(first.id)}#{error}",
            (target,),
            (starts[first.id],),
            env,
            first.id,
            f"`{error}` is handled",
            first.span,
        )
        agenda.draft.quiet.add(made) if error == NEXT else agenda.draft.step(first.id, made)


def _first(stmt: Scope, error: str) -> Handler | None:
    """The handler that catches an error: the first of its name or for any."""
    for handler in stmt.handlers:
        if handler.trigger == "error" and handler.name in (error, "*"):
            return handler
    return None


def _retries(agenda: Agenda, stmt: Scope, env: Env, error: str, place: int, begin: int, counter: list[int]) -> int:
    """The rounds of a retry rule; gives the place of the error when it is used up, or -1."""
    path = env.path(stmt.id)
    phrase = f"`{name_of(stmt.id)}` is tried again after `{error}`"
    if not counter:
        agenda.draft.quiet.add(
            agenda.move(f"{path}#retry.{error}", (place,), (begin,), env, stmt.id, phrase, stmt.span)
        )
        return -1
    for i in range(len(counter) - 1):
        made = agenda.move(
            f"{path}#retry.{error}[{i + 1}]",
            (place, counter[i]),
            (begin, counter[i + 1]),
            env,
            stmt.id,
            phrase,
            stmt.span,
        )
        agenda.draft.quiet.add(made)
    spent = agenda.place(f"{path}#spent.{error}", env, stmt.id, f"`{error}` is not retried any more", stmt.span)
    last = counter[-1]
    made = agenda.move(
        f"{path}#spend.{error}",
        (place, last),
        (spent, last),
        env,
        stmt.id,
        f"`{error}` is not retried any more",
        stmt.span,
    )
    agenda.draft.quiet.add(made)
    return spent


def repeat(agenda: Agenda, stmt: Repeat, ports: Ports, env: Env) -> None:
    """Copies of a body: a parallel in which the copies that are not wanted are done at once."""
    path = env.path(stmt.id)
    most = max(stmt.copies, default=0)
    agenda.bounds[path] = most
    agenda.unjustified = True
    stoppable = env.thread is not None or bool(agenda.survey.of(stmt.body).errors)
    fork = new_fork(agenda, path, most, env, stmt.id, stmt.span) if stoppable and most else None
    starts, dones = [], []
    for i in range(1, most + 1):
        inner = env._replace(suffix=f"{env.suffix}[{i}]")
        if fork is not None:
            thread = fork.ways[i - 1][0]
            inner = inner._replace(thread=thread, route=Forked(fork, thread))
        starts.append(agenda.place(f"{path}#start[{i}]", inner, stmt.id, f"copy {i} begins", stmt.span))
        dones.append(agenda.place(f"{path}#done[{i}]", inner, stmt.id, f"copy {i} is done", stmt.span))
        agenda.push(stmt.body, Ports(starts[-1], dones[-1]), inner)
    held = () if fork is None else (fork.running,)
    serial = stmt.width == 1 and fork is None
    for count in sorted(set(stmt.copies)):
        name = f"{path}#fork[{count}]"
        phrase = f"`{name_of(stmt.id)}` has {count} items"
        if most == 0 or (serial and count == 0):
            after: tuple[int, ...] = (ports.done,)
        elif serial:
            after = (starts[most - count],)
        else:
            after = (*starts[:count], *dones[count:], *held)
        agenda.move(name, (ports.start,), after, env, stmt.id, phrase, stmt.span)
    if serial:
        for i, done in enumerate(dones):
            after = (starts[i + 1],) if i + 1 < most else (ports.done,)
            agenda.move(f"{path}#next[{i + 1}]", (done,), after, env, stmt.id, f"copy {i + 1} is done", stmt.span)
    elif most:
        agenda.move(f"{path}#join", (*dones, *held), (ports.done,), env, stmt.id, "all copies are done", stmt.span)


# -- calls -----------------------------------------------------------------------------------------------------------


def call(agenda: Agenda, stmt: Call, ports: Ports, env: Env) -> None:
    """Another process, copied in. A saga that was called is not stopped half-way: who would stop it waits for its end."""
    path = env.path(stmt.id)
    if stmt.detached:
        words = f"`{env.frame.name}` starts `{stmt.target}`, and does not wait for it"
        agenda.draft.step(
            stmt.id, agenda.move(path, (ports.start,), (ports.done,), env, stmt.id, words, stmt.span, TASK)
        )
        return
    process = agenda.survey.processes.get(stmt.target)
    if process is None or id(stmt) in agenda.survey.recursive:
        made = agenda.move(path, (ports.start,), (ports.done,), env, stmt.id, f"`{stmt.target}` is left out", stmt.span)
        agenda.draft.quiet.add(made)
        return
    frame = Frame(process, path)
    frame.held = env.held
    agenda.later(_finish_call, stmt, ports, env, frame)
    handled = dict(stmt.on)
    for name, body in handled.items():
        start = agenda.place(f"{path}#on.{name}", env, stmt.id, f"`{frame.name}` has ended `{name}`", stmt.span)
        agenda.later(_handle_end, stmt, env, frame, name, start)
        agenda.push(body, Ports(start, ports.done), env)
    enter(agenda, frame, ports.start, env.thread if not agenda.survey.of(stmt).steps else None, env)


def _handle_end(agenda: Agenda, stmt: Call, env: Env, frame: Frame, name: str, start: int) -> None:
    end = agenda.end(frame, name)
    phrase = f"`{env.frame.name}` goes on after `{frame.name}` has ended `{name}`"
    made = agenda.move(f"{frame.path}#after.{name}", (end,), (start,), env, stmt.id, phrase, stmt.span)
    agenda.draft.step(f"{stmt.id}#{name}", made)
    if frame.process.kind == "saga" and name in ("compensated", "failed"):
        agenda.draft.demanded.add(made)


def _finish_call(agenda: Agenda, stmt: Call, ports: Ports, env: Env, frame: Frame) -> None:
    """Ends without a handler: `failed` is an error of the caller, the others go on."""
    if env.thread is not None:
        env.thread.places.extend(frame.ends.values())
    handled = {name for name, _ in stmt.on}
    for name, place in frame.ends.items():
        if name in handled:
            continue
        if name == "failed":
            phrase = f"`{frame.name}` failed in `{env.frame.name}`"
            agenda.raising(f"{frame.path}#failed", (place,), "failed", env, stmt.id, phrase, stmt.span, PLAIN)
            continue
        phrase = f"`{env.frame.name}` goes on after `{frame.name}` has ended `{name}`"
        agenda.move(f"{frame.path}#after.{name}", (place,), (ports.done,), env, stmt.id, phrase, stmt.span)


def enter(agenda: Agenda, frame: Frame, start: int, thread: Thread | None, around: Env | None = None) -> None:
    """The body of a process from a start place to its ends; `around` of what calls it."""
    process = frame.process
    path = frame.path
    saga = process.kind == "saga"
    env = Env(frame, path, process.id, "", Top(frame), thread, held=frame.held)
    if around is not None and around.failed >= 0:  # what is called in a saga is cancelled with that
        frame.top = around.frame.top
        env = env._replace(
            beside=True,
            beyond=around.beyond,
            deaf=around.deaf,
            failed=around.failed,
            overdue=around.overdue,
            clocks=around.clocks,
        )
    runs = any(isinstance(s, Again) for s in statements(process.body))
    if runs and not saga:
        start = _anew(agenda, frame, start, env)
    if process.variables and not (runs and saga) and not (frame.root and frame.again < 0):
        start = renewed(agenda, start, env)
    if process.signals and not (runs and saga):
        start = opened(agenda, start, env)
    span = process.span
    for name in process.ends if not saga else ("completed", "compensated", "failed"):
        agenda.end(frame, name)
    if runs and saga:
        undone, env = _turning(agenda, frame, env)
        saga_runs.enter(agenda, frame, start, env, undone)
        return
    done = agenda.place(f"{path}#done", env, process.id, f"all of `{frame.name}` is done", span)
    name = "completed" if saga else process.done
    ending(agenda, env, process, done, name, f"`{frame.name}` is completed")
    if not saga:
        agenda.push(process.body, Ports(start, done), env)
        return
    undo = agenda.place(f"{path}#undo", env, process.id, f"all of `{frame.name}` is to be undone", span)
    undone, env = _turning(agenda, frame, env)
    facts = agenda.survey.of(process.body)
    waits_here(agenda, env._replace(past=facts.pivot), done, undo if facts.undoable else undone, process.body)
    agenda.push(process.body, Ports(start, done, undo, undone), env)


def _turning(agenda: Agenda, frame: Frame, env: Env) -> tuple[int, Env]:
    """Where a saga is undone, and its surroundings, with the two ends that it may turn back to."""
    process, path, span = frame.process, frame.path, frame.process.span
    undone = agenda.place(
        f"{path}#undone", env, process.id, f"all that `{frame.name}` did is undone, as far as it knows", span
    )
    failed = agenda.place(f"{path}#failed", env, process.id, f"`{frame.name}` has stopped half-way", span)
    ending(agenda, env, process, undone, "compensated", f"`{frame.name}` ends compensated")
    ending(agenda, env, process, failed, "failed", f"`{frame.name}` ends failed")
    env = env._replace(policy=process.policy, failed=failed, route=Back(undone, None), budget=path)
    return undone, timed(env, path, process.policy)


def _anew(agenda: Agenda, frame: Frame, start: int, env: Env) -> int:
    """The place from which each run of a process begins that continues as new."""
    process = frame.process
    words = f"a run of `{frame.name}` begins"
    frame.again = agenda.place(f"{frame.path}#run", env, process.id, words, process.span)
    agenda.draft.quiet.add(
        agenda.move(f"{frame.path}#begins", (start,), (frame.again,), env, process.id, words, process.span)
    )
    return frame.again


def again(agenda: Agenda, stmt: Again, ports: Ports, env: Env) -> None:
    """Back to where a run begins."""
    if env.frame.nested:
        agenda.report(
            "P403", "error", f"`{env.frame.name}` cannot continue as new where a saga calls it: its caller could not undo it", stmt.span,
            help="call it from a workflow, or put what it does into a `loop`",
        )  # fmt: skip
    if env.frame.process.kind == "saga" or env.frame.nested:
        saga_runs.again(agenda, stmt, ports, env)
        return
    words = f"`{env.frame.name}` continues as new"
    agenda.draft.step(
        stmt.id, agenda.move(env.path(stmt.id), (ports.start,), (env.frame.again,), env, stmt.id, words, stmt.span)
    )


def ending(agenda: Agenda, env: Env, process: Process, place: int, name: str, phrase: str) -> None:
    """The last transition of a process: it reaches a named end."""
    end = agenda.end(env.frame, name)
    agenda.move(f"{env.frame.path}#ends.{name}", (place,), (end,), env, process.id, phrase, process.span, END)
