"""`placet init [FOLDER]`: the start of a project."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from placet.cli import exit_codes
from placet.cli.group import debug_option

if TYPE_CHECKING:
    from placet.sidecar.start import Plan


@debug_option
@click.command()
@click.argument("folder", type=click.Path(), default=".")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
def command(folder: str, *, dry_run: bool) -> int:
    """Find the definitions of a repository; write a sidecar beside each, a configuration, and the job that verifies changes.

    A folder without definitions and models gets a first model. Nothing that is there is overwritten, so it can be run again when there are
    new definitions.
    """
    from placet.cli.failures import show
    from placet.sidecar.start import plan, write

    if not os.path.isdir(folder):  # noqa: PTH112
        raise click.BadParameter(f"there is no folder `{folder}`", param_hint="FOLDER")
    made = plan(folder)
    failed = [] if dry_run else write(made)
    for line in _told(made, {path for path, _ in failed}, dry_run=dry_run):
        click.echo(line)
    for path, why in failed:
        click.echo(f"error: `{path}` cannot be written: {why}", err=True)
    if made.problems:
        show(made.problems)
    return exit_codes.UNUSABLE if failed else exit_codes.PROVED


def _told(made: Plan, failed: set[str], *, dry_run: bool) -> list[str]:
    from placet.report.words import counted

    lines = [
        f"found {counted(made.definitions, 'definition')} of AWS Step Functions and {counted(made.models, 'model')}"
    ]
    word = "would write" if dry_run else "wrote"
    lines += [f"  {word:<11} {path}  ({what})" for path, _, what in made.files if path not in failed]
    lines += [f"  {'kept':<11} {path}  ({what})" for path, what in made.kept]
    sidecars = [path for path, _, what in made.files if what.startswith("the sidecar")]
    steps = []
    if sidecars:
        steps.append(
            f"read {sidecars[0] if len(sidecars) == 1 else 'the sidecars'}: what is marked `proposed` is a guess"
        )
        steps.append("say of each service what it promises: `idempotent`, `null_safe`, `rejects_after_cancel`")
    steps.append("run `placet verify .`, and read what is violated")
    steps.append('live with a finding for a while by `waive CODE "why" until DAY` in its sidecar')
    return [*lines, "next:", *(f"  {n}. {step}" for n, step in enumerate(steps, start=1))]
