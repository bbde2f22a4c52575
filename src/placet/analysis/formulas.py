"""The user's own formulas about runs: `ctl`, of what every run or some run can do from each situation, and `ltl`, of every run.

Both are decided on the graph of all reachable states, under the fairness that the check names; see `temporal.branching` and
`temporal.runs`. On part of the graph a formula that is false there is false; that one is true takes the whole graph, but for formulas
that every way on leaves true. A large graph is that of a net reduced for the formula, or a diagram of all states (`temporal.drawn`), where the
formula and the fairness admit it (`formula_asks`); what is found there is led back to the net itself (`lifted_runs`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.components import Rows
from placet.analysis.formula_asks import as_branching, asked, asks
from placet.evidence import Branch, Fails, Holds, Inconclusive, Lasso, Reach, RunBreaks, Tree, Verdict, Violated
from placet.logic.state import evaluate
from placet.logic.temporal import Some, normal, parts
from placet.net.firing import enabled
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placet.analysis.passes import Asks, Pass
    from placet.analysis.subject import Subject
    from placet.analysis.temporal.fair import Fairness
    from placet.analysis.temporal.runs import Graph, Looping
    from placet.compiled import Query
    from placet.logic.state import Predicate
    from placet.logic.temporal import Formula

FAIRNESS: dict[str, Fairness] = {
    "": "edges", "edges": "edges", "weak": "weak", "strong": "strong", "nothing": "nothing",
}  # fmt: skip


class _Seen(NamedTuple):
    """A pass as a graph, with the truth of predicates by state."""

    rows: Rows
    faults: frozenset[int]
    truth: Callable[[Predicate], Sequence[int]]


def _listed(numbers: Sequence[int]) -> Sequence[int]:
    """Numbers that plain Python reads fast."""
    tolist = getattr(numbers, "tolist", None)
    return numbers if tolist is None else tolist()


def _graph(seen: Pass) -> _Seen:
    offsets, labels, targets = seen.seen.graph()
    rows = Rows(seen.seen.states, _listed(offsets), _listed(labels), _listed(targets))
    known: dict[Predicate, bytes] = {}

    def truth(predicate: Predicate) -> bytes:
        found = known.get(predicate)
        if found is None:
            found = known[predicate] = bytes(1 if one else 0 for one in seen.goal_states(predicate))
        return found

    return _Seen(rows, seen.faults, truth)


def _guards(subject: Subject, seen: Pass) -> Inconclusive:
    names = ", ".join(f"`{guard}`" for guard in subject.compiled.assumptions.free_guards)
    reason = f"it holds if these conditions over data can go either way at any time: {names}"
    return Inconclusive(reason, "theory", proof=seen.proof())


class _Branching:
    """What a pass says of formulas of CTL in negation normal form."""

    def __init__(self, seen: Pass) -> None:
        self._seen = seen
        self._graph = None if seen.symbolic else _graph(seen)

    def asked(self, formula: Formula, fairness: Fairness) -> Branch | bool:
        """Why the formula is false; where it is not known to be, whether it is certain."""
        seen, graph = self._seen, self._graph
        if graph is None:
            from placet.analysis.symbolic_pass import SymbolicPass
            from placet.analysis.temporal.drawn import Drawn

            assert isinstance(seen, SymbolicPass)
            drawn = Drawn(seen, seen.faults, fairness)
            return True if drawn.holds(formula, seen.start) else drawn.refute(formula, seen.start)
        from placet.analysis.temporal.branching import Labels

        hoped = Labels(graph.rows, graph.faults, graph.truth, fairness, hopeful=True, until=seen.until)
        if not hoped.of(formula)[0]:
            return hoped.refute(formula, 0)
        if graph.rows.expanded == graph.rows.states:
            return True
        certain = Labels(graph.rows, graph.faults, graph.truth, fairness, hopeful=False, until=seen.until)
        return bool(certain.of(formula)[0])

    def ever(self, predicate: Predicate) -> bool:
        """Whether a state with the predicate was seen."""
        if self._graph is None:
            return self._seen.first(predicate) >= 0
        return any(self._graph.truth(predicate))


class CtlCheck:
    """A formula of CTL holds at the start."""

    existential = False  # by formula: see `judge`
    cuts_sinks = False

    def asks(self, subject: Subject, query: Query) -> Asks | Inconclusive:
        """The predicates of the formula, with all edges."""
        return asks(subject, query, FAIRNESS[query.fairness], linear=False)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """False where even what may be true is not enough; true where what is certain is."""
        formula, fairness = normal(asked(query)), FAIRNESS[query.fairness]
        graph = _Branching(seen)
        found = graph.asked(formula, fairness)
        if isinstance(found, Branch):
            if seen.reduced is not None or seen.symbolic:
                from placet.analysis.lifted_runs import Lifting

                found = Lifting(subject, seen.reduced, fairness).tree(found)
            return Violated(Fails(formula, fairness), Tree(found), seen.proof())
        if not found:
            return None
        if subject.compiled.assumptions.free_guards:
            some = any(isinstance(one, Some) for one in parts(formula))
            if some or graph.asked(formula, "nothing") is not True:
                return _guards(subject, seen)
        return Holds(seen.proof("every situation was labelled with what holds in it"), vacuous=_vacuous(query, graph))


class LtlCheck:
    """Every fair run from the start satisfies a formula of LTL."""

    existential = False
    cuts_sinks = False

    def asks(self, subject: Subject, query: Query) -> Asks | Inconclusive:
        """The predicates of the formula, with all edges."""
        return asks(subject, query, FAIRNESS[query.fairness], linear=True)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by a fair run that an automaton for the opposite accepts."""
        from placet.analysis.temporal.buchi import TooLargeError
        from placet.analysis.temporal.runs import Graph, TooManyNodesError, refuted

        formula, fairness = asked(query), FAIRNESS[query.fairness]
        if seen.symbolic or (seen.reduced is not None and fairness == "edges"):
            branching = as_branching(subject, formula, fairness)
            if branching is not None:
                return self._by_labels(subject, query, seen, branching)
        if seen.symbolic:
            return self._by_product(subject, query, seen)
        found = _graph(seen)
        graph = Graph(found.rows, found.faults, found.truth, *_quiet(subject, seen))
        try:
            sought = refuted(graph, formula, fairness, seen.until)
            if sought.run is not None:
                run = _told(subject, seen, query, sought.run, graph)
                return None if run is None else Violated(RunBreaks(formula, fairness), run, seen.proof())
            if sought.leaves:
                return None
            if (
                subject.compiled.assumptions.free_guards
                and refuted(graph, formula, "nothing", seen.until).run is not None
            ):
                return _guards(subject, seen)
        except TooLargeError:
            return Inconclusive("the formula is too large: no automaton of a few hundred states says it", "theory")
        except TooManyNodesError:
            return Inconclusive("the formula and the model together are too large", "theory", proof=seen.proof())
        premise = query.premise is not None and not any(found.truth(query.premise[0]))
        return Holds(seen.proof("no fair run goes against it"), vacuous=_never(query) if premise else "")

    @staticmethod
    def _by_product(subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """By the product of a diagram and an automaton; None where it tells nothing."""
        from placet.analysis.lifted_runs import Lifting, Way
        from placet.analysis.symbolic_pass import SymbolicPass
        from placet.analysis.temporal.buchi import TooLargeError
        from placet.analysis.temporal.drawn_runs import DrawnRuns

        assert isinstance(seen, SymbolicPass)
        formula, fairness = asked(query), FAIRNESS[query.fairness]
        try:
            runs = DrawnRuns(seen, seen.faults, formula, fairness)
            broken = runs.broken(seen.start)
            if broken:
                way = runs.run(seen.start)
                if way is None:
                    return None
                run = Lifting(subject, seen.reduced, fairness).run(formula, Way(*way), lambda: False)
                return None if run is None else Violated(RunBreaks(formula, fairness), run, seen.proof())
            if broken is None:
                return None
            if subject.compiled.assumptions.free_guards:
                every = DrawnRuns(seen, seen.faults, formula, "nothing")
                if every.broken(seen.start) is not False:
                    return _guards(subject, seen)
        except TooLargeError:
            return None
        return Holds(seen.proof("no fair run goes against it"), vacuous=_vacuous(query, _Branching(seen)))

    @staticmethod
    def _by_labels(subject: Subject, query: Query, seen: Pass, branching: Formula) -> Verdict | None:
        """By the formula of CTL that says the same of every situation."""
        from placet.analysis.lifted_runs import Lifting, along

        formula, fairness = asked(query), FAIRNESS[query.fairness]
        graph = _Branching(seen)
        found = graph.asked(branching, fairness)
        if isinstance(found, Branch):
            run = Lifting(subject, seen.reduced, fairness).run(formula, along(found), lambda: True)
            return None if run is None else Violated(RunBreaks(formula, fairness), run, seen.proof())
        if not found:
            return None
        if subject.compiled.assumptions.free_guards and graph.asked(branching, "nothing") is not True:
            return _guards(subject, seen)
        return Holds(seen.proof("every situation was labelled with what holds in it"), vacuous=_vacuous(query, graph))


def _told(subject: Subject, seen: Pass, query: Query, run: Looping, graph: Graph) -> Lasso | Reach | None:
    """The run of the net as it is; None where that of a reduced net shows nothing about it."""
    fairness = FAIRNESS[query.fairness]
    if seen.reduced is None:
        if not run.loop and run.whole:
            return Reach(run.trace)
        return Lasso(run.trace, run.loop, fairness, run.told, run.whole)
    from placet.analysis.lifted_runs import Lifting, Way
    from placet.analysis.temporal.runs import breaks_however

    def certain() -> bool:
        return fairness != "edges" or breaks_however(graph, asked(query), run.trace, seen.until)

    way = Way(run.trace, run.loop, run.told)
    return Lifting(subject, seen.reduced, fairness).run(asked(query), way, certain)


def _quiet(subject: Subject, seen: Pass) -> tuple[Callable[[Predicate, int], bool], Callable[[int], bool]]:
    """The truth of a predicate where a run has ended: as in its last state, but that nothing has just happened."""
    net = subject.net if seen.reduced is None else seen.reduced.net
    count = len(net.places)
    momentary = [count + i for i, o in enumerate(subject.observers) if o.momentary]

    def calm(state: int) -> list[int]:
        values = list(seen.seen.state(state))
        for i in momentary:
            values[i] = 0
        return values

    def quiet(predicate: Predicate, state: int) -> bool:
        values = calm(state)
        return evaluate(seen.spelt(predicate), values, lambda: enabled(net, tuple(values[:count])))

    def same(state: int) -> bool:
        return not momentary or not any(seen.seen.state(state)[i] for i in momentary)

    return quiet, same


def _vacuous(query: Query, graph: _Branching) -> str:
    """Why the formula says nothing here: what it asks about never comes true."""
    return "" if query.premise is None or graph.ever(query.premise[0]) else _never(query)


def _never(query: Query) -> str:
    return "" if query.premise is None else f"`{query.premise[1]}` never comes true"


CTL = CtlCheck()
LTL = LtlCheck()
