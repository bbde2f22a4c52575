"""A second run of the same saga beside the first, where services keep both under one key.

The second run is a copy of the net, but for the records that steps with a `key` share. It is the surroundings of the first:
what is asked is asked of the first run, and since both are alike, an answer for one is an answer for each. So the places
of the copy are records for final markings, and its steps are not in the roles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compiled import Compiled, Origin, OriginMap
from placet.faults.loom import SECOND, Shifter, told
from placet.net.final import PlaceClass
from placet.net.observer import completed
from placet.net.roles import Due

if TYPE_CHECKING:
    from placet.net.core import Arcs
    from placet.net.observer import Observer


def shared_records(compiled: Compiled) -> frozenset[int]:
    """The places that two runs have in common."""
    return frozenset((*compiled.roles.common, *(p for step in compiled.roles.steps for p in step.shared)))


def twice(compiled: Compiled) -> Compiled:
    """The net with a second run; itself where the two could not hear of each other. Linear in the net.

    Indices of the first run stay; those of observers, which follow the places in a state, are shifted.
    """
    shared = shared_records(compiled)
    if not shared:
        return compiled
    net, roles = compiled.net, compiled.roles
    places, transitions = len(net.places), len(net.transitions)
    own = [p for p in range(places) if p not in shared]
    at = {p: places + n for n, p in enumerate(own)} | {p: p for p in shared}
    at[-1] = -1
    name = _Names(compiled.subject)

    def moved(arcs: Arcs) -> Arcs:
        return tuple(sorted((at[p], w) for p, w in arcs))

    def both(columns: tuple[Arcs, ...]) -> tuple[Arcs, ...]:
        return (*columns, *(moved(arcs) for arcs in columns))

    doubled = net._replace(
        places=(*net.places, *(name.of(net.places[p]) for p in own)),
        transitions=(*net.transitions, *(name.of(t) for t in net.transitions)),
        pre=both(net.pre),
        post=both(net.post),
        read=both(net.read),
        inhibit=both(net.inhibit),
        reset=(*net.reset, *(tuple(sorted(at[p] for p in emptied)) for emptied in net.reset)),
        capacity=(*net.capacity, *((at[p], n) for p, n in net.capacity if p not in shared)),
    )
    channels = tuple(
        c._replace(
            place=at[c.place],
            step=name.of(c.step),
            due=at[c.due],
            refuse=c.refuse + transitions if c.refuse >= 0 else -1,
            errors=tuple((error, at[p]) for error, p in c.errors),
            answered=at[c.answered],
        )
        for c in roles.channels
    )
    scopes = tuple(
        s._replace(
            undone=at[s.undone],
            back=at[s.back],
            outer=s.outer + len(roles.scopes) if s.outer >= 0 else -1,
            clear=at[s.clear],
            raised=at[s.raised],
        )
        for s in roles.scopes
    )
    ports = tuple(
        p._replace(
            place=at[p.place],
            saga=name.of(p.saga),
            back=at[p.back],
            cancelled=at[p.cancelled],
            overdue=tuple(
                Due(name.of(d.saga), at[d.leads], d.escalates, tuple(at[k] for k in d.only)) for d in p.overdue
            ),
            only=tuple(at[k] for k in p.only),
            clocks=tuple(map(name.of, p.clocks)),
            step=name.of(p.step),
            gone=at[p.gone],
            scope=p.scope + len(roles.scopes) if p.scope >= 0 else -1,
            keeps=tuple(at[k] for k in p.keeps),
        )
        for p in roles.ports
    )
    shift = Shifter(places, len(own))
    return compiled._replace(
        net=doubled,
        initial=(*compiled.initial, *(compiled.initial[p] for p in own)),
        final=compiled.final._replace(classes=(*compiled.final.classes, *((PlaceClass.RECORD,) * len(own)))),
        roles=roles._replace(
            transitions=(*roles.transitions, *(r._replace(step=name.of(r.step)) for r in roles.transitions)),
            channels=(*roles.channels, *channels),
            balances=tuple(
                b._replace(weights=(*b.weights, *((at[p], w) for p, w in b.weights if p not in shared)))
                for b in roles.balances
            ),
            ports=(*roles.ports, *ports),
            scopes=(*roles.scopes, *scopes),
            others=tuple(s._replace(id=name.of(s.id), saga=name.of(s.saga)) for s in roles.steps),
            forks=(),  # a way that shares a record with the other run is not on its own
        ),
        origin=OriginMap(
            (*compiled.origin.places, *(_second(compiled.origin.places[p], name) for p in own)),
            (*compiled.origin.transitions, *(_second(o, name) for o in compiled.origin.transitions)),
        ),
        observers=tuple(
            completed(_observing(o, transitions) if o.every_run else o, 2 * transitions) for o in compiled.observers
        ),
        queries=tuple(shift.asked(q) for q in compiled.queries),
        timing=(*compiled.timing, *((t + transitions, delay) for t, delay in compiled.timing)),
        limits=tuple(((*group, *(t + transitions for t in group)), most) for group, most in compiled.limits),
        quiet=compiled.quiet.union(range(transitions, 2 * transitions)),
    )


def _observing(observer: Observer, transitions: int) -> Observer:
    """An observer of both runs: what one run pays the other may give back, where they share a record."""
    return observer._replace(deltas=(*observer.deltas, *((t + transitions, by) for t, by in observer.deltas)))


class _Names:
    """Ids of the second run."""

    def __init__(self, subject: str) -> None:
        self.subject = subject

    def of(self, identifier: str) -> str:
        """The id with the second run in the place of the first; an empty one stays empty."""
        if not identifier.startswith(self.subject):
            return identifier and f"{identifier}{SECOND}"
        return f"{self.subject}{SECOND}{identifier[len(self.subject) :]}"


def _second(origin: Origin, name: _Names) -> Origin:
    return told(origin._replace(actor=name.of(origin.actor)))
