"""What a file declares: services, processes and nets by name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar, Union

from placet.compile.options import GUARANTEES, SERVICE_OPTIONS, number, understood
from placet.diagnostics import Label
from placet.ir import model as ir
from placet.syntax import ast
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placet.compile.findings import Findings
    from placet.compile.options import Operand

MOST_AT_ONCE = 1_000_000

Declared = TypeVar(
    "Declared", bound=Union[ast.Service, ast.Pool, ast.Process, ast.NetDecl, ast.MachineDecl, ast.Choreography]
)


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
    timings: tuple[ir.Timing, ...] = ()
    pools: Mapping[str, int] = MappingProxyType({})
    limits: Mapping[str, ir.Limits] = MappingProxyType({})
    kinds: Mapping[str, str] = MappingProxyType({})  # how services are asked


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
    good = {name: understood(s.options, SERVICE_OPTIONS, "service", findings) for name, s in services.items()}
    guarantees = {name: frozenset(options).intersection(GUARANTEES) for name, options in good.items()}
    timings = [_timing(name, o, findings) for name, o in good.items() if "latency" in o or "capacity" in o]
    limited, kinds = _asked(services, good, findings)
    title = system.title.text if system is not None and system.title is not None else ""
    return Declarations(
        services,
        guarantees,
        processes,
        nets,
        set(),
        title,
        machines,
        choreographies,
        system,
        tuple(variables),
        tuple(timings),
        _pools(file, findings),
        limited,
        kinds,
    )


def _pools(file: ast.File, findings: Findings) -> dict[str, int]:
    """The size of each pool."""
    found: dict[str, ast.Pool] = {}
    sizes: dict[str, int] = {}
    for item in file.items:
        if isinstance(item, ast.Pool):
            _declare(found, item, "pool", findings)
            if found[item.name.text] is item:
                from placet.compile.limits import pool_size

                sizes[item.name.text] = pool_size(item, findings)
    return sizes


def _asked(
    services: dict[str, ast.Service],
    good: dict[str, dict[str, tuple[ast.Option, tuple[Operand, ...]]]],
    findings: Findings,
) -> tuple[dict[str, ir.Limits], dict[str, str]]:
    """What holds calls back from services, and of which kind calls are; by service that says so."""
    limited: dict[str, ir.Limits] = {}
    kinds: dict[str, str] = {}
    for name, options in good.items():
        if services[name].via is None and not any(
            key in options for key in ("circuit_breaker", "bulkhead", "rate_limit")
        ):
            continue
        from placet.compile.limits import call_kind, limits

        found = limits(options, findings)
        if found is not None:
            limited[name] = found
        kind = call_kind(services[name].via, findings)
        if kind:
            kinds[name] = kind
    return limited, kinds


def _timing(name: str, options: dict[str, tuple[ast.Option, tuple[Operand, ...]]], findings: Findings) -> ir.Timing:
    """How fast a service is; only a simulation asks."""
    latency = None
    if "latency" in options:
        from placet.compile.timing import latency as distribution

        latency = distribution(*options["latency"], findings)
    if "capacity" not in options:
        return ir.Timing(name, latency)
    option, operands = options["capacity"]
    most = number(operands, MOST_AT_ONCE, "requests at once", findings)
    if not most:
        findings.add(
            "P206", "a service that takes 0 requests at once takes none", option.span, help="give it 1 or more"
        )
    return ir.Timing(name, latency, most)


def _declare(table: dict[str, Declared], item: Declared, what: str, findings: Findings) -> bool:
    other = table.setdefault(item.name.text, item)
    if other is item:
        return True
    message = f"the {what} `{item.name.text}` has a name that is taken"
    first = (Label(other.name.span, "first declared here"),)
    findings.add("P200", message, item.name.span, labels=first, help="give one of them another name")
    return False
