"""The nine published sagas of a survey: the same findings at the same levels, for the same reasons.

The survey counted with a prototype: transient faults, no `partial`, one obligation (balance, and no undo of nothing) for
each step and scenario. Its figures stand beside those of placet, which differ because placet

- tells a slow request from a slow reply, and where a step had got to (its phase) from one another;
- also counts scenarios in which a slow reply came in time, and the steps that a parallel had not started;
- has as its own scenario each order in which two faults came.

So it has more obligations, never fewer findings; where nothing is slow and nothing runs in parallel the figures are equal.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from conftest import CHECKOUT
from placet.coverage.measure import measure
from placet.coverage.obligations import Status
from placet.faults.weave import Hypothesis, weave
from placet.pipeline import load

PHI0 = Hypothesis(("reject",), 1, "transient")
PHI1 = Hypothesis(("reject", "lost", "slow"), 1, "transient")
PHI2 = Hypothesis(("reject", "lost", "slow", "undo-fail"), 2, "transient")
NO_LOSSES = (PHI0, PHI0, Hypothesis(("reject", "undo-fail"), 2, "transient"))  # a framework that loses no message


class Saga(NamedTuple):
    """A row: the file, (covered, feasible) of the survey and of placet at the three levels, and why not all are covered."""

    file: str
    survey: tuple[tuple[int, int], ...]
    placet: tuple[tuple[int, int], ...]
    why: object = None  # (obligation, causes) -> whether it is uncovered for the reason of the survey
    levels: tuple[Hypothesis, ...] = (PHI0, PHI1, PHI2)


def hits_itself(o, causes, *kinds) -> bool:
    return len(causes) == 1 and causes[0].step == o.step and (causes[0].kind, causes[0].part) in kinds


def unregistered(o, causes) -> bool:
    """The step may have been applied when its time-out fired: no undo was registered."""
    far = o.phase in ("on its way", "applied, not acknowledged")
    return (
        o.family == "BALANCE"
        and far
        and hits_itself(o, causes, ("slow", "request"), ("slow", "reply"), ("lost", "reply"))
    )


def late(o, causes) -> bool:
    """The request is slow, its undo finds nothing, then it is applied."""
    return o.family == "BALANCE" and o.phase == "on its way" and hits_itself(o, causes, ("slow", "request"))


def uncaught(o, causes) -> bool:
    """A time-out ends the run with nothing undone: every step that has an effect keeps it."""
    return o.family == "BALANCE" and {c.kind for c in causes} <= {"lost", "slow"} and o.phase != "refused"


def approved_too_late(o, causes) -> bool:
    """An approval refuses; what stands before it has no undo."""
    step, refused = o.step.rpartition("/")[2], {c.step.rpartition("/")[2] for c in causes}
    return (
        o.phase == "applied, acknowledged"
        and step in ("authorise", "approve_ticket")
        and refused <= {"approve_ticket", "approve_order"}
    )


def undone_for_nothing(o, causes) -> bool:
    """The undo of a step that was refused, or that had not arrived, runs all the same."""
    return o.phase in ("refused", "on its way") and len(causes) == 1 and causes[0].step == o.step


def abandoned(o, causes) -> bool:
    """The fault hit another way of the parallel; this one takes effect and is never undone."""
    return o.family == "BALANCE" and all(c.step != o.step for c in causes)


SAGAS = {
    "temporal-go": Saga(
        "temporal_go_transfer/broken/as-published",
        ((3, 3), (9, 13), (20, 35)),
        ((5, 5), (21, 29), (127, 178)),  # the failing step of the survey is no step of its own: here it may be refused
        unregistered,
    ),
    "temporal-java": Saga(
        "temporal_java_booking/broken/as-published",
        ((6, 6), (21, 24), (81, 90)),
        ((6, 6), (36, 39), (256, 280)),
        late,
    ),
    "temporal-java with a barrier": Saga(
        "temporal_java_booking/model", ((6, 6), (24, 24), (90, 90)), ((6, 6), (39, 39), (280, 280))
    ),
    "step functions": Saga(
        "step_functions_order/broken/as-published",
        ((6, 6), (6, 18), (13, 35)),
        ((6, 6), (15, 39), (79, 218)),
        uncaught,
    ),
    "ftgo": Saga(
        "ftgo_create_order/broken/as-published",
        ((8, 11), (8, 11), (11, 31)),
        ((13, 16), (13, 16), (23, 43)),  # three uncovered in both; the survey has fewer of the steps that are undone
        approved_too_late,
        NO_LOSSES,
    ),
    "dtm with a barrier": Saga("dtm_transfer/model", ((3, 3), (13, 13), (41, 41)), ((3, 3), (19, 19), (107, 107))),
    "dtm without": Saga(
        "dtm_transfer/broken/without-barrier",
        ((1, 3), (5, 13), (17, 41)),
        ((1, 3), (13, 19), (70, 107)),
        undone_for_nothing,
    ),
    "three abandoned": Saga(
        "parallel_parts/broken/abandoned",
        ((0, 12), (0, 42), (39, 321)),
        ((3, 27), (18, 138), (405, 1851)),
        abandoned,
    ),
    "three awaited": Saga(
        "parallel_parts/broken/no-barrier",
        ((6, 6), (18, 24), (117, 207)),
        ((27, 27), (135, 138), (2016, 2127)),
        late,
    ),
}


def measured(saga: Saga, level: int):
    (compiled,) = load(CHECKOUT / "models" / f"{saga.file}.placet").compiled
    hypothesis = saga.levels[level]
    woven = weave(compiled._replace(queries=()), hypothesis).compiled
    return measure(woven, hypothesis.budget, families=frozenset(("BALANCE", "NULL"))).coverage


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("name", SAGAS)
def test_the_findings_of_the_survey(name, level) -> None:
    saga = SAGAS[name]
    coverage = measured(saga, level)
    assert coverage.size.complete
    scenarios: dict[object, bool] = {}
    for o in coverage.obligations:
        key = (o.step, o.faults, o.phase)
        scenarios[key] = scenarios.get(key, True) and o.status is not Status.UNCOVERED
    covered, feasible = sum(scenarios.values()), len(scenarios)
    there, all_there = saga.survey[level]
    assert (covered == feasible) == (there == all_there)
    assert (covered, feasible) == saga.placet[level]
    if level < 2 and covered < feasible:
        for o in coverage.missing():
            assert saga.why(o, [coverage.causes[i] for i in o.faults]), o
