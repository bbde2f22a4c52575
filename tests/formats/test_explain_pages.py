"""The page of every code of this room: its model gives exactly that code, its neighbour gives none of it."""

from __future__ import annotations

import re
import sys

import pytest

from conftest import CHECKOUT
from placet.diagnostics import Diagnostic
from placet.formats import mcc_properties, pnml, registry
from placet.formats.asl import export
from placet.net.builder import NetBuilder
from placet.source import SourceFile

PAGES = sorted((CHECKOUT / "docs" / "explain").glob("P5*.md"))


def codes(tag: str, text: str) -> set[str]:
    source = SourceFile(f"model.{tag}", text)
    if tag == "properties":
        builder = NetBuilder()
        builder.transition("on", {builder.place("p", 1): 1}, {})
        return {d.code for d in mcc_properties.read(source, builder.build()[0])[1]}
    found = registry.find(source)
    if isinstance(found, Diagnostic):
        return {found.code}
    if not found.module:  # a model of the language: what is lost when it is written
        subject = re.search(r"workflow (\w+)", text)
        assert subject is not None
        return {d.code for d in export.convert(source, "placet", subject.group(1))[1]}
    return {d.code for d in found.read(source)[1]}


def blocks(page: str, heading: str) -> list[tuple[str, str]]:
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    assert section is not None
    return re.findall(r"^```(\w+)\n(.*?)^```$", section.group(1), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_page(path, monkeypatch):
    if path.stem == "P533":
        monkeypatch.setitem(sys.modules, "yaml", None)
    page = path.read_text(encoding="utf-8")
    assert page.startswith(f"# {path.stem}: ")
    ((tag, bad),) = blocks(page, "Shows it")
    assert codes(tag, bad) == {path.stem}
    ((tag, good),) = blocks(page, "Does not")
    assert path.stem not in codes(tag, good)
    assert "## What to do" in page


@pytest.mark.editable  # reads the source
def test_every_code_has_a_page():
    written = set()
    for module in (CHECKOUT / "src" / "placet" / "formats").rglob("*.py"):
        written |= set(re.findall(r'"(P5\d\d)"', module.read_text(encoding="utf-8")))
    assert written == {p.stem for p in PAGES}
    assert pnml.VARIANTS == ("", "any-sink")
