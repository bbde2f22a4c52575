#!/usr/bin/env python3
"""Writes the table of the shipped models into README.md, between its two markers. `--check` only compares (exit 1)."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- models -->\n", "<!-- /models -->"


def table(models: Path) -> str:
    """A row for each folder with an expected.toml, by name."""
    rows = ["| model | shows | its broken twins are rejected because of |", "|---|---|---|"]
    for file in sorted(models.glob("*/expected.toml")):
        expected = tomllib.loads(file.read_text(encoding="utf-8"))
        twins = [case["why"] for case in expected["case"] if "why" in case]
        rows.append(f"| [{file.parent.name}](models/{file.parent.name}) | {expected['title']} | {'; '.join(twins)} |")
    return "\n".join(rows) + "\n"


def rewritten(readme: str, models: Path) -> str:
    """The README with the table of today."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        sys.exit("README.md has no markers for the table of models")
    return before + begin + "\n" + table(models) + "\n" + end + after


def main() -> int:
    """Rewrite, or compare."""
    readme = CHECKOUT / "README.md"
    old = readme.read_text(encoding="utf-8")
    new = rewritten(old, CHECKOUT / "models")
    if "--check" in sys.argv[1:]:
        return int(old != new)
    readme.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
