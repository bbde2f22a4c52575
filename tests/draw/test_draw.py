"""Drawings: everything of the net is in them, in every language, and no name can become markup."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placet.compiled import Origin, OriginMap
from placet.draw.dot import dot, quoted, render
from placet.draw.drawing import Arc, Drawing, Element, Link, Shape
from placet.draw.from_lts import MOST_STATES, from_lts
from placet.draw.from_net import from_net
from placet.draw.lettering import width_of, wrapped
from placet.draw.mermaid import escaped, mermaid
from placet.draw.svg import MOST_ELEMENTS, svg
from placet.errors import MissingExtraError, UsageError
from placet.lts import Lts
from placet.net.builder import NetBuilder
from placet.net.roles import Kind, Role, Roles, Step
from strategies import any_nets, compiled_of, workflow_nets

HOSTILE = [
    "</text><script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "]]> <!-- & &amp; &#60;script&#62;",
    "end\n  n0 --> n99",
    '"]; click n0 "javascript:alert(1)"',
    "#quot; #35; %%{init: {}}%% subgraph end",
    "back\\slash\\",
    "\0\x1b[31m\ud800\uffff",
    "漢字 العربية 🙂 e\u0301",
    "`x` {y} |z| (((",
    "",
    " ",
    "x" * 5000,
]


def picture(words: str) -> Drawing:
    elements = tuple(
        Element(words, words, shape, words, words, tokens, marked=bool(tokens))
        for shape, tokens in zip(Shape, (1, 0, 0, 2, 0, 7, 1), strict=True)
    )
    links = tuple(Link(i % 7, (i * 3) % 7, words if i % 2 else "", arc, i == 3) for i, arc in enumerate((*Arc, *Arc)))
    return Drawing(words, words, elements, links, (words,) if words else ())


def texts(document: str) -> list[str]:
    return [e.text or "" for e in ElementTree.fromstring(document).iter() if e.tag.endswith("}text")]  # noqa: S314


# -- nets ------------------------------------------------------------------------------------------------------------


@given(any_nets())
def test_every_place_transition_and_arc_is_drawn(marked):
    compiled = compiled_of(*marked)
    drawing = from_net(compiled)
    net = marked.net
    base = len(net.places)
    assert [e.id for e in drawing.elements] == [*net.places, *net.transitions]
    assert [e.tokens for e in drawing.elements[:base]] == list(marked.initial)
    drawn = {(a.source, a.target, a.arc, a.label) for a in drawing.links}
    expected = set()
    for t in range(len(net.transitions)):
        for p, w in net.pre[t]:
            expected.add((p, base + t, Arc.FLOW, str(w) if w > 1 else ""))
        for p, w in net.post[t]:
            expected.add((base + t, p, Arc.FLOW, str(w) if w > 1 else ""))
        for p, w in net.read[t]:
            expected.add((p, base + t, Arc.READ, str(w) if w > 1 else ""))
        for p, w in net.inhibit[t]:
            expected.add((p, base + t, Arc.INHIBIT, str(w) if w > 1 else ""))
        expected |= {(p, base + t, Arc.RESET, "") for p in net.reset[t]}
    assert drawn == expected
    assert len(drawing.links) == len(expected)


@given(any_nets())
def test_svg_is_xml_with_words_and_the_same_each_time(marked):
    drawing = from_net(compiled_of(*marked))
    document = svg(drawing)
    assert document == svg(drawing)
    root = ElementTree.fromstring(document)  # noqa: S314
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("role") == "img"
    named = {e.get("id") for e in root if e.tag.endswith(("}title", "}desc"))}
    assert set(root.get("aria-labelledby").split()) == named
    for element in drawing.elements:
        assert element.label in texts(document)


@given(workflow_nets())
@settings(max_examples=60)
def test_the_view_of_steps_draws_what_flow_can_reach(compiled):
    drawing = from_net(compiled, detail="steps")
    for link in drawing.links:
        assert 0 <= link.source < len(drawing.elements)
        assert 0 <= link.target < len(drawing.elements)
    svg(drawing)
    dot(drawing)
    mermaid(drawing)


def saga():
    """One step with an undo: send, apply, reply forward, and an undo that answers."""
    builder = NetBuilder("trip")
    for place in ("start", "request", "reply", "record", "done", "undo", "undone", "end.ok", "end.back"):
        builder.place(place, 1 if place == "start" else 0)
    parts = (
        ("send", {0: 1}, {1: 1}, Role(Kind.SEND, "trip/fly", "forward", 1, "air")),
        ("apply", {1: 1}, {2: 1, 3: 1}, Role(Kind.APPLY, "trip/fly", "forward", 1, "air")),
        ("know", {2: 1}, {4: 1}, Role(Kind.REPLY, "trip/fly", "forward", 1, "air")),
        ("refused", {2: 1}, {5: 1}, Role(Kind.REPLY, "trip/fly", "forward", 1, "air")),
        ("cancel", {5: 1, 3: 1}, {6: 1}, Role(Kind.APPLY, "trip/fly", "undo", 1, "air")),
        ("ends.ok", {4: 1}, {7: 1}, Role(Kind.END)),
        ("ends.back", {6: 1}, {8: 1}, Role(Kind.END)),
    )
    for name, pre, post, _ in parts:
        builder.transition(name, pre, post)
    compiled = compiled_of(*builder.build(), ends=(7, 8), kind="saga")
    step = Step("trip/fly", "trip", "air", "cancel_flight", False, False, False, (), (), 0)
    return compiled._replace(roles=Roles(tuple(role for *_, role in parts), (), (step,)))


def test_a_call_is_folded_into_its_step_and_its_undo():
    drawing = from_net(saga(), detail="steps", marked=(1,))
    assert drawing == from_net(saga(), detail="steps", marked={1, 99})
    assert [(e.label, e.shape, e.lane) for e in drawing.elements] == [
        ("fly", Shape.STEP, "air"),
        ("cancel_flight", Shape.STEP, "air"),
        ("start", Shape.PLACE, ""),
        ("end.ok", Shape.END, ""),
        ("end.back", Shape.END, ""),
    ]
    names = [(drawing.elements[a.source].label, drawing.elements[a.target].label) for a in drawing.links]
    assert sorted(names) == [
        ("cancel_flight", "end.back"),
        ("fly", "cancel_flight"),
        ("fly", "end.ok"),
        ("start", "fly"),
    ]
    assert [e.label for e in drawing.elements if e.marked] == ["fly"]
    assert drawing.lanes == ("air",)


def test_parts_that_flow_cannot_reach_are_folded_away():
    builder = NetBuilder("w")
    for place in ("start", "never", "end"):
        builder.place(place, 1 if place == "start" else 0)
    builder.transition("work", {0: 1}, {2: 1})
    builder.transition("ghost", {1: 1}, {2: 1})
    drawing = from_net(compiled_of(*builder.build(), ends=(2,), kind="workflow"), detail="steps")
    assert [e.label for e in drawing.elements] == ["work", "start", "end"]


def test_misuse_is_told():
    compiled = saga()
    with pytest.raises(UsageError):
        from_net(compiled, (1,))
    with pytest.raises(UsageError):
        from_net(compiled, detail="all")
    with pytest.raises(UsageError):
        from_lts(Lts(MOST_STATES + 1, 0, (), ()))
    many = tuple(Element(str(i), str(i), Shape.PLACE) for i in range(MOST_ELEMENTS + 1))
    with pytest.raises(UsageError):
        svg(Drawing("m", "", many, ()))


# -- transition systems ----------------------------------------------------------------------------------------------


def test_edges_between_the_same_states_share_an_arrow():
    drawing = from_lts(Lts(2, 0, ("a", "b"), ((0, 0, 1), (0, 1, 1), (1, 0, 1)), ("idle", "busy"), frozenset({1})))
    assert [(a.source, a.target, a.label) for a in drawing.links] == [(0, 1, "a, b"), (1, 1, "a")]
    assert [e.label for e in drawing.elements] == ["idle", "busy"]
    assert drawing.elements[1].shape is Shape.END
    svg(drawing)


# -- hostile words ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", HOSTILE)
def test_svg_keeps_words_words(words):
    root = ElementTree.fromstring(svg(picture(words)))  # noqa: S314
    tags = {e.tag.rpartition("}")[2] for e in root.iter()}
    assert tags <= {"svg", "title", "desc", "rect", "g", "text", "circle", "path"}
    known = {
        "xmlns",
        "role",
        "aria-labelledby",
        "viewBox",
        "width",
        "height",
        "font-family",
        "font-size",
        "fill",
        "id",
        "x",
        "y",
        "rx",
        "stroke",
    } | {
        "stroke-width",
        "transform",
        "cx",
        "cy",
        "r",
        "d",
        "stroke-dasharray",
        "text-anchor",
        "font-weight",
        "fill-opacity",
    }
    for element in root.iter():
        assert set(element.keys()) <= known
        for value in element.attrib.values():
            assert "alert" not in value


@pytest.mark.parametrize("words", HOSTILE)
def test_mermaid_keeps_words_words(words):
    document = mermaid(picture(words))
    forms = (
        r"flowchart TD|  acc(Title|Descr): [^{}#;%<>\"`|&]+|"
        r'  n\d+(\(\(|\[|\(|\{|\(\(\()"[\w .,:+=/#;-]*"(\)\)|\]|\)|\}|\)\)\))|'
        r'  n\d+ (-->|-\.->|--o|--x)(\|"[\w .,:+=/#;-]*"\|)? n\d+|'
        r"  classDef \w+ [\w:#,-]+|  class [n\d,]+ \w+|  linkStyle [\d,]+ [\w:#,-]+"
    )
    for line in document.rstrip("\n").split("\n"):
        assert re.fullmatch(forms, line, re.ASCII), line


@given(st.text())
def test_mermaid_strings(text):
    assert re.fullmatch(r'"([a-zA-Z0-9 .,_:+=/-]|#\d+;)+"', escaped(text))
    back = re.sub(r"#(\d+);", lambda m: chr(int(m.group(1))), escaped(text)[1:-1])
    assert back.split() == "".join(c if c.isprintable() else " " for c in " ".join(text.split())).split()


@given(st.text())
def test_dot_strings(text):
    inside = quoted(text)[1:-1]
    assert re.fullmatch(r'(?:[^"\\\n]|\\["\\n])*', inside)


@pytest.mark.parametrize("words", HOSTILE)
def test_dot_lines_are_statements(words):
    string = r'"(?:[^"\\\n]|\\["\\n])*"'
    value = rf"(?:{string}|[\w.]+)"
    attributes = rf"(?: \[{value}={value}(?:, {value}={value})*\])?"
    for line in dot(picture(words)).rstrip("\n").split("\n")[1:-1]:
        assert re.fullmatch(rf"  (?:graph|node|edge|n\d+(?: -> n\d+)?){attributes}", line), line


# -- the real tools, where they are ----------------------------------------------------------------------------------


def test_mermaid_itself_understands_it(checkout):
    folder = os.environ.get("PLACET_MERMAID", "")
    node = shutil.which("node")
    if not node or not Path(folder, "node_modules", "mermaid").is_dir():
        pytest.skip("needs node, and PLACET_MERMAID naming a folder with `npm install mermaid jsdom`")
    documents = [mermaid(picture(words)) for words in HOSTILE]
    documents += [mermaid(from_net(saga(), detail=detail)) for detail in ("net", "steps")]
    documents.append('flowchart TD\n  n0["broken')
    script = checkout / "tests" / "draw" / "parse_mermaid.mjs"
    done = subprocess.run(
        [node, script], input=json.dumps(documents), capture_output=True, text=True, timeout=120, check=True
    )
    errors = json.loads(done.stdout)
    assert errors[:-1] == [None] * (len(documents) - 1)
    assert errors[-1]


def test_dot_itself_draws_it():
    if not shutil.which("dot"):
        with pytest.raises(MissingExtraError):
            render(picture("x"))
        pytest.skip("the `dot` command is not installed")
    for words in HOSTILE:
        assert b"<svg" in render(picture(words))
    with pytest.raises(UsageError):
        render(picture("x"), "no-such-form")


# -- words -----------------------------------------------------------------------------------------------------------


@given(st.text(), st.integers(1, 4))
def test_wrapped_words_fit_and_are_kept(text, lines):
    found = wrapped(text, 90.0, 12.0, lines)
    assert 1 <= len(found) <= lines
    assert all(width_of(line, 12.0) <= 90.0 + 13 for line in found)
    if not found[-1].endswith("…"):
        assert "".join("".join(found).split()) == "".join(text.split())


def test_names_are_their_own_labels():
    compiled = saga()
    origins = (*compiled.origin.transitions[:-1], Origin("x", "`the goods` are sent to `you`"))
    drawing = from_net(compiled._replace(origin=OriginMap(compiled.origin.places, origins)))
    assert drawing.elements[-1].label == "the goods are sent to you"
    assert drawing.elements[0].label == "start"
