"""Siphons, components and coverability against their definitions."""

from __future__ import annotations

from array import array
from itertools import combinations, pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles.coverability import greatest
from oracles.reachability import explore as textbook
from placet.analysis.components import Rows, closure, components, cycle, hopeless, terminal, without
from placet.analysis.coverability import cover, is_monotone
from placet.analysis.siphons import empty_siphon, smaller
from placet.net.builder import NetBuilder
from placet.net.firing import fire
from strategies import any_nets, nets, weighted_nets


def is_siphon(net, places):
    """Whoever puts a token on the set takes one from it or needs one there."""
    for t in range(len(net.transitions)):
        inputs = {p for p, _ in (*net.pre[t], *net.read[t])}
        if any(p in places for p, _ in net.post[t]) and not inputs & places:
            return False
    return True


@settings(max_examples=400)
@given(any_nets())
def test_the_greatest_unmarked_siphon_is_the_union_of_all(marked):
    net, initial = marked
    empty = [p for p, n in enumerate(initial) if n == 0]
    union = set()
    for size in range(len(empty) + 1):
        for chosen in combinations(empty, size):
            if is_siphon(net, set(chosen)):
                union.update(chosen)
    found = empty_siphon(net, initial)
    assert found == union
    for p in found:
        part = smaller(net, found, p)
        assert part[0] == p
        assert set(part) <= found
        assert len(set(part)) == len(part)
        assert is_siphon(net, set(part))


@st.composite
def graphs(draw):
    """Rows of a random graph, the last states perhaps not expanded."""
    count = draw(st.integers(1, 9))
    expanded = draw(st.integers(max(0, count - 2), count))
    offsets, labels, targets = array("q", (0,)), array("I"), array("I")
    for _ in range(expanded):
        for target in draw(st.lists(st.integers(0, count - 1), max_size=3)):
            labels.append(draw(st.integers(0, 2)))
            targets.append(target)
        offsets.append(len(targets))
    return Rows(count, offsets, labels, targets)


def reach(rows, start):
    seen, queue = {start}, [start]
    while queue:
        for j in rows.out(queue.pop()):
            if j not in seen:
                seen.add(j)
                queue.append(j)
    return seen


@settings(max_examples=600)
@given(graphs(), st.data())
def test_graph_algorithms(rows, data):
    ahead = [reach(rows, i) for i in range(rows.states)]
    goal = [data.draw(st.integers(0, 1)) for _ in range(rows.states)]
    hope = {i for i in range(rows.states) if goal[i] or i >= rows.expanded}
    assert list(hopeless(rows, goal)) == [int(not ahead[i] & hope) for i in range(rows.states)]
    for i in range(rows.states):
        assert set(closure(rows, i)) == ahead[i]
        assert closure(rows, i)[0] == i
    classes = {frozenset(j for j in ahead[i] if i in ahead[j]) for i in range(rows.states)}
    found = components(rows, lambda _: True)
    assert {frozenset(c) for c in found} == classes
    assert sum(map(len, found)) == rows.states
    ends = {c for c in classes if all(ahead[i] <= c and i < rows.expanded for i in c)}
    assert {frozenset(c) for c in terminal(rows)} == ends
    for members in ends:
        start = min(members)
        loop = cycle(rows, start, members)
        assert bool(loop) == bool(rows.out(start))
    fewer = without(rows, {0})
    assert fewer.expanded == rows.expanded
    for i in range(rows.expanded):
        low, high = rows.offsets[i], rows.offsets[i + 1]
        kept = [t for t, label in zip(rows.targets[low:high], rows.labels[low:high], strict=True) if label != 0]
        assert list(fewer.out(i)) == kept


def test_a_long_way_back_is_found():
    """Against the grain of the numbers: each state leads to the one before it, the first has the goal."""
    count = 2000
    chain = Rows(count, array("q", range(count)), array("I", [0] * (count - 1)), array("I", range(1, count)))
    assert not any(hopeless(chain, [0] * (count - 1) + [1]))
    back = Rows(
        count, array("q", [0, 0, *range(1, count)]), array("I", [0] * (count - 1)), array("I", range(count - 1))
    )
    assert not any(hopeless(back, [1] + [0] * (count - 1)))
    assert sum(hopeless(back, [0] * (count - 1) + [1])) == count - 1
    order = [5, 3, 9, 1, 7, 0, 2, 8, 4, 6]
    following = dict(zip(order, order[1:], strict=False))
    offsets, targets = array("q", (0,)), array("I")
    for i in range(10):
        targets.extend([following[i]] if i in following else [])
        offsets.append(len(targets))
    mixed = Rows(10, offsets, array("I", [0] * len(targets)), targets)
    assert not any(hopeless(mixed, [int(i == order[-1]) for i in range(10)]))


@settings(max_examples=300)
@given(st.one_of(weighted_nets(max_places=4), nets(max_places=4, weights=2, reads=True)))
def test_coverability_decides_boundedness_and_what_can_fire(marked):
    net, initial = marked
    assert is_monotone(net)
    graph = textbook(net, initial, (), 300)
    found = cover(net, initial, 5000)
    fired = {t for out in graph.edges.values() for t, _ in out}
    if graph.whole:
        assert found.complete
        assert found.pump is None
        assert found.alive == fired
        assert found.unbounded == frozenset()
        assert cover(net, initial, len(graph.edges)) == found
        return
    if found.pump is None:
        assert not found.complete
        return
    if found.complete:
        assert fired <= found.alive
    assert found.pump.place in found.unbounded
    marking = initial
    counts = []
    for t in (*found.pump.trace, *found.pump.loop * 4):
        counts.append(marking)
        marking = fire(net, marking, t)
        assert marking is not None
    before = counts[len(found.pump.trace)]
    assert marking[found.pump.place] > before[found.pump.place]
    assert all(a >= b for a, b in zip(marking, before, strict=True))


def test_the_coverability_set_is_that_of_the_tree_without_pruning():
    """Its greatest markings, on small nets of which more than half have no bound; and on nets for which the tree is too large."""
    unbounded = 0
    for seed in range(2500):
        rng = Random(seed)
        builder = NetBuilder()
        places = rng.randint(1, 4)
        for p in range(places):
            builder.place(f"p{p}", rng.choice((0, 0, 1, 2)))
        for t in range(rng.randint(1, 5)):
            pre, post = ({rng.randrange(places): rng.choice((1, 1, 2)) for _ in range(rng.randint(0, 2))} for _ in "io")
            builder.transition(f"t{t}", pre, post, read={rng.randrange(places): 1} if rng.random() < 0.2 else None)
        net, initial = builder.build()
        found = cover(net, initial, 5000)
        assert found.complete
        assert set(found.greatest) == greatest(net, initial)
        assert (found.pump is not None) == bool(found.unbounded)
        unbounded += found.pump is not None
    assert 1000 < unbounded < 2000


def test_cycles_that_fill_one_heap():
    """Four cycles of four steps: 256 greatest markings, where the tree without pruning has no end within the budget."""
    builder = NetBuilder()
    heap = builder.place("heap")
    for i in range(4):
        ring = [builder.place(f"c{i}_{j}", int(j == 0)) for j in range(4)]
        for j in range(4):
            builder.transition(f"t{i}_{j}", {ring[j]: 1}, {ring[(j + 1) % 4]: 1, **({} if j else {heap: 1})})
    found = cover(*builder.build(), 10_000)
    assert found.complete
    assert len(found.greatest) == 256
    assert found.unbounded == {heap}


@pytest.mark.parametrize("options", [{"inhibit": {0: 1}}, {"reset": (0,)}])
def test_what_is_not_monotone(options):
    builder = NetBuilder()
    builder.place("p")
    builder.transition("t", {}, {0: 1}, **options)
    assert not is_monotone(builder.build()[0])
    builder = NetBuilder()
    builder.place("p", 0, 3)
    builder.transition("t", {}, {0: 1})
    assert not is_monotone(builder.build()[0])


def test_a_place_that_only_a_long_detour_pumps():
    """What fires only after a place has collected enough: omega says so where no bounded search does."""
    builder = NetBuilder()
    a, pile, done = builder.place("a", 1), builder.place("pile"), builder.place("done")
    builder.transition("more", {a: 1}, {a: 1, pile: 1})
    builder.transition("enough", {pile: 10**6}, {done: 1})
    builder.transition("never", {done: 1, a: 2}, {done: 1})
    found = cover(*builder.build())
    assert found.complete
    assert found.alive == {0, 1}
    assert found.unbounded == {pile, done}


def test_coverability_ends_after_a_fixed_number_of_looks_however_many_transitions_there_are():
    builder = NetBuilder("wide")
    here, heap, never = builder.place("here", 1), builder.place("heap", 0), builder.place("never", 0)
    builder.transition("t", {here: 1}, {here: 1, heap: 1})
    for n in range(50_000):
        builder.transition(f"u{n}", {heap: n + 1, never: 1}, {heap: n + 2})
    found = cover(*builder.build(), limit=1_000_000_000)
    assert found.complete
    chain = NetBuilder("chain")
    places = [chain.place(f"p{n}", int(n == 0)) for n in range(5_000)]
    for before, after in pairwise(places):
        chain.transition(f"t{before}", {before: 1}, {after: 1})
    assert not cover(*chain.build(), limit=1_000_000_000).complete


def test_a_long_line_of_markings_is_given_up():
    """Every marking is compared with all before it: three thousand in a row are too many, two hundred are not."""
    for count, complete in ((200, True), (3000, False)):
        builder = NetBuilder()
        full, empty = builder.place("full", count), builder.place("empty")
        builder.transition("move", {full: 1}, {empty: 1})
        found = cover(*builder.build(), 10**6)
        assert found.complete == complete
        assert found.alive == {0}


@pytest.mark.parametrize("detour", [0, 1, 2, 3])
def test_a_pump_behind_dead_ends(detour):
    """The search goes down the dead end first; the run to the loop is that of the way it took at last."""
    builder = NetBuilder()
    start, loop, pile = builder.place("start", 1), builder.place("loop"), builder.place("pile")
    before = start
    for i in range(detour):
        after = builder.place(f"end{i}")
        builder.transition(f"astray{i}", {before: 1}, {after: 1})
        before = after
    enter = builder.transition("enter", {start: 1}, {loop: 1})
    more = builder.transition("more", {loop: 1}, {loop: 1, pile: 1})
    found = cover(*builder.build())
    assert found.complete
    assert found.pump is not None
    assert (found.pump.place, found.pump.trace, found.pump.loop) == (pile, (enter,), (more,))
