"""The user's own formulas about runs: `ctl`, of what every run or some run can do from each situation, and `ltl`, of every run.

Both are decided on the graph of all reachable states, under the fairness that the check names; see `temporal.branching` and
`temporal.runs`. On part of the graph a formula that is false there is false; that one is true takes the whole graph, but for formulas
that every way on leaves true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.components import Rows
from placet.analysis.passes import Asks, Pass
from placet.engines.protocol import Needs
from placet.errors import UsageError
from placet.evidence import Fails, Holds, Inconclusive, Lasso, Reach, RunBreaks, Tree, Verdict, Violated
from placet.logic.state import TRUE, evaluate
from placet.logic.temporal import Some, atoms, normal, parts
from placet.net.firing import enabled
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placet.analysis.subject import Subject
    from placet.analysis.temporal.branching import Labels
    from placet.analysis.temporal.fair import Fairness
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


def _formula(query: Query) -> Formula:
    if query.formula is None:
        raise UsageError(f"the check `{query.check}` needs a formula")
    return query.formula


def _asks(subject: Subject, query: Query) -> Asks | Inconclusive:
    if subject.compiled.split and FAIRNESS[query.fairness] in ("weak", "strong"):
        return Inconclusive("with priorities, runs are looked at as `fair` or with `nothing` assumed", "theory")
    asked = atoms(_asked(query)) or [TRUE]
    if query.premise is not None:
        asked.append(query.premise[0])
    return Asks(tuple((p, Needs.EDGES) for p in asked), reducible=False)


def _listed(numbers: Sequence[int]) -> Sequence[int]:
    """Numbers that plain Python reads fast."""
    tolist = getattr(numbers, "tolist", None)
    return numbers if tolist is None else tolist()


def _graph(subject: Subject, seen: Pass) -> _Seen:
    offsets, labels, targets = seen.seen.graph()
    rows = Rows(seen.seen.states, _listed(offsets), _listed(labels), _listed(targets))
    known: dict[Predicate, bytes] = {}

    def truth(predicate: Predicate) -> bytes:
        found = known.get(predicate)
        if found is None:
            found = known[predicate] = bytes(1 if one else 0 for one in seen.goal_states(predicate))
        return found

    return _Seen(rows, subject.faults, truth)


def _guards(subject: Subject, seen: Pass) -> Inconclusive:
    names = ", ".join(f"`{guard}`" for guard in subject.compiled.assumptions.free_guards)
    reason = f"it holds if these conditions over data can go either way at any time: {names}"
    return Inconclusive(reason, "theory", proof=seen.proof())


class CtlCheck:
    """A formula of CTL holds at the start."""

    existential = False  # by formula: see `judge`
    cuts_sinks = False

    def asks(self, subject: Subject, query: Query) -> Asks | Inconclusive:
        """The predicates of the formula, with all edges."""
        return _asks(subject, query)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """False where even what may be true is not enough; true where what is certain is."""
        from placet.analysis.temporal.branching import Labels

        formula = normal(_asked(query))
        graph = _graph(subject, seen)
        fairness = FAIRNESS[query.fairness]

        def labels(fairness: Fairness, *, hopeful: bool) -> Labels:
            return Labels(graph.rows, graph.faults, graph.truth, fairness, hopeful=hopeful)

        hoped = labels(fairness, hopeful=True)
        if not hoped.of(formula)[0]:
            tree = Tree(hoped.refute(formula, 0))
            return Violated(Fails(formula, fairness), tree, seen.proof())
        if graph.rows.expanded < graph.rows.states and not labels(fairness, hopeful=False).of(formula)[0]:
            return None
        if subject.compiled.assumptions.free_guards:
            some = any(isinstance(one, Some) for one in parts(formula))
            if some or not labels("nothing", hopeful=False).of(formula)[0]:
                return _guards(subject, seen)
        return Holds(seen.proof("every situation was labelled with what holds in it"), vacuous=_vacuous(query, graph))


class LtlCheck:
    """Every fair run from the start satisfies a formula of LTL."""

    existential = False
    cuts_sinks = False

    def asks(self, subject: Subject, query: Query) -> Asks | Inconclusive:
        """The predicates of the formula, with all edges."""
        return _asks(subject, query)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by a fair run that an automaton for the opposite accepts."""
        from placet.analysis.temporal.buchi import TooLargeError
        from placet.analysis.temporal.runs import Graph, TooManyNodesError, refuted

        formula = _asked(query)
        fairness = FAIRNESS[query.fairness]
        found = _graph(subject, seen)
        graph = Graph(found.rows, found.faults, found.truth, *_quiet(subject, seen))
        try:
            sought = refuted(graph, formula, fairness)
            run = sought.run
            if run is not None:
                claim = RunBreaks(formula, fairness)
                if not run.loop and run.whole:
                    return Violated(claim, Reach(run.trace), seen.proof())
                return Violated(claim, Lasso(run.trace, run.loop, fairness, run.told, run.whole), seen.proof())
            if sought.leaves:
                return None
            if subject.compiled.assumptions.free_guards and refuted(graph, formula, "nothing").run is not None:
                return _guards(subject, seen)
        except TooLargeError:
            return Inconclusive("the formula is too large: no automaton of a few hundred states says it", "theory")
        except TooManyNodesError:
            return Inconclusive("the formula and the model together are too large", "theory", proof=seen.proof())
        return Holds(seen.proof("no fair run goes against it"), vacuous=_vacuous(query, found))


def _asked(query: Query) -> Formula:
    """The formula; over variables that begin with any value, from the moment on at which they have one."""
    from placet.logic.temporal import Atom, Conj, Disj, Every, Neg, Release

    formula = _formula(query)
    if query.given is None:
        return formula
    given = Atom(query.given)
    then = Conj((given, formula))
    waiting = Release(then, Disj((Neg(given), then)))
    return Every(waiting) if query.check == "ctl" else waiting


def _quiet(subject: Subject, seen: Pass) -> tuple[Callable[[Predicate, int], bool], Callable[[int], bool]]:
    """The truth of a predicate where a run has ended: as in its last state, but that nothing has just happened."""
    count = len(subject.net.places)
    momentary = [count + i for i, o in enumerate(subject.observers) if o.momentary]

    def calm(state: int) -> list[int]:
        values = list(seen.seen.state(state))
        for i in momentary:
            values[i] = 0
        return values

    def quiet(predicate: Predicate, state: int) -> bool:
        values = calm(state)
        return evaluate(predicate, values, lambda: enabled(subject.net, tuple(values[:count])))

    def same(state: int) -> bool:
        return not momentary or not any(seen.seen.state(state)[i] for i in momentary)

    return quiet, same


def _vacuous(query: Query, graph: _Seen) -> str:
    """Why the formula says nothing here: what it asks about never comes true."""
    if query.premise is None or any(graph.truth(query.premise[0])):
        return ""
    return f"`{query.premise[1]}` never comes true"


CTL = CtlCheck()
LTL = LtlCheck()
