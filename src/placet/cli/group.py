"""The command group: loads a command when it is called, and says which was meant when there is none of that name."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click

from placet.cli import exit_codes
from placet.cli.commands import COMMANDS, overview, version

if TYPE_CHECKING:
    from collections.abc import Sequence

_DEBUG = "placet.debug"


class Lazy(click.Group):
    """The commands of the table, each in the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, loaded now."""
        if cmd_name not in COMMANDS:
            return None
        found = import_module(f"placet.cli.{cmd_name}").command
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but with a hint for a misspelt name."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, 1)
            if not near and os.path.exists(name):  # noqa: PTH110
                near = [f"verify {name}"]
            ctx.fail(f"there is no command `{name}`" + (f"; did you mean `placet {near[0]}`?" if near else ""))
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        """The page that is also printed without click."""
        return overview().rstrip("\n")


def debug_option(command: click.Command) -> click.Command:
    """`--debug` as an option of a command, as well as before it."""
    words = "Show the traceback of a fault in placet."
    option = click.Option(["--debug"], is_flag=True, expose_value=False, callback=_debugging, help=words)
    command.params.append(option)
    return command


def debugging() -> bool:
    """Whether `--debug` was given, before or behind the command."""
    return bool(click.get_current_context().meta.get(_DEBUG))


def _debugging(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value:
        ctx.meta[_DEBUG] = True


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value:
        click.echo(version())
        ctx.exit()


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version)
@click.option("--debug", is_flag=True, expose_value=False, callback=_debugging)
def group() -> None:
    """Proves or refutes that a workflow or saga cannot get stuck, lose money or half-undo."""


def complete(instruction: str) -> int:
    """Answer a shell that completes a command line."""
    from click.shell_completion import shell_complete

    return shell_complete(group, {}, "placet", "_PLACET_COMPLETE", instruction)


def run(arguments: Sequence[str]) -> int:
    """Run a command line; usage errors are printed here, every other exception is the caller's."""
    try:
        with group.make_context("placet", list(arguments)) as context:
            status = group.invoke(context)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as problem:
        problem.show(sys.stderr)
        return exit_codes.UNUSABLE
    return status if isinstance(status, int) else exit_codes.PROVED
