"""A choreography, or a whole system, as one net: its members side by side, joined by the queues of their topics.

Each service is a token that waits, `idle`, and is away while a message is handled. Processes run beside it. Final is where
nothing is going on and no message is left; which end a process reached is a record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile import draft, scopes
from placet.compile.bus import Bus, Reader
from placet.compile.choreographies import Members, messages
from placet.compile.draft import CONTROL, RECORD, TooLargeError
from placet.compile.env import Agenda, Env, Frame, Top
from placet.compile.ports import begins
from placet.compile.survey import Survey
from placet.compile.value_table import Values
from placet.compile.values import chosen_first, used_by
from placet.compile.vocabulary import Calls, statements
from placet.compile.workflow_to_net import PLAIN, SAGA, assumed
from placet.diagnostics import Diagnostic
from placet.ir import model as ir
from placet.net.final import PlaceClass
from placet.net.roles import Delivery, Kind, Role
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placet.compile.bus import Queue
    from placet.compiled import Compiled
    from placet.source import Span

TAKE = Role(Kind.TAKE)
HANDLED = Role(Kind.ROUTE)


class Part(NamedTuple):
    """What is compiled into one net: processes that run on their own, and choreographies."""

    subject: str
    kind: str
    processes: tuple[ir.Process, ...]
    choreographies: tuple[ir.Choreography, ...]
    span: Span | None


def joint(part: Part, model: ir.Model) -> tuple[Compiled, tuple[Diagnostic, ...]]:
    """The net of a part of a model, without queries. Linear in its size, but for full queues that drop messages."""
    processes = {p.id: p for p in model.processes}
    try:
        return _Joint(part, model, processes).build()
    except TooLargeError:
        large = Diagnostic(
            "P217", "error", f"`{part.subject}` becomes a net of more than {draft.LIMIT:,} places and transitions", part.span,
            help="lower the capacities of its topics and the bounds of its loops",
        )  # fmt: skip
        return _Joint(part._replace(processes=(), choreographies=()), model, processes).build()[0], (large,)


class _Joint:
    def __init__(self, part: Part, model: ir.Model, processes: Mapping[str, ir.Process]) -> None:
        self._part = part
        self._processes = processes
        roots = part.processes
        empty = ir.Process(part.subject, "workflow", ir.Sequence(f"{part.subject}{{}}", ()), ())
        self._survey = Survey(empty, processes)
        self._handlers = {
            r.id: ir.Process(r.id, "workflow", r.body, r.ends, span=r.span)
            for c in part.choreographies
            for r in c.reactions
        }
        for process in (*roots, *self._handlers.values()):
            self._survey.add(process)
        targets = {
            p.id: frozenset(s.target for s in statements(p.body) if isinstance(s, ir.Call) and not s.detached)
            for p in model.processes
        }
        calls = Calls(targets)
        self._bodies: dict[str, list[ir.Statement]] = {
            p.id: [processes[name].body for name in calls.reach(p.id) if name in processes] for p in roots
        }
        readers: dict[str, list[Reader]] = {}
        sent: set[str] = set()
        for root, bodies in self._bodies.items():
            for body in bodies:
                sends, awaits = messages(body)
                sent |= sends
                for event in sorted(awaits):
                    self._read(readers, event, Reader(root, handles=False))
        for choreography in part.choreographies:
            for reaction in choreography.reactions:
                service = f"{choreography.id}/{reaction.service}"
                self._read(readers, reaction.event, Reader(service, handles=True))
            for reaction in choreography.reactions:
                called = [s.target for s in statements(reaction.body) if isinstance(s, ir.Call)]
                inside = [processes[n].body for t in called for n in calls.reach(t) if n in processes]
                for body in (reaction.body, *inside):
                    sends, awaits = messages(body)
                    sent |= sends
                    for event in sorted(awaits):
                        self._read(readers, event, Reader(f"{choreography.id}/{reaction.service}", handles=False))
        known = {v.id: v for v in (*model.variables, *(v for p in model.processes for v in p.variables))}
        self._common = model.variables
        used = {name for p in (*roots, *self._handlers.values()) for name in used_by(p, processes)} if known else set()
        self._agenda = Agenda(self._survey, PLAIN, SAGA, begins, Values(known, used))
        topics = {t.id: t for t in model.topics}
        self._bus = Bus(self._agenda.draft, part.subject, topics, readers, frozenset(sent), self._elsewhere(model))
        self._agenda.bus = self._bus
        self._deliveries: list[Delivery] = []
        self._handled: list[str] = []  # by delivery, the path of its service

    def _elsewhere(self, model: ir.Model) -> frozenset[str]:
        """The events that somebody in the file waits for."""
        members = Members(self._processes, model.choreographies)
        return frozenset().union(*members.awaited.values())

    @staticmethod
    def _read(readers: dict[str, list[Reader]], event: str, reader: Reader) -> None:
        known = readers.setdefault(event, [])
        if all(r.id != reader.id for r in known):
            known.append(reader)

    def build(self) -> tuple[Compiled, tuple[Diagnostic, ...]]:
        """All members, then what comes from outside."""
        part, agenda, bus = self._part, self._agenda, self._bus
        self._given()
        for process in part.processes:
            self._process(process)
        for choreography in part.choreographies:
            self._choreography(choreography)
        bus.feed()
        self._received()
        agenda.bounds |= bus.bounds
        agenda.unjustified = agenda.unjustified or bus.unjustified
        agenda.draft.deliveries = self._deliveries
        agenda.draft.published = bus.published
        for process in (*part.processes, *self._handlers.values()):
            agenda.draft.writes += _writes(process.body)
        assumptions = assumed(agenda)
        compiled = agenda.draft.compiled(part.subject, part.kind, (), assumptions, quiet=True)
        return compiled, (*self._survey.diagnostics, *agenda.diagnostics)

    def _given(self) -> None:
        """What variables of the model may have any value at first get one."""
        chosen = [v for v in self._common if v.initial is None and v.id in self._agenda.values.used]
        if not chosen:
            return
        subject, made = self._part.subject, self._agenda.draft
        frame = Frame(ir.Process(subject, "workflow", ir.Sequence(f"{subject}{{}}", ()), ()), subject)
        start = made.place(f"{subject}#start", subject, "nothing is known yet", self._part.span, subject, tokens=1)
        over = chosen_first(self._agenda, start, Env(frame, subject, subject, "", Top(frame)), chosen)
        made.classes[over] = RECORD

    # -- processes

    def _process(self, process: ir.Process) -> None:
        """A process runs once; one that a message starts and that has no saga steps, once for each such message."""
        agenda, made = self._agenda, self._agenda.draft
        frame = Frame(process, process.id)
        frame.root = True
        self._bus.reader = self._bus.handler = process.id
        waits = started_by(process.body)
        start = made.place(
            f"{process.id}#start", process.id,
            f"`{frame.name}` waits for the message that starts it" if waits else f"`{frame.name}` is about to start",
            process.span, process.id, tokens=1,
        )  # fmt: skip
        first = start
        if process.variables:
            first = chosen_first(agenda, start, Env(frame, frame.path, process.id, "", Top(frame)), ())
        scopes.enter(agenda, frame, first, None)
        agenda.run()
        again = waits and not self._survey.of(process.body).steps and not process.variables
        made.classes[start] = PlaceClass.RESOURCE if again else RECORD if waits else CONTROL
        for name, place in frame.ends.items():
            if not again:
                made.classes[place] = RECORD
                continue
            words = f"`{frame.name}` is ready for the next message"
            made.quiet.add(
                made.transition(
                    f"{process.id}#next.{name}", (place,), (start,), process.id, words, process.span, process.id
                )
            )

    def _received(self) -> None:
        """What processes, and handlers in their middle, wait for."""
        known = {(d.event, reader) for d, reader in zip(self._deliveries, self._handled, strict=True)}
        for queue, reader in self._bus.deliveries():
            if (queue.event, reader.id) in known:
                continue
            takes = tuple(self._bus.taken.get((queue.event, reader.id), ()))
            self._deliveries.append(self._delivery(queue, reader, takes)._replace(process=reader.id))

    def _delivery(self, queue: Queue, reader: Reader, takes: tuple[int, ...]) -> Delivery:
        room = (queue.line.used, queue.line.room)
        return Delivery(
            queue.event, queue.topic.id, reader.name, queue.topic.guarantee, tuple(queue.waiting), takes,
            freed=room, kept=queue.kept, lost=queue.lost, dedup=queue.topic.dedup, window=queue.topic.window,
        )  # fmt: skip

    # -- choreographies

    def _choreography(self, choreography: ir.Choreography) -> None:
        """Each service is one token: it handles a message, or waits for the next."""
        made = self._agenda.draft
        for service in choreography.services:
            path = f"{choreography.id}/{service}"
            mine = [r for r in choreography.reactions if r.service == service]
            if not mine:
                continue
            idle = made.place(
                f"{path}#idle",
                path,
                f"`{service}` waits for a message",
                choreography.span,
                path,
                PlaceClass.RESOURCE,
                1,
            )
            for reaction in mine:
                self._reaction(reaction, path, idle)

    def _reaction(self, reaction: ir.Reaction, service: str, idle: int) -> None:
        agenda, made, bus = self._agenda, self._agenda.draft, self._bus
        queue = bus.queue(reaction.event, service)
        if queue is None:
            return
        process = self._handlers[reaction.id]
        frame = Frame(process, reaction.id)
        frame.name = reaction.service
        bus.reader, bus.handler = service, reaction.id
        first = len(made.names)
        words = f"`{reaction.service}` begins to handle `{reaction.event}`"
        start = made.place(f"{reaction.id}#start", reaction.id, words, reaction.span, reaction.id)
        scopes.enter(agenda, frame, start, None)
        agenda.run()
        bus.handler = ""
        for name in frame.ends:  # that it ends is no news of a handler
            ends = made.transitions.get(f"{reaction.id}#ends.{name}")
            if ends is not None:
                made.roles[ends] = HANDLED
                made.quiet.add(ends)
        failed = frame.ends.pop("failed", -1)
        finished = self._finished(frame, reaction)
        moments: tuple[int, ...] = (start,)
        if not self._survey.of(reaction.body).forks:  # one token, wherever it is; else it is found before it forks only
            body = range(first, len(made.names))
            moments = tuple([p for p in body if made.classes[p] is CONTROL and p not in (finished, failed)])
        hands = queue.hands[service]
        takes = [
            made.transition(
                f"{reaction.id}#take{suffix}", (idle, *pre, *(queue.freed()[0] if self._forgets(queue) else ())),
                (start, hands[attempt - 1], *post, *(queue.freed()[1] if self._forgets(queue) else ())), reaction.id,
                f"`{reaction.service}` takes `{reaction.event}`" + (f" again, attempt {attempt}" if attempt > 1 else ""),
                reaction.span, reaction.id, TAKE,
            )
            for suffix, attempt, pre, post in queue.takes()
        ]  # fmt: skip
        for transition in takes:
            made.step(reaction.id, transition)
        delivery = self._delivery(queue, Reader(service, handles=True), tuple(takes))
        delivery = delivery._replace(
            handler=reaction.id,
            hands=tuple(hands),
            idle=idle,
            start=start,
            finished=finished,
            failed=failed,
            moments=moments,
        )
        crashed: list[tuple[int, ...]] = []
        for attempt, hand in enumerate(hands, start=1):
            crashed.append(self._dealt_with(reaction, queue, delivery, attempt, hand))
        if queue.topic.copies > 1:
            renewed, double = self._copies(reaction, queue, delivery)
            delivery = delivery._replace(takes=(*delivery.takes, *renewed), double=double)
        self._deliveries.append(delivery._replace(crashed=tuple(crashed)))
        self._handled.append(service)

    @staticmethod
    def _forgets(queue: Queue) -> bool:
        return queue.topic.guarantee == "at_most_once"

    def _finished(self, frame: Frame, reaction: ir.Reaction) -> int:
        """The one place where the body has come to its end, whichever it is."""
        made = self._agenda.draft
        ends = list(frame.ends.items())
        if len(ends) == 1:
            return ends[0][1]
        words = f"`{reaction.service}` is done with `{reaction.event}`"
        finished = made.place(f"{reaction.id}#handled", reaction.id, words, reaction.span, reaction.id)
        for name, place in ends:
            path = f"{reaction.id}#handled.{name}"
            made.quiet.add(made.transition(path, (place,), (finished,), reaction.id, words, reaction.span, reaction.id))
        return finished

    def _dealt_with(
        self, reaction: ir.Reaction, queue: Queue, delivery: Delivery, attempt: int, hand: int
    ) -> tuple[int, ...]:
        """What becomes of a message in hand once its handler is done or has failed; gives what a crash gives back."""
        made, topic = self._agenda.draft, queue.topic
        many = f"[{attempt}]" if len(delivery.hands) > 1 else ""
        used, room = ((), ()) if self._forgets(queue) else queue.freed()
        event, service = reaction.event, reaction.service

        def does(name: str, pre: tuple[int, ...], post: tuple[int, ...], words: str) -> int:
            return made.transition(
                f"{reaction.id}#{name}{many}", pre, post, reaction.id, words, reaction.span, reaction.id, HANDLED
            )

        done = does(
            "done", (delivery.finished, hand, *used), (delivery.idle, *room), f"`{service}` has handled `{event}`"
        )
        made.quiet.add(done)
        needs = (delivery.failed, hand)
        if self._forgets(queue):
            if delivery.failed >= 0:
                words = f"`{service}` has failed, and `{event}` is lost"
                does("lost", (*needs, queue.kept), (delivery.idle, queue.lost), words)
                again = does("lost.again", (*needs, queue.lost), (delivery.idle, queue.lost), words)
                made.quiet.add(again)
            return ()
        if topic.dead_letter is not None and attempt == topic.dead_letter:
            if delivery.failed >= 0:
                words = (
                    f"`{service}` has failed {attempt} time{'s' * (attempt > 1)}: `{event}` is put aside for a person"
                )
                does("dead", (*needs, *used), (delivery.idle, queue.dead, *room), words)
            return (delivery.idle, queue.dead, *room)
        after = attempt if topic.dead_letter is not None else attempt - 1
        words = f"`{service}` has failed, and `{event}` comes again"
        given = (delivery.idle, queue.waiting[0 if queue.fifo else after])
        if queue.fifo:  # the next one must not overtake it
            given = (delivery.start, delivery.hands[after])
        if delivery.failed >= 0:
            does("again", needs, given, words)
        return given

    def _copies(self, reaction: ir.Reaction, queue: Queue, delivery: Delivery) -> tuple[list[int], tuple[int, ...]]:
        """A message may come several times: while it is in hand, the broker takes its reader for dead."""
        made, event, service = self._agenda.draft, reaction.event, reaction.service
        span, actor = reaction.span, reaction.id
        path = f"{event}@{reaction.id.partition('[')[0]}"
        copy = made.place(
            f"{path}#copy", event, f"a copy of `{event}` waits for `{service}`", span, actor, draft.CHANNEL
        )
        held = made.place(
            f"{path}#hand.copy", event, f"`{service}` has a copy of `{event}` in hand", span, actor, draft.CHANNEL
        )
        left = queue.topic.copies - 1
        spare = [
            made.place(
                f"{path}#copies[{n}]", event, f"`{event}` may come {n} more times", span, actor, RECORD, int(n == left)
            )
            for n in range(left + 1)
        ]
        for hand in delivery.hands:
            for n in range(left, 0, -1):
                words = f"`{event}` is delivered again before `{service}` has acknowledged it"
                made.transition(
                    f"{path}#repeat[{n}]" + (f"[{made.names[hand].rpartition('[')[2]}" if len(delivery.hands) > 1 else ""),
                    (hand, spare[n]), (hand, spare[n - 1], copy), event, words, span, actor, HANDLED,
                )  # fmt: skip
        fresh = [t for t in delivery.takes if (delivery.hands[0], 1) in made.post[t]]
        renewed = [copy for t in fresh for copy in self._renews(t, spare, left)]  # each message has its own
        if queue.topic.dedup:
            words = f"the copy of `{event}` is recognised and thrown away"
            absorbed = made.transition(f"{path}#recognised", (copy,), (), event, words, span, actor, Role(Kind.ABSORB))
            made.quiet.add(absorbed)
            return renewed, ()
        words = f"`{service}` takes a copy of `{event}`"
        made.quiet.add(
            made.transition(
                f"{path}#take.copy",
                (delivery.idle, copy),
                (delivery.start, held),
                reaction.id,
                words,
                span,
                actor,
                TAKE,
            )
        )
        for name, place in (("done", delivery.finished), ("failed", delivery.failed)):
            if place >= 0:
                words = f"`{service}` has handled the copy of `{event}`"
                made.quiet.add(
                    made.transition(
                        f"{path}#{name}.copy", (place, held), (delivery.idle,), reaction.id, words, span, actor
                    )
                )

        return renewed, (held,)

    def _renews(self, transition: int, spare: Sequence[int], left: int) -> list[int]:
        """A new message may come as often as any: the transition that takes it sets the count anew, whatever it was."""
        made = self._agenda.draft
        origin = made.transition_origins[transition]
        name = list(made.transitions)[transition]
        pre = [p for p, w in made.pre[transition] for _ in range(w)]
        post = [p for p, w in made.post[transition] for _ in range(w)]
        found: list[int] = []
        for n in range(left):
            copy = made.transition(
                f"{name}.renewed[{n}]", (*pre, spare[n]), (*post, spare[left]), origin.id, origin.phrase, origin.span,
                origin.actor, TAKE,
            )  # fmt: skip
            made.step(origin.id, copy)
            found.append(copy)
        units = made.units
        made.pre[transition] = tuple(sorted((*made.pre[transition], units[spare[left]])))
        made.post[transition] = tuple(sorted((*made.post[transition], units[spare[left]])))
        return found


def started_by(body: ir.Statement) -> bool:
    """Whether a message starts the process: the first thing that happens in it is to receive one."""
    at = body
    while isinstance(at, ir.Sequence | ir.Scope | ir.Beside):
        if isinstance(at, ir.Scope | ir.Beside):
            at = at.body
        elif at.parts:
            at = at.parts[0]
        else:
            return False
    return isinstance(at, ir.Receive) and bool(at.topic)


def _writes(body: ir.Statement) -> list[tuple[str, str]]:
    """For each publishing the task that it belongs to: the one directly before it, else the one directly after."""
    found: list[tuple[str, str]] = []
    for statement in statements(body):
        if not isinstance(statement, ir.Sequence):
            continue
        parts = statement.parts
        for n, part in enumerate(parts):
            if not isinstance(part, ir.Publish):
                continue
            near = [parts[i] for i in (n - 1, n + 1) if 0 <= i < len(parts) and isinstance(parts[i], ir.Task)]
            if near:
                found.append((near[0].id, part.id))
    return found


def joins(model: ir.Model) -> bool:
    """Whether the system is more than its parts: some of them sends messages to another one."""
    return Members({p.id: p for p in model.processes}, model.choreographies).joined()


def parts(model: ir.Model) -> list[Part]:
    """What can be compiled as one net: each choreography, and the system where it joins anything."""
    found = [Part(c.id, "choreography", (), (c,), c.span) for c in model.choreographies]
    if model.system:
        processes = {p.id: p for p in model.processes}
        members = Members(processes, model.choreographies)
        roots = tuple([processes[name] for name in members.sent if name in processes])
        found.append(Part(model.system, "system", roots, model.choreographies, None))
    return found
