"""Instances of a block that may fail, so many of them (docs/semantics.md shows the nets)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.env import Back, Handled, Ports, SagaScope, record
from placet.compile.flow import TOO_MANY
from placet.compile.gates import counted
from placet.compile.interrupts import INTERRUPT as OUTSIDE
from placet.compile.phrases import next_up
from placet.compile.statements import name_of
from placet.compile.survey import ABANDON
from placet.net.roles import PLAIN
from placet.net.roles import Scope as ScopeRecord

if TYPE_CHECKING:
    from placet.compile.env import Agenda, Env
    from placet.ir.model import Spare, Tolerant


def tolerant(agenda: Agenda, stmt: Tolerant, ports: Ports, env: Env) -> None:
    """Sets the count of instances that have failed back to 0, then the instances."""
    path = env.path(stmt.id)
    failed = agenda.spared[path] = counted(agenda, f"{path}#failed", env, stmt.id, "instances have failed", stmt.most)
    begin = agenda.place(f"{path}#enter", env, stmt.id, next_up(stmt.body), stmt.span)
    for i, place in enumerate(failed):
        pre, post = (ports.start, place), (begin, failed[0])
        made = agenda.move(f"{path}#enter[{i}]", pre, post, env, stmt.id, "the instances are about to begin", stmt.span)
        agenda.draft.quiet.add(made)
    agenda.push(stmt.body, Ports(begin, ports.done), env)


def spare(agenda: Agenda, stmt: Spare, ports: Ports, env: Env) -> None:
    """An instance that may fail: every error arrives at a place of its own, giving up among them."""
    path = env.path(stmt.id)

    def caught(error: str) -> int:
        words = f"`{error}` is raised in `{name_of(stmt.id)}`" if error else f"`{name_of(stmt.id)}` gives up"
        return agenda.place(f"{path}#caught.{error or 'abandon'}", env, stmt.id, words, stmt.span)

    handled = Handled(frozenset(("*", ABANDON)), env.route, caught)
    agenda.later(_finish_spare, stmt, ports, env, handled)
    agenda.push(stmt.body, ports, env._replace(route=handled))


def _finish_spare(agenda: Agenda, stmt: Spare, ports: Ports, env: Env, handled: Handled) -> None:
    path = env.path(stmt.id)
    for error, place in handled.arrived.items():
        name = error or "abandon"
        _spared(agenda, stmt, env, f"{path}#spared.{name}", place, ports.done)
        last = agenda.spared[env.path(stmt.group)][-1]
        phrase = f"`{name_of(stmt.id)}` fails, and more have than may"
        pre = (place, last)
        agenda.raising(f"{path}#leave.{name}", pre, TOO_MANY, env, stmt.id, phrase, stmt.span, PLAIN, (last,))


def _spared(
    agenda: Agenda, stmt: Spare, env: Env, name: str, place: int, done: int,
    more: tuple[tuple[int, ...], tuple[int, ...]] = ((), ()),
) -> None:  # fmt: skip
    """An instance that has failed goes on, while so many may."""
    failed = agenda.spared[env.path(stmt.group)]
    for i in range(stmt.most):
        phrase = f"`{name_of(stmt.id)}` has failed, which is tolerated"
        pre, post = (place, failed[i], *more[0]), (done, failed[i + 1], *more[1])
        agenda.draft.quiet.add(agenda.move(f"{name}[{i + 1}]", pre, post, env, stmt.id, phrase, stmt.span))


# -- in a saga -------------------------------------------------------------------------------------------------------


def saga_tolerant(agenda: Agenda, stmt: Tolerant, ports: Ports, env: Env) -> None:
    """As in a workflow; a saga comes by once."""
    path = env.path(stmt.id)
    agenda.spared[path] = counted(agenda, f"{path}#failed", env, stmt.id, "instances have failed", stmt.most)
    agenda.push(stmt.body, ports, env)


def saga_spare(agenda: Agenda, stmt: Spare, ports: Ports, env: Env) -> None:
    """An instance that fails is back at its `undone`, its own effects reversed, and what failed is remembered as by a scope.

    It goes on as done, and is passed over when the saga goes back; or more have failed than may, and the saga turns back.
    What turns the saga back from outside is no failure of the instance: it leads further back.
    """
    path = env.path(stmt.id)
    span = stmt.span
    label = name_of(stmt.id)
    undone = agenda.place(f"{path}#its.undone", env, stmt.id, f"`{label}` is not in effect", span)
    clear = raised = -1
    if agenda.survey.of(stmt.body).forks:
        clear = record(agenda, f"{path}#clear", env, stmt.id, "no error was raised", span, 1)
        raised = record(agenda, f"{path}#raised", env, stmt.id, "an error was raised", span)

    def remember(error: str) -> int:
        name = _short(error)
        return record(agenda, f"{path}#caught.{name}", env, stmt.id, f"`{label}` turned back: {name}", span)

    scope = SagaScope(len(agenda.draft.saga_scopes), env.scope, remember, clear, raised, spare=True)
    outer = env.scope.number if env.scope is not None else -1
    agenda.draft.saga_scopes.append(ScopeRecord(undone, ports.undone, outer, clear, raised))
    inner = env._replace(scope=scope, route=Back(undone, scope))
    if ports.undo == ports.undone:
        agenda.later(_finish_saga_spare, stmt, ports, env, scope, undone, ((), ()))
        agenda.push(stmt.body, Ports(ports.start, ports.done, undone, undone), inner)
        return
    quiet = agenda.draft.quiet
    going = record(agenda, f"{path}#going", env, stmt.id, f"`{label}` is not over", span, 1)
    passed = record(agenda, f"{path}#passed", env, stmt.id, f"`{label}` was done", span)
    skipped = record(agenda, f"{path}#skipped", env, stmt.id, f"`{label}` has failed, which was tolerated", span)
    asked = record(agenda, f"{path}#asked", env, stmt.id, f"`{label}` was done and is being undone", span)
    done = agenda.place(f"{path}#its.done", env, stmt.id, f"`{label}` is done", span)
    undo = undone
    if agenda.survey.of(stmt.body).undoable:
        undo = agenda.place(f"{path}#its.undo", env, stmt.id, f"`{label}` is to be undone", span)
    back = f"`{env.frame.name}` goes back through `{label}`"
    over = f"`{env.frame.name}` goes back over `{label}`, which had failed"
    quiet.add(
        agenda.move(f"{path}#leave", (done, going), (ports.done, passed), env, stmt.id, f"`{label}` is done", span)
    )
    quiet.add(agenda.move(f"{path}#back", (ports.undo, passed), (undo, asked), env, stmt.id, back, span))
    quiet.add(agenda.move(f"{path}#backed", (undone, asked), (ports.undone, asked), env, stmt.id, back, span))
    quiet.add(agenda.move(f"{path}#over", (ports.undo, skipped), (ports.undone, skipped), env, stmt.id, over, span))
    agenda.later(_finish_saga_spare, stmt, ports, env, scope, undone, ((going,), (skipped,)))
    agenda.push(stmt.body, Ports(ports.start, done, undo, undone), inner)


def _finish_saga_spare(
    agenda: Agenda, stmt: Spare, ports: Ports, env: Env, scope: SagaScope, undone: int,
    more: tuple[tuple[int, ...], tuple[int, ...]],
) -> None:  # fmt: skip
    """What each error that made the instance turn back leads to: on, while so many may fail, or further back."""
    path = env.path(stmt.id)
    last = agenda.spared[env.path(stmt.group)][-1]
    back = env._replace(route=Back(ports.undone, env.scope))
    flag = (scope.raised,) if scope.raised >= 0 else ()
    # a way that nobody looks after may fail when the instance is over
    stays = flag if env.policy is not None and env.policy.siblings == "abandon" else ()
    words = f"`{name_of(stmt.id)}` fails, and more have than may"
    for error, mark in list(scope.arrived.items()):
        name = _short(error)
        if error.startswith(OUTSIDE):
            pre, tested = (undone, mark, *flag, *more[0]), (*more[0], *stays)
            phrase = f"`{env.frame.name}` goes further back"
            found = agenda.raising(f"{path}#leave.{name}", pre, error, back, stmt.id, phrase, stmt.span, PLAIN, tested)
            agenda.draft.quiet.update(found)
            continue
        taken, given = (mark, *flag, *more[0]), (*stays, *more[1])
        _spared(agenda, stmt, env, f"{path}#spared.{name}", undone, ports.done, (taken, given))
        tested = (*more[0], last, *stays)
        pre = (undone, mark, *flag, *more[0], last)
        agenda.raising(f"{path}#leave.{name}", pre, TOO_MANY, back, stmt.id, words, stmt.span, PLAIN, tested)


def _short(error: str) -> str:
    return error.rpartition("/")[2].removeprefix(OUTSIDE) or "abandon"
