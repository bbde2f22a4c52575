"""Pools of things that somebody holds: connections, licences, locks (docs/semantics.md shows the nets).

`free + all places inside of each with = N`: who is inside of a `with` holds one, wherever in it, and whatever takes the token out of
it gives one back: the end of the body, an error, a cancellation, a crash. What is acquired by a statement of its own is given back only by another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.env import Ports
from placet.compile.phrases import called, next_up
from placet.compile.vocabulary import statements
from placet.ir.model import Call, Sequence
from placet.net.balance import Balance
from placet.net.final import PlaceClass

if TYPE_CHECKING:
    from placet.compile.env import Agenda, Env
    from placet.ir.model import Holding, Policy, Statement, With

ALONE = "in a `with` one thing happens at a time"


class Pool:
    """One pool in a net."""

    def __init__(self, agenda: Agenda, name: str, size: int, env: Env) -> None:
        self.name = name
        self._agenda, self._env = agenda, env
        self.inside: list[list[int]] = []
        self.free = self._place("free", f"one of `{name}`", size)
        self._taken = -1

    def _place(self, role: str, phrase: str, tokens: int) -> int:
        draft = self._agenda.draft
        place = draft.place(
            f"{self.name}#{role}", self.name, phrase, None, self._env.frame.path, PlaceClass.RESOURCE, tokens
        )
        draft.common.append(place)
        return place

    def taken(self) -> int:
        """Where those are that were acquired and not released."""
        if self._taken < 0:
            self._taken = self._place("taken", f"one of `{self.name}` was acquired and is not released", 0)
        return self._taken

    def balances(self) -> list[Balance]:
        """As many as were there in the beginning are free, taken, or held inside of a `with`."""
        weights = {self.free: 1} | ({self._taken: 1} if self._taken >= 0 else {})
        for places in self.inside:
            for place in places:
                weights[place] = weights.get(place, 0) + 1
        return [Balance(tuple(weights.items()), self.free)]


def _pool(agenda: Agenda, stmt: With | Holding, env: Env) -> Pool:
    key = f"pool {stmt.pool}"
    found = agenda.draft.guards.get(key)
    if not isinstance(found, Pool):
        found = agenda.draft.guards[key] = Pool(agenda, stmt.pool, stmt.size, env)
    return found


def _enters(agenda: Agenda, stmt: With, env: Env) -> Env:
    """The surroundings of the body; what would be several tokens in it is reported."""
    facts = agenda.survey.of(stmt.body)
    if facts.forks or _back_at_once(agenda, stmt.body, env.policy):
        what = "its undos start all at once" if not facts.forks else "several things happen at once in it"
        help_ = "put a `with` into each way, or `acquire` and `release` around it"
        agenda.report("P293", "error", f"{ALONE}, but {what}", stmt.span, help=help_)
    inside: list[int] = []
    _pool(agenda, stmt, env).inside.append(inside)
    return env._replace(held=(*env.held, inside))


def _back_at_once(agenda: Agenda, body: Statement, policy: Policy | None) -> bool:
    """Whether several undos of a body, or of what it calls, start together."""
    for statement in statements(body):
        if isinstance(statement, Call) and not statement.detached:
            process = agenda.survey.processes.get(statement.target)
            if process is not None and _back_at_once(
                agenda, process.body, process.policy if process.kind == "saga" else policy
            ):
                return True
        if isinstance(statement, Sequence) and policy is not None and policy.undoes_together:
            undoable = sum(agenda.survey.of(part).undoable for part in statement.parts)
            if undoable > 1:
                return True
    return False


def within(agenda: Agenda, stmt: With, ports: Ports, env: Env) -> None:
    """The body between two places of its own: to be there is to hold one of the pool."""
    path, name = env.path(stmt.id), env.frame.name
    inner = _enters(agenda, stmt, env)
    begin = agenda.place(f"{path}#begin", inner, stmt.id, next_up(stmt.body), stmt.span)
    over = agenda.place(f"{path}#over", inner, stmt.id, f"{called(stmt)} is over", stmt.span)
    takes, gives = f"`{name}` takes one of `{stmt.pool}`", f"`{name}` gives one of `{stmt.pool}` back"
    agenda.move(f"{path}#take", (ports.start,), (begin,), env, stmt.id, takes, stmt.span)
    agenda.draft.quiet.add(agenda.move(f"{path}#give", (over,), (ports.done,), env, stmt.id, gives, stmt.span))
    agenda.push(stmt.body, Ports(begin, over), inner)


def saga_within(agenda: Agenda, stmt: With, ports: Ports, env: Env) -> None:
    """As in a workflow; to undo what was done in it, it is held again."""
    path, name, span = env.path(stmt.id), env.frame.name, stmt.span
    inner = _enters(agenda, stmt, env)
    begin = agenda.place(f"{path}#begin", inner, stmt.id, next_up(stmt.body), span)
    over = agenda.place(f"{path}#over", inner, stmt.id, f"{called(stmt)} is over", span)
    undone = agenda.place(f"{path}#undone", inner, stmt.id, f"{called(stmt)} is not in effect", span)
    undo = undone
    quiet = agenda.draft.quiet
    if ports.undo != ports.undone:
        if agenda.survey.of(stmt.body).undoable:
            undo = agenda.place(f"{path}#undo", inner, stmt.id, f"{called(stmt)} is to be undone", span)
        again = f"`{name}` takes one of `{stmt.pool}` to go back"
        quiet.add(agenda.move(f"{path}#back", (ports.undo,), (undo,), env, stmt.id, again, span))
    takes, gives = f"`{name}` takes one of `{stmt.pool}`", f"`{name}` gives one of `{stmt.pool}` back"
    agenda.move(f"{path}#take", (ports.start,), (begin,), env, stmt.id, takes, span)
    quiet.add(agenda.move(f"{path}#give", (over,), (ports.done,), env, stmt.id, gives, span))
    quiet.add(agenda.move(f"{path}#backed", (undone,), (ports.undone,), env, stmt.id, gives, span))
    agenda.push(stmt.body, Ports(begin, over, undo, undone), inner)


def holding(agenda: Agenda, stmt: Holding, ports: Ports, env: Env) -> None:
    """One is taken, and waited for where there is none; or one is given back."""
    pool = _pool(agenda, stmt, env)
    free, taken, name = pool.free, pool.taken(), env.frame.name
    pre, post = (free, taken) if stmt.takes else (taken, free)
    words = f"`{name}` takes one of `{stmt.pool}`" if stmt.takes else f"`{name}` gives one of `{stmt.pool}` back"
    made = agenda.move(env.path(stmt.id), (ports.start, pre), (ports.done, post), env, stmt.id, words, stmt.span)
    agenda.draft.step(stmt.id, made)
