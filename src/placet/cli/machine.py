"""`placet machine FILE`: the state machine of a coordinator, for other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from placet.cli import exit_codes
from placet.cli.choosing import budget_of, budget_options
from placet.cli.group import debug_option
from placet.cli.subject import load_subject, write_out

if TYPE_CHECKING:
    from placet.analysis.coordinator import Coordinator
    from placet.compiled import Compiled

_WRITERS = {
    "text": ("diagrams", "listing"),
    "scxml": ("scxml", "scxml"),
    "xstate": ("xstate", "xstate"),
    "plantuml": ("diagrams", "plantuml"),
    "mermaid": ("diagrams", "mermaid"),
    "transitions": ("pytransitions", "transitions"),
    "dot": ("", ""),
}
_COORDINATED = ("workflow", "saga", "machine", "net")


@debug_option
@click.command()
@click.argument("file", type=click.Path())
@click.argument("subject", required=False)
@click.option(
    "--to", "form", type=click.Choice(list(_WRITERS)), default="text", show_default=True, help="What to write."
)
@click.option("--decisions", is_flag=True, help="The coordinator's own decisions are seen, as events of its program.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to this file.")
@budget_options
def command(file: str, subject: str | None, form: str, output: str | None, *, decisions: bool, **given: Any) -> int:  # noqa: ANN401 - click's
    """Write the state machine of a coordinator: what it hears, sends and waits for, as small as it can be.

    A coordinator that chooses without anybody seeing it is no state machine; each such choice is told, and nothing is guessed.
    """
    from placet.analysis.coordinator import coordinator
    from placet.cli.progress import Progress

    compiled = load_subject(file, subject)
    if compiled.kind not in _COORDINATED:
        message = (
            f"`{compiled.subject}` is a {compiled.kind}, which nobody coordinates: name a workflow, a saga or a machine"
        )
        raise click.UsageError(message)
    progress = Progress(1)
    progress.begin(file)
    found = coordinator(compiled, budget_of(given), decisions=decisions, progress=progress)
    progress.clear()
    if found.stop is not None:
        return _unfinished(compiled, found, file)
    if found.hidden:
        from placet.cli.failures import show
        from placet.report.unseen_choices import unseen_choices

        if form == "text":
            from placet.machine.diagrams import steps

            write_out(steps(compiled.subject, found.lts), output)
        show(unseen_choices(compiled, found, file))
        return exit_codes.VIOLATED
    write_out(_written(compiled, found, form), output)
    return exit_codes.PROVED


def _written(compiled: Compiled, found: Coordinator, form: str) -> str:
    from importlib import import_module

    from placet.machine.chart import chart

    made = chart(compiled.subject, found.lts, found.labels, afresh=compiled.kind == "machine")
    if form == "dot":
        from placet.draw.dot import dot
        from placet.draw.from_lts import from_lts
        from placet.lts import Lts
        from placet.machine.events import words

        labels = tuple(words(move) for move in made.moves)
        edges = tuple((move.source, number, move.target) for number, move in enumerate(made.moves))
        return dot(from_lts(Lts(len(made.states), made.initial, labels, edges, made.states, made.finals), made.name))
    module, name = _WRITERS[form]
    text: str = getattr(import_module(f"placet.machine.{module}"), name)(made)
    return text


def _unfinished(compiled: Compiled, found: Coordinator, file: str) -> int:
    from placet.cli.failures import show
    from placet.report.unseen_choices import without_end

    problem = without_end(compiled, found, file)
    if problem is not None:
        show((problem,))
        return exit_codes.UNUSABLE
    stop = found.stop
    assert stop is not None
    if stop.budget == "interrupted":
        return exit_codes.INTERRUPTED
    option = {"states": "--budget-states", "bytes": "--budget-mb", "seconds": "--budget-seconds"}[stop.budget]
    click.echo(
        f"not all was seen: stopped by {stop.budget} at {stop.reached}; raise the budget with {option}", err=True
    )
    return exit_codes.INCONCLUSIVE
