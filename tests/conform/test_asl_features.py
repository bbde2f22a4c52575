"""What the States Language has, feature by feature: definitions that are read whole, and runs that each may and may not have.

The runs are derived by hand from the language's specification and from what the service says of its events.
"""

from __future__ import annotations

import json

import pytest
from histories import held, machine, task

from placet.formats.asl.reader import read_all
from placet.source import SourceFile

PASS = {"Type": "Pass", "End": True}
FAIL = {"Type": "Fail", "Error": "Gone"}
ALL = [{"ErrorEquals": ["States.ALL"], "Next": "F"}]
INTRINSIC = (
    "States.Format('{} of {}', $.a, $.b)", "States.StringToJson($.s)", "States.JsonToString($)", "States.Array(1, $.c)",
    "States.ArrayPartition($.l, 4)", "States.ArrayContains($.l, 5)", "States.ArrayRange(1, 9, 2)", "States.ArrayGetItem($.l, 0)",
    "States.ArrayLength($.l)", "States.ArrayUnique($.l)", "States.Base64Encode('a')", "States.Base64Decode('YQ==')",
    "States.Hash($.d, 'SHA-1')", "States.JsonMerge($.a, $.b, false)", "States.MathRandom(1, 10)", "States.MathAdd($.v, -1)",
    "States.StringSplit($.s, '.')", "States.UUID()", "States.Format('it\\'s {}', States.JsonToString($$.Execution.Input))",
)  # fmt: skip
ITEMS = {
    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
    **machine("I", I=task("work", End=True)),
}

WHOLE = {
    "intrinsic functions": machine(
        "A",
        A={"Type": "Pass", "Parameters": {f"k{i}.$": f for i, f in enumerate(INTRINSIC)}, "Next": "B"},
        B=task("b", ResultSelector={"x.$": "States.UUID()"}, ResultPath="$.r", OutputPath="$.r", End=True),
    ),
    "a machine in JSONata": {"QueryLanguage": "JSONata", **machine(
        "A",
        A={"Type": "Pass", "Assign": {"n": "{% $count($states.input.items) %}"}, "Output": {"x": "{% $partition([1, 2], 2) %}"}, "Next": "C"},
        C={"Type": "Choice", "Default": "F", "Choices": [
            {"Condition": "{% $n > 2 and $exists($states.input.x) %}", "Assign": {"z": 1}, "Output": "{% $states.input %}", "Next": "T"},
            {"Condition": "{% $n = 0 %}", "Next": "W"}]},
        T=task("t", Arguments={"a": "{% $states.input %}"}, Output="{% $states.result %}", TimeoutSeconds="{% $n * 3 %}",
               HeartbeatSeconds="{% $n %}", Credentials={"RoleArn": "{% $states.input.role %}"}, Next="W",
               Retry=[{"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "BackoffRate": 2, "MaxDelaySeconds": 20, "JitterStrategy": "FULL"}],
               Catch=[{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput %}", "Assign": {"e": "{% $states.errorOutput.Error %}"}, "Next": "F"}]),
        W={"Type": "Wait", "Seconds": "{% $n %}", "Output": "{% $states.input %}", "Next": "M"},
        M={"Type": "Map", "Items": "{% $states.input.items %}", "ItemSelector": {"v": "{% $states.context.Map.Item.Value %}"},
           "MaxConcurrency": "{% 3 %}", "ItemProcessor": machine("I", I=PASS), "Output": "{% $states.result %}", "Next": "P"},
        P={"Type": "Parallel", "Arguments": {"a": 1}, "Branches": [machine("X", X=PASS)], "Assign": {"l": "{% $states.result %}"}, "Next": "S"},
        S={"Type": "Succeed", "Output": "{% $states.input %}"},
        F={"Type": "Fail", "Error": "{% $e %}", "Cause": "{% 'x' & $e %}"},
    )},
    "both languages": machine(
        "A",
        A={"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states.input %}", "Next": "B"},
        B={"Type": "Pass", "Parameters": {"x.$": "$.a"}, "Assign": {"v.$": "$.a"}, "Next": "C"},
        C={"Type": "Choice", "Choices": [{"Variable": "$v", "NumericEquals": 3, "Assign": {"q": 1}, "Next": "D"}], "Default": "D"},
        D={"Type": "Succeed", "Comment": "all", "InputPath": None, "OutputPath": None},
    ),
    "values that come by paths": machine(
        "A",
        A=task("a", TimeoutSecondsPath="$.t", HeartbeatSecondsPath="$.h", Next="W") | {"Resource": "arn:aws:states:r:1:activity:A"},
        W={"Type": "Wait", "SecondsPath": "$.s", "Next": "V"},
        V={"Type": "Wait", "TimestampPath": "$.d", "Next": "M"},
        M={"Type": "Map", "ItemsPath": "$.i", "MaxConcurrencyPath": "$.m", "ItemSelector": {"i.$": "$$.Map.Item.Index"},
           "ItemProcessor": machine("I", I=PASS), "Next": "F"},
        F={"Type": "Fail", "ErrorPath": "$.Error", "CausePath": "States.Format('x {}', $.Cause)"},
    ),
    "a distributed Map": machine(
        "M",
        M={"Type": "Map", "Label": "L", "ItemProcessor": ITEMS, "MaxConcurrency": 1000, "ToleratedFailurePercentage": 10,
           "ToleratedFailureCountPath": "$.c", "End": True,
           "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "CSV", "MaxItems": 9}, "Parameters": {"Key.$": "$.k"}},
           "ItemBatcher": {"MaxItemsPerBatch": 10, "BatchInput": {"x.$": "$.y"}},
           "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}},
           "Retry": [{"ErrorEquals": ["States.ItemReaderFailed", "States.ResultWriterFailed"], "MaxAttempts": 1}],
           "Catch": [{"ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "Next": "F"}, *ALL]},
        F=FAIL,
    ),
    "calls that wait": machine(
        "A",
        A=task("a", Catch=[{"ErrorEquals": ["States.TaskFailed"], "Next": "F"}], Next="B") | {"Resource": "arn:aws:states:::states:startExecution.sync:2"},
        B=task("b", HeartbeatSeconds=60, TimeoutSeconds=3600, Catch=[{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "F"}], Next="C")
        | {"Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken"},
        C=task("c", Catch=[{"ErrorEquals": ["S3.NoSuchKeyException"], "Next": "F"}], Next="D") | {"Resource": "arn:aws:states:::aws-sdk:s3:getObject"},
        D=task("d", Retry=[{"ErrorEquals": ["States.Http.StatusCode.429"]}], End=True) | {"Resource": "arn:aws:states:::http:invoke"},
        F=FAIL,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_it_is_read_whole(name):
    definition = WHOLE[name]
    (net,), problems = read_all(SourceFile("m.asl.json", json.dumps(definition)))
    assert not [d for d in problems if d.severity == "error" or d.code in ("P516", "P518", "P535")]
    told = {o.event.element for o in net.origin.transitions if o.event}
    pending = [definition]
    for one in pending:
        assert told >= set(one["States"])
        for state in one["States"].values():
            pending += [*state.get("Branches", ()), *(state[k] for k in ("ItemProcessor", "Iterator") if k in state)]


# -- runs ------------------------------------------------------------------------------------------------------------


def tried(name, *outcomes, kind="Task"):
    """A task that is entered and attempted; `ok` and the names of errors."""
    found = [f"TaskStateEntered name={name}"]
    for outcome in outcomes:
        found += [f"{kind}Scheduled", f"{kind}Started"]
        found += [f"{kind}Succeeded" if outcome == "ok" else f"{kind}{'TimedOut' if 'Timeout' in outcome else 'Failed'} error={outcome}"]  # fmt: skip
    return found


def run(*parts):
    """The text of a run from lines and lists of lines."""
    return "\n".join(["ExecutionStarted", *(line for p in parts for line in ([p] if isinstance(p, str) else p))])


DONE = ["TaskStateExited name=A", "ExecutionSucceeded"]
CAUGHT = ["TaskStateExited name=A", "FailStateEntered name=F", "ExecutionFailed error=Gone"]


def one(**more):
    return machine("A", A=task("a", **{"End": True, **more}), F=FAIL)


def catching(*names, **more):
    return one(Catch=[{"ErrorEquals": list(names), "Next": "F"}], **more)


def leaving(error):
    return f"ExecutionFailed error={error}"


TASKS = {
    # what a wildcard takes and what it does not
    "States.ALL takes an error": (catching("States.ALL"), run(tried("A", "Odd"), CAUGHT), True),
    "States.ALL takes a time-out": (catching("States.ALL", TimeoutSeconds=9), run(tried("A", "States.Timeout"), CAUGHT), True),
    "what States.ALL takes does not leave": (catching("States.ALL"), run(tried("A", "Odd"), leaving("Odd")), False),
    "States.ALL takes too much data": (catching("States.ALL"), run(tried("A", "States.DataLimitExceeded"), CAUGHT), True),
    "States.TaskFailed takes an error": (catching("States.TaskFailed"), run(tried("A", "Odd"), CAUGHT), True),
    "States.TaskFailed takes no time-out": (
        catching("States.TaskFailed", TimeoutSeconds=9), run(tried("A", "States.Timeout"), CAUGHT), False),
    "a time-out leaves past States.TaskFailed": (
        catching("States.TaskFailed", TimeoutSeconds=9), run(tried("A", "States.Timeout"), leaving("States.Timeout")), True),
    "States.Runtime is not taken by States.ALL": (catching("States.ALL"), run("TaskStateEntered name=A", leaving("States.Runtime")), True),
    "nor by its name": (catching("States.Runtime"), run("TaskStateEntered name=A", CAUGHT), False),
    # time
    "a missed heartbeat": (one(HeartbeatSeconds=9), run(tried("A", "States.Timeout"), leaving("States.Timeout")), True),
    "a missed heartbeat by its own name": (
        one(HeartbeatSeconds=9), run(tried("A", "States.HeartbeatTimeout"), leaving("States.HeartbeatTimeout")), True),
    "States.Timeout takes a missed heartbeat": (
        catching("States.Timeout", HeartbeatSeconds=9), run(tried("A", "States.HeartbeatTimeout"), CAUGHT), True),
    "another catcher does not": (catching("Odd", HeartbeatSeconds=9), run(tried("A", "States.Timeout"), CAUGHT), False),
    # retries
    "no retry where none is said": (one(), run(tried("A", "Odd", "ok"), DONE), False),
    "three retries are the default": (one(Retry=[{"ErrorEquals": ["Odd"]}]), run(tried("A", *["Odd"] * 3, "ok"), DONE), True),
    "a fourth is not": (one(Retry=[{"ErrorEquals": ["Odd"]}]), run(tried("A", *["Odd"] * 4, "ok"), DONE), False),
    "no retry at all": (one(Retry=[{"ErrorEquals": ["Odd"], "MaxAttempts": 0}]), run(tried("A", "Odd", "ok"), DONE), False),
    "the first retrier that fits counts": (
        one(Retry=[{"ErrorEquals": ["Odd"], "MaxAttempts": 0}, {"ErrorEquals": ["States.ALL"]}]), run(tried("A", "Odd", "ok"), DONE), False),
    "retriers count each for itself": (
        one(Retry=[{"ErrorEquals": ["Odd"], "MaxAttempts": 1}, {"ErrorEquals": ["Even"], "MaxAttempts": 1}]),
        run(tried("A", "Odd", "Even", "ok"), DONE), True),
    "and each to its end": (
        one(Retry=[{"ErrorEquals": ["Odd"], "MaxAttempts": 1}, {"ErrorEquals": ["Even"], "MaxAttempts": 1}]),
        run(tried("A", "Odd", "Even", "Odd", "ok"), DONE), False),
    "retried before it is caught": (
        catching("States.ALL", Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]), run(tried("A", "Odd"), CAUGHT), False),
    # activities and functions
    "an activity": (machine("A", A={"Type": "Task", "Resource": "arn:aws:states:r:1:activity:A", "End": True}), run(tried("A", "ok", kind="Activity"), DONE), True),
    "an activity nobody took": (
        machine("A", A={"Type": "Task", "Resource": "arn:aws:states:r:1:activity:A", "TimeoutSeconds": 5, "End": True}),
        run("TaskStateEntered name=A", "ActivityScheduled", "ActivityTimedOut error=States.Timeout", leaving("States.Timeout")), True),
    "a function": (machine("A", A={"Type": "Task", "Resource": "arn:aws:lambda:r:1:function:f", "End": True}), run(tried("A", "ok", kind="LambdaFunction"), DONE), True),
    "a function that is not there": (
        machine("A", A={"Type": "Task", "Resource": "arn:aws:lambda:r:1:function:f", "End": True}),
        run("TaskStateEntered name=A", "LambdaFunctionScheduleFailed error=Lambda.Unknown", leaving("Lambda.Unknown")), None),
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name, case in TASKS.items() if case[2] is not None])
def test_a_task(name):
    definition, text, may = TASKS[name]
    found = held(definition, text)
    assert (found.verdict == "conforms") == may, found.reason


def test_a_choice_takes_what_its_rules_say_and_nothing_else():
    definition = machine(
        "C",
        C={"Type": "Choice", "Choices": [{"Variable": "$.a", "NumericEquals": 1, "Next": "X"}]},
        X=PASS,
        Y={"Type": "Pass", "Next": "X"},
    )
    at = ["ChoiceStateEntered name=C"]
    assert held(definition, run(at, leaving("States.NoChoiceMatched"))).verdict == "conforms"
    assert held(definition, run(at, leaving("Odd"))).verdict == "violates"
    assert held(definition, run(at, "ChoiceStateExited name=C", "PassStateEntered name=Y")).verdict == "violates"


def test_a_parallel_in_a_parallel_hands_its_error_on():
    inner = {"Type": "Parallel", "Branches": [machine("L", L=task("l", End=True)), machine("P", P=PASS)], "End": True}
    definition = machine("O", O={"Type": "Parallel", "Branches": [machine("I", I=inner)], "Catch": ALL, "End": True}, F=FAIL)  # fmt: skip
    text = """
1 ExecutionStarted
2<0 ParallelStateEntered name=O
3<2 ParallelStateStarted
4<3 ParallelStateEntered name=I
5<4 ParallelStateStarted
6<5 TaskStateEntered name=L
7<5 PassStateEntered name=P
8<7 PassStateExited name=P
9<6 TaskScheduled
10<9 TaskStarted
11<10 TaskFailed error=Odd
12<11 ParallelStateFailed
13<12 ParallelStateFailed
14<13 ParallelStateExited name=O
15<14 FailStateEntered name=F
16<15 ExecutionFailed error=Gone
"""
    assert held(definition, text).verdict == "conforms"
    assert held(definition, text.replace("16<15 ExecutionFailed error=Gone", "16<15 ExecutionFailed error=Odd")).verdict == "violates"  # fmt: skip
    assert held(definition, text.replace("14<13 ParallelStateExited name=O", "14<13 ParallelStateExited name=I")).verdict == "violates"  # fmt: skip


def test_a_map_that_runs_one_item_at_a_time_does_so():
    definition = machine(
        "M", M={"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": machine("P", P=PASS), "End": True}
    )
    text = """
1 ExecutionStarted
2<0 MapStateEntered name=M
3<2 MapStateStarted length=2
4<3 MapIterationStarted name=M index=0
5<4 PassStateEntered name=P
6<5 PassStateExited name=P
7<6 MapIterationSucceeded name=M index=0
8<7 MapIterationStarted name=M index=1
"""
    assert held(definition, text).verdict == "conforms"
    early = text.replace("7<6 MapIterationSucceeded name=M index=0\n", "")
    assert held(definition, early).verdict == "violates"
    assert held(json.loads(json.dumps(definition).replace('"MaxConcurrency": 1', '"MaxConcurrency": 2')), early).verdict == "conforms"  # fmt: skip
