"""Hypothesis strategies that every room's tests share: random nets, observers, predicates, small workflow nets.

All nets are small on purpose: a few places and transitions show nearly every fault of an engine, and the brute-force
definitions of `tests/oracles` can be held against them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hypothesis import strategies as st

from placet.compiled import Compiled, Origin, OriginMap
from placet.logic.state import And, Dead, Fireable, Linear, Not, Or
from placet.net.builder import NetBuilder
from placet.net.final import Final, PlaceClass
from placet.net.observer import Observer
from placet.net.roles import PLAIN, Roles

if TYPE_CHECKING:
    from placet.logic.state import Predicate
    from placet.net.core import Marking, Net


class Marked(NamedTuple):
    """A net and its initial marking."""

    net: Net
    initial: Marking


def compiled_of(
    net: Net,
    initial: Marking,
    *,
    ends: tuple[int, ...] = (),
    classes: tuple[PlaceClass, ...] = (),
    any_sink: bool = False,
    observers: tuple[Observer, ...] = (),
    steps: tuple[tuple[str, tuple[int, ...]], ...] | None = None,
    kind: str = "net",
) -> Compiled:
    """A Compiled around a bare net; without `steps` every transition is a step of its own."""
    if steps is None:
        steps = tuple((name, (t,)) for t, name in enumerate(net.transitions))
    return Compiled(
        subject=net.name or "net",
        kind=kind,
        net=net,
        initial=initial,
        final=Final(ends, classes or (PlaceClass.CONTROL,) * len(net.places), any_sink),
        roles=Roles((PLAIN,) * len(net.transitions)),
        origin=OriginMap(
            tuple(Origin(p, f"a token on `{p}`") for p in net.places),
            tuple(Origin(t, f"`{t}` happens") for t in net.transitions),
        ),
        observers=observers,
        steps=steps,
    )


@st.composite
def _side(draw: st.DrawFn, places: int, most: int, weights: int) -> dict[int, int]:
    chosen = draw(st.lists(st.integers(0, places - 1), max_size=most, unique=True))
    return {p: draw(st.integers(1, weights)) if weights > 1 else 1 for p in chosen}


@st.composite
def nets(
    draw: st.DrawFn,
    *,
    max_places: int = 5,
    max_transitions: int = 6,
    weights: int = 1,
    tokens: int = 2,
    reads: bool = False,
    inhibitors: bool = False,
    resets: bool = False,
    capacities: bool = False,
) -> Marked:
    """A random net with the kinds of arcs that are switched on; nothing says that it is bounded."""
    builder = NetBuilder("random")
    for p in range(draw(st.integers(1, max_places))):
        count = draw(st.integers(0, tokens))
        roomy = draw(st.none() | st.integers(max(count, 1), 4)) if capacities else None
        builder.place(f"p{p}", count, roomy)
    width = len(builder.places)
    for t in range(draw(st.integers(1, max_transitions))):
        builder.transition(
            f"t{t}",
            draw(_side(width, 2, weights)),
            draw(_side(width, 2, weights)),
            read=draw(_side(width, 1, weights)) if reads else None,
            inhibit=draw(_side(width, 1, 2)) if inhibitors else None,
            reset=tuple(draw(st.lists(st.integers(0, width - 1), max_size=1))) if resets else (),
        )
    return Marked(*builder.build())


def plain_nets(**options: int) -> st.SearchStrategy[Marked]:
    """Ordinary arcs of weight one only."""
    return nets(**options)


def weighted_nets(**options: int) -> st.SearchStrategy[Marked]:
    """Plain arcs with weights up to three."""
    return nets(**{"weights": 3, "tokens": 3, **options})


def full_nets(**options: int) -> st.SearchStrategy[Marked]:
    """Every kind of arc, and capacities."""
    return nets(**{"weights": 2, **options}, reads=True, inhibitors=True, resets=True, capacities=True)


def any_nets() -> st.SearchStrategy[Marked]:
    """Plain, weighted, each extension alone, and all of them together."""
    return st.one_of(
        plain_nets(),
        weighted_nets(),
        nets(weights=2, reads=True),
        nets(weights=2, inhibitors=True),
        nets(weights=2, resets=True),
        nets(weights=2, capacities=True),
        full_nets(),
    )


@st.composite
def observers(draw: st.DrawFn, transitions: int, *, most: int = 2) -> tuple[Observer, ...]:
    """Up to `most` saturating counters over a net with that many transitions."""
    found = []
    for number in range(draw(st.integers(0, most))):
        low, high = draw(st.sampled_from([(0, 1), (-1, 2), (0, 3)]))
        listed = draw(st.lists(st.integers(0, transitions - 1), min_size=1, max_size=3, unique=True))
        deltas = tuple((t, draw(st.sampled_from([1, -1, 2]))) for t in sorted(listed))
        found.append(Observer(f"o{number}", f"counter {number}", deltas, low, high, draw(st.integers(low, high))))
    return tuple(found)


@st.composite
def predicates(draw: st.DrawFn, indices: int, transitions: int, depth: int = 2) -> Predicate:
    """A state predicate over `indices` places and observers and over the enabled transitions."""
    kind = draw(st.sampled_from(["linear", "linear", "fireable", "dead", *(["not", "and", "or"] if depth else [])]))
    if kind == "linear":
        terms = draw(st.lists(st.integers(0, indices - 1), max_size=3, unique=True))
        signed = tuple((i, draw(st.sampled_from([1, 1, -1, 2]))) for i in sorted(terms))
        return Linear(signed, draw(st.sampled_from(["<=", ">=", "==", "!=", "<", ">"])), draw(st.integers(-1, 3)))
    if kind == "fireable":
        return Fireable(draw(st.integers(0, transitions - 1)))
    if kind == "dead":
        return Dead(draw(st.frozensets(st.integers(0, transitions - 1), max_size=2)))
    if kind == "not":
        return Not(draw(predicates(indices, transitions, depth - 1)))
    parts = tuple(draw(predicates(indices, transitions, depth - 1)) for _ in range(draw(st.integers(0, 2))))
    return And(parts) if kind == "and" else Or(parts)


@st.composite
def cases(
    draw: st.DrawFn, source: st.SearchStrategy[Marked] | None = None
) -> tuple[Marked, tuple[Observer, ...], Predicate]:
    """A net, observers over it, and a predicate over both."""
    marked = draw(source if source is not None else any_nets())
    watch = draw(observers(len(marked.net.transitions)))
    return marked, watch, draw(predicates(len(marked.net.places) + len(watch), len(marked.net.transitions)))


@st.composite
def workflow_nets(draw: st.DrawFn, *, blocks: int = 4, breaks: int = 2, extensions: bool = True) -> Compiled:
    """A small workflow net with one or two ends, grown from `start -> end` by sound rules, then perhaps broken.

    Growth (series, choice, parallel, loop) keeps soundness; each break moves, drops or adds one arc, so that sound and
    unsound nets, dead steps, deadlocks, lost and surplus tokens all come up often.
    """
    count = 2
    arcs: list[tuple[list[int], list[int]]] = [([0], [1])]
    for _ in range(draw(st.integers(0, blocks))):
        pre, post = arcs[draw(st.integers(0, len(arcs) - 1))]
        rule = draw(st.sampled_from(["series", "choice", "parallel", "loop"]))
        if rule == "series":
            arcs.append(([count], post[:]))
            post[:] = [count]
            count += 1
        elif rule == "choice":
            arcs.append((pre[:], post[:]))
        elif rule == "parallel":
            arcs.append(([count, count + 1], post[:]))
            post[:] = [count, count + 1]
            count += 2
        else:
            arcs.append(([count], [count]))
            arcs.append(([count], post[:]))
            post[:] = [count]
            count += 1
    ends = [1]
    if draw(st.booleans()):
        ends.append(count)
        arcs.append((arcs[draw(st.integers(0, len(arcs) - 1))][0][:], [count]))
        count += 1
    for _ in range(draw(st.integers(0, breaks))):
        side = arcs[draw(st.integers(0, len(arcs) - 1))][draw(st.integers(0, 1))]
        rule = draw(st.sampled_from(["drop", "add", "move"]))
        if rule != "add" and side:
            side.pop(draw(st.integers(0, len(side) - 1)))
        if rule != "drop":
            side.append(draw(st.integers(0, count - 1)))
    builder = NetBuilder("flow")
    for p in range(count):
        builder.place(f"p{p}", 1 if p == 0 else 0)
    for t, (pre, post) in enumerate(arcs):
        extra = draw(st.sampled_from([*["none"] * 8, "read", "inhibit", "reset"])) if extensions else "none"
        where = draw(st.integers(0, count - 1))
        builder.transition(
            f"t{t}",
            dict.fromkeys(pre, 1),
            dict.fromkeys(post, 1),
            read={where: 1} if extra == "read" else None,
            inhibit={where: 1} if extra == "inhibit" else None,
            reset=(where,) if extra == "reset" else (),
        )
    net, initial = builder.build()
    return compiled_of(net, initial, ends=tuple(ends), kind="workflow")
