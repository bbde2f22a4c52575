"""Finding definitions in files, saying where something is wrong, and bearing files that were made to hurt."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oracles.asl_runs import takes
from placet.formats import json_read, yaml_read
from placet.formats.asl import errors
from placet.formats.asl.reader import read_all
from placet.formats.data_tree import BadData, Limits
from placet.formats.registry import find
from placet.pipeline import load
from placet.source import SourceFile

TEXT = """{
  "StartAt": "Pack",
  "States": {
    "Pack": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Next": "Ship"},
    "Ship": {"Type": "Succeed"}
  }
}
"""
YAML = """StartAt: Pack
States:
  Pack:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Next: Ship
  Ship:
    Type: Succeed
"""
TASK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:1:function:f", "End": True}
BOMB = "StartAt: A\nStates: &a {A: {Type: Pass, End: true}}\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 10)}]\n" for i in range(9)
)


def read(text, path="m.asl.json"):
    source = SourceFile(path, text)
    nets, problems = read_all(source)
    for d in problems:
        assert d.path == path
        assert d.span is None or 0 <= d.span.start <= d.span.end <= len(text)
    return nets, problems


def places(net):
    """Line and column of the name of every state."""
    return {
        o.event.element: (o.span.line, o.span.column)
        for o in net.origin.transitions
        if o.event and o.event.kind == "entered"
    }


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("order.asl.json", TEXT, {"order": {"Pack": (4, 5), "Ship": (5, 5)}}),
        (
            "order.json5",
            "// an order\n{StartAt: 'A', States: {A: {Type: 'Pass', End: true,},},}",
            {"order": {"A": (2, 25)}},
        ),
        ("x/order.yaml", YAML, {"order": {"Pack": (3, 3), "Ship": (7, 3)}}),
        ("a.json", json.dumps({"name": "n", "definition": TEXT}), {"n": None}),
        ("a.json", '{"definition": ' + TEXT + "}", {"a": {"Pack": (4, 5), "Ship": (5, 5)}}),
        (
            "t.yaml",
            "Resources:\n  Order:\n    Type: AWS::StepFunctions::StateMachine\n    Properties:\n      DefinitionString: !Sub |\n"
            + "".join(f"        {line}\n" for line in TEXT.splitlines()),
            {"Order": {"Pack": (9, 13), "Ship": (10, 13)}},
        ),
        (
            "t.json",
            json.dumps(
                {
                    "Resources": {
                        "A": {"Type": "AWS::Serverless::StateMachine", "Properties": {"Definition": json.loads(TEXT)}},
                        "B": {
                            "Type": "AWS::StepFunctions::StateMachine",
                            "Properties": {
                                "DefinitionString": {"Fn::Join": ["", [TEXT[:80], {"Ref": "F"}, TEXT[80:]]]}
                            },
                        },
                        "C": {"Type": "AWS::S3::Bucket"},
                    }
                }
            ),
            {"A": None, "B": None},
        ),
    ],
)
def test_definitions_are_found_where_they_stand(path, text, expected):
    form = find(SourceFile(path, text))
    assert form.name == "asl"
    nets, problems = read(text, path)
    assert not [d for d in problems if d.severity == "error"]
    assert [n.subject for n in nets] == list(expected)
    for net in nets:
        assert expected[net.subject] is None or places(net) == expected[net.subject]


IN_TEMPLATES = {
    "joined with what is substituted": ("{'Fn::Join': ['', ['{\"StartAt\": \"A\", \"States\": {\"A\": {\"Type\": ', !Sub '\"Task\", \"Resource\": \"${F.Arn}\", \"End\": true}}}']]}", ["Order"], []),
    "one of two": ("!If [Live, '{\"StartAt\": \"A\", \"States\": {\"A\": {\"Type\": \"Succeed\"}}}', {'Fn::Sub': '{\"StartAt\": \"B\", \"States\": {\"B\": {\"Type\": \"Succeed\"}}}'}]", ["Order", "Order~2"], []),
    "one or none": ("{'Fn::If': [Live, '{\"StartAt\": \"A\", \"States\": {\"A\": {\"Type\": \"Succeed\"}}}', !Ref 'AWS::NoValue']}", ["Order"], []),
    "an object to be written down": ("{'Fn::ToJsonString': {StartAt: A, States: {A: {Type: Succeed}}}}", ["Order"], []),
    "numbers to be filled in": ("!Sub '{\"StartAt\": \"A\", \"States\": {\"A\": {\"Type\": \"Wait\", \"Seconds\": ${S}, \"End\": true}}}'", ["Order"], []),
    "numbers elsewhere": ("{StartAt: A, States: {A: {Type: Wait, Seconds: !Ref S, Next: B}, B: {Type: Task, Resource: !GetAtt F.Arn, TimeoutSeconds: {'Fn::FindInMap': [a, b, c]}, End: true}}}", ["Order"], []),
    "YAML where JSON has to be": ('"StartAt: A\\nStates: {A: {Type: Succeed}}"', [], ["P530"]),
    "what is made elsewhere": ("{'Fn::Transform': {Name: 'AWS::Include'}}", [], ["P535"]),
}  # fmt: skip


@pytest.mark.parametrize("name", IN_TEMPLATES)
def test_how_templates_put_definitions_together(name):
    written, subjects, codes = IN_TEMPLATES[name]
    text = f"Resources:\n  Order:\n    Type: AWS::StepFunctions::StateMachine\n    Properties:\n      DefinitionString: {written}\n"
    nets, problems = read(text, "t.yaml")
    assert ([n.subject for n in nets], [d.code for d in problems]) == (subjects, codes)


def test_what_terraform_fills_in():
    text = """{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "${arn}", "TimeoutSeconds": ${time},
        "Parameters": {"x": ${jsonencode({a = 1})}}, "Next": "B"}, "B": {"Type": "Wait", "Seconds": ${n}, "End": true}}}"""
    nets, problems = read(text)
    assert len(nets) == 1
    assert not problems


def test_several_documents_in_one_file():
    nets, problems = read("# two\n---\nResources: {}\n---\nStartAt: A\nStates:\n  A: {Type: Succeed}\n", "m.yaml")
    assert [n.subject for n in nets] == ["m"]
    assert not problems


def test_a_machine_far_down_in_a_template():
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": TEXT}}
    others = {f"B{i}": {"Type": "AWS::S3::Bucket"} for i in range(3_000)}
    text = json.dumps({"Resources": {**others, "Order": machine}})
    assert find(SourceFile("t.json", text)).name == "asl"
    assert [n.subject for n in read(text, "t.json")[0]] == ["Order"]


def test_spans_inside_a_string_of_json_point_at_the_letters():
    text = json.dumps({"definition": TEXT})
    (net,), _ = read(text, "m.json")
    spans = {o.event.element: o.span for o in net.origin.transitions if o.event and o.event.kind == "entered"}
    assert spans["Ship"].text == '\\"Ship\\'
    assert text[spans["Pack"].start :].startswith('\\"Pack')


@pytest.mark.parametrize(
    ("definition", "codes"),
    [
        ({}, ["P540"]),
        ({"StartAt": "A"}, ["P540"]),
        ({"States": {"A": {"Type": "Pass", "End": True}}}, ["P540"]),
        ("not a definition", ["P540"]),
        ({"StartAt": "A", "States": {}}, ["P540"]),
        ({"StartAt": "B", "States": {"A": {"Type": "Pass", "End": True}}}, ["P541"]),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}, ["P541"]),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "A", "End": True}}}, ["P543"]),
        ({"StartAt": "A", "States": {"A": {"Type": "Nap", "End": True}}}, ["P542"]),
        ({"StartAt": "A", "States": {"A": {"Type": "Wait", "End": True}}}, ["P543"]),
        ({"StartAt": "A", "States": {"A": {"Type": "Wait", "Timestamp": "2016-12-05T25:29:29Z", "End": True}}}, ["P545"]),
        ({"StartAt": "A", "States": {"A": {"Type": "Wait", "Timestamp": "2016-12-05T21:29:29Z", "End": True}}}, []),
        ({"StartAt": "A", "States": {"A": {"Type": "Choice", "Choices": []}}}, ["P540"]),
        ({"StartAt": "A", "States": {"A": {"Type": "Parallel", "Branches": [], "End": True}}}, ["P540"]),
        ({"StartAt": "A", "States": {"A": {"Type": "Map", "End": True}}}, ["P540"]),
        ({"StartAt": "A", "States": {"A": {"Type": "Task", "End": True}}}, ["P540"]),
        ({"StartAt": 1, "States": {"A": 2}}, ["P540"]),
        ({"StartAt": "A", "States": {"A": {**TASK, "Resource": "arn:aws:states:::dynamodb:query"}}}, ["P546"]),
        ({"StartAt": "A", "States": {"A": {**TASK, "Resource": "arn:aws:states:::aws-sdk:dynamodb:query"}}}, []),
        ({"StartAt": "A", "States": {"A": {**TASK, "Resource": "arn:aws-cn:states:::lambda:invoke.waitForTaskToken", "TimeoutSeconds": 9}}}, []),
        ({"StartAt": "A", "States": {"A": {**TASK, "TimeoutSeconds": 5, "HeartbeatSeconds": 5}}}, ["P543"]),
        ({"StartAt": "A", "States": {"A": {**TASK, "TimeoutSeconds": 5, "TimeoutSecondsPath": "$.t"}}}, ["P543"]),
        ({"StartAt": "A", "States": {"A": {**TASK, "Output": "{% 1 %}"}}}, ["P543"]),
        ({"StartAt": "A", "States": {"A": {**TASK, "QueryLanguage": "JSONata", "Output": "{% 1 %}"}}}, []),
        ({"StartAt": "A", "States": {"A": {**TASK, "QueryLanguage": "JSONata", "ResultPath": "$.a"}}}, ["P543"]),
        ({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {**TASK, "QueryLanguage": "JSONPath"}}}, ["P543"]),
        (  # the language of a Map is not that of the states in it
            {"StartAt": "A", "States": {"A": {"Type": "Map", "QueryLanguage": "JSONata", "ItemProcessor": {"StartAt": "B", "States": {"B": {**TASK, "Output": 1}}}, "End": True}}},
            ["P543"],
        ),
        ({"type": "EXPRESS", "definition": {"StartAt": "A", "States": {"A": {**TASK, "Resource": "arn:aws:states:::glue:startJobRun.sync"}}}}, ["P544"]),
        ({"StartAt": "A", "States": {"A": {"Type": "Map", "ItemProcessor": {"StartAt": "X"}, "End": True}}}, ["P540"]),
    ],
)  # fmt: skip
def test_what_the_service_refuses_is_refused(definition, codes):
    nets, problems = read(json.dumps(definition))
    assert [d.code for d in problems] == codes
    assert bool(nets) == (not codes)


@pytest.mark.parametrize(
    ("text", "path", "code"),
    [
        ("", "m.asl.json", "P530"),
        ("[" * 100_000, "m.asl.json", "P531"),
        ('{"a":' * 10_000, "m.asl.json", "P531"),
        ("- " * 10_000, "m.asl.yaml", "P531"),
        ("{" * 10_000, "m.asl.yaml", "P531"),
        ("".join(" " * i + "a:\n" for i in range(1_000)), "m.asl.yaml", "P531"),
        (BOMB, "m.asl.yaml", "P531"),
        ("a: &x [*x]", "m.asl.yaml", "P530"),
        ("a: *nobody", "m.asl.yaml", "P530"),
        ("a: b: c", "m.asl.yaml", "P530"),
        ("a: .inf", "m.asl.yaml", "P530"),
        ("? [a]\n: b", "m.asl.yaml", "P530"),
        ("a: !!python/object/apply:os.system [ls]", "m.asl.yaml", "P540"),
        ("[" + "0," * 500_000 + "0]", "m.asl.json", "P531"),
        ("1" * 1_000_000, "m.asl.json", "P531"),
        ("x" * (9 << 20), "m.asl.json", "P531"),
        ('{"a": 1, "a": 2}', "m.asl.json", "P532"),
        ("a: 1\na: 2", "m.asl.yaml", "P532"),
        ("[NaN]", "m.asl.json", "P530"),
        ("[Infinity]", "m.asl.json", "P530"),
        ("{" + '"' * 100_001, "m.asl.json", "P530"),
        ("/*" * 50_000, "m.asl.json", "P530"),
        ('"\\ud800"', "m.asl.json", "P540"),
        ("\ufeff[", "m.asl.json", "P530"),
        ("null", "m.asl.json", "P540"),
    ],
)
def test_hostile(text, path, code):
    nets, problems = read(text, path)
    assert not nets
    assert [d.code for d in problems] == [code]


CATCH = [{"ErrorEquals": [f"E{i}" for i in range(5_000)], "Next": "B"}]
WIDE = {
    "names": {"A": {"Type": "Task", "Resource": "r", "Catch": CATCH, "End": True}, "B": {"Type": "Succeed"}},
    "stars": {"A": {"Type": "Choice", "Choices": [{"Variable": "$.a", "StringMatches": "*a" * 40, "Next": "B"}], "Default": "B"}, "B": {"Type": "Succeed"}},
    "variables": {"A": {"Type": "Choice", "Choices": [{"Variable": f"$.a{i}", "IsNull": True, "Next": "B"} for i in range(2_000)], "Default": "B"}, "B": {"Type": "Succeed"}},
    "spaces": {"A": {"Type": "Choice", "Choices": [{"Condition": "{%" + " " * 100_000 + "$a" * 1_000 + "%}", "Next": "B"}], "Default": "B"}, "B": {"Type": "Succeed"}},
    "choices": {
        **{f"C{i}": {"Type": "Choice", "Choices": [{"Variable": f"$.v{i}", "IsNull": True, "Next": "B"}], "Default": f"C{i + 1}"} for i in range(1_500)},
        "A": {"Type": "Pass", "Next": "C0"}, "C1500": {"Type": "Pass", "End": True}, "B": {"Type": "Succeed"},
    },
}  # fmt: skip


@pytest.mark.parametrize("states", WIDE.values(), ids=WIDE)
def test_definitions_that_would_take_long_if_done_carelessly(states):
    nets, problems = read(json.dumps({"StartAt": "A", "States": states}))
    assert nets or [d.code for d in problems] == ["P531"]


def test_machines_within_machines():
    inner = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    for _ in range(30):
        inner = {"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": [inner], "End": True}}}
    assert read(json.dumps(inner))[0]
    for _ in range(30):
        inner = {"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": [inner], "End": True}}}
    assert [d.code for d in read(json.dumps(inner))[1]] == ["P531"]


@given(
    st.randoms(use_true_random=False),
    st.sampled_from([(TEXT, "m.asl.json"), (YAML, "m.asl.yaml"), (BOMB, "m.asl.yaml")]),
)
@example(random.Random(1), (TEXT, "m.asl.json"))
def test_damaged_files_give_a_net_or_a_place(rand, good):
    text, path = good
    letters = list(text)
    for _ in range(rand.randint(1, 4)):
        at = rand.randrange(len(letters))
        change = rand.choice(["drop", "put", "swap", "cut"])
        if change == "drop":
            del letters[at]
        elif change == "put":
            letters.insert(at, rand.choice(list("{}[]\",:\\\n -&*#!|>%@`'0é\t")))
        elif change == "swap":
            other = rand.randrange(len(letters))
            letters[at], letters[other] = letters[other], letters[at]
        else:
            letters = letters[: at + 1]
    nets, problems = read("".join(letters), path)
    assert nets or problems


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def plain(node):
    match node.kind:
        case "object":
            return {k: plain(m.value) for k, m in node.members.items()}
        case "array":
            return [plain(item) for item in node.items]
        case "number":
            return json.loads(node.text)
        case "string":
            return node.text
    return {"true": True, "false": False, "null": None}[node.text]


@given(VALUES, st.sampled_from([None, 2]), st.booleans())
def test_json_reads_as_the_standard_library_does(value, indent, ascii_only):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    found = json_read.read(text, Limits(SourceFile("x", text)))
    assert plain(found.root) == json.loads(text)
    assert found.loose == -1
    pending = [found.root]
    for node in pending:
        assert json.loads(text[node.start : node.end]) == plain(node)
        pending += [*node.items, *(m.value for m in node.members.values())]


@given(st.text())
def test_every_letter_of_a_string_has_its_place(value):
    text = json.dumps({"a": value}, ensure_ascii=False)
    node = json_read.read(text, Limits(SourceFile("x", text))).root.members["a"].value
    where = json_read.places_of_string(text, node.start, node.end)
    assert len(where) == len(value) + 1
    assert all(text[at] in (letter, "\\") for at, letter in zip(where, value, strict=False))


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    for reader in (json_read.read, yaml_read.read):
        limits = Limits(SourceFile("x", text))
        try:
            reader(text, limits)
        except BadData as bad:
            assert bad.diagnostic.span is not None


NAMES = (
    "A",
    "B",
    "States.TaskFailed",
    "States.Timeout",
    "States.Runtime",
    "States.DataLimitExceeded",
    "States.Permissions",
)


@given(st.lists(st.sampled_from([*NAMES, "States.ALL"]), min_size=1, max_size=3), st.sampled_from(NAMES))
def test_wildcards_match_what_the_table_says(listed, error):
    assert errors.matches(listed, error) == takes(listed, error)


LISTS = st.lists(st.lists(st.sampled_from([*NAMES, "States.ALL"]), min_size=1, max_size=2).map(tuple), max_size=3).map(
    tuple
)


@given(st.lists(st.builds(errors.Level, LISTS, LISTS, st.just(value=False)), min_size=1, max_size=3))
def test_a_class_holds_only_errors_that_go_the_same_way(levels):
    found = errors.classes((*NAMES, errors.ANY), levels)
    assert sorted(n for one in found for n in one.names) == sorted((*NAMES, errors.ANY))
    for one in found:
        for level in levels:
            assert len({errors.first(level.retry, n) for n in one.names}) == 1
            caught = {errors.first(level.catch, n) for n in one.names}
            assert len(caught) == 1
            if caught != {-1}:
                break


DEFINITION = '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "${Fn}", "End": true}}}'
TEMPLATE = """Resources:
  Order:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: NAMED
      DefinitionSubstitutions: {Fn: !GetAtt Pay.Arn}
"""


@pytest.fixture
def project(tmp_path):
    """A template beside its definition, and something beside the project."""
    inside = tmp_path / "inside"
    (inside / "machines").mkdir(parents=True)
    (inside / "placet.toml").write_text("")
    (tmp_path / "secret.asl.json").write_text(DEFINITION)
    (inside / "machines" / "order.asl.json").write_text(DEFINITION)
    (inside / "machines" / "wrong.asl.json").write_text(DEFINITION.replace('"A", "States"', '"B", "States"'))
    (inside / "machines" / "none.json").write_text("{}")
    (inside / "machines" / "link.json").symlink_to(tmp_path / "secret.asl.json")

    def loaded(named):
        (inside / "template.yaml").write_text(TEMPLATE.replace("NAMED", named))
        return load(inside / "template.yaml")

    return loaded


def test_a_definition_in_another_file_is_read_with_the_template(project):
    found = project("machines/order.asl.json")
    assert [c.subject for c in found.compiled] == ["Order"]
    assert not found.diagnostics
    assert {o.span.source.path.rsplit("/", 1)[-1] for o in found.compiled[0].origin.transitions if o.span} == {
        "order.asl.json"
    }


def test_what_is_wrong_in_it_is_told_where_it_stands(project):
    found = project("machines/wrong.asl.json")
    assert not found.compiled
    assert [(d.severity, d.path.rsplit("/", 1)[-1]) for d in found.diagnostics] == [("error", "wrong.asl.json")]


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("machines/missing.asl.json", "there is no file"),
        ("machines", "is a folder"),
        ("../secret.asl.json", "leads out of the project"),
        ("machines/link.json", "leads out of the project"),
        ("/etc/passwd", "no path within the project"),
        ("s3://bucket/order.json", "no path within the project"),
    ],
)
def test_a_definition_that_is_not_to_be_had(project, named, why):
    found = project(named)
    assert not found.compiled
    assert [d.code for d in found.diagnostics] == ["P535"]
    assert why in found.diagnostics[0].message


def test_a_file_without_a_definition_is_an_error(project):
    assert project("machines/none.json").broken


def test_a_template_that_names_itself_ends(project):
    found = project("template.yaml")
    assert not found.compiled
    assert [d.code for d in found.diagnostics] == ["P535"]
