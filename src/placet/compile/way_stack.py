"""What the undos of the ways of a parallel know of each other, where they run in one order: see `undo_stack`."""

from __future__ import annotations

from placet.values import NamedTuple


class Turn(NamedTuple):
    """Whether a way still goes forward, or has turned back: one of both holds a token."""

    forward: int
    back: int


class Stack(NamedTuple):
    """What the undos of a parallel know of each other."""

    base: str
    at: str  # what lays a step on it: `sent` or `known`
    tops: tuple[int, ...]
    turns: tuple[Turn, ...]  # of the ways in which something is to be undone
    calm: int
    failing: int
    stuck: int


class Stacked(NamedTuple):
    """A stack, and the way in which a step stands."""

    stack: Stack
    turn: Turn
