"""CTL on all that can be reached from a state, by its definitions, on sets of states: for those who show a counterexample again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from placet.errors import EvidenceError
from placet.logic.temporal import Atom, Conj, Disj, Every, Neg, Next, Release, Some, Until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placet.evidence import State
    from placet.logic.temporal import Formula

BEYOND = "that nothing else can be reached: too many states"
_OFTEN = 256  # states between two looks at the clock


class Shown(Protocol):
    """What a net can do."""

    def look(self) -> None:
        """Raises TooManyError where the time is over."""
        ...

    def steps(self, state: State) -> Iterator[tuple[int, State, bool]]:
        """(transition, next state, whether it is a fault) of every step."""
        ...

    def atom(self, formula: Atom, state: State) -> bool:
        """Whether a predicate holds in a state."""
        ...


class TooManyError(Exception):
    """The search would see more states than its limit, or has taken too long: says which."""


class Own:
    """All that can be reached from a state, with CTL by its definitions, on sets of states."""

    def __init__(self, shown: Shown, start: State, limit: int, fairness: str) -> None:
        self._shown, self._fairness = shown, fairness
        self._all: dict[State, list[State]] = {}
        self._safe: dict[State, list[State]] = {}
        queue = [start]
        self._all[start] = []
        for number, state in enumerate(queue):
            if number % _OFTEN == _OFTEN - 1:
                shown.look()
            steps = list(shown.steps(state))
            self._all[state] = [to for _, to, _ in steps]
            self._safe[state] = [to for _, to, fault in steps if not fault]
            for _, to, _ in steps:
                if to not in self._all:
                    if len(self._all) >= limit:
                        raise TooManyError(BEYOND)
                    self._all[to] = []
                    queue.append(to)

    def label(self, formula: Formula) -> set[State]:
        """The states in which a formula in negation normal form holds."""
        states, some, every = self._all.keys(), self._safe, self._all
        match formula:
            case Atom():
                return {s for s in states if self._shown.atom(formula, s)}
            case Neg(of):
                return set(states) - self.label(of)
            case Conj(of):
                return set(states).intersection(*(self.label(f) for f in of))
            case Disj(of):
                return set().union(*(self.label(f) for f in of))
            case Some(Next(of)):
                goal = self.label(of)
                return {s for s in states if any(to in goal for to in some[s])}
            case Every(Next(of)):
                goal = self.label(of)
                return {s for s in states if all(to in goal for to in every[s])}
            case Some(Until(left, right)):
                return _least(some, self.label(left), self.label(right))
            case Some(Release(left, right)):
                held = self.label(right)
                return _least(some, held, (held & self.label(left)) | self._stays(held))
            case Every(Until(left, right)):
                lacks = set(states) - self.label(right)
                lost = (lacks - self.label(left)) | self._stays(lacks)
                return set(states) - _least(every, lacks, lost)
            case Every(Release(left, right)):
                return set(states) - _least(every, set(states) - self.label(left), set(states) - self.label(right))
        raise EvidenceError("the tree is about no formula of CTL")

    def _stays(self, held: set[State]) -> set[State]:
        """Where some fair run without a fault stays in these states: all that follows is among them, or it is over."""
        if self._fairness == "edges":  # a fair run ends in a set that nothing leaves
            left = _least(self._safe, set(self._safe), set(self._safe) - held)
            return held - left
        if self._fairness != "nothing":
            raise TooManyError(BEYOND)  # which sets are fair is not searched again
        stays = set(held)
        while gone := {s for s in stays if self._safe[s] and not any(to in stays for to in self._safe[s])}:
            stays -= gone
            self._shown.look()
        return stays


def _least(steps: dict[State, list[State]], left: set[State], right: set[State]) -> set[State]:
    """`right`, and what leads there through `left`."""
    back: dict[State, list[State]] = {}
    for s, those in steps.items():
        for to in those:
            back.setdefault(to, []).append(s)
    found, queue = set(right), list(right)
    while queue:
        for s in back.get(queue.pop(), ()):
            if s in left and s not in found:
                found.add(s)
                queue.append(s)
    return found
