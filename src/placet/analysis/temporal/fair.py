"""Fair runs on a reachability graph: which sets of states a fair run can stay in for ever, and loops that show it.

A fairness says which runs count. *Edges*: an edge that is there infinitely often is taken infinitely often. *Strong*: so is a
transition, whatever the edge. *Weak*: so is a transition that is there from some time on. *Nothing*: every run counts. Faults are
exempt: they happen finitely often, and a run may end where nothing else can happen. The states that a run visits infinitely often are
strongly connected, so that a fair run exists iff some strongly connected set satisfies what the fairness asks; where one does not, the
states that ask for what it lacks are taken out, and the rest is looked at again (Emerson and Lei 1987, "Modalities for model checking:
branching time logic strikes back", for Streett conditions).
"""

from __future__ import annotations

from array import array
from time import monotonic
from typing import TYPE_CHECKING, Literal, TypeAlias

from placet.analysis.components import Rows, components
from placet.analysis.passes import OutOfTimeError
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Fairness: TypeAlias = Literal["edges", "strong", "weak", "nothing"]

IDLE = -1  # the label of a step of a run that is over
_NEVER = float("inf")
_OFTEN = 4096  # states between two looks at the clock
MOST_LOOP = 5_000  # steps of a loop that shows a fair run


class Space(NamedTuple):
    """Nodes, each over a state of the graph, with the edges that a run may take infinitely often, and what these mark."""

    rows: Rows
    over: Sequence[int]  # by node: its state
    marks: Sequence[int]  # by edge: the acceptance sets it is in, as bits; empty where none is wanted
    wanted: int  # the sets of which a run must take an edge infinitely often, as bits
    enabled: Callable[[int], Sequence[int]]  # by state: the labels of its edges, faults apart


class FairSet(NamedTuple):
    """Nodes among which a fair run can go round for ever."""

    members: frozenset[int]


def in_time(until: float) -> Callable[[], None]:
    """What raises OutOfTimeError when it is called after that time, on the monotonic clock."""

    def look() -> None:
        if until < _NEVER and monotonic() > until:
            raise OutOfTimeError

    return look


def looking(look: Callable[[], None], inside: Callable[[int], bool] = lambda _: True) -> Callable[[int], bool]:
    """The same test of states, with a look at the clock now and then."""

    def test(state: int) -> bool:
        if not state % _OFTEN:
            look()
        return inside(state)

    return test


def fair_sets(
    space: Space, fairness: Fairness, inside: Callable[[int], bool], look: Callable[[], None] = lambda: None
) -> Iterator[FairSet]:
    """Sets in which fair runs can stay, at least one where there is any. O(edges) for each time that a set is cut down.

    Raises what `look` raises, which is called every few thousand nodes.
    """
    rows = space.rows
    pending = components(rows, looking(look, inside))
    while pending:
        look()
        members = pending.pop()
        own = frozenset(members)
        taken, marks = _taken(space, own)
        if not taken or marks & space.wanted != space.wanted:
            continue  # a subset has no more edges
        lacking = _lacking(space, fairness, members, taken)
        if lacking is None:
            continue
        if not lacking:
            yield FairSet(own)
            continue
        rest = own - lacking
        pending += components(rows, rest.__contains__, sorted(rest))


def _taken(space: Space, own: frozenset[int]) -> tuple[dict[int, set[int]], int]:
    """By state the labels of the edges within a set, and all that they mark."""
    rows = space.rows
    taken: dict[int, set[int]] = {}
    marks = 0
    for i in own:
        for e in range(rows.offsets[i], rows.offsets[i + 1]):
            if rows.targets[e] in own:
                taken.setdefault(space.over[i], set()).add(rows.labels[e])
                marks |= space.marks[e] if space.wanted else 0
    return taken, marks


def _lacking(space: Space, fairness: Fairness, members: list[int], taken: dict[int, set[int]]) -> frozenset[int] | None:
    """The nodes that cannot be visited infinitely often on a fair run within the set; None: nothing of it can."""
    if fairness == "nothing":
        return frozenset()
    if fairness == "edges":
        # a set of a fair run is closed under these edges, and no closed set lies properly inside a strongly connected one
        closed = all(taken.get(s, _NONE).issuperset(space.enabled(s)) for s in {space.over[i] for i in members})
        return frozenset() if closed else None
    fired = set().union(*taken.values())
    if fairness == "weak":
        always = set(space.enabled(space.over[members[0]]))
        for i in members:
            always &= set(space.enabled(space.over[i]))
        return frozenset() if always <= fired else None
    return frozenset(i for i in members if not fired.issuperset(space.enabled(space.over[i])))


_NONE: frozenset[int] = frozenset()


def loop(space: Space, found: FairSet, start: int, fairness: Fairness) -> tuple[tuple[int, ...], bool]:
    """Edges of a way from a node back to itself that is fair and takes every mark, and whether it is whole.

    Not whole: it would be longer than `MOST_LOOP`, and takes every mark only.
    """
    own = found.members
    states = {space.over[i] for i in own}
    owed: set[tuple[int, int]] = set()
    if fairness == "edges":
        owed = {(s, t) for s in states for t in space.enabled(s)}
    elif fairness == "strong":
        owed = {(-1, t) for s in states for t in space.enabled(s)}
    elif fairness == "weak":
        owed = _owed_weakly(space, own)
    way = _round(space, own, start, owed, fairness)
    if way is None:
        way = _round(space, own, start, set(), "nothing")
        return way or (), False
    return way, True


def short_loop(space: Space, found: FairSet, start: int) -> tuple[int, ...]:
    """Edges of a short way from a node back to itself that takes every mark."""
    return _round(space, found.members, start, set(), "nothing") or ()


def _owed_weakly(space: Space, own: frozenset[int]) -> set[tuple[int, int]]:
    """For each label that the set can fire, that it fires; for others, a state in which they are not enabled."""
    fired = set().union(*_taken(space, own)[0].values())
    asked = {t for i in own for t in space.enabled(space.over[i])}
    owed = {(-1, t) for t in asked & fired}
    for t in asked - fired:
        owed.add((next(space.over[i] for i in sorted(own) if t not in space.enabled(space.over[i])), -2))
    return owed


def _round(
    space: Space, own: frozenset[int], start: int, owed: set[tuple[int, int]], fairness: Fairness
) -> tuple[int, ...] | None:
    """A way round through what is owed: (state, label), (-1, label) or (state, -2); None where it becomes too long."""
    rows, over = space.rows, space.over
    missing = space.wanted
    way: list[int] = []
    at = start

    def pays(node: int, edge: int) -> bool:
        label = rows.labels[edge]
        if missing and missing & space.marks[edge]:
            return True
        return (
            (over[node], label) in owed
            or (-1, label) in owed
            or (over[node], -2) in owed
            or (over[rows.targets[edge]], -2) in owed
        )

    def returns(_: int, edge: int) -> bool:
        return rows.targets[edge] == start

    if not owed and not missing:
        return tuple(_nearest(rows, own, at, returns))
    while owed or missing:
        step = _nearest(rows, own, at, pays)
        if not step or (len(way) + len(step) > MOST_LOOP and fairness != "nothing"):
            return None
        for e in step:
            label = rows.labels[e]
            if missing:
                missing &= ~space.marks[e]
            owed -= {(over[at], label), (-1, label), (over[at], -2), (over[rows.targets[e]], -2)}
            at = rows.targets[e]
        way += step
    if at != start:
        way += _nearest(rows, own, at, returns)
    return tuple(way)


def _nearest(rows: Rows, own: frozenset[int], at: int, good: Callable[[int, int], bool]) -> list[int]:
    """The edges of a shortest way within a set whose last edge is good."""
    came: dict[int, tuple[int, int]] = {at: (-1, -1)}
    queue = [at]
    for i in queue:
        for e in range(rows.offsets[i], rows.offsets[i + 1]):
            j = rows.targets[e]
            if j not in own:
                continue
            if good(i, e):
                way = [e]
                while i != at:
                    i, last = came[i]  # noqa: PLW2901 - backwards along the way
                    way.append(last)
                return way[::-1]
            if j not in came:
                came[j] = (i, e)
                queue.append(j)
    return []


def reversed_rows(rows: Rows) -> tuple[array[int], array[int]]:
    """By state its predecessors, in compressed rows (offsets, sources). O(states + edges)."""
    counts = array("q", bytes(8 * (rows.states + 1)))
    for j in rows.targets:
        counts[j + 1] += 1
    for j in range(rows.states):
        counts[j + 1] += counts[j]
    filled = array("q", counts)
    sources = array("I", bytes(4 * len(rows.targets)))
    for i in range(rows.expanded):
        for e in range(rows.offsets[i], rows.offsets[i + 1]):
            j = rows.targets[e]
            sources[filled[j]] = i
            filled[j] += 1
    return counts, sources
