"""A first sidecar of a definition: what can be read off it, and guesses that say so. It parses and runs as it is printed."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from placet.formats.asl import reader, services
from placet.formats.asl.calls import elements
from placet.sidecar.proposals import proposals
from placet.source import SourceFile
from placet.syntax.formatter import format_source
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.diagnostics import Diagnostic
    from placet.formats.asl.calls import Element
    from placet.formats.asl.machine import Machine, State
    from placet.sidecar.proposals import Proposal

_PERSON = re.compile(r"escalat|manual|human|operator|support|ticket|incident|pager|call_?(?:a_?)?person", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d]\w*(?:-\w+)*")
_RESERVED = frozenset(  # in the braces of a sidecar
    (
        *(
            "annotate",
            "as",
            "at",
            "at_most",
            "by",
            "check",
            "end",
            "fails",
            "machine",
            "net",
            "not",
            "on",
            "saga",
            "service",
        ),
        *("state", "system", "under", "undone", "until", "var", "waive", "workflow"),
    )
)


class Draft(NamedTuple):
    """A sidecar, and what was guessed in it."""

    text: str
    machines: int
    steps: int
    proposed: int


def draft(source: SourceFile, path: str, subject: str = "") -> tuple[Draft | None, tuple[Diagnostic, ...]]:
    """A sidecar of all machines of a file, or of one; `path` is how the sidecar names the file. None where it has errors."""
    machines, problems = reader.definitions(source)
    machines = [m for m in machines if not subject or m[0].name == subject]
    if not machines or any(d.severity == "error" for d in problems):
        return None, tuple(problems)
    parts: list[str] = []
    steps = guessed = 0
    several = len(reader.definitions(source)[0]) > 1
    for definition, machine, _ in machines:
        every = list(elements(definition.name, machine))
        found = proposals(machine, every)
        lines = _lines(machine, every, found)
        name = f" {definition.name}" if several else ""
        if name and not _NAME.fullmatch(definition.name):
            parts.append(f"# The machine {definition.name} cannot be annotated: its name is no name here.")
            continue
        steps += len(lines.steps)
        guessed += len(found)
        parts.append(_annotate(path, name, lines))
    head = [
        f"# What `{os.path.basename(path)}` does not say of itself: which task undoes which, at which service, and what these",  # noqa: PTH119
        "# promise. Read it line by line: a line marked `proposed` is a guess from names. Then say of each service what it",
        "# promises, as far as that is tested: `idempotent`, `null_safe`, `rejects_after_cancel`.",
    ]
    text = "\n".join([*head, "", "\n\n".join(parts)]) + "\n"
    laid_out, _ = format_source(SourceFile(path, text))
    return Draft(laid_out or text, len(machines), steps, guessed), tuple(problems)


class _Lines(NamedTuple):
    services: tuple[str, ...]
    steps: tuple[str, ...]
    rest: tuple[str, ...]


def _lines(machine: Machine, every: Sequence[Element], found: Sequence[Proposal]) -> _Lines:
    """The lines of one machine. Names that no text can hold, or that several states have, get none."""
    counts: dict[str, int] = {}
    for element in every:
        counts[element.name] = counts.get(element.name, 0) + 1
    found = [p for p in found if p.undo.name.isprintable() and counts[p.undo.name] == 1]
    undone = {p.step.path: p for p in found}
    undoing = {p.undo.path for p in found}
    used: dict[str, None] = {}
    steps: list[str] = []
    rest: list[str] = []
    open_: list[Element] = []
    for element in every:
        if element.state.kind != "Task" or element.path in undoing or counts[element.name] > 1:
            continue
        if not element.name.isprintable():
            continue
        head = _head(element.name)
        if services.reads_only(element.state):
            service = service_of(element.state)
            used[service] = None
            rest.append(f"{head} on {service} {{ read_only }}")
        elif element.path in undone:
            proposal = undone[element.path]
            service = service_of(element.state)
            used[service] = None
            steps.append(f"# proposed: {proposal.why}")
            steps.append(f"{head} on {service} undone by {_quoted(proposal.undo.name)}")
        elif _PERSON.search(element.name):
            rest += ["# proposed: by its name a person hears of it", f"{head} {{ escalates }}"]
        else:
            open_.append(element)
    if open_:
        rest.append("# Tasks without a role are taken to change nothing and not to fail. Give a role to those that do:")
        rest += [f"# {_head(e.name)} on {service_of(e.state)} undone by ..." for e in open_]
    if any(state.kind == "Fail" for state in machine.states.values()) and found:
        rest.append("# Ends: completed, compensated (all is undone), failed, or escalated (a person has it).")
        failing = [s.name for s in machine.states.values() if s.kind == "Fail" and s.name.isprintable()]
        rest += [f"# end {_quoted(name)} compensated" for name in failing]
    return _Lines(tuple(used), tuple(steps), tuple(rest))


def _annotate(path: str, name: str, lines: _Lines) -> str:
    out = [f'annotate "{path}"{name} {{']
    out += [f"  service {service}  # {{ idempotent; null_safe; rejects_after_cancel }}" for service in lines.services]
    out += ["", *(f"  {line}" for line in lines.steps)] if lines.steps else []
    out += ["", *(f"  {line}" for line in lines.rest)] if lines.rest else []
    out += ["", "  check option_to_complete(), proper_completion(), no_dead_step()"]
    if any(not line.startswith("#") for line in lines.steps):
        out += ["  check coverage() under { reject }", "  check coverage() at L1"]
    return "\n".join([*out, "}"])


def _head(name: str) -> str:
    """A state as it begins a line."""
    return name if _NAME.fullmatch(name) and name not in _RESERVED else f"state {_quoted(name)}"


def _quoted(name: str) -> str:
    """A state as it stands elsewhere."""
    if _NAME.fullmatch(name) and name not in _RESERVED:
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def service_of(state: State) -> str:
    """A name for whom the task asks: the function, or the service of AWS."""
    request = state.node.get("Arguments") or state.node.get("Parameters")
    given = request.get("FunctionName") or request.get("StateMachineArn") if request is not None else None
    text = given.text if given is not None and given.kind == "string" else ""
    if not text:
        resource = state.text("Resource")
        function = re.search(r":(?:function|activity|stateMachine):([^:]+)", resource)
        text = function.group(1) if function else services.action(state).partition(":")[0] or resource
    text = re.sub(r"^\{%.*%\}$", "", text) or services.action(state).partition(":")[0]
    text = text.rpartition(":function:")[2].partition(":")[0] or text
    name = re.sub(r"\W+", "_", re.sub(r"\.Arn\b|\.Name\b", "", text)).strip("_")
    return f"service_{name}" if not name or name[0].isdigit() or name in _RESERVED else name[:60]
