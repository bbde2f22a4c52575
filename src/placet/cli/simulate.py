"""`placet simulate FILE`: seeded runs, told in the user's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from placet.cli.choosing import fault_options, hypothesis_of
from placet.cli.group import debug_option
from placet.cli.subject import load_subject, subject_option, woven
from placet.cli.terminal import write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.simulate.simulator import Run


@debug_option
@click.command()
@click.argument("file", type=click.Path())
@subject_option
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same run.")
@click.option("--replications", type=click.IntRange(1), help="So many runs, with this seed and those after it.")
@click.option("--steps", type=click.IntRange(0), default=10_000, show_default=True, help="Where to cut a run off.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@fault_options
def command(
    file: str,
    subject: str | None,
    seed: int,
    replications: int | None,
    steps: int,
    form: str,
    **given: Any,  # noqa: ANN401 - the options of click, by name
) -> None:
    """Run a model at random: what may happen, step by step. Faults happen where they are asked for.

    With --replications: how often the runs ended how, with a seed that shows each.
    """
    from placet.simulate.simulator import run

    compiled = woven(load_subject(file, subject), hypothesis_of(given))
    runs = [run(compiled, seed + i, steps) for i in range(replications or 1)]
    if form == "json":
        import json

        write(json.dumps(_document(compiled.subject, seed, runs, whole=replications is None), indent=2) + "\n")
    elif replications is None:
        write("\n".join(_story(runs[0])) + "\n")
    else:
        write("\n".join(_counts(runs)) + "\n")


def _story(run: Run) -> list[str]:
    """The run as numbered lines; the service that a step happens at stands in its phrase."""
    from placet.report.words import clean

    shown = [event for event in run.events if event.shown]
    width = len(str(len(shown)))
    lines = [f"{clean(run.subject)}, seed {run.seed}"]
    lines += [
        f"  {n:>{width}}  {'FAULT: ' if event.fault else ''}{clean(event.phrase)}" for n, event in enumerate(shown, 1)
    ]
    return [*lines, clean(run.told)]


def _groups(runs: Sequence[Run]) -> list[tuple[str, list[Run]]]:
    """The runs by how they came out, most frequent first."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(f"ended {run.end}" if run.end else run.outcome.value, []).append(run)
    return sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))


def _counts(runs: Sequence[Run]) -> list[str]:
    from placet.report.words import clean, counted

    lines = [f"{clean(runs[0].subject)}, {counted(len(runs), 'run')} from seed {runs[0].seed}"]
    for outcome, some in _groups(runs):
        steps = sorted(len(run.events) for run in some)
        span = f"{steps[0]} to {steps[-1]} steps" if steps[0] < steps[-1] else counted(steps[0], "step")
        lines.append(f"  {len(some):>6}  {clean(outcome)}, {span}; seed {some[0].seed} shows one")
    return lines


def _document(subject: str, seed: int, runs: Sequence[Run], *, whole: bool) -> dict[str, Any]:
    document: dict[str, Any] = {"schema": "placet.simulate/1", "subject": subject, "seed": seed}
    document["replications"] = len(runs)
    document["outcomes"] = [
        {
            "outcome": some[0].outcome.value,
            "end": some[0].end,
            "runs": len(some),
            "seed": some[0].seed,
            "steps": {
                "least": min(len(run.events) for run in some),
                "mean": round(sum(len(run.events) for run in some) / len(some), 3),
                "most": max(len(run.events) for run in some),
            },
        }
        for _, some in _groups(runs)
    ]
    if whole:
        keys = ("id", "phrase", "service", "kind", "fault")
        document["steps"] = [{key: getattr(event, key) for key in keys} for event in runs[0].events]
        document["left"] = list(runs[0].left)
    return document
