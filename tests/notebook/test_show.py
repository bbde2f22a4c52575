"""What values look like: well-formed, whole, and safe whatever the names."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from placet.diagnostics import Diagnostic
from placet.draw.drawing import Drawing, Element, Shape
from placet.evidence import Holds, Inconclusive, Proof, Reach, Reaches, Violated
from placet.logic.state import TRUE
from placet.lts import Lts
from placet.net.builder import NetBuilder
from placet.notebook import _SHOWN, show
from placet.pipeline import Loaded
from placet.report.report import CheckReport, ModelReport, Report, Step, Story
from placet.simulate.simulator import run
from placet.simulate.statistics import replicate
from placet.source import SourceFile, Span
from strategies import compiled_of

EVIL = "<script>alert('&')</script>"


def values():
    builder = NetBuilder(EVIL)
    builder.place(EVIL, 1)
    builder.place("end")
    builder.transition(EVIL, {0: 1}, {1: 1})
    net, marking = builder.build()
    compiled = compiled_of(net, marking, ends=(1,))
    span = Span(SourceFile(EVIL, EVIL), 0, 3)
    problem = Diagnostic("P101", "error", f"`{EVIL}` odd ` tick", span, help=EVIL)
    steps = (Step("a", f"`{EVIL}` goes", "svc"), Step("b", "hidden", shown=False), Step("c", EVIL, EVIL, fault="lost"))
    story = Story("lasso", EVIL, steps, 2, 2, (EVIL,), (EVIL,))
    check = CheckReport("sound", EVIL, "violated", EVIL, story=story)
    model = ModelReport(EVIL, "placet", EVIL, "saga", diagnostics=(problem,), checks=(check,), fault=EVIL)
    yield from (net, compiled, Drawing(EVIL, EVIL, (), ()), Lts(2, 0, (EVIL,), ((0, 0, 1),)))
    yield from (Loaded(EVIL, "placet", (compiled,) * 10, (problem,)), Report((model,)), model, check, story)
    yield from (
        Holds(Proof("plain", 3, 2, (), EVIL)),
        Violated(Reaches(TRUE), Reach(()), Proof("x")),
        Inconclusive(EVIL),
    )
    yield from (run(compiled), replicate(compiled, 1, 3))


def functions():
    return {name: function for (_, name), (_, function) in _SHOWN.items()}


@pytest.mark.parametrize("value", list(values()), ids=lambda v: type(v).__name__)
def test_values_are_shown(value):
    name = type(value).__name__
    shown = getattr(show, functions()[name])(value)
    root = ElementTree.fromstring(shown.replace("<br>", "<br/>"))  # noqa: S314
    assert not [e for e in root.iter() if e.tag.endswith("script")]
    assert show.words(value)


def test_every_kind_of_value_is_tried():
    assert {(type(v).__module__, type(v).__name__) for v in values()} == set(_SHOWN)


def test_a_story_has_a_column_for_each_service():
    story = next(v for v in values() if isinstance(v, Story))
    root = ElementTree.fromstring(show.story(story))  # noqa: S314
    rows = [["".join(c.itertext()) for c in row] for row in root.iter("tr")]
    assert rows == [["", "svc", EVIL], ["1", f"{EVIL} goes", ""], ["2 ↻", "", EVIL]]


def test_what_is_too_large_says_so():
    many = Drawing("m", "", tuple(Element(str(i), "", Shape.PLACE) for i in range(6000)), ())
    assert "too many" in show.drawing(many)
    assert "too many" in show.lts(Lts(10**6, 0, (), ()))
