"""Drawings of nets: every place and transition, or what the user wrote, with the inside of each step folded away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from placet.draw.drawing import Arc, Drawing, Link, lanes_of, plural
from placet.draw.elements import of_place, of_transition
from placet.draw.folding import fold
from placet.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

    from placet.compiled import Compiled
    from placet.net.core import Marking

Detail = Literal["steps", "net"]


def from_net(
    compiled: Compiled,
    marking: Marking | None = None,
    *,
    detail: Detail = "net",
    marked: Collection[int] = (),
) -> Drawing:
    """The net with its initial marking, or with the marking given.

    `detail` "net" draws every place and transition. "steps" draws what the user wrote: all that belongs to one step is
    one box, places between two boxes are arrows, and what participants remember is left out. Transitions in `marked`
    are emphasised, those of a run for instance; numbers beyond the net, such as those of faults woven in, are ignored.

    Linear in the net. Raises UsageError for another `detail` or a marking of another length.
    """
    tokens = compiled.initial if marking is None else marking
    if len(tokens) != len(compiled.net.places):
        raise UsageError(f"a marking of {len(tokens)} places for a net of {len(compiled.net.places)}")
    if detail == "net":
        return _whole(compiled, tokens, frozenset(marked))
    if detail == "steps":
        return fold(compiled, tokens, frozenset(marked))
    raise UsageError(f"there is no detail `{detail}`; there are `steps` and `net`")


def _whole(compiled: Compiled, tokens: Marking, marked: frozenset[int]) -> Drawing:
    net = compiled.net
    places = [of_place(compiled, p, tokens) for p in range(len(net.places))]
    transitions = [of_transition(compiled, t, marked=t in marked) for t in range(len(net.transitions))]
    base = len(places)
    links: list[Link] = []
    for t in range(len(net.transitions)):
        on = t in marked
        links += [Link(p, base + t, _weight(w), marked=on) for p, w in net.pre[t]]
        links += [Link(base + t, p, _weight(w), marked=on) for p, w in net.post[t]]
        links += [Link(p, base + t, _weight(w), Arc.READ, on) for p, w in net.read[t]]
        links += [Link(p, base + t, _weight(w), Arc.INHIBIT, on) for p, w in net.inhibit[t]]
        links += [Link(p, base + t, "", Arc.RESET, on) for p in net.reset[t]]
    elements = (*places, *transitions)
    sizes = f"{plural(len(places), 'place')}, {plural(len(transitions), 'transition')} and {plural(len(links), 'arc')}"
    return Drawing(compiled.subject, f"A Petri net of {sizes}.", elements, tuple(links), lanes_of(elements))


def _weight(weight: int) -> str:
    return "" if weight == 1 else str(weight)
