"""Runs that show that something can happen: the shortest there are, with the faults that are allowed for or with more of them."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from placet.certificate.meaning import MORE
from placet.errors import EvidenceError
from placet.evidence import Budget, Lasso, Reach, Tree
from placet.logic.state import And, Fireable, Linear, Or, evaluate
from placet.net.firing import enabled, fire_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.certificate.meaning import Obligation, Question
    from placet.compiled import Compiled
    from placet.engines.diagrams.diagram import Diagram
    from placet.evidence import Pump, State, Trace
    from placet.logic.state import Predicate
    from placet.net.core import Net
    from placet.net.observer import Observer

STATES = 200_000  # of each search with more faults
ENTRIES, SECONDS = 2_000_000, 5.0  # for each run that is made by a diagram
_ROUNDS = 1000  # of a loop that fills a place, to show that it gets above a bound


def first_runs(
    compiled: Compiled, predicates: tuple[Predicate, ...], through: frozenset[int], states: int
) -> list[Trace | None]:
    """By predicate the shortest run to where it holds, in which one of the transitions fires where there are some."""
    from placet.engines.chosen import engine
    from placet.engines.protocol import Needs, Visitor
    from placet.net.observer import Observer

    observers = compiled.observers
    if through:
        latch = Observer("#through", "it was done", tuple((t, 1) for t in sorted(through)))
        done = Linear(((len(compiled.start), 1),), ">=", 1)
        observers, predicates = (*observers, latch), tuple(And((done, p)) for p in predicates)
    visitors = tuple(Visitor(p, Needs.FIRST) for p in predicates)
    found = engine(None).explore(compiled.net, compiled.initial, observers, visitors, Budget(states))
    return [found.trace(i) if i >= 0 else None for i in found.found]


def by_diagram(diagram: Diagram, compiled: Compiled, obligation: Obligation) -> Trace | None:
    """A run as `first_runs` looks for, of any length, by the diagram of all states; None where there is none, or it is too long."""
    from placet.engines.diagrams.forest import LimitError

    diagram.allow(ENTRIES, monotonic() + SECONDS)
    try:
        goal = diagram.where(obligation.predicate)
        if not goal:
            return None
        if not obligation.through:
            return diagram.route(compiled.start, goal)[0]
        good = diagram.leading_to(goal)
        for t in sorted(obligation.through):
            before = diagram.where(Fireable(t))
            way, state = diagram.route(compiled.start, before) if before else ((), ())
            then = fire_state(compiled.net, compiled.observers, state, t) if before else None
            if then is not None and diagram.has(good, then):
                return (*way, t, *diagram.route(then, goal)[0])
    except (LimitError, MemoryError):
        return None
    return None


def with_more_faults(asked: Question, steps: tuple[str, ...]) -> dict[str, tuple[int, Trace]]:
    """By step that happens with more faults: how many more (0: as many, of every kind), and a run to where it can."""
    found: dict[str, tuple[int, Trace]] = {}
    for more in range(MORE + 1 if asked.more is not None else 0):
        left = [step for step in steps if step not in found]
        net = asked.more(more, every=not more) if left and asked.more is not None else None
        if net is None:
            continue
        firing = dict(net.steps)
        left = [step for step in left if firing.get(step)]
        goals = tuple(Or(tuple(Fireable(t) for t in firing[step])) for step in left)
        traces = first_runs(net._replace(observers=()), goals, frozenset(), STATES) if left else []
        found.update({s: (more, trace) for s, trace in zip(left, traces, strict=True) if trace is not None})
    return found


def after(compiled: Compiled, trace: Sequence[int]) -> State:
    """The state after a run. Raises EvidenceError where it cannot be fired."""
    state: State | None = compiled.start
    for t in trace:
        state = fire_state(compiled.net, compiled.observers, state or (), t)
        if state is None:
            raise EvidenceError("a counterexample cannot be fired")
    return state or ()


def has(compiled: Compiled, obligation: Obligation, state: State) -> bool:
    """Whether a state has the predicate of an obligation."""
    return evaluate(obligation.predicate, state, lambda: enabled(compiled.net, state[: len(compiled.net.places)]))


def until(compiled: Compiled, witness: Reach | Pump | Tree | Lasso, obligation: Obligation) -> Trace | None:
    """The run, with as many rounds of its loop as it takes, to where the predicate holds; None where it never does."""
    if isinstance(witness, Tree):
        witness = Reach(witness.root.trace)
    trace = witness.trace
    if isinstance(witness, Lasso):
        whole = trace + witness.loop
        return next(
            (whole[:n] for n in range(len(whole)) if has(compiled, obligation, after(compiled, whole[:n]))), None
        )
    for _ in range(_ROUNDS):
        if has(compiled, obligation, after(compiled, trace)):
            return trace
        if isinstance(witness, Reach):
            return None
        trace += witness.loop
    return None


def without(compiled: Compiled, aside: frozenset[int]) -> tuple[Net, tuple[Observer, ...]]:
    """The net without some transitions, and the observers that go with it."""
    net = compiled.net
    if not aside:
        return net, compiled.observers
    kept = [t for t in range(len(net.transitions)) if t not in aside]
    numbers = {t: n for n, t in enumerate(kept)}

    def of(column: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(column[t] for t in kept)

    smaller = net._replace(
        transitions=of(net.transitions), pre=of(net.pre), post=of(net.post), read=of(net.read),
        inhibit=of(net.inhibit), reset=of(net.reset),
    )  # fmt: skip
    return smaller, tuple(
        o._replace(deltas=tuple((numbers[t], d) for t, d in o.deltas if t in numbers)) for o in compiled.observers
    )
