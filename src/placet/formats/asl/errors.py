"""Names of errors, what catches them, and how names that nothing tells apart are taken together.

What a wildcard matches follows the service's documentation: `States.ALL` everything but `States.Runtime`,
`States.TaskFailed` everything that `States.ALL` does but `States.Timeout` and `States.DataLimitExceeded`,
`States.Timeout` a missed heartbeat too. `States.Runtime` is never retried and never caught. The documentation excepts
`States.DataLimitExceeded` from `States.ALL` too, but recorded executions show a task with that error caught by it.

Two errors that the same retriers and catchers treat alike, on the state itself and on every Parallel and Map around it,
are one class: one transition instead of many, and no verdict can tell the difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from placet.formats.asl.machine import State

ALL = "States.ALL"
TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"
HEARTBEAT = "States.HeartbeatTimeout"
RUNTIME = "States.Runtime"
TOO_LARGE = "States.DataLimitExceeded"
NO_CHOICE = "States.NoChoiceMatched"
QUERY = "States.QueryEvaluationError"
THRESHOLD = "States.ExceedToleratedFailureThreshold"
ANY = "*"  # every name that is not mentioned

TIMEOUTS = frozenset((TIMEOUT, HEARTBEAT))
INPUT = (RUNTIME, "States.ParameterPathFailure", "States.IntrinsicFailure")
OUTPUT = (*INPUT, "States.ResultPathMatchFailure")
_DATA = frozenset((*OUTPUT, QUERY, NO_CHOICE))
_CONTAINERS = frozenset(("States.BranchFailed", "States.ItemReaderFailed", "States.ResultWriterFailed", THRESHOLD))


class Level(NamedTuple):
    """What one state retries and catches: the names of each entry, in order. `edge`: the edge of a child execution."""

    retry: tuple[tuple[str, ...], ...] = ()
    catch: tuple[tuple[str, ...], ...] = ()
    edge: bool = False


class Class(NamedTuple):
    """Errors that are treated alike. With `*` it is every name but those in `but`."""

    names: tuple[str, ...]
    but: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The class in words; equal words mean equal names."""
        if ANY not in self.names:
            if RUNTIME in self.names and len(self.names) == len(OUTPUT) and set(self.names) <= _DATA:
                return "bad data"
            return ", ".join(self.names)
        named = [n for n in self.names if n not in (ANY, TASK_FAILED, TOO_LARGE)]
        rest = "any other error" if TOO_LARGE not in self.names else "any error"
        return ", ".join([*named, rest])

    @property
    def timed_out(self) -> bool:
        """Only time-outs are in it."""
        return TIMEOUTS.issuperset(self.names)


def level(state: State) -> Level:
    """What a state retries and catches."""
    return Level(tuple(r.errors for r in state.retry), tuple(c.errors for c in state.catch))


def matches(listed: Sequence[str], error: str) -> bool:
    """Whether an entry with these names takes this error."""
    if error == RUNTIME:
        return False
    if error in listed:
        return True
    if ALL in listed:
        return True
    if TASK_FAILED in listed:
        return error not in (TIMEOUT, TOO_LARGE)
    return TIMEOUT in listed and error == HEARTBEAT


def first(entries: Sequence[Sequence[str]], error: str) -> int:
    """The first entry that takes an error, or -1."""
    return next((i for i, listed in enumerate(entries) if matches(listed, error)), -1)


def classes(names: Iterable[str], levels: Sequence[Level]) -> tuple[Class, ...]:
    """The names in classes; `levels` begin at the state that raises them and go outwards. O(names * entries)."""
    groups: dict[tuple[tuple[int, int], ...], list[str]] = {}
    for name in dict.fromkeys(names):
        groups.setdefault(_fate(name, levels), []).append(name)
    every = [n for group in groups.values() for n in group]
    return tuple(
        Class(tuple(group), tuple(n for n in every if n not in group and n != ANY) if ANY in group else ())
        for group in groups.values()
    )


def _fate(error: str, levels: Sequence[Level]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for at in levels:
        if at.edge:
            break
        caught = first(at.catch, error)
        found.append((first(at.retry, error), caught))
        if caught >= 0:
            break
    return tuple(found)


def mentioned(levels: Sequence[Level]) -> list[str]:
    """Every name that a retrier or catcher gives, wildcards included, each once."""
    found: dict[str, None] = {}
    for at in levels:
        if at.edge:
            break
        for entry in (*at.retry, *at.catch):
            found.update(dict.fromkeys(entry))
    return list(found)


def of_a_task(state: State, levels: Sequence[Level], *, late: bool = False) -> tuple[Class, ...]:
    """How a task can fail: by any error that somebody names, or by another one; by a time-out where it has one, or with `late`."""
    names = [n for n in mentioned(levels) if n not in _DATA and n not in _CONTAINERS and n not in TIMEOUTS and n != ALL]
    failed = classes((*names, TASK_FAILED, TOO_LARGE, ANY), levels)
    every = mentioned(levels)
    times = [TIMEOUT] if late or state.timed or TIMEOUT in every else []
    if late or state.beats or HEARTBEAT in every:
        times.append(HEARTBEAT)
    return failed + classes(times, levels)


def of_bad_data(levels: Sequence[Level], *, jsonata: bool, output: bool, large: bool = False) -> tuple[Class, ...]:
    """How the reading of a state's input, or the making of its output, can fail; with `large` also by its size."""
    names = ((QUERY, RUNTIME) if output else (QUERY,)) if jsonata else OUTPUT if output else INPUT
    return classes((*names, TOO_LARGE) if large else names, levels)


def of_an_unknown(levels: Sequence[Level]) -> tuple[Class, ...]:
    """An error whose name only the data tells."""
    return classes((*[n for n in mentioned(levels) if n not in (ALL, RUNTIME)], ANY), levels)
