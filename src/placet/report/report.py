"""What a run of `verify` found, as data: models, their checks, and the stories of what went wrong.

Every output format renders this and nothing else, so that they cannot disagree. Paths, names and phrases are as the user
wrote them: each renderer escapes them for its own format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from placet.evidence import Assumptions
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.diagnostics import Diagnostic
    from placet.evidence import Verdict
    from placet.source import Span

Outcome = Literal["proved", "violated", "inconclusive"]
Overall = Literal["placet", "non placet", "inconclusive", "error"]
WitnessKind = Literal["reach", "lasso", "no_return", "never", "pump", "tree"]


class Step(NamedTuple):
    """One step of a run, in the user's words."""

    id: str
    phrase: str
    service: str = ""  # its lane; empty for the coordinator
    kind: str = "route"  # as in `net.roles.Kind`
    span: Span | None = None
    fault: str = ""  # the fault kind, where the step is a fault
    delta: tuple[tuple[str, int], ...] = ()  # (id of a place or observer, change), only what changed
    shown: bool = True  # bookkeeping is told to machines, not to people
    transition: str = ""  # its name in the net, by which `placet replay` finds it again


class Story(NamedTuple):
    """A violation told: what went wrong, the run that shows it, why it is wrong, and what may be done.

    `loop` is the index in `steps` where the part begins that repeats; None where nothing does. `turned` is the index of
    the step after which the property was false; None where no single step did it.
    """

    kind: WitnessKind
    headline: str
    steps: tuple[Step, ...] = ()
    loop: int | None = None
    turned: int | None = None
    why: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    branches: tuple[
        Story, ...
    ] = ()  # where it takes several runs to show it: each from the start, `steps` being what they share


class ObligationReport(NamedTuple):
    """What a saga owes for a step in one scenario; `run` is a run that breaks it, where one was asked for."""

    family: str
    step: str
    scenario: str  # the faults in order, then how far the step had got
    status: str  # covered, covered by escalation, uncovered, undecided
    run: Story | None = None


class CoverageReport(NamedTuple):
    """What was counted for `coverage`. `matrix` is by step, then by kind of fault: covered, owed."""

    level: str
    faults: tuple[str, ...]
    budget: int
    assumed: tuple[str, ...]
    feasible: int
    covered: int
    by_escalation: int
    undecided: int
    demand: int  # per cent
    kinds: tuple[str, ...]
    matrix: tuple[tuple[str, tuple[tuple[int, int], ...]], ...]
    findings: tuple[str, ...]  # what is not survived, grouped, in words
    obligations: tuple[ObligationReport, ...]
    exercised: int | None = None
    complete: bool = True  # every run was looked at; else there may be more obligations, and no percentage is given


class CheckReport(NamedTuple):
    """The answer to one check."""

    id: str  # a check id of VERIFY, such as `sound`
    label: str  # as the user wrote it
    outcome: Outcome
    message: str  # one sentence, lower case at its start where it is a clause, without a full stop
    engine: str = ""
    states: int = 0
    edges: int = 0
    seconds: float = 0.0
    span: Span | None = None
    assumptions: Assumptions = Assumptions()
    vacuous: str = ""
    argument: str = ""
    reductions: tuple[str, ...] = ()
    budget: str = ""  # what ran out, for an inconclusive one
    limit: str = ""
    option: str = ""  # the option that raises it
    sentence: str = ""  # what the user wants to hold, in the user's words
    story: Story | None = None
    verdict: Verdict | None = None  # the evidence itself, for users of the library
    coverage: CoverageReport | None = None
    waived: str = ""  # until when, and why, where somebody lives with its not holding
    note: str = ""  # what a proof leaves out

    @property
    def counts(self) -> str:
        """What it counts as: its outcome, or `waived`."""
        return "waived" if self.waived and self.outcome != "proved" else self.outcome


class Conformed(NamedTuple):
    """When a model was last held against recorded runs (`on` is empty: never), how they came out, and if it changed since."""

    on: str = ""
    conforms: int = 0
    violates: int = 0
    unknown: int = 0
    changed: bool = False


class ModelReport(NamedTuple):
    """One subject of one file; a file that could not be used has one entry without checks.

    The diagnostics of a file stand with its first subject. `fault` is set where the tool itself failed on it.
    """

    path: str
    format: str
    subject: str = ""
    kind: str = ""  # workflow, saga, net
    places: int = 0
    transitions: int = 0
    diagnostics: tuple[Diagnostic, ...] = ()
    checks: tuple[CheckReport, ...] = ()
    fault: str = ""
    compiled: Compiled | None = None  # not rendered; lets a notebook draw the run
    conformed: Conformed | None = None  # only where the project remembers it

    @property
    def broken(self) -> bool:
        """The model could not be used."""
        return any(d.severity == "error" for d in self.diagnostics)


class Summary(NamedTuple):
    """How many checks came out how, and over how many models."""

    proved: int
    violated: int
    inconclusive: int
    models: int
    broken: int
    faults: int
    waived: int = 0  # checks that do not hold, and findings, that somebody lives with


class Report(NamedTuple):
    """All models of a run."""

    models: tuple[ModelReport, ...] = ()
    interrupted: bool = False

    @property
    def summary(self) -> Summary:
        """The counts."""
        outcomes = [c.counts for m in self.models for c in m.checks]
        return Summary(
            outcomes.count("proved"),
            outcomes.count("violated"),
            outcomes.count("inconclusive"),
            sum(1 for m in self.models if m.subject),
            sum(1 for m in self.models if m.broken),
            sum(1 for m in self.models if m.fault),
            outcomes.count("waived") + sum(1 for m in self.models for d in m.diagnostics if d.waived),
        )

    @property
    def verdict(self) -> Overall:
        """One word for the run. Nothing verified is an error, never an assent."""
        count = self.summary
        asked = any(m.checks for m in self.models)
        if count.broken or count.faults or not asked:
            return "error"
        if count.violated:
            return "non placet"
        return "inconclusive" if count.inconclusive or self.interrupted else "placet"

    @property
    def exit_status(self) -> int:
        """The exit status of the command.

        70 a fault of the tool, 130 interrupted, 2 a broken model or none at all, 1 violated, 3 inconclusive, 0 proved;
        the first that fits.
        """
        count = self.summary
        if count.faults:
            return 70
        if self.interrupted:
            return 130
        return {"error": 2, "non placet": 1, "inconclusive": 3, "placet": 0}[self.verdict]

    def __add__(self, other: object) -> Report:
        """Both runs' models; tuples would be glued field by field."""
        if not isinstance(other, Report):
            return NotImplemented
        return Report(self.models + other.models, self.interrupted or other.interrupted)


def fault_report(path: str, problem: str) -> Report:
    """The report of a file on which the tool itself failed."""
    return Report((ModelReport(path, "", fault=problem),))
