"""Event histories of Temporal, in both spellings: `EVENT_TYPE_ACTIVITY_TASK_SCHEDULED` and `ActivityTaskScheduled`.

What happens to an activity, a timer, a child workflow or a Nexus operation names only the event that began it; the name
is looked up there. Workflow tasks and markers are the engine's own and say nothing about what the workflow did.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from placet.conform.json_stream import number, text
from placet.conform.record import Case, Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from placet.conform.json_stream import Item

SOURCE = "temporal"

# type -> kind, what; the engine's own events are left out
MEANING: dict[str, tuple[str, str]] = {
    "WorkflowExecutionStarted": ("execution", "started"),
    "WorkflowExecutionCompleted": ("execution", "succeeded"),
    "WorkflowExecutionFailed": ("execution", "failed"),
    "WorkflowExecutionTimedOut": ("execution", "timed_out"),
    "WorkflowExecutionCanceled": ("execution", "cancelled"),
    "WorkflowExecutionTerminated": ("execution", "aborted"),
    "WorkflowExecutionContinuedAsNew": ("execution", "continued"),
    "WorkflowExecutionSignaled": ("signal", "arrived"),
    "WorkflowExecutionCancelRequested": ("signal", "cancel_asked"),
    "ActivityTaskScheduled": ("step", "scheduled"),
    "ActivityTaskStarted": ("step", "started"),
    "ActivityTaskCompleted": ("step", "succeeded"),
    "ActivityTaskFailed": ("step", "failed"),
    "ActivityTaskTimedOut": ("step", "timed_out"),
    "ActivityTaskCancelRequested": ("step", "cancel_asked"),
    "ActivityTaskCanceled": ("step", "cancelled"),
    "TimerStarted": ("timer", "scheduled"),
    "TimerFired": ("timer", "succeeded"),
    "TimerCanceled": ("timer", "cancelled"),
    "StartChildWorkflowExecutionInitiated": ("child", "scheduled"),
    "StartChildWorkflowExecutionFailed": ("child", "failed"),
    "ChildWorkflowExecutionStarted": ("child", "started"),
    "ChildWorkflowExecutionCompleted": ("child", "succeeded"),
    "ChildWorkflowExecutionFailed": ("child", "failed"),
    "ChildWorkflowExecutionTimedOut": ("child", "timed_out"),
    "ChildWorkflowExecutionCanceled": ("child", "cancelled"),
    "ChildWorkflowExecutionTerminated": ("child", "cancelled"),
    "NexusOperationScheduled": ("step", "scheduled"),
    "NexusOperationStarted": ("step", "started"),
    "NexusOperationCompleted": ("step", "succeeded"),
    "NexusOperationFailed": ("step", "failed"),
    "NexusOperationTimedOut": ("step", "timed_out"),
    "NexusOperationCancelRequested": ("step", "cancel_asked"),
    "NexusOperationCanceled": ("step", "cancelled"),
}

# the engine's own, and what other workflows do
ASIDE = re.compile(
    r"WorkflowTask\w+|MarkerRecorded|UpsertWorkflowSearchAttributes|WorkflowPropertiesModified\w*|"
    r"ActivityPropertiesModified\w*|RequestCancelExternalWorkflowExecution\w+|"
    r"ExternalWorkflowExecution\w+|SignalExternalWorkflowExecution\w+|WorkflowExecutionUpdate\w+|"
    r"WorkflowExecutionOptionsUpdated|NexusOperationCancelRequest(?:Completed|Failed)"
)
_BEGAN = ("scheduledEventId", "startedEventId", "initiatedEventId", "startedId")
_OVER = ("succeeded", "failed", "timed_out", "cancelled", "aborted", "continued")


def is_event(value: dict[str, Any]) -> bool:
    """Whether an object is an event of such a history."""
    return isinstance(value.get("eventType"), str) and "eventId" in value


def spelt(name: str) -> str:
    """The type as `ActivityTaskScheduled`, whichever way it is written."""
    if name.startswith("EVENT_TYPE_"):
        return "".join(part.capitalize() for part in name[len("EVENT_TYPE_") :].split("_"))
    return name


def cases(path: str, items: Iterable[Item]) -> Iterator[Case]:
    """The runs of a log: one for each document, or for each time that the workflow starts."""
    runs: list[list[tuple[dict[str, Any], int]]] = []
    document = -1
    for item in items:
        begins = spelt(str(item.value.get("eventType"))) == "WorkflowExecutionStarted"
        if (
            not runs
            or begins
            or (item.document != document and document >= 0 and number(item.value.get("eventId")) == 1)
        ):
            runs.append([])
        document = item.document
        runs[-1].append((item.value, item.line))
    for run, found in enumerate(runs, 1):
        yield case(f"run {run}" if len(runs) > 1 else "", path, found)


def case(name: str, path: str, found: list[tuple[dict[str, Any], int]]) -> Case:
    """One run from its events."""
    events: list[Event] = []
    names: dict[int, str] = {}
    unknown: dict[str, None] = {}
    for position, (value, line) in enumerate(found, 1):
        kind_of = spelt(str(value.get("eventType")))
        meaning = MEANING.get(kind_of)
        if meaning is None:
            if not ASIDE.fullmatch(kind_of):
                unknown[kind_of[:80]] = None
            continue
        event = _event(position, value, line, kind_of, meaning, names)
        if event.kind == "execution" and event.what == "started":
            name = name or event.service
        events.append(event)
    problems = tuple(f"events of the type `{kind}` are not understood" for kind in unknown)
    complete = any(e.kind == "execution" and e.what in _OVER for e in events)
    return Case(name or "run", path, SOURCE, tuple(events), complete, problems)


def _event(
    position: int, value: dict[str, Any], line: int, kind_of: str, meaning: tuple[str, str], names: dict[int, str]
) -> Event:
    kind, what = meaning
    details = _details(value, kind_of)
    identifier = number(value.get("eventId"))
    began = 0
    for key in _BEGAN:
        at = number(details.get(key))
        if at in names:
            began = at
            break
    if what == "scheduled":
        name = _name(details, kind)
        names[identifier] = name
    else:
        name = names.get(began, "") or _name(details, kind)
    run = ""
    if kind == "execution" and what == "started":
        run = text(details, "workflowId", "originalExecutionRunId")
    error = _error(details, what)
    spelling = str(value.get("eventType"))
    return Event(position, spelling, kind, what, name, error, identifier, began, service=run, line=line)


def _details(value: dict[str, Any], kind_of: str) -> dict[str, Any]:
    found = value.get(kind_of[:1].lower() + kind_of[1:] + "EventAttributes")
    if not isinstance(found, dict):
        found = value.get("attributes")
    return found if isinstance(found, dict) else {}


def _name(details: dict[str, Any], kind: str) -> str:
    """What the event is about: the type of the activity or workflow, the signal, the timer."""
    for key in ("activityType", "workflowType"):
        found = details.get(key)
        if isinstance(found, dict) and isinstance(found.get("name"), str):
            return str(found["name"])
    if kind == "timer":
        return text(details, "timerId")
    return text(details, "signalName", "operation", "activityId")


def _error(details: dict[str, Any], what: str) -> str:
    """The name of an error: the type that the application gave it, innermost first; else what the engine calls it."""
    failure = details.get("failure")
    found = ""
    for _ in range(20):
        if not isinstance(failure, dict):
            break
        for key, plain in (
            ("applicationFailureInfo", ""),
            ("timeoutFailureInfo", "timeout"),
            ("canceledFailureInfo", "cancelled"),
            ("terminatedFailureInfo", "terminated"),
        ):
            info = failure.get(key)
            if isinstance(info, dict):
                found = text(info, "type") or plain or found
        failure = failure.get("cause")
    return found or ("timeout" if what == "timed_out" else "")
