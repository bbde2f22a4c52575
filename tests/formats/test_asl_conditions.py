"""Which ways of a Choice can be taken: never fewer than values at random take, and none of those that are known not to be."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placet.formats.asl import domains
from placet.formats.asl.conditions import words
from placet.formats.asl.domains import ways
from placet.formats.asl.formulas import formula_of, opaque
from placet.formats.asl.machine import Rule, State, Target
from placet.formats.data_tree import Limits
from placet.formats.json_read import read
from placet.source import SourceFile


def node(value):
    text = json.dumps(value)
    return read(text, Limits(SourceFile("x", text))).root


def of(*rules):
    nodes = [node(r) for r in rules]
    return ways(State("A", "Choice", nodes[0], (0, 1), rules=tuple(Rule("", Target("B", n), n) for n in nodes)))


def jsonata(text):
    return {"Condition": "{% " + text + " %}"}


@pytest.mark.parametrize(
    ("rules", "taken", "none", "sure"),
    [
        ([{"Variable": "$.a", "StringEquals": "x"}], [True], True, True),
        ([{"Variable": "$.a", "StringEquals": "x"}, {"Variable": "$.a", "StringEquals": "x"}], [True, False], True, True),
        ([{"Variable": "$.a", "IsPresent": True}, {"Variable": "$.a", "IsPresent": False}], [True, True], False, True),
        ([{"Variable": "$.a", "BooleanEquals": True}, {"Variable": "$.a", "BooleanEquals": False}], [True, True], True, True),
        ([{"Variable": "$.n", "NumericGreaterThan": 5}, {"Variable": "$.n", "NumericGreaterThan": 7}], [True, False], True, True),
        ([{"Variable": "$.n", "NumericGreaterThan": 7}, {"Variable": "$.n", "NumericGreaterThan": 5}], [True, True], True, True),
        ([{"And": [{"Variable": "$.n", "NumericLessThan": 1}, {"Variable": "$.n", "NumericGreaterThan": 1}]}], [False], True, True),
        ([{"Not": {"Variable": "$.a", "IsPresent": True}}, {"Variable": "$.a", "IsPresent": True}], [True, True], False, True),
        ([{"Variable": "$.a", "StringMatches": "x*"}, {"Variable": "$.a", "StringEquals": "xy"}], [True, False], True, True),
        ([{"Variable": "$.a", "StringEqualsPath": "$.b"}], [True], True, False),
        ([{"Variable": "$.a[0]", "IsPresent": True}], [True], True, False),
        ([jsonata("true")], [True], False, True),
        ([jsonata("false"), jsonata("true")], [False, True], False, True),
        ([jsonata("$not(false)"), jsonata("$states.input.a = 1")], [True, False], False, True),
        ([jsonata("$states.input.a = 'x' or $states.input.a != 'x'")], [True], True, True),  # nothing at all is neither
        ([jsonata("$states.input.a = 'x' and ($b > 2)")], [True], True, True),
        ([jsonata("$exists($states.input.a)"), jsonata("$not($exists($states.input.a))")], [True, True], False, True),
        ([jsonata("$contains($states.input.a, 'x')")], [True], True, False),
        ([jsonata("2 < $n"), jsonata("$n > 2")], [True, False], True, True),
        ([jsonata("(" * 100 + "true" + ")" * 100)], [True], True, False),
    ],
)  # fmt: skip
def test_ways_by_hand(rules, taken, none, sure):
    found = of(*rules)
    assert (list(found.rules), found.none, found.sure) == (taken, none, sure)


CONSTANTS = st.sampled_from(["x", "y", "xy", ""])
NUMBERS = st.integers(-2, 2)


def leaf(draw):
    variable = draw(st.sampled_from(["$.a", "$.b"]))
    kind = draw(
        st.sampled_from(["String", "Numeric", "Boolean", "IsPresent", "IsNull", "IsNumeric", "IsString", "IsBoolean"])
    )
    if kind.startswith("Is"):
        return {"Variable": variable, kind: draw(st.booleans())}
    if kind == "Boolean":
        return {"Variable": variable, "BooleanEquals": draw(st.booleans())}
    op = draw(st.sampled_from(["Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals"]))
    return {"Variable": variable, kind + op: draw(CONSTANTS if kind == "String" else NUMBERS)}


@st.composite
def conditions(draw, depth=2):
    if depth == 0 or draw(st.booleans()):
        return leaf(draw)
    op = draw(st.sampled_from(["And", "Or", "Not"]))
    inner = conditions(depth=depth - 1)
    return {"Not": draw(inner)} if op == "Not" else {op: draw(st.lists(inner, min_size=1, max_size=3))}


ABSENT = object()


class FailedError(Exception):
    pass


def holds(rule, data):
    """The rules of the language on plain data."""
    for op, of_all in (("And", all), ("Or", any)):
        if op in rule:
            return of_all([holds(r, data) for r in rule[op]])
    if "Not" in rule:
        return not holds(rule["Not"], data)
    value = data[rule["Variable"]]
    (key,) = rule.keys() - {"Variable"}
    wanted = rule[key]
    if key == "IsPresent":
        return (value is not ABSENT) == wanted
    if value is ABSENT:
        raise FailedError
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if key.startswith("Is"):
        return {"IsNull": value is None, "IsNumeric": number, "IsString": isinstance(value, str), "IsBoolean": isinstance(value, bool)}[key] == wanted  # fmt: skip
    if key.startswith("Boolean"):
        return isinstance(value, bool) and value == wanted
    if not (number if key.startswith("Numeric") else isinstance(value, str)):
        return False
    op = key.removeprefix("Numeric").removeprefix("String")
    return {"Equals": value == wanted, "LessThan": value < wanted, "GreaterThan": value > wanted, "LessThanEquals": value <= wanted, "GreaterThanEquals": value >= wanted}[op]  # fmt: skip


DATA = (
    st.just(ABSENT) | st.none() | st.booleans() | st.floats(-4, 4) | NUMBERS | CONSTANTS | st.sampled_from(["z", "xa"])
)


@settings(max_examples=600)
@given(st.lists(conditions(), min_size=1, max_size=3), st.lists(st.tuples(DATA, DATA), max_size=20))
def test_what_values_take_is_known_to_be_taken(rules, values):
    found = of(*rules)
    assert found.sure
    for a, b in values:
        data = {"$.a": a, "$.b": b}
        try:
            first = next((i for i, r in enumerate(rules) if holds(r, data)), None)
        except FailedError:
            continue
        assert found.none if first is None else found.rules[first]


@given(
    st.text(max_size=40)
    | st.lists(
        st.sampled_from(["$a.b", "$not(", "(", ")", "=", "and", "or", "'x'", "1", "true", ">"]), max_size=12
    ).map(" ".join)
)
def test_any_expression_is_understood_or_left_alone(text):
    formula = formula_of(node(jsonata(text)))
    assert opaque(formula) or formula is not None


def test_conditions_in_words():
    assert words(node({"Variable": "$.a", "StringEquals": "x"})) == '$.a = "x"'
    assert words(node({"Not": {"Variable": "$.a", "IsPresent": True}})) == "not $.a is there"
    both = {"And": [{"Variable": "$.n", "NumericLessThan": 3}, {"Or": [{"Variable": "$.s", "IsNull": False}, {"Variable": "$.t", "StringMatches": "a*"}]}]}  # fmt: skip
    assert words(node(both)) == '$.n < 3 and (not $.s is null or $.t matches "a*")'
    assert words(node(jsonata(" $a  = 1\n"))) == "$a = 1"


@given(st.text("ab*\\", max_size=6), st.text("ab*", max_size=6))
def test_patterns_fit_as_regular_expressions_say(pattern, text):
    parts = re.split(r"(\\\*|\*)", pattern)
    spelt = "".join({"\\*": re.escape("*"), "*": ".*"}.get(part, re.escape(part)) for part in parts)
    assert domains._fits(pattern, text) == (re.fullmatch(spelt, text, re.DOTALL) is not None)
