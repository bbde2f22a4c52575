"""Undos across the ways of a parallel: every run is one of the definition, and every one of the definition is a run."""

from __future__ import annotations

import random

import pytest
from test_undo_turns import ONE

from placet.compile.resolve import resolve
from placet.compile.to_net import compile_model
from placet.faults.hypothesis import Hypothesis
from placet.faults.weave import weave
from placet.net.firing import enabled, fire
from placet.net.roles import Kind
from placet.pipeline import verify
from placet.source import SourceFile
from placet.syntax.parser import parse

Ways = tuple[tuple[str, ...], ...]
Events = tuple[str, ...]


def saga(order: str, ways: Ways, *, after: str = "", policy: str = "", more: str = "") -> str:
    lines = "".join("    { " + " ".join(f"step {s} on s {{ undo u{s}{more} }}" for s in way) + " }\n" for way in ways)
    return (
        f"service s {{ idempotent; null_safe }}\nsaga t {{\n  undo_order {order}\n  {policy}\n"
        f"  parallel {{\n{lines}  }}\n{after}}}\n"
    )


def woven(text: str, faults: Hypothesis):
    file, problems = parse(SourceFile("t.placet", text))
    model, unresolved = resolve(file)
    (compiled,), more = compile_model(model)
    assert not [d for d in (*problems, *unresolved, *more) if d.severity == "error"]
    return weave(compiled, faults).compiled


def runs(text: str, faults: Hypothesis = ONE) -> set[Events]:
    """What the coordinator asks and learns in every run that goes no further, as `+a` `=a` `!a` and `-a` `~a` `?a` of undos."""
    net_of = woven(text, faults)
    net, roles = net_of.net, net_of.roles.transitions
    signs = {("send", "forward"): "+", ("send", "undo"): "-", ("reply", "forward"): "=", ("reply", "undo"): "~"}
    start = (net_of.initial, ())
    seen, queue = {start}, [start]
    found = set()
    for marking, told in queue:
        able = enabled(net, marking)
        if not able:
            found.add(told)
            assert any(marking[p] for p in net_of.final.ends), f"stuck after {told}"
        for t in able:
            role = roles[t]
            after = told
            sign = signs.get((role.kind.value, role.direction)) if role.kind in (Kind.SEND, Kind.REPLY) else None
            if sign is not None:
                sign = {"=": "!", "~": "?"}[sign] if role.says else sign
                after = (*told, sign + role.step.rpartition("/")[2])
            if (state := (fire(net, marking, t), after)) not in seen:
                seen.add(state)
                queue.append(state)
    return found


def defined(order: str, ways: Ways, *, last: bool = False) -> set[Events]:
    """The definition: ways go on; one step may be refused; then all turn back, and when all have, the last in `order` is undone first; `last`: what follows fails."""
    found: set[Events] = set()
    sign = "+" if order == "start" else "="

    def on(told: Events, at: tuple[int, ...], waiting: tuple[bool, ...], back: frozenset[int]) -> None:
        refused = [e[1:] for e in told if e[0] == "!"]
        if all(i in back or at[i] == len(w) for i, w in enumerate(ways)):
            if refused:
                undo(told, refused)
                return
            if last:
                undo(told, [])
            else:
                found.add(told)
            return
        for i, way in enumerate(ways):
            if i in back or at[i] == len(way):
                continue
            if waiting[i]:
                put = (*waiting[:i], False, *waiting[i + 1 :])
                on((*told, f"={way[at[i]]}"), (*at[:i], at[i] + 1, *at[i + 1 :]), put, back)
                if not refused:
                    on((*told, f"!{way[at[i]]}"), at, put, back | {i})
            else:
                on((*told, f"+{way[at[i]]}"), at, (*waiting[:i], True, *waiting[i + 1 :]), back)

    def undo(told: Events, refused: list[str]) -> None:
        done = {e[1:] for e in told if e[0] == "="}
        ranked = [e[1:] for e in told if e[0] == sign and e[1:] in done and e[1:] not in refused]
        found.add((*told, *(e for s in reversed(ranked) for e in (f"-{s}", f"~{s}"))))

    on((), (0,) * len(ways), (False,) * len(ways), frozenset())
    return found


SHAPES: list[Ways] = [
    (("a",), ("b",)),
    (("a", "b"), ("c",)),
    (("a",), ("b", "c")),
    (("a",), ("b",), ("c",)),
    (("a", "b"), ("c", "d")),
]


@pytest.mark.parametrize("ways", SHAPES, ids=str)
@pytest.mark.parametrize("order", ["start", "completion"])
def test_the_runs_are_those_of_the_definition(order: str, ways: Ways) -> None:
    wanted = defined(order, ways)
    assert runs(saga(order, ways)) == wanted
    other = "completion" if order == "start" else "start"
    assert (wanted != defined(other, ways)) == any(len(w) > 1 for w in ways) or len(ways) > 2


@pytest.mark.parametrize("order", ["start", "completion"])
def test_a_parallel_that_was_done_is_undone_in_its_order(order: str) -> None:
    ways = (("a", "b"), ("c",))
    nothing_else = {r for r in runs(saga(order, ways, after="  task boom fails E\n")) if r[-1][0] == "~"}
    assert nothing_else == {r for r in defined(order, ways, last=True) if r[-1][0] == "~"}


@pytest.mark.parametrize(("register", "order"), [("before", "start"), ("after", "completion")])
def test_undos_are_noted_with_the_request_or_with_the_reply(register: str, order: str) -> None:
    ways = (("a", "b"), ("c",))
    assert runs(saga("registration", ways, policy=f"register {register}")) == defined(order, ways)


def in_order(run: Events, ways: Ways) -> bool:
    """Whether of two steps that are both undone the one asked for later is undone, or given up, before the other begins."""
    way_of = [(s, i) for i, way in enumerate(ways) for s in way]
    for x, its in way_of:
        for y, other in way_of:
            if its == other or f"-{x}" not in run or f"-{y}" not in run:
                continue
            if run.index(f"+{x}") < run.index(f"+{y}"):
                between = run[run.index(f"-{y}") : run.index(f"-{x}")]
                if run.index(f"-{x}") < run.index(f"-{y}") or not {f"~{y}", f"?{y}"} & {*between}:
                    return False
    return True


POLICIES = {
    "siblings": ("await", "cancel"),
    "register": ("before", "after", "log"),
    "failing_step": ("undo", "keep", "undo_unless_rejected"),
    "on unknown": ("undo", "ask", "ignore"),
    "on undo_failure": ("halt", "continue", "escalate"),
    "cancellation": ("masked", "unmasked"),
    "recovery": ("resume", "undo"),
}
FAULTS = [("reject",), ("slow",), ("lost",), ("reject", "undo-fail"), ("slow", "undo-fail"), ("cancel",), ("crash",)]


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_the_order_is_kept_and_nobody_waits_for_ever(seed: int) -> None:
    rng = random.Random(seed)
    policy = "\n  ".join(f"{key} {rng.choice(values)}" for key, values in POLICIES.items())
    faults = rng.choice(FAULTS)
    ways = rng.choice(SHAPES[:3])
    text = saga("start", ways, policy=policy, more=rng.choice(["; timeout 1s", "; timeout 1s; retry 1"]))
    found = runs(text, Hypothesis(faults, len(faults), "transient"))
    assert all(in_order(run, ways) for run in found)


def test_reverse_does_not_keep_the_order_across_ways() -> None:
    ways = (("a", "b"), ("c",))
    assert not all(in_order(run, ways) for run in runs(saga("reverse", ways)))


def test_what_is_left_when_an_undo_gives_up() -> None:
    two = Hypothesis(("reject", "undo-fail"), 2, "transient")
    ways = (("a", "b"), ("c",))
    found = runs(saga("start", ways, policy="on undo_failure halt"), two)
    given_up = [r for r in found if any(e[0] == "?" for e in r)]
    assert given_up
    assert all(r[-1][0] == "?" for r in given_up)


def test_a_choice_in_a_way() -> None:
    body = 'choice { when "x" { step b on s { undo ub } } otherwise { task t } }'
    text = saga("completion", (("a",), ("c",))).replace("step a on s { undo ua }", f"step a on s {{ undo ua }} {body}")
    assert any("-b" in r and "-c" in r for r in runs(text.replace("}\n}\n", "}\n  task boom fails E\n}\n")))


MANY = tuple((f"a{i}", f"b{i}") for i in range(5))
TWO: Ways = (("a",), ("b",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (saga("start", TWO, policy="siblings abandon"), "nobody looks after"),
        (saga("registration", TWO, policy="register submit"), "all at the start"),
        (saga("registration", TWO, policy="register log"), "in its own log"),
        (saga("completion", MANY), "across 10 steps"),
        (saga("start", TWO, more="; pivot").replace("step b on s { undo ub; pivot }", "step b on s { undo ub }"), "only"),
        (saga("start", TWO).replace("{ step a on s", "{ try { step c on s { undo uc } } on E { } step a on s"), "only"),
        (saga("start", TWO).replace("parallel {", "parallel 1 of {").replace("  }\n}", "  } others go_on\n  step z on s\n}"), "at once"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, message: str) -> None:
    file, problems = parse(SourceFile("t.placet", text))
    assert not problems
    model, _ = resolve(file)
    found = [d for d in compile_model(model)[1] if d.severity == "error"]
    assert [d.code for d in found] == ["P412"]
    assert message in found[0].message
    assert found[0].span is not None


def test_one_way_that_is_undone_needs_no_stack() -> None:
    text = "service s\nsaga t {{\n  undo_order {}\n  parallel {{ {{ step a on s {{ undo u }} step b on s {{ undo v }} }} {{ step c on s }} }}\n}}\n"
    assert woven(text.format("completion"), ONE).net == woven(text.format("reverse"), ONE).net


def test_anybody_can_ask_about_it() -> None:
    text = saga("completion", (("a", "b"), ("c",)), more="; timeout 1s")
    asked = text + "check coverage(t) >= 100% under { reject }\ncheck deadlock_free(t)\ncheck no_dead_step(t)\n"
    assert verify(asked).verdict == "placet"
