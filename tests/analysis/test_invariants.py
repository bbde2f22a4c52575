"""Semiflows by their definition, minimality by trying all small vectors, bounds against the reachable markings."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from oracles.reachability import explore
from placet.analysis.invariants import Bounds, semiflows
from placet.net.builder import NetBuilder
from strategies import any_nets, plain_nets, weighted_nets


def changes(net, vector):
    """y * C by transition."""
    return [
        sum(vector[p] * w for p, w in net.post[t]) - sum(vector[p] * w for p, w in net.pre[t])
        for t in range(len(net.transitions))
    ]


def dense(net, flow):
    weights = dict(flow.weights)
    return tuple(weights.get(p, 0) for p in range(len(net.places)))


def support(net, vector, *, surplus):
    places = {("place", p) for p, w in enumerate(vector) if w}
    return places | ({("slack", t) for t, w in enumerate(changes(net, vector)) if w} if surplus else set())


def brute_force(net, most, *, surplus):
    """All vectors with weights up to `most` that are semiflows."""
    fits = (lambda c: c <= 0) if surplus else (lambda c: c == 0)
    vectors = product(range(most + 1), repeat=len(net.places))
    return [v for v in vectors if any(v) and all(fits(c) for c in changes(net, v))]


@given(st.one_of(plain_nets(max_places=4), weighted_nets(max_places=4)), st.booleans())
@settings(max_examples=600)
def test_each_is_a_semiflow_and_minimal_and_none_is_missing(marked, surplus):
    net = marked.net
    found = semiflows(net, surplus=surplus)
    assert found.complete
    vectors = [dense(net, flow) for flow in found.found]
    small = brute_force(net, 3, surplus=surplus)
    for vector in vectors:
        assert all(c <= 0 if surplus else c == 0 for c in changes(net, vector))
        mine = support(net, vector, surplus=surplus)
        assert not any(support(net, other, surplus=surplus) < mine for other in small)
        assert not any(support(net, other, surplus=surplus) <= mine for other in vectors if other != vector)
    for vector in small:
        mine = support(net, vector, surplus=surplus)
        assert any(support(net, other, surplus=surplus) <= mine for other in vectors)


@given(any_nets())
@settings(max_examples=600)
def test_no_reachable_marking_exceeds_a_bound(marked):
    found = Bounds(*marked).of(range(len(marked.net.places)))
    graph = explore(marked.net, marked.initial, limit=200)
    for marking in graph.depth:
        assert all(most is None or marking[p] <= most for p, most in found.items())


@given(weighted_nets(max_places=5), st.integers(1, 4), st.integers(0, 200))
@settings(max_examples=300)
def test_what_is_found_with_little_work_is_right(marked, pairs, work):
    for flow in semiflows(marked.net, surplus=True, most_pairs=pairs, most_work=work).found:
        assert all(c <= 0 for c in changes(marked.net, dense(marked.net, flow)))


def test_the_work_is_bounded_where_there_are_exponentially_many():
    builder = NetBuilder("diamonds")
    joints = [builder.place(f"j{i}", int(i == 0)) for i in range(40)]
    for i in range(40):
        here, there = joints[i], joints[(i + 1) % 40]
        left, right = builder.place(f"l{i}"), builder.place(f"r{i}")
        builder.transition(f"fork{i}", {here: 1}, {left: 1, right: 1})
        builder.transition(f"join{i}", {left: 1, right: 1}, {there: 1})
    net, initial = builder.build()
    found = semiflows(net)  # 2^40 of them
    assert not found.complete
    assert 0 < len(found.found) < 10_000
    assert set(Bounds(net, initial).of(range(len(net.places))).values()) == {1}


def test_tokens_that_are_lost_bound_as_well_as_tokens_that_stay():
    builder = NetBuilder("leak")
    p, q, r = builder.place("p", 3), builder.place("q"), builder.place("r", 0, 7)
    builder.transition("t", {p: 1}, {q: 2})
    builder.transition("lose", {q: 1}, {})
    builder.transition("make", {}, {r: 1})
    net, initial = builder.build()
    assert semiflows(net).found == ()
    assert Bounds(net, initial).of(range(3)) == {0: 3, 1: 6, 2: 7}
