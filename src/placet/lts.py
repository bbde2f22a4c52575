"""Labelled transition systems: what reachability graphs and the user's state machines share."""

from __future__ import annotations

from placet.values import NamedTuple


class Lts(NamedTuple):
    """States `0 .. states-1` with `initial`, and edges (source, label index, target)."""

    states: int
    initial: int
    labels: tuple[str, ...]
    edges: tuple[tuple[int, int, int], ...]
    names: tuple[str, ...] = ()  # words for the states, or none
    final: frozenset[int] = frozenset()
