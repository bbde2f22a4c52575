"""What each construct becomes, and that spans point to the text they came from."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from syntax_trees import files

from placet.source import SourceFile, Span
from placet.syntax import ast
from placet.syntax.parser import parse
from placet.syntax.printer import render


def tree(text):
    file, diagnostics = parse(SourceFile("test", text))
    assert [d.message for d in diagnostics] == []
    return file


def body(text, kind="workflow"):
    (process,) = tree(f"{kind} w {{ {text} }}").items
    return process.body.statements


def shown(value):
    """Any tree as nested lists of what it says, without spans and class names."""
    if isinstance(value, (ast.Name, ast.Text)):
        return value.text
    if isinstance(value, ast.Number):
        return value.value
    if isinstance(value, ast.Duration):
        return value.seconds
    if hasattr(value, "_fields"):
        said = [v for v in value if not isinstance(v, (Span, SourceFile))]
        if isinstance(value, ast.Receive) and not value.buffered:
            del said[-1]
        if isinstance(value, ast.Call) and not value.detached:
            del said[-2:]
        if isinstance(value, ast.Parallel) and value.need is None:
            del said[-2:]
        if isinstance(value, ast.Handler) and not (value.signal or value.beside):
            del said[-3:]
        if isinstance(value, (ast.Task, ast.Receive)) and not value.sets:
            del said[1 if isinstance(value, ast.Receive) else -1]
        return (type(value).__name__, *map(shown, said))
    if isinstance(value, tuple):
        return [shown(v) for v in value]
    return value


STATEMENTS = [
    (
        "task a sets x = y - 2 * z + 1, b = not c",
        (
            "Task", "a", None, [],
            [
                ("Assignment", "x", ("Expression", [[1, "y"], [-2, "z"], [1, None]]), False),
                ("Assignment", "b", ("Expression", [[1, "c"]]), True),
            ],
        ),
    ),
    (
        "while x < 3 and not b { }",
        (
            "Loop", None, None,
            ("Junction", "and", [("Compare", [[1, ("Atom", "x")]], "<", 3), ("Negation", ("Atom", "b"))]),
            None, ("Block", []),
        ),
    ),
    ("loop { } until x == red", ("Loop", None, None, None, ("Compare", [[1, ("Atom", "x")]], "==", ("Expression", [[1, "red"]])), ("Block", []))),
    ("task a", ("Task", "a", None, [])),
    ("task a on b fails C, d.E", ("Task", "a", "b", ["C", "d.E"])),
    ("receive order.placed", ("Receive", "order.placed")),
    ("timer 1.5h", ("Timer", 5400.0)),
    ("timer 250ms", ("Timer", 0.25)),
    ("timer 2m", ("Timer", 120.0)),
    ("timer 2min", ("Timer", 120.0)),
    ("timer 1w", ("Timer", 604800.0)),
    ("raise E", ("Raise", "E")),
    ("end end", ("End", "end")),
    ("abandon", ("Abandon", None)),
    ('abandon "so \\"what\\" \\\\ \\n"', ("Abandon", 'so "what" \\ \\n')),
    ("loop { }", ("Loop", None, None, None, None, ("Block", []))),
    ('loop l at_most 3 { } until "x"', ("Loop", "l", 3, None, "x", ("Block", []))),
    ('while "x" at_most 3 { }', ("Loop", None, 3, "x", None, ("Block", []))),
    ('while l "x" { }', ("Loop", "l", None, "x", None, ("Block", []))),
    ("either { } or { raise E }", ("Either", None, [("Branch", None, None, ("Block", [])), ("Branch", None, None, ("Block", [("Raise", "E")]))])),
    ("parallel p { raise E; { } }", ("Parallel", "p", [("Branch", None, None, ("Block", [("Raise", "E")])), ("Branch", None, None, ("Block", []))])),
    ('choice c { when "x" { } otherwise { end z } }', ("Choice", "c", [("Branch", "x", None, ("Block", []))], ("Block", [("End", "z")]))),
    ('choice { when "x" { } }', ("Choice", None, [("Branch", "x", None, ("Block", []))], None)),
    (
        "first of { receive a; timer 1s -> raise E receive b -> { } }",
        ("FirstOf", None, [
            ("Branch", None, ("Receive", "a"), ("Block", [])),
            ("Branch", None, ("Timer", 1.0), ("Block", [("Raise", "E")])),
            ("Branch", None, ("Receive", "b"), ("Block", [])),
        ]),
    ),
    (
        "try t { } on A { } on timeout 2s { } on timeout { } on any { }",
        ("Try", "t", ("Block", []), [
            ("Handler", "A", None, ("Block", [])), ("Handler", "timeout", 2.0, ("Block", [])),
            ("Handler", "timeout", None, ("Block", [])), ("Handler", "any", None, ("Block", [])),
        ]),
    ),
    ("call b", ("Call", "b", [])),
    ("call b on c { } on unknown { }", ("Call", "b", [("Handler", "c", None, ("Block", [])), ("Handler", "unknown", None, ("Block", []))])),
    ("step a", ("Step", "a", None, [], [], None)),
    (
        "step a on b via rest { key c per run ttl 24h }",
        ("Step", "a", "b", [("Option", "key", ["c", "per", "run", 86400.0])], [], "rest"),
    ),
    (
        "step a on b { undo c(d.reply); retry 3 timeout 4s; pivot after e, f }",
        ("Step", "a", "b", [
            ("Option", "undo", ["c", "d.reply"]), ("Option", "retry", [3]), ("Option", "timeout", [4.0]),
            ("Option", "pivot", []), ("Option", "after", ["e", "f"]),
        ], [], None),
    ),
    (
        "step a { errors { A: retry 2 then reject; B: retry 1 other: unknown } }",
        ("Step", "a", None, [], [
            ("ErrorRule", "A", 2, "reject", []), ("ErrorRule", "B", 1, None, []), ("ErrorRule", "other", None, "unknown", []),
        ], None),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), STATEMENTS, ids=[t for t, _ in STATEMENTS])
def test_statements(text, expected):
    assert [shown(s) for s in body(text)] == [expected]
    twice = f"{text}; {text}"
    assert [shown(s) for s in body(twice)] == [expected, expected]
    if not text.startswith("parallel"):
        assert [shown(s) for s in body(f"{text} task z")][:1] == [expected]


def test_a_brace_after_a_step_opens_its_options():
    (parallel,) = body("parallel { step a { retry 1 } { task b } }")
    assert len(parallel.branches) == 2
    (parallel,) = body("parallel { step a; { task b } }")
    assert len(parallel.branches) == 2
    assert parse(SourceFile("", "workflow w { parallel { step a { task b } } }"))[1]


def test_policies():
    (saga,) = tree(
        "saga s uses step-functions { siblings await; step a on unknown { } on unknown ask "
        "on undo_failure retry 5 then halt on  undo_failure halt task b on x on unknown # no\n retry }"
    ).items
    assert saga.profile.text == "step-functions"
    assert [shown(s) for s in saga.body.statements] == [("Step", "a", "unknown", [], [], None), ("Task", "b", "x", [])]
    assert [shown(p) for p in saga.policies] == [
        ("Option", "siblings", ["await"]),
        ("Option", "on unknown", ["ask"]),
        ("Option", "on undo_failure", ["retry", 5, "halt"]),
        ("Option", "on undo_failure", ["halt"]),
        ("Option", "on unknown", ["retry"]),
    ]


def test_nets():
    (net,) = tree(
        "net n { place a = 1 capacity 2, b; transition t: 2 a + read b + without 3 c + reset d -> 4 e transition u priority N: -> final a, b }"
    ).items
    assert shown(net) == (
        "NetDecl", "n", [("PlaceDecl", "a", 1, 2), ("PlaceDecl", "b", None, None)],
        [
            ("TransitionDecl", "t", [("Arc", "", 2, "a"), ("Arc", "read", None, "b"), ("Arc", "without", 3, "c"), ("Arc", "reset", None, "d")], [("Arc", "", 4, "e")], None),
            ("TransitionDecl", "u", [], [], 0),
        ],
        ["a", "b"],
    )  # fmt: skip


FORMULAS = [
    ("a.b", "a.b"),
    ("not a and b or c", "(((not a) and b) or c)"),
    ("a or b and c implies not (d or e)", "((a or (b and c)) implies (not (d or e)))"),
    ("a and (b and c) and d", "(a and (b and c) and d)"),
    ("a + 2 b - 3*c >= 4", "[1a 2b -3c >= 4]"),
    ("- a < 1", "[-1a < 1]"),
    ("not a == 1", "(not [1a == 1])"),
]


def grouped(f):
    if isinstance(f, ast.Atom):
        return f.name.text
    if isinstance(f, ast.Compare):
        return f"[{' '.join(f'{n}{a.name.text}' for n, a in f.terms)} {f.op} {f.bound.value}]"
    if isinstance(f, ast.Negation):
        return f"(not {grouped(f.of)})"
    return f"({f' {f.op} '.join(map(grouped, f.parts))})"


@pytest.mark.parametrize(("text", "expected"), FORMULAS)
def test_formulas(text, expected):
    (check,) = tree(f"check never({text})").items
    assert grouped(check.items[0].operands[0]) == expected


def test_checks():
    (check,) = tree('check a(x, 2), b() "why" under { lost, slow } at_most 2').items
    first, second = check.items
    assert (first.sentence, second.sentence.text) == (None, "why")
    assert shown(first.operands) == [("Atom", "x"), 2]
    assert second.operands == ()
    assert shown(check.faults) == ["lost", "slow"]
    assert check.fault_budget.value == 2
    (check,) = tree("check a(x) under { }").items
    assert check.faults == ()
    assert check.fault_budget is None


@pytest.mark.parametrize(
    "word", ["order", "place", "end", "task", "then", "on", "checks", "retry", "not", "größe", "temporal-java", "x_1"]
)
def test_words_of_the_language_are_names_where_only_a_name_can_stand(word):
    (task,) = body(f"task {word}")
    assert task.name.text == word
    (process,) = tree(f"workflow {word} {{ call {word} on {word} {{ raise {word} }} }}").items
    assert process.name.text == word


def test_comments_and_blanks_mean_nothing():
    assert shown(tree("workflow w{task a;;;task b}").items) == shown(
        tree("\ufeff# one\n;workflow\r\n\tw # two\n{ # { \n task a\n\n task\nb # }\n}\n;# three").items
    )


def spans(value, parent=None):
    """Every (tree, its own span, span of what holds it)."""
    if isinstance(value, tuple) and not isinstance(value, Span):
        own = getattr(value, "span", parent) if hasattr(value, "_fields") else parent
        if hasattr(value, "_fields") and hasattr(value, "span"):
            yield value, own, parent
        for part in value:
            yield from spans(part, own)


@settings(max_examples=200)
@given(files)
def test_spans(file):
    text = render(file)
    parsed, _ = parse(SourceFile("", text))
    for value, own, parent in spans(parsed.items):
        assert 0 <= own.start <= own.end <= len(text)
        if parent is not None:
            assert parent.start <= own.start
            assert own.end <= parent.end
        if isinstance(value, ast.Name):
            assert " ".join(own.text.split()) == value.text
        elif isinstance(value, (ast.Task, ast.Step, ast.Process, ast.Check, ast.NetDecl, ast.Call)):
            assert own.text.startswith(
                value.kind if isinstance(value, ast.Process) else type(value).__name__.lower().removesuffix("decl")
            )
            assert own.text.strip() == own.text
