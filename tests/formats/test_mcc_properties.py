"""The contest's property files: what each element means, and what is refused, located."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.formats.mcc_properties import read
from placet.formats.pnml import read as read_pnml
from placet.logic.state import Dead, Fireable, Linear, Or
from placet.logic.temporal import Always, Atom, Eventually, Every, Next, Some, Until, is_ctl, is_ltl, neg
from placet.net.builder import NetBuilder
from placet.source import SourceFile


def net():
    builder = NetBuilder()
    p, q = builder.place("p", 1), builder.place("q")
    builder.transition("t", {p: 1}, {q: 1})
    builder.transition("u", {q: 1}, {p: 1})
    return builder.build()[0]


def formula(text):
    source = SourceFile(
        "x.xml", f"<property-set><property><id>a</id><formula>{text}</formula></property></property-set>"
    )
    (found,), problems = read(source, net())
    assert problems == ()
    assert found.id == "a"
    return found.formula if found.bound is None else found.bound


LE = "<integer-le><tokens-count><place>p</place><place>q</place></tokens-count><integer-constant>3</integer-constant></integer-le>"
CAN = "<is-fireable><transition>t</transition></is-fireable>"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (LE, Atom(Linear(((0, 1), (1, 1)), "<=", 3))),
        ("<integer-le><integer-constant>2</integer-constant><tokens-count><place>q</place></tokens-count></integer-le>",
         Atom(Linear(((1, -1),), "<=", -2))),
        ("<integer-le><tokens-count><place>p</place></tokens-count><tokens-count><place>q</place><place>p</place></tokens-count></integer-le>",
         Atom(Linear(((1, -1),), "<=", 0))),
        (CAN, Atom(Fireable(0))),
        ("<is-fireable><transition>t</transition><transition>u</transition></is-fireable>", Atom(Or((Fireable(0), Fireable(1))))),
        (f"<negation>{CAN}</negation>", neg(Atom(Fireable(0)))),
        (f"<exists-path><finally>{CAN}</finally></exists-path>", Some(Eventually(Atom(Fireable(0))))),
        (f"<all-paths><globally><next>{CAN}</next></globally></all-paths>", Every(Always(Next(Atom(Fireable(0)))))),
        (f"<all-paths><until><before>{CAN}</before><reach>{LE}</reach></until></all-paths>",
         Every(Until(Atom(Fireable(0)), Atom(Linear(((0, 1), (1, 1)), "<=", 3))))),
        ("<deadlock/>", Atom(Dead())),
        ("<is-fireable/>", Atom(Or(()))),
        ("<place-bound/>", ()),
        ("<place-bound><place>q</place><place>p</place></place-bound>", (1, 0)),
    ],
)  # fmt: skip
def test_elements(text, want):
    assert formula(text) == want


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<is-fireable><transition>x</transition></is-fireable>", "the net has no transition `x`"),
        ("<tokens-count><place>t</place></tokens-count>", "the net has no place `t`"),
        ("<integer-le><integer-constant>1</integer-constant></integer-le>", "compares two numbers"),
        ("<integer-le><integer-constant>-1</integer-constant><integer-constant>1</integer-constant></integer-le>", "no whole number"),
        ("<possibly/>", "`possibly` with 0 parts"),
        (f"<conjunction>{CAN}<integer-constant>1</integer-constant></conjunction>", "a part that is no formula"),
        ("<is-fireable><place>p</place></is-fireable>", "where a transition is needed"),
        (f"<until><before>{CAN}</before></until>", "`until` with 1 parts"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_told_and_the_rest_is_read(text, message):
    whole = f"<property-set><property><id>a</id><formula>{text}</formula></property><property><id>b</id><formula>{CAN}</formula></property></property-set>"
    (a, b), (problem,) = read(SourceFile("x.xml", whole), net())
    assert a == ("a", None, None)
    assert b.formula == Atom(Fireable(0))
    assert problem.code == "P530"
    assert message in problem.message
    assert problem.span.text in whole


@given(st.text("<>/ab&;\"'= \n\x00é", max_size=60))
def test_no_text_makes_it_raise(text):
    read(SourceFile("x.xml", text), net())
    read(
        SourceFile("x.xml", f"<property-set><property><id>a</id><formula>{text}</formula></property></property-set>"),
        net(),
    )


def test_the_contest_s_files_are_read_whole(corpora):
    for folder in sorted((corpora / "mcc").glob("*/"))[::9]:
        model = folder / "model.pnml"
        compiled, _ = read_pnml(SourceFile(str(model), model.read_text(encoding="utf-8")))
        for file in folder.glob("*.xml"):
            properties, problems = read(SourceFile(str(file), file.read_text(encoding="utf-8")), compiled.net)
            assert problems == ()
            assert len(properties) == 16
            for one in properties:
                if file.stem == "UpperBounds":
                    assert one.bound
                elif file.stem.startswith("LTL"):
                    assert isinstance(one.formula, Every)
                    assert is_ltl(one.formula.of)
                else:
                    assert is_ctl(one.formula)
