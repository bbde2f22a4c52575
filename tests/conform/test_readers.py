"""Readers of logs: the same events whatever form they come in, and nothing hostile gets through or hangs."""

from __future__ import annotations

import json
import time

import pytest

from placet.conform import json_stream
from placet.conform.logs import read
from placet.conform.record import LogError


def written(tmp_path, text, name="a.log"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8") if isinstance(text, str) else path.write_bytes(text)
    return read(str(path))


def told(case):
    return [(e.kind, e.what, e.name, e.copies, e.error) for e in case.events]


NESTED = [
    {"id": 1, "previousEventId": 0, "type": "ExecutionStarted", "executionStartedEventDetails": {"input": "{}"}},
    {"id": 2, "previousEventId": 0, "type": "MapStateEntered", "stateEnteredEventDetails": {"name": "Each", "input": "[]"}},
    {"id": 3, "previousEventId": 2, "type": "MapStateStarted", "mapStateStartedEventDetails": {"length": 2}},
    {"id": 4, "previousEventId": 3, "type": "MapIterationStarted", "mapIterationStartedEventDetails": {"name": "Each", "index": 0}},
    {"id": 5, "previousEventId": 3, "type": "MapIterationStarted", "mapIterationStartedEventDetails": {"name": "Each", "index": 1}},
    {"id": 6, "previousEventId": 5, "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "Ship"}},
    {"id": 7, "previousEventId": 4, "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "Ship"}},
    {"id": 8, "previousEventId": 6, "type": "TaskScheduled", "taskScheduledEventDetails": {"resource": "invoke"}},
    {"id": 9, "previousEventId": 8, "type": "TaskFailed", "taskFailedEventDetails": {"error": "Broken"}},
    {"id": 10, "previousEventId": 9, "type": "MapIterationFailed", "mapIterationFailedEventDetails": {"name": "Each", "index": 1}},
    {"id": 11, "previousEventId": 9, "type": "MapStateFailed"},
    {"id": 12, "previousEventId": 11, "type": "ExecutionFailed", "executionFailedEventDetails": {"error": "Broken"}},
]  # fmt: skip
EXPECTED = [
    ("execution", "started", "", (), ""), ("state", "entered", "Each", (), ""), ("map", "started", "Each", (), ""),
    ("iteration", "started", "Each", (0,), ""), ("iteration", "started", "Each", (1,), ""),
    ("state", "entered", "Ship", (1,), ""), ("state", "entered", "Ship", (0,), ""), ("task", "scheduled", "Ship", (1,), ""),
    ("task", "failed", "Ship", (1,), "Broken"), ("iteration", "failed", "Each", (1,), ""), ("map", "failed", "Each", (), ""),
    ("execution", "failed", "", (), "Broken"),
]  # fmt: skip


def flat(event):
    details = next((v for k, v in event.items() if k.endswith("Details")), {})
    keys = {"name": "mapState" if "Iteration" in event["type"] else "state"}
    return {
        **{k: event[k] for k in ("id", "previousEventId", "type")},
        **{keys.get(k, k): v for k, v in details.items()},
    }


def logged(event):
    details = next((v for k, v in event.items() if k.endswith("Details")), {})
    arn = "arn:aws:states:eu-west-1:1:express:order:run-1:x"
    return {
        "id": str(event["id"]), "type": event["type"], "details": details, "execution_arn": arn,
        "previous_event_id": str(event["previousEventId"]), "event_timestamp": "1700000000000",
    }  # fmt: skip


@pytest.mark.parametrize("text", [
    json.dumps({"events": NESTED}),
    json.dumps({"events": NESTED}, indent=2),
    json.dumps({"events": [flat(e) for e in NESTED]}),
    json.dumps(NESTED),
    json.dumps({"events": NESTED[::-1]}),
    "\n".join(json.dumps(logged(e)) for e in NESTED),
    "\ufeff" + json.dumps({"nextToken": "x", "events": NESTED, "definition": {"States": {"events": [1]}}}),
], ids=["nested", "indented", "flat", "array", "reversed", "log lines", "wrapped"])  # fmt: skip
def test_an_execution_is_the_same_in_every_form(tmp_path, text):
    (case,) = written(tmp_path, text).cases
    assert told(case) == EXPECTED
    assert case.complete
    assert case.problems == ()


def test_two_executions_in_one_file(tmp_path):
    lines = [json.dumps(logged(e)) for e in NESTED]
    other = [line.replace("run-1", "run-2") for line in lines]
    mixed = [line for pair in zip(lines, other, strict=True) for line in pair]
    assert [told(c) for c in written(tmp_path, "\n".join(mixed)).cases] == [EXPECTED, EXPECTED]
    two = json.dumps({"events": NESTED}) + "\n" + json.dumps({"events": NESTED})
    assert [told(c) for c in written(tmp_path, two).cases] == [EXPECTED, EXPECTED]


def test_an_event_that_followed_nothing_is_noticed(tmp_path):
    (case,) = written(tmp_path, json.dumps({"events": [e for e in NESTED if e["id"] != 8]})).cases
    assert case.problems == ("event 9 says it followed event 8, which is not in the log",)
    (case,) = written(tmp_path, json.dumps({"events": NESTED[:-1]})).cases
    assert not case.complete


TEMPORAL = [
    ("WORKFLOW_EXECUTION_STARTED", {"workflowType": {"name": "Order"}, "workflowId": "o-1"}),
    ("WORKFLOW_TASK_SCHEDULED", {}),
    ("ACTIVITY_TASK_SCHEDULED", {"activityType": {"name": "Pack"}, "activityId": "5"}),
    ("ACTIVITY_TASK_STARTED", {"scheduledEventId": "3"}),
    ("WORKFLOW_EXECUTION_SIGNALED", {"signalName": "paid"}),
    ("ACTIVITY_TASK_FAILED", {"scheduledEventId": "3", "startedEventId": "4", "failure": {
        "message": "wrapped", "cause": {"applicationFailureInfo": {"type": "OutOfStock"}}}}),
    ("TIMER_STARTED", {"timerId": "t", "startToFireTimeout": "1s"}),
    ("TIMER_FIRED", {"timerId": "t", "startedEventId": "7"}),
    ("START_CHILD_WORKFLOW_EXECUTION_INITIATED", {"workflowType": {"name": "Refund"}}),
    ("CHILD_WORKFLOW_EXECUTION_COMPLETED", {"initiatedEventId": "9", "workflowType": {"name": "Refund"}}),
    ("NEXUS_OPERATION_SCHEDULED", {"operation": "notify"}),
    ("NEXUS_OPERATION_COMPLETED", {"scheduledEventId": "11"}),
    ("WORKFLOW_EXECUTION_FAILED", {"failure": {"applicationFailureInfo": {"type": "OutOfStock"}}}),
]  # fmt: skip


def temporal(loud):
    events = []
    for number, (name, details) in enumerate(TEMPORAL, 1):
        camel = "".join(p.capitalize() for p in name.split("_"))
        key = camel[0].lower() + camel[1:] + "EventAttributes"
        events.append({"eventId": str(number), "eventType": f"EVENT_TYPE_{name}" if loud else camel, key: details})
    return events


@pytest.mark.parametrize("loud", [True, False])
@pytest.mark.parametrize("wrap", [lambda e: {"events": e}, lambda e: {"history": {"events": e}}, lambda e: e])
def test_temporal_in_both_spellings(tmp_path, loud, wrap):
    (case,) = written(tmp_path, json.dumps(wrap(temporal(loud)))).cases
    assert told(case) == [
        ("execution", "started", "Order", (), ""), ("step", "scheduled", "Pack", (), ""), ("step", "started", "Pack", (), ""),
        ("signal", "arrived", "paid", (), ""), ("step", "failed", "Pack", (), "OutOfStock"),
        ("timer", "scheduled", "t", (), ""), ("timer", "succeeded", "t", (), ""), ("child", "scheduled", "Refund", (), ""),
        ("child", "succeeded", "Refund", (), ""), ("step", "scheduled", "notify", (), ""),
        ("step", "succeeded", "notify", (), ""), ("execution", "failed", "", (), "OutOfStock"),
    ]  # fmt: skip
    assert (case.name, case.complete, case.problems) == ("o-1", True, ())


def test_runs_of_our_own_as_words_and_as_json(tmp_path):
    text = "# comment\n\na flight@flights asked\nb flight asked   # another\na flight refused NoSeats\na - ended compensated\n"
    words = written(tmp_path, text).cases
    values = [
        {"case": "a", "step": "flight", "service": "flights", "outcome": "asked"},
        {"case": "b", "step": "flight", "outcome": "asked"},
        {"case": "a", "step": "flight", "outcome": "refused", "error": "NoSeats"},
        {"case": "a", "outcome": "ended", "end": "compensated"},
    ]
    lines = written(tmp_path, "\n".join(map(json.dumps, values))).cases
    assert [told(c) for c in words] == [told(c) for c in lines]
    assert [(c.name, c.complete) for c in words] == [("a", True), ("b", False)]
    assert told(words[0]) == [
        ("step", "scheduled", "flight", (), ""), ("step", "refused", "flight", (), "NoSeats"),
        ("execution", "ended", "compensated", (), ""),
    ]  # fmt: skip


def test_the_samples_of_the_corpora_are_read_whole(corpora):
    files = sorted((corpora / "samples" / "temporal-history").glob("*.json"))
    assert files
    for file in files:
        log = read(str(file))
        events = json.loads(file.read_text(encoding="utf-8"))["events"]
        assert log.diagnostics == ()
        (case,) = log.cases
        assert case.problems == ()
        assert case.complete
        engine = [
            e
            for e in events
            if "Workflow" in e["eventType"].title().replace("_", "") and "Task" in e["eventType"].title()
        ]
        assert (
            0 < len(case.events) <= len(events) - len([e for e in engine if "Activity" not in e["eventType"].title()])
        )


# -- bad input -------------------------------------------------------------------------------------------------------

EVENT = '{"id": 1, "previousEventId": 0, "type": "ExecutionStarted"}'


@pytest.mark.parametrize(("text", "code", "words"), [
    ("", "P702", "no recorded run"),
    ("[]", "P702", "no recorded run"),
    ("{}", "P702", "first event"),
    ('{"events": []}', "P702", ""),
    ("just some words of no use", "P701", "a line says"),
    ("a b", "P701", "a line says"),
    ("a b happened", "P701", "nothing that can happen"),
    ('{"events": [' + EVENT, "P701", "ends in the middle"),
    ('{"events": [' + EVENT + ', {"id": 2', "P701", "ends in the middle"),
    ('{"events": [' + EVENT + ", 3]}", "P701", "an event is no object"),
    ('{"events": [' + EVENT + ', {"id": 2, "id": 3}]}', "P701", "is there twice"),
    ('{"a": 1, "a": 2}', "P701", "is there twice"),
    ('{"events": [{"id": 1' + "0" * 2_000_000 + ', "type": "ExecutionStarted"}]}', "P701", "digits"),
    ('{"events": [' + "[" * 10_000 + "]" * 10_000 + "]}", "P701", "nested"),
    ('{"events": ' + "[" * 500_000, "P701", "nested"),
    ('{"a":' * 100_000, "P701", "nested"),
    ('{"events": ["' + "\\" * 100_001 + '"', "P701", "ends in the middle"),
    ("{]", "P701", ""),
    ("[}", "P701", ""),
    ('{"events" [', "P701", "`:` is missing"),
    ("{" + "a" * 100_000, "P701", ""),
    ("a " * 100_000, "P701", "longer than"),
    (b'\xff\xfe\x00\x01{"events"', "P701", "UTF-8"),
    (b"\x00" * 5000, "P701", "longer than"),
    ('{"level": "info"}', "P702", "no log that is read"),
], ids=range(25))  # fmt: skip
def test_bad_logs_are_told_at_once(tmp_path, text, code, words):
    began = time.process_time()
    log = written(tmp_path, text)
    assert time.process_time() - began < 5
    (diagnostic,) = log.diagnostics
    assert diagnostic.code == code
    assert words in diagnostic.message


def test_what_stands_before_a_broken_place_is_kept_where_cases_are_apart(tmp_path):
    log = written(tmp_path, "\n".join(json.dumps(logged(e)) for e in NESTED) + "\n{")
    assert [d.code for d in log.diagnostics] == ["P701"]


def test_files_that_are_none(tmp_path):
    assert [d.code for d in read(str(tmp_path / "no.json")).diagnostics] == ["P602"]
    assert [d.code for d in read(str(tmp_path)).diagnostics] == ["P603"]
    assert [d.code for d in read("a\0b").diagnostics] == ["P603"]


class Endless:
    """A stream of events without an end, of which only a part may ever be held."""

    def __init__(self, event):
        self.event = event + ","
        self.begun = False
        self.held = 0

    def read(self, size):
        if not self.begun:
            self.begun = True
            return '{"events": ['
        self.held = max(self.held, size)
        return self.event * max(1, size // len(self.event))


def test_no_more_than_a_window_is_held():
    stream = Endless(EVENT)
    found = json_stream.items(stream)
    for _ in range(50_000):
        assert next(found).value["type"] == "ExecutionStarted"
    assert stream.held <= 4 * json_stream.CHUNK


def test_one_endless_event_is_refused(monkeypatch):
    monkeypatch.setattr(json_stream, "MOST_CHARACTERS", 1 << 20)

    class Long(Endless):
        def read(self, size):
            return '{"events": [{"a": "' if not self.begun else "x" * size

    stream = Long("")
    assert stream.read(1)
    stream.begun = False
    found = json_stream.items(Chunks(['{"events": [{"a": "', *["x" * (1 << 18)] * 100]))
    with pytest.raises(LogError, match="longer than"):
        next(found)


class Chunks:
    def __init__(self, chunks):
        self.chunks = iter(chunks)

    def read(self, size):
        return next(self.chunks, "")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_where_the_chunks_are_cut_does_not_matter(size):
    text = json.dumps(
        {"x": 'a\\"]}', "events": [{"a": 'q"\\', "b": [1, {"c": "{["}], "d": -1.5e3}, {"e": None}], "z": 12}
    )
    chunks = Chunks([text[i : i + size] for i in range(0, len(text), size)])
    assert [item.value for item in json_stream.items(chunks)] == [
        {"a": 'q"\\', "b": [1, {"c": "{["}], "d": -1500.0},
        {"e": None},
    ]
