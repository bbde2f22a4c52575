"""The main path: every stage's findings arrive in the report, and no file gets past it unanswered."""

from __future__ import annotations

import pytest

import placet
from placet.compiled import plain
from placet.errors import ModelError, UsageError
from placet.evidence import Assumptions, Budget, Holds, Proof
from placet.net.builder import NetBuilder
from placet.pipeline import Options, as_loaded, check, load, prepare, verify
from placet.report.registry import FORMATS, render


def mutex(*, forgets: bool = False):
    """Two processes and a lock; one of them may forget to give it back."""
    b = NetBuilder("mutex")
    idle1, idle2, lock = b.place("idle1", 1), b.place("idle2", 1), b.place("lock", 1)
    busy1, busy2 = b.place("busy1"), b.place("busy2")
    for n, idle, busy in ((1, idle1, busy1), (2, idle2, busy2)):
        b.transition(f"enter{n}", {idle: 1, lock: 1}, {busy: 1})
        b.transition(f"leave{n}", {busy: 1}, {idle: 1} if forgets and n == 2 else {idle: 1, lock: 1})
    return b.build()


def outcomes(report):
    return {c.label: c.outcome for m in report.models for c in m.checks}


def test_a_net_gets_the_standard_checks():
    report = verify(mutex())
    assert outcomes(report) == {
        "bounded(mutex)": "proved",
        "deadlock_free(mutex)": "proved",
        "no_dead_step(mutex)": "proved",
    }
    assert report.exit_status == 0
    assert report.verdict == "placet"


def test_a_broken_net_is_told():
    report = verify(mutex(forgets=True))
    assert outcomes(report)["deadlock_free(mutex)"] == "violated"
    (story,) = [c.story for m in report.models for c in m.checks if c.story]
    assert [s.id for s in story.steps] == ["enter2", "leave2"]
    assert report.exit_status == 1
    for form in FORMATS:
        assert "enter2" in render(report, form) or form in ("concise", "github")


def test_chosen_checks():
    assert list(outcomes(verify(mutex(), checks=("safe", "live")))) == ["safe(mutex)", "live(mutex)"]


@pytest.mark.parametrize(
    ("name", "near"), [("saf", "safe"), ("deadlockfree", "deadlock_free"), ("anomaly_A99", "anomaly_A")]
)
def test_an_unknown_check_is_misuse(name, near):
    with pytest.raises(UsageError, match=f"no check `{name}`.*did you mean `{near}"):
        verify(mutex(), checks=(name,))


@pytest.mark.parametrize("name", ["never", "possible", "anomaly_A1", "coverage", "ctl"])
def test_a_check_that_the_subject_cannot_answer_is_inconclusive(name):
    report = verify(mutex(), checks=(name, "safe"))
    assert outcomes(report) == {f"{name}(mutex)": "inconclusive", "safe(mutex)": "proved"}
    assert report.exit_status == 3
    assert report.models[0].checks[0].message


def test_an_unknown_engine_is_misuse():
    with pytest.raises(UsageError, match="engine"):
        verify(mutex(), engine="warp")


def test_an_exhausted_budget_is_inconclusive_and_names_its_option():
    b = NetBuilder("wide")
    for n in range(12):
        b.transition(f"t{n}", {b.place(f"a{n}", 1): 1}, {b.place(f"b{n}"): 1})
    report = verify(b.build(), checks=("live",), budget=Budget(states=10), reduce=False)
    (entry,) = report.models[0].checks
    assert entry.outcome in ("inconclusive", "violated")
    report = verify(b.build(), checks=("deadlock_free",), budget=Budget(states=10), reduce=False)
    (entry,) = report.models[0].checks
    assert (entry.outcome, entry.budget, entry.option) == ("inconclusive", "states", "--budget-states")
    assert "--budget-states" in render(report)
    assert report.exit_status == 3


def test_strict_takes_no_unjustified_bound():
    compiled = plain(*mutex())._replace(assumptions=Assumptions(bounds=(("rounds", 3),), unjustified_bounds=True))
    assert verify(compiled, checks=("safe",)).exit_status == 0
    strict = verify(compiled, checks=("safe",), strict=True)
    assert strict.exit_status == 3
    assert "rounds = 3" in strict.models[0].checks[0].message


def test_final_variants():
    b = NetBuilder("two_ends")
    start, left, right = b.place("start", 1), b.place("left"), b.place("right")
    b.transition("fork", {start: 1}, {left: 1, right: 1})
    report = verify(b.build(), checks=("option_to_complete",), final="any-sink")
    assert outcomes(report) == {"option_to_complete(two_ends)": "proved"}
    assert "any-sink" in render(report)
    with pytest.raises(UsageError, match="any-sink"):
        verify(b.build(), final="any-sunk")


def test_ctrl_c_leaves_the_rest_open(monkeypatch):
    from placet.analysis import strategy

    decided = strategy.decide

    def decide(compiled, queries, options):
        if any(q.check == "safe" for q in queries):
            raise KeyboardInterrupt
        return decided(compiled, queries, options)

    monkeypatch.setattr(strategy, "decide", decide)
    loaded = as_loaded(mutex())
    loaded = loaded._replace(compiled=(*loaded.compiled, plain(*mutex(forgets=True))))
    report = check(loaded, Options(checks=("safe",)))
    assert report.interrupted
    assert report.exit_status == 130
    assert [c.budget for m in report.models for c in m.checks] == ["interrupted", "interrupted"]


def test_a_file_that_cannot_be_read(tmp_path):
    for path in (tmp_path / "gone.placet", tmp_path):
        report = check(load(path))
        assert report.exit_status == 2
        assert report.models[0].checks == ()
        assert report.models[0].diagnostics
        for form in FORMATS:
            assert str(path) in render(report, form)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\0",
        b"\xff\xfe\xff",
        b"\xc3\x28",
        b"<pnml",
        b"{" * 100_000,
        b"x" * 1_000_000,
        b"net a {",
        b"\xef\xbb\xbf",
    ],
    ids=repr,
)
@pytest.mark.parametrize("suffix", [".placet", ".pnml", ".xml", ".bpmn", ""])
def test_bad_files_have_diagnostics_and_status_2(tmp_path, content, suffix):
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(content)
    loaded = load(path)
    assert loaded.broken
    assert loaded.compiled == ()
    report = check(loaded)
    assert report.exit_status == 2
    for form in FORMATS:
        assert render(report, form)


def test_an_excerpt_of_the_public_names():
    assert placet.verify is verify
    assert placet.load is load


def test_prepare_closes_the_environment():
    compiled = prepare(plain(*mutex()), Options(closed=True))
    assert compiled.assumptions.environment == "closed"
    assert compiled.net.is_plain  # no outside events, nothing to forbid


def test_the_evidence_itself_is_there_for_users_of_the_library():
    (entry, *_) = verify(mutex()).models[0].checks
    assert isinstance(entry.verdict, Holds)
    assert isinstance(entry.verdict.proof, Proof)


def test_a_file_without_anything_to_verify():
    for text in ('system a "b"\n', "service b { idempotent }\n", "# nothing\n"):
        report = verify(text)
        assert report.exit_status == 2
        assert "P110" in [d.code for d in report.models[0].diagnostics if d.severity == "error"]


def test_a_net_alone_is_misuse():
    with pytest.raises(UsageError, match="marking"):
        verify(mutex()[0])


TWO = "net a {\n  place p = 1\n  transition t: p -> p\n}\nnet b {\n  place q = 1\n  transition u: q -> q\n}\n"


def test_a_text_of_two_subjects():
    report = verify(TWO)
    assert [m.subject for m in report.models] == ["a", "b"]
    assert report.exit_status == 0


def test_draw_and_simulate():
    assert placet.picture(TWO, subject="b").startswith("<svg")
    assert "q" in placet.picture(TWO, subject="b", to="dot")
    assert placet.run(TWO, subject="a", seed=1, max_steps=3) == placet.run(TWO, subject="a", seed=1, max_steps=3)
    with pytest.raises(UsageError, match="`a`, `b`"):
        placet.picture(TWO)
    with pytest.raises(UsageError, match="`c`"):
        placet.run(TWO, subject="c")
    with pytest.raises(UsageError, match="png"):
        placet.picture(TWO, subject="a", to="png")
    with pytest.raises(ModelError):
        placet.picture("net {\n")


SAGA = """\
service bank { null_safe; idempotent }
saga pay {
  step charge on bank { undo refund; timeout 10s }
  step ship on bank { undo back; timeout 10s }
}
"""


def test_checks_under_different_faults_are_woven_apart():
    report = verify(SAGA + "check anomaly_A1(pay) under { reject }, never(charge.effect >= 2) under { } \n")
    if report.models[0].diagnostics:
        report = verify(
            SAGA + "check anomaly_A1(pay) under { reject }\ncheck option_to_complete(pay) under { slow } at_most 2\n"
        )
    first, second = report.models[0].checks
    assert first.assumptions.faults == ("reject",)
    assert first.assumptions.fault_budget == 1
    assert second.assumptions.faults == ("slow",)
    assert second.assumptions.fault_budget == 2
    assert first.outcome == "proved"


def test_faults_of_the_options_are_for_checks_that_name_none():
    text = SAGA + "check anomaly_A1(pay)\ncheck option_to_complete(pay) under { slow }\n"
    first, second = verify(text, faults=("reject",)).models[0].checks
    assert (first.assumptions.faults, second.assumptions.faults) == (("reject",), ("slow",))
    first, _ = verify(text).models[0].checks
    assert first.assumptions.faults == ("reject", "lost", "slow")
    assert first.outcome == "violated"


def test_a_fault_that_cannot_be_woven():
    with pytest.raises(UsageError, match="sloth"):
        verify(SAGA, faults=("sloth",))
    broken = verify(SAGA + "check anomaly_A1(pay) under { sloth }\n").models[0]
    assert "P237" in {d.code for d in broken.diagnostics}


def test_the_closed_environment():
    text = "workflow w {\n  receive order\n  end done\n}\n"
    assert verify(text, checks=("option_to_complete",)).exit_status == 0
    closed = verify(text, checks=("option_to_complete",), closed=True)
    assert closed.exit_status == 1
    assert "nothing arrives from outside" in render(closed)


def test_what_has_just_happened_is_seen_in_every_check():
    """`x.fires` was blinded where no formula about runs asked for it, so that `never(x.fires)` was taken for proved."""
    for net in (
        "workflow w { task a task b loop { task c } }",
        "net w { place p = 1, q transition a: p -> q transition b: q -> q }",
    ):
        asked = "check never(a.fires), possible(b.fires), never(a.fires and b.fires), never(b.fires and not a.done), deadlock_free(w)"
        checks = verify(f"{net}\n{asked}").models[0].checks
        assert [type(c.verdict).__name__ for c in checks] == ["Violated", "Holds", "Holds", "Holds", "Holds"]
    saga = (
        "service s\nsaga g { step a on s { undo u } task b abandon }\ncheck never(a.fires), never(u.fires and b.done)"
    )
    assert [type(c.verdict).__name__ for c in verify(saga).models[0].checks] == ["Violated", "Violated"]
