"""Which obligations recorded runs have exercised (XC), and the fault experiments that nobody has made yet.

A recorded run, as a firing sequence of the woven net, is judged by the same plain walk as every counterexample. It exercises the
obligations of its own scenario that it owes and keeps, once it has settled: a test that stopped half-way shows nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.coverage.obligations import Status
from placet.coverage.replay import judge
from placet.net.roles import Kind, builders
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from placet.compiled import Compiled
    from placet.coverage.measure import Measured
    from placet.coverage.obligations import Cause, Obligation
    from placet.evidence import Trace


class Exercised(NamedTuple):
    """What recorded runs showed: the obligations that they held, those that they broke, and their scenarios."""

    held: frozenset[Obligation]
    broken: frozenset[Obligation]
    scenarios: frozenset[tuple[Cause, ...]]

    @property
    def total(self) -> int:
        """Obligations that some run exercised and that no run broke."""
        return len(self.held - self.broken)


class Tested(NamedTuple):
    """What recorded runs are held to (A24): how much of what is feasible they must exercise, and what came out."""

    percent: int
    outcome: str  # proved, violated, inconclusive
    never: tuple[Obligation, ...]  # that no run exercised, held or broken; the fewest faults first


def held_to(measured: Measured, done: Exercised, percent: int) -> Tested:
    """Whether recorded runs exercise so much. With undecided obligations it may stay open. O(obligations).

    What is not known to be owed by some run counts as owed for a proof, and as not owed for a violation.
    """
    coverage = measured.coverage
    most, least = coverage.feasible + coverage.undecided, coverage.feasible
    outcome = "inconclusive"
    if most and 100 * done.total >= percent * most and coverage.size.complete:
        outcome = "proved"
    elif least and 100 * done.total < percent * least:
        outcome = "violated"
    seen = done.held | done.broken
    never = [o for o in coverage.obligations if o.status is not Status.UNDECIDED and o not in seen]
    return Tested(percent, outcome, tuple(sorted(never, key=lambda o: len(o.faults))))


class Experiment(NamedTuple):
    """A fault experiment: these faults, injected at this moment, should end so. `run` is a run that shows it."""

    faults: tuple[Cause, ...]
    moment: str  # what has just happened when the first fault comes
    ends: tuple[str, ...]  # the ends that runs with these faults may have
    obligations: int  # that it would exercise
    run: Trace


def exercised(measured: Measured, runs: Iterable[Trace]) -> Exercised:
    """Judge recorded runs. Linear in their lengths and in the obligations. Raises EvidenceError where one does not fire."""
    coverage = measured.coverage
    by_scenario: dict[tuple[Cause, ...], list[Obligation]] = {}
    for o in coverage.obligations:
        by_scenario.setdefault(tuple(coverage.causes[f]._replace(words="") for f in o.faults), []).append(o)
    held: set[Obligation] = set()
    broken: set[Obligation] = set()
    scenarios: set[tuple[Cause, ...]] = set()
    for run in runs:
        judged = judge(measured.compiled, run)
        faults = tuple(c._replace(words="") for c in judged.causes)
        scenarios.add(faults)
        owed = _owed(measured.compiled, run)
        unbalanced = any(family == "BALANCE" for family, _ in judged.broken)
        for o in by_scenario.get(faults, ()):
            if o.step and o.phase != judged.phases.get(o.step):
                continue
            if (o.family, o.step) in judged.broken or (o.family == "UNDO-FAIL" and unbalanced):
                broken.add(o)
            elif judged.settled and (o.family, o.step) in owed:
                held.add(o)
    return Exercised(frozenset(held), frozenset(broken), frozenset(scenarios))


def _owed(compiled: Compiled, run: Trace) -> set[tuple[str, str]]:
    """The obligations, by family and step, whose premise occurs in a run."""
    depended = {s for s, on_it in builders(compiled.roles.steps).items() if on_it}
    needs = {s.id for s in compiled.roles.steps if s.reply}
    pivots = {s.id for s in compiled.roles.steps if s.pivot}
    found = {("TERM", "")}
    for t in run:
        role = compiled.roles.transitions[t]
        acts = role.kind is Kind.APPLY or role.fault == "partial"
        if role.direction == "undo":
            if role.kind is Kind.SEND:
                found.add(("NULL", role.step))
                if role.step in needs:
                    found.add(("INPUT", role.step))
            if acts or role.kind is Kind.IGNORE:
                found.add(("LATE", role.step))
            if acts and role.step in depended:
                found.add(("ORDER", role.step))
            if role.kind is Kind.FAULT:
                found.add(("UNDO-FAIL", role.step))
        elif role.kind is Kind.SEND or acts:
            found.add(("BALANCE", role.step))
            if acts:
                found.add(("ONCE", role.step))
                if role.step in pivots:
                    found.add(("PIVOT", role.step))
    return found


def experiments(measured: Measured, done: Exercised | None = None) -> tuple[Experiment, ...]:
    """The scenarios with faults that no recorded run has had, as experiments to make. O(scenarios x their runs).

    Those with the fewest faults come first; when the time of the measurement is over the others have no run.
    """
    coverage = measured.coverage
    made = done.scenarios if done is not None else frozenset()
    owes: dict[tuple[int, ...], int] = {}
    for row in coverage.rows:
        if row.faults:
            owes[row.faults] = owes.get(row.faults, 0) + row.owed.bit_count()
    found: list[Experiment] = []
    for faults, owed in sorted(owes.items(), key=lambda item: len(item[0])):
        causes = tuple(coverage.causes[f] for f in faults)
        if tuple(c._replace(words="") for c in causes) in made:
            continue
        run, ends = measured.finder.sample(faults) if not found or not measured.late else ((), ())
        moment = _moment(measured.compiled, run) if run else ""
        found.append(Experiment(causes, moment, ends, owed, run))
    return tuple(found)


def _moment(compiled: Compiled, run: Sequence[int]) -> str:
    """What has happened last before the first fault of a run."""
    before = ""
    for t in run:
        if compiled.roles.transitions[t].kind is Kind.FAULT:
            return before or "at the start"
        if compiled.roles.transitions[t].kind is not Kind.ROUTE:
            before = compiled.origin.transitions[t].phrase
    return before or "at the start"


def uncovered_first(obligations: Iterable[Obligation]) -> list[Obligation]:
    """Uncovered ones first, then undecided ones, then the others; stable."""
    order = [Status.UNCOVERED, Status.UNDECIDED, Status.BY_ESCALATION, Status.COVERED]
    return sorted(obligations, key=lambda o: order.index(o.status))
