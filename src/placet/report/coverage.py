"""Compensation coverage in words: the counts, a matrix of steps and faults, what is not survived, and a run that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.coverage import anomalies
from placet.coverage.obligations import Status
from placet.evidence import Breaks, Holds, Inconclusive, Proof, Reach, Violated
from placet.faults.hypothesis import LEVELS
from placet.report.coverage_words import BROKEN, broken, percent, scenario, span_of
from placet.report.report import CheckReport, CoverageReport, ObligationReport, Story
from placet.report.words import counted, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.compiled import Query
    from placet.coverage.anomalies import Anomaly
    from placet.coverage.measure import Measured
    from placet.coverage.obligations import Coverage, Obligation
    from placet.evidence import Verdict
    from placet.faults.hypothesis import Hypothesis
    from placet.report.run import Run

LISTED = 50_000  # obligations; of more than these only the uncovered and undecided ones are listed
RUNS = 25  # uncovered obligations that get a run of their own, shortest scenarios first

_OPTIONS = {"states": "--budget-states", "bytes": "--budget-mb", "seconds": "--budget-seconds"}

# Families of which the effects of all steps are told, and those that say how the effect of their step came about.
_UNDONE = ("BALANCE", anomalies.NOT_UNDONE)
_OF_EFFECTS = (*_UNDONE, anomalies.NOT_COMPLETE, anomalies.SAYS_COMPENSATED, "PIVOT", "ONCE", "LATE")


def report_coverage(query: Query, measured: Measured, hypothesis: Hypothesis, seconds: float) -> CheckReport:
    """The entry of one coverage check. Raises EvidenceError where a run does not show what it was found for."""
    coverage = measured.coverage
    compiled = measured.compiled
    runs = _runs(measured)
    verdict = _verdict(coverage, query.demand, runs)
    assumptions = compiled.assumptions
    entry = CheckReport(
        query.check,
        query.label or f"coverage({compiled.subject})",
        "proved",
        _counts(coverage),
        coverage.size.engine,
        coverage.size.states,
        coverage.size.edges,
        seconds,
        query.span,
        assumptions,
        sentence=query.sentence,
        verdict=verdict._replace(assumptions=assumptions),
        coverage=_entry(measured, hypothesis, query.demand, runs),
    )
    if isinstance(verdict, Holds):
        return entry._replace(vacuous=verdict.vacuous)
    if isinstance(verdict, Violated):
        story = _story(query, measured, runs)
        return entry._replace(outcome="violated", message=story.headline, story=story)
    option = {"states": "--budget-states", "bytes": "--budget-mb", "seconds": "--budget-seconds"}.get(
        verdict.budget, ""
    )
    return entry._replace(
        outcome="inconclusive", message=verdict.reason, budget=verdict.budget, limit=verdict.limit, option=option
    )


def report_anomaly(query: Query, measured: Measured, anomaly: Anomaly, seconds: float) -> CheckReport:
    """The entry of a check for one anomaly: the obligations that show it. Raises EvidenceError as `report_coverage`."""
    from placet.coverage.anomalies import Seen

    coverage, compiled = measured.coverage, measured.compiled
    known = Seen(coverage.causes, measured.beside)
    asked = [o for o in coverage.obligations if anomaly.asks(o, known)]
    broken_ones = [o for o in asked if o.status is Status.UNCOVERED]
    size = coverage.size
    proof = Proof(size.engine, size.states, size.edges)
    entry = CheckReport(
        query.check,
        query.label or f"{query.check}({compiled.subject})",
        "proved",
        f"{anomaly.name}: no run of {quoted(compiled.subject)} has it",
        size.engine,
        size.states,
        size.edges,
        seconds,
        query.span,
        compiled.assumptions,
        sentence=query.sentence,
    )
    if broken_ones:
        runs = _with_runs(measured, broken_ones)
        first = min(runs, key=lambda o: (len(o.faults), len(o.trace)))
        claim = Breaks(first.family, first.step, tuple(coverage.causes[f].id for f in first.faults), first.phase)
        verdict = Violated(claim, Reach(first.trace), proof, compiled.assumptions)
        story = _anomaly_story(query, measured, verdict, first, len(broken_ones))
        return entry._replace(outcome="violated", message=story.headline, story=story, verdict=verdict)
    if size.complete:
        vacuous = "" if asked else f"no run of {quoted(compiled.subject)} under these faults comes near it"
        return entry._replace(vacuous=vacuous, verdict=Holds(proof, compiled.assumptions, vacuous))
    open_ = _open(coverage, proof)
    option = _OPTIONS.get(open_.budget, "")
    return entry._replace(
        outcome="inconclusive",
        message=open_.reason,
        budget=open_.budget,
        limit=open_.limit,
        option=option,
        verdict=open_._replace(assumptions=compiled.assumptions),
    )


def _anomaly_story(query: Query, measured: Measured, violated: Violated, first: Obligation, count: int) -> Story:
    from placet.report.advice import advice
    from placet.report.run import make_run

    run = make_run(measured.compiled, query, violated)
    why = [*_history(run, first), _needs(measured.coverage, first)]
    if count > 1:
        why.append(f"{counted(count, 'scenario')} show it; this is one of the shortest")
    told = _headline(measured, run, first)
    help_ = tuple(advice(run)) or (f"`placet explain {query.check}` says what helps most often",)
    return Story("reach", told, run.steps, None, run.turned, tuple(why), help_)


def _headline(measured: Measured, run: Run, first: Obligation) -> str:
    """What is wrong, with the names of what it is wrong with."""
    from placet.report.story import headline

    if first.family in _UNDONE:
        return headline(run._replace(query=run.query._replace(check="anomaly_A1")))
    return broken(measured, first.family, first.step)


def _history(run: Run, first: Obligation) -> list[str]:
    """In which steps of the run the effect came about, where it is the effect that is wrong in the end."""
    from placet.report.reasons import effect_history

    if first.family not in _OF_EFFECTS:
        return []
    return [effect_history(run, step) for step in run.compiled.roles.steps if step.id == first.step]


def _needs(coverage: Coverage, first: Obligation) -> str:
    if not first.faults:
        return "it needs no fault"
    faults = counted(len(first.faults), "fault")
    return f"it takes {faults}: {scenario(coverage, first)}"


def _runs(measured: Measured) -> list[Obligation]:
    """The first uncovered obligations with a run each, the shortest run first; one for each family and step before others."""
    first: dict[tuple[str, str], Obligation] = {}
    rest: list[Obligation] = []
    for o in measured.coverage.missing():
        if (o.family, o.step) in first:
            if len(rest) < RUNS:
                rest.append(o)
        else:
            first[o.family, o.step] = o
    found = _with_runs(measured, [*first.values(), *rest])
    order = list(BROKEN)
    return sorted(found, key=lambda o: (order.index(o.family), len(o.faults), len(o.trace)))


def _with_runs(measured: Measured, wanted: Sequence[Obligation]) -> list[Obligation]:
    """The first of them with a run each: some, or as many as there is time for."""
    found: list[Obligation] = []
    for o in wanted[:RUNS]:
        if found and measured.late:
            break
        found.append(measured.run(o))
    return found


def _verdict(coverage: Coverage, demand: int, runs: Sequence[Obligation]) -> Verdict:
    size = coverage.size
    proof = Proof(size.engine, size.states, size.edges)
    if size.complete:
        if not coverage.feasible:
            return Holds(proof, vacuous="no fault of those considered can hit a step that has an effect")
        if 100 * coverage.covered >= demand * coverage.feasible:
            return Holds(proof)
    if runs and (size.complete or demand == 100):
        o = runs[0]
        claim = Breaks(o.family, o.step, tuple(coverage.causes[f].id for f in o.faults), o.phase)
        return Violated(claim, Reach(o.trace), proof)
    return _open(coverage, proof)


def _open(coverage: Coverage, proof: Proof) -> Inconclusive:
    """Why not all is known."""
    budget, reached = coverage.size.stop
    words = {"states": "states", "bytes": "bytes of memory", "seconds": "seconds"}.get(budget, budget)
    known = f"; so far {coverage.covered} covered, {coverage.uncovered} not, {coverage.undecided} undecided"
    if budget == "unbounded":
        return Inconclusive(
            "something piles up without end, so that not every run can be looked at" + known, "theory", proof=proof
        )
    if budget == "interrupted":
        return Inconclusive("interrupted before all runs were looked at" + known, "interrupted", reached, proof=proof)
    return Inconclusive(f"not all runs fit into the budget of {reached} {words}{known}", budget, reached, proof=proof)


def _counts(coverage: Coverage) -> str:
    text = f"{coverage.covered} of {counted(coverage.feasible, 'obligation')} covered"
    if coverage.feasible and coverage.size.complete:
        text += f" ({percent(coverage.covered, coverage.feasible)})"
    return text + (f", {coverage.by_escalation} of them by calling a person" if coverage.by_escalation else "")


def _entry(measured: Measured, hypothesis: Hypothesis, demand: int, runs: Sequence[Obligation]) -> CoverageReport:
    coverage = measured.coverage
    told = {(o.family, o.step, o.faults, o.phase): o for o in runs}
    total = coverage.feasible + coverage.undecided
    obligations = coverage.obligations if total <= LISTED else tuple(coverage.missing())
    kinds = tuple(dict.fromkeys(c.kind for c in coverage.causes))
    level = next((name for name, known in LEVELS.items() if known == hypothesis), "")
    return CoverageReport(
        level,
        hypothesis.faults,
        hypothesis.budget,
        measured.compiled.assumptions.guarantees,
        coverage.feasible,
        coverage.covered,
        coverage.by_escalation,
        coverage.undecided,
        demand,
        kinds,
        matrix(coverage, kinds),
        tuple(findings(measured)),
        tuple(_obligation(measured, o, told.get((o.family, o.step, o.faults, o.phase))) for o in obligations),
        complete=coverage.size.complete,
    )


def matrix(coverage: Coverage, kinds: Sequence[str]) -> tuple[tuple[str, tuple[tuple[int, int], ...]], ...]:
    """By step, by kind of fault: how many obligations with such a fault in their scenario are covered, and owed."""
    columns = len(coverage.steps)
    number = {kind: i for i, kind in enumerate(kinds)}
    cells = [[[0, 0] for _ in kinds] for _ in coverage.steps]
    families = max((r.owed.bit_length() for r in coverage.rows), default=0) // columns + 1
    masks = [sum(1 << family * columns + step for family in range(families)) for step in range(columns)]
    for row in coverage.rows:
        hit = {number[coverage.causes[f].kind] for f in row.faults}
        good = 0 if row.unknown else row.owed & ~row.broken
        for step, mask in enumerate(masks):
            owed = (row.owed & mask).bit_count()
            if owed:
                covered = (good & mask).bit_count()
                for k in hit:
                    cells[step][k][0] += covered
                    cells[step][k][1] += owed
    return tuple(
        (name, tuple((covered, owed) for covered, owed in line))
        for name, line in zip(coverage.steps, cells, strict=True)
        if any(owed for _, owed in line)
    )


def findings(measured: Measured, shown: Obligation | None = None) -> list[str]:
    """What is not survived: a line for each family and step, the most frequent first; before them that of `shown`."""
    groups: dict[tuple[str, str], list[Obligation]] = {}
    for o in measured.coverage.missing():
        groups.setdefault((o.family, o.step), []).append(o)
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
    if shown is not None:
        ordered.sort(key=lambda item: item[0] != (shown.family, shown.step))
    said = scenario(measured.coverage, shown) if shown is not None else ""
    lines: list[str] = []
    for (family, step), found in ordered:
        first = scenario(measured.coverage, min(found, key=lambda o: len(o.faults)))
        if shown is not None and (family, step) == (shown.family, shown.step):
            first = said
        same = bool(said) and first == said and bool(lines)
        many = counted(len(found), "scenario")
        such = "the same as above" if same else first
        span = span_of(measured.compiled, step)
        where = f" (line {span.line})" if span is not None else ""
        lines.append(f"{broken(measured, family, step)}{where}: {many}, {'' if len(found) == 1 else 'first '}{such}")
    return lines


def _obligation(measured: Measured, o: Obligation, told: Obligation | None) -> ObligationReport:
    run = None
    if told is not None:
        run = Story("reach", broken(measured, o.family, o.step), _steps(measured, told))
    return ObligationReport(o.family, o.step, scenario(measured.coverage, o), o.status.value, run)


def _steps(measured: Measured, told: Obligation) -> tuple:  # type: ignore[type-arg]
    from placet.compiled import Query
    from placet.report.run import make_run

    claim = Breaks(told.family, told.step, (), told.phase)
    return make_run(measured.compiled, Query("coverage", ""), Violated(claim, Reach(told.trace), Proof("none"))).steps


def _story(query: Query, measured: Measured, runs: Sequence[Obligation]) -> Story:
    """The shortest run that breaks an obligation, told; the others as reasons."""
    from placet.report.advice import advice
    from placet.report.run import make_run

    coverage = measured.coverage
    first = runs[0]
    violated = Violated(Breaks(first.family, first.step, (), first.phase), Reach(first.trace), Proof("none"))
    run = make_run(measured.compiled, query._replace(check="anomaly_A1"), violated)
    total = counted(coverage.feasible + coverage.undecided, "obligation")
    told = (
        f"{coverage.uncovered} of {total} of {quoted(measured.compiled.subject)} not met: "
        f"{_headline(measured, run, first)}"
    )
    lines = findings(measured, first)
    why = [*_history(run, first), *lines[:8]]
    if len(lines) > 8:
        why.append(f"and {counted(len(lines) - 8, 'more finding')}: `placet coverage` lists them all")
    return Story("reach", told, run.steps, None, run.turned, tuple(why), tuple(advice(run)))
