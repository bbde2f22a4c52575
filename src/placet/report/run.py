"""A witness walked through on the unreduced net: what each step changes, and what the situation at its end looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.evidence import Lasso, NoReturn, Pump
from placet.net.final import PlaceClass
from placet.net.roles import Kind
from placet.report.report import Step
from placet.report.words import clean, quoted, short
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from placet.compiled import Compiled, Query
    from placet.evidence import State, Trace, Violated
    from placet.net.core import Net
    from placet.net.roles import Step as RoleStep

RETURNS = ("live", "home", "reversible", "possible")  # checks whose goal is no end
_EXPLORED = 300  # situations looked at to say how it goes on; more would only lengthen the list
_LOOKS = 300_000  # transitions looked at for it: a story may not cost more than the verdict

Change = tuple[int, int]  # (state index, difference)


class Run(NamedTuple):
    """A violation with its run.

    `fired` is the trace; behind it stands one round of the loop where there is one, or, where no end can be reached any
    more, the shortest way on to where nothing can happen at all, if that is near. `turned` is the last step of the trace.
    """

    compiled: Compiled
    query: Query
    violated: Violated
    fired: Trace
    loop: int | None  # where the loop begins in `fired`
    steps: tuple[Step, ...]
    last: State  # after `fired`
    middle: State  # after the trace
    turned: int | None

    @property
    def width(self) -> int:
        """How many of the numbers of a state are places."""
        return len(self.compiled.net.places)

    def number(self, index: int) -> int:
        """The number, from 1, by which the telling knows a step; a hidden step has the number of the one before it."""
        return max(1, sum(1 for step in self.steps[: index + 1] if step.shown))


def make_run(compiled: Compiled, query: Query, violated: Violated, told: tuple[Trace, Trace] | None = None) -> Run:
    """Walk the witness, or what is `told` of it, a run and its loop. O(arcs of the transitions fired)."""
    witness = violated.witness
    trace: Trace = getattr(witness, "trace", ())
    loop: Trace = witness.loop if isinstance(witness, Lasso | Pump) else ()
    if told is not None:
        trace, loop = told
    fired = trace + loop
    if isinstance(witness, NoReturn) and query.check not in RETURNS:
        *_, (_, state, _) = (0, list(compiled.start), []), *walk(compiled, trace)
        fired += onwards(compiled, tuple(state))[0]
    steps: list[Step] = []
    last = middle = compiled.start
    names = compiled.net.places + tuple(o.id for o in compiled.observers)
    for n, (transition, state, changes) in enumerate(walk(compiled, fired)):
        steps.append(_step(compiled, transition, tuple((names[i], by) for i, by in changes)))
        if n == len(trace) - 1:
            middle = tuple(state)
        if n == len(fired) - 1:
            last = tuple(state)
    start = len(trace) if loop else None
    turned = len(trace) - 1 if trace and not loop else None
    return Run(compiled, query, violated, fired, start, tuple(steps), last, middle, turned)


def onwards(compiled: Compiled, state: State) -> tuple[Trace, tuple[int, ...]]:
    """The shortest way from a situation to where nothing can happen any more, and all that can happen on the way.

    The way is empty where there is none near. Looks at a few hundred situations at most.
    """
    most = max(1, min(_EXPLORED, _LOOKS // max(1, len(compiled.net.transitions))))
    ways: dict[State, Trace] = {state: ()}
    told: dict[int, None] = {}
    for situation in (queue := [state]):
        possible = going_on(compiled, situation)
        if not possible:
            return ways[situation], tuple(told)
        for t in possible:
            told[t] = None
            _, after, _ = next(walk(compiled, (t,), situation))
            if len(ways) < most and tuple(after) not in ways:
                ways[tuple(after)] = (*ways[situation], t)
                queue.append(tuple(after))
    return (), tuple(told)


def going_on(compiled: Compiled, state: Sequence[int]) -> list[int]:
    """The enabled transitions that are no faults: a fault never rescues a run."""
    roles = compiled.roles.transitions
    return [
        t
        for t in range(len(compiled.net.transitions))
        if roles[t].kind is not Kind.FAULT and can_fire(compiled.net, state, t)
    ]


def events_never(compiled: Compiled) -> frozenset[int]:
    """The events from outside, where nothing arrives from there."""
    if compiled.assumptions.environment != "closed":
        return frozenset()
    return frozenset(t for t, role in enumerate(compiled.roles.transitions) if role.kind is Kind.EVENT)


def walk(compiled: Compiled, fired: Trace, start: State | None = None) -> Iterator[tuple[int, list[int], list[Change]]]:
    """For each transition: itself, the state after it (one list, changed in place), and what it changed."""
    net, width = compiled.net, len(compiled.net.places)
    state = list(compiled.start if start is None else start)
    watching: dict[int, list[int]] = {}
    for o, observer in enumerate(compiled.observers):
        for t, _ in observer.deltas:
            watching.setdefault(t, []).append(o)
    for t in fired:
        touched = {p for p, _ in net.pre[t]} | {p for p, _ in net.post[t]} | set(net.reset[t])
        before = {p: state[p] for p in touched}
        for p, w in net.pre[t]:
            state[p] -= w
        for p in net.reset[t]:
            state[p] = 0
        for p, w in net.post[t]:
            state[p] += w
        changes = [(p, state[p] - before[p]) for p in sorted(touched) if state[p] != before[p]]
        for o in watching.get(t, ()):
            value = compiled.observers[o].step(state[width + o], t)
            if value != state[width + o]:
                changes.append((width + o, value - state[width + o]))
                state[width + o] = value
        yield t, state, changes


def can_fire(net: Net, state: Sequence[int], transition: int) -> bool:
    """Whether the transition is enabled. O(its arcs, and the capacities)."""
    if any(state[p] < w for p, w in net.pre[transition]) or any(state[p] < w for p, w in net.read[transition]):
        return False
    if any(state[p] >= w for p, w in net.inhibit[transition]):
        return False
    if not net.capacity:
        return True
    after = {p: state[p] for p, _ in net.capacity}
    for arcs, sign in ((net.pre[transition], -1), (net.post[transition], 1)):
        if sign > 0:
            after |= {p: 0 for p in net.reset[transition] if p in after}
        for p, w in arcs:
            if p in after:
                after[p] += sign * w
    return all(after[p] <= most for p, most in net.capacity)


def still_open(compiled: Compiled, state: Sequence[int]) -> list[int]:
    """The places, ends apart, that say that something is under way: control and channels."""
    ends = frozenset(compiled.final.ends)
    classes = compiled.final.classes
    busy = (PlaceClass.CONTROL, PlaceClass.CHANNEL)
    return [
        p for p in range(len(compiled.net.places)) if state[p] and p not in ends and (not classes or classes[p] in busy)
    ]


def not_given_back(compiled: Compiled, state: Sequence[int]) -> list[int]:
    """The resources of which there are more or fewer than in the beginning."""
    classes = compiled.final.classes
    return [p for p, kind in enumerate(classes) if kind is PlaceClass.RESOURCE and state[p] != compiled.initial[p]]


def marked_ends(compiled: Compiled, state: Sequence[int]) -> list[int]:
    """The ends that are reached."""
    return [p for p in compiled.final.ends if state[p]]


def lasting_effects(run: Run) -> list[tuple[str, int]]:
    """The saga steps whose net effect is not zero at the end of the run, as (quoted name, effect)."""
    effects = [(quoted(short(step.id)), effect_of(run, step)) for step in run.compiled.roles.steps]
    return [(name, effect) for name, effect in effects if effect]


def effect_of(run: Run, step: RoleStep) -> int:
    """The net effect of a saga step at the end of the run: how often it was applied and not undone."""
    index = run.width + step.effect
    return run.last[index] if step.effect >= 0 and index < len(run.last) else 0


def end_name(compiled: Compiled, place: int) -> str:
    """The user's name of an end."""
    named = compiled.net.places[place].partition("#end.")[2]
    return quoted(named or short(compiled.origin.places[place].id or compiled.net.places[place]))


def transition_name(compiled: Compiled, transition: int) -> str:
    """What the user calls a transition, in backticks: in a plain net its own name, else the last name of its path."""
    origin = compiled.origin.transitions[transition]
    phrase = clean(origin.phrase)
    role = compiled.roles.transitions[transition]
    if role.direction == "undo":
        undo = next((s.undo for s in compiled.roles.steps if s.id == role.step), "")
        return quoted(undo or short(role.step))
    if compiled.kind != "net":
        return quoted(short(origin.id or compiled.net.transitions[transition]))
    named = phrase.startswith("`") and phrase.endswith("` happens")
    return phrase.removesuffix(" happens") if named else quoted(origin.id or compiled.net.transitions[transition])


def phrase_of(run: Run, place: int) -> str:
    """What it means that something is at that place, in the user's words."""
    phrase = clean(run.compiled.origin.places[place].phrase) or quoted(run.compiled.net.places[place])
    # in a plain net the name alone says where something is
    return phrase.removesuffix(" holds a token").removeprefix("a token is on ")


def _step(compiled: Compiled, transition: int, delta: tuple[tuple[str, int], ...]) -> Step:
    origin = compiled.origin.transitions[transition]
    role = compiled.roles.transitions[transition]
    return Step(
        origin.id or compiled.net.transitions[transition],
        origin.phrase or compiled.net.transitions[transition],
        origin.service,
        role.kind.value,
        origin.span,
        role.fault,
        delta,
        tells(compiled, transition),
        compiled.net.transitions[transition],
    )


def tells(compiled: Compiled, transition: int) -> bool:
    """Whether a step says something to its reader: in a plain net all do, elsewhere bookkeeping does not."""
    kind = compiled.roles.transitions[transition].kind
    if compiled.kind == "net" or kind not in (Kind.ROUTE, Kind.ABSORB):
        return True
    part = compiled.net.transitions[transition].rpartition("#")[2].partition("[")[0]
    told = bool(compiled.origin.transitions[transition].phrase)
    return told and kind is Kind.ROUTE and transition not in compiled.quiet and part not in ("enter", "join")
