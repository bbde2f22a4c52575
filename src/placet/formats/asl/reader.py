"""Reading: a file to the nets of its state machines, with what is wrong with them and what was found in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.to_net import compile_model
from placet.formats.asl import documents
from placet.formats.asl.bounds import HEAVY, fitted, weight
from placet.formats.asl.calm import calmed
from placet.formats.asl.findings import Findings
from placet.formats.asl.labels import labelled
from placet.formats.asl.schema import Reader
from placet.formats.asl.to_ir import Builder
from placet.formats.data_tree import BadData, Limits
from placet.ir import model as ir
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.compiled import Compiled
    from placet.diagnostics import Diagnostic
    from placet.formats.asl.bounds import Bounds
    from placet.formats.asl.documents import Definition, Document, Elsewhere
    from placet.formats.asl.machine import Machine
    from placet.source import SourceFile

MOST_FILES = 100  # in which one template has its definitions


def read_all(
    source: SourceFile,
    *,
    final: str = "",  # noqa: ARG001 # machines have ends, so it changes nothing
    bounds: Bounds | None = None,
    beside: Callable[[str], SourceFile | tuple[str, str]] | None = None,
) -> tuple[tuple[Compiled, ...], tuple[Diagnostic, ...]]:
    """Every state machine of a file, and what is wrong with it. Raises nothing on any text.

    `bounds` says how many items of a Map and how many retries are looked at; None: the usual ones. `beside` opens the files
    in which a template says that definitions are, or gives the reason and the remedy why not; without it they stay unread.
    """
    found: list[Compiled] = []
    document = documents.read(source)
    machines, diagnostics = _understood(source, document)
    where = [source] * len(machines)
    for other in document.elsewhere[:MOST_FILES]:
        if beside is None:
            break
        its, said = _elsewhere(other, beside)
        place = diagnostics.index(other.diagnostic)
        diagnostics[place : place + 1] = said
        machines += [each for _, each in its]
        where += [inner for inner, _ in its]
    for inside, (definition, machine, limits) in zip(where, machines, strict=True):
        made, problems = net_of(inside, definition.name, machine, limits, bounds=bounds)
        diagnostics += problems
        if made is not None:
            found.append(made.finished)
    return tuple(found), tuple(diagnostics)


def _elsewhere(
    other: Elsewhere, beside: Callable[[str], SourceFile | tuple[str, str]]
) -> tuple[list[tuple[SourceFile, tuple[Definition, Machine, Limits]]], list[Diagnostic]]:
    """The machine of a template whose definition is in another file, under the name that the template gives it."""
    source = beside(other.path)
    if isinstance(source, tuple):
        message, help_ = source
        said = other.diagnostic
        return [], [said._replace(message=f"{said.message}: {message}", help=help_)]
    document = documents.read(source)
    named = [
        d._replace(
            name=other.name, express=d.express or other.express, resource=other.name, substitutions=other.substitutions
        )
        for d in document.definitions[:1]
    ]
    machines, diagnostics = _understood(source, document._replace(definitions=tuple(named)))
    return [(source, each) for each in machines], diagnostics


class Made(NamedTuple):
    """The net of one machine before its failures are calmed, and what it was made of."""

    compiled: Compiled
    builder: Builder
    process: ir.Process
    machine: Machine

    @property
    def finished(self) -> Compiled:
        """The net that is verified."""
        made = calmed(self.compiled, frozenset(self.builder.doomed))
        if "TimeoutSeconds" in self.machine.node.members:  # it could end every loop, and is left out
            made = made._replace(assumptions=made.assumptions._replace(time_ignored=True))
        return made


def definitions(source: SourceFile) -> tuple[list[tuple[Definition, Machine, Limits]], list[Diagnostic]]:
    """The machines of a file that can be understood, and what is wrong with the others. Raises nothing."""
    return _understood(source, documents.read(source))


def _understood(
    source: SourceFile, document: Document
) -> tuple[list[tuple[Definition, Machine, Limits]], list[Diagnostic]]:
    diagnostics = list(document.diagnostics)
    found: list[tuple[Definition, Machine, Limits]] = []
    try:
        limits = Limits(source)
    except BadData:
        return [], diagnostics
    for definition in document.definitions:
        reader = Reader(definition, limits)
        machine = reader.machine()
        diagnostics += reader.diagnostics
        if machine is None:
            continue
        if weight(machine) > HEAVY:
            message = "too many names of errors in `Retry` and `Catch`: each task may fail by each that is around it"
            reader.at("P531", message, machine.node.start, machine.node.start + 1)
            diagnostics.append(reader.diagnostics[-1])
            continue
        found.append((definition, machine, limits))
    return found, diagnostics


def net_of(
    source: SourceFile,
    name: str,
    machine: Machine,
    limits: Limits,
    *,
    bounds: Bounds | None = None,
    ends: dict[str, str] | None = None,
) -> tuple[Made | None, tuple[Diagnostic, ...]]:
    """The net of a machine, and what was found. `ends` are the ends of the execution by path of a state, where one names them."""
    builder = Builder(source, bounds or fitted(machine), ends or {})
    process = builder.process(name, machine)
    model = ir.Model(source.path, (process,), (), (), process.title)
    compiled, problems = compile_model(model)
    diagnostics = [d._replace(path=source.path) for d in problems]
    diagnostics += Findings(machine, limits).run(builder.idle)
    if not compiled:
        return None, tuple(diagnostics)
    made = labelled(compiled[0], builder.marks, builder.copies)
    return Made(made, builder, process, machine), tuple(diagnostics)
