"""What can go wrong with the messages of topics: lost, delivered twice, and a handler that crashes over one.

What a broker promises decides what a fault can do: `at_most_once` loses a message, or forgets it when its handler crashes;
`at_least_once` delivers it again, in a race with the acknowledgement of the first time, and again after a crash;
`exactly_once` does neither, since a handler that crashes leaves no trace of its attempt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.net.final import PlaceClass
from placet.net.roles import Kind, Role

if TYPE_CHECKING:
    from placet.compiled import Origin
    from placet.faults.loom import Loom
    from placet.net.core import Arcs
    from placet.net.roles import Delivery


class Deliveries:
    """Weaves the faults of messages, delivery by delivery."""

    def __init__(self, loom: Loom) -> None:
        self.loom = loom
        self.faults = loom.faults
        self._number = 0
        self._lost: set[int] = set()  # places whose losing is woven: readers that compete have one queue

    def weave(self) -> None:
        """All of them."""
        for number, delivery in enumerate(self.loom.base.roles.deliveries):
            self._number = number
            if "lost" in self.faults and delivery.guarantee == "at_most_once":
                self._loses(delivery)
            if "duplicate" in self.faults and delivery.guarantee == "at_least_once":
                self._repeats(delivery)
            if "crash" in self.faults and delivery.handler and delivery.guarantee != "exactly_once":
                self._crashes(delivery)

    def _place(self, delivery: Delivery) -> Origin:
        return self.loom.base.origin.places[delivery.waiting[0]]

    def _loses(self, d: Delivery) -> None:
        """A message that waits vanishes; in a queue with an order the next ones close ranks."""
        net = self.loom.base.net
        for t in d.takes:
            waiting = [p for p, _ in net.pre[t] if p in d.waiting]
            if not waiting or waiting[0] in self._lost:
                continue
            self._lost.add(waiting[0])
            pre = tuple((p, w) for p, w in net.pre[t] if p != d.idle and not self._control(p))
            post = tuple(
                (p, w) for p, w in net.post[t] if (p in d.freed or self._pointer(p)) and p not in (d.start, *d.hands)
            )
            self._losing(f"{net.places[waiting[0]]}:lost", pre, post, d, f"`{d.event}` for `{d.reader}` is lost")

    def _control(self, place: int) -> bool:
        return self.loom.base.final.classes[place] in (PlaceClass.CONTROL, PlaceClass.RESOURCE)

    def _pointer(self, place: int) -> bool:
        name = self.loom.base.net.places[place]
        return "#head[" in name or "#tail[" in name

    def _losing(self, name: str, pre: Arcs, post: Arcs, d: Delivery, words: str, origin: Origin | None = None) -> None:
        origin = (origin or self._place(d))._replace(phrase=words)
        role = Role(Kind.FAULT, fault="crash" if name.endswith(":crash") else "lost")
        for suffix, before in (("", d.kept), (".again", d.lost)):
            self.loom.cause(f"{name}{suffix}", (*pre, (before, 1)), (*post, (d.lost, 1)), origin, role)

    def _repeats(self, d: Delivery) -> None:
        """A second copy, delivered in a race with the acknowledgement; handled like the first, or recognised."""
        loom, net = self.loom, self.loom.base.net
        role = Role(Kind.FAULT, fault="duplicate")
        origin = self._place(d)
        whom = f"`{d.reader}`"
        path = f"{d.event}@{d.handler.partition('[')[0] or d.process}"
        copy = loom.place(
            f"{path}:copy", origin._replace(phrase=f"a copy of `{d.event}` waits for {whom}"), PlaceClass.CHANNEL
        )
        again = origin._replace(phrase=f"`{d.event}` is delivered twice to {whom}")
        if d.handler:
            for hand in d.hands:
                loom.cause(f"{net.places[hand]}:duplicate", ((hand, 1),), ((hand, 1), (copy, 1)), again, role)
        else:  # the acknowledgement of what a process has got is late
            got = origin._replace(phrase=f"{whom} receives `{d.event}`, which is delivered once more")
            for t in d.takes:
                made = loom.cause(f"{net.transitions[t]}:duplicate", net.pre[t], (*net.post[t], (copy, 1)), got, role)
                loom.copies.setdefault(t, []).append(made)
        if d.dedup or not d.handler:
            words = f"the copy of `{d.event}` is recognised and thrown away"
            if not d.dedup:
                words = f"nobody waits for the copy of `{d.event}`, which is thrown away"
            loom.consequence(
                f"{path}:copy.absorbed", ((copy, 1),), (), origin._replace(phrase=words), Role(Kind.ABSORB)
            )
        if d.dedup:
            if d.window is None or not d.handler:
                return
            copy = self._ages(d, copy, path, origin)
        if not d.handler:
            for t in d.takes:
                made = loom.consequence(
                    f"{net.transitions[t]}:copy",
                    tuple((copy if p in d.waiting else p, w) for p, w in net.pre[t] if p not in d.freed),
                    tuple((p, w) for p, w in net.post[t] if p not in d.freed),
                    loom.base.origin.transitions[t]._replace(phrase=f"{whom} receives `{d.event}` again"),
                    loom.base.roles.transitions[t],
                )
                loom.copies.setdefault(t, []).append(made)
            return
        held = loom.place(
            f"{path}:hand.copy", origin._replace(phrase=f"{whom} has a copy of `{d.event}` in hand"), PlaceClass.CHANNEL
        )
        loom.double[self._number] = held
        handler = loom.base.origin.transitions[d.takes[0]]
        loom.consequence(
            f"{path}:take.copy", ((d.idle, 1), (copy, 1)), ((d.start, 1), (held, 1)),
            handler._replace(phrase=f"{whom} handles `{d.event}` again"), Role(Kind.TAKE),
        )  # fmt: skip
        words = f"{whom} has handled the copy of `{d.event}`"
        for name, place in (("done", d.finished), ("failed", d.failed)):
            if place >= 0:
                loom.consequence(
                    f"{path}:{name}.copy", ((place, 1), (held, 1)), ((d.idle, 1),), handler._replace(phrase=words),
                    Role(Kind.ABSORB),
                )  # fmt: skip

    def _ages(self, d: Delivery, copy: int, path: str, origin: Origin) -> int:
        """The place of a copy that is not recognised any more, since that many messages were handled after it came.

        A message that is handled may let the copy grow older, or not: what the reader has forgotten it may have known,
        but what it handles again it had forgotten.
        """
        loom, net = self.loom, self.loom.base.net
        handled = [
            t
            for t, arcs in enumerate(net.pre)
            if {p for p, _ in arcs} >= {d.finished} and set(d.hands) & {p for p, _ in arcs}
        ]
        young = copy
        for age in range(1, (d.window or 1) + 1):
            words = f"a copy of `{d.event}` waits for `{d.reader}`, {age} message{'s' * (age > 1)} later"
            old = loom.place(f"{path}:copy[{age}]", origin._replace(phrase=words), PlaceClass.CHANNEL)
            for t in handled:
                made = loom.consequence(
                    f"{net.transitions[t]}:older[{age}]",
                    (*net.pre[t], (young, 1)),
                    (*net.post[t], (old, 1)),
                    loom.base.origin.transitions[t],
                    loom.base.roles.transitions[t],
                )
                loom.copies.setdefault(t, []).append(made)
            if age < (d.window or 1):
                words = f"the copy of `{d.event}` is recognised and thrown away"
                loom.consequence(
                    f"{path}:copy[{age}].absorbed", ((old, 1),), (), origin._replace(phrase=words), Role(Kind.ABSORB)
                )
            young = old
        return young

    def _crashes(self, d: Delivery) -> None:
        """A handler is gone wherever it was, with what it had done by then; its message comes again, or is lost."""
        net = self.loom.base.net
        handler = self.loom.base.origin.transitions[d.takes[0]]
        moments = d.moments if d.dedup else (*d.moments, d.finished)
        for attempt, hand in enumerate(d.hands):
            for place in moments:
                name = f"{net.places[place]}:crash" + (f"[{attempt + 1}]" if len(d.hands) > 1 else "")
                pre: Arcs = ((place, 1), (hand, 1))
                if d.guarantee == "at_most_once":
                    words = f"`{d.reader}` crashes, and its `{d.event}` is lost"
                    self._losing(f"{net.places[place]}:crash", pre, ((d.idle, 1),), d, words, handler)
                    continue
                given = d.crashed[attempt]
                words = f"`{d.reader}` crashes over `{d.event}`, which comes again"
                if any(p not in (*d.waiting, *d.hands, d.idle, d.start) for p in given):
                    words = f"`{d.reader}` crashes over `{d.event}`, which is put aside for a person"
                self.loom.cause(
                    name, self._with_room(pre, given, d), tuple((p, 1) for p in given), handler._replace(phrase=words),
                    Role(Kind.FAULT, fault="crash"),
                )  # fmt: skip

    @staticmethod
    def _with_room(pre: Arcs, given: tuple[int, ...], d: Delivery) -> Arcs:
        """A message that is put aside gives its room back."""
        used, room = d.freed
        return (*pre, (used, 1)) if room >= 0 and room in given else pre
