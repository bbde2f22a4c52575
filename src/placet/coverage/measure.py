"""Compensation coverage of one saga under one fault hypothesis: the main path of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from placet.coverage.causes import causes as causes_of
from placet.coverage.facts import ROWS, TERM, UNDO_FAIL, Facts
from placet.coverage.ghosts import ghosts as ghosts_of
from placet.coverage.obligations import PHASES, Coverage, Obligation, Status
from placet.coverage.scenarios import Scenarios
from placet.engines.protocol import Needs, Visitor
from placet.evidence import Budget

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.coverage.causes import Causes
    from placet.coverage.ghosts import Ghosts
    from placet.engines.protocol import Engine, Progress


class Measured(NamedTuple):
    """Coverage, and the net it was measured on, with its observers: what traces are fired on."""

    coverage: Coverage
    compiled: Compiled
    ghosts: Ghosts


def measure(
    compiled: Compiled,
    fault_budget: int,
    budget: Budget = Budget(),
    engine: Engine | None = None,
    progress: Progress | None = None,
    families: frozenset[str] | None = None,
    traces: int = 100,
) -> Measured:
    """Measure a net whose faults are woven, with at most `fault_budget` of them in a run.

    Gives every obligation that some run has, in the order (scenario, family, step). The first `traces` uncovered ones
    get a shortest run. One exploration, then O(scenarios x (states after their last fault)).
    """
    if engine is None:
        from placet.engines.reference import Reference

        engine = Reference()
    ghosts = ghosts_of(compiled)
    watched = compiled._replace(observers=(*compiled.observers, *ghosts.observers))
    causes = causes_of(watched)
    seen = engine.explore(
        watched.net, watched.initial, watched.observers, [Visitor(needs=Needs.EDGES)], budget, progress
    )
    facts = Facts(watched, ghosts, seen, frozenset(causes.of))
    scenarios = Scenarios(facts, ghosts, causes, fault_budget)
    found = _collect(facts, ghosts, scenarios, causes)
    obligations = _listed(facts, ghosts, found, families)
    if traces:
        from placet.coverage.traces import with_traces

        obligations = with_traces(obligations, facts, ghosts, scenarios, causes, traces)
    stop = (seen.stop.budget, seen.stop.reached) if seen.stop is not None else ("", "")
    coverage = Coverage(causes.causes, obligations, seen.states, seen.edges, seen.engine, seen.complete, stop)
    return Measured(coverage, watched, ghosts)


Found = dict[tuple[int, ...], list[int]]  # by causes: by phase, the facts of the steps in it


def _collect(facts: Facts, ghosts: Ghosts, scenarios: Scenarios, causes: Causes) -> Found:
    future = facts.future()
    calm, can = facts.calmly(ghosts.commits)
    whole = 1 << len(ghosts.steps)
    rows: dict[int, int] = {}

    def spread(steps: int) -> int:
        if steps not in rows:
            rows[steps] = facts.bits.rows(steps)
        return rows[steps]

    found: Found = {}
    for node, (faults, calmly, phases) in scenarios.entries:
        state = scenarios.states[node]
        if calmly and not can[state]:
            continue
        told = scenarios.past[node] | (calm if calmly else future)[state]
        kept = found.setdefault(faults, [0] * (len(PHASES) + 1))
        unknown = told & facts.bits.unknown
        for k, steps in enumerate(phases):
            if steps:
                kept[k] |= (told & spread(steps)) | unknown
        kept[-1] |= (told & spread(whole)) | unknown
    _blame(facts, ghosts, causes, found)
    return found


def _blame(facts: Facts, ghosts: Ghosts, causes: Causes, found: Found) -> None:
    """A failed undo is blamed for whatever stays out of balance in its scenario."""
    bits = facts.bits
    number = {s.id: i for i, s in enumerate(ghosts.steps)}
    columns = (1 << bits.columns) - 1
    for faults, kept in found.items():
        failing = {number[c.step] for c in (causes.causes[f] for f in faults) if c.direction == "undo" and c.step in number}
        if not failing:
            continue
        broken = any(facts_ & columns for facts_ in kept)
        called = any(facts_ >> 2 * bits.section & columns for facts_ in kept)
        for k, facts_ in enumerate(kept):
            for s in failing:
                if facts_ & bits.owed(UNDO_FAIL, s):
                    kept[k] |= bits.broken(UNDO_FAIL, s) if broken else 0
                    kept[k] |= bits.escalated(UNDO_FAIL, s) if called else 0


def _listed(
    facts: Facts, ghosts: Ghosts, found: Found, families: frozenset[str] | None
) -> tuple[Obligation, ...]:
    bits = facts.bits
    section = (1 << bits.section) - 1
    names = [s.id for s in ghosts.steps] + [""]
    listed = []
    for faults in sorted(found, key=lambda f: (len(f), f)):
        for k, told in enumerate(found[faults]):
            broken, owed, called = told & section, told >> bits.section & section, told >> 2 * bits.section & section
            while owed:
                bit = owed & -owed
                owed ^= bit
                row, column = divmod(bit.bit_length() - 1, bits.columns)
                if (column == bits.columns - 1) != (row == TERM) or (families is not None and ROWS[row] not in families):
                    continue
                if broken & bit:
                    status = Status.UNCOVERED
                elif told & bits.unknown:
                    status = Status.UNDECIDED
                else:
                    status = Status.BY_ESCALATION if called & bit else Status.COVERED
                phase = PHASES[k] if k < len(PHASES) else ""
                listed.append(Obligation(ROWS[row], names[column], faults, phase, status))
    return tuple(listed)
