"""The main path: load, parse, resolve, compile, weave faults, decide (and replay), report. Every command starts here."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, TypeAlias

from placet.errors import ModelError, UsageError
from placet.evidence import Budget, Inconclusive, NeverHolds, Violated
from placet.report.report import ModelReport, Report
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from placet.compiled import Compiled, Query
    from placet.diagnostics import Diagnostic
    from placet.engines.protocol import Progress
    from placet.evidence import Verdict
    from placet.faults.hypothesis import Hypothesis
    from placet.net.core import Marking, Net
    from placet.report.report import CheckReport
    from placet.simulate.simulator import Run
    from placet.source import SourceFile

    Target: TypeAlias = "str | Path | Loaded | Compiled | tuple[Net, Marking]"


class Options(NamedTuple):
    """What a run may be told; the defaults are those of the command line."""

    checks: tuple[str, ...] = ()  # check ids; empty: what the model asks, or the standard ones of its kind
    budget: Budget = Budget()
    hypothesis: Hypothesis | None = None  # for checks that name no faults themselves; None: the default
    reduce: bool = True
    engine: str | None = None
    final: str = ""  # a variant of the final markings, such as `any-sink`
    closed: bool = False  # nothing arrives from outside
    strict: bool = False  # a bound that nothing justifies makes a proof inconclusive
    progress: Progress | None = None
    instead: bool = (
        False  # it counts for those that do too: whoever names checks and faults means these checks under these faults
    )


DEFAULTS = Options()


class Uncollected:
    """The cyclic garbage collector rests while this is entered, unless it was off already.

    What the stages build is trees and tables without cycles, so that nothing could be collected, and walking them again
    and again takes up to half of the time of a large model. It is entered here and nowhere below.
    """

    def __enter__(self) -> None:
        """Switch it off."""
        self._was = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        """Switch it on again, where it was on."""
        if self._was:
            gc.enable()


class Loaded(NamedTuple):
    """A file and what it compiled to: one `Compiled` for each subject, none where a diagnostic is an error."""

    path: str
    format: str
    compiled: tuple[Compiled, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def broken(self) -> bool:
        """Some diagnostic is an error."""
        return any(d.severity == "error" for d in self.diagnostics)


def load(path: str | Path, options: Options = DEFAULTS) -> Loaded:
    """Read and compile a file. Whatever it holds, and whether or not it can be read: see `diagnostics`."""
    from placet.project.reading import read

    source, problems = read(str(path))
    return Loaded(str(path), "", (), problems) if source is None else compile_source(source, options)


def compile_source(source: SourceFile, options: Options = DEFAULTS) -> Loaded:
    """Compile a text in whatever format it is in. Raises nothing, whatever it says."""
    from placet.diagnostics import Diagnostic
    from placet.formats.registry import find

    form = find(source)
    if isinstance(form, Diagnostic):
        return Loaded(source.path, "", (), (form,))
    with Uncollected():
        if form.module:
            found, problems = form.read(source, final=options.final, beside=_opener(source.path))
        else:
            found, problems = _compile(source)
    loaded = Loaded(source.path, form.name, found, problems)
    return loaded._replace(compiled=()) if loaded.broken else loaded


def _opener(path: str) -> Callable[[str], SourceFile | tuple[str, str]]:
    """What opens the files that a file names."""

    def opened(written: str) -> SourceFile | tuple[str, str]:
        from placet.project import beside

        return beside.opened(path, written)

    return opened


def _compile(source: SourceFile) -> tuple[tuple[Compiled, ...], tuple[Diagnostic, ...]]:
    """The language: a stage runs only on what the stages before it found no error in."""
    from placet.compile.lint import lint
    from placet.compile.resolve import resolve
    from placet.compile.to_net import compile_model
    from placet.syntax.parser import parse

    file, problems = parse(source)
    if "import" in source.text and any(type(item).__name__ == "Import" for item in file.items):
        from placet.project.imports import joined

        file, more = joined(file)
        problems += more
    model, unresolved = resolve(file)
    problems += unresolved
    if any(d.severity == "error" for d in problems):
        return (), problems
    compiled, uncompiled = compile_model(model)
    problems += lint(model) + uncompiled
    if "[" in source.text:
        from placet.compile.findings import once_each

        problems = once_each(problems)
    if any(type(item).__name__ == "Annotate" for item in file.items):
        from placet.sidecar.annotated import compile_all

        sided = compile_all(file)
        compiled, problems = (*compiled, *sided.compiled), (*problems, *sided.diagnostics)
    if not compiled and all(d.severity != "error" for d in problems):
        problems += (_nothing(source),)
    return compiled, problems


def _nothing(source: SourceFile) -> Diagnostic:
    """A file that declares something, and nothing that could be verified."""
    from placet.diagnostics import Diagnostic

    message, help_ = "there is no workflow, saga or net in this file", "a model has at least one of them"
    return Diagnostic("P110", "error", message, help=help_, path=source.path)


def check(loaded: Loaded, options: Options = DEFAULTS) -> Report:
    """Answer the checks of every subject. Raises UsageError for a check, an engine or a fault that does not exist.

    Ctrl-C ends it early: what is known by then is reported, the rest is inconclusive.
    """
    if loaded.broken or not loaded.compiled:
        return Report((ModelReport(loaded.path, loaded.format, diagnostics=loaded.diagnostics),))
    models: list[ModelReport] = []
    stopped = False
    for compiled in loaded.compiled:
        subject = prepare(compiled, options)
        entries = _answers(subject, options, stopped=stopped)
        stopped = any(entry.budget == "interrupted" for entry in entries)
        size = (len(compiled.net.places), len(compiled.net.transitions))
        problems = () if models else loaded.diagnostics
        head = (loaded.path, loaded.format, compiled.subject, compiled.kind)
        models.append(ModelReport(*head, *size, problems, entries, "", subject))
    return Report(tuple(models), stopped)


def prepare(compiled: Compiled, options: Options = DEFAULTS) -> Compiled:
    """The subject with the queries, the environment and the final markings that the options ask for."""
    from placet.analysis.questions import questions, with_final

    if options.final and not compiled.final.any_sink:
        compiled = with_final(compiled, options.final)
    if options.closed:
        from placet.faults.environment import close

        compiled = close(compiled)
        if compiled.called is not None:
            compiled = compiled._replace(called=close(compiled.called))
    return compiled._replace(queries=questions(compiled, options.checks, anew=options.instead))


def _answers(compiled: Compiled, options: Options, *, stopped: bool) -> tuple[CheckReport, ...]:
    """An entry for every query, in their order; queries under different faults are woven, and decided, apart."""
    from placet.analysis.questions import strictly, unanswerable
    from placet.report.answers import report_check

    entries: dict[int, CheckReport] = {}
    for n, query in enumerate(compiled.queries):
        reason = _INTERRUPTED if stopped else unanswerable(query)
        if reason is not None:
            entries[n] = report_check(compiled, query, reason)
    for numbers, group, measured in () if stopped else groups(compiled):
        if measured:
            try:
                made = _measured(group, options)
            except KeyboardInterrupt:
                made = [report_check(group, query, _INTERRUPTED) for query in group.queries]
            entries.update(zip(numbers, made, strict=True))
            continue
        try:
            with Uncollected():
                woven, answers = _decide(group, options)
        except KeyboardInterrupt:
            woven, answers = group, [(_INTERRUPTED, 0.0)] * len(numbers)
        for n, query, (verdict, seconds) in zip(numbers, woven.queries, answers, strict=True):
            verdict = strictly(verdict) if options.strict else verdict  # noqa: PLW2901
            entries[n] = report_check(woven, query, verdict, seconds)
    waived = dict(compiled.waived)
    for n, query in enumerate(compiled.queries if waived else ()):
        if query.check in waived:
            entries[n] = entries[n]._replace(waived=waived[query.check])
    return tuple(entries[n] for n in range(len(compiled.queries)))


def groups(compiled: Compiled) -> list[tuple[list[int], Compiled, bool]]:
    """The queries that one net serves: their numbers, that net with them alone, and whether they are measured as `coverage` is."""
    from placet.analysis.questions import MEASURED, asks_of_moments, of_calls, unanswerable, without_moments

    found: dict[tuple[object, ...], list[int]] = {}
    for n, query in enumerate(compiled.queries):
        if unanswerable(query) is None:
            runs = query.bound if query.check == "generalised_sound" else 0
            asked = of_calls(compiled, query)
            moments = asks_of_moments(compiled.called if asked and compiled.called is not None else compiled, query)
            key = (query.faults, query.fault_budget, query.level, runs, moments, asked, query.check in MEASURED)
            found.setdefault(key, []).append(n)
    made = []
    for (*_, watched, calls, measured), numbers in found.items():
        base = compiled.called if calls and compiled.called is not None else compiled
        base = base if watched else without_moments(base)
        made.append((numbers, base._replace(queries=tuple(compiled.queries[n] for n in numbers)), bool(measured)))
    return made


_INTERRUPTED = Inconclusive("interrupted before it was decided", "interrupted")


def asked_of(compiled: Compiled, options: Options) -> Compiled | Verdict:
    """The net that a group of queries is asked of, with the faults that they ask for; or the answer to all of them."""
    if compiled.roles.channels or compiled.roles.deliveries:
        from placet.faults.weave import weave

        try:
            compiled = weave(compiled, _hypothesis(compiled.queries[0], options, compiled)).compiled
        except UsageError as problem:
            if compiled.queries[0].faults is None:
                raise  # the options ask for it, not the model
            return Inconclusive(str(problem), "theory")
    if compiled.queries[0].check == "generalised_sound":
        from placet.analysis.several_runs import several
        from placet.compiled import Compiled

        made = several(compiled, compiled.queries[0].bound)
        return made if isinstance(made, Compiled) else made._replace(assumptions=compiled.assumptions)
    return compiled


def _decide(compiled: Compiled, options: Options) -> tuple[Compiled, list[tuple[Verdict, float]]]:
    """The subject with the faults that its queries ask for, and a verdict with its seconds for each."""
    from placet.analysis import strategy
    from placet.compiled import Compiled as Net

    asked = asked_of(compiled, options)
    if not isinstance(asked, Net):
        return compiled, [(asked, 0.0)] * len(compiled.queries)
    how = strategy.Options(options.budget, options.reduce, options.engine, options.progress)
    answers = strategy.decide(asked, asked.queries, how)
    if any(isinstance(a.verdict, Violated) and isinstance(a.verdict.claim, NeverHolds) for a in answers):
        from placet.analysis.more_faults import reconsidered

        answers = reconsidered(
            asked, answers, how, lambda more, every: with_faults(compiled, options, more, every=every)
        )
    return asked, [(a.verdict, a.seconds) for a in answers]


def with_faults(compiled: Compiled, options: Options, more: int, *, every: bool) -> Compiled | None:
    """The net with so many faults more than its queries ask for, at least one, of every kind or the usual beside theirs; None where it has none."""
    from placet.compiled import Compiled as Net
    from placet.faults.hypothesis import DEFAULT, KINDS

    first = compiled.queries[0]
    hypothesis = _hypothesis(first, options, compiled)
    if first.level or not (compiled.roles.channels or compiled.roles.deliveries):
        return None
    faults = dict.fromkeys(KINDS if every else (*hypothesis.faults, *DEFAULT.faults))
    budget = max(1, (hypothesis.budget if hypothesis.faults else 0) + more)
    raised = first._replace(faults=tuple(faults), fault_budget=budget)
    woven = asked_of(compiled._replace(queries=(raised,)), options)
    return woven if isinstance(woven, Net) else None


def measured_net(compiled: Compiled, options: Options) -> Compiled | Inconclusive:
    """The net with its faults that a group of measured queries is asked of; or why there is nothing to measure."""
    from placet.faults.weave import weave

    if compiled.final.quiet:
        return Inconclusive("what a saga owes is asked of each saga, and not of a whole system", "theory")
    if not compiled.roles.steps:
        return Inconclusive("the model has no saga steps, so there is nothing to ask", "theory")
    try:
        return weave(compiled, _hypothesis(compiled.queries[0], options)).compiled
    except UsageError as problem:
        if compiled.queries[0].faults is None:
            raise  # the options ask for it, not the model
        return Inconclusive(str(problem), "theory")


def _measured(compiled: Compiled, options: Options) -> list[CheckReport]:
    """The entries of the queries that are answered from what a saga owes under faults: one measurement serves them all."""
    from time import perf_counter

    from placet.coverage.anomalies import ANOMALIES
    from placet.coverage.sliced import measure
    from placet.engines.chosen import named
    from placet.report.answers import report_check
    from placet.report.coverage import report_anomaly, report_coverage

    begun = perf_counter()
    queries = compiled.queries
    woven = measured_net(compiled, options)
    if isinstance(woven, Inconclusive):
        return [report_check(compiled, query, woven) for query in queries]
    hypothesis = _hypothesis(queries[0], options)
    entries: dict[int, CheckReport] = {}
    for counted in (True, False):
        numbers = [n for n, query in enumerate(queries) if (query.check == "coverage") is counted]
        if not numbers:
            continue
        asked = None
        if not counted:
            asked = frozenset(f for n in numbers for f in ANOMALIES[queries[n].check].families)
        with Uncollected():
            measured = measure(
                woven,
                hypothesis.budget,
                options.budget,
                named(options.engine),
                progress=options.progress,
                families=asked,
                faultless=not counted,
            )
            share = (perf_counter() - begun) / len(queries)
            for n in numbers:
                query = queries[n]
                entries[n] = (
                    report_coverage(query, measured, hypothesis, share)
                    if counted
                    else report_anomaly(query, measured, ANOMALIES[query.check], share)
                )
    return [entries[n] for n in range(len(queries))]


def _hypothesis(query: Query, options: Options, compiled: Compiled | None = None) -> Hypothesis:
    """The faults that a query is asked under: its own, else those of the options, else the default."""
    from placet.faults.hypothesis import DEFAULT, MESSAGES, OF_MESSAGES, level

    if query.level:
        return level(query.level)
    usual = DEFAULT
    if compiled is not None and compiled.roles.deliveries:
        usual = MESSAGES if compiled.roles.channels else MESSAGES._replace(faults=OF_MESSAGES)
    base = options.hypothesis or usual
    if query.faults is not None:
        base = base._replace(faults=query.faults, budget=1)
    return base if query.fault_budget is None else base._replace(budget=query.fault_budget)


def choose_hypothesis(
    level: str = "", faults: Sequence[str] | None = None, budget: int | None = None, modes: str = ""
) -> Hypothesis | None:
    """The faults that options name, on top of a level or the default; None where they name none. Raises UsageError."""
    if not level and faults is None and budget is None and not modes:
        return None
    from placet.faults import hypothesis

    base = hypothesis.level(level) if level else hypothesis.DEFAULT
    return hypothesis.checked(
        base._replace(
            faults=base.faults if faults is None else tuple(faults),
            budget=base.budget if budget is None else budget,
            modes=modes or base.modes,  # type: ignore[arg-type] # `checked` looks
        )
    )


def verify(
    target: Target,
    *,
    checks: Sequence[str] = (),
    budget: Budget | None = None,
    faults: Sequence[str] | None = None,
    level: str = "",
    fault_budget: int | None = None,
    modes: str = "",
    reduce: bool = True,
    engine: str | None = None,
    final: str = "",
    closed: bool = False,
    strict: bool = False,
) -> Report:
    """Verify a file, a text in the language, a net with its initial marking, or what `load` gave.

    A `str` is a text where it has a line break or a brace in it, else a path.
    """
    options = Options(
        tuple(checks),
        budget or Budget(),
        choose_hypothesis(level, faults, fault_budget, modes),
        reduce,
        engine,
        final,
        closed,
        strict,
    )
    return check(as_loaded(target, options), options)


def as_loaded(target: Target, options: Options = DEFAULTS) -> Loaded:
    """Whatever a user of the library calls a model, loaded. Raises UsageError for a net without a marking."""
    from placet.compiled import Compiled, plain
    from placet.net.core import Net

    if isinstance(target, Loaded):
        return target
    if isinstance(target, Compiled):
        return Loaded(target.subject, "", (target,))
    if isinstance(target, Net):
        raise UsageError("a net alone has no marking to start from; give both, as `NetBuilder.build` does")
    if isinstance(target, tuple):
        return Loaded(target[0].name or "net", "", (plain(*target),))
    if isinstance(target, str) and not {"\n", "{"}.isdisjoint(target):
        from placet.source import SourceFile

        return compile_source(SourceFile("text.placet", target), options)
    return load(target, options)


def subject_of(target: Target, name: str = "") -> Compiled:
    """The subject of that name, or the only one. Raises ModelError for a broken model, UsageError where it is unclear."""
    loaded = as_loaded(target)
    if loaded.broken:
        raise ModelError(loaded.diagnostics)
    found = [c for c in loaded.compiled if not name or c.subject == name]
    if len(found) != 1:
        names = ", ".join(f"`{c.subject}`" for c in loaded.compiled)
        raise UsageError(f"there is no `{name}` among {names}" if name else f"name one of the subjects {names}")
    return found[0]


def run(target: Target, *, subject: str = "", seed: int = 0, max_steps: int = 1000) -> Run:
    """A seeded run of a model; equal seeds give equal runs. Raises as `subject_of`."""
    from placet.simulate import simulator

    return simulator.run(subject_of(target, subject), seed, max_steps)


def picture(target: Target, *, subject: str = "", to: str = "svg") -> str:
    """A picture of the net of a model as `svg`, `mermaid` or `dot`. Raises as `subject_of`."""
    from importlib import import_module

    from placet.draw.from_net import from_net

    if to not in ("svg", "mermaid", "dot"):
        raise UsageError(f"there is no picture `{to}`; there are `svg`, `mermaid` and `dot`")
    compiled = subject_of(target, subject)
    text: str = getattr(import_module(f"placet.draw.{to}"), to)(from_net(compiled, compiled.initial))
    return text
