"""The closed environment: nothing arrives from outside, so no outside event ever happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.net.roles import Kind

if TYPE_CHECKING:
    from placet.compiled import Compiled


def close(compiled: Compiled) -> Compiled:
    """The same net, its outside events unable to happen. O(transitions).

    Places, transitions and observers keep their numbers, so that queries stay as they are: an event demands and forbids
    a token on the same place.
    """
    net = compiled.net
    events = {t for t, role in enumerate(compiled.roles.transitions) if role.kind is Kind.EVENT}
    assumptions = compiled.assumptions._replace(environment="closed")
    if not events or not net.places:
        return compiled._replace(assumptions=assumptions)
    read, inhibit = list(net.read), list(net.inhibit)
    for t in events:
        place = net.pre[t][0][0] if net.pre[t] else 0
        read[t] = tuple(sorted({**dict(read[t]), place: max(1, dict(read[t]).get(place, 1))}.items()))
        inhibit[t] = tuple(sorted({**dict(inhibit[t]), place: 1}.items()))
    return compiled._replace(net=net._replace(read=tuple(read), inhibit=tuple(inhibit)), assumptions=assumptions)
