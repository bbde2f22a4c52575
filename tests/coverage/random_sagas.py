"""Random small sagas under random fault hypotheses, from a number; and how to make one that disagrees smaller."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from placet.compile.call_kinds import CALL_KINDS, with_errors
from placet.compile.profiles import PROFILES
from placet.compile.workflow_to_net import process_to_net
from placet.faults.hypothesis import KINDS, Hypothesis
from placet.faults.weave import weave
from placet.ir import model as ir

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placet.faults.weave import Woven

ENDS = ("completed", "compensated", "failed")
GUARANTEES = ("idempotent", "null_safe", "rejects_after_cancel")
CHOICES = {
    "register": ("before", "after", "submit", "log"),
    "undo_failing": ("yes", "no", "unless_rejected"),
    "on_unknown": ("undo", "retry", "ask", "ignore"),
    "undo_order": ("reverse", "parallel", "dependencies"),
    "undo_failure": ("retry", "halt", "continue", "escalate"),
    "undo_retries": (None, 0, 1),
    "siblings": ("await", "cancel", "abandon"),
    "cancellation": ("masked", "unmasked"),
    "children": ("propagate", "await"),
    "recovery": ("resume", "undo", "forget"),
}


POOL = 9  # more than anybody takes


class Case(NamedTuple):
    """A saga or workflow, the sagas that it calls, and the faults it meets."""

    process: ir.Process
    called: tuple[ir.Process, ...]
    hypothesis: Hypothesis

    def woven(self) -> Woven | None:
        """The net with its faults; None for what the compiler refuses."""
        compiled, diagnostics = process_to_net(self.process, {p.id: p for p in self.called})
        if any(d.severity == "error" for d in diagnostics):
            return None
        return weave(compiled, self.hypothesis)


STACKS = ("start", "completion", "registration")


def stacked(seed: int) -> Case:
    """A case whose undos are in an order that also holds across the ways of a parallel; there is one, mostly."""
    made = case(seed)
    rng = random.Random(-seed - 2)
    if rng.random() < 0.7:
        made = next((other for s in range(seed, seed + 40_000_000, 1_000_003) if _side_by_side(other := case(s))), made)

    def ordered(process: ir.Process) -> ir.Process:
        policy = process.policy or ir.Policy("default")
        return process._replace(policy=policy._replace(undo_order=rng.choice(STACKS)))

    return made._replace(process=ordered(made.process), called=tuple(ordered(p) for p in made.called))


def _side_by_side(made: Case) -> bool:
    """Whether ways that run at once have steps, with undos, in at least two of them."""
    return any(
        sum(any(isinstance(s, ir.Step) and s.undo is not None for s in walk(way.body)) for way in p.ways) > 1
        for p in walk(made.process.body)
        if isinstance(p, ir.Parallel)
    )


def case(seed: int, *, most: int = 3, limited: bool = False) -> Case:
    """The case of a number; `limited`: its service holds calls back, is asked in some way, and has keys for some time."""
    rng = _Rng(seed)
    if limited:
        rng.more = random.Random(-seed - 1)
        rng.limits = limits(rng.more)
        most = 2
    steps = rng.choice([1, 1, *range(1, most + 1)])
    rich = rng.random() < 0.4
    if steps > 1 and rng.random() < 0.2:
        inner = _Body(rng, "q", rich=rich).any(1)
        called = (ir.Process("q", "saga", inner, ENDS, _policy(rng)),)
        body = _Body(rng, "b", rich=rich, call="q").any(steps - 1)
        if rng.random() < 0.3 and not _has_step(body):
            return Case(ir.Process("b", "workflow", body, ("completed", "failed"), _policy(rng)), called, _faults(rng))
    else:
        called = ()
        body = _Body(rng, "b", rich=rich).any(steps)
    return Case(ir.Process("b", "saga", body, ENDS, _policy(rng)), called, _faults(rng))


def _policy(rng: random.Random) -> ir.Policy:
    if rng.random() < 0.4:
        return rng.choice(list(PROFILES.values()))
    policy = ir.Policy("default", **{field: rng.choice(values) for field, values in CHOICES.items()})
    if rng.random() < 0.25:
        policy = policy._replace(
            retry_budget=rng.choice([0, 1, 1, 2]), retry_budget_of=rng.choice(["shared", "shared", "forward"])
        )
    return policy


def _faults(rng: random.Random) -> Hypothesis:
    kinds = tuple(rng.sample(list(KINDS), rng.randint(1, 4)))
    return Hypothesis(kinds, rng.choice([1, 1, 2]), rng.choice(["transient", "permanent", "both"]))


def _has_step(body: ir.Statement) -> bool:
    return any(isinstance(s, ir.Step) for s in walk(body))


class _Rng(random.Random):
    """What else is drawn comes from a second source, so that a case with limits is the same as without but for them."""

    more: random.Random | None = None
    limits: ir.Limits | None = None


def limits(rng: random.Random) -> ir.Limits | None:
    """What holds calls back from a service."""
    if rng.random() < 0.2:
        return None
    found = ir.Limits()
    if rng.random() < 0.6:
        found = found._replace(breaker=rng.choice([1, 1, 2]), pause=rng.choice([None, 30.0]))
    if rng.random() < 0.4:
        found = found._replace(bulkhead=rng.choice([1, 1, 2]), full=rng.choice(["wait", "reject"]))
    if rng.random() < 0.4:
        found = found._replace(rate=rng.choice([1, 2]), window=1.0, spent=rng.choice(["wait", "reject"]))
    return found if found != ir.Limits() else None


def _limited(step: ir.Step, rng: random.Random, held: ir.Limits | None) -> ir.Step:
    """The step asked in some way, with a key for some time, at a service that holds calls back."""
    via = rng.choice(["", "", *CALL_KINDS])
    errors = step.errors
    if rng.random() < 0.2 and not errors:
        error = rng.choice(["CircuitOpen", "BulkheadFull", "RateLimited", "AlreadyExists", "ServerError"])
        errors = (ir.ErrorRule(error, rng.choice([0, 1]), rng.choice(["reject", "unknown", "escalate"])),)
    if via:
        errors = with_errors(via, errors, step.retry)
    per, ttl = rng.choice(["run", "run", "attempt"]), rng.choice([None, None, 5.0, 100.0])
    return step._replace(via=via, errors=errors, per=per, ttl=ttl, limits=held)


class _Body:
    """Random statements of one process; every name is new."""

    def __init__(self, rng: random.Random, process: str, *, rich: bool, call: str = "") -> None:
        self.rng, self.process, self.rich, self.call = rng, process, rich, call
        self.count = 0
        self.known: list[str] = []
        self.waiting = (
            random.Random(rng.random()) if rng.random() < 0.3 else None
        )  # some undos wait for those of earlier steps

    def name(self, kind: str) -> str:
        """A new id."""
        self.count += 1
        return f"{self.process}/{kind}{self.count}"

    def any(self, steps: int) -> ir.Statement:
        """A statement with so many steps."""
        rng = self.rng
        if self.call:
            target, self.call = self.call, ""
            call = ir.Call(self.name("call"), target, self._ends())
            rest = self.any(steps)
            return ir.Sequence(self.name("seq"), rng.choice([(call, rest), (rest, call), (call,)]))
        more = getattr(rng, "more", None)
        if more is not None and more.random() < 0.15:
            return ir.With(self.name("with"), "p", POOL, self.any(steps))
        extra = rng.random() if self.rich else 1.0
        if extra < 0.12:
            return ir.Loop(
                self.name("loop"), self.any(steps), rng.choice(["before", "after", "never"]), at_most=rng.choice([1, 2])
            )
        if extra < 0.3:
            return ir.Scope(self.name("try"), self.any(steps), (self._handler(),))
        if extra < 0.5:
            return ir.Sequence(self.name("seq"), self._around(self.any(steps)))
        if steps <= 1:
            return self.step()
        cut = rng.randint(1, steps - 1)
        one, two = self.any(cut), self.any(steps - cut)
        kind = rng.choice(["sequence", "sequence", "sequence", "parallel", "parallel", "choice", "try"])
        if kind == "sequence":
            return ir.Sequence(self.name("seq"), (one, two))
        if kind == "try":
            name = rng.choice(["*", "rejected", "timeout"])
            return ir.Scope(self.name("try"), one, (ir.Handler(self.name("on"), "error", name, two),))
        ways = tuple(ir.Way(self.name("way"), None, body) for body in (one, two))
        if kind == "parallel":
            return ir.Parallel(self.name("parallel"), ways)
        return ir.Choice(self.name("choice"), ways, rng.random() < 0.7)

    def _ends(self) -> tuple[tuple[str, ir.Statement], ...]:
        ends = self.rng.sample(["compensated", "failed", "completed"], self.rng.choice([0, 0, 1, 2]))
        return tuple((end, self._small()) for end in ends)

    def _handler(self) -> ir.Handler:
        name = self.rng.choice(["*", "rejected", "timeout"])
        return ir.Handler(self.name("on"), "error", name, self._small())

    def _small(self) -> ir.Statement:
        return self.rng.choice(
            [
                ir.Task(self.name("task"), "t"),
                ir.Abandon(self.name("abandon")),
                ir.Sequence(self.name("seq"), ()),
                ir.Raise(self.name("raise"), "E"),
            ]
        )

    def _around(self, body: ir.Statement) -> tuple[ir.Statement, ...]:
        other = self.rng.choice([ir.Task(self.name("task"), "t", ("E",)), self._small()])
        if isinstance(other, ir.Abandon | ir.Raise) and self.rng.random() < 0.6:
            nothing = ir.Sequence(self.name("seq"), ())
            ways = (ir.Way(self.name("way"), None, other), ir.Way(self.name("way"), None, nothing))
            other = ir.Choice(self.name("choice"), ways)
        return self.rng.choice([(body, other), (other, body)])

    def step(self) -> ir.Step:
        """One step with random options."""
        rng = self.rng
        identifier = self.name("s")
        kind = rng.choice(["", "", "", "", "pivot", "retriable", "read_only", "no undo"])
        undo = None if kind in ("read_only", "no undo") else ir.Undo("u", rng.choice(["", "", "reply"]))
        guarantees = rng.sample(GUARANTEES, rng.choice([0, 1, 2, 3]))
        errors = ()
        if rng.random() < 0.15:
            error, action = rng.choice(["E", "other"]), rng.choice(["reject", "unknown", "escalate", "halt"])
            errors = (ir.ErrorRule(error, rng.choice([0, 1]), action),)
        elif rng.random() < 0.1:
            errors = (ir.ErrorRule("timeout", 0, rng.choice(["escalate", "halt"])),)
        after = tuple(k for k in self.known if rng.random() < 0.7)
        earlier = [k.rpartition("/")[2] for k in self.known]
        waits = tuple(k for k in earlier if self.waiting is not None and self.waiting.random() < 0.5)
        self.known.append(identifier)
        made = ir.Step(
            identifier,
            identifier.rpartition("/")[2],
            "z",
            undo,
            rng.choice([0, 0, 0, 1, 2]),
            rng.choice([10.0, 10.0, 10.0, None]),
            pivot=kind == "pivot",
            retriable=kind == "retriable",
            read_only=kind == "read_only",
            guarantees=frozenset(guarantees),
            errors=errors,
            after=after,
            undo_after=waits,
        )
        more = getattr(rng, "more", None)
        return made if more is None else _limited(made, more, rng.limits)


# -- smaller ----------------------------------------------------------------------------------------------------------


def parts(statement: ir.Statement) -> tuple[ir.Statement, ...]:
    """The statements directly in it."""
    match statement:
        case ir.Sequence():
            return statement.parts
        case ir.Parallel() | ir.Choice():
            return tuple(way.body for way in statement.ways)
        case ir.Scope():
            return (statement.body, *(h.body for h in statement.handlers))
        case ir.Loop() | ir.With():
            return (statement.body,)
        case ir.Call():
            return tuple(body for _, body in statement.on)
    return ()


def walk(statement: ir.Statement) -> Iterator[ir.Statement]:
    """It and all in it."""
    yield statement
    for part in parts(statement):
        yield from walk(part)


def with_part(statement: ir.Statement, k: int, part: ir.Statement) -> ir.Statement:
    match statement:
        case ir.Sequence():
            return statement._replace(parts=(*statement.parts[:k], part, *statement.parts[k + 1 :]))
        case ir.Parallel() | ir.Choice():
            ways = list(statement.ways)
            ways[k] = ways[k]._replace(body=part)
            return statement._replace(ways=tuple(ways))
        case ir.Scope():
            if k == 0:
                return statement._replace(body=part)
            handlers = list(statement.handlers)
            handlers[k - 1] = handlers[k - 1]._replace(body=part)
            return statement._replace(handlers=tuple(handlers))
        case ir.Loop() | ir.With():
            return statement._replace(body=part)
        case ir.Call():
            on = list(statement.on)
            on[k] = (on[k][0], part)
            return statement._replace(on=tuple(on))
    raise TypeError(statement)


def _smaller_bodies(statement: ir.Statement) -> Iterator[ir.Statement]:
    yield from parts(statement)
    match statement:
        case ir.Sequence(parts=inner):
            for k in range(len(inner)):
                yield statement._replace(parts=(*inner[:k], *inner[k + 1 :]))
        case ir.Parallel(ways=ways):
            yield ir.Sequence(statement.id, tuple(way.body for way in ways))
        case ir.Call(on=on) if on:
            yield statement._replace(on=on[1:])
        case ir.Choice(exhaustive=False):
            yield statement._replace(exhaustive=True)
        case ir.Scope(handlers=(_, *_)):
            yield statement._replace(handlers=())
        case ir.Step():
            yield from _smaller_steps(statement)
        case ir.Task(errors=(_, *_)) | ir.Abandon() | ir.Raise():
            yield ir.Task(statement.id, "t")
        case ir.Loop(at_most=2):
            yield statement._replace(at_most=1)
    for k, part in enumerate(parts(statement)):
        for smaller in _smaller_bodies(part):
            yield with_part(statement, k, smaller)


def _smaller_steps(step: ir.Step) -> Iterator[ir.Step]:
    plain = ir.Step(step.id, step.name, step.service, ir.Undo("u"), timeout=10.0)
    for field in (
        "undo",
        "timeout",
        "pivot",
        "retriable",
        "read_only",
        "guarantees",
        "errors",
        "after",
        "undo_after",
        "via",
        "per",
        "ttl",
        "limits",
    ):
        if getattr(step, field) != getattr(plain, field):
            yield step._replace(**{field: getattr(plain, field)})
    if step.retry:
        yield step._replace(retry=step.retry - 1)
    if len(step.guarantees) > 1:
        for guarantee in step.guarantees:
            yield step._replace(guarantees=step.guarantees - {guarantee})


def smaller(found: Case) -> Iterator[Case]:
    """Cases that are a little simpler."""
    process, called, hypothesis = found
    if called and not any(isinstance(s, ir.Call) for s in walk(process.body)):
        yield found._replace(called=())
    for q in called:
        yield Case(q._replace(id="q"), (), hypothesis)
        for body in _smaller_bodies(q.body):
            yield found._replace(called=(q._replace(body=body),))
        for policy in _smaller_policies(q.policy):
            yield found._replace(called=(q._replace(policy=policy),))
    for body in _smaller_bodies(process.body):
        yield found._replace(process=process._replace(body=body))
    for policy in _smaller_policies(process.policy):
        yield found._replace(process=process._replace(policy=policy))
    if hypothesis.budget > 1:
        yield found._replace(hypothesis=hypothesis._replace(budget=1))
    if hypothesis.modes != "transient":
        yield found._replace(hypothesis=hypothesis._replace(modes="transient"))
    for fault in hypothesis.faults if len(hypothesis.faults) > 1 else ():
        rest = tuple(f for f in hypothesis.faults if f != fault)
        yield found._replace(hypothesis=hypothesis._replace(faults=rest))


def _smaller_policies(policy: ir.Policy) -> Iterator[ir.Policy]:
    for field, default in ir.Policy()._asdict().items():
        if getattr(policy, field) != default:
            yield policy._replace(**{field: default})
