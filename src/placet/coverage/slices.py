"""Sagas with many ways at once, measured a few ways at a time.

A way is *sealed* when, while no fault comes, it always reaches its end and takes part in nothing but its fork and join. An
obligation speaks of one step and of the causes of one scenario, which hit at most `budget` ways. In all other ways nothing happens but
undisturbed work, which neither hastens nor hinders the ways that matter: every run projects to one without them, and every run without them
extends to one with them, since a sealed way can always come to rest. So each obligation has the same status in the net in which the
sealed ways that it does not speak of are empty, and every obligation is found in some choice of `budget` + 1 ways (one more where an
obligation looks at a second step). This is the observation behind slicing by visible transitions; the tests hold it against
measuring the whole.

Cost: one measurement for each choice of ways, of nets that no longer grow with the number of ways.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from placet.coverage.obligations import Row
from placet.net.final import PlaceClass
from placet.net.firing import enabled, fire
from placet.net.roles import Kind, builders
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from placet.compiled import Compiled
    from placet.net.roles import Fork, Way

# Faults that hit one call. The others hit the saga as a whole, at a moment that any way may shape.
_OF_CALLS = frozenset(("reject", "partial", "lost", "slow", "duplicate", "undo-fail", "undo-slow", "undo-lost"))


class Slice(NamedTuple):
    """A net in which some ways are empty. Its places and transitions are those of the whole net."""

    compiled: Compiled
    empty: frozenset[str]  # steps that never happen in it
    moves: frozenset[int]  # what the emptied ways do in the whole net while no fault comes


def slices(compiled: Compiled, budget: int) -> Iterator[Slice]:
    """The slices of a woven net that show every obligation; none where slicing does not apply or brings nothing."""
    forks = compiled.roles.forks
    sealed = [(fork, way) for fork in forks for way in fork.ways if way.sealed and way.steps]
    kinds = {r.fault for r in compiled.roles.transitions if r.kind is Kind.FAULT}
    wide = budget + 1 + _across(compiled, sealed) + any(s.pivot for s in compiled.roles.steps)
    if len(sealed) <= wide or not kinds <= _OF_CALLS:
        return
    for kept in combinations(sealed, wide):
        emptied = [pair for pair in sealed if pair not in kept]
        for fork in forks:  # a fork without ways would be none
            if all((fork, way) in emptied for way in fork.ways):
                emptied.remove((fork, fork.ways[0]))
        steps = frozenset(s for _, way in emptied for s in way.steps)
        yield Slice(_without(compiled, emptied), steps, _moves(compiled, emptied))


def _across(compiled: Compiled, sealed: Sequence[tuple[Fork, Way]]) -> bool:
    """Whether a step of one sealed way builds on a step of another one: an obligation speaks of both."""
    way_of = {s: number for number, (_, way) in enumerate(sealed) for s in way.steps}
    return any(
        way_of.get(s, -1) >= 0 and any(way_of.get(t, way_of[s]) != way_of[s] for t in on_it)
        for s, on_it in builders(compiled.roles.steps).items()
    )


def _moves(compiled: Compiled, ways: Sequence[tuple[Fork, Way]]) -> frozenset[int]:
    """The transitions of these ways, faults apart: what leads on from their places without leaving them."""
    net, classes = compiled.net, compiled.final.classes
    users = net.consumers()
    between = {t for fork, _ in ways for t in fork.transitions}
    seen = {p for _, way in ways for p in way.places}
    found: set[int] = set()
    queue = list(seen)
    for p in queue:
        for t in users[p]:
            if t in found or t in between or compiled.roles.transitions[t].kind is Kind.FAULT:
                continue
            found.add(t)
            for q, _ in net.post[t]:
                if q not in seen and classes[q] in (PlaceClass.CONTROL, PlaceClass.CHANNEL):
                    seen.add(q)
                    queue.append(q)
    return frozenset(found)


def _without(compiled: Compiled, emptied: Sequence[tuple[Fork, Way]]) -> Compiled:
    """The net in which forks and joins know nothing of the emptied ways, so that no token ever gets into them."""
    net = compiled.net
    pre, post = list(net.pre), list(net.post)
    for fork, way in emptied:
        gone = frozenset(way.places)
        for t in fork.transitions:
            pre[t] = tuple(arc for arc in pre[t] if arc[0] not in gone)
            post[t] = tuple(arc for arc in post[t] if arc[0] not in gone)
    made = net._replace(pre=tuple(pre), post=tuple(post))
    return compiled._replace(net=made, observers=(), queries=())


def united(groups: Sequence[Sequence[Row]], empty: Sequence[frozenset[str]], steps: tuple[str, ...]) -> tuple[Row, ...]:
    """The rows of all slices in one: an obligation is broken when it is so in some slice that speaks of it."""
    columns = len(steps)
    found: dict[tuple[tuple[int, ...], str], Row] = {}
    for rows, left_out in zip(groups, empty, strict=True):
        mute = [i for i, s in enumerate(steps) if s in left_out]
        for row in rows:
            owed = row.owed
            if mute:
                families = owed.bit_length() // columns + 1
                owed &= ~sum(1 << family * columns + i for family in range(families) for i in mute)
            key = (row.faults, row.phase)
            known = found.get(key)
            if known is None:
                found[key] = row._replace(owed=owed, broken=row.broken & owed, escalated=row.escalated & owed)
            else:
                found[key] = Row(
                    row.faults,
                    row.phase,
                    known.broken | (row.broken & owed),
                    known.owed | owed,
                    known.escalated | (row.escalated & owed),
                    known.unknown or row.unknown,
                )
    ordered = sorted(found.values(), key=lambda r: (len(r.faults), r.faults))
    return tuple(r for r in ordered if r.owed)


def whole_run(compiled: Compiled, trace: Sequence[int], moves: frozenset[int]) -> tuple[int, ...] | None:
    """A run of the whole net that does what a run of a slice does: the other ways make their `moves` where they are waited for.

    At the end they come to rest. None where it does not succeed within a thousand moves for each of the run's.
    """
    marking = compiled.initial
    fired: list[int] = []
    for wanted in (*trace, -1):
        for _ in range(1000):
            able = enabled(compiled.net, marking)
            t = wanted if wanted in able else next((t for t in able if t in moves), -1)
            if t < 0:
                if wanted < 0:
                    return tuple(fired)
                return None
            after = fire(compiled.net, marking, t)
            assert after is not None, "it is enabled"
            marking = after
            fired.append(t)
            if t == wanted:
                break
        else:
            return None
    return tuple(fired)
