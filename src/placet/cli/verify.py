"""`placet verify PATH...`: the main job."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from placet.cli import exit_codes
from placet.cli.choosing import check_options, run_options
from placet.cli.group import debug_option, debugging
from placet.report.registry import FORMATS
from placet.report.report import ModelReport, Report, fault_report
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from placet.diagnostics import Diagnostic
    from placet.pipeline import Options
    from placet.project.configuration import Configuration
    from placet.report.style import Style


class Job(NamedTuple):
    """One file to verify; a worker process gets exactly this."""

    path: str
    options: Options
    copied: bool  # the report goes to another process: leave out what no output needs
    debug: bool
    left_out: tuple[str, ...] = ()  # machines of the file that are verified with their sidecars


@debug_option
@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path())
@click.option("--format", "form", type=click.Choice(list(FORMATS)), help="How to report; text if nothing is said.")
@click.option("--output", type=click.Path(dir_okay=False), help="Write the report to this file.")
@click.option(
    "--certificate", metavar="FILE", type=click.Path(dir_okay=False), help="Write the evidence for `placet recheck`."
)
@check_options
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes to share the files between.")
@click.option("-v", "--verbose", count=True, help="Say how each check was decided.")
@click.option("-q", "--quiet", is_flag=True, help="Print the last line only.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour the text.")
def command(paths: tuple[str, ...], **given: Any) -> int:  # noqa: ANN401 - the options of click, by name
    """Check models: files, folders (all models below), and patterns such as 'flows/**/*.placet'.

    Every check is proved, violated (with the run that shows it), or inconclusive.

    \b
    Exit status
      0  all proved
      1  something violated
      2  usage, an unreadable or broken model, no model found
      3  nothing violated, something inconclusive
     70  a fault of placet itself
    130  Ctrl-C
    """  # noqa: D301 - click needs the character itself
    from placet.project.configuration import load
    from placet.project.discovery import discover

    configuration, problems = load()
    if problems:
        from placet.cli.failures import show

        show(problems)
        return exit_codes.UNUSABLE
    options = run_options(configuration, given)
    found = discover(paths, configuration.exclusion)
    output = given["output"]
    certificate = given["certificate"]
    for name, wanted in (("--output", output), ("--certificate", certificate)):
        if wanted:
            _writable(wanted, found.files, name)
    jobs = given["jobs"] or configuration.jobs or 1
    debug = debugging()
    work, notes = _without_sidecarred(paths, [Job(path, options, jobs > 1, debug) for path in found.files])
    if certificate:
        from placet.cli.certifying import one_file

        one_file([job.path for job in work], certificate)
        jobs, work = 1, [work[0]._replace(copied=False)]
    reports = _reports((*found.diagnostics, *notes), work, jobs, quiet=given["quiet"])
    whole, status = _report(reports, configuration, given)
    if certificate and not whole.interrupted:
        from placet.cli.certifying import certified

        return certified(whole, options, certificate) or status
    return status


def _without_sidecarred(paths: Sequence[str], work: list[Job]) -> tuple[list[Job], list[Diagnostic]]:
    """The work without what is verified with a sidecar of the same run; what is named outright stays."""
    if all(job.path.lower().endswith(".placet") for job in work):
        return work, []
    from placet.sidecar.claimed import claimed, spoken_for

    found = claimed([job.path for job in work])
    named = {os.path.normpath(path) for path in paths}
    kept: list[Job] = []
    notes: list[Diagnostic] = []
    for job in work:
        path = os.path.normpath(job.path)
        if path not in found or path in named:
            kept.append(job)
            continue
        notes.append(spoken_for(job.path, found[path]))
        if "" not in found[path]:
            kept.append(job._replace(left_out=tuple(found[path])))
    return kept, notes


def _writable(output: str, files: Sequence[str], option: str = "--output") -> None:
    """Refuse an output that cannot be written or that is a model, before any work is done."""
    folder = os.path.dirname(output) or "."  # noqa: PTH120
    if not os.path.isdir(folder):  # noqa: PTH112
        raise click.BadParameter(f"there is no folder `{folder}`", param_hint=option)
    if not os.access(output if os.path.exists(output) else folder, os.W_OK):  # noqa: PTH110
        raise click.BadParameter(f"`{output}` cannot be written", param_hint=option)
    if os.path.realpath(output) in {os.path.realpath(file) for file in files}:
        raise click.BadParameter(f"`{output}` is one of the models", param_hint=option)


def _reports(diagnostics: Sequence[Diagnostic], work: Sequence[Job], jobs: int, *, quiet: bool) -> Iterator[Report]:
    """The report of every file as it comes, in order; first what was wrong with the paths. Ctrl-C ends it early."""
    from contextlib import suppress
    from signal import SIGTERM, default_int_handler, signal

    from placet.cli.progress import Progress
    from placet.project.workers import in_order

    for diagnostic in diagnostics:
        yield Report((ModelReport(diagnostic.path, "", diagnostics=(diagnostic,)),))
    progress = Progress(len(work), quiet=quiet)
    if jobs == 1:
        work = [job._replace(options=job.options._replace(progress=progress)) for job in work]
    results = in_order(verify_file, work, jobs)
    with suppress(ValueError):  # not in the main thread: then whoever runs it sees to signals
        signal(SIGTERM, default_int_handler)  # as Ctrl-C does, it leaves what is known
    try:
        for job in work:
            progress.begin(job.path)
            report = next(results)
            progress.clear()
            yield report
            if report.interrupted:
                return
    except KeyboardInterrupt:
        yield Report((), interrupted=True)
    finally:
        progress.clear()
        results.close()


def verify_file(job: Job) -> Report:
    """The report of one file. A fault of placet is reported with the file, so that the others get their answers."""
    from placet.pipeline import check, load

    try:
        loaded = load(job.path, job.options)
        if job.left_out and loaded.compiled:
            loaded = loaded._replace(compiled=tuple(c for c in loaded.compiled if c.subject not in job.left_out))
            if not loaded.compiled:
                return Report()
        report = check(loaded, job.options)
        if any(c.coverage is not None for m in report.models for c in m.checks):
            from placet.advice.telling import advised

            report = advised(report, loaded, job.options)
    except Exception as problem:  # one file must not hide the others
        from placet.errors import EvidenceError, PlacetError

        if isinstance(problem, PlacetError) and not isinstance(problem, EvidenceError):
            raise
        if job.debug:
            import traceback

            traceback.print_exc()
        from placet.cli.failures import describe

        return fault_report(job.path, describe(problem))
    if job.copied:
        models = tuple(
            m._replace(compiled=None, checks=tuple(c._replace(verdict=None) for c in m.checks)) for m in report.models
        )
        report = report._replace(models=models)
    return report


def _report(reports: Iterator[Report], configuration: Configuration, given: dict[str, Any]) -> tuple[Report, int]:
    """Print what comes, and give it whole, with the exit status."""
    from placet.cli.terminal import style, write

    form = given["form"] or configuration.format or "text"
    output = given["output"]
    look = style(sys.stdout, "never" if output and given["color"] == "auto" else given["color"], given["verbose"])
    parts: list[ModelReport] = []
    interrupted = False
    streaming = form == "text" and not output and not given["quiet"]
    remembered = _remembered(configuration, verbose=bool(given["verbose"]))
    for report in reports:
        if remembered is not None:
            report = report._replace(models=tuple(remembered(model) for model in report.models))  # noqa: PLW2901
        parts += report.models
        interrupted = interrupted or report.interrupted
        if streaming:
            write("".join(_text(model, look) for model in report.models))
    whole = Report(tuple(parts), interrupted)
    if form == "text" and (streaming or given["quiet"]):
        from placet.report.text import last_line

        text = last_line(whole, look) + "\n"
    else:
        from placet.report.registry import render

        text = render(whole, form, look)
    if not output:
        write(text)
        return whole, whole.exit_status
    try:
        with open(output, "w", encoding="utf-8", newline="\n") as file:  # noqa: PTH123
            file.write(text)
    except OSError as problem:  # what was found out is told all the same
        from placet.cli.failures import unwritten
        from placet.report.text import last_line

        write(last_line(whole, look) + "\n")
        return whole, unwritten(output, problem)
    return whole, whole.exit_status


def _remembered(configuration: Configuration, *, verbose: bool) -> Callable[[ModelReport], ModelReport] | None:
    """What says of hand-written models when they were last held against recorded runs; None where nobody remembers it."""
    path = os.path.join(os.path.dirname(configuration.path), "placet.conformed.json")  # noqa: PTH118, PTH120
    if not verbose and not os.path.isfile(path):  # noqa: PTH113
        return None
    from placet.project.conformed import last, load, subject_file

    records = load(path) or {}

    def told(model: ModelReport) -> ModelReport:
        if model.format != "placet" or model.kind not in ("workflow", "saga"):
            return model
        held = subject_file(model.compiled, model.path)
        return model._replace(conformed=last(records, path, held, model.subject))

    return told


def _text(model: ModelReport, look: Style) -> str:
    from placet.report.text import render_model

    return "\n".join([*render_model(model, look), "", ""])
