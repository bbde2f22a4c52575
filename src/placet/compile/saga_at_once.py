"""The undos of a sequence that start all together, as in Camunda 8: `undo_order parallel`; some may wait for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.env import Ports, record
from placet.compile.phrases import done as had
from placet.compile.retry_budget import shares
from placet.compile.statements import name_of
from placet.compile.undo_turns import turns
from placet.ir.model import Step

if TYPE_CHECKING:
    from placet.compile.env import Agenda, Env
    from placet.ir.model import Sequence, Statement


def all_at_once(agenda: Agenda, stmt: Sequence, ports: Ports, env: Env) -> None:
    """A sequence whose undos all start together.

    Turning back at level k cascades down (`down[k]` starts undo k and goes to `down[k-1]`) and collects upwards
    (`up[k-1]` and `undone[k]` give `up[k]`) until the level where it began (`top[k]`): linear, where a fork at every
    failing part would be quadratic. While `going` is marked an `undone` means that the part failed, else that it was
    undone on request. An undo that gives up lets the others finish, and leads to `failed` then; a point of no return
    ends the cascade, and behind a part that may hold one it goes on when that part is undone. An undo that waits for others (`undo_turns`) begins when all are started and those are over; when one of
    them has given up it is left.
    """
    draft = agenda.draft
    base = env.path(stmt.id)
    span = stmt.span
    facts = agenda.survey.of
    name = env.frame.name
    going = record(agenda, f"{base}#going", env, stmt.id, f"`{name}` has not turned back here", span, 1)
    back = record(agenda, f"{base}#turned", env, stmt.id, f"`{name}` has turned back here", span)
    kept: tuple[tuple[str, tuple[int, ...], tuple[int, ...], int], ...] = (("", (), (), ports.undone),)
    stuck: tuple[int, ...] = ()
    if _may_give_up(stmt, env):
        whole = record(agenda, f"{base}#whole", env, stmt.id, "every undo has worked so far", span, 1)
        stuck = (record(agenda, f"{base}#stuck", env, stmt.id, "an undo has given up", span),)
        kept = (("", (whole,), (whole,), ports.undone), (".not", stuck, stuck, env.failed))

    def quietly(path: str, pre: tuple[int, ...], post: tuple[int, ...], identifier: str, phrase: str) -> None:
        draft.quiet.add(agenda.move(path, pre, post, env, identifier, phrase, span))

    def level(path: str) -> tuple[int, int, int, str]:
        return (
            agenda.place(f"{path}#down", env, stmt.id, "the undos are being started", span),
            agenda.place(f"{path}#up", env, stmt.id, "undos are being waited for", span),
            agenda.place(f"{path}#top", env, stmt.id, "the undos from here on back are being waited for", span),
            path,
        )

    order = turns(agenda, stmt, env)
    started: tuple[int, ...] = ()
    if order.before:
        started = (record(agenda, f"{base}#started", env, stmt.id, "all undos are started", span),)
    over: dict[int, int] = {}
    never: dict[int, int] = {}
    for i in sorted(order.awaited):
        path, label = env.path(stmt.parts[i].id), name_of(stmt.parts[i].id)
        over[i] = record(
            agenda, f"{path}#undo.none", env, stmt.id, f"nothing of `{label}` is still to be undone", span, 1
        )
        if stuck:
            never[i] = record(agenda, f"{path}#undo.never", env, stmt.id, f"the undo of `{label}` has given up", span)
    levels = [level(f"{base}#bottom")]
    quietly(f"{base}#bottom.reached", (levels[0][0],), (levels[0][1], *started), stmt.id, "all undos are started")
    turned = f"`{name}` turns back: all undos start at once"
    start = ports.start
    pending = []
    count = len(stmt.parts)
    policy = env.policy
    unmasked = policy is not None and (policy.cancellation == "unmasked" or policy.deadline == "escalate")
    inner = env._replace(waits=env.waits | order.met, beside=env.beside or unmasked)  # all undos hear of it
    for i, part in enumerate(stmt.parts):
        path = env.path(part.id)
        label = name_of(part.id)
        done = ports.done
        if i + 1 < count:
            done = agenda.place(f"{path}#done", env, part.id, had(part), part.span)
        undone = agenda.place(f"{path}#undone", env, part.id, f"`{label}` is not in effect", part.span)
        undo = undone
        below = levels[-1]
        made = agenda.move(f"{path}#turn", (undone, going), (below[0], below[2], back), env, part.id, turned, part.span)
        draft.quiet.add(made)
        own = inner
        if stuck:
            failed = agenda.place(f"{path}#failed", env, part.id, f"an undo of `{label}` has given up", part.span)
            own = inner._replace(failed=failed)
            quietly(f"{path}#stops", (failed, going), (env.failed, going), part.id, f"`{name}` stops half-way")
        if facts(part).undoable:
            undo = agenda.place(f"{path}#undo", env, part.id, f"`{label}` is to be undone", part.span)
            here = level(path)
            levels.append(here)
            if _is_pivot(part):
                words = f"`{name}` cannot go back behind `{label}`"
                for suffix, pre, _, _ in kept:
                    quietly(f"{path}#past.all{suffix}", (here[0], *pre), (here[1], *stuck, *started), part.id, words)
            else:
                words = f"the undo of `{label}` starts"
                mine = (over[i],) if i in over else ()
                first = undo
                through = _may_be_past(agenda, part)
                begun = () if through else started  # it waits for later ones only, which are started before it
                if i in order.before:
                    first = agenda.place(f"{path}#undo.waits", env, part.id, f"the undo of `{label}` waits", part.span)
                    others = tuple(over[j] for j in order.before[i])
                    begins = f"the undo of `{label}` begins: what it waits for is over"
                    quietly(f"{path}#undo.turn", (first, *begun, *others), (undo, *begun, *others), part.id, begins)
                    for j in order.before[i] if stuck else ():
                        left = f"`{label}` is left as it is: the undo of `{name_of(stmt.parts[j].id)}` has given up"
                        name = f"{path}#undo.left[{stmt.parts[j].id.rpartition('/')[2]}]"
                        quietly(name, (first, *begun, never[j]), (failed, *begun, never[j]), part.id, left)
                on = () if through else (below[0],)
                quietly(f"{path}#start.undo", (here[0], *mine), (first, *on), part.id, words)
                words = f"`{label}` is undone"
                finished = undone
                if mine:
                    finished = agenda.place(f"{path}#undo.told", env, part.id, f"`{label}` is undone", part.span)
                    quietly(f"{path}#undo.tells", (undone, back), (finished, back, *mine), part.id, words)
                if through:
                    passed = record(
                        agenda,
                        f"{path}#undo.through",
                        env,
                        part.id,
                        f"`{name}` has passed back behind `{label}`",
                        part.span,
                    )
                    quietly(f"{path}#undo.goes.on", (finished, back), (below[0], passed, back), part.id, words)
                    quietly(f"{path}#undo.over", (passed, below[1], back), (here[1], back), part.id, words)
                else:
                    quietly(f"{path}#undo.over", (finished, below[1], back), (here[1], back), part.id, words)
                if stuck:
                    words = f"`{label}` stays half-way"
                    finished = failed
                    if mine:
                        finished = agenda.place(f"{path}#undo.halted", env, part.id, words, part.span)
                        gone = (finished, back, never[i])
                        quietly(f"{path}#undo.tells.never", (failed, back), gone, part.id, words)
                    for suffix, pre, _, _ in kept:
                        taken = (finished, *(() if through else (below[1],)), back, *pre)
                        given = (here[1], back, *stuck, *(started if through else ()))
                        quietly(f"{path}#undo.stuck{suffix}", taken, given, part.id, words)
        pending.append((part, Ports(start, done, undo, undone), own))
        if facts(part).pivot:
            inner = inner._replace(past=True)
        start = done
    for _, up, top, at in levels:
        for suffix, pre, post, target in kept:
            words = "the undos are over, not all have worked" if suffix else "all undos are done"
            quietly(f"{at}#all.undone{suffix}", (up, top, *pre), (target, *post), stmt.id, words)
    last = levels[-1]
    quietly(f"{base}#turn", (ports.undo, going), (last[0], last[2], back), stmt.id, turned)
    for part, its, around in reversed(pending):
        agenda.push(part, its, around)


def _may_give_up(stmt: Sequence, env: Env) -> bool:
    """Whether something in it may end half-way: an undo by the policy, a point of no return, what has a policy of its own."""
    policy = env.policy
    simple = policy is not None and policy.undo_failure == "retry" and policy.undo_retries is None
    simple = simple and not shares(policy)
    calm = policy is not None and policy.undo_failure == "continue"
    masked = policy is not None and policy.cancellation == "masked"
    return not ((simple or calm) and masked and all(isinstance(p, Step) and not p.pivot for p in stmt.parts))


def _may_be_past(agenda: Agenda, part: Statement) -> bool:
    """Whether a point of no return stands somewhere in it: only its undo tells whether one was passed."""
    return agenda.survey.of(part).pivot and not _is_pivot(part)


def _is_pivot(part: Statement) -> bool:
    return isinstance(part, Step) and part.pivot
