"""Models written in the language, held against our own runs and against Temporal histories.

A name in a log is matched with the last part of a step's id, and with the name of its undo; letters are compared without
case and without what divides words, so that the activity `ReserveCar` is the step `reserve_car`. Of a step that is done
for each of several things, `pick` is any and `pick[2]` the second. Everything else is strict: what happened, to what,
with which error, and how it ended.

Some things a log may or may not show: that a step began, that a service applied it, timers, and (in runs of our own)
events from outside. They are looked at where the log shows any of that sort, and fire silently where it shows none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.call_parts import REJECTED
from placet.conform.meaning import ASIDE, Meaning
from placet.conform.observed import Label, Observer
from placet.conform.replay import Tables
from placet.faults.hypothesis import Hypothesis
from placet.net.final import PlaceClass
from placet.net.roles import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placet.compiled import Compiled, Origin
    from placet.conform.meaning import Reading
    from placet.conform.record import Case, Copies, Event
    from placet.net.roles import Role

FAULTS = ("reject", "slow", "undo-fail", "undo-slow")  # what explains every outcome that a coordinator can see
MOST_FAULTS = 100
UNDO = "undo "
_STEP_EVENTS = ("step", "undo")
_STOPPED = ("aborted", "timed_out", "cancelled", "continued")


def prepared(compiled: Compiled, *, applied: bool = False) -> Compiled:
    """The model with the faults that a recorded run can show."""
    if not compiled.roles.channels or any(role.kind is Kind.FAULT for role in compiled.roles.transitions):
        return compiled
    from placet.faults.weave import weave

    faults = (*FAULTS, "partial", "lost") if applied else FAULTS
    return weave(compiled, Hypothesis(faults, MOST_FAULTS, "transient")).compiled


_OUTCOMES = frozenset(("succeeded", "failed", "timed_out"))


class Native:
    """A workflow or saga as the runs of a log speak about it."""

    def __init__(self, compiled: Compiled, cases: Iterable[Case]) -> None:
        cases = list(cases)
        shown = {(e.kind, e.what) for case in cases for e in case.events}
        temporal = any(case.source == "temporal" for case in cases)
        self.temporal = temporal
        self.history = any(case.source == "step functions" for case in cases)
        begun = {(e.what, plain(_ir(e.name))) for case in cases for e in case.events if e.kind in _STEP_EVENTS}
        pairs = zip(compiled.origin.transitions, compiled.roles.transitions, strict=True)
        words = {plain(_last(_ir(o.id))) for o, r in pairs if r.kind is Kind.TASK and self._told(o)}
        self.begins = temporal or any(what == "scheduled" and name not in words for what, name in begun)
        self.task_begins = next((w for w in ("scheduled", "started") if any((w, name) in begun for name in words)), "")
        if temporal:
            self.task_begins = "scheduled"
        self.applies = bool({("step", "applied"), ("undo", "applied")} & shown)
        self.timers = ("timer", "succeeded") in shown
        self.signals = temporal or ("signal", "arrived") in shown
        self.numbered = any(_copies(e.name) for case in cases for e in case.events)
        self.compiled = prepared(compiled, applied=self.applies)
        self.names: dict[str, list[tuple[str, str]]] = {}  # plain name -> (step id, "" or UNDO)
        self.errors: dict[tuple[str, str], set[str]] = {}  # (what of outcome, step id) -> errors the model names
        self._first = len(self.compiled.net.transitions)
        self._tables = self._observed(whole=True)
        self._quick = self._observed(whole=False) if self.compiled.roles.channels else None
        self.copies: dict[Label, list[Label]] = {}  # a label without its copies -> those with them
        for label in self._tables.by_label:
            self.copies.setdefault(label._replace(copies=()), []).append(label)

    def _observed(self, *, whole: bool) -> Tables:
        self._observer = Observer(self.compiled)
        self._free_faults()
        self._label()
        self._observer.finals()
        if not whole:
            self._forget()
        return Tables(self._observer.observed())

    @property
    def tables(self) -> Tables:
        """The net with its labels."""
        return self._tables

    @property
    def quick(self) -> Tables | None:
        """What the coordinator does, whatever its services remember and whatever is on its way: never less is possible."""
        return self._quick

    def reading(self) -> Reading:
        """A new run."""
        return _NativeReading(self)

    # -- labels

    def _free_faults(self) -> None:
        """Faults cost nothing, as the run shows what they led to, and no time-out is made due twice.

        That keeps the markings few, and makes nothing visible possible that a budget would not allow.
        """
        observer, classes = self._observer, self.compiled.final.classes
        for t, role in enumerate(self.compiled.roles.transitions):
            if role.kind is not Kind.FAULT:
                continue
            pre, post = observer.pre[t], observer.post[t]
            for p in [p for p in pre if classes[p] is PlaceClass.BUDGET]:
                del pre[p]
            if role.fault.endswith("slow"):
                observer.inhibit[t].update({p: 1 for p in post if p not in pre})

    def _forget(self) -> None:
        """Leave out messages, what services remember, and what only they lead to."""
        observer, compiled = self._observer, self.compiled
        aside = {c.due for c in compiled.roles.channels}
        for p, kind in enumerate(compiled.final.classes):
            if kind is PlaceClass.CHANNEL or (kind is PlaceClass.RECORD and compiled.origin.places[p].service):
                aside.add(p)
        for side in (observer.pre, observer.post, observer.read, observer.inhibit):
            for arcs in side:
                for p in aside.intersection(arcs):
                    del arcs[p]

    def _label(self) -> None:
        compiled, labels = self.compiled, self._observer.labels
        self._replies = {c.answered for c in compiled.roles.channels if c.answered >= 0}
        retried: dict[tuple[str, str, int], set[int]] = {}
        for t, role in enumerate(compiled.roles.transitions):
            if role.kind is Kind.SEND:
                retried.setdefault((role.step, role.direction, role.attempt), set()).update(
                    p for p, _ in compiled.net.pre[t]
                )
        for step in compiled.roles.steps:
            identifier = _ir(step.id)
            self._name(identifier, "")
            if step.undo:
                found = self.names.setdefault(plain(_ir(step.undo)), [])
                if (identifier, UNDO) not in found:
                    found.append((identifier, UNDO))
        for t in range(self._first):
            role = compiled.roles.transitions[t]
            interrupts = "#interrupts" in compiled.net.transitions[t]  # a scope, wherever its step is
            if role.step and role.kind is not Kind.FAULT and not interrupts:
                labels[t] = self._step(t, role, retried)
            elif role.kind is Kind.TASK:
                self._task(t)
            elif role.kind is Kind.EVENT:
                word = _quoted(compiled.origin.transitions[t].phrase)
                self._name(word, "")
                labels[t] = Label("arrived", word) if self.signals else None
            elif role.kind is Kind.TIMER and self.timers:
                labels[t] = Label("elapsed")
        if not any(labels) and compiled.kind == "net":
            for t, origin in enumerate(compiled.origin.transitions):
                self._name(origin.id, "")
                labels[t] = Label("succeeded", origin.id)

    def _name(self, identifier: str, direction: str) -> None:
        for word in {plain(identifier), plain(_last(identifier))}:
            found = self.names.setdefault(word, [])
            if (identifier, direction) not in found:
                found.append((identifier, direction))

    def _told(self, origin: Origin) -> bool:
        """A task ends here. Of one in a definition the net shows more, which its history as one of tasks does not tell."""
        return origin.event is None or not self.history or origin.event.kind in _OUTCOMES

    def _task(self, t: int) -> None:
        """A task is one transition for each outcome; where the log shows its beginning that is put in front."""
        observer, origin = self._observer, self.compiled.origin.transitions[t]
        if not self._told(origin):
            return
        step, copies = _ir(origin.id), _copies(origin.id)
        self._name(step, "")
        error = self.compiled.roles.transitions[t].says
        if origin.event is not None and self.history:
            error = "" if origin.event.kind == "succeeded" else next(iter(origin.event.errors), "other")
        if error:
            self.errors.setdefault(("failed", step), set()).add(error)
        observer.labels[t] = Label("failed" if error else "succeeded", step, copies, error)
        if self.task_begins:
            observer.before(t, Label(self.task_begins, step, copies))

    def _step(
        self,
        t: int,
        role: Role,
        retried: dict[tuple[str, str, int], set[int]],
    ) -> Label | None:
        """A transition of a saga step. Attempts that the engine makes by itself are silent in a Temporal history."""
        step, copies = _ir(role.step), _copies(role.step)
        net = self.compiled.net
        before = UNDO if role.direction == "undo" else ""
        if role.kind is Kind.SEND:
            seen = self.begins and not (self.temporal and role.attempt > 1)
            return Label(f"{before}scheduled", step, copies) if seen else None
        if role.kind is Kind.APPLY:
            return Label(f"{before}applied", step, copies) if self.applies else None
        if role.kind not in (Kind.REPLY, Kind.TIMER) or not role.attempt:  # 0: asked what became of the step
            return None
        again = retried.get((role.step, role.direction, role.attempt + 1), set())
        again = again | retried.get((role.step, role.direction, role.attempt), set())
        blocked = self.temporal and role.how == "blocked" and role.attempt == 1  # by the worker, in an activity
        if self.temporal and any(p in again for p, _ in net.post[t]):
            return Label(f"{before}scheduled", step, copies) if blocked else None
        if role.kind is Kind.TIMER:
            return Label(f"{before}timed_out", step, copies)
        known = net.transitions[t].rpartition("#")[2].removeprefix("undo.").startswith("known[")
        if known or any(place in self._replies for place, _ in net.pre[t]):  # calls of a definition go by other names
            return Label(f"{before}succeeded", step, copies)
        error = "" if role.says == REJECTED else role.says
        if error:
            self.errors.setdefault((f"{before}refused", step), set()).add(error)
        if blocked:
            self._observer.before(t, Label(f"{before}scheduled", step, copies))
        return Label(f"{before}refused", step, copies, error)

    # -- words

    def says(self, label: Label) -> str:
        """A label in words."""
        what, name = label.what, _last(label.name)
        undo, _, word = what.rpartition(" ") if what.startswith(UNDO) else ("", "", what)
        if self.numbered:
            name += "".join(f"[{n}]" for n in label.copies)
        about = f"the undo of `{name}`" if undo else f"`{name}`"
        words = {
            "scheduled": f"{about} is asked for",
            "started": f"{about} starts",
            "applied": f"{about} is applied",
            "succeeded": f"{about} is done",
            "failed": f"{about} fails",
            "refused": f"{about} is refused",
            "timed_out": f"{about} times out",
            "arrived": f"{about} arrives",
            "elapsed": "a time is over",
            "ended": f"the run ends `{label.name}`",
        }[word]
        return f"{words}: {label.error}" if label.error else words


class _NativeReading:
    """Reads a run against a native model; nothing need be remembered."""

    def __init__(self, vocabulary: Native) -> None:
        self._of = vocabulary
        self._running: dict[str, int] = {}

    def of(self, event: Event) -> Meaning:
        """What an event means."""
        if event.kind == "execution":
            return self._execution(event)
        if event.kind == "timer":
            return Meaning((Label("elapsed"),)) if event.what == "succeeded" else ASIDE
        if event.kind == "signal" and event.what != "arrived":
            return ASIDE
        copies = _copies(event.name)
        found = self._of.names.get(plain(event.name), []) or self._of.names.get(plain(_ir(event.name)), [])
        if event.kind == "child" and not found:
            return Meaning(abstract=f"`{event.name}` runs on its own; hold its history against its own model")
        if not found:
            return Meaning(foreign=f"the model has no step `{event.name}`")
        labels: list[Label] = []
        for step, direction in found:
            labels += self._step(event, step, UNDO if event.kind == "undo" else direction)
        if not labels:
            return ASIDE if event.what in ("started", "cancel_asked", "cancelled") else _never(event)
        every = [of for label in labels for of in self._of.copies.get(label, [label])]
        some = tuple(label for label in every if copies in ((), label.copies))
        return Meaning(some) if some else Meaning(foreign=f"the model has no step `{event.name}`")

    def _step(self, event: Event, step: str, before: str) -> list[Label]:
        """What may happen to a step."""
        what, vocabulary = event.what, self._of
        if event.kind == "signal":
            return [Label("arrived", step)]
        if what == "started" and vocabulary.task_begins != "started":
            return []  # that it was asked for says as much
        if what in ("failed", "refused", "timed_out"):
            return self._failures(event, step, before)
        return [Label(f"{before}{what}", step)] if what not in ("cancel_asked", "cancelled") else []

    def _failures(self, event: Event, step: str, before: str) -> list[Label]:
        """A failure by its name. One without a name may be any; one that the model does not name is the unnamed one."""
        known = self._of.copies
        kinds = [f"{before}timed_out"] if event.what == "timed_out" else [f"{before}failed", f"{before}refused"]
        found = []
        for kind in kinds:
            named = self._of.errors.get((kind, step), set())
            error = event.error or ("timeout" if event.what == "timed_out" else "")
            error = next((name for name in named if plain(name) == plain(error)), error)
            if error in named:
                found.append(Label(kind, step, (), error))
            elif not event.error:
                found += [Label(kind, step, (), name) for name in ("", *sorted(named))]
            else:
                found.append(Label(kind, step))
        if event.what == "timed_out":
            found.append(Label(f"{before}failed", step, (), event.error or "timeout"))
        return [label for label in found if label in known] or found[:1]

    def _execution(self, event: Event) -> Meaning:
        """How the run ended. Temporal knows only completed and failed; a saga that undid its work may end as either."""
        known = [label for label in self._of.tables.by_label if label.what == "ended"]
        if event.what == "ended":
            wanted = event.name
        elif event.what in ("succeeded", "failed"):
            wrong = "failed" if event.what == "succeeded" else "completed"
            return Meaning(tuple(label for label in known if label.name != wrong))
        else:
            return ASIDE
        found = tuple(label for label in known if wanted in ("", label.name))
        return Meaning(found) if found else Meaning(foreign=f"the model has no end `{wanted}`")


def _never(event: Event) -> Meaning:
    return Meaning(foreign=f"`{event.name}` is never {event.what.replace('_', ' ')} in the model")


def _ir(path: str) -> str:
    """The id of a step without the numbers of the things that it is done for."""
    while path.endswith("]") and path[path.rfind("[") + 1 : -1].isdigit():
        path = path[: path.rfind("[")]
    return path


def _copies(path: str) -> Copies:
    """Which of the things that it is done for a step is about, from 1: the numbers that its id ends with."""
    rest = path[len(_ir(path)) :]
    return tuple(map(int, rest[1:-1].split("]["))) if rest else ()


def _last(identifier: str) -> str:
    return identifier.rsplit("/", 1)[-1].split("~", maxsplit=1)[0]


def plain(name: str) -> str:
    """A name without case and without what divides words; paths keep their slashes."""
    return "".join(c for c in name.casefold() if c.isalnum() or c == "/")


def _quoted(phrase: str) -> str:
    return phrase.split("`")[1] if phrase.count("`") > 1 else phrase
