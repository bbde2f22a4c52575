"""The pages of what stands in the way of a state machine show a model that gives it, and a near one that does not."""

from __future__ import annotations

import re

import pytest
from machines import compiled

from conftest import CHECKOUT
from placet.analysis.coordinator import coordinator
from placet.evidence import Budget
from placet.report.unseen_choices import unseen_choices, without_end

PAGES = sorted((CHECKOUT / "docs" / "explain").glob("P48?.md"))


def codes(text: str) -> set[str]:
    subject = compiled(text)
    found = coordinator(subject, Budget(1000))
    endless = without_end(subject, found)
    return {d.code for d in (*unseen_choices(subject, found), *((endless,) if endless else ()))}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(page) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.match(rf"# {page.stem}: \S", text)
    shows, does_not = re.findall(r"```placet\n(.*?)```", text, re.DOTALL)
    assert page.stem in codes(shows)
    assert page.stem not in codes(does_not)
    assert "## What to do\n" in text


@pytest.mark.editable  # reads the source
def test_every_code_has_a_page() -> None:
    source = (CHECKOUT / "src" / "placet" / "report" / "unseen_choices.py").read_text(encoding="utf-8")
    assert set(re.findall(r'"(P\d{3})"', source)) == {page.stem for page in PAGES}
