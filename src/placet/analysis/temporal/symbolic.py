"""CTL on a diagram of all reachable states, by fixpoints over sets; and the formulas of LTL that CTL can say.

Burch, Clarke, McMillan, Dill, Hwang (1992), "Symbolic model checking: 10^20 states and beyond". Runs are maximal: infinite, or
ending where no transition is enabled; with `endless` the last state of a run that ends repeats, as LTL has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from placet.analysis.temporal.buchi import positive
from placet.errors import UsageError
from placet.logic.state import Dead
from placet.logic.temporal import (
    NO,
    YES,
    Always,
    Atom,
    Conj,
    Disj,
    Eventually,
    Every,
    Formula,
    Neg,
    Next,
    Release,
    Some,
    Until,
    predicate_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.engines.diagrams.diagram import Diagram

Recurring: TypeAlias = Literal[
    "never", "again", "all"
]  # what is said of the infinitely often: nothing, that it comes, that it stays


class Symbolic:
    """The states of a diagram in which formulas hold; what formulas share is computed once."""

    def __init__(self, diagram: Diagram, *, endless: bool = False) -> None:
        self._diagram, self._endless = diagram, endless
        self._known: dict[Formula, int] = {}

    def label(self, formula: Formula) -> int:
        """The set of states in which the formula holds. Raises UsageError where it is no CTL, LimitError as the diagram does."""
        known = self._known.get(formula)
        if known is None:
            known = self._known[formula] = self._make(formula)
        return known

    def holds(self, formula: Formula, state: Sequence[int]) -> bool:
        """Whether the formula holds in a reachable state: no set is made that this one state does not ask for. Raises as `label`."""
        match formula:
            case Neg(of):
                return not self.holds(of, state)
            case Conj(parts):
                return all(self.holds(p, state) for p in sorted(parts, key=_weight))
            case Disj(parts):
                return any(self.holds(p, state) for p in sorted(parts, key=_weight))
            case Some(Always(of)) | Every(Always(of)) if not self.holds(of, state):
                return False
            case Some(Eventually(of)) | Every(Eventually(of)) if self.holds(of, state):
                return True
            case Some(Until(left, right)) | Every(Until(left, right)):
                if self.holds(right, state):
                    return True
                if not self.holds(left, state) or not self._diagram.has(self.label(Some(Eventually(right))), state):
                    return False
        return self._diagram.has(self.label(formula), state)

    def _make(self, formula: Formula) -> int:
        diagram = self._diagram
        match formula:
            case Atom(predicate):
                return diagram.where(predicate)
            case Neg(of):
                return self._not(self.label(of))
            case Conj(parts):
                found = diagram.all
                for part in sorted(parts, key=_weight):
                    if found:
                        found = self._among(found, part)
                return found
            case Disj(parts):
                open_ = diagram.all
                for part in sorted(parts, key=_weight):
                    if open_:
                        open_ = diagram.difference(open_, self._among(open_, part))
                return self._not(open_)
            case Some(of):
                return self._some(of)
            case Every(of):
                return self._every(of)
        raise UsageError("no formula of CTL: an operator on runs stands without a quantifier")

    def _not(self, states: int) -> int:
        return self._diagram.difference(self._diagram.all, states)

    def _among(self, states: int, formula: Formula) -> int:
        """Those of the states in which a formula holds; what it asks of the next states is asked of these alone."""
        diagram = self._diagram
        match formula:
            case Some(Next(inner)) if formula not in self._known and not self._endless:
                return diagram.before(self.label(inner), states)
            case Every(Next(inner)) if formula not in self._known and not self._endless:
                return diagram.difference(states, diagram.before(self._not(self.label(inner)), states))
        return diagram.intersection(states, self.label(formula))

    def _some(self, of: Formula) -> int:
        match of:
            case Next(inner):
                return self._next(self.label(inner))
            case Eventually(inner):
                return self._diagram.leading_to(self.label(inner))
            case Until(left, right):
                return self._until(self.label(left), self.label(right))
            case Always(inner):
                return self._always(self.label(inner))
            case Release(left, right):  # right for ever, or until both
                return self._release(self.label(left), self.label(right))
        raise UsageError("no formula of CTL: a quantifier stands over no operator on runs")

    def _every(self, of: Formula) -> int:
        match of:
            case Next(inner):
                return self._not(self._next(self._not(self.label(inner))))
            case Eventually(inner):
                return self._not(self._always(self._not(self.label(inner))))
            case Always(inner):
                return self._not(self._diagram.leading_to(self._not(self.label(inner))))
            case Until(left, right):
                return self._not(self._release(self._not(self.label(left)), self._not(self.label(right))))
            case Release(left, right):
                return self._not(self._until(self._not(self.label(left)), self._not(self.label(right))))
        raise UsageError("no formula of CTL: a quantifier stands over no operator on runs")

    def _next(self, goal: int) -> int:
        found = self._diagram.before(goal)
        if self._endless:
            found = self._diagram.union(found, self._diagram.intersection(goal, self._ends()))
        return found

    def _until(self, left: int, right: int) -> int:
        return self._diagram.leading_to(right, self._diagram.union(left, right))

    def _release(self, left: int, right: int) -> int:
        both = self._diagram.intersection(left, right)
        return self._diagram.union(self._always(right), self._until(right, both))

    def _always(self, held: int) -> int:
        """The states from which some maximal run stays in the set."""
        return self._diagram.staying(held, self._ends())

    def _ends(self) -> int:
        return self.label(Atom(Dead()))


def _weight(formula: Formula) -> int:
    """How much work a formula is, by and large: its operators on runs, `Next` the least."""
    match formula:
        case Neg(of):
            return _weight(of)
        case Conj(parts) | Disj(parts):
            return sum(map(_weight, parts))
        case Some(of) | Every(of):
            match of:
                case Next(inner):
                    return 1 + _weight(inner)
                case Until(left, right) | Release(left, right):
                    return 4 + _weight(left) + _weight(right)
                case Eventually(inner) | Always(inner):
                    return 3 + _weight(inner)
    return 0


def branching(formula: Formula, recurring: Recurring = "never") -> Formula | None:
    """A formula of CTL that says, on endless runs, the same as a Boolean combination of quantified formulas of LTL; or None.

    Of a state, "every run" goes through what looks at one state, through conjunctions, `Next` and `Always`: what is asked of every
    run from every such state is asked of every run (M. Maidl (2000), "The common fragment of CTL and LTL"). With `recurring` runs are
    fair on edges, and what is asked of the infinitely often is said too: such a run ends in a set that nothing leaves, all of which it
    visits again and again, so that "again and again p" is "p can be reached" there, and "from some time on p" is "p can never be left":
    that speaks of faults, so that it is said of nets without any.
    """
    match formula:
        case Every(of):
            return _on_every_run(positive(of), recurring)
        case Some(of):
            found = _on_every_run(positive(of, negated=True), recurring)
            return None if found is None else Neg(found)
        case Neg(of):
            found = branching(of, recurring)
            return None if found is None else Neg(found)
        case Conj(of) | Disj(of):
            parts = [branching(f, recurring) for f in of]
            if any(p is None for p in parts):
                return None
            return type(formula)(tuple(p for p in parts if p is not None))
        case Atom():
            return formula
    return None


def _on_every_run(of: Formula, recurring: Recurring) -> Formula | None:
    """The CTL formula for "every run satisfies this", of a formula as `positive` gives it."""
    now = predicate_of(of)
    if now is not None:
        return Atom(now)
    again = None if recurring == "never" else _again(of, recurring)
    if again is not None:
        goal = again.of.right if isinstance(again, Some) and isinstance(again.of, Until) else again
        return Every(Release(NO, Some(Until(YES, goal))))
    match of:
        case Conj(parts):
            found = [_on_every_run(p, recurring) for p in parts]
            return None if None in found else Conj(tuple(p for p in found if p is not None))
        case Disj(parts):
            later = tuple(p for p in parts if predicate_of(p) is None)
            if len(later) == len(parts):
                return None
            inner = _on_every_run(later[0] if len(later) == 1 else Disj(later), recurring)
            if inner is None:
                return None
            return Disj((*(Atom(p) for p in map(predicate_of, parts) if p is not None), inner))
        case Next(inner):
            then = _on_every_run(inner, recurring)
            return None if then is None else Every(Next(then))
        case Release(left, right):
            first, then = predicate_of(left), _on_every_run(right, recurring)
            return None if first is None or then is None else Every(Release(Atom(first), then))
        case Until(left, right):
            first, last = predicate_of(left), predicate_of(right)
            return None if first is None or last is None else Every(Until(Atom(first), Atom(last)))
    return None


def _again(of: Formula, recurring: Recurring) -> Formula | None:
    """What a formula about the infinitely often asks of the states of a set that nothing leaves; None where it asks for more."""
    match of:
        case Release(Disj(()), Until(Conj(()), last)):
            goal = predicate_of(last)
            return None if goal is None else Some(Until(YES, Atom(goal)))
        case Until(Conj(()), Release(Disj(()), last)) if recurring == "all":
            goal = predicate_of(last)
            return None if goal is None else Every(Release(NO, Atom(goal)))
        case Conj(parts) | Disj(parts):
            found = [_again(p, recurring) for p in parts]
            return None if None in found else type(of)(tuple(p for p in found if p is not None))
    return None
