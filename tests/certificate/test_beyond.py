"""More situations than a certificate lists: sums that dwindle, and runs by diagrams."""

from __future__ import annotations

from time import monotonic

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.certificate.test_recheck import met

from placet.analysis import weightings
from placet.certificate import make, make_sums
from placet.certificate.closed import RefusedError
from placet.certificate.form import digest
from placet.certificate.make_runs import by_diagram
from placet.certificate.make_sums import dwindles
from placet.certificate.meaning import Obligation, Question, faults, final
from placet.certificate.recheck import Checker
from placet.certificate.sums import dwindling
from placet.cli.certifying import certify, options_of, questions_of
from placet.cli.recheck import _judged
from placet.net.builder import NetBuilder
from placet.net.firing import fire_state
from placet.pipeline import Options, check, compile_source
from placet.source import SourceFile
from strategies import compiled_of, predicates, workflow_nets

CHECKS = (
    *("sound", "weak_sound", "relaxed_sound", "easy_sound", "option_to_complete", "livelock_free", "no_dead_step"),
    *("proper_completion", "deadlock_free", "safe", "bounded"),
)
WIDE = "workflow wide {{ parallel {{ {ways} }} task last }}\ncheck {checks}\n"
PAY = """\
service bank { idempotent; null_safe; rejects_after_cancel }
saga move {
  step out on bank { undo out_again; timeout 10s }
  step into on bank { undo into_again; timeout 10s; retry 1 }
}
check option_to_complete(move), no_dead_step(move)
"""


def entries(text):
    loaded = compile_source(SourceFile("wide.placet", text))
    assert not loaded.broken, loaded.diagnostics
    certificate = certify(check(loaded, Options()), Options())
    return loaded, certificate, [row["result"] for row in _judged(loaded, certificate)]


@pytest.fixture(autouse=True, scope="module")
def _small():
    """Nets without bound are given up soon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(make, "ENTRIES", 100_000)
        patch.setattr(make, "SECONDS", 0.3)
        yield


@pytest.fixture
def _few(monkeypatch):
    """Nearly nothing may be listed."""
    monkeypatch.setattr(make, "FEW", 3)
    monkeypatch.setattr(make, "MANY", 5)


@pytest.mark.usefixtures("_few")
def test_a_wide_workflow_is_shown_without_a_list_of_its_situations():
    ways = " ".join(f"{{ task a{i}; task b{i} }}" for i in range(4))
    asked = ", ".join(f"{one}(wide)" for one in CHECKS)
    _, certificate, results = entries(WIDE.format(ways=ways, checks=asked))
    assert {e.label: e.none for e in certificate.entries if e.none} == {}
    assert set(results) == {"accepted"}
    assert not certificate.sets
    assert {"dwindles", "diagram"} == set(certificate.entries[CHECKS.index("option_to_complete")].evidence[0])


@pytest.mark.usefixtures("_few")
def test_what_a_sum_shows_of_a_saga_holds_without_any_fault_coming_to_help():
    loaded, certificate, results = entries(PAY)
    assert results == ["accepted", "accepted"]
    first, _ = certificate.entries
    (shown,) = first.evidence
    assert set(shown) == {"dwindles", "diagram"}
    asked = questions_of(loaded, options_of(certificate))[first.subject, first.query].meaning()
    for k, (p, w) in enumerate(shown["dwindles"]):
        for other in ([], [[p, 0]], [[p, -w]], [[10**6, w]]):
            weights = [*shown["dwindles"][:k], *other, *shown["dwindles"][k + 1 :]]
            with pytest.raises(RefusedError):
                Checker(certificate).check(asked, first._replace(evidence=({**shown, "dwindles": weights},)))
    for other in ({"dwindles": shown["dwindles"]}, {**shown, "diagram": 1}, {"diagram": 0}, {**shown, "dwindles": {}}):
        with pytest.raises(RefusedError):
            Checker(certificate).check(asked, first._replace(evidence=(other,)))


@settings(max_examples=60)
@given(workflow_nets(extensions=False), st.data())
def test_what_dwindles_gets_somewhere_exactly_where_all_ends_are_there(compiled, data):
    """Whatever is asked for, and whether or not it is so: the evidence is accepted where the textbook says so, and nowhere else."""
    goal = data.draw(st.sampled_from([final(compiled), data.draw(predicates(len(compiled.start), len(compiled.net.transitions)))]))  # fmt: skip
    obligation = Obligation("again", goal)
    making = make.Making({})
    truth = met(compiled, obligation)
    assume(truth is not None)
    shown = making._dwindling(Question(compiled, (obligation,)))
    assume(shown is not None)
    question = Question(compiled, (obligation,))
    from placet.certificate.form import Entry

    entry = Entry("home", "home", "net", 0, "proved", digest(question), (shown,))
    try:
        Checker(making.certificate()).check(question, entry)
    except RefusedError:
        assert not truth
    else:
        assert truth


@settings(max_examples=40)
@given(workflow_nets(extensions=False), st.data())
def test_a_run_by_a_diagram_leads_there_wherever_there_is_one(compiled, data):
    transitions = range(len(compiled.net.transitions))
    through = data.draw(st.sampled_from([frozenset(), frozenset(data.draw(st.sets(st.sampled_from(transitions), min_size=1)))]))  # fmt: skip
    obligation = Obligation("some", data.draw(predicates(len(compiled.start), len(transitions))), through)
    making = make.Making({})
    assume(met(compiled, Obligation("bounded")))
    assume(making._drawn(Question(compiled, (obligation,))) is not None)
    run = by_diagram(making._known["drawn", compiled.net, compiled.observers], compiled, obligation)
    if run is None:
        assert through or not met(compiled, obligation)  # the first way to a step may lead past its end
        return
    state = compiled.start
    for t in run:
        state = fire_state(compiled.net, compiled.observers, state, t)
        assert state is not None
    assert not through or through & set(run)
    assert make.has(compiled, obligation, state)


def test_a_run_that_goes_round_dwindles_by_no_sum():
    builder = NetBuilder("round")
    a, b = builder.place("a", 1), builder.place("b")
    builder.transition("go", {a: 1}, {b: 1})
    builder.transition("back", {b: 1}, {a: 1})
    compiled = compiled_of(*builder.build())
    assert dwindles(compiled, frozenset(), monotonic() + 5) is None
    for weights in ([[0, 1]], [[0, 2], [1, 1]], [[0, 1], [1, 1]], []):
        with pytest.raises(RefusedError):
            dwindling(compiled, weights, frozenset())
    dwindling(compiled, [[0, 2], [1, 1]], frozenset((1,)))  # where going back is a fault


def test_what_is_given_back_dwindles_by_linear_programming(monkeypatch):
    pytest.importorskip("highspy")
    builder = NetBuilder("lent")
    a, b, c, lent = builder.place("a", 3), builder.place("b"), builder.place("c"), builder.place("lent", 1)
    builder.transition("take", {a: 1, lent: 1}, {b: 1})
    builder.transition("give", {b: 1}, {c: 1, lent: 1})
    compiled = compiled_of(*builder.build())
    asked = []
    real = weightings.dwindling
    monkeypatch.setattr(weightings, "dwindling", lambda *given: asked.append(1) or real(*given))
    found = dwindles(compiled, frozenset(), monotonic() + 5)
    dwindling(compiled, found, frozenset())
    assert asked
    assert make_sums._by_order(compiled, faults(compiled), set(range(4))) is None
