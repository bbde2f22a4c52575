"""Where a run can stay in a set, and which transitions are on no ring of it, against the definitions."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engines.diagrams.drawn import diagrams
from families import branches
from placet.engines.diagrams.backward import Backward
from placet.engines.diagrams.diagram import Diagram
from placet.engines.diagrams.rings import on_no_ring
from placet.engines.diagrams.sets import Selection
from placet.engines.diagrams.staying import Staying
from strategies import predicates


def asked(drawn, data):
    """A set to stay in, ends, and transitions that are put aside."""
    graph, count = drawn.graph, len(drawn.graph.net.transitions)
    aside = data.draw(st.frozensets(st.integers(0, count - 1), max_size=2))
    end = data.draw(predicates(len(next(iter(graph.depth))), count))
    return aside, end, graph.where(drawn.predicate), graph.where(drawn.predicate) & graph.where(end)


@settings(max_examples=250)
@given(diagrams(), st.data())
def test_staying_is_the_greatest_fixpoint(drawn, data):
    aside, end, held, ends = asked(drawn, data)
    left = set(held)
    while True:
        less = {
            s for s in left if s in ends or any(t not in aside and after in left for t, after in drawn.graph.edges[s])
        }
        if less == left:
            break
        left = less
    selection = Selection(drawn.forest, drawn.relation)
    inside = selection.select(drawn.root, drawn.predicate)
    made = {}

    def against(without):
        return made.setdefault(without, Backward(drawn.forest, drawn.relation, without))

    found = Staying(drawn.forest, drawn.relation, against).within(inside, selection.select(inside, end), aside)
    assert drawn.members(found) == left


@settings(max_examples=250)
@given(diagrams(), st.data())
def test_what_is_on_a_ring_is_never_left_out(drawn, data):
    aside, _, held, _ = asked(drawn, data)
    edges = {s: [(t, to) for t, to in drawn.graph.edges[s] if t not in aside and to in held] for s in held}

    def reached(start):
        found, pending = {start}, [start]
        while pending:
            for _, to in edges[pending.pop()]:
                if to not in found:
                    found.add(to)
                    pending.append(to)
        return found

    on_rings = {t for s in held for t, to in edges[s] if s in reached(to)}
    inside = Selection(drawn.forest, drawn.relation).select(drawn.root, drawn.predicate)
    chains = {chain: t for t, chain in drawn.relation.chain_of.items() if t not in aside}
    never = on_no_ring(drawn.forest, drawn.relation, inside, chains)
    assert not {t for t, chain in drawn.relation.chain_of.items() if chain in never} & on_rings


def test_what_goes_forward_only_is_on_no_ring():
    net, initial = branches(4, 5)
    diagram = Diagram(net, initial, [[p] for p in range(len(initial))])
    relation = diagram._relation
    never = on_no_ring(diagram._forest, relation, diagram.all, relation.chain_of.values())
    assert never == frozenset(relation.chain_of.values())
    assert diagram.staying(diagram.all, 0) == 0
