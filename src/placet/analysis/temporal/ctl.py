"""CTL on a reachability graph, by labelling states from the inside of the formula outwards.

Clarke, Emerson, Sistla (1986), "Automatic verification of finite-state concurrent systems using temporal logic
specifications". Runs are maximal: infinite, or ending where no transition is enabled. Each formula is labelled twice,
with the states of which it is known to hold and with those of which it may hold; on a whole graph the two are the same,
and on a part of it they bound the truth from both sides (Bruns and Godefroid 1999, "Model checking partial state spaces
with 3-valued temporal logics"). Linear in the edges for each operator of the formula.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.errors import UsageError
from placet.logic.temporal import (
    Always,
    Atom,
    Conj,
    Disj,
    Eventually,
    Every,
    Neg,
    Next,
    Release,
    Some,
    Until,
)
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.analysis.temporal.graph import Graph, Truth
    from placet.logic.state import Predicate
    from placet.logic.temporal import Formula


class Label(NamedTuple):
    """By state: the formula holds for certain; the formula may hold."""

    surely: Truth
    maybe: Truth

    def at(self, state: int) -> bool | None:
        """The truth in a state; None where it is not known."""
        return True if self.surely[state] else None if self.maybe[state] else False


class Labelling:
    """The labels of formulas over one graph; what formulas share is computed once."""

    def __init__(self, graph: Graph, truth: Callable[[Predicate], Truth]) -> None:
        """`truth` gives the states in which a predicate holds."""
        self._graph, self._truth = graph, truth
        self._known: dict[Formula, Label] = {}

    def label(self, formula: Formula) -> Label:
        """Where the formula holds. Raises UsageError where it is no CTL, OutOfTimeError when the graph's time is over."""
        known = self._known.get(formula)
        if known is None:
            known = self._known[formula] = self._make(formula)
        return known

    def _make(self, formula: Formula) -> Label:
        match formula:
            case Atom(predicate):
                holds = self._truth(predicate)
                return Label(holds, holds)
            case Neg(of):
                return _not(self.label(of))
            case Conj(parts):
                return self._junction([self.label(p) for p in parts], conjunction=True)
            case Disj(parts):
                return self._junction([self.label(p) for p in parts], conjunction=False)
            case Some(of):
                return self._some(of)
            case Every(of):
                return self._every(of)
        raise UsageError("no formula of CTL: an operator on runs stands without a quantifier")

    def _junction(self, labels: list[Label], *, conjunction: bool) -> Label:
        import numpy as np

        start = np.full(self._graph.states, conjunction)
        surely, maybe = start, start.copy()
        for one in labels:
            surely = surely & one.surely if conjunction else surely | one.surely
            maybe = maybe & one.maybe if conjunction else maybe | one.maybe
        return Label(surely, maybe)

    def _some(self, of: Formula) -> Label:
        match of:
            case Next(inner):
                return self._next(self.label(inner))
            case Eventually(inner):
                return self._until(self._all(), self.label(inner))
            case Until(left, right):
                return self._until(self.label(left), self.label(right))
            case Always(inner):
                return self._always(self.label(inner))
            case Release(left, right):  # right for ever, or until both
                both = self._junction([self.label(left), self.label(right)], conjunction=True)
                held = self.label(right)
                return self._junction([self._always(held), self._until(held, both)], conjunction=False)
        raise UsageError("no formula of CTL: a quantifier stands over no operator on runs")

    def _every(self, of: Formula) -> Label:
        match of:
            case Next(inner):
                return _not(self._next(_not(self.label(inner))))
            case Eventually(inner):
                return _not(self._always(_not(self.label(inner))))
            case Always(inner):
                return _not(self._until(self._all(), _not(self.label(inner))))
            case Until(left, right):  # no run stays without right, and none is without right until it is without both
                a, b = self.label(left), self.label(right)
                lacks = _not(b)
                neither = self._junction([_not(a), lacks], conjunction=True)
                return _not(self._junction([self._always(lacks), self._until(lacks, neither)], conjunction=False))
            case Release(left, right):
                return _not(self._until(_not(self.label(left)), _not(self.label(right))))
        raise UsageError("no formula of CTL: a quantifier stands over no operator on runs")

    def _all(self) -> Label:
        return self._junction([], conjunction=True)

    def _next(self, inner: Label) -> Label:
        graph = self._graph
        surely = graph.some_next(inner.surely)
        return Label(
            surely,
            surely if graph.whole and inner.surely is inner.maybe else graph.some_next(inner.maybe) | graph.unknown,
        )

    def _until(self, left: Label, right: Label) -> Label:
        graph = self._graph
        surely = graph.leads_to(right.surely, left.surely)
        if graph.whole and _sure(left) and _sure(right):
            return Label(surely, surely)
        return Label(surely, graph.leads_to(right.maybe | (left.maybe & graph.unknown), left.maybe))

    def _always(self, inner: Label) -> Label:
        graph = self._graph
        surely = graph.can_stay(inner.surely & ~graph.unknown, graph.ends)
        if graph.whole and _sure(inner):
            return Label(surely, surely)
        return Label(surely, graph.can_stay(inner.maybe, graph.ends | graph.unknown))


def _not(label: Label) -> Label:
    surely = ~label.maybe
    return Label(surely, surely if _sure(label) else ~label.surely)


def _sure(label: Label) -> bool:
    return label.surely is label.maybe
