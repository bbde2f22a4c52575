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

from placet.analysis.one_token import OneToken
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from placet.net.core import Marking, Net

MOST_ROUNDS = 6  # of guessing which transitions never fire
MOST_WALKS, LONGEST_WALK = 200, 2_000
MOST_ENTRIES = 400_000  # written while equations are solved

Equation = dict[int, Fraction]  # by unknown; -1 is the right-hand side


class Counted(NamedTuple):
    """A net with its ends and the count: by transition, what its firing adds."""

    net: Net
    initial: Marking
    ends: tuple[int, ...]
    change: Mapping[int, int]
    faults: frozenset[int] = frozenset()  # transitions that walks take last
    order: Sequence[int] = ()  # by place: where a token is likely to be followed, lower numbers first


def balanced_at_ends(counted: Counted, fired: Collection[int] = ()) -> bool:
    """Whether invariants show the count to be 0 in every reachable marking with one token on one end.

    `fired` are transitions known to fire. Nets with reset arcs are not looked at. Cost: bounded by the constants of this
    module, some seconds at most.
    """
    net, initial = counted.net, counted.initial
    if any(net.reset):
        return False
    able = set(fired) | walked(net, initial, counted.faults)
    for _ in range(MOST_ROUNDS):
        sets = OneToken(net, initial, able, counted.order or range(len(net.places)))
        woken = {t for t in range(len(net.transitions)) if t not in able and not _disabled(net, t, sets)}
        if not woken:
            return all(_at_end(counted, end, able, sets) for end in counted.ends)
        able |= woken
    return False


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


def _disabled(net: Net, t: int, sets: OneToken) -> bool:
    """Whether two places that the transition needs are never marked together, or one it needs is never marked."""
    needs = sorted({p for p, _ in (*net.pre[t], *net.read[t])})
    if any(sets.never(p) for p in needs):
        return True
    return any(sets.apart(p, q) for n, p in enumerate(needs) for q in needs[n + 1 :])


def _at_end(counted: Counted, end: int, able: Collection[int], sets: OneToken) -> bool:
    """Whether weights on places show the count to be 0 where this end holds a token."""
    net, initial = counted.net, counted.initial
    if not initial[end] and not any(p == end for t in able for p, _ in net.post[t]):
        return True  # it is never reached
    allowed = {p for p in counted.ends if p != end}
    allowed.update(p for p in range(len(net.places)) if p != end and (sets.never(p) or sets.apart(end, p)))
    allowed.add(end)
    equations: list[Equation] = []
    for t in able:
        row: Equation = {}
        for sign, side in ((-1, net.pre[t]), (1, net.post[t])):
            for p, w in side:
                if p in allowed:
                    row[p] = row.get(p, Fraction(0)) + sign * w
        row[-1] = Fraction(counted.change.get(t, 0))
        equations.append(row)
    start: Equation = {p: Fraction(-initial[p]) for p in allowed if initial[p]}
    start[end] = start.get(end, Fraction(0)) + 1
    equations.append(start)
    return _solvable(equations)


def _solvable(equations: list[Equation]) -> bool:
    """Whether the equations have a solution, by elimination in exact numbers; false where that takes too long."""
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
                return False
        unknown = next((k for k in row if k >= 0), None)
        if unknown is None:
            if row:
                return False
            continue
        first = row[unknown]
        pivots[unknown] = {k: v / first for k, v in row.items()}
    return True
