"""The tasks of a definition as calls: their states by path, and where each stands in the net.

A task answers with success, with an error, or not at all. Which errors it answers with by itself are those that a `Catch`
around it names, and any other one where a `Catch` takes all or there is none; names of AWS's own (`States.`, `Lambda.`) are
what the service of the workflow says when it has no answer. No answer ends in `States.Timeout` where the state has a
time-out; a request whose response is waited for fails by itself in the end; everything else waits for ever.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placet.compile.sited_calls import Site
from placet.formats.asl.calm import FAILURES
from placet.formats.asl.to_ir import path_of
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from placet.compiled import Compiled
    from placet.formats.asl.bounds import Bounds
    from placet.formats.asl.machine import Machine, State

OTHER = "other"
MOST_ATTEMPTS = 4
_OWN = ("States.", "Lambda.")
_COPIES = re.compile(r"(?:\[\d+\])*")
_LATER = re.compile(r"\.sync(?::\d)?$")


class Element(NamedTuple):
    """A state: where it stands, and what is around it. `levels` are the states whose `Catch` its errors meet, itself first."""

    path: str
    state: State
    levels: tuple[State, ...]
    top: bool  # of the outermost machine

    @property
    def name(self) -> str:
        """As the file writes it."""
        return self.state.name


def elements(base: str, machine: Machine) -> Iterator[Element]:
    """All states of a machine, outer ones first. Linear."""
    pending: list[tuple[str, Machine, tuple[State, ...]]] = [(base, machine, ())]
    for at, inner, levels in pending:
        for state in inner.states.values():
            path = path_of(at, state.name)
            yield Element(path, state, (state, *levels), at == base)
            around = () if state.distributed else (state, *levels)
            for number, each in enumerate(state.inner):
                below = f"{path}/branch:{number}" if state.kind == "Parallel" else f"{path}/item"
                pending.append((below, each, around))


def answers(element: Element, more: Sequence[str]) -> tuple[str, ...]:
    """The names of the errors that a task answers with; `""` for one that nobody names."""
    names: dict[str, None] = {}
    wide = not any(state.catch for state in element.levels)
    for state in element.levels:
        for catcher in state.catch:
            for name in catcher.errors:
                if name in ("States.ALL", "States.TaskFailed"):
                    wide = True
                elif not name.startswith(_OWN):
                    names[name] = None
    if more:
        wide = OTHER in more
        names = dict.fromkeys(name for name in more if name != OTHER)
    return ("", *names) if wide or not names else tuple(names)


def sites(compiled: Compiled, element: Element, bounds: Bounds, more: Sequence[str] = ()) -> dict[str, Site]:
    """The task in the net, by the suffix of its copies. Linear in the transitions of the net."""
    origins, net = compiled.origin.transitions, compiled.net
    mine = [t for t, origin in enumerate(origins) if origin.id == element.path and origin.event is not None]
    found: dict[str, Site] = {}
    state = element.state
    attempts = min(MOST_ATTEMPTS, 1 + sum(bounds.times(retrier.times) for retrier in state.retry))
    for reply in mine:
        event = origins[reply].event
        if event is None or event.kind != "succeeded":
            continue
        taken = {p for p, _ in net.pre[reply]}
        sends = [t for t in mine if _kind(compiled, t) in ("scheduled", "submitted")]
        sends = [t for t in sends if any(p in taken for p, _ in net.post[t])]
        if not sends:
            continue
        (waiting,) = {p for t in sends for p, _ in net.post[t] if p in taken}
        ends = [t for t in mine if any(p == waiting for p, _ in net.pre[t])]
        failed = [t for t in ends if _kind(compiled, t) == "failed"]
        errors: dict[tuple[int, ...], list[str]] = {}
        for name in answers(element, more):
            by = tuple(t for t in failed if _named(compiled, t, name))
            if by:
                errors.setdefault(by, []).append(name)
        if state.timed or state.beats:
            late = [t for t in ends if _kind(compiled, t) == "timed_out"]
        elif state.callback or _LATER.search(state.text("Resource")):
            late = []
        else:
            late = [t for t in failed if _named(compiled, t, "Lambda.Unknown")]
        rest = net.transitions[reply][len(f"{element.path}#outcome") :]
        suffix = rest[: _COPIES.match(rest).end()]  # type: ignore[union-attr] # it matches always
        named = tuple((", ".join(n for n in names if n) if any(names) else "", by) for by, names in errors.items())
        found[suffix] = Site(waiting, tuple(sends), (reply,), named, tuple(late), attempts, state.name, suffix)
    return found


def free_failures(compiled: Compiled, every: Iterable[Element]) -> list[int]:
    """The transitions by which something fails by itself, and the ways that lead to nothing else. Linear."""
    found = [t for t in range(len(compiled.net.transitions)) if _kind(compiled, t) in FAILURES - {"too_many"}]
    deciding = {e.path for e in every if e.state.kind in ("Choice", "Fail")}  # they raise at a place of their own
    places = {p for t in found if compiled.origin.transitions[t].id in deciding for p, _ in compiled.net.pre[t]}
    running = {p for p in places if compiled.net.places[p].endswith("#running")}
    ways = [t for t, post in enumerate(compiled.net.post) if any(p in places - running for p, _ in post)]
    return [*found, *(t for t in ways if _kind(compiled, t) == "")]


def _kind(compiled: Compiled, t: int) -> str:
    event = compiled.origin.transitions[t].event
    return "" if event is None else event.kind


def _named(compiled: Compiled, t: int, name: str) -> bool:
    """The failure is the one by which an error of that name shows."""
    event = compiled.origin.transitions[t].event
    if event is None:
        return False
    return name in event.errors or ("*" in event.errors and name not in event.but)
