"""Profiles: how the engines that people use compensate, as one table; and what a saga's own policies override.

| profile | undo is registered | the failing step | unknown outcome | an undo that fails | siblings | cancelled |
|---|---|---|---|---|---|---|
| `default` | before the request | undone unless it was refused | undone | retried for ever | awaited | masked |
| `temporal-go` | after success | kept | undone as registered | ignored, the others go on | awaited | unmasked |
| `temporal-java` | before the request | undone | undone | retried for ever | awaited | unmasked |
| `dtm` | at submission | undone | undone | retried for ever | awaited | masked |
| `seata` | before the request | undone unless it was refused | undone | retried for ever | awaited | masked |
| `eventuate` | after success | kept | retried | stops the saga | awaited | masked |
| `axon` | after success | kept | undone as registered | ignored, the others go on | awaited | masked |
| `masstransit` | after success | kept | undone as registered | stops the saga | awaited | masked |
| `camunda7` | after success | kept | retried | retried twice, then a person | cancelled | masked |
| `camunda8` | after success | kept | retried | retried twice, then a person | cancelled | masked |
| `step-functions` | before the request | undone | undone | stops the saga | cancelled | unmasked |
| `conductor` | after success | kept | undone as registered | retried three times, then stops | cancelled | unmasked |
| `restate` | before the request | undone | retried | retried for ever | awaited | masked |

Undos run in reverse order, in `camunda8` all at once. After a crash all of them take up where they were, but `seata`, whose
recovery turns back. A profile says what an engine does by its defaults, or what its own published sample does: Temporal's
money transfer (Go) and trip booking (Java), the saga mode of DTM, the state machine of Seata, the routing slip of
MassTransit, compensation handlers and events in Camunda. Where an engine leaves the undo to the author (Step Functions,
Conductor, Axon, Restate), it says what their documentation shows; what a team does otherwise, it writes into its saga.

Temporal's Java sample stops at an undo that fails for good; an activity's default retry policy keeps that from
happening, so the profile retries. `on undo_failure halt` says the other. Its compensation runs in the scope that was
cancelled, unless the author detaches it: `cancellation masked`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.findings import figure, listed
from placet.compile.options import words
from placet.ir import model as ir

if TYPE_CHECKING:
    from placet.compile.findings import Findings
    from placet.syntax import ast

_AFTER = ir.Policy(register="after", undo_failing="no")  # what BPMN and routing slips do: only what succeeded is undone

PROFILES: dict[str, ir.Policy] = {
    "default": ir.Policy(),
    "temporal-go": _AFTER._replace(
        profile="temporal-go", undo_failure="continue", undo_retries=0, cancellation="unmasked"
    ),
    "temporal-java": ir.Policy("temporal-java", undo_failing="yes", cancellation="unmasked"),
    "dtm": ir.Policy("dtm", register="submit", undo_failing="yes"),
    "seata": ir.Policy("seata", recovery="undo"),
    "eventuate": _AFTER._replace(profile="eventuate", on_unknown="retry", undo_failure="halt", undo_retries=0),
    "axon": _AFTER._replace(profile="axon", undo_failure="continue", undo_retries=0),
    "masstransit": _AFTER._replace(profile="masstransit", undo_failure="halt", undo_retries=0),
    "camunda7": _AFTER._replace(
        profile="camunda7", on_unknown="retry", undo_failure="escalate", undo_retries=2, siblings="cancel"
    ),
    "camunda8": _AFTER._replace(
        profile="camunda8",
        on_unknown="retry",
        undo_order="parallel",
        undo_failure="escalate",
        undo_retries=2,
        siblings="cancel",
    ),
    "step-functions": ir.Policy(
        "step-functions",
        undo_failing="yes",
        undo_failure="halt",
        undo_retries=0,
        siblings="cancel",
        cancellation="unmasked",
    ),
    "conductor": _AFTER._replace(
        profile="conductor", undo_failure="halt", undo_retries=3, siblings="cancel", cancellation="unmasked"
    ),
    "restate": ir.Policy("restate", undo_failing="yes", on_unknown="retry"),
}

# the words of the language -> the field of ir.Policy and what the word means there
CHOICES: dict[str, tuple[str, dict[str, str]]] = {
    "register": ("register", {"before": "before", "after": "after", "submit": "submit", "log": "log"}),
    "failing_step": ("undo_failing", {"undo": "yes", "keep": "no", "undo_unless_rejected": "unless_rejected"}),
    "on unknown": ("on_unknown", {"undo": "undo", "retry": "retry", "ask": "ask", "ignore": "ignore"}),
    "undo_order": (
        "undo_order",
        {o: o for o in ("reverse", "parallel", "dependencies", "start", "completion", "registration")},
    ),
    "siblings": ("siblings", {"await": "await", "cancel": "cancel", "abandon": "abandon"}),
    "cancellation": ("cancellation", {"masked": "masked", "unmasked": "unmasked"}),
    "deadline": ("deadline", {"undo": "undo", "forward": "forward", "escalate": "escalate"}),
    "children": ("children", {"propagate": "propagate", "await": "await"}),
    "recovery": ("recovery", {"resume": "resume", "undo": "undo", "forget": "forget"}),
}
RETRY_BUDGETS = ("shared", "forward")
MOST_BUDGETED = 50  # retries of a whole saga
UNDO_FAILURE = ("retry", "halt", "continue", "escalate")
MOST_RETRIES = 1_000


def profile(name: ast.Name | None, findings: Findings) -> ir.Policy:
    """The policy of a profile; an unknown one is reported, and the default taken."""
    if name is None:
        return PROFILES["default"]
    if name.text not in PROFILES:
        help_ = findings.meant(name.text, PROFILES, f"the profiles are {listed(PROFILES)}")
        findings.add("P204", f"no profile is called `{name.text}`", name.span, help=help_)
        return PROFILES["default"]
    return PROFILES[name.text]


def override(policy: ir.Policy, options: tuple[ast.Option, ...], findings: Findings) -> ir.Policy:
    """A policy with what the saga itself says put in its place."""
    seen: set[str] = set()
    for option in options:
        key, operands = words(option)
        if key in seen:
            findings.add("P207", f"`{key}` is given twice", option.span, help="keep one of them")
        seen.add(key)
        if key == "on undo_failure":
            policy = _undo_failure(policy, option, operands, findings)
        elif key == "retry_budget":
            policy = _retry_budget(policy, option, operands, findings)
        elif key not in CHOICES:
            known = (*CHOICES, "on undo_failure", "retry_budget")
            help_ = findings.meant(key, known, f"a saga takes {listed(known)}")
            findings.add("P205", f"a saga has no option `{key}`", option.key.span, help=help_)
        else:
            field, values = CHOICES[key]
            texts = tuple(getattr(o, "text", None) for o in operands)
            if len(texts) != 1 or texts[0] not in values:
                help_ = findings.meant(str(texts[0]) if texts else "", values, f"it takes {listed(values)}")
                findings.add("P206", f"`{key}` does not take that", option.span, help=help_)
            else:
                policy = policy._replace(**{field: values[texts[0]]})  # type: ignore[arg-type] # CHOICES knows
    return policy


def _undo_failure(policy: ir.Policy, option: ast.Option, operands: tuple[object, ...], findings: Findings) -> ir.Policy:
    """`on undo_failure retry [N] [then X]`, `on undo_failure X`."""
    said = [getattr(o, "text", None) or getattr(o, "value", None) or 0 for o in operands]
    said = [w for w in said if w != "then"]
    match said:
        case ["retry"]:
            return policy._replace(undo_failure="retry", undo_retries=None)
        case ["retry", int(times), ("halt" | "continue" | "escalate") as then]:
            if times > MOST_RETRIES:
                message = f"{figure(times)} retries of an undo are more than can be looked at"
                findings.add("P217", message, option.span, help="two or three attempts show what many show")
                return policy
            return policy._replace(undo_failure=then, undo_retries=times)
        case [("halt" | "continue" | "escalate") as then]:
            return policy._replace(undo_failure=then, undo_retries=0)
        case ["retry", int()]:
            message = "nothing is said about an undo that fails after its last retry"
            findings.add(
                "P206", message, option.span, help="end it with `then halt`, `then continue` or `then escalate`"
            )
        case _:
            help_ = "say `retry`, `halt`, `continue`, `escalate`, or `retry 5 then escalate`"
            findings.add("P206", "`on undo_failure` does not take that", option.span, help=help_)
    return policy


def _retry_budget(policy: ir.Policy, option: ast.Option, operands: tuple[object, ...], findings: Findings) -> ir.Policy:
    """`retry_budget shared N`, `retry_budget forward N`."""
    kind, count = (
        (getattr(operands[0], "text", ""), getattr(operands[1], "value", 0)) if len(operands) == 2 else ("", 0)
    )
    if kind not in RETRY_BUDGETS:
        help_ = findings.meant(kind, RETRY_BUDGETS, "say `retry_budget shared 3`, or `retry_budget forward 3`")
        findings.add("P206", "`retry_budget` does not take that", option.span, help=help_)
        return policy
    if count > MOST_BUDGETED:
        message = f"{figure(count)} retries of a saga are more than can be looked at"
        findings.add("P217", message, option.span, help="two or three show what many show")
        return policy
    return policy._replace(retry_budget=count, retry_budget_of=kind)  # type: ignore[arg-type] # RETRY_BUDGETS knows
