"""What happens after a token that does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.diagnostics import Diagnostic
from placet.source import Span

if TYPE_CHECKING:
    from placet.syntax.parser import Parse


def recover(parse: Parse, kind: int, group: int, start: int, end: int) -> int:
    """Gives up."""
    del kind, group
    parse.report(Diagnostic("P101", "error", "cannot be understood from here", Span(parse.source, start, end)))
    return len(parse.source.text)
