"""Versions of a process: what a run has or has not, from its beginning to its end.

A patch is a variable of its process that may be true or false at first, and that nothing sets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.names import blocks, slug
from placet.ir import model as ir
from placet.syntax import ast

if TYPE_CHECKING:
    from placet.source import Span


def patched(body: ast.Block) -> tuple[str, ...]:
    """The ids of the patches in a body, in the order of the text. Linear."""
    found: dict[str, None] = {}
    todo: list[ast.Statement] = [body]
    while todo:
        statement = todo.pop()
        if isinstance(statement, ast.Patch):
            found.setdefault(statement.name.text)
        inside = statement.statements if isinstance(statement, ast.Block) else blocks(statement)
        todo += reversed(inside)
    return tuple(found)


def version(process: str, patch: str, span: Span) -> ir.Variable:
    """The variable that says whether a run has a patch."""
    return ir.Variable(f"{process}/patch({slug(patch)})", f"patch {patch}", "bool", ("no", "yes"), 0, None, span)
