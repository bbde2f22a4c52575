"""Dead steps: what the user wrote and no run ever does; quasi-liveness, the same for single transitions.

An initially unmarked siphon shows a dead transition without any search, and names the input that never arrives.

The language asks for a handler of every end of a saga, also of one that does not come about: under the faults that are
allowed for, or ever. Steps that only such a handler leads to are left aside, and the verdict says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.passes import Asks, Pass
from placet.analysis.siphons import empty_siphon, smaller
from placet.engines.protocol import Needs
from placet.evidence import Certificate, Holds, Inconclusive, Never, NeverHolds, Proof, Verdict, Violated
from placet.logic.state import FALSE, Fireable, Or

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placet.analysis.subject import Subject
    from placet.compiled import Query
    from placet.net.core import Net


def steps_of(subject: Subject) -> tuple[tuple[int, ...], ...]:
    """For each step the transitions of which one must be able to fire; without steps, each transition for itself."""
    compiled = subject.compiled
    if compiled.steps:
        return tuple(transitions for _, transitions in compiled.steps if transitions)
    return tuple((t,) for t in _expected(subject))


def behind(subject: Subject, dead: frozenset[int]) -> frozenset[int]:
    """What only these transitions lead to, themselves included, where tokens are never used up. O(arcs)."""
    if not dead:
        return dead
    net = subject.compiled.net
    marked = [p for p, count in enumerate(subject.compiled.initial) if count]
    without = _fireable(net, marked, dead)
    given = (p for t in dead for p, _ in net.post[t])
    return (_fireable(net, {*marked, *given}, dead) - without) | dead


def _fireable(net: Net, marked: Iterable[int], never: frozenset[int]) -> frozenset[int]:
    """What can fire, but for `never`, where tokens are never used up and nothing is held up by them."""
    takers: dict[int, list[int]] = {}
    missing: list[int] = []
    for t, arcs in enumerate(net.pre):
        inputs = {p for p, _ in (*arcs, *net.read[t])}
        missing.append(len(inputs))
        for p in inputs:
            takers.setdefault(p, []).append(t)
    fresh = list(marked)
    seen = set(fresh)
    ready = [t for t, count in enumerate(missing) if not count]
    fired: set[int] = set()
    while fresh or ready:
        if fresh:
            for t in takers.get(fresh.pop(), ()):
                missing[t] -= 1
                if not missing[t]:
                    ready.append(t)
            continue
        t = ready.pop()
        if t not in never:
            fired.add(t)
            more = {p for p, _ in net.post[t]} - seen
            seen |= more
            fresh.extend(more)
    return frozenset(fired)


def _expected(subject: Subject) -> list[int]:
    aside = subject.compiled.quiet | subject.faults
    return [t for t in range(len(subject.net.transitions)) if t not in aside]


def left_aside(subject: Subject, dead: frozenset[int]) -> str:
    """What a proof says of handlers that never begin."""
    origins = subject.compiled.origin.transitions
    first = next(origins[t].phrase for t in sorted(dead))
    more = f" (and {len(dead) - 1} more)" if len(dead) > 1 else ""
    return f"it never happens that {first}{more}, so what only that leads to is not asked for"


class NoDeadStep:
    """Each step, or for `quasi_live` each transition or the one that is named, can happen in some run."""

    existential = True
    cuts_sinks = True

    def __init__(self, *, single: bool) -> None:
        self._single = single

    def asks(self, subject: Subject, query: Query) -> Asks | Inconclusive:
        """All states: which transitions fire is always counted."""
        return Asks(((FALSE, Needs.STATES),))

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by all dead steps together; the claim is that none of their transitions is ever enabled."""
        wanted = self._wanted(subject, query)
        alive = seen.alive()
        missing = [step for step in wanted if alive.isdisjoint(step)]
        if not missing:
            return Holds(seen.proof("each was seen to happen"))
        siphon = empty_siphon(subject.compiled.net, subject.compiled.initial)
        unheard = subject.compiled.demanded - alive
        if not seen.all_alive_known:
            unheard = frozenset(t for t in unheard if self._input(subject, t, siphon) >= 0)
        aside = frozenset() if self._single else behind(subject, unheard)
        missing = [step for step in missing if not aside.issuperset(step)]
        if not missing:
            return Holds(seen.proof("each was seen to happen"), note=left_aside(subject, unheard))
        starved = [step for step in missing if all(self._input(subject, t, siphon) >= 0 for t in step)]
        if starved:
            step = starved[0]
            place = self._input(subject, step[0], siphon)
            places = smaller(subject.compiled.net, siphon, place)
            rest = siphon if len(step) > 1 or len(starved) > 1 else frozenset(places)
            certificate = Certificate("empty siphon", (*places, *sorted(rest - frozenset(places))))
            proof = Proof("structure", argument="an input that never arrives")
        if starved and (len(starved) == len(missing) or not seen.all_alive_known):
            return self._violated(starved, certificate, proof)
        if seen.all_alive_known:
            return self._violated(missing, Certificate("closed set", states=seen.seen.states), seen.proof())
        return None

    def _wanted(self, subject: Subject, query: Query) -> tuple[tuple[int, ...], ...]:
        if not self._single:
            return steps_of(subject)
        compiled = subject.compiled
        return (compiled.same(query.transition),) if query.transition >= 0 else compiled.apart(_expected(subject))

    @staticmethod
    def _input(subject: Subject, transition: int, siphon: frozenset[int]) -> int:
        net = subject.compiled.net
        inputs = (*net.pre[transition], *net.read[transition])
        return next((p for p, _ in inputs if p in siphon), -1)

    @staticmethod
    def _violated(dead: list[tuple[int, ...]], certificate: Certificate, proof: Proof) -> Violated:
        transitions = tuple(t for step in dead for t in step)
        claim = NeverHolds(Or(tuple(Fireable(t) for t in transitions)))
        return Violated(claim, Never(certificate), proof, culprits=transitions)


NO_DEAD_STEP = NoDeadStep(single=False)
QUASI_LIVE = NoDeadStep(single=True)
