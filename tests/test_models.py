"""The shipped models: every verdict as expected.toml says, every broken twin rejected for the reason written beside it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from conftest import CHECKOUT
from placet.pipeline import Options, check, load

if TYPE_CHECKING:
    from placet.report.report import Report


MODELS = CHECKOUT / "models"
FOLDERS = sorted(file.parent for file in MODELS.glob("*/expected.toml"))
CASES = [
    pytest.param(folder, case, id=f"{folder.name}/{case['file']}")
    for folder in FOLDERS
    for case in tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))["case"]
]


def verified(folder, case, **options) -> Report:
    wanted = Options(**options)
    return check(load(folder / case["file"], wanted), wanted)


def told(report: Report, label: str) -> str:
    """The story of a check as people read it."""
    from placet.report.text import render_check

    (found,) = [(c, m) for m in report.models for c in m.checks if c.label == label]
    return re.sub(r"\s+", " ", "\n".join(render_check(*found)))


@pytest.mark.parametrize(("folder", "case"), CASES)
def test_verdicts(folder, case):
    report = verified(folder, case)
    assert not [d for m in report.models for d in m.diagnostics if d.severity == "error"]
    assert {c.label: c.outcome for m in report.models for c in m.checks} == case["checks"]
    assert not any(m.fault for m in report.models)
    if "fails" in case:
        _is_rejected_for_the_reason_beside_it(report, case)
        _is_told_without_words_of_the_field(report)


def _is_rejected_for_the_reason_beside_it(report, case):
    assert report.verdict == "non placet"
    assert case["checks"][case["fails"]] == "violated"
    story = told(report, case["fails"])
    assert [word for word in case["words"] if word not in story] == []
    assert not re.search(r"\bp\d+\b|#", story), "a story speaks the user's words"


def _is_told_without_words_of_the_field(report):
    from placet.report.text import render

    words = re.findall(r"[a-z]+", render(report).lower())
    plain = any(m.kind == "net" for m in report.models)
    of_the_field = {"token", "tokens", "marking", "markings", "transition", "transitions", "siphon"}
    assert not of_the_field & set(words)
    assert plain or not {"place", "places", "net", "nets"} & set(words)


@pytest.mark.parametrize(("folder", "case"), CASES)
def test_reductions_change_no_verdict(folder, case):
    report = verified(folder, case, reduce=False)
    assert {c.label: c.outcome for m in report.models for c in m.checks} == case["checks"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_a_model_is_whole(folder):
    cases = tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))["case"]
    files = sorted(str(f.relative_to(folder)) for s in ("placet", "pnml") for f in folder.rglob(f"*.{s}"))
    assert sorted(case["file"] for case in cases) == files
    good = [case for case in cases if "fails" not in case]
    twins = [case for case in cases if "fails" in case]
    assert (
        good[0]["file"].split(".")[0] == "model"
    )  # others beside it: the same under another engine, or what is shared
    assert all(set(case["checks"].values()) == {"proved"} for case in good)
    assert twins, "every model has a broken twin"
    for twin in twins:
        assert twin["file"].startswith("broken/")
        assert twin["why"]
        assert twin["words"]
        assert re.search(r"(#|<!--) Wrong: ", (folder / twin["file"]).read_text(encoding="utf-8"))
    assert (folder / "README.md").read_text(encoding="utf-8").strip()


def test_every_folder_is_expected():
    assert [f.name for f in FOLDERS] == sorted(f.name for f in MODELS.iterdir() if f.is_dir())
    assert len(FOLDERS) >= 12


def test_the_folder_is_its_own_gate(monkeypatch, capsys):
    from placet.cli.__main__ import main

    monkeypatch.chdir(CHECKOUT)
    assert main(["verify", "models/"]) == 0
    printed = capsys.readouterr().out
    assert "broken" not in printed
    assert printed.splitlines()[-1].startswith("placet: ")


@pytest.mark.editable
def test_the_table_of_the_readme_is_of_today():
    run = subprocess.run([sys.executable, CHECKOUT / ".ci" / "models_table.py", "--check"], check=False)
    assert run.returncode == 0, "rewrite it with .ci/models_table.py"
