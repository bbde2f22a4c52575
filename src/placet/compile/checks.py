"""From IR checks to queries on a net: names become indices of places and observers.

How a net shows what a formula asks: an end of the subject itself is its place `<path>#end.<name>`; an end of a process
that is called is a latch, since the caller takes the token at once; `done` is a latch, `effect` a counter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from placet.analysis.questions import standard
from placet.compile.observers import Watch, in_run
from placet.compile.value_places import ValuePlaces
from placet.compiled import Query
from placet.diagnostics import Diagnostic
from placet.ir import model as ir
from placet.logic.state import FALSE, TRUE, And, Comparison, Fireable, Linear, Not, Or, at_least, compare

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placet.compiled import Compiled
    from placet.logic.state import Predicate

NEEDS_ENDS = frozenset(
    (
        *("sound", "weak_sound", "relaxed_sound", "easy_sound", "generalised_sound"),
        *("option_to_complete", "proper_completion"),
    )
)
OPERATORS = frozenset(get_args(Comparison))


def with_queries(
    compiled: Compiled,
    checks: tuple[ir.Check, ...] | None,
    sagas: frozenset[str] = frozenset(),
    amounts: Mapping[str, tuple[ir.Amount, ...]] | None = None,
    variables: Mapping[str, ir.Variable] | None = None,
) -> tuple[Compiled, tuple[Diagnostic, ...]]:
    """The net with the queries of these checks, or with the standard ones of its kind, and with the observers they need.

    `sagas` are the ids of all processes of the model that are sagas, `amounts` what its steps move, by their IR id.
    """
    reader = _Queries(compiled, sagas, amounts or {}, variables or {})
    if checks is None:
        names = list(standard(compiled))
        if compiled.roles.steps and "anomaly_A1" not in names:
            names.append("anomaly_A1")
        if reader.moves():
            names.append("conserved")
        checks = tuple(ir.Check(n, compiled.subject, f"{n}({compiled.subject})") for n in names)
    queries: list[Query] = []
    diagnostics: list[Diagnostic] = []
    for check in checks:
        if check.check in NEEDS_ENDS and not compiled.final.ends:
            diagnostics.append(_no_ends(check))
        else:
            queries.append(reader.query(check))
    return reader.watch.attached()._replace(queries=tuple(queries)), tuple(diagnostics)


def _no_ends(check: ir.Check) -> Diagnostic:
    message = f"`{check.subject}` has no end, so `{check.check}` says nothing about it"
    help_ = "name its end places with `final`, or ask `deadlock_free`, `bounded` and `live`"
    return Diagnostic("P410", "error", message, check.span, help=help_)


class _Queries:
    def __init__(
        self,
        compiled: Compiled,
        sagas: frozenset[str],
        amounts: Mapping[str, tuple[ir.Amount, ...]],
        variables: Mapping[str, ir.Variable],
    ) -> None:
        self._compiled = compiled
        self._values = ValuePlaces(compiled, variables)
        self._amounts = amounts
        self._sagas = sagas
        self.watch = Watch(compiled)
        self._places: dict[str, int] = {}  # filled by the first question about a place
        self._ends: dict[tuple[str, str], list[int]] = {}  # (process, end) -> places, one for each instance
        self._end_places: dict[int, str] = {}  # end place -> path of its instance
        for p, name in enumerate(compiled.net.places):
            if "#end." in name:
                path, _, end = name.partition("#end.")
                self._ends.setdefault((compiled.origin.places[p].id, end), []).append(p)
                self._end_places[p] = path
        self._producers: dict[int, list[int]] | None = None  # end place -> the transitions that mark it
        self._instances: dict[str, list[int]] | None = None  # IR id of a step -> its numbers in the roles

    def query(self, check: ir.Check) -> Query:
        """One query."""
        blank = Query(
            check.check,
            check.label,
            bound=1 if check.bound is None else check.bound,
            sentence=check.sentence,
            span=check.span,
            faults=check.faults,
            fault_budget=check.fault_budget,
            demand=check.demand,
            level=check.level,
        )
        if check.check == "anomaly_A1":
            return blank._replace(predicate=self._lost_compensation())
        if check.check == "conserved":
            atoms = self._accounts()
            total: dict[int, int] = {}
            for linear, _ in atoms:
                for index, by in linear.terms:
                    total[index] = total.get(index, 0) + by
            terms = tuple(sorted((index, by) for index, by in total.items() if by))
            return blank._replace(predicate=Linear(terms, "!=", 0), atoms=atoms)
        if check.check in ("no_orphan", "anomaly_A23"):
            return blank._replace(predicate=self._unread())
        if check.check in ("no_dual_write", "anomaly_A20"):
            return blank._replace(predicate=self._half_written())
        if check.element.startswith("topic "):
            return blank._replace(predicate=self._crowded(check.element.removeprefix("topic "), blank.bound))
        if check.formula is not None and check.check in ("ctl", "ltl"):
            return self._about_runs(blank._replace(fairness=check.fairness), check.formula)
        if check.formula is not None:
            predicate = self._formula(check.formula)
            if given := self._values.given(check.formula):
                predicate = And((*given, predicate))
            return blank._replace(predicate=predicate, atoms=self._atoms(check.formula))
        if not check.element:
            return blank
        if check.element in self._numbers():
            return blank._replace(place=self._places[check.element])
        return blank._replace(transition=self._transitions(check.element)[0])

    def _transitions(self, identifier: str) -> tuple[int, ...]:
        """The transition with that id, or all those into which it was split."""
        if not self._compiled.split:
            return (self._compiled.net.transition(identifier),)
        return dict(self._compiled.steps)[identifier]

    def _numbers(self) -> dict[str, int]:
        """The index of every place, by its id."""
        if not self._places:
            self._places = {name: p for p, name in enumerate(self._compiled.net.places)}
        return self._places

    # -- formulas ----------------------------------------------------------------------------------------------------

    def _about_runs(self, blank: Query, formula: ir.Formula) -> Query:
        from placet.compile.temporal import atoms_of, formula_of, premise_of

        given = self._values.given(formula)
        return blank._replace(
            formula=formula_of(formula, self._sum),
            atoms=atoms_of(formula, self._sum),
            premise=premise_of(formula, self._sum),
            given=And(tuple(given)) if given else None,
        )

    def _atoms(self, formula: ir.Formula) -> tuple[tuple[Predicate, str], ...]:
        parts = formula.parts if isinstance(formula, ir.Connective) and formula.op == "and" else (formula,)
        return tuple((self._formula(part), part.text) for part in parts)

    def _formula(self, formula: ir.Formula) -> Predicate:
        if isinstance(formula, ir.Sum):
            return self._sum(formula)
        if isinstance(formula, ir.Modal):
            raise TypeError("an operator on runs stands in `ctl` and `ltl` only")
        parts = tuple(self._formula(part) for part in formula.parts)
        if formula.op == "not":
            return Not(parts[0])
        return And(parts) if formula.op == "and" else Or(parts)

    def _sum(self, formula: ir.Sum) -> Predicate:
        if formula.op not in OPERATORS:
            raise ValueError(f"{formula.op!r} is no comparison")
        op: Comparison = formula.op  # type: ignore[assignment] # just tested
        facts = [fact for _, fact in formula.terms]
        if any(fact.kind == "value" for fact in facts):
            return self._values.sum(formula, self._indices)
        if facts and all(fact.kind == "enabled" for fact in facts):
            return Or(tuple(Fireable(t) for fact in facts for t in self._transitions(fact.id)))
        if facts and facts[0].kind == "effect" and len(formula.terms) == 1:
            # a step that happens in several rounds or calls counts apart in each
            weight = formula.terms[0][0]
            linear = [Linear(((i, weight),), op, formula.bound) for fact in facts for i in self._indices(fact)]
            return linear[0] if len(linear) == 1 else Or(tuple(linear))
        terms: dict[int, int] = {}
        for weight, fact in formula.terms:
            for index in self._indices(fact):
                terms[index] = terms.get(index, 0) + weight
        if not terms:
            return TRUE if compare(0, op, formula.bound) else FALSE
        return Linear(tuple(sorted(terms.items())), op, formula.bound)

    def _indices(self, fact: ir.Fact) -> list[int]:
        """Where a state shows a fact: one index for each instance."""
        if fact.kind == "tokens":
            return [self._numbers()[fact.id]]
        if fact.kind == "effect":
            numbers, steps = self._steps().get(fact.id, []), self._compiled.roles.steps
            return [self.watch.effect(n) for n in in_run(numbers, fact.id, fact.name, lambda n: steps[n].id)]
        if fact.kind == "service":
            return self._of_service(fact)
        if fact.kind in ("done", "fires"):
            watch = self.watch.done if fact.kind == "done" else self.watch.fires
            return [i for i in (watch(fact.id, fact.name),) if i >= 0]
        if fact.kind in ("undone", "undoes"):
            return [i for i in (self.watch.undone(fact.id, fact.name, now=fact.kind == "undoes"),) if i >= 0]
        found = [self._reached(p) for p in self._ends.get((fact.id, fact.name), ())]
        return [i for i in found if i >= 0]

    def _of_service(self, fact: ir.Fact) -> list[int]:
        """How many calls to a service are under way: the places where one is waited for. What else is asked is counted."""
        if fact.name != "calls":
            return [i for i in (self.watch.asked(fact.id, fact.name),) if i >= 0]
        roles = self._compiled.roles
        steps = {s.id for s in roles.steps if s.service == fact.id}
        return sorted({p.place for p in roles.ports if p.attempt and p.step in steps})

    def _reached(self, place: int) -> int:
        """The index that says an end was reached: the place of an end of the subject, a latch for one that was called."""
        path = self._end_places[place]
        if path == self._compiled.subject:
            return place
        if self._producers is None:
            self._producers = {}
            for t, arcs in enumerate(self._compiled.net.post):
                for p, _ in arcs:
                    if p in self._end_places:
                        self._producers.setdefault(p, []).append(t)
        end = self._compiled.net.places[place].partition("#end.")[2]
        name = path.rpartition("/")[2]
        return self.watch.latch(f"{path}#end.{end}#done", f"`{name}` has ended `{end}`", self._producers.get(place, ()))

    def _steps(self) -> dict[str, list[int]]:
        """IR id of a saga step -> its instances, as numbers of `roles.steps`."""
        if self._instances is None:
            self._instances = {}
            number = {s.id: n for n, s in enumerate(self._compiled.roles.steps)}
            seen: set[int] = set()
            for t, role in enumerate(self._compiled.roles.transitions):
                n = number.get(role.step, -1)
                if n >= 0 and n not in seen:
                    seen.add(n)
                    self._instances.setdefault(self._compiled.origin.transitions[t].id, []).append(n)
        return self._instances

    # -- messages ----------------------------------------------------------------------------------------------------

    def _unread(self) -> Predicate:
        """A message was published that nobody reads."""
        unread: dict[str, list[int]] = {}
        for published in self._compiled.roles.published:
            if not published.read:
                unread.setdefault(published.event, []).append(published.transition)
        found = [
            at_least(self.watch.latch(f"{event}#unread", f"`{event}` was published, and nobody reads it", transitions))
            for event, transitions in unread.items()
        ]
        return Or(tuple(found)) if found else FALSE

    def _half_written(self) -> Predicate:
        """All is quiet, and of a task and the message about it one was done and the other never."""
        found: list[Predicate] = []
        for task, message in self._compiled.roles.writes:
            both = (self.watch.done(task), self.watch.done(message))
            if min(both) >= 0:
                done, sent = map(at_least, both)
                found += [And((done, Not(sent))), And((sent, Not(done)))]
        if not found:
            return FALSE
        return And((self._compiled.final.predicate(self._compiled.initial), Or(tuple(found))))

    def _crowded(self, topic: str, bound: int) -> Predicate:
        """More messages than that wait for one reader."""
        queues: dict[str, set[int]] = {}
        for d in self._compiled.roles.deliveries:
            if d.topic == topic:
                queues.setdefault(d.reader, set()).update(d.waiting)
        return Or(tuple(Linear(tuple((p, 1) for p in sorted(places)), ">", bound) for places in queues.values()))

    # -- amounts -----------------------------------------------------------------------------------------------------

    def moves(self) -> bool:
        """Whether some step of the subject, or of what it calls, moves an amount."""
        return bool(self._amounts) and any(step in self._amounts for step in self._steps())

    def _accounts(self) -> tuple[tuple[Linear, str], ...]:
        """For each account that it is not as it was before: what each step gives it, times how often it did."""
        found: dict[str, list[tuple[int, int]]] = {}
        for step, numbers in self._steps().items():
            for account, by in self._amounts.get(step, ()):
                found.setdefault(account, []).extend([(self.watch.moved(n), by) for n in numbers])
                for n in numbers:
                    self.watch.effect(n)  # for the story
        return tuple([(Linear(tuple(sorted(terms)), "!=", 0), account) for account, terms in found.items()])

    # -- sagas -------------------------------------------------------------------------------------------------------

    def _is_undone(self, place: int) -> bool:
        return self._compiled.net.places[place].endswith("#end.compensated")

    def _lost_compensation(self) -> Predicate:
        """A final marking after some saga ended `compensated`, with an effect of it, or of what it called, left."""
        found: list[Predicate] = []
        roles = self._compiled.roles
        origins = self._compiled.origin.places
        ends = {self._end_places[p]: p for p in self._end_places if origins[p].id in self._sagas and self._is_undone(p)}
        own: dict[str, list[int]] = {path: [] for path in ends}
        for n, step in enumerate(roles.steps):
            path = step.saga
            while path:  # its saga, and those that called it
                if path in own:
                    own[path].append(n)
                path = path.rpartition("/")[0]
        for path, steps in own.items():
            left = tuple(Linear(((self.watch.effect(n), 1),), "!=", 0) for n in steps if not roles.steps[n].read_only)
            reached = self._reached(ends[path])
            if left and reached >= 0:
                found.append(And((at_least(reached), Or(left))))
        if not found:
            return FALSE
        final = self._compiled.final.predicate(self._compiled.initial)
        return And((final, found[0] if len(found) == 1 else Or(tuple(found))))
