"""What a sidecar reads, drafts and waives."""

from __future__ import annotations

import json
import os
import random

import pytest
from hypothesis import given, settings

from conftest import CHECKOUT
from oracles.asl_machines import machines
from placet.pipeline import check, load
from placet.project.configuration import load as configured
from placet.sidecar.claimed import claimed
from placet.sidecar.draft import draft
from placet.sidecar.start import plan, write
from placet.source import SourceFile
from placet.syntax.formatter import format_source

DEFINITION = (CHECKOUT / "models" / "step_functions_sidecar" / "order.asl.json").read_text(encoding="utf-8")
ROLES = """
service stock { idempotent; null_safe; rejects_after_cancel }
annotate "order.asl.json" {
  ReserveStock on stock undone by ReleaseStock
"""


def order(folder, lines="", text=ROLES, definition=DEFINITION):
    (folder / "order.asl.json").write_text(definition, encoding="utf-8")
    (folder / "order.placet").write_text(f"{text}{lines}\n}}\n", encoding="utf-8")
    return load(folder / "order.placet")


def codes(loaded):
    return {d.code for d in loaded.diagnostics if d.severity == "error"}


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "~/x.json", "..\\x.json", "C:/x.json", "a/../../../x.json", "", "file:x"]
)
def test_a_path_stays_in_the_project(tmp_path, path):
    (tmp_path / ".git").mkdir()
    loaded = order(tmp_path, text=f"annotate {json.dumps(path)} {{")
    assert codes(loaded) == {"P801"}


def test_a_link_that_leads_out_is_not_followed(tmp_path):
    inside = tmp_path / "inside"
    (inside / ".git").mkdir(parents=True)
    (tmp_path / "secret.asl.json").write_text(DEFINITION, encoding="utf-8")
    (inside / "link.asl.json").symlink_to(tmp_path / "secret.asl.json")
    assert codes(order(inside, text='annotate "link.asl.json" {')) == {"P801"}
    (inside / "far").symlink_to(tmp_path)
    assert codes(order(inside, text='annotate "far/secret.asl.json" {')) == {"P801"}


def test_a_folder_above_in_the_project_may_be_meant(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "order.asl.json").write_text(DEFINITION, encoding="utf-8")
    (tmp_path / "models" / "order.placet").write_text('annotate "../order.asl.json" { }', encoding="utf-8")
    assert load(tmp_path / "models" / "order.placet").compiled[0].subject == "order"


def test_the_flow_is_asked_of_the_definition_as_it_is(tmp_path):
    loaded = order(tmp_path)
    (alone,) = load(tmp_path / "order.asl.json").compiled
    (sided,) = loaded.compiled
    assert sided.net == alone.net
    report = check(loaded)
    assert {c.id for c in report.models[0].checks} >= {"option_to_complete", "no_dead_step", "coverage"}


def test_faults_that_are_not_woven_are_said_to_be_trusted(tmp_path):
    loaded = order(tmp_path, "  check coverage() at L1, coverage() at L4")
    first, last = check(loaded).models[0].checks
    words = {"nobody stops it while it runs", "its coordinator does not crash"}
    assert words.isdisjoint(first.assumptions.guarantees)
    assert words <= set(last.assumptions.guarantees)


def test_ends_count_as_what_they_are_said_to_be(tmp_path):
    loaded = order(tmp_path, "  end OrderCalledOff compensated\n  check never(order.compensated), never(order.failed)")
    outcomes = {c.label: c.outcome for c in check(loaded).models[0].checks}
    assert outcomes == {"never(order.compensated)": "violated", "never(order.failed)": "proved"}


@pytest.mark.parametrize("days", ["2000-01-01", "2999-12-31"])
def test_a_waiver_holds_until_its_day(tmp_path, days):
    loaded = order(tmp_path, f'  check no_dead_step(), never(order.done)\n  waive never "for now" until {days}')
    report = check(loaded)
    by_id = {c.id: c for c in report.models[0].checks}
    over = days < "2020"
    assert by_id["never"].counts == ("violated" if over else "waived")
    assert report.exit_status == (1 if over else 0)
    assert report.summary.waived == (0 if over else 1)
    assert ("P809" in {d.code for d in loaded.diagnostics}) == over


def test_a_waived_finding_is_counted_and_stays_in_the_report(tmp_path):
    loaded = order(tmp_path, '  waive P551 at CallPerson "an alarm rings" until 2999-12-31')
    (found,) = [d for d in loaded.diagnostics if d.code == "P551"]
    assert (found.severity, found.waived) == ("note", "until 2999-12-31: an alarm rings")


def test_the_same_machine_is_annotated_once(tmp_path):
    assert codes(order(tmp_path, '}\nannotate "order.asl.json" {')) == {"P805"}


def test_a_machine_of_a_template_is_chosen_by_its_name(tmp_path):
    machine = json.loads(DEFINITION)
    resources = {
        n: {"Type": "AWS::Serverless::StateMachine", "Properties": {"Definition": machine}} for n in ("One", "Two")
    }
    (tmp_path / "template.json").write_text(json.dumps({"Resources": resources}), encoding="utf-8")
    assert codes(order(tmp_path, text='annotate "template.json" {')) == {"P802"}
    loaded = order(tmp_path, text='annotate "template.json" Two {')
    assert [c.subject for c in loaded.compiled] == ["Two"]
    assert codes(order(tmp_path, text='annotate "template.json" Too {')) == {"P803"}


@settings(max_examples=60)
@given(machines())
def test_a_draft_parses_and_runs_as_it_is_printed(tmp_path_factory, definition):
    folder = tmp_path_factory.mktemp("d")
    source = SourceFile("m.asl.json", json.dumps(definition))
    made, problems = draft(source, "m.asl.json")
    if made is None:
        assert any(d.severity == "error" for d in problems)
        return
    (folder / "m.asl.json").write_text(source.text, encoding="utf-8")
    (folder / "m.placet").write_text(made.text, encoding="utf-8")
    loaded = load(folder / "m.placet")
    assert [d for d in loaded.diagnostics if d.severity == "error"] == []
    assert loaded.compiled


def test_a_draft_is_laid_out_as_fmt_does():
    made, _ = draft(SourceFile("order.asl.json", DEFINITION), "order.asl.json")
    assert format_source(SourceFile("order.placet", made.text))[0] == made.text
    assert made.proposed == 3


EACH = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "End": True,
            "ItemProcessor": {
                "StartAt": "Reserve",
                "States": {
                    "Reserve": {
                        "Type": "Task",
                        "Resource": "arn:aws:states:::lambda:invoke",
                        "TimeoutSeconds": 5,
                        "End": True,
                    }
                },
            },
        }
    },
}


def test_a_step_in_a_map_counts_item_by_item(tmp_path):
    lines = (
        "Reserve on s { effect debit(shelf, 1) }\n check never(Reserve.effect >= 1 and order.succeeded), conserved()"
    )
    loaded = order(tmp_path, lines, 'service s\nannotate "order.asl.json" {\n', json.dumps(EACH))
    found = {c.id: c for c in check(loaded).models[0].checks}
    assert found["never"].outcome == found["conserved"].outcome == "violated"
    assert {s.id for s in loaded.compiled[0].called.roles.steps} == {
        "order/Each/item/Reserve[1]",
        "order/Each/item/Reserve[2]",
    }


ODD = [
    "end",
    "a b",
    'q"uote',
    "back\\slash",
    "sns:Notify",
    "ümläut",
    "1st",
    "check",
    "line\nbreak",
    "x" * 90,
    "a.b-c",
    "#x",
    "{",
]


@pytest.mark.parametrize("name", ODD)
def test_a_draft_writes_every_name(tmp_path, name):
    states = {
        name: {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Cancel " + name}], "End": True},
        "Cancel " + name: {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True},
    }  # fmt: skip
    text = json.dumps({"StartAt": name, "States": states})
    made, _ = draft(SourceFile("m.asl.json", text), "m.asl.json")
    (tmp_path / "m.asl.json").write_text(text, encoding="utf-8")
    (tmp_path / "m.placet").write_text(made.text, encoding="utf-8")
    loaded = load(tmp_path / "m.placet")
    assert [d.message for d in loaded.diagnostics if d.severity == "error"] == []


def test_what_a_sidecar_claims_is_what_it_annotates(tmp_path):
    text = '# annotate "not.asl.json" { }\nsystem s "annotate \\"no.asl.json\\" {"\nannotate "order.asl.json" { }\nannotate "t.json" Two { }\n'
    (tmp_path / "a.placet").write_text(text, encoding="utf-8")
    files = [str(tmp_path / name) for name in ("a.placet", "order.asl.json", "t.json")]
    found = {os.path.basename(path): set(names) for path, names in claimed(files).items()}  # noqa: PTH119
    assert found == {"order.asl.json": {""}, "t.json": {"Two"}}


def test_a_start_overwrites_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "order.asl.json").write_text(DEFINITION, encoding="utf-8")
    (tmp_path / "order.placet").write_text("# mine\n", encoding="utf-8")
    assert write(plan(".")) == []
    assert (tmp_path / "order.placet").read_text(encoding="utf-8") == "# mine\n"
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert write(plan(".")) == []
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    assert configured(".")[1] == ()


def test_a_file_that_appears_meanwhile_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = plan(".")
    (tmp_path / "placet.toml").write_text("# mine\n", encoding="utf-8")
    assert [path for path, _ in write(made)] == ["placet.toml"]
    assert (tmp_path / "placet.toml").read_text(encoding="utf-8") == "# mine\n"


def test_garbage_in_a_definition_is_located(tmp_path):
    choose = random.Random(5)
    for _ in range(60):
        at = choose.randrange(len(DEFINITION))
        broken = DEFINITION[:at] + choose.choice(["", "{", "]", '"', "\\", "x"]) + DEFINITION[at + 1 :]
        loaded = order(tmp_path, definition=broken)
        assert loaded.compiled or any(d.severity == "error" for d in loaded.diagnostics)


def test_services_of_a_sidecar_may_be_arrays_and_its_checks_speak_of_parameters(tmp_path):
    """Names of states are taken as they are, brackets and all."""
    definition = DEFINITION.replace("ReserveStock", "Reserve[9]")
    lines = "service stock[1..N] { idempotent; null_safe }\ncheck never(hold.effect >= N)"
    text = 'param N = 2\nservice till[0..N] { idempotent }\nannotate "order.asl.json" {\nstate "Reserve[9]" as hold on %s undone by ReleaseStock\n'
    for service in ("stock[3 - N]", "till[N - 2]"):
        loaded = order(tmp_path, lines, text % service, definition)
        assert not codes(loaded), loaded.diagnostics
        (compiled,) = loaded.compiled
        assert [c.label for c in compiled.queries] == ["never(hold.effect >= N)"]
        assert {s.service for s in compiled.called.roles.steps} == {service.replace("3 - N", "1").replace("N - 2", "0")}
    wrong = order(tmp_path, lines, text % "stock[N + 1]", definition)
    assert [(d.code, d.span.text) for d in wrong.diagnostics if d.severity == "error"] == [("P266", "stock[N + 1]")]
