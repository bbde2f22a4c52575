"""How the queries of one compiled net are decided, in as few passes as possible.

A small first pass over the net as it is gives the shortest counterexamples. What it leaves open goes to a second pass,
over a reduced net and with the whole budget, whose traces are lifted. Nets of thousands of places are reduced at once.
Where that pass gets large, a decision diagram is tried before it goes on, and where its budget runs out, a larger one.
Every violation is replayed on the unreduced net before it leaves this room.
"""

from __future__ import annotations

from time import monotonic, perf_counter
from typing import TYPE_CHECKING

from placet.analysis.check import check
from placet.analysis.groups import Open, alike, moved, smaller
from placet.analysis.passes import Asks, OutOfTimeError, Pass
from placet.analysis.replay import LIMIT, Replayed, replay
from placet.analysis.subject import mentions, sinks, whole, without_sinks
from placet.engines.chosen import engine
from placet.engines.protocol import Needs
from placet.evidence import Budget, Holds, Inconclusive, Verdict, Violated
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.analysis.diagrams import Attempts
    from placet.analysis.reduction import Reduced
    from placet.analysis.subject import Subject
    from placet.compiled import Compiled, Query
    from placet.engines.protocol import Engine, Progress, Stop

FIRST_STATES = 20_000  # of the first pass, over the net as it is
FIRST_CELLS = 1_500_000  # states times places and transitions of that pass
STILL_LARGE = 20  # with more places than these after reductions, theorems are tried before a search
FIRST_PLACES = 2_000  # with more than these the net is reduced before any pass

THIN_STATES = 2_000  # of the search by stubborn sets after which it goes on only where it pays
THIN_MOST = 20_000  # and of it as a whole: a state takes ten times as long as in the search that is spared
PROBE_STATES = 60_000  # of the search before a diagram is tried
PROBE_ENTRIES = 100_000  # of attempts at a diagram before the search goes on: half a second each, or less
PROBE_TRIES = 2  # of these attempts
WIDE, WIDE_TRIES = 1_000, 3  # places and transitions from which on a search costs more than another attempt
LARGE_ENTRIES = 1_600_000  # of each attempt where the search met its budget

_OF_BOUNDS = ("safe", "bounded")  # checks of how many tokens there are on places


class Options(NamedTuple):
    """How to decide."""

    budget: Budget = Budget()
    reduce: bool = True
    engine: str | None = None
    progress: Progress | None = None
    replay_states: int = LIMIT


DEFAULT = Options()


class Answer(NamedTuple):
    """A query, its verdict, the seconds it took (its share of the passes it took part in), and its replay."""

    query: Query
    verdict: Verdict
    seconds: float
    replayed: Replayed | None = None


def decide(compiled: Compiled, queries: Sequence[Query], options: Options = DEFAULT) -> tuple[Answer, ...]:
    """The answers, in the order of the queries.

    Raises UsageError for a check or an engine that does not exist, EvidenceError where a violation does not replay.
    """
    return _Decision(compiled, options).run(queries)


class _Decision:
    def __init__(self, compiled: Compiled, options: Options) -> None:
        self._compiled, self._options = compiled, options
        self._engine = engine(options.engine)
        self._answers: dict[int, Answer] = {}
        self._begun = perf_counter()
        self._interrupted: Stop | None = None
        self._attempts: dict[int, Attempts] = {}

    def run(self, queries: Sequence[Query]) -> tuple[Answer, ...]:
        groups: dict[bool, list[Open]] = {}
        subjects = {False: whole(self._compiled)}
        cut = sinks(self._compiled) if self._compiled.final.any_sink else frozenset()
        if cut:
            subjects[True] = without_sinks(self._compiled)
        for position, query in enumerate(queries):
            chosen = check(query.check)
            aside = bool(cut) and chosen.cuts_sinks and not mentions(query.predicate, cut)
            asks = chosen.asks(subjects[aside], query)
            if not isinstance(asks, Asks):
                self._answer(Open(position, query, chosen, Asks()), asks)
            else:
                groups.setdefault(aside, []).append(Open(position, query, chosen, asks))
        try:
            for aside, group in groups.items():
                self._group(subjects[aside], group)
        except KeyboardInterrupt:  # what is known stays known
            for o in (o for group in groups.values() for o in group if o.position not in self._answers):
                self._answer(o, Inconclusive("interrupted before it was decided", "interrupted"))
        return tuple(self._answers[position] for position in range(len(queries)))

    def _group(self, subject: Subject, left: list[Open]) -> None:
        """Decide the queries of one subject: a short pass as it is, then reduced ones, then as it is again."""
        budget = self._options.budget
        states = budget.states if budget.states is not None else 1 << 62
        last: Pass | None = None
        if self._options.engine == "symbolic":
            left = self._draw(subject, left)
            if not left:
                return
        if self._options.reduce and len(subject.net.places) > FIRST_PLACES:
            reducing, rest = [o for o in left if o.asks.reducible], [o for o in left if not o.asks.reducible]
        else:
            width = len(subject.net.places) + len(subject.net.transitions)
            first = min(states, FIRST_STATES, FIRST_CELLS // max(1, width)) if self._options.reduce else states
            if first == states:
                last, left = self._search(subject, left, budget)
            else:
                last = self._pass(subject, left, budget._replace(states=first))
                left = self._settle(self._judge(last, left))
            final = last.stop is not None and (last.stop.budget != "states" or first == states)
            if final:
                reducing, rest = [], []
            else:
                reducing, rest = [o for o in left if o.asks.reducible], [o for o in left if not o.asks.reducible]
        if reducing:
            for part in alike(reducing):
                reduced = self._reduce(subject, part)
                alone = part[0].asks.alone
                if alone and not smaller(subject, reduced):
                    rest += part
                    continue
                part = self._by_structure(subject, part, reduced)  # noqa: PLW2901 - what is left of it
                if STILL_LARGE < len(reduced.net.places) <= FIRST_PLACES:
                    part = self._by_theorem(subject, part)  # noqa: PLW2901
                if part:
                    seen, part = self._search(subject, part, budget, reduced)  # noqa: PLW2901
                    if alone and seen.stop is None and not any(o.late for o in part):
                        rest += part  # what was found there could not be led back to the net
                    else:
                        self._close(seen, part)
            left = rest
        if rest:
            last, left = self._search(subject, rest, budget)
        if last is not None:
            self._close(last, left)

    def _search(
        self, subject: Subject, group: list[Open], budget: Budget, reduced: Reduced | None = None
    ) -> tuple[Pass, list[Open]]:
        """Judge the group by the engines in turn; gives the last search, and what it leaves open."""
        from placet.analysis.symbolic_pass import ANSWERED

        states = budget.states if budget.states is not None else 1 << 62
        net = subject.net if reduced is None else reduced.net
        width = len(net.places) + len(net.transitions)
        drawn = self._options.engine is None and any(o.asks.drawn or o.query.check in ANSWERED for o in group)
        probe = min(states, PROBE_STATES, 3 * FIRST_CELLS // max(1, width)) if drawn else states
        if self._options.engine == "stubborn":
            group = self._thin(subject, group, reduced)
        seen = self._pass(subject, group, budget._replace(states=probe if group else 1), reduced)
        left = self._judge(seen, group)
        if drawn and left and probe < states and _cut(seen):
            left = self._settle(self._by_diagram(subject, left, reduced, PROBE_ENTRIES))
            left = self._thin(subject, left, reduced) if self._options.reduce else left
            if left:
                seen = self._pass(subject, left, budget, reduced)
                left = self._judge(seen, left)
            if left and _cut(seen):
                left = self._by_diagram(subject, left, reduced, LARGE_ENTRIES)
        return seen, self._settle(left)

    def _thin(self, subject: Subject, group: list[Open], reduced: Reduced | None) -> list[Open]:
        """Answer, by stubborn sets, whether there is a state of some kind, where a probe shows that much is left out; gives the rest."""
        from placet.engines.stubborn import REACHED, Stubborn, pays

        rest = [o for o in group if o.query.check not in REACHED or self._interrupted is not None]
        for o in (o for o in group if o not in rest):
            budget = self._options.budget
            for most in (THIN_STATES, THIN_MOST) if self._options.engine is None else (budget.states,):
                least = min(most, budget.states) if most is not None and budget.states is not None else most
                seen = self._pass(subject, [o], budget._replace(states=least), reduced, Stubborn())
                if not self._judge(seen, [o]):
                    break
                if not _cut(seen) or (self._options.engine is None and not pays(seen.seen)):
                    rest.append(o)
                    break
            else:
                rest.append(o)
        return rest

    def _settle(self, left: list[Open]) -> list[Open]:
        """Answer what a diagram has refuted, where the first search has found no run of the net as it is."""
        for o in left:
            if isinstance(o.known, Violated):
                self._answer(o, o.known, self._replayed(o.known))
        return [o for o in left if o.known is None]

    def _draw(self, subject: Subject, left: list[Open]) -> list[Open]:
        """Answer what diagrams prove, before any search: for doubt, and for tests of the one against the other."""
        reducing = [o for o in left if o.asks.reducible and self._options.reduce]
        for part in alike(reducing):
            self._by_diagram(subject, part, self._reduce(subject, part), LARGE_ENTRIES)
        self._by_diagram(subject, [o for o in left if o not in reducing], None, LARGE_ENTRIES)
        return [o for o in left if o.position not in self._answers]

    def _by_diagram(
        self, subject: Subject, group: list[Open], reduced: Reduced | None, entries: int
    ) -> list[Open]:  # fmt: skip
        """Answer what a decision diagram proves, where one of that size is found; what it refutes is kept in mind."""
        from placet.analysis.diagrams import MEMORY, Attempts
        from placet.analysis.symbolic_pass import ANSWERED, FarError, LimitError, SymbolicPass
        from placet.engines.diagrams.diagram import ENTRY

        asked = [
            o
            for o in group
            if (o.asks.drawn or o.query.check in ANSWERED) and o.known is None and not (o.far or o.late)
        ]
        if not asked or self._interrupted is not None:
            return group
        begun = perf_counter()
        net, initial = (subject.net, subject.compiled.initial) if reduced is None else (reduced.net, reduced.initial)
        observers = subject.observers if reduced is None else moved(subject, reduced)
        attempts = self._attempts.setdefault(id(net), Attempts(net, initial, observers))
        seconds, memory = self._options.budget.seconds, self._options.budget.bytes or MEMORY
        until = float("inf") if seconds is None else monotonic() + max(0.0, seconds - (begun - self._begun))
        width = 100 * (len(net.places) + len(net.transitions))  # a diagram has some nodes for each at the least
        attempts.entries = max(attempts.entries, width)
        probes = WIDE_TRIES if len(net.places) + len(net.transitions) > WIDE else PROBE_TRIES
        tries = probes if entries == PROBE_ENTRIES else 1 << 30
        diagram = attempts.run(max(entries, width), until, memory, tries)
        left = [o for o in group if o not in asked]
        if diagram is None:
            self._share(asked, perf_counter() - begun)
            return group
        seen = SymbolicPass(subject, [o.asks for o in asked], reduced, diagram, observers)
        self._share(asked, perf_counter() - begun)
        for o in asked:
            begun = perf_counter()
            diagram.allow(min(4 * max(entries, width), memory // ENTRY), until)
            try:
                verdict = _verdict(o, seen)
            except FarError:
                o.far, verdict = True, None
            except (LimitError, MemoryError):
                verdict = None
            o.seconds += perf_counter() - begun
            if isinstance(verdict, Holds):
                self._answer(o, verdict)
            else:
                o.known = verdict if isinstance(verdict, Violated) else None
                left.append(o)
        return left

    def _pass(
        self,
        subject: Subject,
        group: list[Open],
        budget: Budget,
        reduced: Reduced | None = None,
        by: Engine | None = None,
    ) -> Pass:
        begun = perf_counter()
        made = Pass(subject, [o.asks for o in group], reduced)
        net, initial = (subject.net, subject.compiled.initial) if reduced is None else (reduced.net, reduced.initial)
        observers = subject.observers if reduced is None else moved(subject, reduced)
        if budget.seconds is not None:
            left = max(0.0, budget.seconds - (begun - self._begun))
            made.until = monotonic() + left
            edges = any(v.needs is Needs.EDGES for v in made.visitors)
            budget = budget._replace(seconds=left / 2 if edges else left)  # judging a graph takes as long as making it
        if self._interrupted is not None:
            budget = Budget(states=1)
        made.seen = (by or self._engine).explore(net, initial, observers, made.visitors, budget, self._options.progress)
        if (
            made.seen.stop is not None
            and made.seen.stop.budget == "unbounded"
            and by is None
            and made.seen.engine != "reference"
        ):
            # engines that take many states at a time meet another loop first: the same one is told whatever the engine
            least = budget._replace(states=min(budget.states or PROBE_STATES, PROBE_STATES))
            again = engine("reference").explore(net, initial, observers, made.visitors, least)
            made.seen = again if again.stop is not None and again.stop.budget == "unbounded" else made.seen
        if made.seen.stop is not None and made.seen.stop.budget == "interrupted":
            self._interrupted = made.seen.stop
        self._share(group, perf_counter() - begun)
        return made

    def _reduce(self, subject: Subject, group: list[Open]) -> Reduced:
        from placet.analysis.reduction import KITS, FinalPlaces, final_places, reduce

        compiled = subject.compiled
        asked = FinalPlaces(frozenset(), frozenset(), frozenset())
        if any(o.asks.final for o in group):
            asked = final_places(compiled.final, compiled.initial)
        return reduce(
            subject.net,
            compiled.initial,
            visible_places=frozenset().union(*(o.asks.places for o in group)),
            visible_transitions=frozenset().union(*(o.asks.transitions for o in group)),
            observed=frozenset(t for o in subject.observers for t, _ in o.deltas),
            zero_places=asked.zero,
            channel_places=asked.channel,
            resource_places=asked.resource,
            end_places=asked.end - subject.cut,
            bounded_places=frozenset().union(*(o.asks.bounded for o in group)),
            rules=KITS[group[0].asks.kit],
        )

    def _replayed(self, verdict: Violated) -> Replayed:
        """What becomes of a counterexample that is shown again; the seconds of the budget bound its searches too."""
        seconds = self._options.budget.seconds
        until = float("inf") if seconds is None else monotonic() + seconds - (perf_counter() - self._begun)
        return replay(self._compiled, verdict, self._options.replay_states, until)

    def _judge(self, seen: Pass, group: list[Open]) -> list[Open]:
        """Answer what the pass decides; gives the rest."""
        left = []
        for o in group:
            begun = perf_counter()
            verdict = _verdict(o, seen)
            if verdict is None:
                o.seconds += perf_counter() - begun
                left.append(o)
                continue
            replayed = None
            if isinstance(verdict, Violated):
                replayed = self._replayed(verdict)
            o.seconds += perf_counter() - begun
            self._answer(o, verdict, replayed)
        return left

    def _by_structure(self, subject: Subject, group: list[Open], reduced: Reduced | None) -> list[Open]:
        """Answer what invariants show without a search, which is bounds of places only; gives the rest."""
        if all(o.query.check not in _OF_BOUNDS for o in group):
            return group
        from placet.analysis.boundedness import by_structure
        from placet.analysis.invariants import Bounds

        net, initial = (subject.net, subject.compiled.initial) if reduced is None else (reduced.net, reduced.initial)
        rules = () if reduced is None else tuple(name for name, _ in reduced.rules)
        numbers = {p: i for i, p in enumerate(range(len(net.places)) if reduced is None else reduced.places)}
        seconds = self._options.budget.seconds
        bounds = Bounds(net, initial, float("inf") if seconds is None else self._begun + seconds)
        left = []
        for o in group:
            begun = perf_counter()
            holds = by_structure(o.asks, bounds, numbers, rules) if o.query.check in _OF_BOUNDS else None
            o.seconds += perf_counter() - begun
            if holds is None:
                left.append(o)
            else:
                self._answer(o, holds)
        return left

    def _by_theorem(self, subject: Subject, group: list[Open]) -> list[Open]:
        """Answer what theorems on free-choice nets prove; gives the rest. As reductions are, they can be switched off."""
        if not self._options.reduce:
            return group
        from placet.analysis.theorems import Theorems

        theorems = Theorems(subject)
        left = []
        for o in group:
            begun = perf_counter()
            holds = theorems.prove(o.query.check, whole=o.query.place < 0)
            o.seconds += perf_counter() - begun
            if holds is None:
                left.append(o)
            else:
                self._answer(o, holds)
        return left

    def _close(self, seen: Pass, left: list[Open]) -> None:
        """What no pass decides: look at the structure and at coverability where they may tell, and say which budget ran out."""
        if left and self._interrupted is None:
            left = self._by_theorem(seen.subject, left)
            if seen.reduced is None and seen.seen.stop is not None and seen.seen.stop.budget in ("states", "bytes"):
                left = self._by_structure(seen.subject, left, None)
            left = self._cover(seen, left)
            left = self._backwards(seen, left)
        if not left:
            return
        from placet.analysis.unknown import inconclusive, late

        for o in left:
            self._answer(o, late(seen, self._options.budget) if o.late else inconclusive(seen, self._interrupted))

    def _cover(self, seen: Pass, left: list[Open]) -> list[Open]:
        from placet.analysis.coverability import Coverage, cover, is_monotone

        stop = seen.seen.stop
        net, initial = seen.subject.net, seen.subject.compiled.initial
        if seen.reduced is not None:
            net, initial = seen.reduced.net, seen.reduced.initial
        if stop is None or stop.budget not in ("unbounded", "states"):
            return left
        begun = perf_counter()
        if is_monotone(net):
            states = self._options.budget.states
            seen.coverage = cover(net, initial, min(10_000, states) if states is not None else 10_000)
        else:
            from placet.analysis.backward import that_can_fire

            alive = that_can_fire(net, initial, seen.seen.fired)
            if alive is None:
                return left
            seen.coverage = Coverage(complete=True, alive=alive, pump=None)
        self._share(left, perf_counter() - begun)
        return self._judge(seen, left)

    def _backwards(self, seen: Pass, left: list[Open]) -> list[Open]:
        """Answer by backward search, on the net as it is, whether conditions that more of everything keeps true can come about.

        As theorems are, it is switched off with reductions.
        """
        stop = seen.seen.stop
        asked = [o for o in left if o.query.check in ("never", "possible") and o.query.predicate is not None]
        if not asked or not self._options.reduce or stop is None or stop.budget not in ("unbounded", "states"):
            return left
        from placet.analysis.backward import counted, decide_one

        compiled = self._compiled
        net = counted(compiled.net, compiled.start, compiled.observers)
        if net is None:
            return left
        rest = [o for o in left if o not in asked]
        for o in asked:
            begun = perf_counter()
            verdict = decide_one(net, len(compiled.net.places), o.query)
            replayed = None
            if isinstance(verdict, Violated):
                replayed = self._replayed(verdict)
            o.seconds += perf_counter() - begun
            if verdict is None:
                rest.append(o)
            else:
                self._answer(o, verdict, replayed)
        return rest

    @staticmethod
    def _share(group: list[Open], seconds: float) -> None:
        for o in group:
            o.seconds += seconds / len(group)

    def _answer(self, o: Open, verdict: Verdict, replayed: Replayed | None = None) -> None:
        assumptions = self._compiled.assumptions
        if self._compiled.final.any_sink:
            assumptions = assumptions._replace(final="any-sink")
        if o.query.formula is not None:
            assumptions = assumptions._replace(fairness=o.query.fairness or "edges")
        if isinstance(verdict, Holds) and assumptions.free_guards and o.check.existential:
            names = ", ".join(f"`{guard}`" for guard in assumptions.free_guards)
            reason = f"it holds if these conditions over data can go either way at any time: {names}"
            verdict = Inconclusive(reason, "theory", proof=verdict.proof)
        self._answers[o.position] = Answer(o.query, verdict._replace(assumptions=assumptions), o.seconds, replayed)


def _verdict(o: Open, seen: Pass) -> Verdict | None:
    """The verdict of a check on a pass, or None; a run too long to be replayed and reported shows nothing."""
    try:
        return o.check.judge(seen.subject, o.query, seen) if seen.reduced is None else _of_reduced(o, seen)
    except OutOfTimeError:
        o.late = True
        return None


def _of_reduced(o: Open, seen: Pass) -> Verdict | None:
    from placet.analysis.reduction.reduced import TooLongError

    try:
        return o.check.judge(seen.subject, o.query, seen)
    except TooLongError as problem:
        reason = f"a run of {problem} steps may violate it, which is too long to be checked again and shown"
        return Inconclusive(reason, "theory", proof=seen.proof())


def _cut(seen: Pass) -> bool:
    """Whether the pass met its budget of states or bytes, and might have found more."""
    return seen.stop is not None and seen.stop.budget in ("states", "bytes")
