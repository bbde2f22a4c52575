"""The printer and the parser are each other's inverse."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from syntax_trees import files, without_spans

from conftest import CHECKOUT
from placet.source import SourceFile
from placet.syntax import ast
from placet.syntax.parser import parse
from placet.syntax.printer import render

MODELS = sorted((CHECKOUT / "models").rglob("*.placet"))


@settings(max_examples=200)
@given(files)
def test_what_is_printed_parses_to_the_same_tree(file):
    shown = render(file)
    again, diagnostics = parse(SourceFile("shown", shown))
    assert diagnostics == (), shown
    assert without_spans(again) == without_spans(file), shown
    assert render(again) == shown


@pytest.mark.parametrize("path", MODELS, ids=lambda p: str(p.relative_to(CHECKOUT)))
def test_shipped_models(path):
    file, diagnostics = parse(SourceFile(path.name, path.read_text(encoding="utf-8")))
    assert diagnostics == ()
    again, diagnostics = parse(SourceFile("shown", render(file)))
    assert diagnostics == ()
    assert without_spans(again) == without_spans(file)


def test_layout():
    text = """
    saga book uses dtm { step a on x {undo b;retry 3} parallel { step c; { task d task e } } siblings await }
    check sound(book),never( a and (b or c) and not(d implies e))"never" under{lost}at_most 1
    """
    file, _ = parse(SourceFile("", text))
    assert render(file) == (
        "saga book uses dtm {\n"
        "  step a on x { undo b; retry 3 }\n"
        "  parallel {\n"
        "    step c\n"
        "    ;\n"
        "    {\n"
        "      task d\n"
        "      task e\n"
        "    }\n"
        "  }\n"
        "  siblings await\n"
        "}\n"
        "\n"
        'check sound(book), never(a and (b or c) and not (d implies e)) "never" under { lost } at_most 1\n'
    )
    assert render(ast.File(file.source, ())) == ""


def test_deeply_nested_statements_need_no_stack():
    depth = 99
    text = "workflow w {" + "loop {" * depth + "task a" + "}" * depth + "}"
    file, diagnostics = parse(SourceFile("", text))
    assert diagnostics == ()
    assert "  " * (depth + 1) + "task a\n" in render(file)
