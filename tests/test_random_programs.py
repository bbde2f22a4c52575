"""Random programs of the language, from their text to the verdicts, against the definitions on all states of their nets."""

from __future__ import annotations

import importlib.util
import random
from collections import deque
from pathlib import Path

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from placet import pipeline
from placet.analysis import strategy
from placet.compile.options import OF_SAGAS, SERVICE_OPTIONS, STEP_OPTIONS
from placet.compiled import Query
from placet.evidence import Holds, Violated
from placet.faults.hypothesis import LEVELS, NONE
from placet.faults.weave import weave
from placet.logic.state import evaluate
from placet.net.final import PlaceClass
from placet.net.firing import enabled, fire_state
from placet.net.roles import Kind
from placet.source import SourceFile
from placet.syntax import ast

LIMIT = 800  # states of a net that is looked at
SERVICES = """service safe { idempotent; null_safe; rejects_after_cancel }
service fair { idempotent; null_safe }
service bare
service held { idempotent; circuit_breaker after 1; bulkhead 1 reject; rate_limit 2 per 1s }
service asked via grpc { idempotent; null_safe }
pool p 1
"""


class Writer:
    """Statements with fresh names, drawn at random."""

    def __init__(self, draw, *, saga: bool) -> None:
        self.draw, self.saga = draw, saga
        self.number = 0
        self.names: list[str] = []

    def fresh(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}{self.number}"

    def pick(self, *options):
        return self.draw(st.sampled_from(options))

    def body(self, depth: int, most: int = 3) -> str:
        return " ; ".join(self.statement(depth) for _ in range(self.draw(st.integers(1, most))))

    def block(self, depth: int) -> str:
        return "{ " + self.body(depth, 2) + " }"

    def statement(self, depth: int) -> str:
        simple = ["task", "task", "fails", "end", "raise", "receive", *(["step"] * 6 if self.saga else [])]
        nested = [
            "choice",
            "either",
            "parallel",
            "parallel",
            "loop",
            "while",
            "first",
            "try",
            "late",
            "each",
            "decided",
            "with",
            "patch",
            "some",
            "scope",
        ]
        return getattr(self, "_" + self.pick(*simple, *(nested if depth else [])))(depth)

    def _task(self, _depth: int) -> str:
        self.names.append(self.fresh("t"))
        return f"task {self.names[-1]}"

    def _fails(self, _depth: int) -> str:
        return f"{self._task(0)} fails {self.pick('E', 'F')}"

    def _step(self, _depth: int) -> str:
        self.names.append(self.fresh("s"))
        options = [f"undo u{self.number}"] if self.pick(True, True, False) else []
        options += [f"retry {self.pick(1, 2)}"] if self.pick(True, False, False) else []
        options += ["timeout 5s"] if self.pick(True, False) else []
        options += [self.pick("pivot", "retriable", "idempotent")] if self.pick(True, False, False, False) else []
        return f"step {self.names[-1]} on {self.pick('safe', 'safe', 'fair', 'bare', 'held', 'asked')} {{ {'; '.join(options)} }}"

    def _end(self, _depth: int) -> str:
        return f"end {self.pick('done', 'other')}" if self.pick(True, False) and not self.saga else self._task(0)

    def _raise(self, _depth: int) -> str:
        return f"raise {self.pick('E', 'F')}" if self.pick(True, False, False) else self._task(0)

    def _receive(self, _depth: int) -> str:
        return f"receive {self.fresh('m')}"

    def _choice(self, depth: int) -> str:
        return f'choice {self.fresh("c")} {{ when "x" {self.block(depth - 1)} otherwise {self.block(depth - 1)} }}'

    def _either(self, depth: int) -> str:
        return f"either {self.block(depth - 1)} or {self.pick('{ }', self.block(depth - 1))}"

    def _parallel(self, depth: int) -> str:
        return f"parallel {self.fresh('p')} {{ {self.block(depth - 1)} {self.block(depth - 1)} }}"

    def _loop(self, depth: int) -> str:
        bound = " at_most 2" if self.saga or self.pick(True, False) else ""
        leave = ' until "y"' if self.pick(True, True, False) else ""
        return f"loop {self.fresh('l')}{bound} {self.block(depth - 1)}{leave}"

    def _while(self, depth: int) -> str:
        return f'while {self.fresh("l")} "z"{" at_most 2" if self.saga else ""} {self.block(depth - 1)}'

    def _each(self, depth: int) -> str:
        how = self.pick("", "parallel", "at_most 1 parallel")
        return f"for each {self.fresh('i')} in 1..2 {how} {self.pick('', 'tolerate 1')} {self.block(depth - 1)}"

    def _decided(self, depth: int) -> str:
        sets = f"task {self.fresh('t')} sets x = {self.pick('x + 1', 'any', '0')}"
        return f"{sets} ; choice {self.fresh('c')} {{ when x >= 1 {self.block(depth - 1)} {self.pick('', f'otherwise {self.block(depth - 1)}')} }}"

    def _first(self, depth: int) -> str:
        event_ = f"receive {self.fresh('m')} -> {self.block(depth - 1)}"
        return f"first of {{ {event_} timer {self.draw(st.integers(1, 9))}s -> {self.block(depth - 1)} }}"

    def _patch(self, depth: int) -> str:
        return f'patch "{self.pick("v1", "v2")}" {self.block(depth - 1)} {self.pick("", f"otherwise {self.block(depth - 1)}")}'

    def _some(self, depth: int) -> str:
        ways = f"{self.block(depth - 1)} {self.block(depth - 1)}"
        others = "go_on" if self.saga else self.pick("cancel", "go_on")
        return f"parallel {self.fresh('p')} 1 of {{ {ways} }} others {others} ; {self._task(0)}"

    def _scope(self, depth: int) -> str:
        beside = "" if self.saga else self.pick("", " beside at_most 1")
        return f"try {self.fresh('y')} {self.block(depth - 1)} on signal z{beside} {self.block(0)}"

    def _with(self, depth: int) -> str:
        return f"with p {self.block(depth - 1)}"

    def _try(self, depth: int) -> str:
        what = self.pick("E", "F", "any")
        return f"try {self.fresh('y')} {self.block(depth - 1)} on {what} {self.block(depth - 1)}"

    def _late(self, depth: int) -> str:
        return f"try {self.fresh('y')} {self.block(depth - 1)} on timeout 3s {self.block(depth - 1)}"


@st.composite
def programs(draw, *, saga: bool) -> str:
    writer = Writer(draw, saga=saga)
    if not saga:
        text = f"pool p 1\nvar x : 0..2 = {writer.pick('0', 'any')}\nworkflow w {{ {writer.body(3)} }}\n"
    else:
        policies = [
            writer.pick("", "siblings await", "siblings abandon"),
            writer.pick("", "register before", "register after"),
            writer.pick("", "failing_step undo", "failing_step keep", "failing_step undo_unless_rejected"),
            writer.pick("", "undo_order reverse", "undo_order parallel"),
            writer.pick("", "on unknown undo", "on unknown ignore"),
            writer.pick("", "on undo_failure retry 1 then escalate", "on undo_failure continue"),
        ]
        text = SERVICES + f"var x : 0..2\nsaga w {{ {writer.body(2)}\n" + "\n".join(p for p in policies if p) + "\n}\n"
    text += "check anomaly_A1(w)\n" if saga else ""
    if writer.names:
        first, second = (writer.pick(*writer.names) for _ in range(2))
        how = writer.pick("and", "or", "and not")
        text += f"check never({first}.done {how} {second}.done)\ncheck possible({first}.done {how} {second}.done)\n"
    return text


class States:
    """All states of a compiled net, and where one can get from them without faults."""

    def __init__(self, compiled) -> None:
        self.compiled = compiled
        width = len(compiled.net.places)
        self.out, queue = {compiled.start: []}, deque([compiled.start])
        while queue and len(self.out) <= LIMIT:
            state = queue.popleft()
            for t in enabled(compiled.net, state[:width]):
                after = fire_state(compiled.net, compiled.observers, state, t)
                self.out[state].append((t, after))
                if after not in self.out:
                    self.out[after] = []
                    queue.append(after)
        self.whole = len(self.out) <= LIMIT
        self.faults = {t for t, role in enumerate(compiled.roles.transitions) if role.kind is Kind.FAULT}

    def where(self, predicate):
        return {s for s, out in self.out.items() if evaluate(predicate, s, lambda out=out: [t for t, _ in out])}

    def leading_to(self, goal, *, faults: bool = False):
        """The states from which one of the goal can be reached; without help of faults unless they count too."""
        before = {}
        for state, out in self.out.items():
            for t, after in out:
                if faults or t not in self.faults:
                    before.setdefault(after, []).append(state)
        found, todo = set(goal), list(goal)
        while todo:
            for state in before.get(todo.pop(), ()):
                if state not in found:
                    found.add(state)
                    todo.append(state)
        return found

    def stuck(self):
        return {s for s, out in self.out.items() if all(t in self.faults for t, _ in out)}


def expected(states: States, query: Query) -> bool:
    """The answer by definition."""
    compiled, everything = states.compiled, set(states.out)
    final = states.where(compiled.final.predicate(compiled.initial))
    fired = {t for out in states.out.values() for t, _ in out}
    counted = {PlaceClass.CONTROL, PlaceClass.CHANNEL}
    places = [p for p, kind in enumerate(compiled.final.classes) if kind in counted]
    completes = states.leading_to(final) == everything
    proper = not states.where(compiled.final.early(compiled.initial))
    alive = all(fired & set(transitions) for _, transitions in compiled.steps if transitions)
    match query.check:
        case "option_to_complete":
            return completes
        case "proper_completion":
            return proper
        case "no_dead_step":
            return alive
        case "sound":
            return completes and proper and alive
        case "weak_sound":
            return completes and proper
        case "safe":
            return all(s[p] <= 1 for s in states.out for p in places)
        case "bounded":
            return True
        case "deadlock_free":
            return states.stuck() <= final
        case "livelock_free":
            # from wherever no end can be reached, without faults one can only get stuck
            doomed = everything - states.leading_to(final)
            return doomed <= states.leading_to(states.stuck())
        case "live":
            able = [{s for s, out in states.out.items() if any(u == t for u, _ in out)} for t in _expected(states)]
            return all(states.leading_to(some) == everything for some in able)
        case "never" | "anomaly_A1":
            return not states.where(query.predicate)
        case "possible":
            return bool(states.where(query.predicate))
    raise AssertionError(query.check)


def _expected(states: States) -> list[int]:
    aside = states.compiled.quiet | states.faults
    return [t for t in range(len(states.compiled.net.transitions)) if t not in aside]


ASKED = (
    *("option_to_complete", "proper_completion", "no_dead_step", "sound", "weak_sound", "safe", "bounded"),
    *("deadlock_free", "livelock_free", "live"),
)


def compare(text: str, hypothesis, *, reduced: bool) -> None:
    """Compile a text and hold every verdict against its definition."""
    loaded = pipeline.compile_source(SourceFile("random.placet", text))
    assume(not loaded.broken)
    (compiled,) = loaded.compiled
    compiled = weave(compiled, hypothesis).compiled if compiled.roles.channels else compiled
    states = States(compiled)
    assume(states.whole)
    asked = ASKED if len(states.out) <= 150 else ASKED[:-1]  # `live` by definition takes long
    queries = (*(Query(check, check) for check in asked), *(q for q in compiled.queries if q.predicate is not None))
    before = strategy.FIRST_PLACES
    strategy.FIRST_PLACES = 0 if reduced else before
    try:
        answers = strategy.decide(compiled, queries, strategy.Options(reduce=reduced))
    finally:
        strategy.FIRST_PLACES = before
    event(f"{len(states.out).bit_length()} bits of states")
    for answer in answers:
        told, right = answer.verdict, expected(states, answer.query)
        event(f"{answer.query.check} {right}")
        free = told.assumptions.free_guards and not isinstance(told, Holds | Violated)
        assert free or isinstance(told, Holds if right else Violated), (answer.query.check, right, told, text)
        assert not isinstance(told, Violated) or answer.replayed is not None


@settings(max_examples=50)
@given(programs(saga=False), st.booleans())
def test_workflows(text, reduced):
    compare(text, NONE, reduced=reduced)


@settings(max_examples=50)
@given(programs(saga=True), st.sampled_from([NONE, LEVELS["L0"], LEVELS["L1"], LEVELS["L2"]]), st.booleans())
def test_sagas(text, hypothesis, reduced):
    compare(text, hypothesis, reduced=reduced)


def test_every_construct_is_drawn():
    """The programs derived from the grammar (benchmarks/random_programs.py) have every kind of node and every option, also those added later."""
    path = Path(__file__).resolve().parent.parent / "benchmarks" / "random_programs.py"
    spec = importlib.util.spec_from_file_location("random_programs", path)
    drawn = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawn)
    grammar = drawn.Grammar()
    kinds = {
        n
        for n, kind in vars(ast).items()
        if isinstance(kind, type) and hasattr(kind, "_fields") and kind.__module__ == ast.__name__
    }
    words = {*STEP_OPTIONS, *SERVICE_OPTIONS, *OF_SAGAS}
    missing = {*kinds, *words} - {"File"}
    pieces = {"saga": ("step", "policy"), "annotate": ("role", "sided_end", "waiver", "sided_check")}
    for seed in range(1500):
        program = drawn.Program(grammar, random.Random(seed))
        missing -= drawn.constructs(program.text)
        for item in grammar.rules["item"] if seed < 150 else ():
            program.tokens = []
            program.derive(item[1][0][0], 0, ("start",))
            missing -= drawn.constructs(" ".join(program.tokens))
        for item, rules in pieces.items():
            for rule in rules:
                program.tokens = []
                program.derive(rule, 0, (item,))
                head = "saga w" if item == "saga" else 'annotate "a.json"'
                missing -= drawn.constructs(f"{head} {{ {' '.join(program.tokens)} }}")
        if not missing:
            return
    raise AssertionError(f"never drawn: {sorted(missing)}")
