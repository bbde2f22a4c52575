"""A net of which some firings can be seen: what token replay works on.

A transition with a label is seen, one without fires silently. A net is made fit for that by *splitting*: a transition
that stands for something which takes time becomes one that begins and one that ends, so that a run which shows both is
held against both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.net.final import PlaceClass
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.conform.record import Copies
    from placet.net.core import Arcs, Marking, Net


class Label(NamedTuple):
    """What a log says when this happens. Two are the same only where all of it is."""

    what: str
    name: str = ""
    copies: Copies = ()
    error: str = ""


class Observed(NamedTuple):
    """A net with labels. `stands_for` leads each transition back to that of the compiled net, or to -1."""

    compiled: Compiled
    net: Net
    initial: Marking
    labels: tuple[Label | None, ...]
    stands_for: tuple[int, ...]

    def lift(self, sequence: tuple[int, ...]) -> tuple[int, ...]:
        """The firing sequence of the compiled net that a sequence of this net stands for."""
        return tuple([self.stands_for[t] for t in sequence if self.stands_for[t] >= 0])


class Observer:
    """Makes an `Observed`: begins with the compiled net, all silent, and is told what can be seen."""

    def __init__(self, compiled: Compiled) -> None:
        net = compiled.net
        self.compiled = compiled
        self.places = list(net.places)
        self.initial = list(compiled.initial)
        self.names = list(net.transitions)
        self.pre = [dict(arcs) for arcs in net.pre]
        self.post = [dict(arcs) for arcs in net.post]
        self.read = [dict(arcs) for arcs in net.read]
        self.inhibit = [dict(arcs) for arcs in net.inhibit]
        self.reset = [set(places) for places in net.reset]
        self.labels: list[Label | None] = [None] * len(net.transitions)
        self.stands_for = list(range(len(net.transitions)))

    def place(self, name: str) -> int:
        """A further place, empty."""
        self.places.append(name)
        self.initial.append(0)
        return len(self.places) - 1

    def transition(self, name: str, label: Label | None, stands_for: int = -1) -> int:
        """A further transition, without arcs."""
        self.names.append(name)
        for side in (self.pre, self.post, self.read, self.inhibit):
            side.append({})
        self.reset.append(set())
        self.labels.append(label)
        self.stands_for.append(stands_for)
        return len(self.names) - 1

    def before(self, transition: int, label: Label) -> None:
        """Seen first as `label`, then what it was: a transition is put in front that takes all it took."""
        name = f"{self.names[transition]}:{label.what}"
        begun = self.place(name)
        first = self.transition(name, label)
        self.pre[first], self.pre[transition] = self.pre[transition], {begun: 1}
        self.post[first] = {begun: 1}

    def behind(self, transition: int, label: Label) -> None:
        """What it was, then seen as `label`: a transition is put behind that gives all it gave."""
        name = f"{self.names[transition]}:{label.what}"
        over = self.place(name)
        last = self.transition(name, label)
        self.post[last], self.post[transition] = self.post[transition], {over: 1}
        self.pre[last] = {over: 1}

    def twin(self, transition: int, label: Label) -> int:
        """A second transition that does the same and is seen; the first stays as it is."""
        other = self.transition(f"{self.names[transition]}:{label.what}", label, self.stands_for[transition])
        for side in (self.pre, self.post, self.read, self.inhibit):
            side[other] = dict(side[transition])
        self.reset[other] = set(self.reset[transition])
        return other

    def finals(self) -> None:
        """For every named end a transition `ended` that fires once the run is over there; messages may be on their way."""
        final = self.compiled.final
        count = len(self.compiled.net.places)
        initial = self.compiled.initial
        ends = set(final.ends)
        control = [p for p in range(count) if final.classes[p] is PlaceClass.CONTROL and p not in ends]
        control += range(count, len(self.places))
        held = [p for p in range(count) if final.classes[p] is PlaceClass.RESOURCE and p not in ends]
        for end in (-1,) if final.quiet else final.ends:  # where services only react, a run is over and has no name
            name = "" if final.quiet else self.compiled.net.places[end].rpartition("#end.")[2]
            over = self.transition(f"{name}:over", Label("ended", name))
            self.pre[over] = {} if final.quiet else {end: 1}
            self.inhibit[over] = dict.fromkeys((*control, *(e for e in ends if e != end)), 1)
            for p in held:
                self.inhibit[over][p] = initial[p] + 1
                if initial[p]:
                    self.read[over][p] = initial[p]

    def observed(self) -> Observed:
        """All of it, frozen."""
        net = self.compiled.net._replace(
            places=tuple(self.places),
            transitions=tuple(self.names),
            pre=_arcs(self.pre),
            post=_arcs(self.post),
            read=_arcs(self.read),
            inhibit=_arcs(self.inhibit),
            reset=tuple(tuple(sorted(places)) for places in self.reset),
        )
        return Observed(self.compiled, net, tuple(self.initial), tuple(self.labels), tuple(self.stands_for))


def _arcs(side: list[dict[int, int]]) -> tuple[Arcs, ...]:
    return tuple([tuple(sorted(arcs.items())) for arcs in side])
