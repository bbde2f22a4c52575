"""Which ways of a Choice can be taken: never fewer than values at random take, and none of those that are known not to be."""

from __future__ import annotations

import json
import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placet.formats.asl.conditions import words
from placet.formats.asl.domains import ways
from placet.formats.asl.formulas import formula_of, opaque
from placet.formats.asl.machine import Rule, State, Target
from placet.formats.asl.values import fits, instant
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


TIMES = [
    "2020-01-01T06:00:00Z",
    "2020-01-01T10:00:00+05:00",
    "2020-01-01T05:30:00.25Z",
    "2020-01-01T06:00:00.000000001Z",
]
MOMENTS = dict(zip(TIMES, [6.0, 5.0, 5.5, 6.1], strict=True))  # in their order
MOMENTS |= {f"2020-01-01T0{h}:{m}:00Z": h + int(m) / 60 for h, m in [(4, "00"), (5, "15"), (5, "45"), (7, "00")]}


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
        ([{"And": [{"Variable": "$.a", "IsPresent": True}, {"Variable": "$.a", "StringEquals": "x"}]}, {"Variable": "$.a", "IsPresent": False}], [True, True], True, True),
        ([{"Variable": "$.a", "StringEquals": "x"}, {"Variable": "$.a", "StringMatches": "x*"}], [True, True], True, True),
        ([{"And": [{"Variable": "$.a", "StringMatches": "x*"}, {"Variable": "$.a", "StringMatches": "*y"}]}], [True], True, True),
        ([{"Variable": "$.a", "IsTimestamp": True}], [True], True, True),
        ([{"Variable": "$.a", "TimestampGreaterThan": TIMES[0]}, {"Variable": "$.a", "TimestampGreaterThan": TIMES[1]}], [True, True], True, True),
        ([{"Variable": "$.n", "NumericLessThan": 1}, {"Variable": "$.n", "NumericGreaterThan": 1.2}, {"And": [{"Variable": "$.n", "NumericGreaterThan": 1}, {"Variable": "$.n", "NumericLessThan": 1.2}]}], [True, True, True], True, True),
        ([{"Variable": "$.a", "IsPresent": True}, {"Variable": "$.a.b", "StringEquals": "x"}], [True, False], False, True),  # what is not there has no parts
        ([{"And": [{"Variable": "$.a", "IsPresent": True}, {"Variable": "$.a.b", "StringEquals": "x"}]}], [True], True, True),
        ([{"Variable": "$.a.b", "StringEquals": "x"}, {"Variable": "$.a", "StringEquals": "y"}], [True, False], True, True),
        ([{"Variable": "$.a", "StringEquals": "${Stage}"}, {"Variable": "$.a", "StringEquals": "x"}], [True, True], True, False),
        ([{"Variable": "$.n", "NumericEquals": 10**350}], [True], True, False),
        ([jsonata("true")], [True], False, True),
        ([jsonata("false"), jsonata("true")], [False, True], False, True),
        ([jsonata("$not(false)"), jsonata("$states.input.a = 1")], [True, False], False, True),
        ([jsonata("$states.input.a = 'x' or $states.input.a != 'x'")], [True], True, True),  # nothing at all is neither
        ([jsonata("$states.input.a = 'x' and ($b > 2)")], [True], True, True),
        ([jsonata("$exists($states.input.a)"), jsonata("$not($exists($states.input.a))")], [True, True], False, True),
        ([jsonata("$contains($states.input.a, 'x')")], [True], True, False),
        ([jsonata("2 < $n"), jsonata("$n > 2")], [True, False], True, True),
        ([jsonata("(" * 100 + "true" + ")" * 100)], [True], True, False),
        ([jsonata("$n > 2"), jsonata("$n <= 2")], [True, True], False, True),  # a text has no order with 2
        ([jsonata("$n")], [True], True, True),
        ([jsonata("$n and true")], [True], True, True),
    ],
)  # fmt: skip
def test_ways_by_hand(rules, taken, none, sure):
    found = of(*rules)
    assert (list(found.rules), found.none, found.sure) == (taken, none, sure)


CONSTANTS = st.sampled_from(["x", "y", "xy", ""])
PATTERNS = st.sampled_from(["*", "x*", "*y", "x*y", "*x*", "xy", "x\\*"])
NUMBERS = st.sampled_from([-2, 0, 1, 1.25, 1.5])
KINDS = ["String", "String", "Numeric", "Boolean", "IsPresent", "IsNull", "IsNumeric", "IsString", "IsBoolean"]


def leaf(draw):
    variable = draw(st.sampled_from(["$.a", "$.b", "$.t"]))
    kind = draw(st.sampled_from(["Timestamp", "IsTimestamp", "IsPresent", "IsString"] if variable == "$.t" else KINDS))
    if kind.startswith("Is"):
        return {"Variable": variable, kind: draw(st.booleans())}
    if kind == "Boolean":
        return {"Variable": variable, "BooleanEquals": draw(st.booleans())}
    op = draw(st.sampled_from(["Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals", "Matches"]))
    if op == "Matches" and kind != "String":
        op = "Equals"
    constants = {"String": PATTERNS if op == "Matches" else CONSTANTS, "Numeric": NUMBERS}
    return {"Variable": variable, kind + op: draw(constants.get(kind, st.sampled_from(TIMES)))}


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


def regular(pattern):
    parts = re.split(r"(\\\*|\*)", pattern)
    return "".join({"\\*": re.escape("*"), "*": ".*"}.get(part, re.escape(part)) for part in parts)


def holds(rule, data, lenient):
    """The rules of the language on plain data, from left to right as far as needed."""
    for op, of_all in (("And", all), ("Or", any)):
        if op in rule:
            return of_all(holds(r, data, lenient) for r in rule[op])
    if "Not" in rule:
        return not holds(rule["Not"], data, lenient)
    value = data[rule["Variable"]]
    (key,) = rule.keys() - {"Variable"}
    wanted = rule[key]
    if key == "IsPresent":
        return (value is not ABSENT) == wanted
    if value is ABSENT:
        if lenient and key.startswith("Is"):  # it is not written down whether this fails
            return not wanted
        raise FailedError
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if key.startswith("Is"):
        return {"IsNull": value is None, "IsNumeric": number, "IsString": isinstance(value, str), "IsBoolean": isinstance(value, bool), "IsTimestamp": isinstance(value, str) and value in MOMENTS}[key] == wanted  # fmt: skip
    if key.startswith("Boolean"):
        return isinstance(value, bool) and value == wanted
    if key.startswith("Timestamp"):
        if not isinstance(value, str) or value not in MOMENTS:
            return False
        value, wanted = MOMENTS[value], MOMENTS[wanted]
    elif not (number if key.startswith("Numeric") else isinstance(value, str)):
        return False
    op = key.removeprefix("Numeric").removeprefix("String").removeprefix("Timestamp")
    if op == "Matches":
        return re.fullmatch(regular(wanted), value, re.DOTALL) is not None
    return {"Equals": value == wanted, "LessThan": value < wanted, "GreaterThan": value > wanted, "LessThanEquals": value <= wanted, "GreaterThanEquals": value >= wanted}[op]  # fmt: skip


def takes(rules, data, lenient):
    """The rule that is taken, None for none of them, -1 where the state fails."""
    try:
        return next((i for i, r in enumerate(rules) if holds(r, data, lenient)), None)
    except FailedError:
        return -1


DATA = (
    st.just(ABSENT)
    | st.none()
    | st.booleans()
    | st.floats(-4, 4)
    | NUMBERS
    | st.sampled_from([1.1, 1.3])
    | st.text("xyzw*", max_size=3)
    | st.just([1])
    | st.just({})
)
EVERY = [ABSENT, None, True, False, [1], {}, -3, -2, -1, 0, 0.5, 1, 1.1, 1.25, 1.3, 1.5, 2]
EVERY += ["".join(p) for n in range(4) for p in product("wxyz*", repeat=n)]
SOME_TIMES = [ABSENT, None, 1, "x", *MOMENTS]


@settings(max_examples=300)
@given(st.lists(conditions(), min_size=1, max_size=3), st.lists(st.tuples(DATA, DATA), max_size=8))
def test_what_values_take_is_known_to_be_taken(rules, values):
    found = of(*rules)
    for (a, b), t in product(values, SOME_TIMES):
        data = {"$.a": a, "$.b": b, "$.t": t}
        taken = takes(rules, data, lenient=True)
        if taken != -1:
            assert found.none if taken is None else found.rules[taken]


@settings(max_examples=100)
@given(st.lists(conditions(), min_size=1, max_size=3).filter(lambda rules: "$.b" not in json.dumps(rules)))
def test_what_is_surely_taken_is_taken_by_some_value(rules):
    found = of(*rules)
    if not found.sure:
        return
    used = json.dumps(rules)
    values = product(EVERY if "$.a" in used else [1], SOME_TIMES if "$.t" in used else [1])
    taken = {takes(rules, {"$.a": a, "$.t": t}, lenient=False) for a, t in values}
    assert found.none == (None in taken)
    assert list(found.rules) == [i in taken for i in range(len(rules))]


VALUES = [ABSENT, None, True, False, [1], {}, -1.0, 0.0, 1.0, 1.5, 2.0, 3.0, "", "a", "x", "y", "xx"]


@st.composite
def expressions(draw, depth=2):
    """An expression of JSONata, and what it gives for a value of `$a`: a truth value, ABSENT, something else, or it fails."""
    if depth == 0 or draw(st.booleans()):
        kind = draw(st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "bare", "exists"]))
        if kind == "bare":
            return "$a", lambda a: a
        if kind == "exists":
            return "$exists($a)", lambda a: a is not ABSENT
        constant = draw(st.sampled_from(["x", "", 1.0, 2.0, True, None]))
        return f"$a {kind} {json.dumps(constant)}", lambda a: compared(a, kind, constant)
    op = draw(st.sampled_from(["and", "or", "not"]))
    one, first = draw(expressions(depth=depth - 1))
    if op == "not":
        return f"$not({one})", lambda a: ABSENT if (v := first(a)) is ABSENT else not truth(v)
    other, second = draw(expressions(depth=depth - 1))
    if op == "and":
        return f"({one}) and ({other})", lambda a: truth(first(a)) and truth(second(a))
    return f"({one}) or ({other})", lambda a: truth(first(a)) or truth(second(a))


def truth(value):
    return False if value is ABSENT else bool(value)


def compared(a, op, constant):
    if op in ("=", "!="):
        same = type(a) is type(constant) and a == constant
        return a is not ABSENT and same == (op == "=")
    if not isinstance(constant, (str, float)) or isinstance(constant, bool):
        raise FailedError
    if a is ABSENT:
        return ABSENT
    if type(a) is not type(constant):
        raise FailedError
    return {"<": a < constant, "<=": a <= constant, ">": a > constant, ">=": a >= constant}[op]


@settings(max_examples=200)
@given(st.lists(expressions(), min_size=1, max_size=3))
def test_what_expressions_take(found):
    def taken(a):
        for number, (_, meaning) in enumerate(found):
            try:
                value = meaning(a)
            except FailedError:
                return -1
            if not isinstance(value, bool):
                return -1
            if value:
                return number
        return None

    known = of(*(jsonata(text) for text, _ in found))
    real = {taken(a) for a in VALUES}
    assert not opaque(formula_of(node(jsonata(found[0][0]))))
    assert real <= {-1, *(i for i, t in enumerate(known.rules) if t), *([None] if known.none else [])}
    if known.sure:
        assert known.none == (None in real)
        assert list(known.rules) == [i in real for i in range(len(found))]


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
    assert fits(pattern, text) == (re.fullmatch(regular(pattern), text, re.DOTALL) is not None)


def test_instants():
    assert instant("2020-01-01T10:00:00+05:00") == instant("2020-01-01t05:00:00z")
    assert instant("2020-01-01T05:00:00.5Z") - instant("2020-01-01T05:00:00Z") == 5 * 10**8
    assert instant("2020-13-01T05:00:00Z") is instant("2020-01-01") is None
