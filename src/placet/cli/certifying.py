"""From a report to a certificate, and from a certificate back to the questions that it answers."""

from __future__ import annotations

import sys
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import click

from placet.errors import UsageError
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.certificate.form import Certificate
    from placet.certificate.meaning import More, Question
    from placet.certificate.measured import Owed
    from placet.compiled import Compiled, Query
    from placet.evidence import Verdict
    from placet.pipeline import Loaded, Options
    from placet.report.report import CheckReport, Report

UNASKED = "there was nothing to search for"


def certify(report: Report, options: Options) -> Certificate:
    """The evidence for every check of a report. Raises EvidenceError where what was found does not show a verdict."""
    from placet.certificate.make import NOT_DECIDED, Making
    from placet.compiled import Compiled
    from placet.pipeline import Uncollected, groups

    making = Making(_written(options))
    for model in report.models:
        if model.compiled is None:
            continue
        told: set[int] = set()
        for numbers, group, measured in groups(model.compiled):
            asked = _asked(group, options, measured=measured)
            for place, n in enumerate(numbers):
                check = model.checks[n]
                told.add(n)
                if not isinstance(asked, Compiled) or check.verdict is None:
                    making.none(group, group.queries[place], n, check.outcome, UNASKED)
                    continue
                with Uncollected():
                    if measured:
                        making.measured(asked, asked.queries[place], n, check.verdict, _counts(check))
                    else:
                        query = asked.queries[place]
                        making.add(asked, query, n, check.verdict, _more(group, query, options))
        for n, query in enumerate(model.compiled.queries):
            if n not in told:
                making.none(model.compiled, query, n, "inconclusive", NOT_DECIDED)
    return making.certificate()


def _asked(group: Compiled, options: Options, *, measured: bool) -> Compiled | Verdict:
    """The net that a group of checks is asked of, with the faults that they ask for; or the answer to all of them."""
    from placet.pipeline import asked_of, measured_net

    return measured_net(group, options) if measured else asked_of(group, options)


def _more(group: Compiled, query: Query, options: Options) -> More | None:
    """The nets with more faults under which a step is no dead one, for the checks that leave it aside."""
    from placet.analysis.more_faults import ASKED
    from placet.pipeline import with_faults

    return cache(partial(with_faults, group, options)) if query.check in ASKED else None


def _counts(check: CheckReport) -> tuple[int, int] | None:
    """How many obligations there are and are covered, where all were counted."""
    found = check.coverage
    return (found.feasible, found.covered) if found is not None and found.complete else None


def certified(report: Report, options: Options, path: str) -> int:
    """Write the evidence of a report, which was told before; gives 0, or the exit status where it could not be written."""
    from placet.certificate.form import lines
    from placet.cli.failures import unwritten

    if not any(model.checks for model in report.models):
        return 0  # the model is broken, as the report says
    made = certify(report, options)
    try:
        with open(path, "w", encoding="utf-8", newline="\n") as file:  # noqa: PTH123
            file.writelines(lines(made))
    except OSError as problem:
        return unwritten(path, problem)
    bare = [entry for entry in made.entries if entry.none]
    if bare:
        count = len(made.entries)
        print(f"`{path}` has no evidence for {len(bare)} of {count} checks:", file=sys.stderr)
        for entry in bare:
            print(f"  {entry.label}: {entry.none}", file=sys.stderr)
    return 0


def one_file(files: tuple[str, ...] | list[str], output: str | None) -> None:
    """A certificate is about one model."""
    if output and len(files) != 1:
        found = f"there are {len(files)}" if files else "there is none"
        raise click.BadParameter(f"a certificate is about one model, and {found}", param_hint="--certificate")


def _written(options: Options) -> dict[str, Any]:
    """The options that decide what is asked of which net."""
    hypothesis = options.hypothesis
    return {
        "checks": list(options.checks),
        "final": options.final,
        "closed": options.closed,
        "faults": None if hypothesis is None else hypothesis._asdict(),
    }


def options_of(certificate: Certificate) -> Options:
    """The options of a certificate. Raises UsageError where they make no sense."""
    from placet.faults.hypothesis import Hypothesis, checked
    from placet.pipeline import Options

    said = certificate.options
    checks, final, closed, faults = (said.get(key) for key in ("checks", "final", "closed", "faults"))
    if not isinstance(checks, list) or not all(isinstance(c, str) for c in checks):
        raise UsageError("the certificate names its checks wrongly")
    if final not in ("", "any-sink") or not isinstance(closed, bool) or not isinstance(faults, dict | None):
        raise UsageError("the options of the certificate make no sense")
    hypothesis = None
    if faults is not None:
        try:
            hypothesis = Hypothesis(**{**faults, "faults": tuple(faults["faults"])})
            hypothesis = checked(hypothesis)
        except (KeyError, TypeError):
            raise UsageError("the faults of the certificate make no sense") from None
    return Options(checks=tuple(checks), final=str(final), closed=closed, hypothesis=hypothesis)


class Asked(NamedTuple):
    """A check and the net that it is asked of; whether it is measured, as what a saga owes under faults is."""

    compiled: Compiled
    query: Query
    measured: bool
    more: More | None = None

    def meaning(self) -> Question | Owed | str:
        """What it asks, or why no certificate can say so."""
        from placet.certificate.meaning import question
        from placet.certificate.measured import owed

        if self.measured:
            return owed(self.compiled, self.query)
        found = question(self.compiled, self.query)
        return found if isinstance(found, str) else found._replace(more=self.more)


def questions_of(loaded: Loaded, options: Options) -> dict[tuple[str, int], Asked | None]:
    """By subject and position every check that the model is asked, with its net; None for those that no net is searched for."""
    from placet.compiled import Compiled
    from placet.pipeline import groups, prepare

    found: dict[tuple[str, int], Asked | None] = {}
    for compiled in loaded.compiled:
        prepared = prepare(compiled, options)
        found.update({(prepared.subject, n): None for n in range(len(prepared.queries))})
        for numbers, group, measured in groups(prepared):
            asked = _asked(group, options, measured=measured)
            if not isinstance(asked, Compiled):
                continue
            for place, n in enumerate(numbers):
                query = asked.queries[place]
                more = None if measured else _more(group, query, options)
                found[prepared.subject, n] = Asked(asked, query, measured, more)
    return found
