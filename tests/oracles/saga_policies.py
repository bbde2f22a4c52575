"""The policies of a saga, from its braces and its profile: the tables of docs/language.md."""

from __future__ import annotations

from typing import NamedTuple

from placet.syntax import ast


class Policy(NamedTuple):
    """The policies of a saga: what is said in its braces, else its profile, else what holds where nothing is said."""

    register: str = "before"
    failing: str = "undo_unless_rejected"
    unknown: str = "undo"
    order: str = "reverse"
    undo_retries: int | None = None  # None: for ever
    undo_then: str = "halt"
    siblings: str = "await"
    budget: int | None = None
    shared: bool = False
    cancellation: str = "masked"
    children: str = "propagate"
    recovery: str = "resume"
    deadline: str = "none"


KEPT = Policy(register="after", failing="keep")
PROFILES = {
    "temporal-go": KEPT._replace(undo_retries=0, undo_then="continue", cancellation="unmasked"),
    "temporal-java": Policy(failing="undo", cancellation="unmasked"),
    "dtm": Policy(register="submit", failing="undo"),
    "seata": Policy(recovery="undo"),
    "eventuate": KEPT._replace(unknown="retry", undo_retries=0),
    "axon": KEPT._replace(undo_retries=0, undo_then="continue"),
    "masstransit": KEPT._replace(undo_retries=0),
    "camunda7": KEPT._replace(unknown="retry", undo_retries=2, siblings="cancel"),
    "camunda8": KEPT._replace(unknown="retry", undo_retries=2, siblings="cancel", order="parallel"),
    "step-functions": Policy(failing="undo", undo_retries=0, siblings="cancel", cancellation="unmasked"),
    "conductor": KEPT._replace(undo_retries=3, siblings="cancel", cancellation="unmasked"),
    "restate": Policy(failing="undo", unknown="retry"),
}


def policy(saga: ast.Process) -> Policy:
    found = PROFILES[saga.profile.text] if saga.profile is not None else Policy()
    fields = {"register": "register", "failing_step": "failing", "undo_order": "order", "siblings": "siblings"}
    fields |= {name: name for name in ("cancellation", "children", "recovery", "deadline")}
    for option in saga.policies:
        words = [option.key.text.replace("_", " ") if option.key.text.startswith("on") else option.key.text]
        words += [str(o.value) if isinstance(o, ast.Number) else o.text for o in option.operands]
        match " ".join(words).split():
            case ["on", "unknown", what]:
                found = found._replace(unknown=what)
            case ["on", "undo", "failure", "retry"]:
                found = found._replace(undo_retries=None)
            case ["on", "undo", "failure", "retry", times, *then]:
                found = found._replace(undo_retries=int(times), undo_then=then[0] if then else "halt")
            case ["on", "undo", "failure", then]:
                found = found._replace(undo_retries=0, undo_then=then)
            case ["retry_budget", whose, times]:
                found = found._replace(budget=int(times), shared=whose == "shared")
            case [key, value] if key in fields:
                found = found._replace(**{fields[key]: value})
    return found
