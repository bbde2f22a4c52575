"""Making certificates: for each verdict the evidence that fits, found on the net as it was compiled, and checked before it is written.

How a verdict came about does not matter here: where it rests on a reduced net or on a theorem, the states of the unreduced net are
looked at again, within a limit, or given as a decision diagram, or a weighting of the places is found. What has none of these carries
no certificate, and it is said why.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from placet.certificate.closed import BeyondError, RefusedError
from placet.certificate.form import Certificate, Entry, Layers, States, digest, shifted, unshifted
from placet.certificate.make_owed import MissingError, Tools
from placet.certificate.make_owed import evidence as evidence_of
from placet.certificate.make_runs import after, by_diagram, first_runs, has, until, with_more_faults, without
from placet.certificate.make_sums import dwindles
from placet.certificate.meaning import Obligation, faults, firings, question, step_of
from placet.certificate.measured import owed
from placet.certificate.recheck import Checker
from placet.errors import EvidenceError
from placet.evidence import Budget, Holds, Lasso, Never, NoReturn, Pump, Reach, Tree, Violated
from placet.logic.state import FALSE, Fireable, Linear, Or

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.certificate.meaning import More, Question
    from placet.certificate.measured import Owed
    from placet.certificate.owed import Runs
    from placet.compiled import Compiled, Query
    from placet.engines.protocol import Exploration
    from placet.evidence import State, Trace, Verdict, Witness

FEW, MANY = 20_000, 300_000  # states of a set: those that are looked for at once, and at most
CELLS = 30_000_000  # numbers of a set
ENTRIES = 2_000_000  # of an attempt at a diagram
SECONDS = 10.0  # that an attempt at a diagram, or at weightings, may take

NOT_DECIDED = "it was not decided"
_TOO_MANY = f"the model as it is has more than the {MANY:,} situations that a certificate may list"
_NOR = {  # how else it might have been shown
    "never": ", no sum of tokens keeps it from coming about, and they got no small diagram",
    "bounded": ", no sum of tokens keeps them within bounds, and they got no small diagram",
    "rounds": ", and that no message leads back to itself is shown in no other way",
    "again": ", and that from everywhere there is a way is shown without a list only where no run can go on for ever and they get a small diagram",
}


class NoneError(Exception):
    """There is no evidence that could be written down: why, in a few words."""


class Making:
    """A certificate in the making."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._entries: list[Entry] = []
        self._sets: list[States] = []
        self._diagrams: list[Layers] = []
        self._runs: list[Trace] = []
        self._known: dict[object, Any] = {}

    def certificate(self) -> Certificate:
        """What was made."""
        made = (tuple(self._entries), tuple(self._sets), tuple(self._diagrams), tuple(self._runs))
        return Certificate(self._options, *made)

    def add(self, compiled: Compiled, query: Query, number: int, verdict: Verdict, more: More | None = None) -> None:
        """Make the entry of one answer; `more` gives nets with more faults. Raises EvidenceError where what was found does not show it."""
        self._add(compiled, query, number, verdict, lambda: self._evidence(compiled, query, verdict, more))

    def measured(
        self, compiled: Compiled, query: Query, number: int, verdict: Verdict, counts: tuple[int, int] | None
    ) -> None:
        """As `add` for what a saga owes under faults. `counts` are feasible and covered, where all was counted."""
        self._add(compiled, query, number, verdict, lambda: self._owed(compiled, query, verdict, counts))

    def _add(
        self, compiled: Compiled, query: Query, number: int, verdict: Verdict,
        make: Callable[[], tuple[Question | Owed, list[dict[str, Any]]]],
    ) -> None:  # fmt: skip
        outcome = (
            "proved" if isinstance(verdict, Holds) else "violated" if isinstance(verdict, Violated) else "inconclusive"
        )
        entry = Entry(query.check, query.label, compiled.subject, number, outcome)
        try:
            asked, evidence = make()
        except (NoneError, MissingError) as why:
            self._entries.append(entry._replace(none=str(why)))
            return
        entry = entry._replace(question=digest(asked), evidence=tuple(evidence))
        try:
            self._checker().check(asked, entry)
        except BeyondError as why:
            self._entries.append(entry._replace(question="", evidence=(), none=str(why)))
            return
        except RefusedError as problem:
            raise EvidenceError(f"the certificate of `{query.label}` would be refused: {problem}") from None
        self._entries.append(entry)

    def none(self, compiled: Compiled, query: Query, number: int, outcome: str, why: str) -> None:
        """The entry of an answer that carries no evidence."""
        self._entries.append(Entry(query.check, query.label, compiled.subject, number, outcome, none=why))

    def _checker(self) -> Checker:
        """A checker of what there is so far, which keeps what it has found out about sets."""
        checker: Checker | None = self._known.get("checker")
        if checker is None:
            checker = self._known["checker"] = Checker(self.certificate())
        checker.extend(self.certificate())
        return checker

    def _evidence(
        self, compiled: Compiled, query: Query, verdict: Verdict, more: More | None
    ) -> tuple[Question, list[dict[str, Any]]]:
        if not isinstance(verdict, Holds | Violated):
            raise NoneError(NOT_DECIDED)
        asked = question(compiled, query)
        if isinstance(asked, str):
            raise NoneError(asked)
        asked = asked._replace(more=more)
        if isinstance(verdict, Holds):
            return asked, [self._proof(asked, obligation) for obligation in asked.obligations]
        return asked, [self._refutation(asked, verdict)]

    def _owed(
        self, compiled: Compiled, query: Query, verdict: Verdict, counts: tuple[int, int] | None
    ) -> tuple[Owed, list[dict[str, Any]]]:
        if not isinstance(verdict, Holds | Violated):
            raise NoneError(NOT_DECIDED)
        asked = owed(compiled, query)
        if isinstance(asked, str):
            raise NoneError(asked)

        def whole() -> tuple[int, Runs] | None:
            number = self._whole(asked.compiled, asked.compiled.start, MANY)
            return None if number is None else (number, self._checker().runs(asked.compiled, number))

        return asked, [evidence_of(asked, verdict, counts, Tools(whole, self._run), _TOO_MANY)]

    # -- proofs ------------------------------------------------------------------------------------------------------

    def _proof(self, asked: Question, obligation: Obligation) -> dict[str, Any]:
        if obligation.kind == "some":
            return self._run_to(asked, obligation)
        try:
            shown = self._out_of_reach(asked, obligation, FEW)
            if shown is None and obligation.kind in ("never", "bounded"):
                shown = self._weighed(asked, obligation) or self._drawn(asked)
            if shown is None and obligation.kind == "again":
                shown = self._dwindling(asked)
            shown = shown or self._out_of_reach(asked, obligation, MANY)
        except NoneError:
            shown = self._never_above(asked, obligation)
            if shown is None:
                raise
        if shown is None:
            raise NoneError(
                _TOO_MANY + _NOR.get(obligation.kind, ", and a formula about runs is shown in no other way")
            )
        return shown

    def _out_of_reach(self, asked: Question, obligation: Obligation, most: int) -> dict[str, Any] | None:
        number = self._whole(asked.compiled, asked.compiled.start, most)
        return None if number is None else {"set": number}

    def _whole(self, compiled: Compiled, start: State, most: int, aside: frozenset[int] = frozenset()) -> int | None:
        """The number of the set of all states that can be reached from one; None where there are too many."""
        key = (compiled.net, compiled.observers, start, most, aside)
        if key not in self._known:
            found = self._explored(compiled, start, most, aside)
            self._known[key] = None
            if found.stop is not None and found.stop.budget == "unbounded":
                raise NoneError("there is no end to the situations of the model")
            if found.complete:
                width = len(compiled.net.places)
                rows = tuple(shifted(width, found.state(i)) for i in range(found.states))
                self._known[key] = self._enter(self._sets, States(len(start), rows))
        number: int | None = self._known[key]
        return number

    def _explored(self, compiled: Compiled, start: State, most: int, aside: frozenset[int]) -> Exploration:
        from placet.engines.chosen import engine
        from placet.engines.protocol import Needs, Visitor

        net, observers = without(compiled, aside)
        width = len(net.places)
        observers = tuple(o._replace(initial=v) for o, v in zip(observers, start[width:], strict=True))
        states = max(1, min(most, CELLS // max(1, len(start))))
        return engine(None).explore(net, start[:width], observers, (Visitor(FALSE, Needs.STATES),), Budget(states))

    def _weighed(self, asked: Question, obligation: Obligation) -> dict[str, Any] | None:
        from time import perf_counter

        from placet.analysis.invariants import semiflows

        compiled = asked.compiled
        key = ("flows", compiled.net)
        if key not in self._known:
            self._known[key] = semiflows(compiled.net, surplus=True, until=perf_counter() + SECONDS / 5).found
        flows, start = self._known[key], compiled.initial
        if obligation.kind == "bounded":
            total: dict[int, int] = {}
            for flow in flows:
                for p, w in flow.weights:
                    total[p] = total.get(p, 0) + w
            return {"weights": sorted(total.items())} if len(total) == len(start) else None
        made = []
        predicate = obligation.predicate
        for part in predicate.of if isinstance(predicate, Or) else (predicate,):
            if not isinstance(part, Linear) or part.op not in (">=", ">") or len(part.terms) != 1:
                return None
            (place, factor), least = part.terms[0], part.bound + (part.op == ">")
            for flow in flows:
                weight = dict(flow.weights).get(place, 0)
                if factor == 1 and weight and flow.total(start) < weight * least:
                    made.append([flow.weights, [weight]])
                    break
            else:
                return None
        return {"weights": made}

    def _dwindling(self, asked: Question) -> dict[str, Any] | None:
        """That each run comes to its end, by a sum that all firings but faults lower; and a diagram, in which all of these are as they should be."""
        compiled = asked.compiled
        key = ("dwindles", compiled.net)
        if key not in self._known:
            self._known[key] = dwindles(compiled, faults(compiled), monotonic() + SECONDS / 5)
        weights = self._known[key]
        drawn = self._drawn(asked) if weights is not None else None
        return None if drawn is None else {"dwindles": weights, **drawn}

    def _never_above(self, asked: Question, obligation: Obligation) -> dict[str, Any] | None:
        """Of a net without bounds: the least states of a set that nothing leads into."""
        from placet.analysis.backward import counted, least, search

        if obligation.kind != "never":
            return None
        compiled = asked.compiled
        net = counted(compiled.net, compiled.start, compiled.observers)
        goals = None if net is None else least(obligation.predicate, net, len(compiled.net.places))
        found = None if net is None or goals is None else search(net, goals)
        return None if found is None or found.trace is not None else {"least": found.basis}

    def _drawn(self, asked: Question) -> dict[str, Any] | None:
        from placet.analysis.diagrams import Attempts

        compiled = asked.compiled
        key = ("diagram", compiled.net, compiled.observers)
        if key not in self._known:
            crowded = any(compiled.initial[p] > most for p, most in compiled.net.capacity)
            attempts = Attempts(compiled.net, compiled.initial, compiled.observers)
            found = None if crowded else attempts.run(ENTRIES, monotonic() + SECONDS)
            self._known["drawn", compiled.net, compiled.observers] = found
            self._known[key] = None if found is None else self._enter(self._diagrams, Layers(*found.written()))
        number = self._known[key]
        return None if number is None else {"diagram": number}

    def _run_to(self, asked: Question, obligation: Obligation) -> dict[str, Any]:
        """A run to where the predicate holds, through one of the steps where there are some: the shortest, where that is near."""
        compiled = asked.compiled
        trace = self._first(asked, obligation, FEW)
        if trace is None and self._drawn(asked) is not None:
            trace = by_diagram(self._known["drawn", compiled.net, compiled.observers], compiled, obligation)
        elif trace is None:
            trace = self._first(asked, obligation, MANY)
        if trace is not None:
            return self._run(trace)
        shown = self._aside(asked, obligation)
        if shown is None:
            raise NoneError("no run that shows it was found among the situations that were looked at")
        return shown

    def _first(self, asked: Question, obligation: Obligation, most: int) -> Trace | None:
        """The shortest run, if it is found among so many states; those of like obligations are looked for at once."""
        compiled, through = asked.compiled, obligation.through
        known: dict[str, Trace | None] = self._known.setdefault(
            ("runs", compiled.net, compiled.observers, through, most), {}
        )
        if _name(obligation.predicate) not in known:
            wanted = [o.predicate for o in asked.obligations if o.kind == "some" and o.through == through]
            new = {name: p for p in wanted if (name := _name(p)) not in known}
            known.update(zip(new, first_runs(compiled, tuple(new.values()), through, most), strict=True))
        return known[_name(obligation.predicate)]

    def _aside(self, asked: Question, obligation: Obligation) -> dict[str, Any] | None:
        """Of a step that no run does: that it is behind what is only demanded, or what does it with more faults."""
        from placet.certificate.aside import behind

        compiled, step = asked.compiled, step_of(asked.compiled, obligation)
        if asked.more is None or not step:
            return None
        number = self._whole(compiled, compiled.start, MANY) if compiled.demanded else None
        if number is not None:
            fired = self._checker().closed(compiled, number).labels
            unheard = compiled.demanded.difference(fired)
            if firings(obligation) <= behind(compiled, unheard):
                return {"unheard": sorted(unheard), "set": number}
        known = self._known.setdefault(("more", compiled.net), {})
        if step not in known:
            traces = self._known.get(("runs", compiled.net, compiled.observers, obligation.through, MANY), {})
            dead = [step_of(compiled, o) for o in asked.obligations if traces.get(_name(o.predicate), ()) is None]
            known.update(dict.fromkeys((step, *dead)) | with_more_faults(asked, (step, *dead)))
        if known[step] is None:
            return None
        more, trace = known[step]
        return {"more": more, **self._run(trace)}

    def _run(self, trace: Trace) -> dict[str, Any]:
        return {"run": self._enter(self._runs, tuple(trace)), "steps": len(trace)}

    def _enter(self, table: list[Any], value: object) -> int:
        key = (id(table), value)
        if key not in self._known:
            self._known[key] = len(table)
            table.append(value)
        number: int = self._known[key]
        return number

    # -- refutations -------------------------------------------------------------------------------------------------

    def _refutation(self, asked: Question, verdict: Violated) -> dict[str, Any]:
        witness = verdict.witness
        for number, obligation in enumerate(asked.obligations):
            shown: dict[str, Any] | None = None
            if obligation.kind in ("ctl", "ltl"):
                shown = self._false(asked, witness, obligation)
            elif isinstance(witness, Reach | Pump | Tree | Lasso) and obligation.kind == "never":
                trace = until(asked.compiled, witness, obligation)
                shown = None if trace is None else self._run(trace)
            elif isinstance(witness, NoReturn | Lasso) and obligation.kind == "again":
                shown = self._lost(asked.compiled, witness.trace, obligation)
            elif isinstance(witness, Never) and obligation.kind == "some":
                shown = self._never_done(asked, verdict, witness, obligation)
            elif isinstance(witness, Pump | Lasso) and obligation.kind in ("bounded", "rounds"):
                shown = {**self._run(witness.trace), "loop": self._enter(self._runs, witness.loop)}
            if shown is not None:
                return {"obligation": number, **shown}
        raise NoneError("its evidence is an argument that a certificate cannot hold, or too large for one")

    def _false(self, asked: Question, witness: Witness, obligation: Obligation) -> dict[str, Any] | None:
        """A run that breaks a formula of LTL; or a set, in which the formula is false at the start."""
        if obligation.kind == "ltl" and isinstance(witness, Reach):
            return self._run(witness.trace)
        if obligation.kind == "ltl" and isinstance(witness, Lasso) and witness.whole:
            return {**self._run(witness.trace), "loop": self._enter(self._runs, witness.loop)}
        return self._out_of_reach(asked, obligation, MANY)

    def _lost(self, compiled: Compiled, trace: Trace, obligation: Obligation) -> dict[str, Any] | None:
        start = after(compiled, trace)
        number = self._whole(compiled, start, MANY, faults(compiled))
        if number is None:
            return None
        width = len(compiled.net.places)
        for row in self._sets[number].rows:
            if has(compiled, obligation, unshifted(width, row)):
                return None
        return {**self._run(trace), "set": number}

    def _never_done(
        self, asked: Question, verdict: Violated, witness: Never, obligation: Obligation
    ) -> dict[str, Any] | None:
        parts = obligation.predicate.of if isinstance(obligation.predicate, Or) else ()
        steps = {part.transition for part in parts if isinstance(part, Fireable)}
        if steps and not steps <= set(verdict.culprits):
            return None
        if obligation.through and not obligation.through <= set(verdict.culprits):
            return None
        if witness.certificate.kind == "empty siphon":
            return {"siphon": list(witness.certificate.places)}
        if witness.certificate.kind == "closed upwards":
            return self._never_above(asked, Obligation("never", obligation.predicate))
        number = self._whole(asked.compiled, asked.compiled.start, MANY)
        if number is not None:
            return {"set": number}
        return None if obligation.through else self._drawn(asked)


def _name(predicate: object) -> str:
    return repr(predicate)
