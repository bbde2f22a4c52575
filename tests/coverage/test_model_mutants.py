"""From every shipped saga at 100 % each small mistake loses an obligation, with a run that shows it, or changes nothing."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest
from model_mutants import measured, mutants, originals, same

from conftest import CHECKOUT
from placet.faults.hypothesis import LEVELS, Hypothesis

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placet.compiled import Compiled

ZERO = Hypothesis(("reject",), 1)
TWO = Hypothesis(("reject", "lost", "slow", "undo-fail", "undo-slow"), 2)
TWICE = Hypothesis((*LEVELS["L1"].faults, "duplicate"), 1)
# Where no check of the model measures coverage, or one would measure it under faults that leave nothing to notice: what never comes twice need
# not be recognised.
CHOSEN: dict[str, Hypothesis] = {
    "bank_transfer": TWO,
    "order_hybrid": TWO,
    "purchase": TWO,
    "card_charge": LEVELS["L1"],
    "trip_booking": TWICE,
    "ftgo_create_order": Hypothesis(("reject", "duplicate"), 1),
}
# With the reason why nothing can be noticed.
EQUIVALENT: set[tuple[str, str]] = {
    # without a limit of its own a task has one of 99999999 seconds: it times out too
    *(("step_functions_sidecar", f"drop the time-out of {s}") for s in ("ReserveStock", "TakePayment", "BookShipping")),
    # no undo is asked for before the outcome is known, and a request that comes a second time is recognised
    *(("order_platform", f"drop rejects_after_cancel of {s}") for s in ("create_order", "reserve", "authorise")),
    *(("cross_border_payment", f"drop rejects_after_cancel of {s}") for s in ("debit_sender", "convert")),
    # asked by REST or gRPC these are taken for unknown outcomes anyway
    *(
        ("order_platform", f"drop the rule for {r}")
        for r in ("ServerError of capture", "ServerError of authorise", "Unavailable of check_user")
    ),
    # the customer may change their mind at any moment, so that nothing is waited for for ever; who cannot does not turn back
    ("approval_signals", "widen the time-out of reserve for ever"),
    ("approval_signals", "drop the catch cancel"),
    # Eventuate notes an undo once its step is known to be done: none ever finds nothing
    *(("ftgo_create_order", f"drop null_safe of {s}") for s in ("create", "ticket")),
}


def asked() -> dict[str, Hypothesis]:
    """By model the highest level at which its coverage is checked and complete."""
    found = dict(CHOSEN)
    for file in sorted((CHECKOUT / "models").glob("*/expected.toml")):
        cases = tomllib.loads(file.read_text(encoding="utf-8"))["case"]
        checks = next((c["checks"] for c in cases if c["file"] == "model.placet"), {})
        for label, outcome in checks.items():
            match = re.fullmatch(r"coverage\(\w*\)(?: at (L\d))?(?: == 100%)?", label)
            if match and outcome == "proved":
                name = file.parent.name
                level = LEVELS[match[1]] if match[1] else ZERO
                if name not in CHOSEN and (name not in found or _strength(level) > _strength(found[name])):
                    found[name] = level
    return found


def _strength(hypothesis: Hypothesis) -> tuple[int, int]:
    return hypothesis.budget, len(hypothesis.faults)


SAGAS = asked()


def faults_of(name: str, sagas: Iterable[Compiled]) -> Hypothesis:
    """What a model is measured under: where it bears one fault, also messages that come twice, if it bears those too."""
    known = SAGAS[name]
    if known == LEVELS["L1"] and all(not measured(saga, TWICE).coverage.uncovered for saga in sagas):
        return TWICE
    return known


@pytest.mark.parametrize("name", SAGAS)
def test_a_mistake_is_noticed(name: str, tmp_path) -> None:
    file = CHECKOUT / "models" / name / "model.placet"
    before = {c.subject: c for c in originals(file)}
    assert before
    faults = faults_of(name, before.values())
    for saga in before.values():
        coverage = measured(saga, faults).coverage
        assert coverage.feasible == coverage.covered > 5
    tried = noticed = 0
    for mutant in mutants(file, tmp_path):
        changed = [c for c in mutant.sagas if not same(c, before[c.subject])]
        if not changed:
            continue  # a barrier answers an undo that finds nothing, whether or not `null_safe` says so too
        tried += 1
        found = [measured(c, faults) for c in changed]
        if (name, mutant.name) in EQUIVALENT:
            assert not any(m.coverage.uncovered for m in found), f"{mutant.name} is not equivalent"
            continue
        worse = [m for m in found if m.coverage.uncovered]
        assert worse, f"{mutant.name} goes unnoticed"
        assert worse[0].run(next(worse[0].coverage.missing())).trace
        noticed += 1
    assert tried >= 2
    assert noticed >= 1


def test_equivalent_ones_are_few(tmp_path) -> None:
    total = 0
    for name in SAGAS:
        file = CHECKOUT / "models" / name / "model.placet"
        before = {c.subject: c for c in originals(file)}
        total += sum(any(not same(c, before[c.subject]) for c in m.sagas) for m in mutants(file, tmp_path))
    assert len(EQUIVALENT) <= total / 10
