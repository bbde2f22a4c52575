"""Which ways of a Choice can be taken at all: its rules tried on every combination of values that they can tell apart.

A variable is absent, or has one of the constants it is compared with, a value beside each of them, or one of another type.
Where there are too many combinations, or a rule is not understood, nothing is known.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from placet.formats.asl.formulas import Test, formula_of, opaque, tests
from placet.formats.asl.machine import Ways

if TYPE_CHECKING:
    from placet.formats.asl.formulas import Formula, Value
    from placet.formats.asl.machine import State

MOST = 4_096  # combinations


class _Absent:
    """No value at all."""


ABSENT = _Absent()


class _FailsError(Exception):
    """The values make the state itself fail."""


def ways(state: State) -> Ways:
    """What is known of a Choice. At most MOST evaluations of its rules."""
    formulas = tuple(formula_of(rule.node) for rule in state.rules)
    domains: dict[str, list[Value | _Absent]] = {}
    for formula in formulas:
        for test in tests(formula):
            domains.setdefault(test.variable, [ABSENT, None, "\x01", -1e300, True, False]).extend(_beside(test))
    combinations = 1
    for name, values in domains.items():
        domains[name] = list({(type(v), v): v for v in values}.values())
        combinations *= len(domains[name])
    unknown = any(opaque(f) for f in formulas)
    if combinations > MOST:
        return Ways((True,) * len(formulas), none=True, sure=False, formulas=formulas)
    taken = [False] * len(formulas)
    none = False
    for chosen in product(*domains.values()):
        given = dict(zip(domains, chosen, strict=True))
        none = _try(formulas, given, taken) or none
    return Ways(tuple(taken), none, not unknown, formulas)


def _try(formulas: tuple[Formula, ...], given: dict[str, Value | _Absent], taken: list[bool]) -> bool:
    """Note which rules these values may take; whether it may be none of them."""
    for number, formula in enumerate(formulas):
        try:
            found = _holds(formula, given)
        except _FailsError:
            return False
        if found is not False:
            taken[number] = True
        if found is True:
            return False
    return True


def _beside(test: Test) -> list[Value]:
    """The constant, and values on both sides of it."""
    value = test.value
    if isinstance(value, str):
        if test.op == "matches":
            return [value.replace("\\*", "\x02").replace("*", "").replace("\x02", "*")]
        return [value, "", value + "\x01"] if test.op not in ("=", "!=", "type") else [value]
    if isinstance(value, float):
        return [value] if test.op in ("=", "!=") else [value - 1, value, value + 1]
    return []


def _holds(formula: Formula, given: dict[str, Value | _Absent]) -> bool | None:
    """Three-valued; recurses over bounded nesting."""
    if formula is None or isinstance(formula, bool):
        return formula
    if isinstance(formula, Test):
        return _compare(formula, given[formula.variable])
    found = [_holds(part, given) for part in formula.parts]
    if formula.op == "not":
        return None if found[0] is None else not found[0]
    strong = formula.op == "or"
    return strong if strong in found else None if None in found else not strong


def _compare(test: Test, value: Value | _Absent) -> bool:
    if test.op == "present":
        return value is not ABSENT
    if isinstance(value, _Absent):
        if test.strict:
            raise _FailsError
        return False  # as JSONata compares with nothing
    if test.op == "type":
        return _kind(value) == test.value or (test.value == "string" and isinstance(value, str))
    if test.op == "true":
        if value is True or value is False:
            return value
        raise _FailsError
    if test.op in ("=", "!="):
        same = type(value) is type(test.value) and value == test.value
        return same == (test.op == "=")
    if test.op == "matches":
        return isinstance(value, str) and _fits(str(test.value), value)
    return _ordered(test, value)


def _fits(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern with `*` for anything (behind a backslash it is a star). Linear in the text for each part."""
    parts = [part.replace("\x02", "*") for part in pattern.replace("\\*", "\x02").split("*")]
    if len(parts) == 1:
        return text == parts[0]
    first, last = parts[0], parts[-1]
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in parts[1:-1]:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _ordered(test: Test, value: Value) -> bool:
    wanted = test.value
    less = _before(value, wanted)
    if less is None:
        return False
    same = value == wanted
    return {"<": less, "<=": less or same, ">": not less and not same, ">=": not less}[test.op]


def _before(one: Value, other: Value) -> bool | None:
    """Whether one comes before the other, of two values that have an order."""
    if isinstance(one, str):
        return one < other if isinstance(other, str) else None
    return one < other if isinstance(one, float) and isinstance(other, float) else None


def _kind(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, float) else "string"
