"""Holding runs against a model: what came out, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from placet.conform.replay import MOST_MARKINGS, Replay

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.conform.meaning import Meaning, Vocabulary
    from placet.conform.observed import Label
    from placet.conform.record import Case, Event

Verdict = Literal["conforms", "violates", "unknown"]
MOST_TOLD = 8  # of what could have come instead


class Held(NamedTuple):
    """One run, held against a model.

    `event` is the first that does not fit, `last` the last one that did, `allowed` what could have come in its place
    (`among`: and more). `sequence` is the firing sequence of the compiled net as far as the run fits.
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
    """Hold one run against a model. Raises nothing; costs markings up to the budget."""
    replay = Replay(vocabulary.tables, budget)
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
        held = held._replace(
            matched=matched,
            aside=aside,
            notes=_notes(case),
            sequence=_sequence(vocabulary, replay),
            compiled=vocabulary.tables.observed.compiled,
        )
        return held if meaning.abstract else _with_allowed(held, replay, vocabulary)
    reason = reading.complete() if case.complete else ""
    held = Held(case, "violates" if reason else "conforms", reason, None, last, (), False, matched, aside, _notes(case))
    return held._replace(sequence=_sequence(vocabulary, replay), compiled=vocabulary.tables.observed.compiled)


def _steps(replay: Replay, meaning: Meaning) -> str:
    """Take what an event shows; why that is not possible, if so."""
    for labels in (meaning.labels, *meaning.then):
        if not replay.step(labels):
            return "the model does not allow this here"
    return ""


def _sequence(vocabulary: Vocabulary, replay: Replay) -> tuple[int, ...]:
    return vocabulary.tables.observed.lift(replay.sequence())


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
