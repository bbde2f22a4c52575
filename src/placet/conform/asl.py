"""Definitions of AWS Step Functions, held against their execution histories.

The importer gives every transition that a history shows an `Event` (docs/formats-asl.md). Here each becomes a label, and
each event of a history the labels that it may stand for; names of states, items of Maps and names of errors must agree.
What the net does not know is kept by `_Reading`: that a task starts before it ends, that a Map that runs one item at a
time does so, and that an error which arrives is the one that was raised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.conform.observed import Label, Observer
from placet.conform.replay import Tables
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.compiled import Event as Told
    from placet.conform.meaning import Reading
    from placet.conform.record import Case, Copies

QUERY = "States.QueryEvaluationError"
ANY = "*"

# told by the importer -> whether a history shows it: always, sometimes, never
_ALWAYS = frozenset((
    "entered", "exited", "scheduled", "submitted", "succeeded", "failed", "timed_out", "iteration_started",
    "iteration_succeeded", "started", "caught", "execution_succeeded", "execution_failed",
))  # fmt: skip
_SOMETIMES = frozenset(("bad_data", "children_succeeded", "children_failed", "too_many"))


_RAISING = frozenset(("failed", "timed_out", "bad_data", "caught"))


class Needs(NamedTuple):
    """What a case asks of the net: how many items each Map has, how often anything is tried, and what is not shown."""

    items: tuple[tuple[str, tuple[int, ...]], ...] = ()
    retries: int = 2
    unordered: bool = False


def needs(case: Case, distributed: frozenset[str]) -> Needs:
    """What a case asks of the net.

    No more items than were started, and one beside them, are looked at; of a distributed Map, whose items do not show,
    one.
    """
    most: dict[str, int] = {}
    lengths: dict[str, set[int]] = {}
    tries: dict[tuple[str, str, Copies], int] = {}
    for event in case.events:
        if event.kind == "iteration" and event.what == "started":
            most[event.name] = max(most.get(event.name, -1), event.item)
        elif event.kind == "map" and event.what == "started":
            lengths.setdefault(event.name, set()).add(max(0, event.items))
        if event.what in ("scheduled", "started") and event.kind in ("task", "map", "parallel"):
            key = (event.kind, event.name, event.copies)
            tries[key] = tries.get(key, 0) + 1
    items = {
        name: tuple(sorted({shown(length, 0 if name in distributed else most.get(name, -1) + 1) for length in found}))
        for name, found in lengths.items()
    }
    unordered = any(event.id == 0 for event in case.events)
    return Needs(tuple(sorted(items.items())), max([2, *tries.values()]), unordered)


def shown(length: int, started: int) -> int:
    """How many items are looked at of a Map that has `length`, where `started` are seen."""
    return min(length, started + 1)


class Facts(NamedTuple):
    """What the definition says that is not in the net: Maps whose items do not show, Maps that run one at a time."""

    distributed: frozenset[str] = frozenset()
    serial: frozenset[str] = frozenset()


class Asl:
    """A state machine as its histories speak about it."""

    def __init__(self, compiled: Compiled, wanted: Needs, facts: Facts) -> None:
        self.compiled = compiled
        self.wanted = wanted
        self.facts = facts
        self.items = dict(wanted.items)
        self.by_kind: dict[tuple[str, str, Copies], list[tuple[Told, Label]]] = {}
        self.phrases: dict[Label, str] = {}
        self.states: set[str] = set()
        self.callbacks: set[str] = set()
        observer = Observer(compiled)
        for t, origin in enumerate(compiled.origin.transitions):
            if origin.event is not None:
                self._label(observer, t, origin.event)
        self._tables = Tables(observer.observed())

    @property
    def tables(self) -> Tables:
        """The net with its labels."""
        return self._tables

    @property
    def quick(self) -> Tables | None:
        """There is none: what the net shows is the net."""
        return None

    def reading(self) -> Reading:
        """A new execution."""
        from importlib import import_module

        made: Reading = import_module("placet.conform.asl_reading").AslReading(self)  # which imports this module
        return made

    def _label(self, observer: Observer, t: int, told: Told) -> None:
        phrase = self.compiled.origin.transitions[t].phrase
        if told.element:
            self.states.add(told.element)
        if told.kind == "submitted":
            self.callbacks.add(told.element)
        hidden = any(part.rpartition("/")[2].startswith("run:") for part in told.scope)
        hidden = hidden or (told.kind.startswith("iteration") and told.element in self.facts.distributed)
        if self.wanted.unordered:
            hidden = hidden or any("/branch:" in part for part in told.scope) or self._loose(told)
        if hidden or told.kind not in _ALWAYS | _SOMETIMES:
            return
        if told.kind in _SOMETIMES:
            self._sometimes(observer, t, told, phrase)
            return
        observer.labels[t] = self._named(told, phrase)

    def _loose(self, told: Told) -> bool:
        """In a history that lost the order inside Parallel states: when one starts and how it ends."""
        return told.kind in ("started", "children_succeeded", "children_failed") and told.copies < 0

    def _sometimes(self, observer: Observer, t: int, told: Told, phrase: str) -> None:
        """Shown in some histories: a twin of the transition is silent."""
        if told.kind == "bad_data" and QUERY not in told.errors and told.element not in self.facts.distributed:
            return
        if (
            told.kind == "children_succeeded"
            and told.element in self.items
            and told.element not in self.facts.distributed
        ):
            observer.labels[t] = self._named(told, phrase)
            return
        if told.errors == (QUERY,):
            observer.labels[t] = self._named(told, phrase)
        else:
            observer.twin(t, self._named(told, phrase))

    def _named(self, told: Told, phrase: str) -> Label:
        error = ", ".join(told.errors) if told.errors else told.via
        what = told.kind if told.copies < 0 else f"{told.kind} {told.copies}"
        label = Label(what, told.element, items_of(told.scope), error)
        self.phrases.setdefault(label, phrase)
        self.by_kind.setdefault((what, told.element, label.copies), []).append((told, label))
        return label

    def labels(self, kind: str, name: str, copies: Copies, error: str | None = None) -> tuple[Label, ...]:
        """The labels of that kind for a state; with `error` those whose class of errors has it."""
        return self.of_kinds((kind,), name, copies, error)

    def of_kinds(
        self, kinds: tuple[str, ...], name: str, copies: Copies, error: str | None = None
    ) -> tuple[Label, ...]:
        """The labels of several kinds for a state, those of the first kind first."""
        found = [one for kind in kinds for one in self.by_kind.get((kind, name, copies), ())]
        if error is not None:
            found = [one for one in found if fits(one[0], error)]
            if _RAISING.issuperset(kinds) and any(error in told.errors for told, _ in found):
                found = [one for one in found if error in one[0].errors]  # the state treats it apart from the others
        return tuple(dict.fromkeys(label for _, label in found))

    def says(self, label: Label) -> str:
        """A label in words: those of the transition."""
        return self.phrases.get(label, "")


def items_of(scope: tuple[str, ...]) -> Copies:
    """The items in a scope such as `("Par/branch:0", "Map/iter:2")`."""
    found = []
    for part in scope:
        kind, _, number = part.rpartition("/")[2].partition(":")
        if kind == "iter" and number.isdigit():
            found.append(int(number))
    return tuple(found)


def fits(told: Told, error: str) -> bool:
    """Whether an error is in the class of a transition."""
    return error in told.errors or (ANY in told.errors and error not in told.but)
