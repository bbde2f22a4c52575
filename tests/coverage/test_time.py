"""The seconds of a budget are for the whole measurement, and what was not looked at is never called covered."""

from __future__ import annotations

from placet.coverage import measure as measuring
from placet.coverage import scenarios as following
from placet.coverage.measure import measure
from placet.evidence import Budget
from placet.faults.hypothesis import Hypothesis
from placet.faults.weave import weave
from placet.pipeline import compile_source
from placet.source import SourceFile

TEXT = """
service flights { idempotent; null_safe }
service hotels { idempotent; null_safe }
saga trip {
  step flight on flights { undo cancel_flight; timeout 10s }
  step hotel on hotels { undo cancel_hotel; timeout 10s }
}
"""
PHI = Hypothesis(("reject", "lost", "slow"), 2)


def _woven():
    (compiled,) = compile_source(SourceFile("trip.placet", TEXT)).compiled
    return weave(compiled, PHI).compiled


def test_a_search_of_scenarios_that_is_late_leaves_them_undecided(monkeypatch) -> None:
    """The graph is whole, and the time ends while scenarios are followed: at each of many moments."""
    woven = _woven()
    whole = measure(woven, PHI.budget).coverage
    statuses = {(o.family, o.step, o.faults, o.phase): o.status for o in whole.obligations}
    seen = set()
    for moment in range(12):
        looks = iter(range(10_000))
        monkeypatch.setattr(following, "monotonic", lambda looks=looks, m=moment: 2e18 if next(looks) >= m else 0.0)
        found = measure(woven, PHI.budget, Budget(seconds=1e9)).coverage
        if found.size.complete:
            assert found.rows == whole.rows
        else:
            assert found.size.stop == ("seconds", "1e+09")
            for o in found.obligations:
                if o.status.value != "undecided":
                    assert statuses[o.family, o.step, o.faults, o.phase] is o.status
        seen.add(found.size.complete)
    assert seen == {True, False}


def test_the_exploration_gets_a_part_of_the_seconds() -> None:
    given = []

    class Engine:
        name = "spy"

        def explore(self, net, initial, observers, visitors, budget, progress):
            from placet.engines.reference import Reference

            given.append(budget.seconds)
            return Reference().explore(net, initial, observers, visitors, budget, progress)

    measured = measure(_woven(), PHI.budget, Budget(seconds=1000), Engine())
    assert given == [1000 * measuring.EXPLORING]
    assert not measured.late
    assert measure(_woven(), PHI.budget, Budget()).until is None
