"""The sketch that the language was designed after: as it was, and in its better form, which the documents show."""

from __future__ import annotations

import re

from conftest import CHECKOUT
from placet import pipeline
from placet.compile.resolve import resolve
from placet.source import SourceFile
from placet.syntax.parser import parse

SKETCH = (CHECKOUT / "tests" / "syntax" / "sketch.placet.txt").read_text(encoding="utf-8")
PAGE = (CHECKOUT / "docs" / "sketch.md").read_text(encoding="utf-8")
BETTER = "".join(re.findall(r"^```placet\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))


def test_the_sketch_is_in_the_language_but_for_three_services_that_it_does_not_declare():
    file, problems = parse(SourceFile("sketch", SKETCH))
    assert problems == ()
    _, found = resolve(file)
    errors = [d for d in found if d.severity == "error"]
    assert [d.code for d in errors] == ["P201"] * 3
    assert [d.span.text for d in errors] == ["hotels", "cars", "mail"]


def test_its_better_form_only_declares_them():
    added = [line for line in BETTER.splitlines() if line not in SKETCH.splitlines()]
    assert [line.split()[:2] for line in added] == [["service", name] for name in ("hotels", "cars", "mail")]
    assert [line for line in BETTER.splitlines() if line not in added] == SKETCH.splitlines()


def test_its_better_form_is_verified():
    loaded = pipeline.as_loaded(BETTER)
    assert [d for d in loaded.diagnostics if d.severity == "error"] == []
    asked = [c._replace(queries=tuple(q for q in c.queries if q.check != "coverage")) for c in loaded.compiled]
    report = pipeline.check(loaded._replace(compiled=tuple(asked)))
    found = {
        (m.subject, c.label.partition("(")[0].partition(" ")[0]): c.outcome for m in report.models for c in m.checks
    }
    assert found == {
        ("book_trip", "ctl"): "violated",
        ("purchase", "sound"): "violated",
        ("purchase", "never"): "proved",
        ("purchase", "ltl"): "violated",
        ("iot", "deadlock_free"): "proved",
        ("iot", "bounded"): "proved",
        ("mutex", "live"): "proved",
    }
    coverage = [q for c in loaded.compiled for q in c.queries if q.check == "coverage"]
    assert [(q.level, q.demand) for q in coverage] == [("L2", 100)]
