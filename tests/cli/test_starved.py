"""A full disk, a signal, a budget that runs out, colliding hashes, counters that outgrow their width: no verdict is lost or changed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sessions

from families import philosophers
from placet.compiled import Query
from placet.engines import visited
from placet.engines.chosen import _compiler
from placet.evidence import Budget, Inconclusive
from placet.logic.state import And, at_least
from placet.net.builder import NetBuilder
from placet.pipeline import Loaded, Options, check
from placet.report.style import PLAIN
from placet.report.text import render_model
from strategies import compiled_of

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
check never(large.b >= 3)
check deadlock_free(large)
"""
ENGINES = ("reference", "frontier", "symbolic", *(("native",) if _compiler() else ()))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("small.placet").write_text(SMALL)
    Path("large.placet").write_text(LARGE)


full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")


@full
@pytest.mark.parametrize("option", ["--output", "--certificate"])
def test_a_full_disk_keeps_the_verdict(here, monkeypatch, option):
    told = sessions.run(f"placet verify small.placet {option} /dev/full", monkeypatch)
    assert "placet: 4 proved in 1 model" in told
    assert "`/dev/full` could not be written: no space left on device" in told
    assert told.endswith("exit 2\n")


@full
def test_an_output_that_cannot_be_written_is_no_success(here):
    command = f"{sys.executable} -m placet verify small.placet > /dev/full"
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr == "error: the system says: no space left on device\n"


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_leaves_what_is_known(here, name):
    options = ["verify", "--no-reduce", "--engine", "reference", "--budget-states", "100000000", "large.placet"]
    run = subprocess.Popen(
        [sys.executable, "-m", "placet", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - what runs in the background ignores it
    )
    time.sleep(4)
    run.send_signal(getattr(signal, name))
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130, err
    assert "violated      never(large.b >= 3)" in out
    assert "inconclusive  deadlock_free(large)" in out
    assert "interrupted" in out


def test_a_budget_of_seconds_leaves_what_is_known(here, monkeypatch):
    told = sessions.run("placet verify --no-reduce --engine reference --budget-seconds 0.5 large.placet", monkeypatch)
    assert "violated      never(large.b >= 3)" in told
    assert "inconclusive  deadlock_free(large)" in told
    assert "--budget-seconds" in told


def told(compiled, queries, **options) -> str:
    loaded = Loaded("net", "", (compiled._replace(queries=queries),))
    (model,) = check(loaded, Options(**options)).models
    return "\n".join(render_model(model, PLAIN))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_counter_that_outgrows_its_width_changes_no_verdict(engine):
    """Of 70,000 tokens none is lost: as a number of 16 bits the place would never hold more than 65,535."""
    builder = NetBuilder("counter")
    left, full_ = builder.place("left", 7), builder.place("full")
    builder.transition("fill", {left: 1}, {full_: 10_000})
    compiled = compiled_of(*builder.build())
    queries = (
        Query("possible", "reached", at_least(full_, 70_000)),
        Query("never", "no more", at_least(full_, 70_001)),
        Query("never", "reached", at_least(full_, 70_000)),
    )
    loaded = Loaded("net", "", (compiled._replace(queries=queries),))
    (model,) = check(loaded, Options(engine=engine, reduce=False)).models
    assert [c.outcome for c in model.checks] == ["proved", "proved", "violated"]


def test_hashes_that_all_collide_change_no_verdict_and_no_word(monkeypatch):
    import numpy as np

    queries = (Query("deadlock_free", "stuck"), Query("bounded", "bounded"), Query("live", "live"))
    compiled = compiled_of(*philosophers(4))
    usual = told(compiled, queries, engine="frontier")
    monkeypatch.setattr(visited, "scatter", lambda columns: np.zeros(len(columns[0]), dtype=np.uint64))
    assert told(compiled, queries, engine="frontier") == usual


@pytest.mark.parametrize("engine", ENGINES)
def test_a_budget_of_memory_is_kept_by_every_engine(engine):
    compiled = compiled_of(*philosophers(14))._replace(queries=(Query("live", "live"),))
    options = Options(budget=Budget(None, 1_000_000), engine=engine, reduce=False)
    (found,) = check(Loaded("net", "", (compiled,)), options).models[0].checks
    assert isinstance(found.verdict, Inconclusive)
    assert found.budget == "bytes"


def test_a_diagram_keeps_a_budget_of_memory():
    net, initial = philosophers(12)
    both = And((at_least(net.place("eat0")), at_least(net.place("eat1"))))
    queries = (Query("never", "both", both), Query("deadlock_free", "stuck"))
    loaded = Loaded("net", "", (compiled_of(net, initial)._replace(queries=queries),))
    few = Options(budget=Budget(200, 100_000), engine="symbolic", reduce=False)
    assert [c.outcome for c in check(loaded, few).models[0].checks] == ["inconclusive", "inconclusive"]
    enough = few._replace(budget=Budget(200))
    assert [c.outcome for c in check(loaded, enough).models[0].checks] == ["proved", "violated"]
