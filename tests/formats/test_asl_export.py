"""What is written does what the workflow did: the same tasks in the same orders, by nets that are made in different ways."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles.traces import difference
from placet.compile.workflow_to_net import process_to_net
from placet.formats.asl.export import convert
from placet.formats.asl.from_ir import Writer
from placet.formats.asl.reader import read_all
from placet.ir import model as ir
from placet.net.firing import enabled, fire
from placet.net.roles import Kind
from placet.pipeline import compile_source
from placet.source import SourceFile


@st.composite
def processes(draw):
    """A random workflow; every task has a name of its own."""
    count = iter(range(1000))

    def statement(depth):
        number = next(count)
        path = f"p/s{number}"
        kinds = ["task", "task", "sequence", "raise", "end"] + (
            ["choice", "parallel", "loop", "scope"] if depth else []
        )
        match draw(st.sampled_from(kinds)):
            case "task":
                return ir.Task(f"p/t{number}", f"t{number}", draw(st.sampled_from([(), ("E",), ("E", "F")])))
            case "sequence":
                return (
                    ir.Sequence(path, tuple(statement(depth - 1) for _ in range(draw(st.integers(0, 3)))))
                    if depth
                    else ir.Sequence(path, ())
                )
            case "raise":
                return ir.Raise(path, "E")
            case "end":
                return ir.End(path, "early")
            case "choice":
                ways = tuple(ir.Way(f"{path}/{i}", ir.Guard(f"g{number} {i}"), statement(depth - 1)) for i in range(2))
                return ir.Choice(path, ways)
            case "parallel":
                return ir.Parallel(path, tuple(ir.Way(f"{path}/{i}", None, statement(depth - 1)) for i in range(2)))
            case "loop":
                test = draw(st.sampled_from(["before", "after", "never"]))
                return ir.Loop(path, statement(depth - 1), test, ir.Guard(f"g{number}") if test != "never" else None)
        names = draw(st.sampled_from([("E",), ("*",), ("F", "E")]))
        handlers = tuple(ir.Handler(f"{path}/{n}", "error", n, statement(depth - 1)) for n in names)
        return ir.Scope(path, statement(depth - 1), handlers)

    return ir.Process("p", "workflow", statement(2), ("completed", "early"))


def native(process):
    net, _ = process_to_net(process, {})
    labels = []
    for t, role in enumerate(net.roles.transitions):
        identifier, origin = net.net.transitions[t], net.origin.transitions[t]
        if role.kind is not Kind.TASK:
            labels.append(None)
            continue
        _, _, error = identifier.partition("#")
        labels.append((origin.id.rpartition("/")[2], error))
    return net, labels


def imported(text, errors):
    nets, problems = read_all(SourceFile("p.asl.json", text))
    assert not [d for d in problems if d.severity == "error"], problems
    (net,) = nets
    labels = []
    for origin in net.origin.transitions:
        event = origin.event
        if event is None or event.kind not in ("succeeded", "failed", "timed_out", "bad_data"):
            labels.append([None])
        elif event.kind == "succeeded":
            labels.append([(event.element, "")])
        elif event.kind == "failed":
            labels.append([(event.element, e) for e in errors[event.element] if e in event.errors or ("*" in event.errors and e not in event.but)])  # fmt: skip
        else:
            labels.append([])  # data and time are nothing that the workflow knows of
    return net, labels


def system(net, labels):
    def successors(marking):
        found = []
        for t in enabled(net.net, marking):
            each = labels[t] if isinstance(labels[t], list) else [labels[t]]
            found += [(label, fire(net.net, marking, t)) for label in each]
        return found

    return net.initial, successors


def tasks(statement):
    if isinstance(statement, ir.Task):
        return {statement.name: statement.errors}
    inner = []
    match statement:
        case ir.Sequence():
            inner = statement.parts
        case ir.Choice() | ir.Parallel():
            inner = [w.body for w in statement.ways]
        case ir.Loop():
            inner = [statement.body]
        case ir.Scope():
            inner = [statement.body, *(h.body for h in statement.handlers)]
    return {name: errors for part in inner for name, errors in tasks(part).items()}


@settings(max_examples=75)
@given(processes())
def test_a_workflow_and_its_state_machine_have_the_same_runs(process) -> None:
    writer = Writer(process)
    text = json.dumps(writer.definition())
    assert not [d for d in writer.losses if d.severity != "note"]
    here, labels = native(process)
    assume(len(here.net.transitions) < 60)
    there, events = imported(text, tasks(process.body))
    assume(len(there.net.transitions) < 400)
    assert difference(system(here, labels), system(there, events), 5) is None


MODEL = """
workflow order {
  task reserve
  first of { receive paid -> task thank; timer 3d -> end expired }
  try { task ship fails Lost } on Lost { task refund }
}
"""


def test_a_model_with_waits():
    text, losses = convert(SourceFile("order.placet", MODEL), "placet", "order")
    assert not losses
    definition = json.loads(text)
    wait = definition["States"]["wait for paid"]
    assert (wait["TimeoutSeconds"], wait["Catch"][0]["Next"], wait["Next"]) == (259200, "expired", "thank")
    assert definition["States"]["ship"]["Catch"] == [{"ErrorEquals": ["Lost"], "Next": "refund"}]
    assert not compile_source(SourceFile("order.asl.json", text)).broken


@pytest.mark.parametrize("path", ["models/claims/model.placet", "models/parallel_approval/model.placet"])
def test_models_of_ours(checkout, path):
    source = SourceFile(path, (checkout / path).read_text(encoding="utf-8"))
    for subject in {c.subject for c in compile_source(source).compiled}:
        text, losses = convert(source, "placet", subject)
        assert bool(text) == (not any(d.severity == "error" for d in losses))
        assert not text or not compile_source(SourceFile("m.asl.json", text)).broken


def test_yaml_becomes_json():
    text = "StartAt: A\nStates:\n  A: {Type: Wait, Seconds: 5, End: true}\n"
    found, losses = convert(SourceFile("m.yaml", text), "asl", "m")
    assert json.loads(found) == {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 5, "End": True}}}
    assert losses == ()


@pytest.mark.parametrize(
    "body",
    [
        "parallel 1 of { task a task b } task c",
        "parallel 1 of { task a task b } others go_on task c",
        "call v detached on_close wait task c",
        "call v detached on_close cancel task c",
        "for each i in 1..3 at_most 2 parallel { task a }",
        "every 1h overlap cancel { task a }",
    ],
)
def test_what_would_do_something_else_is_refused(body):
    text, problems = convert(SourceFile("m.placet", f"workflow w {{ {body} }} workflow v {{ task d }}"), "placet", "w")
    assert "P547" in [d.code for d in problems if d.severity == "error"]


def test_what_is_started_is_not_waited_for():
    text, problems = convert(
        SourceFile("m.placet", "workflow w { call v detached task c } workflow v { task d }"), "placet", "w"
    )
    assert not [d for d in problems if d.severity == "error"]
    assert '"arn:aws:states:::states:startExecution"' in text


def test_a_net_and_a_saga_are_refused():
    assert [d.code for d in convert(SourceFile("m.pnml", ""), "pnml", "n")[1]] == ["P547"]
    saga = "service s\nsaga g { step a on s { undo b } }\n"
    assert [d.code for d in convert(SourceFile("m.placet", saga), "placet", "g")[1]] == ["P547"]
