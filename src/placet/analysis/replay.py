"""Every violation is shown again, claim and all, on the unreduced net, by code that no engine and no reduction shares.

Traces are fired by the rule of `net/firing.py`, written out for long ones. Claims about all that is reachable (a goal out of reach, a step that never happens)
get a small search of their own over sparse markings, up to a limit; past it, what could not be checked is named.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from placet.errors import EvidenceError
from placet.evidence import (
    Cycles,
    Fails,
    Grows,
    Lasso,
    Never,
    NeverHolds,
    NoReturn,
    Pump,
    Reach,
    Reaches,
    RunBreaks,
    Strands,
)
from placet.logic.state import And, Dead, Fireable, Linear, Not, Or, Predicate, compare, evaluate, support
from placet.net.firing import enabled
from placet.net.roles import Kind
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from placet.compiled import Compiled
    from placet.evidence import Certificate, State, Trace, Violated
    from placet.net.core import Net
    from placet.net.observer import Observer

LIMIT = 100_000  # states of the search for claims about all that is reachable
_OFTEN = 256  # states between two looks at the clock
_NEVER = float("inf")
_CELLS = 20_000_000  # states times places of that search: what bounds its memory


class Replayed(NamedTuple):
    """The witness shows the claim; `partly` names what was too large to be checked again."""

    partly: tuple[str, ...] = ()


def replay(compiled: Compiled, violated: Violated, limit: int = LIMIT, until: float = _NEVER) -> Replayed:
    """Check that the witness shows the claim on the net as it was compiled; searches end at that time, on the monotonic clock.

    Raises EvidenceError where it does not, or where the witness is of a kind that cannot show such a claim. O(trace *
    places), and for claims about all that is reachable O(edges), at most `limit` states.
    """
    claim, witness = violated.claim, violated.witness
    if isinstance(claim, Reaches) and isinstance(witness, Reach):
        return _reaches(compiled, claim, witness)
    if isinstance(claim, Strands) and isinstance(witness, NoReturn):
        end = run(compiled, compiled.start, witness.trace)
        return _out_of_reach(compiled, end, claim.goal, limit, until, without=_faults(compiled))
    if isinstance(claim, NeverHolds) and isinstance(witness, Never):
        return _never(compiled, claim, witness.certificate, limit, until)
    if isinstance(claim, Grows) and isinstance(witness, Pump):
        return _grows(compiled, claim, witness)
    if isinstance(claim, Cycles) and isinstance(witness, Lasso):
        return _cycles(compiled, claim, witness, limit, until)
    if isinstance(claim, RunBreaks | Fails):
        from placet.analysis.replay_formulas import replay_formula

        return Replayed(replay_formula(compiled, claim, witness, limit, until))
    raise EvidenceError(f"a witness `{type(witness).__name__}` cannot show a claim `{type(claim).__name__}`")


def run(compiled: Compiled, state: State, trace: Sequence[int]) -> State:
    """The state after a firing sequence, by the firing rule; only what a firing touches is looked at.

    Raises EvidenceError at the first transition that is not enabled. O(places + arcs of the trace).
    """
    net, after = compiled.net, list(state)
    count = len(net.places)
    capacity = dict(net.capacity)
    crowded = any(state[p] > most for p, most in net.capacity)  # then every transition must mend it
    watching: dict[int, list[tuple[int, Observer]]] = {}
    for i, o in enumerate(compiled.observers, count):
        for t in {t for t, _ in o.deltas}:
            watching.setdefault(t, []).append((i, o))
    for number, t in enumerate(trace, 1):
        if not 0 <= t < len(net.transitions) or not _marked(net, after, t):
            raise EvidenceError(f"step {number} of the counterexample, transition {t}, is not enabled")
        for p, w in net.pre[t]:
            after[p] -= w
        for p in net.reset[t]:
            after[p] = 0
        for p, w in net.post[t]:
            after[p] += w
        touched = capacity if crowded else [p for p, _ in net.post[t] if p in capacity] if capacity else ()
        if any(after[p] > capacity[p] for p in touched):
            raise EvidenceError(
                f"step {number} of the counterexample, transition {t}, fills a place beyond its capacity"
            )
        for i, o in watching.get(t, ()):
            after[i] = o.step(after[i], t)
    return tuple(after)


def _marked(net: Net, marking: Sequence[int], t: int) -> bool:
    return (
        all(marking[p] >= w for p, w in net.pre[t])
        and all(marking[p] >= w for p, w in net.read[t])
        and all(marking[p] < w for p, w in net.inhibit[t])
    )


def _holds(compiled: Compiled, predicate: Predicate, state: State) -> bool:
    count = len(compiled.net.places)
    return evaluate(predicate, state, lambda: enabled(compiled.net, state[:count]))


def _faults(compiled: Compiled) -> frozenset[int]:
    return frozenset(t for t, role in enumerate(compiled.roles.transitions) if role.kind is Kind.FAULT)


def _reaches(compiled: Compiled, claim: Reaches, witness: Reach) -> Replayed:
    if not _holds(compiled, claim.predicate, run(compiled, compiled.start, witness.trace)):
        raise EvidenceError("the counterexample does not end in a state of the kind that it should show")
    return Replayed()


def _grows(compiled: Compiled, claim: Grows, witness: Pump) -> Replayed:
    """The loop can be repeated: nothing has become less, and what its transitions test for absence is as before."""
    net, loop = compiled.net, witness.loop
    before = run(compiled, compiled.start, witness.trace)
    after = run(compiled, before, loop)
    count = len(net.places)
    if not 0 <= claim.place < count or after[claim.place] <= before[claim.place]:
        raise EvidenceError("the loop does not add to the place that should grow")
    if any(after[p] < before[p] for p in range(count)):
        raise EvidenceError("the loop takes more than it gives back")
    if any(claim.place in net.reset[t] for t in loop):
        raise EvidenceError("the loop empties the place that should grow")
    held = {p for t in loop for p, _ in net.inhibit[t]} | _filled(net, before, loop)
    if any(after[p] != before[p] for p in held):
        raise EvidenceError("the loop changes a place that must not fill up for it to go on")
    return Replayed()


def _filled(net: Net, before: State, loop: Trace) -> set[int]:
    """The places whose capacity a transition of the loop may meet: it adds to them, and does not empty them first."""
    limited = {p for p, _ in net.capacity}
    if any(before[p] > most for p, most in net.capacity):
        return limited  # there every transition looks
    found: set[int] = set()
    for t in set(loop) if limited else ():
        taken = dict(net.pre[t])
        found.update(p for p, w in net.post[t] if p in limited and w > taken.get(p, 0) and p not in net.reset[t])
    return found


def _cycles(compiled: Compiled, claim: Cycles, witness: Lasso, limit: int, until: float) -> Replayed:
    if not witness.loop:
        raise EvidenceError("the loop is empty")
    start = state = run(compiled, compiled.start, witness.trace)
    # an end may fill up in the loop of a net whose final markings are any sinks: what is claimed does not ask how far
    opposite = compiled.final.any_sink and repr(claim.throughout) == repr(Not(claim.escape or claim.throughout))
    idle = _inert(compiled) if opposite else frozenset()
    for t in witness.loop:
        if not _holds(compiled, claim.throughout, state):
            raise EvidenceError("what should hold throughout the loop does not")
        state = run(compiled, state, (t,))
    if any(a != b for i, (a, b) in enumerate(zip(start, state, strict=True)) if i not in idle):
        raise EvidenceError("the loop does not lead back to where it began")
    if claim.escape is None:
        return Replayed()
    return _out_of_reach(compiled, start, claim.escape, limit, until, without=_faults(compiled))


def _never(compiled: Compiled, claim: NeverHolds, certificate: Certificate, limit: int, until: float) -> Replayed:
    if certificate.kind == "closed set":
        return _out_of_reach(compiled, compiled.start, claim.predicate, limit, until, after=frozenset(claim.after))
    if certificate.kind == "empty siphon" and not claim.after:
        return _starved(compiled, claim.predicate, frozenset(certificate.places))
    if certificate.kind == "closed upwards" and not claim.after:
        from placet.analysis.replay_upwards import check_upwards

        check_upwards(compiled, claim.predicate, certificate.least)
        return Replayed()
    raise EvidenceError(f"a certificate of kind `{certificate.kind}` cannot show the claim")


def _starved(compiled: Compiled, predicate: Predicate, siphon: frozenset[int]) -> Replayed:
    """An unmarked siphon stays unmarked, so that what takes from it never fires: by definition."""
    net = compiled.net
    takes = [any(p in siphon for p, _ in (*net.pre[t], *net.read[t])) for t in range(len(net.transitions))]
    if any(not 0 <= p < len(net.places) or compiled.initial[p] for p in siphon):
        raise EvidenceError("the siphon is marked at the start")
    if any(p in siphon and not takes[t] for t, arcs in enumerate(net.post) for p, _ in arcs):
        raise EvidenceError("the set of places is no siphon")
    parts = predicate.of if isinstance(predicate, Or) else (predicate,)
    if not all(isinstance(part, Fireable) and takes[part.transition] for part in parts):
        raise EvidenceError("the siphon does not keep these steps from happening")
    return Replayed()


# -- a search of its own ---------------------------------------------------------------------------------------------

_LATCH = -1  # the index under which a state remembers that one of the marked transitions has fired


def _out_of_reach(
    compiled: Compiled,
    start: State,
    goal: Predicate,
    limit: int,
    until: float,
    *,
    without: frozenset[int] = frozenset(),
    after: frozenset[int] = frozenset(),
) -> Replayed:
    """No state with the goal is reachable, without some transitions, or after one of some transitions has fired.

    First with a weaker goal that leaves out what may grow for ever; where that can be reached, exactly.
    """
    idle = _idle(compiled, goal)
    for wanted, aside in ((_relaxed(goal, idle), idle), (goal, idle - _inert(compiled))):
        holds = _compiled(wanted)
        seen = _states(compiled, start, aside, limit=limit, without=without, latch=after)
        for number, (state, fired) in enumerate(seen):
            if fired is None:
                return Replayed(("that the goal is out of reach: too many states",))
            if number % _OFTEN == _OFTEN - 1 and until < _NEVER and monotonic() > until:
                return Replayed(("that the goal is out of reach: it took too long",))
            if (not after or _LATCH in state) and holds(state, fired):
                break
        else:
            return Replayed()
    raise EvidenceError("a state that should be out of reach can be reached")


def _inert(compiled: Compiled) -> frozenset[int]:
    """Ends of which any count may be final and on which nothing depends; only where any sink is final."""
    if not compiled.final.any_sink:
        return frozenset()
    net = compiled.net
    used = {p for side in (net.pre, net.read, net.inhibit) for arcs in side for p, _ in arcs}
    used.update(p for emptied in net.reset for p in emptied)
    used.update(p for p, _ in net.capacity)
    return frozenset(compiled.final.ends) - used


def _idle(compiled: Compiled, predicate: Predicate) -> frozenset[int]:
    """Indices that a search for the predicate may leave out: inert ends, observers that it does not ask for."""
    asked = support(predicate)[0]
    count = len(compiled.net.places)
    watching = frozenset(i for i in range(count, count + len(compiled.observers)) if i not in asked)
    return _inert(compiled) | watching


def _relaxed(predicate: Predicate, idle: frozenset[int]) -> Predicate:
    """A weaker predicate without the idle indices: what is asked of them positively is taken as true."""
    if not support(predicate)[0] & idle:
        return predicate
    if isinstance(predicate, Linear):
        return And(())
    if isinstance(predicate, And):
        return And(tuple(_relaxed(p, idle) for p in predicate.of))
    if isinstance(predicate, Or):
        return Or(tuple(_relaxed(p, idle) for p in predicate.of))
    return And(())


def _compiled(predicate: Predicate) -> Callable[[dict[int, int], Sequence[int]], bool]:
    """The predicate over sparse states; the second argument is the enabled transitions."""
    match predicate:
        case Linear(terms, op, bound):
            weights: dict[int, int] = {}
            for i, c in terms:
                weights[i] = weights.get(i, 0) + c
            return lambda s, _: compare(sum(weights[i] * n for i, n in s.items() if i in weights), op, bound)
        case Fireable(transition):
            return lambda _, fired: transition in fired
        case Dead(ignoring):
            return lambda _, fired: ignoring.issuperset(fired)
        case Not(of):
            inner = _compiled(of)
            return lambda s, fired: not inner(s, fired)
        case And(parts):
            every = [_compiled(p) for p in parts]
            return lambda s, fired: all(f(s, fired) for f in every)
        case Or(parts):
            some = [_compiled(p) for p in parts]
            return lambda s, fired: any(f(s, fired) for f in some)


class _Moves:
    """Firing over sparse states {index: value}; transitions are found by one place that each of them needs.

    `key` codes a state as one number: its values at a distance that no run of `limit` firings can fill, so that equal
    keys are equal states and a firing is an addition.
    """

    def __init__(self, compiled: Compiled, start: State, idle: frozenset[int], limit: int) -> None:
        net = self._net = compiled.net
        self._capacity = dict(net.capacity)
        self._idle = idle
        self._always: list[int] = []
        self._by_place: dict[int, list[int]] = {}
        for t in range(len(net.transitions)):
            needed = (*net.pre[t], *net.read[t])
            (self._by_place.setdefault(needed[0][0], []) if needed else self._always).append(t)
        self._watching: dict[int, list[tuple[int, Observer]]] = {}
        for i, o in enumerate(compiled.observers, len(net.places)):
            if i not in idle:
                for t in {t for t, _ in o.deltas}:
                    self._watching.setdefault(t, []).append((i, o))
        heaviest = max((w for side in (net.pre, net.post) for arcs in side for _, w in arcs), default=1)
        self._bits = max(heaviest, *start, 127).bit_length() + (limit + 1).bit_length() + 2
        self._delta: dict[int, int] = {}

    def _effect(self, t: int) -> int:
        total = 0
        for sign, side in ((1, self._net.post[t]), (-1, self._net.pre[t])):
            for p, w in side:
                if p not in self._idle:
                    total += sign * w << self._bits * p
        self._delta[t] = total
        return total

    def key(self, state: dict[int, int]) -> int:
        """The number of a state."""
        return sum(value << self._bits * i for i, value in state.items())

    def key_after(self, state: dict[int, int], key: int, t: int) -> int:
        """The number of the state after an enabled transition has fired."""
        delta = self._delta.get(t)
        key += self._effect(t) if delta is None else delta
        if self._net.reset[t]:
            taken = dict(self._net.pre[t])
            for p in self._net.reset[t]:
                key -= state.get(p, 0) - taken.get(p, 0) << self._bits * p
        for i, o in self._watching.get(t, ()):
            before = state.get(i, 0)
            key += o.step(before, t) - before << self._bits * i
        return key

    def enabled(self, state: dict[int, int]) -> list[int]:
        """The enabled transitions, in no order."""
        found = [t for t in self._always if self._may(state, t)]
        for i in state:
            found += [t for t in self._by_place.get(i, ()) if self._may(state, t)]
        return found

    def _may(self, state: dict[int, int], t: int) -> bool:
        net, get = self._net, state.get
        for p, w in net.pre[t]:
            if get(p, 0) < w:
                return False
        for p, w in net.read[t]:
            if get(p, 0) < w:
                return False
        for p, w in net.inhibit[t]:
            if get(p, 0) >= w:
                return False
        if self._capacity:
            after = self.fire(state, t)
            return all(after.get(p, 0) <= most for p, most in self._capacity.items())
        return True

    def fire(self, state: dict[int, int], t: int) -> dict[int, int]:
        """The state after a transition whose preset is there has fired."""
        net, moved = self._net, dict(state)
        for p, w in net.pre[t]:
            moved[p] -= w
        for p in net.reset[t]:
            moved.pop(p, None)
        for p, w in net.post[t]:
            if p not in self._idle:
                moved[p] = moved.get(p, 0) + w
        for p, _ in net.pre[t]:
            if not moved.get(p, 1):
                del moved[p]
        for i, o in self._watching.get(t, ()):
            value = o.step(state.get(i, 0), t)
            if value:
                moved[i] = value
            else:
                moved.pop(i, None)
        return moved


def _states(
    compiled: Compiled,
    start: State,
    idle: frozenset[int],
    *,
    limit: int,
    without: frozenset[int] = frozenset(),
    latch: frozenset[int] = frozenset(),
) -> Iterator[tuple[dict[int, int], Sequence[int] | None]]:
    """All states reachable from one, sparse, each with its enabled transitions; past the limit ({}, None), last."""
    limit = min(limit, max(1, _CELLS // len(start))) if start else limit
    moves = _Moves(compiled, start, idle, limit)
    first = {i: n for i, n in enumerate(start) if n and i not in idle}
    seen = {(moves.key(first), False)}
    queue = [(first, moves.key(first))]
    for state, key in queue:
        fired = moves.enabled(state)
        yield state, fired
        past = _LATCH in state
        for t in fired:
            if t in without:
                continue
            after = (moves.key_after(state, key, t), past or t in latch)
            if after not in seen:
                if len(seen) >= limit:
                    yield {}, None
                    return
                seen.add(after)
                moved = moves.fire(state, t)
                if after[1]:
                    moved[_LATCH] = 1
                queue.append((moved, after[0]))
