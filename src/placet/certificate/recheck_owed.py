"""Whether evidence shows what a saga owes: a closed set in which all is counted anew, or a run that is judged anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from placet.certificate.closed import BeyondError, RefusedError, fired_along, index
from placet.certificate.measured import BLAMED
from placet.certificate.memory import Memory
from placet.certificate.owed import RUNS, Told, fits
from placet.coverage.replay import judge
from placet.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placet.certificate.measured import Owed, Owes
    from placet.certificate.owed import Runs
    from placet.compiled import Compiled
    from placet.coverage.replay import Judged
    from placet.evidence import Trace

    Steps = Callable[[dict[str, Any]], Trace]  # the run of a piece of evidence

STEPS = 200_000  # of all runs of an entry


def proved(asked: Owed, runs: Runs, shown: dict[str, Any], steps: Steps) -> None:
    """Accept a closed set for a proof. Raises RefusedError."""
    (owes,) = asked.obligations
    if "feasible" in shown:
        feasible, covered = _counted(asked, runs, shown, steps)
        if owes.where != "counted" or 100 * covered < owes.demand * feasible:
            raise RefusedError("less is covered than was demanded")
    elif owes.demand < 100:
        raise RefusedError("it does not say how much is covered")
    elif runs.breaks(owes.families) and runs.counted(owes).uncovered:
        raise RefusedError("in its set a run does what none should do")


def refuted(asked: Owed, shown: dict[str, Any], closed: Callable[[Any], Runs], steps: Steps) -> None:
    """Accept a run, or where less than all is demanded a closed set, for a refutation. Raises RefusedError."""
    (owes,) = asked.obligations
    if index(shown["obligation"]) != 0:
        raise RefusedError("nothing like that is asked")
    if "feasible" in shown:
        feasible, covered = _counted(asked, closed(shown["set"]), shown, steps)
        if owes.where != "counted" or 100 * covered >= owes.demand * feasible:
            raise RefusedError("as much is covered as was demanded")
        return
    if owes.demand < 100:
        raise RefusedError("it does not say how much is covered")
    _breaks(asked.compiled, owes, shown, steps)


def _counted(asked: Owed, runs: Runs, shown: dict[str, Any], steps: Steps) -> tuple[int, int]:
    """(feasible, covered), as the evidence says and as is so; with a run for what is not covered."""
    count = runs.counted(asked.obligations[0])
    if (index(shown["feasible"]), index(shown["covered"])) != (count.feasible, count.covered):
        raise RefusedError(f"{count.covered} of {count.feasible} obligations are covered, and it says something else")
    told = [Told(one["family"], one["step"], tuple(one["faults"]), one["phase"]) for one in shown["uncovered"]]
    if len(told) != min(RUNS, len(count.uncovered)) or len(set(told)) != len(told):
        raise RefusedError("it does not show each obligation that is not covered")
    if not set(told) <= set(count.uncovered):
        raise RefusedError("it shows an obligation that is covered, or that there is not")
    if sum(len(steps(run)) for run in shown["uncovered"]) > STEPS:
        raise BeyondError("its runs are longer than can be checked")
    for one, run in zip(told, shown["uncovered"], strict=True):
        judged = _judged(asked.compiled, steps(run))
        if not judged.settled and ("TERM", "") not in judged.broken:
            raise BeyondError("a run of its is not over, or ends in more situations than can be looked at")
        if tuple(c.id for c in judged.causes) != one.faults or not breaks(judged, one.family, one.step):
            raise RefusedError("a run does not show what is not covered")
        if one.family != BLAMED and one.phase and judged.phases.get(one.step) != one.phase:
            raise RefusedError("a run gives up at another moment than it should show")
    return count.feasible, count.covered


def _breaks(compiled: Compiled, owes: Owes, shown: dict[str, Any], steps: Steps) -> None:
    """The run breaks one of the families, in a scenario that is asked about."""
    run, family, step = steps(shown), shown["family"], shown["step"]
    if len(run) > STEPS:
        raise BeyondError("its run is longer than can be checked")
    memory, judged = Memory(compiled), _judged(compiled, run)
    if family not in owes.families or not breaks(judged, family, step):
        raise RefusedError("its run does not break what it should")
    if owes.where == "counted" and not judged.causes and memory.gives_up.isdisjoint(run):
        raise RefusedError("its run has no fault, and does not give up")
    pairs: Sequence[tuple[str, str]] = ()
    if owes.where == "beside":
        kept = memory.values(fired_along(compiled, compiled.start, steps(shown["beside"])))
        pairs = memory.beside(kept)
    if not fits(owes.where, step, judged.phases.get(step, ""), judged.causes, pairs):
        raise RefusedError("its run is of another scenario than it should show")


def breaks(judged: Judged, family: str, step: str) -> bool:
    """Whether a run breaks an obligation: a failed undo is blamed for all that is out of balance."""
    if family == BLAMED:
        hit = any(c.direction == "undo" and c.step == step for c in judged.causes)
        return hit and any(found == "BALANCE" for found, _ in judged.broken)
    return (family, step) in judged.broken


def _judged(compiled: Compiled, run: Trace) -> Judged:
    try:
        return judge(compiled, run)
    except EvidenceError as problem:
        raise RefusedError(str(problem)) from None
