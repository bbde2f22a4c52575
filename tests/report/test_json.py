"""Every document keeps to the published schema, and the schema says something."""

from __future__ import annotations

import copy
import json

import pytest
from jsonschema import Draft202012Validator
from report_cases import CASES
from report_samples import case_report, mixed_report

from placet.report.json_report import document, render, schema
from placet.report.report import Report

SCHEMA = json.loads(schema())
VALIDATOR = Draft202012Validator(SCHEMA)


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", CASES)
def test_violations(name):
    found = json.loads(render(case_report(name)))
    VALIDATOR.validate(found)
    story = found["models"][0]["checks"][0]["counterexample"]
    assert found["verdict"] == "non placet"
    if story["loop"] is not None:
        assert story["kind"] in ("lasso", "pump")
        assert 0 <= story["loop"] < len(story["steps"])


def test_mixed_and_empty():
    for report in (mixed_report(), Report(), Report(interrupted=True)):
        VALIDATOR.validate(json.loads(render(report)))


def test_a_broken_file_has_diagnostics_and_no_checks():
    broken = document(mixed_report())["models"][1]
    assert broken["checks"] == []
    assert broken["net"] is None
    (diagnostic,) = broken["diagnostics"]
    assert diagnostic["code"] == "P201"
    assert diagnostic["span"] == {
        "file": "models/trip/trip.placet",
        "start": {"line": 3, "column": 15},
        "end": {"line": 3, "column": 19},
    }


def test_counts_are_strings():
    (check, *_) = document(mixed_report())["models"][0]["checks"]
    assert check["states"] == "131075"


def test_the_fields_of_the_contract_are_there():
    found = document(mixed_report())
    assert {"schema", "verdict", "summary", "models"} <= set(found)
    model = found["models"][0]
    assert {"path", "format", "subject", "net", "diagnostics", "checks"} <= set(model)
    check = model["checks"][3]
    assert {"id", "verdict", "message", "engine", "states", "seconds", "span", "assumptions", "counterexample"} <= set(
        check
    )
    assert {"kind", "loop", "steps"} <= set(check["counterexample"])
    for step in check["counterexample"]["steps"]:
        assert {"id", "phrase", "service", "kind", "span", "fault", "delta"} <= set(step)


REQUIRED = [
    ("verdict",),
    ("models", 0, "path"),
    ("models", 0, "net", "places"),
    ("models", 0, "checks", 3, "id"),
    ("models", 0, "checks", 3, "assumptions", "faults"),
    ("models", 0, "checks", 3, "counterexample", "steps"),
    ("models", 0, "checks", 3, "counterexample", "steps", 2, "phrase"),
    ("models", 1, "diagnostics", 0, "code"),
]


@pytest.mark.parametrize("path", REQUIRED, ids=lambda p: ".".join(map(str, p)))
def test_the_schema_misses_what_is_taken_away(path):
    found = copy.deepcopy(document(mixed_report()))
    inner = found
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    assert not VALIDATOR.is_valid(found)


def test_a_violation_needs_its_counterexample():
    found = document(mixed_report())
    found["models"][0]["checks"][3]["counterexample"] = None
    assert not VALIDATOR.is_valid(found)
    found["models"][0]["checks"][3]["verdict"] = "proved"
    assert VALIDATOR.is_valid(found)
