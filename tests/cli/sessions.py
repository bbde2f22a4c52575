"""Command-line sessions written as Markdown: each `##` section is a test of its own, in an empty folder.

    ```placet order.placet      a file of that name (any language tag; an escape such as \\x00 in a `bytes` block)
    ```python                   code that prepares the folder
    ```console                  `$ placet ...` and all that it prints; `...` on a line stands for any lines,
                                `[..]` within a line for any text, `exit 1` at the end for an exit status but 0;
                                `< FILE` gives standard input, `NAME=VALUE` before the command sets the environment

A block that shows fences has longer ones itself. `PLACET_SESSIONS=rewrite pytest tests/cli` writes what is printed now into the blocks that differ: read the change.
"""

from __future__ import annotations

import codecs
import io
import re
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

BLOCK = re.compile(r"^(`{3,})(\w+)(?: ([^\n]+))?\n(.*?)^\1$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    language: str
    name: str
    text: str


class Section(NamedTuple):
    title: str
    blocks: tuple[Block, ...]


def sections(text: str) -> list[Section]:
    found = []
    fenced = [m.span() for m in BLOCK.finditer(text)]
    heads = [m for m in re.finditer(r"^## (.*)$", text, re.MULTILINE) if not any(a <= m.start() < b for a, b in fenced)]
    for head, after in zip(heads, [*(h.start() for h in heads[1:]), len(text)], strict=True):
        blocks = tuple(Block(m[2], m[3] or "", m[4]) for m in BLOCK.finditer(text, head.end(), after))
        found.append(Section(head[1].strip(), blocks))
    return found


def prepare(block: Block) -> None:
    """Write the file of a block below the working folder, or run its code there."""
    if block.name:
        Path(block.name).parent.mkdir(parents=True, exist_ok=True)
        raw = block.text.encode()
        Path(block.name).write_bytes(codecs.escape_decode(raw.rstrip(b"\n"))[0] if block.language == "bytes" else raw)
    elif block.language == "python":
        exec(block.text, {})


def run(command: str, monkeypatch) -> str:
    """What a command prints, with its exit status as last line where that is not 0."""
    from placet.cli.__main__ import main

    words = shlex.split(command)
    while re.fullmatch(r"[A-Z_]+=.*", words[0]):
        monkeypatch.setenv(*words.pop(0).split("=", 1))
    assert words.pop(0) == "placet", command
    given = ""
    if "<" in words:
        at = words.index("<")
        given = Path(words[at + 1]).read_text(encoding="utf-8")
        del words[at : at + 2]
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdin", io.StringIO(given))
    with redirect_stdout(out), redirect_stderr(out):
        status = main(words)
    text = out.getvalue()
    if text and not text.endswith("\n"):
        text += "\n"
    return text + (f"exit {status}\n" if status else "")


def commands(console: str) -> list[tuple[str, str]]:
    """The commands of a block, each with what it shall print."""
    parts = re.split(r"^\$ ", console, flags=re.MULTILINE)
    assert not parts[0].strip(), f"a console block begins with `$ `: {parts[0]!r}"
    pairs = [part.partition("\n") for part in parts[1:]]
    return [(command, expected) for command, _, expected in pairs]


def agree(printed: str, expected: str) -> bool:
    pattern = ""
    for line in expected.splitlines():
        if line == "...":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += ".*".join(re.escape(part) for part in line.split("[..]")) + r"\n"
    return re.fullmatch(pattern, printed) is not None


def rewritten(console: str, monkeypatch) -> str:
    """The block with what its commands print now, where that differs."""
    lines = []
    for command, expected in commands(console):
        printed = run(command, monkeypatch)
        lines.append(f"$ {command}\n{expected if agree(printed, expected) else printed}")
    return "".join(lines)
