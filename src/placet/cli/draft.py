"""`placet draft HISTORY...`: a first model from recorded runs."""

from __future__ import annotations

import click

from placet.cli import exit_codes
from placet.cli.group import debug_option
from placet.cli.subject import write_out


@debug_option
@click.command()
@click.argument("logs", nargs=-1, required=True, metavar="HISTORY...", type=click.Path())
@click.option("--name", default="", help="What to call it; the type of the workflow, or the file, if nothing is said.")
@click.option("--output", type=click.Path(dir_okay=False), help="Write the model to this file.")
def command(logs: tuple[str, ...], name: str, output: str | None) -> int:
    """Propose a model of recorded runs: Step Functions histories, Temporal histories, runs of your own.

    The proposal is a text to read and mend: it says what these runs did, not what may happen. How many of them conform to it
    is said on standard error.
    """
    from placet.cli.failures import show
    from placet.conform.logs import read
    from placet.conform.propose import propose
    from placet.report.words import counted

    found = [read(log) for log in logs]
    problems = [d for log in found for d in log.diagnostics]
    show(problems)
    if any(d.severity == "error" for d in problems):
        return exit_codes.UNUSABLE
    cases = [case for log in found for case in log.cases]
    proposal = propose(cases, name)
    if proposal is None:
        raise click.UsageError("no run in these logs has done anything and come to its end")
    head = f"# Proposed by `placet draft` from {counted(len(cases), 'recorded run')}: what they did, not all that may happen.\n\n"
    write_out(head + proposal.text, output)
    told = f"{proposal.fitting} of {counted(len(cases), 'run')} conform to it"
    click.echo(
        told + ("" if proposal.fitting == len(cases) else "; `placet conform` says where the others differ"), err=True
    )
    return exit_codes.PROVED
