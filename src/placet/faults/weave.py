"""Weaving faults into a net: a budget place, and transitions that take from it and spoil messages.

Only roles and channels are looked at, so native and imported models are woven by the same code, and the net that comes
out does not depend on observers or queries. Places and transitions are appended: indices of the net that went in keep
their meaning (of observers, which follow the places in a state, they shift; queries are rewritten).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from placet.compiled import Compiled, Origin, OriginMap
from placet.faults.hypothesis import DEFAULT, LEVELS, Hypothesis, checked, level
from placet.logic.state import And, Linear, Not, Or
from placet.net.final import PlaceClass
from placet.net.roles import Channel, Kind, Role

if TYPE_CHECKING:
    from placet.evidence import Assumptions, Trace
    from placet.logic.state import Predicate
    from placet.net.core import Arcs

__all__ = ["DEFAULT", "LEVELS", "Hypothesis", "Woven", "level", "weave"]

FOR_EVER = "what is retried for ever is answered in the end"
UNKNOWN = "unknown"


class Woven(NamedTuple):
    """A net with faults, and what tells them from what was there before."""

    compiled: Compiled
    places: int  # of the net before: the indices below stand for the same places
    transitions: int
    budget: int  # the place of faults still to be spent; -1 where none are woven
    causes: tuple[int, ...]  # transitions that take from it
    consequences: tuple[int, ...]  # faults that a permanent cause brings for free

    def back(self, trace: Trace) -> Trace:
        """The part of a trace that the net before could show too: its own transitions."""
        return tuple(t for t in trace if t < self.transitions)


def weave(compiled: Compiled, hypothesis: Hypothesis) -> Woven:
    """The net with the faults of a hypothesis. Linear in channels. Raises UsageError for a hypothesis without sense."""
    hypothesis = checked(hypothesis)
    places, transitions = len(compiled.net.places), len(compiled.net.transitions)
    if not hypothesis.faults or not hypothesis.budget or not compiled.roles.channels:
        assumptions = _assume(compiled, hypothesis, compiled.assumptions)
        return Woven(compiled._replace(assumptions=assumptions), places, transitions, -1, (), ())
    loom = _Loom(compiled, hypothesis)
    for channel in compiled.roles.channels:
        loom.channel(channel)
    return Woven(loom.compiled(), places, transitions, loom.budget, tuple(loom.causes), tuple(loom.consequences))


def _assume(compiled: Compiled, hypothesis: Hypothesis, assumptions: Assumptions) -> Assumptions:
    guarantees = assumptions.guarantees
    if compiled.roles.channels and hypothesis.faults and hypothesis.budget:
        if any(c.again for c in compiled.roles.channels):
            guarantees = (*guarantees, FOR_EVER)
        if hypothesis.modes == "transient":
            guarantees = (*guarantees, "faults are transient")
    return assumptions._replace(faults=hypothesis.faults, fault_budget=hypothesis.budget, guarantees=guarantees)


class _Loom:
    """The columns that are appended."""

    def __init__(self, compiled: Compiled, hypothesis: Hypothesis) -> None:
        self.base = compiled
        self.hypothesis = hypothesis
        self.faults = frozenset(hypothesis.faults)
        net = compiled.net
        self.first_place = len(net.places)
        self.first_transition = len(net.transitions)
        self.places: list[str] = []
        self.place_origins: list[Origin] = []
        self.tokens: list[int] = []
        self.names: list[str] = []
        self.pre: list[Arcs] = []
        self.post: list[Arcs] = []
        self.origins: list[Origin] = []
        self.roles: list[Role] = []
        self.causes: list[int] = []
        self.consequences: list[int] = []
        self.copies: dict[int, list[int]] = {}  # transition -> its faulty copies, for observers
        self.modes: dict[tuple[str, str, str, int], int] = {}
        self.applies: dict[tuple[str, int], list[int]] = {}
        for t, role in enumerate(compiled.roles.transitions):
            if role.kind is Kind.APPLY and role.direction == "forward":
                self.applies.setdefault((role.step, role.attempt), []).append(t)
        self.last: dict[tuple[str, str], int] = {}
        for c in compiled.roles.channels:
            key = (c.step, c.direction)
            self.last[key] = max(c.attempt, self.last.get(key, 0))
        self.undo_names = {s.id: s.undo for s in compiled.roles.steps}
        origin = Origin(compiled.subject, "faults that may still happen", None, "", compiled.subject)
        self.budget = self.place(f"{compiled.subject}#faults", origin, hypothesis.budget)

    def place(self, name: str, origin: Origin, tokens: int = 0) -> int:
        self.places.append(name)
        self.place_origins.append(origin)
        self.tokens.append(tokens)
        return self.first_place + len(self.places) - 1

    def transition(self, name: str, pre: Arcs, post: Arcs, origin: Origin, role: Role) -> int:
        self.names.append(name)
        self.pre.append(_sum(pre))
        self.post.append(_sum(post))
        self.origins.append(origin)
        self.roles.append(role)
        return self.first_transition + len(self.names) - 1

    # -- which faults a message can meet

    def channel(self, channel: Channel) -> None:
        """All faults of one channel."""
        forward, request = channel.direction == "forward", channel.part == "request"
        message = self._message(channel)
        if request:
            refusal = "reject" if forward else "undo-fail"
            if refusal in self.faults:
                for name, place in channel.errors:
                    words = self._refuses(channel, name)
                    key = f"{refusal}.{name}" if name else refusal
                    self._fault(channel, refusal, key, name, ((place, 1),), words)
            if forward and "partial" in self.faults:
                self._partial(channel)
        due: Arcs = ((channel.due, 1),) if channel.due >= 0 else ()
        if forward and "lost" in self.faults:
            self._fault(channel, "lost", "lost", UNKNOWN, due, f"{message} is lost")
        slow = "slow" if forward else "undo-slow"
        if slow in self.faults and due:
            self._fault(channel, slow, slow, UNKNOWN, ((channel.place, 1), *due), f"{message} is slow")

    def _fault(self, channel: Channel, fault: str, key: str, outcome: str, post: Arcs, words: str) -> None:
        """One cause, and where a later attempt can fail alike the permanent one and what it brings."""
        modes = self.hypothesis.modes
        message = ((channel.place, 1),)
        name = f"{self.base.net.places[channel.place]}:{key}"
        repeated = outcome in channel.again
        follows = not repeated and channel.attempt < self.last[channel.step, channel.direction]
        origin = self.base.origin.places[channel.place]
        role = Role(Kind.FAULT, channel.step, channel.direction, channel.attempt, origin.service, fault)
        spent = (*message, (self.budget, 1))
        if modes != "permanent" or not follows:
            made = self.transition(name, spent, post, origin._replace(phrase=words), role)
            self.causes.append(made)
        if modes == "transient":
            return
        mode = f"{key}.{channel.part}"
        if follows:
            after = self._mode(channel, mode, channel.attempt + 1)
            lasting = origin._replace(phrase=f"{words}, and so will be the next attempts")
            self.causes.append(self.transition(f"{name}:lasting", spent, (*post, (after, 1)), lasting, role))
        if channel.attempt > 1 and not repeated:
            before = self._mode(channel, mode, channel.attempt)
            after_arcs: Arcs = ((self._mode(channel, mode, channel.attempt + 1), 1),) if follows else ()
            still = origin._replace(phrase=f"{words} again")
            pre = (*message, (before, 1))
            self.consequences.append(self.transition(f"{name}:still", pre, (*post, *after_arcs), still, role))

    def _mode(self, channel: Channel, mode: str, attempt: int) -> int:
        """The place that lets this attempt fail for free, once: a loop of free faults would never end."""
        key = (channel.step, channel.direction, mode, attempt)
        place = self.modes.get(key)
        if place is None:
            prefix = "" if channel.direction == "forward" else "undo."
            identifier = f"{channel.step}#{prefix}{mode}:lasting[{attempt}]"
            origin = self.base.origin.places[channel.place]._replace(phrase=f"the fault of {self._name(channel)} lasts")
            place = self.modes[key] = self.place(identifier, origin)
        return place

    def _partial(self, channel: Channel) -> None:
        """Applied with effect, answered with an error: a copy of each transition that applies the request."""
        net, base = self.base.net, self.base
        for t in self.applies.get((channel.step, channel.attempt), ()):
            origin = base.origin.transitions[t]
            for name, place in channel.errors:
                label = f"partial.{name}" if name else "partial"
                words = f"{origin.phrase}, but the answer is an error" + (f": {name}" if name else "")
                post = tuple((place, w) if p == channel.answered else (p, w) for p, w in net.post[t])
                made = self.transition(
                    f"{net.transitions[t]}:{label}",
                    (*net.pre[t], (self.budget, 1)),
                    post,
                    origin._replace(phrase=words),
                    base.roles.transitions[t]._replace(kind=Kind.FAULT, fault="partial"),
                )
                self.causes.append(made)
                self.copies.setdefault(t, []).append(made)

    # -- words

    def _name(self, channel: Channel) -> str:
        if channel.direction == "undo":
            return f"`{self.undo_names.get(channel.step) or 'its undo'}`"
        identifier = self.base.origin.places[channel.place].id
        return f"`{identifier.rsplit('/', 1)[-1].split('~')[0]}`"

    def _message(self, channel: Channel) -> str:
        return f"the {'request for' if channel.part == 'request' else 'reply of'} {self._name(channel)}"

    def _refuses(self, channel: Channel, error: str) -> str:
        service = self.base.origin.places[channel.place].service
        who = f"`{service}`" if service else "its service"
        if channel.direction == "undo":
            return f"{who} fails to carry out {self._name(channel)}"
        return f"{who} refuses {self._name(channel)}" + (f": {error}" if error else "")

    # -- the whole

    def compiled(self) -> Compiled:
        """Everything with the new columns behind the old ones."""
        base, net = self.base, self.base.net
        none: tuple[Arcs, ...] = ((),) * len(self.names)
        woven = net._replace(
            places=(*net.places, *self.places),
            transitions=(*net.transitions, *self.names),
            pre=(*net.pre, *self.pre),
            post=(*net.post, *self.post),
            read=(*net.read, *none),
            inhibit=(*net.inhibit, *none),
            reset=(*net.reset, *(((),) * len(self.names))),
        )
        added = len(self.places)
        made = range(self.first_transition, self.first_transition + len(self.names))
        observers = tuple(
            o._replace(
                deltas=tuple(sorted([*o.deltas, *((c, d) for t, d in o.deltas for c in self.copies.get(t, ()))]))
            )
            for o in base.observers
        )
        atoms = _shifter(self.first_place, added)
        queries = tuple(
            q._replace(
                predicate=None if q.predicate is None else atoms(q.predicate),
                atoms=tuple((atoms(p), text) for p, text in q.atoms),
            )
            for q in base.queries
        )
        return base._replace(
            net=woven,
            initial=(*base.initial, *self.tokens),
            final=base.final._replace(classes=(*base.final.classes, *((PlaceClass.BUDGET,) * added))),
            roles=base.roles._replace(transitions=(*base.roles.transitions, *self.roles)),
            origin=OriginMap((*base.origin.places, *self.place_origins), (*base.origin.transitions, *self.origins)),
            observers=observers,
            queries=queries,
            assumptions=_assume(base, self.hypothesis, base.assumptions),
            quiet=base.quiet.union(made),
        )


def _sum(arcs: Arcs) -> Arcs:
    total: dict[int, int] = {}
    for p, w in arcs:
        total[p] = total.get(p, 0) + w
    return tuple(sorted(total.items()))


class _shifter:  # noqa: N801 - called as a function
    """Rewrites the indices of observers in a predicate, which follow the places: predicates nest as formulas do."""

    def __init__(self, places: int, added: int) -> None:
        self.places = places
        self.added = added

    def __call__(self, predicate: Predicate) -> Predicate:
        match predicate:
            case Linear(terms, op, bound):
                places, added = self.places, self.added
                return Linear(tuple((i if i < places else i + added, c) for i, c in terms), op, bound)
            case Not(of):
                return Not(self(of))
            case And(parts):
                return And(tuple(self(p) for p in parts))
            case Or(parts):
                return Or(tuple(self(p) for p in parts))
        return predicate
