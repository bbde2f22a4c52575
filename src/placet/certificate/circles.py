"""Whether messages can lead, by who handles them and what he sends, back to themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from placet.net.roles import Roles


def goes_round(roles: Roles, fired: Collection[int] | None = None) -> bool:
    """Whether among these transitions (None: all) some handler or process sends what leads, over others, to itself again."""
    readers: dict[str, set[str]] = {}
    for delivery in roles.deliveries:
        if fired is None or not set(delivery.takes).isdisjoint(fired):
            readers.setdefault(delivery.event, set()).add(delivery.handler or delivery.process)
    leads: dict[str, set[str]] = {}
    for sent in roles.published:
        if fired is None or sent.transition in fired:
            leads.setdefault(sent.handler, set()).update(readers.get(sent.event, ()))
    while True:  # who leads to nobody that is left is taken away, until none is; what then is left goes round
        left = {who: led for who, to in leads.items() if (led := to & leads.keys())}
        if left == leads:
            return bool(left)
        leads = left
