"""CTL on a reachability graph with faults and fairness, and why a formula is false: where a run leads, or that none leads there.

Clarke, Emerson, Sistla (1986), "Automatic verification of finite-state concurrent systems using temporal logic specifications", with
fairness as in Emerson and Lei (1987). The formula is brought into negation normal form; then `Every` speaks of all fair runs, those with faults
too, and `Some` of fair runs without a fault: a fault never helps a formula. Runs are maximal: infinite, or ending where nothing but a
fault can happen. Where only part of the graph is known, `hopeful` takes for true what may be true: what is false then is false.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.components import closure, terminal, without
from placet.analysis.temporal.fair import Space, fair_sets, in_time, looking, loop, reversed_rows, short_loop
from placet.errors import UsageError
from placet.evidence import Branch
from placet.logic.temporal import Atom, Conj, Disj, Every, Neg, Next, Release, Some, Until, is_plain
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placet.analysis.components import Rows
    from placet.analysis.temporal.fair import Fairness
    from placet.logic.state import Predicate
    from placet.logic.temporal import Formula


_OFTEN = 4096  # states between two looks at the clock


class _Traps(NamedTuple):
    """States in which a fair run can stay: 1 where it can end, and the sets in which it goes round."""

    held: bytearray
    ends: bytearray
    sets: dict[int, frozenset[int]]


class Labels:
    """By formula in negation normal form the states in which it holds (`hopeful`: in which it may hold)."""

    def __init__(
        self,
        rows: Rows,
        faults: frozenset[int],
        truth: Callable[[Predicate], Sequence[int]],
        fairness: Fairness,
        *,
        hopeful: bool,
        until: float = float("inf"),
    ) -> None:
        self.rows, self._truth, self._fairness, self._hopeful = rows, truth, fairness, hopeful
        self._in_time = in_time(until)
        self._in_time()
        self.safe = without(rows, faults)
        self._in_time()
        self._back = reversed_rows(rows)
        self._back_safe = self._back if self.safe is rows else reversed_rows(self.safe)
        self._known: dict[Formula, bytearray] = {}
        self._terminal: list[list[int]] | None = None
        self._trapped: dict[Formula, _Traps] = {}

    def of(self, formula: Formula) -> bytearray:
        """By state, 1 where it holds.

        Raises UsageError where the formula is no CTL in negation normal form, OutOfTimeError past `until`, a second after it at most
        for each million edges.
        """
        found = self._known.get(formula)
        if found is None:
            self._in_time()
            found = self._known[formula] = self._make(formula)
        return found

    def _make(self, formula: Formula) -> bytearray:
        match formula:
            case Atom(predicate):
                return bytearray(self._truth(predicate))
            case Neg(Atom() as atom):
                return _not(self.of(atom))
            case Conj(parts):
                return self._joined(parts, conjunction=True)
            case Disj(parts):
                return self._joined(parts, conjunction=False)
            case Some(Next(of)):
                return self._some_next(self.of(of))
            case Every(Next(of)):
                lost = self._some_next(_not(self.of(of)), every=True)
                return _not(lost)
            case Some(Until(left, right)):
                goal = bytearray(self.of(right))
                if self._hopeful:
                    self._add_unknown(goal, self.of(left))
                return self._back_from(goal, self.of(left), safe=True)
            case Some(Release(left, right)):
                held = self.of(right)
                goal = _and(self.of(left), held)
                _add(goal, self.traps(right).held)
                if self._hopeful:
                    self._add_unknown(goal, held)
                return self._back_from(goal, held, safe=True)
            case Every(Until(_, right)):
                return _not(self._back_from(self.broken(formula), _not(self.of(right)), safe=False))
            case Every(Release(left, right)):
                lost = _not(self.of(right))
                through = _not(self.of(left))
                if not self._hopeful:
                    self._add_unknown(lost, through)
                return _not(self._back_from(lost, through, safe=False))
        raise UsageError("no formula of CTL in negation normal form")

    def broken(self, formula: Every) -> bytearray:
        """Of `Every(Until(left, right))`: where it is lost without a further step: neither holds, or a run stays without `right`."""
        until = formula.of
        if not isinstance(until, Until):
            raise UsageError("no `Until`")
        lacks = _not(self.of(until.right))
        lost = _and(lacks, _not(self.of(until.left)))
        _add(lost, self.traps(_lacking(until.right)).held)
        if not self._hopeful:
            self._add_unknown(lost, lacks)
        return lost

    def traps(self, formula: Formula) -> _Traps:
        """Where a fair run can stay for ever in states of the formula, or end in one of them; of known states only."""
        found = self._trapped.get(formula)
        if found is None:
            held = _not(self.of(formula.of)) if isinstance(formula, _Lacking) else self.of(formula)
            found = self._trapped[formula] = self._make_traps(held)
        return found

    def _make_traps(self, held: bytearray) -> _Traps:
        safe = self.safe
        ends = bytearray(safe.states)
        for i in range(safe.expanded):
            if held[i] and safe.offsets[i] == safe.offsets[i + 1]:
                ends[i] = 1
        sets: dict[int, frozenset[int]] = {}
        if self._fairness == "edges":
            if self._terminal is None:
                self._terminal = [s for s in terminal(safe, looking(self._in_time)) if safe.out(s[0])]
            found = [frozenset(s) for s in self._terminal if all(held[i] for i in s)]
        else:
            inside = [i for i in range(safe.expanded) if held[i]]
            found = [
                s.members
                for s in fair_sets(self.space(), self._fairness, frozenset(inside).__contains__, self._in_time)
            ]
        every = bytearray(ends)
        for members in found:
            for i in members:
                every[i] = 1
                sets[i] = members
        return _Traps(every, ends, sets)

    def space(self) -> Space:
        """The graph as a product with nothing."""
        safe = self.safe
        return Space(safe, range(safe.states), (), 0, self._enabled)

    def _enabled(self, state: int) -> Sequence[int]:
        return self.safe.labels[self.safe.offsets[state] : self.safe.offsets[state + 1]]

    def _joined(self, parts: tuple[Formula, ...], *, conjunction: bool) -> bytearray:
        count = self.rows.states
        whole = int.from_bytes(b"\x01" * count, "little")
        total = whole if conjunction else 0
        for part in parts:
            one = int.from_bytes(self.of(part), "little")
            total = total & one if conjunction else total | one
        return bytearray(total.to_bytes(count, "little"))

    def _some_next(self, goal: bytearray, *, every: bool = False) -> bytearray:
        """The states with a step to a goal; `every`: a step of a fault too, and unknown states where they may have one."""
        rows = self.rows if every else self.safe
        found = bytearray(rows.states)
        offsets, targets = rows.offsets, rows.targets
        for i in range(rows.expanded):
            if not i % _OFTEN:
                self._in_time()
            if any(map(goal.__getitem__, targets[offsets[i] : offsets[i + 1]])):
                found[i] = 1
        if self._hopeful is not every:
            for i in range(rows.expanded, rows.states):
                found[i] = 1
        return found

    def _add_unknown(self, goal: bytearray, those: bytearray) -> None:
        for i in range(self.rows.expanded, self.rows.states):
            if those[i]:
                goal[i] = 1

    def _back_from(self, goal: bytearray, through: bytearray, *, safe: bool) -> bytearray:
        """The goals, and the states from which a way through others leads there."""
        offsets, sources = self._back_safe if safe else self._back
        found = bytearray(goal)
        queue = [i for i, one in enumerate(goal) if one]
        while queue:
            i = queue.pop()
            if not i % _OFTEN:
                self._in_time()
            for j in sources[offsets[i] : offsets[i + 1]]:
                if not found[j] and through[j]:
                    found[j] = 1
                    queue.append(j)
        return found

    # -- why it is false ---------------------------------------------------------------------------------------------

    def refute(self, formula: Formula, state: int) -> Branch:
        """Why the formula is false in a state. Breadth-first, so that what is shown is short."""
        match formula:
            case Conj(parts):
                false = [p for p in parts if not self.of(p)[state]]
                return Branch(formula, parts=(self.refute(min(false, key=_weight), state),))
            case Disj(parts):
                return Branch(formula, parts=tuple(self.refute(p, state) for p in sorted(parts, key=_weight)))
            case Every(Next(of)):
                trace, end = self._way(state, lambda i: i != -1 and not self.of(of)[i], None, least=1)
                return Branch(formula, trace, parts=(self.refute(of, end),))
            case Every(Release(left, right)):
                trace, end = self._way(state, lambda i: not self.of(right)[i], _not(self.of(left)))
                return Branch(formula, trace, parts=(self.refute(right, end),))
            case Every(Until()):
                return self._refute_until(formula, state)
            case Some():
                return Branch(formula, closed=len(closure(self.safe, state)))
        return Branch(formula)

    def _refute_until(self, formula: Every, state: int) -> Branch:
        until = formula.of
        if not isinstance(until, Until):
            raise UsageError("no `Until`")
        left, right = until.left, until.right
        lost = self.broken(formula)
        trace, end = self._way(state, lambda i: bool(lost[i]), _not(self.of(right)))
        traps = self.traps(_lacking(right))
        if not traps.held[end]:
            return Branch(formula, trace, parts=(self.refute(left, end), self.refute(right, end)))
        inner = () if is_plain(right) else (self.refute(right, end),)
        if traps.ends[end]:
            return Branch(formula, trace, parts=inner, stays=True)
        from placet.analysis.temporal.fair import FairSet

        space, found = self.space(), FairSet(traps.sets[end])
        whole, fair = loop(space, found, end, self._fairness)
        told = short_loop(space, found, end)
        labels = self.safe.labels
        return Branch(
            formula,
            trace,
            tuple(labels[e] for e in whole),
            tuple(labels[e] for e in told),
            parts=inner,
            stays=True,
            fair=fair,
        )

    def _way(
        self, start: int, good: Callable[[int], bool], through: bytearray | None, least: int = 0
    ) -> tuple[tuple[int, ...], int]:
        """A shortest way of at least so many steps, those of faults too, to a good state."""
        if not least and good(start):
            return (), start
        rows = self.rows
        came: dict[int, tuple[int, int]] = {} if least else {start: (-1, -1)}
        queue = [start]
        for i in queue:
            if i >= rows.expanded or (through is not None and not through[i]):
                continue
            for e in range(rows.offsets[i], rows.offsets[i + 1]):
                j = rows.targets[e]
                if j in came:
                    continue
                came[j] = (i, rows.labels[e])
                if good(j):
                    way = [rows.labels[e]]
                    while i != start:
                        i, label = came[i]  # noqa: PLW2901 - backwards along the way
                        way.append(label)
                    return tuple(reversed(way)), j
                if not least:
                    queue.append(j)
        raise UsageError("no way leads to where the formula is false")


class _Lacking(NamedTuple):
    """The states in which a formula does not hold, as a key."""

    of: Formula


def _lacking(formula: Formula) -> Formula:
    return _Lacking(formula)  # type: ignore[return-value] # a key of its own kind


def _not(truth: bytearray) -> bytearray:
    return truth.translate(_FLIP)


_FLIP = bytes([1, 0, *range(2, 256)])


def _and(one: bytearray, other: bytearray) -> bytearray:
    both = int.from_bytes(one, "little") & int.from_bytes(other, "little")
    return bytearray(both.to_bytes(len(one), "little"))


def _add(one: bytearray, other: bytearray) -> None:
    both = int.from_bytes(one, "little") | int.from_bytes(other, "little")
    one[:] = both.to_bytes(len(one), "little")


def _weight(formula: Formula) -> int:
    """What is told first: what looks at one state, then what a run shows, then what no run shows."""
    return 0 if is_plain(formula) else 2 if isinstance(formula, Some) else 1
