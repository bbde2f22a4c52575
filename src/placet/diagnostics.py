"""One diagnostic type for everything that can be wrong with a model, and the table of codes.

A message is lower case, has no full stop, puts names in backticks and stands alone; only `help` says how to mend.
The CODES table gives each code its title and the text that `placet explain CODE` and the docs page print.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.source import Span

Severity = Literal["error", "warning", "note"]


class Label(NamedTuple):
    """A secondary span with the words that stand under it."""

    span: Span
    text: str


class Diagnostic(NamedTuple):
    """One problem, located."""

    code: str
    severity: Severity
    message: str
    span: Span | None = None
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str = ""
    path: str = ""  # the file, where there is no span (not readable, not text)
    waived: str = ""  # until when it is, and why, where somebody lives with it


class Code(NamedTuple):
    """What a code means, why it matters, and what to do instead."""

    title: str
    text: str
    bad: str = ""  # the smallest model that shows it
    good: str = ""  # its nearest neighbour that does not
