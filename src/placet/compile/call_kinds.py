"""How a service is asked, and what that says of its answers (docs/semantics.md has the table).

A kind rules out faults of messages, and tells errors that say for sure that nothing was done from those that do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.ir import model as ir
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.ir.model import Step

OTHER = "other"


CIRCUIT_OPEN = "CircuitOpen"
BULKHEAD_FULL = "BulkheadFull"
RATE_LIMITED = "RateLimited"


class CallKind(NamedTuple):
    """What the way of asking promises."""

    unclear: tuple[str, ...]  # errors after which the request may have been carried out, or not
    exists: str  # the error by which a service says that it has carried the request out before; empty: it says "done"
    request: tuple[str, ...]  # faults that cannot befall a request
    reply: tuple[str, ...]


CALL_KINDS: dict[str, CallKind] = {
    "rest": CallKind(("ServerError",), "", (), ("duplicate",)),
    "grpc": CallKind(("Unavailable",), "AlreadyExists", ("duplicate",), ("duplicate",)),
    "queue": CallKind((), "", ("lost", "undo-lost"), ("lost", "undo-lost")),
}


def refusals(limits: ir.Limits) -> list[str]:
    """The errors with which the limits of a service refuse a call before it is made."""
    found = [CIRCUIT_OPEN] if limits.breaker else []
    found += [BULKHEAD_FULL] if limits.bulkhead and limits.full == "reject" else []
    return [*found, RATE_LIMITED] if limits.rate and limits.spent == "reject" else found


def with_errors(kind: str, rules: tuple[ir.ErrorRule, ...], retry: int) -> tuple[ir.ErrorRule, ...]:
    """The rules of a step with those for the errors of its kind that it does not name: the outcome is unknown."""
    known = {rule.error: rule for rule in rules}
    more = [
        known[OTHER]._replace(error=name) if OTHER in known else ir.ErrorRule(name, retry, "unknown")
        for name in (CALL_KINDS[kind].unclear if kind else ())
        if name not in known
    ]
    return (*rules, *more)


def definite(step: Step) -> frozenset[str]:
    """The errors (empty: the one without a name) that a step gets only where nothing was done."""
    kind = CALL_KINDS.get(step.via)
    if kind is None:
        return frozenset()
    unsure = {rule.error for rule in step.errors if rule.action == "unknown"}.union(kind.unclear)
    if OTHER in unsure:  # it is said of every error without a rule of its own
        unsure.add("")
    return frozenset({"", *(rule.error for rule in step.errors)} - unsure)


def exists(step: Step) -> str:
    """The error by which the service of a step says that it has carried the request out before; empty: none."""
    kind = CALL_KINDS.get(step.via)
    return kind.exists if kind is not None and "idempotent" in step.guarantees and not step.read_only else ""


def last_attempt(step: Step, attempt: int = 0) -> float:
    """How many seconds after the first one an attempt is still waited for, at most; the last numbered one where none is named."""
    number = attempt or 1 + max([step.retry, *(rule.retry for rule in step.errors)])
    first, most = step.backoff or (0.0, 0.0)
    pauses = sum(min(most, first * 2.0 ** min(n, 60)) for n in range(number - 1))
    return number * (step.timeout or 0.0) + pauses
