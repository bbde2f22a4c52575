"""Backward search on random nets, bounded or not, with resets, against exploration and the tree of Karp and Miller."""

from __future__ import annotations

from random import Random

import pytest

from oracles.coverability import greatest
from oracles.reachability import explore as textbook
from placet import pipeline
from placet.analysis import strategy
from placet.analysis.backward import counted, decide_one
from placet.analysis.replay import replay
from placet.compiled import Query
from placet.errors import EvidenceError
from placet.evidence import Budget, Holds, Inconclusive, Violated
from placet.logic.state import And, Fireable, Linear, Not, Or, at_least, evaluate
from placet.net.builder import NetBuilder
from placet.net.observer import Observer
from strategies import compiled_of


def random_case(rng, *, resets):
    builder = NetBuilder()
    places = rng.randint(1, 4)
    for p in range(places):
        builder.place(f"p{p}", rng.choice((0, 0, 1, 2)))
    count = rng.randint(1, 5)
    for t in range(count):
        pre, post = ({rng.randrange(places): rng.choice((1, 1, 2)) for _ in range(rng.randint(0, 2))} for _ in "io")
        read = {rng.randrange(places): rng.choice((1, 2))} if rng.random() < 0.25 else None
        reset = (rng.randrange(places),) if resets and rng.random() < 0.4 else ()
        builder.transition(f"t{t}", pre, post, read=read, reset=reset)
    net, initial = builder.build()
    watch = ()
    if rng.random() < 0.5:
        watch = (
            Observer(
                "o", "o", ((rng.randrange(count), rng.choice((1, 2))),), 0, rng.choice((1, 3)), rng.choice((0, 0, 1))
            ),
        )
    return compiled_of(net, initial, observers=watch)


def upwards(rng, compiled, depth=2):
    """A predicate that more tokens keep true, written in any way."""
    kind = rng.randrange(4 if depth else 2)
    if kind == 0 and rng.random() < 0.3:
        return Fireable(rng.randrange(len(compiled.net.transitions)))
    if kind < 2:
        terms = tuple((rng.randrange(len(compiled.start)), rng.choice((1, 1, 2))) for _ in range(rng.choice((1, 1, 2))))
        op = rng.choice((">=", ">", "<"))
        made = Linear(terms, op, rng.randint(0, 5))
        return Not(made) if op == "<" else made
    parts = tuple(upwards(rng, compiled, depth - 1) for _ in range(rng.randint(1, 2)))
    return (And if kind == 2 else Or)(parts)


def shows(net, predicate, state):
    """Whether a state, perhaps with omegas, satisfies a predicate; more than enough of everything disables nothing here."""

    def able():
        sides = (net.pre, net.read)
        return [t for t in range(len(net.transitions)) if all(state[p] >= w for side in sides for p, w in side[t])]

    return evaluate(predicate, state, able)


@pytest.mark.parametrize("resets", [False, True])
def test_against_exploration_and_the_tree(resets):
    proved = violated = unbounded = 0
    for seed in range(1500):
        rng = Random(seed + resets * 10**6)
        compiled = random_case(rng, resets=resets)
        net = compiled.net
        predicate = upwards(rng, compiled)
        made = counted(net, compiled.start, compiled.observers)
        verdicts = [decide_one(made, len(net.places), Query(c, c, predicate)) for c in ("never", "possible")]
        assert None not in verdicts
        never, possible = verdicts
        graph = textbook(net, compiled.initial, compiled.observers, 300)
        found = any(shows(net, predicate, state) for state in graph.edges)
        assert isinstance(never, Violated) is isinstance(possible, Holds)
        if graph.whole or found:
            assert isinstance(never, Violated) is found, seed
        elif not resets and not compiled.observers:
            tops = greatest(net, compiled.initial)
            assert isinstance(never, Violated) is any(shows(net, predicate, top) for top in tops)
        for verdict in verdicts:
            if isinstance(verdict, Violated):
                assert replay(compiled, verdict).partly == ()
        proved += isinstance(never, Holds)
        violated += isinstance(never, Violated)
        unbounded += not graph.whole
    assert min(proved, violated, unbounded) > 300


def test_a_certificate_that_shows_nothing_is_refused():
    builder = NetBuilder()
    a, pile, bad = builder.place("a", 1), builder.place("pile"), builder.place("bad")
    builder.transition("more", {a: 1}, {a: 1, pile: 1})
    builder.transition("spoil", {bad: 1, pile: 5}, {bad: 2})
    compiled = compiled_of(*builder.build())
    made = counted(compiled.net, compiled.start)
    verdict = decide_one(made, 3, Query("possible", "", at_least(bad, 2)))
    assert replay(compiled, verdict).partly == ()
    certificate = verdict.witness.certificate
    coarse = verdict.witness._replace(certificate=certificate._replace(least=(((bad, 1),),)))
    assert replay(compiled, verdict._replace(witness=coarse)).partly == ()
    for least in (
        (),
        (((bad, 3),),),
        (((pile, 1),), ((bad, 1),)),
        certificate.least[1:],
        certificate.least[:-1],
        (((a, 1),), ((bad, 1),)),
        (((bad, 2),),),
    ):
        wrong = verdict.witness._replace(certificate=certificate._replace(least=least))
        with pytest.raises(EvidenceError):
            replay(compiled, verdict._replace(witness=wrong))


HEAP = """
net works {
  place free = 1, busy, heap, broken, dust
  transition start: free -> busy
  transition finish: busy -> free + heap
  transition clear: free + reset heap -> free
  transition crash: broken + heap -> dust
}
"""


def outcome(check, **options):
    (entry,) = [c for m in pipeline.verify(f"{HEAP}\ncheck {check}\n", **options).models for c in m.checks]
    return entry.outcome


def test_questions_to_nets_without_bound_with_resets():
    assert outcome("never(broken >= 1 and heap >= 2)") == "proved"
    assert outcome("possible(heap >= 40)") == "proved"
    assert outcome("possible(dust >= 1)") == "violated"
    assert outcome("never(heap >= 3 and busy >= 1)") == "violated"
    assert outcome("quasi_live(works)") == "violated"
    assert outcome("bounded(works)") == "violated"
    # fewer tokens make it true: nothing that grows for ever can be searched for it
    assert outcome("never(heap == 0 and free + busy == 0)") == "inconclusive"


def test_inhibitors_stay_open():
    builder = NetBuilder()
    a, b = builder.place("a", 1), builder.place("b")
    builder.transition("more", {a: 1}, {a: 1, b: 2}, inhibit={b: 10**9})
    builder.transition("less", {b: 1}, {}, inhibit={a: 2})
    compiled = compiled_of(*builder.build())
    assert counted(compiled.net, compiled.start) is None
    query = Query("never", "", at_least(a, 2))
    (answer,) = strategy.decide(compiled, [query], strategy.Options(Budget(states=200)))
    assert isinstance(answer.verdict, Inconclusive)
