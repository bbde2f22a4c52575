"""From the net of a machine back to its states: what each transition is, in the words of the file and of recorded runs.

docs/formats-asl.md lists the kinds of events. The net is the one that the compiler made; nothing of it changes but its
origins, its steps and the names of its bounds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placet.compiled import Event

if TYPE_CHECKING:
    from placet.compiled import Compiled, Origin
    from placet.formats.asl.errors import Class
    from placet.formats.asl.marks import Mark, Marks

_COPIES = re.compile(r"(?:\[\d+\])+")
_COPY = re.compile(r"\[(\d+)\]")
_ERROR = re.compile(r"#(?:(retry|spend|leave|left|stop)\.)?(.+?)(?:\[(\d+)\])?(?:~\d+)?$", re.DOTALL)
_OWN = re.compile(r"`([^`]*)`")

_PLAIN = {
    "entered": "entered",
    "exited": "exited",
    "scheduled": "scheduled",
    "submitted": "submitted",
    "outcome": "succeeded",
    "answer": "succeeded",
    "item": "iteration_started",
    "item_done": "iteration_succeeded",
    "way": "exited",
}
_FAILING = {"exited": "bad_data", "data": "bad_data", "submitted": "failed", "outcome": "failed"}

_PHRASES = {
    "entered": "`{0}` is entered",
    "exited": "`{0}` is done",
    "scheduled": "`{0}` is scheduled",
    "submitted": "`{0}` is handed over",
    "succeeded": "`{0}` succeeds",
    "failed": "`{0}` fails: {1}",
    "timed_out": "`{0}` takes too long: {1}",
    "bad_data": "`{0}` fails over its data: {1}",
    "no_choice": "no rule of `{0}` holds",
    "raised": "`{0}` fails the execution: {1}",
    "too_many": "too many items of `{0}` fail",
    "retried": "`{0}` is tried again after: {1}",
    "caught": "`{0}` goes on at `{2}` after: {1}",
    "started": "the branches of `{0}` start",
    "children_succeeded": "all of `{0}` is done",
    "children_failed": "`{0}` fails, as what is inside it has failed: {1}",
    "iteration_started": "an item of `{0}` is begun",
    "iteration_succeeded": "an item of `{0}` is done",
    "execution_succeeded": "the execution succeeds",
    "execution_failed": "the execution fails: {1}",
}


def labelled(compiled: Compiled, marks: Marks, copies: dict[str, int]) -> Compiled:
    """The net with origins and steps that speak of the file; `copies` are its bounds. Linear in its size."""
    origins = compiled.origin
    steps: dict[str, list[int]] = {}
    told: list[Origin] = []
    for t, origin in enumerate(origins.transitions):
        mark = marks.of.get(origin.id)
        if mark is None:
            phrase = _cleaned(origin.phrase)
            if "#fails[" in origin.id:
                phrase = f"nothing catches `{origin.id.partition('#fails[')[2][:-1]}`"
            told.append(origin._replace(id=state_id(origin.id), phrase=phrase))
            continue
        event = _event(compiled.net.transitions[t], origin.id, mark, marks)
        told.append(_told(origin, mark, event))
        if mark.step and event is not None and event.kind in ("entered", "exited", "caught"):
            steps.setdefault(mark.step, []).append(t)
    places = tuple([o._replace(id=state_id(o.id), phrase=_place(o, marks)) for o in origins.places])
    return compiled._replace(
        origin=origins._replace(places=places, transitions=tuple(told)),
        steps=tuple([(step, tuple(found)) for step, found in steps.items()]),
        # how often is retried changes no verdict (bounds.py); how many items a Map has may
        assumptions=compiled.assumptions._replace(bounds=tuple(copies.items()), unjustified_bounds=bool(copies)),
    )


def state_id(identifier: str) -> str:
    """The id of the state that a statement is a part of."""
    return identifier.partition("#")[0].removesuffix("{}")


def _cleaned(phrase: str) -> str:
    """A phrase of the compiler with the names of states in it."""
    return _OWN.sub(lambda found: f"`{found.group(1).partition('#')[0].removesuffix('{}')}`", phrase)


def _place(origin: Origin, marks: Marks) -> str:
    """What a token on a place means."""
    mark = marks.of.get(origin.id)
    head, _, part = origin.id.partition("#")
    name = head.rpartition("/")[2]
    if mark is not None and mark.state:
        name = mark.state
    if mark is None and part in ("done", "begins"):
        return f"in `{name}`"
    if mark is not None and mark.target:
        return f"`{mark.target}` comes next"
    if mark is None and part.endswith("Next"):
        return f"`{name}` is done, and what follows it comes next"
    return _cleaned(origin.phrase)


def _told(origin: Origin, mark: Mark, event: Event | None) -> Origin:
    identifier = state_id(origin.id)
    span = mark.span or origin.span
    if event is None:
        phrase = f"the data of `{mark.state}` are there" if mark.role == "data" else _cleaned(origin.phrase)
        return origin._replace(id=identifier, phrase=phrase, span=span)
    errors = ", ".join(n for n in event.errors if n != "*") if "*" not in event.errors else "any error"
    if "*" in event.errors and event.but:
        errors = "any other error"
    phrase = _PHRASES[event.kind].format(event.element, errors, event.target)
    if event.kind == "exited" and event.target:
        phrase = f"`{event.element}` goes on at `{event.target}`"
    items = [int(part.rpartition(":")[2]) + 1 for part in event.scope if "/branch:" not in part]
    if items:
        phrase += f" (item {'.'.join(map(str, items))})"
    return origin._replace(id=identifier, phrase=phrase, span=span, event=event)


def _event(transition: str, origin: str, mark: Mark, marks: Marks) -> Event | None:
    """What a transition is, by the part of its id behind that of its statement."""
    rest = transition[len(mark.base or origin) :]
    copies = _COPIES.match(rest)
    numbers = [int(n) - 1 for n in _COPY.findall(copies.group())] if copies else []
    tail = rest[copies.end() :] if copies else rest
    scope, used = _scope(mark.scope, numbers)
    if mark.role in ("item", "item_done"):
        scope = (*scope, f"{mark.state}/iter:{numbers[used] if used < len(numbers) else 0}")
    event = Event("", mark.state, scope, target=mark.target, via=mark.via)
    if mark.role == "process":
        return event._replace(kind="execution_succeeded") if tail == "#ends.succeeded" else None
    if mark.role == "ended":
        return event._replace(kind="execution_succeeded")
    if mark.role == "end":
        return _with(event._replace(kind="execution_failed"), mark.errors)
    if mark.role == "raise":
        return _with(event._replace(kind=mark.kind), mark.errors)
    if mark.role == "refusal":
        return _with(event._replace(kind="timed_out" if mark.errors.timed_out else "failed"), mark.errors)
    if mark.role == "way":
        return event._replace(kind="exited")
    if mark.role == "count":
        return event._replace(kind="started", copies=int(mark.kind))
    if mark.role in ("fork", "items"):
        return _joined(event, tail, marks)
    found = _ERROR.match(tail)
    known = marks.classes.get(found.group(2)) if found else None
    if mark.role == "catch":
        return _with(event._replace(kind="caught"), mark.errors) if known is not None else None
    if mark.role == "attempt":
        if found is None or known is None or found.group(1) != "retry":
            return None
        return _with(event._replace(kind="retried"), known)
    if known is not None and mark.role in _FAILING:
        kind = "timed_out" if known.timed_out else _FAILING[mark.role]
        exact = next((one for one in mark.raises if one.text == known.text), known)
        return _with(event._replace(kind=kind), exact)
    kind = _PLAIN.get(mark.role, "")
    return event._replace(kind=kind) if kind and not tail.strip("~0123456789") else None


def _joined(event: Event, tail: str, marks: Marks) -> Event | None:
    """The transitions of a fork: its start, its end, and the error that leaves it once its other ways are stopped."""
    if tail.startswith("#fork"):
        count = re.match(r"#fork\[(\d+)\]", tail)
        return event._replace(kind="started", copies=int(count.group(1)) if count else -1)
    if tail == "#join":
        return event._replace(kind="children_succeeded")
    found = _ERROR.match(tail)
    if found is not None and found.group(1) == "left" and found.group(2) in marks.classes:
        return _with(event._replace(kind="children_failed"), marks.classes[found.group(2)])
    return None


def _with(event: Event, errors: Class) -> Event:
    return event._replace(errors=errors.names, but=errors.but)


def _scope(scope: tuple[str, ...], numbers: list[int]) -> tuple[tuple[str, ...], int]:
    """The scope with the numbers of its items, and how many of them it used."""
    if not any(part.endswith("#") for part in scope):
        return scope, 0
    used = 0
    found = []
    for part in scope:
        if part.endswith("#"):  # an item that there is one of at most has no number in the net
            found.append(part[:-1] + str(numbers[used] if used < len(numbers) else 0))
            used += used < len(numbers)
        else:
            found.append(part)
    return tuple(found), used
