"""Instances of a block that may fail, so many of them (docs/semantics.md shows the nets)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.env import Back, Handled, Ports, record
from placet.compile.findings import head
from placet.compile.flow import TOO_MANY
from placet.compile.gates import counted
from placet.compile.phrases import next_up
from placet.compile.statements import name_of
from placet.compile.survey import ABANDON
from placet.net.roles import PLAIN

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
    if env.stops:
        agenda.report(
            "P403", "error", "`siblings cancel` would stop instances of which some may fail, and count that as their failure",
            head(stmt.span), help="leave `tolerate` out, or say `siblings await`",
        )  # fmt: skip
    agenda.spared[path] = counted(agenda, f"{path}#failed", env, stmt.id, "instances have failed", stmt.most)
    agenda.push(stmt.body, ports, env)


def saga_spare(agenda: Agenda, stmt: Spare, ports: Ports, env: Env) -> None:
    """An instance that fails is back at its `undone`, its own effects reversed.

    It goes on as done, and is passed over when the saga goes back; or more have failed than may, and the saga turns back. Being cancelled brings it there too. So what is in it counts as one of several tokens: the saga hears of it again.
    """
    path = env.path(stmt.id)
    span = stmt.span
    label = name_of(stmt.id)
    undone = agenda.place(f"{path}#its.undone", env, stmt.id, f"`{label}` is not in effect", span)
    last = agenda.spared[env.path(stmt.group)][-1]
    outer = env._replace(route=Back(ports.undone, env.scope))
    inner = env._replace(scope=None, route=Back(undone, None), beside=True)
    quiet = agenda.draft.quiet
    many = f"`{label}` fails, and more have than may"
    if ports.undo == ports.undone:
        _spared(agenda, stmt, env, f"{path}#spared", undone, ports.done)
        agenda.raising(f"{path}#leave", (undone, last), TOO_MANY, outer, stmt.id, many, span, PLAIN, (last,))
        agenda.push(stmt.body, Ports(ports.start, ports.done, undone, undone), inner)
        return
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
    _spared(agenda, stmt, env, f"{path}#spared", undone, ports.done, ((going,), (skipped,)))
    pre = (undone, going, last)
    agenda.raising(f"{path}#too.many", pre, TOO_MANY, outer, stmt.id, many, span, PLAIN, (going, last))
    agenda.push(stmt.body, Ports(ports.start, done, undo, undone), inner)
