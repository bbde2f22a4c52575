"""Holding runs against a model: what came out, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from placet.conform.replay import MOST_KEPT, MOST_MARKINGS, Replay
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.conform.meaning import Meaning, Vocabulary
    from placet.conform.observed import Label
    from placet.conform.record import Case, Event

Verdict = Literal["conforms", "violates", "unknown"]
FEW = 64  # markings that are kept at first
MOST_TOLD = 8  # of what could have come instead


class Held(NamedTuple):
    """One run, held against a model.

    `event` is the first that does not fit, `last` the last one that did, `allowed` what could have come in its place
    (`among`: and more). `sequence` is a firing sequence of `compiled` that shows the run, where it conforms.
    """

    case: Case
    verdict: Verdict
    reason: str = ""
    event: Event | None = None
    last: Event | None = None
    allowed: tuple[str, ...] = ()
    among: bool = False
    matched: int = 0  # events that were looked at and fitted
    aside: int = 0  # events that say nothing about the model
    notes: tuple[str, ...] = ()
    sequence: tuple[int, ...] = ()
    compiled: Compiled | None = None  # the net that it is a sequence of


def hold(case: Case, vocabulary: Vocabulary, budget: int = MOST_MARKINGS) -> Held:
    """Hold one run against a model. Raises nothing; costs markings up to the budget.

    What a smaller net refuses is refused at once. Then few of the markings are kept that the run can have led to, which
    finds a firing sequence of nearly every run that has one; and where it does not, all of them.
    """
    held: Held | None = None
    for tables, width in ((vocabulary.quick, MOST_KEPT), (vocabulary.tables, FEW), (vocabulary.tables, MOST_KEPT)):
        if tables is None:
            continue
        replay = Replay(tables, budget, width)
        found = _hold(case, vocabulary, replay)
        if tables is vocabulary.quick:
            if found.verdict == "violates" and not replay.cut:
                return found
            continue
        held = found
        if held.event is None or not replay.cut:
            return held
    assert held is not None
    if held.verdict == "violates":
        return held._replace(verdict="unknown", reason=f"the run can have led to more than {MOST_KEPT:,} markings")
    return held


def _hold(case: Case, vocabulary: Vocabulary, replay: Replay) -> Held:
    reading = vocabulary.reading()
    last: Event | None = None
    matched = aside = 0
    for event in case.events:
        meaning = reading.of(event)
        if meaning.aside:
            aside += 1
            continue
        reason = meaning.abstract or meaning.foreign or _steps(replay, meaning)
        if not reason:
            matched, last = matched + 1, event
            continue
        unknown = bool(meaning.abstract or replay.exhausted)
        held = Held(case, "unknown" if unknown else "violates", replay.exhausted or reason, event, last)
        held = held._replace(matched=matched, aside=aside, notes=_notes(case))
        return held if meaning.abstract else _with_allowed(held, replay, vocabulary)
    held = Held(case, "conforms", "", None, last, (), False, matched, aside, _notes(case))
    observed = replay.tables.observed
    return held._replace(sequence=observed.lift(replay.sequence()), compiled=observed.compiled)


def _steps(replay: Replay, meaning: Meaning) -> str:
    """Take what an event shows; why that is not possible, if so."""
    for labels in (meaning.labels, *meaning.then):
        if not replay.step(labels):
            return "the model does not allow this here"
    return ""


def _with_allowed(held: Held, replay: Replay, vocabulary: Vocabulary) -> Held:
    labels, whole = replay.allowed()
    told: dict[str, None] = {}
    for label in sorted(labels, key=_rank):
        words = vocabulary.says(label)
        if words:
            told[words] = None
    return held._replace(allowed=tuple(told)[:MOST_TOLD], among=not whole or len(told) > MOST_TOLD)


def _rank(label: Label) -> tuple[bool, str, str]:
    """Ends last."""
    return label.what == "ended", label.name, label.what


def _notes(case: Case) -> tuple[str, ...]:
    notes = case.problems
    if not case.complete:
        notes = (*notes, "the log stops before the run was over; it was held against the model as far as it goes")
    return notes
