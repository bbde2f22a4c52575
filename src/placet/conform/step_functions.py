"""Execution histories of AWS Step Functions: what `get-execution-history` prints, its flattened form, and log groups.

An event has an `id`, a `previousEventId` and a `type`; its details stand in an object named after the type, or
(flattened) beside the type. Express workflows log one event on each line, many executions in one file.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from placet.conform.json_stream import number, text
from placet.conform.record import Case, Event
from placet.conform.scopes import Scopes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from placet.conform.json_stream import Item
    from placet.conform.record import Copies

SOURCE = "step functions"

_STATE = re.compile(r"(Task|Pass|Wait|Choice|Succeed|Fail|Map|Parallel)State(Entered|Exited|Aborted)")
_CONTAINER = re.compile(r"(Map|Parallel)State(Started|Succeeded|Failed|Aborted)")
_ITERATION = re.compile(r"MapIteration(Started|Succeeded|Failed|Aborted)")
_RUN = re.compile(r"MapRun(Started|Succeeded|Failed|Aborted|Redriven)")
_EXECUTION = re.compile(r"Execution(Started|Succeeded|Failed|Aborted|TimedOut|Redriven)")
_TASK = re.compile(
    r"(?:Task|Activity|LambdaFunction)(Scheduled|Started|Submitted|Succeeded|Failed|TimedOut|"
    r"ScheduleFailed|StartFailed|SubmitFailed)"
)
_OVER = ("succeeded", "failed", "aborted", "timed_out")

_WORDS = {
    "TimedOut": "timed_out",
    "ScheduleFailed": "failed",
    "StartFailed": "failed",
    "SubmitFailed": "failed",
}


def is_event(value: dict[str, Any]) -> bool:
    """Whether an object is an event of such a history."""
    name = value.get("type")
    return isinstance(name, str) and ("id" in value or "previousEventId" in value) and _understood(name) is not None


def cases(path: str, items: Iterable[Item]) -> Iterator[Case]:
    """The executions of a log. One document is one execution; lines that name their execution belong to it."""
    executions: dict[str, list[tuple[dict[str, Any], int]]] = {}
    for item in items:
        value = item.value
        arn = value.get("execution_arn") or value.get("executionArn")
        key = str(arn) if arn else ("" if not _alone(value, item) else f"#{item.document}")
        executions.setdefault(key, []).append((value, item.line))
    for key, found in executions.items():
        name = key.rsplit(":", 1)[-1] if not key.startswith("#") else f"execution {int(key[1:]) + 1}"
        yield case(name, path, found)


def _alone(value: dict[str, Any], item: Item) -> bool:
    """Lines of a log without a name of their execution are one execution, documents are one each."""
    return item.document > 0 and "previous_event_id" not in value


def case(name: str, path: str, found: list[tuple[dict[str, Any], int]]) -> Case:
    """One execution from its events. Events that come in reverse order, as the service can give them, are turned round."""
    numbers = [number(value.get("id")) for value, _ in found]
    if len(numbers) > 1 and all(numbers) and all(a > b for a, b in pairwise(numbers)):
        found.reverse()
    scopes = Scopes()
    events: list[Event] = []
    unknown: dict[str, None] = {}
    for position, (value, line) in enumerate(found, 1):
        event = _event(position, value, line)
        if event is None:
            unknown[str(value.get("type"))[:80]] = None
            continue
        events.append(scopes.place(event) if event.id else event)
    problems = [
        f"event {event} says it followed event {cause}, which is not in the log" for event, cause in scopes.missing
    ]
    problems += [f"events of the type `{kind}` are not understood" for kind in unknown]
    complete = any(e.kind == "execution" and e.what in _OVER for e in events)
    return Case(name, path, SOURCE, tuple(events), complete, tuple(problems))


def _event(position: int, value: dict[str, Any], line: int) -> Event | None:
    """The event that an object tells, its state and item not yet known; None for a type that is not understood."""
    spelt = value.get("type")
    meaning = _understood(spelt) if isinstance(spelt, str) else None
    if meaning is None:
        return None
    kind, what, service = meaning
    details = _details(value, str(spelt))
    identifier = number(value.get("id"))
    cause = number(value.get("previousEventId", value.get("previous_event_id")), -1)
    name = text(details, "name", "state", "mapState") if kind in ("state", "iteration", "evaluation") else ""
    item, length = (number(details.get(key), -1) for key in ("index", "length"))
    service = service or text(details, "resource")
    return Event(
        position,
        str(spelt),
        kind,
        what,
        name,
        text(details, "error"),
        identifier,
        cause,
        (),
        item,
        length,
        service,
        line,
    )


def _understood(spelt: str) -> tuple[str, str, str] | None:
    """Kind, what and, of a state, its type."""
    for pattern, kind in ((_TASK, "task"), (_CONTAINER, ""), (_ITERATION, "iteration"), (_RUN, "run"), (_EXECUTION, "execution")):  # fmt: skip
        found = pattern.fullmatch(spelt)
        if found is not None:
            word = found.group(found.lastindex or 0)
            return kind or found.group(1).lower(), _WORDS.get(word, word.lower()), ""
    found = _STATE.fullmatch(spelt)
    if found is not None:
        return "state", found.group(2).lower(), found.group(1).lower()
    if spelt == "EvaluationFailed":
        return "evaluation", "failed", ""
    return None


def _details(value: dict[str, Any], spelt: str) -> dict[str, Any]:
    """The object named after the type, or that of a log group, or the event itself."""
    base = "stateEntered" if spelt.endswith("StateEntered") else "stateExited" if spelt.endswith("StateExited") else ""
    named = value.get((base or spelt[:1].lower() + spelt[1:]) + "EventDetails")
    if isinstance(named, dict):
        return named
    logged = value.get("details")
    return logged if isinstance(logged, dict) else value


def as_run(case: Case) -> Case:
    """What an execution did, without how the service does it: its tasks with their last attempts, and its end.

    That is what a model written by hand speaks of; states that do no work and retries are the definition's business.
    """
    attempts: dict[tuple[str, Copies], Event] = {}  # the failures that may still be retried
    events: list[Event] = []
    for event in case.events:
        key = (event.name, event.copies)
        if event.kind == "task" and event.what in ("scheduled", "succeeded", "failed", "timed_out"):
            failed = attempts.pop(key, None)
            if event.what == "scheduled" and failed is not None:
                events.remove(failed)
                continue
            plain = event._replace(kind="step", copies=())
            if event.what in ("failed", "timed_out"):
                attempts[key] = plain
            events.append(plain)
        elif event.kind == "execution":
            events.append(event)
        elif event.kind == "state":
            attempts.pop(key, None)
    return case._replace(events=tuple(events))
