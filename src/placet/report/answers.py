"""An answer of the analyses as an entry of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.evidence import Holds, Violated
from placet.report.report import CheckReport
from placet.report.words import quoted

if TYPE_CHECKING:
    from placet.compiled import Compiled, Query
    from placet.evidence import Verdict

# What a proof of each check says about its subject.
_MEANING = {
    "sound": "{subject} can always end, leaves nothing behind when it does, and has no step that never happens",
    "weak_sound": "{subject} can always end, and leaves nothing behind when it does",
    "relaxed_sound": "every step of {subject} lies on some run that ends properly",
    "easy_sound": "some run of {subject} ends properly",
    "generalised_sound": "any number of runs of {subject} side by side end properly",
    "option_to_complete": "{subject} can always still end",
    "proper_completion": "when {subject} ends, nothing is left going on",
    "no_dead_step": "every step of {subject} can happen",
    "quasi_live": "everything in {subject} can happen",
    "live": "everything in {subject} can always happen again",
    "safe": "nothing in {subject} is under way twice at once",
    "bounded": "nothing in {subject} piles up beyond its bound",
    "deadlock_free": "{subject} never gets stuck",
    "livelock_free": "{subject} never goes round for ever",
    "reversible": "{subject} can always get back to its start",
    "home": "from wherever {subject} gets to, it can get back",
    "anomaly_A1": "whenever {subject} ends as compensated, all it did is undone",
    "conserved": "{subject} neither makes nor loses anything",
    "anomaly_A2": "{subject} leaves no step in effect whose outcome it never learnt",
    "anomaly_A3": "no undo of {subject} takes effect when there is nothing to undo",
    "anomaly_A4": "no request of {subject} is carried out after its undo",
    "anomaly_A5": "no step of {subject} takes effect twice",
    "anomaly_A6": "no undo of {subject} takes effect twice",
    "anomaly_A7": "{subject} undoes nothing that something else still builds on",
    "anomaly_A8": "every failed undo of {subject} is repaired or handed to a person",
    "anomaly_A9": "no undo of {subject} is asked for without the reply it needs",
    "anomaly_A10": "{subject} undoes nothing once it has completed",
    "anomaly_A11": "{subject} never turns back after its point of no return",
    "anomaly_A12": "{subject} leaves no parallel step in effect",
    "anomaly_A13": "{subject} undoes everything when it is cancelled",
    "anomaly_A14": "{subject} never gets stuck",
    "anomaly_A15": "{subject} never goes round for ever",
    "anomaly_A16": "{subject} does nothing after its end",
    "anomaly_A17": "every reply completes the call of {subject} that it answers",
    "anomaly_A19": "{subject} undoes nothing that another run of it has seen or changed",
    "anomaly_A18": "when {subject} says that it is compensated, it is",
    "anomaly_A21": "no undo of {subject} is given up because its steps have used the retries up",
    "anomaly_A24": "recorded runs have exercised what {subject} owes",
    "anomaly_A25": "when {subject} says that it is complete, it is",
    "coverage": "{subject} survives every fault that is allowed for",
    "all_consumed": "every message of {subject} is read or put aside",
    "no_orphan": "every message that {subject} publishes has a reader",
    "no_event_loop": "no message of {subject} brings itself about",
    "no_dead_handler": "every handler of {subject} can run",
    "handled_once": "no message of {subject} is handled twice",
    "no_dual_write": "what {subject} stores and the messages about it come together",
    "anomaly_A20": "what {subject} stores and the messages about it come together",
    "anomaly_A22": "every message of {subject} is read or put aside",
    "anomaly_A23": "the messages of {subject} come to rest, and none is left",
    "never": "it never happens",
    "possible": "it can happen",
    "ctl": "it holds in {subject}",
    "ltl": "it holds on every run of {subject}",
}


def report_check(compiled: Compiled, query: Query, verdict: Verdict, seconds: float = 0.0) -> CheckReport:
    """The entry of one answer; a violation is told as a story. The witness is taken as replayed."""
    subject = quoted(compiled.subject)
    entry = CheckReport(
        query.check,
        query.label or f"{query.check}({compiled.subject})",
        "proved",
        _MEANING.get(query.check, "it holds").format(subject=subject),
        verdict.proof.engine,
        verdict.proof.states,
        verdict.proof.edges,
        seconds,
        query.span,
        verdict.assumptions,
        argument=verdict.proof.argument,
        reductions=verdict.proof.reductions,
        sentence=query.sentence,
        verdict=verdict,
    )
    if isinstance(verdict, Holds):
        return entry._replace(vacuous=verdict.vacuous, note=verdict.note)
    if isinstance(verdict, Violated):
        from placet.report.story import tell

        story = tell(compiled, query, verdict)
        return entry._replace(outcome="violated", message=story.headline, story=story)
    return entry._replace(
        outcome="inconclusive",
        message=verdict.reason,
        budget=verdict.budget,
        limit=verdict.limit,
        option=verdict.option,
    )
