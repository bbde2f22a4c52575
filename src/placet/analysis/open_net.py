"""The coordinator alone, with what is outside of it cut off: a transition system over what it hears, sends and waits for.

Places and transitions of participants, and the messages on their way, are left out: what the coordinator takes from there
may arrive whenever it waits for it. A late reply that it would throw away is not waited for. What is left is explored, and
every transition that nobody outside can see is silent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placet.analysis.components import Rows
from placet.engines.chosen import engine
from placet.engines.protocol import Needs, Visitor
from placet.logic.state import FALSE, at_least
from placet.lts import Lts
from placet.machine.label import Label, Seen
from placet.net.core import Net
from placet.net.final import PlaceClass
from placet.net.roles import Kind
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placet.compiled import Compiled
    from placet.engines.protocol import Progress, Stop
    from placet.evidence import Budget
    from placet.net.core import Arcs, Marking

_OUTSIDE = frozenset((Kind.APPLY, Kind.IGNORE, Kind.REFUSE, Kind.FAULT, Kind.ABSORB, Kind.PASSES))
_SET = re.compile(r"`(\w+)` is now ([^,\s]+)")  # in the phrase of what sets a variable
SILENT = 0  # the number of the silent label


class OpenNet(NamedTuple):
    """The net of the coordinator alone; numbers of its places and transitions in the whole net beside them."""

    net: Net
    initial: Marking
    places: tuple[int, ...]
    transitions: tuple[int, ...]
    labels: tuple[Label | None, ...]  # by transition; None: nobody outside sees it


class Behaviour(NamedTuple):
    """What the coordinator does, seen from outside. `by` gives for each edge the transition of the whole net."""

    lts: Lts  # label 0 is the silent one; unnamed
    labels: tuple[Label, ...]  # by number of the label in the system; the first one is never asked
    by: tuple[int, ...]
    marks: tuple[int, ...]  # by state a number of the set of ends that are marked
    marking: Callable[[int], tuple[int, ...]]  # of a state the places of the whole net that hold a token
    stop: Stop | None = None


def open_net(compiled: Compiled) -> OpenNet:
    """Cut off what is outside. Linear in the net."""
    net, roles = compiled.net, compiled.roles
    outside = {c.due for c in roles.channels if c.due >= 0}
    for p, origin in enumerate(compiled.origin.places):
        if origin.service or compiled.final.classes[p] is PlaceClass.CHANNEL:
            outside.add(p)
    first = tuple(t for t, role in enumerate(roles.transitions) if role.kind not in _OUTSIDE)
    kept, pre = _asked_before_refused(compiled, first, outside)
    asked = {p for arcs in pre for p, _ in arcs}.union(p for t in kept for p, _ in (*net.read[t], *net.inhibit[t]))
    asked.update(p for p, _ in net.capacity)
    ends = frozenset(compiled.final.ends)
    places = tuple(p for p in range(len(net.places)) if p not in outside and (p in asked or p in ends))
    number = {p: i for i, p in enumerate(places)}

    def inner(arcs: Arcs) -> Arcs:
        return tuple((number[p], w) for p, w in arcs if p in number)

    def side(arcs: Sequence[Arcs]) -> tuple[Arcs, ...]:
        return tuple(inner(arcs[t]) for t in kept)

    small = Net(
        tuple(net.places[p] for p in places),
        tuple(net.transitions[t] for t in kept),
        tuple(inner(arcs) for arcs in pre),
        side(net.post),
        side(net.read),
        side(net.inhibit),
        tuple(tuple(number[p] for p in net.reset[t] if p in number) for t in kept),
        tuple((number[p], most) for p, most in net.capacity if p in number),
        net.name,
    )
    labels = _Labels(compiled, kept).found()
    return OpenNet(small, tuple(compiled.initial[p] for p in places), places, kept, labels)


def _asked_before_refused(
    compiled: Compiled, kept: tuple[int, ...], outside: set[int]
) -> tuple[tuple[int, ...], list[Arcs]]:
    """The transitions and what each takes, where a call that is refused before it is made is heard as an answer to it.

    For the coordinator that is what it is: it makes the call, and its library says no. Whatever it waits for then, it may hear that.
    """
    net, roles = compiled.net, compiled.roles.transitions
    waiting: dict[tuple[str, str, int], list[int]] = {}
    for port in compiled.roles.ports:
        waiting.setdefault((port.step, port.direction, port.attempt), []).append(port.place)
    about: dict[tuple[str, str, int], set[int]] = {}
    for t in kept:
        role = roles[t]
        if role.kind is Kind.SEND:
            about.setdefault((role.step, role.direction, role.attempt), set()).update(p for p, _ in net.pre[t])
    found: list[int] = []
    pre: list[Arcs] = []
    for t in kept:
        role = roles[t]
        call = (role.step, role.direction, role.attempt)
        if role.how != "blocked" or call not in waiting:
            found.append(t)
            pre.append(net.pre[t])
            continue
        ready = about.get(call, set()) - outside
        for place in dict.fromkeys(waiting[call]):
            found.append(t)
            pre.append(tuple(sorted((place if p in ready else p, w) for p, w in net.pre[t])))
    return tuple(found), pre


def behaviour(
    compiled: Compiled, budget: Budget, *, decisions: bool = False, progress: Progress | None = None
) -> Behaviour:
    """Explore the coordinator alone. Where it was not seen whole, `stop` says why, and the rest is empty.

    With `decisions` it is seen which way it takes where it has a choice of its own.
    """
    opened = open_net(compiled)
    ends = [i for i, p in enumerate(opened.places) if p in compiled.final.ends]
    visitors = (Visitor(FALSE, Needs.EDGES), *(Visitor(at_least(end), Needs.EDGES) for end in ends))
    seen = engine(None).explore(opened.net, opened.initial, (), visitors, budget, progress)
    if not seen.complete:
        return Behaviour(Lts(0, 0, (), ()), (), (), (), lambda _: (), seen.stop)
    rows = Rows(seen.states, *seen.graph())
    opened = _valued(compiled, opened, rows)
    if decisions:
        opened = _decided(compiled, opened, rows)
    texts = {"": SILENT}
    labels: list[Label] = [Label(Seen.CHOICE, "")]
    of: list[int] = []
    for label in opened.labels:
        text = "" if label is None else label.text
        at = texts.setdefault(text, len(texts))
        if at == len(labels) and label is not None:
            labels.append(label)
        of.append(at)
    offsets, fired, targets = seen.graph()
    edges: dict[tuple[int, int, int], int] = {}
    for state in range(seen.states):
        for e in range(offsets[state], offsets[state + 1]):
            edges.setdefault((state, of[fired[e]], targets[e]), opened.transitions[fired[e]])
    sets: dict[tuple[int, ...], int] = {(0,) * len(ends): 0}
    marked = zip(*(seen.holds(visitor) for visitor in range(1, len(visitors))), strict=True) if ends else None
    marks = [0] * seen.states if marked is None else [sets.setdefault(some, len(sets)) for some in marked]
    final = frozenset(s for s, mark in enumerate(marks) if mark)
    lts = Lts(seen.states, 0, tuple(texts), tuple(edges), (), final)

    def marking(state: int) -> tuple[int, ...]:
        return tuple(opened.places[i] for i, n in enumerate(seen.state(state)) if n)

    return Behaviour(lts, tuple(labels), tuple(edges.values()), tuple(marks), marking)


def _valued(compiled: Compiled, opened: OpenNet, rows: Rows) -> OpenNet:
    """A value that comes with a message or a result is seen with it: what one thing sets in one of several ways tells which."""
    setting = {i for i, t in enumerate(opened.transitions) if "#sets[" in compiled.net.transitions[t]}
    telling: set[int] = set()
    for state in range(rows.states if setting else 0):
        by_text: dict[str, list[int]] = {}
        for i in setting.intersection(rows.labels[rows.offsets[state] : rows.offsets[state + 1]]):
            label = opened.labels[i]
            if label is not None:
                by_text.setdefault(label.text, []).append(i)
        telling.update(i for some in by_text.values() if len(some) > 1 for i in some)
    labels = list(opened.labels)
    for i in telling:
        label = labels[i]
        assert label is not None
        told = _SET.findall(compiled.origin.transitions[opened.transitions[i]].phrase)
        labels[i] = label._replace(name=f"{label.name}({', '.join(f'{name}={value}' for name, value in told)})")
    return opened._replace(labels=tuple(labels))


def _decided(compiled: Compiled, opened: OpenNet, rows: Rows) -> OpenNet:
    """Silent transitions of which one takes from another what it needs, in some state in which both can fire, are seen."""
    silent = {i for i, label in enumerate(opened.labels) if label is None}
    takes = [{p for p, _ in arcs} for arcs in opened.net.pre]
    deciding: set[int] = set()
    for state in range(rows.states):
        fired = silent.intersection(rows.labels[rows.offsets[state] : rows.offsets[state + 1]])
        if len(fired) > 1:
            deciding.update(i for i in fired if any(j != i and not takes[i].isdisjoint(takes[j]) for j in fired))
    labels = list(opened.labels)
    for i in deciding:
        labels[i] = Label(Seen.CHOICE, _words(compiled.origin.transitions[opened.transitions[i]].phrase))
    return opened._replace(labels=tuple(labels))


def _words(phrase: str) -> str:
    """What a decision was, out of its phrase."""
    _, _, chosen = phrase.partition(" chooses: ")
    return " ".join((chosen or phrase).replace("`", "").split())


class _Labels:
    """What is seen of each transition of the coordinator."""

    def __init__(self, compiled: Compiled, kept: tuple[int, ...]) -> None:
        self._compiled, self._kept = compiled, kept
        self._names = _names(compiled, kept)
        self._undo = {step.id: step.undo for step in compiled.roles.steps}
        self._times: dict[str, set[str]] = {}  # time -> what waits for it
        for t in kept:
            role = compiled.roles.transitions[t]
            if role.kind is Kind.TIMER:
                self._times.setdefault(role.says, set()).add(self._names[t])

    def found(self) -> tuple[Label | None, ...]:
        """By transition of the open net."""
        return tuple(self._label(t) or self._end(t) for t in self._kept)

    def _end(self, t: int) -> Label | None:
        for p, _ in self._compiled.net.post[t]:
            if p in self._compiled.final.ends:
                return Label(Seen.END, place_name(self._compiled.net.places[p]))
        return None

    def _label(self, t: int) -> Label | None:
        role, name = self._compiled.roles.transitions[t], self._names[t]
        if role.direction == "undo":
            name = self._undo.get(role.step) or f"undo {name}"
        match role.kind:
            case Kind.EVENT:
                return Label(Seen.HEARS, role.says or name)
            case Kind.PUBLISH:
                return Label(Seen.SENDS, role.says or name)
            case Kind.TAKE:
                return Label(Seen.HEARS, role.says or name)
            case Kind.SEND:
                return Label(Seen.SENDS, name if role.step else role.says or name)
            case Kind.REPLY:
                return Label(Seen.HEARS, f"{name}.{role.says.replace(' ', '_') or 'done'}")
            case Kind.TIMER:
                if role.step:
                    return Label(Seen.TIME, "", name, role.says)
                return Label(Seen.TIME, self._waiting(t) if len(self._times[role.says]) > 1 else "", "", role.says)
            case Kind.TASK if self._compiled.kind == "net":
                return Label(Seen.OUTCOME, name)
            case Kind.TASK:
                return Label(Seen.OUTCOME, f"{name}.{role.says or 'done'}", name)
        return None

    def _waiting(self, t: int) -> str:
        """What tells a time from another one of the same length: the state of a machine, or its path."""
        identifier = self._compiled.origin.transitions[t].id.removeprefix(f"{self._compiled.subject}/")
        return identifier.partition("/")[0] if self._compiled.kind == "machine" else identifier


def _names(compiled: Compiled, kept: tuple[int, ...]) -> dict[int, str]:
    """By transition the name of what it belongs to; where two things have one name, their paths."""
    roles = compiled.roles.transitions
    ids = {t: roles[t].step or compiled.origin.transitions[t].id for t in kept}
    owners: dict[str, set[str]] = {}
    for t, identifier in ids.items():
        if roles[t].kind is not Kind.ROUTE:
            owners.setdefault(_last(identifier), set()).add(identifier)
    prefix = f"{compiled.subject}/"
    found = {}
    for t, identifier in ids.items():
        last = _last(identifier)
        found[t] = last if len(owners.get(last, ())) < 2 else identifier.removeprefix(prefix)
    return found


def _last(identifier: str) -> str:
    last = identifier.rpartition("/")[2]
    return last[last.find("(") + 1 : -1] if last.endswith(")") and "(" in last else last


def place_name(identifier: str) -> str:
    """A short name for what a token on a place means."""
    last = identifier.rpartition("/")[2]
    base, _, role = last.partition("#")
    if role.startswith("end."):
        return role[4:]
    inner = base[base.rfind("[") + 1 : -1] if base.endswith("]") else ""
    base = inner if inner and not inner.isdecimal() else base
    if "/" not in identifier and role == "start":
        return "begin"
    return base if role in ("", "start") else f"{base} {role.replace('[1]', '')}"


def names(compiled: Compiled, found: Behaviour, states: Sequence[int]) -> tuple[str, ...]:
    """Short names for some of the states, all different: what is under way in them."""
    control = PlaceClass.CONTROL
    taken: dict[str, int] = {}
    result = []
    for state in states:
        marked = found.marking(state)
        ends = [p for p in marked if p in compiled.final.ends]
        places = ends or [p for p in marked if compiled.final.classes[p] is control]
        words = [_plain(place_name(compiled.net.places[p])) for p in places]
        name = "_and_".join(words[:3]) + ("_and_more" if len(words) > 3 else "") or "over"
        count = taken[name] = taken.get(name, 0) + 1
        result.append(name if count == 1 else f"{name}_{count}")
    return tuple(result)


def _plain(text: str) -> str:
    """Letters, digits and underscores, beginning with a letter."""
    found = "_".join("".join(c if c.isalnum() else " " for c in text).split())
    return found if found[:1].isalpha() else f"s_{found}"
