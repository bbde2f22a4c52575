"""What can go wrong with a message: refused, answered wrongly, lost, slow, delivered twice.

A second copy of a message lies in a place of its own. A request that comes twice is carried out twice, in either order,
and only the answer to the first to be carried out, or only the other, is waited for: so the answer to the copy is left
out. A copy of a reply finds nobody waiting and is thrown away; only an attempt that is made for ever can take it for the
answer to a later request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compiled import Origin
from placet.faults.loom import first_run
from placet.net.final import PlaceClass
from placet.net.roles import Channel, Kind, Role

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.faults.loom import Loom
    from placet.net.core import Arcs

UNKNOWN = "unknown"
DELIVERED = "delivered"  # an outcome after which no attempt is made again

_Attempt = tuple[str, str, int]  # step, direction, number


class Messages:
    """Weaves the faults of messages, channel by channel."""

    def __init__(self, loom: Loom) -> None:
        self.loom = loom
        self.faults = loom.faults
        self.modes: dict[tuple[str, str, str, int], int] = {}
        self.copies: dict[int, int] = {}
        ports = loom.base.roles.ports
        self.clocks = {(p.step, p.direction): p.clocks for p in ports if p.attempt and p.clocks}
        self.late: dict[
            str, int
        ] = {}  # by saga with a time-out: that a message of it, or of one it called, was lost or slow
        self.takes = _takers(loom.base)
        self.replies = frozenset(c.place for c in loom.base.roles.channels if c.part == "reply")
        self.answers = frozenset(c.answered for c in loom.base.roles.channels)
        self.last: dict[tuple[str, str], int] = {}
        for c in loom.base.roles.channels:
            key = (c.step, c.direction)
            self.last[key] = max(c.attempt, self.last.get(key, 0))

    def channel(self, channel: Channel) -> None:
        """All faults of one channel."""
        forward, request = channel.direction == "forward", channel.part == "request"
        faults = self.faults.difference(channel.never)
        message = self.loom.message(channel)
        here: Arcs = ((channel.place, 1),)
        if request:
            refusal = "reject" if forward else "undo-fail"
            if refusal in faults:
                for name, place in channel.errors:
                    key = f"{refusal}.{name}" if name else refusal
                    self._fault(channel, refusal, key, name, ((place, 1),), self._refuses(channel, name))
            if forward and "partial" in faults:
                self._partial(channel)
        due: Arcs = ((channel.due, 1),) if channel.due >= 0 else ()
        if not faults.isdisjoint(("lost", "slow") if forward else ("undo-lost", "undo-slow")):
            due = (*due, *((self._late(saga), 1) for saga in self.clocks.get((channel.step, channel.direction), ())))
        lost = "lost" if forward else "undo-lost"
        if lost in faults:
            self._fault(channel, lost, lost, UNKNOWN, due, f"{message} is lost")
        slow = "slow" if forward else "undo-slow"
        if slow in faults and due:
            self._fault(channel, slow, slow, UNKNOWN, (*here, *due), f"{message} is slow")
        if "duplicate" in faults:
            after: Arcs = (*here, (self.copy(channel), 1))
            self._fault(channel, "duplicate", "duplicate", DELIVERED, after, f"{message} is delivered twice")

    def _fault(self, channel: Channel, fault: str, key: str, outcome: str, post: Arcs, words: str) -> None:
        """One cause, and where a later attempt can fail alike the permanent one and what it brings."""
        loom = self.loom
        modes = loom.hypothesis.modes
        message: Arcs = ((channel.place, 1),)
        name = f"{loom.base.net.places[channel.place]}:{key}"
        repeated = outcome in channel.again
        follows = not repeated and channel.attempt < self.last[channel.step, channel.direction]
        origin = loom.base.origin.places[channel.place]
        role = Role(Kind.FAULT, channel.step, channel.direction, channel.attempt, origin.service, fault)
        if modes != "permanent" or not follows:
            loom.cause(name, message, post, origin._replace(phrase=words), role)
        if modes == "transient":
            return
        mode = f"{key}.{channel.part}"
        if follows:
            after = self._mode(channel, mode, channel.attempt + 1)
            lasting = origin._replace(phrase=f"{words}, and so will be the next attempts")
            loom.cause(f"{name}:lasting", message, (*post, (after, 1)), lasting, role)
        if channel.attempt > 1 and not repeated:
            before = self._mode(channel, mode, channel.attempt)
            after_arcs: Arcs = ((self._mode(channel, mode, channel.attempt + 1), 1),) if follows else ()
            still = origin._replace(phrase=f"{words} again")
            loom.consequence(f"{name}:still", (*message, (before, 1)), (*post, *after_arcs), still, role)

    def _late(self, saga: str) -> int:
        """The place that lets a saga with a deadline run out of time."""
        place = self.late.get(saga)
        if place is None:
            name = first_run(saga).rpartition("/")[2]
            origin = Origin(saga, f"`{name}` may run out of time", None, "", saga)
            place = self.late[saga] = self.loom.place(f"{saga}#late", origin, PlaceClass.RECORD)
        return place

    def _mode(self, channel: Channel, mode: str, attempt: int) -> int:
        """The place that lets this attempt fail for free, once: a loop of free faults would never end."""
        key = (channel.step, channel.direction, mode, attempt)
        place = self.modes.get(key)
        if place is None:
            loom = self.loom
            prefix = "" if channel.direction == "forward" else "undo."
            identifier = f"{channel.step}#{prefix}{mode}:lasting[{attempt}]"
            phrase = f"the fault of {loom.name(channel)} lasts"
            place = self.modes[key] = loom.place(
                identifier, loom.base.origin.places[channel.place]._replace(phrase=phrase)
            )
        return place

    def _partial(self, channel: Channel) -> None:
        """Applied with effect, answered with an error: a copy of each transition that applies the request."""
        loom = self.loom
        base, net = loom.base, loom.base.net
        for t in self.takes.get(channel.place, ()):
            role = base.roles.transitions[t]
            if role.kind is not Kind.APPLY:
                continue
            origin = base.origin.transitions[t]
            for name, place in channel.errors:
                if name in channel.definite:
                    continue
                label = f"partial.{name}" if name else "partial"
                words = f"{origin.phrase}, but the answer is an error" + (f": {name}" if name else "")
                post = tuple((place, w) if p == channel.answered else (p, w) for p, w in net.post[t])
                made = loom.cause(
                    f"{net.transitions[t]}:{label}",
                    net.pre[t],
                    post,
                    origin._replace(phrase=words),
                    role._replace(kind=Kind.FAULT, fault="partial"),
                )
                loom.copies.setdefault(t, []).append(made)

    def copy(self, channel: Channel) -> int:
        """The place of second copies of a message, with all that can become of them; made when it is first needed."""
        place = self.copies.get(channel.place)
        if place is None:
            loom = self.loom
            base = loom.base
            words = f"a second copy of {loom.message(channel)} is on its way"
            origin = base.origin.places[channel.place]._replace(phrase=words)
            place = loom.place(f"{base.net.places[channel.place]}:copy", origin, PlaceClass.CHANNEL)
            self.copies[channel.place] = place
            loom.channels.append(Channel(place, channel.step, channel.direction, "copy", channel.attempt, -1))
            if channel.part == "request":
                self._carried_out(channel, place)
            else:
                self._heard(channel, place)
        return place

    def _carried_out(self, channel: Channel, copy: int) -> None:
        """The participant does with a copy what it does with a request; nobody waits for its answer."""
        loom = self.loom
        base, net = loom.base, loom.base.net
        for t in self.takes.get(channel.place, ()):
            origin = base.origin.transitions[t]
            made = loom.consequence(
                f"{net.transitions[t]}:copy",
                tuple((copy if p == channel.place else p, w) for p, w in net.pre[t]),
                tuple((p, w) for p, w in net.post[t] if p not in self.replies),
                origin._replace(phrase=f"the second request arrives: {origin.phrase}"),
                base.roles.transitions[t],
            )
            loom.copies.setdefault(t, []).append(made)

    def _heard(self, channel: Channel, copy: int) -> None:
        """A second reply is thrown away; where the same attempt is made again, it may be taken for that one's."""
        loom = self.loom
        base, net = loom.base, loom.base.net
        origin = base.origin.places[channel.place]
        words = f"the second copy of {loom.message(channel)} is thrown away"
        role = Role(Kind.ABSORB, channel.step, channel.direction, channel.attempt, origin.service)
        name = base.net.places[channel.place]
        loom.consequence(f"{name}:copy.absorbed", ((copy, 1),), (), origin._replace(phrase=words), role)
        if not channel.again or channel.due < 0 or channel.place in self.answers:
            return  # after the answer that it is done nobody asks again
        for t in self.takes.get(channel.place, ()):
            if base.roles.transitions[t].kind is Kind.REPLY:
                made = loom.consequence(
                    f"{net.transitions[t]}:copy",
                    tuple((copy if p == channel.place else p, w) for p, w in net.pre[t]),
                    net.post[t],
                    base.origin.transitions[t],
                    base.roles.transitions[t],
                )
                loom.copies.setdefault(t, []).append(made)

    # -- words

    def _refuses(self, channel: Channel, error: str) -> str:
        service = self.loom.base.origin.places[channel.place].service
        who = f"`{service}`" if service else "its service"
        name = self.loom.name(channel)
        if channel.direction == "undo":
            return f"{who} fails to carry out {name}"
        return f"{who} refuses {name}" + (f": {error}" if error else "")


def _takers(compiled: Compiled) -> dict[int, list[int]]:
    """The transitions that take each message."""
    found: dict[int, list[int]] = {c.place: [] for c in compiled.roles.channels}
    for t, arcs in enumerate(compiled.net.pre):
        for p, _ in arcs:
            if p in found:
                found[p].append(t)
    return found
