"""Workflow nets against the definition: short-circuit the net, and it is strongly connected."""

from __future__ import annotations

import networkx
from hypothesis import given
from hypothesis import strategies as st

from placet.net.builder import NetBuilder
from placet.net.workflow_net import workflow_net
from strategies import nets, workflow_nets


def by_definition(net):
    """Van der Aalst 1998: one source, one sink, and with a transition from sink to source strongly connected."""
    graph = networkx.DiGraph()
    graph.add_nodes_from(("p", p) for p in range(len(net.places)))
    graph.add_nodes_from(("t", t) for t in range(len(net.transitions)))
    for t in range(len(net.transitions)):
        graph.add_edges_from((("p", p), ("t", t)) for p, _ in (*net.pre[t], *net.read[t]))
        graph.add_edges_from((("t", t), ("p", p)) for p, _ in (*net.post[t], *net.read[t]))
    sources = [p for p in range(len(net.places)) if graph.in_degree(("p", p)) == 0]
    sinks = [p for p in range(len(net.places)) if graph.out_degree(("p", p)) == 0]
    if len(sources) != 1 or len(sinks) != 1:
        return None
    graph.add_edge(("p", sinks[0]), "back")
    graph.add_edge("back", ("p", sources[0]))
    return (sources[0], sinks[0]) if networkx.is_strongly_connected(graph) else None


@given(
    st.one_of(workflow_nets().map(lambda c: c.net), nets(reads=True).map(lambda m: m.net), nets().map(lambda m: m.net))
)
def test_definition(net) -> None:
    # a single place that is source and sink at once is no workflow net: nothing can happen in it
    expected = by_definition(net) if len(net.places) + len(net.transitions) > 1 else None
    assert workflow_net(net) == (None if expected and expected[0] == expected[1] else expected)


def test_examples() -> None:
    builder = NetBuilder()
    i, o = builder.place("i"), builder.place("o")
    builder.transition("t", {i: 1}, {o: 1})
    assert workflow_net(builder.build()[0]) == (0, 1)
    alone = NetBuilder()
    alone.place("i")
    assert workflow_net(alone.build()[0]) is None
    builder.transition("loose", {}, {})
    assert workflow_net(builder.build()[0]) is None
