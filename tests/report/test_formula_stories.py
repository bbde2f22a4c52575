"""What people and machines see of violated formulas about runs: a loop, an end, a point of no return, and a tree."""

from __future__ import annotations

import json
from functools import cache

import pytest
from test_snapshots import SUFFIX, snapshot  # noqa: F401 - a fixture

from placet import pipeline
from placet.report.registry import FORMATS, render
from placet.report.style import Style

SHOP = """\
service payments { idempotent }
service mail
saga book {
  step pay on payments { undo refund; timeout 10s }
  step confirm on mail { undo recall }
}
workflow order {
  receive placed
  loop { task pack } until "all packed"
  choice {
    when "in stock" { task ship; end delivered }
    otherwise { task apologise; end cancelled }
  }
}
check ctl AG (pay.done -> AF (confirm.done or refund.done)) "what is paid is confirmed or paid back"
check ltl G (placed -> F (delivered or cancelled)) assuming nothing "each order comes to an end"
check ltl G (placed -> F delivered)
check ltl of order G not pack.fires
check ctl AG EF delivered
check ctl AF delivered or AF cancelled
check ctl EF (delivered and cancelled)
check ltl not ship.done U delivered
check ctl AG (placed -> AX pack.done) assuming weak
check ctl A (not ship.done W pack.done)
check ltl not pack.done W ship.done
"""


@cache
def report():
    return pipeline.verify(SHOP)


def timeless(text):
    import re

    return re.sub(r'("seconds": |time=")[0-9.]+', r"\g<1>0", text)


@pytest.mark.parametrize("form", FORMATS)
def test_every_output(form, snapshot):  # noqa: F811 - the fixture
    snapshot(f"formulas.{form}.{SUFFIX.get(form, 'txt')}", timeless(render(report(), form)))


@pytest.mark.parametrize("width", [60, 72, 100])
def test_fits(width):
    for line in render(report(), "text", Style(width)).splitlines()[:-1]:
        assert len(line) <= width or " " not in line.strip() or line.startswith("warning["), line


def test_kinds():
    (book, order) = json.loads(render(report(), "json"))["models"]
    kinds = [c["counterexample"] and c["counterexample"]["kind"] for m in (book, order) for c in m["checks"]]
    assert kinds == [
        "reach",
        "lasso",
        "reach",
        "reach",
        "no_return",
        "tree",
        "no_return",
        "reach",
        "reach",
        None,
        "reach",
    ]
    (tree,) = [c["counterexample"] for c in order["checks"] if (c["counterexample"] or {}).get("kind") == "tree"]
    assert [branch["kind"] for branch in tree["branches"]] == ["reach", "reach"]
    assert all(c["assumptions"]["fairness"] for m in (book, order) for c in m["checks"])


def test_no_word_of_the_field_reaches_the_reader():
    text = render(report(), "text", Style(verbose=1)).lower().replace("pack.fires", "")
    for word in ("token", "marking", "marked", "fires", "strongly connected", "lasso"):
        assert word not in text
