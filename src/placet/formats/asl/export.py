"""Writing: a workflow of the language, or a state machine in whatever file it stands, as a definition in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from placet.diagnostics import Diagnostic
from placet.formats.asl import documents
from placet.formats.asl.from_ir import Writer

if TYPE_CHECKING:
    from placet.formats.data_tree import Node
    from placet.source import SourceFile


def convert(source: SourceFile, form: str, subject: str) -> tuple[str, tuple[Diagnostic, ...]]:
    """The subject of a file in the format `form` as a definition, and what is lost; nothing where a loss is an error."""
    if form == "asl":
        found = next((d for d in documents.read(source).definitions if d.name == subject), None)
        return ("", ()) if found is None else (_text(_plain(found.node)), ())
    if form != "placet":
        message = f"`{subject}` is a net: it has no states in an order that could be written"
        return "", (Diagnostic("P547", "error", message, path=source.path),)
    from placet.compile.resolve import resolve
    from placet.syntax.parser import parse

    model, _ = resolve(parse(source)[0])
    process = next((p for p in model.processes if p.id == subject), None)
    if process is None or process.kind == "saga":
        what = "a net" if process is None else "a saga: what is undone when is not written as states yet"
        message = f"`{subject}` is {what}"
        return "", (Diagnostic("P547", "error", message, process.span if process else None, path=source.path),)
    writer = Writer(process)
    definition = writer.definition()
    lost = any(d.severity == "error" for d in writer.losses)
    return ("" if lost else _text(definition)), tuple(writer.losses)


def _text(definition: object) -> str:
    import json

    return json.dumps(definition, indent=2, ensure_ascii=False) + "\n"


def _plain(node: Node) -> Any:  # noqa: ANN401 # any JSON
    """The value of a node. Recurses over bounded nesting."""
    if node.kind == "object":
        return {key: _plain(member.value) for key, member in node.members.items()}
    if node.kind == "array":
        return [_plain(item) for item in node.items]
    if node.kind == "number":
        return _number(node.text)
    return node.text if node.kind == "string" else {"true": True, "false": False}.get(node.text)


def _number(text: str) -> int | float:
    if text.lower().lstrip("+-").startswith("0x"):
        return int(text, 16)
    try:
        return int(text)
    except ValueError:
        return float(text)
