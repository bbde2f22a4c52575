"""Step Functions histories, written by hand from what the service does, against small definitions."""

from __future__ import annotations

import json

import pytest
from histories import held, history, machine, task

from placet.conform.conform import conform, hold_all
from placet.conform.json_stream import Item
from placet.conform.record import Case, Event, Log
from placet.conform.step_functions import cases
from placet.net.firing import fire
from placet.pipeline import compile_source
from placet.source import SourceFile

PASS = {"Type": "Pass", "End": True}

# -- a task with everything ------------------------------------------------------------------------------------------

ORDER = machine(
    "Pay",
    Pay=task(
        "pay",
        TimeoutSeconds=5,
        Retry=[{"ErrorEquals": ["Busy"], "MaxAttempts": 2}],
        Catch=[{"ErrorEquals": ["Declined"], "Next": "Sorry"}, {"ErrorEquals": ["States.Timeout"], "Next": "Late"}],
        Next="Choose",
    ),
    Choose={
        "Type": "Choice",
        "Choices": [{"Variable": "$.big", "BooleanEquals": True, "Next": "Audit"}],
        "Default": "Done",
    },
    Audit=task("audit", Next="Choose"),
    Done={"Type": "Succeed"},
    Sorry={"Type": "Fail", "Error": "Refused"},
    Late=PASS,
)


def attempt(outcome):
    return f"TaskScheduled\nTaskStarted\n{outcome}\n"


def entered(name, kind="Task"):
    return f"{kind}StateEntered name={name}\n"


def exited(name, kind="Task"):
    return f"{kind}StateExited name={name}\n"


BEGIN = "ExecutionStarted\n"
PAID = BEGIN + entered("Pay") + attempt("TaskSucceeded") + exited("Pay")
CHOSEN = entered("Choose", "Choice") + exited("Choose", "Choice")
AUDITED = entered("Audit") + attempt("TaskSucceeded") + exited("Audit")
DONE = entered("Done", "Succeed") + exited("Done", "Succeed") + "ExecutionSucceeded"
BUSY = attempt("TaskFailed error=Busy")
DECLINED = attempt("TaskFailed error=Declined")
SORRY = exited("Pay") + entered("Sorry", "Fail") + "ExecutionFailed error=Refused"

CONFORMING = {
    "straight": PAID + CHOSEN + DONE,
    "round the loop": PAID + CHOSEN + AUDITED + CHOSEN + AUDITED + CHOSEN + DONE,
    "two retries": BEGIN + entered("Pay") + BUSY + BUSY + attempt("TaskSucceeded") + exited("Pay") + CHOSEN + DONE,
    "retries used up": BEGIN + entered("Pay") + BUSY * 3 + "ExecutionFailed error=Busy",
    "caught": BEGIN + entered("Pay") + DECLINED + SORRY,
    "caught after a retry": BEGIN + entered("Pay") + BUSY + DECLINED + SORRY,
    "not caught": BEGIN + entered("Pay") + attempt("TaskFailed error=Odd") + "ExecutionFailed error=Odd",
    "timed out": BEGIN + entered("Pay") + attempt("TaskTimedOut error=States.Timeout") + exited("Pay")
    + entered("Late", "Pass") + exited("Late", "Pass") + "ExecutionSucceeded",
    "stopped from outside": BEGIN + entered("Pay") + "TaskScheduled\nTaskStarted\nExecutionAborted",
}  # fmt: skip

VIOLATING = {
    "three retries": (BEGIN + entered("Pay") + BUSY * 3 + "TaskScheduled", "TaskScheduled"),
    "an error retried that is not": (BEGIN + entered("Pay") + DECLINED + "TaskScheduled", "TaskScheduled"),
    "caught by the wrong catcher": (
        BEGIN + entered("Pay") + DECLINED + exited("Pay") + entered("Late", "Pass"), "PassStateEntered"),
    "past a state": (PAID + entered("Done", "Succeed"), "SucceedStateEntered"),
    "an unknown state": (PAID + entered("Elsewhere", "Pass"), "PassStateEntered"),
    "the end of the wrong kind": (PAID + CHOSEN + DONE.replace("Succeeded", "Failed"), "ExecutionFailed"),
    "too early": (PAID + "ExecutionSucceeded", "ExecutionSucceeded"),
    "another error at the end": (
        BEGIN + entered("Pay") + attempt("TaskFailed error=Odd") + "ExecutionFailed error=Even", "ExecutionFailed"),
    "another error than the definition's": (
        BEGIN + entered("Pay") + DECLINED + SORRY.replace("Refused", "Other"), "ExecutionFailed"),
    "an outcome without a start": (BEGIN + entered("Pay") + "TaskScheduled\nTaskSucceeded", "TaskSucceeded"),
    "a failure without a start": (BEGIN + entered("Pay") + "TaskScheduled\nTaskFailed error=Busy", "TaskFailed"),
    "a start without a schedule": (BEGIN + entered("Pay") + "TaskStarted", "TaskStarted"),
    "entered twice": (BEGIN + entered("Pay") + entered("Pay"), "TaskStateEntered"),
    "an exit without work": (BEGIN + entered("Pay") + exited("Pay"), "TaskStateExited"),
    "an exit of another state": (BEGIN + entered("Pay") + exited("Audit"), "TaskStateExited"),
    "after the end": (PAID + CHOSEN + DONE + "\n" + CHOSEN, "ChoiceStateEntered"),
    "a second beginning": (BEGIN + entered("Pay") + BEGIN, "ExecutionStarted"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFORMING)
def test_what_the_definition_allows_conforms(name):
    found = held(ORDER, CONFORMING[name])
    assert (found.verdict, found.reason) == ("conforms", "")
    assert found.case.complete


@pytest.mark.parametrize("name", VIOLATING)
def test_what_it_does_not_allow_violates_at_that_event(name):
    text, event = VIOLATING[name]
    found = held(ORDER, text)
    assert found.verdict == "violates"
    assert found.event.type == event
    assert found.event.number == len(history(text)) - (1 if name == "after the end" else 0)


@pytest.mark.parametrize("name", CONFORMING)
def test_a_history_that_stops_conforms_as_far_as_it_goes(name):
    events = history(CONFORMING[name])
    for most in range(1, len(events)):
        found = held(ORDER, events[:most])
        assert found.verdict == "conforms"
        assert not found.case.complete
        assert "stops before the run was over" in " ".join(found.notes)


def test_what_would_have_been_allowed_is_said():
    found = held(ORDER, BEGIN + entered("Pay") + DECLINED + attempt("TaskSucceeded"))
    assert found.allowed == ("`Pay` goes on at `Sorry` after: Declined",)
    assert found.last.type == "TaskFailed"
    found = held(ORDER, PAID + exited("Pay"))
    assert found.allowed == ("`Choose` is entered",)


@pytest.mark.parametrize("name", CONFORMING)
def test_the_sequence_of_a_conforming_run_is_one_of_its_net(name):
    found = held(ORDER, CONFORMING[name])
    marking = found.compiled.initial
    for transition in found.sequence:
        marking = fire(found.compiled.net, marking, transition)
        assert marking is not None
    kinds = [e.kind for t in found.sequence if (e := found.compiled.origin.transitions[t].event) is not None]
    assert kinds.count("entered") == sum(e["type"].endswith("StateEntered") for e in history(CONFORMING[name]))
    if CONFORMING[name].endswith("ExecutionSucceeded"):
        assert any(marking[p] for p in found.compiled.final.ends)


# -- Parallel --------------------------------------------------------------------------------------------------------

BOTH = machine(
    "Both",
    Both={
        "Type": "Parallel",
        "Branches": [machine("A", A=task("a", Next="A2"), A2=PASS), machine("B", B=task("b", End=True))],
        "Retry": [{"ErrorEquals": ["Busy"], "MaxAttempts": 1}],
        "Catch": [{"ErrorEquals": ["Broken"], "Next": "Mend"}],
        "Next": "After",
    },
    Mend=PASS,
    After=PASS,
)

INTERLEAVED = """
ExecutionStarted
ParallelStateEntered name=Both
3<2 ParallelStateStarted
4<3 TaskStateEntered name=A
5<3 TaskStateEntered name=B
6<5 TaskScheduled
7<4 TaskScheduled
8<6 TaskStarted
9<7 TaskStarted
10<8 TaskSucceeded
11<9 TaskSucceeded
12<11 TaskStateExited name=A
13<12 PassStateEntered name=A2
14<10 TaskStateExited name=B
15<13 PassStateExited name=A2
16<15 ParallelStateSucceeded
17<15 ParallelStateExited name=Both
18<17 PassStateEntered name=After
19<18 PassStateExited name=After
20<19 ExecutionSucceeded
"""


def lines(text, *changes):
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("changes", [
    (),
    (("16<15 ParallelStateSucceeded\n", ""),),  # some recorders leave it out
], ids=["whole", "without its success"])  # fmt: skip
def test_branches_run_side_by_side(changes):
    assert held(BOTH, lines(INTERLEAVED, *changes)).verdict == "conforms"


@pytest.mark.parametrize(("changes", "event"), [
    ((("15<13 PassStateExited name=A2\n", ""),), "ParallelStateSucceeded"),
    ((("14<10 TaskStateExited name=B\n", ""),), "ParallelStateSucceeded"),
    ((("name=A2", "name=B"),), "TaskStateExited|PassStateEntered"),
    ((("5<3 TaskStateEntered name=B", "5<3 TaskStateEntered name=A"),), "TaskStateEntered"),
    ((("13<12 PassStateEntered name=A2\n", ""),), "PassStateExited"),
    ((("12<11 TaskStateExited name=A", "12<11 TaskStateExited name=A2"),), "TaskStateExited"),
], ids=range(6))  # fmt: skip
def test_branches_are_held_apart(changes, event):
    found = held(BOTH, lines(INTERLEAVED, *changes))
    assert found.verdict == "violates"
    assert found.event.type in event.split("|")


FAILED = """
ExecutionStarted
ParallelStateEntered name=Both
3<2 ParallelStateStarted
4<3 TaskStateEntered name=A
5<3 TaskStateEntered name=B
6<5 TaskScheduled
7<6 TaskStarted
8<7 TaskFailed error=Broken
9<4 TaskStateAborted
10<8 ParallelStateFailed
11<10 ParallelStateExited name=Both
12<11 PassStateEntered name=Mend
13<12 PassStateExited name=Mend
14<13 ExecutionSucceeded
"""


def test_the_first_failure_stops_the_other_branch():
    assert held(BOTH, FAILED).verdict == "conforms"
    found = held(BOTH, lines(FAILED, ("9<4 TaskStateAborted", "9<4 TaskScheduled")))
    assert found.verdict == "conforms"  # it went on for a moment
    found = held(BOTH, lines(FAILED, ("12<11 PassStateEntered name=Mend", "12<11 PassStateEntered name=After")))
    assert (found.verdict, found.event.id) == ("violates", 12)
    found = held(BOTH, lines(FAILED, ("error=Broken", "error=Odd")))
    assert (found.verdict, found.event.id) == ("violates", 11)


def test_a_parallel_is_tried_again_as_often_as_it_says():
    first = FAILED[: FAILED.index("9<4")].replace("Broken", "Busy")
    again = """
9<8 ParallelStateStarted
10<9 TaskStateEntered name=A
11<9 TaskStateEntered name=B
12<11 TaskScheduled
13<12 TaskStarted
14<13 TaskFailed error=Busy
"""
    end = "15<14 ParallelStateFailed\n16<15 ExecutionFailed error=Busy"
    assert held(BOTH, first + again + end).verdict == "conforms"
    third = "15<14 ParallelStateStarted"
    found = held(BOTH, first + again + third)
    assert (found.verdict, found.event.id) == ("violates", 15)


# -- Map -------------------------------------------------------------------------------------------------------------


def each(width, **more):
    inner = machine("Ship", Ship=task("ship", Next="Tell"), Tell=PASS)
    return machine("Each", Each={
        "Type": "Map", "ItemProcessor": inner, **({"MaxConcurrency": width} if width else {}), "End": True, **more,
    })  # fmt: skip


def items(count, *, serial, last="succeeds"):
    """A history of a Map with so many items: one after the other, or all at once, backwards."""
    made = ["ExecutionStarted", "2<0 MapStateEntered name=Each", f"3<2 MapStateStarted length={count}"]
    parts = []
    before = 3
    for i in range(count):
        part = [
            f"MapIterationStarted name=Each index={i}",
            "TaskStateEntered name=Ship",
            "TaskScheduled",
            "TaskStarted",
        ]
        part += [
            "TaskSucceeded",
            "TaskStateExited name=Ship",
            "PassStateEntered name=Tell",
            "PassStateExited name=Tell",
        ]
        parts.append([*part, f"MapIterationSucceeded name=Each index={i}"])
    number = 4
    if serial:
        for part in parts:
            for line in part:
                made.append(f"{number}<{before} {line}")
                before, number = number, number + 1
            before -= 1  # the next item follows the last state of this one
    else:
        ends = [3] * count
        for column in range(9):
            for i in reversed(range(count)) if column else range(count):
                made.append(f"{number}<{ends[i]} {parts[i][column]}")
                if column < 8:
                    ends[i] = number
                number += 1
        before = ends[0] if count else 3
    made += [f"{number}<{before} MapStateSucceeded", f"{number + 1}<{before} MapStateExited name=Each"]
    return "\n".join([*made, f"{number + 2}<{number + 1} ExecutionSucceeded"])


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 40])
def test_a_map_has_as_many_items_as_the_history_shows(count):
    assert held(each(0), items(count, serial=False)).verdict == "conforms"
    assert held(each(0), items(count, serial=True)).verdict == "conforms"
    assert held(each(1), items(count, serial=True)).verdict == "conforms"
    if count > 1:
        assert held(each(1), items(count, serial=False)).verdict == "violates"


def test_a_wide_map_costs_no_interleavings():
    found = held(each(0), items(300, serial=False), budget=60_000)
    assert (found.verdict, found.reason) == ("conforms", "")


@pytest.mark.parametrize(("old", "new", "event"), [
    ("length=3", "length=4", "MapStateSucceeded"),
    ("length=3", "length=2", "MapIterationStarted"),
    ("length=3", "", "MapStateStarted"),
    ("MapIterationStarted name=Each index=1", "MapIterationStarted name=Each index=2", ""),
    ("MapIterationSucceeded name=Each index=1", "MapIterationSucceeded name=Each index=2", ""),
    ("TaskStateExited name=Ship", "TaskStateExited name=Tell", "TaskStateExited"),
], ids=range(6))  # fmt: skip
@pytest.mark.parametrize("serial", [True, False])
def test_items_are_held_apart(old, new, event, serial):
    found = held(each(0), lines(items(3, serial=serial), (old, new)))
    assert found.verdict == "violates"
    assert found.event.type == event or not event


@pytest.mark.parametrize("serial", [True, False])
def test_no_event_of_an_item_can_be_left_out_or_come_twice(serial):
    """Every single event between the start of the Map and the end of the execution."""
    events = history(items(2, serial=serial))
    for at in range(2, len(events) - 1):
        cause = events[at]["previousEventId"]
        rest = [
            {**e, "previousEventId": cause} if e["previousEventId"] == events[at]["id"] else e
            for e in events[:at] + events[at + 1 :]
        ]
        assert held(each(0), rest).verdict == "violates", events[at]
        twice = [*events[: at + 1], {**events[at], "id": 1000}, *events[at + 1 :]]
        assert held(each(0), twice).verdict == "violates", events[at]


def test_a_map_begins_again_only_after_an_item_of_it_has_failed():
    definition = each(0, Retry=[{"ErrorEquals": ["Broken"], "MaxAttempts": 1}])
    text = """
ExecutionStarted
MapStateEntered name=Each
3<2 MapStateStarted length=1
4<3 MapIterationStarted name=Each index=0
5<4 TaskStateEntered name=Ship
6<5 TaskScheduled
7<6 TaskStarted
8<7 TaskFailed error=Broken
9<8 MapIterationFailed name=Each index=0
10<8 MapStateStarted length=1
11<10 MapIterationStarted name=Each index=0
"""
    assert held(definition, text).verdict == "conforms"
    found = held(definition, text.replace("9<8 MapIterationFailed name=Each index=0\n", ""))
    assert (found.verdict, found.event.id) == ("violates", 10)
    twice = text.replace("10<8 Map", "100<9 MapIterationFailed name=Each index=0\n10<8 Map")
    assert held(definition, twice).event.id == 100


def test_an_item_that_fails_fails_the_map_which_must_say_so():
    definition = each(0, Catch=[{"ErrorEquals": ["Broken"], "Next": "Sorry"}])
    definition["States"]["Sorry"] = PASS
    del definition["States"]["Each"]["End"]
    definition["States"]["Each"]["Next"] = "Sorry"
    text = """
ExecutionStarted
MapStateEntered name=Each
3<2 MapStateStarted length=5
4<3 MapIterationStarted name=Each index=0
5<3 MapIterationStarted name=Each index=1
6<5 TaskStateEntered name=Ship
7<6 TaskScheduled
8<7 TaskStarted
9<8 TaskFailed error=Broken
10<9 MapIterationFailed name=Each index=1
11<4 MapIterationAborted name=Each index=0
12<9 MapStateFailed
13<12 MapStateExited name=Each
14<13 PassStateEntered name=Sorry
15<14 PassStateExited name=Sorry
16<15 ExecutionSucceeded
"""
    assert held(definition, text).verdict == "conforms"
    assert held(definition, lines(text, ("12<9 MapStateFailed\n", ""))).verdict == "violates"
    assert held(definition, lines(text, ("10<9 MapIterationFailed name=Each index=1\n", ""))).verdict == "violates"
    assert held(definition, lines(text, ("Broken", "Odd"))).verdict == "violates"
    assert held(definition, lines(text, ("Failed name=Each index=1", "Failed name=Each index=0"))).verdict == "violates"


NESTED = machine("Outer", Outer={"Type": "Map", "ItemProcessor": machine("Inner", Inner={
    "Type": "Map", "ItemProcessor": machine("P", P=PASS), "End": True}), "End": True})  # fmt: skip


def test_items_within_items():
    made, number = ["ExecutionStarted", "2<0 MapStateEntered name=Outer", "3<2 MapStateStarted length=2"], 4
    before = 3
    for outer, count in ((0, 3), (1, 1)):
        for line in (
            f"MapIterationStarted name=Outer index={outer}",
            "MapStateEntered name=Inner",
            f"MapStateStarted length={count}",
        ):
            made.append(f"{number}<{before} {line}")
            before, number = number, number + 1
        for inner in range(count):
            for line in (
                f"MapIterationStarted name=Inner index={inner}",
                "PassStateEntered name=P",
                "PassStateExited name=P",
            ):
                made.append(f"{number}<{before} {line}")
                before, number = number, number + 1
            made.append(f"{number}<{before} MapIterationSucceeded name=Inner index={inner}")
            number += 1
        made += [f"{number}<{before} MapStateSucceeded", f"{number + 1}<{before} MapStateExited name=Inner"]
        before, number = number + 1, number + 2
        made.append(f"{number}<{before} MapIterationSucceeded name=Outer index={outer}")
        number += 1
    made += [f"{number}<{before} MapStateSucceeded", f"{number + 1}<{before} MapStateExited name=Outer"]
    text = "\n".join([*made, f"{number + 2}<{number + 1} ExecutionSucceeded"])
    assert held(NESTED, text).verdict == "conforms"
    assert held(NESTED, lines(text, ("length=1", "length=3"))).verdict == "violates"
    assert (
        held(NESTED, lines(text, ("Succeeded name=Outer index=1", "Succeeded name=Outer index=0"))).verdict
        == "violates"
    )


DISTRIBUTED = machine("Each", Each={
    "Type": "Map", "End": True,
    "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **machine("P", P=PASS)},
})  # fmt: skip


def test_a_distributed_map_shows_its_start_and_its_end():
    text = """
ExecutionStarted
MapStateEntered name=Each
3<2 MapStateStarted length=100000
4<3 MapRunStarted
5<4 MapRunSucceeded
6<5 MapStateSucceeded
7<5 MapStateExited name=Each
8<7 ExecutionSucceeded
"""
    assert held(DISTRIBUTED, text).verdict == "conforms"
    for gone in (
        "4<3 MapRunStarted\n",
        "5<4 MapRunSucceeded\n",
        "6<5 MapStateSucceeded\n",
        "3<2 MapStateStarted length=100000\n",
    ):
        assert held(DISTRIBUTED, lines(text, (gone, ""))).verdict == "violates", gone
    failed = lines(
        text[: text.index("5<4")]
        + "5<4 MapRunFailed error=States.ExceedToleratedFailureThreshold\n6<5 MapStateFailed\n"
    )
    failed += "7<6 ExecutionFailed error=States.ExceedToleratedFailureThreshold"
    assert held(DISTRIBUTED, failed).verdict == "conforms"
    assert held(DISTRIBUTED, lines(failed, ("6<5 MapStateFailed\n", ""))).verdict == "violates"


# -- data, waiting, answers from outside -----------------------------------------------------------------------------


def test_an_expression_that_fails():
    definition = {
        **machine("P", P={"Type": "Pass", "Output": "{% $nothing %}", "End": True}),
        "QueryLanguage": "JSONata",
    }
    text = """
ExecutionStarted
PassStateEntered name=P
3<0 EvaluationFailed state=P error=States.QueryEvaluationError
4<3 ExecutionFailed error=States.QueryEvaluationError
"""
    assert held(definition, text).verdict == "conforms"
    assert (
        held(definition, lines(text, ("3<0 EvaluationFailed state=P error=States.QueryEvaluationError\n", ""))).verdict
        == "violates"
    )
    assert (
        held(
            definition,
            lines(
                text,
                (
                    "3<0 EvaluationFailed state=P error=States.QueryEvaluationError",
                    "3<0 EvaluationFailed state=P error=Odd",
                ),
            ),
        ).verdict
        == "violates"
    )


def test_a_task_that_waits_for_its_token():
    definition = machine("Ask", Ask={
        "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "TimeoutSeconds": 60, "End": True})  # fmt: skip
    submitted = BEGIN + entered("Ask") + "TaskScheduled\nTaskStarted\nTaskSubmitted\n"
    assert held(definition, submitted + "TaskSucceeded\n" + exited("Ask") + "ExecutionSucceeded").verdict == "conforms"
    assert held(definition, submitted + "TaskFailed error=No\nExecutionFailed error=No").verdict == "conforms"
    assert (
        held(definition, submitted + "TaskTimedOut error=States.Timeout\nExecutionFailed error=States.Timeout").verdict
        == "conforms"
    )
    early = submitted.replace("TaskSubmitted\n", "")
    assert held(definition, early + "TaskSucceeded").verdict == "violates"


def test_any_state_may_fail_over_its_data():
    definition = machine("W", W={"Type": "Wait", "SecondsPath": "$.n", "Next": "P"}, P=PASS)
    waits = BEGIN + entered("W", "Wait")
    assert held(definition, waits + "ExecutionFailed error=States.Runtime").verdict == "conforms"
    assert held(definition, waits + "ExecutionFailed error=Odd").verdict == "violates"
    late = waits + exited("W", "Wait") + entered("P", "Pass")
    assert held(definition, late + "ExecutionFailed error=States.DataLimitExceeded").verdict == "conforms"


# -- logs that lost something ----------------------------------------------------------------------------------------


def test_events_without_an_order_are_passed_over():
    events = history(INTERLEAVED)
    for event in events:
        if 3 < event["id"] < 16:
            del event["id"], event["previousEventId"]
    inside = events[3:15]
    found = held(BOTH, [*events[:3], *inside[::-1], *events[15:]])
    assert found.verdict == "conforms"
    events[-3]["stateEnteredEventDetails"]["name"] = "Mend"
    assert held(BOTH, events).verdict == "violates"


def test_another_kind_of_log_is_unknown():
    loaded = compile_source(SourceFile("order.asl.json", json.dumps(ORDER)))
    events = (Event(1, "done", "step", "succeeded", "Pay"), Event(2, "ended", "execution", "ended", "completed"))
    found = conform(loaded, loaded.compiled[0], [Log("log", (Case("a", "log", "runs", events),))])
    assert [held.verdict for held in found.held] == ["unknown"]
    assert "another kind" in found.held[0].reason
    assert found.exit_status == 3


BY_HAND = """
workflow order {
  try { task pay fails Declined } on Declined { end failed }
  while "big" { task audit }
}
"""


@pytest.mark.parametrize(("name", "verdict"), [
    ("straight", "conforms"), ("round the loop", "conforms"), ("two retries", "conforms"), ("caught", "conforms"),
    ("caught after a retry", "conforms"), ("not caught", "violates"), ("timed out", "violates"),
])  # fmt: skip
def test_a_model_written_by_hand_is_held_against_the_tasks(name, verdict):
    loaded = compile_source(SourceFile("a.placet", BY_HAND))
    found = cases("log", (Item(0, 1, e) for e in history(CONFORMING[name])))
    (held_one,) = hold_all(loaded.compiled[0], found)
    assert held_one.verdict == verdict


def test_a_budget_that_runs_out_is_unknown():
    found = held(ORDER, CONFORMING["straight"], budget=3)
    assert found.verdict == "unknown"
    assert "3 markings" in found.reason


# -- the corpora -----------------------------------------------------------------------------------------------------


def test_every_recorded_execution_of_the_corpora_conforms(corpora):
    from placet.conform.logs import read

    files = sorted((corpora / "asl" / "histories").glob("*.json"))
    assert files
    for file in files:
        definition = json.loads(file.read_text(encoding="utf-8"))["definition"]
        loaded = compile_source(SourceFile("machine.asl.json", json.dumps(definition)))
        (found,) = conform(loaded, loaded.compiled[0], [read(str(file))]).held
        assert (found.verdict, found.reason) == ("conforms", ""), file.name


@pytest.mark.parametrize("started", ["", "4<3 MapIterationStarted name=Each index=0\n"])
def test_what_an_item_is_given_cannot_be_made(started):
    definition = each(0, ItemSelector={"a": "{% $nothing %}"}, QueryLanguage="JSONata")
    number = 5 if started else 4
    text = f"""
ExecutionStarted
MapStateEntered name=Each
3<2 MapStateStarted length=2
{started}{number}<{number - 1} EvaluationFailed state=Each error=States.QueryEvaluationError
{number + 1}<{number} MapStateFailed
{number + 2}<{number + 1} ExecutionFailed error=States.QueryEvaluationError
"""
    assert held(definition, text).verdict == "conforms"
    assert held(definition, lines(text, ("MapStateFailed", "MapStateSucceeded"))).verdict == "violates"
    assert (
        held(
            definition, lines(text, ("ExecutionFailed error=States.QueryEvaluationError", "ExecutionFailed error=Odd"))
        ).verdict
        == "violates"
    )


def test_bad_data_of_a_map_after_it_has_started_shows_only_at_the_end():
    text = "ExecutionStarted\nMapStateEntered name=Each\n3<2 MapStateStarted length=2\n4<3 ExecutionFailed error=States.Runtime"
    assert held(each(0), text).verdict == "conforms"
    assert held(each(0), lines(text, ("States.Runtime", "Odd"))).verdict == "violates"
