"""Where lines begin in a text of the language: what the tree says of its tokens, for the formatter.

The tree does not hold every keyword (`place`, `final`, `otherwise`, `errors`); each is the token before what it introduces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.source import Span
from placet.syntax import ast
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# Fields whose members stand on lines of their own.
_LISTS = frozenset(
    (
        "items",
        "statements",
        "parts",
        "options",
        "policies",
        "errors",
        "transitions",
        "moves",
        "branches",
        "handlers",
        "members",
        "reactions",
        "variables",
        "signals",
    )
)
_SMALL = (ast.Option, ast.ErrorRule)


class Landmarks(NamedTuple):
    """Offsets of the text."""

    lines: dict[
        int, bool
    ]  # where a line begins -> whether it may share it with others of its kind: `{ pivot; retry 3 }`
    introduced: dict[int, bool]  # the same for what a keyword introduces, which begins the line, unless a comma does
    hung: tuple[tuple[int, int], ...]  # from, to: handlers of a call, which are indented without a brace around them
    items: dict[int, type]  # where a declaration begins -> its kind


def landmarks(file: ast.File) -> Landmarks:
    """Those of a file without errors. Linear in the size of the tree; no recursion."""
    found = Landmarks({}, {}, (), {item.span.start: type(item) for item in file.items})
    hung: list[tuple[int, int]] = []
    following: list[int] = []  # statements on the line of the arrow before them: `timer 24h -> task remind`
    todo: list[object] = [file]
    while todo:
        value = todo.pop()
        if isinstance(value, (ast.NetDecl, ast.MachineDecl, ast.Choice)):
            found.introduced.update(dict.fromkeys(_introduced(value), False))
        if isinstance(value, ast.Step):
            found.introduced.update(dict.fromkeys([rule.span.start for rule in value.errors], True))
        if isinstance(value, ast.Branch) and value.trigger is not None and not value.body.span.text.startswith("{"):
            following += [part.span.start for part in value.body.statements]
        if isinstance(value, ast.Call):
            hung += [(handler.span.start, handler.span.end) for handler in value.handlers]
        for field, inner in _parts(value):
            if field in _LISTS and not _joined(value, field):
                found.lines.update({part.span.start: isinstance(part, _SMALL) for part in inner})
            todo.append(inner)
    for start in following:
        del found.lines[start]
    return found._replace(hung=tuple(hung))


def _introduced(value: ast.NetDecl | ast.MachineDecl | ast.Choice) -> list[int]:
    if isinstance(value, ast.Choice):
        return [value.otherwise.span.start] if value.otherwise is not None else []
    if isinstance(value, ast.MachineDecl):
        return [name.span.start for name in (*value.initials, *value.finals)]
    return [*(place.span.start for place in value.places), *(final.span.start for final in value.finals)]


def _joined(value: object, field: str) -> bool:
    """Whether the members follow on the line of the brace before them: `} or {`, `} on any {`."""
    return (
        (field == "branches" and isinstance(value, ast.Either))
        or (field == "handlers" and isinstance(value, ast.Try))
        or (field == "items" and isinstance(value, ast.Check))
        or (field == "parts" and isinstance(value, ast.Junction))
    )


def _parts(value: object) -> Iterator[tuple[str, tuple]]:  # type: ignore[type-arg]
    """What a value of the tree is made of, tuples only."""
    if isinstance(value, (Span, str)) or not isinstance(value, tuple):
        return
    names = getattr(value, "_fields", ("",) * len(value))
    for name, part in zip(names, value, strict=True):
        if isinstance(part, tuple) and not isinstance(part, Span):
            yield name, part
