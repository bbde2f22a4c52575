"""Every page about a diagnostic of this room shows a model that gives it, and a near one that does not."""

from __future__ import annotations

import ast as python
import re

import pytest

from conftest import CHECKOUT
from placet.compile.lint import lint
from placet.compile.resolve import resolve
from placet.compile.to_net import compile_model
from placet.source import SourceFile
from placet.syntax.parser import parse

PAGES = sorted(
    page for page in (CHECKOUT / "docs" / "explain").glob("P[234]*.md") if page.stem.startswith(("P2", "P3", "P41"))
)
MINE = ("arrays", "array_numbers", "data", "params", "each", "findings", "bodies", "leaves", "steps", "options", "profiles", "declarations", "bounds", "resolve", "signal_decls", "patches", "runs", "every", "lint", "lint_saga", "lint_undo", "turning", "undo_stack", "undo_turns",
        "check_items", "check_formulas", "net_decls", "machine_decls", "checks", "topics", "choreographies", "lint_topics", "limits", "logics", "pools")  # fmt: skip


def codes(text: str) -> set[str]:
    file, problems = parse(SourceFile("page.placet", text))
    model, unresolved = resolve(file)
    found = [*problems, *unresolved]
    if not any(d.severity == "error" for d in found):
        found += [*lint(model), *compile_model(model)[1]]
    return {d.code for d in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(page) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.match(rf"# {page.stem}: \S", text)
    shows, does_not = re.findall(r"```placet\n(.*?)```", text, re.DOTALL)
    assert codes(shows) == {page.stem}
    assert codes(does_not) == set()
    assert "## What to do\n" in text


@pytest.mark.editable  # reads the source
def test_every_code_has_a_page() -> None:
    raised = set()
    for module in MINE:
        tree = python.parse((CHECKOUT / "src" / "placet" / "compile" / f"{module}.py").read_text(encoding="utf-8"))
        for node in python.walk(tree):
            if isinstance(node, python.Constant) and re.fullmatch(r"P\d{3}", str(node.value)):
                raised.add(node.value)
    assert raised - {"P403"} == {page.stem for page in PAGES}  # the page of P403 is shown with the nets of sagas
