"""Statements without saga steps, as nets between a start place and a done place.

Errors go to the innermost handler. A way of a parallel that is left by an error stops its siblings: each holds one token
in its thread, and a stop token takes it wherever it is (docs/semantics.md shows the net).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.env import END, Forked, Ports, record
from placet.compile.flow import OUT_OF_RANGE
from placet.compile.gates import Gates
from placet.compile.names import NEXT, base_name
from placet.compile.order import UNROLL
from placet.compile.phrases import called, chosen, next_up, time_of, way_done
from placet.compile.phrases import done as had
from placet.compile.signals import hearing, taken
from placet.compile.some_of import some_of
from placet.compile.survey import ABANDON, NO_CHOICE
from placet.compile.threads import ended, new_fork
from placet.compile.values import Move, decided, open_to, overflowing, setting
from placet.ir.model import Receive
from placet.net.roles import PLAIN, Kind, Role

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence as Many

    from placet.compile.bus import Bus
    from placet.compile.env import Agenda, Env
    from placet.ir.model import (
        Abandon,
        Choice,
        End,
        Guard,
        Loop,
        Parallel,
        Publish,
        Race,
        Raise,
        Sequence,
        Task,
        Timer,
        Way,
    )

TASK = Role(Kind.TASK)
EVENT = Role(Kind.EVENT)
TIMER = Role(Kind.TIMER)
PUBLISH = Role(Kind.PUBLISH)
TAKE = Role(Kind.TAKE)


def name_of(identifier: str) -> str:
    """The last word of a path, as the user wrote it: `stock` of `purchase/choice[stock]`."""
    whole = identifier.rsplit("/", 1)[-1]
    last = base_name(whole)
    return (last[last.rfind("[") + 1 : -1] if last.endswith("]") else last) + whole[len(last) :]


def task(agenda: Agenda, stmt: Task, ports: Ports, env: Env) -> None:
    """An activity: one transition to its done place, one for each error it may end in."""
    path = env.path(stmt.id)
    role = Role(Kind.TASK, "", "", 0, stmt.service) if stmt.service else TASK
    where = f" at `{stmt.service}`" if stmt.service else ""
    draft = agenda.draft
    stored = agenda.bus.stores.get(path) if agenda.bus is not None else None
    if stmt.sets:
        _sets(agenda, stmt, ports, env, role, where, () if stored is None else (stored,))
        return
    made = draft.transition(
        path,
        (ports.start,),
        (ports.done,) if stored is None else (ports.done, stored),
        stmt.id,
        f"`{stmt.name}` is done{where}",
        stmt.span,
        env.frame.path,
        role,
        stmt.service,
    )
    draft.step(stmt.id, made)
    _fails(agenda, stmt, ports, env, role, stmt.errors)


def _fails(agenda: Agenda, stmt: Task, ports: Ports, env: Env, role: Role, errors: Iterable[str]) -> None:
    where = f" at `{stmt.service}`" if stmt.service else ""
    for error in errors:
        phrase = f"`{stmt.name}` fails{where}: {error}"
        fails = role._replace(says=error)
        path = f"{env.path(stmt.id)}#{error}"
        found = agenda.raising(path, (ports.start,), error, env, stmt.id, phrase, stmt.span, fails)
        agenda.draft.step(f"{stmt.id}#{error}", found[0])


def _sets(agenda: Agenda, stmt: Task, ports: Ports, env: Env, role: Role, where: str, stored: tuple[int, ...]) -> None:
    """An activity that sets variables: a transition for each outcome, and for each value outside its domain."""
    name, span = env.path(stmt.id), stmt.span
    after = (ports.done, *stored)
    done = Move(name, (ports.start,), after, env, stmt.id, f"`{stmt.name}` is done{where}", span, role)
    for made in setting(agenda, done, stmt.sets):
        agenda.draft.step(stmt.id, made)
    over = f"`{stmt.name}` fails{where}: {OUT_OF_RANGE}"
    for made in overflowing(agenda, done._replace(phrase=over, role=role._replace(says=OUT_OF_RANGE)), stmt.sets):
        agenda.draft.quiet.add(made)
    _fails(agenda, stmt, ports, env, role, [e for e in stmt.errors if e != OUT_OF_RANGE])


def sequence(agenda: Agenda, stmt: Sequence, ports: Ports, env: Env) -> None:
    """The done place of each part is the start place of the next."""
    parts = stmt.parts
    if not parts:
        path = env.path(stmt.id)
        made = agenda.move(
            f"{path}#skip", (ports.start,), (ports.done,), env, stmt.id, "nothing is to be done", stmt.span
        )
        agenda.draft.quiet.add(made)
        return
    if agenda.bus is not None:
        agenda.bus.outboxes(parts, env.path)
    done = ports.done
    pending = []
    path_of = env.path
    for part in reversed(parts[1:]):
        identifier = part.id
        start = agenda.place(f"{path_of(identifier)}#start", env, identifier, next_up(part), part.span)
        pending.append((part, Ports(start, done)))
        done = start
    push = agenda.push
    for part, its in pending:
        push(part, its, env)
    push(parts[0], Ports(ports.start, done), env)


def chooses(env: Env, way: Way) -> str:
    """The phrase of taking a way."""
    return f"`{env.frame.name}` chooses: {chosen(way)}"


def choice(agenda: Agenda, stmt: Choice, ports: Ports, env: Env) -> None:
    """One transition for each way; where no way may apply, one more that raises NoChoiceMatched."""
    for way, earlier in behind(stmt):
        path = env.path(way.id)
        start = agenda.place(f"{path}#start", env, way.id, next_up(way.body), way.span)
        chosen_way(agenda, way, earlier, ports.start, start, env)
        agenda.push(way.body, Ports(start, ports.done), env)
    if not stmt.exhaustive:
        no_way(agenda, stmt, ports.start, env)


def behind(stmt: Choice) -> list[tuple[Way, tuple[Guard, ...]]]:
    """The ways, last first, each with the conditions over variables that are tried before its own."""
    found: list[tuple[Way, tuple[Guard, ...]]] = []
    earlier: tuple[Guard, ...] = ()
    for way in stmt.ways:
        found.append((way, earlier))
        if way.guard is not None and way.guard.condition is not None:
            earlier = (*earlier, way.guard)
    return found[::-1]


def chosen_way(agenda: Agenda, way: Way, earlier: Many[Guard], before: int, start: int, env: Env) -> None:
    """The transitions into a way: its condition holds, and none over variables of the ways before it."""
    agenda.lean_on(way.guard)
    path = f"{env.path(way.id)}#choose"
    move = Move(path, (before,), (start,), env, way.id, chooses(env, way), way.span)
    for made in decided(agenda, move, (way.guard,), earlier):
        agenda.draft.step(way.id, made)


def no_way(agenda: Agenda, stmt: Choice, before: int, env: Env) -> None:
    """The error of a choice none of whose conditions holds."""
    path, phrase = f"{env.path(stmt.id)}#none", f"no condition of the choice holds in `{env.frame.name}`"
    for label, tested in open_to(agenda, [way.guard for way in stmt.ways], env):
        agenda.raising(f"{path}{label}", (before, *tested), NO_CHOICE, env, stmt.id, phrase, stmt.span, PLAIN, tested)


def parallel(agenda: Agenda, stmt: Parallel, ports: Ports, env: Env) -> None:
    """A fork, a join, and between them the ways; stoppable where an error may leave one of them."""
    if stmt.close[0] and stmt.rest is not None:
        from placet.compile.child import child

        child(agenda, stmt, stmt.ways[0], stmt.rest, ports, env)
        return
    if stmt.need is not None:
        some_of(agenda, stmt, ports, env)
        return
    path = env.path(stmt.id)
    ways = stmt.ways
    stoppable = env.thread is not None or any(agenda.survey.of(way.body).errors for way in ways)
    fork = new_fork(agenda, path, len(ways), env, stmt.id, stmt.span) if stoppable else None
    gates = None if stmt.width is None else Gates(agenda, stmt, env)
    starts, dones = [], []
    pending = []
    for number, way in enumerate(ways):
        its = env.path(way.id)
        inner = env._replace(ending=None) if env.ending is not None else env
        if fork is not None:
            thread = fork.ways[number][0]
            inner = env._replace(thread=thread, route=Forked(fork, thread), ending=None)
        starts.append(agenda.place(f"{its}#start", inner, way.id, next_up(way.body), way.span))
        dones.append(agenda.place(f"{its}#done", inner, way.id, way_done(way), way.span))
        between = (starts[-1], dones[-1]) if gates is None else gates.through(number, starts[-1], dones[-1], inner)
        pending.append((way.body, Ports(*between), inner))
    for body, ends_at, inner in reversed(pending):
        agenda.push(body, ends_at, inner)
    held = () if fork is None else (fork.running,)
    several = len(ways) > 1
    split = f"`{env.frame.name}` goes {f'{len(ways)} ways at once' if several else 'its one way'}"
    first = ports.start if gates is None else gates.opened(ports.start)
    agenda.move(f"{path}#fork", (first,), (*starts, *held), env, stmt.id, split, stmt.span)
    joined = f"{f'all {len(ways)} ways' if several else 'the one way'} of `{env.frame.name}` {'are' if several else 'is'} done"
    agenda.move(f"{path}#join", (*dones, *held), (ports.done,), env, stmt.id, joined, stmt.span)


def loop(agenda: Agenda, stmt: Loop, ports: Ports, env: Env) -> None:
    """A place where rounds begin and one where they end."""
    if agenda.survey.of(stmt).steps:
        unrolled(agenda, stmt, ports, env)
        return
    path = env.path(stmt.id)
    agenda.lean_on(stmt.guard)
    most = stmt.at_most
    begin = agenda.place(f"{path}#round", env, stmt.id, next_up(stmt.body), stmt.span)
    end = agenda.place(f"{path}#again", env, stmt.id, f"a round of {called(stmt)} is over", stmt.span)
    words = leaving(stmt)
    if most is None:
        on, out = conditions(stmt)
        enter = Move(f"{path}#enter", (ports.start,), (begin,), env, stmt.id, "the loop begins", stmt.span)
        decided(agenda, enter, on)
        again = Move(f"{path}#repeat", (end,), (begin,), env, stmt.id, "the loop goes round again", stmt.span)
        agenda.draft.quiet.update(decided(agenda, again, on, out))
        leave = Move(f"{path}#leave", (end,), (ports.done,), env, stmt.id, words, stmt.span)
        if stmt.test == "before":
            decided(agenda, leave._replace(name=f"{path}#skip", pre=(ports.start,)), (), on)
        if stmt.test != "never":
            decided(agenda, leave, out, on)
    else:
        _counted(agenda, stmt, ports, env, begin, end)
    agenda.push(stmt.body, Ports(begin, end), env)


def conditions(stmt: Loop) -> tuple[tuple[Guard | None, ...], tuple[Guard | None, ...]]:
    """What must hold for a loop to go round (`while`), and what for it to be left (`until`)."""
    if stmt.test == "before":
        return (stmt.guard,), ()
    return (), (stmt.guard,) if stmt.test == "after" else ()


def leaving(stmt: Loop) -> str:
    """The phrase of going on after a loop."""
    return f"the loop is left: {stmt.guard.text}" if stmt.guard is not None else "the loop is left"


def _counted(agenda: Agenda, stmt: Loop, ports: Ports, env: Env, begin: int, end: int) -> None:
    """At most n rounds: the number of the round is a record that each entry sets anew, so that no exit need clear it."""
    path = env.path(stmt.id)
    most = max(0, stmt.at_most or 0)
    agenda.bounds[path] = most
    rounds = [
        record(agenda, f"{path}#round[{i}]", env, stmt.id, f"the last round was number {i}", stmt.span, int(i == 0))
        for i in range(most + 1)
    ]
    words = leaving(stmt)
    on, out = conditions(stmt)
    leave = Move(f"{path}#leave", (end,), (ports.done,), env, stmt.id, words, stmt.span)
    if stmt.test == "before" or most == 0:
        decided(agenda, leave._replace(name=f"{path}#skip", pre=(ports.start,)), (), on if most else ())
    for i in range(most + 1 if most else 0):
        after = (begin, rounds[1])
        move = Move(f"{path}#enter[{i}]", (ports.start, rounds[i]), after, env, stmt.id, "the loop begins", stmt.span)
        agenda.draft.quiet.update(decided(agenda, move, on))
    for i in range(1, most):
        phrase = f"the loop goes round again, round {i + 1}"
        pre, after = (end, rounds[i]), (begin, rounds[i + 1])
        move = Move(f"{path}#repeat[{i + 1}]", pre, after, env, stmt.id, phrase, stmt.span)
        agenda.draft.quiet.update(decided(agenda, move, on, out))
    if stmt.test != "never":
        decided(agenda, leave, out, on)
        if most and stmt.guard is not None and stmt.guard.condition is not None:
            last = rounds[most]
            phrase = f"the loop is left after {most} rounds"
            move = leave._replace(name=f"{path}#leave.last", pre=(end, last), post=(ports.done, last), phrase=phrase)
            agenda.draft.quiet.update(decided(agenda, move, on, out))
    elif most:
        last = rounds[most]
        agenda.move(
            f"{path}#leave",
            (end, last),
            (ports.done, last),
            env,
            stmt.id,
            f"the loop is left after {most} rounds",
            stmt.span,
        )


def rounds_of(agenda: Agenda, stmt: Loop, path: str) -> int:
    """How often a loop around saga steps is unrolled; a bound that nothing justifies is reported."""
    if stmt.at_most is not None:
        agenda.bounds[path] = stmt.at_most
        return stmt.at_most
    agenda.bounds[path] = UNROLL
    agenda.unjustified = True
    agenda.report(
        "P216", "warning", f"the loop around saga steps has no bound, {UNROLL} rounds are considered", stmt.span,
        help="write `at_most N`",
    )  # fmt: skip
    return UNROLL


def unrolled(agenda: Agenda, stmt: Loop, ports: Ports, env: Env) -> None:
    """A loop around a call of a saga: a copy of the body for each round, as each call of a step has its own record."""
    path = env.path(stmt.id)
    most = rounds_of(agenda, stmt, path)
    words = leaving(stmt)
    pending = []
    start = ports.start
    on, out = conditions(stmt)
    leave = Move("", (start,), (ports.done,), env, stmt.id, words, stmt.span)
    if most == 0 or stmt.test == "before":
        decided(agenda, leave._replace(name=f"{path}#skip"), (), on if most else ())
    for i in range(1, most + 1):
        begin = agenda.place(f"{path}#round[{i}]", env, stmt.id, f"round {i}: {next_up(stmt.body)}", stmt.span)
        end = agenda.place(f"{path}#again[{i}]", env, stmt.id, f"round {i} of {called(stmt)} is over", stmt.span)
        phrase = f"round {i} of the loop begins"
        enter = Move(f"{path}#enter[{i}]", (start,), (begin,), env, stmt.id, phrase, stmt.span)
        agenda.draft.quiet.update(decided(agenda, enter, on, out if i > 1 else ()))
        if i == most or stmt.test != "never":
            move = leave._replace(name=f"{path}#leave[{i}]", pre=(end,))
            decided(agenda, move, () if i == most else out, () if i == most else on)
        pending.append((Ports(begin, end), env._replace(suffix=f"{env.suffix}[{i}]")))
        start = end
    for its, inner in reversed(pending):
        agenda.push(stmt.body, its, inner)


def trigger(agenda: Agenda, stmt: Receive | Timer, start: int, done: int, env: Env) -> None:
    """The transition of an event or of a time."""
    path = env.path(stmt.id)
    if isinstance(stmt, Receive) and agenda.bus is not None and stmt.topic:
        _takes(agenda, agenda.bus, stmt, start, done, env)
        return
    if isinstance(stmt, Receive):
        _arrives(agenda, stmt, start, done, env)
        return
    agenda.timed = True
    role = TIMER._replace(says=stmt.text)
    made = agenda.move(path, (start,), (done,), env, stmt.id, f"{time_of(stmt)} have passed", stmt.span, role)
    agenda.draft.step(stmt.id, made)


def _arrives(agenda: Agenda, stmt: Receive, start: int, done: int, env: Env) -> None:
    """An event from outside; of a signal one that was kept, or one that comes now."""
    role = EVENT._replace(says=stmt.event)
    heard = hearing(env, stmt.event)
    if heard is not None:
        heard.append(start)
    box = env.frame.mailboxes.get(stmt.event)
    words = f"`{stmt.event}` is taken" if box is not None and box.kept else f"`{stmt.event}` arrives"
    for suffix, pre, post in taken(env, stmt.event):
        name = f"{env.path(stmt.id)}{suffix}"
        move = Move(name, (start, *pre), (done, *post), env, stmt.id, words, stmt.span, role)
        for made in setting(agenda, move, stmt.sets) if stmt.sets else [agenda.move(*move)]:
            agenda.draft.step(stmt.id, made)


def _takes(agenda: Agenda, bus: Bus, stmt: Receive, start: int, done: int, env: Env) -> None:
    """A message is taken out of its queue; a process that got it will not be given it again."""
    queue = bus.queue(stmt.event, bus.reader)
    if queue is None:
        return
    used, room = queue.freed()
    words = f"`{env.frame.name}` receives `{stmt.event}`"
    path = env.path(stmt.id)
    for suffix, _, pre, post in queue.takes():
        needs, gives = (start, *pre, *used), (done, *post, *room)
        move = Move(f"{path}{suffix}", needs, gives, env, stmt.id, words, stmt.span, TAKE)
        for made in setting(agenda, move, stmt.sets) if stmt.sets else [agenda.move(*move)]:
            agenda.draft.step(stmt.id, made)
            bus.taken.setdefault((stmt.event, bus.reader), []).append(made)


def publish(agenda: Agenda, stmt: Publish, ports: Ports, env: Env) -> None:
    """A message is sent. Checked on its own, a process sends it to somebody outside."""
    path = env.path(stmt.id)
    words = f"`{env.frame.name}` publishes `{stmt.event}`"
    bus = agenda.bus
    if bus is None:
        role = PUBLISH._replace(says=stmt.event)
        made = [agenda.move(path, (ports.start,), (ports.done,), env, stmt.id, words, stmt.span, role)]
    elif bus.topics[stmt.topic].outbox:
        stored = bus.stored.get(path)
        outbox = bus.outbox(path, stmt.event, stmt.id, stmt.span) if stored is None else stored
        given = (ports.done, outbox) if stored is None else (ports.done,)
        kept = agenda.move(
            path, (ports.start,), given, env, stmt.id, f"`{stmt.event}` is stored in the outbox", stmt.span
        )
        agenda.draft.quiet.add(kept)
        words = f"`{stmt.event}` is published from the outbox of `{env.frame.name}`"
        made = bus.publish(f"{path}#relay", stmt.event, (outbox,), (), stmt.id, words, stmt.span)
    else:
        made = bus.publish(path, stmt.event, (ports.start,), (ports.done,), stmt.id, words, stmt.span)
    for transition in made:
        agenda.draft.step(stmt.id, transition)


def waits(agenda: Agenda, stmt: Receive | Timer, ports: Ports, env: Env) -> None:
    """An event or a time on its own."""
    trigger(agenda, stmt, ports.start, ports.done, env)


def race(agenda: Agenda, stmt: Race, ports: Ports, env: Env) -> None:
    """The first trigger takes the token."""
    for first, body in reversed(stmt.ways):
        path = env.path(first.id)
        won = agenda.place(f"{path}#won", env, first.id, had(first), first.span)
        trigger(agenda, first, ports.start, won, env)
        agenda.push(body, Ports(won, ports.done), env)


def raises(agenda: Agenda, stmt: Raise, ports: Ports, env: Env) -> None:
    """A transition to the innermost handler."""
    next_ = stmt.error == NEXT
    phrase = "the next run takes its place" if next_ else f"`{env.frame.name}` raises `{stmt.error}`"
    found = agenda.raising(env.path(stmt.id), (ports.start,), stmt.error, env, stmt.id, phrase, stmt.span, PLAIN)
    agenda.draft.quiet.add(found[0]) if next_ else agenda.draft.step(stmt.id, found[0])


def abandon(agenda: Agenda, stmt: Abandon, ports: Ports, env: Env) -> None:
    """As raising an error that only the saga itself handles."""
    phrase = f"`{env.frame.name}` gives up" + (f": {stmt.reason}" if stmt.reason else "")
    found = agenda.raising(env.path(stmt.id), (ports.start,), ABANDON, env, stmt.id, phrase, stmt.span, PLAIN)
    agenda.draft.step(stmt.id, found[0])


def ends(agenda: Agenda, stmt: End, ports: Ports, env: Env) -> None:
    """A transition to the named end of the process."""
    if env.frame.nested:
        agenda.report(
            "P403", "error", "a process that a saga calls cannot end in its middle: its caller could not undo it", stmt.span,
            help="let it come to its last statement, or `raise` an error instead; or call it from a workflow",
        )  # fmt: skip
    pre, post = ended(agenda, env, stmt.name, stmt.span)
    phrase = f"`{env.frame.name}` ends `{stmt.name}`"
    made = agenda.move(env.path(stmt.id), (ports.start, *pre), post, env, stmt.id, phrase, stmt.span, END)
    agenda.draft.step(stmt.id, made)
