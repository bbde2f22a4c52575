"""The README's model, its command, and the counterexample exactly as it is printed; and the change that mends it."""

from __future__ import annotations

import sessions

from conftest import CHECKOUT
from test_docs import follow

README = CHECKOUT / "README.md"


def the_model():
    (section,) = [s for s in sessions.sections(README.read_text(encoding="utf-8")) if s.title == "One model"]
    return section


def test_the_counterexample_is_as_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [b.language for b in the_model().blocks] == ["placet", "console", "diff", "console"]
    written = the_model()._replace(blocks=the_model().blocks[:2])
    follow(README, written, monkeypatch)


def test_the_change_mends_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, _, change, after = the_model().blocks
    (old,) = [line[1:].strip() for line in change.text.splitlines() if line.startswith("-")]
    (new,) = [line[1:].strip() for line in change.text.splitlines() if line.startswith("+")]
    assert model.text.count(old) == 1
    sessions.prepare(model._replace(text=model.text.replace(old, new)))
    follow(README, the_model()._replace(blocks=(after,)), monkeypatch)
    (survives,) = [
        s for s in sessions.sections(README.read_text(encoding="utf-8")) if s.title == "How much does it survive?"
    ]
    follow(README, survives, monkeypatch)
