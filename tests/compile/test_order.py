"""Which steps come before which, held against the definition: one part of a sequence before another, one round before the next."""

from __future__ import annotations

import random
import sys

import pytest

from conftest import CHECKOUT
from placet.compile.workflow_to_net import process_to_net
from placet.ir import model as ir
from placet.net.roles import builders

sys.path.append(str(CHECKOUT / "tests" / "coverage"))

Pairs = set[tuple[str, str]]


def pairs(stmt: ir.Statement, path, called, suffix: str = "") -> tuple[list[str], Pairs]:
    """The steps of a statement, and which of them come before which; quadratic."""
    match stmt:
        case ir.Step():
            return [path(stmt.id) + suffix], set()
        case ir.Sequence():
            return ordered([pairs(p, path, called, suffix) for p in stmt.parts])
        case ir.Loop():
            rounds = range(1, (2 if stmt.at_most is None else stmt.at_most) + 1)
            return ordered([pairs(stmt.body, path, called, f"{suffix}[{i}]") for i in rounds])
        case ir.Parallel() | ir.Choice():
            return beside([pairs(way.body, path, called, suffix) for way in stmt.ways])
        case ir.Scope():
            bodies = [stmt.body, *(h.body for h in stmt.handlers)]
            return beside([pairs(b, path, called, suffix) for b in bodies])
        case ir.Call():
            inside = called[stmt.target]
            base = path(stmt.id) + suffix
            callee = pairs(inside.body, lambda i: base + i[len(inside.id) :], called)
            after = [pairs(b, path, called, suffix) for end, b in stmt.on if end not in ("compensated", "failed")]
            aside = [pairs(b, path, called, suffix) for end, b in stmt.on if end in ("compensated", "failed")]
            return beside([ordered([callee, beside(after)]), *aside])
    return [], set()


def ordered(parts) -> tuple[list[str], Pairs]:
    steps: list[str] = []
    found: Pairs = set()
    for own, inner in parts:
        found |= inner | {(s, t) for s in steps for t in own}
        steps += own
    return steps, found


def beside(parts) -> tuple[list[str], Pairs]:
    return [s for own, _ in parts for s in own], set().union(*(inner for _, inner in parts))


@pytest.mark.parametrize("first", range(0, 600, 100))
def test_what_comes_before(first: int) -> None:
    from random_sagas import case

    several = 0
    for seed in range(first, first + 100):
        one = case(seed, most=5)
        reverse = one.process.policy._replace(undo_order="reverse")
        called = {p.id: p._replace(policy=p.policy._replace(undo_order="reverse")) for p in one.called}
        process = one.process._replace(policy=reverse)
        compiled, problems = process_to_net(process, called)
        if any(d.severity == "error" for d in problems) or process.kind != "saga":
            continue
        plain = tuple(s._replace(depends=(), read_only=False) for s in compiled.roles.steps)
        found = {(s, t) for s, on_it in builders(plain).items() for t in on_it}
        steps, wanted = pairs(process.body, lambda i: i, called)
        assert set(steps) == {s.id for s in plain}
        assert found == wanted, seed
        several += len(steps) > 2
    assert several > 20


def saga(*parts: ir.Statement, **policy) -> ir.Process:
    ends = ("completed", "compensated", "failed")
    return ir.Process("b", "saga", ir.Sequence("b/seq", parts), ends, ir.Policy(**policy))


def step(name: str, **options) -> ir.Step:
    return ir.Step(f"b/{name}", name, "z", ir.Undo("u"), **options)


def built(process: ir.Process) -> dict[str, set[str]]:
    compiled, _ = process_to_net(process, {})
    return {s[2:]: {t[2:] for t in on_it} for s, on_it in builders(compiled.roles.steps).items()}


def test_what_is_named_replaces_what_comes_before() -> None:
    body = (step("a"), step("c"), step("d", after=("b/a",)), step("e", read_only=True), step("f"))
    assert built(saga(*body)) == {"a": {"c", "d", "f"}, "c": {"f"}, "d": {"f"}, "e": {"f"}, "f": set()}


def test_undos_that_all_start_together_build_on_nothing_else() -> None:
    body = (step("a"), step("c"), step("d", after=("b/a",)))
    assert built(saga(*body, undo_order="parallel")) == {"a": {"d"}, "c": set(), "d": set()}


def test_a_long_sequence_stays_small() -> None:
    rng = random.Random(1)
    process = saga(*(step(f"s{i}", retry=rng.choice([0, 1])) for i in range(3_000)))
    compiled, _ = process_to_net(process, {})
    assert sum(len(s.follows) for s in compiled.roles.steps) == 2_999
