"""One file, one subject: what every command but `verify` starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from placet.compiled import Compiled
    from placet.faults.hypothesis import Hypothesis
    from placet.pipeline import Loaded

Command = TypeVar("Command", bound="Callable[..., Any]")


def subject_option(command: Command) -> Command:
    """`--subject NAME`."""
    return click.option("--subject", metavar="NAME", help="Which workflow, saga or net of the file.")(command)


def load_subject(path: str, subject: str | None) -> Compiled:
    """The subject of that name, or the only one. Raises ModelError for a file that cannot be used."""
    return load_subject_of(path, subject)[1]


def load_subject_of(path: str, subject: str | None) -> tuple[Loaded, Compiled]:
    """The file and the subject of that name, or the only one. Raises ModelError for a file that cannot be used."""
    from placet.errors import ModelError
    from placet.pipeline import load

    loaded = load(path)
    if loaded.broken:
        raise ModelError(loaded.diagnostics)
    names = [c.subject for c in loaded.compiled]
    if subject is None and len(names) == 1:
        return loaded, loaded.compiled[0]
    for compiled in loaded.compiled:
        if compiled.subject == subject:
            return loaded, compiled
    listed = ", ".join(f"`{name}`" for name in names)
    if not names:
        raise click.UsageError(f"there is nothing in `{path}` that could be run")
    if subject is None:
        raise click.UsageError(f"`{path}` has several subjects; choose one of {listed} with --subject")
    from difflib import get_close_matches

    near = get_close_matches(subject, names, 1)
    hint = f"did you mean `{near[0]}`?" if near else f"there is {listed}"
    raise click.BadParameter(f"there is no `{subject}` in `{path}`; {hint}", param_hint="--subject")


def woven(compiled: Compiled, hypothesis: Hypothesis | None) -> Compiled:
    """The subject with the faults that were asked for; none where nobody asked, or nothing is sent anywhere."""
    if hypothesis is None:
        return compiled
    compiled = compiled.called or compiled
    if not compiled.roles.channels:
        return compiled
    from placet.faults.weave import weave

    return weave(compiled, hypothesis).compiled


def write_out(text: str, output: str | None) -> None:
    """To the file, or to standard output."""
    if output is None:
        from placet.cli.terminal import write

        write(text)
        return
    try:
        with open(output, "w", encoding="utf-8", newline="\n") as file:  # noqa: PTH123
            file.write(text)
    except OSError as problem:
        raise click.BadParameter(f"`{output}` cannot be written: {problem.strerror}", param_hint="--output") from None


def write_bytes(made: bytes, output: str | None) -> None:
    """To the file, or to standard output."""
    import sys

    if output is None:
        sys.stdout.buffer.write(made)
        return
    try:
        with open(output, "wb") as file:  # noqa: PTH123
            file.write(made)
    except OSError as problem:
        raise click.BadParameter(f"`{output}` cannot be written: {problem.strerror}", param_hint="--output") from None
