"""When a definition was last held against recorded runs is said of its sidecar, whichever of the two was held."""

from __future__ import annotations

import json

import pytest

from placet.cli.__main__ import main

MACHINE = {"StartAt": "Pack", "States": {"Pack": {"Type": "Pass", "End": True}}}
RUN = [
    {"id": 1, "previousEventId": 0, "type": "ExecutionStarted"},
    {"id": 2, "previousEventId": 0, "type": "PassStateEntered", "stateEnteredEventDetails": {"name": "Pack"}},
    {"id": 3, "previousEventId": 2, "type": "PassStateExited", "stateExitedEventDetails": {"name": "Pack"}},
    {"id": 4, "previousEventId": 3, "type": "ExecutionSucceeded"},
]


@pytest.mark.parametrize("held", ["order.asl.json", "order.placet"])
def test_the_last_time(held, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "order.asl.json").write_text(json.dumps(MACHINE), encoding="utf-8")
    (tmp_path / "order.placet").write_text('annotate "order.asl.json" { check sound() }', encoding="utf-8")
    (tmp_path / "run.json").write_text(json.dumps({"events": RUN}), encoding="utf-8")
    assert main(["conform", held, "run.json", "--record", "-q"]) == 0
    main(["verify", "order.placet"])
    told = capsys.readouterr().out
    assert "last conformed: 2" in told
    assert "changed" not in told
    (tmp_path / "order.asl.json").write_text(json.dumps(MACHINE, indent=1), encoding="utf-8")
    main(["verify", "order.placet"])
    assert "changed" in capsys.readouterr().out
