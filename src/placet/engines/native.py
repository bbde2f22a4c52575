"""The compiled engine: the frontier engine's search with its inner loops compiled by numba, where that is installed.

Several million edges a second. States have the numbers that the other engines give them, so that traces are the same.
The loops are compiled once for all nets (seconds) and kept on disk; loading them takes half a second, so that small nets are
left to the other engines. Memory is 8 bytes a word and state, up to an eighth more while the rows grow, 6 to 12 for its place in the set of
visited states, 2 bits for the state that it was found from, and 8 for an edge where edges are kept. By which transition is found out again
for those of whom a run is asked.
"""

from __future__ import annotations

from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING

from placet.engines.frontier import Search, asks_dead
from placet.engines.protocol import Stop
from placet.engines.visited import MIX, MOST
from placet.engines.words import WORD, TooWideError, View, rule
from placet.net.firing import fire_state

if TYPE_CHECKING:
    from collections.abc import Sequence, Sized

    import numpy
    from numpy.typing import NDArray

    from placet.engines.packing import Ceilings
    from placet.engines.protocol import Exploration, Progress, Visitor
    from placet.engines.words import Column, Fields, Rule
    from placet.evidence import Budget
    from placet.logic.state import Predicate
    from placet.net.core import Marking, Net
    from placet.net.observer import Observer

_AHEAD = 1 << 17  # states expanded at most before Python looks at them
_EDGES = 1 << 20  # edges written in between
_MARKED, _LOOKED_UP, _COUNTED = 8, 4, 4  # operations for each block of rules, for each word and observer of a successor
_BATCH = 4096  # successors looked up together


def installed() -> bool:
    """Whether the compiler is there."""
    return find_spec("numba") is not None


class Native:
    """The numba engine."""

    name = "native"

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
            search = NativeSearch(net, initial, observers, visitors, budget, progress)
            search.run()
        except TooWideError:
            from placet.engines.reference import Reference

            return Reference().explore(net, initial, observers, visitors, budget, progress)
        return search


class Rows:
    """States numbered from 0 in the order in which they were first offered; what `Visited` is, in rows for the loops."""

    def __init__(self, words: int) -> None:
        import numpy as np

        from placet.engines import kernels

        self._np, self._kernels = np, kernels
        self.count = 0
        self.mix = np.array(MIX, dtype=np.uint64)
        self.rows = np.empty((1024, words), dtype=np.uint64)
        self.table = np.full(4096, -1, dtype=np.int32)
        self.origins = np.zeros(32, dtype=np.uint64)  # 2 bits for a state: see `kernels.expand`

    @property
    def bytes(self) -> int:
        """Memory held."""
        return self.table.nbytes + self.rows.nbytes + self.origins.nbytes

    def room(self, more: int) -> int:
        """Memory that would be held with so many states more, while it is enlarged."""
        space, slots = self._sizes(self.count + more)
        return 8 * self.rows.shape[1] * space + space // 4 + 4 * slots

    def _sizes(self, need: int) -> tuple[int, int]:
        space, slots = len(self.rows), len(self.table)
        while space < need:
            space += space >> 3
        while 2 * slots < 3 * need:
            slots *= 2
        return space, slots

    def columns(self, start: int = 0, end: int | None = None) -> list[Column]:
        """The words of the states with these numbers; views, not copies."""
        part = self.rows[start : self.count if end is None else end]
        return [part[:, w] for w in range(self.rows.shape[1])]

    def add(self, columns: Sequence[Column]) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64]]:
        """Offer states: the number of each, and the positions of those that are new, ascending."""
        np, base = self._np, self.count
        offered = np.ascontiguousarray(np.stack(columns, axis=1))
        self.enlarge(base + len(offered))
        numbers = np.empty(len(offered), dtype=np.int64)
        self.count = int(self._kernels.enter(self.rows, base, self.table, self.mix, offered, numbers))
        new = np.flatnonzero(np.maximum.accumulate(np.concatenate([[base - 1], numbers]))[:-1] < numbers)
        return numbers, new

    def enlarge(self, need: int) -> None:
        """Make room for so many states in all."""
        np = self._np
        space, slots = self._sizes(need)
        if space > len(self.rows):
            self.rows.resize((space, self.rows.shape[1]), refcheck=False)
            self.origins.resize((space >> 5) + 1, refcheck=False)  # with zeros
        if slots > len(self.table):
            del self.table  # before there is a greater one
            self.table = np.full(slots, -1, dtype=np.int32)
            self._kernels.rehash(self.rows, self.count, self.table, self.mix)


class NativeSearch(Search):
    """One pass; when it is over, its result."""

    _seen: Rows  # type: ignore[assignment]

    def __init__(
        self,
        net: Net,
        initial: Marking,
        observers: Sequence[Observer],
        visitors: Sequence[Visitor],
        budget: Budget,
        progress: Progress | None = None,
    ) -> None:
        super().__init__(net, initial, observers, visitors, budget, progress)
        np = self._np
        self.engine = Native.name
        self._ahead = 256
        self._stuck: list[NDArray[numpy.int64]] = []  # the dead states among those expanded
        self._batch = max(64, min(_BATCH, self._words // self._layout.words))
        space = 2 * self._batch + 2 * len(net.transitions)
        space = max(space, min(_EDGES, self._words * 4)) if self._keep_edges else 0
        self._written = (np.empty(space, dtype=np.uint32), np.empty(space, dtype=np.uint32))
        self._ones: tuple[int, NDArray[numpy.int64]] | None = (
            None  # of so many states: by word of `origins`, the bits up to its end
        )
        self._origin: dict[
            int, tuple[int, int]
        ] = {}  # of states that were asked for: from which, and by which transition

    def _visited(self, words: int) -> Rows:  # type: ignore[override]
        return Rows(words)

    def _fit(self, widths: Sequence[int]) -> None:
        super()._fit(widths)
        self._arrays = _arrays(self._net, self._ceilings, self._observers, self._layout)
        words = self._layout.words
        self._trying = words + _MARKED * -(-len(self._net.transitions) // 64)
        self._firing = 1 + _LOOKED_UP * words + _COUNTED * len(self._observers)

    def _stretch(self) -> int:
        return self._ahead  # few at first, so that a first state is told soon

    def _expand(self, start: int, end: int) -> bool:
        from placet.engines import kernels

        np, seen = self._np, self._seen
        limit = MOST if self._budget.states is None else max(1, min(self._budget.states, MOST))
        before = seen.count
        degrees = np.zeros(end - start, dtype=np.int32)
        why, done, count, edges = kernels.expand(
            seen.rows, before, seen.table, seen.mix, start, end, limit, self._batch, *self._arrays,
            seen.origins, self._fired, degrees, self._keep_edges, *self._written,
        )  # fmt: skip
        seen.count = self._named = count
        self._expanded = done
        self._crossed += edges
        self._effort.add(done - start, self._trying)
        self._effort.add(edges, self._firing)
        degrees = degrees[: done - start]
        if self._keep_edges:
            self._degrees.append(degrees)
            self._labels.append(self._written[0][:edges].copy())
            self._targets.append(self._written[1][:edges].copy())
            self._kept += edges
        dead = degrees == 0
        self._stuck.append(np.flatnonzero(dead) + start)
        self._note(start, seen.columns(start, done), self._late, dead)
        if self._found(before):
            return True
        if why == kernels.FULL:
            self.stop = self._pump or Stop("states", str(limit))
        elif why == kernels.OUTGROWN:
            self._widen(self._outgrown(done))
        elif why == kernels.ROOM:
            self._make_room()
        elif self._ahead < _AHEAD:
            self._ahead *= 2
        return self.stop is not None

    def _make_room(self) -> None:
        count = self._seen.count
        least = count + self._batch + len(self._net.transitions)
        need = max(least, count + (count >> 3))
        if not self._over_budget(need - count):
            self._seen.enlarge(need)

    def _widen(self, places: Sequence[int]) -> None:
        old = self._seen
        old.table = old.table[:0]  # its memory is for the new one
        super()._widen(places)
        self._seen.origins[: len(old.origins)] = old.origins[: len(self._seen.origins)]

    def _outgrown(self, number: int) -> list[int]:
        """The places whose fields do not hold what firing puts there in that state."""
        np, rules = self._np, self._rules
        columns = self._seen.columns(number, number + 1)
        lifted = rules.lift(columns)
        crowded: list[int] = []
        labels = []
        for t in range(rules.count):
            on = rules.enabled(t, columns, lifted)
            if on is not None and on[0]:
                labels.append(t)
                crowded += rules.crowded(t, columns, on)
        if crowded:
            return crowded
        return rules.outgrown(rules.fire(columns, np.zeros(len(labels), dtype=np.int64), np.array(labels)))

    def truth(self, predicate: Predicate) -> NDArray[numpy.bool_]:
        """By state number, whether the predicate holds."""
        if not self.complete or not asks_dead(predicate):
            return super().truth(predicate)
        np = self._np
        dead = np.zeros(self.states, dtype=bool)
        dead[np.concatenate(self._stuck)] = True
        found, at = [], 0
        for columns in self.parts():
            part = dead[at : at + len(columns[0])]
            found.append(View(self._rules, columns, dead=part).of(predicate))
            at += len(part)
        whole: NDArray[numpy.bool_] = np.concatenate(found)
        return whole

    def used_bytes(self, more: int = 0) -> int:
        """Estimated memory of the pass, were so many states offered next."""
        work = (24 + 8 * self._layout.words) * (self._batch + len(self._net.transitions)) + 2 * self._written[0].nbytes
        rows = 12 * self._seen.count if self._keep_edges else 0  # degrees, and where the edges of each state begin
        total: int = self._seen.room(more) + 8 * self._kept + rows + self._tables + work
        return total

    def line(self, number: int) -> tuple[list[int], list[int]]:
        """The state numbers from the initial state to this one, and the transitions between them."""
        path, fired = [number], []
        while number:
            number, t = self._came(number)
            fired.append(t)
            path.append(number)
        return path[::-1], fired[::-1]

    def _came(self, number: int) -> tuple[int, int]:
        """From which state a state was found, and by which transition: the first one that leads there."""
        found = self._origin.get(number)
        if found is None:
            parent = self._parent(number)
            before, after = self.state(parent), self.state(number)
            change = tuple((p, b - a) for p, (a, b) in enumerate(zip(before, after, strict=True)) if a != b)
            count = len(self._net.places)
            candidates = self._changing.get(tuple(c for c in change if c[0] < count), ())
            for t in sorted({*candidates, *self._emptying}):
                if fire_state(self._net, self._observers, before, t) == after:
                    found = self._origin[number] = parent, t
                    break
        assert found is not None, "a state that was found is led to"
        return found

    def _parent(self, number: int) -> int:
        """By the bits of all states: that of the n-th stands at n + the number of its parent."""
        np, count = self._np, self._seen.count
        if self._ones is None or self._ones[0] != count:
            ones = np.bitwise_count(self._seen.origins) if hasattr(np, "bitwise_count") else _ones(self._seen.origins)
            self._ones = count, np.cumsum(ones, dtype=np.int64)
        before = self._ones[1]
        word = int(np.searchsorted(before, number))
        left = number - (int(before[word - 1]) if word else 0)
        bits = int(self._seen.origins[word])
        for _ in range(left - 1):
            bits &= bits - 1
        return 64 * word + (bits & -bits).bit_length() - 1 - number

    @cached_property
    def _changing(self) -> dict[tuple[tuple[int, int], ...], list[int]]:
        """By what it changes on which places, the transitions that empty none."""
        net = self._net
        found: dict[tuple[tuple[int, int], ...], list[int]] = {}
        for t, emptied in enumerate(net.reset):
            if not emptied:
                change = dict(net.post[t])
                for p, w in net.pre[t]:
                    change[p] = change.get(p, 0) - w
                found.setdefault(tuple(sorted((p, by) for p, by in change.items() if by)), []).append(t)
        return found

    @cached_property
    def _emptying(self) -> list[int]:
        return [t for t, emptied in enumerate(self._net.reset) if emptied]


def _ones(words: NDArray[numpy.uint64]) -> NDArray[numpy.int64]:
    """By word, how many bits are set: for numpy below 2."""
    import numpy as np

    table = np.array([n.bit_count() for n in range(256)], dtype=np.uint8)
    found: NDArray[numpy.int64] = table[words.view(np.uint8)].reshape(-1, 8).sum(axis=1, dtype=np.int64)
    return found


def _arrays(net: Net, ceilings: Ceilings, observers: Sequence[Observer], layout: Fields) -> tuple[object, ...]:
    """The rules of a net as the loops want them: `names` to `steps` among the arguments of `kernels.expand`."""
    import numpy as np

    rules = [(t, r) for t in range(len(net.transitions)) if (r := rule(net, ceilings, layout, t)) is not None]
    tests = _spread([[*r.tests] for _, r in rules])
    bans = _spread([[*r.bans] for _, r in rules])
    crowds = _spread([[(w, bits, 0) for w, bits in r.grows] for _, r in rules])[:3]
    shape = (len(rules), layout.words)
    delta = np.array([r.delta for _, r in rules], dtype=np.uint64).reshape(shape)
    kept = np.array([r.kept for _, r in rules], dtype=np.uint64).reshape(shape)
    # by transition, of each observer that sees it: (field, where its steps begin)
    watched: list[list[tuple[int, int]]] = [[] for _ in net.transitions]
    steps: list[int] = []
    for n, observer in enumerate(observers):
        index = len(net.places) + n
        low = layout.low[index]
        for t, _ in observer.deltas:
            watched[t].append((index, len(steps)))
            after = [observer.step(stored + low, t) - low for stored in range(1 << layout.width[index])]
            steps += [(a - stored << layout.shift[index]) % (1 << WORD) for stored, a in enumerate(after)]
    rows = [dict.fromkeys(watched[t]) for t, _ in rules]
    flat = [one for row in rows for one in row]
    return (
        np.array([t for t, _ in rules], dtype=np.uint32), *_keys([r for _, r in rules], layout), *tests, *bans, *crowds,
        delta, kept, bool(any(net.reset)), np.array(layout.guards, dtype=np.uint64), _offsets(rows),
        np.array([layout.word[i] for i, _ in flat], dtype=np.int32),
        np.array([layout.shift[i] for i, _ in flat], dtype=np.uint64),
        np.array([(1 << layout.width[i]) - 1 for i, _ in flat], dtype=np.uint64),
        np.array([at for _, at in flat], dtype=np.int64),
        np.array(steps, dtype=np.uint64),
    )  # fmt: skip


def _keys(rules: list[Rule], layout: Fields) -> tuple[object, object, object]:
    """Which rules to ask in a state: (those to ask always, by word the bits of key places, by bit those to ask where it is set).

    The key of a rule is the place of one bit among those it needs that the fewest rules have as their key.
    """
    import numpy as np

    blocks = -(-len(rules) // 64)
    always = np.zeros(blocks, dtype=np.uint64)
    keys = [0] * layout.words
    keyed = np.zeros((64 * layout.words, blocks), dtype=np.uint64)
    load: dict[int, int] = {}
    single = [0] * layout.words
    for p in range(layout.places):
        if layout.width[p] == 1:
            single[layout.word[p]] |= 1 << layout.shift[p]
    for number, one in enumerate(rules):
        block, bit = divmod(number, 64)
        best = -1
        for test in one.tests:
            bits = test.mask & single[test.word]
            while bits:
                at = test.word * 64 + (bits & -bits).bit_length() - 1
                bits &= bits - 1
                if best < 0 or load.get(at, 0) < load.get(best, 0):
                    best = at
        if best < 0:
            always[block] |= np.uint64(1 << bit)
        else:
            load[best] = load.get(best, 0) + 1
            keys[best >> 6] |= 1 << (best & 63)
            keyed[best, block] |= np.uint64(1 << bit)
    return always, np.array(keys, dtype=np.uint64), keyed


def _spread(rows: list[list[tuple[int, int, int]]]) -> tuple[object, object, object, object]:
    """(offsets, words, needs, masks) of the tests of every rule."""
    import numpy as np

    flat = [one for row in rows for one in row]
    return (
        _offsets(rows),
        np.array([word for word, _, _ in flat], dtype=np.int32),
        np.array([need for _, need, _ in flat], dtype=np.uint64),
        np.array([mask for _, _, mask in flat], dtype=np.uint64),
    )


def _offsets(rows: Sequence[Sized]) -> NDArray[numpy.int32]:
    import numpy as np

    return np.cumsum([0, *(len(row) for row in rows)]).astype(np.int32)
