"""Recorded runs and what they exercise; experiments and what they leave out; tables for a reviewer."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

from click.testing import CliRunner

from placet.cli.coverage import command
from placet.coverage.exercised import exercised, experiments, held_to
from placet.coverage.measure import measure
from placet.coverage.obligations import Status
from placet.coverage.replay import judge
from placet.data_files import data_folder
from placet.evidence import Budget
from placet.faults.hypothesis import Hypothesis
from placet.faults.weave import weave
from placet.pipeline import subject_of, verify

FAULTS = Hypothesis(("reject", "lost", "slow"), 1)
TEXT = """
service flights { idempotent; null_safe; rejects_after_cancel }
service cars { idempotent; null_safe }
saga trip {
  step flight on flights { undo cancel_flight; timeout 10s }
  step car on cars { undo cancel_car; timeout 10s }
}
"""
LOG = """\
t-1 flight@flights asked
t-1 flight done
t-1 car@cars asked
t-1 car refused
t-1 flight undo_asked
t-1 flight undone
t-1 - ended compensated
"""


def measured():
    return measure(weave(subject_of(TEXT), FAULTS).compiled, FAULTS.budget)


def test_without_runs_nothing_is_exercised() -> None:
    assert exercised(measured(), []).total == 0
    every = experiments(measured())
    assert {e.faults for e in every} == {
        tuple(measured().coverage.causes[f] for f in row.faults) for row in measured().coverage.rows if row.faults
    }


def test_a_run_exercises_its_own_scenario_and_no_other() -> None:
    found = measured()
    for experiment in experiments(found):
        judged = judge(found.compiled, experiment.run)
        assert judged.settled
        assert tuple(c._replace(words="") for c in judged.causes) == tuple(
            c._replace(words="") for c in experiment.faults
        )
        seen = exercised(found, [experiment.run])
        assert seen.held | seen.broken
        for o in seen.held | seen.broken:
            assert tuple(found.coverage.causes[f] for f in o.faults) == experiment.faults
        assert len(experiments(found, seen)) == len(experiments(found)) - 1


def test_a_run_that_breaks_an_obligation_does_not_count_for_it() -> None:
    found = measured()
    missing = [found.run(o) for o in found.coverage.missing()]
    assert missing
    seen = exercised(found, [o.trace for o in missing])
    assert {(o.family, o.step, o.faults) for o in missing} <= {(o.family, o.step, o.faults) for o in seen.broken}
    assert all(o.status is not Status.COVERED for o in seen.broken)
    assert seen.total == len(seen.held - seen.broken)


def test_half_a_run_shows_nothing() -> None:
    found = measured()
    for experiment in experiments(found):
        assert not exercised(found, [experiment.run[:-2]]).held


def run(tmp_path, *options: str):
    model, log = tmp_path / "trip.placet", tmp_path / "runs.log"
    model.write_text(TEXT, encoding="utf-8")
    log.write_text(LOG, encoding="utf-8")
    chosen = [log if o == "LOG" else o for o in options]
    return CliRunner().invoke(
        command, [str(model), "--faults", "reject,lost,slow", *map(str, chosen)], standalone_mode=False
    )


def test_recorded_runs_from_a_file(tmp_path) -> None:
    plain = run(tmp_path)
    assert plain.return_value == 1
    assert "CC = " in plain.output
    assert "XC" not in plain.output
    logged = run(tmp_path, "--log", "LOG")
    assert "XC = " in logged.output
    document = json.loads(run(tmp_path, "--log", "LOG", "--format", "json").output)
    assert 0 < document["exercised"] < document["covered"]
    before = json.loads(run(tmp_path, "--format", "plan").output)
    after = json.loads(run(tmp_path, "--log", "LOG", "--format", "plan").output)
    gone = {e["id"] for e in before["experiments"]} - {e["id"] for e in after["experiments"]}
    assert gone == {"trip/car request reject"}


def test_how_much_recorded_runs_must_exercise(tmp_path) -> None:
    plain = run(tmp_path, "--log", "LOG", "--format", "json")
    exercised_, feasible = (json.loads(plain.output)[k] for k in ("exercised", "feasible"))
    percent = 100 * exercised_ // feasible
    assert 0 < percent < 50
    document = json.loads(run(tmp_path, "--log", "LOG", "--exercised", str(percent), "--format", "json").output)
    assert document["anomaly_A24"]["verdict"] == "proved"
    document = json.loads(run(tmp_path, "--log", "LOG", "--exercised", str(percent + 1), "--format", "json").output)
    assert document["anomaly_A24"]["verdict"] == "violated"
    assert len(document["anomaly_A24"]["never_exercised"]) == feasible - exercised_
    text = run(tmp_path, "--log", "LOG", "--exercised", "99").output
    assert f"{feasible - exercised_} obligations that no run has exercised" in text
    assert "A24" not in run(tmp_path, "--log", "LOG").output


def test_too_little_exercised_is_a_finding_though_all_is_covered(tmp_path) -> None:
    model, log = tmp_path / "trip.placet", tmp_path / "runs.log"
    model.write_text(
        TEXT.replace(
            "service cars { idempotent; null_safe }", "service cars { idempotent; null_safe; rejects_after_cancel }"
        ),
        encoding="utf-8",
    )
    log.write_text(LOG, encoding="utf-8")
    given = [str(model), "--faults", "reject", "--log", str(log)]
    for percent, status in ((1, 0), (100, 1)):
        found = CliRunner().invoke(command, [*given, "--exercised", str(percent)], standalone_mode=False)
        assert found.return_value == status, found.output
    assert "give them by `--log`" in str(run(tmp_path, "--exercised", "5").exception)


def test_what_is_undecided_counts_for_neither_side() -> None:
    woven = weave(subject_of(TEXT), FAULTS).compiled
    whole = measure(woven, FAULTS.budget)
    runs = [e.run for e in experiments(whole)]
    seen = exercised(whole, runs)
    for states in range(10, whole.coverage.size.states, 40):
        part = measure(woven, FAULTS.budget, Budget(states=states))
        done = exercised(part, runs)
        for percent in (0, 10, 40, 70, 100):
            outcome = held_to(part, done, percent).outcome
            if outcome == "proved":
                assert 100 * seen.total >= percent * whole.coverage.feasible
    assert held_to(whole, seen, 0).outcome == "proved"
    assert held_to(whole, exercised(whole, []), 1).outcome == "violated"
    assert len(held_to(whole, exercised(whole, []), 1).never) == whole.coverage.feasible


def test_a_run_that_does_not_fit_is_said(tmp_path) -> None:
    model, log = tmp_path / "trip.placet", tmp_path / "runs.log"
    model.write_text(TEXT, encoding="utf-8")
    log.write_text("t-1 car@cars asked\nt-1 - ended completed\n", encoding="utf-8")
    found = CliRunner().invoke(command, [str(model), "--log", str(log)], standalone_mode=False)
    assert "does not fit the model" in found.output


def test_tables(tmp_path) -> None:
    text = run(tmp_path).output
    assert "BALANCE of `car`, " in text
    assert "trip.placet:" in text
    assert "uncovered  BALANCE  car" in run(tmp_path, "--all").output
    assert "covered    BALANCE" not in text
    assert "covered    BALANCE" in run(tmp_path, "--all").output
    markdown = run(tmp_path, "--format", "markdown").output
    assert "| car |" in markdown
    assert ":warning:" in markdown
    root = ElementTree.fromstring(run(tmp_path, "--format", "svg").output)
    assert root.tag.endswith("svg")
    assert len([e for e in root if e.tag.endswith("rect")]) == 9


def test_names_from_strangers_are_harmless(tmp_path) -> None:
    from placet.report.coverage_tables import markdown, svg
    from placet.report.report import CoverageReport

    found = CoverageReport(
        "", ("lost",), 1, (), 2, 1, 0, 0, 100, ("lost",), (("a/<b>|\x1b[0m", ((1, 2),)),), ("<script>|",), ()
    )
    assert "<script>" not in markdown(found, "<x>|")
    assert "\x1b" not in markdown(found, "x")
    ElementTree.fromstring(svg(found, "<x>&"))


def test_the_page_of_a24_shows_it_and_its_near_miss_does_not(tmp_path) -> None:
    page = (data_folder("explain") / "anomaly_A24.md").read_text(encoding="utf-8")
    models = re.findall(r"```placet\n(.*?)```", page, re.DOTALL)
    logs = re.findall(r"```\n(r1 .*?)```", page, re.DOTALL)
    said = []
    for n, (model, log) in enumerate(zip(models, logs, strict=True)):
        (entry,) = verify(model).models[0].checks
        assert (entry.id, entry.outcome) == ("anomaly_A24", "inconclusive")
        assert "--exercised 100" in entry.message
        file, runs = tmp_path / f"{n}.placet", tmp_path / f"{n}.log"
        file.write_text(model, encoding="utf-8")
        runs.write_text(log, encoding="utf-8")
        given = [str(file), "--log", str(runs), "--exercised", "100", "--faults", "reject", "--format", "json"]
        found = json.loads(CliRunner().invoke(command, given, standalone_mode=False).output)
        said.append((found["anomaly_A24"]["verdict"], bool(found["anomaly_A24"]["never_exercised"])))
    assert said == [("violated", True), ("proved", False)]
