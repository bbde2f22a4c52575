"""`ctl` and `ltl` on random nets against their definitions, with faults and every fairness; every counterexample is replayed."""

from __future__ import annotations

import pytest

from oracles import fair_runs
from oracles.formulas import FAIRNESS, cases, definition, random_formula
from placet.analysis import strategy
from placet.compiled import Query
from placet.evidence import Budget, Fails, Holds, Inconclusive, RunBreaks, Violated
from placet.logic.state import at_least
from placet.logic.temporal import Always, Atom, Disj, Eventually, Every, Neg, Some
from placet.net.builder import NetBuilder
from strategies import compiled_of


def answer(compiled, formula, check, fairness, **options):
    query = Query(check, "f", formula=formula, fairness=fairness)
    return strategy.decide(compiled, [query], strategy.Options(**options))[0].verdict


@pytest.mark.parametrize("seed", range(4))
def test_ctl(seed):
    outcomes = {Holds: 0, Violated: 0}
    for rng, compiled, states, graph, faults in cases(seed, 350):
        formula = random_formula(rng, compiled, 3, ctl=True)
        fairness = rng.choice(FAIRNESS)
        holds, _ = definition(compiled, states)
        expected = 0 in fair_runs.branching(formula, graph, faults, holds, fairness)
        verdict = answer(compiled, formula, "ctl", fairness)
        assert isinstance(verdict, Holds if expected else Violated), (formula, fairness, graph, faults)
        outcomes[type(verdict)] += 1
    assert min(outcomes.values()) > 80


@pytest.mark.parametrize("seed", range(4))
def test_ltl(seed):
    outcomes = {Holds: 0, Violated: 0}
    for rng, compiled, states, graph, faults in cases(100 + seed, 250):
        formula = random_formula(rng, compiled, 2, ctl=False)
        fairness = rng.choice(FAIRNESS)
        holds, calm = definition(compiled, states)
        expected = fair_runs.linear(formula, graph, faults, holds, calm, fairness)
        verdict = answer(compiled, formula, "ltl", fairness)
        assert isinstance(verdict, Holds if expected else Violated), (formula, fairness, graph, faults)
        outcomes[type(verdict)] += 1
    assert min(outcomes.values()) > 50


def test_a_small_budget_never_changes_a_verdict():
    seen = {Holds: 0, Violated: 0, Inconclusive: 0}
    for rng, compiled, _, _, _ in cases(7, 300):
        check = rng.choice(("ctl", "ltl"))
        formula = random_formula(rng, compiled, 2, ctl=check == "ctl")
        fairness = rng.choice(FAIRNESS)
        whole = answer(compiled, formula, check, fairness)
        part = answer(compiled, formula, check, fairness, budget=Budget(states=rng.randint(1, 4)))
        seen[type(part)] += 1
        assert isinstance(part, (type(whole), Inconclusive))
    assert all(seen.values())


@pytest.mark.parametrize("engine", ["reference", "frontier"])
def test_every_engine_gives_the_same_answer(engine):
    for rng, compiled, _, _, _ in cases(11, 60):
        check = rng.choice(("ctl", "ltl"))
        formula = random_formula(rng, compiled, 2, ctl=check == "ctl")
        whole = answer(compiled, formula, check, "edges")
        other = answer(compiled, formula, check, "edges", engine=engine, reduce=False)
        assert type(other) is type(whole)
        if isinstance(whole, Violated):
            assert isinstance(whole.claim, (Fails, RunBreaks))


def test_conditions_over_data_are_never_fair():
    """A loop that only such a condition leaves: no run is fair to it, and no proof leans on it."""
    builder = NetBuilder("net")
    here, there = builder.place("here", 1), builder.place("there")
    builder.transition("round", {here: 1}, {here: 1})
    builder.transition("out", {here: 1}, {there: 1})
    compiled = compiled_of(*builder.build())
    free = compiled._replace(assumptions=compiled.assumptions._replace(free_guards=("amount > 10",)))
    out = Atom(at_least(there, 1))
    for formula, check, whole, guarded in (
        (Eventually(out), "ltl", Holds, Inconclusive),
        (Every(Eventually(out)), "ctl", Holds, Inconclusive),
        (Some(Eventually(out)), "ctl", Holds, Inconclusive),
        (Always(Disj((out, Neg(out)))), "ltl", Holds, Holds),
        (Every(Always(Disj((out, Atom(at_least(here, 1)))))), "ctl", Holds, Holds),
        (Always(out), "ltl", Violated, Violated),
    ):
        assert isinstance(answer(compiled, formula, check, "edges"), whole)
        assert isinstance(answer(free, formula, check, "edges"), guarded)
