"""Conditions of Choice states in words, as a reader would say them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placet.formats.asl.machine import Rule

if TYPE_CHECKING:
    from placet.formats.asl.machine import Target
    from placet.formats.data_tree import Node

MOST_WORDS = 120
_ASIDE = frozenset(("Next", "Comment", "Assign", "Output"))
_TESTS = {
    "Equals": "=", "EqualsPath": "=", "LessThan": "<", "LessThanPath": "<", "GreaterThan": ">", "GreaterThanPath": ">",
    "LessThanEquals": "<=", "LessThanEqualsPath": "<=", "GreaterThanEquals": ">=", "GreaterThanEqualsPath": ">=",
    "Matches": "matches",
}  # fmt: skip
_TYPES = re.compile(r"(?:String|Numeric|Boolean|Timestamp)(\w+)")
_JSONATA = re.compile(r"\s*\{%(.*)%\}\s*", re.DOTALL)


def rule_of(item: Node, target: Target) -> Rule:
    """A rule of a choice."""
    text = words(item)
    return Rule(text if len(text) <= MOST_WORDS else f"{text[:MOST_WORDS]}...", target, item)


def words(node: Node) -> str:
    """A condition as a reader would say it: `$.total > 100`. Recurses over bounded nesting."""
    condition = node.get("Condition")
    if condition is not None:
        found = _JSONATA.fullmatch(condition.text)
        return " ".join((found.group(1) if found else condition.text).split())
    for field, between in (("And", " and "), ("Or", " or ")):
        parts = node.get(field)
        if parts is not None:
            return between.join(_within(part) for part in parts.items)
    inner = node.get("Not")
    if inner is not None:
        return f"not {_within(inner)}"
    variable = node.get("Variable")
    left = variable.text if variable is not None else "the input"
    for key, member in node.members.items():
        if key in _ASIDE or key == "Variable":
            continue
        return _comparison(left, key, member.value)
    return left


def _within(node: Node) -> str:
    text = words(node)
    return f"({text})" if "And" in node.members or "Or" in node.members else text


def _comparison(left: str, key: str, value: Node) -> str:
    if key.startswith("Is"):
        sort = key[2:].lower()
        what = {"present": "is there", "null": "is null"}.get(sort, f"is a {sort}")
        if value.kind == "bool" and not value.true:
            return f"not {left} {what}"
        return f"{left} {what}"
    found = _TYPES.fullmatch(key)
    test = _TESTS.get(found.group(1), "") if found else ""
    right = f'"{value.text}"' if value.kind == "string" and not key.endswith("Path") else value.text
    return f"{left} {test or key} {right}"
