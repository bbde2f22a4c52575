"""A violation told to its reader: one sentence that says what goes wrong, the run, why, and what may be done.

The reader runs workflows and sagas and has never heard of nets: names are the user's, and what a place or a transition
means is said by its phrase.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.evidence import (
    Breaks,
    Cycles,
    Fails,
    Grows,
    Lasso,
    Never,
    NeverHolds,
    NoReturn,
    Pump,
    Reach,
    Reaches,
    RunBreaks,
    Strands,
)
from placet.logic.state import support
from placet.report.advice import advice
from placet.report.amounts import imbalance
from placet.report.impossible import dead_steps
from placet.report.reasons import is_stuck, reasons
from placet.report.report import Story
from placet.report.run import end_name, lasting_effects, make_run, marked_ends, not_given_back, phrase_of, still_open
from placet.report.words import clean, listed, quoted

if TYPE_CHECKING:
    from placet.compiled import Compiled, Query
    from placet.evidence import Violated
    from placet.report.report import WitnessKind
    from placet.report.run import Run

_KINDS: dict[type, WitnessKind] = {
    Reach: "reach",
    Lasso: "lasso",
    NoReturn: "no_return",
    Never: "never",
    Pump: "pump",
}

# What each anomaly of a saga is, as a clause about the saga.
_ANOMALIES = {
    "anomaly_A1": "{saga} is over, but not everything it did was undone",
    "anomaly_A2": "{saga} gives up on a step whose outcome it never learnt, and that step stays in effect",
    "anomaly_A3": "an undo of {saga} runs although there is nothing to undo",
    "anomaly_A4": "a request of {saga} is carried out after its undo",
    "anomaly_A5": "a step of {saga} takes effect twice",
    "anomaly_A6": "an undo of {saga} takes effect twice",
    "anomaly_A7": "{saga} undoes a step while another that builds on it is still in effect",
    "anomaly_A8": "an undo of {saga} fails, and something stays undone",
    "anomaly_A9": "{saga} starts an undo without the reply it needs",
    "anomaly_A10": "{saga} undoes something after it has completed",
    "anomaly_A11": "{saga} turns back after its point of no return",
    "anomaly_A12": "{saga} leaves a parallel step in effect",
    "anomaly_A13": "{saga} is cancelled, and something it did is not undone",
    "anomaly_A14": "{saga} gets stuck",
    "anomaly_A15": "{saga} can go on for ever without settling",
    "anomaly_A16": "{saga} goes on acting after its end",
    "anomaly_A17": "an acknowledgement of {saga} completes the wrong scope",
    "anomaly_A18": "{saga} reports that it is compensated, and is not",
    "anomaly_A19": "{saga} undoes what another run of it has seen or changed",
    "anomaly_A21": "{saga} gives an undo up, since its steps have used up the retries that it shares with them",
    "anomaly_A25": "{saga} reports that it is complete, and is not",
}


def tell(compiled: Compiled, query: Query, violated: Violated) -> Story:
    """The story of a violation. The witness is taken as replayed. O(arcs walked), plus a few hundred situations."""
    if isinstance(violated.claim, RunBreaks | Fails):
        from placet.report.formula_story import tell_formula

        return tell_formula(compiled, query, violated)
    run = make_run(compiled, query, violated)
    return Story(
        _KINDS[type(violated.witness)],
        headline(run),
        run.steps,
        run.loop,
        run.turned,
        tuple(reasons(run)),
        tuple(advice(run)),
    )


def headline(run: Run) -> str:
    """What goes wrong, in one clause."""
    claim = run.violated.claim
    subject = quoted(run.compiled.subject)
    if run.compiled.roles.deliveries:
        from placet.report.messages import headline as of_messages

        words = of_messages(run)
        if words:
            return words
    if run.query.check in _ANOMALIES or isinstance(claim, Breaks):
        return _anomaly(run)
    if run.query.check == "conserved":
        return imbalance(run)
    if isinstance(claim, Grows):
        return f"something piles up in {subject} without limit: {phrase_of(run, claim.place)}"
    if isinstance(claim, Cycles):
        return f"{subject} can go round for ever" + (" and never gets out again" if claim.escape else "")
    if isinstance(claim, NeverHolds):
        return _impossible(run)
    if isinstance(claim, Strands):
        return _stranded(run)
    if isinstance(claim, RunBreaks | Fails):
        from placet.report.about_runs import headline as of_runs

        return of_runs(run)
    return _reached(run, claim)


def _anomaly(run: Run) -> str:
    """The anomaly, with the steps that are left in effect where that is what went wrong."""
    subject = quoted(run.compiled.subject)
    left = lasting_effects(run)
    ends = marked_ends(run.compiled, run.last)
    if (
        run.query.check in ("anomaly_A1", "anomaly_A2", "anomaly_A8", "anomaly_A12", "anomaly_A13", "anomaly_A18")
        and left
    ):
        kept = [name for name, value in left if value > 0]
        lost = [name for name, value in left if value < 0]
        words = []
        if kept:
            words.append(f"{listed(kept)} {'is' if len(kept) == 1 else 'are'} still in effect")
        if lost:
            words.append(f"{listed(lost)} {'was' if len(lost) == 1 else 'were'} undone without ever having been done")
        how = f"ends as {end_name(run.compiled, ends[0])}" if ends else "is over"
        return f"{subject} {how}, but {' and '.join(words)}"
    return _ANOMALIES[run.query.check].format(saga=subject)


def _impossible(run: Run) -> str:
    subject, check = quoted(run.compiled.subject), run.query.check
    if check == "possible":
        return f"this can never come about: {clean(run.query.label)}"
    names = dead_steps(run)
    if names:
        return f"{listed(names)} can never happen in {subject}"
    if check in ("easy_sound", "relaxed_sound"):
        return f"no run of {subject} ever ends properly"
    return f"what {clean(run.query.label)} asks for can never come about"


def _stranded(run: Run) -> str:
    subject, check = quoted(run.compiled.subject), run.query.check
    if check == "home" and run.query.predicate is not None:
        return f"{subject} can get to where there is no way back to this: {_inner(run)}"
    if check == "generalised_sound":
        return f"one run of {subject} may end, but several side by side get to where not all of them can"
    if check in ("reversible", "home"):
        return f"{subject} can get to where there is no way back to its start"
    if check == "live":
        never = sorted(support(run.violated.claim.goal)[1]) if isinstance(run.violated.claim, Strands) else []
        names = [run.compiled.origin.transitions[t].phrase or quoted(run.compiled.net.transitions[t]) for t in never]
        what = listed(list(dict.fromkeys(names)))
        return f"{subject} can get to where this can never happen again: {clean(what)}"
    if is_stuck(run):
        ended = marked_ends(run.compiled, run.last)
        if ended and still_open(run.compiled, run.last):
            return f"{subject} ends while something is still going on, and nothing can finish it"
        if sum(run.last[p] for p in ended) == 1 and not_given_back(run.compiled, run.last):
            return f"{subject} ends and keeps what it has taken"
        if ended:
            return f"{subject} ends more than once"
        return f"{subject} gets stuck: it has not ended, and nothing can happen any more"
    return f"{subject} can get to where it never ends any more"


def _reached(run: Run, claim: Reaches) -> str:
    subject, check = quoted(run.compiled.subject), run.query.check
    ends = marked_ends(run.compiled, run.last)
    if check in ("safe", "bounded"):
        places = sorted(i for i in support(claim.predicate)[0] if i < run.width and run.last[i] > run.query.bound)
        what = f": {phrase_of(run, places[0])}" if places else ""
        times = run.last[places[0]] if places else run.query.bound + 1
        count = "twice" if times == 2 else f"{times} times"
        return f"the same thing is under way {count} at once in {subject}{what}"
    if check == "never":
        return f"what must never happen in {subject} does happen: {_inner(run)}"
    if check in ("deadlock_free", "livelock_free") or (is_stuck(run) and not ends):
        return f"{subject} gets stuck: nothing can happen any more"
    if ends and check in ("proper_completion", "sound", "weak_sound", "generalised_sound"):
        reached = [end_name(run.compiled, p) for p in ends]
        if sum(run.last[p] for p in ends) > 1:
            twice = f"as {listed(reached)}" if len(reached) > 1 else f"as {reached[0]} twice"
            return f"{subject} ends more than once: {twice}"
        if not still_open(run.compiled, run.last) and not_given_back(run.compiled, run.last):
            return f"{subject} ends as {reached[0]} and keeps what it has taken"
        return f"{subject} ends as {reached[0]} while something is still going on"
    return f"{clean(run.query.label)} does not hold"


def _inner(run: Run) -> str:
    """What stands in the parentheses of `never(...)`, behind the name of whom it is asked of."""
    label = run.query.label
    if label.endswith(")") and "(" in label:
        label = label[label.index("(") + 1 : -1].removeprefix(f"{run.compiled.subject}, ")
    return clean(label)
