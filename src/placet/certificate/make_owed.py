"""Evidence for what a saga owes under faults: a closed set with its counts, and a run for each obligation that is not covered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from placet.certificate.closed import BeyondError
from placet.certificate.measured import BLAMED
from placet.certificate.memory import FAMILIES
from placet.certificate.owed import NODES, RUNS, Told
from placet.errors import EvidenceError
from placet.evidence import Breaks, Reach, Violated
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.certificate.measured import Owed, Owes
    from placet.certificate.owed import Runs, Scenario
    from placet.evidence import Holds, Trace

LOOKS = 4_000_000  # at situations, for all the runs of a certificate


class Tools(NamedTuple):
    """What the certificate in the making offers."""

    whole: Callable[[], tuple[int, Runs] | None]  # the number of the set of all situations, and its runs
    run: Callable[[Trace], dict[str, Any]]


class MissingError(Exception):
    """There is no evidence that could be written down: why, in a few words."""


def evidence(
    asked: Owed, verdict: Holds | Violated, counts: tuple[int, int] | None, tools: Tools, too_many: str
) -> dict[str, Any]:
    """What shows the verdict. `counts` are feasible and covered, where all was counted. Raises MissingError, EvidenceError."""
    (owes,) = asked.obligations
    refuted = isinstance(verdict, Violated)
    if owes.where != "counted" and isinstance(verdict, Violated):
        return {"obligation": 0, **_broken(asked, verdict, tools)}
    whole = tools.whole()
    if whole is not None and owes.where == "counted":
        number, runs = whole
        try:
            told = _counted(runs, owes, counts, tools)
        except BeyondError as why:
            too_many = str(why)
            if not refuted and owes.demand == 100:
                return {"set": number}
        else:
            return {**({"obligation": 0} if refuted else {}), "set": number, **told}
    if isinstance(verdict, Violated) and owes.demand == 100:
        return {"obligation": 0, **_broken(asked, verdict, tools)}
    if whole is None or owes.where == "counted":
        raise MissingError(too_many)
    return {"set": whole[0]}


def _counted(runs: Runs, owes: Owes, counts: tuple[int, int] | None, tools: Tools) -> dict[str, Any]:
    count = runs.counted(owes)
    if counts is not None and counts != (count.feasible, count.covered):
        raise EvidenceError(
            f"counted anew {count.covered} of {count.feasible} obligations are covered, and not {counts[1]} of {counts[0]}"
        )
    first = sorted(count.uncovered, key=lambda told: (len(told.faults), FAMILIES.index(told.family)))[:RUNS]
    shown = []
    left = LOOKS
    for told in first:
        found, looks = _shortest(runs, told, left)
        left -= looks
        shown.append({**told._asdict(), **tools.run(found)})
    return {"feasible": count.feasible, "covered": count.covered, "uncovered": shown}


def _shortest(runs: Runs, told: Told, most: int) -> tuple[Trace, int]:
    """A shortest run to its end that does not keep an obligation, and at how much was looked. Raises BeyondError."""
    memory = runs.memory
    n = memory.number.get(told.step, -1)
    wanted = memory.bit(told.family, n)
    if told.family == BLAMED:
        wanted = sum(memory.bit("BALANCE", s) for s in range(len(memory.steps)))
    of = () if n < 0 or told.family == BLAMED else (n,)
    start: tuple[int, Scenario, bool] = (*runs.start, False)
    back: dict[tuple[int, Scenario, bool], tuple[tuple[int, Scenario, bool], int]] = {}
    seen, queue = {start}, [start]
    for here in queue:
        i, scenario, broken = here
        ends = runs.ended(i)
        if ends is not None and (broken or ends & wanted) and runs.speaks(scenario, told, n):
            way = []
            while here in back:
                here, t = back[here]  # noqa: PLW2901
                way.append(t)
            return tuple(reversed(way)), len(queue)
        if len(queue) > min(most, 2 * NODES):
            raise BeyondError("there are too many situations to find a run for each obligation that is not covered")
        for t, j, after, facts in runs.moves(i, scenario, of):
            if runs.leads(after, told):
                there = (j, after, broken or bool(facts & wanted))
                if there not in seen:
                    seen.add(there)
                    back[there] = (here, t)
                    queue.append(there)
    raise EvidenceError(f"no run shows that {told.family} of `{told.step}` is not covered")


def _broken(asked: Owed, verdict: Violated, tools: Tools) -> dict[str, Any]:
    claim, witness = verdict.claim, verdict.witness
    if not isinstance(claim, Breaks) or not isinstance(witness, Reach):
        raise MissingError("its evidence is an argument that a certificate cannot hold")
    shown = {"family": claim.family, "step": claim.step, **tools.run(witness.trace)}
    if asked.obligations[0].where == "beside":
        shown["beside"] = tools.run(_together(claim, tools))
    return shown


def _together(claim: Breaks, tools: Tools) -> Trace:
    """A run to where the step and one that a fault of the scenario hits are on their way at once."""
    whole = tools.whole()
    if whole is None:
        raise MissingError(
            "a run that has both steps on their way at once was not found among the situations looked at"
        )
    _, runs = whole
    steps = {told.id: told.step for told in runs.causes}
    hit = {steps[name] for name in claim.faults}
    back: dict[int, tuple[int, int]] = {}
    first, scenario = runs.start
    queue = [first]
    seen = set(queue)
    for i in queue:
        pairs = runs.beside_in(i)
        if any((claim.step, other) in pairs for other in hit):
            way = []
            while i in back:
                i, t = back[i]  # noqa: PLW2901
                way.append(t)
            return tuple(reversed(way))
        for t, j, *_ in runs.moves(i, scenario, ()):
            if j not in seen:
                seen.add(j)
                back[j] = (i, t)
                queue.append(j)
    raise EvidenceError(f"no run has `{claim.step}` on its way beside another step")
