"""Statements around saga steps: nets with four ports, so that going back costs as much as going on.

`start` -> `done`, and backwards `undo` ("compensate me, I had completed") -> `undone` ("my effects are reversed, go on
backwards"). A statement that fails first undoes what it had done itself and then puts its token on its own `undone`
port. So `S1; S2` joins `S2.undone` with `S1.undo`, and the size stays linear in the number of steps.

Each statement goes forward at most once and backward at most once: loops are unrolled. What has to be remembered (the
way taken, who failed) lies in record places, which final markings leave free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.env import Back, Env, Ports, record
from placet.compile.findings import head
from placet.compile.phrases import called, next_up
from placet.compile.phrases import done as had
from placet.compile.saga_at_once import all_at_once
from placet.compile.statements import behind, chosen_way, conditions, leaving, name_of, no_way, rounds_of, trigger
from placet.compile.values import Move, decided
from placet.ir.model import Beside

if TYPE_CHECKING:
    from collections.abc import Sequence as Many

    from placet.compile.env import Agenda
    from placet.ir.model import Choice, Graph, Loop, Race, Repeat, Sequence, Statement
    from placet.source import Span


def sequence(agenda: Agenda, stmt: Sequence, ports: Ports, env: Env) -> None:
    """Forward places between the parts, and backward places between those that turn back differently."""
    parts = stmt.parts
    policy = env.policy
    if policy is not None and policy.undoes_together and _undoables(agenda, parts) > 1:
        all_at_once(agenda, stmt, ports, env)
        return
    facts = agenda.survey.of
    path_of = env.path
    last_undoable = next((i for i in range(len(parts) - 1, -1, -1) if facts(parts[i]).undoable), -1)
    start, undone = ports.start, ports.undone
    pending = []
    count = len(parts)
    first_undoable = next((i for i in range(count) if facts(parts[i]).undoable), -1)
    inner = env
    for i, part in enumerate(parts):
        identifier = part.id
        path = path_of(identifier)
        done = ports.done
        if i + 1 < count:
            done = agenda.place(f"{path}#done", env, identifier, had(part), part.span)
        undo = undone
        if facts(part).undoable:
            undo = ports.undo
            if i != last_undoable:
                phrase = f"`{name_of(identifier)}` is to be undone"
                undo = agenda.place(f"{path}#undo", env, identifier, phrase, part.span)
        pending.append((part, Ports(start, done, undo, undone), inner))
        if facts(part).pivot:
            inner = inner._replace(past=True)
        if facts(part).steps:
            inner = inner.behind(agenda.survey, part)
        start, undone = done, undo
    if first_undoable < 0 and ports.undo != ports.undone:
        _passes(agenda, env, stmt.id, stmt.span, ports.undo, ports.undone)
    for part, its, around in reversed(pending):
        agenda.push(part, its, around)


def _undoables(agenda: Agenda, parts: Many[Statement]) -> int:
    return sum(agenda.survey.of(part).undoable for part in parts)


def _passes(agenda: Agenda, env: Env, identifier: str, span: Span | None, undo: int, undone: int) -> None:
    """Going backwards over what has nothing to undo."""
    made = agenda.move(
        f"{env.path(identifier)}#back", (undo,), (undone,), env, identifier, "nothing is to be undone here", span
    )
    agenda.draft.quiet.add(made)


def choice(agenda: Agenda, stmt: Choice, ports: Ports, env: Env) -> None:
    """A record of the way taken leads back through it."""
    for way, earlier in behind(stmt):
        path = env.path(way.id)
        start = agenda.place(f"{path}#start", env, way.id, next_up(way.body), way.span)
        chosen_way(agenda, way, earlier, ports.start, start, env)
        alternative(agenda, way.id, way.span, way.body, start, ports, env)
    if not stmt.exhaustive:
        back = env._replace(route=Back(ports.undone, env.scope))
        no_way(agenda, stmt, ports.start, back)


def race(agenda: Agenda, stmt: Race, ports: Ports, env: Env) -> None:
    """As a choice, decided by what happens first."""
    for first, body in reversed(stmt.ways):
        path = env.path(first.id)
        won = agenda.place(f"{path}#won", env, first.id, had(first), first.span)
        trigger(agenda, first, ports.start, won, env)
        alternative(agenda, first.id, first.span, body, won, ports, env)


def alternative(
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
    undoable = turning and agenda.survey.of(stmt.body).undoable
    on, out = conditions(stmt)
    start, undone, before = ports.start, ports.undone, env.before
    pending = []

    def leave(name: str, place: int, undo: int, *, at_once: bool) -> None:
        wanted, unwanted = ((), ()) if at_once else (out, on)
        move = Move(f"{base}#{name}", (place,), (ports.done,), env, stmt.id, words, span)
        if not turning:
            decided(agenda, move, wanted, unwanted)
            return
        left = record(agenda, f"{base}#{name}.here", env, stmt.id, "the loop was left here", span)
        decided(agenda, move._replace(post=(ports.done, left)), wanted, unwanted)
        back = f"`{env.frame.name}` goes back through the loop"
        quiet.add(agenda.move(f"{base}#{name}.back", (ports.undo, left), (undo,), env, stmt.id, back, span))

    if most == 0 or stmt.test == "before":
        leave("skip", start, undone, at_once=most == 0)
    for i in range(1, most + 1):
        begin = agenda.place(f"{base}#round[{i}]", env, stmt.id, f"round {i}: {next_up(stmt.body)}", span)
        end = agenda.place(f"{base}#again[{i}]", env, stmt.id, f"round {i} of {called(stmt)} is over", span)
        undo = undone
        if undoable:
            undo = agenda.place(f"{base}#undo[{i}]", env, stmt.id, f"round {i} is to be undone", span)
        phrase = f"round {i} of the loop begins"
        enter = Move(f"{base}#enter[{i}]", (start,), (begin,), env, stmt.id, phrase, span)
        quiet.update(decided(agenda, enter, on, out if i > 1 else ()))
        if i == most or stmt.test != "never":
            leave(f"leave[{i}]", end, undo, at_once=i == most)
        past = env.past or (i > 1 and agenda.survey.of(stmt.body).pivot)
        inner = env._replace(suffix=f"{env.suffix}[{i}]", past=past, before=before)
        pending.append((Ports(begin, end, undo, undone), inner))
        before = inner.behind(agenda.survey, stmt.body).before
        start, undone = end, undo
    for its, inner in reversed(pending):
        agenda.push(stmt.body, its, inner)


def unsupported(agenda: Agenda, stmt: Repeat | Beside | Graph, ports: Ports, env: Env) -> None:
    """Steps in a graph, in several instances, or where a handler runs beside: no net is known for them (docs/adr/0015)."""
    beside = isinstance(stmt, Beside)
    where = "where a handler runs beside" if beside else "inside a graph or several instances"
    help_ = "let a way of a parallel wait for it: `parallel { { ... } { first of { receive change -> { step ... } timer 1h } } }`"
    if not beside:
        help_ = "write the process as a saga, with `parallel` and `for each`"
    elif isinstance(stmt, Beside) and any(listener.trigger == "timeout" for listener in stmt.listeners):
        help_ = "let a way of a parallel wait for the time: `parallel { { ... } { timer 1h step ... } }`"
    agenda.report("P403", "error", f"saga steps are not understood {where}", head(stmt.span), help=help_)
    path = env.path(stmt.id)
    made = agenda.move(
        f"{path}#left.out", (ports.start,), (ports.done,), env, stmt.id, f"`{name_of(stmt.id)}` is left out", stmt.span
    )
    agenda.draft.quiet.add(made)
