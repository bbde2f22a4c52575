"""`placet advise FILE`: which changes would make a saga survive more, each of them verified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from placet.cli import exit_codes
from placet.cli.choosing import budget_of, budget_options, fault_options, hypothesis_of
from placet.cli.group import debug_option
from placet.cli.subject import load_subject_of, subject_option

if TYPE_CHECKING:
    from placet.advice.search import Advice


@debug_option
@click.command()
@click.argument("file", type=click.Path())
@subject_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
@click.option(
    "--most", type=click.IntRange(1, 100_000), default=1_000, help="Variants of the model to measure at most."
)
@fault_options
@budget_options
def command(file: str, subject: str | None, form: str, most: int, **given: Any) -> int:  # noqa: ANN401 - click's
    """Try changes of a saga, and say which of them cover what is missing.

    Single changes come first, the best before others; then every minimal set of changes with which all obligations are covered, with
    the contract tests that the services then owe.
    """
    from placet.advice.search import advise
    from placet.advice.telling import model_of
    from placet.engines.chosen import named
    from placet.faults.hypothesis import DEFAULT

    loaded, compiled = load_subject_of(file, subject)
    model = model_of(file, compiled.subject) if loaded.format == "placet" else None
    compiled = compiled.called or compiled
    if model is None:
        raise click.UsageError(f"changes can be tried on models in the language, and `{file}` is none")
    if compiled.final.quiet:
        raise click.UsageError(f"`{compiled.subject}` is more than a saga; choose the saga itself with --subject")
    if not compiled.roles.steps:
        raise click.UsageError(f"`{compiled.subject}` has no saga steps")
    hypothesis = hypothesis_of(given) or DEFAULT
    engine = named(given.get("engine"))
    found = advise(model, compiled.subject, hypothesis, budget_of(given), most=most, engine=engine)
    if form == "json":
        import json

        from placet.advice.telling import document

        click.echo(
            json.dumps({"schema": "placet.advise/1", **(document(found) if found else {"missing": None})}, indent=2)
        )
    else:
        click.echo("\n".join(_told(found, compiled.subject)))
    return exit_codes.PROVED if found is not None else exit_codes.INCONCLUSIVE


def _told(advice: Advice | None, subject: str) -> list[str]:
    from placet.advice.telling import whole
    from placet.report.words import counted, quoted

    if advice is None:
        return [f"the coverage of {quoted(subject)} could not be measured within the budget"]
    if not advice.missing:
        return [f"{quoted(subject)} covers all its obligations: nothing to advise"]
    head = f"{quoted(subject)} misses {counted(advice.missing, 'obligation')}; {counted(advice.measured, 'variant')} measured"
    return [head, *whole(advice)]
