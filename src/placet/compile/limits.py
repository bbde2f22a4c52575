"""What holds calls back from a service, as it is declared: a circuit breaker, a bulkhead, a limit of the rate; and its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.call_kinds import CALL_KINDS
from placet.compile.findings import figure, listed
from placet.ir import model as ir
from placet.syntax import ast

if TYPE_CHECKING:
    from placet.compile.findings import Findings
    from placet.compile.options import Operand

MOST = 20  # what a limit counts is looked at one by one; two or three show what many show
LIMITS = ("circuit_breaker", "bulkhead", "rate_limit")


def limits(options: dict[str, tuple[ast.Option, tuple[Operand, ...]]], findings: Findings) -> ir.Limits | None:
    """The limits among the options of a service; None where there are none."""
    found = ir.Limits()
    for key in LIMITS:
        if key not in options:
            continue
        option, operands = options[key]
        count = _count(key, option, findings)
        times = [o.seconds for o in operands if isinstance(o, ast.Duration)]
        rejects = any(isinstance(o, ast.Name) and o.text == "reject" for o in operands)
        if key == "circuit_breaker":
            found = found._replace(breaker=count, pause=times[0] if times else None)
        elif key == "bulkhead":
            found = found._replace(bulkhead=count, full="reject" if rejects else "wait")
        else:
            found = found._replace(rate=count, window=times[0], spent="reject" if rejects else "wait")
    first = next((options[key][0].span for key in LIMITS if key in options), None)
    return found._replace(span=first) if first is not None else None


def _count(key: str, option: ast.Option, findings: Findings) -> int:
    number = next(o for o in option.operands if isinstance(o, ast.Number))
    if 1 <= number.value <= MOST:
        return number.value
    if number.value > MOST:
        message = f"`{key}` with {figure(number.value)} is more than can be looked at"
        findings.add("P217", message, number.span, help="two or three show what many show")
        return MOST
    why = {
        "circuit_breaker": "a circuit breaker that opens after no failure lets nothing through",
        "bulkhead": "a bulkhead without room lets nothing through",
        "rate_limit": "a limit of no calls lets nothing through",
    }[key]
    findings.add("P290", why, option.span, help="give it 1 or more")
    return 1


def pool_size(pool: ast.Pool, findings: Findings) -> int:
    """How many things are in a pool."""
    size = pool.size.value
    if 1 <= size <= MOST:
        return size
    if size > MOST:
        message = f"a pool of {figure(size)} is more than can be looked at"
        findings.add("P217", message, pool.size.span, help="two or three show what many show")
        return MOST
    findings.add(
        "P290", f"the pool `{pool.name.text}` is empty: nobody gets anything", pool.size.span, help="give it 1 or more"
    )
    return 1


def call_kind(name: ast.Name | None, findings: Findings) -> str:
    """The kind of calls after `via`; empty where there is none, or none that is known."""
    if name is None or not name.text:
        return ""
    if name.text not in CALL_KINDS:
        help_ = findings.meant(name.text, CALL_KINDS, f"the kinds are {listed(CALL_KINDS)}")
        findings.add("P291", f"no kind of call is called `{name.text}`", name.span, help=help_)
        return ""
    return name.text
