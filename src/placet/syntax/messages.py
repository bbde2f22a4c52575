"""What the parser says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.diagnostics import Diagnostic
from placet.source import Span

if TYPE_CHECKING:
    from placet.source import SourceFile


def misspelt_token(source: SourceFile, group: int, start: int, end: int) -> Diagnostic:
    """What is no token."""
    del group
    return Diagnostic("P106", "error", "this is not part of the language", Span(source, start, end))


def nothing_here(source: SourceFile) -> Diagnostic:
    """An empty file."""
    return Diagnostic("P110", "error", "there is nothing here", Span(source, 0, 0))
