"""Statements around saga steps: nets with four ports, so that going back costs as much as going on.

`start` -> `done`, and backwards `undo` ("compensate me, I had completed") -> `undone` ("my effects are reversed, go on
backwards"). A statement that fails first undoes what it had done itself and then puts its token on its own `undone`
port. So `S1; S2` joins `S2.undone` with `S1.undo`, and the size stays linear in the number of steps.

Each statement goes forward at most once and backward at most once: loops are unrolled. What has to be remembered (the
way taken, who failed) lies in record places, which final markings leave free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.env import END, Back, Env, Frame, Ports, SagaScope, Top, record
from placet.compile.scopes import ending
from placet.compile.statements import chooses, guarded, leaving, name_of, rounds_of, trigger
from placet.net.roles import PLAIN

if TYPE_CHECKING:
    from collections.abc import Sequence as Many

    from placet.compile.env import Agenda
    from placet.ir.model import Call, Choice, Graph, Loop, Parallel, Race, Repeat, Scope, Sequence, Statement
    from placet.source import Span


def sequence(agenda: Agenda, stmt: Sequence, ports: Ports, env: Env) -> None:
    """Forward places between the parts, and backward places between those that turn back differently."""
    parts = stmt.parts
    policy = env.policy
    if policy is not None and policy.undo_order == "parallel" and _undoables(agenda, parts) > 1:
        _all_at_once(agenda, stmt, ports, env)
        return
    facts = agenda.survey.of
    path_of = env.path
    last_undoable = next((i for i in range(len(parts) - 1, -1, -1) if facts(parts[i]).undoable), -1)
    start, undone = ports.start, ports.undone
    pending = []
    count = len(parts)
    first_undoable = next((i for i in range(count) if facts(parts[i]).undoable), -1)
    for i, part in enumerate(parts):
        identifier = part.id
        path = path_of(identifier)
        done = ports.done
        if i + 1 < count:
            done = agenda.place(f"{path}#done", env, identifier, f"after `{name_of(identifier)}`", part.span)
        undo = undone
        if facts(part).undoable:
            undo = ports.undo
            if i != last_undoable:
                phrase = f"`{name_of(identifier)}` is to be undone"
                undo = agenda.place(f"{path}#undo", env, identifier, phrase, part.span)
        pending.append((part, Ports(start, done, undo, undone)))
        start, undone = done, undo
    if first_undoable < 0 and ports.undo != ports.undone:
        _passes(agenda, env, stmt.id, stmt.span, ports.undo, ports.undone)
    for part, its in reversed(pending):
        agenda.push(part, its, env)


def _undoables(agenda: Agenda, parts: Many[Statement]) -> int:
    return sum(agenda.survey.of(part).undoable for part in parts)


def _passes(agenda: Agenda, env: Env, identifier: str, span: Span | None, undo: int, undone: int) -> None:
    """Going backwards over what has nothing to undo."""
    made = agenda.move(
        f"{env.path(identifier)}#back", (undo,), (undone,), env, identifier, "nothing is to be undone here", span
    )
    agenda.draft.quiet.add(made)


def _all_at_once(agenda: Agenda, stmt: Sequence, ports: Ports, env: Env) -> None:
    """A sequence whose undos all start together.

    Turning back at level k cascades down (`down[k]` starts undo k and goes to `down[k-1]`) and collects upwards
    (`up[k-1]` and `undone[k]` give `up[k]`) until the level where it began (`top[k]`): linear, where a fork at every
    failing part would be quadratic. While `going` is marked an `undone` means that the part failed, else that it was
    undone on request.
    """
    draft = agenda.draft
    quiet = draft.quiet
    base = env.path(stmt.id)
    span = stmt.span
    facts = agenda.survey.of
    going = record(agenda, f"{base}#going", env, stmt.id, f"`{env.frame.name}` has not turned back here", span, 1)
    back = record(agenda, f"{base}#turned", env, stmt.id, f"`{env.frame.name}` has turned back here", span)

    def level(path: str) -> tuple[int, int, int, str]:
        return (
            agenda.place(f"{path}#down", env, stmt.id, "the undos are being started", span),
            agenda.place(f"{path}#up", env, stmt.id, "undos are being waited for", span),
            agenda.place(f"{path}#top", env, stmt.id, "the undos from here on back are being waited for", span),
            path,
        )

    levels = [level(f"{base}#bottom")]
    quiet.add(
        agenda.move(
            f"{base}#bottom.reached", (levels[0][0],), (levels[0][1],), env, stmt.id, "all undos are started", span
        )
    )
    start = ports.start
    pending = []
    count = len(stmt.parts)
    for i, part in enumerate(stmt.parts):
        path = env.path(part.id)
        name = name_of(part.id)
        done = ports.done
        if i + 1 < count:
            done = agenda.place(f"{path}#done", env, part.id, f"after `{name}`", part.span)
        undone = agenda.place(f"{path}#undone", env, part.id, f"`{name}` is not in effect", part.span)
        undo = undone
        below = levels[-1]
        fails = f"`{env.frame.name}` turns back: all undos start at once"
        made = agenda.move(f"{path}#turn", (undone, going), (below[0], below[2], back), env, part.id, fails, part.span)
        quiet.add(made)
        if facts(part).undoable:
            undo = agenda.place(f"{path}#undo", env, part.id, f"`{name}` is to be undone", part.span)
            here = level(path)
            levels.append(here)
            quiet.add(
                agenda.move(
                    f"{path}#start.undo",
                    (here[0],),
                    (undo, below[0]),
                    env,
                    part.id,
                    f"the undo of `{name}` starts",
                    span,
                )
            )
            quiet.add(
                agenda.move(
                    f"{path}#undo.over",
                    (undone, below[1], back),
                    (here[1], back),
                    env,
                    part.id,
                    f"`{name}` is undone",
                    span,
                )
            )
        pending.append((part, Ports(start, done, undo, undone)))
        start = done
    for _, up, top, at in levels:
        quiet.add(agenda.move(f"{at}#all.undone", (up, top), (ports.undone,), env, stmt.id, "all undos are done", span))
    last = levels[-1]
    turned = f"`{env.frame.name}` turns back: all undos start at once"
    quiet.add(agenda.move(f"{base}#turn", (ports.undo, going), (last[0], last[2], back), env, stmt.id, turned, span))
    for part, its in reversed(pending):
        agenda.push(part, its, env)


def choice(agenda: Agenda, stmt: Choice, ports: Ports, env: Env) -> None:
    """A record of the way taken leads back through it."""
    for way in reversed(stmt.ways):
        path = env.path(way.id)
        start = agenda.place(f"{path}#start", env, way.id, f"on the way `{name_of(way.id)}`", way.span)
        made = agenda.move(f"{path}#choose", (ports.start,), (start,), env, way.id, chooses(env, way), way.span)
        agenda.draft.step(way.id, made)
        guarded(agenda, way)
        _way(agenda, way.id, way.span, way.body, start, ports, env)
    if not stmt.exhaustive:
        back = env._replace(route=Back(ports.undone, env.scope))
        phrase = f"no condition of the choice holds in `{env.frame.name}`"
        agenda.raising(
            f"{env.path(stmt.id)}#none", (ports.start,), "NoChoiceMatched", back, stmt.id, phrase, stmt.span, PLAIN
        )


def race(agenda: Agenda, stmt: Race, ports: Ports, env: Env) -> None:
    """As a choice, decided by what happens first."""
    for first, body in reversed(stmt.ways):
        path = env.path(first.id)
        won = agenda.place(f"{path}#won", env, first.id, f"`{name_of(first.id)}` came first", first.span)
        trigger(agenda, first, ports.start, won, env)
        _way(agenda, first.id, first.span, body, won, ports, env)


def _way(
    agenda: Agenda, identifier: str, span: Span | None, body: Statement, start: int, ports: Ports, env: Env
) -> None:
    """One of several alternatives: its end leaves a record, and going back reads it. -> The way's ports are pushed."""
    if ports.undo == ports.undone:
        agenda.push(body, Ports(start, ports.done, ports.undone, ports.undone), env)
        return
    path = env.path(identifier)
    name = name_of(identifier)
    quiet = agenda.draft.quiet
    taken = record(agenda, f"{path}#taken", env, identifier, f"the way `{name}` was taken", span)
    done = agenda.place(f"{path}#done", env, identifier, f"the way `{name}` is done", span)
    quiet.add(
        agenda.move(f"{path}#leave", (done,), (ports.done, taken), env, identifier, f"the way `{name}` is done", span)
    )
    undo = ports.undone
    if agenda.survey.of(body).undoable:
        undo = agenda.place(f"{path}#undo", env, identifier, f"the way `{name}` is to be undone", span)
    back = f"`{env.frame.name}` goes back the way `{name}`"
    quiet.add(agenda.move(f"{path}#back", (ports.undo, taken), (undo,), env, identifier, back, span))
    agenda.push(body, Ports(start, done, undo, ports.undone), env)


def loop(agenda: Agenda, stmt: Loop, ports: Ports, env: Env) -> None:
    """A copy of the body for each round; `left[i]` remembers after which one the loop was left."""
    base = env.path(stmt.id)
    most = rounds_of(agenda, stmt, base)
    span = stmt.span
    quiet = agenda.draft.quiet
    words = leaving(stmt)
    turning = ports.undo != ports.undone
    start, undone = ports.start, ports.undone

    def leave(name: str, place: int, undo: int) -> None:
        if not turning:
            agenda.move(f"{base}#{name}", (place,), (ports.done,), env, stmt.id, words, span)
            return
        left = record(agenda, f"{base}#{name}.here", env, stmt.id, "the loop was left here", span)
        agenda.move(f"{base}#{name}", (place,), (ports.done, left), env, stmt.id, words, span)
        back = f"`{env.frame.name}` goes back through the loop"
        quiet.add(agenda.move(f"{base}#{name}.back", (ports.undo, left), (undo,), env, stmt.id, back, span))

    if most == 0 or stmt.test == "before":
        leave("skip", start, undone)
    for i in range(1, most + 1):
        begin = agenda.place(f"{base}#round[{i}]", env, stmt.id, f"round {i} begins", span)
        end = agenda.place(f"{base}#again[{i}]", env, stmt.id, f"round {i} is over", span)
        undo = (
            agenda.place(f"{base}#undo[{i}]", env, stmt.id, f"round {i} is to be undone", span) if turning else undone
        )
        quiet.add(
            agenda.move(f"{base}#enter[{i}]", (start,), (begin,), env, stmt.id, f"round {i} of the loop begins", span)
        )
        if i == most or stmt.test != "never":
            leave(f"leave[{i}]", end, undo)
        agenda.push(stmt.body, Ports(begin, end, undo, undone), env._replace(suffix=f"{env.suffix}[{i}]"))
        start, undone = end, undo


# -- parallel --------------------------------------------------------------------------------------------------------


def parallel(agenda: Agenda, stmt: Parallel, ports: Ports, env: Env) -> None:
    """All ways at once. A way that failed is back at its `undone`; the first one there sets `failing`.

    Siblings awaited: a way that is done turns back when `failing` is set, one in flight finishes first; when all have
    come to rest, the parallel is undone. Siblings abandoned: the parallel goes back at once, the others run on unheard.
    """
    base = env.path(stmt.id)
    span = stmt.span
    name = env.frame.name
    abandons = env.policy is not None and env.policy.siblings == "abandon"
    calm = record(agenda, f"{base}#calm", env, stmt.id, "no way has failed", span, 1)
    failing = record(agenda, f"{base}#failing", env, stmt.id, "a way has failed or is being undone", span)
    whole = stuck = -1
    if not abandons:
        whole = record(agenda, f"{base}#whole", env, stmt.id, "every undo has worked so far", span, 1)
        stuck = record(agenda, f"{base}#stuck", env, stmt.id, "an undo has given up", span)
    undoing = (
        record(agenda, f"{base}#undoing", env, stmt.id, "all ways are being undone", span) if abandons else failing
    )
    starts, dones, undos, rests = [], [], [], []
    for way in stmt.ways:
        path = env.path(way.id)
        label = name_of(way.id)
        start = agenda.place(f"{path}#start", env, way.id, f"way `{label}` begins", way.span)
        done = agenda.place(f"{path}#done", env, way.id, f"way `{label}` is done", way.span)
        undone = agenda.place(f"{path}#undone", env, way.id, f"way `{label}` is not in effect", way.span)
        undo = undone
        if agenda.survey.of(way.body).undoable:
            undo = agenda.place(f"{path}#undo", env, way.id, f"way `{label}` is to be undone", way.span)
        inner = env
        if abandons:
            rest = undone
            _abandoned(agenda, way.id, way.span, path, (done, undone, calm, failing), ports.undone, env)
        else:
            failed = agenda.place(f"{path}#failed", env, way.id, f"an undo of way `{label}` has given up", way.span)
            rest = agenda.place(f"{path}#rest", env, way.id, f"way `{label}` has come to rest", way.span)
            flags = (calm, failing, whole, stuck)
            _awaited(agenda, way.id, way.span, path, (done, undo, undone, failed, rest), flags, env)
            inner = env._replace(failed=failed)
        starts.append(start)
        dones.append(done)
        undos.append(undo)
        rests.append(rest)
        agenda.push(way.body, Ports(start, done, undo, undone), inner)
    move, quiet = agenda.move, agenda.draft.quiet
    count = len(stmt.ways)
    move(f"{base}#fork", (ports.start,), starts, env, stmt.id, f"`{name}` goes {count} ways at once", span)
    move(f"{base}#join", dones, (ports.done,), env, stmt.id, f"all {count} ways of `{name}` are done", span)
    back = f"`{name}` goes back all {count} ways"
    if ports.undo != ports.undone:
        quiet.add(move(f"{base}#undo.fork", (ports.undo, calm), (*undos, undoing), env, stmt.id, back, span))
    over = f"all {count} ways of `{name}` are back"
    if abandons:
        quiet.add(move(f"{base}#undo.join", (*rests, undoing), (ports.undone, undoing), env, stmt.id, over, span))
        return
    quiet.add(
        move(f"{base}#undo.join", (*rests, failing, whole), (ports.undone, failing, whole), env, stmt.id, over, span)
    )
    halted = f"all {count} ways of `{name}` have come to rest, not all undone"
    quiet.add(move(f"{base}#halt", (*rests, stuck), (env.failed, stuck), env, stmt.id, halted, span))


def _awaited(
    agenda: Agenda,
    identifier: str,
    span: Span | None,
    path: str,
    places: tuple[int, int, int, int, int],
    flags: tuple[int, int, int, int],
    env: Env,
) -> None:
    """How one way of a parallel comes to rest."""
    done, undo, undone, failed, rest = places
    calm, failing, whole, stuck = flags
    label = name_of(identifier)

    def quietly(name: str, pre: tuple[int, ...], post: tuple[int, ...], phrase: str) -> None:
        agenda.draft.quiet.add(agenda.move(f"{path}#{name}", pre, post, env, identifier, phrase, span))

    quietly("fails", (undone, calm), (rest, failing), f"way `{label}` is undone, the others are to follow")
    quietly("rests", (undone, failing), (rest, failing), f"way `{label}` is undone too")
    quietly("turns", (done, failing), (undo, failing), f"way `{label}` was done and turns back")
    quietly("halts", (failed, whole), (rest, stuck), f"way `{label}` stays half-way")
    quietly("halts.too", (failed, stuck), (rest, stuck), f"way `{label}` stays half-way too")
    quietly("stays", (done, stuck), (rest, stuck), f"way `{label}` stays done")


def _abandoned(
    agenda: Agenda,
    identifier: str,
    span: Span | None,
    path: str,
    places: tuple[int, int, int, int],
    back: int,
    env: Env,
) -> None:
    """The first way that fails takes the saga back; those that end later are not heard."""
    done, undone, calm, failing = places
    label = name_of(identifier)

    def quietly(name: str, pre: tuple[int, ...], post: tuple[int, ...], phrase: str) -> None:
        agenda.draft.quiet.add(agenda.move(f"{path}#{name}", pre, post, env, identifier, phrase, span))

    quietly("fails", (undone, calm), (back, failing), f"way `{label}` is undone, the others are abandoned")
    quietly("unheard.done", (done, failing), (failing,), f"the abandoned way `{label}` is done, unheard")
    quietly("unheard.undone", (undone, failing), (failing,), f"the abandoned way `{label}` has failed, unheard")


# -- scopes and calls ------------------------------------------------------------------------------------------------


def scope(agenda: Agenda, stmt: Scope, ports: Ports, env: Env) -> None:
    """A body that fails is undone first; then the handler of its error runs in its place."""
    base = env.path(stmt.id)
    span = stmt.span
    for handler in stmt.handlers:
        if handler.trigger != "error":
            agenda.report(
                "P403", "error", "a time-out or an event cannot interrupt steps whose outcome is open", handler.span,
                help="give the steps a `timeout` each",
            )  # fmt: skip
    if stmt.retry:
        agenda.report(
            "P403", "error", "a scope around steps cannot be retried as a whole", span, help="give the steps a `retry`"
        )
    handlers = [h for h in stmt.handlers if h.trigger == "error"]
    undone = agenda.place(f"{base}#undone", env, stmt.id, f"`{name_of(stmt.id)}` has failed and is undone", span)
    clear = raised = -1
    if agenda.survey.of(stmt.body).forks:
        clear = record(agenda, f"{base}#clear", env, stmt.id, "no error was raised", span, 1)
        raised = record(agenda, f"{base}#raised", env, stmt.id, "an error was raised", span)

    def remember(error: str) -> int:
        label = error or "abandon"
        return record(
            agenda, f"{base}#caught.{label}", env, stmt.id, f"`{name_of(stmt.id)}` turned back: {label}", span
        )

    inner_scope = SagaScope(env.scope, remember, clear, raised)
    starts = {}
    for handler in handlers:
        path = env.path(handler.id)
        starts[handler.id] = agenda.place(
            f"{path}#start", env, handler.id, f"`{handler.name}` is to be handled", handler.span
        )
    agenda.later(_finish_scope, stmt, ports, env, inner_scope, undone, starts)
    for handler in handlers:
        _way(agenda, handler.id, handler.span, handler.body, starts[handler.id], ports, env)
    body = stmt.body
    inner = env._replace(scope=inner_scope)
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


def _finish_scope(
    agenda: Agenda, stmt: Scope, ports: Ports, env: Env, scope: SagaScope, undone: int, starts: dict[str, int]
) -> None:
    """What each error that made the body turn back leads to: a handler, or further back."""
    handlers = [h for h in stmt.handlers if h.trigger == "error"]
    for handler in handlers:
        if not any(handler.name == e or (handler.name == "*" and e) for e in scope.arrived):
            scope.mark(handler.name)
    back = env._replace(route=Back(ports.undone, env.scope))
    flag = (scope.raised,) if scope.raised >= 0 else ()
    for error, mark in list(scope.arrived.items()):
        first = next((h for h in handlers if h.name == error or (h.name == "*" and error)), None)
        if first is None:
            label = error or "abandon"
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
            )
            agenda.draft.quiet.update(found)
            continue
        made = agenda.move(
            f"{env.path(first.id)}#{error}", (undone, mark, *flag), (starts[first.id],), env, first.id,
            f"`{error}` is handled", first.span,
        )  # fmt: skip
        agenda.draft.step(first.id, made)


def call(agenda: Agenda, stmt: Call, ports: Ports, env: Env) -> None:
    """Another process with steps. What it completed is undone with its caller; what it undid itself is an end of its."""
    path = env.path(stmt.id)
    frame = Frame(agenda.survey.processes[stmt.target], path)
    frame.nested = True
    entry = ports.undone
    if ports.undo != ports.undone and agenda.survey.of(frame.process.body).undoable:
        entry = agenda.place(
            f"{path}#caller.undo", env, stmt.id, f"`{frame.name}` is to be undone as a whole", stmt.span
        )
    agenda.later(_finish_call, stmt, ports, env, frame, entry)
    for name, body in stmt.on:
        start = agenda.place(f"{path}#on.{name}", env, stmt.id, f"`{frame.name}` has ended `{name}`", stmt.span)
        agenda.later(_after, stmt, env, frame, name, start)
        undone = ports.undone if name in ("compensated", "failed") else entry
        _way(agenda, f"{stmt.id}#{name}", stmt.span, body, start, ports._replace(undone=undone), env)
    _enter(agenda, frame, stmt, ports, entry, env)


def _enter(agenda: Agenda, frame: Frame, stmt: Call, ports: Ports, entry: int, env: Env) -> None:
    """The body of a callee. Turned back by itself it ends `compensated`; undone by its caller it goes back with it."""
    process, path = frame.process, frame.path
    own = process.kind == "saga"
    span = process.span
    inner = Env(frame, path, process.id, "", Top(frame), None, process.policy if own else env.policy)
    for name in ("completed", "compensated", "failed") if own else process.ends:
        agenda.end(frame, name)
    done = agenda.place(f"{path}#done", inner, process.id, f"all of `{frame.name}` is done", span)
    undone = agenda.place(
        f"{path}#undone", inner, process.id, f"all that `{frame.name}` did is undone, as far as it knows", span
    )
    failed = agenda.place(f"{path}#failed", inner, process.id, f"`{frame.name}` has stopped half-way", span)
    ending(agenda, inner, process, done, "completed", f"`{frame.name}` is completed")
    ending(agenda, inner, process, failed, "failed", f"`{frame.name}` ends failed")
    turned = "compensated" if own else "failed"
    undo = undone
    if entry == ports.undone:
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
        end = agenda.end(frame, turned)
        words = f"`{frame.name}` ends {turned}"
        agenda.move(f"{path}#ends.{turned}", (undone, going), (end, going), inner, process.id, words, span, END)
    inner = inner._replace(failed=failed, route=Back(undone, None))
    agenda.push(process.body, Ports(ports.start, done, undo, undone), inner)


def _after(agenda: Agenda, stmt: Call, env: Env, frame: Frame, name: str, start: int) -> None:
    end = agenda.end(frame, name)
    phrase = f"`{env.frame.name}` goes on after `{frame.name}` has ended `{name}`"
    made = agenda.move(f"{frame.path}#after.{name}", (end,), (start,), env, stmt.id, phrase, stmt.span)
    agenda.draft.step(f"{stmt.id}#{name}", made)


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
            agenda.move(f"{frame.path}#after.failed", (place,), (env.failed,), env, stmt.id, phrase, stmt.span)
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


def unsupported(agenda: Agenda, stmt: Repeat | Graph, ports: Ports, env: Env) -> None:
    """Steps in a graph or in several instances: not yet."""
    agenda.report("P403", "error", "saga steps are not understood inside a graph or several instances", stmt.span)
    path = env.path(stmt.id)
    made = agenda.move(
        f"{path}#left.out", (ports.start,), (ports.done,), env, stmt.id, f"`{name_of(stmt.id)}` is left out", stmt.span
    )
    agenda.draft.quiet.add(made)
