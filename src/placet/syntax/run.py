"""One run of the machine over the tokens of a file, up to the next token that does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from placet.source import Span
from placet.syntax import ast
from placet.syntax.build import Builder
from placet.syntax.lexer import (
    DURATION,
    END,
    END_GROUP,
    NAME,
    NAME_GROUP,
    NUMBER,
    OPEN_QUOTE,
    RBRACE,
    RPAR,
    STRANGE,
    TEXT,
    TOKEN,
    kind_of,
)
from placet.syntax.machine import Machine
from placet.syntax.tables import KEPT, ROWS, TERMINALS, WORDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.diagnostics import Diagnostic
    from placet.source import SourceFile

DEEPEST = 100
MOST_ERRORS = 50
_TWO_WORDS = tuple(kind for kind, name in enumerate(TERMINALS) if name.startswith("ON_"))


class TooManyErrors(Exception):  # noqa: N818 - a way out of the loop, not an error of the caller
    """As many diagnostics as anybody wants to read have been reported."""


class Run:
    """One run over one file."""

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []
        self.builder = Builder(source, self.report, self.complained_since)
        self.machine = Machine(source, self.builder)
        self.depth = 0
        self.deepest = DEEPEST
        self.too_deep = False  # it has been said
        self.lost = False  # the rest of the text was skipped: what is open there means nothing
        self.lexed = 0  # problems with tokens have been reported up to here
        self.makers: dict[int, Callable[[str, Span], Any]] = {
            **dict.fromkeys(KEPT, ast.Name),
            NUMBER: self.builder.number,
            DURATION: self.builder.duration,
            TEXT: self.builder.text,
            **dict.fromkeys(_TWO_WORDS, self.builder.two_words),
        }

    def report(self, diagnostic: Diagnostic) -> None:
        """Adds a diagnostic."""
        self.diagnostics.append(diagnostic)
        if len(self.diagnostics) >= MOST_ERRORS:
            raise TooManyErrors

    def complained_since(self, offset: int) -> bool:
        """Whether there is a diagnostic at or after an offset."""
        return any(d.span is not None and d.span.start >= offset for d in self.diagnostics)

    def items(self) -> tuple[ast.Item, ...]:
        """The declarations that are complete."""
        found = self.machine.values[1] if len(self.machine.values) > 1 else None
        return tuple(found) if isinstance(found, list) else ()

    def advance(self, position: int) -> tuple[int, int, int, int] | None:
        """Feeds tokens until one does not fit: its kind, group, start and end. None at the end of the file."""
        machine, source = self.machine, self.source
        feed, states, values, make, word_kind = machine.feed, machine.states, machine.values, self.makers.get, WORDS.get
        for match in TOKEN.finditer(source.text, position):
            group = match.lastindex or END_GROUP
            start, end = match.span(group)
            if group == NAME_GROUP:
                kind = word_kind(match[group], NAME)
                if kind != NAME:
                    row = ROWS[states[-1]]
                    if kind not in row and NAME in row:
                        kind = NAME
            else:
                if OPEN_QUOTE <= group <= STRANGE:
                    self.misspelt_token(group, start, end)
                    if group == STRANGE:
                        continue
                kind = kind_of(group, match[group], ROWS[states[-1]])
                if END < kind <= RPAR and not self.nest(kind):
                    return kind, group, start, end
            if not feed(kind, start, end):
                return kind, group, start, end
            maker = make(kind)
            if maker is not None:
                values[-1] = maker(match[group], Span(source, start, end))
            elif kind == END:
                return None
        raise AssertionError("the end of the text is a token")

    def nest(self, kind: int) -> bool:
        """Counts the brackets that are open; False for one too many."""
        if kind >= RBRACE:
            self.depth -= 1
        elif self.depth >= DEEPEST:
            return False
        else:
            self.depth += 1
        return True

    def misspelt_token(self, group: int, start: int, end: int) -> None:
        """Reports what is no token of the language, once."""
        if start >= self.lexed:
            from placet.syntax.misspelt import misspelt_token

            self.lexed = end
            self.report(misspelt_token(self.source, group, start, end))
