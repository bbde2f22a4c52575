"""Every engine gives the same obligations, statuses and runs."""

from __future__ import annotations

import pytest
from random_nets import random_net
from random_sagas import case

from placet.coverage import sliced
from placet.coverage.measure import measure
from placet.engines.chosen import NAMES, OF_QUESTIONS, named
from placet.errors import UsageError
from placet.evidence import Budget
from placet.faults.hypothesis import Hypothesis
from placet.faults.weave import weave
from placet.pipeline import as_loaded

OTHERS = [name for name in NAMES if name != "reference" and name not in OF_QUESTIONS]  # those number no states


@pytest.fixture(params=OTHERS)
def other(request):
    try:
        return named(request.param)
    except UsageError as problem:
        pytest.skip(str(problem))


def same(one, two) -> None:
    """All that is told of a saga; engines number states alike, so that shortest runs are the same ones too."""
    mine, theirs = one.coverage, two.coverage
    assert mine.rows == theirs.rows
    assert mine.causes == theirs.causes
    assert (mine.size.states, mine.size.edges, mine.size.complete) == (
        theirs.size.states,
        theirs.size.edges,
        theirs.size.complete,
    )
    for o in list(mine.missing())[:5]:
        assert one.run(o) == two.run(o)


@pytest.mark.parametrize("first", [0, 100])
def test_on_random_sagas(first, other) -> None:
    for seed in range(first, first + 25):
        one = case(seed)
        woven = one.woven()
        if woven is None:
            continue
        given = (woven.compiled, one.hypothesis.budget, Budget(states=4_000))
        mine = measure(*given)
        if mine.coverage.size.complete:
            same(mine, measure(*given, other))


def test_where_calls_are_held_back(other) -> None:
    for seed in range(25):
        one = case(seed, limited=True)
        woven = one.woven()
        if woven is None:
            continue
        given = (woven.compiled, one.hypothesis.budget, Budget(states=2_000))
        mine = measure(*given)
        if mine.coverage.size.complete:
            same(mine, measure(*given, other))


def test_on_random_nets(other) -> None:
    for seed in range(60):
        net = random_net(seed)
        given = (net.woven().compiled, net.faults, Budget(states=1_000))
        mine = measure(*given)
        if mine.coverage.size.complete:
            same(mine, measure(*given, other))


def test_on_slices(other, monkeypatch) -> None:
    monkeypatch.setattr(sliced, "WHOLE", 100)
    steps = "".join(f"step a{i} on s {{ undo u{i}; timeout 1s }} " for i in range(4))
    (compiled,) = as_loaded(f"service s {{ idempotent }} saga b {{ parallel {{ {steps}}} }}").compiled
    woven = weave(compiled, Hypothesis(("reject", "slow"), 1, "transient")).compiled
    mine, theirs = sliced.measure(woven, 1), sliced.measure(woven, 1, engine=other)
    assert isinstance(mine.finder, sliced._Finder)
    assert theirs.coverage.size.engine == other.name
    same(mine, theirs)
