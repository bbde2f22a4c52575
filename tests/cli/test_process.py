"""What only a real process shows: start-up, pipes, signals, terminals."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PLACET = [sys.executable, "-m", "placet"]

SMALL = "workflow w { task a  end done }\n"
LARGE = """net large {
  place a = 400, b, c, d, e, f
  transition t: a -> b
  transition u: b -> c
  transition v: c -> d
  transition w: d -> e
  transition x: e -> f
  transition y: f -> a
}
check deadlock_free(large)
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.placet").write_text(SMALL)
    (tmp_path / "large.placet").write_text(LARGE)
    return tmp_path


def loaded(*arguments: str) -> set[str]:
    """The modules that a command line loads."""
    code = "import sys; from placet.cli.__main__ import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return set(run.stderr.split())


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"], []])
def test_the_first_page_loads_nothing(here, arguments):
    assert not {"click", "json", "tomllib", "placet.pipeline", "placet.evidence"} & loaded(*arguments)


def test_a_small_model_loads_no_heavy_library(here):
    heavy = {"numpy", "networkx", "lark", "graphviz", "rich", "defusedxml", "tomllib", "multiprocessing", "dataclasses"}
    assert not heavy & loaded("verify", "small.placet")
    assert "click" in loaded("verify", "small.placet")


def test_the_help_of_a_command_loads_no_analysis(here):
    assert not {
        m for m in loaded("verify", "--help") if re.match(r"placet\.(analysis|compile|syntax|engines|net)\b", m)
    }


def test_python_m_placet(here):
    for module in ("placet", "placet.cli"):
        run = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True)
        assert run.stdout.startswith("placet ")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_reader_who_has_gone_changes_nothing(here, form):
    command = f"{sys.executable} -m placet verify --format {form} small.placet | true; exit ${{PIPESTATUS[0]}}"
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_no_progress_in_pipes(here):
    run = subprocess.run(
        [*PLACET, "verify", "--no-reduce", "--engine", "reference", "--budget-states", "300000", "large.placet"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (3, "")


def test_ctrl_c_prints_what_is_known(here):
    command = [
        *PLACET,
        "verify",
        "--no-reduce",
        "--engine",
        "reference",
        "--budget-states",
        "999999999",
        "small.placet",
        "large.placet",
        "small.placet",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    first = process.stdout.readline()  # the small model is told as soon as it is known
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert first == "small.placet: workflow w\n"
    assert "proved" in rest
    assert rest.splitlines()[-1].endswith(", interrupted")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_in_json_is_a_whole_document(here, jobs):
    import json

    command = [
        *PLACET,
        "verify",
        "--format",
        "json",
        "--jobs",
        jobs,
        "--no-reduce",
        "--engine",
        "reference",
        "--budget-states",
        "999999999",
        "large.placet",
        "large.placet",
        "small.placet",
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    time.sleep(1.5)
    os.killpg(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert json.loads(out)["schema"] == "placet.verify/1"


def on_a_terminal(arguments: list[str]) -> str:
    """What a command prints on a terminal, both streams."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.pop("NO_COLOR", None)
        os.environ["TERM"] = "xterm"
        os.execv(sys.executable, [*PLACET, *arguments])
    parts = []
    while select.select([terminal], [], [], 120)[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        parts.append(part)
    os.waitpid(pid, 0)
    return b"".join(parts).decode()


def test_a_terminal_shows_progress_and_takes_it_away(here):
    text = on_a_terminal(
        ["verify", "--no-reduce", "--engine", "reference", "--budget-states", "1500000", "large.placet"]
    )
    lines = re.findall(r"large\.placet  ([\d,]+) states, [\d,]+/s, [\d,]+ waiting, [\d,]+ MB", text)
    assert max(int(states.replace(",", "")) for states in lines) > 1000
    shown, _, rest = text.rpartition("\r\x1b[K")
    assert " waiting, " in shown
    assert " waiting, " not in rest
    assert "\x1b[" in rest, "colours on a terminal"


def test_a_quick_run_shows_no_progress(here):
    texts = (on_a_terminal(["verify", "--color", "never", "small.placet"]) for _ in range(5))
    quick = next((text for text in texts if "\x1b" not in text), "")
    assert "placet: " in quick, "on a busy machine not every run is a quick one, but of five one is"


@pytest.mark.parametrize(
    ("line", "word", "offered"),
    [
        ("placet ver", 1, "verify"),
        ("placet verify --fo", 2, "--format"),
        ("placet verify --format j", 3, "junit"),
        ("placet explain p60", 2, "P602"),
        ("placet verify --level L", 3, "L1"),
    ],
)
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion(here, line, word, offered, shell):
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(word), "_PLACET_COMPLETE": f"{shell}_complete"}
    run = subprocess.run(PLACET, env={**os.environ, **asked}, capture_output=True, text=True, check=True)
    assert offered in re.split(r"[,\n]", run.stdout)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only some systems have it")
@pytest.mark.parametrize("redirection", ["> /dev/full", "--output /dev/full"])
def test_a_full_disk_is_no_fault_of_placet(here, redirection):
    command = f"{sys.executable} -m placet verify small.placet {redirection}"
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    where = "`/dev/full` could not be written" if "--output" in redirection else "the system says"
    assert (run.returncode, run.stderr) == (2, f"error: {where}: no space left on device\n")
    assert "--output" not in redirection or "placet: 4 proved in 1 model" in run.stdout


def test_closed_streams(here):
    command = f"{sys.executable} -m placet verify small.placet >&- 2>&-"
    assert subprocess.run(["bash", "-c", command], check=False).returncode == 0


def test_a_working_folder_that_is_gone(here):
    command = f"mkdir gone; cd gone; rmdir ../gone; {sys.executable} -m placet verify ."
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "error: the system says: no such file or directory" in run.stderr
