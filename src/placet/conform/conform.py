"""Logs against a model: which vocabulary a run speaks, and what came out for each run of each log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.conform.hold import Held, hold
from placet.conform.replay import MOST_MARKINGS
from placet.conform.step_functions import SOURCE as STEP_FUNCTIONS
from placet.conform.step_functions import as_run
from placet.net.firing import fire
from placet.net.roles import Kind
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from placet.compiled import Compiled
    from placet.conform.asl_source import Definition
    from placet.conform.record import Case, Log
    from placet.diagnostics import Diagnostic
    from placet.net.core import Marking
    from placet.pipeline import Loaded

ASL = "asl"


class Conformance(NamedTuple):
    """What came out: one `Held` for each run, and what was wrong with model and logs."""

    model: str
    format: str
    subject: str
    held: tuple[Held, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    logs: int = 0

    def count(self, verdict: str) -> int:
        """How many runs came out so."""
        return sum(1 for held in self.held if held.verdict == verdict)

    @property
    def broken(self) -> bool:
        """The model or a log cannot be read, or not to its end."""
        return any(d.severity == "error" for d in self.diagnostics)

    @property
    def verdict(self) -> str:
        """`placet`, `non placet`, `inconclusive` or `error`, as of `verify`."""
        if self.broken:
            return "error"
        if self.count("violates"):
            return "non placet"
        return "inconclusive" if self.count("unknown") or not self.held else "placet"

    @property
    def exit_status(self) -> int:
        """0 all conform, 1 one violates, 2 something unreadable, 3 none violates and one is unknown."""
        return {"placet": 0, "non placet": 1, "error": 2, "inconclusive": 3}[self.verdict]


def conform(loaded: Loaded, compiled: Compiled, logs: Sequence[Log], budget: int = MOST_MARKINGS) -> Conformance:
    """Hold every run of the logs against one subject of a model."""
    definition = _definition(loaded, compiled)
    held: list[Held] = []
    for log in logs:
        held += hold_all(compiled, log.cases, definition, budget)
    diagnostics = tuple(d for log in logs for d in log.diagnostics)
    return Conformance(loaded.path, loaded.format, compiled.subject, tuple(held), diagnostics, len(logs))


def _definition(loaded: Loaded, compiled: Compiled) -> Definition | None:
    """The source of a state machine, from which other nets than the one of `verify` are made."""
    if loaded.format != ASL and compiled.called is None:
        return None
    from placet.conform.asl_source import Definition

    return next((Definition(o.span.source, compiled.subject) for o in compiled.origin.transitions if o.span), None)


def hold_all(
    compiled: Compiled, cases: Iterable[Case], definition: Definition | None = None, budget: int = MOST_MARKINGS
) -> list[Held]:
    """Hold the runs of one log against a subject; `definition` is that of a state machine."""
    from placet.conform.native import Native

    held: list[Held] = []
    if definition is not None:
        for case in cases:
            vocabulary = definition.vocabulary(case) if case.source == STEP_FUNCTIONS else None
            why = "it has too many items for a net" if case.source == STEP_FUNCTIONS else OTHER_KIND
            held.append(Held(case, "unknown", why) if vocabulary is None else hold(case, vocabulary, budget))
        return held
    own = [as_run(case) if case.source == STEP_FUNCTIONS else case for case in cases]
    native = Native(compiled, own) if own else None
    return [hold(case, native, budget) for case in own if native is not None]


OTHER_KIND = (
    "the log is of another kind than the model: a definition of Step Functions is held against its own histories"
)


def exercised(compiled: Compiled, case: Case, budget: int = MOST_MARKINGS) -> tuple[int, ...] | None:
    """A firing sequence that shows a run; None where the run does not conform, or nothing can be said.

    With faults woven in it is one of `compiled`, its budget of faults included; without, of `native.prepared(compiled)`,
    which adds the faults that a run needs behind the transitions of `compiled`. Once a run has ended, what is still on
    its way arrives. Of a state machine nothing is said here: its sequence is one of the net that the history asks for
    (`Held.compiled`).
    """
    held = hold_all(compiled, [case], None, budget)[0]
    if held.verdict != "conforms" or held.compiled is None:
        return None
    return settled(held.compiled, held.sequence, ended=case.complete)


def settled(compiled: Compiled, sequence: Sequence[int], *, ended: bool) -> tuple[int, ...] | None:
    """The sequence and, after its end, what participants still do; None where it does not fire."""
    marking: Marking | None = compiled.initial
    for t in sequence:
        marking = fire(compiled.net, marking, t) if marking is not None else None
    if marking is None:
        return None
    found = list(sequence)
    late = [t for t, role in enumerate(compiled.roles.transitions) if role.kind in _LATE] if ended else []
    for _ in range(MOST_LATE):
        after = next(((t, m) for t in late if (m := fire(compiled.net, marking, t)) is not None), None)
        if after is None:
            break
        found.append(after[0])
        marking = after[1]
    return tuple(found)


_LATE = (Kind.APPLY, Kind.IGNORE, Kind.REFUSE, Kind.ABSORB)
MOST_LATE = 1_000
