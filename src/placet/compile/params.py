"""Parameters: names that stand for numbers, put in their places before anything else is resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from placet.diagnostics import Label
from placet.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.compile.findings import Findings


def parameters(file: ast.File, findings: Findings) -> dict[str, int]:
    """The value of each parameter of a file; of two with one name the first counts."""
    found: dict[str, ast.Parameter] = {}
    for item in file.items:
        if isinstance(item, ast.Parameter):
            first = found.setdefault(item.name.text, item)
            if first is not item:
                labels = (Label(first.name.span, "declared here already"),)
                message = f"the parameter `{item.name.text}` is declared twice"
                findings.add("P264", message, item.name.span, labels=labels, help="give one of them another name")
    return {name: item.value.value for name, item in found.items()}


def filled(file: ast.File, values: dict[str, int], findings: Findings) -> ast.File:
    """The file with numbers for names. Recurses over nesting, which the parser bounds; linear."""

    def number(value: ast.Number) -> ast.Number:
        known = values.get(value.name)
        if known is None:
            help_ = findings.meant(value.name, values, f"declare it: `param {value.name} = 3`")
            findings.add("P264", f"no parameter is called `{value.name}`", value.span, help=help_)
            return ast.Number(1, value.span)
        return ast.Number(known, value.span)

    def counted(value: ast.Number) -> ast.Number:
        known = number(value)
        if known.value >= 0:
            return known
        message = f"`{value.name}` is {known.value}, and nothing here can be less than 0"
        findings.add("P264", message, value.span, help="write a number, or give the parameter another value")
        return ast.Number(1, value.span)

    def visit(value: object, named: Callable[[ast.Number], ast.Number] = number) -> object:
        if isinstance(value, ast.Number):
            return named(value) if value.name else value
        if isinstance(value, (ast.Name, ast.Text)) or not isinstance(value, tuple):
            return value
        if isinstance(value, (ast.Option, ast.ErrorRule, ast.PlaceDecl, ast.TransitionDecl)):
            named = counted
        parts = [visit(part, named) if isinstance(part, tuple) else part for part in value]
        if all(new is old for new, old in zip(parts, value, strict=True)):
            return value
        kind: Any = type(value)
        return kind(*parts) if hasattr(value, "_fields") else tuple(parts)

    items: tuple[ast.Item, ...] = visit(file.items)  # type: ignore[assignment] # nothing but numbers was replaced
    return file._replace(items=items)
