"""`placet replay REPORT`: the runs of a report, held against the models once more."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from placet.cli import exit_codes
from placet.cli.group import debug_option
from placet.errors import EvidenceError, UsageError

if TYPE_CHECKING:
    from placet.compiled import Compiled, Query
    from placet.evidence import Trace, Violated
    from placet.logic.state import Predicate

MOST = 256 << 20  # bytes of a report
GONE = "the model is not asked this any more"


class Undecided(str):
    """Why one run says neither that a check is violated nor that it is not."""

    __slots__ = ()


_MEASURED = Undecided("it counts obligations over all runs, of which this run breaks one")
_OTHERS = Undecided("this can still happen; whether the check is violated depends on the other runs too")
_PART = Undecided("this can still happen; that a fair run goes round so needs a longer loop than the report shows")


@debug_option
@click.command()
@click.argument("report", type=click.Path())
@click.option("-q", "--quiet", is_flag=True, help="Print the last line only.")
def command(report: str, *, quiet: bool) -> int:
    """Replay the counterexamples of a report that `placet verify --format json` wrote.

    The models are read and compiled again, as they are now; each run is fired step by step, and what it should show is
    asked of where it ends. Checks that are about many runs together, such as `ctl` and `coverage`, are not decided by one
    run; they are named.

    \b
    Exit status
      0  every run that decides its check shows what it should
      1  one does not, such as after the model was mended
      2  usage, no report, a broken model, or nothing to replay
      3  no check of the report is decided by one run
    """  # noqa: D301 - click needs the character itself
    try:
        found = _replayed(_document(report))
    except UsageError as problem:
        print(f"error: `{report}` cannot be replayed: {problem}", file=sys.stderr)
        return exit_codes.UNUSABLE
    good = sum(1 for _, _, why, _ in found if not why)
    open_ = [label for label, _, why, _ in found if isinstance(why, Undecided)]
    for label, path, why, steps in () if quiet else found:
        said = "cannot decide it" if isinstance(why, Undecided) else "does not show it" if why else "shows it"
        click.echo(f"{said:18}{label} in {path}{f': {why}' if why else ''}")
        for number, phrase in enumerate(steps, 1):
            click.echo(f"  {number:3}  {phrase}")
    if not found:
        click.echo("there is nothing to replay: no check of the report is violated")
        return exit_codes.UNUSABLE
    decided = len(found) - len(open_)
    if open_:
        many = "checks are" if len(open_) > 1 else "check is"
        click.echo(f"{len(open_)} {many} not decided by one run: {', '.join(open_)}")
    if not decided:
        return exit_codes.INCONCLUSIVE
    click.echo(f"{good} of {decided} counterexample{'s' if decided > 1 else ''} replayed")
    return exit_codes.PROVED if good == decided else exit_codes.VIOLATED


def _document(path: str) -> dict[str, Any]:
    """The report. Raises UsageError where it is none."""
    import json

    if os.path.getsize(path) > MOST:  # noqa: PTH202
        raise UsageError(f"it is larger than {MOST >> 20} MB")
    with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        try:
            found = json.load(file)
        except (ValueError, RecursionError):
            raise UsageError("it is not JSON") from None
    if not isinstance(found, dict) or found.get("schema") != "placet.verify/1":
        raise UsageError("it is not what `placet verify --format json` writes")
    return found


def _replayed(document: dict[str, Any]) -> list[tuple[str, str, str, list[str]]]:
    """For each counterexample: the check, the file, why it shows nothing (or nothing), and its steps in words."""
    found = []
    try:
        for model in document["models"]:
            for check in model["checks"]:
                story = check["counterexample"]
                if story is None:
                    continue
                steps = [str(step["phrase"]) for step in story["steps"] if step.get("shown", True)]
                found.append((str(check["label"]), str(model["path"]), _one(model, check, story), steps))
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        if isinstance(problem, UsageError):
            raise
        raise UsageError("it is not as a report is") from None
    return found


def _one(model: dict[str, Any], check: dict[str, Any], story: dict[str, Any]) -> str:
    """Why a counterexample does not show what it should; empty where it does."""
    asked = _asked(model, check)
    if isinstance(asked, str):
        return asked
    compiled, query = asked
    numbers = {name: t for t, name in enumerate(compiled.net.transitions)}
    trace = []
    for place, step in enumerate(story["steps"], 1):
        t = numbers.get(step.get("transition"))
        if t is None:
            return f"the model has no step {place} of it any more"
        trace.append(t)
    try:
        return _shown(compiled, query, story, tuple(trace))
    except EvidenceError as problem:
        return str(problem)


def _asked(model: dict[str, Any], check: dict[str, Any]) -> tuple[Compiled, Query] | str:
    """The net and the query of a check, from the model as it is now; or why there is none."""
    from placet.cli.certifying import questions_of
    from placet.faults.hypothesis import Hypothesis, checked
    from placet.pipeline import Options, load, prepare

    rests = check["assumptions"]
    hypothesis = checked(Hypothesis(tuple(rests["faults"]), rests["fault_budget"])) if rests["faults"] else None
    options = Options(
        final=rests["final"] or "",
        closed=rests["environment"] == "closed",
        hypothesis=hypothesis,
        checks=(check["id"],),
    )
    loaded = load(model["path"], options)
    if loaded.broken:
        return "the model is broken"
    for (subject, _), question in questions_of(loaded, options).items():
        if question is None or question.measured or subject != model["subject"]:
            continue
        if question.query.label == check["label"]:
            return question.compiled, question.query
    for compiled in loaded.compiled:
        if compiled.subject == model["subject"]:
            asked = prepare(compiled, options).queries
            return next((_MEASURED for query in asked if query.label == check["label"]), GONE)
    return GONE


def _shown(compiled: Compiled, query: Query, story: dict[str, Any], fired: Trace) -> str:
    from placet.analysis.replay import replay, run
    from placet.certificate.meaning import question
    from placet.evidence import (
        Certificate,
        Grows,
        Lasso,
        Never,
        NeverHolds,
        NoReturn,
        Proof,
        Pump,
        Reach,
        Reaches,
        RunBreaks,
        Strands,
        Violated,
    )

    loop, turned = story["loop"], story["turned"]
    trace = fired[: loop if loop is not None else turned + 1 if turned is not None else 0]
    asked = question(compiled, query)
    if isinstance(asked, str):
        return Undecided(asked)
    net = asked.compiled
    again = () if loop is None else fired[loop:]
    if story["kind"] == "lasso" and run(net, run(net, net.start, trace), again) != run(net, net.start, trace):
        return "its loop does not lead back"

    def claim(predicate: Predicate) -> Violated:
        if story["kind"] == "reach":
            return Violated(Reaches(predicate), Reach(trace), Proof(""))
        if story["kind"] == "never":
            return Violated(NeverHolds(predicate), Never(Certificate("closed set")), Proof(""))
        return Violated(Strands(predicate), NoReturn(trace, 0), Proof(""))

    kind = {"reach": "never", "never": "some", "no_return": "again", "lasso": "again"}.get(story["kind"])
    why: str = _OTHERS
    run(net, run(net, net.start, trace), fired[len(trace) :])
    if story["kind"] == "pump":
        tries = [Violated(Grows(p), Pump(trace, again), Proof("")) for p in range(len(net.net.places))]
    else:
        tries = [claim(o.predicate) for o in asked.obligations if o.kind == kind and not o.through]
        whole = Lasso(trace, again) if again else Reach(fired)
        tries += [
            Violated(RunBreaks(o.formula, o.fairness), whole, Proof("")) for o in asked.obligations if o.kind == "ltl"
        ]
    for violated in tries:
        try:
            replay(net, violated)
        except EvidenceError as problem:
            why = _PART if _unfair(net, violated) else str(problem)
        else:
            return ""
    return why


def _unfair(net: Compiled, violated: Violated) -> bool:
    """Whether the run breaks the formula, and only its loop is not fair."""
    from placet.analysis.replay import replay
    from placet.evidence import RunBreaks

    if not isinstance(violated.claim, RunBreaks):
        return False
    try:
        replay(net, violated._replace(claim=violated.claim._replace(fairness="nothing")))
    except EvidenceError:
        return False
    return True
