"""More scenarios than may be followed: what is said then is true, and it is said that not all was seen."""

from __future__ import annotations

import pytest
from random_sagas import case

import placet.coverage.measure as measuring
from placet.coverage.measure import measure
from placet.coverage.obligations import Status
from placet.coverage.scenarios import Scenarios
from placet.evidence import Budget

BUDGET = Budget(states=3_000)


@pytest.mark.parametrize("first", range(0, 120, 30))
def test_what_is_decided_is_so(first: int, monkeypatch) -> None:
    stopped = 0
    for seed in range(first, first + 30):
        one = case(seed)
        woven = one.woven()
        if woven is None:
            continue
        monkeypatch.setattr(measuring, "Scenarios", Scenarios)
        whole = measure(woven.compiled, one.hypothesis.budget, BUDGET).coverage
        if not whole.size.complete:
            continue
        known = {(o.family, o.step, o.faults, o.phase): o.status for o in whole.obligations}
        for most in (1, 7, 40, 200, 1000):

            def capped(*given, limit: int = most, **named):
                return Scenarios(*given, **{**named, "most": limit})

            monkeypatch.setattr(measuring, "Scenarios", capped)
            part = measure(woven.compiled, one.hypothesis.budget, BUDGET).coverage
            stopped += not part.size.complete
            if not part.size.complete:
                assert part.size.stop[0] == "states"
            for o in part.obligations:
                if o.status is not Status.UNDECIDED:
                    assert known[o.family, o.step, o.faults, o.phase] is o.status, (seed, most)
    assert stopped > 10


def test_the_budget_of_states_bounds_the_scenarios_too() -> None:
    one = next(c for c in map(case, range(400)) if c.woven() is not None and c.hypothesis.budget == 2)
    woven = one.woven()
    found = measure(woven.compiled, 2, Budget(states=20)).coverage
    assert not found.size.complete
