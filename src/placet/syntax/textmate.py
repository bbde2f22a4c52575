"""The TextMate grammar of the language, made from the tables of the parser: `python -m placet.syntax.textmate`.

Editors colour by it: Visual Studio Code, Sublime Text, JetBrains, GitHub. A keyword is coloured wherever it stands as a word, also
where the parser reads it as a name; only the language server knows better.
"""

from __future__ import annotations

import json
from pathlib import Path

from placet.syntax.tables import STARTS, TERMINALS, WORDS

TARGET = Path("editors") / "placet.tmLanguage.json"  # in the checkout


def grammar() -> str:
    """The file as it must be."""
    declaring = {TERMINALS[kind] for kind in STARTS["item"]}
    words = {word: TERMINALS[kind] for word, kind in WORDS.items()}
    items = sorted(word for word, name in words.items() if name in declaring)
    others = sorted(set(words) - set(items))
    document = {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "placet",
        "scopeName": "source.placet",
        "fileTypes": ["placet"],
        "patterns": [
            {"name": "comment.line.number-sign.placet", "match": "#.*$"},
            {"name": "string.quoted.double.placet", "begin": '"', "end": '"|$', "patterns": [_ESCAPE]},
            {
                "match": rf"(?<![\w.-])({'|'.join(items)})\s+([^\W\d]\w*(?:[.-]\w+)*)",
                "captures": {"1": {"name": "keyword.declaration.placet"}, "2": {"name": "entity.name.type.placet"}},
            },
            {"name": "keyword.declaration.placet", "match": _one_of(items)},
            {"name": "keyword.control.placet", "match": _one_of(others)},
            {
                "name": "constant.numeric.placet",
                "match": r"(?<!\w)(?<![^.]\.)[0-9]+(?:\.[0-9]+)?(?:ms|s|min|m|h|d|w)?(?!\w|\.(?!\.))",
            },
            {"name": "keyword.operator.placet", "match": r"-->|--|->|[<>=!]=|[<>=+*/%]"},
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


_ESCAPE = {"name": "constant.character.escape.placet", "match": r"\\."}


def _one_of(words: list[str]) -> str:
    return rf"(?<![\w.-])({'|'.join(words)})(?![\w.-])"


if __name__ == "__main__":
    from placet.data_files import data_folder

    (data_folder("grammars").parent / TARGET).write_text(grammar(), encoding="utf-8")
