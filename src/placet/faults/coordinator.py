"""What can happen to the coordinator of a saga: it is cancelled, or it crashes and comes back.

Both take its token from wherever it is, one moment (`roles.ports`) after the other. Cancelled, it turns back where it
stands: a step that it has asked for is undone like one that has timed out. Where several tokens move, or a caller goes
on, a record tells the others; each hears of it at one of its next moments, or too late. Back from a crash a coordinator
makes the call again that it had not recorded as done: what it sent is still on its way, what it was told is forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compiled import Origin
from placet.faults.loom import first_run
from placet.net.final import PlaceClass
from placet.net.roles import Due, Kind, Role
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.faults.loom import Loom
    from placet.faults.messages import Messages
    from placet.net.core import Arcs
    from placet.net.roles import Channel, Port


class _Turn(NamedTuple):
    """Something that makes a whole saga turn back, or stop."""

    word: str  # of the record that tells the others
    happens: str  # what happens to a saga
    noticed: str  # what the others notice of it
    stopped: str  # what is said where nothing is undone for it


_CANCELLED = _Turn(
    "cancelled",
    "{} is cancelled",
    "the cancellation of {} is noticed",
    "and nothing more is undone",
)
_OVERDUE = _Turn(
    "overdue",
    "{} takes too long",
    "that {} takes too long is noticed",
    "and nothing more is undone",
)
_Variants = list[tuple[str, tuple[int, ...], tuple[int, ...]]]  # suffix of the name, taken and given besides


class Coordinators:
    """Weaves the faults of coordinators, moment by moment."""

    def __init__(self, loom: Loom, messages: Messages) -> None:
        self.loom = loom
        self.messages = messages
        self.marks: list[int] = []  # by scope: that the saga was told to turn back
        self.records: dict[tuple[str, str, int], int] = {}
        self.names: set[str] = set()
        self.channels: dict[tuple[str, str, int], list[Channel]] = {}
        for c in loom.base.roles.channels:
            self.channels.setdefault((c.step, c.direction, c.attempt), []).append(c)

    def weave(self) -> None:
        """All of them."""
        faults, ports = self.loom.faults, self.loom.base.roles.ports
        late = self.messages.late
        overdue = [(p, due) for p in ports for due in p.overdue if due.saga in late]
        heard = ports if "cancel" in faults else ()
        cancelled = [(p, Due(p.saga, p.cancelled, only=p.only)) for p in heard if p.cancelled >= 0]
        if overdue or "cancel" in faults or ("crash" in faults and any(p.crash == "undo" for p in ports)):
            self._scopes()
        for turn, found in ((_CANCELLED, cancelled), (_OVERDUE, overdue)):
            sagas: dict[str, list[tuple[Port, Due]]] = {}
            for port, due in found:
                sagas.setdefault(due.saga, []).append((port, due))
            for saga, moments in sagas.items():
                self._turns(saga, moments, turn)
        if "crash" in faults:
            for port in ports:
                self._crashes(port)

    # -- turning back

    def _scopes(self) -> None:
        """What leads out of each scope with handlers: a saga that is told to turn back is caught by none."""
        loom = self.loom
        places, origins = loom.base.net.places, loom.base.origin.places
        for scope in loom.base.roles.scopes:  # outer ones come first
            origin = origins[scope.undone]
            told = origin._replace(phrase="the saga was told to turn back here")
            mark = loom.place(f"{places[scope.undone]}:told", told, PlaceClass.RECORD)
            self.marks.append(mark)
            flag = (scope.raised,) if scope.raised >= 0 else ()
            for suffix, more, post in self._turning(scope.back, scope.outer):
                words = origin._replace(phrase=f"{_saga(origin.actor)} goes further back")
                pre = (scope.undone, mark, *flag, *more)
                loom.consequence(
                    f"{places[scope.undone]}:leaves{suffix}", _ones(pre), _ones((*post, *flag)), words, Role(Kind.ROUTE)
                )

    def _turning(self, back: int, number: int) -> _Variants:
        """How a token goes back: the scope around is told why, unless it knows of an earlier error."""
        if number < 0:
            return [("", (), (back,))]
        scope, mark = self.loom.base.roles.scopes[number], self.marks[number]
        if scope.clear < 0:
            return [("", (), (back, mark))]
        first = (scope.clear,), (back, mark, scope.raised)
        return [("", *first), (".later", (scope.raised,), (back, scope.raised))]

    def _gone(self, port: Port) -> tuple[int, ...]:
        """The record that nobody waits for the replies of a call any more; made where the call never needed one."""
        if port.gone >= 0:
            return (port.gone,)
        if not port.attempt:
            return ()
        key = (port.step, port.direction, port.attempt)
        place = self.records.get(key)
        if place is None:
            loom = self.loom
            origin = loom.base.origin.places[port.place]
            prefix = "" if port.direction == "forward" else "undo."
            words = f"nobody waits any more for attempt {port.attempt}"
            name = f"{port.step}#{prefix}gone[{port.attempt}]"
            place = self.records[key] = loom.place(name, origin._replace(phrase=words), PlaceClass.RECORD)
            role = Role(Kind.ABSORB, *key, origin.service)
            for c in self.channels.get(key, ()):
                if c.part == "reply":
                    phrase = f"a late reply of {loom.name(c)} is thrown away"
                    name = f"{loom.base.net.places[c.place]}:late"
                    pre = _ones((c.place, place))
                    loom.consequence(name, pre, ((place, 1),), origin._replace(phrase=phrase), role)
        return (place,)

    # -- cancelled, overdue

    def _turns(self, saga: str, moments: list[tuple[Port, Due]], turn: _Turn) -> None:
        """One turn at each moment of a saga, with where it leads; where that is not the whole saga, the rest hears of it.

        To be cancelled is a cause. A time-out is none: it is free once a message of the saga was lost or slow.
        """
        loom = self.loom
        mark: tuple[int, ...] = ()
        late = self.messages.late.get(saga, -1)
        once: tuple[int, ...] = ()
        if any(port.beside for port, _ in moments):
            origin = Origin(saga, f"nothing has made {_saga(saga)} turn back from outside", None, "", saga)
            once = (loom.place(f"{saga}#not.{turn.word}", origin, PlaceClass.RECORD, 1),)
            origin = origin._replace(phrase=f"from outside {_saga(saga)} was made to turn back")
            mark = (loom.place(f"{saga}#{turn.word}", origin, PlaceClass.RECORD),)
        for port, due in moments:
            back = due.leads == port.back
            variants = self._turning(due.leads, port.scope) if back else [("", (), (due.leads,))]
            after = (*port.keeps, *due.only, *mark, *self._gone(port))
            origin = loom.base.origin.places[port.place]
            word, escalates = "cancel", due.escalates
            if turn is _OVERDUE:
                word = turn.word if saga == port.overdue[0].saga else f"{turn.word}@{saga}"
            name = self._named(f"{loom.base.net.places[port.place]}:{word}", port)
            stopped = "and a person is called" if escalates else turn.stopped
            there = Role(Kind.ROUTE, port.step, port.direction, port.attempt, commits=True, escalates=escalates)
            tail = self._when(port) + ("" if back else f", {stopped}")
            words, heard = turn.happens.format(_saga(saga)) + tail, turn.noticed.format(_saga(saga)) + tail
            for suffix, more, post in variants:
                pre, given = (port.place, *port.keeps, *due.only, *more), (*post, *after)
                here = origin._replace(phrase=words)
                if turn is _CANCELLED:
                    role = there._replace(kind=Kind.FAULT, fault="cancel")
                    loom.cause(f"{name}{suffix}", _ones((*pre, *once)), _ones(given), here, role)
                else:
                    role = there._replace(kind=Kind.TIMER)
                    loom.consequence(f"{name}{suffix}", _ones((*pre, *once, late)), _ones(given), here, role)
                if mark:
                    told = origin._replace(phrase=heard)
                    loom.consequence(f"{name}.heard{suffix}", _ones((*pre, *mark)), _ones(given), told, there)

    # -- crashed

    def _crashes(self, port: Port) -> None:
        """What the coordinator does once it is back: again, back, or nothing at all."""
        loom = self.loom
        name = self._named(f"{loom.base.net.places[port.place]}:crash", port)
        origin = loom.base.origin.places[port.place]
        saga = _saga(port.saga)
        role = Role(Kind.FAULT, port.step, port.direction, port.attempt, "", "crash")
        here = (port.place, *port.keeps)
        if port.crash == "forget":
            words = f"{saga} crashes{self._when(port)}, and nobody remembers that it was running"
            after = (*port.keeps, *self._gone(port))
            loom.cause(name, _ones(here), _ones(after), origin._replace(phrase=words), role)
        elif port.crash == "undo" and port.back >= 0:
            words = f"{saga} crashes{self._when(port)}, and turns back once it is up again"
            role = role._replace(commits=True)
            after = (*port.keeps, *self._gone(port))
            for suffix, more, post in self._turning(port.back, port.scope):
                pre, given = (*here, *more), (*post, *after)
                loom.cause(name + suffix, _ones(pre), _ones(given), origin._replace(phrase=words), role)
        elif port.attempt:
            self._asks_again(port, name, role)

    def _asks_again(self, port: Port, name: str, role: Role) -> None:
        """The call was recorded as begun, not as done: it is made again, whatever became of the first one."""
        loom, base = self.loom, self.loom.base
        origin, saga = base.origin.places[port.place], _saga(port.saga)
        channels = self.channels.get((port.step, port.direction, port.attempt), ())
        request = next((c for c in channels if c.part == "request"), None)
        if request is None:
            return
        asked: tuple[int, ...] = (port.place, request.place)
        for c in channels:
            path = base.net.places[c.place].rpartition("#")[2]
            words, after = f"{saga} crashes before it has recorded {loom.message(c)}, and asks again", asked
            if c is request:
                words = f"{saga} crashes while {loom.message(c)} is on its way, and asks again"
                after = (*asked, self.messages.copy(c))
            pre = _ones((port.place, c.place))
            loom.cause(f"{name}@{path}", pre, _ones(after), origin._replace(phrase=words), role)
        if request.due >= 0:
            words = f"{saga} crashes while it waits in vain for {loom.name(request)}, and asks again"
            pre = _ones((port.place, request.due))
            loom.cause(f"{name}@late", pre, _ones(asked), origin._replace(phrase=words), role)

    # -- words

    def _named(self, name: str, port: Port) -> str:
        """Two moments on one place are told apart by what the coordinator has seen before."""
        if name in self.names:
            name = f"{name}.doubt"
        self.names.add(name)
        return name

    def _when(self, port: Port) -> str:
        call = next(iter(self.channels.get((port.step, port.direction, max(1, port.attempt)), ())), None)
        if call is None:
            return ""
        what = self.loom.name(call)
        return f" while it waits for {what}" if port.attempt else f" before it asks for {what}"


def _saga(path: str) -> str:
    return f"`{first_run(path).rpartition('/')[2]}`"


def _ones(places: tuple[int, ...]) -> Arcs:
    return tuple((p, 1) for p in places)
