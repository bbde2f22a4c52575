"""What the state equation proves: predicates that never hold, and bounds on sums of places.

Every reachable marking is `m = m0 + C x` with `x >= 0`, whatever read, inhibitor arcs and capacities there are. Linear
programming finds that no such m satisfies a predicate, or how large a sum can get; disjunctions are split as far as its
solutions leave them open, and a marking that it proposes may be refuted by a trap that it leaves empty (Esparza and
Melzer 2000, "Verification of safety properties using integer programming: beyond the state equation").

Nothing here believes a floating-point number. The dual solution is a weighting of the places; rounded to fractions, it is
checked with integers: firing never lowers the weight of a marking, and every marking with the predicate weighs less than
the initial one. A weighting that does not pass proves nothing. Without the solver (`highspy`, of the extra `fast`) there
are no proofs here.
"""

from __future__ import annotations

from fractions import Fraction
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from placet.logic.state import And, Dead, Fireable, Linear, Not, Or
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placet.logic.state import Predicate
    from placet.net.core import Marking, Net

_DENOMINATORS = (1, 12, 1000, 1_000_000)
_MOST_PARTS = 20_000  # of a predicate in normal form


class AtMost(NamedTuple):
    """`sum(coefficient * m[place]) <= bound`."""

    terms: tuple[tuple[int, int], ...]
    bound: int


class AllOf(NamedTuple):
    """Every part holds."""

    of: tuple[Part, ...]
    tag: str = "all"


class AnyOf(NamedTuple):
    """Some part holds; empty = never."""

    of: tuple[Part, ...]
    tag: str = "any"


Part: TypeAlias = Union[AtMost, AllOf, AnyOf]


class Solution(NamedTuple):
    """A marking that the equation admits, and how often each transition fires on the way to it: floating-point hints."""

    marking: list[float]
    firings: list[float]


class UnfitError(Exception):
    """The predicate or the net is none for this method."""


def available() -> bool:
    """Whether the solver is installed."""
    from importlib.util import find_spec

    return find_spec("highspy") is not None


class StateEquation:
    """The state equation of one net. Raises UnfitError for a net with reset arcs."""

    def __init__(self, net: Net, initial: Marking) -> None:
        if any(net.reset):
            raise UnfitError
        self._net, self._initial = net, initial
        self._capped = frozenset(p for p, _ in net.capacity)
        self.columns: list[dict[int, int]] = []  # by transition, what it changes
        for pre, post in zip(net.pre, net.post, strict=True):
            change = dict(post)
            for p, w in pre:
                change[p] = change.get(p, 0) - w
            self.columns.append({p: w for p, w in change.items() if w})
        self._traps: list[AtMost] = []
        self._model = _Model(self.columns, initial)
        self.hint: Solution | None = None  # of the last question that was left open

    # -- questions ---------------------------------------------------------------------------------------------------

    def never(self, predicate: Predicate, until: float = 1e18, nodes: int = 400) -> bool:
        """Whether it is proved that no reachable marking satisfies the predicate. False says nothing; `hint` may."""
        self.hint = None
        try:
            part = self._normal(predicate, positive=True, room=[_MOST_PARTS])
        except UnfitError:
            return False
        pending: list[tuple[tuple[AtMost, ...], tuple[Part, ...]]] = [((), (part,))]
        while pending:
            nodes -= 1
            if nodes < 0 or monotonic() > until:
                return False
            asserted, opened = _flat(*pending.pop())
            branches = self._branches(asserted, opened, until)
            if branches is None:
                return False
            pending.extend(branches)
        return True

    def most(self, terms: Sequence[tuple[int, int]], until: float = 1e18) -> int | None:
        """A bound on `sum(coefficient * m[place])`, coefficients >= 0; None where none is proved."""
        solved = self._model.greatest(terms, until)
        if solved is None:
            return None
        self.hint, duals = solved
        for limit in _DENOMINATORS:
            for sign in (1, -1):
                weights = {p: Fraction(sign * y).limit_denominator(limit) for p, y in enumerate(duals) if abs(y) > 1e-9}
                for p, c in terms:
                    weights[p] = max(weights.get(p, Fraction(0)), Fraction(c))
                weights = {p: max(w, Fraction(0)) for p, w in weights.items()}
                if self._falls(weights):
                    total = sum((w * self._initial[p] for p, w in weights.items()), Fraction(0))
                    return total.numerator // total.denominator
        return None

    def _branches(
        self, asserted: tuple[AtMost, ...], opened: tuple[Part, ...], until: float
    ) -> list[tuple[tuple[AtMost, ...], tuple[Part, ...]]] | None:
        """What is left to refute once these are refuted together as far as they go; None where they cannot be."""
        while True:
            if monotonic() > until:
                return None
            wanted = (*asserted, *self._traps)
            solved = self._model.least_violation(wanted, until)
            if solved is None:
                return None
            violation, solution, duals, prices = solved
            if violation > 1e-7:
                return [] if self._refuted(wanted, duals, prices) else None
            for part in opened:
                if isinstance(part, AnyOf) and not _about(part, solution.marking):
                    rest = tuple(p for p in opened if p is not part)
                    return [(asserted, (one, *rest)) for one in part.of]
            if not self._add_trap(solution.marking):
                self.hint = solution
                return None

    # -- certificates ------------------------------------------------------------------------------------------------

    def _refuted(self, wanted: Sequence[AtMost], duals: Sequence[float], prices: Sequence[float]) -> bool:
        """Check `y C >= 0`, `y <= z A` and `y m0 > z b` for the rounded dual solution; y weighs places, z >= 0 constraints."""
        for limit in _DENOMINATORS:
            z = [max(Fraction(v).limit_denominator(limit), Fraction(0)) for v in prices]
            over: dict[int, Fraction] = {}
            for price, (terms, _) in zip(z, wanted, strict=True):
                for p, c in terms:
                    over[p] = over.get(p, Fraction(0)) + price * c
            bound = sum((price * one.bound for price, one in zip(z, wanted, strict=True)), Fraction(0))
            y = {p: Fraction(v).limit_denominator(limit) for p, v in enumerate(duals) if abs(v) > 1e-9}
            if any(w > over.get(p, 0) for p, w in y.items()) or any(o < y.get(p, 0) for p, o in over.items()):
                continue
            if not self._falls({p: -w for p, w in y.items()}):
                continue
            if sum((w * self._initial[p] for p, w in y.items()), Fraction(0)) > bound:
                return True
        return False

    def _falls(self, weights: Mapping[int, Fraction]) -> bool:
        """Whether no firing raises the weight of a marking. Exact."""
        return all(
            sum((weights[p] * w for p, w in column.items() if p in weights), Fraction(0)) <= 0
            for column in self.columns
        )

    def _add_trap(self, marking: Sequence[float]) -> bool:
        """A trap that is marked initially and empty in this marking: it can never be, which is noted. False: there is none."""
        net = self._net
        inside = {p for p, m in enumerate(marking) if m < 1e-6}
        users: dict[int, list[int]] = {}
        for t, arcs in enumerate(net.pre):
            for p, _ in arcs:
                users.setdefault(p, []).append(t)
        gives = [{p for p, _ in arcs} for arcs in net.post]
        pending = list(inside)
        while pending:
            p = pending.pop()
            if p in inside and any(not gives[t] & inside for t in users.get(p, ())):
                inside.discard(p)
                for t, given in enumerate(gives):  # transitions that gave to p may now give nothing back
                    if p in given:
                        pending.extend(q for q, _ in net.pre[t] if q in inside)
        if not any(self._initial[p] for p in inside):
            return False
        self._traps.append(AtMost(tuple((p, -1) for p in sorted(inside)), -1))
        return True

    # -- predicates --------------------------------------------------------------------------------------------------

    def _normal(self, predicate: Predicate, *, positive: bool, room: list[int]) -> Part:
        """The predicate, or its negation, with `<=` alone; it may hold in more markings, never in fewer."""
        room[0] -= 1
        if room[0] < 0:
            raise UnfitError
        match predicate:
            case Linear(terms, op, bound):
                return _comparison(terms, op if positive else _TURNED[op], bound, len(self._net.places))
            case Fireable(t):
                return self._fireable(t) if positive else self._disabled(t, room)
            case Dead(ignoring):
                those = [t for t in range(len(self._net.transitions)) if t not in ignoring]
                if positive:
                    return AllOf(tuple(self._disabled(t, room) for t in those))
                return AnyOf(tuple(self._fireable(t) for t in those))
            case Not(of):
                return self._normal(of, positive=not positive, room=room)
            case And(parts) | Or(parts):
                made = tuple(self._normal(p, positive=positive, room=room) for p in parts)
                return AllOf(made) if isinstance(predicate, And) is positive else AnyOf(made)

    def _fireable(self, t: int) -> AllOf:
        net = self._net
        floors = tuple(AtMost(((p, -1),), -w) for p, w in (*net.pre[t], *net.read[t]))
        return AllOf((*floors, *(AtMost(((p, 1),), w - 1) for p, w in net.inhibit[t])))

    def _disabled(self, t: int, room: list[int]) -> AnyOf:
        net = self._net
        room[0] -= len(net.pre[t])
        if self._capped:
            raise UnfitError  # a capacity may be what disables it
        short = tuple(AtMost(((p, 1),), w - 1) for p, w in (*net.pre[t], *net.read[t]))
        return AnyOf((*short, *(AtMost(((p, -1),), -w) for p, w in net.inhibit[t])))


_TURNED = {"<=": ">", ">=": "<", "==": "!=", "!=": "==", "<": ">=", ">": "<="}


def _comparison(terms: tuple[tuple[int, int], ...], op: str, bound: int, places: int) -> Part:
    if any(i >= places for i, _ in terms):
        raise UnfitError  # an observer
    total: dict[int, int] = {}
    for i, c in terms:
        total[i] = total.get(i, 0) + c
    kept = tuple((i, c) for i, c in total.items() if c)

    def less(most: int) -> Part:
        return AtMost(kept, most)

    def more(least: int) -> Part:
        return AtMost(tuple((i, -c) for i, c in kept), -least)

    made: dict[str, Part] = {
        "<=": less(bound), "<": less(bound - 1), ">=": more(bound), ">": more(bound + 1),
        "==": AllOf((less(bound), more(bound))), "!=": AnyOf((less(bound - 1), more(bound + 1))),
    }  # fmt: skip
    return made[op]


def _flat(asserted: tuple[AtMost, ...], opened: tuple[Part, ...]) -> tuple[tuple[AtMost, ...], tuple[Part, ...]]:
    """Conjunctions taken apart; disjunctions of one part likewise."""
    sure, left, pending = list(asserted), [], list(reversed(opened))
    while pending:
        part = pending.pop()
        if isinstance(part, AtMost):
            sure.append(part)
        elif isinstance(part, AllOf) or len(part.of) == 1:
            pending.extend(reversed(part.of))
        else:
            left.append(part)
    return tuple(dict.fromkeys(sure)), tuple(left)


def _about(part: Part, marking: Sequence[float]) -> bool:
    """Whether the marking, give or take rounding, satisfies it."""
    if isinstance(part, AtMost):
        return sum(c * marking[p] for p, c in part.terms) <= part.bound + 1e-6
    held = (_about(p, marking) for p in part.of)
    return all(held) if isinstance(part, AllOf) else any(held)


class _Model:
    """The linear programs, in the solver: markings first, then firings; one row for each place."""

    def __init__(self, columns: Sequence[Mapping[int, int]], initial: Marking) -> None:
        self._places, self._transitions = len(initial), len(columns)
        self._columns, self._initial = columns, initial
        self._solver: Any = None

    def _fresh(self) -> Any:  # noqa: ANN401 - the solver has no public types
        """The solver with the state equation alone and no objective."""
        import highspy
        import numpy as np

        if self._solver is None:
            from highspy import _core

            self._solver = _core._Highs()  # noqa: SLF001 - the class around it prints a banner when it is made
            self._solver.setOptionValue("output_flag", False)
            self._solver.setOptionValue("threads", 1)
            made = highspy.HighsLp()
            made.num_col_, made.num_row_ = self._places + self._transitions, self._places
            made.col_cost_ = np.zeros(made.num_col_)
            made.col_lower_ = np.zeros(made.num_col_)
            made.col_upper_ = np.full(made.num_col_, highspy.kHighsInf)
            made.row_lower_ = made.row_upper_ = np.array(self._initial, dtype=np.double)
            starts, index, value = [0], [], []
            for p in range(self._places):
                index.append(p)
                value.append(1.0)
                starts.append(len(index))
            for column in self._columns:
                for p, w in column.items():
                    index.append(p)
                    value.append(float(-w))
                starts.append(len(index))
            made.a_matrix_.format_ = highspy.MatrixFormat.kColwise
            made.a_matrix_.start_ = np.array(starts, dtype=np.int32)
            made.a_matrix_.index_ = np.array(index, dtype=np.int32)
            made.a_matrix_.value_ = np.array(value, dtype=np.double)
            self._solver.passModel(made)
        return self._solver

    def _solve(self, solver: Any, until: float) -> Any:  # noqa: ANN401 - likewise
        import highspy

        left = max(0.01, min(1e6, until - monotonic()))
        solver.setOptionValue("time_limit", solver.getRunTime() + left)  # its clock runs on from call to call
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return solver.getSolution()

    def least_violation(
        self, wanted: Sequence[AtMost], until: float
    ) -> tuple[float, Solution, list[float], list[float]] | None:
        """(by how much the constraints must be violated in all, a solution, duals of the places, prices of the constraints)."""
        import highspy
        import numpy as np

        solver = self._fresh()
        first_column, first_row = self._places + self._transitions, self._places
        for one in wanted:
            index = np.array([p for p, _ in one.terms], dtype=np.int32)
            value = np.array([c for _, c in one.terms], dtype=np.double)
            solver.addRow(-highspy.kHighsInf, float(one.bound), len(index), index, value)
        for number in range(len(wanted)):
            row = np.array([first_row + number], dtype=np.int32)
            solver.addCol(1.0, 0.0, highspy.kHighsInf, 1, row, np.array([-1.0]))
        try:
            solved = self._solve(solver, until)
            if solved is None:
                return None
            values, duals = list(solved.col_value), list(solved.row_dual)
            solution = Solution(values[: self._places], values[self._places : first_column])
            return (
                float(sum(values[first_column:])), solution, duals[:first_row], [-d for d in duals[first_row:]],
            )  # fmt: skip
        finally:
            span = np.arange(len(wanted), dtype=np.int32)
            solver.deleteCols(len(wanted), first_column + span)
            solver.deleteRows(len(wanted), first_row + span)

    def greatest(self, terms: Sequence[tuple[int, int]], until: float) -> tuple[Solution, list[float]] | None:
        """A solution with the greatest sum, and the duals of the places; None where there is no greatest one."""
        solver = self._fresh()
        for p, c in terms:
            solver.changeColCost(p, float(-c))
        try:
            solved = self._solve(solver, until)
        finally:
            for p, _ in terms:
                solver.changeColCost(p, 0.0)
        if solved is None:
            return None
        values = list(solved.col_value)
        return Solution(values[: self._places], values[self._places :]), list(solved.row_dual)
