"""Coverage as a user meets it: verdicts, demands, the words, the matrix, the JSON."""

from __future__ import annotations

import json

import jsonschema
import pytest

from placet.evidence import Budget, Holds, Inconclusive, Violated
from placet.pipeline import verify
from placet.report.coverage_words import percent
from placet.report.json_report import document, schema
from placet.report.text import render

SAFE = "idempotent; null_safe; rejects_after_cancel"
BARE = "idempotent; null_safe"


def trip(guarantees: str, check: str = "") -> str:
    return f"""
service flights {{ {guarantees} }}
service cars {{ {guarantees} }}
saga trip {{
  step flight on flights {{ undo cancel_flight; timeout 10s }}
  step car on cars {{ undo cancel_car; timeout 10s }}
}}
{check}
"""


def coverage_of(text: str, **options):
    ((model),) = verify(text, checks=() if "check " in text else ("coverage",), **options).models
    (check,) = [c for c in model.checks if c.id == "coverage"]
    return check


def test_a_barrier_covers_all() -> None:
    check = coverage_of(trip(SAFE), faults=["reject", "lost", "slow"])
    assert isinstance(check.verdict, Holds)
    assert check.coverage.feasible == check.coverage.covered > 20
    assert check.coverage.undecided == check.coverage.by_escalation == 0
    assert all(o.status == "covered" for o in check.coverage.obligations)


def test_without_it_a_late_request_is_found_and_told() -> None:
    check = coverage_of(trip(BARE), faults=["reject", "lost", "slow"])
    assert isinstance(check.verdict, Violated)
    assert "`trip` ends as `compensated`, but `flight` is still in effect" in check.message
    missing = [o for o in check.coverage.obligations if o.status == "uncovered"]
    late = {(f, f"trip/{s}") for f in ("BALANCE", "LATE") for s in ("flight", "car")}
    assert {(o.family, o.step) for o in missing} == {*late, ("ORDER", "trip/flight")}
    assert all(o.run is not None and o.run.steps for o in missing)
    assert all("the request for" in o.scenario and "is slow" in o.scenario for o in missing)
    assert len(check.coverage.findings) == 5


@pytest.mark.parametrize(
    ("demand", "outcome"), [("== 100%", "violated"), (">= 95%", "violated"), (">= 90%", "proved"), ("", "violated")]
)
def test_a_demand(demand: str, outcome: str) -> None:
    check = coverage_of(trip(BARE, f"check coverage(trip) {demand} under {{ reject, lost, slow }}"))
    found = check.coverage
    assert 90 * found.feasible <= 100 * found.covered < 95 * found.feasible
    assert check.outcome == outcome


def test_no_fault_is_vacuous_and_no_step_is_no_answer() -> None:
    check = coverage_of(trip(BARE), faults=[], fault_budget=0)
    assert check.outcome == "proved"
    assert check.vacuous
    assert coverage_of("workflow w { task a; end b }").outcome == "inconclusive"


def test_a_budget_leaves_it_open() -> None:
    faults = ["reject", "lost", "slow", "undo-slow"]
    whole = coverage_of(trip(SAFE), faults=faults, fault_budget=2)
    assert isinstance(whole.verdict, Holds)
    for states in (1, 5, 50, 200):
        check = coverage_of(trip(SAFE), faults=faults, fault_budget=2, budget=Budget(states=states))
        assert isinstance(check.verdict, Inconclusive)
        assert check.option == "--budget-states"
        assert check.coverage.covered <= whole.coverage.covered
    bare = coverage_of(trip(BARE), level="L1")
    found = coverage_of(trip(BARE), level="L1", budget=Budget(states=bare.states - 1))
    assert found.outcome in ("violated", "inconclusive")


def test_a_level_in_the_file() -> None:
    check = coverage_of(trip(SAFE, "check coverage(trip) at L1 >= 90%"))
    assert check.coverage.level == "L1"
    assert check.coverage.faults == ("reject", "partial", "lost", "slow")
    assert check.label == "coverage(trip) at L1 >= 90%"


def test_the_matrix_adds_up() -> None:
    check = coverage_of(trip(BARE), faults=["reject", "lost", "slow"])
    found = check.coverage
    assert found.kinds == ("reject", "lost", "slow")
    lines = dict(found.matrix)
    assert set(lines) == {"trip/flight", "trip/car", ""}
    with_fault = [o for o in found.obligations if "gives up by itself" not in o.scenario]
    assert sum(owed for cells in lines.values() for _, owed in cells) == len(with_fault)  # one fault each
    missing = sum(owed - covered for cells in lines.values() for covered, owed in cells)
    assert missing == found.feasible - found.covered == 5
    text = render(verify(trip(BARE), checks=("coverage",), faults=["reject", "lost", "slow"]))
    assert "what is owed, by step and by fault" in text
    assert " !" in text


def test_escalation_is_counted_apart() -> None:
    text = """
service bank { idempotent; null_safe; rejects_after_cancel }
saga pay {
  on undo_failure escalate
  step debit on bank { undo refund; timeout 10s }
  step credit on bank { undo take; timeout 10s }
}
"""
    check = coverage_of(text, faults=["reject", "undo-fail"], fault_budget=2, modes="both")
    assert check.outcome == "proved"
    assert check.coverage.by_escalation > 0
    assert "by calling a person" in check.message


def test_json_keeps_to_its_schema() -> None:
    for guarantees in (SAFE, BARE):
        found = document(verify(trip(guarantees), checks=("coverage",), level="L1"))
        jsonschema.validate(json.loads(json.dumps(found)), json.loads(schema()))
        entry = found["models"][0]["checks"][0]["coverage"]
        assert {"level", "faults", "budget", "assumed", "feasible", "covered", "undecided", "obligations"} <= set(entry)
        broken = [o for o in entry["obligations"] if o["status"] == "uncovered"]
        assert len(broken) == entry["feasible"] - entry["covered"]
        assert all(o["counterexample"]["steps"] for o in broken)


def test_percentages_are_never_rounded_up() -> None:
    assert percent(3, 3) == "100 %"
    assert percent(9999, 10000) == "99.9 %"
    assert percent(0, 7) == "0.0 %"
