"""`placet explain CODE-OR-CHECK`: the page of a diagnostic or a check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from placet.cli.group import debug_option

if TYPE_CHECKING:
    from pathlib import Path


@debug_option
@click.command()
@click.argument("what", required=False, metavar="CODE-OR-CHECK", shell_complete=lambda *a: _completed(a[-1]))
def command(what: str | None) -> None:
    """What a diagnostic code or a check means, why it matters, an example, and what to do.

    Without an argument: the list of all codes and checks.
    """
    pages = _pages()
    if what is None:
        width = max(map(len, pages), default=0)
        for name, page in pages.items():
            click.echo(f"{name:{width}}  {_title(page, name)}")
        return
    by_fold = {name.casefold(): page for name, page in pages.items()}
    wanted = what.casefold().replace("-", "_")
    if wanted not in by_fold:
        from difflib import get_close_matches

        near = get_close_matches(what.casefold(), by_fold, 1)
        hint = f"did you mean `{by_fold[near[0]].stem}`?" if near else "`placet explain` lists all"
        raise click.BadParameter(f"there is no check and no code `{what}`; {hint}", param_hint="CODE-OR-CHECK")
    click.echo(by_fold[wanted].read_text(encoding="utf-8").rstrip())


def _pages() -> dict[str, Path]:
    """The pages by name: codes first, then checks."""
    from placet.data_files import data_folder

    found = {page.stem: page for page in data_folder("explain").glob("*.md")}
    return dict(sorted(found.items(), key=lambda item: (not _is_code(item[0]), item[0])))


def _is_code(name: str) -> bool:
    return name[:1] == "P" and name[1:].isdigit()


def _title(page: Path, name: str) -> str:
    with page.open(encoding="utf-8") as file:
        return file.readline().lstrip("# ").strip().removeprefix(name).lstrip(": ")


def _completed(start: object) -> list[str]:
    return [name for name in _pages() if name.casefold().startswith(str(start).casefold())]
