"""Every definition of the corpora gets nets, or a place where it is wrong; the service's own verdicts on definitions hold."""

from __future__ import annotations

import json

from placet.formats.asl.reader import read_all
from placet.formats.registry import find
from placet.source import SourceFile

SUFFIXES = (".json", ".json5", ".yaml", ".yml", ".asl")
# what the service says of a resource by its name is no question of structure
BY_NAME = "is not recognized"


def states(net):
    return {o.id for o in net.origin.transitions if o.event is not None and o.event.kind == "entered"}


def test_definitions_of_the_corpora(corpora):
    refused, read = [], 0
    for path in sorted((corpora / "asl").rglob("*")):
        if path.suffix not in SUFFIXES:
            continue
        source = SourceFile(str(path), path.read_text(encoding="utf-8"))
        form = find(source)
        assert form.name == "asl", path
        nets, problems = read_all(source)
        read += 1
        if any(d.severity == "error" for d in problems):
            assert all(d.span is not None for d in problems)
            refused.append(path.name)
        else:
            assert nets
            for net in nets:
                assert states(net) == {step for step, _ in net.steps if "/Catch[" not in step and "/Choices[" not in step and not step.endswith("/Default")}  # fmt: skip
    assert read > 600
    assert len(refused) <= 0.03 * read, refused


def test_the_service_and_we_refuse_the_same_definitions(corpora):
    wrong = []
    lines = (corpora / "asl" / "VALIDATION.jsonl").read_text(encoding="utf-8").splitlines()
    for line in lines:
        case = json.loads(line)
        if BY_NAME in (case["message"] or ""):
            continue
        text = json.dumps(case["definition"]) if case["definition_is_json"] else str(case["definition"])
        if "EXPRESS" in (case["api"], case.get("type")) or "express" in case["id"].lower():
            resource = {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {"Type": "EXPRESS", "Definition": case["definition"]},
            }
            text = json.dumps({"Resources": {"M": resource}}) if case["definition_is_json"] else text
        _, problems = read_all(SourceFile("m.asl.json", text))
        ours = any(d.severity == "error" for d in problems)
        if ours != (case["result"] != "OK"):
            wrong.append((case["id"], [d.message for d in problems]))
    assert not wrong
