"""The main path: load, parse, resolve, compile, weave faults, decide (and replay), report. Every command starts here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from placet.evidence import Budget
from placet.report.report import ModelReport, Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from placet.compiled import Compiled, Query
    from placet.diagnostics import Diagnostic
    from placet.engines.protocol import Progress
    from placet.faults.weave import Hypothesis
    from placet.net.core import Net
    from placet.report.report import CheckReport
    from placet.simulate.simulator import Run
    from placet.source import SourceFile

    Target = str | Path | "Loaded" | Compiled | Net


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


def load(path: str | Path, options: Options = Options()) -> Loaded:
    """Read and compile a file. Raises nothing, whatever it holds and whether or not it can be read: see `diagnostics`."""
    raise NotImplementedError


def compile_source(source: SourceFile, options: Options = Options()) -> Loaded:
    """Compile a text in whatever format it is in. Raises nothing, whatever it says."""
    raise NotImplementedError


def check(loaded: Loaded, options: Options = Options()) -> Report:
    """Answer the checks of every subject. Raises UsageError for a check id, an engine or a fault that does not exist."""
    raise NotImplementedError


def verify(
    target: Target,
    *,
    checks: Sequence[str] = (),
    budget: Budget = Budget(),
    level: str = "",
    faults: Sequence[str] | None = None,
    fault_budget: int | None = None,
    modes: str = "",
    reduce: bool = True,
    engine: str | None = None,
    final: str = "",
    closed: bool = False,
    strict: bool = False,
) -> Report:
    """Verify a file (a path), a text in the language (with a line break or a brace in it), a net, or what `load` gave."""
    raise NotImplementedError
