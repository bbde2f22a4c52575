"""Progress on a terminal, for anything over a second: a line on standard error that goes away."""

from __future__ import annotations

import sys
from time import monotonic

from placet.cli.terminal import columns

PATIENCE = 1.0  # seconds before the first line
EVERY = 0.2  # seconds between two lines


class Progress:
    """Says which file is worked on, how many states were found, how fast, how many wait, and the memory used.

    Silent where standard error is no terminal. An instance is called by engines, every few thousand states.
    """

    def __init__(self, files: int, *, quiet: bool = False) -> None:
        self._files = files
        self._number = 0
        self._path = ""
        self._start = self._since = monotonic()
        self._next = self._start + PATIENCE
        self._shown = False
        self._silent = quiet or not sys.stderr.isatty()

    def begin(self, path: str) -> None:
        """The next file."""
        self._number += 1
        self._path = path
        self._since = monotonic()
        if not self._silent and self._since >= self._next and self._files > 1:
            self._show("")

    def __call__(self, states: int, frontier: int) -> None:
        """As `engines.protocol.Progress`."""
        if self._silent:
            return
        now = monotonic()
        if now >= self._next:
            rate = states / max(now - self._since, 1e-3)
            self._show(f"{states:,} states, {rate:,.0f}/s, {frontier:,} waiting, {_memory()}")

    def _show(self, text: str) -> None:
        self._next = monotonic() + EVERY
        count = f"{self._number} of {self._files} " if self._files > 1 else ""
        line = f"{count}{self._path}  {text}"
        sys.stderr.write("\r\x1b[K" + line[-(columns(sys.stderr) - 1) :])
        sys.stderr.flush()
        self._shown = True

    def clear(self) -> None:
        """Take the line away, before anything else is printed."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False


def _memory() -> str:
    try:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    except (ImportError, OSError):
        return "memory unknown"
    return f"{peak >> (20 if sys.platform == 'darwin' else 10):,} MB"
