"""A parallel of steps of which some are needed: `parallel 2 of { ... } others cancel`.

When there are enough, each other way turns back where it stands, as with `siblings cancel` when one has failed: what was done in it is
undone, a step that is under way is treated like one whose outcome is unknown, and its request may still arrive. One that comes to its
end too late turns back too. What follows begins when all of that is over. Each way remembers whether it counted (`won`) or not
(`lost`), so that going back later undoes the ones that counted. Before there are enough, a way that fails takes the whole back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.env import Ports, record
from placet.compile.findings import head
from placet.compile.gates import counted
from placet.compile.phrases import next_up, the_way
from placet.compile.ports import FAILED, stop_siblings, stops_anywhere

if TYPE_CHECKING:
    from placet.compile.env import Agenda, Env
    from placet.ir.model import Parallel, Way

ENOUGH = "enough others are done"


def understood(agenda: Agenda, stmt: Parallel, env: Env) -> bool:
    """Whether there is a net for it; else it is said why not."""
    why = help_ = ""
    if any(agenda.survey.of(way.body).pivot for way in stmt.ways):
        why, help_ = "a way with a point of no return cannot be cancelled", "put the pivot behind the parallel"
    elif env.scope is not None:
        why = "ways that are cancelled are not understood inside a `try` around steps"
        help_ = "write `others go_on`, or let the process call a saga with the parallel in it"
    elif env.policy is not None and env.policy.siblings == "abandon":
        why, help_ = "ways cannot be cancelled where nobody looks after them", "leave `siblings abandon` out"
    elif env.policy is not None and env.policy.undo_order in ("start", "completion", "registration"):
        why = f"undos in the order of {env.policy.undo_order} are not understood where ways are cancelled"
        help_ = "leave `undo_order` out"
    if why:
        agenda.report("P403", "error", why, head(stmt.span), help=help_)
    return not why


class _Some:
    """One such parallel."""

    def __init__(self, agenda: Agenda, stmt: Parallel, env: Env) -> None:
        self.agenda, self.stmt, self.env = agenda, stmt, env
        base, span = env.path(stmt.id), stmt.span
        self.calm = record(agenda, f"{base}#calm", env, stmt.id, "no way has failed", span, 1)
        self.failing = record(agenda, f"{base}#failing", env, stmt.id, "a way has failed or is being undone", span)
        self.whole = record(agenda, f"{base}#whole", env, stmt.id, "every undo has worked so far", span, 1)
        self.stuck = record(agenda, f"{base}#stuck", env, stmt.id, "an undo has given up", span)
        need = stmt.need or 0
        self.count = counted(agenda, f"{base}#done", env, stmt.id, f"of {len(stmt.ways)} ways are done", need)
        self.enough = self.count[need]
        agenda.stopped_by[self.enough] = (ENOUGH, stmt.id)
        agenda.later(stop_siblings, self.enough)
        self.stops = (*env.stops, self.enough)
        if env.policy is not None and env.policy.siblings == "cancel":
            agenda.stopped_by[self.failing] = (FAILED, stmt.id)
            agenda.later(stop_siblings, self.failing)
            self.stops = (*env.stops, self.failing, self.enough)
        agenda.stopping = stops_anywhere

    def way(self, way: Way) -> tuple[tuple[int, int, int, int], Ports, Env]:
        """The places `start`, `over`, `rest` and `asked` of a way, and between what its body is."""
        agenda, env = self.agenda, self.env
        path, label, span = env.path(way.id), the_way(way), way.span

        def place(name: str, phrase: str) -> int:
            return agenda.place(f"{path}#{name}", env, way.id, phrase, span)

        start = place("start", next_up(way.body))
        arrived = place("arrived", f"{label} has come to its end")
        over = place("over", f"{label} is over")
        undone = place("undone", f"{label} is not in effect")
        undo = place("undo", f"{label} is to be undone") if agenda.survey.of(way.body).undoable else undone
        failed = place("failed", f"an undo of {label} has given up")
        rest = place("rest", f"{label} has come to rest")
        asked = place("asked", f"{label} is to be undone, if it counted")
        won = record(agenda, f"{path}#won", env, way.id, f"{label} counted", span)
        lost = record(agenda, f"{path}#lost", env, way.id, f"{label} was not needed", span)
        calm, failing, whole, stuck, enough = self.calm, self.failing, self.whole, self.stuck, self.enough

        def quietly(name: str, pre: tuple[int, ...], post: tuple[int, ...], phrase: str) -> None:
            made = agenda.move(f"{path}#{name}", pre, post, env, way.id, phrase, span)
            agenda.draft.counts_ways(self.stmt.id, made)
            agenda.draft.quiet.add(made)

        for n, so_far in enumerate(self.count[:-1]):
            after = (over, won, self.count[n + 1], calm)
            quietly(f"counts[{n}]", (arrived, so_far, calm), after, f"{label} is done")
            words = f"{label} is undone, the others are to follow"
            quietly(f"fails[{n}]", (undone, so_far, calm), (rest, so_far, failing), words)
        quietly("late", (arrived, enough, calm), (undo, enough, calm), f"{label} is done too late, and turns back")
        quietly("lost", (undone, enough, calm), (over, lost, enough, calm), f"{label} is not in effect, nor needed")
        quietly("rests", (undone, failing), (rest, failing), f"{label} is undone too")
        quietly("turns", (arrived, failing), (undo, failing), f"{label} was done and turns back")
        quietly("turns.too", (over, won, failing), (undo, failing), f"{label} was done and turns back")
        quietly("halts", (failed, whole), (rest, stuck), f"{label} stays half-way")
        quietly("halts.too", (failed, stuck), (rest, stuck), f"{label} stays half-way too")
        quietly("stays", (arrived, stuck), (rest, stuck), f"{label} stays done")
        quietly("stays.too", (over, stuck), (rest, stuck), f"{label} stays as it is")
        quietly("undo.won", (asked, won, failing), (undo, failing), f"{label} counted, and is undone")
        quietly("undo.lost", (asked, lost, failing), (rest, failing), f"{label} is undone already")
        inner = env._replace(beside=True, failed=failed, stops=self.stops)
        return (start, over, rest, asked), Ports(start, arrived, undo, undone), inner


def some_of(agenda: Agenda, stmt: Parallel, ports: Ports, env: Env) -> None:
    """The ways, what stops them, and what happens when all are over or at rest."""
    some = _Some(agenda, stmt, env)
    base, span, name, total = env.path(stmt.id), stmt.span, env.frame.name, len(stmt.ways)
    found = [(way, *some.way(way)) for way in stmt.ways]
    for way, _, its, inner in reversed(found):
        agenda.push(way.body, its, inner)
    starts, overs, rests, asked = (tuple(places[k] for _, places, _, _ in found) for k in range(4))
    calm, failing, whole, stuck = some.calm, some.failing, some.whole, some.stuck

    def move(label: str, pre: tuple[int, ...], post: tuple[int, ...], phrase: str) -> int:
        return agenda.move(f"{base}#{label}", pre, post, env, stmt.id, phrase, span)

    move("fork", (ports.start,), starts, f"`{name}` goes {total} ways at once")
    done = f"{stmt.need} of {total} ways of `{name}` are done, the others are not in effect"
    move("join", (*overs, calm), (ports.done, calm), done)
    aside = []
    if ports.undo != ports.undone:
        back = f"`{name}` goes back the {'ways' if (stmt.need or 0) > 1 else 'way'} that counted"
        aside.append(move("undo.fork", (ports.undo, calm), (*asked, failing), back))
    over = f"all {total} ways of `{name}` are back"
    aside.append(move("undo.join", (*rests, failing, whole), (ports.undone, failing, whole), over))
    halted = f"all {total} ways of `{name}` have come to rest, not all undone"
    aside.append(move("halt", (*rests, stuck), (env.failed, stuck), halted))
    agenda.draft.quiet.update(aside)
