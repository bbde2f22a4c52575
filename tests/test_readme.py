"""The README's model, its command, and the counterexample exactly as it is printed; and the change that mends it."""

from __future__ import annotations

import re

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


def test_what_can_be_said_is_shown_where_it_links_to():
    """Each line leads to a heading of the page on the language."""
    text = README.read_text(encoding="utf-8")
    said = text[text.index("## What you can say") : text.index("## Where to go next")]
    rows = [line for line in said.splitlines() if line.startswith("| ") and "---" not in line][1:]
    pages = {}
    for row in rows:
        links = re.findall(r"\]\((docs/language\.md)#([a-z-]+)\)", row)
        assert links, row
        for page, anchor in links:
            headings = pages.setdefault(
                page, re.findall(r"^##+ (.+)$", (CHECKOUT / page).read_text("utf-8"), re.MULTILINE)
            )
            assert anchor in {h.lower().replace(" ", "-") for h in headings}
    assert len(rows) >= 10
