"""Compensation coverage of one saga under one fault hypothesis: the main path of this room."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Protocol

from placet.coverage.anomalies import ISOLATION, RETRIES, WHOLE
from placet.coverage.causes import causes as causes_of
from placet.coverage.facts import UNDO_FAIL, Facts
from placet.coverage.forgotten import forgetting
from placet.coverage.ghosts import EFFECT, PER_STEP
from placet.coverage.ghosts import ghosts as ghosts_of
from placet.coverage.obligations import FAMILIES, PHASES, Coverage, Row, Size
from placet.coverage.scenarios import Scenarios
from placet.coverage.traces import Finder
from placet.engines.protocol import Needs, Visitor
from placet.evidence import Budget
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.coverage.causes import Causes
    from placet.coverage.facts import Bits
    from placet.coverage.ghosts import Ghosts
    from placet.coverage.obligations import Obligation
    from placet.coverage.scenarios import Phases
    from placet.engines.protocol import Engine, Progress
    from placet.evidence import Trace


DEFAULT = Budget()
EXPLORING = 0.4  # of the seconds: what is made of the graph afterwards takes about as long again


class Finds(Protocol):
    """Finds runs of a measured net."""

    def find(self, o: Obligation) -> Trace:
        """A run that breaks an uncovered obligation."""
        ...

    def sample(self, faults: tuple[int, ...]) -> tuple[Trace, tuple[str, ...]]:
        """A run with these causes to where it is over, and the names of the ends that such runs can have."""
        ...


class Measured(NamedTuple):
    """Coverage, the woven net it was measured on (with its observers), and what finds runs on it."""

    coverage: Coverage
    compiled: Compiled
    ghosts: Ghosts
    finder: Finds
    beside: frozenset[tuple[str, str]] = frozenset()  # steps that may be in flight at once; only where anomalies ask
    until: float | None = None  # when the seconds of the budget are over, on the clock of `monotonic`

    @property
    def late(self) -> bool:
        """Whether the seconds of the budget are over: what is known is told, and no more is looked for."""
        return self.until is not None and monotonic() > self.until

    def run(self, obligation: Obligation) -> Obligation:
        """An uncovered obligation with a shortest run, fired and judged again. Raises EvidenceError where it does not show."""
        from placet.coverage.replay import check

        found = obligation._replace(trace=self.finder.find(obligation))
        check(self.compiled, found, self.coverage.causes)
        return found


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
    """Measure a net whose faults are woven, with at most `fault_budget` of them in a run; of these families, or of all.

    With `faultless` the run without any fault is a scenario too: coverage does not count it, anomalies ask about every run.
    One exploration, a few passes over its edges, then O(scenarios x states between their faults). The seconds of the
    budget are for all of it, roughly: the passes over the edges are not cut.
    """
    until = None if budget.seconds is None else monotonic() + budget.seconds
    if engine is None:
        from placet.engines.reference import Reference

        engine = Reference()
    asked = families or frozenset()
    ghosts = ghosts_of(compiled, isolation=ISOLATION in asked, retries=RETRIES in asked)
    watched = compiled._replace(observers=(*compiled.observers, *ghosts.observers))
    causes = causes_of(watched)
    seen = engine.explore(
        forgetting(watched),
        watched.initial,
        watched.observers,
        [Visitor(needs=Needs.EDGES)],
        _exploring(budget),
        progress,
    )
    more = tuple(sorted(families - FAMILIES.keys())) if families is not None else ()
    facts = Facts(watched, ghosts, seen, frozenset(causes.of), (*FAMILIES, *more))
    scenarios = Scenarios(facts, ghosts, causes, fault_budget, faultless=faultless, most=budget.states, until=until)
    rows = _rows(facts, ghosts, scenarios, causes, families, until)
    stop = (seen.stop.budget, seen.stop.reached) if seen.stop is not None else ("", "")
    if scenarios.stopped and not stop[0]:
        stop = ("seconds" if scenarios.late else "states", str(len(scenarios.states)))
    if stop[0] == "seconds":
        stop = ("seconds", f"{budget.seconds or 0:g}")
    size = Size(seen.states, seen.edges, seen.engine, seen.complete and not scenarios.stopped, stop)
    coverage = Coverage(causes.causes, (*(s.id for s in ghosts.steps), ""), rows, size, facts.bits.families)
    ids = [s.id for s in ghosts.steps]
    beside = frozenset((ids[s], ids[u]) for s, u in facts.beside(scenarios.going())) if faultless else frozenset()
    return Measured(coverage, _told(watched, ghosts), ghosts, Finder(facts, ghosts, scenarios), beside, until)


def _exploring(budget: Budget) -> Budget:
    return budget if budget.seconds is None else budget._replace(seconds=budget.seconds * EXPLORING)


def _told(compiled: Compiled, ghosts: Ghosts) -> Compiled:
    """The net whose saga steps know the observers of their effects, for those who tell its runs."""
    first = len(compiled.observers) - len(ghosts.observers)
    number = {s.id: first + PER_STEP * i + EFFECT for i, s in enumerate(ghosts.steps)}
    steps = tuple(s._replace(effect=number.get(s.id, s.effect)) for s in compiled.roles.steps)
    return compiled._replace(roles=compiled.roles._replace(steps=steps))


def _rows(
    facts: Facts,
    ghosts: Ghosts,
    scenarios: Scenarios,
    causes: Causes,
    families: frozenset[str] | None,
    until: float | None,
) -> tuple[Row, ...]:
    """What the entries of each scenario tell, united."""
    bits = facts.bits
    whole = 1 << len(ghosts.steps)
    grouped: dict[tuple[tuple[int, ...], Phases], int] = {}
    for entry in scenarios.entries:
        told = scenarios.told(entry)
        if told is not None:
            key = entry.context.causes, entry.context.phases
            grouped[key] = grouped.get(key, 0) | told
    found: dict[tuple[int, ...], list[int]] = {}  # by causes: by phase, the facts of the steps in it
    for (faults, phases), told in grouped.items():
        kept = found.setdefault(faults, [0] * (len(PHASES) + 1))
        unknown = told & bits.unknown
        for k, steps in enumerate((*phases, whole)):
            if steps:
                kept[k] |= (told & bits.rows(steps)) | unknown
    if facts.rows.expanded < facts.rows.states or scenarios.stopped:
        from placet.coverage.unseen import Unseen

        unseen = Unseen(facts, scenarios, causes, until)
        for faults, kept in found.items():
            if unseen.may_add(faults):
                found[faults] = [told | bits.unknown for told in kept]
    _blame(bits, ghosts, causes, found)
    section = (1 << bits.section) - 1
    asked = _asked(bits, families)
    rows = []
    for faults in sorted(found, key=lambda f: (len(f), f)):
        for k, told in enumerate(found[faults]):
            owed = told >> bits.section & asked
            if owed:
                broken, called = told & section, told >> 2 * bits.section & section
                phase = PHASES[k] if k < len(PHASES) else ""
                rows.append(Row(faults, phase, broken, owed, called, bool(told & bits.unknown)))
    return tuple(rows)


def _asked(bits: Bits, families: frozenset[str] | None) -> int:
    """The obligations that are asked for: TERM of the saga, the other families of steps."""
    steps, total = (1 << bits.columns - 1) - 1, 0
    for row, family in enumerate(bits.families):
        if families is None or family in families:
            total |= (1 << bits.columns - 1 if family in WHOLE else steps) << row * bits.columns
    return total


def _blame(bits: Bits, ghosts: Ghosts, causes: Causes, found: dict[tuple[int, ...], list[int]]) -> None:
    """A failed undo is blamed for whatever stays out of balance in its scenario."""
    number = {s.id: i for i, s in enumerate(ghosts.steps)}
    columns = (1 << bits.columns) - 1
    for faults, kept in found.items():
        hit = (causes.causes[f] for f in faults)
        failing = {number[c.step] for c in hit if c.direction == "undo" and c.step in number}
        if not failing:
            continue
        broken = any(told & columns for told in kept)
        unknown = bits.unknown if any(told & bits.unknown for told in kept) else 0
        called = any(told >> 2 * bits.section & columns for told in kept)
        for k, told in enumerate(kept):
            for s in failing:
                if told & bits.owed(UNDO_FAIL, s):
                    kept[k] |= unknown
                    kept[k] |= bits.broken(UNDO_FAIL, s) if broken else 0
                    kept[k] |= bits.escalated(UNDO_FAIL, s) if called else 0
