"""`placet draw FILE`: the net as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from placet.cli.group import debug_option
from placet.cli.subject import load_subject, subject_option, write_bytes, write_out

if TYPE_CHECKING:
    from typing import Literal

_BY_SUFFIX = {
    ".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid", ".md": "mermaid", ".png": "png", ".pdf": "pdf"
}  # fmt: skip
_PRINTED = ("png", "pdf")  # only Graphviz makes these


@debug_option
@click.command()
@click.argument("file", type=click.Path())
@subject_option
@click.option(
    "--detail",
    type=click.Choice(["steps", "net"]),
    help="What was written, or every place and transition; steps for workflows and sagas, net for nets.",
)
@click.option(
    "--to",
    "form",
    type=click.Choice(["dot", "mermaid", "svg", "png", "pdf"]),
    help="The format; else by --output, or dot. PNG and PDF need Graphviz.",
)
@click.option(
    "--engine",
    type=click.Choice(["placet", "dot"]),
    help="Who lays out an SVG: placet, or the `dot` command of Graphviz.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to this file.")
def command(
    file: str,
    subject: str | None,
    detail: Literal["steps", "net"] | None,
    form: str | None,
    engine: str | None,
    output: str | None,
) -> None:
    """Draw a model as DOT, Mermaid or SVG, or as PNG or PDF where Graphviz is installed."""
    from importlib import import_module

    from placet.draw.from_net import from_net

    chosen = form or _by_suffix(output or "", "svg" if engine == "dot" else "dot")
    if engine == "dot" and chosen in ("dot", "mermaid"):
        raise click.BadParameter(f"there is nothing to lay out in {chosen}", param_hint="--engine")
    if engine == "placet" and chosen in _PRINTED:
        raise click.BadParameter(f"placet itself draws no {chosen.upper()}", param_hint="--engine")
    compiled = load_subject(file, subject)
    drawing = from_net(compiled, detail=detail or ("net" if compiled.kind in ("net", "machine") else "steps"))
    if engine == "dot" or chosen in _PRINTED:
        from placet.draw.dot import render

        write_bytes(render(drawing, chosen), output)
        return
    text: str = getattr(import_module(f"placet.draw.{chosen}"), chosen)(drawing)
    write_out(text if text.endswith("\n") else text + "\n", output)


def _by_suffix(output: str, otherwise: str) -> str:
    return next((form for suffix, form in _BY_SUFFIX.items() if output.lower().endswith(suffix)), otherwise)
