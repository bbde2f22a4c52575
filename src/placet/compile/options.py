"""Options in the braces of steps and services: what they are called, what they take, what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, Union

from placet.compile.findings import figure, listed
from placet.syntax import ast

if TYPE_CHECKING:
    from placet.compile.findings import Findings

Operand: TypeAlias = Union[ast.Name, ast.Number, ast.Duration, ast.Text]

CORRELATIONS = ("attempt", "step", "name")
GUARANTEES = ("idempotent", "null_safe", "rejects_after_cancel")

# option -> what it takes: nothing, one name, a number, a duration, names, an undo
STEP_OPTIONS = {
    "undo": "undo",
    "retry": "retries",
    "timeout": "duration",
    "pivot": "nothing",
    "retriable": "nothing",
    "read_only": "nothing",
    "after": "names",
    "undo_after": "names",
    "key": "key",
    "correlation": "correlation",
    "effect": "amount",
    **dict.fromkeys(GUARANTEES, "nothing"),
}
SERVICE_OPTIONS = {
    **dict.fromkeys(GUARANTEES, "nothing"),
    "capacity": "number",
    "latency": "latency",
    "circuit_breaker": "limit",
    "bulkhead": "limit",
    "rate_limit": "limit",
}
OF_SAGAS = (
    "register", "failing_step", "undo_order", "siblings", "cancellation", "children", "recovery", "deadline", "on unknown",
    "on undo_failure", "retry_budget",
)  # fmt: skip

SHAPES = {
    "nothing": "nothing after it",
    "number": "a number, as in `retry 3`",
    "retries": "a number and how long it waits before, as in `retry 3` or `retry 3 backoff 1s..30s`",
    "latency": "a time or a distribution of times, as in `latency 80ms` or `latency lognormal(80ms, 2)`",
    "duration": "a time, as in `timeout 10s`",
    "key": "a name, whose it is and how long it is kept, as in `key account` or `key account per run ttl 24h`",
    "limit": "a number, as in `circuit_breaker after 3 probe 30s`, `bulkhead 2 wait` or `rate_limit 5 per 1s reject`",
    "names": "names of earlier steps, as in `after flight, hotel`",
    "correlation": "what tells replies apart: `attempt`, `step` or `name`, as in `correlation attempt`",
    "amount": "what it moves, as in `effect debit(alice, 100)` or `effect credit(bob, 100)`",
    "undo": "the name of the undo, as in `undo cancel` or `undo cancel(step.reply)`",
}


def words(option: ast.Option) -> tuple[str, tuple[Operand, ...]]:
    """The key of an option and its operands; `on undo_failure` and its like are keys of two words."""
    key = " ".join(option.key.text.split())
    first = option.operands[0] if option.operands else None
    if key == "on" and isinstance(first, ast.Name):
        return f"on {first.text}", option.operands[1:]
    return key.replace("on_", "on ", 1) if key in ("on_unknown", "on_undo_failure") else key, option.operands


def understood(
    options: tuple[ast.Option, ...], known: dict[str, str], owner: str, findings: Findings
) -> dict[str, tuple[ast.Option, tuple[Operand, ...]]]:
    """The options that can be used, by key; the others are reported: unknown, given twice, with wrong operands."""
    good: dict[str, tuple[ast.Option, tuple[Operand, ...]]] = {}
    for option in options:
        key, operands = words(option)
        if key not in known:
            _unknown(option, key, known, owner, findings)
        elif key in good:
            findings.add("P207", f"`{key}` is given twice", option.span, help="keep one of them")
        elif not _fits(known[key], operands):
            findings.add("P206", f"`{key}` does not take that", option.span, help=f"it takes {SHAPES[known[key]]}")
        else:
            good[key] = (option, operands)
    return good


def _unknown(option: ast.Option, key: str, known: dict[str, str], owner: str, findings: Findings) -> None:
    if key in OF_SAGAS and owner != "saga":
        help_ = f"`{key}` is a policy of the whole saga: write it in the saga's own braces"
    else:
        help_ = findings.meant(key, known, f"a {owner} takes {listed(known, 12)}")
    findings.add("P205", f"a {owner} has no option `{key}`", option.key.span, help=help_)


def _fits(shape: str, operands: tuple[Operand, ...]) -> bool:
    if shape == "nothing":
        return not operands
    if shape == "number":
        return len(operands) == 1 and isinstance(operands[0], ast.Number)
    if shape == "retries":
        first, *times = operands or (None,)
        return isinstance(first, ast.Number) and len(times) <= 2 and all(isinstance(t, ast.Duration) for t in times)
    if shape in ("latency", "limit", "key"):
        return bool(operands)  # the grammar has seen to the rest
    if shape == "duration":
        return len(operands) == 1 and isinstance(operands[0], ast.Duration)
    if shape == "correlation":
        return len(operands) == 1 and isinstance(operands[0], ast.Name) and operands[0].text in CORRELATIONS
    most = {"undo": 2}.get(shape, len(operands))
    return 0 < len(operands) <= most and all(isinstance(o, ast.Name) for o in operands)


def number(operands: tuple[Operand, ...], most: int, what: str, findings: Findings) -> int:
    """The number that an option gives, refused where it is absurd."""
    operand = operands[0]
    if not isinstance(operand, ast.Number):
        return 0
    if operand.value > most:
        message = f"{figure(operand.value)} {what} are more than can be looked at"
        findings.add("P217", message, operand.span, help="two or three show what many show")
        return most
    return operand.value
