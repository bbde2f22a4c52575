"""What a check looks at: a compiled net with its final markings, and the same net with its sinks cut off.

With "any sink" as final markings the sinks only count what has arrived, perhaps without bound. Nothing takes from a
sink or tests it, so the arcs into it can be left out: the rest of the net behaves the same, transition by transition.
Whether some end is marked, the only question about sinks, is kept by an observer where it is a question at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.replay import run
from placet.logic.state import And, Linear, Or, Predicate, at_least, support
from placet.net.observer import Observer
from placet.net.roles import Kind
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.evidence import Trace
    from placet.net.core import Net
    from placet.net.final import PlaceClass


class Exceeds(NamedTuple):
    """Some of these places holds more than `most` tokens: a goal that reductions keep without keeping the places."""

    places: frozenset[int]
    most: int

    def predicate(self) -> Predicate:
        """The same as a state predicate."""
        return Or(tuple(at_least(p, self.most + 1) for p in sorted(self.places)))


class Subject(NamedTuple):
    """What is explored for a group of queries."""

    compiled: Compiled
    net: Net  # that of `compiled`, perhaps with its sinks cut off; transitions have the same numbers
    observers: tuple[Observer, ...]  # those of `compiled`, then perhaps one more
    final: Predicate  # the final markings, to claim things about
    goal: Predicate  # the same for `net`, to search for
    cut: frozenset[int]  # sinks that nothing leads to any more
    faults: frozenset[int]  # transitions that never rescue a run

    @property
    def has_final(self) -> bool:
        """Whether there are final markings at all."""
        return bool(self.compiled.final.ends) or self.compiled.final.quiet

    def places(self, *kinds: PlaceClass) -> frozenset[int]:
        """The places of these classes that are not cut off."""
        classes = self.compiled.final.classes
        return frozenset(p for p, kind in enumerate(classes) if kind in kinds and p not in self.cut)

    def end_state(self, trace: Trace) -> tuple[int, ...]:
        """The state of the uncut net after a firing sequence. Raises EvidenceError where it cannot be fired."""
        return run(self.compiled, self.compiled.start, trace)


def whole(compiled: Compiled) -> Subject:
    """The net as it is."""
    final = compiled.final.predicate(compiled.initial)
    return Subject(
        compiled,
        compiled.net,
        compiled.observers,
        final,
        final,
        frozenset(),
        fault_transitions(compiled),
    )


def fault_transitions(compiled: Compiled) -> frozenset[int]:
    """The transitions that are faults: runs may show them, but nothing may rely on them."""
    return frozenset(t for t, role in enumerate(compiled.roles.transitions) if role.kind is Kind.FAULT)


def sinks(compiled: Compiled) -> frozenset[int]:
    """The ends that no transition takes from, tests, empties or is held up by."""
    net = compiled.net
    touched = {p for side in (net.pre, net.read, net.inhibit) for arcs in side for p, _ in arcs}
    touched.update(p for emptied in net.reset for p in emptied)
    touched.update(p for p, _ in net.capacity)
    return frozenset(compiled.final.ends) - touched


def without_sinks(compiled: Compiled) -> Subject:
    """The net with the arcs into its sinks left out; the same as `whole` where the final markings count the ends."""
    cut = sinks(compiled) if compiled.final.any_sink else frozenset()
    if not cut or cut != frozenset(compiled.final.ends):
        return whole(compiled)
    net = compiled.net
    post = tuple(tuple((p, w) for p, w in arcs if p not in cut) for arcs in net.post)
    count = len(net.places)
    everything = whole(compiled)
    final = everything.final
    parts = final.of if isinstance(final, And) else (final,)
    rest = [part for part in parts if not _asks(part, cut)]
    watch: tuple[Observer, ...] = ()
    # a token never vanishes where every transition puts one somewhere, so "all else is empty" leaves it on a sink
    if not (all(net.post) and any(compiled.initial) and _counts_all(compiled)):
        arrivals = tuple((t, 1) for t, arcs in enumerate(net.post) if any(p in cut for p, _ in arcs))
        started = int(any(compiled.initial[p] for p in cut))
        watch = (Observer("#arrived", "some end has been reached", arrivals, 0, 1, started),)
        rest.append(Linear(((count + len(compiled.observers), 1),), ">=", 1))
    return everything._replace(
        net=net._replace(post=post), observers=(*compiled.observers, *watch), goal=And(tuple(rest)), cut=cut
    )


def _asks(predicate: Predicate, places: frozenset[int]) -> bool:
    return bool(support(predicate)[0] & places)


def _counts_all(compiled: Compiled) -> bool:
    """Whether a final marking leaves every place but the ends empty: no resources, records or budgets, no resets."""
    classes = compiled.final.classes
    plain = all(kind.value in ("control", "channel") for kind in classes)
    return plain and not any(compiled.net.reset)


def mentions(predicate: Predicate | None, places: frozenset[int]) -> bool:
    """Whether the predicate asks for one of the places."""
    return predicate is not None and _asks(predicate, places)
