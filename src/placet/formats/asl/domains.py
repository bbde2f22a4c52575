"""Which ways of a Choice can be taken at all: its rules tried on every combination of values that they can tell apart.

Where there are too many combinations, or a rule is not understood, nothing is known. What the service does with values
that are not there, or of another type than a test asks for, is partly not written down: then all it may do is looked at,
once to see what may be taken, once to see what surely is, and only where both agree the Choice is called decided.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from placet.formats.asl.formulas import formula_of, opaque, tests
from placet.formats.asl.machine import Ways
from placet.formats.asl.values import ABSENT, FALSY, NULL, TRUTHY, Stamp, Test, fits, instant, kind_of, representatives

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.formats.asl.formulas import Formula
    from placet.formats.asl.machine import State
    from placet.formats.asl.values import Value

MOST = 4_096  # combinations


class _FailsError(Exception):
    """The values make the state itself fail."""


def ways(state: State) -> Ways:
    """What is known of a Choice. At most 2 * MOST evaluations of its rules."""
    formulas = tuple(formula_of(rule.node) for rule in state.rules)
    nothing = Ways((True,) * len(formulas), none=True, sure=False, formulas=formulas)
    by: dict[str, list[Test]] = {}
    for formula in formulas:
        for test in tests(formula):
            by.setdefault(test.variable, []).append(test)
    domains: dict[str, Sequence[Value]] = {}
    combinations = 1
    for name, found in by.items():
        values = representatives(found)
        if values is None:
            return nothing
        domains[name] = values
        combinations *= len(values)
        if combinations > MOST:
            return nothing
    surely, maybe = _Trial(formulas, lenient=False), _Trial(formulas, lenient=True)
    parts = [(name, other) for name in domains for other in domains if name.startswith(f"{other}.")]
    for chosen in product(*domains.values()):
        given = dict(zip(domains, chosen, strict=True))
        if any(given[part] is not ABSENT and given[whole] is not TRUTHY for part, whole in parts):
            continue
        surely.of(given)
        maybe.of(given)
    sure = not any(opaque(f) for f in formulas) and (surely.taken, surely.none) == (maybe.taken, maybe.none)
    return Ways(tuple(maybe.taken), maybe.none, sure, formulas)


class _Trial:
    """The rules on many values, one combination after the other.

    `lenient`: what may or may not make the state fail does not, and the test does not hold. So a part of an expression of
    JSONata that the parts before it make superfluous may be looked at all the same, and fail.
    """

    def __init__(self, formulas: tuple[Formula, ...], *, lenient: bool) -> None:
        self.formulas = formulas
        self.lenient = lenient
        self.eager = not lenient and not any(t.strict for formula in formulas for t in tests(formula))
        self.taken = [False] * len(formulas)
        self.none = False

    def of(self, given: dict[str, Value]) -> None:
        """Note which rules these values may take, and whether it may be none of them."""
        for number, formula in enumerate(self.formulas):
            try:
                found = self.whole(formula, given)
            except _FailsError:
                return
            if found is not False:
                self.taken[number] = True
            if found is True:
                return
        self.none = True

    def whole(self, formula: Formula, given: dict[str, Value]) -> bool | None:
        """A condition, which has to be true or false; None where it is not understood."""
        found = self.holds(formula, given)
        if found is None or isinstance(found, bool):
            return found
        raise _FailsError  # an expression of JSONata that gives something else, or nothing

    def holds(self, formula: Formula, given: dict[str, Value]) -> Value:
        """The value of a part; None where it is not understood. Recurses over bounded nesting."""
        if formula is None or isinstance(formula, bool):
            return formula
        if isinstance(formula, Test):
            value = given[formula.variable]
            return self.jsonpath(formula, value) if formula.strict else self.jsonata(formula, value)
        if formula.op == "not":
            inner = self.holds(formula.parts[0], given)
            if inner is ABSENT:
                return ABSENT
            truth = _truth(inner)
            return None if truth is None else not truth
        strong = formula.op == "or"
        unknown = decided = False
        for part in formula.parts:
            try:
                truth = _truth(self.holds(part, given))
            except _FailsError:
                if unknown:
                    return None  # what is not understood may have decided it before
                raise
            if truth is strong:
                decided = True
                if not self.eager:
                    break
            unknown = unknown or truth is None
        return strong if decided else None if unknown else not strong

    def jsonpath(self, test: Test, value: Value) -> bool:
        """A comparison with JSONPath: false where the type is another one."""
        if test.op == "present":
            return value is not ABSENT
        if value is ABSENT:
            if test.op == "type" and self.lenient:
                return False
            raise _FailsError
        if test.op == "type":
            return kind_of(value) == test.value or (test.value == "string" and isinstance(value, Stamp))
        if test.op == "matches":
            return isinstance(value, str) and fits(str(test.value), value)
        if test.time:
            wanted = instant(str(test.value))
            return isinstance(value, Stamp) and wanted is not None and _ordered(test.op, value.at, wanted)
        if isinstance(value, str) and isinstance(test.value, str):
            return _ordered(test.op, value, test.value)
        if isinstance(value, float) and isinstance(test.value, float):
            return _ordered(test.op, value, test.value)
        return isinstance(value, bool) and isinstance(test.value, bool) and _ordered(test.op, value, test.value)

    def jsonata(self, test: Test, value: Value) -> Value:
        """A comparison with JSONata, which fails where values have no order."""
        if test.op == "present":
            return value is not ABSENT
        if test.op == "true":
            return value
        if test.op in ("=", "!="):
            if value is ABSENT:
                return False
            same = kind_of(value) == kind_of(test.value) and (value is NULL or value == test.value)
            return same == (test.op == "=")
        if value is ABSENT and isinstance(test.value, (str, float)):
            return ABSENT
        if isinstance(value, str) and isinstance(test.value, str):
            return _ordered(test.op, value, test.value)
        if isinstance(value, float) and isinstance(test.value, float):
            return _ordered(test.op, value, test.value)
        raise _FailsError


def _ordered(op: str, one: str | float, other: str | float) -> bool:
    """Two values of one type, compared."""
    if op in ("=", "!="):
        return (one == other) == (op == "=")
    if op in ("<", "<="):
        return one < other or (op == "<=" and one == other)  # type: ignore[operator] # of one type
    return one > other or (op == ">=" and one == other)  # type: ignore[operator] # of one type


def _truth(value: Value) -> bool | None:
    """A value as true or false, as JSONata takes it where it joins conditions; None where it is not known."""
    if value is None or isinstance(value, bool):
        return value
    if value is ABSENT or value is FALSY or value is NULL:
        return False
    return True if value is TRUTHY else bool(value)
