"""A parallel that goes on when some of its ways are done.

How many are done is a record, one token that moves with each of them, and that every entry sets back. When there are enough, the
others are stopped as by an error; or what comes after begins, as one more way beside them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.env import Forked, Ports
from placet.compile.gates import counted
from placet.compile.phrases import next_up, way_done
from placet.compile.threads import new_fork

if TYPE_CHECKING:
    from placet.compile.env import Agenda, Env
    from placet.ir.model import Parallel, Way


def some_of(agenda: Agenda, stmt: Parallel, ports: Ports, env: Env) -> None:
    """The ways, the count, and what happens when it is reached, in a workflow."""
    path, span, need, name = env.path(stmt.id), stmt.span, stmt.need or 0, env.frame.name
    ways = stmt.ways if stmt.rest is None else (*stmt.ways, stmt.rest)
    fork = new_fork(agenda, path, len(ways), env, stmt.id, span)
    count = counted(agenda, f"{path}#done", env, stmt.id, f"of {len(stmt.ways)} ways are done", need)
    starts, overs = [], []
    pending = []
    for number, way in enumerate(ways):
        thread = fork.ways[number][0]
        rest = way is stmt.rest
        inner = env._replace(thread=thread, route=Forked(fork, thread), ending=(fork, thread) if rest else None)
        its = env.path(way.id)
        start = agenda.place(f"{its}#start", inner, way.id, next_up(way.body), way.span)
        done = agenda.place(f"{its}#done", inner, way.id, way_done(way), way.span)
        starts.append(start)
        if rest:
            start = _begins(agenda, way, start, count[need], inner)
            overs.append(done)
        else:
            overs.append(counts(agenda, way, done, count, inner, stmt.id))
        pending.append((way.body, Ports(start, done), inner))
    for body, its_ports, inner in reversed(pending):
        agenda.push(body, its_ports, inner)
    words = f"`{name}` goes {len(stmt.ways)} ways at once"
    for n, place in enumerate(count):
        pre, post = (ports.start, place), (*starts, fork.running, count[0])
        agenda.draft.quiet.add(agenda.move(f"{path}#fork[{n}]", pre, post, env, stmt.id, words, span))
    if stmt.rest is not None:
        words = f"all ways of `{name}` are done, and what came after the first {need}"
        agenda.move(f"{path}#join", (*overs, fork.running), (ports.done,), env, stmt.id, words, span)
        return
    words = f"{need} of {len(stmt.ways)} ways of `{name}` are done, the others are stopped"
    stopping = agenda.draft.place(f"{path}#enough", stmt.id, words, span, env.frame.path)
    pre, post = (fork.running, count[need]), (stopping, count[need], *(stop for _, stop, _, _ in fork.ways))
    agenda.move(f"{path}#enough", pre, post, env, stmt.id, words, span)
    stopped = [rest for _, _, rest, _ in fork.ways]
    agenda.move(f"{path}#join", (stopping, *stopped), (ports.done,), env, stmt.id, f"`{name}` goes on", span)


def counts(agenda: Agenda, way: Way, done: int, count: list[int], env: Env, parallel: str) -> int:
    """The place where a way has been counted; what comes after the last one that was needed is counted no more."""
    path = env.path(way.id)
    over = agenda.place(f"{path}#over", env, way.id, way_done(way), way.span)
    for n, place in enumerate(count):
        after = count[min(n + 1, len(count) - 1)]
        made = agenda.move(f"{path}#counts[{n}]", (done, place), (over, after), env, way.id, way_done(way), way.span)
        agenda.draft.counts_ways(parallel, made)
        agenda.draft.quiet.add(made)
    return over


def _begins(agenda: Agenda, way: Way, start: int, enough: int, env: Env) -> int:
    path = env.path(way.id)
    begin = agenda.place(f"{path}#begin", env, way.id, next_up(way.body), way.span)
    words = f"`{env.frame.name}` goes on beside the other ways"
    agenda.draft.quiet.add(
        agenda.move(f"{path}#begins", (start, enough), (begin, enough), env, way.id, words, way.span)
    )
    return begin
