"""`placet lsp`: the language server, for editors."""

from __future__ import annotations

import click

from placet.cli.group import debug_option


@debug_option
@click.command()
@click.option("--stdio", is_flag=True, help="Speak over standard input and output; it always does.")
def command(*, stdio: bool) -> None:  # noqa: ARG001 - editors say it
    """Serve an editor: diagnostics, hover, definitions, rename, completion, formatting, and a lens that verifies.

    Speaks the Language Server Protocol over standard input and output. Needs the extra `lsp`.
    """
    from importlib.util import find_spec

    if find_spec("pygls") is None:
        raise click.ClickException("the language server needs pygls: `pip install 'placet[lsp]'`")
    from placet.lsp.server import start

    start()
