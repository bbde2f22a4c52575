"""Names, ends, policies and bounds; several diagnostics in one run, and never an exception."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.compile.lint import lint
from placet.compile.profiles import PROFILES
from placet.compile.resolve import resolve
from placet.compile.vocabulary import statements
from placet.ir import model as ir
from placet.pipeline import compile_source, verify
from placet.source import SourceFile
from placet.syntax.parser import parse


def read(text: str):
    file, problems = parse(SourceFile("model.placet", text))
    assert not problems, problems
    return resolve(file)


def good(text: str) -> ir.Model:
    model, problems = read(text)
    assert not problems, problems
    return model


def bad(text: str) -> list[tuple[str, str]]:
    """Codes and what stands at their spans."""
    return [(d.code, d.span.text) for d in read(text)[1]]


def only(model: ir.Model, kind: type, process: str = ""):
    found = [
        s for p in model.processes if p.id == process or not process for s in statements(p.body) if type(s) is kind
    ]
    assert len(found) == 1
    return found[0]


# -- ends and calls --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "ends"),
    [
        ("task a", ("completed",)),
        ("end x", ("x",)),
        ("", ("completed",)),
        ("either { end x } or { task a }", ("x", "completed")),
        ("either { end x } or { end y }", ("x", "y")),
        ("task a fails E end x", ("x", "failed")),
        ("raise E", ("failed",)),
        ("try { raise E } on E { end x }", ("x",)),
        ("try { raise E } on any { end x }", ("x",)),
        ("try { raise E } on F { end x }", ("x", "failed")),
        ("try { raise E } on E { raise F }", ("failed",)),
        ("try { task a } on timeout 5s { end x }", ("x", "completed")),
        ("loop { task a }", ()),
        ("loop at_most 3 { task a }", ("completed",)),
        ('loop { end x } until "done"', ("x",)),
        ('while "more" { end x }', ("x", "completed")),
        ('choice { when "a" { end x } }', ("x", "failed")),
        ('choice { when "a" { end x } otherwise { } }', ("x", "completed")),
        ("parallel { task a end x }", ("x",)),
        ("first of { receive a -> end x timer 5s }", ("x", "completed")),
    ],
)
def test_ends_of_a_workflow(body, ends) -> None:
    (process,) = good(f"workflow p {{ {body} }}").processes
    assert process.ends == ends


def test_a_saga_has_its_three_ends() -> None:
    (saga,) = good("saga s { step a { undo b } end completed }").processes
    assert saga.ends == ("completed", "compensated", "failed")


CALLEES = """
workflow one { end x }
workflow two { either { end x } or { end y } }
workflow falls { either { end x } or { task t } }
workflow breaks { task t fails E end x }
saga book { step a { undo b } }
"""


@pytest.mark.parametrize(
    ("call", "missing"),
    [
        ("call one", ""),
        ("call two", "the ends `x`, `y` of `two` are"),
        ("call two on x { }", "the end `y` of `two` is"),
        ("call falls on x { }", ""),
        ("call falls", "the end `x` of `falls` is"),
        ("call breaks", "the end `failed` of `breaks` is"),
        ("call breaks on failed { }", ""),
        ("call book", "the ends `compensated`, `failed` of `book` are"),
        ("call book on compensated { } on failed { }", ""),
    ],
)
def test_every_end_is_handled_or_goes_on(call, missing) -> None:
    _, problems = read(f"{CALLEES} workflow p {{ {call} }}")
    if not missing:
        assert problems == ()
    else:
        (problem,) = problems
        assert problem.code == "P208"
        assert problem.message == f"{missing} not handled"
        assert problem.span.text == call.split()[1]


def test_a_call_maps_every_end_of_its_callee() -> None:
    model = good(f"{CALLEES} workflow p {{ call breaks on failed {{ end y }} }}")
    call = only(model, ir.Call)
    assert [end for end, _ in call.on] == ["failed", "x"]
    assert call.on[1][1] == ir.Sequence("p/breaks[x]{}", (), call.span)


def test_callees_may_stand_below_their_callers() -> None:
    model = good("workflow p { call q } workflow q { call r } workflow r { end x }")
    assert [(p.id, p.ends) for p in model.processes] == [("p", ("completed",)), ("q", ("completed",)), ("r", ("x",))]


def test_a_circle_is_reported_once_and_everybody_else_is_resolved() -> None:
    problems = bad("workflow a { call b } workflow b { call c } workflow c { call b } workflow d { task t on nowhere }")
    assert problems == [("P211", "b"), ("P201", "nowhere")]


# -- steps, guarantees, policies -------------------------------------------------------------------------------------


def test_guarantees_of_service_and_step_add_up() -> None:
    model = good("service s { idempotent } saga p { step a on s { undo b; null_safe } step c { undo d } }")
    a, c = sorted((s for s in statements(model.processes[0].body) if isinstance(s, ir.Step)), key=lambda s: s.name)
    assert a.guarantees == {"idempotent", "null_safe"}
    assert (a.service, c.service) == ("s", "p")
    assert c.guarantees == frozenset()


def test_a_step_with_everything() -> None:
    model = good("""
        service s { idempotent; rejects_after_cancel }
        saga p {
          step first { undo f }
          step a on s {
            undo b(a.reply); retry 3; timeout 2min; after first
            errors { Busy: retry 5 then unknown; Declined: reject; Slow: retry 2; other: escalate }
          }
        }""")
    step = next(s for s in statements(model.processes[0].body) if isinstance(s, ir.Step) and s.name == "a")
    assert (step.undo.name, step.undo.input, step.retry, step.timeout, step.after) == (
        "b",
        "reply",
        3,
        120.0,
        ("p/first",),
    )
    assert step.errors == (
        ir.ErrorRule("Busy", 5, "unknown"),
        ir.ErrorRule("Declined", 0, "reject"),
        ir.ErrorRule("Slow", 2, "reject"),
        ir.ErrorRule("other", 0, "escalate"),
    )


def policy(text: str) -> ir.Policy:
    return good(f"saga p {text}").processes[0].policy


def test_profiles() -> None:
    assert policy("{ step a { undo b } }") == ir.Policy()
    for name, expected in PROFILES.items():
        assert policy(f"uses {name} {{ step a {{ undo b }} }}") == expected
    go, java, dtm = PROFILES["temporal-go"], PROFILES["temporal-java"], PROFILES["dtm"]
    assert (go.register, go.undo_failing, go.undo_failure, go.undo_retries) == ("after", "no", "continue", 0)
    assert (java.register, java.undo_failing, java.undo_failure, java.undo_retries) == ("before", "yes", "retry", None)
    assert dtm == java._replace(profile="dtm", register="submit", cancellation="masked")
    assert all(p.profile == name for name, p in PROFILES.items())
    assert len(set(PROFILES.values())) == len(PROFILES)


@pytest.mark.parametrize(
    ("line", "change"),
    [
        ("register before", {"register": "before"}),
        ("failing_step undo", {"undo_failing": "yes"}),
        ("failing_step keep", {"undo_failing": "no"}),
        ("failing_step undo_unless_rejected", {"undo_failing": "unless_rejected"}),
        ("on unknown ignore", {"on_unknown": "ignore"}),
        ("undo_order parallel", {"undo_order": "parallel"}),
        ("register submit", {"register": "submit"}),
        ("register log", {"register": "log"}),
        ("on unknown ask", {"on_unknown": "ask"}),
        ("siblings abandon", {"siblings": "abandon"}),
        ("siblings cancel", {"siblings": "cancel"}),
        ("cancellation masked", {"cancellation": "masked"}),
        ("children await", {"children": "await"}),
        ("recovery forget", {"recovery": "forget"}),
        ("deadline escalate", {"deadline": "escalate"}),
        ("on undo_failure retry", {"undo_failure": "retry", "undo_retries": None}),
        ("on undo_failure halt", {"undo_failure": "halt", "undo_retries": 0}),
        ("on undo_failure retry 5 then escalate", {"undo_failure": "escalate", "undo_retries": 5}),
    ],
)
def test_a_saga_overrides_its_profile(line, change) -> None:
    assert policy(f"uses temporal-go {{ step a {{ undo b }} {line} }}") == PROFILES["temporal-go"]._replace(**change)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("on undo_failure retry 5", "P206"),
        ("on undo_failure explode", "P206"),
        ("on unknown guess", "P206"),
        ("siblings kill", "P206"),
        ("recovery never", "P206"),
        ("register after register before", "P207"),
        ("on undo_failure retry 5000 then halt", "P217"),
    ],
)
def test_policies_that_mean_nothing(line, code) -> None:
    assert [c for c, _ in bad(f"saga p {{ step a {{ undo b }} {line} }}")] == [code]


# -- bounds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("saga p { loop { step a { undo b } } }", "P216"),
        (
            'workflow w { loop { call p on compensated { } on failed { } } until "x" } saga p { step a { undo b } }',
            "P216",
        ),
        ("workflow w { loop at_most 0 { task t } }", "P217"),
        ("workflow w { loop at_most 1000000 { task t } }", "P217"),
        ("saga p { step a { undo b; retry 100000 } }", "P217"),
        ("saga p { loop at_most 99 { loop at_most 99 { loop at_most 99 { step a { undo b } } } } }", "P217"),
        ("net n { place p = 1000000000 transition t: 1000000000 p -> }", ""),
    ],
)
def test_bounds(text, code) -> None:
    assert [c for c, _ in bad(text)] == [c for c in [code] if c]


def test_calls_multiply() -> None:
    doubling = "".join(f"workflow w{i} {{ call w{i + 1} call w{i + 1} }}\n" for i in range(60))
    codes = [c for c, _ in bad(f"{doubling} workflow w60 {{ task t }}")]
    assert set(codes) == {"P217"}


# -- many at once ----------------------------------------------------------------------------------------------------


def test_every_problem_is_found_in_one_run_with_the_name_that_was_meant() -> None:
    _, problems = read("""
        service payments
        saga order uses temporal-jav {
          step charge on paymens { undo refund; after chrge }
          siblings awai
        }
        workflow main {
          task a on payments
          call ordr
        }
        check sond(main), sound(mian), never(charge.don) under { lots }
    """)
    assert [(d.code, d.help) for d in problems] == [
        ("P204", "did you mean `temporal-java`?"),
        ("P206", "did you mean `await`?"),
        ("P201", "did you mean `payments`?"),
        ("P203", "did you mean `charge`?"),
        ("P202", "did you mean `order`?"),
        ("P237", "did you mean `lost`?"),
        ("P230", "did you mean `sound`?"),
        ("P232", "did you mean `main`?"),
        ("P234", "did you mean `charge.done`?"),
    ]


def test_messages_follow_the_house_style() -> None:
    _, problems = read(
        "workflow a { step s { pivot; pivot } abandon call a on x { } } saga b { end x } net n { final x }"
    )
    assert len(problems) >= 6
    for problem in problems:
        assert not problem.message.endswith(".")
        assert problem.message[0].islower() or problem.message[0] == "`"
        assert problem.help


@pytest.mark.parametrize("what", ["task", "label"])
def test_what_stands_twice_is_pointed_at_with_the_first(what) -> None:
    text = (
        "workflow p { task a task a }" if what == "task" else "workflow p { loop x { task a } loop x { task b } end c }"
    )
    problems = [d for d in read(text)[1] if d.code == "P213"]
    assert [d.severity for d in problems] == ["warning"]
    assert problems[0].labels[0].span.start < problems[0].span.start


def test_steps_of_one_name_in_different_ways_are_told_apart() -> None:
    model = good("""saga p { choice { when "x" { step a { undo u } } otherwise { step a { undo v } } } }""")
    assert {s.id for s in statements(model.processes[0].body) if isinstance(s, ir.Step)} == {
        "p/[x]/a",
        "p/[otherwise]/a",
    }


# -- anything at all -------------------------------------------------------------------------------------------------

words = st.sampled_from(
    [
        "workflow",
        "saga",
        "net",
        "service",
        "a",
        "b",
        "c",
        "{",
        "}",
        "{",
        "}",
        "task",
        "step",
        "on",
        "undo",
        "retry",
        "timeout",
        "5s",
        "3",
        '"x"',
        "choice",
        "when",
        "otherwise",
        "either",
        "or",
        "parallel",
        "loop",
        "at_most",
        "until",
        "while",
        "receive",
        "timer",
        "first",
        "of",
        "->",
        "try",
        "any",
        "fails",
        "raise",
        "call",
        "end",
        "abandon",
        "place",
        "transition",
        ":",
        "+",
        "final",
        "=",
        "1",
        "check",
        "never",
        "sound",
        "bounded",
        "(",
        ")",
        ",",
        ".",
        "a.done",
        ">=",
        "under",
        "lost",
        "uses",
        "dtm",
        "system",
        "pivot",
        "after",
        "register",
        "before",
    ]
)


@given(st.lists(words, max_size=60))
def test_no_text_breaks_it(tokens) -> None:
    file, _ = parse(SourceFile("any.placet", " ".join(tokens)))
    model, problems = resolve(file)
    for problem in (*problems, *lint(model)):
        assert problem.span is None or 0 <= problem.span.start <= problem.span.end <= len(file.source.text)


def test_deep_nesting() -> None:
    text = "workflow p { " + "parallel { { " * 45 + "task a" + " } }" * 45 + " }"
    model, _ = read(text)
    assert only(model, ir.Task).id == "p/a"


def test_long_sequences() -> None:
    text = "workflow p { " + " ".join(f"task t{i}" for i in range(20_000)) + " }"
    assert len(good(text).processes[0].body.parts) == 20_000


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("workflow w { signal a at_most 0 receive a }", "P296"),
        ("workflow w { signal a at_most 99 receive a }", "P217"),
        ("workflow w { signal a signal a receive a }", "P296"),
        ("topic t\nworkflow w { receive t.X buffered }", "P296"),
        ("topic t\nworkflow w { signal n try { task x } on signal t.X { } receive n }", "P296"),
        ("workflow w { try { task x } on signal a { } on signal a beside { } }", "P210"),
        ("workflow w { call v on signal a { } } workflow v { task t }", "P215"),
        ('topic n choreography c { service s { on n.A { patch "v2" { task t } otherwise { task u } } } }', "P215"),
        ("saga s { try { step x { undo u } } on signal a beside { task t } }", "P403"),
    ],
)
def test_signals_that_cannot_be_meant_so(text, code):
    loaded = compile_source(SourceFile("x.placet", text))
    assert code in [d.code for d in loaded.diagnostics if d.severity == "error"]


@pytest.mark.parametrize(
    "text",
    [
        "workflow w { try { task a } on signal s beside { continue_as_new } }",
        "workflow w { for each i in 1..2 parallel { continue_as_new } }",
        "var x : bool\nworkflow w { task a sets x = true call v detached } workflow v { task b sets x = any }",
        "topic t\nworkflow w { call v detached } workflow v { publish t.X } workflow u { receive t.X }",
        "workflow w { call v detached on failed { } } workflow v { task b fails E }",
        "workflow w { call v detached on_close stop task a } workflow v { task b }",
        "workflow w { loop { call v detached on_close wait task a } } workflow v { task b }",
        "workflow w { parallel { task a { call v detached on_close cancel task c } } } workflow v { task b }",
        "workflow w { call v detached on_close wait on failed { } } workflow v { task b fails E }",
        "workflow w { call v detached on_close wait continue_as_new } workflow v { task b }",
        "service s\nsaga g { step a on s { undo u } call v detached on_close wait } workflow v { task b }",
        "workflow w { every 1h overlap skipp { task a } }",
        "workflow w { every 1h overlap allow { task a } }",
        "workflow w { every 1h overlap allow at_most 0 { task a } }",
        "workflow w { every 1h overlap queue at_most 2 { task a } }",
        "workflow w { every 1h at_most 0 overlap queue { task a } }",
        "workflow w { every 1h overlap allow at_most 2 { continue_as_new } }",
        "workflow w { task a continue_as_new carrying undo }",
        "workflow w { task a continue_as_new at_most 2 }",
        "saga s { step x { undo u } continue_as_new }",
        "saga s { step x { undo u } continue_as_new carrying undo at_most 0 }",
        "saga s { step x { undo u } continue_as_new carrying undo at_most 99 }",
        "pool db 1\nsaga s { with db { step x { undo u } continue_as_new at_most 1 } }",
        "saga s { for each i in 1..2 tolerate 1 { step x { undo u } continue_as_new at_most 1 } }",
        "saga s { parallel { step x { undo u } continue_as_new at_most 1 } }",
    ],
)
def test_runs_that_cannot_be_begun_so(text):
    loaded = compile_source(SourceFile("x.placet", text))
    assert {d.code for d in loaded.diagnostics if d.severity == "error"} == {"P298"}


@pytest.mark.parametrize(
    ("how", "twice", "both"),
    [("skip", False, False), ("queue", False, False), ("cancel", True, False), ("allow at_most 2", True, True)],
)
def test_runs_that_overlap(how, twice, both):
    """Whether a second run may begin before the first is over, and whether the first then still comes to its end."""
    text = f"var on : 0..2\nworkflow w {{ try {{ every 1h overlap {how} {{ task a sets on = on + 1  task b sets on = on - 1 }} }} on any {{ }} }}"
    text += "\ncheck possible(on == 2), possible(on == 2 and b.done), possible(b.done), sound(w), possible(b.fires and on == 1)"
    found = [type(c.verdict).__name__ == "Holds" for c in verify(text).models[0].checks]
    assert found[0] is twice
    assert found[2]
    assert found[4] is twice
    warnings = [d.code for d in compile_source(SourceFile("x.placet", text)).diagnostics]
    assert "P309" not in warnings
    ids = {t for c in compile_source(SourceFile("x.placet", text)).compiled for t, _ in c.steps}
    assert ("w/a[2]" in ids) is both


def test_what_is_started_is_checked_on_its_own():
    loaded = compile_source(SourceFile("x.placet", "workflow w { call v detached } workflow v { task b }"))
    assert [c.subject for c in loaded.compiled] == ["w", "v"]


@pytest.mark.parametrize(
    ("how", "goes_on", "awaited"), [("wait", False, True), ("cancel", False, False), ("abandon", True, False)]
)
def test_what_becomes_of_what_was_started(how, goes_on, awaited):
    """Whether it goes on after the end of its starter, and whether that end comes only after its own."""
    text = f"workflow w {{ call v detached on_close {how} task a either {{ end early }} or {{ task c }} }} workflow v {{ task b task d }}"
    loaded = compile_source(SourceFile("x.placet", text))
    assert not loaded.diagnostics
    assert [c.subject for c in loaded.compiled] == (["w", "v"] if goes_on else ["w"])
    assert all(type(c.verdict).__name__ == "Holds" for m in verify(loaded).models for c in m.checks)
    if not goes_on:
        asked = "\ncheck never(w, w.early and not d.done), never(w, w.completed and not d.done), possible(w, w.early and d.done)"
        found = [type(c.verdict).__name__ == "Holds" for c in verify(text + asked).models[0].checks]
        assert found == [awaited, awaited, True]


def test_a_saga_that_was_started_comes_to_its_end():
    text = "service s { null_safe; idempotent }\nworkflow w { call g detached on_close cancel task a } saga g { step b on s { undo c; timeout 9s } step d on s { undo e; timeout 9s } }"
    asked = "\ncheck sound(w), never(w, b.done and not d.done and w.completed and not c.done)"
    assert [type(c.verdict).__name__ for c in verify(text + asked).models[0].checks] == ["Holds", "Holds"]


def test_a_saga_that_continues_as_new_is_no_part_of_another_saga():
    text = "saga s { call t on compensated { abandon } on failed { } } saga t { step x { undo u } continue_as_new at_most 1 }"
    loaded = compile_source(SourceFile("x.placet", text))
    assert "P403" in [d.code for d in loaded.diagnostics if d.severity == "error"]


@pytest.mark.parametrize(("carrying", "found"), [(" carrying undo", "Holds"), ("", "Violated")])
def test_runs_of_a_saga_that_a_workflow_calls(carrying, found):
    text = f"""service safe {{ idempotent; null_safe; rejects_after_cancel }}
    workflow w {{ call s on compensated {{ task sorry }} on failed {{ task help }} }}
    saga s {{ signal more var n : 0..1 step x on safe {{ undo u; timeout 5s }} task count sets n = n + 1
      first of {{ receive more -> {{ continue_as_new{carrying} at_most 1 }} timer 1h -> {{ task t fails E }} }} }}
    check never(w, sorry.done and x.effect >= 1), sound(w), never(w, n == 2)"""
    assert [type(c.verdict).__name__ for c in verify(text).models[0].checks] == [found, "Holds", "Holds"]


def test_runs_with_steps_are_counted():
    """What the message says to write is understood."""
    text = "service s\nsaga g {{ every 1h{} overlap {} {{ step a on s {{ undo u; timeout 1min }} }} }}"
    for how in ("skip", "queue", "cancel", "allow at_most 2"):
        (problem,) = [
            d for d in compile_source(SourceFile("x.placet", text.format("", how))).diagnostics if d.severity == "error"
        ]
        assert problem.code == "P216"
        assert "`every 1h at_most 3 overlap ...`" in problem.help
        loaded = compile_source(SourceFile("x.placet", text.format(" at_most 3", how)))
        assert not [d for d in loaded.diagnostics if d.severity == "error"]
        assert {f"g/a[{n}]" for n in (1, 2, 3)} <= {step.id for step in loaded.compiled[0].roles.steps}


@pytest.mark.parametrize(
    ("how", "displaced", "both"),
    [("skip", False, False), ("queue", False, False), ("cancel", True, False), ("allow at_most 2", False, True)],
)
def test_runs_of_a_saga_are_undone(how, displaced, both):
    """Which runs leave something behind: all that are over when it completes, none when it is undone."""
    text = f"""service s {{ idempotent; null_safe; rejects_after_cancel }}
saga g {{
  every 1h at_most 2 overlap {how} {{ step a on s {{ undo u; timeout 1min }} step b on s {{ undo v; timeout 1min }} }}
  step c on s {{ undo w; timeout 1min }}
}}
check never(g.compensated and a.effect >= 1), option_to_complete(g)
check possible(g.completed and a[1].effect == 0), never(g.completed and a[2].effect == 0)
check possible(a[2].done and not a[1].done), possible(g.compensated and u[1].done and b[1].done)
check possible(a[1].done and b[2].done and not b[1].done and not u[1].done)
"""
    found = [type(c.verdict).__name__ == "Holds" for c in verify(text).models[0].checks]
    assert found == [True, True, displaced, True, displaced or both, True, both]


def test_a_loop_that_continues_as_new():
    """What is done in earlier rounds and earlier runs is undone; a handler around does not hear of what fails in a later run."""
    text = """service bank { idempotent; null_safe; rejects_after_cancel }
saga batch {
  try {
    loop at_most 2 {
      step move on bank { undo back; timeout 10s }
      choice { when "the history is long" { continue_as_new carrying undo at_most 1 } otherwise { } }
    }
  } on any { task note }
  step report on bank { undo retract; timeout 10s }
}
check never(batch.compensated and move.effect >= 1), option_to_complete(batch)
check possible(batch.compensated and back.done and retract.done)
"""
    loaded = compile_source(SourceFile("x.placet", text))
    assert not [d for d in loaded.diagnostics if d.severity == "error"]
    assert [type(c.verdict).__name__ for c in verify(text).models[0].checks] == ["Holds"] * 3


def test_a_called_saga_that_continues_as_new_is_refused_with_what_to_write():
    text = "saga s {{ {} }} saga t {{ step x {{ undo u }} {} }}"
    called = text.format("call t on compensated { } on failed { }", "continue_as_new carrying undo at_most 2")
    (problem,) = [d for d in compile_source(SourceFile("x.placet", called)).diagnostics if d.severity == "error"]
    assert problem.code == "P403"
    assert problem.help == "call it from a workflow, or put what it does into a `loop`"
    from_workflow = called.replace("saga s", "workflow s")
    looped = "saga s { call t on compensated { } on failed { } } saga t { loop at_most 3 { step x { undo u } } }"
    for written in (from_workflow, looped):
        loaded = compile_source(SourceFile("x.placet", written))
        assert not [d for d in loaded.diagnostics if d.severity == "error"]


REFUSED = [
    # what is refused, what the help begins with, and the same as the help says to write it
    (
        "try { step ship { undo unship } } on signal change beside { step note { undo unnote } }",
        "let a way of a parallel wait for it",
        "parallel { { step ship { undo unship } } { first of { receive change -> { step note { undo unnote } } timer 1h } } }",
    ),
    (
        "try { step ship { undo unship } } on timeout 2h beside { step remind { read_only } }",
        "let a way of a parallel wait for the time",
        "parallel { { step ship { undo unship } } { timer 2h step remind { read_only } } }",
    ),
    (
        "call part on other { } on bad { } } workflow part { call in on compensated { end other } on failed { end bad } } saga in { step a { undo u }",
        "let it come to its last statement, or `raise` an error instead",
        "call part on failed { } } workflow part { call in on compensated { } on failed { raise Bad } } saga in { step a { undo u }",
    ),
    (
        "parallel 1 of { step one { undo u1 } { step two { pivot } } } others cancel",
        "put the pivot behind the parallel",
        "parallel 1 of { step one { undo u1 } step two { undo u2 } } others cancel step three { pivot }",
    ),
    (
        "try { parallel 1 of { step one { undo u1 } step two { undo u2 } } others cancel } on any { task t }",
        "write `others go_on`, or let the process call a saga with the parallel in it",
        "try { call part on compensated { raise E } on failed { raise E } } on any { task t } } saga part { parallel 1 of { step one { undo u1 } step two { undo u2 } } others cancel",
    ),
    (
        "try { for each i in 1..2 parallel tolerate 1 { step a { undo u } } } on signal stop { task t }",
        "let the instances follow each other, leave `tolerate` out, or put the `try` into the block",
        "try { for each i in 1..2 tolerate 1 { step a { undo u } } } on signal stop { task t } for each i in 1..2 parallel tolerate 1 { try { step b { undo v } } on signal stop { task w } }",
    ),
    (
        "signal stop try { step a { undo u } } on signal stop { task t }",
        "leave its declaration out, or receive it `buffered`",
        "try { step a { undo u } } on signal stop { task t }",
    ),
    (
        'undo_order parallel step a { undo u } choice { when "x" { step b { undo v; undo_after a } step c { undo w } } otherwise { } } parallel { step d { undo x; undo_after q } { task t step q { undo y } } }',
        "leave `undo_after` out, or put one after the other",
        "undo_order parallel step a { undo u } step d { undo x; undo_after q } step q { undo y }",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("refused", "advice", "instead"), REFUSED)
def test_what_is_refused_says_what_to_write_instead(refused, advice, instead):
    def problems(body):
        loaded = compile_source(SourceFile("x.placet", f"saga w {{ {body} }}"))
        return [d for d in loaded.diagnostics if d.severity == "error"]

    assert {(d.code, d.help.startswith(advice)) for d in problems(refused)} == {("P403", True)}
    assert not problems(instead)
