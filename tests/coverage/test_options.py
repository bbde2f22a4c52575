"""Engines and budgets reach all that coverage does: measuring, the plan of experiments, recorded runs, advice, verify."""

from __future__ import annotations

import json

import click
import pytest
from click.testing import CliRunner

from placet.cli.advise import command as advise
from placet.cli.coverage import _markings
from placet.cli.coverage import command as coverage
from placet.coverage import measure as measuring
from placet.coverage import sliced
from placet.coverage.exercised import experiments
from placet.coverage.measure import Measured
from placet.engines.frontier import Frontier
from placet.errors import UsageError
from placet.evidence import Budget
from placet.faults.hypothesis import Hypothesis
from placet.faults.weave import weave
from placet.pipeline import Options, as_loaded, check

TEXT = """
service s { idempotent; null_safe }
saga trip {
  parallel {
    step a on s { undo ua; timeout 10s }
    step b on s { undo ub; timeout 10s }
    step c on s { undo uc; timeout 10s }
  }
}
"""
ONE = Hypothesis(("reject", "slow"), 1, "transient")
EVENTS = ["a@s asked", "b@s asked", "c@s asked", "b done", "c done", "a refused",
          "b undo_asked", "c undo_asked", "b undone", "c undone", "- ended compensated"]  # fmt: skip
LOG = "".join(f"t-{n} {event}\n" for n in range(3) for event in EVENTS)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "trip.placet"
    path.write_text(TEXT, encoding="utf-8")
    return path


def run(command, *given):
    return CliRunner().invoke(command, [*map(str, given)], standalone_mode=False)


@pytest.fixture
def counted(monkeypatch):
    """How often the frontier engine was asked."""
    calls = []
    explore = Frontier.explore

    def counting(*given):
        calls.append(1)
        return explore(*given)

    monkeypatch.setattr(Frontier, "explore", counting)
    return calls


def woven():
    (compiled,) = as_loaded(TEXT).compiled
    return weave(compiled._replace(queries=()), ONE).compiled


@pytest.mark.parametrize("command", [coverage, advise])
def test_the_engine_that_is_named_is_used(command, model, counted) -> None:
    given = [model, "--faults", "reject", *(["--most", "3"] if command is advise else [])]
    plain = run(command, *given)
    assert not counted
    assert run(command, *given, "--engine", "frontier").output == plain.output
    assert counted


@pytest.mark.parametrize("command", [coverage, advise])
def test_an_engine_that_does_not_exist_is_refused(command, model) -> None:
    found = run(command, model, "--engine", "steam")
    assert isinstance(found.exception, UsageError)
    assert "there is no engine `steam`" in str(found.exception)


def test_verify_measures_with_the_engine_that_is_named(counted) -> None:
    loaded = as_loaded(TEXT)
    options = Options(checks=("coverage", "anomaly_A1"), hypothesis=ONE)
    plain = [c.message for m in check(loaded, options).models for c in m.checks]
    assert not counted
    assert [c.message for m in check(loaded, options._replace(engine="frontier")).models for c in m.checks] == plain
    assert counted


@pytest.mark.parametrize("command", [coverage, advise])
@pytest.mark.parametrize("faults", ["", " , "])
def test_faults_that_name_none_are_a_mistake(command, model, faults) -> None:
    found = run(command, model, "--faults", faults)
    assert isinstance(found.exception, click.BadParameter)
    assert "names no fault" in str(found.exception)


def test_slices_share_the_seconds(monkeypatch) -> None:
    monkeypatch.setattr(sliced, "WHOLE", 50)
    measured = sliced.measure(woven(), 1, Budget(seconds=1e6))
    assert isinstance(measured.finder, sliced._Finder)
    assert measured.until is not None
    plans = experiments(measured)
    assert all(e.run for e in plans)
    assert sliced.measure(woven(), 1, Budget()).until is None
    late = experiments(measured._replace(until=0.0))
    assert [bool(e.run) for e in late] == [True] + [False] * (len(plans) - 1)
    assert [e.obligations for e in late] == [e.obligations for e in plans]


def test_a_plan_in_no_time_is_still_a_plan(model, monkeypatch) -> None:
    monkeypatch.setattr(sliced, "WHOLE", 50)
    monkeypatch.setattr(Measured, "late", property(lambda _: True))
    found = json.loads(run(coverage, model, "--format", "plan", "--budget-seconds", "1000").output)
    assert sum(bool(e["moment"]) for e in found["experiments"]) == 1
    assert len(found["experiments"]) > 3


def test_runs_that_no_time_is_left_for_are_said(model, tmp_path, monkeypatch) -> None:
    log = tmp_path / "runs.log"
    log.write_text(LOG, encoding="utf-8")
    given = [model, "--faults", "reject", "--log", log, "--budget-seconds", "1000"]
    assert "XC = 0" not in run(coverage, *given).output
    monkeypatch.setattr(Measured, "late", property(lambda _: True))
    told = run(coverage, *given).output
    assert "before 3 runs could be looked at" in told
    assert "XC = 0" in told


def test_the_memory_of_a_budget_bounds_what_is_kept_of_a_run() -> None:
    compiled = woven()
    assert _markings(compiled, Budget()) == 200_000
    assert _markings(compiled, Budget(states=7)) == 7
    assert 1 < _markings(compiled, Budget(bytes=1 << 20)) < 4_000
    assert _markings(compiled, Budget(bytes=1)) == 1
    assert measuring.DEFAULT.seconds is None


def test_checks_and_faults_of_the_command_line_come_before_those_of_the_model(model) -> None:
    from placet.cli.verify import command as verify

    asks = "check coverage(trip) at L2 >= 1%\ncheck anomaly_A1(trip) under { slow }\n"
    model.write_text(TEXT + asks, encoding="utf-8")

    def told(*given):
        (subject,) = json.loads(run(verify, model, "--format", "json", *given).output)["models"]
        return [
            (c["label"], c.get("coverage", {}).get("level"), tuple(c["assumptions"]["faults"]))
            for c in subject["checks"]
        ]

    one = ("reject", "partial", "lost", "slow")
    assert told("--check", "coverage,anomaly_A1", "--level", "L1") == [
        ("coverage(trip)", "L1", one),
        ("anomaly_A1(trip)", None, one),
    ]
    assert [level for _, level, _ in told("--level", "L1")] == ["L2", None]
    assert [faults for *_, faults in told("--check", "anomaly_A1")] == [("slow",)]
