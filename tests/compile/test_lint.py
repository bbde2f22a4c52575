"""Findings: warnings and notes only, at the right place, and none where the model is as it should be."""

from __future__ import annotations

import pytest

from placet.compile.lint import lint
from placet.compile.resolve import resolve
from placet.source import SourceFile
from placet.syntax.parser import parse


def found(text: str) -> list[tuple[str, str]]:
    file, problems = parse(SourceFile("lint.placet", text))
    assert not problems, problems
    model, problems = resolve(file)
    assert not [p for p in problems if p.severity == "error"], problems
    diagnostics = lint(model)
    assert all(d.severity in ("warning", "note") for d in diagnostics)
    return [(d.code, " ".join(d.span.text.split())) for d in diagnostics]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("end x task a task b", [("P301", "task a")]),
        ("raise E task a", [("P304", "raise E"), ("P301", "task a")]),
        ("loop { task a } task b", [("P301", "task b")]),
        ("either { end x } or { end y } parallel { task a task b }", [("P301", "parallel")]),
        ('choice { when "x" { end a task b } otherwise { } } task c', [("P301", "task b")]),
        ("loop { task a end x task b }", [("P301", "task b")]),
        ("try { task a } on E { task b }", [("P303", "on E")]),
        ("try { task a } on any { task b }", [("P303", "on any")]),
        ("try { try { raise E } on E { } } on E { }", [("P303", "on E")]),
        ("try { try { raise E } on E { raise E } } on E { }", []),
        ("parallel { }", [("P305", "parallel")]),
        ("parallel x { task a }", [("P305", "parallel x")]),
        ('choice { when "x" { } otherwise { } }', []),
        ("first of { receive a }", [("P307", "first of")]),
        ("task s receive a", [("P313", "receive a")]),
        ("receive a", []),
        ("first of { receive a receive b }", []),
        ("task s first of { receive a receive b }", [("P313", "first of")]),
        ("task s first of { receive a -> task b timer 5s -> task c }", []),
        ("task s first of { receive a -> task b timer 5s }", [("P309", "timer 5s")]),
        ("first of { timer 1s timer 5s }", []),
        ("task s try { receive a } on timeout 5s { end x }", []),
        ("task s try { receive a } on timeout 5s { }", [("P309", "on timeout 5s")]),
        ("task s try { task b } on timeout 5s { receive a }", [("P313", "receive a")]),
        ("task a fails E, F", [("P304", "task a fails E, F"), ("P304", "task a fails E, F")]),
    ],
)
def test_workflows(body, expected) -> None:
    assert found(f"workflow p {{ {body} }}") == expected


S = "service s { idempotent }"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("step a { undo b } step c { undo d }", []),
        ("step a step c { undo d }", ["P315"]),
        ("step a step c on s { retriable }", []),
        ("step a { undo b } step c", []),
        ("step a { undo b } step c abandon", ["P315"]),
        ("step a try { task t fails E } on E { }", []),
        ("step a try { task t fails E, F } on E { }", ["P315"]),
        ("step a try { task t fails E } on E { task u fails F }", ["P315"]),
        ("step a try { step c { undo d } } on any { }", []),
        ("step a try { step c { undo d } } on rejected { }", []),
        ("step a try { step c { undo d; timeout 5s } } on rejected { }", ["P315", "P318"]),
        ("try { step a step c { undo d } } on any { }", ["P315"]),
        ("step a try { abandon } on any { }", ["P315", "P303"]),
        ("step a step c { undo d; errors { other: escalate } }", []),
        ("loop at_most 2 { step a }", ["P315"]),
        ('step a choice { when "x" { } when "y" { } }', ["P315", "P308"]),
        ("step a { read_only } step c { undo d }", []),
        ("parallel { step a step c { undo d } }", ["P315"]),
        ("parallel { step a step c on s { retriable } }", []),
        ("parallel { step a step c }", ["P315", "P315"]),
        ("parallel { { step a } { step c { undo d } } } step e { undo f }", ["P315"]),
        ("either { step a } or { step c { undo d } }", []),
        ("step a { pivot } step c { undo d }", ["P312"]),
        ("step a { pivot } step c on s { undo d; retriable }", []),
        ("step a { pivot } either { step c { undo d } } or { step e { read_only } }", ["P312"]),
        ("parallel { step a { pivot } step c { undo d } }", []),
        ("either { step a { pivot } } or { step c { undo d } } step e { undo f }", ["P312"]),
        ("step a on s { pivot; retriable }", ["P310"]),
        ("step a { read_only; undo b }", ["P311"]),
        ("step a { undo b; retry 1 }", ["P314"]),
        ("step a { undo b; retry 1; idempotent }", []),
        ("step a { undo b; errors { Busy: retry 2 } }", ["P314"]),
        ("step a { read_only; retry 1 }", []),
        ("step a { undo b } on unknown retry", ["P314"]),
        ("step a { undo b; timeout 5s } on unknown ignore", ["P309"]),
        ("step a { undo b } on unknown ignore", []),
        ("try { step a { undo b; errors { Declined: reject } } } on Declined { task c }", []),
        ("try { step a { undo b } } on Declined { task c }", ["P303"]),
    ],
)
def test_sagas(body, expected) -> None:
    """Time-outs and undos have a test of their own."""
    codes = [code for code, _ in found(f"{S} saga p {{ {body} }}")]
    assert [code for code in codes if code not in ("P316", "P317", "P320")] == expected


def test_a_called_process_is_not_started_by_its_first_event() -> None:
    assert found("workflow p { receive a call q } workflow q { receive b }") == [("P313", "receive b")]


def test_findings_come_in_the_order_of_the_text() -> None:
    codes = found("workflow p { parallel { task a } task b receive c end x task d }")
    assert codes == [("P305", "parallel"), ("P313", "receive c"), ("P301", "task d")]
