"""`import "other.placet"`: the declarations of other files of the project, each file read once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from placet.diagnostics import Diagnostic, Label
from placet.project.beside import Refused, located, root_of
from placet.syntax import ast

if TYPE_CHECKING:
    from placet.source import Span

MOST_FILES = 1_000


def joined(file: ast.File) -> tuple[ast.File, tuple[Diagnostic, ...]]:
    """The file with what the files that it imports declare, before its own; and what is wrong with the imports.

    Checks and the name of the system of an imported file are about that file alone and are left out. Paths are relative to the file
    that imports and stay in the project, links followed. Linear in the sizes of the files.
    """
    reader = _Reader(file)
    return file._replace(items=tuple(reader.items), named=reader.named), tuple(reader.diagnostics)


class _Reader:
    def __init__(self, file: ast.File) -> None:
        self._root = root_of(file.source.path)
        self.items: list[ast.Item] = []
        self.named = False
        self.diagnostics: list[Diagnostic] = []
        self._done: set[str] = set()
        own = os.path.realpath(file.source.path)
        # files that are open, outermost first: where they are, by what they were imported, and what is left of them
        self._open: list[tuple[str, Span | None, ast.File, list[ast.Item]]] = [(own, None, file, list(file.items))]
        self._run()

    def _run(self) -> None:
        while self._open:
            path, _, file, left = self._open[-1]
            if not left:
                self._open.pop()
                self._done.add(path)
                self.named = self.named or file.named
                outer = not self._open
                self.items += [i for i in file.items if outer or not isinstance(i, (ast.Check, ast.System))]
                continue
            item = left.pop(0)
            if isinstance(item, ast.Import):
                self._import(item, file)

    def _report(self, item: ast.Import, message: str, help_: str, labels: tuple[Label, ...] = ()) -> None:
        self.diagnostics.append(Diagnostic("P613", "error", message, item.path.span, labels, (), help_))

    def _import(self, item: ast.Import, file: ast.File) -> None:
        from placet.project.reading import read
        from placet.syntax.parser import parse

        written = item.path.text
        place = located(self._root, file.source.path, written)
        if isinstance(place, Refused):
            self._report(item, place.message, place.help)
            return
        path, real = place
        where = [each[0] for each in self._open]
        if real in where:
            circle = [os.path.basename(p) for p in where[where.index(real) :]]  # noqa: PTH119
            message = f"{', '.join(f'`{name}`' for name in circle)} import each other in a circle"
            if len(circle) == 1:
                message = f"`{circle[0]}` imports itself"
            self._report(item, message, "put what both need into a third file")
            return
        if real in self._done:
            return
        if len(self._done) + len(self._open) > MOST_FILES:
            self._report(item, f"more than {MOST_FILES:,} files are imported", "import fewer files")
            self._done.add(real)
            return
        source, problems = read(path)
        if source is None:
            reason = problems[0].message if problems else "it cannot be read"
            self._report(
                item, f"`{written}` cannot be imported: {reason}", "look at the path, which is relative to this file"
            )
            self._done.add(real)
            return
        inner, found = parse(source)
        self.diagnostics += found
        self._open.append((real, item.span, inner, list(inner.items)))
