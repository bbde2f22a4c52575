"""Several instances of a block: how many, and what they are together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.ir import model as ir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.compile.findings import Findings
    from placet.syntax import ast

MOST_INSTANCES = 1_000
MOST_BUILT = 200_000  # statements that come out


def instances(each: ast.ForEach, findings: Findings, size: int) -> Sequence[int]:
    """The numbers of the instances; what cannot be counted through is reported, or built: `size` is how much there is in one."""
    low, high = each.low.value, each.high.value
    if high - low + 1 > MOST_INSTANCES:
        message = f"{high - low + 1:,} instances are more than can be looked at"
        findings.add("P217", message, each.high.span, help="two or three show what many show")
        high = low
    elif (high - low + 1) * size > MOST_BUILT:
        message = (
            f"{high - low + 1:,} instances come to {(high - low + 1) * size:,} things to do, more than can be looked at"
        )
        findings.add("P217", message, each.high.span, help="two or three show what many show")
        high = low
    elif high < low:
        message = f"there is no instance: {low} is more than {high}"
        findings.add("P265", message, each.low.span, help="the smaller number comes first, as in `1..3`")
    elif low < 0:
        findings.add("P265", "an instance has no number below 0", each.low.span, help="count from 0 or 1")
        return range(0)
    return range(low, high + 1)


def together(
    each: ast.ForEach, identifier: str, bodies: Sequence[ir.Sequence], numbers: Sequence[int], findings: Findings
) -> ir.Statement:
    """The instances one after the other, or in parallel; and how many of them may fail."""
    count, span = len(bodies), each.span
    most = each.tolerate.value if each.tolerate is not None else 0
    width = each.at_most.value if each.at_most is not None else None
    if each.tolerate is not None and not 1 <= most < max(count, 2):
        what = (
            "no failure is what is tolerated anyway"
            if most < 1
            else f"of {count} instances at most {count - 1} may fail"
        )
        help_ = "leave `tolerate` out" if most < 1 else "to let all fail, put `try { ... } on any { }` into the block"
        findings.add("P265", what, each.tolerate.span, help=help_)
        most = 0
    if width is not None and width < 1:
        findings.add(
            "P265", "with 0 at once none would ever begin", each.at_most and each.at_most.span, help="write 1 or more"
        )
        width = None
    parts: Sequence[ir.Statement] = bodies
    if most:
        parts = [
            ir.Spare(f"{identifier}[{n}]", body, identifier, most, body.span)
            for n, body in zip(numbers, bodies, strict=True)
        ]
    made: ir.Statement
    if each.parallel:
        ways = [ir.Way(f"{identifier}[{n}]", None, part, part.span) for n, part in zip(numbers, parts, strict=True)]
        made = ir.Parallel(identifier, tuple(ways), span, width if width is not None and width < count else None)
    else:
        made = ir.Sequence(f"{identifier}{{}}", tuple(parts), span)
    return ir.Tolerant(identifier, made, most, count, span) if most else made
