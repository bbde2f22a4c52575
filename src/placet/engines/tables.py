"""What the search looks up for each transition, made when the transition is first wanted.

A net of 10,000 transitions has rows of kilobytes, and places that thousands of transitions take from; all of it at once
can be more than the budget, and most of it is never used.
"""

from __future__ import annotations

from sys import getsizeof
from typing import TYPE_CHECKING, TypeAlias

from placet.engines.packing import Ceilings, Fire, Rule, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.engines.packing import Layout
    from placet.net.core import Marking, Net
    from placet.net.observer import Observer

Trigger: TypeAlias = tuple[int, int, int, int, int]  # bit, need, mask, ban, ban mask: see `Rule`
Firing: TypeAlias = "tuple[int, int, Fire | None]"  # transition, what is added, what is done instead


class TablesFullError(Exception):
    """The tables outgrew their memory; never leaves this room."""


class Wiring:
    """What can be said of a net's transitions whatever the layout."""

    def __init__(self, net: Net, initial: Marking, observers: Sequence[Observer]) -> None:
        self.net = net
        self.ceilings = Ceilings(net, initial)
        self.watching: dict[int, list[int]] = {}  # transition -> observers
        for number, o in enumerate(observers):
            for t in {t for t, _ in o.deltas}:
                self.watching.setdefault(t, []).append(number)
        self.observers = observers
        self._readers: list[list[int]] = [[] for _ in net.places]
        for t in range(len(net.transitions)):
            looked = {p for side in (net.pre, net.read) for p, _ in side[t]}
            for p in looked.union(self.ceilings.of(t)):
                self._readers[p].append(t)

    def affected(self, transition: int) -> list[int]:
        """The transitions whose enabledness its firing can change, in their order."""
        net = self.net
        before, after = dict(net.pre[transition]), dict(net.post[transition])
        moved = {p for p in {*before, *after} if before.get(p, 0) != after.get(p, 0)}.union(net.reset[transition])
        return sorted({u for p in moved for u in self._readers[p]})

    def losing(self, transition: int, affected: Sequence[int]) -> set[int]:
        """Those of the affected transitions that its firing can only disable: it takes from places that they need."""
        net = self.net
        before, after = dict(net.pre[transition]), dict(net.post[transition])
        gives = {p for p in after if after[p] > before.get(p, 0)}
        moved = gives.union(p for p in before if before[p] > after.get(p, 0)).union(net.reset[transition])

        def only_loses(u: int) -> bool:
            return moved.isdisjoint(self.ceilings.of(u)) and gives.isdisjoint(p for p, _ in (*net.pre[u], *net.read[u]))

        return {u for u in affected if only_loses(u)}

    def rule(self, fields: Layout, transition: int) -> Rule | None:
        """The packed form of a transition."""
        watching = [(self.observers[n], len(self.net.places) + n) for n in self.watching.get(transition, ())]
        return rule(self.net, self.ceilings, watching, fields, transition)


class Tables:
    """The tables for one layout."""

    def __init__(self, wiring: Wiring, fields: Layout, room: int | None) -> None:
        self.fields = fields
        self.bytes = 0  # of all rows made
        self.guarded = {  # length of a guard bit -> field
            shift + width + 1: i for i, (shift, width) in enumerate(zip(fields.shift, fields.width, strict=True))
        }
        self.after: dict[
            int, tuple[int, tuple[Trigger, ...], int]
        ] = {}  # by transition that was wanted: the bits of enabled
        # sets that its firing leaves as they are, the transitions to be tested again, and the bits of those that
        # are only to be tested where they were enabled before
        self.triggers: dict[int, Trigger] = {}  # of these, by their bits
        self._wiring = wiring
        self._room = room
        self._rules: dict[int, Rule | None] = {}
        self._tests: dict[int, Trigger | None] = {}
        self.firings: dict[int, Firing] = {}  # those that were wanted

    def firing(self, transition: int) -> Firing:
        """What firing an enabled transition does. Raises TablesFullError. O(transitions that it may affect), once."""
        made = self.firings.get(transition)
        if made is None:
            changed, tests, only = 0, [], 0
            affected = self._wiring.affected(transition)
            losing = self._wiring.losing(transition, affected)
            for u in affected:
                changed |= 1 << u
                test = self._test(u)
                if test is not None and u in losing:
                    only |= test[0]
                    self.triggers[test[0]] = test
                elif test is not None:
                    tests.append(test)
            how = self._rule(transition)
            assert how is not None, "it is enabled in a state that fits the layout"
            made = self.firings[transition] = (transition, how.delta, how.special)
            self.after[transition] = (~changed, tuple(tests), only)
            self._charge(200 + getsizeof(changed) + getsizeof(only) + 8 * len(tests))
        return made

    def _test(self, transition: int) -> Trigger | None:
        if transition not in self._tests:
            how = self._rule(transition)
            bit = 1 << transition
            self._tests[transition] = None if how is None else (bit, how.need, how.mask, how.ban, how.ban_mask)
            self._charge(200 + getsizeof(bit))
        return self._tests[transition]

    def _rule(self, transition: int) -> Rule | None:
        if transition not in self._rules:
            made = self._rules[transition] = self._wiring.rule(self.fields, transition)
            self._charge(200 if made is None else 200 + sum(getsizeof(n) for n in made[:5]))
        return self._rules[transition]

    def _charge(self, count: int) -> None:
        self.bytes += count
        if self._room is not None and self.bytes > self._room:
            raise TablesFullError
