"""Formulas of CTL and LTL: whole, simplified by what is known, and on ever larger parts of the reachability graph."""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from placet.analysis.contest.goals import Goals
from placet.analysis.contest.symbolic import ask, holds
from placet.analysis.temporal.symbolic import Symbolic
from placet.engines.protocol import Needs, Visitor
from placet.logic.state import FALSE, TRUE, And, Not, Or, evaluate
from placet.logic.temporal import (
    NO,
    YES,
    Always,
    Atom,
    Conj,
    Disj,
    Eventually,
    Every,
    Neg,
    Some,
    atoms,
    conj,
    disj,
    neg,
    opposite,
    simplify,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy
    from numpy.typing import NDArray

    from placet.analysis.contest.context import Context
    from placet.engines.diagrams.diagram import Diagram
    from placet.engines.frontier import Search
    from placet.logic.state import Predicate
    from placet.logic.temporal import Formula

FIRST_ROUNDS = (300, 5_000, 60_000)  # states of the parts of the graph that are looked at first
MANY = 600_000  # later on
SLICE = 0.3  # seconds of each formula in the first round on a diagram


class Temporal:
    """The formulas of one file, each with its quantifiers; decides them and tells."""

    def __init__(self, context: Context, formulas: dict[str, Formula], *, linear: bool, whole: bool = True) -> None:
        """`linear`: runs go on for ever where nothing is enabled, as LTL has it; else they end there.

        `whole`: the net is not one that has been reduced for the formulas already.
        """
        self._context, self._linear, self._whole = context, linear, whole
        self._open = {name: simplify(f) for name, f in formulas.items()}
        self._facts: dict[Predicate, bool] = {TRUE: True, FALSE: False}  # predicates that hold everywhere, or nowhere
        self._leaves: dict[Formula, bool] = {}  # formulas whose truth in the initial state is known
        self._tested: set[Predicate] = set()
        self._symbolic: Symbolic | None = None
        self._beyond: set[str] = set()  # formulas that a diagram cannot tell

    def run(self) -> None:
        """Decide what can be decided in the time there is."""
        context = self._context
        self._settle()
        if all(_reach_leaf(leaf) is not None for f in self._open.values() for leaf in _top(f)):
            self._reach(context.until)
            return
        for states in FIRST_ROUNDS:
            if self._look(states, context.share(0.3)):
                return
        # a net that was reduced for one formula has its diagram or is hard; of a whole one there are 16
        share, part = (0.12, 0.3 if self._linear else 0.4) if self._whole else (0.5, 0.7)
        self._on_diagram(context.share(share), part)
        self._learn()
        self._each_reduced(context.share(0.5))
        self._reach(context.share(0.25))
        if self._look(MANY, context.share(0.5)):
            return
        self._on_diagram(context.share(0.4))
        if self._look(1 << 31, context.share(0.6)):
            return
        self._on_diagram(context.share(0.5))
        if self._open and context.left > 0:
            self._reach(context.until)

    def _look(self, states: int, until: float) -> bool:
        """Look at so many states of the graph, where there is time; whether nothing is open any more, or left to be tried."""
        context = self._context
        if not self._open or context.left <= 0:
            return True
        seen = context.search([Visitor(FALSE, Needs.EDGES)], states, until)
        if seen is not None:
            self._on_graph(seen)
        return not self._open

    # -- what is known -----------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Simplify by what is known, and tell of what has become true or false."""
        for name, formula in list(self._open.items()):
            smaller = self._initially(simplify(formula, self._facts.get))
            if smaller in (YES, NO):
                del self._open[name]
                self._context.tell(name, "TRUE" if smaller == YES else "FALSE")
            else:
                self._open[name] = smaller

    def _initially(self, formula: Formula) -> Formula:
        """The formula, as a question about the initial state alone: atoms are settled, quantifiers taken apart."""
        known = self._leaves.get(formula)
        if known is not None:
            return YES if known else NO
        match formula:
            case Atom(predicate):
                return YES if self._now(predicate) else NO
            case Neg(of):
                return neg(self._initially(of))
            case Conj(of):
                return conj(tuple(self._initially(f) for f in of))
            case Disj(of):
                return disj(tuple(self._initially(f) for f in of))
            case Every(of):
                return self._every(of)
            case Some(of):
                return self._some(of)
        return formula

    def _every(self, of: Formula) -> Formula:
        match of:
            case Atom():
                return self._initially(of)
            case Conj(parts):
                return conj(tuple(self._initially(Every(p)) for p in parts))
            case Always(Conj(parts)):
                return conj(tuple(self._initially(Every(Always(p))) for p in parts))
            case Always(Atom(And(parts))):
                return conj(tuple(self._initially(Every(Always(Atom(p)))) for p in parts))
            case Always(Atom(predicate)) if not self._now(predicate):
                return NO
            case Eventually(Atom(predicate)) if self._now(predicate):
                return YES
            case Disj(parts):
                rest = tuple(p for p in parts if not isinstance(p, Atom))
                if len(rest) < len(parts):
                    if any(self._now(p.predicate) for p in parts if isinstance(p, Atom)):
                        return YES
                    return self._initially(simplify(Every(disj(rest))))
            case Neg(inner):
                return neg(self._initially(Some(inner)))
        return self._known(Every(of))

    def _some(self, of: Formula) -> Formula:
        match of:
            case Atom():
                return self._initially(of)
            case Disj(parts):
                return disj(tuple(self._initially(Some(p)) for p in parts))
            case Eventually(Disj(parts)):
                return disj(tuple(self._initially(Some(Eventually(p))) for p in parts))
            case Eventually(Atom(Or(parts))):
                return disj(tuple(self._initially(Some(Eventually(Atom(p)))) for p in parts))
            case Eventually(Atom(predicate)) if self._now(predicate):
                return YES
            case Always(Atom(predicate)) if not self._now(predicate):
                return NO
            case Conj(parts):
                rest = tuple(p for p in parts if not isinstance(p, Atom))
                if len(rest) < len(parts):
                    if not all(self._now(p.predicate) for p in parts if isinstance(p, Atom)):
                        return NO
                    return self._initially(simplify(Some(conj(rest))))
            case Neg(inner):
                return neg(self._initially(Every(inner)))
        return self._known(Some(of))

    def _known(self, formula: Formula) -> Formula:
        known = self._leaves.get(formula)
        return formula if known is None else YES if known else NO

    def _now(self, predicate: Predicate) -> bool:
        from placet.net.firing import enabled

        context = self._context
        return evaluate(predicate, context.initial, lambda: enabled(context.net, context.initial))

    # -- facts about all markings ------------------------------------------------------------------------------------

    def _learn(self) -> None:
        """Find atoms that hold in every marking, or in none: by walks that show the contrary, and proofs."""
        context = self._context
        equation = context.equation
        if equation is None:
            return
        until = context.share(0.25, 6.0)
        asked = list(dict.fromkeys(p for f in self._open.values() for whole in atoms(f) for p in _pieces(whole)))
        asked = [p for p in asked if p not in self._tested]
        goals = [opposite(p) if self._now(p) else p for p in asked]  # what no one has seen yet
        walk = context.walk(goals)
        if walk is None or not asked:
            return
        walk.run(context.share(0.1, 1.5))
        for k, (predicate, goal) in enumerate(zip(asked, goals, strict=True)):
            if monotonic() > until:
                break
            if k in walk.found:
                continue
            self._tested.add(predicate)
            if equation.never(context.spelt(goal), min(until, monotonic() + 1.0), 100):
                self._facts[predicate] = goal != predicate
                self._facts[opposite(predicate)] = goal == predicate
        self._facts_of_compounds()
        self._settle()

    def _facts_of_compounds(self) -> None:
        for formula in self._open.values():
            for whole in atoms(formula):
                if whole not in self._facts:
                    value = _value(whole, self._facts)
                    if value is not None:
                        self._facts[whole] = value

    def _reach(self, until: float) -> None:
        """The parts that ask whether a predicate is reachable, as such."""
        leaves: dict[int, tuple[Formula, Predicate, bool]] = {}
        for formula in self._open.values():
            for leaf in _top(formula):
                asked = _reach_leaf(leaf)
                if asked is not None:
                    leaves[len(leaves)] = (leaf, *asked)
        if not leaves:
            return

        def answer(number: int, reachable: bool) -> None:  # noqa: FBT001 - an answer
            leaf, _, wanted = leaves[number]
            self._leaves[leaf] = reachable is wanted
            self._settle()

        Goals(self._context, {k: p for k, (_, p, _) in leaves.items()}, answer).run(until)

    def _each_reduced(self, until: float) -> None:
        """Each formula on a net that is reduced for it alone, the smallest first, with its share of the time. Once."""
        from placet.analysis.contest.context import Context
        from placet.analysis.contest.reduced import smaller

        context, found = self._context, []
        for name, formula in self._open.items() if self._whole else ():
            one = smaller(context, formula, linear=self._linear)
            if one is not None:
                found.append((len(one.net.places), name, one))
        self._whole = False
        found.sort(key=lambda entry: entry[:2])

        def tell(name: str, answer: str) -> None:
            del self._open[name]
            context.tell(name, answer)

        for number, (_, name, one) in enumerate(found):
            now = monotonic()
            if now >= until:
                return
            inner = Context(one.net, one.initial, now + (until - now) / (len(found) - number), tell)
            Temporal(inner, {name: one.formula}, linear=self._linear, whole=False).run()

    # -- on a diagram ------------------------------------------------------------------------------------------------

    def _on_diagram(self, until: float, part: float = 0.7) -> None:
        """All formulas on a diagram of all states, where there is one until then: a little time for each, then ever more.

        `part` of the time goes there once it is made. What was computed is kept.
        """
        context = self._context
        if not self._open or context.diagram(until) is None:
            return
        until, slice_ = context.share(part), SLICE
        while (names := [name for name in self._open if name not in self._beyond]) and monotonic() < until:
            for name in names:
                formula = self._open[name]
                found = ask(context, min(until, monotonic() + slice_), partial(self._holds, name, formula))
                if found is not None:
                    del self._open[name]
                    context.tell(name, "TRUE" if found else "FALSE")
            slice_ *= 3

    def _holds(self, name: str, formula: Formula, diagram: Diagram) -> bool | None:
        from placet.analysis.temporal.buchi import TooLargeError
        from placet.analysis.temporal.symbolic_ltl import holds_on_every_run

        if self._symbolic is None:
            self._symbolic = Symbolic(diagram, endless=self._linear)
        found = holds(self._context, formula, self._symbolic, linear=self._linear)
        if found is None and self._linear:
            try:
                found = self._paths(formula, lambda f: holds_on_every_run(diagram, f, self._context.initial))
            except TooLargeError:
                found = None
        if found is None:
            self._beyond.add(name)
        return found

    # -- on a graph --------------------------------------------------------------------------------------------------

    def _on_graph(self, seen: Search) -> None:
        from placet.analysis.passes import OutOfTimeError
        from placet.analysis.temporal.buchi import TooLargeError
        from placet.analysis.temporal.ctl import Labelling
        from placet.analysis.temporal.graph import Graph
        from placet.analysis.temporal.ltl import endless, holds_on_every_run

        offsets, _, targets = seen.arrays()
        graph = Graph(seen.states, offsets, targets, self._context.until)
        truth = _cached(seen.truth)
        endless_graph = None
        for name, formula in list(self._open.items()):
            labels = Labelling(graph, truth)
            if self._context.left <= 0:
                return
            # a large graph gives each formula its share, so that one does not starve the others
            graph.until = self._context.share(max(0.2, 1 / len(self._open)))
            found: bool | None = None
            try:
                if not self._linear:
                    found = labels.label(formula).at(0)
                else:
                    if endless_graph is None:
                        endless_graph = endless(graph)
                    endless_graph.until = graph.until
                    looked_at = endless_graph

                    def every(f: Formula, graph: Graph = looked_at) -> bool | None:
                        return holds_on_every_run(graph, f, truth)

                    found = self._paths(formula, every)
            except (OutOfTimeError, TooLargeError, MemoryError):
                continue
            if found is not None:
                del self._open[name]
                self._context.tell(name, "TRUE" if found else "FALSE")

    def _paths(self, formula: Formula, every: Callable[[Formula], bool | None]) -> bool | None:
        """A combination of LTL formulas under quantifiers, with three values."""
        match formula:
            case Every(of):
                return every(of)
            case Some(of):
                found = every(Neg(of))
                return None if found is None else not found
            case Neg(of):
                found = self._paths(of, every)
                return None if found is None else not found
            case Conj(of) | Disj(of):
                values = [self._paths(f, every) for f in of]
                decisive = isinstance(formula, Disj)
                return decisive if decisive in values else None if None in values else not decisive
            case Atom(predicate):
                return self._now(predicate)
        return None


def _cached(truth: Callable[[Predicate], NDArray[numpy.bool_]]) -> Callable[[Predicate], NDArray[numpy.bool_]]:
    known: dict[Predicate, NDArray[numpy.bool_]] = {}

    def look(predicate: Predicate) -> NDArray[numpy.bool_]:
        found = known.get(predicate)
        if found is None:
            found = known[predicate] = truth(predicate)
        return found

    return look


def _top(formula: Formula) -> list[Every | Some]:
    """The quantified formulas that a Boolean combination is made of."""
    found: list[Every | Some] = []
    pending = [formula]
    while pending:
        one = pending.pop()
        if isinstance(one, (Every, Some)):
            found.append(one)
        elif isinstance(one, Neg):
            pending.append(one.of)
        elif isinstance(one, (Conj, Disj)):
            pending.extend(one.of)
    return found


def _reach_leaf(leaf: Formula) -> tuple[Predicate, bool] | None:
    """(predicate, truth of the leaf where it is reachable), where that is all that the leaf asks."""
    match leaf:
        case Some(Eventually(Atom(predicate))):
            return predicate, True
        case Every(Always(Atom(predicate))):
            return opposite(predicate), False
    return None


def _pieces(predicate: Predicate) -> list[Predicate]:
    """A predicate and what it is made of, the small ones first."""
    match predicate:
        case Not(of):
            return [*_pieces(of), predicate]
        case And(of) | Or(of):
            return [*(piece for p in of for piece in _pieces(p)), predicate]
    return [predicate]


def _value(predicate: Predicate, facts: dict[Predicate, bool]) -> bool | None:
    known = facts.get(predicate)
    if known is not None:
        return known
    match predicate:
        case Not(of):
            inner = _value(of, facts)
            return None if inner is None else not inner
        case And(of) | Or(of):
            values = [_value(p, facts) for p in of]
            decisive = isinstance(predicate, Or)
            return decisive if decisive in values else None if None in values else not decisive
    return None
