"""CTL on a diagram of all states with faults and fairness, and why a formula is false: the sets of `branching`, by fixpoints.

Fairness on edges needs no components: a fair run without a fault can stay for ever in states of a set from where, without a fault, nothing
outside of the set can be reached; and it can stay in the set at all iff it can reach such a state through the set (every finite graph has
a terminal component below each state). Without fairness these are the states of a greatest fixpoint (Burch et al. 1992). For weak and strong
fairness see `drawn_fair`. Formulas are in negation normal form, as `branching.Labels` has them; every state is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.errors import UsageError
from placet.evidence import Branch
from placet.logic.state import Dead
from placet.logic.temporal import Atom, Conj, Disj, Every, Neg, Next, Release, Some, Until, is_plain

if TYPE_CHECKING:
    from placet.analysis.temporal.drawn_fair import Steps
    from placet.analysis.temporal.fair import Fairness
    from placet.evidence import State, Trace
    from placet.logic.temporal import Formula

_WALK = 20_000  # steps of a walk until it comes back to where it was


class Drawn:
    """By formula the set of the states in which it holds. Any call may raise LimitError."""

    def __init__(self, steps: Steps, faults: frozenset[int], fairness: Fairness) -> None:
        self._steps, self._faults, self._fairness = steps, faults, fairness
        self._diagram = steps.diagram
        self._known: dict[Formula, int] = {}
        self._stay: dict[int, int] = {}

    def of(self, formula: Formula) -> int:
        """The states in which it holds. Raises UsageError where it is no CTL in negation normal form."""
        found = self._known.get(formula)
        if found is None:
            found = self._known[formula] = self._make(formula)
        return found

    def holds(self, formula: Formula, state: State) -> bool:
        """Whether it holds in a state."""
        return self._diagram.has(self.of(formula), state)

    def _make(self, formula: Formula) -> int:
        diagram, faults = self._diagram, self._faults
        match formula:
            case Atom(predicate):
                return self._steps.where(predicate)
            case Neg(Atom() as atom):
                return self._not(self.of(atom))
            case Conj(parts):
                found = diagram.all
                for part in parts:
                    found = diagram.intersection(found, self.of(part))
                return found
            case Disj(parts):
                found = 0
                for part in parts:
                    found = diagram.union(found, self.of(part))
                return found
            case Some(Next(of)):
                return diagram.before(self.of(of), aside=faults)
            case Every(Next(of)):
                return self._not(diagram.before(self._not(self.of(of))))
            case Some(Until(left, right)):
                goal = self.of(right)
                return diagram.leading_to(goal, diagram.union(self.of(left), goal), aside=faults)
            case Some(Release(left, right)):
                held = self.of(right)
                goal = diagram.union(diagram.intersection(self.of(left), held), self.stays(held))
                return diagram.leading_to(goal, held, aside=faults)
            case Every(Until(left, right)):
                return self._not(diagram.leading_to(self._broken(left, right), self._not(self.of(right))))
            case Every(Release(left, right)):
                lost = self._not(self.of(right))
                return self._not(diagram.leading_to(lost, diagram.union(lost, self._not(self.of(left)))))
        raise UsageError("no formula of CTL in negation normal form")

    def _not(self, states: int) -> int:
        return self._diagram.difference(self._diagram.all, states)

    def _broken(self, left: Formula, right: Formula) -> int:
        """Where `left until right` is lost without a further step: neither holds, or a run stays without `right`."""
        lacks = self._not(self.of(right))
        return self._diagram.union(self._diagram.difference(lacks, self.of(left)), self.stays(lacks))

    def stays(self, held: int) -> int:
        """States of the set in which a fair run without a fault can stay, or end: all that are needed to get to one."""
        found = self._stay.get(held)
        if found is None:
            found = self._stay[held] = self._staying(held)
        return found

    def _staying(self, held: int) -> int:
        if self._fairness == "edges":
            return self._closed(held)
        if self._fairness == "nothing":
            return self._always(held)
        from placet.analysis.temporal.drawn_fair import fair_states

        diagram = self._diagram
        ends = diagram.intersection(held, diagram.where(Dead(self._faults)))
        return diagram.union(ends, fair_states(diagram, held, self._faults, strong=self._fairness == "strong"))

    def _closed(self, held: int) -> int:
        """Those from which nothing outside the set can be reached."""
        return self._not(self._diagram.leading_to(self._not(held), aside=self._faults))

    def _always(self, held: int) -> int:
        return self._diagram.staying(held, self._diagram.where(Dead(self._faults)), self._faults)

    # -- why it is false ---------------------------------------------------------------------------------------------

    def refute(self, formula: Formula, state: State) -> Branch:
        """Why the formula is false in a state."""
        diagram, steps = self._diagram, self._steps
        match formula:
            case Conj(parts):
                false = [p for p in parts if not self.holds(p, state)]
                return Branch(formula, parts=(self.refute(min(false, key=_weight), state),))
            case Disj(parts):
                return Branch(formula, parts=tuple(self.refute(p, state) for p in sorted(parts, key=_weight)))
            case Every(Next(of)):
                t, after = next(step for step in steps.next(state) if not self.holds(of, step[1]))
                return Branch(formula, (t,), parts=(self.refute(of, after),))
            case Every(Release(left, right)):
                trace, end = steps.way(state, self._not(self.of(right)), self._not(self.of(left)))
                return Branch(formula, trace, parts=(self.refute(right, end),))
            case Every(Until(left, right)):
                trace, end = steps.way(state, self._broken(left, right), self._not(self.of(right)))
                stay = self.stays(self._not(self.of(right)))
                if not diagram.has(stay, end):
                    return Branch(formula, trace, parts=(self.refute(left, end), self.refute(right, end)))
                more, round_, told, end = self._round(end, stay)
                inner = () if is_plain(right) else (self.refute(right, end),)
                fair = not round_ or self._fairness != "edges"
                return Branch(formula, trace + more, round_, told, parts=inner, stays=True, fair=fair)
            case Some():
                return Branch(formula, closed=diagram.states)
        return Branch(formula)

    def _round(self, state: State, stay: int) -> tuple[Trace, Trace, Trace, State]:
        """A way within a set, without a fault, to where the run ends or goes round: the way, the round, a short one, and where it begins."""
        if self._fairness in ("weak", "strong"):
            from placet.analysis.temporal.drawn_fair import fair_round

            return fair_round(self._steps, stay, state, self._faults, self._fairness)
        seen: dict[State, int] = {}
        way: list[int] = []
        while state not in seen:
            seen[state] = len(way)
            inside = ((t, to) for t, to in self._steps.next(state) if t not in self._faults)
            step = next(((t, to) for t, to in inside if self._diagram.has(stay, to)), None)
            if step is None:
                return tuple(way), (), (), state
            if len(way) >= _WALK:
                from placet.engines.diagrams.diagram import LimitError

                raise LimitError("work")
            way.append(step[0])
            state = step[1]
        at = seen[state]
        return tuple(way[:at]), tuple(way[at:]), tuple(way[at:]), state


def _weight(formula: Formula) -> int:
    return 0 if is_plain(formula) else 2 if isinstance(formula, Some) else 1
