"""Statements around saga steps: nets with four ports, so that going back costs as much as going on.

`start` -> `done`, and backwards `undo` ("compensate me, I had completed") -> `undone` ("my effects are reversed, go on
backwards"). A statement that fails first undoes what it had done itself and then puts its token on its own `undone`
port. So `S1; S2` joins `S2.undone` with `S1.undo`, and the size stays linear in the number of steps.

Each statement goes forward at most once and backward at most once: loops are unrolled. What has to be remembered (the
way taken, who failed) lies in record places, which final markings leave free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile import saga_some_of
from placet.compile.env import Back, Env, Ports, record
from placet.compile.findings import head
from placet.compile.gates import Gates, counted
from placet.compile.phrases import called, next_up, the_way
from placet.compile.phrases import done as had
from placet.compile.ports import stop_siblings, stops_anywhere
from placet.compile.saga_at_once import all_at_once
from placet.compile.statements import behind, chosen_way, conditions, leaving, name_of, no_way, rounds_of, trigger
from placet.compile.undo_stack import stacked
from placet.compile.values import Move, decided
from placet.compile.vocabulary import statements
from placet.compile.way_stack import Stacked
from placet.ir.model import Beside, Parallel, Sequence, Step, Task, Timer
from placet.net.roles import Fork, Way

if TYPE_CHECKING:
    from collections.abc import Sequence as Many

    from placet.compile.env import Agenda
    from placet.compile.way_stack import Turn
    from placet.ir.model import Choice, Graph, Loop, Race, Repeat, Statement
    from placet.ir.model import Way as Branch
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


# -- parallel --------------------------------------------------------------------------------------------------------


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
            flags = (calm, failing, undoing)
            _abandoned(agenda, way.id, way.span, path, (done, undone, failed), flags, (ports.undone, env.failed), env)
            inner = inner._replace(failed=failed)
        else:
            failed = agenda.place(f"{path}#failed", env, way.id, f"an undo of {label} has given up", way.span)
            rest = agenda.place(f"{path}#rest", env, way.id, f"{label} has come to rest", way.span)
            _awaited(
                agenda, way.id, way.span, path, (done, undo, undone, failed, rest), (calm, failing, whole, stuck), env,
                turns.get(way.id),
            )  # fmt: skip
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
            agenda.draft.quiet.add(agenda.move(f"{path}#begins", needs, gives, env, way.id, words, way.span))
            _not_begun(agenda, way, path, (start, undone, rest), (failing, stuck), env)
            between = (begin, done)
        elif count:
            between = (start, agenda.place(f"{path}#arrived", inner, way.id, f"{label} is done", way.span))
            for n, place in enumerate(count):
                taken, given = (between[1], place), (done, count[min(n + 1, len(count) - 1)])
                moved = agenda.move(f"{path}#counts[{n}]", taken, given, env, way.id, f"{label} is done", way.span)
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
    identifier: str,
    span: Span | None,
    path: str,
    places: tuple[int, int, int, int, int],
    flags: tuple[int, int, int, int],
    env: Env,
    turn: Turn | None = None,
) -> None:
    """How one way of a parallel comes to rest; `turn` where the undos of all ways are in one order."""
    done, undo, undone, failed, rest = places
    calm, failing, whole, stuck = flags
    label = f"way `{name_of(identifier)}`"

    def quietly(name: str, pre: tuple[int, ...], post: tuple[int, ...], phrase: str) -> None:
        agenda.draft.quiet.add(agenda.move(f"{path}#{name}", pre, post, env, identifier, phrase, span))

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


def unsupported(agenda: Agenda, stmt: Repeat | Beside | Graph, ports: Ports, env: Env) -> None:
    """Steps in a graph or in several instances: not yet."""
    where = "under a handler that runs beside" if isinstance(stmt, Beside) else "inside a graph or several instances"
    agenda.report("P403", "error", f"saga steps are not understood {where}", head(stmt.span))
    path = env.path(stmt.id)
    made = agenda.move(
        f"{path}#left.out", (ports.start,), (ports.done,), env, stmt.id, f"`{name_of(stmt.id)}` is left out", stmt.span
    )
    agenda.draft.quiet.add(made)
