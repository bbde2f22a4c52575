"""The words of coverage: what each kind of fault, each family of obligations and each phase is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.coverage import anomalies
from placet.report.words import clean, quoted, short

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.coverage.measure import Measured
    from placet.coverage.obligations import Cause, Coverage, Obligation
    from placet.source import Span

# The columns of the matrix.
KINDS = {
    "reject": "refused",
    "partial": "error, yet done",
    "lost": "lost",
    "slow": "late",
    "undo-fail": "undo fails",
    "undo-slow": "undo late",
    "undo-lost": "undo lost",
    "duplicate": "twice",
    "cancel": "cancelled",
    "crash": "crash",
}

# How far a step had got, as what is said of it.
_GOT = {
    "not started": "had not started",
    "refused": "had been refused",
    "applied, not acknowledged": "was applied but not acknowledged",
    "applied, acknowledged": "was applied and acknowledged",
}

# What is wrong where an obligation of a family is broken, as a clause about the step and its undo.
BROKEN = {
    "BALANCE": "in the end {step} is done, or undone, more often than {saga} reports",
    "TERM": "{saga} never comes to an end",
    anomalies.NOT_UNDONE: "{saga} has ended, {step} is not undone, and nobody was called",
    anomalies.NOT_COMPLETE: "{saga} reports that it is complete, but {step} is not in effect exactly once",
    anomalies.SAYS_COMPENSATED: "{saga} reports that it is compensated, but {step} is not undone exactly",
    anomalies.UNDO_OF_NOTHING: "{undo} takes effect though {step} never did",
    anomalies.UNDO_TWICE: "{undo} takes effect twice",
    anomalies.ACTS_AFTER_END: "{saga} goes on with {step} after its end",
    anomalies.UNDONE_LATE: "{saga} has completed, and {undo} goes on",
    anomalies.WRONG_SCOPE: "{saga} takes the reply to another call for the one that {step} waits for",
    anomalies.ISOLATION: "{step} is undone after another run has seen or changed what it did",
    anomalies.RETRIES: "{undo} is given up, since steps of {saga} have used up the retries that it shares with them",
    anomalies.STUCK: "nothing can happen any more, and {saga} has not ended",
    anomalies.LIVELOCK: "{saga} goes round for ever without ending",
    "ONCE": "{step} takes effect twice",
    "NULL": "{undo} takes effect though there is nothing to undo",
    "LATE": "{step} is carried out after its undo",
    "ORDER": "{step} is undone while a step that builds on it is still in effect",
    "INPUT": "{undo} is asked for without the reply of {step} that it needs",
    "PIVOT": "{saga} turns back although {step}, its point of no return, has happened",
    "UNDO-FAIL": "{undo} fails, and what it leaves behind is neither repaired nor handed to a person",
}


def broken(measured: Measured, family: str, step: str) -> str:
    """What is wrong, as a clause."""
    undo = next((s.undo for s in measured.ghosts.steps if s.id == step), "")
    name = quoted(short(step)) if step else ""
    return BROKEN[family].format(
        step=name, undo=quoted(undo) if undo else f"the undo of {name}", saga=quoted(measured.compiled.subject)
    )


def span_of(compiled: Compiled, step: str) -> Span | None:
    """Where a step stands; None where that is not known. Linear in transitions."""
    roles, origins = compiled.roles.transitions, compiled.origin.transitions
    return next((o.span for r, o in zip(roles, origins, strict=True) if step and r.step == step and o.span), None)


def scenario(coverage: Coverage, obligation: Obligation) -> str:
    """The faults in order, and how far the step had got: `the request for `car` is slow; by then `car` was on its way`.

    That was when the saga gave up, or after the last fault where it never did.
    """
    words = ", then ".join(cause_words(coverage.causes[f]) for f in obligation.faults) or "the saga gives up by itself"
    if not obligation.step:
        return words
    got = _GOT.get(obligation.phase, f"was {obligation.phase}")
    return f"{words}; by then {quoted(short(obligation.step))} {got}"


def cause_words(cause: Cause) -> str:
    """What happens, with the attempt where it is not the first."""
    more = f" (attempt {cause.attempt})" if cause.attempt > 1 else ""
    return clean(cause.words) + more


def percent(part: int, whole: int) -> str:
    """As `98.3 %`, never rounded up to 100."""
    if part == whole:
        return "100 %"
    return f"{min(999, 1000 * part // whole) / 10:.1f} %"
