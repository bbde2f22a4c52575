"""How bad input and faults of placet itself are told: one message on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from placet.cli import exit_codes
from placet.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.diagnostics import Diagnostic

REPORT = "please report it, with the command and the model, where you got placet from"


def refusal(problem: Exception) -> None:
    """Say why the input cannot be used: its diagnostics, or the message."""
    if isinstance(problem, ModelError) and problem.diagnostics:
        show(problem.diagnostics)
    elif isinstance(problem, OSError) and problem.strerror:
        where = f": `{problem.filename}`" if problem.filename else ""
        print(f"error: the system says: {problem.strerror.lower()}{where}", file=sys.stderr)
    else:
        print(f"error: {problem}", file=sys.stderr)


def unwritten(path: str, problem: OSError) -> int:
    """Say that a file could not be written, and give the exit status."""
    print(f"error: `{path}` could not be written: {(problem.strerror or str(problem)).lower()}", file=sys.stderr)
    return exit_codes.UNUSABLE


def show(diagnostics: Sequence[Diagnostic]) -> None:
    """Print diagnostics with the lines they point at."""
    from placet.cli.terminal import style
    from placet.report.snippet import render_diagnostic

    look = style(sys.stderr)
    if diagnostics:
        print("\n\n".join("\n".join(render_diagnostic(d, look)) for d in diagnostics), file=sys.stderr)


def fault(problem: BaseException, *, debug: bool) -> None:
    """Say that placet itself is at fault, where, and what the user can do about it."""
    print(f"error: a fault in placet, not in your input: {describe(problem)}", file=sys.stderr)
    print(f"  {REPORT}", file=sys.stderr)
    if debug:
        import traceback

        traceback.print_exception(problem, file=sys.stderr)
    else:
        print("  `--debug` shows the traceback", file=sys.stderr)


def describe(problem: BaseException) -> str:
    """The exception and the innermost line of placet it came from, on one line."""
    where = ""
    trace = problem.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename.replace("\\", "/")
        if "/placet/" in file:
            where = f" at placet/{file.rpartition('/placet/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    text = " ".join(str(problem).split())[:300]
    return f"{type(problem).__name__}{f': {text}' if text else ''}{where}"
