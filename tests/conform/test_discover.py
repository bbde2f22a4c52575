"""The tree that is discovered shows every trace it was made from; from the traces of a small model it finds the model."""

from __future__ import annotations

import random

import pytest

from placet.conform.discover import NOTHING, Leaf, Node, discover


def shown(tree, most):
    """All traces of a tree with at most so many activities, by its definition."""
    if isinstance(tree, Leaf):
        return {(tree.name,)} if tree.name else {()}
    parts = [shown(part, most) for part in tree.parts]
    if tree.kind == "or":
        return set().union(*parts)
    if tree.kind == "then":
        found = {()}
        for part in parts:
            found = {a + b for a in found for b in part if len(a) + len(b) <= most}
        return found
    if tree.kind == "and":
        found = {()}
        for part in parts:
            found = {w for a in found for b in part if len(a) + len(b) <= most for w in shuffles(a, b)}
        return found
    body, rounds = parts[0], set().union(*parts[1:])
    found, new = set(body), set(body)
    while new:
        new = {a + r + b for a in new for r in rounds for b in body if len(a) + len(r) + len(b) <= most} - found
        found |= new
    return found


def shuffles(a, b):
    if not a or not b:
        return {a + b}
    return {(a[0], *w) for w in shuffles(a[1:], b)} | {(b[0], *w) for w in shuffles(a, b[1:])}


@pytest.mark.parametrize("block", range(10))
def test_every_trace_is_shown(block):
    for seed in range(block * 80, block * 80 + 80):
        draw = random.Random(seed)
        letters = "abcdef"[: draw.randint(1, 6)]
        traces = {tuple(draw.choices(letters, k=draw.randint(0, 5))) for _ in range(draw.randint(1, 5))}
        found = shown(discover(traces), 5)
        assert traces <= found, (seed, traces, discover(traces))


@pytest.mark.parametrize(("traces", "tree"), [
    (["abc"], Node("then", (Leaf("a"), Leaf("b"), Leaf("c")))),
    (["ab", "ba"], Node("and", (Leaf("a"), Leaf("b")))),
    (["a", "b"], Node("or", (Leaf("a"), Leaf("b")))),
    (["abd", "acd"], Node("then", (Leaf("a"), Node("or", (Leaf("b"), Leaf("c"))), Leaf("d")))),
    (["abcd", "acbd"], Node("then", (Leaf("a"), Node("and", (Leaf("b"), Leaf("c"))), Leaf("d")))),
    (["ac", "abc"], Node("then", (Leaf("a"), Node("or", (Leaf("b"), NOTHING)), Leaf("c")))),
    (["a", "aba", "ababa"], Node("loop", (Leaf("a"), Leaf("b")))),
    (["a", "aa", "aaa"], Node("loop", (Leaf("a"), NOTHING))),
    ([""], NOTHING),
])  # fmt: skip
def test_the_usual_structures_are_found(traces, tree):
    assert discover(tuple(t) for t in traces) == tree


def test_the_traces_of_a_tree_lead_back_to_it():
    a, b, c, d, e = (Leaf(x) for x in "abcde")
    for tree in (
        Node("then", (a, Node("and", (Node("then", (b, c)), d)), e)),
        Node("then", (a, Node("or", (Node("and", (b, c)), d)), e)),
        Node("then", (a, Node("loop", (Node("then", (b, c)), d)), e)),
    ):
        traces = shown(tree, 8)
        assert shown(discover(traces), 6) == shown(tree, 6)


def test_many_activities_and_long_traces_are_bounded():
    draw = random.Random(1)
    names = [f"a{i}" for i in range(400)]
    assert isinstance(discover([tuple(draw.choices(names, k=2000)) for _ in range(3)]), Node)
    assert discover([tuple(names[:200])]) == Node("then", tuple(Leaf(n) for n in names[:200]))
