"""Tokens that can never matter again are taken away at once, so that runs that differ only in them meet.

While a coordinator waits for a call its token lies on one of the places of that call. Once it has left them for good, what
only counts there (that a reply is late, that an attempt had timed out) is remembered for nothing: every transition that
needs it needs one of those places too. The last move away from them then empties such records. Situations that are merged so
have the same runs (they are bisimilar), so that every obligation keeps its status; runs are fired on the net as it was.
A late reply that came in time would else be told apart for ever: a sequence of n steps has n^3 situations under two
faults, and with this n^2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.net.final import PlaceClass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placet.compiled import Compiled
    from placet.net.core import Net

WORK = 20_000_000  # places and transitions looked at for all calls together; larger nets stay as they are


def forgetting(compiled: Compiled) -> Net:
    """The net that forgets. O(calls x net), at most `WORK`."""
    net = compiled.net
    calls: dict[tuple[str, str], set[int]] = {}
    for port in compiled.roles.ports:
        if port.step and port.attempt and not compiled.initial[port.place]:
            calls.setdefault((port.step, port.direction), set()).add(port.place)
    if not calls or len(calls) * (len(net.places) + len(net.transitions)) > WORK:
        return net
    for port in compiled.roles.ports:
        key = (port.step, port.direction)
        if key in calls and not port.attempt and not compiled.initial[port.place]:
            calls[key].add(port.place)
    users = _users(net)
    reset, post = list(net.reset), list(net.post)
    producers = _producers(net)
    for places in calls.values():
        records = _only_there(compiled, places, users)
        if not records:
            continue
        before = _ancestors(net, places, producers)
        for t in {t for p in places for t in users[p]} - before:
            if any(p in places for p, _ in net.pre[t]) and not any(p in places for p, _ in net.post[t]):
                reset[t] = tuple(sorted({*reset[t], *records}))
                post[t] = tuple(arc for arc in post[t] if arc[0] not in records)
    return net._replace(reset=tuple(reset), post=tuple(post))


def _users(net: Net) -> list[list[int]]:
    """By place, the transitions whose being enabled depends on it."""
    found: list[list[int]] = [[] for _ in net.places]
    for t in range(len(net.transitions)):
        for p in {p for p, _ in (*net.pre[t], *net.read[t], *net.inhibit[t])}:
            found[p].append(t)
    return found


def _producers(net: Net) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in net.places]
    for t, arcs in enumerate(net.post):
        for p, _ in arcs:
            found[p].append(t)
    return found


def _only_there(compiled: Compiled, places: set[int], users: list[list[int]]) -> set[int]:
    """The records that are of use only to transitions that take from one of these places."""
    net, classes = compiled.net, compiled.final.classes
    near = {p for w in places for t in users[w] for p, _ in net.pre[t]}
    return {
        p
        for p in near
        if classes[p] is PlaceClass.RECORD
        and p not in places
        and all(any(w in places for w, _ in net.pre[t]) for t in users[p])
    }


def _ancestors(net: Net, places: Iterable[int], producers: list[list[int]]) -> set[int]:
    """The transitions from which a way leads to one of these places, whatever else it takes. O(net)."""
    found: set[int] = set()
    seen = set(places)
    queue = list(seen)
    for p in queue:
        for t in producers[p]:
            if t not in found:
                found.add(t)
                for q, _ in net.pre[t]:
                    if q not in seen:
                        seen.add(q)
                        queue.append(q)
    return found
