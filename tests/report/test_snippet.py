"""Diagnostics with their source line: carets on the right columns, whatever the line."""

from __future__ import annotations

import pytest

from placet.diagnostics import Diagnostic, Label
from placet.report.snippet import render_diagnostic
from placet.report.style import Style, columns
from placet.source import SourceFile, Span


def shown(text: str, start: int, end: int, width: int = 100, **more) -> list[str]:
    return render_diagnostic(
        Diagnostic("P101", "error", "m", Span(SourceFile("f", text), start, end), **more), Style(width)
    )


def under_caret(lines: list[str]) -> str:
    """What stands above the carets."""
    carets = next(n for n, line in enumerate(lines) if "^" in line)
    first, last = lines[carets].index("^"), lines[carets].rindex("^") + 1
    return lines[carets - 1][first:last]


@pytest.mark.parametrize("before", ["", "a ", "\t", "\t\tx\t", "x" * 60, "word " * 400, "x" * 1_000_000])
@pytest.mark.parametrize("after", ["", " b", "y" * 1_000_000, "\r\nnext", "\nnext"])
@pytest.mark.parametrize("first", ["", "one\n\n"])
def test_the_caret_stands_under_the_span(first, before, after):
    text = f"{first}{before}WRONG{after}"
    at = len(first) + len(before)
    lines = shown(text, at, at + 5)
    assert under_caret(lines) == "WRONG"
    assert all(len(line) <= 100 for line in lines)
    assert lines[1].endswith(f":{3 if first else 1}:{len(before) + 1}")


def test_a_span_over_lines_marks_the_first():
    lines = shown("ab {\n  c\n}\n", 3, 10)
    assert under_caret(lines) == "{"


@pytest.mark.parametrize("text", ["", "\n", "abc", "abc\n"])
def test_the_end_of_the_text(text):
    lines = shown(text, len(text), len(text))
    assert sum(line.count("^") for line in lines) == 1


def test_wide_characters_shift_the_caret():
    lines = shown("日本 WRONG", 3, 8)
    carets = next(line for line in lines if "^" in line)
    source = lines[lines.index(carets) - 1]
    assert columns(carets[: carets.index("^")]) == columns(source[: source.index("WRONG")])


def test_terminal_commands_in_the_source_are_dead():
    assert not any("\x1b" in line for line in shown("a \x1b[2J b", 5, 6))


def test_labels_notes_help_and_other_files():
    own, other = SourceFile("f", "one\ntwo\nthree\n"), SourceFile("g", "first\nsecond\n")
    labels = (Label(Span(other, 6, 12), "here"), Label(Span(own, 0, 3), "above"))
    found = Diagnostic("P101", "error", "m", Span(own, 8, 13), labels, ("note " * 30,), "do it")
    lines = render_diagnostic(found, Style(60))
    assert lines[:10] == [
        "error[P101]: m",
        " --> f:3:1",
        "  |",
        "1 | one",
        "  | --- above",
        "3 | three",
        "  | ^^^^^",
        " ::: g:2:1",
        "2 | second",
        "  | ------ here",
    ]
    assert lines[10].startswith("  = note: note note")
    assert lines[11].startswith("          note note")
    assert lines[-1] == "  = help: do it"


def test_marks_far_apart_on_one_line_have_their_part_each():
    source = SourceFile("f", "first " + "x" * 3_000 + " second")
    found = Diagnostic("P101", "error", "m", Span(source, 3_007, 3_013), (Label(Span(source, 0, 5), "before"),))
    lines = render_diagnostic(found, Style(60))
    assert under_caret(lines) == "second"
    at = next(n for n, line in enumerate(lines) if "before" in line)
    assert lines[at - 1].startswith("1 | first xxx")


def test_without_a_span_the_file_is_named():
    assert render_diagnostic(Diagnostic("P602", "error", "m", path="gone.placet")) == [
        "error[P602]: m",
        " --> gone.placet",
    ]
