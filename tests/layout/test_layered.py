"""Laws of the layered layout: nothing overlaps, edges go down but for those that close a cycle, always the same."""

from __future__ import annotations

import random

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.layout.layered import assign_layers, back_edges, layered
from placet.layout.ordering import crossings, order_layers
from placet.layout.placing import rising

GAP = (24.0, 46.0)


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 14))
    sizes = [(draw(st.sampled_from([2.0, 30.0, 117.5])), draw(st.sampled_from([10.0, 40.0]))) for _ in range(count)]
    edges = draw(st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=24))
    return sizes, edges


@given(graphs())
def test_nothing_overlaps_and_everything_is_inside(graph):
    sizes, edges = graph
    found = layered(sizes, edges, gap=GAP)
    boxes = [(x - w / 2, y - h / 2, x + w / 2, y + h / 2) for (x, y), (w, h) in zip(found.centres, sizes, strict=False)]
    for left, top, right, bottom in boxes:
        assert left >= -1e-6 and top >= -1e-6 and right <= found.width + 1e-6 and bottom <= found.height + 1e-6
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            beside = one[2] + GAP[0] <= other[0] + 1e-6 or other[2] + GAP[0] <= one[0] + 1e-6
            below = one[3] + GAP[1] <= other[1] + 1e-6 or other[3] + GAP[1] <= one[1] + 1e-6
            assert beside or below


@given(graphs())
def test_edges_go_down_but_for_the_turned_ones(graph):
    sizes, edges = graph
    found = layered(sizes, edges)
    for e, (a, b) in enumerate(edges):
        if a != b:
            step = found.layers[b] - found.layers[a]
            assert step < 0 if e in found.turned else step > 0
            ys = [y for _, y in found.routes[e]]
            assert ys == sorted(ys, reverse=e in found.turned)
        assert found.routes[e][0] == found.centres[a]
        assert found.routes[e][-1] == found.centres[b]


@given(graphs())
def test_turning_back_edges_leaves_no_cycle_and_turns_none_without_need(graph):
    _, edges = graph
    turned = back_edges(len(graph[0]), edges)
    proper = [(b, a) if e in turned else (a, b) for e, (a, b) in enumerate(edges) if a != b]
    assert networkx.is_directed_acyclic_graph(networkx.DiGraph(proper))
    if networkx.is_directed_acyclic_graph(networkx.DiGraph(edges)):
        assert not turned


@given(graphs())
def test_the_same_graph_has_the_same_drawing(graph):
    assert layered(*graph) == layered(*graph)


@given(graphs())
def test_layers_have_no_gaps(graph):
    found = layered(*graph)
    assert set(found.layers) == set(range(max(found.layers) + 1))


def test_a_chain_is_straight_and_a_split_is_balanced():
    found = layered([(40.0, 20.0)] * 5, [(i, i + 1) for i in range(4)])
    assert len({round(x, 3) for x, _ in found.centres}) == 1
    found = layered([(40.0, 20.0)] * 4, [(0, 1), (0, 2), (1, 3), (2, 3)])
    (top, _), (left, _), (right, _), (bottom, _) = found.centres
    assert top == pytest.approx((left + right) / 2) == pytest.approx(bottom)


def test_short_edges_are_preferred():
    # 3 has one successor far down and none above: it belongs right above it
    assert assign_layers(4, [(0, 1), (1, 2), (3, 2)]) == [0, 1, 2, 1]


def test_a_ladder_is_drawn_without_crossings():
    edges = [(0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7), (6, 7)]
    rows = order_layers([0, 1, 1, 2, 2, 3, 3, 4], edges, 8)
    below = [[b for a, b in edges if a == v] for v in range(8)]
    assert crossings(rows, below) == 0


@given(st.integers(1, 5), st.integers(1, 5), st.data())
def test_crossings_are_counted(top, bottom, data):
    pairs = data.draw(st.lists(st.tuples(st.integers(0, top - 1), st.integers(0, bottom - 1)), max_size=12))
    below = [[top + b for a, b in pairs if a == v] for v in range(top)] + [[] for _ in range(bottom)]
    by_definition = sum((a < c and b > d) or (a > c and b < d) for i, (a, b) in enumerate(pairs) for c, d in pairs[:i])
    assert crossings([list(range(top)), list(range(top, top + bottom))], below) == by_definition


@given(st.lists(st.tuples(st.integers(-20, 20), st.integers(1, 5)), min_size=1, max_size=8))
def test_isotonic_regression(pairs):
    values, weights = [float(v) for v, _ in pairs], [float(w) for _, w in pairs]
    found = rising(values, weights)
    assert all(a <= b + 1e-9 for a, b in zip(found, found[1:], strict=False))
    # the min-max formula for the nearest rising sequence (Barlow et al. 1972)
    mean = lambda a, b: sum(v * w for v, w in pairs[a : b + 1]) / sum(w for _, w in pairs[a : b + 1])  # noqa: E731
    for i in range(len(pairs)):
        expected = max(min(mean(a, b) for b in range(i, len(pairs))) for a in range(i + 1))
        assert found[i] == pytest.approx(expected)


@pytest.mark.parametrize("shape", ["random", "chain", "star", "wide", "cycle"])
def test_two_thousand_vertices(shape):
    dice = random.Random(7)
    count = 2000
    edges = {
        "random": [(dice.randrange(count), dice.randrange(count)) for _ in range(2 * count)],
        "chain": [(i, i + 1) for i in range(count - 1)] + [(0, count - 1), (count - 1, 3)],
        "star": [(0, i) for i in range(1, count)],
        "wide": [(i % 30, 30 + i) for i in range(count - 30)],
        "cycle": [(i, (i + 1) % count) for i in range(count)] + [(i, (i + 700) % count) for i in range(count)],
    }[shape]
    found = layered([(40.0, 20.0)] * count, edges)
    assert len(found.centres) == count


def test_nothing_to_draw():
    assert layered([], []).centres == ()
