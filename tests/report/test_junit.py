"""JUnit XML keeps to what Jenkins' schema (xunit plug-in, junit-10) allows: elements, their order and their attributes."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from report_cases import CASES
from report_samples import case_report, mixed_report

from placet.report.junit import render
from placet.report.report import Report

# element -> (attributes it must have, attributes it may have, children it may have)
ALLOWED = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": ({"name"}, {"time", "classname", "group"}, {"skipped", "error", "failure", "system-out", "system-err"}),
    "failure": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
}


@pytest.mark.parametrize(
    "report", [mixed_report(), Report(), *(case_report(name) for name in CASES)], ids=lambda r: str(len(r.models))
)
def test_structure(report):
    root = ElementTree.fromstring(render(report))
    assert root.tag == "testsuites"
    for element in root.iter():
        must, may, children = ALLOWED[element.tag]
        assert must <= set(element.attrib) <= must | may
        assert {child.tag for child in element} <= children
        assert re.fullmatch(r"\d+\.\d{3}", element.get("time", "0.000"))


def test_outcomes():
    root = ElementTree.fromstring(render(mixed_report()))
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert len(cases["option_to_complete(trip)"]) == 0
    assert [e.tag for e in cases["anomaly_A1(trip)"]] == ["failure"]
    (opened,) = cases["no_dead_step(trip)"]
    assert (opened.tag, opened.get("type")) == ("error", "inconclusive")  # never green, never a skipped test
    assert "stops waiting for `car`" in cases["anomaly_A1(trip)"][0].text
