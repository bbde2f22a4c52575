"""Sets of places with one token: in every marking that brute force reaches they have just that."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from placet.analysis.one_token import OneToken
from placet.net.core import Net
from placet.net.firing import enabled, fire
from strategies import full_nets, plain_nets, workflow_nets

MOST = 600


def reached(net, initial, able):
    seen, queue = {initial}, [initial]
    for marking in queue:
        for t in enabled(net, marking):
            if t in able:
                after = fire(net, marking, t)
                if after not in seen:
                    seen.add(after)
                    queue.append(after)
        if len(queue) > MOST:
            break
    return queue


def check(net, initial, able, order) -> int:
    sets = OneToken(net, initial, able, order)
    markings = reached(net, initial, able)
    pairs = 0
    for p, q in combinations(range(len(net.places)), 2):
        if sets.apart(p, q):
            pairs += 1
            assert not any(m[p] and m[q] for m in markings), (p, q)
    for p in range(len(net.places)):
        if sets.never(p):
            assert not any(m[p] for m in markings), p
    for found in sets.found:
        assert all(sum(m[p] for p in found) == 1 for m in markings), found
    return pairs


@settings(max_examples=400, deadline=None)
@given(st.one_of(plain_nets(), full_nets()), st.randoms(use_true_random=False))
def test_they_hold_one_token_always(marked, random) -> None:
    net, initial = marked
    net = net._replace(reset=((),) * len(net.transitions))
    able = {t for t in range(len(net.transitions)) if random.random() < 0.8}
    check(net, initial, able, [random.randrange(3) for _ in net.places])


@settings(max_examples=150, deadline=None)
@given(workflow_nets(breaks=0, extensions=False))
def test_workflow_nets_have_them(compiled) -> None:
    net = compiled.net
    if any(net.reset):
        return
    able = set(range(len(net.transitions)))
    check(net, compiled.initial, able, [0] * len(net.places))
    sets = OneToken(net, compiled.initial, able, [0] * len(net.places))
    (end, *_) = compiled.final.ends
    start = compiled.initial.index(1)
    assert start == end or sets.apart(start, end), "a workflow is over or at its start, never both"


def test_a_choice_taken_back() -> None:
    """From `a` a token goes to `b` and `c`; only the way of `c` comes back to it."""
    places = ("a", "b", "c", "d")
    net = Net(
        places,
        ("go", "dead", "back"),
        pre=(((0, 1),), ((1, 1), (3, 1)), ((2, 1),)),
        post=(((1, 1), (2, 1)), ((3, 1),), ((0, 1),)),
        read=((), (), ()),
        inhibit=((), (), ()),
        reset=((), (), ()),
    )
    sets = OneToken(net, (1, 0, 0, 0), {0, 1, 2}, [0, 0, 1, 0])
    assert sets.apart(0, 2)
    assert sets.found == [frozenset((0, 2))]
    assert not sets.apart(1, 2)
