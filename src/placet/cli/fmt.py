"""`placet fmt PATH...`: the one layout of files in the language; `-` is standard input."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from placet.cli import exit_codes
from placet.cli.group import debug_option

if TYPE_CHECKING:
    from placet.diagnostics import Diagnostic
    from placet.source import SourceFile


@debug_option
@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path())
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 where a file is not formatted.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change; exit 1 where something would.")
def command(paths: tuple[str, ...], *, only_check: bool, diff: bool) -> int:
    """Lay out models in the language: one style, comments where they were, the meaning untouched.

    Folders are searched for `.placet` files. A file with errors is told and left alone. `-` formats standard input to
    standard output.
    """
    if paths == ("-",):
        return _stream(only_check=only_check, diff=diff)
    from placet.cli.failures import show
    from placet.project.configuration import load
    from placet.project.discovery import discover

    configuration, problems = load()
    if problems:
        show(problems)
        return exit_codes.UNUSABLE
    found = discover(paths, configuration.exclusion)
    broken: list[Diagnostic] = list(found.diagnostics)
    changed = 0
    for path in found.files:
        if path.endswith(".placet"):
            changed += _file(path, broken, only_check=only_check, diff=diff)
    show(broken)
    if broken:
        return exit_codes.UNUSABLE
    return exit_codes.VIOLATED if changed and (only_check or diff) else exit_codes.PROVED


def _stream(*, only_check: bool, diff: bool) -> int:
    """Standard input to standard output, as editors and hooks want it."""
    import sys

    from placet.cli.failures import show
    from placet.project.reading import MOST_BYTES, decoded
    from placet.syntax.formatter import format_source

    source, problems = decoded("-", sys.stdin.buffer.read(MOST_BYTES + 1))
    if source is None:
        show(problems)
        return exit_codes.UNUSABLE
    text, found = format_source(source)
    if text is None:
        show([d for d in found if d.severity == "error"])
        return exit_codes.UNUSABLE
    if diff:
        click.echo(_difference(source, text), nl=False)
    elif not only_check:
        click.echo(text, nl=False)
    return exit_codes.VIOLATED if text != source.text and (only_check or diff) else exit_codes.PROVED


def _difference(source: SourceFile, text: str) -> str:
    """What would change, as `patch` reads it."""
    from difflib import unified_diff

    lines = unified_diff(
        source.text.splitlines(keepends=True), text.splitlines(keepends=True), source.path, f"{source.path} (formatted)"
    )
    return "".join(x if x.endswith("\n") else f"{x}\n\\ No newline at end of file\n" for x in lines)


def _file(path: str, broken: list[Diagnostic], *, only_check: bool, diff: bool) -> bool:
    """Format one file; whether it was not formatted."""
    from placet.project.reading import read
    from placet.syntax.formatter import format_source

    source, problems = read(path)
    if source is None:
        broken.extend(problems)
        return False
    text, found = format_source(source)
    if text is None:
        broken.extend(d for d in found if d.severity == "error")
        return False
    if text == source.text:
        return False
    if diff:
        click.echo(_difference(source, text), nl=False)
        return True
    click.echo(f"{'would format' if only_check else 'formatted'} {path}")
    if not only_check:
        _replace(path, text)
    return True


def _replace(path: str, text: str) -> None:
    """Write a file in one go: a reader sees the old text or the new one."""
    beside = f"{path}.{os.getpid()}.tmp"
    try:
        with open(beside, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123
            file.write(text)
        os.chmod(beside, os.stat(path).st_mode)  # noqa: PTH101, PTH116
        os.replace(beside, path)  # noqa: PTH105
    finally:
        if os.path.exists(beside):  # noqa: PTH110
            os.unlink(beside)  # noqa: PTH108
