"""The columns that weaving appends to a net: places, transitions, origins, roles; indices of what was there stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compiled import Compiled, Origin, OriginMap
from placet.logic.state import And, Linear, Not, Or
from placet.net.balance import Scales
from placet.net.final import PlaceClass
from placet.net.observer import completed

if TYPE_CHECKING:
    from placet.compiled import Query
    from placet.faults.hypothesis import Hypothesis
    from placet.logic.state import Predicate
    from placet.net.core import Arcs
    from placet.net.roles import Channel, Role


SECOND = "~2"  # in ids of the second run of a saga
SECONDLY = "in the second run "


def first_run(identifier: str) -> str:
    """The id that something of the second run has in the first."""
    return identifier.replace(SECOND, "", 1)


def told(origin: Origin) -> Origin:
    """An origin whose phrase says whether it is of the second run."""
    if SECOND not in origin.actor:
        return origin
    return origin._replace(phrase=SECONDLY + origin.phrase.replace(SECONDLY, ""))


class Loom:
    """A net, and what is appended to it under a hypothesis."""

    def __init__(self, compiled: Compiled, hypothesis: Hypothesis) -> None:
        self.base = compiled
        self.hypothesis = hypothesis
        self.faults = frozenset(hypothesis.faults)
        net = compiled.net
        self.first_place = len(net.places)
        self.first_transition = len(net.transitions)
        self.places: list[str] = []
        self.place_origins: list[Origin] = []
        self.classes: list[PlaceClass] = []
        self.tokens: list[int] = []
        self.channels: list[Channel] = []
        self.names: list[str] = []
        self.pre: list[Arcs] = []
        self.post: list[Arcs] = []
        self.origins: list[Origin] = []
        self.roles: list[Role] = []
        self.causes: list[int] = []
        self.consequences: list[int] = []
        self.copies: dict[int, list[int]] = {}  # transition -> its copies that count alike, for observers
        self.double: dict[int, int] = {}  # number of a delivery -> the place where a second copy is in hand
        self._undo_names = {s.id: s.undo for s in compiled.roles.steps}
        origin = Origin(compiled.subject, "faults that may still happen", None, "", compiled.subject)
        self.budget = self.place(f"{compiled.subject}#faults", origin, tokens=hypothesis.budget)

    def place(self, name: str, origin: Origin, kind: PlaceClass = PlaceClass.BUDGET, tokens: int = 0) -> int:
        """Append a place."""
        self.places.append(name)
        self.place_origins.append(told(origin))
        self.classes.append(kind)
        self.tokens.append(tokens)
        return self.first_place + len(self.places) - 1

    def transition(self, name: str, pre: Arcs, post: Arcs, origin: Origin, role: Role) -> int:
        """Append a transition; arcs to one place are added up."""
        self.names.append(name)
        self.pre.append(_sum(pre))
        self.post.append(_sum(post))
        self.origins.append(told(origin))
        self.roles.append(role)
        return self.first_transition + len(self.names) - 1

    def cause(self, name: str, pre: Arcs, post: Arcs, origin: Origin, role: Role) -> int:
        """Append a transition that takes from the budget."""
        made = self.transition(name, (*pre, (self.budget, 1)), post, origin, role)
        self.causes.append(made)
        return made

    def consequence(self, name: str, pre: Arcs, post: Arcs, origin: Origin, role: Role) -> int:
        """Append a transition that costs nothing, because a cause before it has paid."""
        made = self.transition(name, pre, post, origin, role)
        self.consequences.append(made)
        return made

    # -- words

    def name(self, channel: Channel) -> str:
        """What a message is about, in backticks: the step, or its undo."""
        if channel.direction == "undo":
            return f"`{self._undo_names.get(first_run(channel.step)) or 'its undo'}`"
        identifier = self.base.origin.places[channel.place].id
        return f"`{identifier.rsplit('/', 1)[-1].split('~')[0]}`"

    def message(self, channel: Channel) -> str:
        """A message, in words."""
        return f"the {'request for' if channel.part == 'request' else 'reply of'} {self.name(channel)}"

    # -- the whole

    def compiled(self) -> Compiled:
        """Everything with the new columns behind the old ones."""
        base, net = self.base, self.base.net
        if base.roles.balances:
            scales = Scales(base.roles.balances)
            evened = [scales.even(pre, post) for pre, post in zip(self.pre, self.post, strict=True)]
            self.pre, self.post = [pre for pre, _ in evened], [post for _, post in evened]
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
        made = range(self.first_transition, self.first_transition + len(self.names))
        observers = tuple(
            completed(
                o._replace(
                    deltas=tuple(sorted([*o.deltas, *((c, d) for t, d in o.deltas for c in self.copies.get(t, ()))]))
                ),
                made.stop,
            )
            for o in base.observers
        )
        atoms = Shifter(self.first_place, len(self.places))
        queries = tuple(atoms.asked(q) for q in base.queries)
        deliveries = tuple(
            d._replace(double=(*d.double, self.double[n])) if n in self.double else d
            for n, d in enumerate(base.roles.deliveries)
        )
        return base._replace(
            net=woven,
            initial=(*base.initial, *self.tokens),
            final=base.final._replace(classes=(*base.final.classes, *self.classes)),
            roles=base.roles._replace(
                transitions=(*base.roles.transitions, *self.roles),
                channels=(*base.roles.channels, *self.channels),
                deliveries=deliveries,
            ),
            origin=OriginMap((*base.origin.places, *self.place_origins), (*base.origin.transitions, *self.origins)),
            observers=observers,
            queries=queries,
            quiet=base.quiet.union(made),
        )


def _sum(arcs: Arcs) -> Arcs:
    total: dict[int, int] = {}
    for p, w in arcs:
        total[p] = total.get(p, 0) + w
    return tuple(sorted(total.items()))


class Shifter:
    """Rewrites the indices of observers in a predicate, which follow the places: predicates nest as formulas do."""

    def __init__(self, places: int, added: int) -> None:
        self.places = places
        self.added = added

    def asked(self, query: Query) -> Query:
        """The query about the longer states."""
        if query.formula is not None:
            from placet.logic.temporal import renamed

            query = query._replace(formula=renamed(query.formula, self.moved))
        return query._replace(
            predicate=None if query.predicate is None else self.moved(query.predicate),
            atoms=tuple((self.moved(p), text) for p, text in query.atoms),
            given=None if query.given is None else self.moved(query.given),
            premise=None if query.premise is None else (self.moved(query.premise[0]), query.premise[1]),
        )

    def moved(self, predicate: Predicate) -> Predicate:
        """The predicate about the longer states."""
        match predicate:
            case Linear(terms, op, bound):
                places, added = self.places, self.added
                return Linear(tuple((i if i < places else i + added, c) for i, c in terms), op, bound)
            case Not(of):
                return Not(self.moved(of))
            case And(parts):
                return And(tuple(self.moved(p) for p in parts))
            case Or(parts):
                return Or(tuple(self.moved(p) for p in parts))
        return predicate
