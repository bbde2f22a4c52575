from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))


@pytest.fixture
def snapshot():
    """Holds a text against the file of that name; PLACET_SNAPSHOTS=write writes it anew."""

    def compare(name: str, text: str) -> None:
        file = HERE / "snapshots" / name
        if os.environ.get("PLACET_SNAPSHOTS") == "write":
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        assert file.is_file(), f"no snapshot {name}: run with PLACET_SNAPSHOTS=write and read it"
        assert text == file.read_text(encoding="utf-8")

    return compare
