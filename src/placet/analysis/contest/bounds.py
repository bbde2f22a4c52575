"""Upper bounds: the greatest sum of tokens on some places. Decided where a proved bound has been reached, or all was seen."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from placet.analysis.contest.goals import FIRST, Goals, follow
from placet.analysis.contest.symbolic import greatest as most_sums
from placet.engines.frontier import Search
from placet.engines.protocol import Needs, Visitor
from placet.logic.state import FALSE, Linear

if TYPE_CHECKING:
    from placet.analysis.contest.context import Context

STEPS = 200  # of each walker on a stretch of the walk


class Bounds:
    """The greatest sums that are asked, what was reached of each, and what is proved to be the most."""

    def __init__(self, context: Context, asked: dict[str, tuple[int, ...]]) -> None:
        self._context = context
        self._open = {name: tuple(sorted(set(places))) for name, places in asked.items()}
        self._reached = {name: sum(context.initial[p] for p in places) for name, places in self._open.items()}
        self._most: dict[str, int] = {}

    def run(self) -> None:
        """Decide what can be decided in the time there is."""
        context = self._context
        for name in [name for name, places in self._open.items() if not places]:
            self._tell(name)
        self._explore(FIRST, context.share(0.2))
        self._on_diagram(context.share(0.15))
        self._prove(context.share(0.3))
        self._walk(context.share(0.15, 2.0), seed=1)
        self._reduced(context.share(0.2))
        self._on_diagram(context.share(0.25))
        self._seek(context.share(0.6))
        self._explore(None, context.share(0.7))
        self._walk(context.until, seed=2)

    def _note(self, name: str, reached: int) -> None:
        """So many tokens were seen; tells the answer when that is the proved bound."""
        if name in self._open:
            self._reached[name] = max(self._reached[name], reached)
            if self._reached[name] == self._most.get(name):
                self._tell(name)

    def _tell(self, name: str) -> None:
        del self._open[name]
        self._context.tell(name, str(self._reached[name]))

    def _explore(self, states: int | None, until: float) -> None:
        if not self._open or monotonic() >= until:
            return
        seen = self._context.search([Visitor(FALSE, Needs.STATES)], states, until)
        if seen is not None:
            for name, places in list(self._open.items()):
                self._note(name, greatest(seen, places))
                if seen.complete and name in self._open:
                    self._tell(name)

    def _on_diagram(self, until: float) -> None:
        if self._open:
            for name, reached in most_sums(self._context, self._open, until):
                self._reached[name] = reached
                self._tell(name)

    def _prove(self, until: float) -> None:
        equation = self._context.equation
        if equation is None:
            return
        for name, places in list(self._open.items()):
            if monotonic() >= until:
                return
            most = equation.most([(p, 1) for p in places], until)
            if most is None:
                continue
            self._most[name] = min(most, self._most.get(name, most))
            self._note(name, 0)
            if name in self._open and equation.hint is not None:
                goal = Linear(tuple((p, 1) for p in places), ">=", most)
                if follow(self._context, goal, equation.hint, min(until, monotonic() + 0.5)):
                    self._note(name, most)
            self._lower(name, places, until)

    def _lower(self, name: str, places: tuple[int, ...], until: float) -> None:
        """Bring the bound down to what was reached, where traps or parity of numbers make the difference."""
        equation = self._context.equation
        assert equation is not None
        while (
            name in self._open and self._most[name] > self._reached[name] and self._most[name] - self._reached[name] < 4
        ):
            goal = Linear(tuple((p, 1) for p in places), ">=", self._most[name])
            if not equation.never(goal, min(until, monotonic() + 0.5), 20):
                return
            self._most[name] -= 1
            self._note(name, 0)

    def _seek(self, until: float) -> None:
        """Look for markings with as many tokens as the proved bounds allow; where there are none the bound is one less."""
        while monotonic() < until:
            names = {k: name for k, name in enumerate(self._open) if name in self._most}
            if not names:
                return
            goals = {k: Linear(tuple((p, 1) for p in self._open[n]), ">=", self._most[n]) for k, n in names.items()}
            decided: list[int] = []

            def answer(number: int, reachable: bool, names: dict[int, str] = names) -> None:  # noqa: FBT001 - an answer
                name = names[number]
                decided.append(number)  # noqa: B023 - called in this round only
                if not reachable:
                    self._most[name] -= 1
                self._note(name, self._most[name] if reachable else 0)

            Goals(self._context, goals, answer).run(until)
            if not decided:
                return

    def _walk(self, until: float, seed: int) -> None:
        walk = self._context.walk(seed=seed) if self._open and monotonic() < until else None
        if walk is None:
            return
        numbers = {name: walk.watch(places) for name, places in self._open.items()}
        while self._open and monotonic() < until and not walk.over:
            walk.run(until, STEPS)
            for name in list(self._open):
                self._note(name, walk.greatest(numbers[name]))

    def _reduced(self, until: float) -> None:
        """The state space of a net reduced as far as the places that are still asked for allow."""
        from placet.analysis.reduction import REACH, reduce

        if not self._open or monotonic() >= until:
            return
        context = self._context
        kept = {p for places in self._open.values() for p in places}
        reduced = reduce(context.net, context.initial, visible_places=kept, bounded_places=(), rules=REACH)
        index = {p: i for i, p in enumerate(reduced.places)}
        seen = context.explore([Visitor(FALSE, Needs.STATES)], None, until, reduced.net, reduced.initial)
        if isinstance(seen, Search):
            for name, places in list(self._open.items()):
                self._note(name, greatest(seen, tuple(index[p] for p in places)))
                if seen.complete and name in self._open:
                    self._tell(name)


def greatest(seen: Search, places: tuple[int, ...]) -> int:
    """The greatest sum of these places in the states that were seen."""
    return seen.greatest(tuple((p, 1) for p in places))
