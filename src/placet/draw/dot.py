"""Drawings in Graphviz's DOT language, and through the `dot` command where it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.draw.drawing import Arc, Shape
from placet.draw.palette import INK, MARK, PAPER, colours

if TYPE_CHECKING:
    from placet.draw.drawing import Drawing, Element, Link

_SHAPES = {
    Shape.PLACE: "shape=circle, width=0.4, fixedsize=true",
    Shape.TRANSITION: 'shape=box, style="filled"',
    Shape.ROUTE: 'shape=box, style="filled", height=0.1, fontsize=9',
    Shape.STEP: 'shape=box, style="filled,rounded"',
    Shape.CHOICE: "shape=diamond, width=0.4, height=0.4, fixedsize=true",
    Shape.END: "shape=doublecircle, width=0.35, fixedsize=true",
    Shape.STATE: 'shape=box, style="filled,rounded"',
}
_ARROWS = {
    Arc.FLOW: "",
    Arc.READ: "arrowhead=none, style=dashed",
    Arc.INHIBIT: "arrowhead=odot",
    Arc.RESET: "arrowhead=normalnormal, style=dotted",
}
_OUTSIDE = (Shape.PLACE, Shape.END)  # too small for words: the label stands beside


def dot(drawing: Drawing) -> str:
    """The drawing as a DOT document. Linear."""
    fills = colours(drawing.lanes)
    lines = [
        f"digraph {quoted(drawing.title)} {{",
        f"  graph [rankdir=TB, bgcolor={quoted(PAPER)}, label={quoted(drawing.title)}, labelloc=t, fontname=Helvetica]",
        f"  node [fontname=Helvetica, fontsize=11, color={quoted(INK)}, style=filled]",
        f"  edge [fontname=Helvetica, fontsize=10, color={quoted(INK)}]",
    ]
    for number, element in enumerate(drawing.elements):
        lines.append(f"  n{number} [{_element(element, fills[element.lane][0])}]")
    for link in drawing.links:
        attributes = _link(link)
        lines.append(f"  n{link.source} -> n{link.target}" + (f" [{attributes}]" if attributes else ""))
    return "\n".join([*lines, "}", ""])


def render(drawing: Drawing, form: str = "svg") -> bytes:
    """The picture that the installed `dot` command makes (svg, pdf, png...).

    Raises MissingExtraError where there is no such command, UsageError for a form it does not know.
    """
    import graphviz

    from placet.errors import MissingExtraError, UsageError

    try:
        made: bytes = graphviz.Source(dot(drawing), engine="dot").pipe(format=form)
    except graphviz.ExecutableNotFound:
        raise MissingExtraError("the `dot` command of Graphviz is not installed; without it there is svg") from None
    except (ValueError, graphviz.CalledProcessError) as fault:
        raise UsageError(f"`dot` does not make `{form}`") from fault
    return made


def quoted(text: str) -> str:
    """A DOT string: the only special characters are the quote, the backslash and line ends."""
    kept = "".join(c if c.isprintable() or c == "\n" else " " for c in text)
    return '"' + kept.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _element(element: Element, fill: str) -> str:
    inside = "" if element.shape in _OUTSIDE else element.label
    if element.tokens and element.shape in _OUTSIDE:
        inside = "●" * element.tokens if element.tokens <= 3 else str(element.tokens)
    parts = [_SHAPES[element.shape], f"label={quoted(inside)}", f"fillcolor={quoted(fill)}"]
    if element.shape in _OUTSIDE and element.label:
        parts.append(f"xlabel={quoted(element.label)}")
    if element.title:
        parts.append(f"tooltip={quoted(element.title)}")
    if element.marked:
        parts.append(f"color={quoted(MARK)}, penwidth=2.5")
    return ", ".join(parts)


def _link(link: Link) -> str:
    parts = [_ARROWS[link.arc]] if _ARROWS[link.arc] else []
    if link.label:
        parts.append(f"label={quoted(link.label)}")
    if link.marked:
        parts.append(f"color={quoted(MARK)}, penwidth=2.5")
    return ", ".join(parts)
