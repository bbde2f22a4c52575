"""The element of one place or one transition, in the words of its origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.draw.drawing import Element, Shape

if TYPE_CHECKING:
    from placet.compiled import Compiled, Origin
    from placet.net.core import Marking

_AROUND = (("", " happens"), ("", " holds a token"), ("", " is done"), ("a token is on ", ""), ("a token on ", ""))


def of_place(compiled: Compiled, p: int, tokens: Marking) -> Element:
    """A circle with its tokens, a double one for an end."""
    origin = compiled.origin.places[p]
    shape = Shape.END if p in compiled.final.ends else Shape.PLACE
    return Element(origin.id, label_of(origin), shape, title_of(origin), origin.service, tokens[p])


def of_transition(compiled: Compiled, t: int, *, marked: bool = False) -> Element:
    """A box, or a bar where the user wrote nothing that it is."""
    origin, role = compiled.origin.transitions[t], compiled.roles.transitions[t]
    shape = Shape.ROUTE if t in compiled.quiet else Shape.TRANSITION
    rank = dict(compiled.ranks).get(t, 0) if compiled.ranks else 0
    label = f"{label_of(origin)} (priority {rank})" if rank else label_of(origin)
    return Element(origin.id, label, shape, title_of(origin), role.service or origin.service, marked=marked)


def label_of(origin: Origin) -> str:
    """The words on an element: its name where the phrase says little more than that, else the phrase."""
    for before, after in _AROUND:
        name = origin.phrase.removeprefix(f"{before}`").removesuffix(f"`{after}")
        if origin.phrase == f"{before}`{name}`{after}" and "`" not in name:
            return name
    return origin.phrase.replace("`", "") or origin.id


def title_of(origin: Origin) -> str:
    """All there is to say of an element: what it means, where it was written, its id."""
    where = f" (line {origin.span.line})" if origin.span is not None else ""
    return f"{origin.phrase.replace('`', '')}{where}: {origin.id}"
