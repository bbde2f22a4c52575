"""`placet conform MODEL LOG...`: recorded runs held against a model."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from placet.cli.group import debug_option
from placet.cli.subject import load_subject_of, subject_option, write_out
from placet.cli.terminal import style

if TYPE_CHECKING:
    from placet.conform.conform import Conformance


@debug_option
@click.command()
@click.argument("model", type=click.Path())
@click.argument("logs", nargs=-1, required=True, metavar="LOG...", type=click.Path())
@subject_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@click.option("--output", type=click.Path(dir_okay=False), help="Write the report to this file.")
@click.option("--budget-states", type=click.IntRange(1), metavar="N", help="Markings to look at for each run.")
@click.option("--record", is_flag=True, help="Remember this for `placet verify`, in placet.conformed.json.")
@click.option("-v", "--verbose", count=True, help="List the runs that conform too, however many.")
@click.option("-q", "--quiet", is_flag=True, help="Print the last line only.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour the text.")
def command(
    model: str,
    logs: tuple[str, ...],
    subject: str | None,
    form: str,
    output: str | None,
    budget_states: int | None,
    record: bool,  # noqa: FBT001 - click gives it by name
    verbose: int,
    quiet: bool,  # noqa: FBT001 - click gives it by name
    color: str,
) -> int:
    """Hold recorded runs against a model: Step Functions histories, Temporal histories, runs of your own.

    Each run conforms, violates the model at an event (with what the model would have allowed there), or is unknown.

    \b
    Exit status
      0  all conform
      1  one violates the model
      2  usage, an unreadable or broken model or log
      3  none violates, one is unknown
    """  # noqa: D301 - click needs the character itself
    from placet.conform.conform import conform
    from placet.conform.logs import read
    from placet.conform.replay import MOST_MARKINGS
    from placet.project.conformed import subject_file

    loaded, compiled = load_subject_of(model, subject)
    found = conform(loaded, compiled, [read(log) for log in logs], budget_states or MOST_MARKINGS)
    if record and found.held:
        _record(subject_file(compiled, model), found)
    if form == "json":
        from placet.conform.document import render

        write_out(render(found), output)
        return found.exit_status
    from placet.cli.failures import show
    from placet.conform.told import last_line, lines

    show(found.diagnostics)
    look = style(sys.stdout, "never" if output and color == "auto" else color, verbose)
    told = [] if quiet else list(lines(found, look))
    write_out("\n".join([*told, *([""] if told else []), last_line(found, look)]) + "\n", output)
    return found.exit_status


def _record(model: str, found: Conformance) -> None:
    """Remember the day and the counts beside the configuration."""
    from datetime import UTC, datetime

    from placet.project import conformed
    from placet.project.configuration import load

    configuration, problems = load()
    if problems:
        from placet.errors import ModelError

        raise ModelError(problems)
    counts = (found.count("conforms"), found.count("violates"), found.count("unknown"))
    conformed.record(conformed.place(configuration), model, found.subject, counts, datetime.now(UTC).date().isoformat())
