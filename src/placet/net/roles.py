"""What transitions are for, in a workflow or saga: the side table that fault weaving, coverage and reports work on."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.net.balance import Balance


class Kind(Enum):
    """What a transition does."""

    ROUTE = "route"  # control flow only
    TASK = "task"  # an activity of the coordinator
    SEND = "send"  # the coordinator sends a request (forward or undo)
    APPLY = "apply"  # the participant carries it out, with effect
    IGNORE = "ignore"  # the participant answers without effect (duplicate, null undo)
    REFUSE = "refuse"  # the participant refuses definitely, without effect
    REPLY = "reply"  # the coordinator learns the outcome
    TIMER = "timer"  # a time-out or timer fires
    ABSORB = "absorb"  # a late reply is thrown away
    FAULT = "fault"  # woven in
    EVENT = "event"  # an outside event arrives
    END = "end"  # a named end
    PUBLISH = "publish"  # a message is sent to a topic
    PASSES = "passes"  # time goes by for what holds calls back from a service: it lets another one through
    TAKE = "take"  # a service begins to handle a message, or a process gets one it waits for


class Role(NamedTuple):
    """The part a transition plays. `step` is the IR id of the saga step, attempts count from 1.

    `how` tells what a participant's APPLY or IGNORE finds: "" the step as it should be, "repeat" one that was done (for
    an undo: undone) already, "revive" one that was undone before, "null" an undo that finds nothing. Of a REPLY "other"
    says that it answers another call than the one that it is taken for, "blocked" that the call was refused before it was made.
    `retries` says of the move after which a call is tried again that it "draws" from a budget of retries, or is its end since all are
    "spent".
    `commits` marks each move by which the coordinator turns from going on to undoing, failing or recovering; the first
    one in a run is where it gives up going on.
    """

    kind: Kind
    step: str = ""
    direction: str = ""  # "forward", "undo" or "" where it is neither
    attempt: int = 0
    service: str = ""
    fault: str = ""  # the fault kind, for Kind.FAULT
    how: str = (
        ""  # "", "repeat", "revive", "null", "other", "blocked"; of time that passes "window" for the limit of a rate
    )
    commits: bool = False
    retries: str = ""  # "", "draws", "spent"
    escalates: bool = False  # hands the case over to a person
    says: str = ""  # of a message its name, of a reply or task how it ended (empty: done), of a timer its time
    ails: int = 0  # of an answer or a time-out: 1 where its service counts as failing by it, -1 where as well
    ways: str = ""  # the id of the parallel that counts or stops its ways by this move


class Channel(NamedTuple):
    """A message in flight: where it lies, for which step, and the token that lets its time-out fire."""

    place: int
    step: str
    direction: str  # forward, undo
    part: str  # request, reply; woven in: copy, a second one of either
    attempt: int
    due: int  # the place a lost or slow message marks; -1 where the call has no time-out
    refuse: int = -1  # the transition by which the participant refuses, where the call has one
    errors: tuple[
        tuple[str, int], ...
    ] = ()  # of a request: the error replies it may get, by name ("" unnamed), and their places
    answered: int = -1  # of a request: the place of the reply that says it was carried out
    again: tuple[str, ...] = ()  # after which outcomes this attempt is made again, for ever: names of errors, "unknown"
    definite: frozenset[str] = frozenset()  # of a request: the errors that it gets only where it was not carried out
    never: tuple[str, ...] = ()  # the faults that cannot befall it


class Step(NamedTuple):
    """A saga step: its class, its dependencies, what its participant guarantees, where it keeps its record."""

    id: str
    saga: str
    service: str
    undo: str  # the name of its undo, or empty
    pivot: bool
    retriable: bool
    read_only: bool
    guarantees: tuple[str, ...]
    depends: tuple[str, ...]  # steps whose effect it builds on
    effect: int  # index of the observer of its net effect
    reply: bool = False  # its undo needs the reply of the step
    shared: tuple[int, ...] = ()  # the places of its participant's record, where another run may have the same key
    key: str = ""  # what it touches at its service, where another run may touch the same thing
    follows: tuple[str, ...] = ()  # the steps directly before it; it builds on all before, where `depends` names none


class Port(NamedTuple):
    """A moment in the life of a saga's coordinator, for what may happen to it then: being cancelled, a crash.

    Its token lies on `place` (and each of `keeps` holds one, which stays). `step`, `direction`, `attempt` tell the call
    that is next (attempt 0) or under way.
    """

    place: int
    saga: str  # the saga that no other one calls
    back: int  # where turning back begins from here; -1 where there is no way back any more
    cancelled: int  # where being cancelled leads; -1 where it is not heard
    crash: str  # what a coordinator does that is back after a crash: resume, undo, forget
    step: str = ""
    direction: str = ""
    attempt: int = 0
    gone: int = -1  # of a call that was made: the record that nobody waits for its replies, where there is one
    scope: int = -1  # number of the innermost Scope, to be told why the saga turns back
    keeps: tuple[int, ...] = ()
    overdue: tuple[Due, ...] = ()
    clocks: tuple[str, ...] = ()  # the paths of all whose time goes by here, whether they hear of it or not
    beside: bool = False  # other tokens of the same saga may be elsewhere, or a caller decides what comes next
    only: tuple[int, ...] = ()  # being cancelled is heard only where these hold tokens


class Due(NamedTuple):
    """What the time-out of a whole saga, of this one or of one that has called it, makes of a moment: see Port."""

    saga: str
    leads: int
    escalates: bool = False  # a person is called
    only: tuple[int, ...] = ()  # it is heard only where these hold tokens


class Scope(NamedTuple):
    """A part of a saga with handlers of errors: once it is back at `undone`, what made it turn back decides."""

    undone: int
    back: int  # where turning back goes on outside
    outer: int  # number of the scope around; -1
    clear: int  # holds a token until an error is remembered; -1 where only one can be raised
    raised: int  # and this one after that


class Way(NamedTuple):
    """A way of a fork: the places at its ends, and the steps in it.

    `sealed`: without faults it always comes to its end, and takes part in nothing but the fork and its join.
    """

    places: tuple[int, ...]
    steps: tuple[str, ...]
    sealed: bool


class Fork(NamedTuple):
    """Where a saga goes several ways at once: the transitions that part and join them, forwards and backwards.

    A fork inside another one is not listed.
    """

    transitions: tuple[int, ...]
    ways: tuple[Way, ...]


class Published(NamedTuple):
    """A transition that sends a message to a topic: which, by which handler or process, and whether anybody reads it."""

    transition: int
    event: str
    handler: str
    read: bool


class Delivery(NamedTuple):
    """The messages of one event for one reader: where they wait, where they are while they are handled, what can befall them.

    A process that waits for messages has no `handler`, and none of the places from `idle` on.
    """

    event: str
    topic: str
    reader: str  # as the user wrote it
    guarantee: str  # exactly_once, at_least_once, at_most_once
    waiting: tuple[int, ...]  # places; several for attempts and slots
    takes: tuple[int, ...]  # transitions
    handler: str = ""  # the id of the handler
    process: str = ""  # or of the process that waits for it
    hands: tuple[int, ...] = ()  # by attempt
    idle: int = -1
    start: int = -1  # where the body of the handler begins
    finished: int = -1  # and where it has come to its end
    failed: int = -1  # or has failed; -1 where it cannot
    moments: tuple[int, ...] = ()  # the places of the handler's body
    crashed: tuple[tuple[int, ...], ...] = ()  # by attempt: what is given back after a crash, `idle` included
    dedup: bool = False
    window: int | None = None  # messages handled after which a second copy is not recognised any more
    freed: tuple[int, int] = (-1, -1)  # the places of used and free room, where waiting messages take up some
    kept: int = -1  # holds a token until a message is lost
    lost: int = -1  # and this one after that
    double: tuple[int, ...] = ()  # the places where a second copy of a message is in hand


class Roles(NamedTuple):
    """Roles of all transitions of a net, its message channels, its saga steps, and the moments of its coordinators."""

    transitions: tuple[Role, ...]
    channels: tuple[Channel, ...] = ()
    steps: tuple[Step, ...] = ()
    ports: tuple[Port, ...] = ()
    scopes: tuple[Scope, ...] = ()
    forks: tuple[Fork, ...] = ()
    others: tuple[Step, ...] = ()  # those of a second run beside the one that is looked at
    deliveries: tuple[Delivery, ...] = ()
    published: tuple[Published, ...] = ()
    common: tuple[int, ...] = ()  # places that all runs have in common: the limits of services
    balances: tuple[Balance, ...] = ()  # sums of tokens that every transition keeps
    writes: tuple[tuple[str, str], ...] = ()  # ids of a task and of the publishing that belongs to it


PLAIN = Role(Kind.ROUTE)


def builders(steps: tuple[Step, ...]) -> dict[str, frozenset[str]]:
    """By id of a step, the steps that build on it, but for those that only read. O(steps^2) in a long sequence.

    A step builds on those that it names, and where it names none on all before it.
    """
    before: dict[str, frozenset[str]] = {}
    for step in steps:  # in the order of the text: what comes before is known
        before[step.id] = frozenset(step.follows).union(*(before.get(f, frozenset()) for f in step.follows))
    found: dict[str, set[str]] = {s.id: set() for s in steps}
    for step in steps:
        for on in step.depends or before[step.id]:
            if on in found and not step.read_only:
                found[on].add(step.id)
    return {s: frozenset(on_it) for s, on_it in found.items()}
