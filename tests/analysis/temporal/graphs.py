"""Random small graphs whose states show subsets of three letters, and random formulas over these."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from placet.analysis.temporal.graph import Graph
from placet.logic.state import at_least
from placet.logic.temporal import Always, Atom, Conj, Disj, Eventually, Every, Neg, Next, Release, Some, Until

LETTERS = (at_least(0), at_least(1), at_least(2))


class Labelled(NamedTuple):
    edges: tuple[tuple[int, ...], ...]
    shows: tuple[int, ...]  # by state, the letters as bits

    def holds(self, predicate, state):
        return bool(self.shows[state] >> LETTERS.index(predicate) & 1)

    def truth(self, predicate):
        return np.array([self.holds(predicate, s) for s in range(len(self.edges))])

    def graph(self, expanded=None):
        """The graph, or what is known of it when only so many states have been expanded."""
        rows = self.edges if expanded is None else self.edges[:expanded]
        offsets = np.cumsum([0, *(len(r) for r in rows)]).astype(np.int64)
        return Graph(len(self.edges), offsets, np.array([t for r in rows for t in r], dtype=np.uint32))


@st.composite
def labelled(draw, most=5):
    count = draw(st.integers(1, most))
    row = st.lists(st.integers(0, count - 1), max_size=3).map(tuple)
    return Labelled(tuple(draw(row) for _ in range(count)), tuple(draw(st.integers(0, 7)) for _ in range(count)))


atoms = st.sampled_from(LETTERS).map(Atom)


def _boolean(inner):
    return st.one_of(
        inner.map(Neg),
        st.lists(inner, max_size=3).map(lambda p: Conj(tuple(p))),
        st.lists(inner, max_size=3).map(lambda p: Disj(tuple(p))),
    )


def _path(inner):
    return st.one_of(
        inner.map(Next), inner.map(Eventually), inner.map(Always),
        st.tuples(inner, inner).map(lambda p: Until(*p)), st.tuples(inner, inner).map(lambda p: Release(*p)),
    )  # fmt: skip


ltl = st.recursive(atoms, lambda inner: st.one_of(_boolean(inner), _path(inner)), max_leaves=6)
ctl = st.recursive(
    atoms, lambda inner: st.one_of(_boolean(inner), _path(inner).map(Some), _path(inner).map(Every)), max_leaves=6
)
