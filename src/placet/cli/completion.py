"""`placet completion SHELL`: the script that completes commands, options and files."""

from __future__ import annotations

import click

from placet.cli.group import debug_option, group


@debug_option
@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash:  eval "$(placet completion bash)"    in ~/.bashrc
    zsh:   eval "$(placet completion zsh)"     in ~/.zshrc
    fish:  placet completion fish > ~/.config/fish/completions/placet.fish
    """  # noqa: D301 - click needs the character itself
    from click.shell_completion import get_completion_class

    complete = get_completion_class(shell)
    assert complete is not None
    click.echo(complete(group, {}, "placet", "_PLACET_COMPLETE").source(), nl=False)
