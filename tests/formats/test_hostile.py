"""Files that were made to hurt, or were hurt: a located diagnostic each, no exception, in bounded time and memory."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from placet.diagnostics import Diagnostic
from placet.formats import registry
from placet.formats.pnml import read_all
from placet.formats.xml_walk import character_offsets
from placet.source import SourceFile

GOOD = """<?xml version="1.0" encoding="UTF-8"?>
<pnml xmlns="http://www.pnml.org/version-2009/grammar/pnml"><net id="n" type="ptnet"><page id="g">
<place id="p"><name><text>wärten</text></name><initialMarking><text>1</text></initialMarking></place>
<transition id="t"/><referencePlace id="r" ref="p"/><arc id="a" source="r" target="t"><inscription><text>2</text></inscription></arc>
<toolspecific tool="placet" version="1"><final any-sink="true"/><end idref="p"/></toolspecific>
</page><finalmarkings><marking><place idref="p"><text>1</text></place></marking></finalmarkings></net></pnml>
"""

BOMB = '<!DOCTYPE pnml [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(12)
)


def judged(text: str) -> list[str]:
    nets, diagnostics = read_all(SourceFile("x.pnml", text))
    for d in diagnostics:
        assert d.path == "x.pnml"
        assert d.span is None or 0 <= d.span.start <= d.span.end <= len(text)
    assert nets or diagnostics
    return [d.code for d in diagnostics]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (BOMB + "]><pnml><net id='n'><name>&m;</name></net></pnml>", "P502"),
        ("<!DOCTYPE pnml [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><pnml>&x;</pnml>", "P502"),
        ("<!DOCTYPE pnml [<!ENTITY % x SYSTEM 'http://127.0.0.1:9/x'> %x;]><pnml/>", "P502"),
        ("<!DOCTYPE pnml SYSTEM 'http://127.0.0.1:9/x.dtd'><pnml>&who;</pnml>", "P502"),
        ("<pnml>&who;</pnml>", "P501"),
        ("<a>" * 100_000, "P503"),
        ("<pnml><net id='n'>" + "<page>" * 300 + "</page>" * 300 + "</net></pnml>", "P503"),
        ("<pnml><net id='n'><place id='p'>" + "<x>" * 300 + "</x>" * 300 + "</place></net></pnml>", "P503"),
        ("", "P505"),
        ("  \n ", "P505"),
        ("<pnml>\0</pnml>", "P501"),
        ("<pnml>\ud800</pnml>", "P501"),
        ("not xml", "P501"),
        ("<html/>", "P504"),
        ("<pnml><place id='p'/></pnml>", "P505"),
        ("<pnml><net id='n'><place id='p' id='q'/></net></pnml>", "P501"),
        ("<pnml><q:net id='n'/></pnml>", "P501"),
        ("<pnml><net id='n'/></pnml><pnml/>", "P501"),
        ("<pnml><net id='n'><place id=''/></net></pnml>", "P507"),
        ("<pnml><net id='n'/><net id='n'/></pnml>", "P508"),
        (
            "<pnml><net id='n'><toolspecific tool='placet'><place id='x'><a/></place></toolspecific><place/></net></pnml>",
            "P507",
        ),
    ],
)
def test_hostile(text, code):
    assert judged(text) == [code]


def test_many_problems_are_not_quoted_back():
    arcs = "".join(f"<arc id='a{i}' source='x{i}' target='y{i}'/>" for i in range(20_000))
    codes = judged(f"<pnml><net id='n'>{arcs}</net></pnml>")
    assert len(codes) == 101
    assert codes[-1] == "P516"


def test_one_long_line():
    places = "".join(f"<place id='p{i}'><name><text>{'x' * 20}</text></name></place>" for i in range(20_000))
    nets, _ = read_all(SourceFile("x.pnml", f"<pnml><net id='n'>{places}</net></pnml>"))
    assert len(nets[0].net.places) == 20_000


def test_cut_anywhere():
    for cut in range(len(GOOD) - 8):
        assert judged(GOOD[:cut]) in (["P501"], ["P505"])


def test_damaged_anywhere():
    dice = random.Random(1)
    for _ in range(1500):
        text = list(GOOD)
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(text))
            move = dice.randrange(3)
            if move == 0:
                text[at] = dice.choice("<>&\"'/=\0 1é\ud800]x")
            elif move == 1:
                del text[at : at + dice.randint(1, 12)]
            else:
                other = dice.randrange(len(text))
                text[at:at] = text[other : other + dice.randint(1, 60)]
        judged("".join(text))


@given(st.text())
@example("<pnml")
def test_any_text(text):
    judged(text)
    for path in ("x.pnml", "x.xml", "x.json", "x.yaml", "x"):
        found = registry.find(SourceFile(path, text))
        assert isinstance(found, Diagnostic | registry.Format)


@given(st.text())
def test_offsets_of_bytes_and_characters(text):
    text = text.encode("utf-8", "ignore").decode()
    offset = character_offsets(text)
    for at in range(len(text) + 1):
        assert offset(len(text[:at].encode())) == at
