"""Undos that wait for others: in no run does one begin too early, and every run comes to its end as if all began at once."""

from __future__ import annotations

import random

import pytest

from placet.compile.resolve import resolve
from placet.compile.to_net import compile_model
from placet.faults.hypothesis import Hypothesis
from placet.faults.weave import weave
from placet.net.firing import enabled, fire
from placet.net.roles import Kind
from placet.pipeline import verify
from placet.source import SourceFile
from placet.syntax.parser import parse

ONE = Hypothesis(("reject",), 1, "transient")


def saga(order: str, steps: dict[str, str], policy: str = "") -> str:
    lines = "".join(f"  step {name} on s {{ undo u{name}; timeout 1s{more} }}\n" for name, more in steps.items())
    return f"service s {{ idempotent; null_safe }}\nsaga t {{\n  undo_order {order}\n  {policy}\n{lines}}}\n"


def histories(text: str, faults: Hypothesis = ONE) -> tuple[set[tuple[tuple[str, str], ...]], set[str]]:
    """The orders in which undos are asked for and over, of every run; and the ends of runs that go no further."""
    file, problems = parse(SourceFile("t.placet", text))
    model, unresolved = resolve(file)
    (compiled,), more = compile_model(model)
    assert not [d for d in (*problems, *unresolved, *more) if d.severity == "error"]
    woven = weave(compiled, faults).compiled
    net, roles = woven.net, woven.roles.transitions
    start = (woven.initial, ())
    seen, queue = {start}, [start]
    orders, ends = set(), set()
    for marking, told in queue:
        able = enabled(net, marking)
        if not able:
            orders.add(told)
            ends.update(net.places[p].rpartition(".")[2] for p in woven.final.ends if marking[p])
            assert any(marking[p] for p in woven.final.ends), "it is stuck"
        for t in able:
            role = roles[t]
            more_told = told
            if role.direction == "undo" and role.kind in (Kind.SEND, Kind.REPLY) and not role.says:
                more_told = (*told, (role.kind.value, role.step.rpartition("/")[2]))
            after = (fire(net, marking, t), more_told)
            if after not in seen:
                seen.add(after)
                queue.append(after)
    return orders, ends


def kept(orders, before: dict[str, set[str]]) -> bool:
    """Whether each undo is asked for only when those that it waits for are over, where they are asked for at all."""
    for order in orders:
        for at, (kind, step) in enumerate(order):
            if kind == "send" and any(
                ("send", j) in order and ("reply", j) not in order[:at] for j in before.get(step, ())
            ):
                return False
    return True


@pytest.mark.parametrize("seed", range(12))
def test_an_undo_begins_when_those_that_it_waits_for_are_over(seed: int) -> None:
    rng = random.Random(seed)
    names = "abcd"[: rng.choice([3, 3, 4])]
    ranked = rng.sample(names, len(names))
    before = {n: {m for m in ranked[:i] if rng.random() < 0.5} for i, n in enumerate(ranked)}
    waits = {n: f"; undo_after {', '.join(sorted(b))}" if b else "" for n, b in before.items()}
    orders, ends = histories(saga("parallel", {n: waits[n] for n in names}))
    free, free_ends = histories(saga("parallel", dict.fromkeys(names, "")))
    assert kept(orders, before)
    assert ends == free_ends
    assert {frozenset(o) for o in orders} == {frozenset(o) for o in free}
    assert orders == {o for o in free if kept({o}, before)}


def test_by_dependencies() -> None:
    steps = {"a": "", "b": "; after a", "c": "; after a", "d": "; after b"}
    orders, _ = histories(saga("dependencies", steps))
    free, _ = histories(saga("parallel", steps))
    assert orders == {o for o in free if kept({o}, {"a": {"b", "c"}, "b": {"d"}})}
    assert len(orders) > 1
    text = saga("dependencies", steps) + "check anomaly_A7(t) under { reject }\n"
    assert verify(text).verdict == "placet"
    assert verify(text.replace("dependencies", "parallel")).verdict == "non placet"


def test_one_that_waits_for_an_undo_that_gave_up_is_left() -> None:
    steps = {"a": "; undo_after b", "b": "", "c": ""}
    two = Hypothesis(("reject", "undo-fail"), 2, "transient")
    orders, ends = histories(saga("parallel", steps, "on undo_failure halt"), two)
    assert kept(orders, {"a": {"b"}})
    assert ends == {"completed", "compensated", "failed"}
    assert any(("send", "b") in o and ("send", "a") not in o for o in orders)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (saga("reverse", {"a": "; undo_after b", "b": ""}), "P206"),
        (saga("parallel", {"a": "; undo_after x", "b": ""}), "P203"),
        (saga("parallel", {"a": "; undo_after b", "b": "; undo_after a"}), "P411"),
        (saga("dependencies", {"a": "", "b": "; after a; undo_after a", "c": "; undo_after b"}), "P411"),
        (saga("parallel", {"a": "; undo_after a", "b": ""}), "P403"),
        (
            "service s\nsaga t { undo_order parallel; parallel { step a on s { undo u; undo_after b }; step b on s } }",
            "P403",
        ),
    ],
)
def test_what_makes_no_sense(text: str, code: str) -> None:
    file, _ = parse(SourceFile("t.placet", text))
    model, unresolved = resolve(file)
    found = [d for d in unresolved if d.severity == "error"] or compile_model(model)[1]
    assert [d.code for d in found if d.severity == "error"] == [code]
    assert all(d.span is not None for d in found)
