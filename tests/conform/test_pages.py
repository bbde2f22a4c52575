"""The page of every code of this room: its log gives exactly that code, its neighbour gives none."""

from __future__ import annotations

import re

import pytest

from conftest import CHECKOUT
from placet.conform.logs import read

PAGES = sorted((CHECKOUT / "docs" / "explain").glob("P7*.md"))


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_page(path, tmp_path):
    page = path.read_text(encoding="utf-8")
    assert page.startswith(f"# {path.stem}: ")
    assert "## What to do" in page
    for heading, expected in (("Shows it", {path.stem}), ("Does not", set())):
        section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
        ((tag, text),) = re.findall(r"^```(\w+)\n(.*?)^```$", section.group(1), re.DOTALL | re.MULTILINE)
        assert tag == "log"
        log = tmp_path / "a.log"
        log.write_text(text, encoding="utf-8")
        assert {d.code for d in read(str(log)).diagnostics} == expected


@pytest.mark.editable  # reads the source
def test_every_code_has_a_page():
    written = set()
    for module in (CHECKOUT / "src" / "placet" / "conform").glob("*.py"):
        written |= set(re.findall(r'"(P7\d\d)"', module.read_text(encoding="utf-8")))
    assert written == {p.stem for p in PAGES}
