"""Mistakes, one diagnostic each: code, the text that the caret stands under, and words."""

from __future__ import annotations

import pytest

from placet.source import SourceFile
from placet.syntax.error_examples import ELSEWHERE, EXAMPLES
from placet.syntax.parser import parse


def complaints(text):
    return parse(SourceFile("test", text))[1]


# text with ^ before and after what the caret stands under (^^: a gap); code; message; help (a part of it)
MISTAKES = [
    ("saga book^^ step a }", "P101", "expected `uses` or `{` after the name of the saga", ""),
    ("saga book uses dtm^^ step a }", "P101", "expected `{` after the name of a profile", ""),
    ("workflow^^ { }", "P101", "expected the name of the workflow after `workflow`", ""),
    ("workflow w { task^^ }", "P101", "expected the name of the task after `task`", ""),
    ("workflow w { task^^\n}", "P101", "expected the name of the task after `task`", ""),
    ("workflow w { task a ^b^ }", "P101", "expected a statement, `fails`, `on`, `sets` or `}` after the name of the task, found `b`", ""),
    ("workflow w { ^foo^ }", "P101", "expected a statement or `}` after `{`, found `foo`", ""),
    ("workflow w { timer ^5^ }", "P101", "expected a time such as `10s`, found `5`", "units"),
    ("workflow w { first of { timer 2h ->^^ } }", "P101", "expected a statement or `{` after `->`", "leave"),
    ("workflow w { task a ^{^ } }", "P101", "expected a statement, found `{`", "step"),
    ("workflow w { parallel task c^^ }", "P101", "expected `{` and the branches of `parallel`", "parallel { task a task b }"),
    ("workflow w { parallel call c ^call^ d }", "P101", "expected `{` and the branches of `parallel`", "2 of"),
    ("workflow w { either { }^^ }", "P101", "expected `or { ... }` after the first way of `either`", ""),
    ("saga s { step a { pivot^,^ retriable } }", "P101", "expected `;` or a new line before the next option, found `,`", ""),
    ("saga s { step a { undo^^; retry 3 } }", "P101", "expected the name of what undoes the step after `undo`", ""),
    ("check sound^^", "P101", "expected `(` after the name of the check", "check sound(purchase)"),
    ("check never((a)^^", "P101", "expected `)` after `)`", ""),
    ("check never(a ^=^ 1)", "P101", "expected a comparison, found `=`", "=="),
    ("check a(b implies c ^implies^ d)", "P101", "it is not clear to which `implies` this belongs", "parentheses"),
    ("check never(not not ^a^)", "P101", "expected `and`, `or`, a comparison or `)` after `not`, found `a`", ""),
    ("net n { transition t: a -> read^^ b }", "P101", "`read` stands before the `->` only", ""),
    ("net n { transition t^^ a -> b }", "P101", "expected `:` after the name of the transition", ""),
    ("^workflwo^ w { }", "P102", "expected a declaration, found `workflwo`", "did you mean `workflow`?"),
    ("workflow w { ^Task^ a }", "P102", "expected a statement or `}`, found `Task`", "did you mean `task`?"),
    ("saga s ^usse^ dtm { }", "P102", "expected `uses` or `{`, found `usse`", "did you mean `uses`?"),
    ("saga s { step a { ^retires^ 3 } }", "P102", "", "did you mean `retry`?"),
    ("workflow w {^^", "P103", "expected `}` before the end of the file", ""),
    ("workflow w { task a^^\nworkflow v { }", "P103", "expected `}` before `workflow`", ""),
    ("workflow w { } ^}^", "P104", "this `}` closes nothing", ""),
    ("^}^ workflow w { }", "P104", "this `}` closes nothing", ""),
    ('workflow w { abandon ^"^oh no\n}', "P105", "this sentence is not closed", "same line"),
    ("workflow w { task a ^@@^ }", "P106", "`@@` means nothing here", ""),
    ("workflow w { ^//^\n }", "P106", "`//` means nothing here", "comments begin with `#`"),
    ("workflow w { abandon ^\u201c^ }", "P106", "`\u201c` means nothing here", "double quotes"),
    ("workflow w { ^\0\0^ }", "P106", "a NUL byte is not text", "NUL"),
    ("workflow w { timer ^10sec^ }", "P107", "`10sec` is neither a number nor a time", "units"),
    ("workflow w { task ^2nd^ }", "P107", "`2nd` is neither a number nor a time", "begins with a letter"),
    ("workflow w { loop at_most ^1.5^ { } }", "P107", "`1.5` is neither a number nor a time", "whole"),
    ("net n { place p = ^1000000001^ }", "P108", "`1000000001` is too large", "10^9"),
    ("net n { place p = ^" + "9" * 5000 + "^ }", "P108", "`999999999999...` is too large", ""),
    ("workflow w { timer ^99999999999h^ }", "P108", "", ""),
    ("^^", "P110", "there is nothing in this file", "at least one"),
    ("^^ # only\n ; ", "P110", "there is nothing in this file", ""),
    ("^circuit_breaker^ x { }", "P111", "`circuit_breaker` does not stand here", "a service has it: `service NAME { circuit_breaker after 3 probe 30s }`"),
    ("var x ^=^ 1", "P101", "expected `:` and the values that the variable can have", "var stock : 0..2"),
    ("var x : 0 ^=^ 1", "P101", "expected `..` and the largest value", "0..2"),
    ("workflow w { var x : { red^^ green } }", "P101", "", ""),
    ("workflow w { choice { when stock ^=^ 1 { } } }", "P101", "expected a comparison, found `=`", "=="),
    ("workflow w { task a^.^b }", "P112", "the name `a.b` has a dot", "a_b"),
    ("workflow w { ^choice^ { } }", "P113", "this `choice` has no `when`", ""),
    ("workflow w { ^first^ of { } }", "P113", "this `first` has no `receive` or `timer`", ""),
    ("workflow w { ^pivot^ }", "P114", "expected a statement, found `pivot`, which is an option", "step"),
    ("^task^ a", "P114", "expected a declaration, found `task`, which is a statement", "workflow"),
    ("workflow w { parallel { ^siblings^ await } }", "P114", "expected a statement, found `siblings`, which is a policy", "saga"),
    ("workflow w { ^otherwise^ { } }", "P114", "expected a statement, found `otherwise`, which is a part of `choice`", ""),
    ("workflow w {\n  task a\n  ^check^ sound(w)\n}", "P114", "expected a statement, found `check`, which is a declaration", "outside"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("marked", "code", "message", "help_"), MISTAKES, ids=[f"{c} {t[:40]!r}" for t, c, _, _ in MISTAKES]
)
def test_mistake(marked, code, message, help_):
    before, under, after = marked.split("^", 2)
    (found,) = complaints(before + under + after)
    assert (found.code, found.severity) == (code, "error")
    assert found.message == (message or found.message)
    assert help_ in found.help
    assert (found.span.start, found.span.text) == (len(before), under)


def near_misses():
    """The same texts, mended."""
    return [
        "saga book { step a }", "saga book uses dtm { step a }", "workflow w { task a }", "workflow w { timer 5s }",
        "workflow w { first of { timer 2h } }", "workflow w { either { } or { } }", "saga s { step a { pivot; retriable } }",
        "saga s { step a { pivot retriable } }", "check sound(w)", "check never((a))", "check never(a == 1)",
        "check a(b implies (c implies d))", "check never(not (not a))", "net n { transition t: read a -> b }",
        'workflow w { abandon "oh no" }', "workflow w { timer 10s }", "workflow w { task nd2 }", "net n { place p = 1000000000 }",
        "net n { place p = 000000000000000001 }", "workflow w { receive a.b }", "saga s { siblings await }", "workflow w { task a\n}",
    ]  # fmt: skip


@pytest.mark.parametrize("text", near_misses())
def test_near_miss(text):
    assert complaints(text) == ()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.texts[0])
def test_examples_give_their_own_words(example):
    for text in example.texts:
        (found,) = complaints(text)
        fixed = (
            example.message.split("{")[0]
            if "{found}" in example.message or "{before}" in example.message
            else example.message
        )
        assert found.message.startswith(fixed), text
        assert (found.code, found.help) == (example.code, example.help)


def test_one_run_shows_the_mistakes_of_every_declaration():
    text = """
service s { idempotant }
workflow a { task }
workflow b { task x; tsk y; end }
workflow { }
saga c uses { step d { undo } }
net n { place p = ; transition t a -> b }
check sound(a
check never(x and)
workflow z { task fine }
"""
    file, found = parse(SourceFile("", text))
    assert [(d.code, d.span.line) for d in found] == [
        ("P102", 2), ("P101", 3), ("P102", 4), ("P101", 4), ("P101", 5), ("P101", 6), ("P101", 6), ("P101", 7), ("P101", 7),
        ("P101", 8), ("P101", 9),
    ]  # fmt: skip
    assert [type(i).__name__ for i in file.items] == [
        "Service",
        "Process",
        "Process",
        "Process",
        "Process",
        "NetDecl",
        "Check",
        "Check",
        "Process",
    ]
    assert file.items[-1].body.statements[0].name.text == "fine"


def test_the_open_brace_that_is_meant():
    text = 'workflow w {\n  loop {\n    choice {\n      when "x" { task a }\n    task b\n  }\n}\nworkflow v { }\n'
    (found,) = complaints(text)
    assert found.code == "P103"
    assert [(label.span.line, label.span.text) for label in found.labels] == [(3, "{")]
    (found,) = complaints("workflow w {\n  loop {\n    task a\n  task b\n}\ncheck sound(w)\n")
    assert [(label.span.line, label.span.text) for label in found.labels] == [(2, "{")]
    (found,) = complaints("check never((a and b)\ncheck sound(w)")
    assert [(label.span.column, label.span.text) for label in found.labels] == [(12, "(")]


def test_a_declaration_closed_too_early():
    found = complaints("workflow w {\n  task a\n}\n  task b\n}\nworkflow v { task c }\n")
    assert [(d.code, d.span.line) for d in found] == [("P114", 4)]


def test_a_misspelt_word_in_a_file_that_breaks_off():
    assert [d.code for d in complaints("workflow w { tsk a\n")] == ["P102", "P103"]


def test_the_name_that_was_a_word():
    (found,) = complaints("workflow w {\n  task\n  end done\n}")
    assert found.notes == ("`end` was read as a name here",)


@pytest.mark.parametrize("word", sorted(ELSEWHERE))
def test_words_that_stand_elsewhere_are_one_diagnostic(word):
    for text in (
        f"{word} x y {{ a; b }}\nworkflow w {{ }}",
        f"workflow w {{ task a\n {word} x -> 2 ( b\n task c }}",
        f"saga s {{ step a {{ pivot\n {word} x per y\n retriable }} }}",
    ):
        assert [d.code for d in complaints(text)] == ["P111"], text


def test_many_errors_are_capped():
    found = complaints("workflow w { " + "tsk a; " * 1000 + "}")
    assert len(found) == 50
    assert "50th" in found[-1].notes[-1]
    assert all(not d.notes for d in found[:-1])


def test_nesting():
    for before, inner, after in [("workflow w { ", "loop { ", "} "), ("check a", "(", ")")]:
        text = (
            before
            + inner * (99 if inner == "loop { " else 100)
            + ("b" if inner == "(" else "")
            + after * 99
            + ("}" if inner == "loop { " else ")")
        )
        assert complaints(text) == ()
        deeper = before + inner * 260 + ("b" if inner == "(" else "task c ") + after * (260 + (inner != "("))
        (found,) = complaints(deeper)
        assert found.code == "P109"
