"""Handlers that interrupt nothing: they run beside a body, as often as their signal comes while it goes on.

The body, one listener for each handler, and the runs of the handlers are ways of a fork, so that an error of any of them, and
whoever interrupts all of it, stops the others as in a parallel. When the body is done the listeners stop listening; what has
begun comes to its end first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.env import Forked, Ports
from placet.compile.phrases import next_up
from placet.compile.signals import hearing, taken
from placet.compile.threads import new_fork
from placet.net.roles import Kind, Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.compile.env import Agenda, Env
    from placet.ir.model import Beside, Listener

BRACES = "all in the braces is done"


def beside(agenda: Agenda, stmt: Beside, ports: Ports, env: Env) -> None:
    """A body with handlers beside it, in a workflow."""
    path, span = env.path(stmt.id), stmt.span
    facts = agenda.survey.of
    count = 1 + sum(1 + listener.most for listener in stmt.listeners)
    raises = bool(facts(stmt.body).errors) or any(facts(one.body).errors for one in stmt.listeners)
    ends = facts(stmt.body).ends or any(facts(one.body).ends for one in stmt.listeners)
    stoppable = env.thread is not None or raises or ends
    fork = new_fork(agenda, path, count, env, stmt.id, span) if stoppable else None
    ways = iter(fork.ways if fork is not None else ())

    def way() -> Env:
        if fork is None:
            return env
        thread = next(ways)[0]
        return env._replace(thread=thread, route=Forked(fork, thread), ending=(fork, thread))

    its = way()
    begin = agenda.place(f"{path}#begin", its, stmt.id, next_up(stmt.body), span)
    at = agenda.place(f"{path}#body.done", its, stmt.id, BRACES, span)
    agenda.push(stmt.body, Ports(begin, at), its)
    starts, dones = [begin], []
    for listener in stmt.listeners:
        listening, over, idle, finished = _listener(agenda, listener, way, env)
        starts += [listening[0], *idle]
        dones += [over, *finished]
        closed = agenda.place(f"{env.path(listener.id)}#closed", its, listener.id, BRACES, listener.span)
        words = f"`{listener.name}` is listened for no more" if listener.trigger == "event" else "the clock is stopped"
        for n, place in enumerate(listening):
            pre, post = (at, place, *idle[n:]), (closed, over, *finished[n:])
            label = f"{env.path(listener.id)}#closes[{n}]"
            agenda.draft.quiet.add(agenda.move(label, pre, post, env, listener.id, words, listener.span))
        at = closed
    held = () if fork is None else (fork.running,)
    words = f"`{env.frame.name}` listens beside what it does"
    agenda.draft.quiet.add(agenda.move(f"{path}#enter", (ports.start,), (*starts, *held), env, stmt.id, words, span))
    words = "all that was begun beside it is done too"
    agenda.draft.quiet.add(agenda.move(f"{path}#leave", (at, *dones, *held), (ports.done,), env, stmt.id, words, span))


def _listener(
    agenda: Agenda, listener: Listener, way: Callable[[], Env], env: Env
) -> tuple[list[int], int, list[int], list[int]]:
    """One handler: the places of who listens, by how often it came; where it ends; where its runs wait, and end."""
    path, name, span = env.path(listener.id), listener.name, listener.span
    own = way()
    event = listener.trigger == "event"
    agenda.bounds[f"{path}#arrivals"] = listener.most
    agenda.unjustified = agenda.unjustified or not listener.given
    agenda.timed = agenda.timed or not event
    told = f"`{name}`" if event else f"the time of {name}" if name else "the time"
    awaited = f"waiting for {told} beside what is going on"
    listening = [
        agenda.place(f"{path}#listens[{n}]", own, listener.id, awaited, span) for n in range(listener.most + 1)
    ]
    over = agenda.place(f"{path}#over", own, listener.id, f"{told} is waited for no more", span)
    idle, finished = [], []
    role = Role(Kind.EVENT if event else Kind.TIMER)._replace(says=name)
    phrase = f"{told} arrives" if event else f"{told} has passed"
    for n in range(1, listener.most + 1):
        its = way()._replace(suffix=f"{env.suffix}[{n}]")
        idle.append(agenda.place(f"{path}#idle[{n}]", its, listener.id, awaited, span))
        start = agenda.place(f"{path}#start[{n}]", its, listener.id, f"{told} is to be handled", span)
        finished.append(agenda.place(f"{path}#done[{n}]", its, listener.id, f"{told} is handled", span))
        for suffix, pre, post in taken(env, name) if event else [("", (), ())]:
            label = f"{path}#fires[{n}]{suffix}"
            needs, gives = (listening[n - 1], idle[n - 1], *pre), (listening[n], start, *post)
            made = agenda.move(label, needs, gives, env, listener.id, phrase, span, role)
            agenda.draft.step(listener.id, made)
        agenda.push(listener.body, Ports(start, finished[-1]), its)
    heard = hearing(env, name) if event else None
    if heard is not None:
        heard += listening[:-1]
    return listening, over, idle, finished
