"""What people and machines see, for every kind of witness and every output."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from report_cases import CASES
from report_samples import case_report, mixed_report

from placet.report.registry import FORMATS, render
from placet.report.style import Style

SUFFIX = {"json": "json", "junit": "xml"}


@pytest.fixture
def snapshot():
    """Holds a text against the file of that name; PLACET_SNAPSHOTS=write writes it anew."""

    def compare(name: str, text: str) -> None:
        file = Path(__file__).parent / "snapshots" / name
        if os.environ.get("PLACET_SNAPSHOTS") == "write":
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        assert file.is_file(), f"no snapshot {name}: run with PLACET_SNAPSHOTS=write and read it"
        assert text == file.read_text(encoding="utf-8")

    return compare


@pytest.mark.parametrize("name", CASES)
def test_story(name, snapshot):
    snapshot(f"story-{name}.txt", render(case_report(name)))


@pytest.mark.parametrize("name", CASES)
def test_no_word_of_the_field_reaches_the_reader(name):
    text = render(case_report(name), "text", Style(verbose=1)).lower()
    text = text.replace("transition", "", 1) if " transitions)" in text else text  # the size, shown on demand
    for word in ("token", "marking", "transition ", "marked", "fires", "p0", "t0"):
        assert word not in text


@pytest.mark.parametrize("form", FORMATS)
def test_every_output(form, snapshot):
    snapshot(f"mixed.{form}.{SUFFIX.get(form, 'txt')}", render(mixed_report(), form))


def test_verbose(snapshot):
    snapshot("mixed.verbose.txt", render(mixed_report(), "text", Style(verbose=1)))


def test_narrow_is_a_plain_list(snapshot):
    snapshot("narrow.txt", render(case_report("late_request"), "text", Style(width=50)))


@pytest.mark.parametrize("width", [40, 60, 72, 80, 100, 140])
@pytest.mark.parametrize("name", CASES)
def test_fits(name, width):
    for line in render(case_report(name), "text", Style(width)).splitlines()[:-1]:
        assert len(line) <= width or " " not in line.strip(), line


def test_colour_adds_only_escapes():
    import re

    plain = render(mixed_report())
    coloured = render(mixed_report(), "text", Style(colour=True))
    assert "\x1b" not in plain
    assert coloured != plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
