"""Which of several predicates hold in some reachable marking: the question under most examinations.

In turn: the first few thousand states, a diagram of all of them, random walks, proofs by the state equation, walks towards
what it proposes, the state space of the reduced net, and more of each while there is time.
"""

from __future__ import annotations

from random import Random
from time import monotonic
from typing import TYPE_CHECKING

from placet.analysis.contest.symbolic import reachable
from placet.engines.frontier import asks_dead
from placet.engines.protocol import Visitor
from placet.errors import UsageError
from placet.logic.state import evaluate, support

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from placet.analysis.contest.context import Context
    from placet.analysis.state_equation import Solution
    from placet.engines.compiled_walk import CompiledWalk
    from placet.engines.walk import Walk
    from placet.logic.state import Predicate
    from placet.net.core import Marking, Net

FIRST = 4_000  # states of the first look
SLICE = 1.5  # seconds of each method in the first round


class Goals:
    """Predicates that are looked for; `answer(number, reachable)` is called once for each that is decided."""

    def __init__(self, context: Context, goals: Mapping[int, Predicate], answer: Callable[[int, bool], None]) -> None:
        self._context = context
        self.open = dict(goals)
        self._answer = answer

    def run(self, until: float) -> None:
        """Decide what can be decided until then: a little of everything, then ever more of it."""
        context = self._context
        self._explore(FIRST, min(until, context.share(0.2)))
        self._on_diagram(min(until, context.share(0.1)))
        self._prove(min(until, context.share(0.2)), 0.3, 30)
        slice_, nodes, seed = SLICE, 100, 1
        while self.open and (now := monotonic()) < until:
            self._walk(min(until, now + slice_), seed)
            self._prove(min(until, monotonic() + slice_), slice_, nodes)
            self._reduced(min(until, monotonic() + slice_))
            self._on_diagram(min(until, monotonic() + 2 * slice_))
            self._each_reduced(min(until, monotonic() + 2 * slice_))
            slice_, nodes, seed = 2 * slice_, 8 * nodes, seed + 10

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

    def _on_diagram(self, until: float) -> None:
        if self.open and monotonic() < until:
            reachable(self._context, self.open, until, self._decide)

    def _walk(self, until: float, seed: int) -> None:
        numbers = list(self.open)
        if numbers and monotonic() < until:
            self._on_walk(numbers, self._context.walk([self.open[k] for k in numbers], seed), until)

    def _on_walk(self, numbers: list[int], walk: Walk | CompiledWalk | None, until: float) -> None:
        if walk is not None:
            walk.run(until)
            for k in walk.found:
                self._decide(numbers[k], True)

    def _prove(self, until: float, each: float, nodes: int) -> None:
        equation = self._context.equation
        if equation is None:
            return
        for k in list(self.open):
            if monotonic() >= until:
                return
            predicate = self._context.spelt(self.open[k])
            if equation.never(predicate, min(until, monotonic() + each), nodes):
                self._decide(k, False)
            elif equation.hint is not None and follow(
                self._context, predicate, equation.hint, min(until, monotonic() + min(each, 1.0))
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
        from placet.analysis.reduction import ALL, REACH, reduce

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
        rules = ALL if transitions or any(asks_dead(p) for p in spelt) else REACH
        reduced = reduce(
            context.net, context.initial, visible_places=places, visible_transitions=transitions, bounded_places=(),
            rules=rules,
        )  # fmt: skip
        try:
            visitors = [Visitor(reduced.predicate(p)) for p in spelt]
        except UsageError:
            return
        goals = [v.goal for v in visitors]
        for states, part in ((20_000, 0.2), (None, 0.6)):
            now = monotonic()
            if now >= until or not any(k in self.open for k in numbers):
                return
            seen = context.explore(visitors, states, now + part * (until - now), reduced.net, reduced.initial)
            self._note(numbers, seen)
            if seen is None or seen.complete:
                return
            if states is not None:
                self._prove_reduced(numbers, goals, reduced.net, reduced.initial, now + 0.4 * (until - now))
        self._on_walk(numbers, context.walk(goals, 4, reduced.net, reduced.initial), until)

    def _prove_reduced(
        self, numbers: list[int], goals: list[Predicate], net: Net, initial: Marking, until: float
    ) -> None:
        """Walk the reduced net, and ask its state equation, which is smaller and may know more."""
        from placet.analysis.state_equation import StateEquation, UnfitError, available

        now = monotonic()
        self._on_walk(numbers, self._context.walk(goals, 5, net, initial), now + 0.6 * (until - now))
        if not available():
            return
        try:
            equation = StateEquation(net, initial)
        except UnfitError:
            return
        for k, goal in zip(numbers, goals, strict=True):
            if k in self.open and monotonic() < until and equation.never(goal, until, 300):
                self._decide(k, False)


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
