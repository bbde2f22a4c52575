"""Divergence-preserving branching bisimilarity, held against its definition: tried on every division of the states."""

from __future__ import annotations

import random

import pytest

from placet.lts import Lts
from placet.machine.bisimulation import classes, quotient

TAU = 0


def divisions(n: int):
    """Every division of 0 .. n-1, as a block number for each: restricted growth strings."""

    def extend(prefix, top):
        if len(prefix) == n:
            yield tuple(prefix)
            return
        for b in range(top + 1):
            yield from extend([*prefix, b], max(top, b + 1))

    yield from extend([], 0)


def is_bisimulation(lts: Lts, of, marks) -> bool:
    """The definition of van Glabbeek, Luttik and Trčka, of an equivalence: transfer, and divergence within a class.

    The silent steps before one that answers stay in the class: without marks that is a lemma, with them it is meant.
    """
    steps = set(lts.edges)
    silent = {(s, t) for s, label, t in steps if label == TAU}
    weak = {s: {s} for s in range(lts.states)}
    for s in range(lts.states):
        grown = True
        while grown:
            more = {t for a, t in silent if a in weak[s] and of[t] == of[s]} - weak[s]
            weak[s] |= more
            grown = bool(more)
    # the states that can go on silently for ever without leaving their class
    inside = {(s, t) for s, t in silent if of[s] == of[t]}
    ever = set(range(lts.states))
    while True:
        left = {s for s in ever if any(a == s and t in ever for a, t in inside)}
        if left == ever:
            break
        ever = left
    for s in range(lts.states):
        for t in range(lts.states):
            if of[s] != of[t]:
                continue
            if marks[s] != marks[t] or (s in ever) != (t in ever):
                return False
            for source, label, target in steps:
                if source != s or (label == TAU and of[target] == of[t]):
                    continue
                if not any(
                    of[between] == of[s] and (between, label, after) in steps and of[after] == of[target]
                    for between in weak[t]
                    for after in range(lts.states)
                ):
                    return False
    return True


def drawn(rng: random.Random, most: int) -> tuple[Lts, list[int]]:
    n = rng.randint(1, most)
    edges = {
        (rng.randrange(n), rng.choice((TAU, TAU, 1, 2)), rng.randrange(n)) for _ in range(rng.randint(0, 2 * n + 1))
    }
    marks = [int(rng.random() < 0.15) for _ in range(n)]
    return Lts(n, 0, ("", "a", "b"), tuple(sorted(edges))), marks


@pytest.mark.parametrize("seed", range(4))
def test_against_the_definition(seed: int) -> None:
    """The greatest of all divisions that are bisimulations is the one found."""
    rng = random.Random(seed)
    merged = divergent = 0
    for _ in range(400):
        lts, marks = drawn(rng, 5)
        found = classes(lts, TAU, marks)
        assert is_bisimulation(lts, found.of, marks)
        best = min((d for d in divisions(lts.states) if is_bisimulation(lts, d, marks)), key=max)
        assert max(best) + 1 == found.number
        assert best == found.of  # both number blocks by their first state
        merged += found.number < lts.states
        divergent += bool(found.divergent)
    assert merged > 60
    assert divergent > 60


def joined(one: Lts, other: Lts) -> Lts:
    """Both side by side."""
    moved = tuple((s + one.states, label, t + one.states) for s, label, t in other.edges)
    return Lts(one.states + other.states, 0, one.labels, one.edges + moved)


def test_the_quotient_behaves_the_same_and_is_as_small_as_it_gets() -> None:
    rng = random.Random(7)
    smaller = 0
    for _ in range(400):
        lts, marks = drawn(rng, 9)
        found = classes(lts, TAU, marks)
        small = quotient(lts, found, TAU)
        both = classes(joined(lts, small.lts), TAU, [*marks, *(marks[s] for s in small.settled)])
        assert all(both.of[s] == both.of[lts.states + found.of[s]] for s in range(lts.states))
        again = classes(small.lts, TAU, [marks[s] for s in small.settled])
        assert again.number == small.lts.states
        for edge, number in zip(small.lts.edges, small.stands_for, strict=True):
            source, label, target = lts.edges[number]
            assert edge == (found.of[source], label, found.of[target])
        smaller += small.lts.states < lts.states
    assert smaller > 100


def test_a_silent_choice_is_not_the_choice() -> None:
    """a.(b + c) against a.b + a.c, and tau.b + c against b + c."""
    lts = Lts(7, 0, ("", "a", "b", "c"), ((0, 1, 1), (1, 2, 6), (1, 3, 6), (2, 1, 3), (2, 1, 4), (3, 2, 6), (4, 3, 6)))
    found = classes(lts, TAU)
    assert found.of[0] != found.of[2]
    lts = Lts(4, 0, ("", "b", "c"), ((0, 0, 1), (1, 1, 3), (0, 2, 3), (2, 1, 3), (2, 2, 3)))
    found = classes(lts, TAU)
    assert found.of[0] != found.of[2]


def test_going_on_for_ever_is_seen() -> None:
    lts = Lts(3, 0, ("", "a"), ((0, 1, 2), (1, 1, 2), (1, 0, 1)))
    found = classes(lts, TAU)
    assert found.of[0] != found.of[1]
    assert found.divergent == {found.of[1]}


def test_long_chains_do_not_recurse() -> None:
    n = 50_000
    lts = Lts(n, 0, ("", "a"), tuple((s, TAU, s + 1) for s in range(n - 1)))
    assert classes(lts, TAU).number == 1
