"""Every examination on random small nets against the textbook: what is answered is right, and on these nets all is answered."""

from __future__ import annotations

from time import monotonic

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles.reachability import explore as textbook
from oracles.runs import holds_in, lassos, on_lasso
from placet.analysis.contest import bounds, context, goals, live, symbolic, temporal
from placet.analysis.contest.context import Context
from placet.analysis.contest.examination import EXAMINATIONS, GLOBAL, examine
from placet.analysis.temporal.symbolic import Symbolic
from placet.logic.state import Fireable, Linear, Not, at_least
from placet.logic.temporal import Always, Atom, Conj, Disj, Eventually, Every, Neg, Next, Some, Until
from placet.net.builder import NetBuilder
from strategies import any_nets, plain_nets, weighted_nets

bounded = st.one_of(plain_nets(), weighted_nets(), any_nets())


def run(examination, marked, formulas=None, places=None, seconds=20.0):
    told = {}

    def tell(name, answer):
        assert name not in told
        told[name] = answer

    examine(examination, Context(*marked, monotonic() + seconds, tell), formulas or {}, places or {})
    return told


def graph_of(marked, limit=150):
    graph = textbook(*marked, (), limit)
    assume(graph.whole)
    return graph


def is_live(graph, count):
    return all({t for s in graph.reach(state) for t, _ in graph.edges[s]} == set(range(count)) for state in graph.edges)


@settings(max_examples=40)
@given(bounded)
def test_global_properties_and_the_state_space(marked):
    net, initial = marked
    graph = graph_of(marked)
    states, count = list(graph.edges), len(net.transitions)
    fired = {t for out in graph.edges.values() for t, _ in out}
    want = {
        "ReachabilityDeadlock": any(not out for out in graph.edges.values()),
        "OneSafe": all(m <= 1 for s in states for m in s),
        "QuasiLiveness": len(fired) == count,
        "Liveness": is_live(graph, count),
        "StableMarking": any(len({s[p] for s in states}) == 1 for p in range(len(initial))),
    }
    assert set(want) == set(GLOBAL)
    for name, value in want.items():
        assert run(name, marked) == {name: "TRUE" if value else "FALSE"}
    assert run("StateSpace", marked) == {
        "STATES": str(len(states)),
        "TRANSITIONS": str(sum(map(len, graph.edges.values()))),
        "MAX_TOKEN_IN_PLACE": str(max(m for s in states for m in s)),
        "MAX_TOKEN_PER_MARKING": str(max(map(sum, states))),
    }


@st.composite
def predicates(draw, net):
    if draw(st.booleans()):
        return Fireable(draw(st.integers(0, len(net.transitions) - 1)))
    terms = tuple((p, draw(st.integers(-1, 1))) for p in range(len(net.places)))
    return Linear(tuple((p, c) for p, c in terms if c), "<=", draw(st.integers(-1, 2)))


def formulas(atoms, *, linear):
    def extend(inner):
        boolean = st.one_of(
            inner.map(Neg),
            st.lists(inner, min_size=2, max_size=2).map(lambda p: Conj(tuple(p))),
            st.lists(inner, min_size=2, max_size=2).map(lambda p: Disj(tuple(p))),
        )
        paths = st.one_of(
            inner.map(Next), inner.map(Eventually), inner.map(Always), st.tuples(inner, inner).map(lambda p: Until(*p))
        )
        return st.one_of(boolean, paths if linear else st.one_of(paths.map(Some), paths.map(Every)))

    made = st.recursive(atoms.map(Atom), extend, max_leaves=5)
    return made.map(Every) if linear else made


@settings(max_examples=48)
@given(bounded, st.data())
def test_diagrams_alone_tell_the_same(marked, data):
    net, initial = marked
    graph = graph_of(marked, 20)
    states = list(graph.edges)
    context = Context(net, initial, monotonic() + 20, lambda *_: None)
    diagram = context.diagram(context.until)
    assert symbolic.has_deadlock(diagram) is any(not out for out in graph.edges.values())
    assert symbolic.is_one_safe(context, diagram) is all(m <= 1 for s in states for m in s)
    fired = {t for out in graph.edges.values() for t, _ in out}
    assert symbolic.is_quasi_live(context, diagram) is (len(fired) == len(net.transitions))
    assert symbolic.is_stable(context, diagram) is any(len(set(column)) == 1 for column in zip(*states, strict=True))
    assert symbolic.is_live(context, diagram) is is_live(graph, len(net.transitions))
    goal, formula = data.draw(predicates(net)), data.draw(formulas(predicates(net), linear=False))
    told = {}
    symbolic.reachable(context, {0: goal}, context.until, told.__setitem__)
    assert told == {0: bool(graph.where(goal))}
    edges = [[states.index(a) for _, a in graph.edges[s]] for s in states]
    want = holds_in(formula, 0, edges, lambda p, s: graph.holds(p, states[s]))
    assert symbolic.holds(context, formula, Symbolic(diagram), linear=False) is want
    (most,) = symbolic.greatest(context, {"sum": (0, 0)}, context.until)
    assert most == ("sum", 2 * max(s[0] for s in states))


@settings(max_examples=72)
@given(bounded, st.data())
def test_ctl(marked, data):
    graph = graph_of(marked, 12)
    formula = data.draw(formulas(predicates(marked[0]), linear=False))
    states = list(graph.edges)
    edges = [[states.index(a) for _, a in graph.edges[s]] for s in states]
    want = holds_in(formula, 0, edges, lambda p, s: graph.holds(p, states[s]))
    assert run("CTLCardinality", marked, {"f": formula}) == {"f": "TRUE" if want else "FALSE"}


@settings(max_examples=72)
@given(bounded, st.data())
def test_ltl(marked, data):
    graph = graph_of(marked, 6)
    formula = data.draw(formulas(predicates(marked[0]), linear=True))
    states = list(graph.edges)
    edges = [sorted({states.index(a) for _, a in graph.edges[s]}) for s in states]
    holds = lambda p, s: graph.holds(p, states[s])  # noqa: E731
    told = run("LTLFireability", marked, {"f": formula})
    refuted = any(not on_lasso(formula.of, stem, loop, holds) for stem, loop in lassos(edges, 6))
    assert told["f"] == "FALSE" if refuted else "f" in told


@settings(max_examples=72)
@given(bounded, st.data())
def test_reachability_and_bounds_without_the_first_look(marked, data):
    """The same with next to no states in the first look, so that walks, proofs and reductions have their turn."""
    graph = graph_of(marked)
    predicate = data.draw(predicates(marked[0]))
    places = tuple(data.draw(st.lists(st.integers(0, len(marked[1]) - 1), max_size=3, unique=True)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(goals, "FIRST", 2)
        patch.setattr(bounds, "FIRST", 2)
        patch.setattr(temporal, "FIRST_ROUNDS", (1, 2))
        patch.setattr(temporal, "MANY", 3)
        asked = {"ef": Some(Eventually(Atom(predicate))), "ag": Every(Always(Atom(predicate)))}
        told = run("ReachabilityFireability", marked, asked)
        most = run("UpperBounds", marked, places={"b": places})
    assert told["ef"] == ("TRUE" if graph.where(predicate) else "FALSE")
    assert told["ag"] == ("FALSE" if graph.where(Not(predicate)) else "TRUE")
    assert most == {"b": str(max(sum(s[p] for p in places) for s in graph.edges))}


@settings(max_examples=72)
@given(bounded)
def test_starved_transitions_never_fire_and_caught_walkers_show_that_a_net_is_not_live(marked):
    from placet.analysis.contest.global_properties import starved

    net, initial = marked
    graph = graph_of(marked)
    fired = {t for out in graph.edges.values() for t, _ in out}
    assert not starved(net, initial) & fired
    if live.commoner(net, initial):
        assert is_live(graph, len(net.transitions))
    if live.fires_finitely(Context(net, initial, monotonic() + 10, lambda *_: None)):
        assert not is_live(graph, len(net.transitions))


def test_a_free_choice_net_is_proved_live_without_search():
    builder = NetBuilder()
    a, b, c, d = (builder.place(x, int(x == "a")) for x in "abcd")
    builder.transition("fork", {a: 1}, {b: 1, c: 1})
    builder.transition("join", {b: 1, d: 1}, {a: 1})
    builder.transition("x", {c: 1}, {d: 1})
    builder.transition("y", {c: 1}, {d: 1})
    net, initial = builder.build()
    from placet.analysis.state_equation import available

    assert live.commoner(net, initial) is available()
    assert not live.commoner(net, (0, 0, 0, 0))
    assert not live.commoner(net, (0, 0, 1, 0))


def test_with_no_time_nothing_is_said():
    net, initial = NetBuilder().build()
    builder = NetBuilder()
    for i in range(40):
        p, q = builder.place(f"p{i}", 1), builder.place(f"q{i}")
        builder.transition(f"t{i}", {p: 1}, {q: 1})
        builder.transition(f"u{i}", {q: 1}, {p: 1})
    marked = builder.build()
    for name in EXAMINATIONS:
        told = run(name, marked, {"f": Every(Eventually(Atom(at_least(1))))}, {"b": (0,)}, seconds=0.0)
        assert all(answer in ("TRUE", "FALSE", "1") for answer in told.values())
    assert context.MEMORY < 4_000_000_000
