"""Weightings of places that firing keeps or lowers, found by linear programming and checked with integers."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DENOMINATORS = (1, 12, 1000)


def positive_invariant(columns: Sequence[Mapping[int, int]], count: int, until: float = 1e18) -> bool:
    """Whether weights of at least 1 of all `count` places exist that no column changes. False may be "not found"."""
    found = _solve(columns, count, [1.0] * count, (1.0, None), exactly=True, until=until)
    for limit in _DENOMINATORS if found is not None else ():
        y = [Fraction(v).limit_denominator(limit) for v in found or ()]
        if all(w > 0 for w in y) and all(sum(y[p] * w for p, w in column.items()) == 0 for column in columns):
            return True
    return False


def falling(columns: Sequence[Mapping[int, int]], count: int, until: float = 1e18) -> list[Fraction] | None:
    """Weights, none below 0, that no column raises and at least one lowers; None where none were found."""
    total = [0.0] * count
    for column in columns:
        for p, w in column.items():
            total[p] += w
    found = _solve(columns, count, total, (0.0, 1.0), exactly=False, until=until)
    for limit in _DENOMINATORS if found is not None else ():
        y = [Fraction(max(v, 0.0)).limit_denominator(limit) for v in found or ()]
        changes = [sum((y[p] * w for p, w in column.items()), Fraction(0)) for column in columns]
        if all(c <= 0 for c in changes) and any(c < 0 for c in changes):
            return y
    return None


def dwindling(columns: Sequence[Mapping[int, int]], count: int, until: float = 1e18) -> list[int] | None:
    """Whole weights, none below 0, that every column lowers; None where none were found."""
    found = _solve(columns, count, [1.0] * count, (0.0, None), exactly=False, until=until, most=-1.0)
    for limit in _DENOMINATORS if found is not None else ():
        y = [Fraction(max(v, 0.0)).limit_denominator(limit) for v in found or ()]
        if all(sum((y[p] * w for p, w in column.items()), Fraction(0)) < 0 for column in columns):
            whole = lcm(*(w.denominator for w in y))
            return [int(w * whole) for w in y]
    return None


def _solve(
    columns: Sequence[Mapping[int, int]],
    count: int,
    cost: list[float],
    bounds: tuple[float, float | None],
    *,
    exactly: bool,
    until: float,
    most: float = 0.0,
) -> list[float] | None:
    """Cheapest weights with `y C = 0` (or `<= most`) within bounds: floating point, a hint only."""
    from placet.analysis.state_equation import available

    if not available():
        return None
    import highspy
    import numpy as np
    from highspy import _core

    solver = _core._Highs()  # noqa: SLF001 - the class around it prints a banner when it is made
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("time_limit", max(0.01, min(1e6, until - monotonic())))
    made = highspy.HighsLp()
    made.num_col_, made.num_row_ = count, len(columns)
    made.col_cost_ = np.array(cost)
    made.col_lower_ = np.full(count, bounds[0])
    made.col_upper_ = np.full(count, highspy.kHighsInf if bounds[1] is None else bounds[1])
    made.row_lower_ = np.full(len(columns), 0.0 if exactly else -highspy.kHighsInf)
    made.row_upper_ = np.full(len(columns), most)
    starts, index, value = [0], [], []
    for column in columns:
        for p, w in column.items():
            index.append(p)
            value.append(float(w))
        starts.append(len(index))
    made.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    made.a_matrix_.start_ = np.array(starts, dtype=np.int32)
    made.a_matrix_.index_ = np.array(index, dtype=np.int32)
    made.a_matrix_.value_ = np.array(value, dtype=np.double)
    solver.passModel(made)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return list(solver.getSolution().col_value)
