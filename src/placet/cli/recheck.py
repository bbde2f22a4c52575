"""`placet recheck MODEL CERTIFICATE`: evidence checked again, by somebody who does not know who made it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from placet.cli import exit_codes
from placet.cli.group import debug_option

if TYPE_CHECKING:
    from placet.certificate.form import Certificate, Entry
    from placet.pipeline import Loaded


@debug_option
@click.command()
@click.argument("model", type=click.Path())
@click.argument("certificate", type=click.Path())
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to report.")
@click.option("-q", "--quiet", is_flag=True, help="Print the last line only.")
def command(model: str, certificate: str, form: str, *, quiet: bool) -> int:
    """Check a certificate that `placet verify MODEL --certificate FILE` wrote.

    The model is compiled again, and the evidence is held against it by the firing rule alone, without the search
    and the reductions that found it.

    \b
    Exit status
      0  accepted
      1  refused
      2  usage, an unreadable or broken model or certificate, or one without any evidence
    """  # noqa: D301 - click needs the character itself
    from placet.certificate.form import FormError, read
    from placet.cli.certifying import options_of
    from placet.errors import ModelError, UsageError
    from placet.pipeline import load

    try:
        given = read(certificate)
        options = options_of(given)
    except (FormError, UsageError) as problem:
        print(f"error: `{certificate}` cannot be used: {problem}", file=sys.stderr)
        return exit_codes.UNUSABLE
    loaded = load(model, options)
    if loaded.broken:
        raise ModelError(loaded.diagnostics)
    found = _judged(loaded, given)
    refused = [row for row in found if row["result"] == "refused"]
    accepted = [row for row in found if row["result"] == "accepted"]
    if form == "json":
        import json

        word = "refused" if refused else "accepted" if accepted else "no evidence"
        document = {"schema": "placet.recheck/1", "model": model, "verdict": word, "checks": found}
        click.echo(json.dumps(document, indent=2))
    else:
        _tell(found, (model, certificate), quiet=quiet)
    if refused:
        return exit_codes.VIOLATED
    return exit_codes.PROVED if accepted else exit_codes.UNUSABLE


def _judged(loaded: Loaded, given: Certificate) -> list[dict[str, Any]]:
    """What becomes of each entry, and of each check that the certificate says nothing of."""
    from placet.certificate.recheck import Checker
    from placet.cli.certifying import options_of, questions_of

    asked = questions_of(loaded, options_of(given))
    checker = Checker(given)
    found = []
    for entry in given.entries:
        place = (entry.subject, entry.query)
        result, why = _one(checker, entry, asked.pop(place, "absent"))
        found.append(_row(entry.label, entry.verdict, result, why, _by(given, entry) if result == "accepted" else ""))
    for (subject, number), question in asked.items():
        label = question.query.label if question is not None else f"check {number + 1} of {subject}"
        found.append(_row(label, "", "refused", "the certificate says nothing of it, or says it twice"))
    return found


def _row(label: str, verdict: str, result: str, why: str, by: str = "") -> dict[str, Any]:
    return {"label": label, "verdict": verdict or None, "result": result, "reason": why or None, "by": by or None}


def _one(checker: Any, entry: Entry, question: Any) -> tuple[str, str]:  # noqa: ANN401 - see `_judged`
    from placet.certificate.recheck import RefusedError

    if question == "absent":
        return "refused", "the model is not asked this, or it says it twice"
    if entry.none:
        return "no evidence", entry.none
    if question is None:
        return "refused", "no evidence can show this"
    query = question.query
    if (entry.check, entry.label) != (query.check, query.label):
        return "refused", f"here the model is asked `{query.label}`"
    asked = question.meaning()
    if isinstance(asked, str):
        return "refused", asked
    try:
        checker.check(asked, entry)
    except RefusedError as problem:
        return "refused", str(problem)
    return "accepted", ""


def _tell(found: list[dict[str, Any]], files: tuple[str, str], *, quiet: bool) -> None:
    for row in () if quiet else found:
        why = f": {row['reason']}" if row["reason"] else f", by {row['by']}" if row["by"] else ""
        click.echo(f"{row['result']:12}{row['verdict'] or '':14}{row['label']}{why}")
    if not quiet and found:
        click.echo("")
    click.echo(_last_line(found, files))


def _last_line(found: list[dict[str, Any]], files: tuple[str, str]) -> str:
    """What is so, what is refused and what has no evidence, and what to do."""
    from placet.report.words import counted

    shown = [row["verdict"] for row in found if row["result"] == "accepted"]
    refused = sum(row["result"] == "refused" for row in found)
    bare = len(found) - len(shown) - refused
    verdicts = ", ".join(f"{shown.count(v)} {v}" for v in ("proved", "violated") if v in shown)
    parts = [f"what it says of {counted(len(shown), 'check')} is so ({verdicts})"] if shown else []
    if bare:
        parts.append(f"of {bare} it has no evidence" if parts else f"it has no evidence for {counted(bare, 'check')}")
    if refused:
        parts.insert(0, f"{counted(refused, 'check')} of {len(found)} not shown")
        parts.append(
            f"if the model has changed since, `placet verify {files[0]} --certificate {files[1]}` makes it anew"
        )
    word = "refused" if refused else "accepted" if shown else "nothing is shown"
    return f"{word}: {'; '.join(parts) if parts else 'the model asks nothing'}"


def _by(given: Certificate, entry: Entry) -> str:
    """What the evidence of an entry is, in a few words."""
    from placet.report.words import counted

    shown = [one for one in entry.evidence if isinstance(one, dict)]
    sets = {one["set"]: len(given.sets[one["set"]].rows) for one in shown if "set" in one}
    steps = [one["steps"] for one in shown if "run" in one and "more" not in one]
    more = sum("more" in one for one in shown)
    longest = f"{counted(len(steps), 'run')} of up to {counted(max(steps, default=0), 'step')}"
    owed = "".join(f"{one.get('covered')} of {one['feasible']} obligations in " for one in shown if "feasible" in one)
    parts = (
        (bool(sets), f"{owed}{' and '.join(counted(n, 'situation') for n in sets.values())}"),
        (any("diagram" in one for one in shown), "a diagram of all situations"),
        (any("dwindles" in one for one in shown), "a sum that dwindles"),
        (any("weights" in one for one in shown), "sums of tokens"),
        (any("least" in one for one in shown), "least situations"),
        (any("siphon" in one for one in shown), "places that nothing fills"),
        (len(steps) == 1, f"a run of {counted(max(steps, default=0), 'step')}"),
        (len(steps) > 1, longest),
        (more > 0, f"{counted(more, 'run')} with more faults"),
    )  # fmt: skip
    return ", ".join(words for is_so, words in parts if is_so)
