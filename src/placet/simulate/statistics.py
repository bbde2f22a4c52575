"""Many runs, counted: how often each end is reached. This measures nothing but the dice; it proves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from placet.errors import UsageError
from placet.simulate.simulator import MOST_STEPS, Outcome, run

if TYPE_CHECKING:
    from placet.compiled import Compiled


class Tally(NamedTuple):
    """Runs that came out alike: the outcome, the end where there is one, how many, and the seed of the first."""

    outcome: Outcome
    end: str
    runs: int
    seed: int


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


def replicate(compiled: Compiled, seed: int = 0, replications: int = 100, max_steps: int = MOST_STEPS) -> Statistics:
    """Run that many times and count. Cost: that of the runs, one after the other; memory of one.

    Raises UsageError for less than one replication.
    """
    if replications < 1:
        raise UsageError("there must be at least one replication")
    counts: dict[tuple[Outcome, str], list[int]] = {}
    lengths: list[int] = []
    for number in range(replications):
        found = run(compiled, seed + number, max_steps)
        lengths.append(len(found.events))
        counts.setdefault((found.outcome, found.end), [0, found.seed])[0] += 1
    order = list(Outcome)
    tallies = (Tally(outcome, end, count, first) for (outcome, end), (count, first) in counts.items())
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
