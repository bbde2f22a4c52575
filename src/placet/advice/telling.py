"""Advice in words, and its place in a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from placet.report.words import counted

if TYPE_CHECKING:
    from placet.advice.imported import Imported
    from placet.advice.search import Advice
    from placet.ir import model as ir
    from placet.pipeline import Loaded, Options
    from placet.report.report import CheckReport, Report

SMALL = 20_000  # situations: the coverage of larger sagas gets advice only where it is asked for
_SHOWN = 3


def lines(advice: Advice, most: int = _SHOWN) -> list[str]:
    """Sentences: the best single changes, then the cheapest sets with which all is covered."""
    if not advice.missing:
        return []
    found = []
    for effect in advice.single[:most]:
        new = f", but {counted(effect.breaks, 'other is', 'others are')} missed then" if effect.breaks else ""
        alone = effect.covers == advice.missing and not effect.breaks
        covers = (
            "this alone covers all that is missing" if alone else f"covers {effect.covers} of {advice.missing} missing"
        )
        found.append(f"{effect.change.words} -- {covers}{new} (verified)")
    for wanted in [s for s in advice.sets if len(s) > 1][:most]:
        together = "; ".join(c.words for c in wanted)
        found.append(f"all of: {together} -- together they cover all that is missing (verified)")
    promised = next((s for s in advice.sets if any(c.owes for c in s)), ())
    found += [f"a promise needs its test: {c.owes}" for c in promised if c.owes]
    if not advice.sets:
        found.append(_none(advice))
    return found


def _none(advice: Advice) -> str:
    if advice.exhausted:
        return "no set of these promises and policies covers everything"
    return "which sets of changes cover everything was not searched to the end"


def whole(advice: Advice) -> list[str]:
    """Everything: what each change does by itself, then every minimal set, and what the services owe for each."""
    told = ["", "what one change does by itself (each was measured):"]
    for effect in advice.single:
        new = f", but {effect.breaks} others are missed then" if effect.breaks else ""
        alone = effect.covers == advice.missing and not effect.breaks
        covers = "all that is missing" if alone else f"{effect.covers} of {advice.missing}"
        told.append(f"  - {effect.change.words}: covers {covers}{new}")
    if not advice.single:
        told.append("  none covers anything")
    if not advice.sets:
        return [*told, "", _none(advice)]
    count = counted(len(advice.sets), "smallest set") if len(advice.sets) > 1 else "the one smallest set"
    told += ["", f"{count} of changes with which nothing is missing, the cheapest first (each was measured):"]
    for number, wanted in enumerate(advice.sets, start=1):
        for at, change in enumerate(wanted):
            told.append(
                f"{f'{number}.' if not at else '':>5} {change.words}" + (", and" if change != wanted[-1] else "")
            )
    owed = list(dict.fromkeys(c.owes for wanted in advice.sets for c in wanted if c.owes))
    if owed:
        told += ["", "a promise needs its test, run against the service:", *(f"  - {words}" for words in owed)]
    if not advice.exhausted:
        told += ["", "there may be more sets: the search was not finished (`--most`, `--budget-seconds`)"]
    elif advice.assumed:
        words = (
            "these are all, if a promise of a service never makes anything worse; each set above was measured by itself"
        )
        told += ["", words]
    return told


def document(advice: Advice) -> dict[str, Any]:
    """The advice as values that JSON knows."""
    return {
        "missing": advice.missing,
        "single": [
            {
                "change": e.change.id,
                "words": e.change.words,
                "cost": e.change.cost,
                "covers": e.covers,
                "breaks": e.breaks,
            }
            for e in advice.single
        ],
        "sets": [
            {
                "changes": [c.id for c in wanted],
                "words": [c.words for c in wanted],
                "cost": sum(c.cost for c in wanted),
                "contract_tests": [c.owes for c in wanted if c.owes],
            }
            for wanted in advice.sets
        ],
        "exhausted": advice.exhausted,
        "assumes_promises_never_harm": advice.assumed,
        "measured": advice.measured,
    }


def advised(report: Report, loaded: Loaded, options: Options) -> Report:
    """The report with verified advice on every coverage check that fails, where the saga is small."""
    if not any(_wants(c) for m in report.models for c in m.checks):
        return report
    if loaded.format != "placet" or ir_of(loaded.path) is None:
        return report
    models = []
    for m in report.models:
        model = model_of(loaded.path, m.subject) if any(map(_wants, m.checks)) else None
        if model is not None:
            asked = [_with_advice(c, model, m.subject, options) if _wants(c) else c for c in m.checks]
            m = m._replace(checks=tuple(asked))  # noqa: PLW2901
        models.append(m)
    return report._replace(models=tuple(models))


def _wants(check: CheckReport) -> bool:
    return check.coverage is not None and check.outcome == "violated" and check.states <= SMALL


def _with_advice(check: CheckReport, model: ir.Model | Imported, subject: str, options: Options) -> CheckReport:
    from placet.advice.search import advise
    from placet.engines.chosen import named
    from placet.faults.hypothesis import Hypothesis

    found = check.coverage
    if found is None or check.story is None:
        return check
    modes = options.hypothesis.modes if options.hypothesis is not None else "both"
    hypothesis = Hypothesis(found.faults, found.budget, modes)
    allowance = max(20, min(200, 100_000 // max(1, check.states)))
    budget = options.budget._replace(states=4 * SMALL)
    if budget.seconds is not None:
        if check.seconds >= budget.seconds:
            return check
        budget = budget._replace(seconds=budget.seconds - check.seconds)
    advice = advise(model, subject, hypothesis, budget, most=allowance, engine=named(options.engine))
    told = tuple(lines(advice)) if advice is not None else ()
    return check._replace(story=check.story._replace(advice=told or check.story.advice))


def model_of(path: str, subject: str) -> ir.Model | Imported | None:
    """What changes of a subject of a file are tried on: its model, or the definition that it annotates."""
    from placet.advice.imported import Imported
    from placet.project.reading import read
    from placet.sidecar.annotated import known
    from placet.syntax.parser import parse

    source, _ = read(path)
    if source is None:
        return None
    found = known(parse(source)[0], subject) if "annotate" in source.text else None
    return ir_of(path) if found is None else Imported(found)


def ir_of(path: str) -> ir.Model | None:
    """The model of a file in the language; None where it cannot be read any more, or is broken."""
    from placet.compile.resolve import resolve
    from placet.project.reading import read
    from placet.syntax.parser import parse

    source, _ = read(path)
    if source is None:
        return None
    file, problems = parse(source)
    if any(type(item).__name__ == "Import" for item in file.items):
        from placet.project.imports import joined

        file, more = joined(file)
        problems += more
    model, unresolved = resolve(file)
    return None if any(d.severity == "error" for d in (*problems, *unresolved)) else model
