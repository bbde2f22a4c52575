"""Logs against a model: which vocabulary a run speaks, and what came out for each run of each log."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from placet.conform.hold import Held, hold
from placet.conform.replay import MOST_MARKINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from placet.compiled import Compiled
    from placet.conform.meaning import Vocabulary
    from placet.conform.record import Case, Log
    from placet.diagnostics import Diagnostic
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
    held: list[Held] = []
    for log in logs:
        held += hold_all(loaded.format, compiled, log.cases, budget)
    diagnostics = tuple(d for log in logs for d in log.diagnostics)
    return Conformance(loaded.path, loaded.format, compiled.subject, tuple(held), diagnostics, len(logs))


def hold_all(form: str, compiled: Compiled, cases: Iterable[Case], budget: int = MOST_MARKINGS) -> list[Held]:
    """Hold the runs of one log against a subject."""
    from placet.conform.native import Native

    cases = list(cases)
    held: dict[int, Held] = {}
    native = [n for n, case in enumerate(cases) if form != ASL and case.source != "step functions"]
    if native:
        vocabulary: Vocabulary = Native(compiled, [cases[n] for n in native])
        for n in native:
            held[n] = hold(cases[n], vocabulary, budget)
    for n, case in enumerate(cases):
        if n not in held:
            why = f"the log is of another kind than the model: {_KINDS[case.source]}"
            held[n] = Held(case, "unknown", why)
    return [held[n] for n in range(len(cases))]


_KINDS = {
    "step functions": "a Step Functions history is held against the definition of its state machine",
    "temporal": "a Temporal history is held against a workflow or saga of the language",
    "runs": "recorded runs of this form are held against a workflow or saga of the language",
}


def exercised(compiled: Compiled, case: Case, form: str = "", budget: int = MOST_MARKINGS) -> tuple[int, ...] | None:
    """A firing sequence of the net that shows a run; None where the run does not conform, or nothing can be said.

    The sequence is one of `compiled` itself where no faults had to be woven in for it; the transitions that weaving adds
    stand behind those of `compiled`, whose numbers stay the same.
    """
    held = hold_all(form, compiled, [case], budget)[0]
    return held.sequence if held.verdict == "conforms" else None
