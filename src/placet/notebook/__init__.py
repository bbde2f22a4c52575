"""Jupyter: models, verdicts, counterexamples, runs and drawings show themselves.

`import placet` in a notebook registers the formatters; `%load_ext placet.notebook` does so by hand. They are registered
by the names of the types, so that nothing is imported before something is shown, and a net knows no drawing.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# type -> (kind of output, function of `notebook.show`)
_SHOWN = {
    ("placet.net.core", "Net"): ("image/svg+xml", "net"),
    ("placet.compiled", "Compiled"): ("image/svg+xml", "compiled"),
    ("placet.draw.drawing", "Drawing"): ("image/svg+xml", "drawing"),
    ("placet.lts", "Lts"): ("image/svg+xml", "lts"),
    ("placet.pipeline", "Loaded"): ("text/html", "loaded"),
    ("placet.report.report", "Report"): ("text/html", "report"),
    ("placet.report.report", "ModelReport"): ("text/html", "model"),
    ("placet.report.report", "CheckReport"): ("text/html", "check"),
    ("placet.report.report", "Story"): ("text/html", "story"),
    ("placet.evidence", "Holds"): ("text/html", "holds"),
    ("placet.evidence", "Violated"): ("text/html", "violated"),
    ("placet.evidence", "Inconclusive"): ("text/html", "inconclusive"),
    ("placet.simulate.simulator", "Run"): ("text/html", "run"),
    ("placet.simulate.statistics", "Statistics"): ("text/html", "statistics"),
}


def load_ipython_extension(shell: Any) -> None:  # noqa: ANN401 - IPython is not imported here
    """Register the formatters with an IPython shell."""
    for (module, name), (form, function) in _SHOWN.items():
        shell.display_formatter.formatters[form].for_type_by_name(module, name, _shower(function))
        shell.display_formatter.formatters["text/plain"].for_type_by_name(module, name, _words)


def unload_ipython_extension(shell: Any) -> None:  # noqa: ANN401 - as above
    """Take the formatters back."""
    for (module, name), (form, _) in _SHOWN.items():
        for kind in (form, "text/plain"):
            for _ in range(2):  # IPython keeps what was already shown apart from what was not
                shell.display_formatter.formatters[kind].pop(f"{module}.{name}", None)


def register() -> bool:
    """Register with the running IPython shell, if there is one."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        return False
    load_ipython_extension(shell)
    return True


def _shower(function: str) -> Callable[[Any], str]:
    def show(value: Any) -> str:  # noqa: ANN401 - one of the types above
        from placet.notebook import show as functions

        shown: str = getattr(functions, function)(value)
        return shown

    return show


def _words(value: Any, printer: Any, cycle: bool) -> None:  # noqa: ANN401, FBT001 - IPython's signature
    """The text beside a picture, and all that a terminal shows: short, since the value itself can be huge."""
    from placet.notebook.show import words

    printer.text("..." if cycle else words(value))
