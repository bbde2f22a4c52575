"""Every code of the parser has its page, whose model gives exactly this code; every example of docs/language.md parses."""

from __future__ import annotations

import re

import pytest

from conftest import CHECKOUT
from placet.source import SourceFile
from placet.syntax import tables
from placet.syntax.parser import parse

PAGES = sorted((CHECKOUT / "docs" / "explain").glob("P1*.md"))
LANGUAGE = (CHECKOUT / "docs" / "language.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```placet\n(.*?)^```$", LANGUAGE, re.DOTALL | re.MULTILINE)


def section(page, heading):
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    assert found is not None, heading
    return found.group(1)


def block(page, heading):
    (only,) = re.findall(r"^```placet\n(.*?)^```$", section(page, heading), re.DOTALL | re.MULTILINE)
    return only


def codes(text):
    return [d.code for d in parse(SourceFile("", text))[1]]


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_page(path):
    page = path.read_text(encoding="utf-8")
    assert page.startswith(f"# {path.stem}: ")
    assert codes(block(page, "Shows it")) == [path.stem]
    assert codes(block(page, "Does not")) == []
    assert section(page, "What to do").strip()


@pytest.mark.editable  # reads the source
def test_every_code_has_a_page():
    written = set()
    for module in (CHECKOUT / "src" / "placet" / "syntax").glob("*.py"):
        written |= set(re.findall(r'"(P1\d\d)"', module.read_text(encoding="utf-8")))
    assert written == {p.stem for p in PAGES}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.strip().split("\n")[0][:40])
def test_the_examples_of_the_language_page_parse(example):
    _, diagnostics = parse(SourceFile("docs/language.md", example))
    assert [(d.message, str(d.span)) for d in diagnostics] == []


def test_the_language_page_shows_every_word():
    shown = set(re.findall(r"[A-Za-z_]+", " ".join(EXAMPLES)))
    assert set(tables.WORDS) <= shown
