"""What a reduced net gives back, and how far nets collapse."""

from __future__ import annotations

import csv
import random

import pytest

from analysis.reduction.oracle import Case, Graph
from analysis.reduction.random_nets import arbitrary, blocks, structured
from placet.analysis.reduction import ALL, Bound, final_places, reduce
from placet.errors import UsageError
from placet.formats.pnml import read
from placet.logic.state import And, Dead, Fireable, Linear, Not, Or
from placet.net.builder import NetBuilder
from placet.net.final import Final, PlaceClass
from placet.net.firing import fire
from placet.source import SourceFile


def _net(arcs, count, tokens=None):
    builder = NetBuilder("net")
    for p in range(count):
        builder.place(f"p{p}", (tokens or {0: 1}).get(p, 0))
    for t, (pre, post) in enumerate(arcs):
        builder.transition(f"t{t}", dict.fromkeys(pre, 1), dict.fromkeys(post, 1))
    return builder.build()


def _run(net, marking, trace):
    for t in trace:
        marking = fire(net, marking, t)
        assert marking is not None
    return marking


def _settled(net, initial, end):
    asked = final_places(Final((end,), (PlaceClass.CONTROL,) * len(net.places)), initial)
    return reduce(net, initial, zero_places=asked.zero, end_places=asked.end)


@pytest.mark.parametrize("seed", range(40))
def test_structured_workflows_collapse_to_their_end(seed):
    net, initial = _net(*blocks(random.Random(seed), 200))
    reduced = _settled(net, initial, 1)
    assert (reduced.net.places, reduced.net.transitions, reduced.initial) == (("p1",), (), (1,))
    assert reduced.alive(()) == frozenset(range(len(net.transitions)))
    assert reduced.recurring(()) == frozenset()
    final = _run(net, initial, reduced.lift(()))
    assert final == tuple(int(p == 1) for p in range(len(net.places)))


@pytest.mark.parametrize("length", [1, 2, 5_000])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_chain_in_any_order_becomes_one_place(length, backwards):
    steps = range(length)
    net, initial = _net(
        [([p + 1], [p]) for p in steps] if backwards else [([p], [p + 1]) for p in steps],
        length + 1,
        {length if backwards else 0: 1},
    )
    reduced = _settled(net, initial, 0 if backwards else length)
    assert len(reduced.net.places) == 1
    assert reduced.lift(()) == tuple(reversed(steps) if backwards else steps)


def test_branches_of_a_fork_become_one():
    arcs = [([0], range(2, 52)), (range(552, 602), [1])]
    arcs += [([p], [p + 50]) for p in range(2, 552)]
    net, initial = _net(arcs, 602)
    reduced = _settled(net, initial, 1)
    assert (len(reduced.net.places), len(reduced.net.transitions)) == (1, 0)
    assert len(reduced.lift(())) == 552


def test_a_dead_step_is_told():
    net, initial = _net([([0], [1]), ([2], [1]), ([2, 0], [1])], 3)
    reduced = _settled(net, initial, 1)
    assert reduced.alive(range(len(reduced.net.transitions))) == {0}


def test_a_loop_lifts_to_a_loop():
    net, initial = _net([([0], [1]), ([1], [2]), ([2], [1]), ([0], [3])], 4)
    reduced = reduce(net, initial, visible_places={2}, zero_places={0, 1}, observed={3})
    loop = next(t for t in range(len(reduced.net.transitions)) if 2 in reduced.expand((t,)))
    start = _run(net, initial, (*reduced.lift(()), 0, 1))
    assert _run(net, start, reduced.expand((loop,)))[2] in {0, 1}


def test_nothing_is_taken_of_what_is_visible():
    net, initial = _net([([0], [1]), ([1], [2])], 3)
    everything = reduce(net, initial, visible_places=range(3), visible_transitions=range(2))
    assert everything.net == net
    assert everything.rules == ()
    assert everything.lift((0, 1)) == (0, 1)
    assert reduce(net, initial, rules=()).net == net


def test_predicates_are_translated_where_they_may_be_asked():
    net, initial = _net([([0], [1]), ([1], [2]), ([2], [3])], 4)
    reduced = reduce(net, initial, zero_places={0, 1}, visible_places={2}, visible_transitions={2}, end_places={3})
    index = {p: i for i, p in enumerate(reduced.places)}
    asked = And(
        (
            Linear(((0, 1), (1, 1)), "==", 0),
            Or((Linear(((2, 1), (4, 1)), ">=", 1), Not(Fireable(2)), Dead(frozenset({2})))),
        )
    )
    (t,) = (i for i, original in enumerate(reduced.transitions) if original == 2)
    empty = Linear(tuple((index[p], 1) for p in (0, 1) if p in index), "==", 0)
    visible = Linear(((index[2], 1), (len(index), 1)), ">=", 1)
    assert reduced.predicate(asked, observers=1) == And((empty, Or((visible, Not(Fireable(t)), Dead(frozenset({t}))))))
    forgotten = reduce(net, initial)
    for predicate in (Linear(((0, 1),), "==", 0), Fireable(0), Dead(frozenset({0}))):
        with pytest.raises(UsageError):
            forgotten.predicate(predicate)


def test_bounds_of_places_that_are_gone():
    net, initial = _net([([0], [1, 2]), ([1, 2], [3]), ([3], [4])], 5)
    reduced = _settled(net, initial, 4)
    assert reduced.places == (4,)
    bounds = reduced.bounds((1,))
    assert bounds[4] == Bound(1, 1)
    assert bounds[0] == Bound(1, 1)
    assert all(b.most == 1 for b in bounds)


def _unbounded(net, initial, limit=1000):
    """The places without a bound, by the tree of Karp and Miller; None past the limit."""
    many, found, stack, count = float("inf"), set(), [(initial, ())], 0
    while stack:
        marking, path = stack.pop()
        count += 1
        if count > limit:
            return None
        if marking in path:
            continue
        for t in range(len(net.transitions)):
            after = fire(net, marking, t)
            if after is not None:
                for older in (*path, marking):
                    if all(a <= b for a, b in zip(older, after, strict=True)):
                        after = tuple(many if b > a else b for a, b in zip(older, after, strict=True))
                found.update(p for p, tokens in enumerate(after) if tokens == many)
                stack.append((after, (*path, marking)))
    return found


def test_boundedness_is_kept():
    applied = unbounded = 0
    for seed in range(600):
        draw = random.Random(seed)
        case: Case = draw.choice([structured, arbitrary])(draw)
        there = _unbounded(case.net, case.initial)
        if there is None:
            continue
        reduced = case.reduce()
        here = _unbounded(reduced.net, reduced.initial, 100_000)
        asked = set(range(len(case.net.places))) if case.bounded is None else case.bounded
        assert {reduced.places[i] for i in here} == there & set(reduced.places)
        assert bool(there & asked) == bool({reduced.places[i] for i in here} & asked)
        applied += bool(reduced.rules)
        unbounded += bool(there & asked)
    assert applied > 200
    assert unbounded > 50


def test_industrial_workflows(corpora):
    """Verdicts on the reduced nets; some originals are beyond what was searched to find the expected ones."""
    decided = 0
    with (corpora / "ibm" / "EXPECTED.csv").open() as table:
        for row in csv.DictReader(table):
            compiled, _ = read(SourceFile(row["net"], (corpora / row["net"]).read_text()), final="any-sink")
            ends, net = frozenset(compiled.final.ends), compiled.net
            others = frozenset(range(len(net.places))) - ends
            reduced = reduce(net, compiled.initial, zero_places=others, end_places=ends, bounded_places=others)
            sound = _sound(reduced, others)
            if row["sound"] in {"true", "false"}:
                assert sound == (row["sound"] == "true"), row["net"]
            decided += sound is not None
    assert decided > 0


def _sound(reduced, others):
    """Every place but the ends is safe, and a final marking can be reached from everywhere; the ends are not counted."""
    kept = [i for i, p in enumerate(reduced.places) if p in others]
    ends = set(range(len(reduced.places))) - set(kept)
    net = reduced.net._replace(post=tuple(tuple((p, w) for p, w in arcs if p not in ends) for arcs in reduced.net.post))
    graph = Graph.of(net, reduced.initial, limit=5000, most=1, places=kept)
    if graph is None:
        return False
    return graph.ef({s for s in graph.edges if not any(s[i] for i in kept)}) == set(graph.edges)


def test_places_of_the_final_markings():
    kinds = (
        PlaceClass.CONTROL,
        PlaceClass.CHANNEL,
        PlaceClass.RESOURCE,
        PlaceClass.RESOURCE,
        PlaceClass.RECORD,
        PlaceClass.BUDGET,
        PlaceClass.CONTROL,
    )
    zero, resource, end, channel = final_places(Final((6,), kinds), (1, 0, 2, 0, 0, 1, 0))
    assert (zero, resource, end, channel) == ({0, 3}, {2}, {6}, {1})


def test_all_rules_have_papers_and_different_names():
    assert len({rule.name for rule in ALL}) == len(ALL)
    assert all(rule.paper for rule in ALL)
