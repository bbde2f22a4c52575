"""The page of every code of this room: its example gives exactly that code, its neighbour gives none of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conftest import CHECKOUT
from placet.pipeline import compile_source
from placet.project.configuration import parse
from placet.project.discovery import discover
from placet.project.reading import read
from placet.source import SourceFile

PAGES = sorted((CHECKOUT / "docs" / "explain").glob("P6*.md"))

PREPARE = {
    "mkdir": lambda name: Path(name).mkdir(),
    "write": lambda name: Path(name).write_text("net n { place p = 1 }"),
    "bytes": lambda name, digits: Path(name).write_bytes(bytes.fromhex(digits)),
    "link": lambda target, name: Path(name).symlink_to(Path(target).absolute()),
}


def grow(name: str, size: str) -> None:
    with Path(name).open("wb") as file:
        file.truncate(int(size))


def console(text: str) -> set[str]:
    found: set[str] = set()
    for line in text.splitlines():
        word, *operands = line.removeprefix("$ ").split()
        if word == "placet":
            files = discover(operands[1:])
            found |= {d.code for d in files.diagnostics}
            for file in files.files:
                found |= {d.code for d in read(file)[1]}
        elif word == "grow":
            grow(*operands)
        else:
            PREPARE[word](*operands)
    return found


def codes(tag: str, text: str) -> set[str]:
    if tag == "console":
        return console(text)
    if tag == "placet":
        return {d.code for d in compile_source(SourceFile("page.placet", text)).diagnostics}
    return {d.code for d in parse(SourceFile("placet.toml", text))[1]}


def example(page: str, heading: str) -> tuple[str, str]:
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    assert section is not None
    (only,) = re.findall(r"^```(\w+)\n(.*?)^```$", section.group(1), re.DOTALL | re.MULTILINE)
    return only


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
@pytest.mark.parametrize("heading", ["Shows it", "Does not"])
def test_page(path, heading, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = path.read_text(encoding="utf-8")
    assert page.startswith(f"# {path.stem}: ")
    assert "## What to do" in page
    assert codes(*example(page, heading)) == ({path.stem} if heading == "Shows it" else set())


@pytest.mark.editable  # reads the source
def test_every_code_has_a_page():
    written = set()
    for module in (CHECKOUT / "src" / "placet" / "project").glob("*.py"):
        written |= set(re.findall(r'"(P6\d\d)"', module.read_text(encoding="utf-8")))
    assert written == {p.stem for p in PAGES}
