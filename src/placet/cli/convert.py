"""`placet convert FILE --to FORMAT`: a model in another format."""

from __future__ import annotations

import sys

import click

from placet.cli.group import debug_option
from placet.cli.subject import load_subject_of, subject_option, write_out


@debug_option
@click.command()
@click.argument("file", type=click.Path())
@subject_option
@click.option("--to", "form", metavar="FORMAT", default="pnml", show_default=True, help="The format to write.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to this file.")
def command(file: str, subject: str | None, form: str, output: str | None) -> None:
    """Translate a model; what the format cannot carry is said on standard error."""
    from placet.cli.failures import show
    from placet.errors import ModelError
    from placet.formats.registry import FORMATS, named

    target = named(form)
    if target is None or not (target.writes or target.converter):
        known = ", ".join(f.name for f in FORMATS if f.writes or f.converter)
        raise click.BadParameter(f"`{form}` is no format that can be written; there is {known}", param_hint="--to")
    loaded, compiled = load_subject_of(file, subject)
    if target.converter:
        from placet.project.reading import read

        source, notes = read(file)
        text = ""
        if source is not None:
            text, notes = target.convert(source, loaded.format, compiled.subject)
        if any(note.severity == "error" for note in notes):
            raise ModelError(notes)
    else:
        text, notes = target.write(compiled), target.losses(compiled)
    show(notes)
    sys.stderr.flush()
    write_out(text, output)
