"""The page of every code of this room: its sidecar gives exactly that code, its neighbour gives none of it."""

from __future__ import annotations

import re

import pytest

from conftest import CHECKOUT
from placet.cli.verify import Job, _without_sidecarred
from placet.pipeline import DEFAULTS, load
from placet.project.discovery import discover

PAGES = sorted((CHECKOUT / "docs" / "explain").glob("P8*.md"))
DEFINITION = (CHECKOUT / "models" / "step_functions_sidecar" / "order.asl.json").read_text(encoding="utf-8")
ALWAYS = {"P551"}  # a finding of the definition itself


def codes(folder, text: str) -> set[str]:
    (folder / "order.asl.json").write_text(DEFINITION, encoding="utf-8")
    (folder / "order.placet").write_text(text, encoding="utf-8")
    work = [Job(path, DEFAULTS, False, False) for path in discover([str(folder)]).files]
    _, notes = _without_sidecarred([str(folder)], work)
    return {d.code for d in (*load(folder / "order.placet").diagnostics, *notes)}


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_page(path, tmp_path):
    page = path.read_text(encoding="utf-8")
    assert page.startswith(f"# {path.stem}: ")
    shows, does_not = re.findall(r"^```placet\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    found = codes(tmp_path, shows) - ALWAYS
    if path.stem not in ("P801", "P802", "P812"):
        found.discard("P812")
    if path.stem in ("P801", "P802"):
        assert found == {path.stem}
    else:
        assert path.stem in found
        assert found - {path.stem} == set()
    assert path.stem not in codes(tmp_path, does_not)
    assert "## What to do" in page


@pytest.mark.editable  # reads the source
def test_every_code_has_a_page():
    written = set()
    for module in (CHECKOUT / "src" / "placet").rglob("*.py"):
        written |= set(re.findall(r'"(P8\d\d)"', module.read_text(encoding="utf-8")))
    assert written == {p.stem for p in PAGES}
