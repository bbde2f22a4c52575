"""`placet explore FILE`: how large the state space is, or a walk through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from placet.cli import exit_codes
from placet.cli.choosing import budget_of, budget_options, fault_options, hypothesis_of
from placet.cli.group import debug_option
from placet.cli.subject import load_subject, subject_option, woven

if TYPE_CHECKING:
    from placet.analysis.counting import Counts
    from placet.compiled import Compiled


@debug_option
@click.command()
@click.argument("file", type=click.Path())
@subject_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print the counts.")
@click.option("--structure", is_flag=True, help="Invariants, siphons, traps, the theorems of its class, and levels.")
@click.option("--walk", is_flag=True, help="Choose each step yourself, by its number.")
@fault_options
@budget_options
def command(file: str, subject: str | None, form: str, *, structure: bool, walk: bool, **given: Any) -> int:  # noqa: ANN401 - click's
    """Count the situations that a model can get into, and those in which nothing can happen any more.

    The whole net is explored as it is, without reductions, and without faults where none are asked for.
    """
    compiled = woven(load_subject(file, subject), hypothesis_of(given))
    if walk:
        from placet.cli.walk import walk_through

        return walk_through(compiled)
    if structure:
        from placet.cli.structure import tell

        return tell(compiled, form, budget_of(given))
    return _count(compiled, form, file, given)


def _count(compiled: Compiled, form: str, file: str, given: dict[str, Any]) -> int:
    from time import perf_counter

    from placet.analysis.counting import count
    from placet.cli.progress import Progress
    from placet.errors import UsageError

    progress = Progress(1)
    progress.begin(file)
    begun = perf_counter()
    try:
        found = count(compiled.net, compiled.initial, budget_of(given), given["engine"], progress)
    except UsageError as problem:
        raise click.BadParameter(str(problem), param_hint="--engine") from None
    numbers = {
        "states": str(found.states),
        "edges": str(found.edges),
        "deadlocks": str(found.deadlocks),
        "max_tokens_in_place": str(found.most_in_place),
        "max_tokens_in_marking": str(found.most_in_marking),
        "engine": found.engine,
        "seconds": round(perf_counter() - begun, 6),
    }
    progress.clear()
    if form == "json":
        import json

        document = {"subject": compiled.subject, **numbers, "complete": found.stop is None, "stopped": _stopped(found)}
        click.echo(json.dumps(document, indent=2))
    else:
        _tell(compiled, numbers, found)
    if found.stop is not None and found.stop.budget == "interrupted":
        return exit_codes.INTERRUPTED
    return exit_codes.PROVED if found.stop is None else exit_codes.INCONCLUSIVE


def _stopped(found: Counts) -> dict[str, str] | None:
    return {"budget": found.stop.budget, "reached": found.stop.reached} if found.stop else None


def _tell(compiled: Compiled, numbers: dict[str, Any], found: Counts) -> None:
    click.echo(f"{compiled.kind} {compiled.subject}")
    rows = (
        ("situations", "states"),
        ("steps between them", "edges"),
        ("in which nothing can happen", "deadlocks"),
        ("most tokens in a place", "max_tokens_in_place"),
        ("most tokens in all", "max_tokens_in_marking"),
    )
    for words, key in rows:
        click.echo(f"  {words:28}{numbers[key]:>12}")
    stop = found.stop
    if stop is None:
        return
    if stop.budget == "unbounded":
        name = compiled.origin.places[stop.place].id.rpartition("/")[2]
        click.echo(f"there is no end to them: more and more can pile up in `{name}`")
    else:
        option = {"states": "--budget-states", "bytes": "--budget-mb", "seconds": "--budget-seconds"}.get(stop.budget)
        hint = f"; raise the budget with {option}" if option else ""
        note = f" ({stop.note})" if stop.note else ""
        click.echo(f"not all was seen: stopped by {stop.budget} at {stop.reached}{note}{hint}")
