"""A reduced net, and the ways back: traces, transitions that can fire, bounds, predicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.reduction.work import CONSTANT
from placet.errors import UsageError
from placet.logic.state import And, Dead, Fireable, Linear, Not, Or
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from placet.evidence import Trace
    from placet.logic.state import Predicate
    from placet.net.core import Marking, Net


class Bound(NamedTuple):
    """The greatest number of tokens on a place lies between `least` and `most`; they are equal where it is known."""

    least: int
    most: int | None  # None: not known


LONGEST = 1_000_000  # firings of a lifted trace: nobody reads, and no report holds, a longer one


class TooLongError(Exception):
    """A trace that is too long to be written out; the number of its steps."""


class Reduced(NamedTuple):
    """What `reduce` made of a net. All that comes in is by index of the reduced net, all that goes out of the original."""

    net: Net
    initial: Marking
    places: tuple[int, ...]  # reduced place -> original place
    transitions: tuple[int, ...]  # reduced transition -> original transition whose name it bears
    rules: tuple[tuple[str, int], ...]  # (rule, how often it was applied), those applied only
    start: Marking  # the original initial marking
    leaves: int  # original transitions
    parts: tuple[tuple[int, int, int], ...]  # sequences, see work.py
    stands_for: tuple[int, ...]  # reduced transition -> number of its sequence
    prefix: tuple[tuple[int, int], ...]  # (number, times)
    also: dict[int, list[int]]
    bound_log: tuple[tuple[int, int, int, bool], ...]
    empty: frozenset[int]  # original places that are gone and were ZERO or CHANNEL

    def lift(self, trace: Sequence[int]) -> Trace:
        """The firing sequence of the original net that a firing sequence of the reduced net stands for.

        It can be fired from the original initial marking. Where it ends, every surviving place has as many tokens as in
        the reduced marking; a place that a fusion took out is empty; a place that was taken out as redundant has what
        its invariant says (a ZERO or CHANNEL one as many as the place of these classes that it was told by). So a predicate that the rules
        preserve holds there if it holds in the reduced marking, and the marking is dead if the reduced one is.
        Raises TooLongError past LONGEST steps: a few fusions of tokens by the thousand million make such traces.
        """
        numbers = [self.stands_for[t] for t in trace]
        self._measure((*self.prefix, *((number, 1) for number in numbers)))
        found: list[int] = []
        for number, times in self.prefix:
            found.extend(self._unfold((number,)) * times)
        found.extend(self._unfold(numbers))
        return tuple(found)

    def expand(self, trace: Sequence[int]) -> Trace:
        """As `lift`, for a part of a trace from wherever `lift` of what comes before it ended: the loop of a lasso."""
        numbers = [self.stands_for[t] for t in trace]
        self._measure([(number, 1) for number in numbers])
        return tuple(self._unfold(numbers))

    def _measure(self, numbers: Sequence[tuple[int, int]]) -> None:
        lengths: list[int] = []  # of `parts`; each names earlier ones only
        for first, second, times in self.parts:
            one, other = (1 if n < self.leaves else lengths[n - self.leaves] for n in (first, second))
            lengths.append(one + times * other)
        steps = sum(times * (1 if n < self.leaves else lengths[n - self.leaves]) for n, times in numbers)
        if steps > LONGEST:
            raise TooLongError(steps)

    def _unfold(self, numbers: Sequence[int]) -> list[int]:
        found: list[int] = []
        stack = list(reversed(numbers))
        while stack:
            number = stack.pop()
            if number < self.leaves:
                found.append(number)
            else:
                first, second, times = self.parts[number - self.leaves]
                stack.extend([second] * times)
                stack.append(first)
        return found

    def alive(self, fired: Iterable[int]) -> frozenset[int]:
        """The original transitions that can fire at all, if `fired` are exactly those that can in the reduced net."""
        return self._reached([*(self.stands_for[t] for t in fired), *(number for number, _ in self.prefix)])

    def recurring(self, fired: Iterable[int]) -> frozenset[int]:
        """The original transitions that fire in a terminal component, if `fired` are exactly those that fire in its image.

        Every terminal strongly connected component of the original has its image, in which what it fires recurs; those
        that differ in redundant places only have the same one. A transition is live iff it recurs in each component.
        """
        return self._reached([self.stands_for[t] for t in fired])

    def _reached(self, stack: list[int]) -> frozenset[int]:
        seen = set(stack)
        stack = list(seen)
        while stack:
            number = stack.pop()
            following = self.also.get(number, ())
            if number >= self.leaves:
                first, second, _ = self.parts[number - self.leaves]
                following = (first, second, *following)
            for other in following:
                if other not in seen:
                    seen.add(other)
                    stack.append(other)
        return frozenset(number for number in seen if number < self.leaves)

    def bounds(self, reduced: Sequence[int]) -> tuple[Bound, ...]:
        """By original place, given the exact bounds of the reduced places.

        Exact for every surviving and every redundant place; for a place that a fusion took out only an upper bound is
        known. The greatest bound of the places that `reduce` was given as `bounded_places` is the greatest bound of
        those of them that survive, exactly, where it is over 1: so they are safe, or k-bounded for some `k >= 1`, or
        bounded, iff the surviving ones are.
        """
        found: dict[int, Bound] = {p: Bound(b, b) for p, b in zip(self.places, reduced, strict=True)}
        for p, like, more, exact in reversed(self.bound_log):
            least, most = (0, 0) if like == CONSTANT else found[like] if like >= 0 else (0, None)
            found[p] = Bound(least + more if exact else self.start[p], None if most is None else most + more)
        return tuple(found[p] for p in range(len(self.start)))

    def predicate(self, predicate: Predicate, observers: int = 0) -> Predicate:
        """The predicate over states of the original net as one over states of the reduced net (observers unchanged).

        Raises UsageError where it asks for a place or transition that is gone without having been named to `reduce`.
        """
        return self.renaming(observers).predicate(predicate)

    def renaming(self, observers: int = 0) -> Renaming:
        """What `predicate` looks up, for many of them."""
        return Renaming(self, observers)


class Renaming:
    """The numbers of a reduced net for those of the original, for many predicates; observers come after the places."""

    def __init__(self, reduced: Reduced, observers: int) -> None:
        self._empty = reduced.empty
        self._places = {p: i for i, p in enumerate(reduced.places)}
        for o in range(observers):
            self._places[len(reduced.start) + o] = len(reduced.places) + o
        self._transitions: dict[int, list[int]] = {}
        for i, t in enumerate(reduced.transitions):
            self._transitions.setdefault(t, []).append(i)

    def predicate(self, predicate: Predicate) -> Predicate:
        """The predicate in the new numbers. Raises as `Reduced.predicate`."""
        places, transitions = self._places, self._transitions
        match predicate:
            case Linear(terms, op, bound):
                for i, _ in terms:
                    if i not in places and i not in self._empty:
                        raise UsageError(f"the reduction did not keep place number {i}")
                return Linear(tuple((places[i], c) for i, c in terms if i in places), op, bound)
            case Fireable(t):
                if t not in transitions:
                    raise UsageError(f"the reduction did not keep transition number {t}")
                return Fireable(transitions[t][0])
            case Dead(ignoring):
                if any(t not in transitions for t in ignoring):
                    raise UsageError("the reduction did not keep a transition that is not to count as progress")
                return Dead(frozenset(i for t in ignoring for i in transitions[t]))
            case Not(of):
                return Not(self.predicate(of))
            case And(of):
                return And(tuple(self.predicate(p) for p in of))
            case Or(of):
                return Or(tuple(self.predicate(p) for p in of))
