"""One run of a net, chosen at random, told in the words of the model.

The same seed gives the same run on every machine and every Python: of the generator only `random()` is used, whose
sequence is fixed for a seed, and among the enabled transitions, in their order, each is as likely as any other. Where the
model says how long something takes, the clocks of `clocks` decide instead.
"""

from __future__ import annotations

from enum import Enum
from random import Random
from typing import TYPE_CHECKING

from placet.errors import UsageError
from placet.net.final import PlaceClass
from placet.net.roles import Kind
from placet.simulate.clocks import ARRIVALS, Clocks
from placet.simulate.scheduler import Scheduler
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compiled import Compiled

MOST_STEPS = 10_000


class Outcome(Enum):
    """How a run came out."""

    ENDED = "ended"  # in a final marking
    STUCK = "stuck"  # nothing more can happen, and it is not over
    RUNNING = "running"  # the limit of steps was reached


class Event(NamedTuple):
    """One firing. `shown` is false for bookkeeping that a reader need not see."""

    transition: int
    id: str
    phrase: str
    service: str  # its lane; empty for the coordinator
    kind: str  # as in `net.roles.Kind`
    fault: str
    shown: bool
    seconds: float | None = None  # since the beginning, where times are known


class Run(NamedTuple):
    """A run: what happened, and how it came out.

    `ends` are the ids of the end places that are marked at its end, `left` what else is still under way then (phrases).
    """

    subject: str
    seed: int
    events: tuple[Event, ...]
    outcome: Outcome
    ends: tuple[str, ...]
    left: tuple[str, ...]
    marking: tuple[int, ...]
    seconds: float | None = None  # how long it took, where times are known

    @property
    def end(self) -> str:
        """The name of the end that was reached, such as `completed`; empty where none was."""
        return " and ".join(name_of_end(e) for e in self.ends) if self.outcome is Outcome.ENDED else ""

    @property
    def told(self) -> str:
        """How it came out, as a clause."""
        steps = f"{len(self.events)} step" + ("" if len(self.events) == 1 else "s")
        if self.seconds is not None:
            steps += f" and {duration(self.seconds)}"
        if self.outcome is Outcome.ENDED:
            return f"ended `{self.end}` after {steps}" if self.end else f"came to rest after {steps}"
        if self.outcome is Outcome.RUNNING:
            return f"still running after {steps}"
        rest = f", with {self.left[0]}" if self.left else ""
        return f"stuck after {steps}{rest}" + (f" and {len(self.left) - 1} more" if len(self.left) > 1 else "")


def run(compiled: Compiled, seed: int = 0, max_steps: int = MOST_STEPS, arrivals: float = ARRIVALS) -> Run:
    """Run until a final marking is reached, nothing is enabled, or `max_steps` transitions have fired.

    Faults happen only where they were woven in. `arrivals`: seconds until an event from outside comes, on the average; asked
    for only where the model has times. O(arcs near each firing). Raises UsageError for a negative limit.
    """
    if max_steps < 0:
        raise UsageError("a run cannot have fewer than 0 steps")
    dice = Random(seed)  # noqa: S311 - no secret hangs on it
    scheduler = Scheduler(compiled.net, compiled.initial)
    watch = Finality(compiled)
    fired: list[int] = []
    clocks = Clocks(compiled, dice, arrivals) if compiled.timing else None
    times: list[float] = []
    while len(fired) < max_steps and scheduler.enabled and not watch.over:
        if clocks is None:
            t = scheduler.enabled[int(dice.random() * len(scheduler.enabled))]
        else:
            t = clocks.choose(scheduler.enabled)
            times.append(clocks.now)
        watch.moved(scheduler.fire(t))
        fired.append(t)
    if watch.final or (not scheduler.enabled and watch.final_but_for_messages):
        outcome = Outcome.ENDED
    else:
        outcome = Outcome.RUNNING if scheduler.enabled else Outcome.STUCK
    marking = tuple(scheduler.tokens)
    ends = tuple(compiled.net.places[p] for p in compiled.final.ends if marking[p])
    events = tuple(_event(compiled, t) for t in fired)
    if clocks is not None:
        events = tuple(event._replace(seconds=at) for event, at in zip(events, times, strict=True))
    took = clocks.now if clocks is not None else None
    return Run(compiled.subject, seed, events, outcome, ends, _left(compiled, marking), marking, took)


def duration(seconds: float) -> str:
    """A time as people say it: `80 ms`, `12.3 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, name, below, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= unit:
            rest = whole % unit // below
            return f"{whole // unit} {name}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds:.1f} s"


def name_of_end(place: str) -> str:
    """The user's name of an end place."""
    return place.partition("#end.")[2] or place


class Finality:
    """Whether the marking is final, kept up to date with every firing: `net.final.Final.predicate`, a change at a time."""

    def __init__(self, compiled: Compiled) -> None:
        final, initial = compiled.final, compiled.initial
        self._ends = frozenset(final.ends)
        self._any = final.any_sink
        self._quiet = final.quiet
        self._due: dict[int, int] = {}  # tokens that a place must hold, where it must hold a number
        for p, kind in enumerate(final.classes):
            if p not in self._ends and kind not in (PlaceClass.RECORD, PlaceClass.BUDGET):
                self._due[p] = initial[p] if kind is PlaceClass.RESOURCE else 0
        self._messages = frozenset(p for p, kind in enumerate(final.classes) if kind is PlaceClass.CHANNEL)
        self._tokens = dict.fromkeys(self._ends, 0)
        self._wrong: set[int] = set()
        self.moved(dict(enumerate(initial)))

    def moved(self, after: dict[int, int]) -> None:
        """Take note of new numbers of tokens."""
        for p, count in after.items():
            if p in self._ends:
                self._tokens[p] = count
            elif count != self._due.get(p, count):
                self._wrong.add(p)
            else:
                self._wrong.discard(p)

    @property
    def final(self) -> bool:
        """The marking is final."""
        return not self._wrong and self._ended()

    @property
    def over(self) -> bool:
        """Nothing may come after it: services that only react are quiet in between, too."""
        return self.final and not self._quiet

    @property
    def final_but_for_messages(self) -> bool:
        """Only messages that nobody waits for are left."""
        return self._wrong <= self._messages and self._ended()

    def _ended(self) -> bool:
        total = sum(self._tokens.values())
        if self._quiet:
            return True
        return total >= 1 if self._any else total == 1


def _event(compiled: Compiled, t: int) -> Event:
    origin, role = compiled.origin.transitions[t], compiled.roles.transitions[t]
    hidden = compiled.kind != "net" and (role.kind is Kind.ABSORB or (role.kind is Kind.ROUTE and t in compiled.quiet))
    service = role.service or origin.service
    return Event(t, origin.id, origin.phrase, service, role.kind.value, role.fault, shown=not hidden)


def _left(compiled: Compiled, marking: tuple[int, ...]) -> tuple[str, ...]:
    """What is still under way: where control is, and messages, ends apart."""
    busy = (PlaceClass.CONTROL, PlaceClass.CHANNEL)
    ends, classes = frozenset(compiled.final.ends), compiled.final.classes
    return tuple(
        compiled.origin.places[p].phrase
        for p, count in enumerate(marking)
        if count and p not in ends and classes[p] in busy
    )
