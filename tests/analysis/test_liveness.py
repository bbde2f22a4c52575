"""Where the run that loses a transition for ever is cut."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles import properties
from oracles.reachability import explore as textbook
from placet.analysis.strategy import Options, decide
from placet.compiled import Query
from placet.evidence import Assumptions, Holds, Inconclusive, Violated
from placet.net.builder import NetBuilder
from strategies import any_nets, compiled_of


def test_the_run_ends_where_the_transition_is_lost():
    """`again` is lost with `leave`; that nothing but `idle` is left is only seen two firings later."""
    b = NetBuilder("net")
    p, q, r, s = (b.place(name, int(name == "p")) for name in "pqrs")
    again = b.transition("again", {p: 1}, {p: 1})
    leave = b.transition("leave", {p: 1}, {q: 1})
    b.transition("on", {q: 1}, {r: 1})
    b.transition("further", {r: 1}, {s: 1})
    b.transition("idle", {s: 1}, {s: 1})
    (answer,) = decide(compiled_of(*b.build()), (Query("live", "", transition=again),), Options(reduce=False))
    assert isinstance(answer.verdict, Violated)
    assert answer.verdict.witness.trace == (leave,)


@settings(max_examples=400)
@given(any_nets(), st.data())
def test_the_shortest_run_that_loses_a_transition(marked, data):
    net, initial = marked
    graph = textbook(net, initial, (), 200)
    assume(graph.whole)
    named = data.draw(st.integers(-1, len(net.transitions) - 1))
    (answer,) = decide(compiled_of(net, initial), (Query("live", "", transition=named),), Options(reduce=False))
    asked = range(len(net.transitions)) if named < 0 else (named,)
    assume(isinstance(answer.verdict, Violated))
    lost = answer.verdict.claim.goal.transition
    assert lost == answer.verdict.culprits[0]
    assert set(answer.verdict.culprits) <= {t for t in asked if not properties.live(graph, t)}
    fires = {state for state, out in graph.edges.items() if any(t == lost for t, _ in out)}
    without = {state: graph.depth[state] for state in graph.edges if not graph.reach(state) & fires}
    assert len(answer.verdict.witness.trace) == min(without.values())


@pytest.mark.parametrize(("guards", "verdict"), [((), Holds), (("amount > 10",), Inconclusive)])
def test_conditions_over_data_may_keep_a_transition_from_firing_again(guards, verdict):
    b = NetBuilder("net")
    p, q = b.place("p", 1), b.place("q")
    b.transition("there", {p: 1}, {q: 1})
    b.transition("back", {q: 1}, {p: 1})
    compiled = compiled_of(*b.build())._replace(assumptions=Assumptions(free_guards=guards))
    (answer,) = decide(compiled, (Query("live", ""),))
    assert isinstance(answer.verdict, verdict)
