"""Random programs, compiled to a net and interpreted on their syntax tree: the same visible traces, up to a length.

`PLACET_EXAMPLES=5000 pytest tests/test_interpreter.py` looks at more of them than every run of the tests does.
"""

from __future__ import annotations

import os
from functools import cache

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from oracles.interpreter import Interpreter
from oracles.traces import difference, moving
from placet.compile.resolve import resolve
from placet.compile.to_net import compile_model
from placet.compile.vocabulary import statements
from placet.ir import model as ir
from placet.source import SourceFile
from placet.syntax.parser import parse

CASES = int(os.environ.get("PLACET_EXAMPLES", "25"))
LENGTH = 6


class TooLargeError(Exception):
    """More states than are looked at."""


def shown(statement) -> str:
    """What the interpreter calls it."""
    match statement:
        case ir.Task(_, name):
            return name
        case ir.Receive(_, event):
            return f"receive({event})"
        case ir.Timer(_, _, text):
            return f"timer({text})"
        case ir.Raise(_, error):
            return f"raise({error})"
        case ir.Again():
            return "again"
        case ir.Call(_, target) if statement.detached:
            return f"start({target})"
        case ir.Parallel() if statement.close[0]:
            return f"start({statement.close[1]})"
        case ir.End(_, name):
            return f"end({name})"
        case ir.Holding(_, pool, _, takes):
            return f"{'acquire' if takes else 'release'}({pool})"
    return ""


def net_of(text: str, most: int = 20_000):
    """The net of a text as a system of markings with the names of the interpreter; None where the text has errors."""
    file, problems = parse(SourceFile("random.placet", text))
    model, unresolved = resolve(file)
    if any(d.severity == "error" for d in (*problems, *unresolved)):
        return None
    nets, uncompiled = compile_model(model)
    if any(d.severity == "error" for d in uncompiled):
        return None
    net = nets[0]
    labels: dict[int, str] = {}
    names = {s.id: shown(s) for p in model.processes for s in statements(p.body)}
    for process in model.processes:
        for s in statements(process.body):
            for h in (*getattr(s, "handlers", ()), *getattr(s, "listeners", ())):
                if h.trigger != "error":
                    names[h.id] = f"{'signal' if h.trigger == 'event' else 'timeout'}({h.name})"
    for name, transitions in net.steps:
        own, _, error = name.partition("#")
        if names.get(own):
            labels.update(dict.fromkeys(transitions, f"{names[own]}!{error}" if error else names[own]))
    for t, name in enumerate(net.net.transitions):
        if "#OutOfRange[" in name:
            labels[t] = names[net.origin.transitions[t].id] + "!OutOfRange"
        elif name == f"{net.subject}#ends.completed":
            labels[t] = "completed"
    seen, moves = set(), moving(net.net)

    @cache
    def successors(marking):
        seen.add(marking)
        if len(seen) > most:
            raise TooLargeError
        return [(labels.get(t), after) for t, after in moves(marking)]

    return file, (net.initial, successors)


def compare(text: str, length: int = LENGTH, most: int = 20_000) -> bool:
    """Whether there was something to compare; fails where the two differ."""
    found = net_of(text, most)
    if found is None:
        return False
    file, system = found
    try:
        wrong = difference(system, Interpreter(file).system(), length)
    except TooLargeError:
        return False
    assert wrong is None, (wrong, text)
    return True


class Programs:
    """Statements over three variables of the model and one of each process, drawn at random."""

    def __init__(self, draw) -> None:
        self.draw = draw
        self.number = 0
        self.calling = self.pick(True, False, False)
        self.scoped = False  # whether signals may be listened for
        self.ends = True  # a way of a parallel may end the process; what is called must not, since its caller goes on

    def pick(self, *options):
        return self.draw(st.sampled_from(options))

    def fresh(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}{self.number}"

    def condition(self, depth: int = 1) -> str:
        if depth and self.pick(True, False, False):
            one, two = self.condition(depth - 1), self.condition(depth - 1)
            return self.pick(f"not ({one})", f"{one} and {two}", f"{one} or {two}", f"({one} implies {two})")
        number = self.pick("0", "1", "2", "-1", "own", "x + 1", "2 * own - 1")
        return self.pick(
            f"x {self.pick('<', '<=', '==', '!=', '>', '>=')} {number}", f"x - own >= {number}", "b", "b == false",
            f"c {self.pick('==', '!=')} {self.pick('red', 'green', 'c')}",
        )  # fmt: skip

    def guard(self) -> str:
        return self.pick('"maybe"', *[self.condition()] * 3)

    def sets(self) -> str:
        if self.pick(True, False):
            return ""
        options = [
            f"x = {self.pick('x + 1', 'x - 1', 'own', '1', 'any', '2 * x', 'x - own')}", f"own = {self.pick('own + 1', '0', 'x', 'any')}",
            f"b = {self.pick('true', 'any', 'not b', 'b')}", f"c = {self.pick('red', 'any', 'green')}",
        ]  # fmt: skip
        chosen = [o for o in options if self.pick(True, False)] or options[:1]
        return f" sets {', '.join(chosen)}"

    def body(self, depth: int, most: int = 3) -> str:
        return " ; ".join(self.statement(depth) for _ in range(self.draw(st.integers(1, most))))

    def block(self, depth: int) -> str:
        return "{ " + self.body(depth, 2) + " }"

    def statement(self, depth: int) -> str:
        nested = ["choice", "choice", "either", "parallel", "loop", "while", "first", "try", "each", "each", "with"]
        nested += ["scope"] * 4 + ["some"] * 3 + ["patch", "every"] if self.scoped else []
        return getattr(
            self,
            "_"
            + self.pick(
                "task",
                "task",
                "task",
                "fails",
                "raise",
                "end",
                "receive",
                *self.pick([], ["holding"]),
                *(nested if depth else []),
            ),
        )(depth)

    def _task(self, _depth: int) -> str:
        return f"task {self.fresh('t')}{self.sets()}"

    def _fails(self, _depth: int) -> str:
        return f"task {self.fresh('t')} fails E{self.sets()}"

    def _raise(self, _depth: int) -> str:
        return "raise E" if self.pick(True, False, False) else self._task(0)

    def _end(self, _depth: int) -> str:
        return "end other" if self.ends and self.pick(True, False, False) else self._task(0)

    def _receive(self, _depth: int) -> str:
        if self.scoped and self.pick(True, True, False):
            return f"receive {self.pick('y', 'z buffered')}"
        return f"receive {self.fresh('m')}{self.pick('', '', ' sets x = any', ' sets b = true')}"

    def _choice(self, depth: int) -> str:
        ways = " ".join(f"when {self.guard()} {self.block(depth - 1)}" for _ in range(self.pick(1, 2, 3)))
        return f"choice {self.fresh('k')} {{ {ways} {self.pick('', f'otherwise {self.block(depth - 1)}')} }}"

    def _either(self, depth: int) -> str:
        return f"either {self.block(depth - 1)} or {self.block(depth - 1)}"

    def _parallel(self, depth: int) -> str:
        before, self.ends = self.ends, self.ends and not self.calling
        ways = f"{self.block(depth - 1)} {self.block(depth - 1)}"
        self.ends = before
        return f"parallel {self.fresh('p')} {{ {ways} }}"

    def _some(self, depth: int) -> str:
        before, self.ends = self.ends, self.ends and not self.calling
        ways = " ".join(self.block(depth - 1) for _ in range(self.pick(2, 2, 3)))
        self.ends = before
        return f"parallel {self.fresh('p')} {self.pick(1, 1, 2)} of {{ {ways} }} {self.pick('', 'others cancel', 'others go_on')}"

    def _patch(self, depth: int) -> str:
        return f'patch "{self.pick("v1", "v2")}" {self.block(depth - 1)} {self.pick("", f"otherwise {self.block(depth - 1)}")}'

    def _loop(self, depth: int) -> str:
        until = self.pick(f" until {self.guard()}", f" until {self.guard()}", "")
        return f"loop {self.fresh('l')}{self.pick('', ' at_most 2')} {self.block(depth - 1)}{until}"

    def _while(self, depth: int) -> str:
        return f"while {self.guard()}{self.pick('', ' at_most 2')} {self.block(depth - 1)}"

    def _first(self, depth: int) -> str:
        timer = f"timer {self.draw(st.integers(1, 99))}s -> {self.block(depth - 1)}"
        return f"first of {{ {self._receive(0)} -> {self.block(depth - 1)} {timer} }}"

    def _each(self, depth: int) -> str:
        how = self.pick("", " parallel", " at_most 1 parallel", " at_most 2 parallel")
        return f"for each {self.fresh('i')} in 1..{self.pick('2', 'N')}{how}{self.pick('', ' tolerate 1')} {self.block(depth - 1)}"

    def _every(self, depth: int) -> str:
        """For ever, unless something around it ends it."""
        how = self.pick("skip", "queue", "cancel", "allow at_most 1", "allow at_most 2")
        every = f"every 7s{self.pick('', ' at_most 1', ' at_most 2')} overlap {how} {self.block(depth - 1)}"
        return (
            every
            if "at_most" in every.partition("overlap")[0]
            else f"try {self.fresh('y')} {{ {every} }} on signal {self.pick('z', 'y')} {self.block(0)}"
        )

    def _with(self, depth: int) -> str:
        return f"with {self.pick('db', 'one')} {self.block(depth - 1)}"

    def _holding(self, _depth: int) -> str:
        return f"{self.pick('acquire', 'acquire', 'release')} {self.pick('db', 'one')}"

    def _scope(self, depth: int) -> str:
        handlers = {
            f"on {self.pick('signal z', 'signal y', 'timeout 9s')}{self.pick('', ' beside', ' beside at_most 2')}": 0
            for _ in range(self.pick(1, 2))
        }
        words = {h.partition(" beside")[0]: h for h in handlers}
        found = " ".join(f"{h} {self.block(0)}" for h in words.values())
        return f"try {self.fresh('y')} {self.block(depth - 1)} {found}{self.pick('', f' on E {self.block(0)}')}"

    def _try(self, depth: int) -> str:
        return f"try {self.fresh('y')} {self.block(depth - 1)} on {self.pick('E', 'any', 'OutOfRange', 'TooManyFailed')} {self.block(depth - 1)}"


@st.composite
def programs(draw, *, scoped: bool = False) -> str:
    made = Programs(draw)
    made.scoped = scoped
    start = made.pick("0", "1", "any")
    variables = (
        f"param N = {made.pick(2, 3)}\npool db N\npool one 1\nvar x : {made.pick('0..2', '-1..1')} = {start}\nvar b : bool = {made.pick('false', 'any')}\n"
        f"var c : {{ red, green }} = {made.pick('red', 'any')}\n"
    )
    own = f"var own : 0..2 = {made.pick('0', 'any')}"
    if scoped:
        own += f" ; signal z at_most {made.pick(1, 2)}{made.pick('', ' ; signal y')}"
    root = f"workflow w {{ {own} ; {made.body(2)}"
    if scoped and made.pick(True, False, False):
        child = f"call u detached on_close {made.pick('wait', 'cancel', 'abandon')}"
        root += f" ; {child} ; {made.body(1)} }}\nworkflow u {{ {made.body(1)} }}"
    elif made.calling:
        handlers = "".join(f" on {end} {made.block(0)}" for end in ("failed", "other"))
        root += f" ; call v{made.pick(handlers, '')} ; {made.body(1)} }}\nworkflow v {{ {own} ; {made.body(1)} }}"
    else:
        root += " }"
    return variables + root + "\n"


@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs())
def test_the_net_does_what_the_program_says(text):
    event("call" if "call v" in text else "no call")
    assume(compare(text))


@settings(max_examples=CASES // 2, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs(scoped=True))
def test_scopes_and_signals(text):
    assume(compare(text, most=2_000))


EXAMPLES = [
    "pool p 1\nworkflow w { parallel { with p { task a task b } with p { task c fails E task d } } }",
    "pool p 1\npool q 1\nworkflow w { parallel { with p { with q { task a } } with q { with p { task c } } } }",
    "pool p 2\nworkflow w { for each i in 1..3 parallel tolerate 1 { with p { task a fails E task b } } with p { with p { task z } } }",
    "pool p 1\nworkflow w { try { with p { task a fails E } } on E { with p { task b } } acquire p  task c  release p  with p { end other } }",
    "pool p 1\nworkflow w { with p { call v on failed { task m } } with p { task b } } workflow v { task a fails E }",
    "pool p 2\nworkflow w { acquire p  parallel { { acquire p task a release p } { release p task b acquire p } } release p }",
    "workflow w { try { task a task b } on signal z { task c } task d }",
    "workflow w { try { task a task b } on signal z beside { task c task d } on timeout 2s beside at_most 2 { task e } task f }",
    "workflow w { try { parallel { task a task b } } on signal z { task c } on timeout 9s { end late } task f }",
    "workflow w { try { task a fails E } on signal z beside { task c fails E } on E { task d } on timeout 9s { task e } }",
    "workflow w { try { task a end early } on signal z beside { task c } task d }",
    "workflow w { try { try { task a end early } on signal z beside { task c } } on signal y beside at_most 1 { end other } task d }",
    "workflow w { signal z task a receive z task b }",
    "workflow w { signal z at_most 2 task a receive z buffered task b }",
    "workflow w { task a receive z buffered receive z buffered task b }",
    "workflow w { signal z task a try { task b task c } on signal z { task d } task e }",
    "workflow w { signal z task a try { task b } on signal z beside { task d } receive z task e }",
    "workflow w { loop at_most 2 { call v } } workflow v { signal z task a receive z task b }",
    "var b : bool = any\nworkflow w { var x : 0..1 ; signal s task a choice { when x == 1 { end done } when b { task t sets x = 1 } otherwise { } } receive s continue_as_new }",
    "workflow w { loop at_most 2 { call v } } workflow v { var n : 0..1 = any ; task a either { continue_as_new } or { task t sets n = 1 } choice { when n == 1 { task k } otherwise { } } }",
    "workflow w { try { task a fails E continue_as_new } on E { call v detached } on timeout 5s { task b } } workflow v { task c }",
    "workflow w { try { every 1h overlap skip { task a task b } } on signal s { task c } }",
    "workflow w { try { every 1h overlap queue { task a task b } } on signal s { task c } }",
    "workflow w { try { every 1h overlap cancel { task a task b } } on signal s { task c } }",
    "workflow w { try { every 1h overlap cancel { parallel { task a task b } task d } } on signal s { task c } }",
    "workflow w { every 1h overlap allow at_most 2 { task a task b } }",
    "workflow w { try { every 1h overlap allow at_most 2 { task a fails E } } on E { task c } on signal s { task d } }",
    "workflow w { every 1h overlap queue { try { task a fails E } on E { end other } } }",
    # when the last instance is done there is no moment any more in which something could interrupt it
    "workflow w { try { task a for each i in 1..2 { task b } } on signal z { task c } task d }",
    "workflow w { try { every 1h at_most 2 overlap skip { task a task b } } on signal s { task c } task d }",
    "workflow w { try { every 1h at_most 3 overlap queue { task a task b } } on signal s { task c } task d }",
    "workflow w { try { every 1h at_most 3 overlap cancel { task a task b } } on signal s { task c } task d }",
    "workflow w { every 1h at_most 2 overlap cancel { parallel { task a task b } task d } task c }",
    "workflow w { every 1h at_most 1 overlap cancel { task a } task c }",
    "workflow w { try { every 1h at_most 2 overlap cancel { task a fails E } } on E { task c } task d }",
    "workflow w { every 1h at_most 3 overlap allow at_most 2 { task a } task c }",
    "workflow w { task a call v detached on_close wait task b } workflow v { task c fails E task d }",
    "workflow w { task a call v detached on_close cancel task b } workflow v { task c fails E task d }",
    "workflow w { call v detached on_close wait } workflow v { task c either { end other } or { task d } }",
    "workflow w { call v detached on_close cancel } workflow v { task c task d }",
    "workflow w { call v detached on_close wait either { task a end early } or { task b fails E } } workflow v { task c }",
    "workflow w { call v detached on_close cancel either { task a end early } or { task b fails E } } workflow v { task c task d }",
    "workflow w { call v detached on_close cancel call u detached on_close wait task a end early } workflow v { task c task d } workflow u { task e }",
    "workflow w { call v detached on_close wait call u detached on_close cancel task a end early } workflow v { task c task d } workflow u { task e }",
    "workflow w { try { call v on other { task o } } on signal s { task t } } workflow v { call u detached on_close wait task a either { end other } or { } } workflow u { task e }",
    "workflow w { try { call v on other { task o } } on signal s { task t } } workflow v { call u detached on_close cancel task a either { end other } or { } } workflow u { task e }",
    "workflow w { call v detached on_close cancel parallel { task a task b } } workflow v { parallel { task c task d } }",
    "workflow w { call v detached on_close wait try { task a end early } on signal s beside { task b } } workflow v { receive m task c }",
    "var x : 0..1\nworkflow w { call v detached on_close cancel task a sets x = 1 } workflow v { var n : 0..1 ; loop { task c sets n = x } until n == 1 }",
    "workflow w { call v detached on_close abandon task a } workflow v { task c }",
    "workflow w { parallel 1 of { task a { task b task c } } task d }",
    "workflow w { parallel 2 of { task a { task b fails E } task c } others cancel task d }",
    "workflow w { parallel 1 of { task a { task b fails E } } others go_on task d task e }",
    'workflow w { loop at_most 2 { parallel 1 of { task a task b } others go_on task d } until "x" task e }',
    "workflow w { try { parallel 1 of { task a { task b task f } } others go_on task d end done } on signal z { task c } }",
    'workflow w { patch "v2" { task a } otherwise { task b } task c patch "v2" { task d } }',
    'workflow w { loop at_most 2 { call v } } workflow v { patch "v2" { task a } task c patch "v2" { task d } otherwise { task b } }',
    "workflow w { signal z parallel { receive z { task a receive z } } }",
    "param N = 3\nvar x : 0..N\nworkflow w { for each i in 1..N { choice { when x == i - 1 { task up sets x = i } otherwise { task not_now } } } }",
    "workflow w { for each i in 1..3 at_most 2 parallel { task a task b } }",
    "workflow w { for each i in 2..4 at_most 2 parallel tolerate 1 { task a fails E task b } task after }",
    "workflow w { try { for each i in 1..3 parallel { task a fails E task b } } on E { task mend } }",
    "workflow w { loop at_most 2 { try { for each i in 1..2 at_most 1 parallel tolerate 1 { task a fails E } } on TooManyFailed { task mend } } }",
    "workflow w { for each i in 1..2 { for each j in 1..2 parallel { call v } } } workflow v { var n : 0..1 task t sets n = 1 - n }",
    "var x : 0..2 = any\nworkflow w { choice { when x >= 1 { task take sets x = x - 1 } otherwise { end empty } } task next }",
    "var x : 0..2\nworkflow w { while x < 2 { task up sets x = x + 1 } task over }",
    "var b : bool\nworkflow w { loop at_most 3 { task ask sets b = any } until b  task over }",
    "var x : 0..1 = 1\nworkflow w { try { task up sets x = x + 1 task never } on OutOfRange { task mend } }",
    "var x : 0..3\nworkflow w { parallel { task a sets x = x + 1  task c sets x = 2 * x } choice { when x == 2 { task two } when x == 1 { task one } } }",
    "workflow w { loop at_most 2 { call v } } workflow v { var n : 0..1 ; choice { when n == 0 { task first sets n = 1 } otherwise { task second } } }",
]  # fmt: skip


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples(text):
    assert compare(text, 9)


@pytest.mark.parametrize("room", [1, 2, 3])
@pytest.mark.parametrize("often", ["", " at_most 4"])
def test_how_many_runs_wait_changes_nothing(room, often, monkeypatch):
    """What the net of `overlap queue` does is what a queue of each bound does; without a queue less may happen."""
    text = f"workflow w {{ try {{ every 1h{often} overlap queue {{ task a task b }} }} on signal s {{ task c }} }}"
    monkeypatch.setattr(Interpreter, "room", room)
    assert compare(text, 11)
    monkeypatch.setattr(Interpreter, "room", 0)
    with pytest.raises(AssertionError):
        compare(text, 11)


def test_the_comparison_can_fail():
    """A net of one program is not taken for another one."""
    one, other = (net_of(f"var x : 0..2\nworkflow w {{ while x < {n} {{ task up sets x = x + 1 }} }}") for n in (1, 2))
    assert difference(one[1], Interpreter(other[0]).system(), LENGTH) is not None
    texts = [
        f"pool p {n}\nworkflow w {{ parallel {{ with p {{ task a task b }} with p {{ task c }} }} }}" for n in (1, 2)
    ]
    one, other = (net_of(text) for text in texts)
    assert difference(one[1], Interpreter(other[0]).system(), LENGTH) is not None
    texts = [f"workflow w {{ for each i in 1..3 at_most {n} parallel {{ task a task b }} }}" for n in (1, 2)]
    one, other = (net_of(text) for text in texts)
    assert difference(one[1], Interpreter(other[0]).system(), LENGTH) is not None
