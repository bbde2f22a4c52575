"""Small machines whose verdicts are derived by hand: every type of state, sound and broken."""

from __future__ import annotations

import json

import pytest

from placet.pipeline import Options, check, compile_source
from placet.source import SourceFile

LAMBDA = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"}
STANDARD = ("option_to_complete", "proper_completion", "no_dead_step", "safe")


def machine(start, **states):
    return {"StartAt": start, "States": states}


def task(after="", **fields):
    return {**LAMBDA, **({"Next": after} if after else {"End": True}), **fields}


def passing(after=""):
    return {"Type": "Pass", **({"Next": after} if after else {"End": True})}


def catch(*errors, to):
    return {"ErrorEquals": list(errors), "Next": to}


def rule(variable, to):
    return {"Variable": variable, "BooleanEquals": True, "Next": to}


def verdicts(definition, options=Options(), path="m.asl.json"):  # noqa: B008
    loaded = compile_source(SourceFile(path, json.dumps(definition)), options)
    assert not loaded.broken, loaded.diagnostics
    report = check(loaded, options)
    return {entry.id: entry.outcome for entry in report.models[0].checks}


def codes(definition):
    loaded = compile_source(SourceFile("m.asl.json", json.dumps(definition)))
    return sorted({d.code for d in loaded.diagnostics})


BRANCH = machine("Inner", Inner=task())

SOUND = {
    "one task": machine("A", A=task()),
    "a failure is a proper end": machine("A", A={"Type": "Fail", "Error": "E"}),
    "wait and succeed": machine("A", A={"Type": "Wait", "Seconds": 5, "Next": "B"}, B={"Type": "Succeed"}),
    "retry and catch": machine("A", A=task(Retry=[{"ErrorEquals": ["X"]}], Catch=[catch("States.ALL", to="B")]), B=passing()),
    "a catch of a time-out": machine("A", A=task(TimeoutSeconds=3, Catch=[catch("States.Timeout", to="B")]), B=passing()),
    "parallel": machine("A", A={"Type": "Parallel", "Branches": [BRANCH, BRANCH], "End": True}),
    "parallel with a catch": machine(
        "A", A={"Type": "Parallel", "Branches": [BRANCH, BRANCH], "Catch": [catch("States.ALL", to="B")], "End": True}, B=passing()
    ),
    "map": machine("A", A={"Type": "Map", "ItemProcessor": BRANCH, "End": True}),
    "map of a parallel": machine(
        "A", A={"Type": "Map", "ItemProcessor": machine("P", P={"Type": "Parallel", "Branches": [BRANCH, BRANCH], "End": True}), "End": True}
    ),
    "distributed map that tolerates": machine(
        "A",
        A={
            "Type": "Map", "ToleratedFailureCount": 1, "End": True, "Catch": [catch("States.ExceedToleratedFailureThreshold", to="B")],
            "ItemProcessor": {**BRANCH, "ProcessorConfig": {"Mode": "DISTRIBUTED"}},
        },
        B=passing(),
    ),
    "an activity": machine("A", A={"Type": "Task", "Resource": "arn:aws:states:eu:1:activity:a", "TimeoutSeconds": 9, "End": True}),
    "a loop that a catch leaves": machine("A", A=task("A", Catch=[catch("Stop", to="B")]), B=passing()),
}  # fmt: skip


@pytest.mark.parametrize("definition", SOUND.values(), ids=SOUND)
def test_sound(definition):
    assert verdicts(definition) == dict.fromkeys(STANDARD, "proved")


BROKEN = {
    "an unreachable state": (machine("A", A=task(), B=task()), "no_dead_step", "P554"),
    "a loop of tasks without an exit": (machine("A", A=task("B"), B=task("A")), "option_to_complete", "P555"),
    "a loop of passes without an exit": (machine("A", A=passing("B"), B=passing("A")), "option_to_complete", "P555"),
    "a loop without an exit in a branch": (
        machine("A", A={"Type": "Parallel", "Branches": [BRANCH, machine("L", L=task("L"))], "End": True}),
        "option_to_complete",
        "P555",
    ),
    "a loop around a parallel": (
        machine("A", A={"Type": "Parallel", "Branches": [BRANCH, BRANCH], "Next": "A"}),
        "option_to_complete",
        "P555",
    ),
    "a catch that nothing reaches": (
        machine("A", A=task(Catch=[catch("States.ALL", to="B"), catch("X", to="C")]), B=passing(), C=passing()),
        "no_dead_step",
        "P558",
    ),
    "a catch of what no branch raises": (
        machine(
            "A", A={"Type": "Parallel", "Branches": [machine("P", P=passing())], "Catch": [catch("X", to="B")], "End": True}, B=passing()
        ),
        "no_dead_step",
        "P558",
    ),
    "a rule that never holds": (
        {
            **machine("A", A={"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "B"}], "Default": "C"}, B=passing(), C=passing()),
            "QueryLanguage": "JSONata",
        },
        "no_dead_step",
        "P558",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("definition", "violated", "code"), BROKEN.values(), ids=BROKEN)
def test_broken(definition, violated, code):
    found = verdicts(definition)
    assert {c for c, outcome in found.items() if outcome == "violated"} == {violated}
    assert code in codes(definition)


WAYS = {"Type": "Choice", "Choices": [rule("$.a", "B")], "Default": "C"}


@pytest.mark.parametrize(
    ("definition", "decided"),
    [
        (machine("A", A=WAYS, B=passing(), C=passing()), True),  # the input
        (machine("T", T=task("A"), A=WAYS, B=passing(), C=passing()), True),  # the answer of a task
        (machine("T", T=task("A", ResultPath="$.a"), A=WAYS, B=passing(), C=passing()), True),
        (machine("T", T=task("A", ResultPath="$.b"), A=WAYS, B=passing(), C=passing()), True),  # the input still
        (machine("T", T=task("A", ResultPath=None), A=WAYS, B=passing(), C=passing()), True),
        (machine("P", P=passing("A"), A=WAYS, B=passing(), C=passing()), True),
        (machine("P", P={**passing("A"), "Result": {"a": True}}, A=WAYS, B=passing(), C=passing()), False),  # computed
        (machine("P", P={**passing("A"), "Result": 1, "ResultPath": "$.b"}, A=WAYS, B=passing(), C=passing()), True),
        (machine("P", P={**passing("A"), "Result": True, "ResultPath": "$.a"}, A=WAYS, B=passing(), C=passing()), False),
        (machine("P", P={**passing("A"), "OutputPath": "$.o"}, A=WAYS, B=passing(), C=passing()), True),
        (machine("A", A=WAYS, B=passing("A"), C=passing()), False),  # looked at twice
        (machine("T", T=task("A"), A=WAYS, B=passing("T"), C=passing()), True),  # asked again before it is
        (machine("A", A=WAYS, B=passing(), C={**WAYS, "Default": "B"}), False),  # by another choice
        (machine("A", A={**WAYS, "Choices": [{"Variable": "$.a", "StringEqualsPath": "$.b", "Next": "B"}]}, B=passing(), C=passing()), False),
        ({**machine("T", T=task("A"), A={**WAYS, "Choices": [{"Condition": "{% $states.input.a = 'x' %}", "Next": "B"}]}, B=passing(), C=passing()), "QueryLanguage": "JSONata"}, True),
        ({**machine("T", T={**passing("A"), "Output": "{% $states.input %}"}, A={**WAYS, "Choices": [{"Condition": "{% $states.input.a = 'x' %}", "Next": "B"}]}, B=passing(), C=passing()), "QueryLanguage": "JSONata"}, False),
        ({**machine("T", T=task("A", Assign={"n": "{% $states.result.n %}"}), A={**WAYS, "Choices": [{"Condition": "{% $n > 3 %}", "Next": "B"}]}, B=passing(), C=passing()), "QueryLanguage": "JSONata"}, True),
        ({**machine("T", T=task("A", Assign={"n": "{% $n + 1 %}"}), A={**WAYS, "Choices": [{"Condition": "{% $n > 3 %}", "Next": "B"}]}, B=passing(), C=passing()), "QueryLanguage": "JSONata"}, False),
    ],
)  # fmt: skip
def test_what_a_choice_leans_on_is_decided_outside_or_left_open(definition, decided):
    found = verdicts(definition)
    if decided:
        assert found == dict.fromkeys(STANDARD, "proved")
    else:
        assert found["no_dead_step"] == "inconclusive"
        assert found["proper_completion"] == "proved"


def test_a_wait_for_a_token_is_stuck_when_nothing_arrives():
    waits = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": True}
    assert verdicts(machine("A", A=waits))["option_to_complete"] == "proved"
    assert verdicts(machine("A", A=waits), Options(closed=True))["option_to_complete"] == "violated"
    waits["HeartbeatSeconds"] = 60
    assert verdicts(machine("A", A=waits), Options(closed=True))["option_to_complete"] == "proved"


def test_states_runtime_is_caught_by_nothing():
    definition = machine("A", A=task(InputPath="$.a", Catch=[catch("States.ALL", to="B")]), B=passing())
    loaded = compile_source(SourceFile("m.asl.json", json.dumps(definition)))
    events = [o.event for o in loaded.compiled[0].origin.transitions if o.event is not None]
    assert [e.errors for e in events if e.kind == "execution_failed"] == [("States.Runtime",)]


def test_every_state_is_the_origin_of_a_transition():
    definition = SOUND["map of a parallel"]
    loaded = compile_source(SourceFile("m.asl.json", json.dumps(definition)))
    ids = {o.id for o in loaded.compiled[0].origin.transitions}
    assert {"m/A", "m/A/item/P", "m/A/item/P/branch:0/Inner", "m/A/item/P/branch:1/Inner"} <= ids
    assert all(o.span is not None for o in loaded.compiled[0].origin.transitions)


def test_names_with_slashes_and_brackets():
    definition = machine("a/b[1]#x", **{"a/b[1]#x": passing("ü @"), "ü @": task()})
    assert verdicts(definition) == dict.fromkeys(STANDARD, "proved")
    loaded = compile_source(SourceFile("m.asl.json", json.dumps(definition)))
    events = [o.event for o in loaded.compiled[0].origin.transitions if o.event is not None]
    assert {e.element for e in events if e.kind == "entered"} == {"a/b[1]#x", "ü @"}


def test_a_machine_of_many_states_in_a_row():
    count = 3_000
    states = {f"S{i}": passing(f"S{i + 1}") for i in range(count)}
    assert verdicts(machine("S0", **states, **{f"S{count}": passing()})) == dict.fromkeys(STANDARD, "proved")
