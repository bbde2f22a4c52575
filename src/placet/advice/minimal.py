"""All minimal sets of changes with which nothing is missing: every one, whatever its size.

Own changes are tried in every combination that makes sense. Promises of others are many, and a promise takes bad runs away: what all of
them together do not reach no subset does, which prunes (the duality of minimal sets and maximal failing ones: Reiter 1987,
"A theory of diagnosis from first principles"; Liffiton and others 2016, "Fast, flexible MUS enumeration"). That a promise adds no bad run
is no theorem: where the allowance lets every set be measured, each is, and nothing is assumed; else the answer says so.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from placet.advice.changes import Change

    Covers = Callable[[tuple[Change, ...]], bool | None]


class Found(NamedTuple):
    """The sets; whether they are all; whether that rests on promises adding no bad runs."""

    sets: tuple[tuple[Change, ...], ...]
    complete: bool
    assumed: bool


def minimal_sets(own: Sequence[Change], promises: Sequence[Change], covers: Covers, most: int) -> Found:
    """Every minimal set of changes that covers all; `covers` measures one, None where it could not.

    At most about `most` of them are measured one by one; beyond that promises are searched by duality. O(2^own x sets).
    """
    groups = list(_combinations(own))
    each = len(groups) << len(promises) <= most
    full = (1 << len(promises)) - 1
    found: list[tuple[frozenset[Change], int]] = []
    complete, assumed = True, False

    def reaches(chosen: tuple[Change, ...], mask: int) -> bool | None:
        nonlocal complete
        reached = covers((*chosen, *(p for i, p in enumerate(promises) if mask >> i & 1)))
        complete = complete and reached is not None
        return reached

    for chosen in groups:
        good = [mask for smaller, mask in found if smaller <= set(chosen)]
        if 0 in good:
            continue
        before = len(good)
        if each:
            for mask in sorted(range(full + 1), key=int.bit_count):
                if not any(m & mask == m for m in good) and reaches(chosen, mask):
                    good.append(mask)
        else:
            assumed = True
            _by_duality(chosen, full, good, reaches)
        found += [(frozenset(chosen), mask) for mask in good[before:]]
        if not complete:
            break
    sets = tuple(
        (*(c for c in own if c in chosen), *(p for i, p in enumerate(promises) if mask >> i & 1))
        for chosen, mask in found
    )
    return Found(sets, complete, assumed)


def _by_duality(
    chosen: tuple[Change, ...],
    full: int,
    good: list[int],
    reaches: Callable[[tuple[Change, ...], int], bool | None],
) -> None:
    """Add the minimal masks to `good`: each largest one that is not decided yet fails, or is made smaller until it is minimal."""
    bad: list[int] = []
    while (seed := _undecided(full, good, bad)) is not None:
        reached = reaches(chosen, seed)
        if reached is None:
            return
        if not reached:
            bad.append(seed)
            continue
        for i in reversed(range(full.bit_length())):  # the dear ones are given up first
            smaller = seed & ~(1 << i)
            if smaller != seed and not any(smaller & b == smaller for b in bad):
                reached = reaches(chosen, smaller)
                if reached is None:
                    return
                if reached:
                    seed = smaller
                else:
                    bad.append(smaller)
        good.append(seed)


def _undecided(full: int, good: list[int], bad: list[int]) -> int | None:
    """A largest mask with none of the good ones in it, and in none of the bad ones."""
    queue, seen = [full], {full}
    for mask in queue:
        if any(mask & b == mask for b in bad):
            continue
        inside = next((g for g in good if g & mask == g), None)
        if inside is None:
            return mask
        for i in range(inside.bit_length()):
            smaller = mask & ~(1 << i)
            if inside >> i & 1 and smaller not in seen:
                seen.add(smaller)
                queue.append(smaller)
    return None


def _combinations(own: Sequence[Change]) -> Iterator[tuple[Change, ...]]:
    """The sets of own changes, the smaller first; no two for the same thing."""
    for size in range(len(own) + 1):
        for chosen in combinations(own, size):
            if len({(c.target, c.name) for c in chosen}) == size:
                yield chosen
