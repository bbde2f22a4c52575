"""Priorities of a plain net, compiled away: what comes later is kept from happening where something that comes first could.

A transition is enabled where each place holds a number within an interval: in a box. One with a lower priority may fire in its own
box without the boxes of all that come before it. That is cut into boxes that have nothing in common, each a copy of the transition
with more read and inhibitor arcs: exactly one copy is enabled where the transition may fire, and none where it may not, so that the
markings and moves of the net are those of the definition, whatever is asked of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from placet.ir.model import Turn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placet.ir.model import PlainNet, Transition

MOST_WAYS = 512  # copies of one transition
MOST_ALTOGETHER = 4096  # and of all transitions of one net
MOST_WORK = 1_000_000  # pairs of a box and a transition that comes first

Box: TypeAlias = "dict[str, tuple[int, int | None]]"  # place -> fewest, most (None: any number); others hold anything


class TooManyWaysError(Exception):
    """A product that would explode: of one transition, with what comes before it, or of the net as a whole (no transition)."""

    def __init__(self, transition: Transition | None = None, factors: tuple[tuple[Transition, int], ...] = ()) -> None:
        super().__init__()
        self.transition, self.factors = transition, factors


def turns(net: PlainNet) -> tuple[tuple[Turn, ...], ...]:
    """For each transition the ways in which it is its turn, exactly one at a time; none: something always comes first.

    Raises TooManyWaysError. At most `MOST_WORK` steps, each linear in the arcs of one transition.
    """
    most = {p.id: p.capacity for p in net.places if p.capacity is not None}
    enabled = [_box(t, most) for t in net.transitions]
    found: list[tuple[Turn, ...]] = []
    work = altogether = 0
    for t, own in zip(net.transitions, enabled, strict=True):
        boxes = [{} if own is None else own]  # what its arcs never allow needs no second reason
        factors: list[tuple[Transition, int]] = []
        for u, other in zip(net.transitions, enabled, strict=True) if own is not None else ():
            if u.priority <= t.priority or other is None or not boxes:
                continue
            work += len(boxes)
            count = len(boxes)
            boxes = [part for box in boxes for part in _without(box, other, most)]
            if len(boxes) > count:
                factors.append((u, -(-len(boxes) // count)))
            if len(boxes) > MOST_WAYS:
                raise TooManyWaysError(t, tuple(factors))
            if work > MOST_WORK:
                raise TooManyWaysError
        altogether += len(boxes)
        if altogether > MOST_ALTOGETHER + len(net.transitions):
            raise TooManyWaysError
        found.append(tuple([_way(own or {}, box) for box in boxes]))
    return tuple(found)


def _box(t: Transition, capacities: Mapping[str, int]) -> Box | None:
    """Where a transition is enabled; None: nowhere."""
    box: Box = {}
    taken, given, emptied = dict(t.pre), dict(t.post), frozenset(t.reset)
    for p, weight in (*t.pre, *t.read):
        box[p] = (max(weight, _fewest(box, p)), None)
    for p, weight in t.inhibit:
        box[p] = (_fewest(box, p), weight - 1)
    for p, gives in given.items():
        capacity = capacities.get(p)
        if capacity is None:
            continue
        if p not in emptied:
            room = capacity - gives + taken.get(p, 0)
            high = box[p][1] if p in box else None
            if room < capacity:
                box[p] = (_fewest(box, p), room if high is None else min(room, high))
        elif gives > capacity:
            return None
    for p, (low, high) in box.items():
        limit = capacities.get(p, low)
        if limit < low or (high is not None and high < low):
            return None
    return box


def _fewest(box: Box, place: str) -> int:
    return box[place][0] if place in box else 0


def _without(box: Box, other: Box, capacities: Mapping[str, int]) -> list[Box]:
    """What is in a box and not in the other one, in boxes that have nothing in common: at most two for each place of the other."""
    for p, (low, high) in other.items():
        least, most = box.get(p, (0, None))
        if (most is not None and most < low) or (high is not None and high < least):
            return [box]
    parts: list[Box] = []
    rest = box
    for p, (low, high) in other.items():
        least, most = rest.get(p, (0, None))
        if least < low:
            parts.append({**rest, p: (least, low - 1)})
        top = capacities.get(p) if most is None else most
        if high is not None and (top is None or high < top):
            parts.append({**rest, p: (high + 1, most)})
            most = high
        rest = {**rest, p: (max(least, low), most)}
    return parts


def _way(own: Box, box: Box) -> Turn:
    """What a box asks beyond the arcs that there are."""
    read, inhibit = [], []
    for p, (low, high) in box.items():
        least, most = own.get(p, (0, None))
        if low > least:
            read.append((p, low))
        if high is not None and high != most:
            inhibit.append((p, high + 1))
    return Turn(tuple(read), tuple(inhibit))
