"""One execution, read event by event: what each of its events means, and what the net does not watch over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.conform.asl import ANY, QUERY, shown
from placet.conform.meaning import ASIDE, Meaning

if TYPE_CHECKING:
    from placet.conform.asl import Asl
    from placet.conform.observed import Label
    from placet.conform.record import Copies, Event

_AFTER_START = frozenset(
    ("TaskFailed", "TaskTimedOut", "LambdaFunctionFailed", "LambdaFunctionTimedOut", "ActivityFailed")
)
_PENDING = ("item", "map")  # a Map or Parallel that must say that it fails
_OPEN = ("started", "run", "run over")


class AslReading:
    """What an execution has shown so far, beside the marking."""

    def __init__(self, vocabulary: Asl) -> None:
        self._of = vocabulary
        # of a task: scheduled, started, submitted; of a Map: started, run, run over, succeeded, failed
        self._phase: dict[tuple[str, Copies], str] = {}
        self._items: dict[tuple[str, Copies], tuple[int, int]] = {}  # of a Map: last item started, items running
        self._open: set[tuple[str, Copies]] = set()  # items that have started and are not over
        self._lengths: dict[tuple[str, Copies], int] = {}  # of a Map: how many items it has
        self._failing: dict[tuple[str, Copies], str] = {}  # of a Map or Parallel: how it fails: item, own, told
        self._events: dict[int, Event] = {}
        self._kinds: dict[str, str] = {}  # of a state that was entered
        self._errors: dict[tuple[str, Copies], str] = {}  # of a task: what its last attempt failed with
        self._ended = ""

    def of(self, event: Event) -> Meaning:
        """What an event means."""
        if self._ended:
            return Meaning(foreign=f"the execution has ended with {self._ended}")
        if event.id == 0:
            return ASIDE
        if event.name and event.name not in self._of.states and event.kind != "execution":
            return Meaning(foreign=f"the definition has no state `{event.name}`")
        meaning: Meaning = getattr(self, f"_{event.kind}")(event)
        self._events[event.id] = event
        if event.kind == "execution" and event.what != "started":
            self._ended = event.type
        return meaning

    # -- states

    def _state(self, event: Event) -> Meaning:
        key = (event.name, event.copies)
        if event.what == "entered":
            self._kinds[event.name] = event.service
            self._failing.pop(key, None)
            self._phase.pop(key, None)
            self._errors.pop(key, None)
            return Meaning(self._labels("entered", event))
        if event.what == "aborted":
            return ASIDE
        if self._failing.get(key) in _PENDING:
            return Meaning(foreign=f"`{event.name}` has failed, which is not told before it is exited")
        if self._phase.pop(key, "") in _OPEN and event.service == "map":
            return Meaning(foreign=f"`{event.name}` is exited before it has succeeded or failed")
        # what the task last failed with is what is caught: its data, with which it was tried before, fail no later attempt
        error = self._errors.pop(key, None)
        return Meaning((*self._labels("exited", event), *self._labels("caught", event, error)))

    def _task(self, event: Event) -> Meaning:
        key = (event.name, event.copies)
        phase = self._phase.get(key, "")
        name = event.name
        if event.what == "scheduled":
            self._errors.pop(key, None)
            self._phase[key] = "scheduled"
            return Meaning(self._labels("scheduled", event))
        if event.what == "started":
            self._phase[key] = "started"
            return ASIDE if phase == "scheduled" else Meaning(foreign=f"`{name}` starts without being scheduled")
        if event.what == "submitted":
            self._phase[key] = "submitted"
            if phase != "started":
                return Meaning(foreign=f"`{name}` is submitted without being started")
            return Meaning(self._labels("submitted", event)) if name in self._of.callbacks else ASIDE
        self._phase[key] = ""
        if phase not in ("started", "submitted") and event.what == "succeeded":
            return Meaning(foreign=f"`{name}` succeeds without being started")
        if phase not in ("started", "submitted") and event.type in _AFTER_START:
            return Meaning(foreign=f"`{name}` fails without being started")
        if event.what == "succeeded":
            self._errors.pop(key, None)
            return Meaning(self._labels("succeeded", event))
        self._errors[key] = event.error
        return self._failed(event, ("failed", "timed_out") if event.what == "failed" else ("timed_out", "failed"))

    def _failed(self, event: Event, kinds: tuple[str, ...]) -> Meaning:
        """A failure by its name."""
        labels = self._of.of_kinds(kinds, event.name, event.copies, event.error)
        if labels:
            return Meaning(labels)
        return Meaning(foreign=f"`{event.name}` cannot fail with `{event.error}`")

    def _evaluation(self, event: Event) -> Meaning:
        """An expression fails: of a state, or of a Map for one of its items, which is told of the Map."""
        key = (event.name, event.copies)
        if key not in self._items and (event.name, event.copies[:-1]) in self._items:
            key = (event.name, event.copies[:-1])
        self._failing[key] = "map" if self._kinds.get(event.name, "") == "map" else "own"
        self._phase.pop(key, None)
        return self._failed(event._replace(copies=key[1]), ("bad_data",))

    # -- Maps and Parallels

    def _map(self, event: Event) -> Meaning:
        key = (event.name, event.copies)
        if event.what == "started":
            cause = self._events.get(event.cause)
            if key not in self._failing and cause is not None and self._within(cause, key):
                return Meaning(foreign=f"`{event.name}` begins again, but no item of it has failed")
            self._failing.pop(key, None)
            self._items[key] = (-1, 0)
            self._open = {one for one in self._open if one[0] != event.name or one[1][:-1] != event.copies}
            self._lengths[key] = event.items
            self._phase[key] = "started"
            return Meaning(self._started(event))
        if event.what == "succeeded":
            before = "run over" if event.name in self._of.facts.distributed else "started"
            if self._phase.get(key) != before:
                return Meaning(foreign=f"`{event.name}` cannot succeed here")
        self._phase[key] = event.what
        return self._ends(event, key)

    @staticmethod
    def _within(event: Event, key: tuple[str, Copies]) -> bool:
        """An event of a state in an item of a Map."""
        return event.kind != "iteration" and len(event.copies) > len(key[1]) and event.copies[: len(key[1])] == key[1]

    def _started(self, event: Event) -> tuple[Label, ...]:
        counts = self._of.items.get(event.name, ())
        distributed = event.name in self._of.facts.distributed
        most = max(counts, default=0)
        count = shown(event.items, 0) if distributed else min(event.items, most)
        return self._labels(f"started {count}", event)

    def _parallel(self, event: Event) -> Meaning:
        if self._of.wanted.unordered:
            return ASIDE
        key = (event.name, event.copies)
        if event.what == "started":
            self._failing.pop(key, None)
            return Meaning(self._labels("started", event))
        return self._ends(event, key)

    def _ends(self, event: Event, key: tuple[str, Copies]) -> Meaning:
        """A Map or Parallel succeeds or fails."""
        if event.what == "succeeded":
            if key in self._failing:
                return Meaning(foreign=f"`{event.name}` has failed and succeeds")
            labels = self._labels("children_succeeded", event)
            return Meaning(labels) if labels else self._all_done(event, key)
        if event.what == "aborted":
            return ASIDE
        how = self._failing.get(key, "")
        self._failing[key] = "told"
        if how in ("own", "map"):
            return ASIDE
        if how != "item" and event.kind == "map" and event.name not in self._of.facts.distributed:
            return Meaning(foreign=f"`{event.name}` fails, but no item of it has")
        return Meaning(self._labels("children_failed", event))

    def _all_done(self, event: Event, key: tuple[str, Copies]) -> Meaning:
        """A Map whose end is no transition of its own: one that runs its items one after the other, or does not show them."""
        last, running = self._items.get(key, (-1, 0))
        distributed = event.name in self._of.facts.distributed
        if not distributed and (running or last + 1 != self._lengths.get(key, -1)):
            return Meaning(foreign=f"`{event.name}` succeeds before all of its items have")
        return ASIDE

    def _run(self, event: Event) -> Meaning:
        """The run of a distributed Map."""
        key = (event.name, event.copies)
        phase = self._phase.get(key, "")
        before, self._phase[key] = ("started", "run") if event.what in ("started", "redriven") else ("run", "run over")
        if phase != before and event.what != "redriven":
            return Meaning(foreign=f"the run of `{event.name}` cannot have {event.what} here")
        if event.what != "failed":
            return ASIDE
        self._failing[key] = "map"
        labels = [label for kind in ("bad_data", "too_many") for label in self._labels(kind, event, event.error)]
        return Meaning(tuple(labels)) if labels else self._failed(event, ("bad_data",))

    def _iteration(self, event: Event) -> Meaning:
        outer = event.copies[:-1]
        key = (event.name, outer)
        last, running = self._items.get(key, (-1, 0))
        one = (event.name, event.copies)
        if event.what == "started":
            self._items[key] = (event.item, running + 1)
            self._open.add(one)
            if event.name in self._of.facts.serial and (running or event.item != last + 1):
                return Meaning(foreign=f"`{event.name}` runs its items one after the other")
            return Meaning(self._labels("iteration_started", event))
        if one not in self._open:
            return Meaning(foreign=f"this item of `{event.name}` is over already, or has not started")
        self._open.discard(one)
        self._items[key] = (last, max(0, running - 1))
        if event.what == "succeeded":
            return Meaning(self._labels("iteration_succeeded", event))
        if event.what == "failed":
            self._failing[key] = "item"
            before = self._events.get(event.cause)
            if before is not None and before.copies[: len(event.copies)] != event.copies:
                return Meaning(foreign=f"another item of `{event.name}` has failed")
        return ASIDE

    # -- the end

    def _execution(self, event: Event) -> Meaning:
        if event.what == "started":
            return ASIDE if not self._events else Meaning(foreign="the execution starts a second time")
        if event.what == "succeeded":
            return Meaning(self._of.labels("execution_succeeded", "", ()))
        if event.what == "failed":
            return self._fails(event)
        return ASIDE  # stopped from outside, or by its time-out, which the net leaves out

    def _fails(self, event: Event) -> Meaning:
        pending = next((name for (name, _), how in self._failing.items() if how in _PENDING), "")
        if pending:
            return Meaning(foreign=f"`{pending}` has failed, which is not told before the execution fails")
        raised = self._raised(event)
        if raised is not None and raised.what != "entered" and raised.error != event.error:
            told = f"`{raised.error}`" if raised.error else "one without a name"
            return Meaning(foreign=f"the error that was raised is {told}, in event {raised.id}")
        if event.error == QUERY and (raised is None or raised.service != "fail") and not (raised and raised.error):
            return Meaning(foreign="no expression has failed before")
        labels = self._of.labels("execution_failed", "", (), event.error or ANY)
        return Meaning(labels) if labels else Meaning(foreign=f"nothing in the definition fails with `{event.error}`")

    def _raised(self, event: Event) -> Event | None:
        """The event that raised what ends the execution: a failure, or the entry of a state that fails; if it is named."""
        found = self._events.get(event.cause)
        while found is not None:
            if found.what == "entered" or found.kind in ("task", "evaluation", "run"):
                return found
            if found.what != "failed":
                return None
            found = self._events.get(found.cause)
        return None

    def _labels(self, kind: str, event: Event, error: str | None = None) -> tuple[Label, ...]:
        return self._of.labels(kind, event.name, event.copies, error)
