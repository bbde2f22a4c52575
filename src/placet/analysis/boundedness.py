"""Boundedness: no place collects tokens for ever; k-boundedness of a place; safeness, one token at most.

A place without bound comes with the run that leads to a loop and the loop that pumps it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.passes import Asks, Pass
from placet.analysis.replay import run
from placet.analysis.subject import Exceeds
from placet.engines.protocol import Needs
from placet.evidence import Grows, Holds, Inconclusive, Proof, Pump, Reach, Reaches, Verdict, Violated
from placet.logic.state import FALSE, support
from placet.net.final import PlaceClass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placet.analysis.invariants import Bounds
    from placet.analysis.subject import Subject
    from placet.compiled import Query
    from placet.evidence import Trace

_ROUNDS = 1000  # of a loop that are written out to show that a bound is exceeded


def over(subject: Subject, seen: Pass, goal: Exceeds) -> Violated | None:
    """The violation that some of the places held more than it may, where the pass saw one."""
    state = seen.first(goal)
    if state >= 0:
        trace = seen.trace(state)
    else:
        grows = _pump(subject, seen, goal.places)
        if grows is None or goal.most > _ROUNDS:
            return None
        trace = _shortened(subject, grows[1], goal)
    end = subject.end_state(trace)
    culprits = tuple(p for p in sorted(goal.places) if end[p] > goal.most)
    return Violated(Reaches(goal.predicate()), Reach(trace), seen.proof(), culprits=culprits)


def _shortened(subject: Subject, pump: Pump, goal: Exceeds) -> Trace:
    """The run into the loop and round it until some place holds too much."""
    trace = list(pump.trace)
    state = subject.end_state(pump.trace)
    while all(state[p] <= goal.most for p in goal.places):
        trace.append(pump.loop[(len(trace) - len(pump.trace)) % len(pump.loop)])
        state = run(subject.compiled, state, trace[-1:])
    return tuple(trace)


def _pump(subject: Subject, seen: Pass, places: frozenset[int]) -> tuple[int, Pump] | None:
    """One of the places and the loop that pumps it, where the pass ended with such a loop."""
    stop = seen.stop
    if stop is None or stop.budget != "unbounded":
        return None
    trace, loop = stop.trace, stop.loop
    if seen.reduced is not None:
        trace, loop = seen.reduced.lift(trace), seen.reduced.expand(loop)
    before, after = subject.end_state(trace), subject.end_state(trace + loop)
    emptied = {p for t in loop for p in subject.net.reset[t]}
    grown = [p for p in sorted(places) if after[p] > before[p] and p not in emptied]
    return (grown[0], Pump(trace, loop)) if grown else None


def pumped(subject: Subject, seen: Pass, places: frozenset[int]) -> Violated | None:
    """The violation that one of the places grows without bound, where the pass ended with a loop that pumps one."""
    found = _pump(subject, seen, places)
    if found is None:
        return None
    place, pump = found
    return Violated(Grows(place), pump, seen.proof(), culprits=(place,))


def by_structure(asks: Asks, bounds: Bounds, numbers: Mapping[int, int], rules: tuple[str, ...] = ()) -> Holds | None:
    """A proof by invariants that no place of the question holds more than it may.

    `bounds` are of a net, perhaps a reduced one, and `numbers` are its places by the number they have in the question; what is gone of `asks.bounded` matters
    no more, since the greatest bound of the others is that of all (see `Reduced.bounds`).
    """
    asked = [goal for goal, _ in asks.goals if isinstance(goal, Exceeds)]
    most = asked[0].most if asked else None
    places = asks.bounded or (asked[0].places if asked else frozenset())
    if not places:
        return None
    wanted = [numbers[p] for p in places if p in numbers]
    if not asks.bounded and len(wanted) < len(places):
        return None
    found = list(bounds.of(wanted, float("inf") if most is None else most).values())
    greatest = max((known for known in found if known is not None), default=0)
    if None in found or (most is not None and greatest > most):
        return None
    argument = f"sums that no step increases leave room for no more than {max(greatest, 1)} at once"
    return Holds(Proof("invariants", reductions=rules, argument=argument))


class Safe:
    """No place of control or message channel ever holds two tokens; sinks aside where any sink is final."""

    existential = False
    cuts_sinks = True

    def asks(self, subject: Subject, query: Query) -> Asks | Inconclusive:
        """A second token anywhere."""
        goal = self.goal(subject)
        return Asks(((goal, Needs.FIRST),), bounded=goal.places)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by the first marking with two tokens on a place."""
        found = over(subject, seen, self.goal(subject))
        if found is None and seen.complete:
            return Holds(seen.proof("nothing was under way twice at once"))
        return found

    @staticmethod
    def goal(subject: Subject) -> Exceeds:
        """A second token on a place for control or messages."""
        places = subject.places(PlaceClass.CONTROL, PlaceClass.CHANNEL)
        final = subject.compiled.final
        return Exceeds(places - frozenset(final.ends) if final.any_sink else places, 1)


class Bounded:
    """The named place never holds more than the bound; without a place, every place has some bound."""

    existential = False
    cuts_sinks = False

    def asks(self, subject: Subject, query: Query) -> Asks | Inconclusive:
        """More than the bound on the place, or all states."""
        places = self._places(subject, query)
        if query.predicate is not None:
            return Asks(((query.predicate, Needs.FIRST),), places=places)
        if query.place < 0:
            return Asks(((FALSE, Needs.STATES),), bounded=places)
        return Asks(((Exceeds(places, query.bound), Needs.FIRST),), places=places)

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by the first marking above the bound, or by a loop that pumps a place."""
        places = self._places(subject, query)
        if query.predicate is not None:
            state = seen.first(query.predicate)
            if state >= 0:
                return Violated(Reaches(query.predicate), Reach(seen.trace(state)), seen.proof())
        if query.place >= 0:
            found = over(subject, seen, Exceeds(places, query.bound))
            if found is not None:
                return found
        found = pumped(subject, seen, places)
        if found is None and seen.complete:
            if query.predicate is not None:
                return Holds(seen.proof(f"never more than {query.bound} waited"))
            return Holds(seen.proof(f"nothing was there more than {max(seen.seen.bounds, default=0)} times at once"))
        return found

    @staticmethod
    def _places(subject: Subject, query: Query) -> frozenset[int]:
        if query.predicate is not None:
            return frozenset(i for i in support(query.predicate)[0] if i < len(subject.net.places))
        return frozenset((query.place,)) if query.place >= 0 else frozenset(range(len(subject.net.places)))


SAFE = Safe()
BOUNDED = Bounded()
