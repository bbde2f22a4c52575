"""Findings about time-outs and undos: where they stand, and that what they say is so in the net under faults."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import CHECKOUT
from placet.compile.lint import lint
from placet.compile.resolve import resolve
from placet.engines.protocol import Needs, Visitor
from placet.engines.reference import Reference
from placet.evidence import Budget
from placet.faults.weave import Hypothesis, weave
from placet.ir import model as ir
from placet.logic.state import FALSE
from placet.pipeline import compile_source, verify
from placet.source import SourceFile
from placet.syntax.parser import parse

MINE = ("P316", "P317", "P318", "P319", "P320")
T = "timeout 5s"


def found(text: str) -> list[tuple[str, str]]:
    file, problems = parse(SourceFile("lint.placet", text))
    model, unresolved = resolve(file)
    assert not [p for p in (*problems, *unresolved) if p.severity == "error"]
    return [(d.code, " ".join(d.span.text.split())) for d in lint(model) if d.code in MINE]


S = "service s { idempotent } "


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"step a {{ undo b; {T} }} step c {{ undo d; {T} }}", []),
        ("step a { undo b }", [("P317", "step a { undo b }")]),
        ("step a { undo b } parallel { step c { undo d } step e }", [("P317", "step a { undo b }")]),
        (f"step a {{ undo b; {T} }} step c {{ undo d }}", [("P317", "step c { undo d }")]),
        ("step a on s { retriable }", [("P317", "step a on s { retriable }")]),
        ("step a { read_only }", [("P317", "step a { read_only }")]),
        # an undo that never runs
        (f"step a {{ undo b; {T} }}", []),
        (f"step a {{ undo b; {T} }} failing_step keep", [("P316", "undo b")]),
        (f"step a {{ undo b; {T} }} register after", [("P316", "undo b")]),
        (f"step a {{ undo b; pivot; {T} }}", [("P316", "undo b")]),
        (f"step a on s {{ undo b; retriable; {T} }}", [("P316", "undo b")]),
        (f"step a on s {{ undo b; retriable; {T} }} abandon", []),
        (f"step a on s {{ undo b; retriable; {T} }} task t fails E", []),
        (f"step a on s {{ undo b; retriable; {T} }} task t", [("P316", "undo b")]),
        (f'step a on s {{ undo b; retriable; {T} }} choice {{ when "x" {{ }} }}', []),
        (f'step a on s {{ undo b; retriable; {T} }} choice {{ when "x" {{ }} otherwise {{ }} }}', [("P316", "undo b")]),
        (f"step a {{ pivot; {T} }} step c on s {{ undo d; retriable; {T} }}", [("P316", "undo d")]),
        (f"step a on s {{ undo b; retriable; {T} }} step c {{ pivot; {T} }}", []),
        (f"step a on s {{ undo b; retriable; {T} }} step c {{ pivot; {T} }} step d on s {{ retriable; {T} }}", []),
        (f"parallel {{ step a on s {{ undo b; retriable; {T} }} step c {{ undo d; {T} }} }}", []),
        (
            f"parallel {{ step a on s {{ undo b; retriable; {T} }} step c on s {{ retriable; {T} }} }}",
            [("P316", "undo b")],
        ),
        (f"loop at_most 2 {{ step a on s {{ undo b; retriable; {T} }} step c {{ pivot; {T} }} }}", []),
        (f"step a {{ undo b; {T} }} on unknown retry", [("P316", "undo b")]),
        (f"step a {{ undo b; {T}; errors {{ E: unknown }} }} on unknown ignore", [("P316", "undo b")]),
        (f"step a on s {{ undo b; retriable; {T} }} deadline undo", []),
        (f"step a on s {{ undo b; retriable; {T} }} deadline escalate", [("P316", "undo b")]),
        (f"step a on s {{ undo b; retriable; {T} }} recovery undo", []),
        (f"step a on s {{ undo b; pivot; {T} }} deadline undo", [("P316", "undo b")]),
        # handlers that miss time-outs
        (f"try {{ step a {{ {T} }} }} on rejected {{ }}", [("P318", "on rejected")]),
        (f"try {{ step a {{ {T} }} }} on any {{ }}", []),
        (f"try {{ step a {{ {T} }} }} on rejected {{ }} on any {{ }}", []),
        (f"try {{ step a {{ {T}; pivot }} }} on rejected {{ }}", []),
        (f"try {{ step a {{ {T} }} }} on rejected {{ }} on unknown retry", []),
        (f"try {{ try {{ step a {{ {T} }} }} on any {{ raise E }} }} on E {{ }}", []),
        (f"try {{ try {{ raise F }} on any {{ step a {{ {T} }} }} }} on rejected {{ }}", [("P318", "on rejected")]),
        (
            f"try {{ step a {{ {T}; errors {{ E: reject }} }} }} on rejected {{ }} on E {{ step c {{ {T} }} }}",
            [("P318", "on E")],
        ),
        (
            f"step a {{ {T}; errors {{ timeout: halt }} }}",
            [("P318", f"step a {{ {T}; errors {{ timeout: halt }} }}")],
        ),
        (f"step a {{ {T}; errors {{ timeout: escalate }} }}", []),
        (f"step a {{ undo b; {T}; errors {{ timeout: escalate }} }}", [("P316", "undo b")]),
        (f"try {{ step a {{ {T}; errors {{ timeout: escalate }} }} }} on rejected {{ }}", []),
        # undos without their input
        (f"step a {{ undo b(a.reply); {T} }} step c {{ undo d; {T} }}", [("P319", "undo b(a.reply)")]),
        (f"step a {{ undo b(a.reply.seat); {T} }} step c {{ undo d; {T} }}", [("P319", "undo b(a.reply.seat)")]),
        (f"step a {{ undo b(a.reply); {T} }} step c {{ undo d; {T} }} on unknown retry", [("P316", "undo d")]),
        (
            f"step a {{ undo b(a.reply); {T} }} step c {{ undo d; {T} }} register after",
            [("P320", f"step a {{ undo b(a.reply); {T} }}"), ("P316", "undo d")],
        ),
        (
            "step a { undo b(a.reply) } step c { undo d } failing_step undo",
            [("P317", "step a { undo b(a.reply) }"), ("P319", "undo b(a.reply)")],
        ),
        # time-outs after which nothing is undone
        (f"step a {{ undo b; {T} }} step c {{ {T} }} register after", [("P320", f"step a {{ undo b; {T} }}")]),
        (f"step a {{ undo b; {T} }} step c {{ {T} }} failing_step keep", [("P320", f"step a {{ undo b; {T} }}")]),
        (f"step a {{ undo b; {T} }} step c {{ {T} }} failing_step keep on unknown retry", []),
        (f"step a on s {{ undo b; retriable; {T} }} step c {{ {T} }} register after", []),
    ],
)
def test_where_they_stand(body, expected) -> None:
    assert found(f"{S}saga p {{ {body} }}") == expected


def test_an_undo_may_be_asked_for_by_a_caller() -> None:
    inner = f"{S}saga q {{ step a on s {{ undo b; retriable; {T} }} }}"
    assert found(inner) == [("P316", "undo b")]
    assert found(f"{inner} saga p {{ call q on compensated {{ }} on failed {{ }} abandon }}") == []


def test_an_importer_profits() -> None:
    step = ir.Step("p/a", "a", "s", undo=ir.Undo("b", "reply"))
    call = ir.Call("p/call", "q", ())
    body = ir.Sequence("p{}", (step, call))
    process = ir.Process("p", "saga", body, ("completed", "compensated", "failed"))
    codes = [d.code for d in lint(ir.Model("x.json", (process,), (), ()))]
    assert codes == ["P317"]  # it may be undone: the call has an end that nobody handles
    alone = process._replace(body=ir.Sequence("p{}", (step._replace(pivot=True),)))
    assert sorted(d.code for d in lint(ir.Model("x.json", (alone,), (), ()))) == ["P316", "P317"]


@pytest.mark.parametrize("file", sorted((CHECKOUT / "models").glob("*/model.placet")), ids=lambda f: f.parent.name)
def test_no_shipped_model_gets_a_false_alarm(file) -> None:
    """A hit on a model that keeps all it promises must be told by a `# finding: CODE` line of that model, with its reason."""
    text = file.read_text(encoding="utf-8")
    told = {word.rstrip(":,") for line in text.splitlines() if line.startswith("# finding: ") for word in line.split()}
    loaded = compile_source(SourceFile(str(file), text))
    assert not loaded.broken
    assert [d.code for d in loaded.diagnostics if d.code in MINE and d.code not in told] == []


# -- what they say is so ---------------------------------------------------------------------------------------------


@st.composite
def steps(draw, number: int) -> str:
    options = [f"undo u{number}"] if draw(st.booleans()) else []
    options += [T] if draw(st.integers(0, 3)) else []
    options += draw(
        st.sampled_from(
            [[], [], [], ["pivot"], ["retriable"], ["retry 1"], ["errors { E: unknown }"], ["errors { timeout: halt }"]]
        )
    )
    return f"step a{number} on s {{ {'; '.join(options)} }}" if options else f"step a{number} on s {{ }}"


@st.composite
def sagas(draw) -> str:
    parts = [draw(steps(n)) for n in range(draw(st.integers(1, 3)))]
    if len(parts) > 1 and draw(st.integers(0, 3)) == 0:
        parts = [f"parallel {{ {' '.join(parts[:2])} }}", *parts[2:]]
    if draw(st.integers(0, 5)) == 0:
        parts.append("abandon")
    policies = [
        draw(st.sampled_from(["", "", "register after"])),
        draw(st.sampled_from(["", "failing_step keep", "failing_step undo"])),
        draw(st.sampled_from(["", "", "on unknown retry", "on unknown ignore"])),
    ]
    return f"service s {{ idempotent; null_safe }} saga p {{ {' '.join([*parts, *policies])} }}"


def fired(text: str, hypothesis: Hypothesis) -> frozenset[str]:
    """The transitions that some run under these faults fires: every state is looked at."""
    (compiled,) = compile_source(SourceFile("lint.placet", text)).compiled
    woven = weave(compiled, hypothesis).compiled
    seen = Reference().explore(woven.net, woven.initial, (), [Visitor(FALSE, Needs.FIRST)], Budget(200_000))
    assert seen.complete
    return frozenset(woven.net.transitions[t] for t in seen.fired)


@settings(max_examples=300, deadline=None)
@given(sagas())
def test_an_undo_never_runs_exactly_where_it_is_said(text) -> None:
    """Exact where every step has a time-out; without one an undo may wait for a time-out that never comes."""
    never = {span.split()[1] for code, span in found(text) if code == "P316"}
    happens = fired(text, Hypothesis(("reject", "partial", "lost", "slow"), 2))
    written = {f"u{n}" for n in range(3) if f"undo u{n}" in text}
    dead = {undo for undo in written if f"p/a{undo[1]}#undo.send[1]" not in happens}
    assert never <= dead
    unnamed = "P317" not in dict(found(text)) and "E:" not in text
    if unnamed and "abandon" not in text:
        assert never == dead


@settings(max_examples=150, deadline=None)
@given(sagas())
def test_a_lost_message_stops_a_saga_exactly_where_a_step_waits_for_ever(text) -> None:
    report = verify(f"{text} check option_to_complete(p) under {{ lost }} at_most 1")
    (entry,) = [c for m in report.models for c in m.checks]
    steps_reached = "abandon" not in text
    waits = "P317" in dict(found(text))
    assert entry.outcome in ("proved", "violated")
    if waits is False:
        assert entry.outcome == "proved"
    elif steps_reached:
        assert entry.outcome == "violated"


@settings(max_examples=150, deadline=None)
@given(sagas())
def test_an_effect_stays_exactly_where_nothing_compensates_it(text) -> None:
    """P315: a step without undo is in effect when the saga has turned back, because something refused."""
    names = [f"a{n}" for n in range(3) if f"step a{n} " in text]
    own = {name: text.partition(f"step {name} on s {{")[2].partition("}")[0] for name in names}
    plain = [name for name in names if not any(word in own[name] for word in ("undo", "pivot", "retriable", "errors"))]
    file, _ = parse(SourceFile("lint.placet", text))
    model, _ = resolve(file)
    told = {d.span.text.split()[1] for d in lint(model) if d.code == "P315"}
    checks = " ".join(
        f"check possible((p.compensated or p.failed) and {name}.effect >= 1) under {{ reject }} at_most 1"
        for name in plain
    )
    if not plain:
        return
    outcomes = [c.outcome for m in verify(f"{text} {checks}").models for c in m.checks]
    stays = {name for name, outcome in zip(plain, outcomes, strict=True) if outcome == "proved"}
    assert told.intersection(plain) == stays


@pytest.mark.parametrize(
    ("undo", "message", "help_"),
    [
        ("free(hotl.reply)", "`free` is given the reply of `hotl`, and no step is called so", "did you mean `hotel`?"),
        (
            "free(car.reply)",
            "`free` is given the reply of `car`, and no step is called so",
            "write `undo free(hotel.reply)`",
        ),
        (
            "free(zug.reply)",
            "an undo of `hotel` can be given only the reply of that step",
            "write `undo free(hotel.reply)`",
        ),
        (
            "free(hotel)",
            "an undo of `hotel` can be given only the reply of that step",
            "write `undo free(hotel.reply)`",
        ),
    ],
)
def test_an_undo_for_a_missing_step(undo, message, help_) -> None:
    text = f"saga p {{ step hotel {{ undo {undo}; {T} }} step zug {{ undo x; {T} }} }}"
    (problem,) = [d for d in compile_source(SourceFile("lint.placet", text)).diagnostics if d.code == "P206"]
    assert (problem.message, problem.help) == (message, help_)
