"""The undos of a sequence that start all together, as in Camunda 8: `undo_order parallel`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.env import Ports, record
from placet.compile.phrases import done as had
from placet.compile.statements import name_of
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
    ends the cascade.
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

    levels = [level(f"{base}#bottom")]
    quietly(f"{base}#bottom.reached", (levels[0][0],), (levels[0][1],), stmt.id, "all undos are started")
    turned = f"`{name}` turns back: all undos start at once"
    start = ports.start
    pending = []
    count = len(stmt.parts)
    inner = env
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
                    quietly(f"{path}#past.all{suffix}", (here[0], *pre), (here[1], *stuck), part.id, words)
            else:
                words = f"the undo of `{label}` starts"
                quietly(f"{path}#start.undo", (here[0],), (undo, below[0]), part.id, words)
                words = f"`{label}` is undone"
                quietly(f"{path}#undo.over", (undone, below[1], back), (here[1], back), part.id, words)
                if stuck:
                    words = f"`{label}` stays half-way"
                    for suffix, pre, _, _ in kept:
                        taken = (failed, below[1], back, *pre)
                        quietly(f"{path}#undo.stuck{suffix}", taken, (here[1], back, *stuck), part.id, words)
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
    calm = policy is not None and policy.undo_failure == "continue"
    masked = policy is not None and policy.cancellation == "masked"
    return not ((simple or calm) and masked and all(isinstance(p, Step) and not p.pivot for p in stmt.parts))


def _is_pivot(part: Statement) -> bool:
    return isinstance(part, Step) and part.pivot
