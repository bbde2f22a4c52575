"""Stopping what runs: threads are left from wherever their token is, the ways of a fork are stopped one token each.

A stop is not instant: a way that is told to stop may go on until the stop token finds it. What a fork holds together is
taken apart exactly, because a thread holds one token, apart from the forks inside it, which hold their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.env import Exit, Fork, Thread
from placet.net.roles import PLAIN, Kind, Role

if TYPE_CHECKING:
    from placet.compile.env import Agenda, Env
    from placet.source import Span


def finish_thread(agenda: Agenda, thread: Thread, env: Env) -> None:
    """The exits of a thread, from wherever its token can be. Linear in places times exits."""
    draft = agenda.draft
    names = draft.names
    places, forks = list(thread.places), list(thread.forks)
    pending = list(thread.inner)
    for inner in pending:
        places += inner.places
        forks += inner.forks
        pending += inner.inner
    for exit_ in thread.exits:
        for p in places:
            if p in exit_.pre:
                continue
            if exit_.hears is not None:
                exit_.hears.append(p)
            post = (*exit_.post, p) if exit_.keeps else exit_.post
            made = draft.transition(
                f"{exit_.label}@{names[p]}", (p, *exit_.pre), post, exit_.origin, exit_.phrase, exit_.span,
                env.frame.path, exit_.role,
            )  # fmt: skip
            draft.step(exit_.step, made) if exit_.step else draft.quiet.add(made)
        for fork in forks:
            _leave(agenda, fork, exit_, env)


def _leave(agenda: Agenda, fork: Fork, exit_: Exit, env: Env) -> None:
    """An exit while the ways of a fork run: all are stopped, then the exit's target is reached."""
    draft = agenda.draft
    if exit_.hears is not None:
        exit_.hears.append(fork.running)
    if exit_.keeps:
        beside = draft.transition(
            f"{exit_.label}@{fork.path}", (fork.running, *exit_.pre), (fork.running, *exit_.post), exit_.origin,
            exit_.phrase, exit_.span, env.frame.path, exit_.role,
        )  # fmt: skip
        draft.step(exit_.step, beside) if exit_.step else draft.quiet.add(beside)
        return
    stopping = draft.place(
        f"{exit_.label}@{fork.path}",
        exit_.origin,
        "the ways still running are being stopped",
        exit_.span,
        env.frame.path,
    )
    stops = [stop for _, stop, _, _ in fork.ways]
    stopped = [rest for _, _, rest, _ in fork.ways]
    made = draft.transition(
        f"{exit_.label}@{fork.path}#stop", (fork.running, *exit_.pre), (stopping, *stops), exit_.origin, exit_.phrase,
        exit_.span, env.frame.path, exit_.role,
    )  # fmt: skip
    draft.step(exit_.step, made) if exit_.step else draft.quiet.add(made)
    over = draft.transition(
        f"{exit_.label}@{fork.path}#stopped", (stopping, *stopped), exit_.post, exit_.origin,
        "all ways are stopped", exit_.span, env.frame.path,
    )  # fmt: skip
    draft.quiet.add(over)


def finish_fork(agenda: Agenda, fork: Fork) -> None:
    """The errors that left a way: the others are stopped, then the error goes on outside. Linear in ways and errors."""
    draft = agenda.draft
    stops = [stop for _, stop, _, _ in fork.ways]
    stopped = [rest for _, _, rest, _ in fork.ways]
    frame = fork.env.frame
    for name, place in list(fork.ends.items()):
        if fork.awaits >= 0:
            pre, post = ended(agenda, fork.env, name, fork.span)
            words = f"`{frame.name}` ends `{name}`, now that all it has waited for is over"
            needs = (place, fork.awaits, fork.running, *pre)
            agenda.move(f"{fork.path}#ended.{name}", needs, post, fork.env, fork.origin, words, fork.span)
            continue
        pending = draft.place(
            f"{fork.path}#stopping.end.{name}",
            fork.origin,
            "all that still runs is being stopped",
            fork.span,
            frame.path,
        )
        words = "all that still runs is stopped"
        agenda.move(
            f"{fork.path}#stop.end.{name}", (place,), (pending, *stops), fork.env, fork.origin, words, fork.span
        )
        before: tuple[int, ...] = (pending, *stopped)
        if fork.env.ending is not None:  # who stops this way from outside then finds its token
            over = agenda.place(f"{fork.path}#over.end.{name}", fork.env, fork.origin, words, fork.span)
            gone = agenda.move(f"{fork.path}#gone.end.{name}", before, (over,), fork.env, fork.origin, words, fork.span)
            draft.quiet.add(gone)
            before = (over,)
        pre, post = ended(agenda, fork.env, name, fork.span)
        agenda.move(f"{fork.path}#ended.{name}", (*before, *pre), post, fork.env, fork.origin, words, fork.span)
    for error, place in fork.errors.items():
        name = error or "abandon"
        pending = draft.place(
            f"{fork.path}#stopping.{name}",
            fork.origin,
            "the ways still running are being stopped",
            fork.span,
            fork.env.frame.path,
        )
        made = agenda.move(
            f"{fork.path}#stop.{name}",
            (place,),
            (pending, *stops),
            fork.env,
            fork.origin,
            "the other ways are stopped",
            fork.span,
        )
        draft.quiet.add(made)
        phrase = f"all ways are stopped after `{error}`" if error else "all ways are stopped"
        before = (pending, *stopped)
        if fork.env.thread is not None:  # an error elsewhere may have won: who stops this way then finds its token
            over = agenda.place(f"{fork.path}#over.{name}", fork.env, fork.origin, phrase, fork.span)
            gone = agenda.move(f"{fork.path}#gone.{name}", before, (over,), fork.env, fork.origin, phrase, fork.span)
            draft.quiet.add(gone)
            before = (over,)
        made_all = agenda.raising(
            f"{fork.path}#left.{name}", before, error, fork.env, fork.origin, phrase, fork.span, PLAIN
        )
        draft.quiet.update(made_all)


def ended(agenda: Agenda, env: Env, name: str, span: Span | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What an end of the process takes besides its own token, and gives: handlers beside it are stopped first."""
    if env.ending is None:
        return (), (agenda.end(env.frame, name, span),)
    fork, thread = env.ending
    place = fork.ends.get(name)
    if place is None:
        phrase = f"`{env.frame.name}` is about to end `{name}`"
        path = f"{fork.path}#ending.{name}"
        place = fork.ends[name] = agenda.draft.place(path, fork.origin, phrase, span, env.frame.path)
        if fork.awaits >= 0:
            thread.places.append(place)
    if fork.awaits >= 0:
        return (), (place,)
    raised = next(way[3] for way in fork.ways if way[0] is thread)
    return (fork.running,), (place, raised)


def new_fork(agenda: Agenda, path: str, ways: int, env: Env, origin: str, span: Span | None) -> Fork:
    """A fork that can be stopped, with a thread, a stop and a stopped place for each way; its jobs are pushed."""
    draft = agenda.draft
    running = draft.place(f"{path}#running", origin, "the parallel ways are not joined yet", span, env.frame.path)
    fork = Fork(path, env, origin, span, running)
    if env.thread is not None:
        env.thread.forks.append(fork)
    agenda.later(finish_fork, fork)
    for number in range(1, ways + 1):
        thread = Thread()
        way = f"{path}#way[{number}]"
        stop = draft.place(f"{way}.stop", origin, "this way is told to stop", span, env.frame.path)
        stopped = draft.place(f"{way}.stopped", origin, "this way has stopped", span, env.frame.path)
        raised = draft.place(f"{way}.raised", origin, "this way has raised an error", span, env.frame.path)
        thread.places.append(raised)
        exit_ = Exit(
            f"{way}.stop", (stop,), (stopped,), "a way is stopped", origin, span, Role(Kind.ROUTE, ways=origin)
        )
        thread.exits.append(exit_)
        fork.ways.append((thread, stop, stopped, raised))
        agenda.later(finish_thread, thread, env)
    return fork
