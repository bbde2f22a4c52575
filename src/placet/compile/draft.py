"""A net being compiled: its columns and the side tables that grow with it.

It keeps the columns itself instead of going through `NetBuilder`: all arcs of a compiled workflow weigh one and come from
this room, so the checks of the builder would cost half of the compile time of a large model and find nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from placet.compiled import Compiled, Origin, OriginMap
from placet.net.balance import Scales
from placet.net.core import Net
from placet.net.final import Final, PlaceClass
from placet.net.roles import PLAIN, Channel, Fork, Port, Role, Roles, Scope, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.evidence import Assumptions
    from placet.net.balance import Balance
    from placet.net.core import Arcs
    from placet.net.roles import Delivery, Published
    from placet.source import Span

CONTROL = PlaceClass.CONTROL
CHANNEL = PlaceClass.CHANNEL
RECORD = PlaceClass.RECORD

_new = tuple.__new__  # a named tuple's own constructor is twice as slow, and there is one call for every element

LIMIT = 1_000_000  # places and transitions; beyond it no engine could do anything with the net
LETTERS = 200_000_000  # of all ids: thousands of calls within each other have ids that long


class Guards(Protocol):
    """What holds calls back from a service, as far as a draft knows it."""

    def balances(self) -> list[Balance]:
        """Sums of tokens that every transition has to keep."""


class TooLargeError(Exception):
    """The net outgrew LIMIT; never leaves this room."""


class Draft:
    """Places and transitions by id, each with its origin, class or role; arcs weigh one."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self.names: list[str] = []
        self.letters = 0
        self.units: list[tuple[int, int]] = []  # by place: the arc of weight 1, one object for all transitions
        self.initial: list[int] = []
        self.classes: list[PlaceClass] = []
        self.place_origins: list[Origin] = []
        self.transitions: dict[str, int] = {}
        self.pre: list[Arcs] = []
        self.post: list[Arcs] = []
        self.inhibit: dict[int, Arcs] = {}
        self.transition_origins: list[Origin] = []
        self.roles: list[Role] = []
        self.quiet: set[int] = set()
        self.demanded: set[int] = set()  # how handlers begin that the language asks for
        self.steps: dict[str, list[int]] = {}
        self.channels: list[Channel] = []
        self.forks: list[Fork] = []
        self.saga_steps: list[Step] = []
        self.saga_scopes: list[Scope] = []
        self.guards: dict[str, Guards] = {}  # by service, what holds calls back from it
        self.common: list[int] = []
        self.trusted: list[str] = []  # what services are taken to do, beside their guarantees
        self.ports: dict[tuple[int, tuple[int, ...]], Port] = {}
        self.deliveries: list[Delivery] = []
        self.published: list[Published] = []
        self.writes: list[tuple[str, str]] = []

    def place(
        self,
        identifier: str,
        origin: str,
        phrase: str,
        span: Span | None,
        actor: str,
        kind: PlaceClass = CONTROL,
        tokens: int = 0,
        service: str = "",
    ) -> int:
        """Add a place; gives its index."""
        places = self.places
        index = len(places)
        if places.setdefault(identifier, index) != index:
            identifier = _unused(identifier, places)
            places[identifier] = index
        self.names.append(identifier)
        self.letters += len(identifier)
        if self.letters > LETTERS:
            raise TooLargeError
        self.initial.append(tokens)
        self.classes.append(kind)
        self.place_origins.append(_new(Origin, (origin, phrase, span, service, actor, None)))
        self.units.append((index, 1))
        return index

    def transition(
        self,
        identifier: str,
        pre: Sequence[int],
        post: Sequence[int],
        origin: str,
        phrase: str,
        span: Span | None,
        actor: str,
        role: Role = PLAIN,
        service: str = "",
    ) -> int:
        """Add a transition; gives its index. A place in both `pre` and `post` is only tested."""
        transitions = self.transitions
        index = len(transitions)
        if index + len(self.places) > LIMIT:
            raise TooLargeError
        if transitions.setdefault(identifier, index) != index:
            identifier = _unused(identifier, transitions)
            transitions[identifier] = index
        units = self.units
        self.pre.append((units[pre[0]],) if len(pre) == 1 else _arcs(pre, units))
        self.post.append((units[post[0]],) if len(post) == 1 else _arcs(post, units))
        self.transition_origins.append(_new(Origin, (origin, phrase, span, service, actor, None)))
        self.roles.append(role)
        return index

    def counts_ways(self, identifier: str, transition: int) -> None:
        """The move is one by which a parallel counts its ways, or stops those that are not needed any more."""
        self.roles[transition] = self.roles[transition]._replace(ways=identifier)

    def step(self, identifier: str, transition: int) -> None:
        """One more transition by which something the user wrote may happen."""
        found = self.steps.get(identifier)
        if found is None:
            self.steps[identifier] = [transition]
        else:
            found.append(transition)

    def compiled(
        self,
        subject: str,
        kind: str,
        ends: tuple[int, ...],
        assumptions: Assumptions,
        *,
        any_sink: bool = False,
        quiet: bool = False,
    ) -> Compiled:
        """All of it, frozen."""
        balances: tuple[Balance, ...] = ()
        if self.guards:
            balances = tuple([balance for guard in self.guards.values() for balance in guard.balances()])
            scales = Scales(balances)
            for t in range(len(self.pre)):
                self.pre[t], self.post[t] = scales.even(self.pre[t], self.post[t])
        count = len(self.transitions)
        none: tuple[Arcs, ...] = ((),) * count
        inhibit = none
        if self.inhibit:
            columns = list(none)
            for t, arcs in self.inhibit.items():
                columns[t] = arcs
            inhibit = tuple(columns)
        net = Net(
            tuple(self.places), tuple(self.transitions), tuple(self.pre), tuple(self.post), none, inhibit, ((),) * count, (), subject
        )  # fmt: skip
        return Compiled(
            subject=subject,
            kind=kind,
            net=net,
            initial=tuple(self.initial),
            final=Final(ends, tuple(self.classes), any_sink, quiet),
            roles=Roles(
                tuple(self.roles),
                tuple(self.channels),
                tuple(self.saga_steps),
                tuple(self.ports.values()),
                tuple(self.saga_scopes),
                tuple(self.forks),
                deliveries=tuple(self.deliveries),
                published=tuple(self.published),
                writes=tuple(self.writes),
                common=tuple(self.common),
                balances=balances,
            ),
            origin=OriginMap(tuple(self.place_origins), tuple(self.transition_origins)),
            assumptions=assumptions,
            quiet=frozenset(self.quiet),
            demanded=frozenset(self.demanded),
            steps=tuple((name, tuple(found)) for name, found in self.steps.items()),
        )


def _arcs(places: Sequence[int], units: list[tuple[int, int]]) -> Arcs:
    many = len(places)
    if many == 2:
        a, b = places
        if a != b:
            return (units[a], units[b]) if a < b else (units[b], units[a])
    elif many == 3:
        a, b, c = sorted(places)
        if a < b < c:
            return units[a], units[b], units[c]
    distinct = set(places)
    if len(distinct) == many:
        return tuple([units[p] for p in sorted(places)])
    return tuple([(p, places.count(p)) for p in sorted(distinct)])


def _unused(identifier: str, taken: dict[str, int]) -> str:
    """Ids of the IR are unique; should an importer repeat one, the net still gets built."""
    number = 2
    while f"{identifier}~{number}" in taken:
        number += 1
    return f"{identifier}~{number}"
