"""Single changes of a saga that can help it: what participants could promise, and what the coordinator could do.

A change is data, and `changed` applies it to the IR. Costs order advice, nothing else: a word in one's own definition is
cheap, a promise that another team has to build and test is dear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from placet.compile.call_kinds import CALL_KINDS
from placet.compile.vocabulary import statements
from placet.ir import model as ir
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

GUARANTEES = {
    "null_safe": (
        2,
        "let {service} answer an undo that finds nothing to undo, without doing anything (`null_safe`)",
        "{service}: send an undo whose request never came; it answers that all is well, and nothing has changed",
    ),
    "idempotent": (
        2,
        "let {service} recognise a request that it has carried out before (`idempotent`)",
        "{service}: send the same request twice; it takes effect once, and both are answered alike",
    ),
    "rejects_after_cancel": (
        3,
        "let {service} remember an undo, and refuse the request that comes after it (`rejects_after_cancel`)",
        "{service}: send an undo, then its request; the request is refused, and nothing has changed",
    ),
}

POLICIES: tuple[tuple[str, str, int, str], ...] = (
    ("register", "before", 1, "register the undo of a step before it is asked for (`register before`)"),
    ("undo_failing", "yes", 1, "undo the step that failed too, whatever its error says (`failing_step undo`)"),
    ("on_unknown", "undo", 1, "undo a step that did not answer in time (`on unknown undo`)"),
    ("on_unknown", "retry", 1, "try a step that did not answer in time until it does (`on unknown retry`)"),
    ("undo_failure", "retry", 1, "try an undo that failed until it works (`on undo_failure retry`)"),
    ("undo_failure", "escalate", 2, "call a person when an undo fails (`on undo_failure escalate`)"),
    ("retry_budget_of", "forward", 1, "let the undos have retries of their own (`retry_budget forward`)"),
    ("siblings", "await", 1, "wait for the other ways of a parallel before going back (`siblings await`)"),
)


class Change(NamedTuple):
    """One change: to a guarantee of a service, to a policy of a saga, to the class, the key or an error of a step."""

    kind: Literal["guarantee", "policy", "step"]
    target: str  # the service, or the id of the saga or step
    name: str  # the guarantee, the field of the policy, the class, `key`, or `error`
    value: str
    cost: int
    words: str  # what to do, without a full stop
    owes: str  # the contract test that the participant then owes; empty where it owes none

    @property
    def id(self) -> str:
        """`cars: rejects_after_cancel`, `book_trip: register before`."""
        return f"{self.target}: {self.name}" + (f" {self.value}" if self.value else "")


def changes(model: ir.Model) -> tuple[Change, ...]:
    """Every single change that is not made already, cheapest first. Linear in the model."""
    found: list[Change] = []
    given: dict[str, set[str]] = {}
    for process in model.processes:
        steps = [s for s in statements(process.body) if isinstance(s, ir.Step) and not s.read_only]
        for step in steps:
            kept = given.setdefault(step.service, set(step.guarantees))
            kept &= step.guarantees
        if process.kind == "saga" and steps:
            found += _policies(process, forks=any(isinstance(s, ir.Parallel) for s in statements(process.body)))
            found += _steps(steps)
            found += _keys(steps)
    for service, kept in given.items():
        for name, (cost, words, owes) in GUARANTEES.items():
            if name not in kept:
                quoted = f"`{service}`"
                told = words.format(service=quoted), owes.format(service=quoted)
                found.append(Change("guarantee", service, name, "", cost, *told))
    return tuple(sorted(found, key=lambda c: (c.cost, c.id)))


def _policies(process: ir.Process, *, forks: bool) -> list[Change]:
    name = process.id.rpartition("/")[2]
    return [
        Change("policy", process.id, field, value, cost, f"in `{name}`, {words}", "")
        for field, value, cost, words in POLICIES
        if getattr(process.policy, field) != value
        and (field != "siblings" or forks)
        and (field != "retry_budget_of" or process.policy.retry_budget is not None)
    ]


def _steps(steps: list[ir.Step]) -> list[Change]:
    """Where there is a point of no return, a step without an undo that may fail can be one that is tried until it works.

    An error of the point of no return itself may come although it was passed: it can be taken for an unknown outcome.
    """
    if not any(step.pivot for step in steps):
        return []
    words = "try {step} until it works, as what lies behind the point of no return (`retriable`)"
    owes = (
        "{service}: answer {step} with an error for a while; asked again it works, and what was refused left no effect"
    )
    again = "take an error of {step} for an unknown outcome, no refusal (`errors {{ other: unknown }}`): it is then asked for again"
    pivots = [s for s in steps if s.pivot and not any(r.error == "other" and r.action == "unknown" for r in s.errors)]
    return [Change("step", s.id, "unknown", "", 1, again.format(step=f"`{s.name}`"), "") for s in pivots] + [
        Change(
            "step",
            s.id,
            "retriable",
            "",
            1,
            words.format(step=f"`{s.name}`"),
            owes.format(step=f"`{s.name}`", service=f"`{s.service}`"),
        )
        for s in steps
        if s.undo is None and not s.pivot and not s.retriable
    ]


def _keys(steps: list[ir.Step]) -> list[Change]:
    """Whose the key of a step is, how long it is remembered, and which of its errors are taken for a refusal that are none."""
    found = []
    for s in steps:
        name = f"`{s.name}`"
        if s.per == "attempt":
            words = f"give all attempts of {name} in a run the same key (`key ... per run`)"
            found.append(Change("step", s.id, "key", "per run", 1, words, ""))
        if s.ttl is not None:
            words = (
                f"let `{s.service}` remember the key of {name} for good, or for longer than any request is on its way"
            )
            owes = f"`{s.service}`: send a request of {name} again long after the first one; it takes effect once"
            found.append(Change("step", s.id, "key", "without ttl", 2, words, owes))
        unclear = CALL_KINDS[s.via].unclear if s.via else ()
        for rule in s.errors:
            if rule.error in unclear and rule.action == "reject":
                words = f"take `{rule.error}` of {name} for unknown, since it may come after the effect (`errors {{ {rule.error}: unknown }}`)"
                found.append(Change("step", s.id, "error", rule.error, 1, words, ""))
    return found


def _mended(step: ir.Step, name: str, value: str) -> ir.Step:
    """The step with another key, or with an error taken for unknown."""
    if name == "error":
        return step._replace(
            errors=tuple([r._replace(action="unknown") if r.error == value else r for r in step.errors])
        )
    return step._replace(per="run") if value == "per run" else step._replace(ttl=None)


def changed(model: ir.Model, wanted: tuple[Change, ...]) -> ir.Model:
    """The model with these changes. Of two for one policy the last one counts."""
    promised: dict[str, set[str]] = {}
    policies: dict[str, dict[str, Any]] = {}
    tried = {change.target for change in wanted if change.name == "retriable"}
    unsure = {change.target for change in wanted if change.name == "unknown"}
    mended = [change for change in wanted if change.name in ("key", "error")]
    for change in wanted:
        if change.kind == "guarantee":
            promised.setdefault(change.target, set()).add(change.name)
        elif change.kind == "policy":
            policies.setdefault(change.target, {})[change.name] = change.value
            if change.name == "undo_failure" and change.value == "retry":
                policies[change.target]["undo_retries"] = None

    def step(found: ir.Step) -> ir.Step:
        more = promised.get(found.service)
        made = found if not more else found._replace(guarantees=found.guarantees | more)
        if found.id in unsure:
            named = tuple(rule for rule in made.errors if rule.error != "other")
            made = made._replace(errors=(*named, ir.ErrorRule("other", 0, "unknown")))
        for change in mended:
            if change.target == found.id:
                made = _mended(made, change.name, change.value)
        return made._replace(retriable=True) if found.id in tried else made

    processes = tuple(
        p._replace(
            body=_rewritten(p.body, step) if promised or tried or unsure or mended else p.body,
            policy=p.policy._replace(**policies.get(p.id, {})),
        )
        for p in model.processes
    )
    return model._replace(processes=processes)


def _rewritten(value: Any, step: Callable[[ir.Step], ir.Step]) -> Any:  # noqa: ANN401 - any part of the IR
    """The same tree with every step replaced. Recurses as deep as statements nest, which the language bounds."""
    if isinstance(value, ir.Step):
        return step(value)
    if not isinstance(value, tuple):
        return value
    parts = [_rewritten(part, step) for part in value]
    if all(new is old for new, old in zip(parts, value, strict=True)):
        return value
    return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
