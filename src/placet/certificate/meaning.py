"""What a check asks of a net, as a few obligations in plain temporal terms, from the definitions and from nothing else.

A check is proved where each of its obligations is met, and violated where one is refuted:

- `never` p: no reachable state has p.
- `again` p: from every reachable state a state with p can be reached without any fault (AG EF p).
- `some` p: a reachable state has p; with `through`, after a run in which one of these transitions fires.
- `bounded`: there is a bound on the tokens of the places.
- `rounds`: nothing that can be repeated for ever has messages that lead back to themselves.
- `ctl` f, `ltl` f: the formula is true at the start, or of every run from there that is fair.

The analyses have their own words for all of this; that both agree is what makes a certificate worth something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from placet.certificate.circles import goes_round
from placet.logic.state import FALSE, And, Dead, Fireable, Linear, Not, Or, Predicate, at_least, support
from placet.logic.temporal import (
    NO,
    Disj,
    Every,
    Formula,
    Release,
    Some,
    atoms,
    is_ctl,
    is_ltl,
    normal,
    once,
    opposite,
    parts,
    predicate_of,
    with_atoms,
)
from placet.net.final import PlaceClass
from placet.net.observer import Observer
from placet.net.roles import Kind
from placet.values import NamedTuple

if TYPE_CHECKING:
    from typing import Protocol

    from placet.compiled import Compiled, Query

    class More(Protocol):
        """The same net with so many faults more: with none, of every kind, else of the usual ones beside those allowed for."""

        def __call__(self, more: int, *, every: bool) -> Compiled | None:
            """None where it has none."""
            ...


MORE = 8  # faults more than are allowed for, under which a step may be shown not to be dead
CUT = "#arrived"  # the observer that says that an end was reached, where the ends themselves are cut off


class Obligation(NamedTuple):
    """One part of what a check asks."""

    kind: Literal["never", "again", "some", "bounded", "rounds", "ctl", "ltl"]
    predicate: Predicate = FALSE
    through: frozenset[int] = frozenset()
    formula: Formula = NO
    fairness: str = ""
    guarded: bool = False  # proved of all runs, fair or not: conditions over data may go one way for ever

    @property
    def predicates(self) -> list[Predicate]:
        """All that it asks about states."""
        return [self.predicate, *atoms(self.formula)]


class Question(NamedTuple):
    """A net, perhaps with its ends cut off, and what is asked of it."""

    compiled: Compiled
    obligations: tuple[Obligation, ...]
    more: More | None = (
        None  # where a step may be left aside: one that takes more faults, or is behind what is only demanded
    )


def firings(obligation: Obligation) -> frozenset[int]:
    """The transitions of which one is to happen."""
    parts = obligation.predicate.of if isinstance(obligation.predicate, Or) else ()
    return obligation.through or frozenset(part.transition for part in parts if isinstance(part, Fireable))


def step_of(compiled: Compiled, obligation: Obligation) -> str:
    """The id of the step that an obligation says can happen; empty where it is about none."""
    return next((step for step, of in compiled.steps if of and firings(obligation) == frozenset(of)), "")


def question(compiled: Compiled, query: Query) -> Question | str:
    """What the query asks; or why no certificate can say so. O(net)."""
    if compiled.final.any_sink and query.check not in _OF_ALL:
        compiled = _without_ends(compiled, query)
    found = _obligations(compiled, query)
    if isinstance(found, str):
        return found
    exists = any(o.kind in ("again", "some") or _says_some(o.formula) for o in found)
    if exists and compiled.assumptions.free_guards:
        return FREE
    return _watched(compiled, found)


def _watched(compiled: Compiled, found: tuple[Obligation, ...]) -> Question:
    """The question without the observers that it does not ask for, which nothing depends on."""
    width = len(compiled.net.places)
    asked = {i for o in found for p in o.predicates for i in support(p)[0] if i >= width}
    kept = [o for o in range(len(compiled.observers)) if width + o in asked]
    numbers = {width + o: width + n for n, o in enumerate(kept)}
    observers = tuple(compiled.observers[o] for o in kept)
    if numbers:
        found = tuple(
            o._replace(
                predicate=_renumbered(o.predicate, numbers),
                formula=with_atoms(o.formula, lambda p: _renumbered(p, numbers)),
            )
            for o in found
        )
    return Question(compiled._replace(observers=observers), found)


def _renumbered(predicate: Predicate, numbers: dict[int, int]) -> Predicate:
    match predicate:
        case Linear(terms, op, bound):
            return Linear(tuple((numbers.get(i, i), c) for i, c in terms), op, bound)
        case Not(of):
            return Not(_renumbered(of, numbers))
        case And(of):
            return And(tuple(_renumbered(part, numbers) for part in of))
        case Or(of):
            return Or(tuple(_renumbered(part, numbers) for part in of))
    return predicate


_OF_ALL = frozenset(
    (
        "bounded",
        "reversible",
        "home",
        "never",
        "possible",
        "anomaly_A1",
        "no_orphan",
        "no_dual_write",
        "ctl",
        "ltl",
        "conserved",
    )
)
FREE = "it leans on conditions over data that were taken to go either way"
NOT_SAID = "what it asks is not among the things that a certificate can say"
_NO_END = "the model has no end"


def _without_ends(compiled: Compiled, query: Query) -> Compiled:
    """The same with ends that nothing looks at cut off: they may fill up without bound. Whether one was reached is kept."""
    net, ends = compiled.net, frozenset(compiled.final.ends)
    looked = {p for side in (net.pre, net.read, net.inhibit) for arcs in side for p, _ in arcs}
    looked.update(p for emptied in net.reset for p in emptied)
    looked.update(p for p, _ in net.capacity)
    asked = support(query.predicate)[0] if query.predicate is not None else frozenset()
    if not ends or ends & (looked | asked) or any(o.id == CUT for o in compiled.observers):
        return compiled
    arrive = tuple((t, 1) for t, arcs in enumerate(net.post) if any(p in ends for p, _ in arcs))
    latch = Observer(CUT, "an end was reached", arrive, 0, 1, int(any(compiled.initial[p] for p in ends)))
    post = tuple(tuple((p, w) for p, w in arcs if p not in ends) for arcs in net.post)
    return compiled._replace(net=net._replace(post=post), observers=(*compiled.observers, latch))


def final(compiled: Compiled) -> Predicate:
    """The final markings of a net, perhaps with its ends cut off."""
    said = compiled.final.predicate(compiled.initial)
    if not compiled.observers or compiled.observers[-1].id != CUT or not isinstance(said, And):
        return said
    reached = Linear(((len(compiled.net.places) + len(compiled.observers) - 1, 1),), ">=", 1)
    ends = frozenset(compiled.final.ends)
    return And((reached, *(part for part in said.of if not support(part)[0] & ends)))


def faults(compiled: Compiled) -> frozenset[int]:
    """The transitions that are faults: they may happen, and nothing may rely on them."""
    return frozenset(t for t, role in enumerate(compiled.roles.transitions) if role.kind is Kind.FAULT)


def _expected(compiled: Compiled) -> list[int]:
    aside = compiled.quiet | faults(compiled)
    return [t for t in range(len(compiled.net.transitions)) if t not in aside]


def _fires(some: tuple[int, ...]) -> Predicate:
    return Fireable(some[0]) if len(some) == 1 else Or(tuple(Fireable(t) for t in some))


def _wanted(compiled: Compiled, query: Query) -> tuple[tuple[int, ...], ...]:
    return (compiled.same(query.transition),) if query.transition >= 0 else compiled.apart(_expected(compiled))


def _steps(compiled: Compiled) -> list[tuple[int, ...]]:
    if compiled.steps:
        return [transitions for _, transitions in compiled.steps if transitions]
    return [(t,) for t in _expected(compiled)]


def _can_fire(transitions: tuple[int, ...]) -> Obligation:
    return Obligation("some", Or(tuple(Fireable(t) for t in transitions)))


def _safe(compiled: Compiled) -> Obligation:
    kinds, aside = (PlaceClass.CONTROL, PlaceClass.CHANNEL), compiled.final.ends if compiled.final.any_sink else ()
    places = [p for p, kind in enumerate(compiled.final.classes) if kind in kinds and p not in aside]
    return Obligation("never", Or(tuple(at_least(p, 2) for p in places)))


def _dead_steps(compiled: Compiled) -> tuple[Obligation, ...]:
    return tuple(_can_fire(step) for step in _steps(compiled))


def _sound(compiled: Compiled, *, weak: bool) -> tuple[Obligation, ...]:
    can_end = Obligation("again", final(compiled))
    if compiled.final.any_sink:
        return (_safe(compiled), can_end)
    early = Obligation("never", compiled.final.early(compiled.initial))
    return (can_end, early, *(() if weak else _dead_steps(compiled)))


def _stuck(compiled: Compiled) -> Predicate:
    dead = Dead(faults(compiled))
    if compiled.final.quiet:
        return And((dead, Not(compiled.final.predicate(compiled.initial, in_flight=True))))
    return And((dead, Not(final(compiled)))) if compiled.final.ends else dead


def _exactly(marking: tuple[int, ...]) -> Predicate:
    return And(tuple(Linear(((p, 1),), "==", tokens) for p, tokens in enumerate(marking)))


def _handled(compiled: Compiled) -> Predicate:
    """No message waits, is in hand, or was lost."""
    places = {p for d in compiled.roles.deliveries for p in (*d.waiting, *d.hands, d.lost)} - {-1}
    return Linear(tuple((p, 1) for p in sorted(places)), "==", 0)


def _conserved(compiled: Compiled, query: Query) -> tuple[Obligation, ...] | str:
    """From everywhere it can come about that no single end is reached, or that as much was given as was taken; and all is counted."""
    total = query.predicate
    if not isinstance(total, Linear):
        return NOT_SAID
    if not total.terms:
        return ()
    ended = Linear(tuple((p, 1) for p in compiled.final.ends), "==", 1)
    width = len(compiled.net.places)
    counted = [(i, compiled.observers[i - width]) for i, _ in total.terms if i >= width]
    full = [part for i, o in counted for part in (Linear(((i, 1),), ">=", o.high), Linear(((i, 1),), "<=", o.low))]
    return (Obligation("again", Not(And((ended, total)))), Obligation("never", Or(tuple(full))))


def _bounded(query: Query) -> Obligation:
    if query.predicate is not None:
        return Obligation("never", query.predicate)
    return Obligation("never", at_least(query.place, query.bound + 1)) if query.place >= 0 else Obligation("bounded")


def _says_some(formula: Formula) -> bool:
    return any(isinstance(one, Some) for one in parts(normal(formula)))


def _positive(predicate: Predicate) -> Predicate:
    """The same without a negation before a comparison."""
    match predicate:
        case Not(of):
            return opposite(of)
        case And(of) | Or(of):
            return type(predicate)(tuple(map(_positive, of)))
    return predicate


def _of_runs(compiled: Compiled, query: Query) -> tuple[Obligation, ...] | str:
    """What a formula about runs asks; that all of them show a predicate all the time is asked of the states."""
    formula, fairness = query.formula, query.fairness or "edges"
    if formula is None or not (is_ctl if query.check == "ctl" else is_ltl)(formula):
        return NOT_SAID
    if compiled.split and fairness in ("weak", "strong"):
        return NOT_SAID
    if query.given is not None:
        formula = once(query.given, formula)
        formula = Every(formula) if query.check == "ctl" else formula
    match normal(formula if query.check == "ctl" else Every(formula)):
        case Every(Release(Disj(()), of)):
            bad = predicate_of(normal(of, negated=True))
            width = len(compiled.net.places)
            brief = {width + n for n, o in enumerate(compiled.observers) if o.momentary}
            if bad is not None and (query.check == "ctl" or not brief & support(bad)[0]):
                return (Obligation("never", _positive(bad)),)
    guarded = bool(compiled.assumptions.free_guards)
    kind: Literal["ctl", "ltl"] = "ctl" if query.check == "ctl" else "ltl"
    return (Obligation(kind, formula=formula, fairness=fairness, guarded=guarded),)


def _obligations(compiled: Compiled, query: Query) -> tuple[Obligation, ...] | str:
    ended = bool(compiled.final.ends) or compiled.final.quiet
    deliveries = compiled.roles.deliveries
    match query.check:
        case "safe":
            return (_safe(compiled),)
        case "bounded":
            return (_bounded(query),)
        case "deadlock_free":
            return (Obligation("never", _stuck(compiled)),)
        case "no_dead_step":
            return _dead_steps(compiled)
        case "quasi_live":
            return tuple(_can_fire(some) for some in _wanted(compiled, query))
        case "live":
            return tuple(Obligation("again", _fires(some)) for some in _wanted(compiled, query))
        case "reversible" | "home" | "generalised_sound":
            if query.predicate is None and query.check == "generalised_sound":
                return NOT_SAID
            return (Obligation("again", _exactly(compiled.initial) if query.predicate is None else query.predicate),)
        case "never" | "anomaly_A1" | "no_orphan" | "no_dual_write" | "anomaly_A20":
            return NOT_SAID if query.predicate is None else (Obligation("never", query.predicate),)
        case "ctl" | "ltl":
            return _of_runs(compiled, query)
        case "possible":
            return NOT_SAID if query.predicate is None else (Obligation("some", query.predicate),)
        case "no_event_loop":
            return (Obligation("rounds"),) if goes_round(compiled.roles) else ()
        case "handled_once":
            return (Obligation("never", Or(tuple(at_least(p) for d in deliveries for p in d.double))),)
        case "all_consumed" | "anomaly_A22":
            return (Obligation("again", _handled(compiled)),) if deliveries else NOT_SAID
        case "no_dead_handler":
            return tuple(_can_fire(tuple(d.takes)) for d in deliveries if d.handler) or NOT_SAID
        case _ if not ended:
            return _NO_END
        case "conserved":
            return _conserved(compiled, query)
        case "option_to_complete":
            return (Obligation("again", final(compiled)),)
        case "proper_completion":
            return () if compiled.final.any_sink else (Obligation("never", compiled.final.early(compiled.initial)),)
        case "sound" | "weak_sound":
            return _sound(compiled, weak=query.check == "weak_sound")
        case "livelock_free":
            return (Obligation("again", Or((final(compiled), Dead(faults(compiled))))),)
        case "easy_sound":
            return (Obligation("some", final(compiled)),)
        case "relaxed_sound":
            return tuple(Obligation("some", final(compiled), frozenset(step)) for step in _steps(compiled))
    return NOT_SAID
