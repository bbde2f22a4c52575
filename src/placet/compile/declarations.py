"""What a file declares: services, processes and nets by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar, Union

from placet.compile.options import SERVICE_OPTIONS, understood
from placet.diagnostics import Label
from placet.syntax import ast

if TYPE_CHECKING:
    from placet.compile.findings import Findings

Declared = TypeVar("Declared", bound=Union[ast.Service, ast.Process, ast.NetDecl, ast.MachineDecl, ast.Choreography])


class Declarations(NamedTuple):
    """The first declaration of each name, and what services guarantee. `used` grows while processes are resolved."""

    services: dict[str, ast.Service]
    guarantees: dict[str, frozenset[str]]
    processes: dict[str, ast.Process]
    nets: dict[str, ast.NetDecl]
    used: set[str]
    title: str
    machines: dict[str, ast.MachineDecl]
    choreographies: dict[str, ast.Choreography]
    system: ast.System | None
    variables: tuple[ast.Variable, ...] = ()


def declarations(file: ast.File, findings: Findings) -> Declarations:
    """Collect the declarations of a file; names used twice are reported, and the first one counts."""
    services: dict[str, ast.Service] = {}
    processes: dict[str, ast.Process] = {}
    nets: dict[str, ast.NetDecl] = {}
    machines: dict[str, ast.MachineDecl] = {}
    choreographies: dict[str, ast.Choreography] = {}
    subjects: dict[str, ast.Process | ast.NetDecl | ast.MachineDecl | ast.Choreography] = {}
    system: ast.System | None = None
    variables: list[ast.Variable] = []
    for item in file.items:
        match item:
            case ast.System():
                if system is not None:
                    findings.add("P200", "a file describes one system", item.span, help="keep one `system`")
                system = system or item
            case ast.Service():
                _declare(services, item, "service", findings)
            case ast.Process():
                if _declare(subjects, item, item.kind, findings):
                    processes[item.name.text] = item
            case ast.Variable():
                variables.append(item)
            case ast.Choreography():
                if _declare(subjects, item, "choreography", findings):
                    choreographies[item.name.text] = item
            case ast.NetDecl():
                if _declare(subjects, item, "net", findings):
                    nets[item.name.text] = item
            case ast.MachineDecl():
                if _declare(subjects, item, "machine", findings):
                    machines[item.name.text] = item
    guarantees = {
        name: frozenset(understood(service.options, SERVICE_OPTIONS, "service", findings))
        for name, service in services.items()
    }
    title = system.title.text if system is not None and system.title is not None else ""
    return Declarations(
        services, guarantees, processes, nets, set(), title, machines, choreographies, system, tuple(variables)
    )


def _declare(table: dict[str, Declared], item: Declared, what: str, findings: Findings) -> bool:
    other = table.setdefault(item.name.text, item)
    if other is item:
        return True
    message = f"the {what} `{item.name.text}` has a name that is taken"
    first = (Label(other.name.span, "first declared here"),)
    findings.add("P200", message, item.name.span, labels=first, help="give one of them another name")
    return False
