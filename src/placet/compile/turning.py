"""By which errors a statement may make the saga around it turn back: what handlers inside catch does not count."""

from __future__ import annotations

from placet.compile.call_kinds import refusals
from placet.compile.flow import ANY, NO_CHOICE, TOO_MANY, children
from placet.ir import model as ir

ABANDON = ""  # no handler catches it
NOTHING: frozenset[str] = frozenset()


class Turning:
    """The errors that may leave each statement of a body. Recurses over nesting, which the parser bounds; linear."""

    def __init__(self, body: ir.Statement) -> None:
        self._found: dict[int, frozenset[str]] = {}
        self._visit(body)

    def of(self, statement: ir.Statement | ir.Gateway) -> frozenset[str]:
        """The names of the errors; empty where the statement never makes anything around it turn back."""
        return self._found[id(statement)]

    def _visit(self, statement: ir.Statement | ir.Gateway) -> frozenset[str]:
        inner = [self._visit(child) for child in children(statement)]
        if isinstance(statement, ir.Scope):
            body, *rest = inner
            caught = {h.name for h in statement.handlers if h.trigger == "error"}
            left = frozenset(e for e in body if e not in caught and (e == ABANDON or ANY not in caught))
            found = left.union(*rest)
        elif isinstance(statement, ir.Spare):
            found = frozenset((TOO_MANY,)) if any(inner) else NOTHING
        else:
            found = own_errors(statement).union(*inner)
        self._found[id(statement)] = found
        return found


def own_errors(statement: ir.Statement | ir.Gateway) -> frozenset[str]:
    """What the statement itself, not what is in it, may raise."""
    match statement:
        case ir.Step():
            return step_errors(statement)
        case ir.Abandon():
            return frozenset((ABANDON,))
        case ir.Raise():
            return frozenset((statement.error,))
        case ir.Task():
            return frozenset(statement.errors)
        case ir.Choice():
            return NOTHING if statement.exhaustive else frozenset((NO_CHOICE,))
        case ir.Call() if not statement.detached:
            return frozenset(("compensated", "failed")).difference([end for end, _ in statement.on])
    return NOTHING


def step_errors(step: ir.Step) -> frozenset[str]:
    """By which errors a step turns its saga back; one that is asked until it succeeds has none."""
    if step.retriable:
        return NOTHING
    actions = {rule.error: rule.action for rule in step.errors}
    found = {name for name in actions if name not in ("other", "timeout")}
    found.add("rejected")
    if step.timeout is not None:
        found.add("timeout")
    if step.limits is not None:
        found.update(refusals(step.limits))
    actions.setdefault("rejected", actions.get("other", "reject"))
    return frozenset(name for name in found if actions.get(name) not in ("escalate", "halt"))
