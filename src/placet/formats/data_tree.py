"""JSON and YAML as a tree that knows where everything stands: what the readers of both build, within one set of limits.

A tree is bounded before it is built: its depth, the number of its values (aliases of YAML counted as often as they are
named), the digits of a number. So whoever walks one may recurse, and no walk takes longer than the limits allow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from placet.diagnostics import Diagnostic, Label
from placet.source import Span
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.source import SourceFile

MOST_LETTERS = 8 << 20  # a definition has at most 1 MiB, a template as well
MOST_DEPTH = 200
MOST_VALUES = 400_000
MOST_DIGITS = 400

Kind: TypeAlias = Literal["object", "array", "string", "number", "bool", "null"]
Places: TypeAlias = "Sequence[int] | None"  # of a text inside another one: for each offset the one outside


class Node(NamedTuple):
    """A value. `text` is a string itself, a number as written, `true` or `false`; `tag` one of YAML, such as `!Sub`."""

    kind: Kind
    start: int
    end: int
    text: str = ""
    items: tuple[Node, ...] = ()  # of an array
    members: dict[str, Member] = {}  # noqa: RUF012 # of an object; never written to
    tag: str = ""

    def get(self, key: str) -> Node | None:
        """The value of a key, where this is an object that has it."""
        found = self.members.get(key)
        return None if found is None else found.value

    @property
    def true(self) -> bool:
        """The value is `true`."""
        return self.kind == "bool" and self.text == "true"


class Member(NamedTuple):
    """A key with its value; `start` to `end` is the key, with its quotes."""

    start: int
    end: int
    value: Node


class BadData(Exception):  # noqa: N818 # carries the diagnostic, and never leaves the formats
    """The text is no such data, or more than is taken."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Limits:
    """What was read of one file, against the limits. All failures are raised here."""

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self.values = 0
        if len(source.text) > MOST_LETTERS:
            message = f"more than {MOST_LETTERS >> 20} million letters: this is no definition of a workflow"
            raise BadData(Diagnostic("P531", "error", message, Span(source, 0, 1), path=source.path))

    def span(self, start: int, end: int) -> Span:
        """The letters from `start` to `end`, at least one where there is one."""
        size = len(self.source.text)
        start = max(0, min(start, size))
        return Span(self.source, start, max(start, min(end, size)))

    def fail(self, code: str, message: str, start: int, end: int, hint: str = "") -> BadData:
        """The exception for one problem."""
        return BadData(Diagnostic(code, "error", message, self.span(start, end), help=hint, path=self.source.path))

    def count(self, more: int, start: int) -> None:
        """So many values more."""
        self.values += more
        if self.values > MOST_VALUES:
            raise self.fail("P531", f"more than {MOST_VALUES:,} values", start, start + 1)

    def deeper(self, depth: int, start: int) -> None:
        """A value at this depth is opened."""
        if depth > MOST_DEPTH:
            raise self.fail("P531", f"nested more than {MOST_DEPTH} deep", start, start + 1)

    def number(self, text: str, start: int, end: int) -> None:
        """A number as written."""
        if len(text) > MOST_DIGITS:
            raise self.fail("P531", f"a number of {len(text):,} digits", start, start + 1)

    def twice(self, key: str, start: int, end: int, first: Member) -> BadData:
        """The exception for a key that stands twice in one object."""
        shown = key if len(key) <= 80 else f"{key[:80]}..."
        message = f"the key `{shown}` stands twice"
        labels = (Label(self.span(first.start, first.end), "the first one"),)
        hint = "rename or remove one: readers differ in which of them counts"
        return BadData(
            Diagnostic("P532", "error", message, self.span(start, end), labels, help=hint, path=self.source.path)
        )


def through(places: Places, offset: int) -> int:
    """An offset of an inner text as one of the file."""
    if places is None:
        return offset
    return places[min(offset, len(places) - 1)] if places else 0
