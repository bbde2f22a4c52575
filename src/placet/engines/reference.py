"""The reference engine: breadth-first search in plain Python over packed integers, without start-up cost.

About 0.2-0.4 million states a second on small nets. Each state keeps its parent, so that each has a shortest trace.
Memory is near 200 bytes a state, and 8 bytes an edge where edges are asked for.
"""

from __future__ import annotations

from array import array
from sys import getsizeof
from time import monotonic
from typing import TYPE_CHECKING

from placet.engines.conditions import Condition, condition
from placet.engines.effort import Effort
from placet.engines.packing import layout, narrowest
from placet.engines.protocol import Needs, Stop
from placet.engines.pumping import Pumping
from placet.engines.tables import Tables, TablesFullError, Wiring
from placet.logic.state import FALSE
from placet.net.firing import enabled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placet.engines.packing import Layout
    from placet.engines.protocol import Exploration, Progress, Visitor
    from placet.engines.tables import Firing
    from placet.evidence import Budget, State, Trace
    from placet.net.core import Marking, Net
    from placet.net.observer import Observer

_MORE = 2000  # states after the net is known to be unbounded, where goals are still open
_CHUNK = 1024  # states expanded between two looks at the clock and at memory
_FOUND = 16_384  # states found between two looks
_FAN = 150  # bytes of a set of enabled transitions, beside its number and what its transitions do
_PIECE = 6  # observers whose values are unpacked, and remembered, together: coverage has so many of each step
_WORK = 4_000_000  # states times transitions between two looks, where that is less: for wide nets


class _Fan:
    """The one object that stands for an enabled set; few sets occur, so states share them."""

    __slots__ = ("enabled", "firings")

    def __init__(self, enabled: int) -> None:
        self.enabled = enabled
        self.firings: tuple[Firing, ...] | None = None  # made when the first state with the set is expanded


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
        search = Search(net, initial, observers, visitors, budget, progress)
        search.run()
        return search


class Search:
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
        self._wiring = Wiring(net, initial, self._observers)
        self._begun = monotonic()
        self._tables = self._fit(narrowest(net, initial))
        self._conditions = self._compile()
        start = self._tables.fields.pack((*initial, *(o.initial for o in self._observers)))
        self._fans: dict[int, _Fan] = {}
        self._fan_bytes = 0
        self._order = [start]
        self._numbers = {start: 0}
        self._fan_of = [self._fan(sum(1 << t for t in enabled(net, initial)))]
        self._parents = array("q", (-1,))  # parent * T + transition
        self._offsets = array("q", (0,))
        self._labels, self._targets = array("I"), array("I")
        self._records = start  # by field, the most seen
        self._pumping = Pumping(net, initial)
        self._effort = Effort(budget.states)
        self._weighed = (0, 0)  # states expanded, and states found, whose effort was counted
        self._expanded = 0
        self._marks: dict[int, bytearray] = {}
        self._watched: dict[int, tuple[int, ...]] = {}  # packed observers -> their values
        self._pieces_of: Layout | None = None  # the layout that the groups of observers are for
        self._groups: tuple[tuple[int, int, int, int], ...] = ()
        self._piece_values: dict[tuple[int, int], tuple[int, ...]] = {}
        # from a packed state and its enabled set to what is fired there: none but in searches that leave something out
        self._choose: Callable[[int, int], tuple[Firing, ...]] | None = None
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

    def observed(self, index: int) -> tuple[int, ...]:
        """The values of the observers in the state of that number: few occur, so that each is unpacked once."""
        fields = self._tables.fields
        key = self._order[index] & fields.watched
        found = self._watched.get(key)
        if found is None:
            values: list[int] = []
            for at, mask, first, last in self._pieces():
                piece = key >> at & mask
                known = self._piece_values.get((first, piece))
                if known is None:
                    columns = zip(
                        fields.shift[first:last], fields.width[first:last], fields.low[first:last], strict=True
                    )
                    known = tuple((piece >> shift - at & (1 << bits) - 1) + low for shift, bits, low in columns)
                    if len(self._groups) > 1:
                        self._piece_values[first, piece] = known
                values += known
            found = self._watched[key] = tuple(values)
        return found

    def _pieces(self) -> tuple[tuple[int, int, int, int], ...]:
        """The observers in groups of neighbours: (shift, mask, first field, one past the last field) of each."""
        fields = self._tables.fields
        if self._pieces_of is not fields:
            ends = range(len(self._net.places), len(fields.shift), _PIECE)
            pieces = []
            for first in ends:
                last = min(first + _PIECE, len(fields.shift))
                low = min(fields.shift[first:last])
                high = max(s + w for s, w in zip(fields.shift[first:last], fields.width[first:last], strict=True))
                pieces.append((low, (1 << high - low) - 1, first, last))
            self._pieces_of, self._groups = fields, tuple(pieces)
            self._piece_values = {}
        return self._groups

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
        width = max(width, 8 * len(self._conditions))
        chunk, self._stride = max(1, min(_CHUNK, _WORK // width)), max(1, min(_FOUND, _WORK // width))
        try:
            if self._content(0):
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
        except TablesFullError:
            self.stop = self._pump or Stop("bytes", str(self.used_bytes()))
        except KeyboardInterrupt:
            self._mend()
            self.stop = Stop("interrupted", f"{len(self._order)} states")

    def _sweep(self, until: int) -> bool:
        """Expand the states up to that number; True when the pass is over."""
        numbers, order, fan_of, parents = self._numbers, self._order, self._fan_of, self._parents
        offsets, labels, targets = self._offsets, self._labels, self._targets
        fans, after, conditions = self._fans, self._tables.after, self._conditions
        guards, edges, triggers = self._tables.fields.guards, self._keep_edges, self._tables.triggers
        records = self._records | guards
        width, limit, choose = len(self._net.transitions), self._look_at(len(order)), self._choose
        for i in range(self._expanded, until):
            m = order[i]
            fan = fan_of[i]
            before = fan.enabled
            firings = choose(m, before) if choose is not None else fan.firings or self._firings(fan)
            for t, delta, special in firings:
                n = m + delta if special is None else special(m)
                j = numbers.get(n)
                if j is None:
                    if n & guards:
                        self._widen(i)
                        return False
                    j = len(order)
                    if j >= limit or j >= self._enough:
                        if self._is_full(j):
                            if edges:
                                del labels[offsets[i] :], targets[offsets[i] :]
                            return True
                        limit = self._look_at(j)
                    up = n | guards
                    kept, tests, losing = after[t]
                    now = before & kept
                    losing &= before
                    while losing:
                        bit, need, mask, ban, ban_mask = triggers[losing & -losing]
                        if (up - need) & mask == mask and not (ban_mask and (up - ban) & ban_mask):
                            now |= bit
                        losing ^= bit
                    for bit, need, mask, ban, ban_mask in tests:
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

    def _fit(self, widths: Sequence[int]) -> Tables:
        return Tables(self._wiring, layout(widths, self._observers), self._budget.bytes)

    def _compile(self) -> list[tuple[int, Condition]]:
        """The goals not yet seen, as closures for the present layout."""
        return [
            (k, condition(v.goal, self._tables.fields))
            for k, v in enumerate(self._visitors)
            if self._first[k] < 0 and v.goal != FALSE
        ]

    def _fan(self, now: int) -> _Fan:
        known = self._fans.get(now)
        if known is None:
            known = self._fans[now] = _Fan(now)
            self._fan_bytes += _FAN + getsizeof(now)
        return known

    def _firings(self, fan: _Fan) -> tuple[Firing, ...]:
        """What the transitions of the set do, in their order."""
        if fan.firings is None:
            chosen, left, known = [], fan.enabled, self._tables.firings
            while left:
                bit = left & -left
                t = bit.bit_length() - 1
                chosen.append(known.get(t) or self._tables.firing(t))
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
        tables = self._fit([2 * w + 1 for w in old.width[: len(self._net.places)]])
        order = [tables.fields.pack(old.unpack(m)) for m in self._order]
        records = tables.fields.pack(old.unpack(self._records))
        # all at once: an interrupt before or after it finds states and layout that fit each other
        self._tables, self._order, self._records = tables, order, records
        self._numbers.clear()
        self._numbers.update(zip(order, range(len(order)), strict=True))
        for fan in self._fans.values():
            fan.firings = None
        self._fan_bytes = sum(_FAN + getsizeof(now) for now in self._fans)
        self._conditions = self._compile()
        if self._keep_edges:
            del self._labels[self._offsets[expanding] :], self._targets[self._offsets[expanding] :]

    def _look_at(self, count: int) -> int:
        """The number of states at which the budget is looked at next."""
        most = self._budget.states
        return count + self._stride if most is None else min(most, count + self._stride)

    def _is_full(self, count: int) -> bool:
        """Whether no more states than that fit; then says why."""
        if count >= self._enough or (self._budget.states is not None and count >= self._budget.states):
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
        elif self._has_toiled():
            self.stop = self._pump or Stop("states", str(len(self._order)), note=self._effort.note(len(self._order)))
        return self.stop is not None

    def _has_toiled(self) -> bool:
        """Whether the states took more work than as many as the budget allows may take. O(states since last asked)."""
        expanded, found = self._weighed
        self._weighed = self._expanded, len(self._order)
        width, after, none = max(1, len(self._net.transitions)), self._tables.after, (0, (), 0)
        firings = (fan.enabled.bit_count() for fan in self._fan_of[expanded : self._expanded])
        tests = (len(after.get(origin % width, none)[1]) for origin in self._parents[found:])
        goals = len(self._conditions) * (len(self._order) - found)
        self._effort.add(self._tables.fields.guards.bit_length(), firings, tests, goals)
        return self._effort.used_up

    def used_bytes(self) -> int:
        """Estimated memory of the pass; the same on every run of the same search. O(1)."""
        count = len(self._order)
        each = getsizeof(self._order[-1]) + 56  # the integer, its place in two lists, the parent, its number
        return count * each + getsizeof(self._numbers) + self._fan_bytes + self._tables.bytes + 8 * len(self._targets)

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
