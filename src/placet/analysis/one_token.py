"""Sets of places that always hold exactly one token: which places can never be marked together.

A set S works where each transition takes as many tokens from S as it gives to S, and S holds one token at first: the
indicator of S is then a place invariant (W. Reisig, Petri Nets, 1985, section 6.2). It is searched for from the places it
must hold: a transition that takes from S must give to one place of S, and so on, with backtracking where there is a choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from placet.net.core import Marking, Net

MOST_RETRIES = 20  # choices that are taken back in one search


class OneToken:
    """Such sets for a net with some of its transitions; arcs of other weights than one rule out the places they touch.

    `order` tells which places to try first where there is a choice: lower numbers first.
    """

    def __init__(self, net: Net, initial: Marking, able: Collection[int], order: Sequence[int]) -> None:
        self._order = order
        self._initial = initial
        # by constraint, the places taken from and given to; the first one says that S holds one token at first
        marked = tuple([p for p, n in enumerate(initial) if n == 1])
        self._sides: list[tuple[tuple[int, ...], tuple[int, ...]]] = [((-1,), marked)]
        self._never = {p for p, n in enumerate(initial) if n > 1}
        for t in able:
            pre, post = dict(net.pre[t]), dict(net.post[t])
            self._never.update(p for side in (pre, post) for p, w in side.items() if w > 1)
            takes = tuple([p for p in pre if p not in post])
            gives = tuple([p for p in post if p not in pre])
            if takes or gives:
                self._sides.append((takes, gives))
        self._touching: list[list[int]] = [[] for _ in net.places]
        for number, sides in enumerate(self._sides):
            for p in (*sides[0], *sides[1]):
                if p >= 0:
                    self._touching[p].append(number)
        self.found: list[frozenset[int]] = []

    def apart(self, one: int, other: int) -> bool:
        """Whether a set was found that holds both, so that they are never marked together."""
        if any(one in s and other in s for s in self.found):
            return True
        found = self._search((one, other))
        if found is not None:
            self.found.append(found)
        return found is not None

    def never(self, place: int) -> bool:
        """Whether no transition gives to the place, which holds nothing at first."""
        return not self._initial[place] and not any(place in self._sides[n][1] for n in self._touching[place])

    def _search(self, wanted: tuple[int, ...]) -> frozenset[int] | None:
        inside: dict[int, bool] = {-1: True}
        trail: list[int] = []  # what was decided, in order
        choices: list[tuple[int, list[int]]] = []  # (length of the trail before, what is still to be tried)
        retries = 0
        pending = list(wanted)
        good = not self._never.intersection(wanted)
        while True:
            good = good and self._settle(pending, inside, trail)
            if good:
                options = self._open(inside, trail)
                if options is None:
                    return frozenset(p for p, held in inside.items() if held and p >= 0)
                choices.append((len(trail), options))
            while choices and not choices[-1][1]:
                choices.pop()
            if not choices or retries > MOST_RETRIES:
                return None
            before, options = choices[-1]
            retries += len(trail) > before
            for p in trail[before:]:
                del inside[p]
            del trail[before:]
            pending, good = [options.pop(0)], True

    def _settle(self, pending: list[int], inside: dict[int, bool], trail: list[int]) -> bool:
        """Take these places in, and decide all that follows; false where it contradicts itself."""
        todo = [(p, True) for p in pending]
        if not trail:
            todo += [(p, False) for p in self._never]
        while todo:
            p, held = todo.pop()
            known = inside.get(p)
            if known is not None:
                if known != held:
                    return False
                continue
            inside[p] = held
            trail.append(p)
            for number in self._touching[p]:
                forced = self._forced(number, inside)
                if forced is None:
                    return False
                todo += forced
        return True

    def _forced(self, number: int, inside: dict[int, bool]) -> list[tuple[int, bool]] | None:
        """What one constraint decides about open places; None where it is broken."""
        takes, gives = self._sides[number]
        taken, given = sum(inside.get(p, False) for p in takes), sum(inside.get(p, False) for p in gives)
        if taken > 1 or given > 1:
            return None
        open_takes = [p for p in takes if p not in inside]
        open_gives = [p for p in gives if p not in inside]
        if taken and given:
            return [(p, False) for p in (*open_takes, *open_gives)]
        for have, mine, others in ((taken, open_takes, open_gives), (given, open_gives, open_takes)):
            if have:
                if not others:
                    return None
                more = [(others[0], True)] if len(others) == 1 else []
                return [*((p, False) for p in mine), *more]
        if not open_takes:
            return [(p, False) for p in open_gives]
        return [(p, False) for p in open_takes] if not open_gives else []

    def _open(self, inside: dict[int, bool], trail: list[int]) -> list[int] | None:
        """The ways to go on from where a token came last and is not yet given on (or taken); None where all is closed.

        What was decided last comes first, so that a contradiction shows near the choice that made it.
        """
        for p in reversed(trail):
            if inside[p]:
                for number in self._touching[p]:
                    takes, gives = self._sides[number]
                    taken, given = any(inside.get(q, False) for q in takes), any(inside.get(q, False) for q in gives)
                    if taken != given:
                        side = gives if taken else takes
                        return sorted([q for q in side if q not in inside], key=lambda q: self._order[q])
        takes, gives = self._sides[0]
        if not any(inside.get(q, False) for q in gives):
            return sorted([q for q in gives if q not in inside], key=lambda q: self._order[q])
        return None
