"""The contest's global properties: deadlock, one-safe, quasi-live, live, stable marking."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from placet.analysis.contest import symbolic
from placet.analysis.contest.goals import FIRST, Goals
from placet.engines.protocol import Needs, Visitor
from placet.logic.state import FALSE, Dead, Fireable, Linear, Or

if TYPE_CHECKING:
    from placet.analysis.contest.context import Context
    from placet.net.core import Net


def deadlock(context: Context) -> bool | None:
    """Whether a dead marking is reachable."""
    walk = context.walk()
    if walk is not None:
        until = context.share(0.1, 0.5)
        while not walk.dead and not walk.over and monotonic() < until:
            walk.run(until, 50)
        if walk.dead:
            return True
    found: dict[int, bool] = {}
    goals = Goals(context, {0: Dead()}, found.__setitem__)
    goals.run(context.until)
    return found.get(0)


def one_safe(context: Context) -> bool | None:
    """Whether no place ever holds two tokens."""
    if any(m > 1 for m in context.initial):
        return False
    many = Or(tuple(Linear(((p, 1),), ">=", 2) for p in range(len(context.initial))))
    seen = context.search([Visitor(many)], FIRST, context.share(0.3))
    if seen is not None and seen.found[0] >= 0:
        return False
    if seen is not None and seen.complete:
        return True
    walk = context.walk([many])
    if walk is not None:
        walk.run(context.share(0.1, 1.0))
        if walk.found:
            return False
    found = symbolic.ask(context, context.share(0.15), lambda diagram: symbolic.is_one_safe(context, diagram))
    if found is not None:
        return found
    doubtful = list(range(len(context.initial)))
    equation = context.equation
    if equation is not None:
        until = context.share(0.5)
        doubtful = [
            p for p in doubtful
            if monotonic() > until or ((most := equation.most([(p, 1)], until)) is None or most > 1)
        ]  # fmt: skip
    if not doubtful:
        return True
    answers: dict[int, bool] = {}
    Goals(context, {0: Or(tuple(Linear(((p, 1),), ">=", 2) for p in doubtful))}, answers.__setitem__).run(context.until)
    return None if 0 not in answers else not answers[0]


def quasi_live(context: Context) -> bool | None:
    """Whether every transition can fire from some reachable marking.

    Where all transitions of the reduced net can fire, its account tells which ones of the whole net can.
    """
    from placet.analysis.contest.context import Context as Inner
    from placet.analysis.reduction import reduce

    net = context.net
    if starved(net, context.initial):
        return False
    reduced = reduce(net, context.initial, bounded_places=())
    count = len(reduced.transitions)
    if 10 * (len(reduced.places) + count) < 9 * (len(net.places) + len(net.transitions)):
        inner = Inner(reduced.net, reduced.initial, context.share(0.5), context.tell)
        if _quasi_live(inner):
            return len(reduced.alive(range(count))) == len(net.transitions)
    return _quasi_live(context)


def _quasi_live(context: Context) -> bool | None:
    left = _unfired(context)
    if not left:
        return True
    if starved(context.net, context.initial) or left is _COMPLETE:
        return False
    found = symbolic.ask(context, context.share(0.15), lambda diagram: symbolic.is_quasi_live(context, diagram))
    if found is not None:
        return found
    # one dead transition settles it: proofs first, then one search for all of them
    equation = context.equation
    if equation is not None:
        until = context.share(0.3)
        for t in sorted(left):
            if monotonic() > until:
                break
            if equation.never(context.spelt(Fireable(t)), min(until, monotonic() + 1.0), 50):
                return False
    answers: dict[int, bool] = {}
    goals = Goals(context, {t: Fireable(t) for t in left}, answers.__setitem__)
    goals.run(context.until)
    if not all(answers.values()):
        return False
    return True if not goals.open else None


_COMPLETE: set[int] = {-1}


def _unfired(context: Context) -> set[int]:
    """The transitions that a short search and walks did not see; `_COMPLETE` where they are surely dead."""
    everything = set(range(len(context.net.transitions)))
    seen = context.search([Visitor(FALSE, Needs.STATES)], FIRST, context.share(0.2))
    if seen is not None:
        everything -= seen.fired
        if seen.complete:
            return _COMPLETE if everything else everything
    if not everything:
        return everything
    walk = context.walk(seed=3)
    if walk is not None:
        until = context.share(0.15, 2.0)
        while not walk.over and monotonic() < until and everything - walk.fired:
            walk.run(until, 100)
        everything -= walk.fired
    return everything


def starved(net: Net, initial: tuple[int, ...]) -> set[int]:
    """Transitions that take from a siphon which is empty initially: they never fire. Nets without capacities or not."""
    inside = {p for p, m in enumerate(initial) if m == 0}
    # the greatest siphon among empty places: drop places that get tokens from a transition which takes none from inside
    givers: dict[int, list[int]] = {}
    for t, arcs in enumerate(net.post):
        for p, _ in arcs:
            givers.setdefault(p, []).append(t)
    users: dict[int, list[int]] = {}
    needs: list[set[int]] = []
    for t, (pre, read) in enumerate(zip(net.pre, net.read, strict=True)):
        needs.append({p for p, _ in (*pre, *read)})
        for p in needs[t]:
            users.setdefault(p, []).append(t)
    pending = list(inside)
    while pending:
        p = pending.pop()
        if p in inside and any(not needs[t] & inside for t in givers.get(p, ())):
            inside.discard(p)
            for t in users.get(p, ()):
                if not needs[t] & inside:
                    pending.extend(q for q, _ in net.post[t] if q in inside)
    return {t for p in inside for t in users.get(p, ())}


def stable_marking(context: Context) -> bool | None:
    """Whether some place holds the same in every reachable marking."""
    net, initial = context.net, context.initial
    changers: list[list[int]] = [[] for _ in initial]
    for t in range(len(net.transitions)):
        before, after = dict(net.pre[t]), dict(net.post[t])
        for p in {*before, *after, *net.reset[t]}:
            if p in net.reset[t] or before.get(p, 0) != after.get(p, 0):
                changers[p].append(t)
    dead = starved(net, initial)
    if any(all(t in dead for t in those) for those in changers):
        return True
    still = set(range(len(initial)))
    seen = context.search([Visitor(FALSE, Needs.STATES)], FIRST, context.share(0.2))
    if seen is not None:
        still -= seen.moved
        if seen.complete:
            return bool(still)
    walk = context.walk(seed=5)
    if walk is not None:
        until = context.share(0.2, 2.0)
        while not walk.over and monotonic() < until and still:
            walk.run(until, 100)
            still -= walk.moved
    if not still:
        return False
    found = symbolic.ask(context, context.share(0.15), lambda diagram: symbolic.is_stable(context, diagram))
    if found is not None:
        return found
    equation = context.equation
    if equation is not None:
        until = context.share(0.3)
        alive: dict[int, bool] = {}  # not proved dead
        for p in sorted(still, key=lambda p: len(changers[p])):
            for t in changers[p]:
                if t not in alive and monotonic() < until:
                    fires = Fireable(t)
                    alive[t] = not equation.never(context.spelt(fires), min(until, monotonic() + 1.0), 50)
                if alive.get(t, True):
                    break
            else:
                return True
    goals = {p: Linear(((p, 1),), "!=", initial[p]) for p in still}
    answers: dict[int, bool] = {}
    Goals(context, dict(goals), answers.__setitem__).run(context.until)
    if not all(answers.values()):
        return True
    return False if len(answers) == len(goals) else None
