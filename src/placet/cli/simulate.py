"""`placet simulate FILE`: seeded runs, told in the user's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from placet.cli.choosing import fault_options, hypothesis_of
from placet.cli.group import debug_option
from placet.cli.subject import load_subject, subject_option, woven
from placet.cli.terminal import write

if TYPE_CHECKING:
    from placet.simulate.simulator import Event, Run
    from placet.simulate.statistics import Statistics, Tally


@debug_option
@click.command()
@click.argument("file", type=click.Path())
@subject_option
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same run.")
@click.option("--replications", type=click.IntRange(1), help="So many runs, with this seed and those after it.")
@click.option("--steps", type=click.IntRange(0), default=10_000, show_default=True, help="Where to cut a run off.")
@click.option(
    "--arrivals",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default=True,
    help="Seconds until an event from outside comes, on the average; where the model has times.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@fault_options
def command(
    file: str,
    subject: str | None,
    seed: int,
    replications: int | None,
    steps: int,
    arrivals: float,
    form: str,
    **given: Any,  # noqa: ANN401 - the options of click, by name
) -> None:
    """Run a model at random: what may happen, step by step. Faults happen where they are asked for.

    With --replications: how often the runs ended how, with a seed that shows each.
    """
    from placet.simulate.simulator import run
    from placet.simulate.statistics import replicate

    compiled = woven(load_subject(file, subject), hypothesis_of(given))
    single = run(compiled, seed, steps, arrivals) if replications is None else None
    if form == "json":
        import json

        counted = replicate(compiled, seed, replications or 1, steps, arrivals)
        write(json.dumps(_document(counted, single), indent=2) + "\n")
    elif single is not None:
        write("\n".join(_story(single)) + "\n")
    else:
        write("\n".join(_counts(replicate(compiled, seed, replications or 1, steps, arrivals))) + "\n")


def _story(run: Run) -> list[str]:
    """The run as numbered lines; the service that a step happens at stands in its phrase."""
    from placet.report.words import clean

    shown = [event for event in run.events if event.shown]
    width = len(str(len(shown)))
    lines = [f"{clean(run.subject)}, seed {run.seed}"]
    lines += [
        f"  {n:>{width}}  {_at(event)}{'FAULT: ' if event.fault else ''}{clean(event.phrase)}"
        for n, event in enumerate(shown, 1)
    ]
    return [*lines, clean(run.told)]


def _at(event: Event) -> str:
    """When it happens, in a column, where times are known."""
    from placet.simulate.simulator import duration

    return "" if event.seconds is None else f"{duration(event.seconds):>10}  "


def _by_frequency(counts: Statistics) -> list[Tally]:
    """How the runs came out, most frequent first."""
    return sorted(counts.tallies, key=lambda tally: (-tally.runs, _outcome(tally)))


def _outcome(tally: Tally) -> str:
    return f"ended {tally.end}" if tally.end else tally.outcome.value


def _counts(counts: Statistics) -> list[str]:
    from placet.report.words import clean, counted
    from placet.simulate.simulator import duration

    lines = [f"{clean(counts.subject)}, {counted(counts.replications, 'run')} from seed {counts.seed}"]
    for tally in _by_frequency(counts):
        least, most = tally.shortest, tally.longest
        span = f"{least} to {most} steps" if least < most else counted(least, "step")
        lines.append(f"  {tally.runs:>6}  {clean(_outcome(tally))}, {span}; seed {tally.seed} shows one")
        if tally.times:
            half, nearly, almost, whole = map(duration, tally.times)
            lines.append(
                f"          half of them within {half}, 95 % within {nearly}, 99 % within {almost}, all within {whole}"
            )
    return lines


def _document(counts: Statistics, single: Run | None) -> dict[str, Any]:
    """The counts; with the steps where it was one run."""
    document: dict[str, Any] = {"schema": "placet.simulate/1", "subject": counts.subject, "seed": counts.seed}
    document["replications"] = counts.replications
    document["outcomes"] = [
        {
            "outcome": tally.outcome.value,
            "end": tally.end,
            "runs": tally.runs,
            "seed": tally.seed,
            "steps": {"least": tally.shortest, "mean": round(tally.mean, 3), "most": tally.longest},
            **(
                {
                    "seconds": dict(
                        zip(("median", "p95", "p99", "longest"), (round(s, 6) for s in tally.times), strict=True)
                    )
                }
                if tally.times
                else {}
            ),
        }
        for tally in _by_frequency(counts)
    ]
    if single is not None:
        keys = ("id", "phrase", "service", "kind", "fault")
        document["steps"] = [{key: getattr(event, key) for key in keys} for event in single.events]
        document["left"] = list(single.left)
    return document
