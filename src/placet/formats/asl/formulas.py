"""Conditions as formulas over single variables, from JSONPath rules and from the simple part of JSONata.

What is no comparison of a variable with a constant is None: nothing is known of it.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Literal, TypeAlias, Union

from placet.formats.asl.values import Test, instant
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.formats.asl.values import Constant, Op
    from placet.formats.data_tree import Node


class Many(NamedTuple):
    """`and`, `or`, or the `not` of one part."""

    op: Literal["and", "or", "not"]
    parts: tuple[Formula, ...]


Formula: TypeAlias = Union[Test, Many, bool, None]

_ASIDE = frozenset(("Next", "Comment", "Assign", "Output", "Variable"))
_FIELD = re.compile(
    r"(String|Numeric|Boolean|Timestamp)(Equals|LessThan|GreaterThan|LessThanEquals|GreaterThanEquals|Matches)"
)
_OPS: dict[str, Op] = {
    "Equals": "=", "LessThan": "<", "GreaterThan": ">", "LessThanEquals": "<=", "GreaterThanEquals": ">=", "Matches": "matches",
}  # fmt: skip
_KINDS = {
    "IsNull": "null",
    "IsNumeric": "number",
    "IsString": "string",
    "IsBoolean": "bool",
    "IsTimestamp": "timestamp",
}
_FILLED = re.compile(r"\$\{|__\w+__|\{\{")  # what a template puts something in for
_LOOSE = re.compile(r"(?<!\\)\\(?!\*)|\\\\")  # a backslash that is before no star
_JSONATA = re.compile(r"\s*\{%(.*)%\}\s*", re.DOTALL)
_TOKEN = re.compile(
    r"\s*(?:(?P<op>!=|<=|>=|=|<|>|\(|\))|(?P<number>-?\d+(?:\.\d+)?)|(?P<string>\"[^\"\\]*\"|'[^'\\]*')"
    r"|(?P<call>\$(?:not|exists)(?=\s*\())|(?P<word>(?:and|or|true|false|null)\b)|(?P<path>\$[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*))"
)
_SWAPPED: dict[str, Op] = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def formula_of(node: Node) -> Formula:
    """The condition of a rule. Recurses over nesting, which is bounded."""
    condition = node.get("Condition")
    if condition is not None:
        if condition.kind == "bool":
            return condition.true
        found = _JSONATA.fullmatch(condition.text)
        return _Jsonata(found.group(1)).whole() if found else None
    for field, op in (("And", "and"), ("Or", "or")):
        parts = node.get(field)
        if parts is not None:
            return Many(op, tuple(formula_of(part) for part in parts.items))  # type: ignore[arg-type] # two of three
    inner = node.get("Not")
    if inner is not None:
        return Many("not", (formula_of(inner),))
    variable = node.get("Variable")
    tests = [(key, member.value) for key, member in node.members.items() if key not in _ASIDE]
    if (
        variable is None
        or variable.kind != "string"
        or len(tests) != 1
        or not re.fullmatch(r"\$(?:\.\w+)+", variable.text)
    ):
        return None
    return _test(variable.text, *tests[0])


def _test(variable: str, key: str, value: Node) -> Formula:
    if key == "IsPresent" and value.kind == "bool":
        there = Test(variable, "present", None)
        return there if value.true else Many("not", (there,))
    if key in _KINDS and value.kind == "bool":
        of_kind = Test(variable, "type", _KINDS[key], strict=True)
        return of_kind if value.true else Many("not", (of_kind,))
    found = _FIELD.fullmatch(key)
    if found is None:
        return None
    kind, op = found.group(1), _OPS[found.group(2)]
    if (kind == "Boolean" and op != "=") or (op == "matches" and kind != "String"):
        return None
    if kind == "Boolean" and value.kind == "bool":
        return Test(variable, op, value.true, strict=True)
    if kind == "Numeric" and value.kind == "number":
        number = _number(value.text)
        return None if number is None else Test(variable, op, number, strict=True)
    if value.kind != "string" or _FILLED.search(value.text):
        return None
    if kind == "Timestamp":
        return None if instant(value.text) is None else Test(variable, op, value.text, strict=True, time=True)
    if kind != "String" or (op == "matches" and _LOOSE.search(value.text)):
        return None
    return Test(variable, op, value.text, strict=True)


def _number(text: str) -> float | None:
    """A number as it is written in JSON; None for one that has no place among the others."""
    try:
        found = float(text)
    except ValueError:  # written as JSON5 allows
        return None
    return found if math.isfinite(found) else None


class _Jsonata:
    """Comparisons of paths with constants, joined by `and`, `or`, `$not(...)`, `$exists(...)` and brackets."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.good = len(text) < 2_000
        at = 0
        while self.good and text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None or found.lastgroup is None:
                self.good = False
                break
            self.tokens.append((found.lastgroup, found.group(found.lastgroup)))
            at = found.end()
        self.at = 0
        self.depth = 0

    def whole(self) -> Formula:
        """All of it, or None."""
        found = self.either() if self.good else None
        return found if self.good and self.at == len(self.tokens) else None

    def next(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("", "")

    def take(self, text: str) -> bool:
        if self.next()[1] == text and self.next()[0] != "string":
            self.at += 1
            return True
        return False

    def either(self) -> Formula:
        parts = [self.both()]
        while self.take("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Many("or", tuple(parts))

    def both(self) -> Formula:
        parts = [self.one()]
        while self.take("and"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else Many("and", tuple(parts))

    def within(self) -> Formula:
        """What stands in brackets."""
        self.depth += 1
        self.good = self.good and self.depth < 50 and self.take("(")
        found = self.either() if self.good else None
        self.good = self.good and self.take(")")
        return found

    def one(self) -> Formula:
        if not self.good:
            return None
        kind, text = self.next()
        if text == "(" and kind == "op":
            return self.within()
        if kind == "call":
            self.at += 1
            inner = self.within()
            if text == "$not":
                return Many("not", (inner,))
            if not isinstance(inner, Test) or inner.op != "true":
                self.good = False
                return None
            return inner._replace(op="present")
        self.at += 1
        if kind == "word" and text in ("true", "false"):
            return text == "true"
        following, op = self.next()
        if following == "op" and op in _SWAPPED:
            self.at += 1
            other, right = self.next()
            self.at += 1
            if kind == "path" and other in ("number", "string", "word"):
                return Test(text, op, _constant(other, right))  # type: ignore[arg-type] # one of its keys
            if other == "path" and kind in ("number", "string"):
                return Test(right, _SWAPPED[op], _constant(kind, text))
            self.good = False
            return None
        if kind == "path":
            return Test(text, "true", None)
        self.good = False
        return None


def _constant(kind: str, text: str) -> Constant:
    if kind == "number":
        return float(text)
    if kind == "string":
        return text[1:-1]
    return {"true": True, "false": False}.get(text)


def variables(formula: Formula) -> set[str]:
    """The variables in it. Recurses over bounded nesting."""
    if isinstance(formula, Test):
        return {formula.variable}
    if isinstance(formula, Many):
        return set().union(*(variables(part) for part in formula.parts))
    return set()


def tests(formula: Formula) -> list[Test]:
    """The comparisons in it. Recurses over bounded nesting."""
    if isinstance(formula, Test):
        return [formula]
    return [t for part in formula.parts for t in tests(part)] if isinstance(formula, Many) else []


def opaque(formula: Formula) -> bool:
    """Some part of it is nothing that is known. Recurses over bounded nesting."""
    return formula is None or (isinstance(formula, Many) and any(opaque(part) for part in formula.parts))
