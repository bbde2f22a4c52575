"""The search by stubborn sets against the textbook: the same is reachable, after as few steps, with every kind of arc and observers."""

from __future__ import annotations

from random import Random

import pytest

from engines.engine_contract import run, toggles
from families import branches, philosophers
from oracles.reachability import explore as textbook
from placet.analysis import strategy
from placet.compiled import Query
from placet.engines import stubborn
from placet.engines.protocol import Visitor
from placet.evidence import Budget, Holds, Violated
from placet.logic.state import FALSE, And, Dead, Fireable, Linear, Not, Or, at_least, evaluate
from placet.net.builder import NetBuilder
from placet.net.firing import enabled
from placet.net.observer import Observer
from strategies import compiled_of

LIMIT = 250


def random_net(rng):
    """A few processes that mostly go their own way, and arcs of every kind between them; perhaps an observer."""
    builder = NetBuilder("random")
    rings = []
    for n in range(rng.randint(2, 4)):
        size = rng.randint(2, 3)
        rings.append([builder.place(f"p{n}.{k}", int(k == 0), rng.choice([None] * 12 + [1, 2])) for k in range(size)])
    shared = [builder.place(f"s{n}", rng.randint(0, 2)) for n in range(rng.randint(0, 2))]
    every = [*(p for ring in rings for p in ring), *shared]
    odd = rng.random() < 0.5
    count = 0
    for ring in rings:
        for k, here in enumerate(ring):
            if rng.random() < 0.12:
                continue
            pre, post = {here: 1}, {ring[(k + 1) % len(ring)]: 1}
            read, inhibit, reset = {}, {}, []
            for _ in range(rng.choice((0, 0, 1))):
                other = rng.choice(every)
                kind = rng.randrange(6 if odd else 2)
                if kind == 0:
                    pre[other] = rng.randint(1, 2)
                elif kind == 1:
                    post[other] = rng.randint(1, 2)
                elif kind == 2:
                    read[other] = rng.randint(1, 2)
                elif kind == 3:
                    inhibit[other] = rng.randint(1, 2)
                elif kind == 4:
                    reset.append(other)
                else:
                    reset.append(other)
                    post[other] = 1
            builder.transition(f"t{count}", pre, post, read=read, inhibit=inhibit, reset=tuple(reset))
            count += 1
    net, initial = builder.build()
    watch = ()
    if count and rng.random() < 0.4:
        deltas = {rng.randrange(count): rng.choice((1, 1, -1)) for _ in range(rng.randint(1, 3))}
        watch = (Observer("o", "it counts", tuple(sorted(deltas.items())), low=-1, high=2),)
    return net, initial, watch


def tangled_net(rng):
    """A few transitions that take from, give to, look at and empty the same few places; perhaps an observer."""
    builder = NetBuilder("tangled")
    places = [
        builder.place(f"p{n}", rng.choice((0, 0, 1, 1, 2)), rng.choice([None] * 5 + [2, 2]))
        for n in range(rng.randint(3, 6))
    ]
    odd = rng.random() < 0.6
    count = rng.randint(3, 7)
    some = lambda most: {rng.choice(places): rng.choice((1, 1, 1, 2)) for _ in range(rng.randint(0, most))}  # noqa: E731
    for t in range(count):
        pre = some(2) or {rng.choice(places): 1}
        extra = rng.randrange(5) if odd else 9
        builder.transition(
            f"t{t}",
            pre,
            some(2),
            read=some(1) if extra == 0 else {},
            inhibit=some(2) if extra == 1 else {},
            reset=tuple(some(2)) if extra == 2 else (),
        )
    net, initial = builder.build()
    watch = ()
    if rng.random() < 0.4:
        deltas = {rng.randrange(count): rng.choice((1, 1, -1)) for _ in range(rng.randint(1, 3))}
        watch = (Observer("o", "it counts", tuple(sorted(deltas.items())), low=-1, high=2),)
    return net, initial, watch


def far_goal(rng, net, watch):
    """A few conditions at once, which takes some steps to come about."""
    indices = range(len(net.places) + len(watch))
    return And(
        tuple(
            Linear(((rng.choice(indices), 1),), rng.choice((">=", ">=", "==", "<=")), rng.randint(0, 2))
            for _ in range(3)
        )
    )


def random_goal(rng, net, watch, depth=2):
    """A predicate of any kind."""
    kind = rng.randrange(7) if depth else rng.randrange(4)
    if kind < 2:
        terms = {
            rng.randrange(len(net.places) + len(watch)): rng.choice((1, 1, 1, -1, 2)) for _ in range(rng.randint(1, 3))
        }
        return Linear(tuple(sorted(terms.items())), rng.choice(("<=", ">=", "==", "!=", "<", ">")), rng.randint(0, 3))
    if kind == 2:
        return Fireable(rng.randrange(len(net.transitions))) if net.transitions else FALSE
    if kind == 3:
        return Dead(frozenset(t for t in range(len(net.transitions)) if rng.random() < 0.15))
    if kind == 4:
        return Not(random_goal(rng, net, watch, depth - 1))
    return rng.choice((And, Or))(tuple(random_goal(rng, net, watch, depth - 1) for _ in range(rng.randint(1, 3))))


@pytest.mark.parametrize("seed", range(3))
def test_the_same_is_reachable_after_as_few_steps(seed):
    rng = Random(seed)
    reached = out = smaller = 0
    for _ in range(1200):
        net, initial, watch = rng.choice((random_net, tangled_net, tangled_net))(rng)
        graph = textbook(net, initial, watch, LIMIT)
        if not graph.whole or len(graph.depth) < 4:
            continue
        goals = [rng.choice((random_goal, far_goal))(rng, net, watch) for _ in range(rng.choice((1, 1, 1, 2)))]
        found = stubborn.Stubborn().explore(
            net, initial, watch, [Visitor(goal) for goal in goals], Budget(states=4 * LIMIT)
        )
        assert found.stop is None
        smaller += found.complete and found.states < len(graph.depth)
        for goal, number in zip(goals, found.found, strict=True):
            there = [graph.depth[s] for s in graph.where(goal)]
            assert (number >= 0) == bool(there), (net, goal)
            if number < 0:
                out += 1
                continue
            reached += 1
            trace = found.trace(number)
            state = run(net, initial, watch, trace)
            assert evaluate(goal, state, lambda state=state, net=net: enabled(net, state[: len(net.places)]))
            if len(goals) == 1:
                assert len(trace) == min(there)
    assert min(reached, out) > 150
    assert smaller > 60


@pytest.mark.parametrize("check", ["deadlock_free", "never", "possible"])
def test_checks_give_the_same_verdict(check):
    rng = Random(len(check))
    seen = {Holds: 0, Violated: 0}
    for _ in range(250):
        net, initial, watch = random_net(rng)
        if not textbook(net, initial, watch, LIMIT).whole:
            continue
        compiled = compiled_of(net, initial, observers=watch)
        goal = None if check == "deadlock_free" else random_goal(rng, net, watch)
        query = Query(check, check, predicate=goal)
        whole, part = (
            strategy.decide(compiled, [query], strategy.Options(engine=name, reduce=False))[0].verdict
            for name in ("reference", "stubborn")
        )
        assert type(part) is type(whole)
        assert part.proof.engine == "stubborn"
        if check != "possible" and isinstance(whole, Violated):
            assert len(part.witness.trace) == len(whole.witness.trace)
        seen[type(whole)] += 1
    assert min(seen.values()) > 25


def test_what_is_independent_is_not_multiplied():
    net, initial = branches(8, 6)  # 6 ** 8 + 2 states
    found = stubborn.Stubborn().explore(net, initial, (), [Visitor(Dead())], Budget())
    assert found.found[0] >= 0
    assert found.states < 100
    assert stubborn.pays(found)
    net, initial = philosophers(8)
    found = stubborn.Stubborn().explore(
        net, initial, (), [Visitor(at_least(0, 2))], Budget()
    )  # a fork that is there twice
    assert found.complete
    assert found.found == (-1,)


def test_where_all_can_matter_nothing_is_left_out():
    net, initial = toggles(5)
    found = stubborn.Stubborn().explore(
        net, initial, (), [Visitor(Linear(tuple((p, 1) for p in range(10)), "!=", 5))], Budget()
    )
    assert found.complete
    assert not stubborn.pays(found) or found.states < 2**5


def in_turn(kind):
    """`one` and `other` each happen once, and only `other` first leads to both and what is asked for beside."""
    builder = NetBuilder(kind)
    a, b, one, other = (builder.place(name, int(name in "ab")) for name in ("a", "b", "one", "other"))
    p = builder.place("p", int(kind == "takes"), 1 if kind == "capacity" else None)
    pre, post, read, inhibit, reset = {a: 1}, {one: 1}, {}, {}, ()
    pre2, post2, reset2 = {b: 1}, {other: 1}, ()
    extra, watch = [], ()
    if kind == "takes":
        pre[p] = 1
        read = {p: 1}
    elif kind == "inhibits":
        post[p] = 1
        inhibit = {p: 1}
    elif kind == "empties what is put":
        post[p], reset2 = 1, (p,)
        extra = [at_least(p, 1)]
    elif kind == "is put where it empties":
        reset, post2[p] = (p,), 1
        extra = [Linear(((p, 1),), "==", 0)]
    elif kind == "capacity":
        c = builder.place("c")
        post[p], post2[p], post2[c] = 1, 1, 1
        builder.transition("away", {p: 1, c: 1}, {})
    builder.transition("one", pre, post, reset=reset)
    builder.transition("other", pre2, post2, read=read, inhibit=inhibit, reset=reset2)
    net, initial = builder.build()
    if kind == "observer":
        first = net.transition("one")
        watch = (Observer("o", "it counts", ((first, 1), (first + 1, -1))),)
        extra = [at_least(len(net.places), 1)]
    return net, initial, watch, And((at_least(one, 1), at_least(other, 1), *extra))


@pytest.mark.parametrize(
    "kind", ["takes", "inhibits", "empties what is put", "is put where it empties", "capacity", "observer"]
)
def test_what_has_to_come_first_is_not_left_out(kind):
    net, initial, watch, goal = in_turn(kind)
    graph = textbook(net, initial, watch, LIMIT)
    found = stubborn.Stubborn().explore(net, initial, watch, [Visitor(goal)], Budget())
    assert found.found[0] >= 0
    assert len(found.trace(found.found[0])) == min(graph.depth[s] for s in graph.where(goal))


def test_a_search_that_met_its_budget_goes_on_only_where_it_pays(monkeypatch):
    """Where diagrams give up, what leaves much out is asked for more, and what does not is not."""
    asked = []
    whole = stubborn.Stubborn.explore

    def explore(self, net, initial, observers, visitors, budget, progress=None):
        asked.append(budget.states)
        return whole(self, net, initial, observers, visitors, budget, progress)

    monkeypatch.setattr(stubborn.Stubborn, "explore", explore)
    for name, value in (("PROBE_STATES", 100), ("FIRST_STATES", 100), ("PROBE_TRIES", 0), ("THIN_STATES", 5)):
        monkeypatch.setattr(strategy, name, value)
    for (net, initial), searches in ((branches(4, 5), 2), (toggles(9), 1)):
        every = tuple((p, 1) for p in range(len(net.places)))  # all places are asked for, so that nothing is reduced
        alone = tuple((p, 1 if p % 2 else -1) for p in range(len(net.places)))
        parts = (at_least(1, 2), Linear(every, ">=", 0)) if searches == 2 else (Linear(alone, ">=", 10),)
        asked.clear()
        query = Query("never", "q", predicate=And(parts))
        options = strategy.Options(Budget(states=2_000))
        verdict = strategy.decide(compiled_of(net, initial), [query], options)[0].verdict
        assert isinstance(verdict, Holds)
        assert (verdict.proof.engine == "stubborn") is (searches == 2)
        assert len(asked) == searches
