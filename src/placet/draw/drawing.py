"""What is drawn: elements and links with words, before anybody decides on coordinates, colours or a language."""

from __future__ import annotations

from enum import Enum

from placet.values import NamedTuple


class Shape(Enum):
    """What an element is drawn as."""

    PLACE = "place"  # a circle with tokens
    TRANSITION = "transition"  # a box
    ROUTE = "route"  # a bar: control flow only
    STEP = "step"  # a rounded box: a step with all that happens inside it
    CHOICE = "choice"  # a diamond: one of several ways goes on
    END = "end"  # a double circle
    STATE = "state"  # a rounded box of a transition system


class Arc(Enum):
    """What a link means."""

    FLOW = "flow"
    READ = "read"  # is looked at and stays
    INHIBIT = "inhibit"  # must hold less
    RESET = "reset"  # is emptied


class Element(NamedTuple):
    """Something with a place in the picture."""

    id: str
    label: str
    shape: Shape
    title: str = ""  # more words, shown on pointing at it
    lane: str = ""  # the service it is coloured for; empty: the coordinator
    tokens: int = 0
    marked: bool = False  # emphasised: on the path of a counterexample, or just fired


class Link(NamedTuple):
    """An arrow from one element (an index) to another."""

    source: int
    target: int
    label: str = ""
    arc: Arc = Arc.FLOW
    marked: bool = False


class Drawing(NamedTuple):
    """A picture in words. `lanes` are the services in the order of their colours."""

    title: str
    description: str
    elements: tuple[Element, ...]
    links: tuple[Link, ...]
    lanes: tuple[str, ...] = ()


def lanes_of(elements: tuple[Element, ...]) -> tuple[str, ...]:
    """The services that occur, in order of first appearance."""
    return tuple(dict.fromkeys(e.lane for e in elements if e.lane))


def plural(count: int, word: str) -> str:
    """`1 place`, `2 places`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
