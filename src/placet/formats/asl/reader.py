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

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.diagnostics import Diagnostic
    from placet.formats.asl.bounds import Bounds
    from placet.source import SourceFile


def read_all(
    source: SourceFile,
    *,
    final: str = "",  # noqa: ARG001 # machines have ends, so it changes nothing
    bounds: Bounds | None = None,
) -> tuple[tuple[Compiled, ...], tuple[Diagnostic, ...]]:
    """Every state machine of a file, and what is wrong with it. Raises nothing on any text.

    `bounds` says how many items of a Map and how many retries are looked at; None: the usual ones.
    """
    document = documents.read(source)
    diagnostics = list(document.diagnostics)
    found: list[Compiled] = []
    try:
        limits = Limits(source)
    except BadData:
        return (), document.diagnostics
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
        builder = Builder(source, bounds or fitted(machine))
        process = builder.process(definition.name, machine)
        model = ir.Model(source.path, (process,), (), (), process.title)
        compiled, problems = compile_model(model)
        diagnostics += [d._replace(path=source.path) for d in problems]
        for one in compiled:
            made = calmed(labelled(one, builder.marks, builder.copies), frozenset(builder.doomed))
            if "TimeoutSeconds" in machine.node.members:  # it could end every loop, and is left out
                made = made._replace(assumptions=made.assumptions._replace(time_ignored=True))
            found.append(made)
        diagnostics += Findings(machine, limits).run(builder.idle)
    return tuple(found), tuple(diagnostics)
