"""Moments in the life of a saga's coordinator: where a cancellation, a crash or a failed sibling can find it.

They are only written down, so that a net without such faults is no larger; what is made of them is woven in. Only
`siblings cancel` makes transitions here, since it needs no fault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.phrases import way_of
from placet.compile.survey import ABANDON
from placet.compile.vocabulary import statements
from placet.ir.model import Call
from placet.net.roles import Due, Kind, Port, Role

if TYPE_CHECKING:
    from placet.compile.env import Agenda, Env, Ports, Thread
    from placet.ir.model import Statement, Step


FAILED = "another way has failed"


def waits_here(
    agenda: Agenda,
    env: Env,
    place: int,
    back: int,
    stmt: Statement,
    *,
    call: tuple[str, str, int] = ("", "", 0),
    gone: int = -1,
    keeps: tuple[int, ...] = (),
    again: bool = False,
) -> None:
    """The coordinator's token may lie on `place`; `back` is where its turning back begins, -1 where it cannot.

    The first word on a place counts, which is the one of the outermost statement that begins there, unless `again`.
    """
    policy = env.policy
    if policy is None:
        return
    if env.past:
        back = -1
    outside = -1 if env.beyond else back  # where what comes from outside of it turns a saga back
    masked = policy.cancellation == "masked"
    cancelled = outside if masked else env.failed
    recovery = "resume" if env.beyond and policy.recovery == "undo" else policy.recovery
    if env.deaf:
        cancelled = -1
    undoes = call[1] == "undo"
    overdue: list[Due] = []
    for o in env.overdue:
        told = env.failed if not masked else -1 if o.beyond else back
        target = {"undo": back, "escalate": env.failed}.get(o.how, told)
        if target >= 0:
            overdue.append(Due(o.saga, target, o.how == "escalate", o.unasked if undoes else ()))
    ports = agenda.draft.ports
    key = (place, keeps)
    if key in ports and not again:
        return
    scope = env.scope.number if env.scope is not None else -1
    step, direction, attempt = call
    ports[key] = Port(
        place, env.frame.top, back, cancelled, recovery, step, direction, attempt, gone, scope, keeps,
        tuple(overdue), env.clocks, env.beside, env.unasked if undoes else (),
    )  # fmt: skip
    if env.stops and env.scope is not None:
        env.scope.mark(env.scope.stop)  # before the scope is finished
    for heard in env.heard:
        agenda.interruptible.setdefault(heard.armed, {})[key] = (env, stmt)
        if env.scope is not None:
            for error in heard.errors:
                env.scope.mark(error)  # before the scope is finished
    for failing in env.stops:
        agenda.stoppable.setdefault(failing, {})[key] = (env, stmt)


def begins(agenda: Agenda, env: Env, ports: Ports, stmt: Statement) -> None:
    """A statement that has not begun: nothing of it is to be undone."""
    agenda.inside = inside
    waits_here(agenda, env, ports.start, ports.undone, stmt)


def inside(
    agenda: Agenda, thread: Thread, stmt: Statement, env: Env, undone: int, before: tuple[int, int] = (0, 0)
) -> None:
    """Each place inside of a statement without steps, in which one token moves, is a moment too: nothing of it is to be undone.

    `before`: how many places and threads there were in the thread when the statement began, which are not inside of it.
    """
    if _calls_saga(agenda, stmt):
        return
    places, known = before
    threads = [thread]
    for number, inner in enumerate(threads):
        threads += inner.inner[known:] if number == 0 else inner.inner
        for place in inner.places[places:] if number == 0 else inner.places:
            waits_here(agenda, env._replace(stops=(), heard=()), place, undone, stmt)


def _calls_saga(agenda: Agenda, stmt: Statement) -> bool:
    """Whether a saga is called in it: what happens to that is its own affair."""
    processes = agenda.survey.processes
    found = [s.target for s in statements(stmt) if isinstance(s, Call) and not s.detached]
    for target in found:
        process = processes.get(target)
        if process is not None and process.kind != "saga":
            found += [s.target for s in statements(process.body) if isinstance(s, Call) and s.target not in found]
    return any(p is not None and p.kind == "saga" for p in map(processes.get, found))


def asks(agenda: Agenda, env: Env, ports: Ports, stmt: Step, path: str) -> None:
    """The moment before a step is asked for the first time."""
    known = agenda.draft.ports.get((ports.start, ()))
    if known is None:
        return
    call = (path, "forward", 0)
    noted = stmt.undo is not None and not stmt.pivot and env.policy is not None and env.policy.register == "submit"
    if noted and known.back >= 0:
        waits_here(agenda, env, ports.start, ports.undo, stmt, call=call, again=True)
    else:
        agenda.draft.ports[ports.start, ()] = known._replace(step=path, direction="forward")


def moved(agenda: Agenda, place: int, keeps: int, gone: int) -> bool:
    """The moment at a place is one only while another place is marked too; false where there is none."""
    known = agenda.draft.ports.pop((place, ()), None)
    if known is None:
        return False
    before, after = (place, ()), (place, (keeps,))
    agenda.draft.ports[after] = known._replace(keeps=(keeps,), gone=gone)
    for found in (*agenda.stoppable.values(), *agenda.interruptible.values()):
        if before in found:
            found[after] = found.pop(before)
    return True


def stops_anywhere(agenda: Agenda, stmt: Statement, around: Env, env: Env, undone: int) -> Env:
    """The surroundings of a statement without steps in a way that is stopped: wherever its token is, it turns back."""
    from placet.compile.env import Exit, Thread, backwards  # which imports this module
    from placet.compile.threads import finish_thread

    label = way_of(stmt)
    exits = []
    for level, failing in enumerate(around.stops):
        why, parallel = agenda.stopped_by[failing]
        role = Role(Kind.ROUTE, commits=True, ways=parallel)
        throw = backwards(undone, around.scope, around.scope.stop if around.scope is not None else ABANDON)
        variants = [("", throw.pre, throw.post)]
        if throw.later is not None:
            variants.append((".later", *throw.later))
        for suffix, pre, post in variants:
            name = f"{around.path(stmt.id)}#stopped" + (f"[{level + 1}]" if level else "") + suffix
            words = f"{label} is stopped, since {why}"
            exits.append(Exit(name, (failing, *pre), (failing, *post), words, stmt.id, stmt.span, role))
    if around.heard and env.thread is not None:  # what interrupts it finds its token there too
        env.thread.exits += exits
        return env
    thread = Thread()
    thread.exits += exits
    agenda.later(finish_thread, thread, env)
    return env._replace(thread=thread)


def stop_siblings(agenda: Agenda, failing: int) -> None:
    """All ways of a parallel turn back where they stand once one of them has failed. Linear in their moments."""
    for key, (env, stmt) in agenda.stoppable.pop(failing, {}).items():
        port = agenda.draft.ports.get(key)
        if port is not None and port.back >= 0:
            _stopped(agenda, env, port, stmt, failing)


def _stopped(agenda: Agenda, env: Env, port: Port, stmt: Statement, failing: int) -> None:
    from placet.compile.env import backwards  # which imports this module

    draft = agenda.draft
    label = way_of(stmt)
    why, parallel = agenda.stopped_by[failing]
    phrase = f"{label} is stopped, since {why}"
    if port.attempt:
        phrase = f"nobody waits any more for {label}, since {why}"
    role = Role(Kind.ROUTE, port.step, port.direction, port.attempt, commits=True, ways=parallel)
    after = (failing, *port.keeps, *((port.gone,) if port.gone >= 0 else ()))
    throw = backwards(port.back, env.scope, env.scope.stop if env.scope is not None else ABANDON)
    variants = [("", throw.pre, throw.post)]
    if throw.later is not None:
        variants.append((".later", *throw.later))
    level = env.stops.index(failing)
    name = f"{draft.names[port.place]}.stopped" + (f"[{level + 1}]" if level else "")
    if name in draft.transitions:
        name = f"{name}.doubt"
    for suffix, more, post in variants:
        pre = (port.place, failing, *port.keeps, *more)
        made = agenda.move(f"{name}{suffix}", pre, (*post, *after), env, stmt.id, phrase, stmt.span, role)
        draft.quiet.add(made)
