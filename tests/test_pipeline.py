"""The main path: every stage's findings arrive in the report, and no file gets past it unanswered."""

from __future__ import annotations

import pytest

import placet
from placet.compiled import plain
from placet.errors import UsageError
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
