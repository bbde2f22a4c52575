"""From every shipped saga at 100 % each small mistake loses an obligation, with a run that shows it, or changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from model_mutants import mutants

from placet.advice.telling import ir_of
from placet.compile.to_net import compile_model
from placet.coverage.measure import Measured, measure
from placet.evidence import Budget
from placet.faults.hypothesis import LEVELS, Hypothesis
from placet.faults.weave import weave

if TYPE_CHECKING:
    from placet.ir import model as ir

TWO = Hypothesis(("reject", "lost", "slow", "undo-fail", "undo-slow"), 2)
SAGAS: dict[str, Hypothesis] = {
    "bank_transfer": TWO,
    "dtm_transfer": LEVELS["L2"],
    "temporal_java_booking": LEVELS["L2"],
    "temporal_go_transfer": LEVELS["L2"],
    "step_functions_order": LEVELS["L2"],
    "trip_booking": LEVELS["L1"],
    "parallel_parts": LEVELS["L1"],
    "card_charge": LEVELS["L1"],
}
# No step of these is retried, and under these faults no message comes twice: nobody ever asks for anything twice.
EQUIVALENT = {
    *(("trip_booking", f"drop idempotent of {s}") for s in ("flight", "hotel", "car")),
    *(("parallel_parts", f"drop idempotent of {s}") for s in ("first_part", "second_part", "third_part")),
}


def measured(model: ir.Model, hypothesis: Hypothesis) -> Measured:
    compiled, problems = compile_model(model)
    assert not [d for d in problems if d.severity == "error"]
    (saga,) = [c for c in compiled if c.roles.steps]
    found = measure(
        weave(saga._replace(queries=(), observers=()), hypothesis).compiled, hypothesis.budget, Budget(states=300_000)
    )
    assert found.coverage.size.complete
    return found


@pytest.mark.parametrize("name", SAGAS)
def test_a_mistake_is_noticed(name: str, checkout) -> None:
    model = ir_of(str(checkout / "models" / name / "model.placet"))
    assert model is not None
    before = measured(model, SAGAS[name])
    assert before.coverage.feasible == before.coverage.covered > 20
    same = {
        before.compiled.net,
    }
    tried = noticed = 0
    for mutant in mutants(model):
        after = measured(mutant.model, SAGAS[name])
        if after.compiled.net in same and after.compiled.roles.transitions == before.compiled.roles.transitions:
            continue  # the same net: a barrier answers an undo that finds nothing, whether or not `null_safe` says so too
        tried += 1
        if (name, mutant.name) in EQUIVALENT:
            assert after.coverage.uncovered == 0, f"{mutant.name} is not equivalent"
            assert after.coverage.size.states == before.coverage.size.states
            continue
        assert after.coverage.uncovered > 0, f"{mutant.name} goes unnoticed"
        first = after.run(next(after.coverage.missing()))
        assert first.trace
        noticed += 1
    assert tried >= 2
    assert noticed >= 1


def test_equivalent_ones_are_few(checkout) -> None:
    total = 0
    for name in SAGAS:
        model = ir_of(str(checkout / "models" / name / "model.placet"))
        assert model is not None
        total += sum(1 for m in mutants(model) if "null_safe" not in m.name)
    assert len(EQUIVALENT) <= total / 10
