"""Tokens: one compiled regular expression, whose last groups catch what is no token of the language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placet.syntax.tables import GROUPS, PATTERN, SIGNS, TERMINALS, WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

# After the groups of the grammar: a sign; then a quote that is never closed, digits that are no number, any other
# character (as many as come together), and the end.
TOKEN = re.compile(
    PATTERN + r"""|("[^\r\n]*)|([0-9][\w.]*)|([^\s\w"#{}()+*,\-:;=<>\x00]+|\x00+|[\s\S])|(\Z))""",
)
KIND = {name: number for number, name in enumerate(TERMINALS)}
GROUP_KIND = (-1, *(KIND[name] for name in GROUPS))

NAME_GROUP = GROUPS.index("NAME") + 1
SIGN_GROUP = len(GROUPS) + 1
OPEN_QUOTE, BAD_NUMBER, STRANGE, END_GROUP = range(SIGN_GROUP + 1, SIGN_GROUP + 5)

END, LBRACE, LPAR, RBRACE, RPAR = range(5)
NAME, NUMBER, DURATION, TEXT = KIND["NAME"], KIND["NUMBER"], KIND["DURATION"], KIND["TEXT"]


def kind_of(group: int, text: str, row: dict[int, int]) -> int:
    """The terminal that a token is where `row` gives the actions: a keyword only where the grammar takes it as one."""
    if group == NAME_GROUP:
        kind = WORDS.get(text, NAME)
        return NAME if kind not in row and NAME in row else kind
    if group < SIGN_GROUP:
        return GROUP_KIND[group]
    if group == SIGN_GROUP:
        return SIGNS[text]
    if group == OPEN_QUOTE:
        return TEXT
    if group == BAD_NUMBER:
        return next((kind for kind in (NAME, DURATION, NUMBER) if kind in row), NUMBER)
    return END


def tokens(text: str, position: int) -> Iterator[tuple[int, int, int]]:
    """(group, start, end) of the tokens from a position to the end, without strange characters: for looking ahead."""
    for match in TOKEN.finditer(text, position):
        group = match.lastindex or END_GROUP
        if group == STRANGE:
            continue
        yield (group, *match.span(group))
        if group == END_GROUP:
            return
