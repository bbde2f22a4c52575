"""`ctl` and `ltl` as written: whom they are about, what names mean, and what the verdicts are."""

from __future__ import annotations

import pytest

from placet import pipeline
from placet.compile.resolve import resolve
from placet.source import SourceFile
from placet.syntax.parser import parse

SHOP = """
service payments { idempotent }
service mail { idempotent }
saga book {
  step pay on payments { undo refund; timeout 10s }
  step confirm on mail { retriable; timeout 5s }
}
workflow order {
  receive placed
  loop { task pack } until "all packed"
  choice {
    when "in stock" { task ship; end delivered }
    otherwise { task apologise; end cancelled }
  }
}
net cell { place free = 1, busy; transition take: free -> busy; transition give: busy -> free }
"""


def outcomes(text):
    report = pipeline.verify(text)
    assert not [d for m in report.models for d in m.diagnostics if d.severity == "error"], report
    return [(c.outcome, c.story.kind if c.story else "") for m in report.models for c in m.checks]


def one(check, text=SHOP):
    (found,) = outcomes(f"{text}\ncheck {check}\n")
    return found


@pytest.mark.parametrize(
    ("check", "outcome", "kind"),
    [
        ("ltl G (placed -> F (delivered or cancelled))", "proved", ""),
        ("ltl G (placed -> F (delivered or cancelled)) assuming fair", "proved", ""),
        ("ltl G (placed -> F (delivered or cancelled)) assuming nothing", "violated", "lasso"),
        ("ltl G (placed -> F (delivered or cancelled)) assuming weak", "violated", "lasso"),
        ("ltl G (placed -> F (delivered or cancelled)) assuming strong", "proved", ""),
        ("ltl G (placed -> F delivered)", "violated", "reach"),
        ("ltl of order G not pack.fires", "violated", "reach"),
        ("ltl not ship.done W pack.done", "proved", ""),
        ("ltl not pack.done W ship.done", "violated", "reach"),
        ("ltl G (pack.fires -> X not placed.fires)", "proved", ""),
        ("ctl AG EF delivered", "violated", "no_return"),
        ("ctl EF delivered and EF cancelled", "proved", ""),
        ("ctl AG (ship.fires -> AX delivered)", "proved", ""),
        ("ctl AF (order.done) or EG not placed", "proved", ""),
        ("ctl AF delivered or AF cancelled", "violated", "tree"),
        ("ctl A (not ship.done W pack.done)", "proved", ""),
        ("ctl AG (free == 1 -> AF busy == 1)", "proved", ""),
        ("ctl AG (take.fires -> AX give.fires)", "proved", ""),
        ("ctl AG not give.done", "violated", "reach"),
        ("ctl AF AG free == 1", "violated", "lasso"),
        ("ctl AG (pay.done -> AF (confirm.done or refund.done)) at L2", "proved", ""),
        ("ctl AG (refund.done -> not confirm.done)", "proved", ""),
        ("ctl AG not refund.done", "violated", "reach"),
        ("ctl AG not refund.fires under { }", "proved", ""),
    ],
)
def test_verdicts(check, outcome, kind):
    assert one(check) == (outcome, kind)


def test_a_variable_with_any_value_is_asked_from_when_it_has_one():
    text = """
    var stock : 0..2 = any
    workflow order { receive placed choice { when stock >= 1 { task ship; end sent } otherwise { end refused } } }
    """
    assert one("ltl G stock <= 2", text) == ("proved", "")
    assert one("ltl F stock == 0", text) == ("violated", "reach")
    assert one("ctl AG (stock == 0 -> AF refused)", text) == ("proved", "")
    assert one("ctl AG (stock == 1 -> AF refused)", text) == ("violated", "reach")


def test_what_never_comes_true_is_said():
    text = (
        SHOP + "workflow other { either { end one } or { task a; end two } }\ncheck ltl G (a.done and one -> F two)\n"
    )
    (check,) = [c for m in pipeline.verify(text).models for c in m.checks]
    assert check.vacuous == "`a.done and one` never comes true"


def test_a_formula_does_not_make_the_other_checks_look_at_more():
    alone, beside = (
        next(c for m in pipeline.verify(f"{SHOP}\n{checks}\n").models for c in m.checks if c.id == "option_to_complete")
        for checks in ("check option_to_complete(book)", "check option_to_complete(book), ctl AG not confirm.fires")
    )
    assert (alone.states, alone.edges, alone.reductions) == (beside.states, beside.edges, beside.reductions)


@pytest.mark.parametrize(
    ("check", "code"),
    [
        ("ctl F delivered", "P242"),
        ("ctl A delivered", "P242"),
        ("ctl AG (placed -> F delivered)", "P242"),
        ("ctl A F G delivered", "P242"),
        ("ltl AF delivered", "P242"),
        ("ltl F (E X delivered)", "P242"),
        ("ltl F delivered assuming magic", "P243"),
        ("ltl F deliverd", "P232"),
        ("ltl F order", "P233"),
        ("ltl F (pack.done and pay.done)", "P235"),
        ("ltl of nobody F delivered", "P232"),
        ("ctl AF pack.effect >= 1", "P234"),
    ],
)
def test_mistakes(check, code):
    file, problems = parse(SourceFile("m", f"{SHOP}\ncheck {check}\n"))
    assert problems == ()
    _, found = resolve(file)
    assert [d.code for d in found if d.severity == "error"] == [code]


def test_operators_without_end():
    for text in (f"check ltl {'G ' * 5000} free == 1", f"check ltl {'not ' * 5000} free == 1"):
        _, (found, *_) = parse(SourceFile("m", SHOP + text))
        assert found.code == "P109"


def test_a_step_of_one_run_of_a_saga_that_continues_as_new():
    """Loops inside a run have numbers too, behind that of the run; the first run has none."""
    text = (
        "service b { idempotent; null_safe; rejects_after_cancel }\n"
        'saga s { loop at_most 2 { step in on b { undo out } } until "ok" step pay on b { undo back } '
        'choice { when "more" { continue_as_new carrying undo at_most 1 } otherwise { } } step end on b { undo no } }\n'
        "workflow day { call s on compensated { } on failed { } }\n"
    )
    true = (
        "possible(s, pay[2].done and pay[1].done)", "possible(s, pay[1].done and not pay[2].done)", "never(s, pay[2].done and not pay[1].done)",
        "never(s, in[2].done and not in[1].done)", "possible(s, in[1].done and not in[2].done and out[1].done)",
        "never(s, back[1].done and pay[2].done and not back[2].done)", "possible(s, pay[1].effect + pay[2].effect >= 2)",
        "never(s, pay[2].effect >= 1 and pay[1].effect <= 0)", "possible(day, in[2].done and s.completed)",
        "ctl of s AG (pay[2].fires -> pay[1].done) and EF pay[2].fires",
    )  # fmt: skip
    loaded = pipeline.compile_source(SourceFile("s.placet", text + "\n".join(f"check {c}" for c in true)))
    assert not [d for d in loaded.diagnostics if d.severity == "error"], loaded.diagnostics
    found = [c for m in pipeline.check(loaded, pipeline.Options()).models for c in m.checks]
    assert {c.label: c.outcome for c in found} == dict.fromkeys(true, "proved")
    beside = (
        f"{text}workflow t {{ task pay[2] }} check never(s.pay[2].done and not s.pay[1].done), possible(t.pay[2].done)"
    )
    (found,) = [
        m.checks
        for m in pipeline.check(pipeline.compile_source(SourceFile("s.placet", beside))).models
        if m.subject == "t"
    ]
    assert [c.outcome for c in found] == ["proved"]
    for name in ("pay[3].done", "pay[0].done", "day[1].done", "pay[2].failed"):
        wrong = pipeline.compile_source(SourceFile("s.placet", f"{text}check possible(s, {name})"))
        assert [d.span.text for d in wrong.diagnostics if d.severity == "error"] == [name]
