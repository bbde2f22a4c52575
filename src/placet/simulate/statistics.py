"""Many runs, counted: how often each end is reached. This measures nothing but the dice; it proves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.errors import UsageError
from placet.simulate.clocks import ARRIVALS
from placet.simulate.simulator import MOST_STEPS, Outcome, run
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compiled import Compiled


class Tally(NamedTuple):
    """Runs that came out alike: the outcome, the end where there is one, how many, the seed of the first, their steps."""

    outcome: Outcome
    end: str
    runs: int
    seed: int
    shortest: int = 0  # steps
    longest: int = 0
    mean: float = 0.0
    times: tuple[float, ...] = ()  # median, 95 and 99 per cent, longest: seconds, where times are known


class Statistics(NamedTuple):
    """Runs with the seeds `seed`, `seed + 1`, ...: each can be had again by itself."""

    subject: str
    seed: int
    replications: int
    max_steps: int
    tallies: tuple[Tally, ...]  # ends in the order of the model, then stuck, then still running
    shortest: int  # steps
    longest: int
    mean: float


def replicate(
    compiled: Compiled,
    seed: int = 0,
    replications: int = 100,
    max_steps: int = MOST_STEPS,
    arrivals: float = ARRIVALS,
) -> Statistics:
    """Run that many times and count. Cost: that of the runs, one after the other; memory of one.

    Raises UsageError for less than one replication.
    """
    if replications < 1:
        raise UsageError("there must be at least one replication")
    took: dict[tuple[Outcome, str], list[float]] = {}
    alike: dict[tuple[Outcome, str], list[int]] = {}  # how -> the seed of the first, then the steps of each
    for number in range(replications):
        found = run(compiled, seed + number, max_steps, arrivals)
        if found.seconds is not None:
            took.setdefault((found.outcome, found.end), []).append(found.seconds)
        alike.setdefault((found.outcome, found.end), [found.seed]).append(len(found.events))
    order = list(Outcome)
    tallies = (
        _tally(outcome, end, first, steps, took.get((outcome, end), []))
        for (outcome, end), (first, *steps) in alike.items()
    )
    lengths = [length for _, *steps in alike.values() for length in steps]
    return Statistics(
        compiled.subject,
        seed,
        replications,
        max_steps,
        tuple(sorted(tallies, key=lambda tally: (order.index(tally.outcome), -tally.runs, tally.end))),
        min(lengths),
        max(lengths),
        sum(lengths) / len(lengths),
    )


def _tally(outcome: Outcome, end: str, seed: int, steps: list[int], seconds: list[float]) -> Tally:
    seconds.sort()
    times = (
        tuple(seconds[min(len(seconds) - 1, int(len(seconds) * part))] for part in (0.5, 0.95, 0.99)) if seconds else ()
    )
    longest = (seconds[-1],) if seconds else ()
    return Tally(outcome, end, len(steps), seed, min(steps), max(steps), sum(steps) / len(steps), times + longest)
