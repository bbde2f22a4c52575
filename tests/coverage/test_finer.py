"""What only anomalies ask about (undo after the end, replies to other calls, isolation), held against every run."""

from __future__ import annotations

import random

import pytest
from agreement import identifier, told
from enumerator import Enumerator, TooLarge
from random_sagas import Case, case, parts, with_part

from placet.coverage.anomalies import ISOLATION, RETRIES, UNDONE_LATE, WRONG_SCOPE
from placet.coverage.measure import measure
from placet.coverage.obligations import Status
from placet.ir import model as ir

MOST = 1_500
FINER = frozenset((UNDONE_LATE, WRONG_SCOPE, ISOLATION, RETRIES))


def keyed(seed: int, *, twice: bool) -> Case:
    """A random saga whose steps may share keys, or tell replies apart by less than the attempt."""
    rng = random.Random(seed)
    again = not twice and seed % 3 > 0
    one = case(seed, most=1 if twice or again else 3)

    def changed(statement: ir.Statement) -> ir.Statement:
        if isinstance(statement, ir.Step):
            key = rng.choice(["k", "k", "k", ""]) if twice else ""
            return statement._replace(key=key, correlation=rng.choice(["attempt", "step", "name", "name"]))
        for k, part in enumerate(parts(statement)):
            statement = with_part(statement, k, changed(part))
        return statement

    def process(p: ir.Process) -> ir.Process:
        body = changed(p.body)
        if again and p.id == "b":
            other = ir.Handler("b/tried.any", "error", "*", ir.Task("b/other", "other"))
            body = ir.Loop("b/again", ir.Scope("b/tried", body, (other,)), "after", at_most=2)
        return p._replace(body=body)

    hypothesis = one.hypothesis
    if again:
        hypothesis = hypothesis._replace(faults=tuple({*hypothesis.faults[:1], "slow"}), budget=1)
    if twice:
        few = tuple(f for f in hypothesis.faults if f in ("reject", "partial", "undo-fail"))
        hypothesis = hypothesis._replace(instances=2, budget=1, faults=few or ("reject",))
    return Case(process(one.process), tuple(process(p) for p in one.called), hypothesis)


def compared(first: int, count: int, *, twice: bool):
    """Statuses measured and enumerated, of the cases that are small enough."""
    for seed in range(first, first + count):
        woven = keyed(seed, twice=twice).woven()
        if woven is None:
            continue
        try:
            theirs = Enumerator(woven, 4 * MOST if twice else MOST).finer()
        except TooLarge:
            continue
        budget = keyed(seed, twice=twice).hypothesis.budget
        ours = told(measure(woven.compiled, budget, families=FINER).coverage)
        yield (
            seed,
            ours,
            {(f, s, tuple(identifier(c) for c in causes), p): v for (f, s, causes, p), v in theirs.items()},
        )


@pytest.mark.parametrize(("first", "twice"), [(0, False), (60, False), (120, False), (0, True)])
def test_every_finer_obligation_is_that_of_all_runs(first: int, twice) -> None:
    count = 0
    seen = set()
    for seed, ours, theirs in compared(first, 100 if twice else 60, twice=twice):
        assert ours == theirs, seed
        seen |= {(family, status) for (family, *_), status in ours.items()}
        count += 1
    assert count >= 20
    family = ISOLATION if twice else WRONG_SCOPE
    assert {(family, "covered"), (family, "uncovered")} <= seen


def test_every_shared_retry_is_that_of_all_runs() -> None:
    seen: dict[str, int] = {}
    for seed in range(400):
        rng = random.Random(seed)
        one = case(seed, most=2)
        shared = rng.choice(["shared", "shared", "forward"])
        policy = one.process.policy._replace(
            retry_budget=rng.choice([1, 1, 2]), retry_budget_of=shared, undo_retries=rng.choice([None, 1, 2])
        )
        hypothesis = one.hypothesis._replace(faults=("reject", "undo-fail"), budget=2, modes="both")
        woven = Case(one.process._replace(policy=policy), one.called, hypothesis).woven()
        if woven is None:
            continue
        try:
            theirs = Enumerator(woven, MOST).finer()
        except TooLarge:
            continue
        measured = measure(woven.compiled, 2, families=FINER)
        ours = told(measured.coverage)
        enumerated = {(f, s, tuple(identifier(c) for c in causes), p): v for (f, s, causes, p), v in theirs.items()}
        assert ours == enumerated, seed
        for o in measured.coverage.obligations:
            if o.family == RETRIES:
                seen[o.status.value] = seen.get(o.status.value, 0) + 1
                if o.status is Status.UNCOVERED:
                    assert measured.run(o).trace
    assert min(seen["covered"], seen["uncovered"]) >= 5
