"""Which of several predicates hold in some reachable marking: the question under most examinations.

In turn: the first few thousand states, random walks, proofs by the state equation, walks towards what it proposes, the
state space of the reduced net, and more of each while there is time.
"""

from __future__ import annotations

from random import Random
from time import monotonic
from typing import TYPE_CHECKING

from placet.engines.protocol import Visitor
from placet.errors import UsageError
from placet.logic.state import evaluate, support

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.analysis.contest.context import Context
    from placet.analysis.state_equation import Solution
    from placet.logic.state import Predicate

FIRST = 4_000  # states of the first look
_PROOF = 4.0  # seconds for one proof, at most, on the first round


class Goals:
    """Predicates that are looked for; `answer(number, reachable)` is called once for each that is decided."""

    def __init__(self, context: Context, goals: dict[int, Predicate], answer: Callable[[int, bool], None]) -> None:
        self._context = context
        self.open = dict(goals)
        self._answer = answer

    def run(self, until: float) -> None:
        """Decide what can be decided until then."""
        context = self._context
        self._explore(FIRST, min(until, context.share(0.2)))
        self._walk(min(until, context.share(0.1, 2.0)), seed=1)
        self._prove(min(until, context.share(0.35)), _PROOF)
        self._reduced(min(until, context.share(0.35)))
        self._each_reduced(min(until, context.share(0.4)))
        self._walk(min(until, context.share(0.3)), seed=2)
        self._prove(min(until, context.share(0.5)), 1e9)
        self._walk(until, seed=3)

    def _decide(self, number: int, reachable: bool) -> None:  # noqa: FBT001 - an answer
        if self.open.pop(number, None) is not None:
            self._answer(number, reachable)

    def _explore(self, states: int, until: float) -> None:
        numbers = list(self.open)
        if not numbers:
            return
        seen = self._context.explore([Visitor(self.open[k]) for k in numbers], states, until)
        self._note(numbers, seen)

    def _note(self, numbers: list[int], seen: object) -> None:
        if seen is None:
            return
        for k, found in zip(numbers, seen.found, strict=True):  # type: ignore[attr-defined]
            if found >= 0:
                self._decide(k, True)
            elif seen.complete:  # type: ignore[attr-defined]
                self._decide(k, False)

    def _walk(self, until: float, seed: int) -> None:
        numbers = list(self.open)
        if not numbers or monotonic() >= until:
            return
        walk = self._context.walk([self.open[k] for k in numbers], seed)
        if walk is not None:
            walk.run(until)
            for k in walk.found:
                self._decide(numbers[k], True)

    def _prove(self, until: float, each: float) -> None:
        equation = self._context.equation
        if equation is None:
            return
        for k in list(self.open):
            if monotonic() >= until:
                return
            predicate = self._context.spelt(self.open[k])
            nodes = 300 if each < 1e9 else 100_000
            if equation.never(predicate, min(until, monotonic() + each), nodes):
                self._decide(k, False)
            elif equation.hint is not None and follow(
                self._context, predicate, equation.hint, min(until, monotonic() + 1.0)
            ):
                self._decide(k, True)

    def _reduced(self, until: float) -> None:
        """All that is open on one reduced net."""
        if self.open and monotonic() < until:
            self._on_reduced(list(self.open), until)

    def _each_reduced(self, until: float) -> None:
        """Each goal on a net reduced for it alone, with its share of the time."""
        for k in list(self.open) if len(self.open) > 1 else ():
            now = monotonic()
            if now >= until:
                return
            if k in self.open:
                self._on_reduced([k], now + (until - now) / len(self.open))

    def _on_reduced(self, numbers: list[int], until: float) -> None:
        from placet.analysis.reduction import reduce

        context = self._context
        spelt = [context.spelt(self.open[k]) for k in numbers]
        places: set[int] = set()
        transitions: set[int] = set()
        for predicate in spelt:
            of_places, of_transitions = support(predicate)
            places |= of_places
            transitions |= of_transitions
        for t in transitions:
            places |= {p for side in (context.net.pre, context.net.read, context.net.inhibit) for p, _ in side[t]}
        reduced = reduce(
            context.net, context.initial, visible_places=places, visible_transitions=transitions, bounded_places=()
        )
        try:
            visitors = [Visitor(reduced.predicate(p)) for p in spelt]
        except UsageError:
            return
        self._note(numbers, context.explore(visitors, None, until, reduced.net, reduced.initial))


def follow(context: Context, predicate: Predicate, hint: Solution, until: float, *, tries: int = 20) -> bool:
    """Fire transitions as often as a solution of the state equation says, in random orders, and look for the predicate."""
    net = context.net
    random = Random(1)  # noqa: S311 - no secrets here
    wanted = {t: round(x) for t, x in enumerate(hint.firings) if x > 0.4}
    if not net.is_plain or not wanted:
        return False
    for _ in range(tries):
        marking, left = list(context.initial), dict(wanted)
        strays = 200
        while monotonic() < until:
            if _shows(net, predicate, marking):
                return True
            able = [t for t in left if all(marking[p] >= w for p, w in net.pre[t])]
            if able:
                t = random.choice(able)
                most = min((marking[p] // w for p, w in net.pre[t]), default=left[t])
                times = max(1, min(left[t], most if random.random() < 0.5 else 1))
                if dict(net.post[t]).keys() & dict(net.pre[t]).keys():
                    times = 1
            else:
                strays -= 1
                others = [t for t in range(len(net.transitions)) if all(marking[p] >= w for p, w in net.pre[t])]
                if strays < 0 or not others:
                    break
                t, times = random.choice(others), 1
            for p, w in net.pre[t]:
                marking[p] -= w * times
            for p, w in net.post[t]:
                marking[p] += w * times
            if t in left:
                left[t] -= times
                if left[t] <= 0:
                    del left[t]
            elif not able:
                left[t] = 0
                del left[t]
            if not left:
                if _shows(net, predicate, marking):
                    return True
                break
        if monotonic() >= until:
            return False
    return False


def _shows(net: object, predicate: Predicate, marking: list[int]) -> bool:
    from placet.net.firing import enabled

    return evaluate(predicate, marking, lambda: enabled(net, tuple(marking)))  # type: ignore[arg-type]


def whole(context: Context, predicate: Predicate, until: float) -> bool | None:
    """Whether one predicate is reachable; None where nothing tells."""
    found: dict[int, bool] = {}
    Goals(context, {0: predicate}, found.__setitem__).run(until)
    return found.get(0)
