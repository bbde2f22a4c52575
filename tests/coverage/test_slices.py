"""Measured a few ways at a time and measured whole: the same obligations, the same statuses, and runs of the whole.

`PLACET_EXAMPLES=400 pytest tests/coverage/test_slices.py` looks at more sagas than every run of the tests does.
"""

from __future__ import annotations

import os
import random

from placet.coverage import sliced
from placet.coverage.measure import measure
from placet.coverage.obligations import Coverage
from placet.coverage.slices import slices, united, whole_run
from placet.evidence import Budget
from placet.faults.hypothesis import Hypothesis
from placet.faults.weave import weave
from placet.pipeline import as_loaded

MOST = Budget(states=30_000)
CASES = int(os.environ.get("PLACET_EXAMPLES", "40"))
GUARANTEES = ("", "idempotent", "null_safe", "idempotent; null_safe", "idempotent; null_safe; rejects_after_cancel")
POLICIES = ("", "siblings abandon", "siblings cancel", "register after", "on undo_failure continue", "on undo_failure escalate",
            "failing_step undo", "on unknown ignore", "undo_order parallel")  # fmt: skip
KINDS = ("reject", "partial", "lost", "slow", "undo-fail", "undo-slow", "duplicate")


def saga(rng: random.Random) -> str:
    """A saga with one or two forks of two to four ways, now and then a step before, between and behind, or a nested fork."""
    count = 0

    def step(options: str = "") -> str:
        nonlocal count
        count += 1
        undo = f"undo u{count}; " if rng.random() < 0.85 else ""
        timeout = "timeout 1s; " if rng.random() < 0.85 else ""
        retry = "retry 1; " if rng.random() < 0.15 else ""
        return f"step a{count} on s{rng.randint(1, 2)} {{ {undo}{retry}{timeout}{options}}}"

    def way(nested: bool) -> str:
        kind = rng.random()
        if nested and kind < 0.12:
            return f"parallel {{ {step()} {step()} }}"
        if kind < 0.2:
            return f"either {{ {step()} }} or {{ task t{count}x{rng.randint(1, 999)} }}"
        if kind < 0.26:
            return step("pivot; ")
        if kind < 0.32:
            return f"task w{rng.randint(1, 9999)}"
        return step()

    parts = []
    if rng.random() < 0.3:
        parts.append(step())
    for _ in range(rng.choice([1, 1, 2])):
        parts.append("parallel { " + " ".join(way(nested=True) for _ in range(rng.randint(2, 4))) + " }")
        if rng.random() < 0.4:
            parts.append(step())
    policy = rng.choice(POLICIES)
    services = " ".join(f"service s{n} {{ {rng.choice(GUARANTEES)} }}" for n in (1, 2))
    return f"{services}\nsaga big {{\n  {policy}\n  " + "\n  ".join(parts) + "\n}\n"


def woven(seed: int):
    rng = random.Random(seed)
    text = saga(rng)
    kinds = tuple(k for k in KINDS if rng.random() < 0.45) or ("reject",)
    hypothesis = Hypothesis(kinds, rng.choice([1, 1, 1, 2]), rng.choice(["transient", "both"]))
    loaded = as_loaded(text)
    assert not loaded.broken, (text, [d.message for d in loaded.diagnostics])
    return weave(loaded.compiled[0]._replace(queries=(), observers=()), hypothesis).compiled, hypothesis.budget


def told(coverage: Coverage) -> set:
    causes = coverage.causes
    return {(o.family, o.step, tuple(causes[f].id for f in o.faults), o.phase, o.status) for o in coverage.obligations}


def test_slices_and_the_whole_agree() -> None:
    compared = 0
    for seed in range(CASES):
        compiled, budget = woven(seed)
        cut = list(slices(compiled, budget))
        if not cut:
            continue
        whole = measure(compiled, budget, MOST).coverage
        if not whole.size.complete:
            continue
        parts = [measure(one.compiled, budget, MOST).coverage for one in cut]
        rows = united([p.rows for p in parts], [one.empty for one in cut], whole.steps)
        assert told(Coverage(whole.causes, whole.steps, rows, whole.size)) == told(whole), seed
        compared += 1
    assert compared >= CASES // 10


def test_runs_are_runs_of_the_whole(monkeypatch) -> None:
    monkeypatch.setattr(sliced, "WHOLE", 1)
    ran = 0
    for seed in range(CASES // 3):
        compiled, budget = woven(seed)
        if not list(slices(compiled, budget)):
            continue
        found = sliced.measure(compiled, budget, MOST)
        for o in list(found.coverage.missing())[:4]:
            assert found.run(o).trace  # fired on the whole net and judged there
            ran += 1
    assert ran > 3


def test_ten_ways_are_as_many_pairs() -> None:
    ways = " ".join(f"step a{i} on s {{ undo u{i}; timeout 1s }}" for i in range(10))
    text = f"service s {{ idempotent; null_safe }}\nsaga big {{ parallel {{ {ways} }} }}\n"
    hypothesis = Hypothesis(("reject", "lost", "slow"), 1)
    compiled = weave(as_loaded(text).compiled[0]._replace(queries=(), observers=()), hypothesis).compiled
    found = sliced.measure(compiled, 1)
    assert found.coverage.size.complete
    assert found.coverage.uncovered == 20
    first = found.run(next(found.coverage.missing()))
    assert whole_run(compiled, first.trace, frozenset()) == first.trace
    run, ends = found.finder.sample((0,))
    assert run
    assert ends == ("compensated",)


def test_nothing_is_cut_where_faults_hit_the_whole() -> None:
    ways = " ".join(f"step a{i} on s {{ undo u{i}; timeout 1s }}" for i in range(4))
    compiled = as_loaded(f"service s {{ idempotent }}\nsaga big {{ parallel {{ {ways} }} }}\n").compiled[0]
    assert list(slices(weave(compiled, Hypothesis(("lost",), 1)).compiled, 1))
    assert not list(slices(weave(compiled, Hypothesis(("lost", "cancel"), 1)).compiled, 1))
    assert not list(slices(weave(compiled, Hypothesis(("lost",), 4)).compiled, 4))
