"""Conservation: once all has come to rest, no money was made and none was lost.

The compiler counts for each step how often it moved its amount, applies minus undos, and gives the sum over all accounts
as the predicate `sum != 0`. It is violated where a run gets to a situation from which on, without further faults, exactly
one end is always reached and the sum is never 0 again. Where no further step can be applied or undone that is a settled
situation (requests still in flight that would change something keep it from being one); the other case, steps applied and
undone for ever, all of them out of balance, counts as well.

A sum that an invariant of the net shows to be 0 whenever an end is reached needs no search.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from placet.analysis.components import hopeless
from placet.analysis.passes import Asks, Pass
from placet.engines.protocol import Needs
from placet.errors import UsageError
from placet.evidence import Holds, Inconclusive, NoReturn, Proof, Strands, Verdict, Violated
from placet.logic.state import And, Linear, Not, Or
from placet.net.final import PlaceClass
from placet.net.roles import Kind

if TYPE_CHECKING:
    from placet.analysis.subject import Subject
    from placet.compiled import Query

NO_END = Inconclusive("the model has no end, so that it never comes to rest", "theory")
# Where the token of a one-token set is likely to go on, first things first: the coordinator, its messages, what is remembered.
_FOLLOWED = (
    PlaceClass.CONTROL,
    PlaceClass.CHANNEL,
    PlaceClass.RESOURCE,
    PlaceClass.RECORD,
    PlaceClass.BUDGET,
)
MOST_PLACES = 1_000  # of nets whose invariants are looked for
UNCOUNTED = Inconclusive("a step is done over and over, too often for its amounts to be counted", "theory")


class Conserved:
    """When all has come to rest the amounts that were given are those that were taken."""

    existential = False
    cuts_sinks = False

    def asks(self, subject: Subject, query: Query) -> Asks | Holds | Inconclusive:
        """Whether the sum can be, and stay, other than 0 at an end; nothing where an invariant tells."""
        if not subject.has_final:
            return NO_END
        total = _total(query)
        if not total.terms:
            return Holds(Proof("invariants", argument="every step gives as much as it takes"))
        return Asks(
            (
                (_balanced(subject, query), Needs.EDGES),
                (_uncounted(subject, query), Needs.FIRST),
                (_ended(subject), Needs.STATES if _guards(subject) else Needs.FIRST),
            ),
            places=frozenset(subject.compiled.final.ends),
            transitions=subject.faults | _changing(subject),
        )

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """Violated by the first settled situation with a sum other than 0, in breadth-first order."""
        goal = _balanced(subject, query)
        doomed = seen.doomed(goal)
        state = _first_settled(subject, seen, doomed)
        if state >= 0:
            trace = seen.trace(state)
            return Violated(Strands(goal), NoReturn(trace, seen.closed(state)), seen.proof())
        if not seen.complete:
            return _by_invariants(subject, query, seen)
        if seen.first(_uncounted(subject, query)) >= 0:
            return UNCOUNTED._replace(proof=seen.proof())
        if _guards(subject) and _decides_late(subject, seen):
            names = ", ".join(f"`{guard}`" for guard in _guards(subject))
            reason = f"it holds if these conditions over data can go either way at any time: {names}"
            return Inconclusive(reason, "theory", proof=seen.proof())
        vacuous = "no run ever ends" if seen.first(_ended(subject)) < 0 else ""
        proof = seen.proof("whenever all has come to rest, as much was given as was taken")
        return Holds(proof, vacuous=vacuous)


def _by_invariants(subject: Subject, query: Query, seen: Pass) -> Holds | None:
    """A proof without having seen everything, where weights on places show the sum to be 0 at each end."""
    width, ends = len(subject.net.places), subject.compiled.final.ends
    change: dict[int, int] = {}
    for index, by in _total(query).terms:
        if index < width:
            return None
        for t, delta in subject.observers[index - width].deltas:
            change[t] = change.get(t, 0) + by * delta
    net, initial, faults = subject.net, subject.compiled.initial, subject.faults
    order = [_FOLLOWED.index(kind) for kind in subject.compiled.final.classes]
    if seen.reduced is not None:  # ends are visible in it, and what is counted is observed: the question is the same
        net, initial, names = seen.reduced.net, seen.reduced.initial, seen.reduced.transitions
        place = {p: i for i, p in enumerate(seen.reduced.places)}
        ends = tuple([place[p] for p in ends])
        order = [order[p] for p in seen.reduced.places]
        change = {i: change[t] for i, t in enumerate(names) if t in change}
        faults = frozenset(i for i, t in enumerate(names) if t in faults)
    if len(net.places) > MOST_PLACES:
        return None
    from placet.analysis.balance import Counted, balanced_at_ends

    if not balanced_at_ends(Counted(net, initial, ends, change, faults, order), seen.seen.fired):
        return None
    return Holds(
        Proof("invariants", argument="at each end as much was given as was taken, whatever the order of things")
    )


def _total(query: Query) -> Linear:
    if not isinstance(query.predicate, Linear):
        raise UsageError(f"the check `{query.check}` needs a sum of amounts")
    return query.predicate


def _balanced(subject: Subject, query: Query) -> Not:
    """No end is reached yet (or several are), or as much was given as was taken."""
    return Not(And((_ended(subject), _total(query))))


def _ended(subject: Subject) -> Linear:
    return Linear(tuple((p, 1) for p in subject.compiled.final.ends), "==", 1)


def _guards(subject: Subject) -> tuple[str, ...]:
    return subject.compiled.assumptions.free_guards


def _decides_late(subject: Subject, seen: Pass) -> bool:
    """Whether anything but messages moves after an end, so that balance may wait for a condition that never holds."""
    roles, rows, ended = subject.compiled.roles.transitions, seen.rows, seen.goal_states(_ended(subject))
    late = {
        rows.labels[e] for i in range(rows.expanded) if ended[i] for e in range(rows.offsets[i], rows.offsets[i + 1])
    }
    if seen.reduced is not None:
        late = set(seen.reduced.recurring(late))
    return any(roles[t].kind is Kind.ROUTE for t in late)


def _uncounted(subject: Subject, query: Query) -> Or:
    """Some step moved its amount so often that its counter stands still."""
    width, observers = len(subject.net.places), subject.observers
    parts: list[Linear] = []
    for index, _ in _total(query).terms:
        if index < width:
            continue
        observer = observers[index - width]
        parts += [Linear(((index, 1),), ">=", observer.high), Linear(((index, 1),), "<=", observer.low)]
    return Or(tuple(parts))


def _changing(subject: Subject) -> frozenset[int]:
    """The transitions by which a participant does or undoes a step."""
    return frozenset(t for t, role in enumerate(subject.compiled.roles.transitions) if role.kind is Kind.APPLY)


def _first_settled(subject: Subject, seen: Pass, doomed: bytearray) -> int:
    """The first doomed state from which on nothing is done or undone any more; else the first doomed one; else -1."""
    first = doomed.find(1)
    if first < 0:
        return -1
    rows, changing = seen.rows, _changing(subject)
    if seen.reduced is not None:
        changing = frozenset(i for i, t in enumerate(seen.reduced.transitions) if t in changing)
    moves = array("b", bytes(rows.states))
    for state in range(rows.expanded):
        labels = rows.labels[rows.offsets[state] : rows.offsets[state + 1]]
        if not changing.isdisjoint(labels):
            moves[state] = 1
    quiet = hopeless(rows, moves)
    return next((state for state in range(first, rows.states) if doomed[state] and quiet[state]), first)


CONSERVED = Conserved()
