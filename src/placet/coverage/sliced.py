"""Coverage of any saga: measured whole where that is small, else a few of its parallel ways at a time."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from placet.coverage import measure as plain
from placet.coverage.measure import DEFAULT, Measured
from placet.coverage.obligations import Coverage, Size
from placet.coverage.slices import slices, united, whole_run
from placet.errors import EvidenceError

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.coverage.obligations import Obligation, Row
    from placet.coverage.slices import Slice
    from placet.engines.protocol import Engine, Progress
    from placet.evidence import Budget, Trace

WHOLE = 40_000  # situations: what is no larger is measured as it is


def measure(
    compiled: Compiled,
    fault_budget: int,
    budget: Budget = DEFAULT,
    engine: Engine | None = None,
    progress: Progress | None = None,
    families: frozenset[str] | None = None,
    *,
    faultless: bool = False,
) -> Measured:
    """As `coverage.measure.measure`; a saga of many parallel ways is measured in slices where it is large.

    The budget is for all slices together.
    """
    cut = list(slices(compiled, fault_budget))
    if not cut:
        return plain.measure(compiled, fault_budget, budget, engine, progress, families, faultless=faultless)
    begun = monotonic()
    until = None if budget.seconds is None else begun + budget.seconds
    small = WHOLE if budget.states is None else min(WHOLE, budget.states)
    first = plain.measure(
        compiled, fault_budget, budget._replace(states=small), engine, progress, families, faultless=faultless
    )
    if first.coverage.size.complete or first.coverage.size.stop[0] != "states" or small == budget.states:
        return first
    groups: list[tuple[Row, ...]] = []
    states, edges, stop = 0, 0, ("", "")
    beside: set[tuple[str, str]] = set()
    for one in cut:
        left = _left(budget, states, begun)
        found = plain.measure(one.compiled, fault_budget, left, engine, progress, families, faultless=faultless)
        groups.append(found.coverage.rows)
        beside |= found.beside
        states, edges = states + found.coverage.size.states, edges + found.coverage.size.edges
        if not found.coverage.size.complete:
            stop = (
                found.coverage.size.stop[0],
                str(states) if found.coverage.size.stop[0] == "states" else found.coverage.size.stop[1],
            )
            break
    known = first.coverage
    rows = united(groups, [one.empty for one in cut[: len(groups)]], known.steps)
    if stop[0]:
        rows = tuple(row._replace(unknown=True) for row in rows)
    size = Size(states, edges, known.size.engine, not stop[0], stop)
    coverage = Coverage(known.causes, known.steps, rows, size, known.families)
    finder = _Finder(first.compiled, cut[: len(groups)], fault_budget, budget, engine, families, faultless=faultless)
    return Measured(coverage, first.compiled, first.ghosts, finder, frozenset(beside), until)


def _left(budget: Budget, states: int, begun: float) -> Budget:
    """What is left of a budget."""
    left = None if budget.states is None else max(1, budget.states - states)
    seconds = None if budget.seconds is None else max(0.0, budget.seconds - (monotonic() - begun))
    return budget._replace(states=left, seconds=seconds)


class _Finder:
    """Finds runs of the whole net by way of the slice that shows them."""

    def __init__(
        self,
        compiled: Compiled,
        cut: list[Slice],
        fault_budget: int,
        budget: Budget,
        engine: Engine | None,
        families: frozenset[str] | None,
        *,
        faultless: bool,
    ) -> None:
        self._compiled, self._cut, self._faults = compiled, cut, fault_budget
        self._budget = budget._replace(seconds=None)  # each slice was measured within the budget once
        self._engine = engine
        self._families, self._faultless = families, faultless
        self._last: tuple[int, Measured] | None = None

    def _measured(self, number: int) -> Measured:
        if self._last is None or self._last[0] != number:
            one = self._cut[number].compiled
            how = self._budget, self._engine, None, self._families
            made = plain.measure(one, self._faults, *how, faultless=self._faultless)
            self._last = (number, made)
        return self._last[1]

    def _speaks(self, number: int, steps: set[str]) -> bool:
        return not steps & self._cut[number].empty

    def find(self, o: Obligation) -> Trace:
        """A run that breaks the obligation: the shortest of the first slice that has one, with what the other ways do meanwhile."""
        for number in self._order(o.faults, o.step):
            found = self._measured(number).finder.find(o)
            if found:
                run = whole_run(self._compiled, found, self._cut[number].moves)
                if run is None:
                    raise EvidenceError("a run of a part of the saga does not extend to the whole")
                return run
        return ()

    def sample(self, faults: tuple[int, ...]) -> tuple[Trace, tuple[str, ...]]:
        """As the finder of one graph."""
        ends: dict[str, None] = {}
        best: Trace = ()
        for number in self._order(faults, ""):
            run, names = self._measured(number).finder.sample(faults)
            ends.update(dict.fromkeys(names))
            if not best and run:
                best = whole_run(self._compiled, run, self._cut[number].moves) or ()
            break
        return best, tuple(sorted(ends))

    def _order(self, faults: tuple[int, ...], step: str) -> list[int]:
        """The slices that speak of a scenario, the one at hand first."""
        from placet.coverage.causes import causes

        known = causes(self._compiled).causes
        steps = {known[f].step for f in faults} | {step}
        numbers = [n for n in range(len(self._cut)) if self._speaks(n, steps - {""})]
        at_hand = self._last[0] if self._last is not None else -1
        return sorted(numbers, key=lambda n: (n != at_hand, n))
