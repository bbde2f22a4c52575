"""A search that fires, in each state, only what can matter next: stubborn sets, for whether a state with a predicate can be reached.

A. Valmari (1991), "Stubborn sets for reduced state space generation", and for predicates K. Schmidt (1999), "Stubborn sets for standard properties",
and F. M. Bønneland, J. Dyhr, P. G. Jensen, M. Johannsen, J. Srba (2019), "Stubborn versus structural reductions for Petri nets". In a state s without the
predicate a set S of transitions is chosen so that

- (R) no run of transitions outside S leads from s to a state with the predicate;
- (W) where `w t` can be fired in s, t in S and w outside of S, `t w` can too, and leads to the same state.

The first transition in S of a shortest run to the predicate can then be moved to the front, so that firing the enabled part of S alone
keeps a shortest run: what is found is found after as few steps as by a full search, by a run of the net itself, and if nothing is found
there is nothing.

R: S holds all that can make a comparison true which the predicate needs (`_Seeds`), or all that can disable one of the transitions that are in the way of
"nothing can happen". W: for t enabled in s, S holds all that t may disable, all that empties a place which t changes, and all that touches a place which
t empties, or an observer that t moves; for t disabled, all that can do away with one reason. Read and inhibitor arcs and capacities are reasons like others.

Cost: a closure over bit sets for each of a few choices in each state, some ten times what the reference engine takes for a state.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from placet.engines.reference import Search
from placet.logic.state import And, Dead, Fireable, Linear, Not, Or, compare, support

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from placet.engines.packing import Layout
    from placet.engines.protocol import Exploration, Progress, Visitor
    from placet.engines.tables import Firing
    from placet.evidence import Budget
    from placet.logic.state import Comparison, Predicate
    from placet.net.core import Marking, Net
    from placet.net.observer import Observer

REACHED = (
    "deadlock_free",
    "never",
    "possible",
    "anomaly_A1",
)  # checks that ask whether there is such a state, and no more
PAYS = 0.4  # of what can happen, how much may be tried for a search to pay
_CHOICES = 8  # ways to begin that are tried in a state
_OPPOSITE: dict[Comparison, Comparison] = {"<=": ">", ">=": "<", "==": "!=", "!=": "==", "<": ">=", ">": "<="}


class Stubborn:
    """The engine: `explore` finds the first states with the goals; states, edges, bounds and what fires are those of its part of the graph."""

    name = "stubborn"

    def explore(
        self,
        net: Net,
        initial: Marking,
        observers: Sequence[Observer],
        visitors: Sequence[Visitor],
        budget: Budget,
        progress: Progress | None = None,
    ) -> Exploration:
        """Explore from `initial`, for visitors that need first states alone. Observers that no goal asks for are left out."""
        count = len(net.places)
        asked = sorted({i for v in visitors for i in support(v.goal)[0] if i >= count})
        numbers = {i: count + n for n, i in enumerate(asked)}
        goals = [v._replace(goal=_renumbered(v.goal, numbers)) for v in visitors]
        search = Thin(net, initial, [observers[i - count] for i in asked], goals, budget, progress)
        search.run()
        return search


def pays(seen: Exploration) -> bool:
    """Whether so much was left out that a longer search pays."""
    return isinstance(seen, Thin) and seen.taken <= PAYS * seen.able


class Thin(Search):
    """One search; what its result is when it is over, as of the reference engine, but for what it has left out."""

    def __init__(
        self,
        net: Net,
        initial: Marking,
        observers: Sequence[Observer],
        visitors: Sequence[Visitor],
        budget: Budget,
        progress: Progress | None,
    ) -> None:
        super().__init__(net, initial, observers, visitors, budget, progress)
        self.engine = Stubborn.name
        self.taken = self.able = 0  # transitions fired, and enabled, in all states that were expanded
        self._arcs = _Arcs(net, observers)
        if all(initial[p] <= most for p, most in net.capacity):  # else every transition looks at all capacities
            self._choose = self._stubborn

    @property
    def edges(self) -> int:
        """How many edges were crossed."""
        return self.taken

    def _stubborn(self, packed: int, enabled: int) -> tuple[Firing, ...]:
        """What the enabled transitions of the set do, in their order."""
        fields = self._tables.fields
        seeds = _Seeds(self._arcs, fields, packed, enabled)
        best = enabled
        if enabled & (enabled - 1):
            goals = [self._visitors[k].goal for k, _ in self._conditions]
            ways = [list(islice(seeds.ways(goal), _CHOICES)) for goal in goals]
            rest = 0
            for others in ways[1:]:
                rest |= min(others, key=int.bit_count)
            for seed in ways[0] if ways else ():
                found = seeds.closure(seed | rest, best)
                if found.bit_count() < best.bit_count():
                    best = found
                if best.bit_count() <= 1:
                    break
        self.able += enabled.bit_count()
        self.taken += best.bit_count()
        known, chosen = self._tables.firings, []
        for t in _bits(best):
            chosen.append(known.get(t) or self._tables.firing(t))
        return tuple(chosen)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        bit = mask & -mask
        yield bit.bit_length() - 1
        mask ^= bit


class _Arcs:
    """By place, as bits, the transitions that do something to it; by transition, what must be in the set with it."""

    def __init__(self, net: Net, observers: Sequence[Observer]) -> None:
        places = range(len(net.places))
        self.net = net
        self.capacity = dict(net.capacity)
        self.adds, self.takes = [0 for _ in places], [0 for _ in places]  # may leave more, less of it than before
        self.needs, self.bans = [0 for _ in places], [0 for _ in places]  # more of it may enable, disable these
        self.touches, self.empties = [0 for _ in places], [0 for _ in places]
        self.moves: list[int] = [sum(1 << t for t in {t for t, _ in o.deltas}) for o in observers]
        self.pre = [dict(arcs) for arcs in net.pre]
        self.post = [dict(arcs) for arcs in net.post]
        self._with: dict[int, int] = {}
        for t in range(len(net.transitions)):
            bit = 1 << t
            for p in {*self.pre[t], *self.post[t], *net.reset[t]}:
                self.touches[p] |= bit
                if self.adding(t, p):
                    self.adds[p] |= bit
                    if p in self.capacity:
                        self.bans[p] |= bit
                if self.taking(t, p):
                    self.takes[p] |= bit
            for p, _ in (*net.pre[t], *net.read[t]):
                self.needs[p] |= bit
                self.touches[p] |= bit
            for p, _ in net.inhibit[t]:
                self.bans[p] |= bit
                self.touches[p] |= bit
            for p in net.reset[t]:
                self.empties[p] |= bit

    def adding(self, t: int, p: int) -> bool:
        """Whether there may be more on the place after it than before."""
        return self.post[t].get(p, 0) > self.pre[t].get(p, 0)

    def taking(self, t: int, p: int) -> bool:
        """Whether there may be less on the place after it than before."""
        return p in self.net.reset[t] or self.pre[t].get(p, 0) > self.post[t].get(p, 0)

    def along(self, t: int) -> int:
        """What must be in a set with `t` where it is enabled."""
        found = self._with.get(t)
        if found is None:
            found = 0
            for p in {*self.pre[t], *self.post[t], *self.net.reset[t]}:
                more, less = self.adding(t, p), self.taking(t, p)
                if less:
                    found |= self.needs[p]
                if more:
                    found |= self.bans[p]
                if more or less:
                    found |= self.empties[p]
                if p in self.net.reset[t]:
                    found |= self.touches[p]
            for moved in self.moves:
                if moved >> t & 1:
                    found |= moved
            self._with[t] = found
        return found


class _Seeds:
    """In one state: how a set may begin (R), and what it is then (W)."""

    def __init__(self, arcs: _Arcs, fields: Layout, packed: int, enabled: int) -> None:
        self._arcs, self._fields, self._packed, self._enabled = arcs, fields, packed, enabled
        self._places = len(arcs.net.places)

    def _at(self, index: int) -> int:
        fields = self._fields
        return (self._packed >> fields.shift[index] & (1 << fields.width[index]) - 1) + fields.low[index]

    def closure(self, seed: int, best: int) -> int:
        """The enabled part of the least set that holds these; `best` where that is no smaller."""
        arcs, enabled = self._arcs, self._enabled
        found, done = seed, 0
        most = best.bit_count()
        while left := found & ~done:
            bit = left & -left
            done |= bit
            t = bit.bit_length() - 1
            if bit & enabled:
                found |= arcs.along(t)
                if (found & enabled).bit_count() >= most:
                    return best
            else:
                found |= min(self.reasons(t), key=lambda mask: (mask & ~found).bit_count())
        return found & enabled

    def reasons(self, t: int) -> Iterator[int]:
        """By reason why a transition is not enabled, what can do away with it."""
        arcs, net = self._arcs, self._arcs.net
        for p, w in (*net.pre[t], *net.read[t]):
            if self._at(p) < w:
                yield arcs.adds[p]
        for p, w in net.inhibit[t]:
            if self._at(p) >= w:
                yield arcs.takes[p]
        for p, most in net.capacity:
            left = 0 if p in net.reset[t] else self._at(p) - arcs.pre[t].get(p, 0)
            if arcs.post[t].get(p, 0) and left + arcs.post[t][p] > most:
                yield arcs.takes[p]

    def disabling(self, t: int) -> int:
        """All that can disable an enabled transition."""
        arcs, net = self._arcs, self._arcs.net
        found = 0
        for p, _ in (*net.pre[t], *net.read[t]):
            found |= arcs.takes[p]
        for p in (*(p for p, _ in net.inhibit[t]), *(p for p in arcs.post[t] if p in arcs.capacity)):
            found |= arcs.adds[p]
        return found

    def ways(self, goal: Predicate, *, negated: bool = False) -> Iterator[int]:
        """Sets one of which has a part in each run to a state with the goal, which does not hold here (or, `negated`, does)."""
        arcs = self._arcs
        match goal:
            case Linear(terms, op, bound):
                yield self._change(terms, _OPPOSITE[op] if negated else op, bound)
            case Fireable(t):
                if negated:
                    yield self.disabling(t)
                else:
                    yield from self.reasons(t)
            case Dead(ignoring):
                if negated:
                    yield (1 << len(arcs.net.transitions)) - 1
                else:
                    for t in _bits(self._enabled):
                        if t not in ignoring:
                            yield self.disabling(t)
            case Not(of):
                yield from self.ways(of, negated=not negated)
            case And(parts) | Or(parts):
                lacking = [p for p in parts if self.holds(p) is negated]
                if isinstance(goal, And) is not negated:  # each of them is needed
                    for part in lacking:
                        yield from self.ways(part, negated=negated)
                else:
                    whole = 0
                    for part in lacking:
                        whole |= min(self.ways(part, negated=negated), key=int.bit_count)
                    yield whole

    def _change(self, terms: tuple[tuple[int, int], ...], op: Comparison, bound: int) -> int:
        """What can move a sum towards where the comparison holds."""
        value = sum(c * self._at(i) for i, c in terms)
        up = op in (">=", ">") or (op == "==" and value < bound) or op == "!="
        down = op in ("<=", "<") or (op == "==" and value > bound) or op == "!="
        found = 0
        for i, c in terms:
            if i >= self._places:
                found |= self._arcs.moves[i - self._places]
                continue
            if (c > 0 and up) or (c < 0 and down):
                found |= self._arcs.adds[i]
            if (c > 0 and down) or (c < 0 and up):
                found |= self._arcs.takes[i]
        return found

    def holds(self, predicate: Predicate) -> bool:
        """Whether it holds in this state."""
        match predicate:
            case Linear(terms, op, bound):
                return compare(sum(c * self._at(i) for i, c in terms), op, bound)
            case Fireable(t):
                return bool(self._enabled >> t & 1)
            case Dead(ignoring):
                return all(t in ignoring for t in _bits(self._enabled))
            case Not(of):
                return not self.holds(of)
            case And(parts):
                return all(map(self.holds, parts))
            case Or(parts):
                return any(map(self.holds, parts))


def _renumbered(predicate: Predicate, numbers: dict[int, int]) -> Predicate:
    """The predicate with other numbers for observers."""
    change: Callable[[Predicate], Predicate] = lambda p: _renumbered(p, numbers)  # noqa: E731
    match predicate:
        case Linear(terms, _, _):
            return predicate._replace(terms=tuple((numbers.get(i, i), c) for i, c in terms))
        case Not(of):
            return Not(change(of))
        case And(parts):
            return And(tuple(map(change, parts)))
        case Or(parts):
            return Or(tuple(map(change, parts)))
    return predicate
