"""The textbook firing rule, for one marking at a time: the oracle that every engine and every witness is held against.

Nothing here is fast, and nothing here may share code with an engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.net.core import Marking, Net
    from placet.net.observer import Observer


def fire(net: Net, marking: Marking, transition: int) -> Marking | None:
    """The marking after firing, or None where the transition is not enabled."""
    if any(marking[p] < w for p, w in net.pre[transition]):
        return None
    if any(marking[p] < w for p, w in net.read[transition]):
        return None
    if any(marking[p] >= w for p, w in net.inhibit[transition]):
        return None
    after = list(marking)
    for p, w in net.pre[transition]:
        after[p] -= w
    for p in net.reset[transition]:
        after[p] = 0
    for p, w in net.post[transition]:
        after[p] += w
    if any(after[p] > most for p, most in net.capacity):
        return None
    return tuple(after)


def enabled(net: Net, marking: Marking) -> list[int]:
    """The enabled transitions, ascending."""
    return [t for t in range(len(net.transitions)) if fire(net, marking, t) is not None]


def observe(observers: Sequence[Observer], values: tuple[int, ...], transition: int) -> tuple[int, ...]:
    """The observers' values after a transition fired."""
    return tuple(o.step(v, transition) for o, v in zip(observers, values, strict=True))


def fire_state(
    net: Net, observers: Sequence[Observer], state: tuple[int, ...], transition: int
) -> tuple[int, ...] | None:
    """As `fire`, on a state: tokens of the P places, then the values of the observers."""
    count = len(net.places)
    after = fire(net, state[:count], transition)
    return None if after is None else after + observe(observers, state[count:], transition)
