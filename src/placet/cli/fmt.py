"""`placet fmt PATH...`: the one layout of files in the language."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from placet.cli import exit_codes
from placet.cli.group import debug_option

if TYPE_CHECKING:
    from placet.diagnostics import Diagnostic


@debug_option
@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path())
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 where a file is not formatted.")
def command(paths: tuple[str, ...], *, only_check: bool) -> int:
    """Lay out models in the language: one style, comments where they were, the meaning untouched.

    Folders are searched for `.placet` files. A file with errors is told and left alone.
    """
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
            changed += _file(path, broken, only_check=only_check)
    show(broken)
    if broken:
        return exit_codes.UNUSABLE
    return exit_codes.VIOLATED if changed and only_check else exit_codes.PROVED


def _file(path: str, broken: list[Diagnostic], *, only_check: bool) -> bool:
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
