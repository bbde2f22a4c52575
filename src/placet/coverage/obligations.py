"""Obligations, their status, and what coverage counts (docs/coverage.md).

An obligation is (family, step, scenario): in all runs of the scenario the step must keep the condition of the family.
A scenario is the ordered faults of a run, and how far the step had truly got when the saga gave up going on.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placet.evidence import Trace

FAMILIES: dict[str, str] = {
    "BALANCE": "when all is settled it is in effect exactly if the saga completed with it",
    "ONCE": "it is never applied while it is in effect",
    "NULL": "its undo never takes effect when there is nothing to undo",
    "LATE": "it is not applied after its undo was carried out",
    "ORDER": "it is undone only when nothing that builds on it is in effect",
    "INPUT": "its undo is asked for only when the reply it needs is there",
    "PIVOT": "once it is applied the saga completes, and nothing is undone",
    "UNDO-FAIL": "a failure of its undo is repaired or handed to a person, and stops no other undo",
    "TERM": "the saga comes to an end",
}

PHASES: tuple[str, ...] = (
    "not started",
    "on its way",
    "refused",
    "applied, not acknowledged",
    "applied, acknowledged",
    "applied twice",
)


class Status(Enum):
    """What is known of an obligation. One that no run shows is not listed: it is infeasible."""

    COVERED = "covered"
    BY_ESCALATION = "covered by escalation"
    UNCOVERED = "uncovered"
    UNDECIDED = "undecided"


class Cause(NamedTuple):
    """A fault that costs: its kind, the call it hits, which attempt of it, and whether later attempts fail too."""

    kind: str
    step: str
    direction: str  # forward, undo
    part: str  # request, reply, or empty
    attempt: int
    lasting: bool
    detail: str  # the name of the error, where it has one
    words: str

    @property
    def id(self) -> str:
        """Stable within a model: `trip/car request lost`, `trip/car undo request undo-fail, attempt 2`."""
        where = " ".join(w for w in (self.step, "undo" if self.direction == "undo" else "", self.part) if w)
        what = self.kind + (f" {self.detail}" if self.detail else "")
        return (
            f"{where} {what}".strip()
            + (f", attempt {self.attempt}" if self.attempt > 1 else "")
            + (", not asked for yet" if self.step and not self.attempt else "")
            + (", lasting" if self.lasting else "")
        )


class Obligation(NamedTuple):
    """One obligation with its status; an uncovered one has a shortest run that shows it where it was asked for."""

    family: str
    step: str  # IR id of the saga step; empty where it concerns the saga as a whole
    faults: tuple[int, ...]  # numbers of causes, in the order of the run
    phase: str  # of PHASES; empty where it concerns the saga as a whole
    status: Status
    trace: Trace = ()


class Size(NamedTuple):
    """The search that it took."""

    states: int
    edges: int
    engine: str
    complete: bool  # every run was looked at: without it obligations may be missing
    stop: tuple[str, str] = ("", "")  # the budget that ran out, and the figure that was reached


class Row(NamedTuple):
    """The obligations of one scenario and phase, a bit each: see `facts.Bits` for which."""

    faults: tuple[int, ...]
    phase: str
    broken: int
    owed: int
    escalated: int
    unknown: bool  # some run was not followed to its end


class Coverage:
    """What one saga owes under one fault hypothesis. Obligations are counted at once, and listed when they are wanted."""

    def __init__(
        self,
        causes: tuple[Cause, ...],
        steps: tuple[str, ...],
        rows: tuple[Row, ...],
        size: Size,
        families: tuple[str, ...] = tuple(FAMILIES),
    ) -> None:
        self.families = families
        self.causes = causes
        self.steps = steps  # IR ids of the steps that can have an effect, and last the saga itself: ""
        self.rows = rows
        self.size = size
        self.uncovered = sum((r.owed & r.broken).bit_count() for r in rows)
        self.undecided = sum((r.owed & ~r.broken).bit_count() for r in rows if r.unknown)
        self.by_escalation = sum((r.owed & ~r.broken & r.escalated).bit_count() for r in rows if not r.unknown)
        self.feasible = sum(r.owed.bit_count() for r in rows) - self.undecided
        self._listed: tuple[Obligation, ...] | None = None

    @property
    def covered(self) -> int:
        """Covered ones, by undo or by escalation."""
        return self.feasible - self.uncovered

    @property
    def obligations(self) -> tuple[Obligation, ...]:
        """All of them, by scenario, family and step. O(obligations), once."""
        if self._listed is None:
            self._listed = tuple(o for row in self.rows for o in self.of(row, row.owed))
        return self._listed

    def of(self, row: Row, wanted: int) -> Iterator[Obligation]:
        """The obligations of a row that are among these bits."""
        columns, families = len(self.steps), self.families
        while wanted:
            bit = wanted & -wanted
            wanted ^= bit
            family, step = divmod(bit.bit_length() - 1, columns)
            if row.broken & bit:
                status = Status.UNCOVERED
            elif row.unknown:
                status = Status.UNDECIDED
            else:
                status = Status.BY_ESCALATION if row.escalated & bit else Status.COVERED
            yield Obligation(families[family], self.steps[step], row.faults, row.phase, status)

    def missing(self) -> Iterator[Obligation]:
        """The uncovered ones."""
        for row in self.rows:
            yield from self.of(row, row.owed & row.broken)
