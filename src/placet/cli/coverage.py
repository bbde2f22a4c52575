"""`placet coverage FILE`: what a saga owes under faults, for a reviewer, and the experiments still to be made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from placet.cli import exit_codes
from placet.cli.choosing import budget_of, budget_options, fault_options, hypothesis_of
from placet.cli.group import debug_option
from placet.cli.subject import load_subject_of, subject_option

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.coverage.exercised import Exercised, Tested
    from placet.coverage.measure import Measured
    from placet.evidence import Budget
    from placet.report.report import CheckReport

_SHOWN = 5  # obligations that no run exercised
_AROUND = 400  # bytes that a marking of a run takes besides its tokens


@debug_option
@click.command()
@click.argument("file", type=click.Path())
@subject_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "svg", "json", "plan"]),
    default="text",
    help="How to print it; `plan` is the list of fault experiments that no recorded run has made.",
)
@click.option("--all", "everything", is_flag=True, help="List covered obligations too.")
@click.option("--log", "logs", multiple=True, type=click.Path(), help="Recorded runs: count what they have exercised.")
@click.option(
    "--exercised",
    "asked",
    type=click.IntRange(0, 100),
    metavar="PERCENT",
    help="How much of what is owed the recorded runs must have exercised; less is a finding (A24).",
)
@fault_options
@budget_options
def command(
    file: str,
    subject: str | None,
    form: str,
    logs: tuple[str, ...],
    asked: int | None,
    *,
    everything: bool,
    **given: Any,  # noqa: ANN401 - click's
) -> int:
    """Count what a saga owes under faults, and how much of it is covered.

    As text a table of steps and faults, and what is not covered, by what is wrong; as markdown for a pull request; as JSON with every
    obligation.
    """
    from placet.cli.terminal import write
    from placet.compiled import Query
    from placet.coverage.exercised import held_to
    from placet.coverage.sliced import measure
    from placet.engines.chosen import named
    from placet.faults.hypothesis import DEFAULT
    from placet.faults.weave import weave
    from placet.report.coverage import report_coverage

    if asked is not None and not logs:
        raise click.UsageError("`--exercised` asks about recorded runs: give them by `--log`")
    loaded, compiled = load_subject_of(file, subject)
    compiled = compiled.called or compiled
    if compiled.final.quiet:
        raise click.UsageError(f"`{compiled.subject}` is more than a saga; choose the saga itself with --subject")
    if not compiled.roles.steps and loaded.format == "asl":
        return _proposed(file, compiled.subject, form)
    if not compiled.roles.steps:
        raise click.UsageError(f"`{compiled.subject}` has no saga steps, so there is nothing to cover")
    hypothesis = hypothesis_of(given) or DEFAULT
    woven = weave(compiled._replace(queries=()), hypothesis).compiled
    budget = budget_of(given)
    measured = measure(woven, hypothesis.budget, budget, named(given.get("engine")))
    entry = report_coverage(Query("coverage", f"coverage({compiled.subject})"), measured, hypothesis, 0.0)
    found = entry.coverage
    assert found is not None, "the entry of a coverage check has it"
    runs = _exercised(measured, logs, budget) if logs else None
    if runs is not None:
        found = found._replace(exercised=runs.total)
    test = held_to(measured, runs, asked) if runs is not None and asked is not None else None
    if form == "text":
        lines = _text(entry._replace(coverage=found), measured, everything=everything)
        for diagnostic in loaded.diagnostics:
            if diagnostic.code == "P811":
                from placet.report.style import wrap

                lines += ["", *wrap(diagnostic.message, 100), *wrap(diagnostic.notes[0], 100, "  ")]
        write("\n".join([*lines, *(_told(measured, test) if test is not None else ())]) + "\n")
    else:
        write(_rendered(form, measured, found, runs, entry, test))
    if measured.coverage.size.stop[0] == "interrupted":
        return exit_codes.INTERRUPTED
    outcomes = {entry.outcome, test.outcome if test is not None else "proved"}
    if "violated" in outcomes:
        return exit_codes.VIOLATED
    return exit_codes.PROVED if outcomes == {"proved"} else exit_codes.INCONCLUSIVE


def _proposed(file: str, subject: str, form: str) -> int:
    """What might undo what in a definition that nobody has annotated: proposed, counted, and nothing claimed."""
    from placet.cli.terminal import write
    from placet.sidecar.unannotated import document, unannotated

    found = unannotated(file, subject)
    if form == "json":
        import json

        write(json.dumps(document(found), indent=2) + "\n")
    else:
        write("\n".join(found.lines(file)) + "\n")
    return exit_codes.INCONCLUSIVE


def _text(entry: CheckReport, measured: Measured, *, everything: bool) -> list[str]:
    import sys

    from placet.cli.terminal import style
    from placet.report.coverage_tables import table
    from placet.report.coverage_text import render

    lines = render(entry, measured, style(sys.stdout))
    return [*lines, "", *table(measured.coverage, measured.coverage.obligations)] if everything else lines


def _told(measured: Measured, test: Tested) -> list[str]:
    """What recorded runs are held to, and the first obligations that none of them exercised."""
    from placet.report.coverage_words import broken, scenario
    from placet.report.words import counted

    words = {"proved": "they do", "violated": "they do not", "inconclusive": "that stays open within the budget"}
    lines = ["", f"recorded runs are to exercise {test.percent} % of what is owed (A24): {words[test.outcome]}"]
    if test.outcome == "proved":
        return lines
    lines += [f"  {counted(len(test.never), 'obligation')} that no run has exercised; nothing shows whether"]
    for o in test.never[:_SHOWN]:
        lines += [f"  - {broken(measured, o.family, o.step)}", f"    {scenario(measured.coverage, o)}"]
    return [*lines, "  `--format plan` lists the experiments that would"]


def _rendered(
    form: str,
    measured: Measured,
    found: Any,  # noqa: ANN401
    runs: Exercised | None,
    entry: Any,  # noqa: ANN401
    test: Tested | None,
) -> str:
    from placet.report import coverage_tables

    subject = measured.compiled.subject
    if form == "markdown":
        return coverage_tables.markdown(found, subject)
    if form == "svg":
        return coverage_tables.svg(found, subject)
    import json

    if form == "plan":
        from placet.coverage.exercised import experiments

        made = experiments(measured, runs)
        document = coverage_tables.plan(made, measured.compiled.net.transitions, subject, complete=found.complete)
    else:
        from placet.report.json_report import coverage_document

        document = {
            "schema": "placet.coverage/1",
            "subject": subject,
            "verdict": entry.outcome,
            **coverage_document(found),
        }
        if test is not None:
            from placet.report.coverage_words import scenario

            document["anomaly_A24"] = {
                "asked": test.percent,
                "verdict": test.outcome,
                "never_exercised": [
                    {"family": o.family, "step": o.step or None, "scenario": scenario(measured.coverage, o)}
                    for o in test.never
                ],
            }
    return json.dumps(document, indent=2) + "\n"


def _exercised(measured: Measured, logs: tuple[str, ...], budget: Budget) -> Exercised:
    """What recorded runs have exercised, as far as the budget reaches. Raises ModelError for a log that cannot be read."""
    from placet.conform.conform import exercised as sequence
    from placet.conform.logs import read
    from placet.coverage.exercised import exercised
    from placet.errors import ModelError
    from placet.report.words import counted

    runs = []
    plain, most = _plain(measured.compiled), _markings(measured.compiled, budget)
    late = 0
    for path in logs:
        log = read(path)
        if any(d.severity == "error" for d in log.diagnostics):
            raise ModelError(log.diagnostics)
        for case in log.cases:
            if measured.late:
                late += 1
                continue
            fired = sequence(plain, case, most)
            if fired is None:
                click.echo(
                    f"warning: a run of `{path}` does not fit the model under these faults and is not counted", err=True
                )
            else:
                runs.append(fired)
    if late:
        click.echo(f"warning: the time was over before {counted(late, 'run')} could be looked at", err=True)
    return exercised(measured, runs)


def _markings(compiled: Compiled, budget: Budget) -> int:
    """How many markings may be looked at for one run: what is asked for, and what fits into the memory."""
    from placet.conform.replay import MOST_MARKINGS

    most = MOST_MARKINGS if budget.states is None else min(MOST_MARKINGS, budget.states)
    if budget.bytes is not None:
        most = min(most, budget.bytes // (8 * len(compiled.net.places) + _AROUND))
    return max(1, most)


def _plain(compiled: Compiled) -> Compiled:
    """The net without its observers, which are no business of recorded runs."""
    return compiled._replace(observers=())
