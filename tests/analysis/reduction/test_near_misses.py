"""For each condition of a rule that random nets seldom try: a net where it applies, and its neighbour where it must not."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from analysis.reduction.oracle import Case, check
from placet.analysis.reduction import ALL
from placet.net.builder import NetBuilder

RULES = {rule.name: rule for rule in ALL}


def _case(*arcs, tokens="", zero=None, resource="", end="", exact="", channel="", fixed=(), bounded="", side=None):
    """Arcs such as "s > p p q"; places are letters, all ZERO if nothing else is said; `side` is {transition: (kind, place)}."""
    letters = sorted({c for arc in arcs for c in arc if c.isalpha()} | set(tokens))
    builder = NetBuilder("near miss")
    index = {c: builder.place(c, tokens.count(c)) for c in letters}
    for t, arc in enumerate(arcs):
        pre, post = ({index[c]: n for c, n in Counter(half.split()).items()} for half in arc.split(">"))
        kind, at = (side or {}).get(t, ("", ""))
        builder.transition(
            f"t{t}", pre, post, read={index[at]: 1} if kind == "read" else None,
            inhibit={index[at]: 1} if kind == "inhibit" else None, reset=(index[at],) if kind == "reset" else (),
        )  # fmt: skip
    net, initial = builder.build()

    def places(names):
        return frozenset(index[c] for c in names)

    named = {*resource, *end, *exact, *channel}
    rest = "".join(c for c in letters if c not in named) if zero is None else zero
    return Case(
        net,
        initial,
        places(exact),
        places(rest),
        places(resource),
        places(end),
        frozenset(fixed),
        places(bounded),
        places(channel),
    )


NEAR = {
    "series: only the token tells": (
        "series", _case("s > e", "x > e r", tokens="sx", exact="s", end="e", resource="r"), _case("s > e", "x > r", tokens="sxr", exact="s", end="e", resource="r"),
    ),
    "series: a step is not a message": (
        "series", _case("s > e", "x > c", "c y >", tokens="sx", exact="sy", end="e", channel="xc"), _case("s > e", "x > c", "c y >", tokens="sx", exact="sy", end="e", channel="c"),
    ),
    "series: a message gives something back": (
        "series", _case("s > e", "x > c f", "c y >", "f y >", tokens="sx", exact="sy", end="e", channel="xc", zero=""), _case("s > e", "x > c r", "c y >", "r y >", tokens="sx", exact="sy", end="e", channel="xc", resource="r"),
    ),
    "parallel places: a step is not a message": (
        "parallel places", _case("s > p q", "p q > e", tokens="s", end="e", channel="pq"), _case("s > p q", "p q > e", tokens="s", end="e", channel="q", exact="p"),
    ),
    "pre-agglomeration: a step is not a message": (
        "pre-agglomeration", _case("p > x", "x > e", tokens="p", channel="px"), _case("p > x", "x > e", tokens="p", channel="x"),
    ),
    "series: an observer sees it": (
        "series", _case("s > x", "x > e", tokens="s", exact="s", end="e"), _case("s > x", "x > e", tokens="s", exact="s", end="e", fixed=[1]),
    ),
    "series: unsafe on the way only": (
        "series", _case("x > e", tokens="xx", bounded="xe"), _case("x > e", tokens="xx", bounded="x"),
    ),
    "idle transition: the other one is held up": (
        "idle transition", _case("p > p", "p > q", tokens="pw"), _case("p > p", "p > q", tokens="pw", side={1: ("inhibit", "w")}),
    ),
    "redundant place: the other one is emptied": (
        "redundant place", _case("s > p q", "p q > e", "w >", tokens="sw"), _case("s > p q", "p q > e", "w >", tokens="sw", side={2: ("reset", "q")}),
    ),
    "redundant place: it asks for more": (
        "redundant place", _case("s > p q", "p q > e", tokens="s", zero="sqe"), _case("s > p q", "p p q > p p q e", tokens="s", zero="sqe"),
    ),
    "post-agglomeration: unsafe on the way only": (
        "post-agglomeration", _case("s > x", "x > a", "x > b", tokens="ss", bounded="xa"), _case("s > x", "x > a", "x > b", tokens="ss", bounded="x"),
    ),
    "pre-agglomeration: nobody may take the token": (
        "pre-agglomeration", _case("p > x", "x > e", "x y > d", tokens="pw"), _case("p > x", "x > e", "x y > d", tokens="pw", side={1: ("inhibit", "w")}),
    ),
    "pre-agglomeration: an observer would see two": (
        "pre-agglomeration", _case("p > x", "q > x", "x > e", tokens="pq"), _case("p > x", "q > x", "x > e", tokens="pq", fixed=[2]),
    ),
    "pre-agglomeration: unsafe on the way only": (
        "pre-agglomeration", _case("p > x", "q > x", "x > e", tokens="pq", bounded="pq"), _case("p > x", "q > x", "x > e", tokens="pq", bounded="pqx"),
    ),
    "pre-agglomeration: unsafe on the way, one producer": (
        "pre-agglomeration", _case("p > x", "x > e", tokens="pp", bounded="xp"), _case("p > x", "x > e", tokens="pp", bounded="x"),
    ),
    "pre-agglomeration: it may soon be too late": (
        "pre-agglomeration", _case("p > x", "x > e", "w >", tokens="pw"), _case("p > x", "x > e", "w >", tokens="pw", side={0: ("read", "w")}),
    ),
    "shortcut transition: an observer sees the way": (
        "shortcut transition", _case("p > q", "q > r", "p > r", tokens="p"), _case("p > q", "q > r", "p > r", tokens="p", fixed=[1]),
    ),
    "shortcut transition: the way is blocked": (
        "shortcut transition", _case("p > q", "q > r", "p > r", tokens="pw"), _case("p > q", "q > r", "p > r", tokens="pw", side={1: ("inhibit", "w")}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NEAR)
def test_the_rule_applies_here_and_not_next_door(name):
    rule, near, miss = NEAR[name]
    reduced = check(near, (RULES[rule],), random.Random(1))
    assert reduced is not None
    assert [found for found, _ in reduced.rules] == [rule]
    assert miss.reduce((RULES[rule],)).rules == ()
    assert check(miss, ALL, random.Random(1)) is not None


@pytest.mark.parametrize("rule", ["parallel places", "redundant place"])
@pytest.mark.parametrize("bounded", ["p", "q", "pq"])
def test_of_two_equal_places_the_one_whose_bound_is_asked_stays(rule, bounded):
    case = _case("s > p q", "p q > e", tokens="ss", bounded=bounded)
    reduced = check(case, (RULES[rule],), random.Random(1))
    assert reduced is not None
    assert [found for found, _ in reduced.rules] == [rule]
