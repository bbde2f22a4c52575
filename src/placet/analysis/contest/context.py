"""What all examinations share: the net, the clock, who is told answers, and tools that are made once and kept."""

from __future__ import annotations

from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

from placet.engines.diagrams.forest import ENTRY
from placet.evidence import Budget
from placet.logic.state import And, Fireable, Linear, Not, Or

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placet.analysis.diagrams import Attempts
    from placet.analysis.state_equation import StateEquation
    from placet.engines.compiled_walk import CompiledWalk
    from placet.engines.diagrams.diagram import Diagram
    from placet.engines.frontier import Search
    from placet.engines.protocol import Exploration, Visitor
    from placet.engines.walk import Walk
    from placet.logic.state import Predicate
    from placet.net.core import Marking, Net

Tell: TypeAlias = "Callable[[str, str], None]"

MEMORY = 2_500_000_000  # bytes of one exploration
EARLY = 1.0  # seconds in which nothing is worth loading a compiler for


class Context:
    """One net and one examination of it. `until` is on the monotonic clock; `tell(id, answer)` is called once an id."""

    def __init__(self, net: Net, initial: Marking, until: float, tell: Tell) -> None:
        self.net, self.initial = net, initial
        self.begun = monotonic()
        self.until = until
        self.tell = tell
        self._equation: StateEquation | None = None
        self._tried = False
        self._attempts: Attempts | None = None
        self._diagram: Diagram | None = None

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.until - monotonic()

    def share(self, part: float, most: float = 1e9) -> float:
        """The time at which this part of what is left is over, at most so many seconds from now."""
        return monotonic() + max(0.0, min(self.left * part, most))

    @property
    def equation(self) -> StateEquation | None:
        """The state equation, where the solver is installed and the net is one for it."""
        if not self._tried:
            from placet.analysis.state_equation import StateEquation, UnfitError, available

            self._tried = True
            if available():
                try:
                    self._equation = StateEquation(self.net, self.initial)
                except UnfitError:
                    self._equation = None
        return self._equation

    def walk(
        self, goals: Sequence[Predicate] = (), seed: int = 1, net: Net | None = None, initial: Marking = ()
    ) -> Walk | CompiledWalk | None:
        """Walkers at the initial marking of this net, or of another one; None where a count is too large for them.

        The compiled ones once the examination has lasted longer than it takes to load them.
        """
        from placet.engines.native import installed
        from placet.engines.walk import Walk
        from placet.engines.words import TooWideError

        marked = (self.net, self.initial) if net is None else (net, initial)
        if installed() and monotonic() - self.begun > EARLY:
            from placet.engines.compiled_walk import CompiledWalk, UnfitError

            with suppress(UnfitError):
                return CompiledWalk(*marked, goals, seed=seed)
        try:
            return Walk(*marked, goals, seed=seed)
        except TooWideError:
            return None

    def explore(
        self,
        visitors: Sequence[Visitor],
        states: int | None,
        until: float,
        net: Net | None = None,
        initial: Marking = (),
    ) -> Exploration | None:
        """Explore this net, or another one, with the fast engines; None where memory gave out all the same."""
        from placet.engines.chosen import Chosen

        budget = Budget(states, MEMORY, max(0.01, until - monotonic()))
        try:
            return Chosen(probe=0).explore(
                net or self.net, self.initial if net is None else initial, (), visitors, budget
            )
        except MemoryError:
            return None

    def search(self, visitors: Sequence[Visitor], states: int | None, until: float) -> Search | None:
        """As `explore`, where the arrays of the engine itself are wanted; None where it could not do the net."""
        from placet.engines.frontier import Search

        found = self.explore(visitors, states, until)
        return found if isinstance(found, Search) else None

    def diagram(self, until: float, entries: int = 1 << 62) -> Diagram | None:
        """The states as a diagram; None where attempts of so many entries each did not give it until then.

        What was begun goes on at the next call, with larger attempts. The diagram may be used until the examination ends.
        """
        if self._diagram is None and monotonic() < until:
            from placet.analysis.diagrams import Attempts

            if self._attempts is None:
                self._attempts = Attempts(self.net, self.initial)
            self._diagram = self._attempts.run(entries, until, MEMORY)
        if self._diagram is not None:
            self.hurry(self.until)
        return self._diagram

    def hurry(self, until: float) -> None:
        """What is asked of the diagram from now on has to be known then."""
        if self._diagram is not None:
            self._diagram.allow(max(0, MEMORY // ENTRY - self._diagram.entries), min(until, self.until))

    def spelt(self, predicate: Predicate) -> Predicate:
        """The predicate with "fireable" spelt out as tokens on places, as far as the net's arcs allow that."""
        match predicate:
            case Fireable(t):
                net = self.net
                capped = {p for p, _ in net.capacity}
                if capped & {p for p, _ in net.post[t]}:
                    return predicate
                needs = [Linear(((p, 1),), ">=", w) for p, w in (*net.pre[t], *net.read[t])]
                bans = [Linear(((p, 1),), "<", w) for p, w in net.inhibit[t]]
                return And((*needs, *bans))
            case Not(of):
                return Not(self.spelt(of))
            case And(parts):
                return And(tuple(self.spelt(p) for p in parts))
            case Or(parts):
                return Or(tuple(self.spelt(p) for p in parts))
        return predicate
