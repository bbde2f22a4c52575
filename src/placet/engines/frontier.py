"""The frontier engine: breadth-first search over packed words, thousands of states at a time, with numpy.

About 0.5-2 million edges a second whatever the net; it costs a tenth of a second to start, and a fraction of a
millisecond for every thousand states of a thin search, so that small nets are left to the reference engine. States are
numbered as the reference engine numbers them, so that traces and first states are the same. Memory is 8 bytes a word and
state, 16 for its place in the set of visited states, 8 for parent and transition, and 8 for an edge where edges are kept.

One module, though a long one: the arrays of one search, which grow, are widened and are looked up together.
"""

from __future__ import annotations

from array import array
from time import monotonic
from typing import TYPE_CHECKING

from placet.engines.effort import Columns
from placet.engines.packing import Ceilings, narrowest
from placet.engines.protocol import Needs, Stop
from placet.engines.pumping import Pumping
from placet.engines.visited import MOST, Visited
from placet.engines.words import Rules, TooWideError, View, fields, repacked
from placet.logic.state import And, Dead, Not, Or

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy
    from numpy.typing import NDArray

    from placet.engines.protocol import Exploration, Progress, Visitor
    from placet.engines.words import Column, Fields
    from placet.evidence import Budget, State, Trace
    from placet.logic.state import Predicate
    from placet.net.core import Marking, Net
    from placet.net.observer import Observer

_CHUNK = 16_384  # states expanded at a time
_CELLS = 1_500_000  # at most so many states times transitions
_BATCH = 1_000_000  # words of successors made at a time
_LAST = 50_000_000  # states times transitions that are looked at once more, of those that were found and not expanded
_FIRED, _LOOKED_UP, _COUNTED = 10, 8, 6  # operations of a successor, and for each word and observer of it
_MORE = 2000  # states after the net is known to be unbounded, where goals are still open


class Frontier:
    """The numpy engine."""

    name = "frontier"

    def explore(
        self,
        net: Net,
        initial: Marking,
        observers: Sequence[Observer],
        visitors: Sequence[Visitor],
        budget: Budget,
        progress: Progress | None = None,
    ) -> Exploration:
        """Explore from `initial`; see the protocol. Where a count needs more than 62 bits the reference engine does it."""
        try:
            search = Search(net, initial, observers, visitors, budget, progress)
            search.run()
        except TooWideError:
            from placet.engines.reference import Reference

            return Reference().explore(net, initial, observers, visitors, budget, progress)
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
        progress: Progress | None = None,
    ) -> None:
        import numpy as np

        self._np = np
        self.engine = Frontier.name
        self.stop: Stop | None = None
        self.complete = False
        self._net, self._initial, self._observers = net, initial, tuple(observers)
        self._visitors, self._budget, self._progress = tuple(visitors), budget, progress
        self._first = [-1] * len(self._visitors)
        self._late = [k for k, v in enumerate(self._visitors) if asks_dead(v.goal)]
        self._early = [k for k, v in enumerate(self._visitors) if k not in self._late]
        self._keep_edges = any(v.needs is Needs.EDGES for v in visitors)
        self._whole = not visitors or any(v.needs is not Needs.FIRST for v in visitors)
        self._begun = monotonic()
        self._effort = Columns(budget.states)
        self._ceilings = Ceilings(net, initial)
        room = 1 << 62 if budget.bytes is None else budget.bytes
        self._cells = min(_CELLS, room >> 4)  # work space in proportion to the budget
        self._words = min(_BATCH, room >> 7)
        self._fit(narrowest(net, initial))
        start = (*initial, *(o.initial for o in self._observers))
        self._seen = self._visited(self._layout.words)
        self._seen.add(self._columns_of(start))
        self._parents: list[NDArray[numpy.int32]] = [np.array([-1], dtype=np.int32)]
        self._fired_by: list[NDArray[numpy.uint32]] = [np.array([0], dtype=np.uint32)]
        self._named = 1  # states with a parent entered
        self._degrees: list[NDArray[numpy.integer]] = []
        self._labels: list[NDArray[numpy.uint32]] = []
        self._targets: list[NDArray[numpy.uint32]] = []
        self._crossed = self._kept = 0
        self._fired = np.zeros(len(net.transitions), dtype=bool)
        self._expanded = 0
        self._pumping = Pumping(net, initial)
        self._pump: Stop | None = None
        self._enough = 1 << 62
        self._grown: list[tuple[int, int]] = []  # (place, what it could hold before)

    def _fit(self, widths: Sequence[int]) -> None:
        self._layout: Fields = fields(widths, self._observers)
        watched = sum(8 << self._layout.width[i] for i in range(self._layout.places, len(self._layout.width)))
        cost = len(self._net.transitions) * (16 * self._layout.words + 1200 + watched)
        if self._budget.bytes is not None and cost > self._budget.bytes:
            raise TooWideError  # the tables alone: the reference engine makes them row by row
        self._tables = cost
        self._rules = Rules(self._net, self._ceilings, self._observers, self._layout)
        count = self._rules.count
        self._trying = sum(
            1 + self._rules.cost(t) for t in range(count)
        )  # operations: which transitions a state enables
        self._firing = _FIRED + _LOOKED_UP * self._layout.words + _COUNTED * len(self._observers)  # and each successor
        self._goals = [self._rules.size(v.goal) for v in self._visitors]

    def _visited(self, words: int) -> Visited:
        return Visited(words)

    def _columns_of(self, state: Sequence[int]) -> list[Column]:
        return [self._np.array([w], dtype=self._np.uint64) for w in self._layout.pack(state)]

    # -- the search --------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Explore until the end, until all visitors are content, or until the budget is used up."""
        np = self._np
        try:
            self._look(0, self._early)
            if self._content():
                return
            while self._expanded < self._seen.count:
                if self._over_budget():
                    break
                if self._expand(self._expanded, self._expanded + self._stretch()) or self.stop is not None:
                    break
                if 0 < self._expanded < self._seen.count and self._progress is not None:
                    self._progress(self._seen.count, self._seen.count - self._expanded)
            else:
                self.complete = True
        except KeyboardInterrupt:
            self._seen.count = min(self._seen.count, self._named)
            self.stop = Stop("interrupted", f"{self._seen.count} states")
        self._finish()
        self._offsets = np.concatenate(
            [
                np.zeros(1, dtype=np.int64),
                np.cumsum(np.concatenate([*self._degrees, np.zeros(0, np.int32)]), dtype=np.int64),
            ]
        )

    def _stretch(self) -> int:
        """How many states to expand next."""
        most = max(1, self._cells // max(1, len(self._net.transitions)))
        return min(_CHUNK, most, self._seen.count - self._expanded)

    def _finish(self) -> None:
        """What is only known once a state is expanded, for the states that were not.

        Where the net is so wide that a few states lead to all the others, for the first ones of these only.
        """
        count = max(1, len(self._net.transitions))
        step = max(1, self._cells // count)
        last = min(self._seen.count, self._expanded + max(self._expanded, _LAST // count))
        for start in range(self._expanded, last, step):
            columns = self._seen.columns(start, min(last, start + step))
            lifted = self._rules.lift(columns)
            for t in range(len(self._net.transitions)):
                if not self._fired[t]:
                    on = self._rules.enabled(t, columns, lifted)
                    self._fired[t] = on is not None and bool(on.any())
            self._note(start, columns, self._late)

    def _expand(self, start: int, end: int) -> bool:
        """Expand these states; True when the pass is over. Nothing is kept of a chunk in which a count outgrew its field."""
        np, rules, seen = self._np, self._rules, self._seen
        columns = seen.columns(start, end)
        self._effort.add(end - start, self._trying)
        lifted = rules.lift(columns)
        enabled = np.zeros((rules.count, end - start), dtype=bool)
        crowded: list[int] = []
        for t in range(rules.count):
            on = rules.enabled(t, columns, lifted)
            if on is not None and on.any():
                enabled[t] = on
                self._fired[t] = True
                crowded += rules.crowded(t, columns, on)
        if crowded:
            self._widen(crowded)
            return False
        self._note(start, columns, self._late)
        if self._content():
            return True
        labels, sources = self._edges(enabled)
        del enabled
        room = max(64, self._words // len(columns))
        targets = []
        for at in range(0, len(labels), room):
            part = slice(at, at + room)
            self._effort.add(len(labels[part]), self._firing)
            after = rules.fire(seen.columns(start, end), sources[part], labels[part])
            outgrown = rules.outgrown(after)
            if outgrown:
                self._widen(outgrown)
                return False
            if self._over_budget(len(after[0])):
                return True
            before = seen.count
            numbers, new = seen.add(after)
            self._parents.append((sources[part][new] + start).astype(np.int32))
            self._fired_by.append(labels[part][new].astype(np.uint32))
            self._named = seen.count
            if self._found(before):
                return True
            if self._keep_edges:
                targets.append(numbers.astype(np.uint32))
        self._expanded = end
        self._crossed += len(labels)
        if self._keep_edges:
            self._degrees.append(np.bincount(sources, minlength=end - start).astype(np.int64))
            self._labels.append(labels.astype(np.uint32))
            self._targets += targets
            self._kept += len(labels)
        return False

    def _edges(self, enabled: NDArray[numpy.bool_]) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64]]:
        """(transition, source in the chunk) of every edge, by source and then by transition."""
        np = self._np
        flat = np.flatnonzero(enabled)
        labels, sources = np.divmod(flat, enabled.shape[1])
        order = np.argsort(sources.astype(np.uint16), kind="stable")  # 16 bits are sorted in linear time
        return labels[order], sources[order]

    def _found(self, before: int) -> bool:
        """Look at the states from that number on; True when the pass is over."""
        limit = MOST if self._budget.states is None else max(1, min(self._budget.states, MOST))
        if self._seen.count > limit:
            self._seen.count = self._named = limit
            self.stop = self._pump or Stop("states", str(self._seen.count))
        self._look(before, self._early)
        if self._content():
            self.stop = None
            return True
        if self._grown and self._pump is None:
            self._look_for_growth(before)
        if self._seen.count >= self._enough:
            self.stop = self._pump
        return self.stop is not None

    def _look(self, start: int, visitors: Sequence[int]) -> None:
        if start < self._seen.count:
            self._note(start, self._seen.columns(start), visitors)

    def _note(
        self, start: int, columns: Sequence[Column], visitors: Sequence[int], dead: NDArray[numpy.bool_] | None = None
    ) -> None:
        """Enter the first of these states in which the goals hold that were not met before."""
        view = View(self._rules, columns, dead=dead) if visitors else None
        for k in visitors:
            goal = self._visitors[k].goal
            if self._first[k] < 0 and not (isinstance(goal, Or) and not goal.of):
                assert view is not None
                self._effort.add(len(columns[0]), self._goals[k])
                held = view.of(goal)
                at = int(held.argmax()) if len(held) else 0
                if len(held) and held[at]:
                    self._first[k] = start + at

    def _content(self) -> bool:
        return not self._whole and all(n >= 0 for n in self._first)

    def _look_for_growth(self, before: int) -> None:
        """Some place holds more than it ever could: see whether it can grow for ever."""
        np = self._np
        columns = self._seen.columns(before)
        for place, most in list(self._grown):
            more = np.flatnonzero(self._layout.values(columns, place) > most)
            if len(more):
                self._grown.remove((place, most))
                number = before + int(more[0])
                pump = self._pumping.look(self, number)
                if pump is not None:
                    self._pump = Stop("unbounded", str(number + 1), *pump)
                    waiting = any(
                        n < 0 and not (isinstance(v.goal, Or) and not v.goal.of)
                        for n, v in zip(self._first, self._visitors, strict=True)
                    )
                    self._enough = max(2 * number, number + _MORE) if waiting else 0
                    return

    def _widen(self, places: Sequence[int]) -> None:
        """Give these places wider fields and pack every state anew; the numbers stay."""
        old, seen = self._layout, self._seen
        widths = list(old.width[: old.places])
        for p in set(places):
            self._grown.append((p, (1 << widths[p]) - 1))
            widths[p] = 2 * widths[p] + 1
        self._fit(widths)
        made = self._visited(self._layout.words)
        step = 1 << 16
        for start in range(0, seen.count, step):
            columns = seen.columns(start, min(seen.count, start + step))
            made.add(repacked(old, self._layout, columns))
        assert made.count == seen.count, "different states stay different"
        self._seen = made

    def _over_budget(self, more: int = 0) -> bool:
        """Whether the memory, the time or the work is used up, with so many states offered; then says so."""
        budget = self._budget
        if self._effort.used_up:
            count = self._seen.count
            self.stop = self._pump or Stop("states", str(count), note=self._effort.note(count))
        if budget.bytes is not None and self.stop is None:
            used = self.used_bytes(more)
            if used > budget.bytes:
                self.stop = self._pump or Stop("bytes", str(used))
        if budget.seconds is not None and self.stop is None:
            passed = monotonic() - self._begun
            if passed > budget.seconds:
                self.stop = self._pump or Stop("seconds", f"{passed:.1f}")
        return self.stop is not None

    def used_bytes(self, more: int = 0) -> int:
        """Estimated memory of the pass, were so many states offered next."""
        work = (72 + 24 * self._layout.words) * more
        return self._seen.room(more) + 8 * self._seen.count + 8 * self._kept + self._tables + work

    # -- what an exploration gives -----------------------------------------------------------------------------------

    @property
    def states(self) -> int:
        """How many states were found."""
        return self._seen.count

    @property
    def expanded(self) -> int:
        """How many states, from number 0 on, have all their edges crossed."""
        return self._expanded

    @property
    def edges(self) -> int:
        """How many edges were crossed."""
        return self._crossed

    @property
    def found(self) -> tuple[int, ...]:
        """By visitor, the first state with its goal, or -1."""
        return tuple(self._first)

    @property
    def fired(self) -> frozenset[int]:
        """The transitions enabled in some state that was found."""
        return frozenset(self._np.flatnonzero(self._fired).tolist())

    @property
    def bounds(self) -> tuple[int, ...]:
        """By place, the most tokens seen. O(words * states), and O(states) for each place that held more than one."""
        np, layout = self._np, self._layout
        ever = [0] * layout.words
        for columns in self.parts():
            for w, column in enumerate(columns):
                ever[w] |= int(np.bitwise_or.reduce(column))
        most = [ever[layout.word[p]] >> layout.shift[p] & (1 << layout.width[p]) - 1 for p in range(layout.places)]
        several = [p for p in range(layout.places) if most[p] > 1]
        for p in several:
            most[p] = max(int(layout.values(columns, p).max()) for columns in self.parts())
        return tuple(most)

    def parts(self, step: int = 1 << 17) -> list[list[Column]]:
        """All states, as columns of so many states each."""
        return [self._seen.columns(s, min(self._seen.count, s + step)) for s in range(0, self._seen.count, step)]

    @property
    def most_in_marking(self) -> int:
        """The most tokens in any marking seen."""
        layout, most = self._layout, 0
        for columns in self.parts():
            if sum(1 << w for w in layout.width[: layout.places]) >> 62:
                most = max(most, *(sum(layout.unpack(one)[: layout.places]) for one in zip(*columns, strict=True)))
            else:
                total = self._np.zeros(len(columns[0]), dtype=self._np.int64)
                for w, column in enumerate(columns):
                    total += self._bits(column & self._np.uint64(self._single(w)))
                for p in range(layout.places):
                    if layout.width[p] > 1:
                        total += layout.values(columns, p)
                most = max(most, int(total.max()))
        return most

    def _single(self, word: int) -> int:
        """The bits of a word that are places of one bit."""
        layout = self._layout
        return sum(
            1 << layout.shift[p] for p in range(layout.places) if layout.width[p] == 1 and layout.word[p] == word
        )

    def _bits(self, column: Column) -> NDArray[numpy.int64]:
        """How many bits are set in each word."""
        np = self._np
        if hasattr(np, "bitwise_count"):
            counted: NDArray[numpy.int64] = np.bitwise_count(column).astype(np.int64)
            return counted
        found: NDArray[numpy.int64] = np.zeros(len(column), dtype=np.int64)
        for shift in range(64):
            found += ((column >> np.uint64(shift)) & np.uint64(1)).astype(np.int64)
        return found

    @property
    def moved(self) -> frozenset[int]:
        """The places that held something else than initially in some state seen."""
        np = self._np
        first = [c[0] for c in self._seen.columns(0, 1)]
        changed = [0] * len(first)
        for columns in self.parts():
            for w, column in enumerate(columns):
                changed[w] |= int(np.bitwise_or.reduce(column ^ first[w]))
        layout = self._layout
        return frozenset(p for p in range(layout.places) if changed[layout.word[p]] & layout.ones(p))

    def greatest(self, terms: Sequence[tuple[int, int]]) -> int:
        """The greatest `sum(coefficient * tokens)` in any state seen; the sum must fit 62 bits."""
        most = None
        for columns in self.parts():
            total = self._np.zeros(len(columns[0]), dtype=self._np.int64)
            for p, c in terms:
                total += self._layout.values(columns, p) * c
            most = int(total.max()) if most is None else max(most, int(total.max()))
        return most or 0

    def state(self, index: int) -> State:
        """The state of that number."""
        return self._layout.unpack([int(c[0]) for c in self._seen.columns(index, index + 1)])

    def observed(self, index: int) -> tuple[int, ...]:
        """The values of the observers in the state of that number."""
        layout = self._layout
        words = [int(c[0]) for c in self._seen.columns(index, index + 1)]
        return tuple(
            (words[layout.word[i]] >> layout.shift[i] & (1 << layout.width[i]) - 1) + layout.low[i]
            for i in range(layout.places, len(layout.width))
        )

    def trace(self, index: int) -> Trace:
        """A shortest firing sequence to the state of that number."""
        return tuple(self.line(index)[1])

    def line(self, number: int) -> tuple[list[int], list[int]]:
        """The state numbers from the initial state to this one, and the transitions between them."""
        np = self._np
        if len(self._parents) > 1:
            self._parents = [np.concatenate(self._parents)]
            self._fired_by = [np.concatenate(self._fired_by)]
        parents, fired_by = self._parents[0], self._fired_by[0]
        path, fired = [number], []
        while number:
            fired.append(int(fired_by[number]))
            number = int(parents[number])
            path.append(number)
        return path[::-1], fired[::-1]

    def covers(self, greater: int, less: int) -> bool:
        """Whether the one state has at least the other's tokens everywhere (observers are not looked at)."""
        width = self._layout.places
        return all(a >= b for a, b in zip(self.state(greater)[:width], self.state(less)[:width], strict=True))

    def successors(self, index: int) -> Sequence[tuple[int, int]]:
        """(transition, state number) for every edge out of a state."""
        offsets, labels, targets = self.arrays()
        if index >= len(offsets) - 1:
            return ()
        low, high = int(offsets[index]), int(offsets[index + 1])
        return tuple(zip(labels[low:high].tolist(), targets[low:high].tolist(), strict=True))

    def arrays(self) -> tuple[NDArray[numpy.int64], NDArray[numpy.uint32], NDArray[numpy.uint32]]:
        """The edges as numpy arrays (offsets, transitions, targets); see `graph`."""
        np = self._np
        if len(self._labels) != 1 or len(self._targets) != 1:
            self._labels = [np.concatenate([*self._labels, np.zeros(0, np.uint32)])]
            self._targets = [np.concatenate([*self._targets, np.zeros(0, np.uint32)])]
        return self._offsets, self._labels[0], self._targets[0]

    def graph(self) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
        """All edges at once: those of state i are at `offsets[i] .. offsets[i + 1] - 1` of (offsets, transitions, targets)."""
        offsets, labels, targets = self.arrays()
        return array("q", offsets.tobytes()), array("I", labels.tobytes()), array("I", targets.tobytes())

    def truth(self, predicate: Predicate) -> NDArray[numpy.bool_]:
        """By state number, whether the predicate holds."""
        return self._np.concatenate([self._rules.holds(predicate, columns) for columns in self.parts()])

    def holds(self, visitor: int) -> Sequence[int]:
        """By state number, 1 where the goal of that visitor holds and 0 elsewhere."""
        return self.truth(self._visitors[visitor].goal).tobytes()


def asks_dead(predicate: Predicate) -> bool:
    """Whether the truth of the predicate depends on what is enabled."""
    match predicate:
        case Dead():
            return True
        case Not(of):
            return asks_dead(of)
        case And(parts) | Or(parts):
            return any(asks_dead(p) for p in parts)
    return False
