"""A basis of the place invariants: weightings, negative ones too, that no transition changes. Of the transposed net: of the others.

Every invariant is a combination of these, whereas semiflows, without negative weights, may be exponentially many, or none.
"""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placet.net.core import Net

MOST_ENTRIES = 2_000_000  # that an elimination may write: a second or two


def basis(net: Net, most_entries: int = MOST_ENTRIES) -> tuple[tuple[tuple[int, int], ...], ...] | None:
    """Independent weightings y with y * C = 0, as (place, weight); None where that takes too long.

    Elimination with whole numbers: each place begins as a row of how transitions change it; rows that no longer change are
    the basis. The first weight of each is positive, their greatest common divisor is one.
    """
    rows: list[tuple[dict[int, int], dict[int, int]]] = [({p: 1}, {}) for p in range(len(net.places))]
    for sign, side in ((-1, net.pre), (1, net.post)):
        for t, arcs in enumerate(side):
            for p, w in arcs:
                change = rows[p][1]
                change[t] = change.get(t, 0) + sign * w
    pivots: dict[int, tuple[dict[int, int], dict[int, int]]] = {}
    found: list[dict[int, int]] = []
    written = 0
    for weights, full in sorted(rows, key=lambda row: len(row[1])):
        change = {t: w for t, w in full.items() if w}
        while change:
            known = next((t for t in change if t in pivots), None)
            if known is None:
                break
            its_weights, its_change = pivots[known]
            mine, its = its_change[known], -change[known]
            change = _combined(change, mine, its_change, its)
            weights = _combined(weights, mine, its_weights, its)  # noqa: PLW2901 - reduced step by step
            shared = gcd(*change.values(), *weights.values())
            if shared > 1:
                change = {t: w // shared for t, w in change.items()}
                weights = {p: w // shared for p, w in weights.items()}  # noqa: PLW2901
            written += len(change) + len(weights)
            if written > most_entries:
                return None
        if change:
            pivots[next(iter(change))] = (weights, change)
        else:
            found.append(weights)
    return tuple(sorted(map(_shown, found)))


def _combined(one: dict[int, int], times: int, other: dict[int, int], times_other: int) -> dict[int, int]:
    total = {key: times * value for key, value in one.items()}
    for key, value in other.items():
        total[key] = total.get(key, 0) + times_other * value
    return {key: value for key, value in total.items() if value}


def _shown(weights: dict[int, int]) -> tuple[tuple[int, int], ...]:
    divisor = gcd(*weights.values())
    ordered = sorted(weights.items())
    divisor = -divisor if ordered[0][1] < 0 else divisor
    return tuple((p, w // divisor) for p, w in ordered)
