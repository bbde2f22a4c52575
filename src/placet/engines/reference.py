"""The reference engine: breadth-first search in plain Python over packed integers, without start-up cost.

About 0.2-0.4 million states a second on small nets. Each state keeps its parent, so that each has a shortest trace.
Memory is near 200 bytes a state, and 8 bytes an edge where edges are asked for.
"""

from __future__ import annotations

from array import array
from sys import getsizeof
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from placet.engines.conditions import Condition, condition
from placet.engines.packing import Fire, Layout, affected, layout, narrowest, rule
from placet.engines.protocol import Needs, Stop
from placet.engines.pumping import Pumping
from placet.logic.state import Or
from placet.net.firing import enabled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.engines.protocol import Exploration, Progress, Visitor
    from placet.evidence import Budget, State, Trace
    from placet.net.core import Marking, Net
    from placet.net.observer import Observer

_MORE = 2000  # states after the net is known to be unbounded, where goals are still open
_CHUNK = 1024  # states expanded between two looks at the clock and at memory
_FOUND = 16_384  # states found between two looks
_WORK = 4_000_000  # states times transitions between two looks, where that is less: for wide nets
_TABLE = 64 << 20  # bytes of a table of a wide net that are not worth their memory

Firing: TypeAlias = tuple[int, int, "Fire | None"]  # transition, what is added, what is done instead
Trigger: TypeAlias = tuple[int, int, int, int, int]  # bit, need, mask, ban, ban mask


class _Keep:
    """By transition the bits of enabled sets that its firing leaves as they are; computed each time, for wide nets."""

    def __init__(self, index: list[list[int]]) -> None:
        self._index = index

    def __getitem__(self, transition: int) -> int:
        changed = 0
        for u in self._index[transition]:
            changed |= 1 << u
        return ~changed


class _Fan:
    """The one object that stands for an enabled set; few sets occur, so states share them."""

    __slots__ = ("enabled", "firings")

    def __init__(self, enabled: int) -> None:
        self.enabled = enabled
        self.firings: tuple[Firing, ...] | None = None  # made when the first state with the set is expanded


class _Tables(NamedTuple):
    """All that depends on the layout, made anew when it widens."""

    fields: Layout
    firings: tuple[Firing | None, ...]  # by transition
    keep: Sequence[int] | _Keep  # by transition: the enabled sets' bits that its firing leaves as they are
    triggers: tuple[tuple[Trigger, ...], ...]  # by transition: those to be tested again
    every: tuple[Trigger, ...]
    guarded: dict[int, int]  # length of a guard bit -> field


def _tables(
    net: Net, initial: Marking, observers: Sequence[Observer], index: list[list[int]], fields: Layout
) -> _Tables:
    count = len(net.transitions)
    rules = [rule(net, initial, observers, fields, t) for t in range(count)]
    tests: list[Trigger | None] = []
    firings: list[Firing | None] = []
    for t, r in enumerate(rules):
        tests.append(None if r is None else (1 << t, r.need, r.mask, r.ban, r.ban_mask))
        firings.append(None if r is None else (t, r.delta, r.special))
    wanted = _Keep(index)
    keep = wanted if count * count > 8 * _TABLE else tuple(wanted[t] for t in range(count))
    triggers = tuple(tuple(x for u in index[t] if (x := tests[u]) is not None) for t in range(count))
    return _Tables(fields, tuple(firings), keep, triggers, tuple(x for x in tests if x is not None), _guarded(fields))


def _guarded(fields: Layout) -> dict[int, int]:
    return {shift + width + 1: i for i, (shift, width) in enumerate(zip(fields.shift, fields.width, strict=True))}


class Reference:
    """The plain-Python engine; always there, and what the others are held against."""

    name = "reference"

    def explore(
        self,
        net: Net,
        initial: Marking,
        observers: Sequence[Observer],
        visitors: Sequence[Visitor],
        budget: Budget,
        progress: Progress | None = None,
    ) -> Exploration:
        """Explore from `initial`; see the protocol. Time O(edges), a little more for every transition in a trigger index.

        Stops with "unbounded" when a run is seen whose end covers an earlier state of it so that its loop can be repeated
        for ever: at once, or after some more states where goals are still open.
        """
        search = _Search(net, initial, observers, visitors, budget, progress)
        search.run()
        return search


class _Search:
    """One pass; when it is over, its result (it has the fields and methods of `Exploration`)."""

    def __init__(
        self,
        net: Net,
        initial: Marking,
        observers: Sequence[Observer],
        visitors: Sequence[Visitor],
        budget: Budget,
        progress: Progress | None,
    ) -> None:
        self.engine = Reference.name
        self.stop: Stop | None = None
        self.complete = False
        self._net, self._initial, self._observers = net, initial, tuple(observers)
        self._visitors, self._budget, self._progress = tuple(visitors), budget, progress
        self._first = [-1] * len(self._visitors)
        self._keep_edges = any(v.needs is Needs.EDGES for v in visitors)
        self._whole = not visitors or any(v.needs is not Needs.FIRST for v in visitors)
        self._index = affected(net, initial)
        self._table_bytes = 0
        self._begun = monotonic()
        self._tables = self._fit(narrowest(net, initial))
        self._conditions = self._compile()
        start = self._tables.fields.pack((*initial, *(o.initial for o in self._observers)))
        self._fans: dict[int, _Fan] = {}
        self._fan_bytes = 0
        self._order = [start]
        self._numbers = {start: 0}
        self._fan_of = [self._fan(self._enabled_in(start))]
        self._parents = array("q", (-1,))  # parent * T + transition
        self._offsets = array("q", (0,))
        self._labels, self._targets = array("I"), array("I")
        self._records = start  # by field, the most seen
        self._pumping = Pumping(net, initial)
        self._expanded = 0
        self._marks: dict[int, bytearray] = {}
        self._pump: Stop | None = None  # how the net was seen to be unbounded
        self._enough = 1 << 62  # with that many states the pass ends

    # -- what an exploration gives -----------------------------------------------------------------------------------

    @property
    def states(self) -> int:
        """How many states were found."""
        return len(self._order)

    @property
    def edges(self) -> int:
        """How many edges were kept; where none were asked for, how many were crossed."""
        return (
            len(self._targets)
            if self._keep_edges
            else sum(f.enabled.bit_count() for f in self._fan_of[: self._expanded])
        )

    @property
    def found(self) -> tuple[int, ...]:
        """By visitor, the first state with its goal, or -1."""
        return tuple(self._first)

    @property
    def fired(self) -> frozenset[int]:
        """The transitions enabled in some state that was found."""
        union = 0
        for mask in {fan.enabled for fan in self._fan_of}:
            union |= mask
        return frozenset(t for t in range(len(self._net.transitions)) if union >> t & 1)

    @property
    def bounds(self) -> tuple[int, ...]:
        """By place, the most tokens seen."""
        return self._tables.fields.unpack(self._records)[: len(self._net.places)]

    def state(self, index: int) -> State:
        """The state of that number."""
        return self._tables.fields.unpack(self._order[index])

    def trace(self, index: int) -> Trace:
        """A shortest firing sequence to the state of that number."""
        width, parents = len(self._net.transitions), self._parents
        fired = []
        while index:
            index, transition = divmod(parents[index], width)
            fired.append(transition)
        return tuple(reversed(fired))

    def successors(self, index: int) -> Sequence[tuple[int, int]]:
        """(transition, state number) for every edge out of an expanded state; none where no visitor needed edges."""
        if not self._keep_edges or index >= self._expanded:
            return ()
        low, high = self._offsets[index], self._offsets[index + 1]
        return tuple(zip(self._labels[low:high], self._targets[low:high], strict=True))

    def graph(self) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
        """(offsets, transitions, targets): the edges of state i stand from `offsets[i]` to `offsets[i + 1]`."""
        return self._offsets, self._labels, self._targets

    def holds(self, visitor: int) -> Sequence[int]:
        """By state, 1 where the goal of that visitor holds and 0 elsewhere. O(states), once."""
        if visitor not in self._marks:
            test = condition(self._visitors[visitor].goal, self._tables.fields)
            pairs = zip(self._order, self._fan_of, strict=True)
            self._marks[visitor] = bytearray(test(m, fan.enabled) for m, fan in pairs)
        return self._marks[visitor]

    # -- the search --------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Search until all is seen, every visitor is content, or the budget is used up."""
        self._begun = monotonic()
        width = max(1, len(self._net.transitions))
        chunk, self._stride = max(1, min(_CHUNK, _WORK // width)), max(1, min(_FOUND, _WORK // width))
        try:
            if self._content(0) or self.stop is not None:
                return
            while self._expanded < len(self._order):
                if self._sweep(min(len(self._order), self._expanded + chunk)):
                    return
                if self._expanded < len(self._order):
                    if self._over_budget():
                        return
                    if self._progress is not None:
                        self._progress(len(self._order), len(self._order) - self._expanded)
            self.complete = True
        except KeyboardInterrupt:
            self._mend()
            self.stop = Stop("interrupted", f"{len(self._order)} states")

    def _sweep(self, until: int) -> bool:
        """Expand the states up to that number; True when the pass is over."""
        numbers, order, fan_of, parents = self._numbers, self._order, self._fan_of, self._parents
        offsets, labels, targets = self._offsets, self._labels, self._targets
        tables, fans, conditions = self._tables, self._fans, self._conditions
        fields, triggers, keep = tables.fields, tables.triggers, tables.keep
        guards, edges = fields.guards, self._keep_edges
        records = self._records | guards
        width, limit = len(self._net.transitions), self._look_at(len(order))
        for i in range(self._expanded, until):
            m = order[i]
            fan = fan_of[i]
            before = fan.enabled
            for t, delta, special in fan.firings or self._firings(fan):
                n = m + delta if special is None else special(m)
                j = numbers.get(n)
                if j is None:
                    if n & guards:
                        self._widen(i)
                        return self.stop is not None
                    j = len(order)
                    if j >= limit or j >= self._enough:
                        if self._is_full(j):
                            if edges:
                                del labels[offsets[i] :], targets[offsets[i] :]
                            return True
                        limit = self._look_at(j)
                    up = n | guards
                    now = before & keep[t]
                    for bit, need, mask, ban, ban_mask in triggers[t]:
                        if (up - need) & mask == mask and not (ban_mask and (up - ban) & ban_mask):
                            now |= bit
                    found = fans.get(now) or self._fan(now)
                    parents.append(i * width + t)
                    fan_of.append(found)
                    order.append(n)
                    numbers[n] = j
                    if conditions:
                        for _, test in conditions:
                            if test(n, now):
                                if self._content(j):
                                    return True
                                conditions = self._conditions
                                break
                    if (records - n) & guards != guards:
                        self._record(n, j)
                        records = self._records | guards
                if edges:
                    labels.append(t)
                    targets.append(j)
            if edges:
                offsets.append(len(targets))
            self._expanded = i + 1
        return False

    def _fit(self, widths: Sequence[int]) -> _Tables:
        """The tables for places of these widths; past the budget the pass is over, and they are empty."""
        fields = layout(widths, self._observers)
        most = self._budget.bytes
        self._table_bytes = len(self._net.transitions) * fields.guards.bit_length() // 5  # 3 of which half is zeros
        if most is not None and self._table_bytes > most:
            self.stop = Stop("bytes", str(self._table_bytes))
            return _Tables(fields, (), (), (), (), {})
        return _tables(self._net, self._initial, self._observers, self._index, fields)

    def _compile(self) -> list[tuple[int, Condition]]:
        """The goals not yet seen, as closures for the present layout."""
        return [
            (k, condition(v.goal, self._tables.fields))
            for k, v in enumerate(self._visitors)
            if self._first[k] < 0 and not (isinstance(v.goal, Or) and not v.goal.of)  # FALSE == TRUE as bare tuples
        ]

    def _enabled_in(self, m: int) -> int:
        if self.stop is not None:  # without tables
            return sum(1 << t for t in enabled(self._net, self._initial))
        up, now = m | self._tables.fields.guards, 0
        for bit, need, mask, ban, ban_mask in self._tables.every:
            if (up - need) & mask == mask and not (ban_mask and (up - ban) & ban_mask):
                now |= bit
        return now

    def _fan(self, now: int) -> _Fan:
        known = self._fans.get(now)
        if known is None:
            known = self._fans[now] = _Fan(now)
            self._fan_bytes += 150 + getsizeof(now)
        return known

    def _firings(self, fan: _Fan) -> tuple[Firing, ...]:
        """What the transitions of the set do, in their order."""
        if fan.firings is None:
            firings, left = self._tables.firings, fan.enabled
            chosen = []
            while left:
                bit = left & -left
                firing = firings[bit.bit_length() - 1]
                if firing is not None:
                    chosen.append(firing)
                left ^= bit
            fan.firings = tuple(chosen)
            self._fan_bytes += 50 + 8 * len(chosen)
        return fan.firings

    def _content(self, number: int) -> bool:
        """Enter a state as the first of every goal that holds in it; True when nothing more is wanted."""
        m, now = self._order[number], self._fan_of[number].enabled
        left = []
        for k, test in self._conditions:
            if test(m, now):
                self._first[k] = number
            else:
                left.append((k, test))
        self._conditions = left
        return not self._whole and all(n >= 0 for n in self._first)

    def _record(self, n: int, number: int) -> None:
        """Some place holds more than ever: enter it, and see whether it can grow for ever.

        Once it is known that there are endlessly many states the search goes on for a while if goals are still open.
        """
        fields, records = self._tables.fields, self._records
        higher = ~((records | fields.guards) - n) & fields.guards
        grown = False
        while higher:
            guard = higher & -higher
            higher ^= guard
            i = self._tables.guarded[guard.bit_length()]
            field = fields.field(i)
            records = records & ~field | n & field
            grown = grown or i < len(self._net.places)
        self._records = records
        pump = self._pumping.look(self, number) if grown and self._pump is None else None
        if pump is not None:
            self._pump = Stop("unbounded", str(number + 1), *pump)
            self._enough = max(2 * number, number + _MORE) if self._conditions else number + 1

    def line(self, number: int) -> tuple[list[int], list[int]]:
        """The state numbers from the initial state to this one, and the transitions between them."""
        path, fired, width = [number], [], len(self._net.transitions)
        while number:
            number, t = divmod(self._parents[number], width)
            path.append(number)
            fired.append(t)
        return path[::-1], fired[::-1]

    def covers(self, greater: int, less: int) -> bool:
        """Whether the one state has at least the other's tokens everywhere (observers are not looked at)."""
        fields = self._tables.fields
        guards = fields.guards & ~fields.watched
        above = self._order[greater] & ~fields.watched
        return ((above | guards) - (self._order[less] & ~fields.watched)) & guards == guards

    def _widen(self, expanding: int) -> None:
        """Double the places' bits, pack every state anew, and let the search expand the state once more."""
        old = self._tables.fields
        count = len(self._net.places)
        tables = self._fit([2 * w + 1 for w in old.width[:count]])
        if self.stop is not None:
            if self._keep_edges:
                del self._labels[self._offsets[expanding] :], self._targets[self._offsets[expanding] :]
            return
        self._tables, fields = tables, tables.fields
        self._order[:] = [fields.pack(old.unpack(m)) for m in self._order]
        self._numbers.clear()
        self._numbers.update(zip(self._order, range(len(self._order)), strict=True))
        self._records = fields.pack(old.unpack(self._records))
        self._fans.clear()
        self._fan_of[:] = [self._fan(fan.enabled) for fan in self._fan_of]
        self._conditions = self._compile()
        if self._keep_edges:
            del self._labels[self._offsets[expanding] :], self._targets[self._offsets[expanding] :]

    def _look_at(self, count: int) -> int:
        """The number of states at which the budget is looked at next."""
        most = self._budget.states
        return count + self._stride if most is None else min(most, count + self._stride)

    def _is_full(self, count: int) -> bool:
        """Whether no more states than that fit; then says why."""
        if count >= self._enough or count == self._budget.states:
            self.stop = self._pump or Stop("states", str(count))
            return True
        return self._over_budget()

    def _over_budget(self) -> bool:
        """Whether the memory or the time is used up; then says so."""
        budget, used, passed = self._budget, self.used_bytes(), monotonic() - self._begun
        if budget.bytes is not None and used > budget.bytes:
            self.stop = self._pump or Stop("bytes", str(used))
        elif budget.seconds is not None and passed > budget.seconds:
            self.stop = self._pump or Stop("seconds", f"{passed:.1f}")
        return self.stop is not None

    def used_bytes(self) -> int:
        """Estimated memory of the pass; the same on every run of the same search. O(1)."""
        count = len(self._order)
        each = (
            getsizeof(self._order[-1]) + 8 + 8 + 8 + 32
        )  # the integer, its place in two lists, the parent, its number
        return count * each + getsizeof(self._numbers) + self._fan_bytes + self._table_bytes + 8 * len(self._targets)

    def _mend(self) -> None:
        """After an interrupt: cut every column back to the states that all of them have."""
        count = min(len(self._order), len(self._parents), len(self._fan_of))
        for column in (self._order, self._parents, self._fan_of):
            del column[count:]
        self._numbers = {}
        self._first = [n if n < count else -1 for n in self._first]
        self._expanded = min(self._expanded, count)
        if self._keep_edges:
            self._expanded = min(self._expanded, len(self._offsets) - 1)
            del self._offsets[self._expanded + 1 :]
            del self._labels[self._offsets[-1] :], self._targets[self._offsets[-1] :]
