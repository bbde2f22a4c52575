"""What a choreography does, straight from its syntax tree: no net, no room of the compiler. The oracle of its nets.

A situation is what each service is at, what waits in each queue and what has been lost or put aside. Topics keep their promises
here as docs/language.md states them. Only what the random choreographies of the tests are made of is understood.
"""

from __future__ import annotations

from typing import NamedTuple

from placet.syntax import ast

DELIVERY = {"": "exactly_once", "kafka": "at_least_once", "rabbitmq": "at_least_once", "nats": "at_most_once"}


class Promise(NamedTuple):
    guarantee: str
    fifo: bool
    competing: bool
    capacity: int | None
    full: str
    dead: int | None
    dedup: bool
    feed: int | None


class Busy(NamedTuple):
    """A service with a message: which, the attempt (0: a copy), what is left to be done, and whether it has failed."""

    event: str
    attempt: int
    left: tuple[ast.Statement, ...]
    failed: bool = False


class Situation(NamedTuple):
    services: tuple[Busy | None, ...]
    lines: tuple[tuple[tuple[str, int], ...], ...]  # what waits, by line: (event, attempt), oldest first
    copies: tuple[tuple[str, int], ...]  # (event, service), sorted
    outside: tuple[int, ...]
    lost: frozenset[tuple[str, int]]  # (event, line)
    dead: tuple[tuple[str, int], ...]  # (event, line)
    budget: int


def promise(topic: ast.Topic) -> Promise:
    options = {o.key.text: o.operands for o in topic.options}
    guarantee = DELIVERY[topic.broker.text if topic.broker else ""]
    for word in DELIVERY.values():
        guarantee = word if word in options else guarantee
    capacity = options.get("capacity", ())
    number = {
        k: next(o.value for o in v if isinstance(o, ast.Number))
        for k, v in options.items()
        if any(isinstance(o, ast.Number) for o in v)
    }
    full = next((o.text for o in capacity if isinstance(o, ast.Name)), "block")
    return Promise(
        guarantee, "fifo" in options, "competing" in options, number.get("capacity"), full, number.get("dead_letter"),
        "dedup" in options, number.get("outside"),
    )  # fmt: skip


class Interpreter:
    """One choreography of a file, under faults of these kinds, so many of them."""

    def __init__(self, file: ast.File, faults: tuple[str, ...], budget: int) -> None:
        self.faults = faults
        self.topics = {n.text: promise(t) for t in file.items if isinstance(t, ast.Topic) for n in t.names}
        (written,) = [c for c in file.items if isinstance(c, ast.Choreography)]
        self.services = [m.name.text for m in written.members]
        self.handlers = {(r.event.text, s): r.body for s, m in enumerate(written.members) for r in m.reactions}
        sent = set()
        todo = list(self.handlers.values())
        while todo:
            part = todo.pop()
            if isinstance(part, ast.Block):
                todo += part.statements
            elif isinstance(part, ast.Either):
                todo += [b.body for b in part.branches]
            elif isinstance(part, ast.Publish):
                sent.add(part.event.text)
        self.lines: list[tuple[str, int]] = []  # (topic, service), -1 where readers compete
        for event, service in sorted(self.handlers):
            topic = event.partition(".")[0]
            line = (topic, -1 if self.topics[topic].competing else service)
            if line not in self.lines:
                self.lines.append(line)
        self.fed = []
        for event in sorted({e for e, _ in self.handlers}):
            feed = self.topics[event.partition(".")[0]].feed
            if event not in sent or feed is not None:
                self.fed.append((event, 2 if feed is None else feed))
        self.start = Situation(
            (None,) * len(self.services),
            ((),) * len(self.lines),
            (),
            tuple(n for _, n in self.fed),
            frozenset(),
            (),
            budget,
        )

    def promise_of(self, event: str) -> Promise:
        return self.topics[event.partition(".")[0]]

    def line(self, event: str, service: int) -> int:
        topic = event.partition(".")[0]
        return self.lines.index((topic, -1 if self.topics[topic].competing else service))

    # -- steps: (what is seen, or None; the situation after it)

    def steps(self, now: Situation):
        for n, (event, _) in enumerate(self.fed):
            if now.outside[n]:
                before = now._replace(outside=_set(now.outside, n, now.outside[n] - 1))
                for after in self.put(before, event):
                    yield ("arrives", event), after
        for s, busy in enumerate(now.services):
            yield from self.idle(now, s) if busy is None else self.busy(now, s, busy)
        yield from self.spoiled(now)
        for event, s in set(now.copies):
            if self.promise_of(event).dedup:
                yield None, now._replace(copies=_without(now.copies, (event, s)))

    def used(self, now: Situation, line: int) -> int:
        topic, service = self.lines[line]
        count = len(now.lines[line])
        if self.topics[topic].guarantee != "at_most_once":
            for s, busy in enumerate(now.services):
                if busy is not None and busy.attempt and self.line(busy.event, s) == line:
                    count += 1
        return count

    def put(self, now: Situation, event: str):
        """The situations after a message was put into all its queues; none where one of them holds it back."""
        found = [now]
        lines = dict.fromkeys(self.line(e, s) for e, s in sorted(self.handlers) if e == event)
        p = self.promise_of(event)
        for line in lines:
            new = []
            for at in found:
                if p.capacity is None or self.used(now, line) < p.capacity:
                    new.append(at._replace(lines=_set(at.lines, line, (*at.lines[line], (event, 1)))))
                elif p.full == "drop_new" or (p.full == "drop_old" and not at.lines[line]):
                    new.append(at._replace(lost=at.lost | {(event, line)}))
                elif p.full == "drop_old":
                    for i in range(1 if p.fifo else len(at.lines[line])):
                        old = at.lines[line][i][0]
                        rest = (*at.lines[line][:i], *at.lines[line][i + 1 :], (event, 1))
                        new.append(at._replace(lines=_set(at.lines, line, rest), lost=at.lost | {(old, line)}))
            found = new
        return found

    def idle(self, now: Situation, s: int):
        for line, waiting in enumerate(now.lines):
            first = self.topics[self.lines[line][0]].fifo
            for i, (event, attempt) in enumerate(waiting[:1] if first else waiting):
                if (event, s) in self.handlers and self.line(event, s) == line:
                    rest = (*waiting[:i], *waiting[i + 1 :])
                    busy = Busy(event, attempt, self.handlers[event, s].statements)
                    after = now._replace(lines=_set(now.lines, line, rest), services=_set(now.services, s, busy))
                    yield ("take", event, self.services[s], attempt), after
        for event, t in set(now.copies):
            if t == s and not self.promise_of(event).dedup:
                busy = Busy(event, 0, self.handlers[event, s].statements)
                after = now._replace(copies=_without(now.copies, (event, s)), services=_set(now.services, s, busy))
                yield ("take", event, self.services[s], 0), after

    def busy(self, now: Situation, s: int, busy: Busy):
        def goes_on(left, *, failed=False):
            return now._replace(services=_set(now.services, s, busy._replace(left=tuple(left), failed=failed)))

        free = now._replace(services=_set(now.services, s, None))
        if busy.failed:
            yield from ((None, after) for after in self.failed(now, free, s, busy))
            return
        if not busy.left:
            yield None, free
            return
        first, *rest = busy.left
        match first:
            case ast.Task(name, _, fails):
                yield ("task", name.text), goes_on(rest)
                for error in fails:
                    yield ("task", f"{name.text}: {error.text}"), goes_on((), failed=True)
            case ast.Raise():
                yield None, goes_on((), failed=True)
            case ast.Either(_, branches):
                for branch in branches:
                    yield None, goes_on((*branch.body.statements, *rest))
            case ast.Publish(event):
                for after in self.put(goes_on(rest), event.text) if self._has_room(now, event.text) else ():
                    yield ("publish", event.text, self.services[s]), after

    def _has_room(self, now: Situation, event: str) -> bool:
        p = self.promise_of(event)
        if p.full != "block" or p.capacity is None:
            return True
        return all(self.used(now, self.line(e, s)) < p.capacity for e, s in self.handlers if e == event)

    def failed(self, now: Situation, free: Situation, s: int, busy: Busy):
        """What becomes of a message whose handler has failed (or crashed)."""
        p, line = self.promise_of(busy.event), self.line(busy.event, s)
        if busy.attempt == 0:
            return [free]
        if p.guarantee == "at_most_once":
            return [free._replace(lost=free.lost | {(busy.event, line)})]
        if p.dead == busy.attempt:
            return [free._replace(dead=tuple(sorted((*free.dead, (busy.event, line)))))]
        attempt = busy.attempt + 1 if p.dead is not None else 1
        if p.fifo:
            again = Busy(busy.event, attempt, self.handlers[busy.event, s].statements)
            return [now._replace(services=_set(now.services, s, again))]
        return [free._replace(lines=_set(free.lines, line, (*free.lines[line], (busy.event, attempt))))]

    def spoiled(self, now: Situation):
        if not now.budget:
            return
        paid = now._replace(budget=now.budget - 1)
        if "lost" in self.faults:
            for line, waiting in enumerate(now.lines):
                p = self.topics[self.lines[line][0]]
                if p.guarantee == "at_most_once":
                    for i, (event, _) in enumerate(waiting[:1] if p.fifo else waiting):
                        rest = (*waiting[:i], *waiting[i + 1 :])
                        yield (
                            ("lost", event),
                            paid._replace(lines=_set(now.lines, line, rest), lost=now.lost | {(event, line)}),
                        )
        for s, busy in enumerate(now.services):
            if busy is None or not busy.attempt:
                continue
            p = self.promise_of(busy.event)
            if "duplicate" in self.faults and p.guarantee == "at_least_once":
                yield ("duplicate", busy.event), paid._replace(copies=tuple(sorted((*now.copies, (busy.event, s)))))
            if "crash" in self.faults and p.guarantee != "exactly_once" and not busy.failed:
                free = paid._replace(services=_set(now.services, s, None))
                for after in self.failed(paid, free, s, busy):
                    yield ("crash", self.services[s]), after

    def summary(self, now: Situation):
        """What a net shows of it too."""
        waiting = tuple(sorted((e, k, n) for n, line in enumerate(now.lines) for e, k in line))
        hands = tuple(sorted((b.event, b.attempt, s) for s, b in enumerate(now.services) if b is not None))
        return waiting, hands, now.copies, now.outside, tuple(sorted(now.lost)), now.dead, now.budget


def _set(values: tuple, index: int, value):
    return (*values[:index], value, *values[index + 1 :])


def _without(values: tuple, value) -> tuple:
    index = values.index(value)
    return (*values[:index], *values[index + 1 :])
