"""Random walks, hundreds at a time: quick witnesses in state spaces of any size, and never a proof.

All walkers take a step together, over packed words with numpy. Half of them choose evenly among the enabled transitions;
the others prefer transitions in an order of their own for a while, which takes them to far corners where even choices
hardly ever go. A walker begins anew where nothing is enabled, and now and then.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from placet.engines.packing import Ceilings, narrowest
from placet.engines.words import Rules, TooWideError, View, fields, repacked

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy
    from numpy.typing import NDArray

    from placet.engines.words import Column, Fields
    from placet.evidence import State
    from placet.logic.state import Predicate
    from placet.net.core import Marking, Net

_WALKERS = 256
_SHORTEST, _LONGEST = 30, 20_000  # steps of a stretch of one preference


class Walk:
    """Walkers over a net without observers, and all that they have seen.

    `found` are the goals that held somewhere, `fired` the transitions that were enabled somewhere, `moved` the places whose
    count was another than initially, `dead` whether some walker got stuck. Raises TooWideError where a weight or an initial
    count needs more than 62 bits.
    """

    def __init__(self, net: Net, initial: Marking, goals: Sequence[Predicate] = (), *, seed: int = 1) -> None:
        import numpy as np

        self._np = np
        self._net, self._initial = net, initial
        self._random = np.random.default_rng(seed)
        self._ceilings = Ceilings(net, initial)
        self.goals = list(goals)
        self.found: set[int] = set()  # numbers of goals
        self.where: dict[int, State] = {}  # by goal, the first state that showed it
        self.dead = False
        self.steps = 0
        self.over = False  # a count outgrew every field: the walk has ended for good
        self._fired = np.zeros(len(net.transitions), dtype=bool)
        self._most = list(initial)
        self._fit(narrowest(net, initial))
        self._columns = self._start(_WALKERS)
        self._order = self._random.random((len(net.transitions), _WALKERS), dtype=np.float32)
        self._left = self._stretches(_WALKERS)
        self._even = np.arange(_WALKERS) % 2 == 0
        self._sums: list[tuple[tuple[int, ...], int]] = []

    def watch(self, places: tuple[int, ...]) -> int:
        """Keep the greatest sum of these places from now on; gives the number to ask `greatest` for."""
        self._sums.append((places, sum(self._initial[p] for p in places)))
        return len(self._sums) - 1

    def greatest(self, number: int) -> int:
        """The greatest sum seen."""
        return self._sums[number][1]

    @property
    def fired(self) -> frozenset[int]:
        """The transitions that were enabled in some state."""
        return frozenset(self._np.flatnonzero(self._fired).tolist())

    @property
    def moved(self) -> frozenset[int]:
        """The places that held something else than initially in some state."""
        layout = self._layout
        changed = [int(c) for c in self._changed]
        return self._moved_before | {p for p in range(layout.places) if changed[layout.word[p]] & layout.ones(p)}

    @property
    def most(self) -> tuple[int, ...]:
        """By place, the most tokens seen."""
        return tuple(self._most)

    def ends(self, count: int) -> list[State]:
        """Where the first walkers stand."""
        layout = self._layout
        return [layout.unpack([int(c[i]) for c in self._columns]) for i in range(min(count, len(self._columns[0])))]

    def run(self, until: float, steps: int = 1 << 60, *, bounds: bool = False) -> None:
        """Walk until that time on the monotonic clock, so many steps of each walker, or until every goal is found.

        With `bounds` the most tokens on each place are kept as well.
        """
        try:
            for _ in range(steps):
                content = self.goals and len(self.found) == len(self.goals) and not self._sums
                if self.over or content or monotonic() > until:
                    return
                self._step(bounds=bounds)
                self.steps += 1
        except TooWideError:
            self.over = True

    def _fit(self, widths: Sequence[int]) -> None:
        np = self._np
        self._moved_before: frozenset[int] = self.moved if hasattr(self, "_changed") else frozenset()
        self._layout: Fields = fields(widths, ())
        self._rules = Rules(self._net, self._ceilings, (), self._layout)
        self._first = np.array(self._layout.pack(self._initial), dtype=np.uint64)
        self._changed = np.zeros(self._layout.words, dtype=np.uint64)

    def _start(self, count: int) -> list[Column]:
        np = self._np
        return [np.full(count, word, dtype=np.uint64) for word in self._first]

    def _stretches(self, count: int) -> NDArray[numpy.int64]:
        span = _LONGEST / _SHORTEST
        return (_SHORTEST * span ** self._random.random(count)).astype(self._np.int64)

    def _step(self, *, bounds: bool) -> None:
        """Look at where the walkers stand, and let each take a step."""
        np, rules = self._np, self._rules
        lifted = rules.lift(self._columns)
        width = len(self._columns[0])
        enabled = np.zeros((rules.count, width), dtype=bool)
        crowded: list[int] = []
        for t in range(rules.count):
            on = rules.enabled(t, self._columns, lifted)
            if on is not None and on.any():
                enabled[t] = on
                self._fired[t] = True
                crowded += rules.crowded(t, self._columns, on)
        self._look(enabled, bounds=bounds)
        if crowded:
            self._widen(crowded)
            return
        alive = enabled.any(axis=0) if rules.count else np.zeros(width, dtype=bool)
        if not alive.all():
            self.dead = True
        if alive.any():
            chosen = self._choose(enabled)
            going = np.flatnonzero(alive)
            after = rules.fire(self._columns, going, chosen[going])
            outgrown = rules.outgrown(after)
            if outgrown:
                self._widen(outgrown)
                return
            for mine, new in zip(self._columns, after, strict=True):
                mine[going] = new
        self._left -= 1
        self._renew(~alive)

    def _choose(self, enabled: NDArray[numpy.bool_]) -> NDArray[numpy.int64]:
        """A transition for each walker, one of its enabled ones where it has any."""
        np = self._np
        even = self._random.random(enabled.shape[1]) < np.where(self._even, 1.0, 0.1)
        chosen = np.argmax(enabled * self._order, axis=0)
        some = np.flatnonzero(even)
        if len(some):
            rank = np.cumsum(enabled[:, some], axis=0, dtype=np.int32)
            pick = (self._random.random(len(some)) * rank[-1]).astype(np.int32)
            chosen[some] = np.argmax(rank > pick, axis=0)
        picked: NDArray[numpy.int64] = chosen
        return picked

    def _renew(self, stuck: NDArray[numpy.bool_]) -> None:
        """New preferences after a stretch; now and then, and where a walker is stuck, from the beginning."""
        np = self._np
        over = np.flatnonzero(stuck | (self._left <= 0))
        if len(over):
            self._order[:, over] = self._random.random((self._order.shape[0], len(over)), dtype=np.float32)
            self._left[over] = self._stretches(len(over))
            again = over[stuck[over] | (self._random.random(len(over)) < 0.5)]
            for mine, word in zip(self._columns, self._first, strict=True):
                mine[again] = word

    def _look(self, enabled: NDArray[numpy.bool_], *, bounds: bool) -> None:
        np = self._np
        for w, column in enumerate(self._columns):
            self._changed[w] |= np.bitwise_or.reduce(column ^ self._first[w])
        if len(self.found) < len(self.goals):
            view = View(self._rules, self._columns, enabled)
            for k, goal in enumerate(self.goals):
                if k not in self.found:
                    held = view.of(goal)
                    at = int(held.argmax())
                    if held[at]:
                        self.found.add(k)
                        self.where[k] = self._layout.unpack([int(c[at]) for c in self._columns])
        if bounds:
            for p in range(self._layout.places):
                self._most[p] = max(self._most[p], int(self._layout.values(self._columns, p).max()))
        for number, (places, most) in enumerate(self._sums):
            total = np.zeros(len(self._columns[0]), dtype=np.int64)
            for p in places:
                total += self._layout.values(self._columns, p)
            self._sums[number] = (places, max(most, int(total.max())))

    def _widen(self, places: Sequence[int]) -> None:
        old, columns = self._layout, self._columns
        widths = list(old.width)
        for p in set(places):
            widths[p] = 2 * widths[p] + 1
        self._fit(widths)
        self._columns = repacked(old, self._layout, columns)
