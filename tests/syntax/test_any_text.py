"""Whatever the text: no exception, every diagnostic located, in bounded time (the suite would not end otherwise)."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from syntax_trees import files

from placet.source import SourceFile
from placet.syntax import ast
from placet.syntax.parser import parse
from placet.syntax.printer import render
from placet.syntax.tables import SIGNS, WORDS


def check(text):
    file, diagnostics = parse(SourceFile("any", text))
    assert isinstance(file, ast.File)
    assert len(diagnostics) <= 50
    assert bool(file.items) or diagnostics
    previous = 0
    for d in diagnostics:
        assert d.severity == "error"
        assert d.message
        assert not d.message.endswith(".")
        assert 0 <= d.span.start <= d.span.end <= len(text)
        assert d.span.start >= previous
        previous = d.span.start
    keys = [(d.code, d.span.start, d.message) for d in diagnostics]
    assert len(set(keys)) == len(keys)
    return file, diagnostics


@settings(max_examples=500)
@given(st.text(max_size=80))
def test_any_text(text):
    check(text)


@settings(max_examples=500)
@given(st.text(alphabet='{}()"#;:,+-*=<>!. \n\r\t\\\0az0é', max_size=120))
def test_signs_and_quotes(text):
    check(text)


words = st.sampled_from(
    [
        *sorted(WORDS),
        *sorted(SIGNS),
        *sorted(SIGNS),
        "a",
        "b.c",
        "3",
        "10s",
        '"s"',
        '"open',
        "2x",
        "@",
        "\n",
        "var",
        "on unknown",
    ]
)


@settings(max_examples=1000)
@given(st.lists(words, max_size=60))
def test_token_soups(soup):
    check(" ".join(soup))


@settings(max_examples=300)
@given(files, st.data())
def test_damaged_models(file, data):
    text = render(file)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        size = data.draw(st.integers(0, 10))
        text = (
            text[:at]
            + data.draw(st.sampled_from(["", "{", "}", '"', "#", ";", "(", "\0", "loop {", "\n", "x"]))
            + text[at + size :]
        )
    check(text)


@settings(max_examples=150)
@given(files, files, words)
@example(parse(SourceFile("", ""))[0], parse(SourceFile("a", "var r : bool\n"))[0], "parallel")
def test_a_mistake_in_a_declaration_hides_none_of_the_next(file, other, word):
    """What follows a broken declaration, on a line of its own, is understood as if the broken one were not there."""
    last = render(other._replace(items=other.items[:1]))
    broken = (
        f"workflow broken {{ task a {word} }} }}\n" if word in "{(" else f"workflow broken {{ task {word} {word} b }}\n"
    )
    found = check(broken + last)[0]
    assert [type(i) for i in found.items][-1] is type(other.items[0])
    assert file.source.path == ""


MEGABYTE = 1_000_000
LARGE = {
    "braces": "{" * 100_000,
    "nested workflows": "workflow w " + "{" * 100_000,
    "nested statements": "workflow w {" + "parallel {" * 100_000,
    "nested and closed": "workflow w {" + "loop {" * 100_000 + "}" * 100_001,
    "nested parentheses": "check a(" + "(" * 100_000 + "b" + ")" * 100_001,
    "negations": "check a(" + "not " * 100_000 + "b)",
    "quotes": '"' * MEGABYTE,
    "open quotes": '"a\n' * (MEGABYTE // 3),
    "backslashes": '"\\' * (MEGABYTE // 2),
    "closing braces": "}" * MEGABYTE,
    "one line": "workflow w {" + "task a " * (MEGABYTE // 7) + "}",
    "one broken line": "workflow w {" + "task a b " * (MEGABYTE // 9) + "}",
    "blanks": " " * MEGABYTE,
    "hashes": "#" * MEGABYTE,
    "NUL bytes": "\0" * MEGABYTE,
    "one word": "a" * MEGABYTE,
    "one dotted word": "workflow w { task " + "a." * (MEGABYTE // 2),
    "one number": "net n { place p = " + "9" * MEGABYTE,
    "strange characters": "@ " * (MEGABYTE // 2),
    "on and blanks": "saga s { " + ("on" + " " * 1000) * 1000,
    "ranges": "for each x in 1..2 " * (MEGABYTE // 20),
    "unclosed, many lines": "workflow w {\n" * 70_000,
    "implications": "check a(b" + " implies b" * 100_000 + ")",
}


@pytest.mark.parametrize("name", sorted(LARGE))
def test_large_texts(name):
    check(LARGE[name])


def test_what_is_skipped_is_told_once():
    _, diagnostics = check("service R { idempotent }\nc;raphy R { }\n")
    assert [d.code for d in diagnostics] == ["P101"]
