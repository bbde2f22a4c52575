"""The ways of a parallel around saga steps: how they come to rest, and turn back together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile import saga_some_of
from placet.compile.env import Env, Ports, record
from placet.compile.gates import Gates, counted
from placet.compile.phrases import next_up, the_way
from placet.compile.ports import FAILED, stop_siblings, stops_anywhere
from placet.compile.statements import name_of
from placet.compile.undo_stack import stacked
from placet.compile.vocabulary import statements
from placet.compile.way_stack import Stacked
from placet.ir.model import Parallel, Sequence, Step, Task, Timer
from placet.net.roles import Fork, Way

if TYPE_CHECKING:
    from placet.compile.env import Agenda
    from placet.compile.way_stack import Turn
    from placet.ir.model import Statement
    from placet.ir.model import Way as Branch
    from placet.source import Span


def parallel(agenda: Agenda, stmt: Parallel, ports: Ports, env: Env) -> None:
    """All ways at once. A way that failed is back at its `undone`; the first one there sets `failing`.

    Siblings awaited: a way that is done turns back when `failing` is set, one in flight finishes first; when all have
    come to rest, the parallel is undone. Siblings cancelled: as awaited, but one in flight turns back where it stands.
    Siblings abandoned: the parallel goes back at once, the others run on unheard.
    """
    if stmt.need is not None and stmt.rest is None and stmt.need < len(stmt.ways):
        if saga_some_of.understood(agenda, stmt, env):
            saga_some_of.some_of(agenda, stmt, ports, env)
            return
        stmt = stmt._replace(need=None)
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
    healthy = (calm, whole) if whole >= 0 else (calm,)  # nothing has failed or stopped half-way
    undoing = (
        record(agenda, f"{base}#undoing", env, stmt.id, "all ways are being undone", span) if abandons else failing
    )
    found = stacked(agenda, stmt, env, (calm, failing, stuck))
    stack, turns = found if found is not None else (None, {})
    starts, dones, undos, rests = [], [], [], []
    pending = []
    gates = None if stmt.width is None else Gates(agenda, stmt, env)
    if env.policy is not None and env.policy.siblings == "cancel":
        agenda.stopped_by[failing] = (FAILED, stmt.id)
        agenda.later(stop_siblings, failing)
        agenda.stopping = stops_anywhere
    all_ways = stmt.ways if stmt.rest is None else (*stmt.ways, stmt.rest)
    count: list[int] = []
    if stmt.need is not None:
        count = counted(agenda, f"{base}#done", env, stmt.id, f"of {len(stmt.ways)} ways are done", stmt.need)
    for way in all_ways:
        path = env.path(way.id)
        label = the_way(way)
        start = agenda.place(f"{path}#start", env, way.id, next_up(way.body), way.span)
        done = agenda.place(f"{path}#done", env, way.id, f"{label} is done", way.span)
        undone = agenda.place(f"{path}#undone", env, way.id, f"{label} is not in effect", way.span)
        undo = undone
        if agenda.survey.of(way.body).undoable:
            undo = agenda.place(f"{path}#undo", env, way.id, f"{label} is to be undone", way.span)
        inner = env._replace(beside=True)
        if stack is not None and way.id in turns:
            inner = inner._replace(stacked=Stacked(stack, turns[way.id]))
        if abandons:
            rest = undone
            failed = agenda.place(f"{path}#failed", env, way.id, f"an undo of {label} has given up", way.span)
            known = (calm, failing, undoing)
            _abandoned(agenda, way.id, way.span, path, (done, undone, failed), known, (ports.undone, env.failed), env)
            inner = inner._replace(failed=failed)
        else:
            failed = agenda.place(f"{path}#failed", env, way.id, f"an undo of {label} has given up", way.span)
            rest = agenda.place(f"{path}#rest", env, way.id, f"{label} has come to rest", way.span)
            flags = (calm, failing, whole, stuck)
            _awaited(agenda, way, stmt.id, path, (done, undo, undone, failed, rest), flags, env, turns.get(way.id))
            inner = inner._replace(failed=failed)
            if env.policy is not None and env.policy.siblings == "cancel":
                inner = inner._replace(stops=(*env.stops, failing))
        starts.append(start)
        dones.append(done)
        undos.append(undo)
        rests.append(rest)
        between = (start, done)
        if gates is not None:
            between = gates.through(len(starts) - 1, start, done, inner, healthy)
            _not_begun(agenda, way, path, (start, undone, rest), (failing, stuck), env)
        if count and way is stmt.rest:
            begin = agenda.place(f"{path}#begin", inner, way.id, next_up(way.body), way.span)
            words = f"`{name}` goes on beside the other ways"
            needs, gives = (start, count[-1], *healthy), (begin, count[-1], *healthy)
            begins = agenda.move(f"{path}#begins", needs, gives, env, way.id, words, way.span)
            agenda.draft.counts_ways(stmt.id, begins)
            agenda.draft.quiet.add(begins)
            _not_begun(agenda, way, path, (start, undone, rest), (failing, stuck), env)
            between = (begin, done)
        elif count:
            between = (start, agenda.place(f"{path}#arrived", inner, way.id, f"{label} is done", way.span))
            for n, place in enumerate(count):
                taken, given = (between[1], place), (done, count[min(n + 1, len(count) - 1)])
                moved = agenda.move(f"{path}#counts[{n}]", taken, given, env, way.id, f"{label} is done", way.span)
                agenda.draft.counts_ways(stmt.id, moved)
                agenda.draft.quiet.add(moved)
        pending.append((way.body, Ports(*between, undo, undone), inner))
    for body, its, inner in reversed(pending):
        agenda.push(body, its, inner)
    move, quiet = agenda.move, agenda.draft.quiet
    total = len(all_ways)
    several = total > 1
    split = f"`{name}` goes {f'{total} ways at once' if several else 'its one way'}"
    joined = f"{f'all {total} ways' if several else 'the one way'} of `{name}` {'are' if several else 'is'} done"
    made = [
        move(f"{base}#fork", (ports.start,), starts, env, stmt.id, split, span),
        move(f"{base}#join", dones, (ports.done,), env, stmt.id, joined, span),
    ]
    back = f"`{name}` goes back {f'all {total} ways' if several else 'its one way'}"
    aside = []
    if ports.undo != ports.undone:
        forward, turned = [t.forward for t in turns.values()], [t.back for t in turns.values()]
        whole_again = (ports.undo, calm, *forward)
        aside.append(move(f"{base}#undo.fork", whole_again, (*undos, undoing, *turned), env, stmt.id, back, span))
    over = f"all {total} ways of `{name}` are back"
    if abandons:
        aside.append(move(f"{base}#undo.join", (*rests, undoing), (ports.undone, undoing), env, stmt.id, over, span))
    else:
        pre, post = (*rests, failing, whole), (ports.undone, failing, whole)
        aside.append(move(f"{base}#undo.join", pre, post, env, stmt.id, over, span))
        halted = f"all {total} ways of `{name}` have come to rest, not all undone"
        aside.append(move(f"{base}#halt", (*rests, stuck), (env.failed, stuck), env, stmt.id, halted, span))
    quiet.update(aside)
    if not (env.beside or gates is not None or count or env.heard or turns):
        ways = [_way(env, body, its, rest) for (body, its, _), rest in zip(pending, rests, strict=True)]
        agenda.draft.forks.append(Fork((*made, *aside), tuple(ways)))


def _not_begun(
    agenda: Agenda, way: Branch, path: str, places: tuple[int, int, int], flags: tuple[int, int], env: Env
) -> None:
    """A way that has not begun need not any more, once another one has failed or stopped half-way."""
    start, undone, rest = places
    failing, stuck = flags
    words = f"{the_way(way)} need not begin any more"
    for suffix, flag, after in (("", failing, undone), (".stuck", stuck, rest)):
        if flag >= 0:
            pre, post = (start, flag), (after, flag)
            agenda.draft.quiet.add(agenda.move(f"{path}#not.begun{suffix}", pre, post, env, way.id, words, way.span))


def _way(env: Env, body: Statement, ports: Ports, rest: int) -> Way:
    """What a way of a fork consists of, and whether it keeps to itself while no fault comes."""
    found = list(statements(body))
    sealed = all(
        (isinstance(s, Step) and not s.pivot and s.limits is None)
        or isinstance(s, Sequence | Parallel | Timer)
        or (isinstance(s, Task) and not s.errors)
        for s in found
    )
    steps = tuple(env.path(s.id) for s in found if isinstance(s, Step))
    return Way((ports.start, ports.done, ports.undo, ports.undone, rest), steps, sealed)


def _awaited(
    agenda: Agenda,
    way: Branch,
    parallel: str,
    path: str,
    places: tuple[int, int, int, int, int],
    flags: tuple[int, int, int, int],
    env: Env,
    turn: Turn | None = None,
) -> None:
    """How one way of a parallel comes to rest; `turn` where the undos of all ways are in one order."""
    done, undo, undone, failed, rest = places
    calm, failing, whole, stuck = flags
    label = f"way `{name_of(way.id)}`"

    def quietly(name: str, pre: tuple[int, ...], post: tuple[int, ...], phrase: str) -> None:
        made = agenda.move(f"{path}#{name}", pre, post, env, way.id, phrase, way.span)
        agenda.draft.counts_ways(parallel, made)
        agenda.draft.quiet.add(made)

    forward, back = ((turn.forward,), (turn.back,)) if turn is not None else ((), ())
    quietly("fails", (undone, calm, *forward), (rest, failing, *back), f"{label} is undone, the others are to follow")
    quietly("rests", (undone, failing, *back), (rest, failing, *back), f"{label} is undone too")
    if turn is not None:
        quietly("rests.too", (undone, failing, *forward), (rest, failing, *back), f"{label} had nothing to undo")
    quietly("turns", (done, failing, *forward), (undo, failing, *back), f"{label} was done and turns back")
    quietly("halts", (failed, whole), (rest, stuck), f"{label} stays half-way")
    quietly("halts.too", (failed, stuck), (rest, stuck), f"{label} stays half-way too")
    quietly("stays", (done, stuck), (rest, stuck), f"{label} stays done")


def _abandoned(
    agenda: Agenda,
    identifier: str,
    span: Span | None,
    path: str,
    places: tuple[int, int, int],
    flags: tuple[int, int, int],
    back: tuple[int, int],
    env: Env,
) -> None:
    """The first way that fails takes the saga back, one whose undo gives up stops it; those later are not heard."""
    done, undone, failed = places
    calm, failing, undoing = flags
    label = f"way `{name_of(identifier)}`"

    def quietly(name: str, pre: tuple[int, ...], post: tuple[int, ...], phrase: str) -> None:
        agenda.draft.quiet.add(agenda.move(f"{path}#{name}", pre, post, env, identifier, phrase, span))

    quietly("fails", (undone, calm), (back[0], failing), f"{label} is undone, the others are abandoned")
    quietly("unheard.done", (done, failing), (failing,), f"the abandoned {label} is done, unheard")
    quietly("unheard.undone", (undone, failing), (failing,), f"the abandoned {label} has failed, unheard")
    quietly("halts", (failed, calm), (back[1], failing), f"{label} stays half-way, the others are abandoned")
    quietly("halts.undoing", (failed, undoing), (back[1], failing), f"{label} stays half-way")
    quietly("unheard.failed", (failed, failing), (failing,), f"the abandoned {label} stays half-way, unheard")
