"""Coverability by backward search: whether a marking with at least so many tokens here and there can be reached.

P. A. Abdulla, K. Cerans, B. Jonsson, Y.-K. Tsay (1996), "General decidability theorems for infinite-state systems": the markings from which the goal can
be covered are closed upwards and have finitely many least ones, which are found from the goal backwards. Right for nets with weights,
reads and resets, bounded or not; each least marking remembers how it was found, so that the run can be walked forwards. Where the goal cannot be covered
the least markings are a proof: the start covers none of them, and no transition leads from outside to above one. With inhibitors or
capacities more tokens may disable something, and nothing is said.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from placet.evidence import Certificate, Holds, Never, NeverHolds, Proof, Reach, Reaches, Violated
from placet.logic.state import And, Fireable, Linear, Not, Or
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.compiled import Query
    from placet.evidence import Trace, Verdict
    from placet.logic.state import Predicate
    from placet.net.core import Net
    from placet.net.observer import Observer

_LOOKS = 4_000_000  # comparisons of markings
_MOST_GOALS = 500  # least markings of the goal itself

Least = tuple[tuple[int, int], ...]  # (index of a place or counter, at least so many), ascending, without zeros


class Found(NamedTuple):
    """A run that covers the goal; or, where there is none, the least markings that no run covers."""

    trace: Trace | None
    basis: tuple[Least, ...] = ()


class Counted(NamedTuple):
    """A net whose counting observers are places too: by transition what it asks for, takes, empties and gives."""

    asks: tuple[dict[int, int], ...]  # the most of what it takes and what it reads
    takes: tuple[dict[int, int], ...]
    resets: tuple[frozenset[int], ...]
    gives: tuple[dict[int, int], ...]
    start: tuple[int, ...]
    high: dict[int, int]  # of an index that is an observer: where it stops counting


def counted(net: Net, start: Sequence[int], observers: Sequence[Observer] = ()) -> Counted | None:
    """The net; observers that only count up are counters of it. None where more tokens may disable something."""
    if net.capacity or any(net.inhibit):
        return None
    gives = [dict(arcs) for arcs in net.post]
    high = {}
    for i, o in enumerate(observers, len(net.places)):
        if all(by > 0 for _, by in o.deltas):
            high[i] = o.high
            for t, by in o.deltas:
                gives[t][i] = by
    asks = []
    for t, arcs in enumerate(net.pre):
        asked = dict(arcs)
        for p, w in net.read[t]:
            asked[p] = max(asked.get(p, 0), w)
        asks.append(asked)
    takes = tuple(dict(arcs) for arcs in net.pre)
    return Counted(tuple(asks), takes, tuple(map(frozenset, net.reset)), tuple(gives), tuple(start), high)


def least(predicate: Predicate, net: Counted, places: int) -> list[Least] | None:
    """The least states in which a predicate holds; None where it is not closed upwards, or there are too many of them."""
    match predicate:
        case Not(Linear() as linear):
            turned = {"<": ">=", "<=": ">", "!=": "=="}
            return least(linear._replace(op=turned[linear.op]), net, places) if linear.op in turned else None  # type: ignore[arg-type]
        case Not(And(parts)):
            return least(Or(tuple(Not(p) for p in parts)), net, places)
        case Not(Or(parts)):
            return least(And(tuple(Not(p) for p in parts)), net, places)
        case Not(Not(of)):
            return least(of, net, places)
        case Linear():
            return _least_of_sum(predicate, net, places)
        case Fireable(t):
            return [tuple(sorted(net.asks[t].items()))]
        case Or(parts):
            found: list[Least] = []
            for part in parts:
                those = least(part, net, places)
                if those is None:
                    return None
                found += those
            return found if len(found) <= _MOST_GOALS else None
        case And(parts):
            rows = [least(part, net, places) for part in parts]
            known = [row for row in rows if row is not None]
            count = 1
            for row in known:
                count *= len(row)
            if len(known) < len(rows) or count > _MOST_GOALS:
                return None
            return [_joined(chosen) for chosen in product(*known)]
    return None


def _least_of_sum(linear: Linear, net: Counted, places: int) -> list[Least] | None:
    total: dict[int, int] = {}
    for i, c in linear.terms:
        total[i] = total.get(i, 0) + c
    total = {i: c for i, c in total.items() if c}
    bound = linear.bound + (linear.op == ">")
    if linear.op not in (">=", ">") or any(c < 0 for c in total.values()):
        return None
    if any(i >= places and i not in net.high for i in total):
        return None
    if bound <= 0:
        return [()]
    found: list[Least] = []
    pending: list[tuple[tuple[int, ...], int, Least]] = [(tuple(sorted(total)), bound, ())]
    while pending:
        left, missing, chosen = pending.pop()
        if missing <= 0:
            found.append(chosen)
        elif left:
            first, rest = left[0], left[1:]
            most = -(-missing // total[first])
            if most > 50 and rest:
                return None
            room = min(most, net.high.get(first, most))
            for n in range(room + 1) if rest else (room,):
                pending.append((rest, missing - n * total[first], (*chosen, (first, n)) if n else chosen))
        if len(found) + len(pending) > 4 * _MOST_GOALS:
            return None
    return found if len(found) <= _MOST_GOALS else None


def _joined(parts: Sequence[Least]) -> Least:
    most: dict[int, int] = {}
    for part in parts:
        for i, n in part:
            most[i] = max(most.get(i, 0), n)
    return tuple(sorted(most.items()))


def search(net: Counted, goals: Sequence[Least]) -> Found | None:
    """Whether some run covers one of the goals; None where the search becomes too large. Breadth-first from the goals."""
    basis: dict[Least, None] = {}
    how: list[tuple[int, int]] = []  # by found state: from which it was found, and by which transition
    states: list[Least] = []
    looked = 0
    fresh = [(goal, -1, -1) for goal in goals]
    number = 0
    while True:
        for state, origin, t in fresh:
            looked += len(basis) + 1
            if any(_below(other, state) for other in basis):
                continue
            for other in [other for other in basis if _below(state, other)]:
                del basis[other]
            basis[state] = None
            states.append(state)
            how.append((origin, t))
            if all(net.start[i] >= n for i, n in state):
                return Found(_walked(how, len(states) - 1))
        while number < len(states) and states[number] not in basis:
            number += 1  # something below it was found since
        if number == len(states):
            return Found(None, tuple(basis))
        if looked > _LOOKS:
            return None
        wanted = dict(states[number])
        found = ((_before(net, wanted, t), number, t) for t in range(len(net.asks)))
        fresh = [(before, origin, t) for before, origin, t in found if before is not None]
        looked += len(net.asks)
        number += 1


def _before(net: Counted, wanted: dict[int, int], t: int) -> Least | None:
    """The least state from which a transition leads to at least this one; None where it gives nothing of it, or nothing does."""
    gives, resets = net.gives[t], net.resets[t]
    if not any(i in wanted for i in gives):
        return None  # what is wanted after it was there before it
    takes = net.takes[t]
    found = dict(net.asks[t])
    for i, n in wanted.items():
        given = gives.get(i, 0)
        if i in resets:
            if given < n:
                return None
        else:
            found[i] = max(found.get(i, 0), n - given + takes.get(i, 0))
    return tuple(sorted((i, n) for i, n in found.items() if n > 0))


def _below(one: Least, other: Least) -> bool:
    """Whether the first asks for no more than the second."""
    more = dict(other)
    return all(more.get(i, 0) >= n for i, n in one)


def _walked(how: list[tuple[int, int]], number: int) -> Trace:
    trace = []
    while how[number][0] >= 0:
        number, t = how[number]
        trace.append(t)
    return tuple(trace)


def that_can_fire(net: Net, initial: Sequence[int], known: frozenset[int]) -> frozenset[int] | None:
    """The transitions that can fire, some of which are known; None where it cannot be decided of one."""
    made = counted(net, initial)
    if made is None:
        return None
    alive = set(known)
    for t in range(len(net.transitions)):
        if t not in alive:
            found = search(made, [tuple(sorted(made.asks[t].items()))])
            if found is None:
                return None
            if found.trace is not None:
                alive.update((*found.trace, t))
    return frozenset(alive)


def decide_one(net: Counted, places: int, query: Query) -> Verdict | None:
    """The verdict of a `never` or `possible`, where its condition is closed upwards and the search ends."""
    predicate = query.predicate
    goals = None if predicate is None else least(predicate, net, places)
    found = None if goals is None else search(net, goals)
    if found is None or predicate is None:
        return None
    proof = Proof("backward search", len(found.basis))
    if query.check == "never":
        if found.trace is None:
            return Holds(proof._replace(argument="nothing that would lead to it can come about"))
        return Violated(Reaches(predicate), Reach(found.trace), proof)
    if found.trace is not None:
        return Holds(proof._replace(argument="a run leads to it"))
    return Violated(NeverHolds(predicate), Never(Certificate("closed upwards", least=found.basis)), proof)
