"""`placet annotate FILE`: a first sidecar of an imported definition."""

from __future__ import annotations

import os

import click

from placet.cli import exit_codes
from placet.cli.group import debug_option
from placet.cli.subject import write_out


@debug_option
@click.command()
@click.argument("file", type=click.Path())
@click.option("--subject", metavar="NAME", help="Which machine of the file; else all.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to this file, which must not exist yet.")
def command(file: str, subject: str | None, output: str | None) -> int:
    """Draft what a definition of AWS Step Functions does not say of itself, for you to read and correct.

    Services come from the resources of its tasks; which task undoes which is guessed from names and from where a `Catch` leads, and each
    guess is marked as one. The draft can be verified as it is.
    """
    from placet.errors import ModelError
    from placet.formats.registry import find
    from placet.project.reading import read
    from placet.sidecar.draft import draft
    from placet.sidecar.opening import refused

    source, problems = read(file)
    if source is None:
        raise ModelError(problems)
    form = find(source)
    if not isinstance(form, tuple) or getattr(form, "name", "") != "asl":
        raise click.UsageError(f"only definitions of AWS Step Functions can be annotated, and `{file}` is none")
    if output is not None and os.path.lexists(output):
        raise click.BadParameter(f"`{output}` is there already and is not overwritten", param_hint="--output")
    folder = os.path.dirname(output) if output else os.path.dirname(file)  # noqa: PTH120
    path = os.path.relpath(file, folder or ".").replace(os.sep, "/")
    if output is not None and refused(output, path):
        why = f"a sidecar there could not name `{file}`, which is in no folder of its project; write it beside the definition"
        raise click.BadParameter(why, param_hint="--output")
    made, found = draft(source, path, subject or "")
    if made is None:
        if any(d.severity == "error" for d in found):
            raise ModelError(found)
        raise click.UsageError(
            f"there is no machine `{subject}` in `{file}`" if subject else f"`{file}` has no machine"
        )
    write_out(made.text, output)
    if output is not None:
        click.echo(
            f"{output}: {made.proposed} of its lines are guesses; read it, then `placet verify {output}`", err=True
        )
    return exit_codes.PROVED
