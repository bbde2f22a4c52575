"""States packed into 64-bit words, many at a time: the layout, and transitions and predicates over columns of words.

A column is an array with one word of every state. A place that holds at most one token is a single bit; any other place
is a counter with a guard bit above it, as in `packing`. With H the guards of a word, `((m | H) - B) & A == A` says for
all states at once whether every field in A holds what B asks for. Bits have no guard: a transition that would put a
second token on one is found by a test of its own, so that no overflow goes unseen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.logic.state import And, Dead, Fireable, Linear, Not, Or
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy
    from numpy.typing import NDArray

    from placet.engines.packing import Ceilings
    from placet.logic.state import Predicate
    from placet.net.core import Net
    from placet.net.observer import Observer

    Column = NDArray[numpy.uint64]
    Truth = NDArray[numpy.bool_]

WORD = 64
_TERM = 4  # operations of one term of a goal: shift, mask, convert, add
WIDEST = 62  # bits of a counter: with its guard it fits a word


class TooWideError(Exception):
    """A count outgrew a word; never leaves this room."""


class Fields(NamedTuple):
    """Where each field lies: places first, then observers (stored minus `low`)."""

    word: tuple[int, ...]
    shift: tuple[int, ...]
    width: tuple[int, ...]  # bits without the guard
    low: tuple[int, ...]
    guards: tuple[int, ...]  # by word: the guard bits
    places: int

    @property
    def words(self) -> int:
        """Words of a state."""
        return len(self.guards)

    def ones(self, index: int) -> int:
        """All ones in the field."""
        return (1 << self.width[index]) - 1 << self.shift[index]

    def guarded(self, index: int) -> bool:
        """Whether the field has a guard bit."""
        return index < self.places and self.width[index] > 1

    def pack(self, state: Sequence[int]) -> list[int]:
        """The words of a state; every value must fit its field."""
        words = [0] * self.words
        for i, value in enumerate(state):
            words[self.word[i]] |= (value - self.low[i]) << self.shift[i]
        return words

    def unpack(self, words: Sequence[int]) -> tuple[int, ...]:
        """The state of its words."""
        return tuple(
            (int(words[w]) >> shift & (1 << width) - 1) + low
            for w, shift, width, low in zip(self.word, self.shift, self.width, self.low, strict=True)
        )

    def values(self, columns: Sequence[Column], index: int) -> NDArray[numpy.int64]:
        """The value of one field in every state."""
        import numpy as np

        column = columns[self.word[index]] >> np.uint64(self.shift[index])
        found = (column & np.uint64((1 << self.width[index]) - 1)).astype(np.int64)
        return found + self.low[index] if self.low[index] else found


def fields(widths: Sequence[int], observers: Sequence[Observer]) -> Fields:
    """The layout with that many bits for each place; observers get what their range needs.

    Raises TooWideError where a place needs more than `WIDEST` bits.
    """
    ranges = [(min(o.low, o.initial), max(o.high, o.initial)) for o in observers]
    all_widths = [*widths, *(max(1, (high - low).bit_length()) for low, high in ranges)]
    word, shift, guards = [], [], [0]
    at = 0
    for i, width in enumerate(all_widths):
        if width > WIDEST:
            raise TooWideError
        guard = i < len(widths) and width > 1
        if at + width + guard > WORD:
            guards.append(0)
            at = 0
        word.append(len(guards) - 1)
        shift.append(at)
        at += width + guard
        if guard:
            guards[-1] |= 1 << at - 1
    low = (0,) * len(widths) + tuple(low for low, _ in ranges)
    return Fields(tuple(word), tuple(shift), tuple(all_widths), low, tuple(guards), len(widths))


def repacked(old: Fields, new: Fields, columns: Sequence[Column]) -> list[Column]:
    """The same states in another layout, whose fields are no narrower."""
    import numpy as np

    made = [np.zeros(len(columns[0]), dtype=np.uint64) for _ in range(new.words)]
    for i in range(len(new.width)):
        field = columns[old.word[i]] >> np.uint64(old.shift[i]) & np.uint64((1 << old.width[i]) - 1)
        made[new.word[i]] |= field << np.uint64(new.shift[i])
    return made


class Test(NamedTuple):
    """What one word must show: `((m | guards) - need) & mask == mask`, without the subtraction where `need` is 0."""

    word: int
    need: int
    mask: int


class Rule(NamedTuple):
    """A transition: enabled where all tests succeed and all bans fail."""

    tests: tuple[Test, ...]
    bans: tuple[Test, ...]  # each about one field that must be below a count
    grows: tuple[tuple[int, int], ...]  # (word, bits) of single-bit places that get a token and lose none
    delta: tuple[int, ...]  # by word, modulo 2^64
    kept: tuple[int, ...]  # by word: what is left of a state before the addition (resets)


def rule(net: Net, ceilings: Ceilings, layout: Fields, transition: int) -> Rule | None:
    """The packed form of a transition, or None where no state of the layout enables it."""
    wanted = dict(net.pre[transition])
    for p, w in net.read[transition]:
        wanted[p] = max(w, wanted.get(p, 0))
    tests = _tests(layout, wanted)
    if tests is None:
        return None
    bans: list[Test] = []
    for p, w in ceilings.of(transition).items():
        if w <= 0:
            return None
        ban = _tests(layout, {p: w})
        if ban is not None:
            bans.extend(ban)
    emptied = frozenset(net.reset[transition])
    delta = [0] * layout.words
    kept = [(1 << WORD) - 1] * layout.words
    grows: dict[int, int] = {}
    pre = dict(net.pre[transition])
    for p in emptied:
        kept[layout.word[p]] &= ~layout.ones(p)
    for p, w in net.post[transition]:
        delta[layout.word[p]] += w << layout.shift[p]
        if layout.width[p] == 1 and p not in emptied and p not in pre:
            grows[layout.word[p]] = grows.get(layout.word[p], 0) | 1 << layout.shift[p]
    for p, w in pre.items():
        if p not in emptied:
            delta[layout.word[p]] -= w << layout.shift[p]
    return Rule(tests, tuple(bans), tuple(grows.items()), tuple(d % (1 << WORD) for d in delta), tuple(kept))


def _tests(layout: Fields, wanted: dict[int, int]) -> tuple[Test, ...] | None:
    """At least so many tokens on each place; None where a field cannot hold as many."""
    need: dict[int, int] = {}
    mask: dict[int, int] = {}
    for p, w in wanted.items():
        if w >> layout.width[p]:
            return None
        word = layout.word[p]
        if layout.guarded(p):
            need[word] = need.get(word, 0) | w << layout.shift[p]
            mask[word] = mask.get(word, 0) | 1 << layout.shift[p] + layout.width[p]
        else:
            mask[word] = mask.get(word, 0) | 1 << layout.shift[p]
    return tuple(Test(word, need.get(word, 0), mask[word]) for word in mask)


class Rules:
    """All transitions of a net in packed form, and what they do to columns of states."""

    def __init__(self, net: Net, ceilings: Ceilings, observers: Sequence[Observer], layout: Fields) -> None:
        import numpy as np

        self._np = np
        self.layout = layout
        count = len(net.transitions)
        self.count = count
        rules = [rule(net, ceilings, layout, t) for t in range(count)]
        self._guards = [np.uint64(g) for g in layout.guards]
        still = (0,) * layout.words
        full = ((1 << WORD) - 1,) * layout.words
        self._delta = [
            np.array([(r.delta if r else still)[w] for r in rules], dtype=np.uint64) for w in range(layout.words)
        ]
        self._kept = [
            np.array([(r.kept if r else full)[w] for r in rules], dtype=np.uint64) if any(net.reset) else None
            for w in range(layout.words)
        ]
        self._steps = [self._step(o, len(net.places) + n, count) for n, o in enumerate(observers)]
        c = np.uint64
        self._tests = [
            None if r is None else (
                [(t.word, c(t.need) if t.need else None, c(t.mask)) for t in r.tests],
                [(t.word, c(t.need) if t.need else None, c(t.mask)) for t in r.bans],
                [(w, c(bits)) for w, bits in r.grows],
            )
            for r in rules
        ]  # fmt: skip

    def _step(self, observer: Observer, index: int, count: int) -> tuple[int, NDArray[numpy.uint64]]:
        """(field, table[transition, stored value]): what is added, modulo 2^64."""
        np, layout = self._np, self.layout
        low, width = layout.low[index], layout.width[index]
        table = np.zeros((count, 1 << width), dtype=np.uint64)
        for t, _ in observer.deltas:
            for stored in range(1 << width):
                after = observer.step(stored + low, t) - low
                table[t, stored] = np.uint64((after - stored << layout.shift[index]) % (1 << WORD))
        return index, table

    def lift(self, columns: Sequence[Column]) -> list[Column]:
        """The columns with their guards up, as `enabled` wants them; the same column where it has none."""
        return [m | g if g else m for m, g in zip(columns, self._guards, strict=True)]

    def enabled(self, transition: int, columns: Sequence[Column], lifted: Sequence[Column]) -> Truth | None:
        """By state, whether the transition is enabled; None where it is nowhere."""
        made = self._tests[transition]
        if made is None:
            return None
        found = None
        for word, need, mask in made[0]:
            one = ((columns[word] if need is None else lifted[word] - need) & mask) == mask
            found = one if found is None else found & one
        if found is None:
            found = self._np.ones(len(columns[0]), dtype=bool)
        for word, need, mask in made[1]:
            found = found & (((columns[word] if need is None else lifted[word] - need) & mask) == 0)
        return found

    def cost(self, transition: int) -> int:
        """Operations that `enabled` takes for each state."""
        made = self._tests[transition]
        return 0 if made is None else 3 * (len(made[0]) + len(made[1]))

    def size(self, goal: Predicate) -> int:
        """Operations that the test of a goal takes for each state."""
        match goal:
            case Linear():
                if asks_nothing(goal) is not None:
                    return 2 + 2 * min(len(goal.terms), self.layout.words)
                return 2 + _TERM * len(goal.terms)
            case Fireable(t):
                return 1 + self.cost(t)
            case Dead(ignoring):
                return sum(1 + self.cost(t) for t in range(self.count) if t not in ignoring)
            case Not(of):
                return 1 + self.size(of)
            case And(parts) | Or(parts):
                return sum(1 + self.size(part) for part in parts)

    def crowded(self, transition: int, columns: Sequence[Column], enabled: Truth) -> list[int]:
        """The single-bit places on which firing it somewhere would put a second token."""
        made = self._tests[transition]
        np, places = self._np, []
        for word, bits in made[2] if made is not None else ():
            hit = columns[word] & bits
            both = int(np.bitwise_or.reduce(hit[enabled])) if hit.any() else 0
            while both:
                bit = both & -both
                both ^= bit
                places.append(self._place(word, bit.bit_length() - 1))
        return places

    def _place(self, word: int, at: int) -> int:
        layout = self.layout
        for p in range(layout.places):
            if layout.word[p] == word and layout.shift[p] <= at <= layout.shift[p] + layout.width[p]:
                return p
        raise AssertionError("every bit belongs to a place")

    def fire(
        self, columns: Sequence[Column], sources: NDArray[numpy.int64], labels: NDArray[numpy.int64]
    ) -> list[Column]:
        """The columns of the states after each `labels[i]` fired in state `sources[i]`, where it must be enabled."""
        after = []
        for w, column in enumerate(columns):
            taken = column[sources]
            kept = self._kept[w]
            if kept is not None:
                taken &= kept[labels]
            taken += self._delta[w][labels]
            after.append(taken)
        for index, table in self._steps:
            w = self.layout.word[index]
            stored = (columns[w] >> self._np.uint64(self.layout.shift[index])) & self._np.uint64(
                (1 << self.layout.width[index]) - 1
            )
            after[w] += table[labels, stored[sources].astype(self._np.int64)]
        return after

    def outgrown(self, columns: Sequence[Column]) -> list[int]:
        """The places whose guard bit is up in some state."""
        places = []
        for w, guards in enumerate(self._guards):
            if guards:
                up = int(self._np.bitwise_or.reduce(columns[w])) & int(guards) if len(columns[w]) else 0
                while up:
                    bit = up & -up
                    up ^= bit
                    places.append(self._place(w, bit.bit_length() - 1))
        return places

    def holds(self, predicate: Predicate, columns: Sequence[Column]) -> Truth:
        """By state, whether the predicate holds. O(size of the predicate) operations on columns."""
        return View(self, columns).of(predicate)


def asks_nothing(atom: Linear) -> bool | None:
    """Whether it says that there is nothing in any of its places, or (False) that there is something; None if neither."""
    if any(c <= 0 for _, c in atom.terms):
        return None
    if (atom.op, atom.bound) in (("==", 0), ("<=", 0), ("<", 1)):
        return True
    return False if (atom.op, atom.bound) in ((">", 0), (">=", 1), ("!=", 0)) else None


class View:
    """Predicates over the same columns; what they share is computed once."""

    def __init__(
        self,
        rules: Rules,
        columns: Sequence[Column],
        enabled: NDArray[numpy.bool_] | None = None,
        dead: Truth | None = None,
    ) -> None:
        """`enabled`: by transition and state, `dead`: by state, where that is known already."""
        import numpy as np

        self._np, self._rules, self._columns = np, rules, columns
        self._lifted = rules.lift(columns) if enabled is None else columns
        self._all, self._dead = enabled, dead
        self._enabled: dict[int, Truth] = {}
        self._values: dict[int, NDArray[numpy.int64]] = {}

    def of(self, predicate: Predicate) -> Truth:
        """By state, whether the predicate holds."""
        np, count = self._np, len(self._columns[0])
        found: Truth
        match predicate:
            case Linear():
                return self._linear(predicate)
            case Fireable(t):
                return self._fireable(t)
            case Dead(ignoring):
                if self._dead is not None and not ignoring:
                    return self._dead
                if self._all is not None and not ignoring:
                    some = self._all.any(axis=0) if len(self._all) else np.zeros(count, dtype=bool)
                    found = np.logical_not(some)
                    return found
                some = np.zeros(count, dtype=bool)
                for t in range(self._rules.count):
                    if t not in ignoring:
                        some |= self._fireable(t)
                found = np.logical_not(some)
                return found
            case Not(of):
                found = np.logical_not(self.of(of))
                return found
            case And(parts):
                found = np.ones(count, dtype=bool)
                for part in parts:
                    found &= self.of(part)
                return found
            case Or(parts):
                found = np.zeros(count, dtype=bool)
                for part in parts:
                    found |= self.of(part)
                return found

    def _fireable(self, transition: int) -> Truth:
        if self._all is not None:
            row: Truth = self._all[transition]
            return row
        known = self._enabled.get(transition)
        if known is None:
            known = self._rules.enabled(transition, self._columns, self._lifted)
            if known is None:
                known = self._np.zeros(len(self._columns[0]), dtype=bool)
            self._enabled[transition] = known
        return known

    def _linear(self, atom: Linear) -> Truth:
        np, layout = self._np, self._rules.layout
        nothing = asks_nothing(atom)
        if nothing is not None and not any(layout.low[i] for i, _ in atom.terms):
            return self._empty([i for i, _ in atom.terms], nothing=nothing)
        most = abs(atom.bound) + sum(abs(c) << max(layout.width[i], 8) for i, c in atom.terms)
        if most >> WIDEST:
            total = np.zeros(len(self._columns[0]), dtype=object)
            for i, c in atom.terms:
                total = total + self._value(i).astype(object) * c
        else:
            total = np.zeros(len(self._columns[0]), dtype=np.int64)
            for i, c in atom.terms:
                total += self._value(i) * c if c != 1 else self._value(i)
        compared: Callable[[], Truth] = {
            "<=": lambda: total <= atom.bound, ">=": lambda: total >= atom.bound, "==": lambda: total == atom.bound,
            "!=": lambda: total != atom.bound, "<": lambda: total < atom.bound, ">": lambda: total > atom.bound,
        }[atom.op]  # fmt: skip
        holds: Truth = np.asarray(compared(), dtype=bool)
        return holds

    def _empty(self, fields: Sequence[int], *, nothing: bool) -> Truth:
        """By state, whether nothing (or else something) is in any of these fields: word by word, not field by field."""
        np, layout = self._np, self._rules.layout
        masks: dict[int, int] = {}
        for i in fields:
            masks[layout.word[i]] = masks.get(layout.word[i], 0) | layout.ones(i)
        some = np.zeros(len(self._columns[0]), dtype=bool)
        for word, mask in masks.items():
            some |= (self._columns[word] & np.uint64(mask)) != 0
        found: Truth = np.logical_not(some) if nothing else some
        return found

    def _value(self, index: int) -> NDArray[numpy.int64]:
        known = self._values.get(index)
        if known is None:
            known = self._values[index] = self._rules.layout.values(self._columns, index)
        return known
