"""From text to the syntax tree, with every problem that was found on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.syntax.run import MOST_ERRORS, Run, TooManyErrors

if TYPE_CHECKING:
    from placet.diagnostics import Diagnostic
    from placet.source import SourceFile
    from placet.syntax import ast


def parse_all(run: Run) -> ast.File:
    """The tree of the whole text, whatever it holds: what does not fit is reported and mended or skipped."""
    position = 0
    try:
        while (trouble := run.advance(position)) is not None:
            from placet.syntax.recovery import recover

            position = recover(run, *trouble)
    except TooManyErrors:
        from placet.syntax import ast

        last = run.diagnostics[-1]
        note = f"this is the {MOST_ERRORS}th problem; what comes after it is not shown"
        run.diagnostics[-1] = last._replace(notes=(*last.notes, note))
        return ast.File(run.source, run.items())
    file: ast.File = run.machine.values[1]
    return file


def parse(source: SourceFile) -> tuple[ast.File, tuple[Diagnostic, ...]]:
    """The syntax tree of a file, and its diagnostics in the order of the text. Never raises, whatever the text.

    Where there are errors, the tree holds what could be understood; a name that is missing there has the text "".
    Cost: linear in the length of the text.
    """
    run = Run(source)
    file = parse_all(run)
    diagnostics = run.diagnostics
    if not file.items and not diagnostics:
        from placet.syntax.misspelt import nothing_here

        diagnostics.append(nothing_here(source))
    diagnostics.sort(key=lambda d: d.span.start if d.span else 0)
    return file, tuple(
        dict.fromkeys(diagnostics)
    )  # what was skipped may begin where the last trouble began: it is told once
