"""The net while it is being reduced: mutable, both directions of every arc at hand, with the log that undoes it all.

A fused transition stands for a sequence of original ones. Sequences are kept as a graph of shared parts: number `i` below
the count of original transitions is that transition itself; any other number is an entry `(first, second, times)` of
`parts`: `first`, then `second` as often as `times` says. So every fusion costs one entry, whatever it stands for.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placet.net.core import Marking, Net


CONSTANT, UNKNOWN = -1, -2  # in the log of bounds, in place of the place that tells the bound


class Asked(IntEnum):
    """What the predicates may ask of a place; the order is that of growing demands."""

    FREE = 0  # nothing
    CHANNEL = 1  # only whether all CHANNEL and ZERO places are empty
    ZERO = 2  # that, and whether all ZERO places are empty
    RESOURCE = 3  # the count, but only where all ZERO places are empty
    END = 4  # the count, in a way that survives an exchange of a token on a ZERO or CHANNEL place for one here
    EXACT = 5  # the count


class Work:
    """A net under reduction. Rules change it through the methods below only, or keep both directions in step."""

    def __init__(self, net: Net, initial: Marking, asked: bytearray, fixed: bytearray, bounded: bytearray) -> None:
        places, transitions = len(net.places), len(net.transitions)
        self.asked = asked  # by place: Asked
        self.fixed = fixed  # by transition: 1 observed, 2 visible: it must stay as it is and be told apart
        self.bounded = bounded  # by place: 1 where its bound is asked
        self.tokens = list(initial)
        self.pre: list[dict[int, int]] = [dict(arcs) for arcs in net.pre]
        self.post: list[dict[int, int]] = [dict(arcs) for arcs in net.post]
        self.producers: list[dict[int, int]] = [{} for _ in range(places)]
        self.consumers: list[dict[int, int]] = [{} for _ in range(places)]
        for t, arcs in enumerate(net.pre):
            for p, w in arcs:
                self.consumers[p][t] = w
        for t, arcs in enumerate(net.post):
            for p, w in arcs:
                self.producers[p][t] = w
        self.odd_place = bytearray(places)  # touched by a read, inhibitor or reset arc, or with a capacity
        self.odd_transition = bytearray(transitions)  # with such an arc
        self.side: dict[int, tuple[object, ...]] = {}  # the arcs of an odd transition that rules never change
        self._find_odd(net)
        self.place_gone = bytearray(places)
        self.transition_gone = bytearray(transitions)
        self.leaves = transitions
        self.parts: list[tuple[int, int, int]] = []  # entry i is number leaves + i
        self.stands_for = list(range(transitions))  # by transition: the number of its sequence
        self.label = list(range(transitions))  # by transition: the original one whose name and meaning it bears
        self.prefix: list[tuple[int, int]] = []  # (number, times) fired before everything else
        self.also: dict[int, list[int]] = {}  # number -> numbers that can be fired exactly when it can
        self.bound_log: list[tuple[int, int, int, bool]] = []  # see `Reduced.bounds`
        self.counts: dict[str, int] = {}
        self.tables: dict[str, dict[object, list[int]]] = {}  # hash tables of the rules that look for twins
        self.dirty_places: list[int] = []  # the agenda of the first stage; the loop hands on what stays
        self.dirty_transitions: list[int] = []
        self.place_listed = bytearray(places)  # by place: 1 where it is on that agenda
        self.transition_listed = bytearray(transitions)

    def _find_odd(self, net: Net) -> None:
        for p, _ in net.capacity:
            self.odd_place[p] = 1
        if not (any(net.read) or any(net.inhibit) or any(net.reset)):
            return
        for t in range(len(net.transitions)):
            if net.read[t] or net.inhibit[t] or net.reset[t]:
                self.odd_transition[t] = 1
                self.side[t] = (net.read[t], net.inhibit[t], net.reset[t])
                for p in (*(p for p, _ in net.read[t]), *(p for p, _ in net.inhibit[t]), *net.reset[t]):
                    self.odd_place[p] = 1

    # -- agendas -----------------------------------------------------------------------------------------------------

    def touch_place(self, p: int) -> None:
        """Its surroundings changed: every rule on places looks at it again."""
        if not self.place_listed[p]:
            self.place_listed[p] = 1
            self.dirty_places.append(p)

    def touch_transition(self, t: int) -> None:
        """Its arcs changed: rules on transitions look at it again, and rules on its only input and only output."""
        if not self.transition_listed[t]:
            self.transition_listed[t] = 1
            self.dirty_transitions.append(t)
        if len(self.pre[t]) == 1:
            for p in self.pre[t]:
                self.touch_place(p)
        if len(self.post[t]) == 1:
            for p in self.post[t]:
                self.touch_place(p)

    # -- sequences ---------------------------------------------------------------------------------------------------

    def sequence(self, first: int, second: int, times: int = 1) -> int:
        """The number of the sequence `first`, then `second` as often as told."""
        self.parts.append((first, second, times))
        return self.leaves + len(self.parts) - 1

    # -- changes -----------------------------------------------------------------------------------------------------

    def new_transition(self, pre: dict[int, int], post: dict[int, int], stands_for: int, label: int) -> int:
        """A further transition, plain and not fixed; its surroundings are touched."""
        t = len(self.pre)
        self.pre.append(pre)
        self.post.append(post)
        self.transition_gone.append(0)
        self.odd_transition.append(0)
        self.fixed.append(0)
        self.stands_for.append(stands_for)
        self.label.append(label)
        self.transition_listed.append(0)
        for p, w in pre.items():
            self.consumers[p][t] = w
            self.touch_place(p)
        for p, w in post.items():
            self.producers[p][t] = w
            self.touch_place(p)
        self.touch_transition(t)
        return t

    def drop_transition(self, t: int) -> None:
        """Take a transition out with its arcs."""
        self.transition_gone[t] = 1
        for p in self.pre[t]:
            del self.consumers[p][t]
            self.touch_place(p)
        for p in self.post[t]:
            del self.producers[p][t]
            self.touch_place(p)

    def drop_place(self, p: int, like: int, more: int, *, exact: bool) -> None:
        """Take a place out with its arcs; its bound is at most (`exact`: is) that of `like` plus `more`."""
        self.place_gone[p] = 1
        self.bound_log.append((p, like, more, exact))
        producers, consumers = self.producers[p], self.consumers[p]
        for t in producers:
            del self.post[t][p]
        for t in consumers:
            del self.pre[t][p]
        for t in producers:
            self.touch_transition(t)
        for t in consumers:
            self.touch_transition(t)
        self.producers[p], self.consumers[p] = {}, {}

    def silent(self, transitions: Iterable[int]) -> bool:
        """Whether none of the transitions is fixed or has an arc that is neither input nor output."""
        fixed, odd = self.fixed, self.odd_transition
        return not any(fixed[t] or odd[t] for t in transitions)

    def unconditional(self, t: int) -> bool:
        """Whether having its inputs is all that `t` needs to fire, and it empties nothing."""
        return not self.odd_transition[t] and not any(self.odd_place[q] for q in self.post[t])

    def moves_unseen(self, x: int, outputs: Iterable[int]) -> bool:
        """Whether no predicate can tell a token on `x` from tokens on `outputs`, given that the one can become the other.

        See `reduce`: a ZERO place may be exchanged for places of any class but EXACT, one of them ZERO or END; a CHANNEL
        place for the same, or for CHANNEL and FREE places, one of them CHANNEL; a FREE place for FREE places; no other
        place for anything. No output may be odd.
        """
        asked, odd = self.asked, self.odd_place
        if odd[x]:
            return False
        of_x = asked[x]
        if of_x == 0:  # plain numbers: this is the inmost loop
            return not any(odd[q] or asked[q] for q in outputs)
        if of_x > 2:
            return False
        settled = sent = borrowed = False
        for q in outputs:
            a = asked[q]
            if a == 5 or odd[q]:
                return False
            settled |= a in {2, 4}
            sent |= a == 1
            borrowed |= a == 3
        return settled or (of_x == 1 and sent and not borrowed)

    def bound_shown(self, x: int, outputs: Iterable[int]) -> int:
        """A place of `outputs` whose bound is at least that of `x` and asked when that of `x` is, or UNKNOWN."""
        best = UNKNOWN
        for q in outputs:
            if self.bounded[q]:
                return q
            best = q
        return UNKNOWN if self.bounded[x] else best

    def count(self, rule: str) -> None:
        """Book an application of a rule."""
        self.counts[rule] = self.counts.get(rule, 0) + 1
