from __future__ import annotations

import os
from pathlib import Path

import pytest
import sessions

HERE = Path(__file__).resolve().parent
CASES = [
    pytest.param(file, section, id=f"{file.stem}: {section.title}")
    for file in sorted(HERE.glob("*.md"))
    for section in sessions.sections(file.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("file", "section"), CASES)
def test_session(file, section, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert any(b.language == "console" for b in section.blocks), "a section shows at least one command"
    for block in section.blocks:
        if block.language != "console":
            sessions.prepare(block)
        elif os.environ.get("PLACET_SESSIONS") == "rewrite":
            text = file.read_text(encoding="utf-8")
            assert text.count(block.text) == 1, "the same block twice in a file cannot be rewritten"
            file.write_text(text.replace(block.text, sessions.rewritten(block.text, monkeypatch)), encoding="utf-8")
        else:
            for command, expected in sessions.commands(block.text):
                printed = sessions.run(command, monkeypatch)
                if not sessions.agree(printed, expected):
                    assert f"$ {command}\n{printed}" == f"$ {command}\n{expected}"


def test_every_command_and_every_exit_status_occurs():
    from placet.cli.commands import COMMANDS

    texts = [b.text for case in CASES for b in case.values[1].blocks if b.language == "console"]
    shown = [pair for text in texts for pair in sessions.commands(text)]
    for name in COMMANDS:
        assert any(command.split()[1:2] == [name] for command, _ in shown), f"no session calls `placet {name}`"
    endings = {expected.rstrip("\n").rsplit("\n", 1)[-1] for _, expected in shown}
    for status in (1, 2, 3):
        assert f"exit {status}" in endings


def test_titles_are_unique():
    names = [case.id for case in CASES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("printed", "expected", "agrees"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\n", False),
        ("a\nb\nc\n", "a\n...\nc\n", True),
        ("a\nc\n", "a\n...\nc\n", True),
        ("a\nb\nd\n", "a\n...\nc\n", False),
        ("took 3 s\n", "took [..] s\n", True),
        ("took 3\n4 s\n", "took [..] s\n", False),
        ("a.b\n", "axb\n", False),
        ("", "", True),
        ("exit 1\n", "", False),
    ],
)
def test_the_comparison(printed, expected, agrees):
    assert sessions.agree(printed, expected) == agrees
