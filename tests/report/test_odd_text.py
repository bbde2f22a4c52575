"""No name, phrase or sentence can break an output: control characters, direction overrides, line ends, what XML cannot hold."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from report_cases import CASES

from placet.compiled import Query
from placet.diagnostics import Diagnostic, Label
from placet.evidence import Assumptions, Holds, Inconclusive, Proof
from placet.report.answers import report_check
from placet.report.json_report import schema
from placet.report.registry import FORMATS, render
from placet.report.report import CheckReport, ModelReport, Report, Step, Story
from placet.report.style import Style, columns
from placet.report.words import clean
from placet.source import SourceFile, Span

ODD = "\x00\x07\x1b[31m\x85\u2028\u202e\u2066\ufeff\ufffe\uffff\ud800`%:,\"'<>&]]>|\t\r\n "
text = (
    st.text(st.one_of(st.sampled_from(ODD), st.characters()), max_size=30) | st.just("very " * 60) | st.just("x" * 500)
)
small = st.integers(0, 10**30)


@st.composite
def spans(draw):
    source = SourceFile(draw(text), draw(text) + draw(st.sampled_from(["", "\n", "x" * 5000, "\r\n\ty"])))
    start = draw(st.integers(0, len(source.text) + 2))
    return Span(source, start, draw(st.integers(start, len(source.text) + 3)))


maybe = st.none() | spans()
steps = st.builds(
    Step, text, text, text, st.sampled_from(["route", "fault", "apply"]), maybe, text,
    st.lists(st.tuples(text, st.integers()), max_size=2).map(tuple), st.booleans(),
)  # fmt: skip
assumptions = st.builds(
    Assumptions, st.lists(st.tuples(text, small), max_size=2).map(tuple), st.booleans(), st.sampled_from(["open", "closed"]),
    text, st.lists(text, max_size=2).map(tuple), small, st.lists(text, max_size=2).map(tuple),
    st.lists(text, max_size=2).map(tuple), st.booleans(), text,
)  # fmt: skip
lines = st.lists(text, max_size=2).map(tuple)


@st.composite
def stories(draw):
    told = tuple(draw(st.lists(steps, max_size=3))) * draw(st.sampled_from([1, 1, 40]))
    index = st.none() | st.integers(0, max(0, len(told) - 1))
    kind = draw(st.sampled_from(["reach", "lasso", "no_return", "never", "pump", "tree"]))
    return Story(kind, draw(text), told, draw(index), draw(index), draw(lines), draw(lines))


@st.composite
def checks(draw):
    outcome = draw(st.sampled_from(["proved", "violated", "inconclusive"]))
    story = draw(stories()) if outcome == "violated" else None
    return CheckReport(
        draw(st.sampled_from(["sound", "never"])), draw(text), outcome, draw(text), draw(text), draw(small), 0, 0.5, draw(maybe),
        draw(assumptions), draw(text), draw(text), draw(lines), draw(text), draw(text), draw(text), draw(text), story,
        note=draw(text),
    )  # fmt: skip


labels = st.lists(st.builds(Label, spans(), text), max_size=2).map(tuple)
diagnostics = st.builds(
    Diagnostic, st.just("P101"), st.sampled_from(["error", "warning", "note"]), text, maybe, labels, lines, text, text
)
models = st.builds(
    ModelReport, text, st.just("placet"), text, st.sampled_from(["saga", "net", ""]), st.integers(0, 9), st.integers(0, 9),
    st.lists(diagnostics, max_size=2).map(tuple), st.lists(checks(), max_size=2).map(tuple), text,
)  # fmt: skip
reports = st.builds(Report, st.lists(models, max_size=2).map(tuple), st.booleans())
styles = st.builds(Style, st.integers(1, 200), st.just(False), st.integers(0, 2))

# what a terminal, a log reader or an XML parser would act on
ACTS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


@pytest.mark.parametrize("form", FORMATS)
@given(report=reports, style=styles)
@settings(max_examples=150)
def test_never_raises_and_never_acts(form, report, style):
    shown = render(report, form, style)
    assert shown.endswith("\n") or (form == "concise" and not shown)
    if form != "github":
        assert not ACTS.search(shown)


@given(reports, styles)
@settings(max_examples=150)
def test_text_keeps_its_last_line(report, style):
    last = render(report, "text", style).splitlines()[-1]
    assert re.match(r"(non )?placet: ", last)
    assert last.startswith("placet") == (report.verdict == "placet")


@given(reports)
@settings(max_examples=100)
def test_concise_is_one_line_a_finding(report):
    for line in render(report, "concise").splitlines():
        assert re.search(r":\d+:\d+: (P101|sound|never|fault) ", line)


@given(reports)
@settings(max_examples=100)
def test_json_keeps_to_the_schema(report):
    Draft202012Validator(json.loads(schema())).validate(json.loads(render(report, "json")))


@given(reports)
@settings(max_examples=150)
def test_junit_is_xml_and_counts_right(report):
    root = ElementTree.fromstring(render(report, "junit").encode())
    assert root.tag == "testsuites"
    assert len(root) == len(report.models)
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
        assert int(root.get(name)) == len(root.findall(f".//{tag}"))
        for suite in root:
            assert int(suite.get(name)) == len(suite.findall(f".//{tag}"))
    assert (root.get("failures") == "0" and root.get("errors") == "0") == (report.summary.violated == 0 and not any(
        m.broken or m.fault or any(c.outcome == "inconclusive" for c in m.checks) for m in report.models
    ))  # fmt: skip


COMMAND = re.compile(r"::(error|warning|notice) ((?:\w+=[^,:\r\n]*)(?:,\w+=[^,:\r\n]*)*)::([^\r\n]*)\Z")


def unescape(value: str) -> str:
    """As actions/toolkit documents what the runner does."""
    for code, character in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        value = value.replace(code, character)
    return value


@given(reports)
@settings(max_examples=150)
def test_github_commands_are_well_formed(report):
    from placet.report.findings import findings

    shown = render(report, "github").split("\n")[:-2]
    wanted = list(findings(report))
    assert len(shown) == len(wanted)
    for line, found in zip(shown, wanted, strict=True):
        parsed = COMMAND.match(line)
        assert parsed, line
        fields = dict(part.split("=", 1) for part in parsed[2].split(","))
        assert unescape(fields["file"]) == found.path
        assert unescape(parsed[3]) == clean(found.message)


@given(text)
def test_clean_is_printable_and_keeps_what_is_harmless(value):
    assert not ACTS.search(clean(value))
    assert "\n" not in clean(value)
    assert clean(clean(value)) == clean(value)
    if value.isascii() and value.isprintable():
        assert clean(value) == value


@given(st.sampled_from(sorted(CASES)), st.data())
@settings(max_examples=60)
def test_stories_of_odd_names(name, data):
    """The whole way from a compiled net whose ids and phrases are anything."""
    case = CASES[name]()
    odd = data.draw(text)
    origin = case.compiled.origin._replace(
        places=tuple(o._replace(id=data.draw(text), phrase=odd) for o in case.compiled.origin.places),
        transitions=tuple(
            o._replace(id=odd, phrase=data.draw(text), service=odd) for o in case.compiled.origin.transitions
        ),
    )
    compiled = case.compiled._replace(origin=origin, subject=odd)
    entry = report_check(compiled, case.query._replace(label=odd, sentence=odd), case.verdict)
    report = Report((ModelReport(odd, "placet", odd, "saga", 1, 1, checks=(entry,)),))
    for form in FORMATS:
        shown = render(report, form)
        assert form == "github" or not ACTS.search(shown)


def test_width_of_wide_characters():
    assert columns("日本") == 4
    assert columns("e\u0301") == 1


def test_answers_of_every_kind():
    compiled = CASES["dead_step"]().compiled
    query = Query("safe", "")
    proved = report_check(compiled, query, Holds(Proof("reference", 3)))
    assert (proved.outcome, proved.label, proved.states) == ("proved", "safe(order)", 3)
    opened = report_check(compiled, query, Inconclusive("it ran out", "bytes", "9", "--budget-mb"))
    assert (opened.outcome, opened.message, opened.option) == ("inconclusive", "it ran out", "--budget-mb")
