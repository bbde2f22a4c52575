"""States packed into Python integers: one field for each observer and place, each with a guard bit above it.

With `H` the guard bits, `((m | H) - B) & A == A` says in four operations that every field named by `A` holds at least
the weight that `B` has there, and one addition fires a transition. A field that outgrows its width shows in its guard
bit; the search then packs all states anew with wider fields and goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placet.evidence import State
    from placet.net.core import Marking, Net
    from placet.net.observer import Observer

Fire: TypeAlias = "Callable[[int], int]"


class Layout(NamedTuple):
    """Where each field of a packed state lies. Fields 0 .. P-1 are places, P .. P+O-1 observers (stored minus `low`)."""

    shift: tuple[int, ...]
    width: tuple[int, ...]  # bits without the guard
    low: tuple[int, ...]  # what is added when a field is read: 0 for places
    guards: int  # H: all guard bits
    watched: int  # the bits of the observers, which are the lowest

    def pack(self, state: Sequence[int]) -> int:
        """The integer of a state; every value must fit its field."""
        packed = 0
        for value, shift, low in zip(state, self.shift, self.low, strict=True):
            packed |= (value - low) << shift
        return packed

    def unpack(self, packed: int) -> State:
        """The state of an integer."""
        return tuple(
            (packed >> shift & (1 << width) - 1) + low
            for shift, width, low in zip(self.shift, self.width, self.low, strict=True)
        )

    def field(self, index: int) -> int:
        """All ones in the field of that index, guard bit not included."""
        return (1 << self.width[index]) - 1 << self.shift[index]

    def guard(self, index: int) -> int:
        """The guard bit of a field."""
        return 1 << self.shift[index] + self.width[index]

    def threshold(self, index: int, weight: int) -> tuple[int, int] | None:
        """(B, A) so that `((m | A) - B) & A` is set iff the field holds `weight` or more; None where it never can.

        A weight at or below the least value of the field gives (0, A): always set.
        """
        stored = weight - self.low[index]
        if stored >> self.width[index] and stored > 0:
            return None
        return max(stored, 0) << self.shift[index], self.guard(index)


def narrowest(net: Net, initial: Marking) -> list[int]:
    """Bits for each place that the initial marking and the weight of every arc to the place need; at least one."""
    most = [max(1, count) for count in initial]
    for arcs in net.post:
        for p, w in arcs:
            most[p] = max(most[p], w)
    return [count.bit_length() for count in most]


def layout(widths: Sequence[int], observers: Sequence[Observer]) -> Layout:
    """The layout with that many bits for each place; observers get what their range needs."""
    watch_shift, watch_width, low = [], [], []
    at = 0
    for o in observers:
        least, most = min(o.low, o.initial), max(o.high, o.initial)
        watch_shift.append(at)
        watch_width.append(max(1, (most - least).bit_length()))
        low.append(least)
        at += watch_width[-1] + 1
    watched = (1 << at) - 1
    shift = []
    for width in widths:
        shift.append(at)
        at += width + 1
    made = Layout((*shift, *watch_shift), (*widths, *watch_width), (0,) * len(shift) + tuple(low), 0, watched)
    return made._replace(guards=sum(made.guard(i) for i in range(len(made.shift))))


class Rule(NamedTuple):
    """A transition in packed form. Enabled iff `((m | H) - B) & A == A` and, where `ban` is set, no banned field is up."""

    need: int  # B
    mask: int  # A
    ban: int  # B of inhibitors and capacities; all in one where no two name the same place
    ban_mask: int
    delta: int  # added when it fires
    special: Fire | None  # for resets and observed transitions, in place of the addition


class Ceilings:
    """Places that a transition may fire only below a count of, by inhibitor arcs and capacities."""

    def __init__(self, net: Net, initial: Marking) -> None:
        self._net = net
        self._capacity = dict(net.capacity)
        self._crowded = [p for p, most in net.capacity if initial[p] > most]  # there every transition looks

    def of(self, transition: int) -> dict[int, int]:
        """(place, w): the transition may fire only while the place holds fewer than w."""
        net = self._net
        limits: dict[int, int] = {}
        for p, w in net.inhibit[transition]:
            limits[p] = min(w, limits.get(p, w))
        if not self._capacity:
            return limits
        pre, post = dict(net.pre[transition]), dict(net.post[transition])
        for p in {*post, *self._crowded} & self._capacity.keys():
            most = self._capacity[p]
            if p in net.reset[transition]:
                room = 0 if post.get(p, 0) > most else None  # emptied first: the count before does not matter
            else:
                gain = post.get(p, 0) - pre.get(p, 0)
                room = most - gain + 1 if gain > 0 or p in self._crowded else None
            if room is not None:
                limits[p] = min(room, limits.get(p, room))
        return limits


def rule(
    net: Net, ceilings: Ceilings, watching: Sequence[tuple[Observer, int]], fields: Layout, transition: int
) -> Rule | None:
    """The packed form of a transition, or None where it cannot be enabled in any state that fits the layout.

    `watching` are the observers that look at the transition, with their fields.
    """
    wanted = dict(net.pre[transition])
    for p, w in net.read[transition]:
        wanted[p] = max(w, wanted.get(p, 0))
    need = mask = ban = ban_mask = delta = 0
    for p, w in wanted.items():
        pair = fields.threshold(p, w)
        if pair is None:
            return None
        need |= pair[0]
        mask |= pair[1]
    for p, w in ceilings.of(transition).items():
        if w <= 0:
            return None
        pair = fields.threshold(p, w)
        if pair is not None:
            ban |= pair[0]
            ban_mask |= pair[1]
    emptied = frozenset(net.reset[transition])
    for p, w in net.post[transition]:
        delta += w << fields.shift[p]
    for p, w in net.pre[transition]:
        if p not in emptied:
            delta -= w << fields.shift[p]
    return Rule(need, mask, ban, ban_mask, delta, _special(watching, fields, transition, delta, emptied))


def _special(
    watching: Sequence[tuple[Observer, int]], fields: Layout, transition: int, delta: int, emptied: frozenset[int]
) -> Fire | None:
    cleared = 0
    for p in emptied:
        cleared |= fields.field(p)
    kept = ~cleared
    if not watching:
        return (lambda m: (m & kept) + delta) if emptied else None
    mine = 0  # of the observers that look: few values, however many observers there are
    for _, i in watching:
        mine |= fields.field(i)
    known: dict[int, int] = {}

    def change(values: int) -> int:
        """What the addition is when these observers have these packed values."""
        total = delta
        for o, i in watching:
            before = (values >> fields.shift[i] & (1 << fields.width[i]) - 1) + fields.low[i]
            total += o.step(before, transition) - before << fields.shift[i]
        known[values] = total
        return total

    def fire(m: int) -> int:
        values = m & mine
        found = known.get(values)
        return (m & kept) + (change(values) if found is None else found)

    return fire
