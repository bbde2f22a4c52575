"""The undos of a parallel one after the other, the last first: `undo_order start`, `completion` or `registration`.

Within a way the undos are in that order anyway; across ways it is known only at run time. So the parallel keeps a stack: `top[k]`
says that k steps lie on it, `rank[k]` of a step that it is the k-th. A step is laid on it by the very move that counts (its first
request is sent, or its reply is known), so that no other move comes between: each such move exists once for each height. Nothing is
undone before every way has stopped going forward (`back`); then only what lies on top is. A step that is given up with its
outcome unknown before it was laid on the stack is laid on it when its way turns back.

For n steps there are O(n) moves for each of them.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from placet.compile.env import record
from placet.compile.findings import head
from placet.compile.ports import waits_here
from placet.compile.vocabulary import statements
from placet.compile.way_stack import Stack, Turn
from placet.ir.model import Abandon, Choice, Parallel, Raise, Sequence, Step, Task, Timer
from placet.net.roles import Kind
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compile.draft import Draft
    from placet.compile.env import Agenda, Env, Ports
    from placet.compile.way_stack import Stacked
    from placet.net.core import Arcs

MOST = 8  # steps on one stack
ORDERS = ("start", "completion", "registration")


class Wrapped(NamedTuple):
    """A step on a stack: the ports of its call and those of its undo, and what tells whether it lies there."""

    forward: Ports
    backward: Ports
    off: int
    on: int
    ranks: tuple[int, ...]


def stacked(
    agenda: Agenda, stmt: Parallel, env: Env, flags: tuple[int, int, int]
) -> tuple[Stack, dict[str, Turn]] | None:
    """The stack of a parallel, and by id the turns of its ways; None where the order makes no difference or is reported."""
    policy = env.policy
    if policy is None or policy.undo_order not in ORDERS:
        return None
    ways = [w for w in (*stmt.ways, *((stmt.rest,) if stmt.rest else ())) if agenda.survey.of(w.body).undoable]
    if len(ways) < 2:
        return None
    steps = [s for w in ways for s in statements(w.body) if isinstance(s, Step) and s.undo is not None]
    if why := _refused(stmt, env, len(steps)):
        message, help_ = why
        agenda.report("P412", "error", message, head(stmt.span), help=help_)
        return None
    base = env.path(stmt.id)
    count = len(steps)
    tops = tuple(
        record(agenda, f"{base}#top[{k}]", env, stmt.id, f"{k} steps of the ways are to be undone", stmt.span, int(k == 0))
        for k in range(count + 1)
    )  # fmt: skip
    turns = {}
    for way in ways:
        path = env.path(way.id)
        turns[way.id] = Turn(
            record(agenda, f"{path}#forward", env, way.id, "this way has not turned back", way.span, 1),
            record(agenda, f"{path}#back", env, way.id, "this way has turned back", way.span),
        )
    noted_late = policy.undo_order == "registration" and policy.register == "after"
    at = "known" if policy.undo_order == "completion" or noted_late else "sent"
    return Stack(base, at, tops, tuple(turns.values()), *flags), turns


def _refused(stmt: Parallel, env: Env, count: int) -> tuple[str, str] | None:
    """Why the order cannot be kept across these ways, and what helps; None where it can."""
    policy = env.policy
    if policy is None:
        return None
    order = f"`undo_order {policy.undo_order}`"
    if policy.siblings == "abandon":
        return (
            f"{order} waits for ways that nobody looks after (`siblings abandon`)",
            "let the other ways be awaited or cancelled",
        )
    if policy.undo_order == "registration" and policy.register in ("submit", "log"):
        where = "all at the start" if policy.register == "submit" else "by each service in its own log"
        return f"undos that are noted {where} have no order across ways", "write `undo_order start` or `completion`"
    if stmt.width is not None or stmt.need is not None:
        return (
            f"{order} is not understood where not all ways run at once",
            "let all ways begin at once, or write `undo_order reverse`",
        )
    ways = (*stmt.ways, *((stmt.rest,) if stmt.rest else ()))
    plain = (Step, Sequence, Choice, Task, Timer, Abandon, Raise)
    inside = [s for w in ways for s in statements(w.body)]
    if any(not isinstance(s, plain) or (isinstance(s, Step) and s.pivot) for s in inside):
        message = f"{order} is understood across ways of steps, tasks, choices and timers only"
        return (
            message,
            "take what else is in them out of the ways (a pivot, a loop, a `try`, a call), or write `undo_order reverse`",
        )
    if count > MOST:
        return (
            f"{order} across {count} steps is more than can be looked at",
            f"up to {MOST} steps in all ways, or `undo_order reverse`",
        )
    return None


def wrapped(agenda: Agenda, stmt: Step, ports: Ports, env: Env, its: Stacked) -> Wrapped:
    """The way back of a step: it waits until it lies on top, begins, and is taken off when it is over."""
    draft, path, name = agenda.draft, env.path(stmt.id), stmt.name
    stack, turn = its
    count = len(stack.tops) - 1
    off = record(agenda, f"{path}#rank.none", env, stmt.id, f"`{name}` is not among what is to be undone", stmt.span, 1)
    on = record(agenda, f"{path}#ranked", env, stmt.id, f"`{name}` has been among what is to be undone", stmt.span)
    ranks, unders = (
        tuple(record(agenda, f"{path}#{what}[{k}]", env, stmt.id, words.format(k), stmt.span) for k in range(1, count + 1))
        for what, words in (("rank", f"`{name}` came as number {{}}"), ("under", f"`{name}`, which came as number {{}}, is being undone"))
    )  # fmt: skip
    turned = agenda.place(f"{path}#undo.turns", env, stmt.id, f"`{name}` is to be undone", stmt.span)
    waits = agenda.place(f"{path}#undo.waits", env, stmt.id, f"the undo of `{name}` waits for its turn", stmt.span)
    begin = agenda.place(f"{path}#undo.begin", env, stmt.id, f"the undo of `{name}` is to begin", stmt.span)
    over = agenda.place(f"{path}#undo.ended", env, stmt.id, f"the undo of `{name}` is over", stmt.span)
    failed = agenda.place(f"{path}#fails", env, stmt.id, f"`{name}` has failed", stmt.span)
    leaves = agenda.place(f"{path}#leaves", env, stmt.id, f"`{name}` is not to be undone", stmt.span)

    def quietly(label: str, pre: tuple[int, ...], post: tuple[int, ...], phrase: str) -> None:
        draft.quiet.add(agenda.move(f"{path}#{label}", pre, post, env, stmt.id, phrase, stmt.span))

    def turns(label: str, here: int, there: int) -> None:
        forward, back = turn
        phrase = f"the way of `{name}` turns back"
        quietly(
            f"{label}.first",
            (here, forward, stack.calm),
            (there, back, stack.failing),
            f"{phrase}, the others are to follow",
        )
        quietly(f"{label}.too", (here, forward, stack.failing), (there, back, stack.failing), phrase)
        quietly(label, (here, back), (there, back), f"it is the turn of `{name}` in its way")

    quietly("undo.ranked", (ports.undo, on), (turned, on), f"`{name}` is to be undone in its turn")
    turns("undo.turns", turned, waits)
    turns("fails", failed, leaves)
    quietly("leaves", (leaves, off), (ports.undone, off), f"`{name}` is not to be undone")
    backs = tuple(t.back for t in stack.turns)
    stopped = "the saga stops half-way"
    for k, (rank, under) in enumerate(zip(ranks, unders, strict=True), start=1):
        top, below = stack.tops[k], stack.tops[k - 1]
        first = f"`{name}` is to be undone before what came before, since it was given up"
        quietly(f"undo.rank[{k}]", (ports.undo, off, below), (turned, on, rank, top), first)
        quietly(
            f"undo.begins[{k}]",
            (waits, rank, top, *backs),
            (begin, under, *backs),
            f"the undo of `{name}` begins: it came last of what is left",
        )
        quietly(f"undo.ends[{k}]", (over, under), (ports.undone, below), f"the undo of `{name}` is over")
        quietly(f"leaves[{k}]", (leaves, rank, top), (ports.undone, below), f"`{name}` is not to be undone")
    quietly("undo.left", (waits, stack.stuck), (env.failed, stack.stuck), f"`{name}` is left as it is: {stopped}")
    quietly(
        "leaves.left", (leaves, on, stack.stuck), (ports.undone, on, stack.stuck), f"`{name}` is passed over: {stopped}"
    )
    waits_here(agenda, env, waits, -1, stmt, call=(path, "undo", 0))
    return Wrapped(ports._replace(undone=failed), ports._replace(undo=begin, undone=over), off, on, ranks)


def lay(agenda: Agenda, stmt: Step, its: Stacked, step: Wrapped, first: int) -> None:
    """The moves that count, of those from number `first` on, each once for each height of the stack."""
    draft, stack = agenda.draft, its.stack
    many = len(draft.roles)
    names = list(islice(reversed(draft.transitions), many - first))[::-1]
    units = draft.units

    def also(arcs: Arcs, *more: int) -> Arcs:
        return tuple(sorted((*arcs, *(units[place] for place in more))))

    for t in range(first, many):
        sends = draft.roles[t].kind is Kind.SEND
        known = any(place == step.forward.done for place, _ in draft.post[t])
        if not (sends if stack.at == "sent" else known):
            continue
        name, role, pre, post = names[t - first], draft.roles[t], draft.pre[t], draft.post[t]
        variants: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = [
            (f".as[{k}]", (step.off, stack.tops[k - 1]), (step.on, rank, stack.tops[k]))
            for k, rank in enumerate(step.ranks, start=1)
        ]
        if sends and _again(draft, range(first, many), t):
            variants.append((".again", (step.on,), (step.on,)))
        _, taken, given = variants[0]
        draft.pre[t], draft.post[t] = also(pre, *taken), also(post, *given)
        origin = draft.transition_origins[t]
        for suffix, taken, given in variants[1:]:
            made = draft.transition(
                name + suffix, step.forward[:1], (), origin.id, origin.phrase, origin.span, origin.actor, role
            )
            draft.pre[made], draft.post[made] = also(pre, *taken), also(post, *given)
            draft.quiet.add(made)
            if t in draft.steps.get(stmt.id, ()):
                draft.step(stmt.id, made)


def _again(draft: Draft, moves: range, t: int) -> bool:
    """Whether a request may not be the first of its step."""
    return draft.roles[t].attempt > 1 or any(
        place == source for place, _ in draft.pre[t] for u in moves for source, _ in draft.post[u] if u != t
    )
