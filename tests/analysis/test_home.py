"""Reversible, home and easily sound by their definitions, on random nets."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles.reachability import explore as textbook
from placet.analysis.strategy import Options, decide
from placet.compiled import Query
from placet.evidence import Budget, Holds, Violated
from placet.net.builder import NetBuilder
from strategies import any_nets, cases, compiled_of, workflow_nets

LIMIT = 250


def agrees(answer, expected):
    assert isinstance(answer.verdict, Holds if expected else Violated), answer.verdict
    if not expected:
        assert answer.replayed is not None
        assert answer.replayed.partly == ()


@settings(max_examples=200)
@given(any_nets(), st.booleans())
def test_reversible(marked, reduce):
    net, initial = marked
    graph = textbook(net, initial, (), LIMIT)
    assume(graph.whole)
    asked = (Query("reversible", ""), Query("home", ""))
    for answer in decide(compiled_of(net, initial), asked, Options(reduce=reduce)):
        stranded = [graph.depth[s] for s in graph.edges if initial not in graph.reach(s)]
        agrees(answer, not stranded)
        if stranded:
            assert len(answer.verdict.witness.trace) == min(stranded)


@settings(max_examples=200)
@given(cases())
def test_home(case):
    (net, initial), watch, predicate = case
    graph = textbook(net, initial, watch, LIMIT)
    assume(graph.whole)
    good = graph.where(predicate)
    (answer,) = decide(compiled_of(net, initial, observers=watch), (Query("home", "", predicate=predicate),))
    agrees(answer, all(graph.reach(s) & good for s in graph.edges))


def test_what_observers_counted_does_not_keep_a_net_from_its_start():
    from placet.net.observer import Observer

    b = NetBuilder("net")
    p, q = b.place("p", 1), b.place("q")
    b.transition("there", {p: 1}, {q: 1})
    b.transition("back", {q: 1}, {p: 1})
    watch = (Observer("count", "it went there", ((0, 1),), 0, 2, 0),)
    (answer,) = decide(compiled_of(*b.build(), observers=watch), (Query("reversible", ""),))
    agrees(answer, expected=True)


def test_what_has_arrived_at_the_end_is_never_taken_back():
    """Sinks that may hold anything when all is over are part of a state none the less."""
    b = NetBuilder("net")
    p, s = b.place("p", 1), b.place("s")
    b.transition("t", {p: 1}, {p: 1, s: 1})
    compiled = compiled_of(*b.build())
    compiled = compiled._replace(final=compiled.final._replace(ends=(s,), any_sink=True))
    (answer,) = decide(compiled, (Query("reversible", ""),), Options(budget=Budget(states=50)))
    assert not isinstance(answer.verdict, Holds)


@settings(max_examples=200)
@given(workflow_nets(blocks=5, breaks=4), st.booleans())
def test_easy_sound(compiled, reduce):
    graph = textbook(compiled.net, compiled.initial, (), LIMIT)
    assume(graph.whole)
    (answer,) = decide(compiled, (Query("easy_sound", ""),), Options(reduce=reduce))
    agrees(answer, bool(graph.where(compiled.final.predicate(compiled.initial))))


@settings(max_examples=120)
@given(workflow_nets(blocks=5, breaks=4))
def test_easy_sound_reduced_at_once(compiled):
    import placet.analysis.strategy as strategy

    graph = textbook(compiled.net, compiled.initial, (), LIMIT)
    assume(graph.whole)
    before, strategy.FIRST_PLACES = strategy.FIRST_PLACES, 0
    try:
        (answer,) = decide(compiled, (Query("easy_sound", ""),))
    finally:
        strategy.FIRST_PLACES = before
    agrees(answer, bool(graph.where(compiled.final.predicate(compiled.initial))))
