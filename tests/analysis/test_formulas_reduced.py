"""`ctl` and `ltl` on nets reduced for the formula, and on diagrams: the definition's verdict, and every counterexample shown on the net itself."""

from __future__ import annotations

from random import Random
from time import monotonic

import pytest

from oracles import fair_runs
from placet.analysis import groups, strategy
from placet.analysis.replay import replay
from placet.compiled import Query
from placet.evidence import (
    Branch,
    Budget,
    Certificate,
    Fails,
    Holds,
    Inconclusive,
    Lasso,
    Never,
    NeverHolds,
    Proof,
    Tree,
    Violated,
)
from placet.logic.state import Dead, Fireable, at_least, evaluate
from placet.logic.temporal import (
    Always,
    Atom,
    Conj,
    Disj,
    Eventually,
    Every,
    Neg,
    Next,
    Release,
    Some,
    Until,
    normal,
    parts,
)
from placet.net.builder import NetBuilder
from placet.net.firing import enabled, fire_state
from placet.net.observer import Observer
from placet.net.roles import PLAIN, Kind, Roles
from strategies import compiled_of

FAIRNESS = ("edges", "edges", "strong", "weak", "nothing")
MOST = 9  # states


def random_net(rng):
    """A net with silent stretches, twins and some faults; None where it has too many states. Perhaps with a latch, or what has just happened."""
    builder = NetBuilder("random")
    places = rng.randint(3, 7)
    for p in range(places):
        builder.place(f"p{p}", int(rng.random() < 0.3))
    count = 0

    def add(pre, post, read=()):
        nonlocal count
        builder.transition(f"t{count}", pre, post, read=dict(read)) if read else builder.transition(
            f"t{count}", pre, post
        )
        count += 1

    for p in range(places):  # each place is left, mostly by one step alone
        for _ in range(rng.choice((1, 1, 1, 2))):
            post = {rng.randrange(places): 1 for _ in range(rng.choice((1, 1, 1, 2)))}
            pre = {p: 1}
            if rng.random() < 0.2:
                pre[rng.randrange(places)] = 1
            add(pre, post)
            if rng.random() < 0.15:
                add(pre, post)  # a twin
    net, initial = builder.build()
    watch = []
    if rng.random() < 0.25:
        meant = rng.randrange(count)
        watch.append(Observer("t#done", "t has happened", ((meant, 1),)))
    if rng.random() < 0.15:
        meant = rng.randrange(count)
        watch.append(Observer("t#fires", "t has just happened", tuple((t, 1 if t == meant else -1) for t in range(count)), momentary=True))  # fmt: skip
    faults = {t for t in range(count) if rng.random() < 0.12}
    compiled = compiled_of(net, initial, observers=tuple(watch))
    roles = Roles(tuple(PLAIN._replace(kind=Kind.FAULT) if t in faults else PLAIN for t in range(count)))
    compiled = compiled._replace(roles=roles)
    states, graph = [compiled.start], []
    for state in states:
        row = []
        for t in enabled(net, state[:places]):
            to = fire_state(net, compiled.observers, state, t)
            if to not in states:
                if len(states) >= MOST:
                    return None
                states.append(to)
            row.append((t, states.index(to)))
        graph.append(row)
    return (compiled, states, graph, faults) if len(states) > 2 else None


def random_formula(rng, compiled, depth, *, ctl, following):
    """A formula over a few places, observers, steps that are possible."""
    if depth == 0 or rng.random() < 0.15:
        kind = rng.random()
        if kind < 0.1:
            return Atom(Fireable(rng.randrange(len(compiled.net.transitions))))
        if kind < 0.13:
            return Atom(Dead())
        few = [rng.randrange(len(compiled.net.places)) for _ in range(2)]
        return Atom(at_least(rng.choice([*few, *range(len(compiled.net.places), len(compiled.start))]), 1))
    inner = lambda: random_formula(rng, compiled, depth - 1, ctl=ctl, following=following)  # noqa: E731
    kind = rng.randrange(9)
    if kind == 0:
        return Neg(inner())
    if kind < 4:
        return (Conj, Disj)[kind % 2]((inner(), inner()))
    kinds = [lambda: Eventually(inner()), lambda: Always(inner()), lambda: Until(inner(), inner()), lambda: Release(inner(), inner())]  # fmt: skip
    of = rng.choice([*kinds, *([lambda: Next(inner())] if following else [])])()
    return rng.choice((Every, Some))(of) if ctl else of


def usual_formula(rng, compiled):
    """A formula of LTL as people write it."""
    one = lambda: Atom(at_least(rng.randrange(len(compiled.net.places)), 1))  # noqa: E731
    return rng.choice(
        [
            lambda: Always(Disj((Neg(one()), Eventually(one())))),
            lambda: Eventually(one()),
            lambda: Always(one()),
            lambda: Until(Neg(one()), one()),
            lambda: Eventually(Always(one())),
            lambda: Always(Eventually(one())),
            lambda: Disj((Eventually(Always(Neg(one()))), Always(Eventually(one())))),
            lambda: Always(Disj((Neg(one()), Always(Eventually(one()))))),
            lambda: Disj((one(), Conj((Always(Eventually(one())), Eventually(Always(Disj((one(), Neg(one()))))))))),
            lambda: Release(one(), Disj((one(), one()))),
        ]
    )()


def cases(seed, count):
    rng, found = Random(seed), 0
    while found < count:
        made = random_net(rng)
        if made is not None:
            found += 1
            yield rng, *made


@pytest.fixture
def reduced_at_once(monkeypatch):
    """No search of the net as it is, unless a reduced net tells nothing; every reduced net counts as much smaller."""
    monkeypatch.setattr(strategy, "FIRST_PLACES", -1)
    monkeypatch.setattr(groups, "MUCH_SMALLER", 1.0)


def answer(compiled, formula, check, fairness, **options):
    query = Query(check, "f", formula=formula, fairness=fairness)
    return strategy.decide(compiled, [query], strategy.Options(**options))[0].verdict


def expected(rng_case, formula, check, fairness):
    compiled, states, graph, faults = rng_case
    width = len(compiled.net.places)

    def at(predicate, state):
        return evaluate(predicate, state, lambda: enabled(compiled.net, state[:width]))

    calm = [tuple(0 if o.momentary else v for o, v in zip(compiled.observers, s[width:], strict=True)) for s in states]
    holds = lambda predicate, s: at(predicate, states[s])  # noqa: E731
    if check == "ctl":
        return 0 in fair_runs.branching(formula, graph, faults, holds, fairness)
    return fair_runs.linear(formula, graph, faults, holds, lambda p, s: at(p, states[s][:width] + calm[s]), fairness)


@pytest.mark.usefixtures("reduced_at_once")
@pytest.mark.parametrize("check", ["ctl", "ltl"])
@pytest.mark.parametrize("seed", range(3))
def test_reduced_nets_give_the_verdict_of_the_definition(check, seed):
    outcomes, rules, reduced = {Holds: 0, Violated: 0}, set(), {Holds: 0, Violated: 0}
    for rng, *case in cases(1000 * seed + len(check), 400):
        following = rng.random() < 0.2
        if check == "ltl" and rng.random() < 0.4:
            formula = usual_formula(rng, case[0])
        else:
            formula = random_formula(rng, case[0], 3 if check == "ctl" else 2, ctl=check == "ctl", following=following)
        fairness = rng.choice(FAIRNESS)
        verdict = answer(case[0], formula, check, fairness)
        assert isinstance(verdict, Holds if expected(case, formula, check, fairness) else Violated), (formula, fairness)
        outcomes[type(verdict)] += 1
        rules.update(verdict.proof.reductions)
        reduced[type(verdict)] += bool(verdict.proof.reductions)
    assert min(outcomes.values()) > 60
    assert min(reduced.values()) > 40, reduced
    assert {"series", "unmarkable", "parallel transitions"} <= rules


@pytest.mark.parametrize("reduce", [True, False])
@pytest.mark.parametrize("check", ["ctl", "ltl"])
@pytest.mark.parametrize("seed", range(2))
def test_diagrams_give_the_verdict_of_the_definition(check, seed, reduce, monkeypatch):
    monkeypatch.setattr(groups, "MUCH_SMALLER", 1.0)
    drawn = {Holds: 0, Violated: 0}
    for rng, *case in cases(7000 + seed, 250):
        if check == "ltl" and (rng.random() < 0.7 or len(case[1]) > 6):
            formula = usual_formula(rng, case[0])
        else:
            formula = random_formula(
                rng, case[0], 3 if check == "ctl" else 2, ctl=check == "ctl", following=rng.random() < 0.2
            )
        if (
            check == "ltl"
            and sum(isinstance(one, (Next, Eventually, Always, Until, Release)) for one in parts(formula)) > 3
        ):
            continue  # the definition takes too long
        fairness = rng.choice(FAIRNESS)
        # a budget that no search gets anywhere with
        verdict = answer(case[0], formula, check, fairness, engine="symbolic", budget=Budget(states=1), reduce=reduce)
        if isinstance(verdict, Inconclusive):
            continue
        assert isinstance(verdict, Holds if expected(case, formula, check, fairness) else Violated), (formula, fairness)
        drawn[type(verdict)] += verdict.proof.engine == "symbolic"
    assert min(drawn.values()) > (40 if check == "ctl" else 25), drawn


def independent(count, size=3):
    """So many processes that go round alone, `size` situations each: the states are a power, the reduced net is small."""
    builder = NetBuilder("net")
    for n in range(count):
        ring = [builder.place(f"p{n}.{k}", int(k == 0)) for k in range(size)]
        for k in range(size):
            builder.transition(f"t{n}.{k}", {ring[k]: 1}, {ring[(k + 1) % size]: 1})
    return compiled_of(*builder.build())


SECOND = Atom(at_least(1, 1))


@pytest.mark.parametrize(
    ("check", "formula", "kind"),
    [
        ("ltl", Always(Eventually(SECOND)), Holds),
        ("ltl", Eventually(Always(SECOND)), Violated),
        ("ltl", Always(Disj((Neg(SECOND), Always(SECOND)))), Violated),
        ("ltl", Always(Disj((Neg(SECOND), Eventually(Neg(SECOND))))), Holds),
        ("ctl", Every(Always(Some(Eventually(SECOND)))), Holds),
        ("ctl", Every(Eventually(Every(Always(SECOND)))), Violated),
    ],
)
def test_what_no_search_lists_is_decided_on_the_reduced_net(check, formula, kind):
    compiled = independent(40)  # 3 ** 40 states
    verdict = answer(compiled, formula, check, "edges", budget=Budget(states=30_000))
    assert isinstance(verdict, kind)
    assert "series" in dict.fromkeys(verdict.proof.reductions)
    if check == "ltl" and kind is Violated:
        assert isinstance(verdict.witness, Lasso)


def test_what_no_search_lists_is_decided_on_a_diagram():
    compiled = independent(40)
    # the formula names a place of each process, so that hardly anything is reduced
    each = Conj(
        tuple(Some(Eventually(Conj((Atom(at_least(3 * n, 1)), Atom(at_least(3 * n + 4, 1)))))) for n in range(39))
    )
    verdict = answer(compiled, Every(Always(each)), "ctl", "edges", budget=Budget(states=70_000))
    assert isinstance(verdict, Holds)
    assert verdict.proof.engine == "symbolic"
    assert verdict.proof.states == 3**40
    lost = answer(compiled, Some(Always(Atom(at_least(0, 1)))), "ctl", "edges", budget=Budget(states=70_000))
    assert isinstance(lost, Violated)


def philosophers(count):
    """Each takes the fork on the left first, but for the last one: places by name."""
    builder = NetBuilder("net")
    forks = [builder.place(f"fork{n}", 1) for n in range(count)]
    mine = [
        [builder.place(f"{what}{n}", int(what == "thinks")) for what in ("thinks", "has", "eats")] for n in range(count)
    ]
    for n, (thinks, has, eats) in enumerate(mine):
        first, second = sorted((forks[n], forks[(n + 1) % count]))
        builder.transition(f"take{n}", {thinks: 1, first: 1}, {has: 1})
        builder.transition(f"eat{n}", {has: 1, second: 1}, {eats: 1})
        builder.transition(f"rest{n}", {eats: 1}, {thinks: 1, first: 1, second: 1})
    return compiled_of(*builder.build()), mine


@pytest.mark.parametrize(("check", "fairness", "kind"), [("ctl", "strong", Holds), ("ctl", "weak", Violated), ("ltl", "strong", Holds), ("ltl", "nothing", Violated)])  # fmt: skip
def test_who_waits_eats_where_the_runs_are_strongly_fair(check, fairness, kind):
    compiled, mine = philosophers(14)  # 195,025 states
    has, eats = (Atom(at_least(place, 1)) for place in mine[0][1:])
    formula = Always(Disj((Neg(has), Eventually(eats))))
    if check == "ctl":
        formula = Every(Always(Disj((Neg(has), Every(Eventually(eats))))))
    verdict = answer(compiled, formula, check, fairness, budget=Budget(states=100), engine="symbolic")
    assert isinstance(verdict, kind)
    assert verdict.proof.engine == "symbolic"


@pytest.mark.parametrize(("fairness", "kind"), [("strong", Holds), ("weak", Violated), ("nothing", Violated)])
def test_what_only_runs_can_say_is_decided_on_a_diagram(fairness, kind):
    """Whoever has the first fork again and again eats again and again, if somebody else does."""
    compiled, mine = philosophers(10)  # 5,741 states
    has, eats, other = (Atom(at_least(place, 1)) for place in (*mine[0][1:], mine[4][2]))
    formula = Disj((Eventually(Always(Neg(other))), Eventually(Always(Neg(has))), Always(Eventually(eats))))
    verdict = answer(compiled, formula, "ltl", fairness, budget=Budget(states=100), engine="symbolic", reduce=False)
    assert isinstance(verdict, kind)
    assert verdict.proof.engine == "symbolic"
    if kind is Violated:
        assert verdict.witness.whole


def test_again_and_again_is_decided_on_a_diagram():
    compiled, mine = philosophers(40)
    first, second = (Atom(at_least(eats, 1)) for _, _, eats in mine[:2])
    budget = Budget(states=100)
    for formula, kind in (
        (Disj((Eventually(Always(Neg(first))), Always(Eventually(second)))), Holds),
        (Disj((Always(Eventually(Conj((first, second)))), Eventually(Always(first)))), Violated),
    ):
        verdict = answer(compiled, formula, "ltl", "edges", budget=budget, engine="symbolic", reduce=False)
        assert isinstance(verdict, (kind, Inconclusive) if kind is Violated else kind)  # the fair run is too long
        assert kind is Violated or verdict.proof.states > 10**15


@pytest.mark.parametrize(
    ("check", "fairness"), [("ctl", "strong"), ("ltl", "weak"), ("ltl", "edges"), ("ctl", "nothing")]
)
def test_the_budget_of_seconds_bounds_the_judging_too(check, fairness):
    compiled = independent(16)
    start = Conj(tuple(Atom(at_least(3 * n, 1)) for n in range(16)))
    moved = Disj(tuple(Atom(at_least(3 * n + 1, 1)) for n in range(15)))
    formula = (
        Every(Always(Some(Eventually(Some(Next(start))))))
        if check == "ctl"
        else Always(Next(Disj((moved, Neg(moved)))))
    )
    begun = monotonic()
    verdict = answer(compiled, formula, check, fairness, budget=Budget(states=None, seconds=1.5), engine="reference")
    assert isinstance(verdict, Inconclusive)
    assert verdict.budget == "seconds"
    assert verdict.option == "--budget-seconds"
    assert monotonic() - begun < 4


def test_showing_a_counterexample_again_ends_when_the_time_is_over():
    compiled = independent(11)  # 177,147 states
    twice = Atom(at_least(0, 2))
    formula = normal(Some(Eventually(twice)))
    claims = [Violated(Fails(formula, "edges"), Tree(Branch(formula)), Proof("reference"))]
    claims.append(Violated(NeverHolds(at_least(0, 2)), Never(Certificate("closed set")), Proof("reference")))
    for violated in claims:
        begun = monotonic()
        (left,) = replay(compiled, violated, until=begun + 0.2).partly
        assert "it took too long" in left
        assert monotonic() - begun < 2
    small = independent(2)
    for violated in claims:
        assert replay(small, violated, until=monotonic()).partly == ()
