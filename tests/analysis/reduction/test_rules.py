"""Each rule, and all of them together, against full enumeration of the original net."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from analysis.reduction.oracle import check, check_reach
from analysis.reduction.random_nets import arbitrary, structured
from placet.analysis.reduction import ALL, REACH


def _case(seed):
    draw = random.Random(seed)
    generate = draw.choice([structured, structured, arbitrary])
    return generate(draw, odd=draw.random() < 0.25), draw


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_a_rule_alone_keeps_all_that_it_claims(rule):
    applied = 0
    for seed in range(10_000, 40_000):
        case, draw = _case(seed)
        if case.reduce((rule,)).rules:
            reduced = check(case, (rule,), draw, limit=150)
            if reduced is not None:
                assert {name for name, _ in reduced.rules} == {rule.name}
                applied += 1
        if applied == 300:
            return
    pytest.fail(f"{rule.name} was applied to {applied} nets only")


@pytest.mark.parametrize("block", range(6))
def test_all_rules_together_keep_all_that_they_claim(block):
    applied = Counter()
    for seed in range(block * 400, block * 400 + 400):
        case, draw = _case(seed)
        reduced = check(case, ALL, draw, limit=200)
        if reduced is not None:
            applied.update(name for name, _ in reduced.rules)
    assert set(applied) == {rule.name for rule in ALL}, applied


@pytest.mark.parametrize("rule", [rule for rule in REACH if rule not in ALL], ids=lambda rule: rule.name)
def test_a_rule_for_reachability_alone_keeps_all_values_that_are_asked(rule):
    applied = 0
    for seed in range(50_000, 90_000):
        case, draw = _case(seed)
        reduced = check_reach(case, (rule,), draw, limit=150)
        applied += reduced is not None and bool(reduced.rules)
        if applied == 300:
            return
    pytest.fail(f"{rule.name} was applied to {applied} nets only")


@pytest.mark.parametrize("block", range(3))
def test_all_rules_for_reachability_together(block):
    applied = Counter()
    for seed in range(100_000 + block * 500, 100_500 + block * 500):
        case, draw = _case(seed)
        reduced = check_reach(case, REACH, draw, limit=200)
        if reduced is not None:
            applied.update(name for name, _ in reduced.rules)
    assert set(applied) >= {"dominated transition", "free agglomeration"}, applied
