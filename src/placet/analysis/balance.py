"""Whether a weighted count of firings is 0 whenever an end is reached, shown by invariants and without a search.

The count is `sum of d(t) over the transitions fired`. Weights z with `z * C(t) = d(t)` for every transition that can fire
make it `z * m - z * m0` in every reachable marking m. Where an end holds the only token of all ends, weights on places that
are empty then do not matter: so for each end e the weights may lie on the places that exclude e, and must satisfy
`z(e) = z * m0`. A place excludes e where a semiflow has not tokens enough for both.

Which transitions can fire is guessed by walking, and then shown: the others must each need more than a semiflow of the
net without all of them has. Before the first of them fired only the rest would have, so none ever does.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from placet.analysis.invariants import Semiflow, semiflows
from placet.net.roles import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from placet.compiled import Compiled
    from placet.net.core import Marking, Net

MOST_ROUNDS = 6  # of guessing which transitions never fire
WORK = 300_000  # for the semiflows of one round
MOST_WALKS, LONGEST_WALK = 200, 2_000
MOST_ENTRIES = 400_000  # written while equations are solved

Equation = dict[int, Fraction]  # by unknown; -1 is the right-hand side


def balanced_at_ends(compiled: Compiled, change: Mapping[int, int], fired: Collection[int] = ()) -> int:
    """How many transitions were shown never to fire and places weighted, plus one, where the count is 0 at each end; else 0.

    `change` is d, by transition; `fired` are transitions known to fire. Nets with reset arcs are not looked at. Cost:
    bounded by the constants of this module and of `invariants`, some seconds at most.
    """
    net = compiled.net
    if any(net.reset):
        return 0
    faults = frozenset(t for t, role in enumerate(compiled.roles.transitions) if role.kind is Kind.FAULT)
    able = set(fired) | walked(net, compiled.initial, faults)
    flows: tuple[Semiflow, ...] = ()
    for _ in range(MOST_ROUNDS):
        flows = semiflows(_only(net, able), most_work=WORK).found
        woken = {
            t for t in range(len(net.transitions)) if t not in able and not _disabled(net, t, flows, compiled.initial)
        }
        if not woken:
            break
        able |= woken
    else:
        return 0
    weighted = 0
    for end in compiled.final.ends:
        solved = _at_end(compiled, end, change, able, flows)
        if solved is None:
            return 0
        weighted += solved
    return 1 + weighted + len(net.transitions) - len(able)


def walked(net: Net, initial: Marking, faults: frozenset[int] = frozenset()) -> set[int]:
    """Transitions that fire on some walks from the initial marking.

    Every other walk prefers what has not fired yet, then what is no fault and has fired least; the others choose blindly.
    """
    times = [0] * len(net.transitions)
    by_place: list[list[int]] = [[] for _ in net.places]
    always: list[int] = []
    for t in range(len(net.transitions)):
        needs = (*net.pre[t], *net.read[t])
        (by_place[needs[0][0]] if needs else always).append(t)
    capacity = dict(net.capacity)
    idle, lot = 0, 1
    for walk in range(MOST_WALKS):
        before = times.count(0)
        marking = list(initial)
        for _ in range(LONGEST_WALK):
            marked = [p for p, n in enumerate(marking) if n]
            enabled = [t for t in always if _may(net, marking, t, capacity)]
            enabled += [t for p in marked for t in by_place[p] if _may(net, marking, t, capacity)]
            if not enabled:
                break
            lot = (lot * 1_103_515_245 + 12_345) % 2_147_483_648  # any order will do, the same one each time
            if walk % 2:
                chosen = enabled[(lot >> 16) % len(enabled)]
            else:
                chosen = min(enabled, key=lambda t: (times[t] > 0, t in faults, times[t], t))
            times[chosen] += 1
            for p, w in net.pre[chosen]:
                marking[p] -= w
            for p, w in net.post[chosen]:
                marking[p] += w
        idle = 0 if times.count(0) < before else idle + 1
        if idle >= 20:
            break
    return {t for t, count in enumerate(times) if count}


def _may(net: Net, marking: Sequence[int], t: int, capacity: Mapping[int, int]) -> bool:
    if any(marking[p] < w for p, w in net.pre[t]) or any(marking[p] < w for p, w in net.read[t]):
        return False
    if any(marking[p] >= w for p, w in net.inhibit[t]):
        return False
    return all(p not in capacity or marking[p] + w <= capacity[p] for p, w in net.post[t])


def _only(net: Net, kept: Collection[int]) -> Net:
    """The net with these transitions; the others, in their places, do nothing."""
    pre = tuple([arcs if t in kept else () for t, arcs in enumerate(net.pre)])
    post = tuple([arcs if t in kept else () for t, arcs in enumerate(net.post)])
    return net._replace(pre=pre, post=post)


def _disabled(net: Net, t: int, flows: Iterable[Semiflow], initial: Marking) -> bool:
    """Whether some semiflow has fewer tokens than the transition needs."""
    needs = dict(net.pre[t])
    for p, w in net.read[t]:
        needs[p] = max(w, needs.get(p, 0))
    return any(sum(w * needs.get(p, 0) for p, w in flow.weights) > flow.total(initial) for flow in flows)


def _at_end(
    compiled: Compiled, end: int, change: Mapping[int, int], able: Collection[int], flows: Iterable[Semiflow]
) -> int | None:
    """On how many places weights show the count to be 0 where this end holds a token; None where no weights do."""
    net, initial = compiled.net, compiled.initial
    if not initial[end] and not any(p == end for t in able for p, _ in net.post[t]):
        return 0  # it is never reached
    allowed = {p for p in compiled.final.ends if p != end}
    for flow in flows:
        weights, total = dict(flow.weights), flow.total(initial)
        if end in weights:
            allowed.update(p for p, w in flow.weights if p != end and w + weights[end] > total)
    allowed.add(end)
    equations: list[Equation] = []
    for t in able:
        row: Equation = {}
        for sign, side in ((-1, net.pre[t]), (1, net.post[t])):
            for p, w in side:
                if p in allowed:
                    row[p] = row.get(p, Fraction(0)) + sign * w
        row[-1] = Fraction(change.get(t, 0))
        equations.append(row)
    start: Equation = {p: Fraction(-initial[p]) for p in allowed if initial[p]}
    start[end] = start.get(end, Fraction(0)) + 1
    equations.append(start)
    return _solvable(equations)


def _solvable(equations: list[Equation]) -> int | None:
    """The number of unknowns that a solution fixes, by elimination in exact numbers; None where there is no solution."""
    pivots: dict[int, Equation] = {}
    written = 0
    for equation in sorted(equations, key=len):
        row = {k: v for k, v in equation.items() if v}
        while True:
            known = next((k for k in row if k in pivots), None)
            if known is None:
                break
            factor = row[known]
            for k, v in pivots[known].items():
                value = row.get(k, 0) - factor * v
                if value:
                    row[k] = Fraction(value)
                else:
                    row.pop(k, None)
            written += len(pivots[known])
            if written > MOST_ENTRIES:
                return None
        unknown = next((k for k in row if k >= 0), None)
        if unknown is None:
            if row:
                return None
            continue
        first = row[unknown]
        pivots[unknown] = {k: v / first for k, v in row.items()}
    return len(pivots)
