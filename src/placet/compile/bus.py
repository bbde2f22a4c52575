"""Topics as nets: queues for each reader of an event, what publishing does to them, and what comes from outside.

A queue counts its messages twice, as room and as what is used, so that a full one is seen without an inhibitor arc.
docs/semantics.md shows the nets.
"""

from __future__ import annotations

from itertools import combinations, pairwise, product
from typing import TYPE_CHECKING

from placet.compile.draft import CHANNEL, RECORD
from placet.ir.model import Publish, Task
from placet.net.final import PlaceClass
from placet.net.roles import Kind, Published, Role
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from placet.compile.draft import Draft
    from placet.ir.model import Statement, Topic
    from placet.source import Span

PUBLISH = Role(Kind.PUBLISH)
ARRIVES = Role(Kind.EVENT)
MOST_FED = 2  # messages of each event that come from outside, where the model does not say how many
MOST_VARIANTS = 2_000  # of one publishing: each full or free queue in each of its situations


class Put(NamedTuple):
    """One way in which a queue takes a message: what it needs and gives, and what happens besides, in words."""

    suffix: str
    pre: tuple[int, ...]
    post: tuple[int, ...]
    words: str = ""


class Reader(NamedTuple):
    """Who reads an event: a service of a choreography, or a process."""

    id: str
    handles: bool  # by a handler, else by `receive`

    @property
    def name(self) -> str:
        """As it was written."""
        return self.id.rpartition("/")[2]


class Line:
    """What the queues of one reader on one topic share: their room, and for `fifo` its order."""

    def __init__(self, bus: Bus, topic: Topic, reader: str) -> None:
        self.topic = topic
        self.path = f"{topic.id}@{reader}" if reader else topic.id
        self.queues: list[Queue] = []
        self.room = self.used = -1
        self.heads: list[int] = []
        self.tails: list[int] = []
        capacity, span = topic.capacity, topic.span
        for_whom = f" for `{reader.rpartition('/')[2]}`" if reader else ""
        if capacity is not None:
            free = f"room for messages of `{topic.id}`{for_whom}"
            held = f"messages of `{topic.id}`{for_whom} take up room"
            self.room = bus.draft.place(f"{self.path}#room", topic.id, free, span, bus.subject, RECORD, capacity)
            self.used = bus.draft.place(f"{self.path}#used", topic.id, held, span, bus.subject, RECORD)
        if topic.ordered:
            for end, words, found in (("head", "comes next", self.heads), ("tail", "is free next", self.tails)):
                for i in range(capacity or 1):
                    phrase = f"slot {i + 1} of `{topic.id}`{for_whom} {words}"
                    name = f"{self.path}#{end}[{i + 1}]"
                    found.append(bus.draft.place(name, topic.id, phrase, span, bus.subject, RECORD, int(i == 0)))


class Queue:
    """Messages of one event that wait for one reader (or, where readers compete, for any)."""

    def __init__(self, bus: Bus, line: Line, event: str, reader: Reader | None) -> None:
        topic = line.topic
        self.line = line
        self.event = event
        self.topic = topic
        self.waiting: list[int] = []  # by attempt, or with `fifo` by slot
        self.hands: dict[str, list[int]] = {}  # by reader that handles it, by attempt
        self.kept = self.lost = self.dead = -1
        self.readers: list[Reader] = []
        self._bus = bus
        whom = f" for `{reader.name}`" if reader is not None else ""
        path = f"{event}@{reader.id}" if reader is not None else event
        self.path = path
        draft, span = bus.draft, topic.span
        self.fifo = topic.ordered and (reader is None or reader.handles)
        if self.fifo:
            for i in range(topic.capacity or 1):
                phrase = f"`{event}` waits{whom}"
                self.waiting.append(draft.place(f"{path}#slot[{i + 1}]", event, phrase, span, bus.subject, CHANNEL))
        else:
            attempts = topic.dead_letter or 1
            for k in range(attempts if reader is None or reader.handles else 1):
                phrase = f"`{event}` waits{whom}" + (f", failed {k} time{'s' * (k > 1)}" if k else "")
                name = path + (f"[{k + 1}]" if attempts > 1 else "")
                self.waiting.append(draft.place(name, event, phrase, span, bus.subject, CHANNEL))
        if topic.guarantee == "at_most_once" or topic.full != "block":
            phrase = f"no `{event}`{whom} has been lost"
            self.kept = draft.place(f"{path}#kept", event, phrase, span, bus.subject, RECORD, 1)
            self.lost = draft.place(f"{path}#lost", event, f"a `{event}`{whom} is lost", span, bus.subject, RECORD)

    def read_by(self, readers: list[Reader]) -> None:
        """Who takes messages out of it. A handler has a message in hand until it has dealt with it."""
        if self.readers:
            return
        self.readers = readers
        topic, draft = self.topic, self._bus.draft
        attempts = topic.dead_letter or 1
        for reader in readers:
            if not reader.handles:
                continue
            self.hands[reader.id] = [
                draft.place(
                    f"{self.event}@{reader.id}#hand" + (f"[{k}]" if attempts > 1 else ""),
                    self.event,
                    f"`{reader.name}` has a `{self.event}` in hand" + (f", attempt {k}" if k > 1 else ""),
                    topic.span,
                    self._bus.subject,
                    CHANNEL,
                )
                for k in range(1, attempts + 1)
            ]
        if topic.dead_letter is not None and self.hands:
            phrase = f"`{self.event}` is put aside for a person"
            self.dead = draft.place(f"{self.path}#dead", self.event, phrase, topic.span, self._bus.subject, RECORD)

    def takes(self) -> list[tuple[str, int, tuple[int, ...], tuple[int, ...]]]:
        """The ways to take a message out: suffix, attempt, what it needs and gives."""
        if not self.fifo:
            many = len(self.waiting) > 1
            return [(f"[{k}]" if many else "", k, (p,), ()) for k, p in enumerate(self.waiting, start=1)]
        heads = self.line.heads
        count = len(heads)
        return [(f"[slot {i + 1}]", 1, (heads[i], self.waiting[i]), (heads[(i + 1) % count],)) for i in range(count)]

    def freed(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """What it takes and gives to free the room of a message."""
        return ((self.line.used,), (self.line.room,)) if self.line.room >= 0 else ((), ())

    def losing(self, put: Put) -> list[Put]:
        """The same with one message lost: the first, and any after it."""
        first = put._replace(pre=(*put.pre, self.kept), post=(*put.post, self.lost))
        later = put._replace(suffix=f"{put.suffix}.again", pre=(*put.pre, self.lost), post=(*put.post, self.lost))
        return [first, later]


class Bus:
    """The topics of one net."""

    def __init__(
        self,
        draft: Draft,
        subject: str,
        topics: Mapping[str, Topic],
        readers: Mapping[str, Sequence[Reader]],
        sent: frozenset[str],
        awaited: frozenset[str],
    ) -> None:
        self.draft = draft
        self.subject = subject
        self.topics = topics
        self.readers = readers
        self.sent = sent
        self.awaited = awaited  # events that somebody waits for, in this net or elsewhere in the file
        self.reader = ""  # the member that is being compiled
        self.handler = ""  # and the handler
        self.published: list[Published] = []
        self.taken: dict[tuple[str, str], list[int]] = {}  # (event, reader) -> the transitions by which it is taken
        self.bounds: dict[str, int] = {}
        self.unjustified = False
        self.stores: dict[str, int] = {}  # path of a task -> the outbox into which it puts a message
        self.stored: dict[str, int] = {}  # path of the publishing that follows it -> the same
        self._lines: dict[tuple[str, str], Line] = {}
        self._queues: dict[tuple[str, str], Queue] = {}
        for event in readers:
            self.queues(event)

    def queues(self, event: str) -> list[Queue]:
        """The queues into which a message of that event is put."""
        topic = self.topics[event.partition(".")[0]]
        readers = self.readers.get(event, ())
        if topic.competing and readers:
            queue = self._queue(topic, event, None)
            queue.read_by(list(readers))
            return [queue]
        found = [self._queue(topic, event, reader) for reader in readers]
        for queue, reader in zip(found, readers, strict=True):
            queue.read_by([reader])
        return found

    def queue(self, event: str, reader: str) -> Queue | None:
        """The queue from which a reader takes messages of that event."""
        for queue in self.queues(event):
            if any(r.id == reader for r in queue.readers):
                return queue
        return None

    def _queue(self, topic: Topic, event: str, reader: Reader | None) -> Queue:
        name = reader.id if reader is not None else ""
        queue = self._queues.get((event, name))
        if queue is None:
            line = self._lines.get((topic.id, name))
            if line is None:
                line = self._lines[topic.id, name] = Line(self, topic, name)
            queue = self._queues[event, name] = Queue(self, line, event, reader)
            line.queues.append(queue)
        return queue

    # -- publishing

    def outboxes(self, parts: Sequence[Statement], path: Callable[[str], str]) -> None:
        """A task directly before a publishing by outbox stores the message, in the transaction of its own."""
        for task, sends in pairwise(parts):
            if isinstance(task, Task) and isinstance(sends, Publish) and self.topics[sends.topic].outbox:
                outbox = self.outbox(path(sends.id), sends.event, sends.id, sends.span)
                self.stores[path(task.id)] = self.stored[path(sends.id)] = outbox

    def outbox(self, path: str, event: str, origin: str, span: Span | None) -> int:
        """The place of messages that are stored and not yet sent."""
        return self.draft.place(f"{path}#outbox", origin, f"`{event}` lies in the outbox", span, self.subject, CHANNEL)

    def publish(
        self, path: str, event: str, pre: tuple[int, ...], post: tuple[int, ...], origin: str, words: str, span: Span | None,
        role: Role = PUBLISH,
    ) -> list[int]:  # fmt: skip
        """The transitions by which a message goes into all its queues at once; a full queue that blocks holds it back."""
        queues = self.queues(event)
        variants = 1
        found: list[list[Put]] = []
        for queue in queues:
            puts = self._puts(queue)
            variants *= len(puts)
            found.append(puts)
        made: list[int] = []
        for chosen in product(*found):
            if len(made) >= MOST_VARIANTS:
                break
            suffix = "".join(put.suffix for put in chosen)
            needs = (*pre, *(p for put in chosen for p in put.pre))
            gives = (*post, *(p for put in chosen for p in put.post))
            told = "".join(dict.fromkeys(put.words for put in chosen))
            made.append(
                self.draft.transition(path + suffix, needs, gives, origin, words + told, span, self.subject, role)
            )
        if role is PUBLISH:
            read = event in self.awaited or self.topics[event.partition(".")[0]].outside
            self.published += [Published(t, event, self.handler, read) for t in made]
        self.draft.quiet.update(made[1:])
        return made

    def _puts(self, queue: Queue) -> list[Put]:
        """The ways in which a queue takes one more message."""
        line, topic = queue.line, queue.topic
        if line.room < 0:
            return [Put("", (), (queue.waiting[0],))]
        room, used = (line.room,), (line.used,)
        free = [Put(s, (*p, *room), (*g, *used)) for s, p, g in self._slots(queue)]
        if topic.full == "block":
            return free
        whom = f" for `{queue.readers[0].name}`" if len(queue.readers) == 1 else ""
        full = used * (topic.capacity or 1)
        if topic.full == "drop_new":
            words = f", and is thrown away: there is no room left{whom}"
            return [*free, *queue.losing(Put(".full", full, full, words))]
        found = list(free)
        for old in line.queues:
            words = f", and an older `{old.event}`{whom} is thrown away to make room"
            for n, (taken, moved) in enumerate(self._oldest(old)):
                for s, p, g in self._slots(queue):
                    put = Put(f"{s}.over.{old.event}[{n + 1}]", (*p, *full, *taken), (*g, *full, *moved), words)
                    found += old.losing(put)
        words = f", and is thrown away: there is no room left{whom}"
        hands = [hand for q in line.queues for those in q.hands.values() for hand in those]
        if topic.guarantee == "at_most_once":
            hands = []  # what is in hand takes up no room
        for n, held in enumerate(combinations(hands, topic.capacity or 1)):
            found += queue.losing(Put(f".held[{n + 1}]", (*full, *held), (*full, *held), words))
        return found

    @staticmethod
    def _slots(queue: Queue) -> list[tuple[str, tuple[int, ...], tuple[int, ...]]]:
        """Where a message goes: into the queue, or with `fifo` into the free slot at its end."""
        tails, line = queue.line.tails, queue.line
        if not queue.fifo:
            return [("", (), (queue.waiting[0],))]
        count = len(tails)
        return [(f"[{i + 1}]", (line.tails[i],), (line.tails[(i + 1) % count], queue.waiting[i])) for i in range(count)]

    @staticmethod
    def _oldest(queue: Queue) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """The ways to take out the message that has waited longest; in a queue without order, any."""
        heads = queue.line.heads
        if not queue.fifo:
            return [((p,), ()) for p in queue.waiting]
        count = len(heads)
        return [((heads[i], queue.waiting[i]), (heads[(i + 1) % count],)) for i in range(count)]

    # -- from outside

    def feed(self) -> None:
        """Messages that nobody in the net publishes come from outside, a number of each."""
        for event in self.readers:
            topic = self.topics[event.partition(".")[0]]
            if event in self.sent and topic.feed is None:
                continue
            count = MOST_FED if topic.feed is None else topic.feed
            self.bounds[f"{event} from outside"] = count
            self.unjustified = self.unjustified or topic.feed is None
            if not count:
                continue
            words = f"`{event}` may still come from outside"
            place = self.draft.place(
                f"{event}#outside", event, words, topic.span, self.subject, PlaceClass.BUDGET, count
            )
            arrives = f"`{event}` arrives from outside"
            made = self.publish(f"{event}#arrives", event, (place,), (), event, arrives, topic.span, ARRIVES)
            self.draft.quiet.update(made)

    def deliveries(self) -> Iterable[tuple[Queue, Reader]]:
        """Every queue with each of its readers."""
        return [(queue, reader) for queue in self._queues.values() for reader in queue.readers]
