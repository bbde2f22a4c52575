"""A loop without an exit is one although anything may fail: an execution must be able to end when nothing fails any more.

Every task may fail, and a failure that nothing catches ends the execution; so by itself the net of an endless loop could
always complete. Where a definition has such a loop, its failures need a token that may be taken away once and for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compiled import Origin
from placet.net.final import PlaceClass
from placet.net.roles import PLAIN

if TYPE_CHECKING:
    from placet.compiled import Compiled

FAILURES = frozenset(("failed", "timed_out", "bad_data", "no_choice", "too_many"))


def calmed(compiled: Compiled, paths: frozenset[str]) -> Compiled:
    """The net in which the states at these paths, and what is in them, fail only for a while. Linear."""
    origins = compiled.origin
    failing = [
        t
        for t, origin in enumerate(origins.transitions)
        if origin.event is not None and origin.event.kind in FAILURES and _within(origin.id, paths)
    ]
    if not failing:
        return compiled
    net = compiled.net
    subject = compiled.subject
    place, transition = len(net.places), len(net.transitions)
    read = list(net.read)
    for t in failing:
        read[t] = tuple(sorted((*read[t], (place, 1))))
    more = Origin(subject, "something may still fail", origins.places[0].span, "", subject)
    calm = Origin(subject, "nothing fails any more", origins.places[0].span, "", subject)
    return compiled._replace(
        net=net._replace(
            places=(*net.places, f"{subject}#faults"),
            transitions=(*net.transitions, f"{subject}#calm"),
            pre=(*net.pre, ((place, 1),)),
            post=(*net.post, ()),
            read=(*read, ()),
            inhibit=(*net.inhibit, ()),
            reset=(*net.reset, ()),
        ),
        initial=(*compiled.initial, 1),
        final=compiled.final._replace(classes=(*compiled.final.classes, PlaceClass.BUDGET)),
        roles=compiled.roles._replace(transitions=(*compiled.roles.transitions, PLAIN)),
        origin=origins._replace(places=(*origins.places, more), transitions=(*origins.transitions, calm)),
        quiet=compiled.quiet | {transition},
    )


def _within(identifier: str, paths: frozenset[str]) -> bool:
    """The state is one of these, or in one of them."""
    while identifier:
        if identifier in paths:
            return True
        identifier = identifier.rpartition("/")[0]
    return False
