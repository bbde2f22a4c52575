"""`placet draw FILE`: the net as a picture."""

from __future__ import annotations

import click

from placet.cli.group import debug_option
from placet.cli.subject import load_subject, subject_option, write_out


@debug_option
@click.command()
@click.argument("file", type=click.Path())
@subject_option
@click.option(
    "--to", "form", type=click.Choice(["dot", "mermaid", "svg"]), help="The format; else by --output, or dot."
)
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to this file.")
def command(file: str, subject: str | None, form: str | None, output: str | None) -> None:
    """Draw the net of a model as DOT, Mermaid or SVG."""
    from importlib import import_module

    from placet.draw.from_net import from_net

    compiled = load_subject(file, subject)
    chosen = form or _by_suffix(output or "")
    drawing = from_net(compiled, compiled.initial)
    text: str = getattr(import_module(f"placet.draw.{chosen}"), chosen)(drawing)
    write_out(text if text.endswith("\n") else text + "\n", output)


def _by_suffix(output: str) -> str:
    known = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid", ".md": "mermaid"}
    return next((form for suffix, form in known.items() if output.lower().endswith(suffix)), "dot")
