"""The transitions of a net as chains of local effects, one for each level that they look at or change.

Every condition and every change of a transition concerns one place, so that a transition is the conjunction of what it
does at each level: a partial function from local states to local states. Chains with the same lower part share it, and
what was computed for it. Local states are numbered as they are met (G. Ciardo, R. Marmorstein, R. Siminiceanu (2003),
"Saturation unbound", TACAS): no bound on the places is needed beforehand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.net.core import Marking, Net
    from placet.net.observer import Observer

UNKNOWN = -2
NEVER = -1

Slot = tuple[int, int, int, int, int, int, int]


class Effect(NamedTuple):
    """What a transition does to the local states of one level; by position in it, one row for each slot it concerns.

    A row is (position, least, less than, emptied, change, lowest, highest): enabled where the value is at least `least` and under
    `less than`, and where afterwards it is at most `highest`; for an observer, `less than` is 0 and the value afterwards is clamped.
    """

    level: int
    rows: tuple[Slot, ...]

    def apply(self, state: tuple[int, ...]) -> tuple[int, ...] | None:
        """The local state after the transition, or None where it is not enabled there."""
        after = list(state)
        for position, least, under, emptied, change, lowest, highest in self.rows:
            value = after[position]
            if not under:
                after[position] = min(highest, max(lowest, value + change))
                continue
            if value < least or value >= under:
                return None
            value = change if emptied else value + change
            if value > highest:
                return None
            after[position] = value
        return tuple(after)


MANY = 1 << 300


class Relation:
    """A net and its observers over levels of slots (places, then observers); `levels[0]` is the lowest, level 1.

    Places that nothing changes need not stand in any level.
    """

    def __init__(
        self, net: Net, initial: Marking, levels: Sequence[Sequence[int]], observers: Sequence[Observer] = ()
    ) -> None:
        self.net, self.observers = net, tuple(observers)
        self.start = (*initial, *(o.initial for o in observers))
        self.levels = ((), *(tuple(level) for level in levels))
        self.height = len(levels)
        self.where: dict[int, tuple[int, int]] = {
            slot: (k, position) for k, level in enumerate(self.levels) for position, slot in enumerate(level)
        }
        self.states: list[list[tuple[int, ...]]] = [[] for _ in self.levels]  # by level, the local states met
        self._numbers: list[dict[tuple[int, ...], int]] = [{} for _ in self.levels]
        self.effects: list[Effect] = []
        self.after: list[list[int]] = []  # by effect and local state: the next one, NEVER or UNKNOWN
        self._effects_at: list[list[int]] = [[] for _ in self.levels]
        self._effect_numbers: dict[Effect, int] = {}
        self.chains: list[tuple[int, int, int]] = []  # (level, effect, the chain below or -1)
        self._chain_numbers: dict[tuple[int, int, int], int] = {}
        self.idle: list[int] = []  # transitions that are always enabled and change nothing
        self.chain_of: dict[int, int] = {}  # by transition that may be enabled at all and is not idle
        self.heads: list[dict[int, None]] = [{} for _ in self.levels]  # chains that begin at the level
        self._over = [p for p, most in net.capacity if initial[p] > most]
        self._most = dict(net.capacity)
        self._counted: dict[int, list[tuple[int, int]]] = {}
        for o, observer in enumerate(self.observers):
            for t, delta in dict(reversed(observer.deltas)).items():
                self._counted.setdefault(t, []).append((len(initial) + o, delta))
        for t in range(len(net.transitions)):
            self._enter(t)
        for k in range(1, self.height + 1):
            self.number(k, tuple(self.start[slot] for slot in self.levels[k]))

    def _enter(self, t: int) -> None:
        by_level: dict[int, list[Slot]] = {}
        for slot, row in self._rows(t).items():
            least, under, emptied, change, lowest, highest = row
            at = self.where.get(slot)
            if at is None:
                value = self.start[slot]
                after = change if emptied else value + change
                if under and (value < least or value >= under or after > highest):
                    return
                if after != value:
                    raise ValueError("a place that changes stands in no level")
            else:
                by_level.setdefault(at[0], []).append((at[1], least, under, emptied, change, lowest, highest))
        chain = -1
        for k in sorted(by_level):
            chain = self._chain(k, self._effect(Effect(k, tuple(sorted(by_level[k])))), chain)
        if chain < 0:
            self.idle.append(t)
            return
        self.chain_of[t] = chain
        self.heads[self.chains[chain][0]][chain] = None

    def _rows(self, t: int) -> dict[int, tuple[int, int, int, int, int, int]]:
        """By slot that the transition concerns: least, less than, emptied, change, lowest, highest."""
        net = self.net
        pre, post, emptied = dict(net.pre[t]), dict(net.post[t]), frozenset(net.reset[t])
        read, inhibit = dict(net.read[t]), dict(net.inhibit[t])
        rows = {}
        for p in {**pre, **post, **read, **inhibit, **dict.fromkeys(emptied), **dict.fromkeys(self._over)}:
            gone = p in emptied
            change = post.get(p, 0) - (0 if gone else pre.get(p, 0))
            checked = change > 0 or p in self._over
            highest = self._most.get(p, MANY) if checked else MANY
            least = max(pre.get(p, 0), read.get(p, 0))
            rows[p] = (least, inhibit.get(p, MANY), int(gone), change, 0, highest)
        for slot, delta in self._counted.get(t, ()):
            observer = self.observers[slot - len(net.places)]
            rows[slot] = (0, 0, 0, delta, observer.low, observer.high)
        return rows

    def _effect(self, effect: Effect) -> int:
        found = self._effect_numbers.get(effect)
        if found is None:
            found = self._effect_numbers[effect] = len(self.effects)
            self.effects.append(effect)
            self.after.append([UNKNOWN] * len(self.states[effect.level]))
            self._effects_at[effect.level].append(found)
        return found

    def _chain(self, level: int, effect: int, below: int) -> int:
        key = (level, effect, below)
        found = self._chain_numbers.get(key)
        if found is None:
            found = self._chain_numbers[key] = len(self.chains)
            self.chains.append(key)
        return found

    def number(self, level: int, state: tuple[int, ...]) -> int:
        """The number of a local state, a new one where it was not met before."""
        numbers = self._numbers[level]
        found = numbers.get(state)
        if found is None:
            found = numbers[state] = len(numbers)
            self.states[level].append(state)
            for effect in self._effects_at[level]:
                self.after[effect].append(UNKNOWN)
        return found

    def next(self, effect: int, index: int) -> int:
        """The local state after the effect, or NEVER."""
        found = self.after[effect][index]
        if found == UNKNOWN:
            one = self.effects[effect]
            after = one.apply(self.states[one.level][index])
            found = NEVER if after is None else self.number(one.level, after)
            self.after[effect][index] = found
        return found

    def local(self, state: Sequence[int]) -> list[int] | None:
        """The local states of a state of the net, lowest level first; None where one was never met."""
        made = []
        for k in range(1, self.height + 1):
            index = self._numbers[k].get(tuple(state[slot] for slot in self.levels[k]))
            if index is None:
                return None
            made.append(index)
        return made

    def whole(self, indices: Sequence[int]) -> tuple[int, ...]:
        """The state of the net with these local states."""
        state = list(self.start)
        for k in range(1, self.height + 1):
            for slot, value in zip(self.levels[k], self.states[k][indices[k - 1]], strict=True):
                state[slot] = value
        return tuple(state)
