"""Every check has a page; what it shows is violated by that check alone, and what it shows beside it is proved."""

from __future__ import annotations

import re

import pytest

from conftest import CHECKOUT
from placet.analysis.check import CHECKS
from placet.pipeline import verify

PAGES = CHECKOUT / "docs" / "explain"


@pytest.mark.parametrize("identifier", sorted(CHECKS))
def test_page(identifier):
    text = (PAGES / f"{identifier}.md").read_text(encoding="utf-8")
    assert re.match(rf"# {identifier}: [a-z]", text)
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Shows it", "Does not", "What to do instead", "Reference"]
    shows, does_not = re.findall(r"```placet\n(.*?)```", text, re.DOTALL)
    for source, outcome in ((shows, "violated"), (does_not, "proved")):
        checks = [c for model in verify(source).models for c in model.checks]
        assert [(c.id, c.outcome) for c in checks] == [(identifier, outcome)]
