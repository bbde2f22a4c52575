"""Advice: every change is what it says, every set is minimal and complete, and nothing is printed unverified."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from placet.advice.changes import Change, changed, changes
from placet.advice.minimal import minimal_sets
from placet.advice.search import advise
from placet.advice.telling import document, lines
from placet.compile.resolve import resolve
from placet.compile.to_net import compile_model
from placet.compile.vocabulary import statements
from placet.coverage.measure import measure
from placet.evidence import Budget
from placet.faults.hypothesis import Hypothesis
from placet.faults.weave import weave
from placet.ir import model as ir
from placet.pipeline import Loaded, Options, check, compile_source
from placet.source import SourceFile
from placet.syntax.parser import parse

HYPOTHESIS = Hypothesis(("reject", "lost", "slow"), 1)
BUDGET = Budget(states=50_000)


def model_of(text: str) -> ir.Model:
    file, problems = parse(SourceFile("t.placet", text))
    model, unresolved = resolve(file)
    assert not [d for d in (*problems, *unresolved) if d.severity == "error"]
    return model


def trip(flights: str, cars: str, policy: str = "") -> ir.Model:
    return model_of(f"""
service flights {{ {flights} }}
service cars {{ {cars} }}
saga trip {{
  {policy}
  step flight on flights {{ undo cancel_flight; timeout 10s }}
  step car on cars {{ undo cancel_car; timeout 10s }}
}}
""")


def missing(model: ir.Model, wanted=()) -> int:
    (compiled,), _ = compile_model(changed(model, tuple(wanted)))
    woven = weave(compiled._replace(queries=(), observers=()), HYPOTHESIS).compiled
    return measure(woven, HYPOTHESIS.budget, BUDGET).coverage.uncovered


def test_a_change_is_made_and_nothing_else() -> None:
    model = trip("idempotent", "", "register after")
    for change in changes(model):
        after = changed(model, (change,))
        assert after != model
        assert changed(after, (change,)) == after
        assert change not in changes(after)
        steps = [[s for s in statements(m.processes[0].body) if isinstance(s, ir.Step)] for m in (model, after)]
        for old, new in zip(*steps, strict=True):
            assert new._replace(guarantees=old.guarantees) == old
            gained = new.guarantees - old.guarantees
            assert gained == ({change.name} if change.target == old.service else frozenset())
    assert changed(model, ()) == model


def test_what_may_fail_behind_the_point_of_no_return_can_be_tried_until_it_works() -> None:
    model = model_of("""
service bank { idempotent; null_safe; rejects_after_cancel }
service mail { idempotent }
saga pay {
  step hold on bank { undo free; timeout 10s }
  step pay_out on bank { pivot; timeout 10s }
  step tell on mail { timeout 10s }
  on unknown retry
}
""")
    assert missing(model) > 0
    found = advise(model, "pay", HYPOTHESIS, BUDGET)
    assert found is not None
    best = found.single[0]
    assert (best.change.kind, best.change.target, best.covers) == ("step", "pay/tell", found.missing)
    assert "try `tell` until it works" in "\n".join(lines(found))
    assert missing(model, (best.change,)) == 0
    (step,) = [
        s for s in statements(changed(model, (best.change,)).processes[0].body) if getattr(s, "name", "") == "tell"
    ]
    assert step.retriable


def test_an_error_of_the_point_of_no_return_can_be_taken_for_an_unknown_outcome() -> None:
    model = model_of("""
service bank { idempotent; null_safe; rejects_after_cancel }
saga pay {
  step hold on bank { undo free; timeout 10s }
  step pay_out on bank { pivot; timeout 10s; errors { Closed: escalate } }
  failing_step undo
}
""")
    hypothesis = Hypothesis(("reject", "partial", "lost", "slow"), 1)
    found = advise(model, "pay", hypothesis, BUDGET)
    assert found is not None
    best = found.single[0]
    assert (best.change.target, best.change.name, best.covers) == ("pay/pay_out", "unknown", found.missing)
    assert "`errors { other: unknown }`" in "\n".join(lines(found))
    (step,) = [s for s in statements(changed(model, (best.change,)).processes[0].body) if getattr(s, "pivot", False)]
    assert [(r.error, r.action) for r in step.errors] == [("Closed", "escalate"), ("other", "unknown")]
    assert not any(c.name == "unknown" for c in changes(changed(model, (best.change,))))


TEXTS = [
    ("idempotent; null_safe", "idempotent; null_safe", ""),
    ("idempotent", "idempotent; null_safe; rejects_after_cancel", ""),
    ("idempotent; null_safe; rejects_after_cancel", "null_safe", "register after"),
    ("", "idempotent; null_safe; rejects_after_cancel", "on unknown ignore"),
    (
        "idempotent; null_safe; rejects_after_cancel",
        "idempotent; null_safe; rejects_after_cancel",
        "register after failing_step keep",
    ),
]


@pytest.mark.parametrize("which", range(len(TEXTS)))
def test_sets_are_those_of_trying_all(which: int) -> None:
    try:
        model = trip(*TEXTS[which])
    except AssertionError:
        model = trip(*TEXTS[which][:2], "register after")
    found = advise(model, "trip", HYPOTHESIS, BUDGET, most=2000)
    assert found is not None
    assert found.exhausted
    assert found.missing == missing(model)
    atoms = changes(model)
    enough: list[frozenset] = []
    for size in range(1, 3):
        for wanted in combinations(atoms, size):
            if len({(c.target, c.name) for c in wanted if c.kind == "policy"}) < sum(
                c.kind == "policy" for c in wanted
            ):
                continue
            if not any(smaller <= set(wanted) for smaller in enough) and missing(model, wanted) == 0:
                enough.append(frozenset(wanted))
    assert {frozenset(s) for s in found.sets if len(s) <= 2} == set(enough)
    assert all(missing(model, s) == 0 for s in found.sets)
    for effect in found.single:
        assert effect.covers > 0
        assert missing(model, (effect.change,)) == found.missing - effect.covers + effect.breaks


def test_more_guarantees_never_lose_what_is_covered() -> None:
    """What the search prunes by: a set that covers all still does with any promises added."""
    chosen = random.Random(5)
    model = trip("idempotent", "", "")
    promises = [c for c in changes(model) if c.kind == "guarantee"]
    found = advise(model, "trip", HYPOTHESIS, BUDGET, most=2000)
    assert found is not None
    for wanted in found.sets:
        more = [c for c in promises if c not in wanted and chosen.random() < 0.6]
        assert missing(model, (*wanted, *more)) == 0


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_all_minimal_sets_of_any_size(first: int) -> None:
    """Held against trying every set, with and without the assumption that promises only help."""
    for seed in range(first, first + 100):
        rng = random.Random(seed)
        own = [Change("policy", "t", rng.choice("ab"), str(n), 1, "", "") for n in range(rng.randint(0, 3))]
        promises = [Change("guarantee", "s", str(n), "", 2, "", "") for n in range(rng.randint(0, 4))]
        atoms = [*own, *promises]
        enough = [frozenset(rng.sample(atoms, rng.randint(0, len(atoms)))) for _ in range(rng.randint(0, 4))]
        monotone = seed % 2 == 0

        def covers(wanted, enough=enough, monotone=monotone) -> bool:
            chosen = set(wanted)
            if monotone:
                return any(e <= chosen for e in enough)
            return chosen in enough

        every = [
            frozenset(s)
            for size in range(len(atoms) + 1)
            for s in combinations(atoms, size)
            if len({(c.target, c.name) for c in s}) == size and covers(s)
        ]
        least = {s for s in every if not any(other < s for other in every)}
        for most in (1_000, 0) if monotone else (1_000,):
            found = minimal_sets(own, promises, covers, most)
            assert found.complete
            assert found.assumed == (most == 0)
            assert len(found.sets) == len(set(map(frozenset, found.sets)))
            assert set(map(frozenset, found.sets)) == least, seed
        short = minimal_sets(own, promises, lambda _: None, 1_000)
        assert not short.complete
        assert not short.sets


def test_what_is_said() -> None:
    found = advise(trip(*TEXTS[0]), "trip", HYPOTHESIS, BUDGET)
    told = "\n".join(lines(found))
    assert "`on unknown retry`" in told
    assert "this alone covers all that is missing (verified)" in told
    assert "all of: let `cars` remember an undo" in told
    assert "a promise needs its test: `cars`: send an undo, then its request" in told
    assert document(found)["sets"][0]["changes"]
    safe = advise(trip(*["idempotent; null_safe; rejects_after_cancel"] * 2), "trip", HYPOTHESIS, BUDGET)
    assert safe is not None
    assert safe.missing == 0
    assert lines(safe) == []
    assert advise(trip(*TEXTS[0]), "trip", HYPOTHESIS, Budget(states=10)) is None


def test_the_allowance_is_kept() -> None:
    found = advise(trip("", ""), "trip", HYPOTHESIS, BUDGET, most=5)
    assert found is not None
    assert found.measured == 5
    assert not found.exhausted


def test_a_report_gets_verified_advice(tmp_path) -> None:
    from placet.advice.telling import advised

    path = tmp_path / "t.placet"
    path.write_text(
        "service cars { idempotent; null_safe }\n"
        "saga trip { step car on cars { undo cancel_car; timeout 10s } }\n"
        "check coverage(trip) under { reject, lost, slow }\n",
        encoding="utf-8",
    )
    loaded: Loaded = compile_source(SourceFile(str(path), path.read_text(encoding="utf-8")))
    report = advised(check(loaded), loaded, Options())
    (entry,) = report.models[0].checks
    assert any("(verified)" in line for line in entry.story.advice)


def test_what_another_file_declares_is_known(tmp_path) -> None:
    from placet.advice.telling import ir_of

    (tmp_path / "services.placet").write_text("service cars { idempotent }\n", encoding="utf-8")
    model = tmp_path / "trip.placet"
    saga = "saga trip { step car on cars { undo cancel_car; timeout 10s } }\n"
    model.write_text(f'import "services.placet"\n{saga}', encoding="utf-8")
    found = ir_of(str(model))
    assert found is not None
    assert any(c.target == "cars" for c in changes(found))
