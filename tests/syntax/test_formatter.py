"""The formatter changes white space and nothing else, and only once."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syntax_trees import files, without_spans

from conftest import CHECKOUT
from placet.source import SourceFile
from placet.syntax.formatter import format_source
from placet.syntax.lexer import TOKEN
from placet.syntax.parser import parse
from placet.syntax.printer import render

MODELS = sorted((CHECKOUT / "models").rglob("*.placet"))
SKETCH = CHECKOUT / "tests" / "syntax" / "sketch.placet.txt"


def formatted(text):
    shown, diagnostics = format_source(SourceFile("text", text))
    assert shown is not None, (text, diagnostics)
    return shown


def tokens_of(text):
    found = [text[slice(*m.span(m.lastindex))] for m in TOKEN.finditer(text)]
    return [t if t.startswith('"') else " ".join(t.split()) for t in found if t != ";"]


def comments_of(text):
    quoted = re.compile(r'"(?:[^"\\\r\n]|\\[^\r\n])*"|(#[^\n]*)')
    return [m[1].rstrip() for m in quoted.finditer(text) if m[1] is not None]


def check(text):
    shown = formatted(text)
    assert formatted(shown) == shown, text
    assert tokens_of(shown) == tokens_of(text)
    assert comments_of(shown) == comments_of(text)
    assert without_spans(parse(SourceFile("", shown))[0]) == without_spans(parse(SourceFile("", text))[0])
    assert not re.search(r"[ \t]\n|\n\n\n|\A\n|\n\n\Z", shown), shown
    return shown


spaces = st.sampled_from([" ", "  ", "\n", "\n\n", "\n\n\n", " \t\n \n", "\r\n"])
comments = st.text('# abc"{};,\u00e9', max_size=8).map(lambda text: f"#{text}\n")
gaps = st.one_of(
    spaces,
    spaces,
    spaces,
    st.tuples(spaces, comments).map("".join),
    st.tuples(st.sampled_from(["", " "]), comments, spaces).map("".join),
    st.tuples(spaces, comments, spaces, comments, spaces).map("".join),
)


@st.composite
def sprinkled(draw):
    """A random program whose tokens stand anywhere, with comments between any two of them."""
    text = render(draw(files))
    shown = [text[slice(*m.span(m.lastindex))] for m in TOKEN.finditer(text)]
    made = draw(st.sampled_from(["", "\n", "# first\n", "\n\n# first\n\n"]))
    quiet = draw(st.integers(0, 8))
    for number, token in enumerate(shown):
        plain = draw(st.integers(0, 8)) < quiet
        made += token + (" " if plain else draw(gaps)) if number < len(shown) - 1 else token
    return made + draw(st.sampled_from(["", "\n", " # last", "\n# last", "\n\n\n# last\n\n"]))


@settings(max_examples=200)
@given(sprinkled())
def test_any_program_with_comments_anywhere(text):
    check(text)


@settings(max_examples=250)
@given(files)
def test_what_the_printer_prints(file):
    check(render(file))


@pytest.mark.parametrize("path", [*MODELS, SKETCH], ids=lambda p: p.name)
def test_shipped_models(path):
    text = path.read_text(encoding="utf-8")
    if format_source(SourceFile("", text))[0] is None:
        pytest.skip("not all of it is in the language yet")
    check(text)
