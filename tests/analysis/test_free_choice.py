"""The theorems of free choice against plain exploration, and siphons, traps and levels against their definitions."""

from __future__ import annotations

import random
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from placet.analysis import free_choice
from placet.analysis.components import Rows
from placet.analysis.liveness_levels import levels
from placet.analysis.siphon_list import greatest_trap, minimal_siphons, minimal_traps
from placet.engines.protocol import Needs, Visitor
from placet.engines.reference import Reference
from placet.evidence import Budget
from placet.logic.state import FALSE
from placet.net.builder import NetBuilder
from placet.net.firing import enabled, fire

if TYPE_CHECKING:
    from placet.net.core import Net


def test_what_one_side_did_not_find_out_is_not_known(monkeypatch):
    net, initial = built(1, [([0], [0])], [1])
    assert free_choice.live_and_bounded(net, initial) is True
    for unknown in (net, free_choice.transposed(net)):
        monkeypatch.setattr(
            free_choice,
            "covered",
            lambda n, unknown=unknown: None if n.pre == unknown.pre and n.places == unknown.places else True,
        )
        assert free_choice.live_and_bounded(net, initial) is None


def built(places, arcs, marking) -> tuple[Net, tuple[int, ...]]:
    builder = NetBuilder("n")
    for p in range(places):
        builder.place(f"p{p}", marking[p])
    for t, (pre, post) in enumerate(arcs):
        builder.transition(f"t{t}", dict.fromkeys(pre, 1), dict.fromkeys(post, 1))
    return builder.build()


def free_choice_net(rng: random.Random) -> tuple[Net, tuple[int, ...]]:
    """A random one: places in groups, all transitions of a group take from all its places. Half are grown from a circle."""
    if rng.random() < 0.5:
        n = rng.randint(1, 5)
        groups: list[list[int]] = []
        for p in range(n):
            if groups and rng.random() < 0.4:
                rng.choice(groups).append(p)
            else:
                groups.append([p])
        arcs = [
            (tuple(g), tuple(rng.sample(range(n), rng.randint(0 if rng.random() < 0.2 else 1, min(2, n)))))
            for g in groups
            for _ in range(rng.choice((1, 1, 1, 2)))
        ]
        return built(n, arcs, [rng.choice((0, 0, 1, 1, 2)) for _ in range(n)])
    pre, post = [{0}], [{0}]
    n = 1
    for _ in range(rng.randint(1, 5)):
        kind, t = rng.randrange(3), rng.randrange(len(pre))
        if kind == 0:  # a transition becomes two in a row
            pre.append({n})
            post.append(post[t])
            post[t] = {n}
            n += 1
        elif kind == 1:  # a transition is doubled, where it takes from one place
            pre.append(set(pre[t]))
            post.append(set(post[t]))
        else:  # a place is doubled
            p = rng.randrange(n)
            for side in (pre, post):
                for some in side:
                    if p in some:
                        some.add(n)
            n += 1
    if rng.random() < 0.3:
        rng.choice(post).symmetric_difference_update({rng.randrange(n)})
    marking = [rng.choice((0, 0, 1)) for _ in range(n)]
    return built(n, [(tuple(sorted(a)), tuple(sorted(b))) for a, b in zip(pre, post, strict=True)], marking)


def explored(net, marking, most=3000):
    """The whole graph, None where it has no end, "?" where it is too large."""
    seen = Reference().explore(net, marking, (), (Visitor(FALSE, Needs.EDGES),), Budget(most))
    if seen.complete:
        return Rows(seen.states, *seen.graph())
    return None if seen.stop.budget == "unbounded" else "?"


def is_live(net, marking, most=400) -> bool | None:
    """The definition, for a bounded net: from every reachable marking each transition can fire some time."""
    after, todo = {}, [marking]
    for m in todo:
        if m in after:
            continue
        after[m] = [(t, fire(net, m, t)) for t in enabled(net, m)]
        todo += [n for _, n in after[m]]
        if len(after) > most:
            return None
    for start in after:
        seen, pending, fired = {start}, [start], set()
        while pending:
            for t, n in after[pending.pop()]:
                fired.add(t)
                if n not in seen:
                    seen.add(n)
                    pending.append(n)
        if len(fired) < len(net.transitions):
            return False
    return True


def test_rank_theorem_and_commoner_against_exploration() -> None:
    rng = random.Random(1)
    seen = {True: 0, False: 0}
    alive = {True: 0, False: 0}
    for _ in range(2500):
        net, marking = free_choice_net(rng)
        said = free_choice.live_and_bounded(net, marking)
        if said is None:
            assert not free_choice.is_free_choice(net)
            continue
        graph = explored(net, marking)
        if graph == "?":
            continue
        truth = False if graph is None else is_live(net, marking)
        if truth is None:
            continue
        assert said == truth, (net, marking)
        seen[truth] += 1
        if graph is not None:
            siphons = minimal_siphons(net)
            assert siphons.complete
            assert free_choice.live(net, marking, siphons.found) == truth
            alive[truth] += 1
    assert min(seen.values()) > 150, seen
    assert min(alive.values()) > 150, alive


def random_net(rng: random.Random, places=6) -> tuple[Net, tuple[int, ...]]:
    n = rng.randint(1, places)
    builder = NetBuilder("n")
    for p in range(n):
        builder.place(f"p{p}", rng.choice((0, 1)))
    for t in range(rng.randint(1, 6)):
        sides = [{p: rng.choice((1, 1, 2)) for p in range(n) if rng.random() < 0.35} for _ in range(2)]
        builder.transition(f"t{t}", *sides, read={p: 1 for p in range(n) if rng.random() < 0.05})
    return builder.build()


def test_minimal_siphons_and_traps_against_all_sets() -> None:
    rng = random.Random(2)
    found = 0
    for _ in range(500):
        net, _ = random_net(rng)
        for listed, gives, takes in (
            (minimal_siphons(net), net.post, net.pre),
            (minimal_traps(net), net.pre, net.post),
        ):
            good = []
            for size in range(1, len(net.places) + 1):
                for some in map(set, combinations(range(len(net.places)), size)):
                    closed = all(
                        some.isdisjoint(p for p, _ in gives[t])
                        or not some.isdisjoint(p for p, _ in (*takes[t], *net.read[t]))
                        for t in range(len(net.transitions))
                    )
                    if closed and not any(known <= some for known in good):
                        good.append(some)
            assert listed.complete
            assert sorted(listed.found) == sorted(tuple(sorted(s)) for s in good)
            found += len(good)
    assert found > 1000


def test_the_greatest_trap_of_a_set() -> None:
    rng = random.Random(4)
    for _ in range(300):
        net, _ = random_net(rng, 5)
        places = {p for p in range(len(net.places)) if rng.random() < 0.7}
        traps = [
            set(some)
            for size in range(len(places) + 1)
            for some in combinations(sorted(places), size)
            if all(
                not any(p in some for p, _ in net.pre[t]) or any(p in some for p, _ in (*net.post[t], *net.read[t]))
                for t in range(len(net.transitions))
            )
        ]
        assert greatest_trap(net, places) == set().union(*traps)


def test_rank_against_numpy() -> None:
    rng = random.Random(5)
    for _ in range(300):
        net, _ = random_net(rng, 8)
        assert free_choice.rank(net) == np.linalg.matrix_rank(net.incidence())
    assert free_choice.rank(net, most_entries=0) in (None, *range(3))


def test_transposed_has_the_transposed_matrix() -> None:
    net, _ = random_net(random.Random(6))
    assert (free_choice.transposed(net).incidence() == net.incidence().T).all()


def test_listings_are_cut_off() -> None:
    """2^16 minimal siphons: each of 16 transitions gives to the first place and takes from one of two."""
    arcs = [((1 + 2 * i, 2 + 2 * i), (0,)) for i in range(16)]
    net, _ = built(33, arcs, [0] * 33)
    found = minimal_siphons(net, most=50)
    assert not found.complete
    assert 0 < len(found.found) <= 50


def test_levels_against_their_definitions() -> None:
    """L3 by cycles: a transition fires for ever in some run where a marking is reached again after it fired."""
    rng = random.Random(8)
    counts = dict.fromkeys(range(5), 0)
    for _ in range(1500):
        net, marking = random_net(rng, 4) if rng.random() < 0.3 else free_choice_net(rng)
        graph = explored(net, marking, 300)
        if graph is None or graph == "?":
            continue
        edges = [
            (s, graph.labels[e], graph.targets[e])
            for s in range(graph.states)
            for e in range(graph.offsets[s], graph.offsets[s + 1])
        ]
        reach = [{s} for s in range(graph.states)]
        changed = True
        while changed:
            changed = False
            for a, _, b in edges:
                if not reach[b] <= reach[a]:
                    reach[a] |= reach[b]
                    changed = True
        for t, level in enumerate(levels(graph, len(net.transitions))):
            mine = [(a, b) for a, label, b in edges if label == t]
            truth = 0
            if mine:
                truth = 3 if any(a in reach[b] for a, b in mine) else 1
            if mine and all(any(a in reach[s] for a, _ in mine) for s in range(graph.states)):
                truth = 4
            assert level == truth
            counts[level] += 1
    assert all(counts[level] > 15 for level in (0, 1, 3, 4)), counts


def workflow(rng: random.Random) -> str:
    """A free-choice net from `i` to `o`, grown and perhaps broken, as a text."""
    transitions = [({"i"}, {"o"})]
    n = 0
    for _ in range(rng.randint(0, 6)):
        t = rng.randrange(len(transitions))
        pre, post = transitions[t]
        kind = rng.randrange(3)
        if kind == 0:
            transitions[t] = (pre, {f"p{n}"})
            transitions.append(({f"p{n}"}, post))
            n += 1
        elif kind == 1:
            transitions.append((set(pre), set(post)))
        elif inner := [p for p in {p for some in transitions for side in some for p in side} if p not in ("i", "o")]:
            twin = rng.choice(sorted(inner))
            for some in transitions:
                for side in some:
                    if twin in side:
                        side.add(f"p{n}")
            n += 1
    if rng.random() < 0.5:
        side = rng.choice(transitions)[1]
        side ^= {rng.choice(["o", *(f"p{k}" for k in range(n))])}
    lines = [
        f"  transition t{k}: {' + '.join(sorted(pre))} -> {' + '.join(sorted(post))}"
        for k, (pre, post) in enumerate(transitions)
    ]
    places = ", ".join(["i = 1", "o", *(f"p{k}" for k in range(n))])
    return "\n".join(["net n {", f"  place {places}", *lines, "  final o", "}"])


def test_sound_by_the_rank_theorem_against_exploration() -> None:
    from placet.analysis.strategy import decide
    from placet.analysis.structure import sound_by_theorem
    from placet.evidence import Holds, Violated
    from placet.pipeline import Options as Asked
    from placet.pipeline import compile_source, prepare
    from placet.source import SourceFile

    rng = random.Random(9)
    seen = {True: 0, False: 0}
    for _ in range(500):
        (compiled,) = compile_source(SourceFile("n.placet", workflow(rng))).compiled
        said = sound_by_theorem(compiled)
        if said is None:
            continue
        (answer,) = decide(compiled, prepare(compiled, Asked(("sound",))).queries)
        assert isinstance(answer.verdict, Holds if said else Violated)
        assert answer.verdict.proof.engine != "structure"
        seen[said] += 1
    assert min(seen.values()) > 60, seen


def test_theorems_decide_what_is_too_large_to_search() -> None:
    """2^40 markings: forty pairs of steps side by side, in a net whose structure tells."""
    from placet.pipeline import Options, check, compile_source
    from placet.source import SourceFile

    ways = " ".join(f"{{ task a{n}; either {{ task b{n} }} or {{ task c{n} }} }}" for n in range(40))
    loaded = compile_source(SourceFile("w.placet", f"workflow w {{ parallel {{ {ways} }} }}"))
    report = check(loaded, Options(("sound", "no_dead_step")))
    assert [c.outcome for c in report.models[0].checks] == ["proved", "proved"]
    net = "net n { place a = 3, b, c = 20, d; transition t: a -> b; transition u: b -> a; transition v: c -> d + b; transition w: d + b -> c }"
    loaded = compile_source(SourceFile("w.placet", net))
    report = check(loaded, Options(("live",)))
    assert [c.outcome for c in report.models[0].checks] == ["proved"]


def test_the_basis_of_invariants_against_numpy() -> None:
    from placet.analysis.invariant_basis import basis

    rng = random.Random(12)
    found = 0
    for _ in range(300):
        net, _ = random_net(rng, 8)
        matrix = net.incidence()
        some = basis(net)
        assert some is not None
        vectors = np.zeros((len(some), len(net.places)), dtype=np.int64)
        for row, weights in enumerate(some):
            for p, w in weights:
                vectors[row, p] = w
            assert np.gcd.reduce(vectors[row]) == 1
        assert not (vectors @ matrix).any()
        assert len(some) == len(net.places) - np.linalg.matrix_rank(matrix)
        assert not len(some) or np.linalg.matrix_rank(vectors) == len(some)
        found += len(some)
    assert found > 300
    net, _ = built(3, [((0,), (1,)), ((1,), (2,))], [1, 0, 0])
    assert basis(net) == (((0, 1), (1, 1), (2, 1)),)
    assert basis(net, most_entries=0) is None
