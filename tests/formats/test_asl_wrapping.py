"""The same machine in whatever file it stands: the same net, told by the same names."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles.asl_machines import machines
from placet.formats.asl.reader import read_all
from placet.formats.registry import find
from placet.source import SourceFile


def resource(**properties):
    return {"Resources": {"m": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}}


def joined(text, cuts):
    """A text in pieces, with references between them where it has placeholders."""
    at = sorted({0, len(text), *(c % (len(text) + 1) for c in cuts)})
    return {"Fn::Join": ["", [text[a:b] for a, b in zip(at, at[1:], strict=False)]]}


def block(text):
    lines = "".join(f"          {line}\n" for line in text.splitlines())
    return f"Resources:\n  m:\n    Type: AWS::Serverless::StateMachine\n    Properties:\n      DefinitionString:\n        !Sub |\n{lines}"


WRAPPED = {
    "plain": lambda text, _: ("m.asl.json", text),
    "indented": lambda text, _: ("m.json", json.dumps(json.loads(text), indent=2)),
    "json5": lambda text, _: (
        "m.json5",
        "/* a machine */ " + text.replace("}", ",}").replace("{,", "{") + " // so far",
    ),
    "yaml": lambda text, _: ("m.asl.yaml", yaml.safe_dump(json.loads(text), sort_keys=False)),
    "flow yaml": lambda text, _: ("m.yaml", "---\n" + text),
    "definition": lambda text, _: ("x.json", json.dumps(resource(Definition=json.loads(text)))),
    "string": lambda text, _: ("x.json", json.dumps(resource(DefinitionString=text), indent=1)),
    "sub": lambda text, _: ("x.template", json.dumps(resource(DefinitionString={"Fn::Sub": [text, {"A": "b"}]}))),
    "join": lambda text, cuts: ("x.json", json.dumps(resource(DefinitionString=joined(text, cuts)))),
    "yaml join": lambda text, cuts: ("x.yaml", yaml.safe_dump(resource(DefinitionString=joined(text, cuts)))),
    "block": lambda text, _: ("x.yaml", block(json.dumps(json.loads(text), indent=2))),
    "answer": lambda text, _: (
        "x.json",
        json.dumps({"name": "m", "status": "ACTIVE", "definition": text, "type": "STANDARD"}),
    ),
}


def told(net):
    return (
        net.net.pre,
        net.net.post,
        net.net.transitions,
        [o.event for o in net.origin.transitions],
        net.final,
        net.steps,
    )


@settings(max_examples=60)
@given(machines(), st.lists(st.integers(0, 500), max_size=4))
@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_one_machine_one_net(wrap, definition, cuts):
    text = json.dumps(definition)
    (plain,), _ = read_all(SourceFile("m.asl.json", text))
    path, wrapped = wrap(text, cuts)
    source = SourceFile(path, wrapped)
    assert find(source).name == "asl"
    nets, problems = read_all(source)
    assert not [d for d in problems if d.severity == "error"], problems
    assert told(nets[0]) == told(plain)
    assert len(nets) == 1
    if wrap in (WRAPPED["join"], WRAPPED["yaml join"]):
        return  # a cut may go through a name
    for origin in nets[0].origin.transitions:
        if origin.event is not None and origin.event.kind == "entered":
            assert origin.event.element in origin.span.text + wrapped[origin.span.end : origin.span.end + 1]
