"""What a formula about runs asks of a pass, and what may be done to the net before: which reductions, and whether a diagram will do.

The reasons are in `reduction.reduce` (runs, fairness) and `temporal.drawn`. A formula speaks of the counts of the places that it names: these stay,
and so do, for a step that it asks whether it is possible, the places by which that is known. Faults stay apart, as runs may not lean on them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from placet.analysis.passes import Asks
from placet.engines.protocol import Needs
from placet.errors import UsageError
from placet.evidence import Inconclusive
from placet.logic.state import TRUE, And, Dead, Not, Or, support
from placet.logic.temporal import (
    Atom,
    Conj,
    Disj,
    Every,
    Neg,
    Release,
    Until,
    atoms,
    normal,
    once,
    without_next,
)

if TYPE_CHECKING:
    from placet.analysis.subject import Subject
    from placet.analysis.temporal.fair import Fairness
    from placet.analysis.temporal.symbolic import Recurring
    from placet.compiled import Query
    from placet.logic.state import Predicate
    from placet.logic.temporal import Formula


def asked(query: Query) -> Formula:
    """The formula; over variables that begin with any value, from the moment on at which they have one."""
    formula = query.formula
    if formula is None:
        raise UsageError(f"the check `{query.check}` needs a formula")
    if query.given is None:
        return formula
    waiting = once(query.given, formula)
    return Every(waiting) if query.check == "ctl" else waiting


def asks(subject: Subject, query: Query, fairness: Fairness, *, linear: bool) -> Asks | Inconclusive:
    """The predicates of the formula, with all edges, and what they need of the net."""
    if subject.compiled.split and fairness in ("weak", "strong"):
        return Inconclusive("with priorities, runs are looked at as `fair` or with `nothing` assumed", "theory")
    formula = asked(query)
    predicates = atoms(formula) or [TRUE]
    if query.premise is not None:
        predicates.append(query.premise[0])
    net = subject.net
    count = len(net.places)
    looked: set[int] = set()
    steps: set[int] = set()
    for predicate in predicates:
        places, transitions = support(predicate)
        looked.update(p for p in places if p < count)
        steps |= transitions
    capped = {p for p, _ in net.capacity}
    for t in steps:
        for side in (net.pre[t], net.read[t], net.inhibit[t]):
            looked.update(p for p, _ in side)
        looked.update(p for p, _ in net.post[t] if p in capped)
    brief = {count + i for i, o in enumerate(subject.observers) if o.momentary}
    drawn = not linear or not any(brief & support(p)[0] for p in predicates)
    return Asks(
        tuple((p, Needs.EDGES) for p in predicates),
        places=frozenset(looked),
        transitions=subject.faults.union(steps, *(_ignored(p) for p in predicates)),
        bounded=frozenset(range(count)),  # a finite graph of the reduced net is to mean a finite one of the net
        kit=_kit(formula, predicates, fairness, linear=linear),
        alone=True,
        drawn=drawn,
    )


def _kit(formula: Formula, predicates: list[Predicate], fairness: Fairness, *, linear: bool) -> str:
    if fairness in ("weak", "strong"):
        return "named"
    if not without_next(formula) or any(_asks_dead(p) for p in predicates):
        return "graph"
    return "linear" if linear and fairness == "nothing" else "branching"


def _asks_dead(predicate: Predicate) -> bool:
    if isinstance(predicate, Not):
        return _asks_dead(predicate.of)
    if isinstance(predicate, (And, Or)):
        return any(_asks_dead(p) for p in predicate.of)
    return isinstance(predicate, Dead)


def _ignored(predicate: Predicate) -> frozenset[int]:
    """The transitions that "nothing can happen" leaves out of account."""
    if isinstance(predicate, Not):
        return _ignored(predicate.of)
    if isinstance(predicate, (And, Or)):
        return frozenset().union(*(_ignored(p) for p in predicate.of))
    return predicate.ignoring if isinstance(predicate, Dead) else frozenset()


def as_branching(subject: Subject, formula: Formula, fairness: Fairness) -> Formula | None:
    """The formula of CTL, in negation normal form, that is true where a formula of LTL is true of all fair runs; or None.

    What `symbolic.branching` says of all runs is true of the fair ones too: a run is fair if what is left of it is, and what
    has been done by then can be followed by any fair run. Where nothing "has just happened" in a run that is over, the two differ.
    """
    if not without_next(formula):
        return None
    count = len(subject.net.places)
    momentary = {count + i for i, o in enumerate(subject.observers) if o.momentary}
    if any(momentary & support(p)[0] for p in atoms(formula)):
        return None
    from placet.analysis.temporal.symbolic import branching

    recurring: Recurring = "never"  # on all runs, fair or not, it is another thing
    if fairness == "edges" and not subject.compiled.assumptions.free_guards:
        recurring = "again" if subject.faults else "all"
    found = branching(Every(formula), recurring)
    return None if found is None else normal(_apart(found, frozenset(atoms(formula))))


def _apart(formula: Formula, known: frozenset[Predicate]) -> Formula:
    """The same formula with no other predicates than these, where `branching` has joined them."""
    match formula:
        case Atom(predicate):
            return _of_known(predicate, known)
        case Conj(of) | Disj(of):
            return type(formula)(tuple(_apart(f, known) for f in of))
        case Until(left, right) | Release(left, right):
            return type(formula)(_apart(left, known), _apart(right, known))
    return replace(formula, of=_apart(formula.of, known))


def _of_known(predicate: Predicate, known: frozenset[Predicate]) -> Formula:
    if predicate in known or not isinstance(predicate, (Not, And, Or)):
        return Atom(predicate)
    if isinstance(predicate, Not):
        return Neg(_of_known(predicate.of, known))
    return (Conj if isinstance(predicate, And) else Disj)(tuple(_of_known(p, known) for p in predicate.of))
