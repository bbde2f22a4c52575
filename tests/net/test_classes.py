"""Classes of nets against their definitions, quantifier by quantifier."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.net.builder import NetBuilder
from placet.net.classes import NetClass, classes
from strategies import nets, workflow_nets


def by_definition(net) -> set[NetClass]:
    if not net.is_ordinary:
        return set()
    pre = [{p for p, _ in arcs} for arcs in net.pre]
    post = [{p for p, _ in arcs} for arcs in net.post]
    places, transitions = range(len(net.places)), range(len(net.transitions))
    into = {p: {t for t in transitions if p in post[t]} for p in places}
    out = {p: {t for t in transitions if p in pre[t]} for p in places}
    pairs = [(p, q) for p, q in product(places, places) if out[p] & out[q]]
    found = {
        NetClass.MARKED_GRAPH: all(len(into[p]) == 1 and len(out[p]) == 1 for p in places),
        NetClass.S_NET: all(len(pre[t]) == 1 and len(post[t]) == 1 for t in transitions),
        NetClass.FREE_CHOICE: all(out[p] == {t} or pre[t] == {p} for t in transitions for p in pre[t]),
        NetClass.EXTENDED_FREE_CHOICE: all(out[p] == out[q] for p, q in pairs),
        NetClass.ASYMMETRIC_CHOICE: all(out[p] <= out[q] or out[q] <= out[p] for p, q in pairs),
    }
    return {kind for kind, holds in found.items() if holds}


@given(
    st.one_of(
        nets(max_places=4).map(lambda m: m.net),
        nets(weights=2, reads=True).map(lambda m: m.net),
        workflow_nets(extensions=False).map(lambda c: c.net),
    )
)
def test_definitions(net) -> None:
    assert classes(net) == by_definition(net)


@given(workflow_nets(extensions=False))
def test_each_class_lies_in_the_next(compiled) -> None:
    found = classes(compiled.net)
    chain = [NetClass.FREE_CHOICE, NetClass.EXTENDED_FREE_CHOICE, NetClass.ASYMMETRIC_CHOICE]
    for smaller, larger in zip(chain, chain[1:], strict=False):
        assert smaller not in found or larger in found


@pytest.mark.parametrize(
    ("arcs", "missing"),
    [
        ([([0], [1]), ([1], [0])], set()),
        ([([0], [1]), ([0], [2])], {NetClass.MARKED_GRAPH}),
        ([([0, 1], [0]), ([0, 1], [1])], {NetClass.MARKED_GRAPH, NetClass.S_NET, NetClass.FREE_CHOICE}),
        (
            [([0, 1], [2]), ([1], [2])],
            {NetClass.MARKED_GRAPH, NetClass.S_NET, NetClass.FREE_CHOICE, NetClass.EXTENDED_FREE_CHOICE},
        ),
        ([([0, 1], [2]), ([1], [2]), ([0], [2])], set(NetClass)),
    ],
)
def test_examples(arcs, missing) -> None:
    builder = NetBuilder()
    for p in range(1 + max(max(*pre, *post) for pre, post in arcs)):
        builder.place(f"p{p}")
    for n, (pre, post) in enumerate(arcs):
        builder.transition(f"t{n}", dict.fromkeys(pre, 1), dict.fromkeys(post, 1))
    assert set(NetClass) - classes(builder.build()[0]) == missing
