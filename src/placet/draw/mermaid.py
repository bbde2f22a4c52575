"""Drawings as Mermaid flowcharts, which GitHub and GitLab show in Markdown.

Mermaid itself draws no more than 500 arrows and 50,000 characters unless the page that shows it allows more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.draw.drawing import Arc, Shape
from placet.draw.palette import INK, MARK, colours

if TYPE_CHECKING:
    from placet.draw.drawing import Drawing, Element, Link

_SHAPES = {
    Shape.PLACE: ("((", "))"),
    Shape.TRANSITION: ("[", "]"),
    Shape.ROUTE: ("[", "]"),
    Shape.STEP: ("(", ")"),
    Shape.CHOICE: ("{", "}"),
    Shape.END: ("(((", ")))"),
    Shape.STATE: ("(", ")"),
}
_ARROWS = {Arc.FLOW: "-->", Arc.READ: "-.->", Arc.INHIBIT: "--o", Arc.RESET: "--x"}
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,-_:+=/")


def mermaid(drawing: Drawing) -> str:
    """The drawing as a flowchart, top down. Linear."""
    lines = ["flowchart TD", f"  accTitle: {_plain(drawing.title)}", f"  accDescr: {_plain(drawing.description)}"]
    lines += [f"  {_element(number, element)}" for number, element in enumerate(drawing.elements)]
    lines += [f"  {_link(link)}" for link in drawing.links]
    for at, (fill, border) in enumerate(colours(drawing.lanes).values()):
        lines.append(f"  classDef lane{at} fill:{fill},stroke:{border},color:{INK}")
    number_of = {lane: at for at, lane in enumerate(colours(drawing.lanes))}
    by_lane: dict[int, list[str]] = {}
    for number, element in enumerate(drawing.elements):
        by_lane.setdefault(number_of[element.lane], []).append(f"n{number}")
    lines += [f"  class {','.join(some)} lane{at}" for at, some in sorted(by_lane.items())]
    marked = [f"n{number}" for number, element in enumerate(drawing.elements) if element.marked]
    if marked:
        lines += [f"  classDef marked stroke:{MARK},stroke-width:3px", f"  class {','.join(marked)} marked"]
    hot = [str(at) for at, link in enumerate(drawing.links) if link.marked]
    if hot:
        lines.append(f"  linkStyle {','.join(hot)} stroke:{MARK},stroke-width:3px")
    return "\n".join([*lines, ""])


def escaped(text: str) -> str:
    """A quoted Mermaid string: every character that could mean something is given by its number."""
    shown = "".join(c if c.isprintable() else " " for c in " ".join(text.split()))
    return '"' + ("".join(c if c in _PLAIN else f"#{ord(c)};" for c in shown) or " ") + '"'


def _plain(text: str) -> str:
    """Text for the two lines that know no quotes: what could end or open something is left out."""
    shown = "".join(c if c.isprintable() and c not in '{}#;%<>"`|&' else " " for c in text)
    return " ".join(shown.split()) or "-"


def _element(number: int, element: Element) -> str:
    opening, closing = _SHAPES[element.shape]
    words = element.label
    if element.tokens and element.shape in (Shape.PLACE, Shape.END, Shape.STATE):
        words = f"{'●' * element.tokens if element.tokens <= 3 else element.tokens} {words}"
    return f"n{number}{opening}{escaped(words)}{closing}"


def _link(link: Link) -> str:
    words = f"|{escaped(link.label)}|" if link.label else ""
    return f"n{link.source} {_ARROWS[link.arc]}{words} n{link.target}"
