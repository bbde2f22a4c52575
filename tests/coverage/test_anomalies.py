"""The anomalies: their pages show them, the finer families add up to those that are counted, and every run replays."""

from __future__ import annotations

import re

import pytest
from random_sagas import case

from placet.coverage import anomalies
from placet.coverage.anomalies import ANOMALIES
from placet.coverage.measure import measure
from placet.coverage.obligations import FAMILIES, Status
from placet.data_files import data_folder
from placet.evidence import Budget, Violated
from placet.pipeline import verify

BUDGET = Budget(states=3_000)
EVERY = frozenset((*FAMILIES, *(f for a in ANOMALIES.values() for f in a.families)))
PARTS = {
    "BALANCE": (anomalies.NOT_UNDONE, anomalies.NOT_COMPLETE),
    "NULL": (anomalies.UNDO_OF_NOTHING, anomalies.UNDO_TWICE),
    "TERM": (anomalies.STUCK, anomalies.LIVELOCK),
}


@pytest.mark.parametrize("name", ANOMALIES)
def test_its_page_shows_it_and_its_near_miss_does_not(name: str) -> None:
    page = (data_folder("explain") / f"{name}.md").read_text(encoding="utf-8")
    shows, misses = re.findall(r"```placet\n(.*?)```", page, re.DOTALL)
    ((check,),) = [m.checks for m in verify(shows).models]
    assert check.outcome == "violated"
    assert isinstance(check.verdict, Violated) or check.story is not None
    assert check.story.steps
    ((check,),) = [m.checks for m in verify(misses).models]
    assert check.outcome == "proved"


@pytest.mark.parametrize("first", range(0, 600, 60))
def test_finer_families_add_up(first: int) -> None:
    compared = 0
    for seed in range(first, first + 60):
        one = case(seed)
        woven = one.woven()
        if woven is None:
            continue
        found = measure(woven.compiled, one.hypothesis.budget, BUDGET, families=EVERY, faultless=True)
        if not found.coverage.size.complete:
            continue
        compared += 1
        broken: dict[str, set] = {}
        for o in found.coverage.obligations:
            if o.status is Status.UNCOVERED:
                broken.setdefault(o.family, set()).add((o.step, o.faults, o.phase))
        for whole, parts in PARTS.items():
            assert broken.get(whole, set()) == set().union(*(broken.get(p, set()) for p in parts)), (seed, whole)
        if seed % 6 == 0:
            for o in list(found.coverage.missing())[:12]:
                assert found.run(o).trace is not None
    assert compared > 20


def test_a_run_without_any_fault_counts() -> None:
    """Coverage has no scenario without faults; an anomaly is about every run."""
    text = "service s { idempotent }\nsaga t {\n  step a on s { undo b; timeout 1s }\n  loop { task c }\n}\n"
    (check,) = verify(text + "check anomaly_A15(t) under { lost }\n").models[0].checks
    assert check.outcome == "violated"
    assert all(not step.fault for step in check.story.steps)


def test_a_budget_leaves_it_open() -> None:
    page = (data_folder("explain") / "anomaly_A4.md").read_text(encoding="utf-8")
    misses = re.findall(r"```placet\n(.*?)```", page, re.DOTALL)[1]
    (check,) = verify(misses, budget=Budget(states=4)).models[0].checks
    assert check.outcome == "inconclusive"
    assert check.option == "--budget-states"
