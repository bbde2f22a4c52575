"""A process that is started and not waited for, until who started it ends: then its end is awaited, or it is stopped.

The child and all that its starter does after are ways of a fork. Where the child is stopped, an end of the starter stops it as it stops
handlers that run beside; where it is awaited, an end waits on a place of its own until the child is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.env import Forked, Ports
from placet.compile.phrases import next_up
from placet.compile.threads import new_fork
from placet.net.roles import Kind, Role

if TYPE_CHECKING:
    from placet.compile.env import Agenda, Env
    from placet.ir.model import Parallel, Way

WAIT, CANCEL, ABANDON = "wait", "cancel", "abandon"


def child(agenda: Agenda, stmt: Parallel, its: Way, rest: Way, ports: Ports, env: Env) -> None:
    """The child, and what follows beside it, in a workflow."""
    path, span, name, target = env.path(stmt.id), stmt.span, env.frame.name, stmt.close[1]
    fork = new_fork(agenda, path, 2, env, stmt.id, span)
    (thread, stop, stopped, _), (main, *_) = fork.ways
    inner = env._replace(thread=thread, route=Forked(fork, thread), ending=None)
    begin = agenda.place(f"{path}#begin", inner, stmt.id, f"`{target}` is to begin", span)
    over = agenda.place(f"{path}#over", inner, stmt.id, f"`{target}` is over", span)
    own = env._replace(thread=main, route=Forked(fork, main), ending=(fork, main))
    start = agenda.place(f"{path}#then", own, stmt.id, next_up(rest.body), span)
    done = agenda.place(f"{path}#last", own, stmt.id, f"`{name}` has nothing more to do", span)
    agenda.push(rest.body, Ports(start, done), own)
    agenda.push(its.body, Ports(begin, over), inner)
    words = f"`{name}` starts `{target}`"
    made = agenda.move(path, (ports.start,), (begin, start, fork.running), env, stmt.id, words, span, Role(Kind.TASK))
    agenda.draft.step(stmt.id, made)
    if stmt.close[0] == WAIT:
        fork.awaits = over
        words = f"`{target}` is over too, which `{name}` has waited for"
        agenda.move(f"{path}#join", (done, over, fork.running), (ports.done,), env, stmt.id, words, span)
        return
    words = f"`{name}` has nothing more to do, and stops `{target}`"
    closing = agenda.draft.place(f"{path}#closing", stmt.id, f"`{target}` is being stopped", span, env.frame.path)
    agenda.move(f"{path}#close", (done, fork.running), (closing, stop), env, stmt.id, words, span)
    words = f"`{target}` is stopped"
    agenda.move(f"{path}#closed", (closing, stopped), (ports.done,), env, stmt.id, words, span)
