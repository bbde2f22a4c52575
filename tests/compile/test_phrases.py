"""What a place says, behind "this is still open:", for every kind of statement that may come next."""

from __future__ import annotations

import re

import pytest

from placet.pipeline import compile_source
from placet.source import SourceFile


def compiled(body: str, kind: str = "workflow"):
    text = f"service s\nworkflow v {{ task z }}\n{kind} w {{ task first {body} }}"
    loaded = compile_source(SourceFile("w.placet", text))
    assert not loaded.broken, loaded.diagnostics
    return next(c for c in loaded.compiled if c.subject == "w")


def phrases(body: str, kind: str = "workflow") -> set[str]:
    return {origin.phrase for origin in compiled(body, kind).origin.places}


@pytest.mark.parametrize(
    ("body", "phrase"),
    [
        ("task pack", "`pack` comes next"),
        ("call v", "`v` comes next"),
        ("receive paid", "waiting for `paid`"),
        ("timer 24h", "waiting until 24h have passed"),
        ("first of { receive paid; timer 24h }", "waiting for `paid` or `24h`"),
        ("end over", "the end `over` comes next"),
        ("raise Lost", "the error `Lost` comes next"),
        ('choice stock { when "there" { task a } otherwise { task b } }', "the choice `stock` comes next"),
        ("either { task a } or { task b }", "the choice of `a` comes next"),
        ('either { loop { timer 5s; task poll } until "done" } or { task b }', "the loop of `5s` comes next"),
        ("parallel { task a { task b task c } }", "the way of `b` is done"),
        ("parallel { { receive paid } task c }", "the way of the wait for `paid` is done"),
        ('loop rounds { task a } until "done"', "a round of the loop `rounds` is over"),
        ("try { task a fails No } on No { task b }", "`No` is raised in the try of `a`"),
        ("either { task a } or { }", "nothing is left to be done here"),
    ],
)  # fmt: skip
def test_places(body, phrase):
    assert phrase in phrases(body)


@pytest.mark.parametrize(
    ("body", "phrase"),
    [
        ("step a on s step b on s", "`a` is done"),
        ("parallel { step a on s step b on s }", "the way of `a` is done"),
        ("receive paid step b on s", "`paid` has arrived"),
    ],
)
def test_places_of_sagas(body, phrase):
    assert phrase in phrases(body, "saga")


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("task a", "a"),
        ("timer 5s task a", "to wait 5s"),
        ("receive paid", "to wait for paid"),
        ("first of { receive paid; timer 5s }", "to wait for paid or 5s"),
        ('loop { task a } until "done"', "the loop of a"),
        ("end over", "the end over"),
        ("", "to do nothing"),
    ],
)  # fmt: skip
def test_ways(way, words):
    told = {o.phrase for o in compiled(f"either {{ {way} }} or {{ task other }}").origin.transitions}
    assert f"`w` chooses: {words}" in told
    assert "`w` chooses: other" in told


def test_a_condition_is_told_as_written():
    body = 'choice { when "in (stock)" { task a } otherwise { task b } }'
    told = {o.phrase for o in compiled(body).origin.transitions}
    assert {"`w` chooses: in (stock)", "`w` chooses: otherwise"} <= told


def test_no_id_shows():
    body = (
        "either { parallel { { loop { task a } } { first of { timer 5s } } } } or { try { task q fails E } on E { } }"
    )
    for phrase in phrases(body):
        assert not re.search(r"`[^`]*[(#/\[]", phrase), phrase
