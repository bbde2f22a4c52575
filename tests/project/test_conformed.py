"""What is remembered of recorded runs: by model and subject, until the model changes, and whatever stands in the file."""

from __future__ import annotations

import json

import pytest

from placet.project import conformed
from placet.project.configuration import Configuration
from placet.report.report import Conformed


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flows").mkdir()
    path = tmp_path / "flows" / "order.placet"
    path.write_text("workflow order { task t }\n", encoding="utf-8")
    return "flows/order.placet"


def test_a_model_that_nobody_held_against_runs(model):
    assert conformed.load("placet.conformed.json") is None
    assert conformed.last({}, "placet.conformed.json", model, "order") == Conformed()


def test_it_is_remembered_until_the_model_changes(model, tmp_path):
    path = conformed.place(Configuration())
    conformed.record(path, model, "order", (12, 1, 0), "2026-01-31")
    conformed.record(path, model, "other", (1, 0, 0), "2026-02-01")
    records = conformed.load(path)
    assert conformed.last(records, path, model, "order") == Conformed("2026-01-31", 12, 1, 0)
    assert conformed.last(records, path, str(tmp_path / model), "order") == Conformed("2026-01-31", 12, 1, 0)
    assert conformed.last(records, path, model, "other").on == "2026-02-01"
    assert conformed.last(records, path, model, "third") == Conformed()
    file = tmp_path / model
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert not conformed.last(records, path, model, "order").changed
    file.write_text("workflow order { task u }\n", encoding="utf-8")
    assert conformed.last(records, path, model, "order").changed


def test_it_stands_beside_the_configuration(model, tmp_path):
    path = conformed.place(Configuration("flows/placet.toml"))
    conformed.record(path, model, "order", (1, 0, 0), "2026-01-31")
    assert json.loads((tmp_path / "flows" / "placet.conformed.json").read_text())["models"].keys() == {
        "order.placet#order"
    }


@pytest.mark.parametrize("text", [
    "", "[]", "{", '{"schema": "placet.conformed/1"}', '{"schema": "placet.conformed/1", "models": []}', "[" * 100_000,
    '{"schema": "placet.conformed/9", "models": {"flows/order.placet#order": {"on": "x"}}}',
    '{"schema": "placet.conformed/1", "models": {"flows/order.placet#order": 3}}',
    '{"schema": "placet.conformed/1", "models": {"flows/order.placet#order": {"on": 3, "conforms": 1, "violates": 1, "unknown": 1}}}',
    '{"schema": "placet.conformed/1", "models": {"flows/order.placet#order": {"on": "x", "conforms": "1"}}}',
])  # fmt: skip
def test_whatever_stands_in_the_file(model, tmp_path, text):
    (tmp_path / conformed.NAME).write_text(text, encoding="utf-8")
    assert conformed.last(conformed.load(conformed.NAME), conformed.NAME, model, "order") == Conformed()
    conformed.record(conformed.NAME, model, "order", (1, 0, 0), "2026-01-31")
    assert conformed.last(conformed.load(conformed.NAME), conformed.NAME, model, "order").conforms == 1
