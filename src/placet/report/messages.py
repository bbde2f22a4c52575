"""Violations about messages, told to their reader: which message, for whom, what became of it, and what would help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.evidence import Cycles, Grows
from placet.net.roles import Kind
from placet.report.run import onwards, phrase_of, tells
from placet.report.words import counted, listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placet.net.roles import Delivery
    from placet.report.run import Run

CONSUMED = ("all_consumed", "anomaly_A22", "anomaly_A23")
_LOOPS = ("no_event_loop", "anomaly_A23")


def headline(run: Run) -> str:
    """What goes wrong, in one clause; empty where it is nothing about messages."""
    check, subject = run.query.check, quoted(run.compiled.subject)
    claim = run.violated.claim
    if isinstance(claim, Cycles) and check in _LOOPS:
        return f"messages of {subject} go round for ever: {_round(run)}"
    if isinstance(claim, Grows) and (check in _LOOPS or _queue(run, claim.place) is not None):
        return f"messages pile up in {subject} without limit: {phrase_of(run, claim.place)}"
    if check in ("no_dual_write", "anomaly_A20"):
        for task, message in _half(run):
            return f"{task}, {message}, and nothing will change that"
    if check == "handled_once":
        for d in run.compiled.roles.deliveries:
            if set(d.double) & set(run.violated.culprits):
                return f"{quoted(d.event)} is delivered twice, and {quoted(d.reader)} handles it again"
    if check in ("no_orphan", "anomaly_A23"):
        unread = _unread(run)
        if unread:
            return f"{listed([quoted(e) for e in unread])} is published, and nobody reads it"
    if check in CONSUMED:
        return _forgotten(run)
    if check == "no_dead_handler":
        handlers = [d for d in run.compiled.roles.deliveries if set(d.takes) & set(run.violated.culprits)]
        return f"nothing ever reaches {listed([f'{quoted(d.reader)} as {quoted(d.event)}' for d in handlers])}"
    if check == "bounded" and run.query.predicate is not None:
        for topic, reader, count in _crowds(run):
            return f"{counted(count, 'message')} of {quoted(topic)} wait for {quoted(reader)} at once"
    return ""


def reasons(run: Run) -> Iterator[str]:
    """Clauses that say why; none where it is nothing about messages."""
    check, claim = run.query.check, run.violated.claim
    if isinstance(claim, Cycles) and check in _LOOPS:
        yield f"steps {run.number(run.loop or 0)} to {run.number(len(run.steps) - 1)} can be repeated for ever"
        return
    if check == "deadlock_free":
        yield from dict.fromkeys(_blocked(run))
    if isinstance(claim, Grows) or check not in CONSUMED:
        return
    lost = [d for d in run.compiled.roles.deliveries if d.lost >= 0 and run.last[d.lost]]
    for d in lost:
        n = next((n for n, t in enumerate(run.fired) if dict(run.compiled.net.post[t]).get(d.lost)), None)
        if n is not None:
            yield f"{quoted(d.event)} for {quoted(d.reader)} is gone since step {run.number(n)}, and nobody sends it again"
    if lost:
        return
    left = _left(run)
    if left:
        yield f"from then on there is always a {quoted(left[0].event)} that {_readers(left)} has not dealt with"
    told = onwards(run.compiled, run.last)[1]
    phrases = list(dict.fromkeys(run.compiled.origin.transitions[t].phrase for t in told if tells(run.compiled, t)))
    if phrases:
        yield f"all that can still happen is this, again and again: {'; '.join(phrases[:6])}"


def advice(run: Run) -> Iterator[str]:
    """What may be changed; often none."""
    check, claim = run.query.check, run.violated.claim
    if isinstance(claim, Cycles | Grows) and check in _LOOPS:
        yield "let a handler publish another event than one that leads back to it, or stop when there is nothing left to do"
        return
    if isinstance(claim, Grows):
        queue = _queue(run, claim.place)
        if queue is not None:
            yield f"give {quoted(queue.topic)} a `capacity`, and say what a full one does: `block`, `drop_old` or `drop_new`"
        return
    if check == "handled_once":
        topic = next((d.topic for d in run.compiled.roles.deliveries if set(d.double) & set(run.violated.culprits)), "")
        yield f"let the reader remember what it has handled: `topic {topic} {{ dedup }}`"
    elif check in ("no_dual_write", "anomaly_A20"):
        yield "store the message in the transaction of the task, and send it from there: `outbox`"
    elif check in ("no_orphan", "anomaly_A23") and _unread(run):
        event = _unread(run)[0]
        yield f"write `on {event} {{ ... }}`, or say that other systems read the topic: `outside`"
    elif check in CONSUMED:
        yield from _kept(run)
    elif check == "bounded":
        for topic, _, _ in _crowds(run):
            yield f"let publishers of {quoted(topic)} wait while it is full: `topic {topic} {{ capacity {run.query.bound} }}`"
            return
    elif check == "deadlock_free" and list(_blocked(run)):
        yield "give one of these queues more room, or let a handler publish last, when it needs nothing else any more"


def _blocked(run: Run) -> Iterator[str]:
    """Who is about to publish into a full queue, and whose."""
    net, last = run.compiled.net, run.last
    for p in run.compiled.roles.published:
        lacking = [q for q, w in net.pre[p.transition] if last[q] < w]
        if not lacking or not all(net.places[q].endswith("#room") for q in lacking):
            continue
        who = run.compiled.origin.transitions[p.transition].phrase.partition(" publishes")[0]
        readers = list(dict.fromkeys(quoted(net.places[q].partition("#")[0].rpartition("/")[2]) for q in lacking))
        yield f"{who} cannot publish {quoted(p.event)}: there is no room left for {listed(readers)}"


def _kept(run: Run) -> Iterator[str]:
    for d in run.compiled.roles.deliveries:
        if d.lost >= 0 and run.last[d.lost]:
            dropped = any(
                dict(run.compiled.net.post[t]).get(d.lost) and run.compiled.roles.transitions[t].kind is not Kind.FAULT
                for t in run.fired
            )
            if dropped and d.guarantee != "at_most_once":
                yield f"let publishers of {quoted(d.topic)} wait while it is full (`block`), or give it more room"
            else:
                yield f"let {quoted(d.topic)} keep its messages until they are acknowledged: `at_least_once`"
            return
    for d in _left(run):
        if d.handler and d.failed >= 0 and d.guarantee != "at_most_once" and not _limited(run, d):
            yield f"put a message aside whose handler keeps failing: `topic {d.topic} {{ dead_letter after 3 }}`"
            return
    yield from dict.fromkeys(_comes_again(run))


def _comes_again(run: Run) -> Iterator[str]:
    """A message that was handled twice, so that there is one answer more than somebody waits for."""
    net, roles = run.compiled.net, run.compiled.roles
    for t in run.fired:
        taken, given = dict(net.pre[t]), dict(net.post[t])
        for d in roles.deliveries if roles.transitions[t].kind is Kind.FAULT else ():
            if roles.transitions[t].fault == "duplicate" and any(p in given for p in (*d.waiting, *d.double)):
                yield f"let the reader remember what it has handled: `topic {d.topic} {{ dedup }}`"
            elif roles.transitions[t].fault == "crash" and d.handler and any(p in taken for p in d.hands):
                yield (
                    f"let {quoted(d.reader)} handle {quoted(d.event)} and publish what follows in one transaction "
                    f"(`topic {d.topic} {{ exactly_once }}`): else it publishes again what it had published before it crashed"
                )


def _limited(run: Run, delivery: Delivery) -> bool:
    name = f"{delivery.event}@"
    return any(p.startswith(name) and p.endswith("#dead") for p in run.compiled.net.places)


def _queue(run: Run, place: int) -> Delivery | None:
    return next((d for d in run.compiled.roles.deliveries if place in d.waiting), None)


def _left(run: Run) -> list[Delivery]:
    """The deliveries with messages that stay at the end of the run."""
    named = frozenset(run.violated.culprits)
    return [d for d in run.compiled.roles.deliveries if not named.isdisjoint((*d.waiting, *d.hands))]


def _forgotten(run: Run) -> str:
    lost = [d for d in run.compiled.roles.deliveries if d.lost >= 0 and run.last[d.lost]]
    if lost:
        return f"{quoted(lost[0].event)} for {quoted(lost[0].reader)} is lost, and nobody ever reads it"
    left = _left(run)
    if not left:
        return f"in {quoted(run.compiled.subject)} there is always some message that nobody has dealt with"
    return f"{quoted(left[0].event)} is never dealt with by {_readers(left)}"


def _readers(left: list[Delivery]) -> str:
    """Who could have dealt with the first message that stays."""
    return listed(list(dict.fromkeys(quoted(d.reader) for d in left if d.event == left[0].event)), "or")


def _round(run: Run) -> str:
    """The events of the repeated part, in their order."""
    events = {t: d.event for d in run.compiled.roles.deliveries for t in d.takes}
    found = list(dict.fromkeys(events[t] for t in run.fired[run.loop or 0 :] if t in events))
    first = quoted(found[0]) if found else ""
    if len(found) < 2:
        return f"{first} leads to {first} again"
    return f"{first} leads to {listed([quoted(e) for e in found[1:]])}, and that to {first} again"


def _unread(run: Run) -> list[str]:
    events = {p.transition: p.event for p in run.compiled.roles.published if not p.read}
    return list(dict.fromkeys(events[t] for t in run.fired if t in events))


def _half(run: Run) -> Iterator[tuple[str, str]]:
    """The tasks and messages of which one came without the other."""
    done = {
        run.compiled.origin.transitions[t].id for t in run.fired if run.compiled.roles.transitions[t].kind is Kind.TASK
    }
    sent = {
        run.compiled.origin.transitions[t].id
        for t in run.fired
        if run.compiled.roles.transitions[t].kind is Kind.PUBLISH
    }
    for task, message in run.compiled.roles.writes:
        name = quoted(task.rpartition("/")[2])
        event = quoted(message.rpartition("publish(")[2].partition(")")[0])
        if task in done and message not in sent:
            yield f"{name} is done", f"{event} was never published"
        elif message in sent and task not in done:
            yield f"{event} was published", f"{name} was never done"


def _crowds(run: Run) -> Iterator[tuple[str, str, int]]:
    asked = run.query.label.partition("(")[2].partition(",")[0]
    counts: dict[tuple[str, str], set[int]] = {}
    for d in run.compiled.roles.deliveries:
        if d.topic == asked:
            counts.setdefault((d.topic, d.reader), set()).update(d.waiting)
    for (topic, reader), places in counts.items():
        count = sum(run.last[p] for p in places)
        if count > run.query.bound:
            yield topic, reader, count
