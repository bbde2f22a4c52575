"""`ctl` and `ltl` on random nets against their definitions, with faults and every fairness; every counterexample is replayed."""

from __future__ import annotations

from random import Random

import pytest

from oracles import fair_runs
from placet.analysis import strategy
from placet.compiled import Query
from placet.evidence import Budget, Fails, Holds, Inconclusive, RunBreaks, Violated
from placet.logic.state import Fireable, at_least, evaluate
from placet.logic.temporal import Always, Atom, Conj, Disj, Eventually, Every, Neg, Next, Release, Some, Until
from placet.net.builder import NetBuilder
from placet.net.firing import enabled, fire_state
from placet.net.observer import Observer
from placet.net.roles import PLAIN, Kind, Roles
from strategies import compiled_of

FAIRNESS = ("edges", "strong", "weak", "nothing")
MOST = 7  # states


def random_net(rng):
    """A net with some faults and an observer that says whether a transition has just fired; None where it has too many states."""
    builder = NetBuilder("random")
    places = rng.randint(2, 4)
    for p in range(places):
        builder.place(f"p{p}", int(rng.random() < 0.5))
    count = rng.randint(2, 6)
    for t in range(count):
        pre = {rng.randrange(places): 1 for _ in range(rng.randint(1, 2))}
        post = {rng.randrange(places): 1 for _ in range(len(pre) if rng.random() < 0.8 else 1)}
        builder.transition(f"t{t}", pre, post)
    net, initial = builder.build()
    meant = rng.randrange(count)
    watch = tuple(Observer("t#fires", "t has just happened", tuple((t, 1 if t == meant else -1) for t in range(count)), momentary=True) for _ in range(rng.random() < 0.5))  # fmt: skip
    faults = {t for t in range(count) if rng.random() < 0.15}
    compiled = compiled_of(net, initial, observers=watch)
    roles = Roles(tuple(PLAIN._replace(kind=Kind.FAULT) if t in faults else PLAIN for t in range(count)))
    compiled = compiled._replace(roles=roles)
    states, graph = [compiled.start], []
    for state in states:
        row = []
        for t in enabled(net, state[:places]):
            to = fire_state(net, watch, state, t)
            if to not in states:
                if len(states) >= MOST:
                    return None
                states.append(to)
            row.append((t, states.index(to)))
        graph.append(row)
    return compiled, states, graph, faults


def random_formula(rng, compiled, depth, *, ctl):
    """A formula over places, enabled transitions and the observer."""
    if depth == 0 or rng.random() < 0.15:
        if rng.random() < 0.2:
            return Atom(Fireable(rng.randrange(len(compiled.net.transitions))))
        return Atom(at_least(rng.randrange(len(compiled.start)), 1))
    inner = lambda: random_formula(rng, compiled, depth - 1, ctl=ctl)  # noqa: E731
    kind = rng.randrange(9)
    if kind == 0:
        return Neg(inner())
    if kind < 4:
        return (Conj, Disj)[kind % 2]((inner(), inner()))
    of = rng.choice(
        [lambda: Next(inner()), lambda: Eventually(inner()), lambda: Always(inner()), lambda: Until(inner(), inner()), lambda: Release(inner(), inner())]
    )()  # fmt: skip
    return rng.choice((Every, Some))(of) if ctl else of


def cases(seed, count):
    rng = Random(seed)
    found = 0
    while found < count:
        made = random_net(rng)
        if made is not None:
            found += 1
            yield rng, *made


def answer(compiled, formula, check, fairness, **options):
    query = Query(check, "f", formula=formula, fairness=fairness)
    return strategy.decide(compiled, [query], strategy.Options(**options))[0].verdict


def definition(compiled, states):
    width = len(compiled.net.places)

    def at(predicate, state):
        return evaluate(predicate, state, lambda: enabled(compiled.net, state[:width]))

    def calm(predicate, s):
        return at(predicate, states[s][:width] + tuple(0 for _ in compiled.observers))

    return (lambda predicate, s: at(predicate, states[s])), calm


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
