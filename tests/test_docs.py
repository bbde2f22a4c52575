"""Documents do what they say: commands print what stands below them, examples have no error, links lead somewhere."""

from __future__ import annotations

import os
import re

import pytest
import sessions

from conftest import CHECKOUT
from placet.compile.resolve import resolve
from placet.source import SourceFile
from placet.syntax.parser import parse

TUTORIAL = CHECKOUT / "docs" / "tutorial.md"
PAGES = sorted([*CHECKOUT.glob("docs/*.md"), CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md"])
LANGUAGE = (CHECKOUT / "docs" / "language.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```placet\n(.*?)^```$", LANGUAGE, re.DOTALL | re.MULTILINE)


def printed(command: str, monkeypatch) -> str:
    """What a reader sees, without the line for the exit status that the sessions add."""
    return re.sub(r"^exit \d+\n\Z", "", sessions.run(command, monkeypatch), flags=re.MULTILINE)


def follow(file, section, monkeypatch) -> None:
    """Write the files of a section and compare what its commands print; PLACET_SESSIONS=rewrite writes it anew."""
    for block in section.blocks:
        if block.language != "console":
            sessions.prepare(block)
            continue
        shown = "".join(f"$ {c}\n{printed(c, monkeypatch)}" for c, _ in sessions.commands(block.text))
        if os.environ.get("PLACET_SESSIONS") == "rewrite":
            text = file.read_text(encoding="utf-8")
            fence = f"```console\n{block.text}```"
            at = text.index(fence, text.index(f"## {section.title}\n"))
            file.write_text(f"{text[:at]}```console\n{shown}```{text[at + len(fence) :]}", encoding="utf-8")
        else:
            assert shown == block.text


def test_the_tutorial(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for section in sessions.sections(TUTORIAL.read_text(encoding="utf-8")):
        follow(TUTORIAL, section, monkeypatch)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.strip().split("\n")[0][:40])
def test_the_examples_of_the_language_page_can_be_resolved(example):
    used = set(re.findall(r"\b(?:step|task) \w+ on (\w+)", example))
    services = used - set(re.findall(r"^service (\w+)", example, re.MULTILINE))
    example += "".join(f"\nservice {name}" for name in sorted(services))
    file, problems = parse(SourceFile("docs/language.md", example))
    _, more = resolve(file)
    assert [(d.code, d.message) for d in (*problems, *more) if d.severity == "error"] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.editable
def test_the_start_page_lists_every_page():
    start = (CHECKOUT / "docs" / "README.md").read_text(encoding="utf-8")
    for page in CHECKOUT.glob("docs/*.md"):
        assert page.name == "README.md" or f"]({page.name})" in start, page.name
