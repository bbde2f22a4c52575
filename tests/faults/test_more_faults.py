"""Dead steps and the number of faults: what takes more faults than were allowed for is no dead step, and is said."""

from __future__ import annotations

import random

import pytest
from tests.oracles.reachability import explore

from placet.analysis import more_faults, strategy
from placet.evidence import Budget, Certificate, Inconclusive, Never, NeverHolds, Proof, Violated
from placet.faults.hypothesis import DEFAULT, KINDS, Hypothesis
from placet.faults.weave import weave
from placet.pipeline import Options, check, compile_source, verify
from placet.source import SourceFile

BANK = "service bank { idempotent; null_safe; rejects_after_cancel }\n"
PAID_BY_HAND = (
    BANK
    + """saga book {
  step slot on bank { undo free; timeout 5s }
  try { step cover on bank { undo withdraw; timeout 5s; errors { NotCovered: reject; other: unknown } } }
  on NotCovered { step pay on bank { undo refund; timeout 5s } }
  step confirm on bank { pivot; timeout 5s }
}
"""
)
SAFE = BANK + "saga s { step a on bank { undo b; timeout 5s } step c on bank { undo d; timeout 5s } }\n"
BEHIND = BANK + "saga s { step a on bank { pivot; timeout 5s } step c on bank { undo d; timeout 5s; retriable } }\n"


def answers(text: str, **options) -> list:
    report = check(compile_source(SourceFile("w.placet", text)), Options(**options))
    assert not [d for m in report.models for d in m.diagnostics if d.severity == "error"]
    return [(c.outcome, c.note) for m in report.models for c in m.checks]


@pytest.mark.parametrize("asked", ["sound", "no_dead_step"])
def test_an_undo_that_takes_a_second_fault(asked):
    (found,) = answers(PAID_BY_HAND + f"check {asked}(book)")
    assert found[0] == "proved"
    assert found[1].startswith("only with more faults than these, or others, `book` asks `bank` for `refund`")
    assert answers(PAID_BY_HAND + f"check {asked}(book) under {{ reject, lost }} at_most 2") == [("proved", "")]


def test_handlers_inside_handlers_take_a_failure_each():
    """The undo of `r` takes four failures; `never` takes an error that nobody raises, and neither it nor its undo is told to be done."""
    text = (
        BANK
        + """saga a {
  try { step y on bank { undo uy; timeout 1s; errors { Bad: reject } } } on Bad {
    try { step z on bank { undo uz; timeout 1s; errors { Sad: reject } } } on Sad {
      try { step q on bank { undo uq; timeout 1s; errors { Mad: reject } } } on Mad { step r on bank { undo ur; timeout 1s } %s } } }
  step last on bank { retriable; timeout 1s }
}
"""
    )
    assert [outcome for outcome, _ in answers(text % "" + "check no_dead_step(a)")] == ["proved"]
    never = "try { task t } on Never { step never on bank { undo un; timeout 1s } }"
    told = verify(compile_source(SourceFile("w.placet", text % never + "check no_dead_step(a)")))
    (found,) = [c for m in told.models for c in m.checks]
    assert "`ur`" not in found.story.headline
    assert "`never`" in found.story.headline
    assert [line for line in found.story.advice if "remove `never`" in line], found.story.advice
    assert not [line for line in found.story.advice if "leave out" in line]


@pytest.mark.parametrize("faults", ["under { }", "under { reject }"])
def test_an_undo_that_takes_other_faults(faults):
    (found,) = answers(SAFE + f"check no_dead_step(s) {faults}")
    assert found[0] == "proved"
    assert "more faults than these, or others" in found[1]
    assert answers(SAFE + "check no_dead_step(s)") == [("proved", "")]


def test_what_no_number_of_faults_brings_about_is_dead():
    for faults in ("", "under { }", "under { reject }"):
        assert answers(BEHIND + f"check no_dead_step(s) {faults}") == [("violated", "")]
    told = verify(
        compile_source(
            SourceFile(
                "w.placet",
                PAID_BY_HAND.replace("\n}\n", "\n  step mail on bank { undo never; retriable; timeout 5s }\n}\n")
                + "check sound(book)",
            )
        )
    )
    (story,) = [c.story for m in told.models for c in m.checks]
    assert "`never`" in story.headline
    assert "refund" not in story.headline


@pytest.mark.parametrize("cut", ["all", "every kind"])
def test_where_it_is_not_decided_nothing_is_claimed(monkeypatch, cut):
    """Also where the search under faults of every kind alone is cut off: what the usual ones do not bring about may be brought about by others."""
    decide = strategy.decide

    def out_of_states(compiled, queries, options):
        if queries and queries[0].check == "possible":
            if cut == "every kind" and "cancel" not in compiled.assumptions.faults:
                dead = NeverHolds(queries[0].predicate)
                certificate = Certificate("closed set")
                return tuple(strategy.Answer(q, Violated(dead, Never(certificate), Proof("")), 0.0) for q in queries)
            return tuple(strategy.Answer(q, Inconclusive("too many", "states", "77"), 0.0) for q in queries)
        return decide(compiled, queries, options)

    monkeypatch.setattr(strategy, "decide", out_of_states)
    (found,) = answers(PAID_BY_HAND + "check no_dead_step(book)")
    assert found[0] == "inconclusive"


def test_the_budget_that_cut_it_off_is_named(monkeypatch):
    decide = strategy.decide

    def out_of_states(compiled, queries, options):
        if queries and queries[0].check == "possible":
            reason = Inconclusive("too many", "states", "77", "--budget-states")
            return tuple(strategy.Answer(q, reason, 0.0) for q in queries)
        return decide(compiled, queries, options)

    monkeypatch.setattr(strategy, "decide", out_of_states)
    loaded = compile_source(SourceFile("w.placet", PAID_BY_HAND + "check no_dead_step(book)"))
    for most, option in ((5_000, "--budget-states"), (5_000_000, "")):  # beyond the limit of its own no option helps
        (verdict,) = [c.verdict for m in check(loaded, Options(budget=Budget(states=most))).models for c in m.checks]
        assert (verdict.budget, verdict.limit, verdict.option) == ("states", "77", option)
        assert verdict.reason.endswith("was not decided: too many")


def saga(rng: random.Random) -> str:
    """One to three steps, each perhaps tried, with a handler that holds a step."""

    def step(name: str) -> str:
        undo = f"undo u{name}; " if rng.random() < 0.8 else ""
        kind = rng.choice(["", "", "; retriable", "; pivot"])
        return f"step {name} on bank {{ {undo}timeout 5s{kind} }}"

    parts = []
    for n in range(rng.randint(1, 3)):
        one = step(f"s{n}")
        parts.append(f"try {{ {one} }} on rejected {{ {step(f'h{n}')} }}" if rng.random() < 0.5 else one)
    policy = rng.choice(["", "on unknown retry", "failing_step undo"])
    return BANK + f"saga s {{ {' '.join(parts)} {policy} }}\ncheck no_dead_step(s)"


def fire_nowhere(compiled, hypothesis: Hypothesis) -> set[str] | None:
    """The steps that the reachability graph of the woven net has no edge for; None where it is too large."""
    woven = weave(compiled, hypothesis).compiled
    graph = explore(woven.net, woven.initial, limit=1_500)
    fired = {t for out in graph.edges.values() for t, _ in out}
    return {step for step, ts in woven.steps if ts and fired.isdisjoint(ts)} if graph.whole else None


def test_it_is_what_a_search_with_more_faults_finds():
    seen = {"proved": 0, "violated": 0}
    for seed in range(30):
        loaded = compile_source(SourceFile("w.placet", saga(random.Random(seed))))
        if any(d.severity == "error" for d in loaded.diagnostics):
            continue
        (compiled,) = loaded.compiled
        dead = [
            fire_nowhere(compiled, h)
            for h in (Hypothesis(DEFAULT.faults, DEFAULT.budget + more_faults.MORE), Hypothesis(tuple(KINDS), 1))
        ]
        if None in dead:
            continue
        (found,) = [c for m in check(loaded, Options(budget=Budget(states=50_000))).models for c in m.checks]
        assert found.outcome == ("violated" if dead[0] & dead[1] else "proved"), seed
        seen[found.outcome] += 1
    assert min(seen.values()) >= 2, seen
