"""When placet itself fails: one clear message, exit status 70, and the other files keep their answers."""

from __future__ import annotations

import pytest

from placet import pipeline
from placet.cli.__main__ import main
from placet.errors import EvidenceError, UsageError


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.placet").write_text(f"net {name} {{ place p = 1  transition t: p -> p }}\n")
    return monkeypatch


def failing_on(monkeypatch, name, problem):
    load = pipeline.load

    def broken(path, options=None):
        if path == name:
            raise problem
        return load(path, options) if options else load(path)

    monkeypatch.setattr(pipeline, "load", broken)


@pytest.mark.parametrize(
    "problem", [KeyError("x\ny"), RecursionError("deep"), MemoryError(), EvidenceError("no such run"), AssertionError()]
)
def test_a_fault_in_one_file(here, capsys, problem):
    failing_on(here, "b.placet", problem)
    assert main(["verify", "a.placet", "b.placet", "c.placet"]) == 70
    out, err = capsys.readouterr()
    assert "net a" in out
    assert "net c" in out
    assert type(problem).__name__ in out
    assert "a fault of placet itself" in out
    assert "Traceback" not in out + err


def test_the_traceback_on_request(here, capsys):
    failing_on(here, "b.placet", KeyError("x"))
    assert main(["verify", "--debug", "b.placet"]) == 70
    assert "Traceback" in capsys.readouterr().err
    assert main(["--debug", "verify", "b.placet"]) == 70
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["explore"], ["draw"], ["convert"], ["simulate", "--seed", "1"]])
def test_a_fault_in_another_command(here, capsys, command):
    failing_on(here, "b.placet", KeyError("x"))
    assert main([*command, "b.placet"]) == 70
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: a fault in placet, not in your input: KeyError: 'x' at placet/")
    assert "report it" in err
    assert "Traceback" not in err
    assert main([*command, "--debug", "b.placet"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_misuse_that_only_the_analysis_notices_is_no_fault(here, capsys):
    failing_on(here, "b.placet", UsageError("there is no engine `warp`"))
    assert main(["verify", "b.placet"]) == 2
    assert "error: there is no engine `warp`" in capsys.readouterr().err


def test_jobs_change_nothing(here, capsys):
    import re

    def told(jobs: int, form: str) -> str:
        assert main(["verify", "--format", form, "--jobs", str(jobs), "."]) == 0
        return re.sub(r'"seconds": [\d.e-]+', "", capsys.readouterr().out)

    for form in ("text", "concise", "json", "github"):
        assert told(1, form) == told(3, form)
