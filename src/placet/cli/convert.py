"""`placet convert FILE --to FORMAT`: a model in another format."""

from __future__ import annotations

import sys

import click

from placet.cli.group import debug_option
from placet.cli.subject import load_subject, subject_option, write_out


@debug_option
@click.command()
@click.argument("file", type=click.Path())
@subject_option
@click.option("--to", "form", metavar="FORMAT", default="pnml", show_default=True, help="The format to write.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to this file.")
def command(file: str, subject: str | None, form: str, output: str | None) -> None:
    """Translate a model; what the format cannot carry is said on standard error."""
    from placet.cli.failures import show
    from placet.formats.registry import FORMATS, named

    target = named(form)
    if target is None or not target.writes:
        known = ", ".join(f.name for f in FORMATS if f.writes)
        raise click.BadParameter(f"`{form}` is no format that can be written; there is {known}", param_hint="--to")
    compiled = load_subject(file, subject)
    text = target.write(compiled)
    show(target.losses(compiled))
    sys.stderr.flush()
    write_out(text, output)
