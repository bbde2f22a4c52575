"""Which transitions are enabled, kept up to date from firing to firing."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placet.net.core import Marking, Net


class Scheduler:
    """A marking and its enabled transitions, ascending. A firing looks only at transitions near what it changed."""

    def __init__(self, net: Net, marking: Marking) -> None:
        self.net = net
        self.tokens = list(marking)
        self.capacity = dict(net.capacity)
        self._near: list[list[int]] = [[] for _ in net.places]  # by place: transitions whose enabling it can change
        for t in range(len(net.transitions)):
            asked = {p for p, _ in net.pre[t]} | {p for p, _ in net.read[t]} | {p for p, _ in net.inhibit[t]}
            if self.capacity:
                asked |= {p for p, _ in net.post[t] if p in self.capacity}
            for p in asked:
                self._near[p].append(t)
        self.enabled = [t for t in range(len(net.transitions)) if self.may_fire(t)]

    def may_fire(self, t: int) -> bool:
        """Whether the transition is enabled, by the definition in `net.core`. O(its arcs)."""
        net, tokens = self.net, self.tokens
        for p, w in net.pre[t]:
            if tokens[p] < w:
                return False
        for p, w in net.read[t]:
            if tokens[p] < w:
                return False
        for p, w in net.inhibit[t]:
            if tokens[p] >= w:
                return False
        if not self.capacity:
            return True
        after = self._after(t)
        return all(after[p] <= self.capacity[p] for p in after if p in self.capacity)

    def fire(self, t: int) -> dict[int, int]:
        """Fire an enabled transition; gives the new number of tokens of the places it touched."""
        after = self._after(t)
        changed = [p for p, count in after.items() if self.tokens[p] != count]
        for p in changed:
            self.tokens[p] = after[p]
        for near in sorted({u for p in changed for u in self._near[p]}):
            at = bisect_left(self.enabled, near)
            there = at < len(self.enabled) and self.enabled[at] == near
            if self.may_fire(near) != there:
                if there:
                    del self.enabled[at]
                else:
                    insort(self.enabled, near)
        return after

    def _after(self, t: int) -> dict[int, int]:
        """Tokens after firing, of the places that the transition touches: take, empty, put, in this order."""
        net, tokens = self.net, self.tokens
        after = {p: tokens[p] - w for p, w in net.pre[t]}
        for p in net.reset[t]:
            after[p] = 0
        for p, w in net.post[t]:
            after[p] = after.get(p, tokens[p]) + w
        return after
