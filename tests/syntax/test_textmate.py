"""The colours of editors follow the grammar."""

from __future__ import annotations

import json
import re

import pytest

from conftest import CHECKOUT
from placet.syntax.lexer import NAME_GROUP, TOKEN
from placet.syntax.tables import WORDS
from placet.syntax.textmate import TARGET, grammar


@pytest.mark.editable
def test_the_file_is_up_to_date():
    assert (CHECKOUT / TARGET).read_text(encoding="utf-8") == grammar()


def test_every_keyword_of_the_shipped_models_is_coloured_and_every_name_is_not():
    """The patterns are those of Oniguruma, of which Python's are a part here."""
    patterns = [
        p for p in json.loads(grammar())["patterns"] if p.get("name", "").startswith("keyword.") and "match" in p
    ]
    words = [re.compile(p["match"]) for p in patterns if "operator" not in p["name"]]
    seen = set()
    for path in (CHECKOUT / "models").rglob("*.placet"):
        for match in TOKEN.finditer(path.read_text(encoding="utf-8")):
            if match.lastindex == NAME_GROUP:
                word = match[NAME_GROUP]
                seen.add(word in WORDS)
                assert any(p.fullmatch(word) for p in words) == (word in WORDS), word
    assert seen == {True, False}
