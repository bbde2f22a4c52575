"""Whether a certificate shows what it says: by the firing rule alone, sharing nothing with engines and reductions.

A set of states that holds the initial one and that no firing leaves holds all reachable states, whoever made it and however. So
the checker believes nothing that is written in a certificate: it fires every transition in every state of a set, replays every run,
does the sums of every weighting, and labels the states of a set with what a formula says of them, on the net as it was compiled,
before any reduction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from placet.analysis.replay_formulas import replay_formula
from placet.analysis.replay_upwards import check_upwards
from placet.certificate import recheck_owed, rounds, sums
from placet.certificate.aside import behind
from placet.certificate.closed import (
    BeyondError,
    Graph,
    RefusedError,
    closed_set,
    fired_along,
    grows,
    index,
    leading_to,
)
from placet.certificate.form import digest
from placet.certificate.formulas import Branching, broken
from placet.certificate.layers import covers, never_in
from placet.certificate.meaning import MORE, faults, firings, step_of
from placet.certificate.measured import Owed
from placet.certificate.owed import Runs
from placet.errors import EvidenceError
from placet.evidence import Lasso, Reach, RunBreaks
from placet.logic.state import And, Dead, Fireable, Not, Or, evaluate
from placet.net.firing import enabled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.certificate.form import Certificate, Entry, Layers
    from placet.certificate.meaning import Obligation, Question
    from placet.compiled import Compiled
    from placet.evidence import State, Trace
    from placet.logic.state import Predicate

_LOOKS = 100_000_000  # at numbers of a set closed upwards
_FIRINGS = 5_000_000  # of the runs of all entries together
_CELLS = 20_000_000  # numbers in the states of a run that breaks a formula

__all__ = ["Checker", "RefusedError"]


class Checker:
    """One certificate; what was found out about a set for one check serves the next."""

    def __init__(self, certificate: Certificate) -> None:
        self._certificate = certificate
        self._graphs: dict[tuple[object, ...], Graph] = {}
        self._runs: dict[tuple[object, ...], Runs] = {}
        self._left = _FIRINGS

    def extend(self, certificate: Certificate) -> None:
        """Go on with a certificate that has more than before, and all that it had under the same numbers."""
        self._certificate = certificate

    def check(self, question: Question | Owed, entry: Entry) -> None:
        """Accept an entry with evidence. Raises RefusedError where the evidence does not show the verdict."""
        if digest(question) != entry.question:
            raise RefusedError("it was made for another net, or another question")
        try:
            if isinstance(question, Owed):
                self._owed(question, entry)
            elif entry.verdict == "proved":
                self._proved(question, entry.evidence)
            elif entry.verdict == "violated" and len(entry.evidence) == 1:
                self._refuted(question, entry.evidence[0])
            else:
                raise RefusedError("it shows nothing")
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError, OverflowError):
            raise RefusedError("its evidence is not made as evidence is") from None

    def _proved(self, question: Question, evidence: Sequence[dict[str, Any]]) -> None:
        if len(evidence) != len(question.obligations):
            raise RefusedError("it does not show every part of what is asked")
        for obligation, shown in zip(question.obligations, evidence, strict=True):
            compiled = question.compiled
            if obligation.kind == "never":
                self._never(compiled, obligation.predicate, shown)
            elif obligation.kind == "again":
                self._again(compiled, obligation.predicate, shown)
            elif obligation.kind == "some" and not {"more", "unheard"}.isdisjoint(shown):
                self._left_aside(question, obligation, shown)
            elif obligation.kind == "some":
                self._shown(compiled, obligation, shown)
            elif obligation.kind in ("ctl", "ltl"):
                if not self._of_runs(compiled, obligation, shown, "nothing" if obligation.guarded else None):
                    raise RefusedError("its formula does not hold in its set")
            elif obligation.kind == "rounds":
                rounds.never(compiled, self.closed(compiled, shown["set"]))
            elif "weights" in shown:
                sums.bounding(compiled, shown["weights"])
            elif "diagram" in shown:
                self._drawn(compiled, shown)
            else:
                self._closed(compiled, shown["set"], compiled.start)

    def _owed(self, asked: Owed, entry: Entry) -> None:
        """What a saga owes under faults."""
        (shown,) = entry.evidence
        if entry.verdict == "proved":
            recheck_owed.proved(asked, self.runs(asked.compiled, shown["set"]), shown, self._steps)
        elif entry.verdict == "violated":
            recheck_owed.refuted(asked, shown, lambda n: self.runs(asked.compiled, n), self._steps)
        else:
            raise RefusedError("it shows nothing")

    def _refuted(self, question: Question, shown: dict[str, Any]) -> None:
        compiled, obligation = question.compiled, question.obligations[index(shown["obligation"])]
        if obligation.kind == "never":
            self._shown(compiled, obligation, shown)
        elif obligation.kind == "again":
            start = self._replayed(compiled, shown)
            graph = self._closed(compiled, shown["set"], start, faults(compiled))
            if graph.having(obligation.predicate).find(1) >= 0:
                raise RefusedError("the way on that should be lost is still there")
        elif obligation.kind == "ltl" and "run" in shown:
            self._breaks(compiled, obligation, shown)
        elif obligation.kind in ("ctl", "ltl"):
            if self._of_runs(compiled, obligation, shown):
                raise RefusedError("its formula holds in its set")
        elif obligation.kind == "some" and obligation.through:
            graph = self._closed(compiled, shown["set"], compiled.start)
            ends_well = leading_to(graph, graph.having(obligation.predicate), frozenset())
            for label, target in zip(graph.labels, graph.targets, strict=True):
                if label in obligation.through and ends_well[target]:
                    raise RefusedError("a run does what should never happen")
        elif obligation.kind == "some":
            self._never(compiled, obligation.predicate, shown)
        elif obligation.kind == "rounds":
            loop = self._fired(self._certificate.runs[index(shown["loop"])])
            rounds.repeated(compiled, self._replayed(compiled, shown), loop)
        else:
            grows(compiled, self._replayed(compiled, shown), self._fired(self._certificate.runs[index(shown["loop"])]))

    def _of_runs(
        self, compiled: Compiled, obligation: Obligation, shown: dict[str, Any], fairness: str | None = None
    ) -> bool:
        """Whether a formula about runs holds at the start, as its set tells."""
        graph = self._closed(compiled, shown["set"], compiled.start)
        first, aside = graph.states.index(compiled.start), faults(compiled)
        fairness = fairness or obligation.fairness
        if obligation.kind == "ctl":
            return Branching(graph, aside, fairness).holds(obligation.formula, first)
        return not broken(graph, compiled, aside, obligation.formula, fairness, first)

    def _breaks(self, compiled: Compiled, obligation: Obligation, shown: dict[str, Any]) -> None:
        """A run, with a loop or to where it is over, is fair and breaks the formula."""
        run, loop = (
            self._steps(shown),
            self._fired(self._certificate.runs[index(shown["loop"])]) if "loop" in shown else (),
        )
        if len(self._replayed(compiled, shown)) * (len(run) + len(loop)) > _CELLS:
            raise RefusedError("its run is longer than can be checked")
        try:
            witness = Lasso(run, loop) if loop else Reach(run)
            partly = replay_formula(compiled, RunBreaks(obligation.formula, obligation.fairness), witness, 0)
        except EvidenceError as problem:
            raise RefusedError(str(problem)) from None
        if partly:
            raise RefusedError("its run does not show that it is fair")

    # -- the kinds of evidence ---------------------------------------------------------------------------------------

    def _never(self, compiled: Compiled, predicate: Predicate, shown: dict[str, Any]) -> None:
        if "set" in shown:
            if self._closed(compiled, shown["set"], compiled.start).having(predicate).find(1) >= 0:
                raise RefusedError("its set has a state that should be out of reach")
        elif "diagram" in shown:
            if not never_in(self._drawn(compiled, shown), compiled, predicate):
                raise RefusedError("its set has a state that should be out of reach")
        elif "siphon" in shown:
            _starved(compiled, predicate, frozenset(index(p) for p in shown["siphon"]))
        elif "least" in shown:
            _never_above(compiled, predicate, shown["least"])
        else:
            sums.outweighed(compiled, predicate, shown["weights"])

    def _drawn(self, compiled: Compiled, shown: dict[str, Any]) -> Layers:
        """A diagram of finitely many states, once it is sure that the start is in it and that no firing leads out of it."""
        layers = self._certificate.diagrams[index(shown["diagram"])]
        if not covers(layers, compiled):
            raise RefusedError("a firing leaves its set, or the initial state is not in it")
        return layers

    def _again(self, compiled: Compiled, predicate: Predicate, shown: dict[str, Any]) -> None:
        """From each state of the set there is a way; or each run comes to its end, and no end is without the predicate."""
        if "dwindles" in shown:
            sums.dwindling(compiled, shown["dwindles"], faults(compiled))
            self._never(compiled, And((Dead(faults(compiled)), Not(predicate))), shown)
            return
        graph = self.closed(compiled, shown["set"])
        if leading_to(graph, graph.having(predicate), faults(compiled)).find(0) >= 0:
            raise RefusedError("from some state of its set there is no way to where one should lead")

    def _shown(self, compiled: Compiled, obligation: Obligation, shown: dict[str, Any]) -> None:
        state = self._replayed(compiled, shown)
        able = enabled(compiled.net, state[: len(compiled.net.places)])
        if not evaluate(obligation.predicate, state, lambda: able):
            raise RefusedError("its run does not end where it should")
        if obligation.through and obligation.through.isdisjoint(self._steps(shown)):
            raise RefusedError("its run does not do what it should show")

    def _left_aside(self, question: Question, obligation: Obligation, shown: dict[str, Any]) -> None:
        """A step that no run does is behind what is only demanded and never happens; or it happens with more faults."""
        compiled, step = question.compiled, step_of(question.compiled, obligation)
        if question.more is None or not step:
            raise RefusedError("it has to happen with the faults that are allowed for")
        if "unheard" in shown:
            unheard = frozenset(index(t) for t in shown["unheard"])
            fired = self.closed(compiled, shown["set"]).labels
            if not unheard <= compiled.demanded or not unheard.isdisjoint(fired):
                raise RefusedError("what it says never happens does, or is not only demanded")
            if not firings(obligation) <= behind(compiled, unheard):
                raise RefusedError("a step could happen without what never happens")
            return
        more = index(shown["more"])
        wider = question.more(more, every=not more) if more <= MORE else None
        firing = dict(wider.steps).get(step, ()) if wider is not None else ()
        if wider is None or not firing:
            raise RefusedError("its run is of a net that there is not")
        wider = wider._replace(observers=())
        after = fired_along(wider, wider.start, self._steps(shown))
        if set(firing).isdisjoint(enabled(wider.net, after)):
            raise RefusedError("its run does not lead to the step")

    def _steps(self, shown: dict[str, Any]) -> Trace:
        run = self._certificate.runs[index(shown["run"])]
        steps = index(shown["steps"])
        if steps > len(run):
            raise RefusedError("its run is shorter than it says")
        return self._fired(run[:steps])

    def _fired(self, run: Trace) -> Trace:
        """A run that will be fired: so many steps in all, however often a file names the same run."""
        self._left -= len(run)
        if self._left < 0:
            raise BeyondError("the runs of the certificate are longer, all together, than can be checked")
        return run

    def _replayed(self, compiled: Compiled, shown: dict[str, Any]) -> State:
        return fired_along(compiled, compiled.start, self._steps(shown))

    def closed(self, compiled: Compiled, number: Any) -> Graph:  # noqa: ANN401
        """The graph of a set that holds the start and that no firing leaves. Raises RefusedError for another one."""
        return self._closed(compiled, number, compiled.start)

    def runs(self, compiled: Compiled, number: Any) -> Runs:  # noqa: ANN401
        """All runs of such a set. Raises RefusedError."""
        graph = self.closed(compiled, number)
        key = (index(number), compiled.net, compiled.observers)
        if key not in self._runs:
            self._runs[key] = Runs(compiled, graph)
        return self._runs[key]

    def _closed(
        self, compiled: Compiled, number: Any, start: State, without: frozenset[int] = frozenset()  # noqa: ANN401
    ) -> Graph:  # fmt: skip
        """The graph of a set, once it is sure that it holds the start and that no firing leaves it."""
        key = (index(number), start, without, compiled.net, compiled.observers)
        found = self._graphs.get(key)
        if found is None:
            found = self._graphs[key] = closed_set(compiled, self._certificate.sets[key[0]], start, without)
        return found


def _starved(compiled: Compiled, predicate: Predicate, siphon: frozenset[int]) -> None:
    """An empty siphon stays empty, so that what takes from it never fires."""
    net = compiled.net
    takes = [any(p in siphon for p, _ in (*net.pre[t], *net.read[t])) for t in range(len(net.transitions))]
    fed = any(p in siphon and not takes[t] for t, arcs in enumerate(net.post) for p, _ in arcs)
    if fed or any(compiled.initial[p] for p in siphon):
        raise RefusedError("its places are filled from outside")
    parts = predicate.of if isinstance(predicate, Or) else (predicate,)
    if not all(isinstance(part, Fireable) and takes[part.transition] for part in parts):
        raise RefusedError("its places do not keep this from happening")


def _never_above(compiled: Compiled, predicate: Predicate, least: Sequence[Sequence[Sequence[int]]]) -> None:
    """No step leads into the set of the states that are above one of these; the start is not there, and all with the predicate are."""
    rows = tuple(tuple((index(i), index(n)) for i, n in one) for one in least)
    looks = (sum(map(len, rows)) + 1) * (len(rows) + 1) * (len(compiled.net.transitions) + 1)
    if looks > _LOOKS or any(i >= len(compiled.start) for one in rows for i, _ in one):
        raise RefusedError("its set closed upwards is too large to be checked, or none of this net")
    try:
        check_upwards(compiled, predicate, rows)
    except EvidenceError as problem:
        raise RefusedError(str(problem)) from None
