"""State predicates by their definition."""

from __future__ import annotations

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.logic.state import FALSE, TRUE, And, Dead, Fireable, Linear, Not, Or, at_least, compare, evaluate, support

OPERATORS = {
    "<=": operator.le, ">=": operator.ge, "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt,
}  # fmt: skip


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize("value", range(-2, 3))
@pytest.mark.parametrize("bound", range(-2, 3))
def test_comparisons(op, value, bound):
    assert compare(value, op, bound) is OPERATORS[op](value, bound)


@given(st.lists(st.integers(0, 3), min_size=3, max_size=3), st.sets(st.integers(0, 2)))
def test_connectives(state, able):
    def enabled():
        return sorted(able)

    weighted = Linear(((0, 2), (2, -1)), ">=", 1)
    assert evaluate(weighted, state, enabled) == (2 * state[0] - state[2] >= 1)
    assert evaluate(Fireable(1), state, enabled) == (1 in able)
    assert evaluate(Dead(), state, enabled) == (not able)
    assert evaluate(Dead(frozenset((2,))), state, enabled) == (able <= {2})
    assert evaluate(Not(at_least(1)), state, enabled) == (state[1] < 1)
    both = (weighted, Fireable(1))
    assert evaluate(And(both), state, enabled) == all(evaluate(p, state, enabled) for p in both)
    assert evaluate(Or(both), state, enabled) == any(evaluate(p, state, enabled) for p in both)
    assert evaluate(TRUE, state, enabled)
    assert not evaluate(FALSE, state, enabled)


def test_same_parts_are_not_the_same_predicate():
    part = at_least(0)
    assert len({And((part,)), Or((part,)), Not(part), Fireable(0), Dead(), TRUE, FALSE}) == 7
    assert TRUE != FALSE


def test_support():
    predicate = Or((And((at_least(1), Not(Fireable(4)))), Linear(((2, 1), (5, 3)), "<", 2), Dead()))
    assert support(predicate) == ({1, 2, 5}, {4})
