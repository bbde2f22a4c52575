"""Formulas about runs on a closed set of states, from their definitions: CTL by labelling, LTL by what may hold on from each state.

Truth in a state is a matter of what can be reached from it, so any closed set decides it, however large. A run that breaks a formula of LTL is
sought among the pairs of a state and the parts of the formula that hold from there on (O. Lichtenstein and A. Pnueli (1985), "Checking that finite
state concurrent programs satisfy their linear specification"): no automaton is made. Fairness: E. A. Emerson and C.-L. Lei (1987), "Modalities
for model checking". Faults happen finitely often, and a run may end where nothing else can happen; its last state then repeats, in which nothing
has just happened.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from placet.certificate.closed import BeyondError, RefusedError, components
from placet.logic.state import evaluate
from placet.logic.temporal import (
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
    normal,
    parts,
)
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from placet.certificate.closed import Graph
    from placet.compiled import Compiled

MOST_PARTS = 8  # operators on runs in a formula of LTL
MOST_NODES = 1_000_000  # pairs of a state and what holds from there on
MOST_STEPS = 10_000_000  # between them
_IDLE = -1  # the step of a run that is over


class Space(NamedTuple):
    """Nodes over states, with the steps that a run may take infinitely often."""

    steps: Sequence[Sequence[tuple[int, int]]]  # by node: (transition, node)
    over: Sequence[int]  # by node: its state
    asked: Callable[[int], Sequence[int]]  # by state: what can happen there without a fault
    marks: Sequence[int]  # by node: what it fulfils, as bits; all of `wanted` must be seen infinitely often
    wanted: int


def fair_nodes(space: Space, fairness: str, inside: Iterable[int]) -> set[int]:
    """The nodes among which a fair run can go round for ever without leaving `inside`. O(edges) for each time that a set is cut down."""
    found: set[int] = set()
    pending = components(space.steps, set(inside))
    while pending:
        own = pending.pop()
        taken = {(space.over[n], t) for n in own for t, to in space.steps[n] if to in own}
        marks = 0
        for n in own:
            marks |= space.marks[n]
        if not taken or marks & space.wanted != space.wanted:
            continue
        lacking = _lacking(space, fairness, own, taken)
        if lacking:
            pending += components(space.steps, own - lacking)
        else:
            found |= own
    return found


def _lacking(space: Space, fairness: str, own: set[int], taken: set[tuple[int, int]]) -> set[int]:
    """The nodes of a strongly connected set that no fair run visits infinitely often while it stays in the set."""
    fired = {t for _, t in taken}
    if fairness == "edges":
        return {n for n in own if any((space.over[n], t) not in taken for t in space.asked(space.over[n]))}
    if fairness == "strong":
        return {n for n in own if not fired.issuperset(space.asked(space.over[n]))}
    if fairness == "weak":
        always = set.intersection(*(set(space.asked(space.over[n])) for n in own))
        return set() if always <= fired else own
    if fairness != "nothing":
        raise RefusedError("it is about a fairness that there is not")
    return set()


# -- CTL -------------------------------------------------------------------------------------------------------------


class Branching:
    """By formula of CTL the states of a closed set in which it holds; `Some` speaks of runs without a further fault."""

    def __init__(self, graph: Graph, faults: frozenset[int], fairness: str) -> None:
        self._graph, self._fairness = graph, fairness
        steps = [list(zip(graph.fired(i), graph.next(i), strict=True)) for i in range(len(graph.states))]
        self._every = [[to for _, to in those] for those in steps]
        safe = [[(t, to) for t, to in those if t not in faults] for those in steps]
        self._some = [[to for _, to in those] for those in safe]
        asked = [[t for t, _ in those] for those in safe]
        count = len(steps)
        self._space = Space(safe, range(count), asked.__getitem__, bytes(count), 0)
        self._known: dict[Formula, set[int]] = {}

    def holds(self, formula: Formula, state: int) -> bool:
        """Whether a formula of CTL holds in a state. Raises RefusedError where it is none."""
        return state in self._of(normal(formula))

    def _of(self, formula: Formula) -> set[int]:
        found = self._known.get(formula)
        if found is None:
            found = self._known[formula] = self._made(formula)
        return found

    def _made(self, formula: Formula) -> set[int]:
        states = range(len(self._every))
        match formula:
            case Atom(predicate):
                return {i for i, holds in enumerate(self._graph.having(predicate)) if holds}
            case Neg(of):
                return self._not(self._of(of))
            case Conj(of):
                return set(states).intersection(*map(self._of, of))
            case Disj(of):
                return set[int]().union(*map(self._of, of))
            case Some(Next(of)):
                goal = self._of(of)
                return {i for i in states if not goal.isdisjoint(self._some[i])}
            case Every(Next(of)):
                goal = self._of(of)
                return {i for i in states if goal.issuperset(self._every[i])}
            case Some(Until(left, right)):
                return _back(self._some, self._of(left), self._of(right))
            case Some(Release(left, right)):
                held = self._of(right)
                return _back(self._some, held, held & self._of(left) | self._stays(held))
            case Every(Until(left, right)):
                lacks = self._not(self._of(right))
                return self._not(_back(self._every, lacks, lacks - self._of(left) | self._stays(lacks)))
            case Every(Release(left, right)):
                return self._not(_back(self._every, self._not(self._of(left)), self._not(self._of(right))))
        raise RefusedError("its formula is no formula of CTL")

    def _not(self, those: set[int]) -> set[int]:
        return set(range(len(self._every))) - those

    def _stays(self, held: set[int]) -> set[int]:
        """Where a fair run goes round in these states for ever, or ends in one of them."""
        return {i for i in held if not self._some[i]} | fair_nodes(self._space, self._fairness, held)


def _back(steps: Sequence[Sequence[int]], through: set[int], goal: set[int]) -> set[int]:
    """The goal, and what leads to it through others."""
    before: dict[int, list[int]] = {}
    for i, those in enumerate(steps):
        for to in those:
            before.setdefault(to, []).append(i)
    found, pending = set(goal), list(goal)
    while pending:
        for i in before.get(pending.pop(), ()):
            if i in through and i not in found:
                found.add(i)
                pending.append(i)
    return found


# -- LTL -------------------------------------------------------------------------------------------------------------

Truth = tuple[bool, ...]  # of the operators on runs of a formula, from a state on
Shown = tuple[bool, ...]  # of its predicates, in a state


def broken(
    graph: Graph, compiled: Compiled, faults: frozenset[int], formula: Formula, fairness: str, start: int
) -> bool:
    """Whether some fair run from a state of a closed set breaks a formula of LTL.

    Raises RefusedError where it is none, BeyondError where it and the set together are too large. O(edges * 4^operators) at worst.
    """
    return _Linear(graph, compiled, faults, formula).broken(fairness, start)


class _Linear:
    def __init__(self, graph: Graph, compiled: Compiled, faults: frozenset[int], formula: Formula) -> None:
        self._graph, self._faults, self._formula = graph, faults, _core(formula)
        those = list(dict.fromkeys(parts(self._formula)))
        self._operators: dict[Next | Until, int] = {
            one: n for n, one in enumerate(o for o in those if isinstance(o, (Next, Until)))
        }
        self._predicates = {one: n for n, one in enumerate(o.predicate for o in those if isinstance(o, Atom))}
        if len(self._operators) > MOST_PARTS:
            raise BeyondError(f"the formula has more than {MOST_PARTS} operators on runs")
        columns = [graph.having(p) for p in self._predicates]
        self._now = [tuple(bool(c[i]) for c in columns) for i in range(len(graph.states))]
        self._over: dict[int, Shown] = {}
        self._momentary = [o.momentary for o in compiled.observers]
        self._width = len(compiled.net.places)
        self._then: dict[tuple[Shown, Truth, Shown], list[Truth]] = {}
        self._asked = [[t for t in graph.fired(i) if t not in faults] for i in range(len(graph.states))]

    def _shown(self, state: int) -> Shown:
        """The truth of the predicates in a state, or, from the number of states on, where a run is over in it."""
        count = len(self._now)
        if state < count:
            return self._now[state]
        found = self._over.get(state)
        if found is None:
            values, width = self._graph.states[state - count], self._width
            seen = zip(values[width:], self._momentary, strict=True)
            calm = (*values[:width], *(0 if momentary else v for v, momentary in seen))
            able = self._graph.fired(state - count)
            found = tuple(evaluate(p, calm, lambda: able) for p in self._predicates)
            self._over[state] = found
        return found

    def _steps(self, state: int) -> list[tuple[int, int]]:
        count = len(self._now)
        if state >= count:
            return [(_IDLE, state)]
        found = list(zip(self._graph.fired(state), self._graph.next(state), strict=True))
        return found if self._asked[state] else [*found, (_IDLE, state + count)]

    def _value(self, formula: Formula, shown: Shown, truth: Truth) -> bool:
        match formula:
            case Atom(predicate):
                return shown[self._predicates[predicate]]
            case Neg(of):
                return not self._value(of, shown, truth)
            case Conj(of):
                return all(self._value(f, shown, truth) for f in of)
            case Disj(of):
                return any(self._value(f, shown, truth) for f in of)
            case Next() | Until():
                return truth[self._operators[formula]]
        raise RefusedError("its formula is no formula of LTL")

    def _possible(self, shown: Shown) -> list[Truth]:
        """What may hold from a state on, as far as it alone tells."""
        found = []
        for truth in product((False, True), repeat=len(self._operators)):
            for one, n in self._operators.items():
                if isinstance(one, Until):
                    done = self._value(one.right, shown, truth)
                    if truth[n] is not done and (done or not self._value(one.left, shown, truth)):
                        break
            else:
                found.append(truth)
        return found

    def _following(self, shown: Shown, truth: Truth, after: Shown) -> list[Truth]:
        """What may hold from the next state on, where this holds from here on."""
        key = (shown, truth, after)
        found = self._then.get(key)
        if found is None:
            found = self._then[key] = [then for then in self._possible(after) if self._fits(shown, truth, after, then)]
        return found

    def _fits(self, shown: Shown, truth: Truth, after: Shown, then: Truth) -> bool:
        for one, n in self._operators.items():
            if isinstance(one, Next):
                if truth[n] is not self._value(one.of, after, then):
                    return False
                continue
            put_off = self._value(one.left, shown, truth) and not self._value(one.right, shown, truth)
            if put_off and truth[n] is not then[n]:
                return False
        return True

    def broken(self, fairness: str, start: int) -> bool:
        untils = [(one.right, n) for one, n in self._operators.items() if isinstance(one, Until)]
        shown = self._shown(start)
        nodes = [(start, t) for t in self._possible(shown) if not self._value(self._formula, shown, t)]
        numbers = {node: n for n, node in enumerate(nodes)}
        steps: list[list[tuple[int, int]]] = []
        marks: list[int] = []
        room = MOST_STEPS
        for state, truth in nodes:
            shown = self._shown(state)
            marks.append(
                sum(1 << i for i, (right, n) in enumerate(untils) if not truth[n] or self._value(right, shown, truth))
            )
            out = []
            for t, to in self._steps(state):
                for then in self._following(shown, truth, self._shown(to)):
                    node = (to, then)
                    number = numbers.setdefault(node, len(nodes))
                    if number == len(nodes):
                        nodes.append(node)
                    if t not in self._faults:
                        out.append((t, number))
                    room -= 1
            steps.append(out)
            if len(nodes) > MOST_NODES or room < 0:
                raise BeyondError("the formula and the set of its states together are too large")
        count = len(self._now)
        over = [state for state, _ in nodes]
        space = Space(steps, over, lambda s: self._asked[s] if s < count else (), marks, (1 << len(untils)) - 1)
        return bool(fair_nodes(space, fairness, range(len(nodes))))


def _core(formula: Formula) -> Formula:
    """The same formula of LTL by `Next` and `Until` alone."""
    match formula:
        case Atom():
            return formula
        case Neg(of):
            return Neg(_core(of))
        case Conj(of) | Disj(of):
            return type(formula)(tuple(map(_core, of)))
        case Next(of):
            return Next(_core(of))
        case Eventually(of):
            return Until(YES, _core(of))
        case Always(of):
            return Neg(Until(YES, Neg(_core(of))))
        case Until(left, right):
            return Until(_core(left), _core(right))
        case Release(left, right):
            return Neg(Until(Neg(_core(left)), Neg(_core(right))))
    raise RefusedError("its formula is no formula of LTL")
