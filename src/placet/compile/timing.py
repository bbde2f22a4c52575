"""Times of a model for its simulation: latencies of services, time-outs, timers, pauses before another attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.findings import listed
from placet.durations import seconds_of
from placet.net.delays import Delay
from placet.net.roles import Kind
from placet.syntax import ast

if TYPE_CHECKING:
    from placet.compile.findings import Findings
    from placet.compile.options import Operand
    from placet.compiled import Compiled
    from placet.ir import model as ir
    from placet.net.roles import Role

SHAPES = {"constant": 1, "uniform": 2, "exponential": 1, "lognormal": 2}  # how many operands
_AT_WORK = (Kind.APPLY, Kind.IGNORE, Kind.REFUSE, Kind.TASK)


def latency(option: ast.Option, operands: tuple[Operand, ...], findings: Findings) -> Delay | None:
    """The distribution that an option `latency` names; None where it is none, which is reported."""
    if isinstance(operands[0], ast.Duration):
        return Delay("constant", operands[0].seconds)
    shape, *values = operands
    if not isinstance(shape, ast.Name) or shape.text not in SHAPES:
        text = shape.text if isinstance(shape, ast.Name) else ""
        help_ = findings.meant(text, SHAPES, f"it is one of {listed(SHAPES)}, or a time alone")
        findings.add("P206", f"`{text}` is no distribution of times", shape.span, help=help_)
        return None
    wanted = {
        "constant": "a time, as in `latency 80ms`",
        "uniform": "two times, the shorter one first, as in `latency uniform(10ms, 90ms)`",
        "exponential": "its mean, as in `latency exponential(80ms)`",
        "lognormal": "its median and a factor of 1 or more, as in `latency lognormal(80ms, 2)`",
    }[shape.text]
    first = values[0].seconds if values and isinstance(values[0], ast.Duration) else -1.0
    second = -1.0
    if len(values) > 1:
        second = values[1].seconds if isinstance(values[1], ast.Duration) else float(getattr(values[1], "value", -1))
    times = [isinstance(v, ast.Duration) for v in values]
    fits = {
        "constant": times == [True],
        "uniform": times == [True, True] and first <= second,
        "exponential": times == [True] and first > 0,
        "lognormal": times == [True, False] and first > 0 and second >= 1,
    }[shape.text]
    if not fits:
        findings.add("P206", f"`{shape.text}` does not take that", option.span, help=f"it takes {wanted}")
        return None
    return Delay(shape.text, first, max(second, 0.0))  # type: ignore[arg-type] # one of SHAPES


def timed(compiled: Compiled, model: ir.Model, steps: dict[str, ir.Step]) -> Compiled:
    """The net with the times of its transitions. Linear in its size.

    A service takes its latency for each request; a time-out fires after its time; the attempt `a` of a step with `backoff x..y`
    is sent after min(y, x * 2^(a - 2)).
    """
    latencies = {t.service: t.latency for t in model.timings if t.latency is not None}
    pauses = {path: step.backoff for path, step in steps.items() if step.backoff is not None}
    found: list[tuple[int, Delay]] = []
    groups: dict[str, list[int]] = {t.service: [] for t in model.timings if t.capacity}
    for t, role in enumerate(compiled.roles.transitions):
        service = role.service or compiled.origin.transitions[t].service
        if role.kind in _AT_WORK and service in latencies:
            found.append((t, latencies[service]))
            if service in groups:
                groups[service].append(t)
        elif role.kind in (Kind.TIMER, Kind.PASSES) and (seconds := seconds_of(role.says)) is not None:
            found.append((t, Delay("constant", seconds)))
        elif role.kind is Kind.SEND and role.attempt > 1 and (pause := _pause(role, pauses)) is not None:
            found.append((t, Delay("constant", pause)))
    capacity = {t.service: t.capacity for t in model.timings}
    limits = tuple((tuple(group), capacity[service]) for service, group in groups.items() if group)
    return compiled._replace(timing=tuple(found), limits=limits)


def _pause(role: Role, pauses: dict[str, tuple[float, float]]) -> float | None:
    for path, (first, most) in pauses.items():
        if role.step == path or role.step.endswith(f"/{path}"):
            return min(most, first * 2.0 ** min(role.attempt - 2, 60))
    return None
