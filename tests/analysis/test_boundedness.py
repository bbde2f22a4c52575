"""Bounds of places: where a pump is written out, what it refutes, and the same after a reduction."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles.reachability import explore as textbook
from placet.analysis import boundedness, strategy
from placet.analysis.strategy import Options, decide
from placet.compiled import Query
from placet.evidence import Budget, Grows, Holds, Inconclusive, Reaches, Violated
from placet.net.builder import NetBuilder
from placet.net.firing import fire
from strategies import any_nets, compiled_of


@pytest.mark.parametrize(("gain", "setting"), [(1, 0), (3, 2)])
def test_a_bound_is_exceeded_in_so_many_rounds_or_by_a_place_that_grows(gain, setting):
    """Up to a bound of `_ROUNDS` the run is written out whole; far past it the loop itself is the answer."""
    builder = NetBuilder("net")
    here, there, pile = builder.place("here", 1), builder.place("there"), builder.place("pile", setting)
    builder.transition("more", {here: 1}, {there: 1, pile: gain})
    builder.transition("back", {there: 1}, {here: 1})
    compiled = compiled_of(*builder.build())
    most = boundedness._ROUNDS
    near, far = decide(compiled, [Query("bounded", "", place=pile, bound=b) for b in (most, 10 * most)])
    assert isinstance(near.verdict, Violated)
    assert isinstance(near.verdict.claim, Reaches)
    rounds = (most - setting) // gain + 1
    assert near.verdict.witness.trace == (0, 1) * (rounds - 1) + (0,)
    assert near.verdict.culprits == (pile,)
    assert isinstance(far.verdict, Violated)
    assert far.verdict.claim == Grows(pile)


@settings(max_examples=400)
@given(any_nets(), st.data(), st.booleans())
def test_bounds_of_nets_that_may_have_none(marked, data, at_once):
    net, initial = marked
    graph = textbook(net, initial, (), 300)
    place = data.draw(st.integers(0, len(net.places) - 1))
    bound = data.draw(st.integers(0, 12))
    compiled = compiled_of(net, initial)
    before = strategy.FIRST_PLACES
    strategy.FIRST_PLACES = 0 if at_once else before
    try:
        queries = (Query("bounded", ""), Query("bounded", "", place=place, bound=bound), Query("safe", ""))
        whole, named, safe = (a.verdict for a in decide(compiled, queries, Options(Budget(states=1000))))
    finally:
        strategy.FIRST_PLACES = before
    most = max(state[place] for state in graph.edges)
    assert isinstance(whole, Holds) if graph.whole else not isinstance(whole, Holds)
    if graph.whole:
        assert isinstance(named, Holds if most <= bound else Violated)
    elif most > bound:
        assert not isinstance(named, Holds)
    for verdict, places, limit in ((named, (place,), bound), (safe, range(len(net.places)), 1)):
        if isinstance(verdict, Violated) and isinstance(verdict.claim, Reaches):
            marking = initial
            for t in verdict.witness.trace:
                assert all(marking[p] <= limit for p in places)
                marking = fire(net, marking, t)
            assert verdict.culprits == tuple(p for p in places if marking[p] > limit) != ()
    assert not isinstance(whole, Inconclusive) or not graph.whole


@settings(max_examples=200)
@given(any_nets())
def test_the_greatest_count_is_told(marked):
    net, initial = marked
    graph = textbook(net, initial, (), 300)
    assume(graph.whole)
    (answer,) = decide(compiled_of(net, initial), (Query("bounded", ""),), Options(reduce=False))
    most = max(n for state in graph.edges for n in state)
    assert f"more than {most} times" in answer.verdict.proof.argument
