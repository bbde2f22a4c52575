"""Random small sagas under faults, compiled to a net and interpreted on their syntax tree: the same traces.

`PLACET_EXAMPLES=5000 pytest tests/test_saga_interpreter.py` looks at more of them than every run of the tests does.
"""

from __future__ import annotations

import os
from functools import cache

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from oracles.saga_interpreter import SagaInterpreter
from oracles.saga_policies import PROFILES
from oracles.traces import difference, moving
from placet import pipeline
from placet.compile.resolve import resolve
from placet.compile.to_net import compile_model
from placet.compile.vocabulary import statements
from placet.evidence import Holds, Violated
from placet.faults.hypothesis import LEVELS, NONE, Hypothesis
from placet.faults.loom import SECOND, first_run
from placet.faults.weave import weave
from placet.net.roles import Kind, Role
from placet.source import SourceFile
from placet.syntax.parser import parse
from test_interpreter import TooLargeError, shown

CASES = int(os.environ.get("PLACET_EXAMPLES", "40"))
STATES = 2_000
LENGTH = 60


def some(count: int):
    """So many random cases, at least one; always the same ones where nobody asks for more."""
    return settings(
        max_examples=max(count, 1),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize="PLACET_EXAMPLES" not in os.environ,
    )


def label(role: Role):
    """What a move of a call is called, from the part it plays."""
    where = (role.step.rpartition("/")[2], role.direction, role.attempt)
    match role.kind:
        case Kind.SEND:
            return ("send", *where)
        case Kind.APPLY | Kind.IGNORE:
            return (role.kind.value, *where, role.how)
        case Kind.REFUSE:
            return ("refuse", *where)
        case Kind.REPLY if role.attempt == 0:
            return ("told", where[0], role.says == "was done")
        case Kind.REPLY:
            return ("reply", *where, role.says)
        case Kind.TIMER if role.step:
            return ("timeout", *where)
        case Kind.ABSORB:
            return ("late", *where)
        case Kind.FAULT if role.fault in ("cancel", "crash"):
            return ("fault", role.fault)
        case Kind.FAULT:
            return ("fault", role.fault, *where)
    return None


def system_of(text: str, hypothesis: Hypothesis, most: int = STATES):
    """The syntax tree of a text and its net with faults as a system of markings; None where the text has errors."""
    file, problems = parse(SourceFile("random.placet", text))
    model, unresolved = resolve(file)
    if any(d.severity == "error" for d in (*problems, *unresolved)):
        return None
    nets, uncompiled = compile_model(model)
    if any(d.severity == "error" for d in uncompiled):
        return None
    bare = nets[0]
    names = {s.id: shown(s) for p in model.processes for s in statements(p.body)}
    for process in model.processes:
        for s in statements(process.body):
            for h in getattr(s, "handlers", ()):
                if h.trigger != "error":
                    names[h.id] = f"{'signal' if h.trigger == 'event' else 'timeout'}({h.name})"
    labels: dict[int, str | None] = {}
    net = weave(bare, hypothesis).compiled
    for t, role in enumerate(net.roles.transitions):
        if role.kind is Kind.END:
            own, _, end = net.net.transitions[t].rpartition("#ends")
            end = end.rpartition(".")[2]
            labels[t] = end if first_run(own) == bare.subject else names.get(net.origin.transitions[t].id)
        elif role.kind is Kind.TASK:
            labels[t] = names[net.origin.transitions[t].id] + (f"!{role.says}" if role.says else "")
        elif role.kind is Kind.TIMER and ":overdue" in net.net.transitions[t]:
            labels[t] = "overdue"
        elif role.kind in (Kind.EVENT, Kind.TIMER) and names.get(net.origin.transitions[t].id):
            labels[t] = names[net.origin.transitions[t].id]
        else:
            labels[t] = told(label(role))
            if role.kind is Kind.ROUTE and names.get(net.origin.transitions[t].id, "").startswith(
                ("acquire", "release")
            ):
                labels[t] = names[net.origin.transitions[t].id]
        if labels[t] is not None and SECOND in net.origin.transitions[t].actor:
            labels[t] = f"2 {labels[t]}"
    seen, moves = set(), moving(net.net)

    @cache
    def successors(marking):
        seen.add(marking)
        if len(seen) > most:
            raise TooLargeError
        return [(labels.get(t), after) for t, after in moves(marking)]

    return file, (net.initial, successors)


def told(label) -> str | None:
    """A label as text, as those of nets: a step by its name, without the calls by which the saga came there."""
    if label is None or isinstance(label, str):
        return label
    return " ".join(str(part).rpartition("/")[2] for part in label)


def cached(system):
    """The same with labels as text, as those of nets."""
    start, moves = system
    return start, cache(lambda state: [(told(label), after) for label, after in moves(state)])


def compare(text: str, hypothesis: Hypothesis, most: int = STATES) -> bool:
    """Whether there was something to compare; fails where the two differ."""
    found = system_of(text, hypothesis, most)
    if found is None:
        return False
    file, system = found
    lasting = hypothesis.modes == "both"
    own = SagaInterpreter(file, hypothesis.faults, hypothesis.budget, lasting=lasting)
    own = own.twice() if hypothesis.instances == 2 else own.system()
    try:
        wrong = difference(system, cached(own), LENGTH)
    except TooLargeError:
        return False
    assert wrong is None, (wrong, text, hypothesis)
    return True


class Sagas:
    """Statements of a saga, drawn at random: a few steps in anything that may be around them."""

    def __init__(self, pick, more: tuple[str, ...] = ()) -> None:
        self.pick = pick
        self.more = more  # kinds of statements besides those of every saga
        self.number = 0
        self.steps: list[str] = []
        self.order = ""
        self.called: list[str] = []  # processes that are called
        self.most = 3  # steps

    def fresh(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}{self.number}"

    def body(self, depth: int, most: int = 2) -> str:
        return " ; ".join(self.statement(depth) for _ in range(self.pick(*range(1, most + 1))))

    def block(self, depth: int) -> str:
        return "{ " + self.body(depth) + " }"

    def statement(self, depth: int) -> str:
        simple = ["step"] * 6 + ["task", "fails", "raise", "abandon", "receive"]
        nested = ["choice", "either", "parallel", "parallel", "loop", "while", "try", "try", "first"]
        simple += [m for m in self.more if m in FLAT] * 2  # `tolerate` is no kind of its own
        nested += [m for m in self.more if m not in (*FLAT, "tolerate", "kinds", "correlation", *OUTSIDE)] * 4
        return getattr(self, "_" + self.pick(*simple, *(nested if depth else [])))(depth)

    def _each(self, depth: int) -> str:
        how = self.pick("", "", " parallel", " parallel", " at_most 1 parallel")
        return f"for each {self.fresh('i')} in 1..2{how}{self.pick('', ' tolerate 1') if 'tolerate' in self.more else ''} {self.block(depth - 1)}"

    def _every(self, depth: int) -> str:
        how = self.pick("skip", "queue", "cancel", "cancel", "allow at_most 2")
        return f"every {self.fresh('')}h at_most 2 overlap {how} {self.block(depth - 1)}"

    def _call(self, depth: int) -> str:
        if len(self.called) >= 2:
            return self._step(0)
        name = self.fresh("v")
        self.called.append("")
        before, self.order, self.steps, steps = self.order, "", [], self.steps
        self.called.append(f"saga {name} {{ {self.body(min(depth, 1))} ; {self._step(0)}\n{self.policies()} }}")
        self.order, self.steps = before, steps
        handlers = " ".join(
            f"on {end} {self.pick('{ }', self.block(0))}"
            for end in ("compensated", "failed", *self.pick((), ("completed",)))
        )
        return f"call {name} {handlers}"

    def _runs(self, _depth: int) -> str:
        if len(self.called) >= 2:
            return self._step(0)
        name = self.fresh("v")
        body = self.pick(
            f"{self._task(0)} {self._task(0)}", f"{self._fails(0)} {self._task(0)}", "either { end other } or { }"
        )
        self.called.append(f"workflow {name} {{ {body} }}")
        ends = (*(("failed",) if "fails" in body else ()), *(("other",) if "end" in body else ()))
        return f"call {name} " + " ".join(f"on {end} {self.pick('{ }', self.block(0))}" for end in ends)

    def _scope(self, depth: int) -> str:
        how = self.pick("signal z", "timeout 9s")
        also = self.pick("", f" on {self.pick('E', 'any')} {self.block(0)}")
        return f"try {self.fresh('y')} {self.block(depth - 1)} on {how} {self.block(0)}{also}"

    def _decided(self, depth: int) -> str:
        choice = f"choice {self.fresh('k')} {{ when x >= 1 {self.block(depth - 1)}{self.pick('', f' otherwise {self.block(depth - 1)}')} }}"
        while_ = f"while {self.fresh('l')} x < 1 at_most 2 {self.block(depth - 1)}"
        return f"task {self.fresh('t')} sets x = {self.pick('x + 1', 'any', '0')} ; {self.pick(choice, while_)}"

    def _patch(self, depth: int) -> str:
        return f'patch "{self.pick("a", "b")}" {self.block(depth - 1)}{self.pick("", f" otherwise {self.block(depth - 1)}")}'

    def _with(self, depth: int) -> str:
        return f"with {self.pick('one', 'two')} {self.block(depth - 1)}"

    def _holding(self, _depth: int) -> str:
        return f"{self.pick('acquire', 'release')} {self.pick('one', 'two')}"

    def policies(self) -> str:
        """Those of a saga; what it is built with is in `uses`."""
        pick = self.pick
        order = pick(*ORDERS)
        self.order = order.rpartition(" ")[2]
        policies = [
            order,
            pick("", "siblings await", "siblings abandon", "siblings cancel"),
            pick("", "register before", "register after", "register submit", "register log"),
            pick("", "failing_step undo", "failing_step keep", "failing_step undo_unless_rejected"),
            pick("", "on unknown undo", "on unknown retry", "on unknown ask", "on unknown ignore"),
            pick(
                "", "on undo_failure retry", "on undo_failure retry 1 then escalate", "on undo_failure retry 1 then continue",
                "on undo_failure continue", "on undo_failure halt", "on undo_failure retry 1",
            ),
            pick("", "", "retry_budget shared 1", "retry_budget forward 1"),
            pick("", "", "", "children await") if self.more else "",
            *(pick(*options) for of, options in OUTSIDE.items() if of in self.more),
        ]  # fmt: skip
        self.uses = pick("", "", f" uses {pick(*PROFILES)}")
        return "\n".join(p for p in policies if p and (not self.uses or pick(True, False)))

    def _step(self, _depth: int) -> str:
        if len(self.steps) >= self.most:
            return self._fails(0)
        name = self.fresh("s")
        options = [f"undo u{self.number}"] if self.pick(True, True, True, False) else []
        options += [f"retry {self.pick(1, 2)}"] if self.pick(True, False, False) else []
        options += ["timeout 5s"] if self.pick(True, True, False) else []
        options += [self.pick("pivot", "retriable", "read_only")] if self.pick(True, False, False, False) else []
        options += [f"after {self.pick(*self.steps)}"] if self.steps and self.pick(True, False, False) else []
        if "correlation" in self.more:
            options += ["correlation " + self.pick("step", "name", "name")] if self.pick(True, True, False) else []
        if self.steps and self.order == "parallel" and self.pick(True, False):
            options.append(f"undo_after {self.pick(*self.steps)}")
        if self.pick(True, False, False):
            rules = [
                f"{error}: {self.pick('reject', 'unknown', 'escalate', 'halt', 'retry 1', 'retry 1 then unknown', 'retry 2 then halt')}"
                for error in (
                    *(("Unavailable", "ServerError", "AlreadyExists") if "kinds" in self.more else ("Busy",)),
                    "other",
                )
                if self.pick(True, False)
            ]
            rules += [f"timeout: {self.pick('unknown', 'halt', 'escalate')}"] if self.pick(True, False, False) else []
            options += [f"errors {{ {'; '.join(rules)} }}"] if rules else []
        if "kinds" in self.more:
            service = self.pick("rest", "grpc", "queue", "idem", "fair")
            options += [f"key {self.pick('k', 'k per attempt', 'k per run')}"] if self.pick(True, False) else []
            self.steps.append(name)
            return f"step {name} on {service} {{ {'; '.join(options)} }}"
        self.steps.append(name)
        return f"step {name} on {self.pick('bare', 'idem', 'safe', 'fair', 'wall')} {{ {'; '.join(options)} }}"

    def _task(self, _depth: int) -> str:
        return f"task {self.fresh('t')}"

    def _fails(self, _depth: int) -> str:
        return f"task {self.fresh('t')} fails {self.pick('E', 'F')}"

    def _raise(self, _depth: int) -> str:
        return "raise E" if self.pick(True, False, False) else self._step(0)

    def _abandon(self, _depth: int) -> str:
        return 'abandon "so"' if self.pick(True, False, False) else self._step(0)

    def _receive(self, _depth: int) -> str:
        return f"receive {self.fresh('m')}"

    def _choice(self, depth: int) -> str:
        otherwise = self.pick("", f" otherwise {self.block(depth - 1)}")
        return f'choice {self.fresh("k")} {{ when "x" {self.block(depth - 1)}{otherwise} }}'

    def _either(self, depth: int) -> str:
        return f"either {self.block(depth - 1)} or {self.pick('{ }', self.block(depth - 1))}"

    def _parallel(self, depth: int) -> str:
        return f"parallel {self.fresh('p')} {{ {self.block(depth - 1)} {self.block(depth - 1)} }}"

    def _loop(self, depth: int) -> str:
        until = self.pick("", ' until "y"')
        return f"loop {self.fresh('l')} at_most 2 {self.block(depth - 1)}{until}"

    def _while(self, depth: int) -> str:
        return f'while {self.fresh("l")} "z" at_most 2 {self.block(depth - 1)}'

    def _try(self, depth: int) -> str:
        handlers = [self.pick("E", "F", "any", "Busy", "rejected") for _ in range(self.pick(1, 1, 2))]
        found = " ".join(f"on {h} {self.block(0)}" for h in dict.fromkeys(handlers))
        return f"try {self.fresh('y')} {self.block(depth - 1)} {found}"

    def _first(self, depth: int) -> str:
        return f"first of {{ {self._receive(0)} -> {self.block(depth - 1)} timer 7s -> {self.block(depth - 1)} }}"


SERVICES = """service bare
service idem { idempotent }
service safe { null_safe }
service fair { idempotent; null_safe }
service rest via rest { null_safe }
service grpc via grpc { idempotent; null_safe }
service queue via queue { idempotent }
service wall { idempotent; null_safe; rejects_after_cancel }
"""
ORDERS = ("", "", "undo_order reverse", "undo_order parallel", "undo_order dependencies")


FLAT = ("call", "runs", "holding")  # kinds of statements that need no depth
OUTSIDE = {  # policies about what comes from outside
    "deadlines": ("deadline undo", "deadline undo", "deadline escalate", "deadline forward", ""),
    "cancellation": ("", "", "cancellation unmasked"),
    "recovery": ("", "recovery undo", "recovery undo", "recovery forget"),
}


def saga(pick, more: tuple[str, ...] = (), kind=Sagas) -> str:
    """A saga with its services; `pick` takes one of its arguments, `more` are kinds of statements that may stand in it."""
    made = kind(pick, more)
    policies = made.policies()
    body = made.body(2, 3)
    head = "var x : 0..1\npool one 1\npool two 2\n" if more else ""
    services = SERVICES + (LIMITED if kind is Limited else "")
    return f"{services}{head}saga w{made.uses} {{ {body}\n{policies}\n}}\n" + "\n".join(made.called) + "\n"


HYPOTHESES = [
    NONE,
    *(LEVELS[level] for level in ("L0", "L1", "L2")),
    *(LEVELS[level]._replace(modes="transient") for level in ("L1", "L2")),
    Hypothesis(("reject", "lost", "undo-lost"), 1),
    Hypothesis(("slow", "undo-slow", "undo-fail"), 2),
]


@st.composite
def sagas(draw, more: tuple[str, ...] = ()) -> str:
    return saga(lambda *options: draw(st.sampled_from(options)), more)


@some(CASES)
@given(sagas(), st.sampled_from(HYPOTHESES))
def test_the_net_does_what_the_saga_says(text, hypothesis):
    event(" ".join(hypothesis.faults) + f" {hypothesis.budget} {hypothesis.modes}")
    assume(compare(text, hypothesis))


@some(CASES // 3)
@given(
    sagas(("each", "tolerate", "call", "runs", "decided", "patch", "with", "holding", "scope")),
    st.sampled_from(HYPOTHESES),
)
def test_instances_calls_data_pools_and_scopes(text, hypothesis):
    assume(compare(text, hypothesis))


class Keyed(Sagas):
    """Small sagas whose steps have keys that may be forgotten, and that another run may use."""

    def __init__(self, pick, more: tuple[str, ...] = ()) -> None:
        super().__init__(pick, more)
        self.most = 2

    def _step(self, depth: int) -> str:
        step = super()._step(depth)
        if not step.startswith("step"):
            return step
        key = self.pick(*KEYS)
        at = step.rindex(" on ") if self.pick(True, False) else None
        if at is not None:
            step = f"{step[:at]} on {self.pick('idem', 'fair', 'wall')} {step[step.index('{', at) :]}"
        return step.replace("{ ", f"{{ {key}; ", 1) if key else step


KEYS = ("", "key k", "key k", "key k ttl 24h", "key k per run ttl 24h", "key k per run ttl 8s", "key k ttl 12s", "key k per attempt ttl 24h")  # fmt: skip


class Limited(Sagas):
    """Small sagas whose services hold calls back."""

    def __init__(self, pick, more: tuple[str, ...] = ()) -> None:
        super().__init__(pick, more)
        self.most = 3

    def _step(self, depth: int) -> str:
        step = super()._step(depth)
        if not step.startswith("step") or self.pick(True, False, False, False):
            return step
        at = step.index(" on ")
        service = self.pick("breaks", "breaks", "holds", "waits", "counts", "all")
        rule = self.pick("", "", "reject", "retry 1", "unknown", "halt")
        if rule and service != "waits" and "errors" not in step:
            error = {"breaks": "CircuitOpen", "holds": "BulkheadFull", "counts": "RateLimited"}.get(
                service, "CircuitOpen"
            )
            step = step.replace("{ ", f"{{ errors {{ {error}: {rule} }}; ", 1)
        return f"{step[:at]} on {service} {step[step.index('{', at) :]}"


LIMITED = """service breaks { idempotent; null_safe; circuit_breaker after 2 }
service holds { idempotent; null_safe; bulkhead 1 reject }
service waits { null_safe; bulkhead 1 wait; circuit_breaker after 1 }
service counts { idempotent; rate_limit 1 per 1s reject }
service all { idempotent; null_safe; circuit_breaker after 2; bulkhead 1; rate_limit 2 per 1s }
"""


class Renewed(Sagas):
    """Sagas that may continue as new behind a step or two."""

    def body(self, depth: int, most: int = 2) -> str:
        if depth < 2:
            return super().body(depth, most)
        carrying = self.pick(" carrying undo", " carrying undo", "")
        again = f"continue_as_new{carrying} at_most {self.pick(1, 1, 2)}"
        inside = self.pick("", "", f"{self._step(0)} ; ")
        before, after = super().body(1, 2), self.pick("", super().body(0, 1))
        way = self.pick(
            again, f'choice {{ when "more" {{ {inside}{again} }} otherwise {{ }} }}', f"either {{ {inside}{again} }} or {{ task last }}",
            f"first of {{ receive more -> {{ {inside}{again} }} timer 7s }}",
        )  # fmt: skip
        if self.pick(True, False, False):
            way = f"loop {self.fresh('l')} at_most 2 {{ {self.pick('', f'{self._step(0)} ; ')}{way} }}"
        elif self.pick(True, False):
            handler = self.pick("E", "any", "signal z", "timeout 9s")
            way = (
                f"try {self.fresh('y')} {{ {self.pick('', f'{self._step(0)} ; ')}{way} }} on {handler} {self.block(0)}"
            )
        return " ; ".join(filter(None, (before, way, after)))


class Cancelled(Sagas):
    """Sagas with ways that are cancelled when others are done."""

    def body(self, depth: int, most: int = 2) -> str:
        if depth < 2:
            return super().body(depth, most)
        ways = [
            self._step(0) if self.pick(True, False) else super(Cancelled, self).body(1, 2)
            for _ in range(self.pick(2, 2, 3))
        ]
        need = self.pick(1, 1, 1, 2)
        some = f"parallel {self.fresh('q')} {need} of {{ {' '.join(f'{{ {way} }}' for way in ways)} }} others cancel"
        if self.pick(True, False, False, False):
            some = f"parallel {{ {{ {some} }} {{ {super().body(0, 1)} }} }}"
        return " ; ".join(
            filter(None, (self.pick("", "", "task first", self._step(0)), some, self.pick("", super().body(0, 1))))
        )


@some(CASES // 8)
@given(st.data(), st.sampled_from(HYPOTHESES))
def test_sagas_with_ways_that_are_cancelled(data, hypothesis):
    text = saga(lambda *options: data.draw(st.sampled_from(options)), kind=Cancelled)
    assume(compare(text, hypothesis, 600))


@some(CASES // 8)
@given(st.data(), st.sampled_from(HYPOTHESES))
def test_sagas_that_continue_as_new(data, hypothesis):
    text = saga(lambda *options: data.draw(st.sampled_from(options)), kind=Renewed)
    assume(compare(text, hypothesis))


OF_COORDINATORS = [
    Hypothesis((kind, *others), budget, "transient")
    for kind in ("cancel", "crash", "duplicate")
    for others, budget in (((), 1), (("slow",), 2), (("reject", "undo-fail"), 2))
]


@some(CASES // 4)
@given(sagas(("kinds",)), st.sampled_from([*HYPOTHESES, OF_COORDINATORS[-1]]))
def test_kinds_of_calls_and_keys(text, hypothesis):
    assume(compare(text, hypothesis))


@some(CASES // 4)
@given(
    st.one_of(sagas(("correlation",)), sagas(("correlation", "each", "every", "scope"))),
    st.sampled_from(HYPOTHESES[1:]),
)
def test_replies_that_are_taken_for_others(text, hypothesis):
    assume("correlation" in text)
    assume(compare(text, hypothesis, 800))


@some(CASES // 2)
@given(sagas(("each", "runs", "decided", "with")), st.sampled_from(OF_COORDINATORS))
def test_what_befalls_coordinators(text, hypothesis):
    assume(compare(text, hypothesis))


@some(CASES // 4)
@given(st.data(), st.sampled_from([*HYPOTHESES, *OF_COORDINATORS]))
def test_limits_under_faults(data, hypothesis):
    text = saga(lambda *options: data.draw(st.sampled_from(options)), kind=Limited)
    assume(compare(text, hypothesis, 800))


OF_TIME = [
    Hypothesis(("lost",), 1),
    *(
        Hypothesis(kinds, budget, "transient")
        for kinds, budget in (
            (("lost", "slow"), 1), (("slow", "undo-slow"), 2), (("reject", "slow", "undo-slow"), 2),
            (("undo-fail", "slow", "undo-slow"), 2), (("slow", "cancel"), 2), (("slow", "crash"), 2),
        )
    ),
]  # fmt: skip


@some(CASES // 4)
@given(
    st.one_of(
        sagas(("deadlines", "cancellation", "recovery")),
        sagas(("deadlines", "cancellation", "each", "tolerate", "call", "runs", "with", "scope")),
    ),
    st.sampled_from(OF_TIME),
)
def test_deadlines(text, hypothesis):
    assume(compare(text, hypothesis))


@some(CASES // 4)
@given(
    sagas(("call", "runs", "scope", "cancellation", "recovery")),
    st.sampled_from([*OF_COORDINATORS, Hypothesis(("cancel", "crash"), 2, "transient")]),
)
def test_what_befalls_sagas_that_call_others(text, hypothesis):
    assume(compare(text, hypothesis))


@some(CASES // 4)
@given(sagas(("every", "every", "each", "scope")), st.sampled_from([*HYPOTHESES, *OF_COORDINATORS]))
def test_runs_every_so_often(text, hypothesis):
    assume("every" in text)
    assume(compare(text, hypothesis, 1_000))


AT_ONCE = [
    hypothesis._replace(instances=2)
    for hypothesis in (
        NONE, Hypothesis(("reject", "lost"), 1), Hypothesis(("slow",), 1), Hypothesis(("duplicate",), 1),
        Hypothesis(("partial", "reject"), 1, "transient"), Hypothesis(("crash", "slow"), 1), Hypothesis(("cancel",), 1),
    )
]  # fmt: skip


@some(CASES // 4)
@given(st.data(), st.sampled_from([*HYPOTHESES, *OF_COORDINATORS, *AT_ONCE]))
def test_keys_that_are_forgotten_and_two_runs_under_one(data, hypothesis):
    text = saga(lambda *options: data.draw(st.sampled_from(options)), kind=Keyed)
    assume(compare(text, hypothesis, 800))


EXAMPLES = [
    # `every` with so many runs: each is undone, the last one first; one that is displaced is undone before the next one begins
    "saga w { every 1h at_most 2 overlap skip { step x on wall { undo ux; timeout 5s } } task t fails E }",
    "saga w { every 1h at_most 3 overlap queue { step x on idem { undo ux } } task t fails E }",
    "saga w { every 1h at_most 2 overlap cancel { step x on idem { undo ux } step y on idem { undo uy } } task t fails E }",
    "saga w { every 1h at_most 2 overlap cancel { step x on wall { undo ux; timeout 5s } task a fails F } task t fails E }",
    "saga w { every 1h at_most 2 overlap cancel { step x on idem { pivot } step y on idem { retriable } } }",
    "saga w { every 1h at_most 2 overlap allow at_most 2 { step x on idem { undo ux } } task t fails E }",
    "saga w { siblings cancel parallel { every 1h at_most 2 overlap cancel { step x on idem { undo ux } } task t fails E } }",
    "saga w { try { every 1h at_most 2 overlap cancel { step x on idem { undo ux } } } on signal z { step y on idem { undo uy } } task t fails E }",
    "saga w { undo_order parallel every 1h at_most 2 overlap cancel { step x on idem { undo ux } } step y on idem { undo uy } task t fails E }",
    # runs: what the one before did is undone too, or is forgotten; a pivot behind which it continues; retries are counted anew
    "saga w { step x on idem { undo ux } continue_as_new carrying undo at_most 2 task t fails E }",
    "saga w { step x on idem { undo ux } continue_as_new at_most 2 task t fails E }",
    "saga w { step x on idem { undo ux } step p on idem { pivot } continue_as_new carrying undo at_most 1 }",
    "saga w { step x on bare { undo ux; retry 1 } continue_as_new carrying undo at_most 1 task t fails E retry_budget shared 1 }",
    "saga w { undo_order parallel step x on idem { undo ux } step y on idem { undo uy } either { continue_as_new carrying undo at_most 1 } or { } task t fails E }",
    "saga w { step x on idem { undo ux } either { step y on idem { undo uy } continue_as_new at_most 1 } or { continue_as_new carrying undo at_most 2 } task t fails E }",
    # an instance that may fail is stopped or interrupted from outside: no failure of its own, so it does not go on with the next one
    "saga w { siblings cancel parallel { task t fails E for each i in 1..2 tolerate 1 { step x { undo ux; timeout 5s } } } }",
    "saga w { siblings cancel parallel { task t fails E for each i in 1..2 parallel tolerate 1 { step x on wall { undo ux } } } }",
    "saga w { siblings cancel parallel { task t fails E for each i in 1..2 tolerate 1 { try { step x { undo ux } } on F { task a } } } }",
    "saga w { try { for each i in 1..2 tolerate 1 { step x { undo ux; timeout 5s } } } on signal z { task b } task t fails E }",
    "saga w { try { for each i in 1..2 tolerate 1 { try { step x { undo ux } task a fails F } on signal y { task d } } } on signal z { task b } }",
    # in a loop or a `try` it goes back into the round, or out of the `try` without its handlers
    "saga w { loop at_most 2 { step x on idem { undo ux } either { continue_as_new carrying undo at_most 1 } or { } } task t fails E }",
    "saga w { try { step x on idem { undo ux } continue_as_new carrying undo at_most 1 } on any { step y on idem { undo uy } } task t fails E }",
    "saga w { try { parallel { step x on idem { undo ux } task b } continue_as_new carrying undo at_most 1 } on any { task y } task t fails E }",
    "saga w { step x on idem { undo ux } try { task a fails F continue_as_new carrying undo at_most 1 } on any { task b } task t fails E }",
    "saga w { step x on idem { undo ux } loop at_most 2 { task a either { continue_as_new carrying undo at_most 1 } or { } } task t fails E }",
    # ways of which some are needed: the others turn back where they are, or when they come too late; later only those that counted are undone
    "saga w { parallel 1 of { step x on wall { undo ux; timeout 5s } step y on idem { undo uy } } others cancel task t fails E }",
    "saga w { parallel 2 of { step x on safe { undo ux } step y on idem { undo uy } task a } others cancel task t fails E on undo_failure halt }",
    "saga w { parallel 1 of { { task a step x on idem { undo ux; retry 1 } task b } { task c fails F step y on idem { undo uy; retriable } } } others cancel siblings cancel }",
    "saga w { siblings cancel parallel { { parallel 1 of { step x on wall { undo ux } step y on wall { undo uy } } others cancel } { task t fails E } } }",
    # a way is stopped too while its service is asked what became of a step
    "saga w { siblings cancel parallel { step x on safe { undo ux; timeout 5s } task t fails E } on unknown ask }",
    "saga w { siblings cancel parallel { step x on safe { timeout 5s; pivot } task t fails E } on unknown ask }",
    # ways that are stopped: between two tasks, in a body without steps, before a step that is asked for ever, but no pivot under way
    "saga w { siblings cancel parallel { { task a fails E } { task b task c step x on idem { undo ux } } } }",
    "saga w { siblings cancel parallel { { step x on idem { undo ux } } { task b receive m task c } { task a fails E } } }",
    "saga w { siblings cancel parallel { step x on idem { retriable; timeout 5s } { task a fails E } } }",
    "saga w { siblings cancel parallel { step x on idem { undo ux; retriable; timeout 5s } { task a fails E } } on unknown ask }",
    "saga w { siblings cancel parallel { step x on idem { pivot; timeout 5s } { task a fails E } } }",
    "saga w { siblings cancel parallel { try { task a fails E task b } on E { step x on idem { undo ux } } { task c fails F } } }",
    # a pivot whose outcome is unknown is asked about, whether nothing came back or an error that says so
    "saga w { step x on idem { pivot; timeout 5s; errors { Busy: unknown } } on unknown ask }",
    "saga w { step x on idem { pivot; timeout 5s; errors { Busy: unknown } } }",
    "saga w { step x on safe { undo ux; timeout 5s; retry 1; errors { other: retry 1 then unknown } } task t fails E on unknown ask }",
    "saga w { step x on bare { undo ux; timeout 5s } task t fails E retry_budget shared 1 }",
    "saga w { step x on bare { undo ux; retry 1 } step y on bare { undo uy; retry 1 } retry_budget forward 1 }",
    "saga w { undo_order parallel step x on idem { undo ux } step y on idem { undo uy; undo_after x } step z on idem { undo uz } task t fails E }",
    "saga w { undo_order dependencies step x on idem { undo ux } step y on idem { undo uy; after x } step z on idem { undo uz; after x } task t fails E }",
    "saga w { undo_order parallel step x on idem { undo ux } step p on idem { pivot } step y on idem { undo uy } task t fails E }",
    # undos that start all at once: a point of no return ends that, wherever it stands, and those that wait then begin all the same
    *(
        f"saga w {{ undo_order parallel step x on bare {{ undo ux }} {middle} task t fails E }}"
        for middle in (
            "either { step p on bare { pivot } step y on bare { undo uy } } or { }", "step p on bare { pivot } step y on bare { undo uy; undo_after z } step z on bare { undo uz }",
            "either { step y on bare { undo uy; undo_after x } step p on bare { pivot } } or { step z on bare { undo uz } }",
            "step y on bare { undo uy; undo_after x } step p on bare { pivot } step z on bare { undo uz; undo_after x }",
        )
    ),
    # a point of no return has no undo that another one could wait for
    "saga w { undo_order parallel parallel { task a step p on idem { pivot } } step y on idem { undo uy; undo_after p } task t fails E }",
    "saga w { undo_order dependencies loop at_most 2 { try { task a } on any { step p on idem { pivot } } } step x on idem { undo ux; after p } task t fails E }",
    "saga w { undo_order dependencies try { task a fails E step y on idem { undo uy } } on any { step p on idem { pivot } } step x on idem { undo ux; after y } task t fails E }",
    # a way that nobody looks after fails when its scope is left already
    "saga w { siblings abandon try { parallel { { raise E } { task a fails F step x on idem { undo ux } } } } on E { task b } }",
    "saga w { siblings cancel register submit failing_step undo parallel { { task a fails E } step x on idem { undo ux; retriable; timeout 5s } } }",
    "saga w { siblings cancel register submit parallel { { task a fails E } step x on idem { undo ux; pivot } } }",
    "saga w { siblings abandon parallel { step x on idem { undo ux } step p on idem { pivot } } task t fails E }",
    "saga w { siblings abandon parallel { step x on idem { undo ux } { step y on idem { undo uy } task t fails E } } on undo_failure halt }",
    "saga w { try { parallel { { task a fails E step x on idem { undo ux } } { task b fails F } } } on E { task c } on F { task d } }",
    "saga w { try { abandon } on any { task a } step x on idem { undo ux } }",
    'saga w { loop at_most 2 { step x on wall { undo ux; timeout 5s; retry 1 } } until "y" task t fails E }',
    *(f"saga w uses {name} {{ step x on fair {{ undo ux; timeout 5s }} step y on fair {{ undo uy }} }}" for name in PROFILES),
]  # fmt: skip


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples(text):
    for hypothesis in (NONE, LEVELS["L1"], Hypothesis(("reject", "slow", "undo-fail", "undo-slow"), 2, "transient")):
        assert compare(SERVICES + text, hypothesis, 30_000)


STOPPED = [
    # an instance that stops half-way is the last one to begin, and what follows enough ways does not begin either
    "saga w { for each i in 1..2 at_most 1 parallel { step x on idem { errors { Busy: halt } } } }",
    # what is refused for sure and then stopped between two attempts is not undone, though its outcome would be unknown after a time-out
    "saga w { step s on wall { undo us } parallel { step x on fair { undo ux; retry 2; timeout 5s; read_only } task t fails E } siblings cancel on unknown ask }",
    # one that is called has begun before its first request, where all undos are noted by then or where the step is tried for ever
    "saga w { try { call v on compensated { } on failed { } } on signal z { task a } } saga v { register submit step x on idem { undo ux } }",
    "saga w { call v on compensated { } on failed { } } saga v { step x on idem { undo ux; retriable } }",
    "saga w { call v on compensated { } on failed { } } saga v { failing_step undo step x on idem { undo ux; pivot; timeout 5s } }",
    # one that is called and has no steps is cancelled with its caller, or not where its end is awaited; and never when it is over
    "saga w { step s on idem { undo us } call v on compensated { } on failed { } step y on idem { undo uy } } saga v { task a task b fails E }",
    "saga w { step s on idem { undo us } call v on compensated { } on failed { } step y on idem { undo uy } children await } saga v { try { task a } on timeout 9s { task b } }",
    "saga w { step p on idem { pivot } call v on compensated { } on failed { } step y on idem { undo uy } } saga v { task a task b fails E }",
    # an instance that is found by a cancellation has not failed, one that had failed before has
    "saga w { for each i in 1..2 tolerate 1 { step x on idem { undo ux } } }",
    "saga w { for each i in 1..2 parallel tolerate 1 { step x on idem { undo ux } } }",
    "saga w { for each i in 1..2 tolerate 1 { parallel { step x on idem { undo ux } task t fails E } } siblings abandon }",
    # a saga that is called behind a point of no return has ways of its own
    "saga w { step p on idem { pivot } call v on compensated { task c } on failed { } } saga v { siblings cancel parallel { task a fails E step x on idem { undo ux } } }",
    # one that has not begun is found by what finds its caller, also where its first step is tried for ever
    "saga w { siblings cancel parallel { call v on compensated { } on failed { } task t fails E } children await } saga v { step p on idem { pivot; timeout 5s } }",
    "saga w { call v on compensated { } on failed { } children await } saga v { step x on idem { undo ux } register submit }",
    # all undos are noted when the saga begins, also those of steps that are tried for ever
    "saga w { register submit step x on idem { undo ux; timeout 5s; retriable } on unknown ignore }",
    # undos that start all at once are cancelled all
    "saga w { cancellation unmasked undo_order parallel step x on idem { undo ux } step y on idem { undo uy } task t fails E }",
    # a saga that was called has passed a point of no return
    "saga w { step x on idem { undo ux } call v on compensated { } on failed { } on completed { task t } } saga v { step p on idem { pivot } }",
    # an undo that nobody looks after any more is forgotten with the rest
    "saga w { parallel { step x on idem { undo ux } step y on bare { undo uy } } abandon siblings abandon on undo_failure halt recovery forget }",
    # what has no steps is left wherever its token is
    'saga w { step x on idem { undo ux } choice { when "a" { task a receive m task b } otherwise { step y on idem } } }',
    "saga w uses seata { step x on idem { undo ux; timeout 5s } step p on idem { pivot; timeout 5s } }",
    "saga w { recovery forget step x on idem { undo ux; timeout 5s } parallel { task a step y on idem { undo uy } } }",
]  # fmt: skip


OVERDUE = [
    "saga w { deadline undo step x on idem { undo ux } step y on idem { undo uy; timeout 5s } }",
    "saga w { deadline escalate step x on idem { undo ux } step p on idem { pivot } step y on idem { retriable } }",
    "saga w { deadline escalate undo_order parallel for each i in 1..2 { step x on bare { undo ux } } task t fails E }",
    "saga w { deadline undo siblings abandon parallel { step x on idem { undo ux } step y on idem { undo uy } } }",
    # what is tried for ever is found before it is asked for the first time by what needs no way back
    "saga w { deadline escalate failing_step undo step y on idem { undo uy } step x on idem { undo ux; retriable } }",
    # the time of a caller goes by in what it calls, each of which has one of its own
    "saga w { deadline undo call v on compensated { } on failed { task c } step y on idem { undo uy } } saga v { deadline escalate step x on idem { undo ux } }",
    "saga w { deadline undo children await call v on compensated { } on failed { } } saga v { deadline undo step x on idem { undo ux } }",
    "saga w { deadline escalate call v on compensated { } on failed { task c } task t fails E } saga v { cancellation unmasked step x on idem { undo ux } }",
    "saga w { step p on idem { pivot } call v on compensated { } on failed { } } saga v { deadline undo step x on idem { undo ux } }",
    "saga w { deadline undo call v on compensated { } on failed { } } saga v { call u on compensated { } on failed { } task t fails E } saga u { cancellation unmasked step x on idem { undo ux } }",
]  # fmt: skip


@pytest.mark.parametrize("text", OVERDUE)
def test_time_that_is_up(text):
    for hypothesis in (OF_TIME[1], OF_TIME[2], OF_TIME[5]):
        assert compare(SERVICES + text, hypothesis, 30_000)


HELD = [
    "saga w { on unknown retry step x on counts { undo ux; timeout 5s } step y on counts { undo uy; retry 1 } }",
    "saga w { step x on breaks { undo ux; timeout 5s; retry 2; errors { CircuitOpen: reject } } on undo_failure retry 1 then escalate }",
    "saga w { parallel { step x on holds { undo ux } step y on holds { undo uy; errors { BulkheadFull: halt } } } }",
    "saga w { siblings cancel parallel { step x on waits { undo ux; timeout 5s } { step y on waits { undo uy } task t fails E } } }",
    "saga w { step x on all { undo ux; timeout 5s; retry 1 } step p on all { pivot; timeout 5s } step y on all { retriable } }",
]


@pytest.mark.parametrize("text", HELD)
def test_limits(text):
    for hypothesis in (Hypothesis(("slow", "reject"), 2, "transient"), Hypothesis(("lost", "cancel"), 2, "transient")):
        assert compare(SERVICES + LIMITED + text, hypothesis, 30_000)


KEPT = [
    "saga w { step x on idem { key k ttl 24h; undo ux; timeout 5s } }",
    "saga w { step x on wall { key k per run ttl 8s; undo ux; timeout 5s; retry 1 } task t fails E }",
    "saga w { step x on idem { key k; undo ux } task t fails E }",
    "saga w { step x on bare { key k } }",
    "saga w { step x on wall { key k per run ttl 24h; retriable; timeout 5s } }",
]


@pytest.mark.parametrize("text", KEPT)
def test_keys(text):
    for hypothesis in (Hypothesis(("duplicate", "slow"), 2, "transient"), *AT_ONCE[:3]):
        assert compare(SERVICES + text, hypothesis, 30_000)


@pytest.mark.parametrize("text", STOPPED)
def test_what_is_stopped_from_outside(text):
    for hypothesis in (*OF_COORDINATORS[::3], Hypothesis(("reject", "cancel"), 2, "transient")):
        assert compare(SERVICES + text, hypothesis, 30_000)


def test_the_comparison_can_fail():
    """A saga is not taken for one with another policy, promise, retry or level of faults."""

    def text(policy: str, service: str, retry: int) -> str:
        return f"{SERVICES}saga w {{ {policy} step x on {service} {{ undo ux; timeout 5s; retry {retry} }} task t fails E }}"

    own = text("", "idem", 0)
    for other in (
        text("register after", "idem", 0), text("", "bare", 0), text("", "idem", 1), text("", "wall", 0),
        text("failing_step undo", "idem", 0), text("on undo_failure halt", "idem", 0),
    ):  # fmt: skip
        found = system_of(own, LEVELS["L2"])
        file = system_of(other, LEVELS["L2"])[0]
        level = LEVELS["L2"]
        moves = cached(SagaInterpreter(file, level.faults, level.budget, lasting=True).system())
        assert difference(found[1], moves, LENGTH) is not None, other


@pytest.mark.parametrize(
    ("text", "right"),
    [
        # another way has failed: nothing that stands in one has to be done any more, steps or not
        ("saga w { siblings cancel parallel { { task a fails E step x { undo ux } } { task c receive m task b } } } check never(w.compensated and c.done and not b.done) under { }", Violated),
        # a point of no return inside a part: nothing before it is undone, though undos start all at once
        ("saga w { undo_order parallel step x { undo ux } either { step p { pivot } step y { undo uy } } or { } task t fails E } check never(p.done and ux.done) under { }", Holds),
        # an undo that waits for another one begins when all are started, also behind a point of no return
        ("saga w { undo_order parallel step p { pivot } step y { undo uy; undo_after z } step z { undo uz } task t fails E } check option_to_complete(w) under { }", Holds),
        # a way that nobody looks after may fail when the scope around it is left
("saga w { siblings abandon try { parallel { { raise E } step x { undo ux } } } on E { task b } } check option_to_complete(w) under { reject }", Holds),
        # a pivot is not undone, so nothing waits for that
        ("saga w { undo_order parallel parallel { task a step p { pivot } } step y { undo uy; undo_after p } task t fails E } check never(w.failed and not uy.done) under { }", Holds),
        # an instance that is cancelled has not failed: the saga is not completed without it
        ("saga w { for each i in 1..2 tolerate 1 { step x { undo ux } } } check never(w.completed and not x[1].done) under { cancel }", Holds),
        # a signal finds a saga before it calls another one, or not at all: after that the body of the `try` goes on without its handler
        ("saga w { try { call v on compensated { task c } on failed { } } on signal z { task a } } saga v { register submit step x { undo ux } } check never(c.done and w.completed) under { }", Holds),
        # one that is called and has no steps does not hear that its caller is cancelled, where its end is awaited
        ("saga w { step s { undo us } call v on compensated { task c } on failed { } children await } saga v { task a task b } check never(c.done) under { cancel }", Holds),
        # one of several instances stops half-way: none begins any more, and all come to rest
        ("saga w { for each i in 1..2 at_most 1 parallel { step x { errors { Busy: halt } } } } check option_to_complete(w) under { reject }", Holds),
        ("saga w { parallel 2 of { step x { errors { Busy: halt } } step y } others go_on step z } check option_to_complete(w) under { reject }", Holds),
        # a saga hears that it is cancelled inside of what has no steps
        ('saga w { step x { undo ux } choice { when "a" { task a receive m task b } otherwise { step y } } } check never(w.compensated and a.done and not b.done) under { cancel }', Violated),
        # and no more when one that it called has passed a point of no return
        ("saga w { step x { undo ux } call v on compensated { } on failed { } } saga v { step p { pivot } } check never(w.failed) under { cancel }", Holds),
        # a way that has not begun to call another saga need not any more
        ("saga w { siblings cancel parallel { call v on compensated { } on failed { } task t fails E } children await } saga v { step p { pivot; timeout 5s } } check possible(w.compensated and not p.done) under { }", Holds),
        # `other: unknown` is said of every error without a rule: of a queue too each may come after the effect
        ("saga w { step x via queue { undo ux; errors { other: unknown } } on unknown ignore } check never(w.compensated and x.effect > 0) under { partial }", Violated),
        # the time of a caller goes by while what it called waits
        ("saga w { deadline undo call v on compensated { } on failed { } task c } saga v { step x { undo ux } } check never(w.compensated and x.done) under { slow }", Violated),
        # and while an undo or a point of no return does, after which a handler goes on
        ("saga w { deadline undo try { step x { undo ux } task t fails E } on E { step z { undo uz } } } check never(w.compensated and z.done) under { undo-slow }", Violated),
        ("saga w { deadline undo try { step p { pivot } } on rejected { step z { undo uz } step y } } check never(w.compensated and z.done) under { slow, reject } at_most 2", Violated),
        # a saga has a time-out of its own, whether its caller awaits its end or not, until it ends
        ("saga w { children await call v on compensated { task c } on failed { } } saga v { deadline undo step x { undo ux } step y } check never(c.done) under { slow }", Violated),
        ("saga w { call v on compensated { } on failed { } task t fails E } saga v { deadline escalate step x { undo ux } } check never(w.failed) under { slow }", Holds),
        # a saga that does not hear that it is cancelled does not hand it on: neither while it undoes nor behind its point of no return
        ("saga w { call v on compensated { } on failed { } task t fails E } saga v { cancellation unmasked step x { undo ux } } check never(w.failed) under { cancel }", Holds),
        ("saga w { step p { pivot } call v on compensated { } on failed { task f } } saga v { cancellation unmasked step x } check never(f.done) under { cancel }", Holds),
        # an attempt that is made again, and then is refused before it is made: its late reply is thrown away
        ("service s { idempotent; rate_limit 1 per 1s reject } saga w { on unknown retry step x on s { undo ux; timeout 5s } } check option_to_complete(w) under { slow }", Holds),
        # a reply that only the name of its step tells may be that to another instance
        ("service bank { idempotent; null_safe } saga w { for each i in 1..2 parallel { step pay on bank { undo refund; timeout 5s; retry 1; correlation name } } } check never(w.completed and pay[1].effect == 0) under { slow }", Violated),
        # an error whose outcome is unknown is asked about as a time-out is
        ("saga w { step p { pivot; errors { Busy: unknown; other: escalate } } on unknown ask } check possible(w.compensated) under { reject }", Holds),
    ],
)  # fmt: skip
def test_verdicts_that_were_wrong(text, right):
    """Each is the smallest model that was once answered wrongly."""
    loaded = pipeline.compile_source(SourceFile("w.placet", text + "\n"))
    (model,) = pipeline.check(loaded).models
    assert model.checks
    for answer in model.checks:
        assert isinstance(answer.verdict, right), (answer.verdict, loaded.diagnostics)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # several undos at once hold one thing: they got stuck
        ("pool p 1 saga w { undo_order dependencies with p { step x { undo ux } step y { undo uy } } task t fails E }", "P293"),
        ("pool p 1 saga w { with p { call v on compensated { } on failed { } } } saga v { undo_order parallel step x { undo ux } step y { undo uy } }", "P293"),
        # a way that nobody looks after was interrupted when the scope was left
        ("saga w { siblings abandon try { parallel { step x { undo ux } task t fails E } } on signal z { task a } on E { task b } }", "P403"),
        # what stands before a point of no return in a part was waited for, though it is not undone
        ("saga w { undo_order parallel parallel { step x { undo ux } step p { pivot } } step y { undo uy; undo_after x } }", "P403"),
        # the handler of a signal ran although the saga had been cancelled meanwhile
        ("saga w { try { for each i in 1..2 parallel tolerate 1 { step x { undo ux } } } on signal z { task b } }", "P403"),
    ],
)  # fmt: skip
def test_what_is_refused(text, code):
    assert code in [d.code for d in pipeline.compile_source(SourceFile("w.placet", text + "\n")).diagnostics]
