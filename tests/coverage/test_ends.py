"""A saga comes to exactly one end: whatever gives up beside others, the first to fail decides, and the rest is absorbed."""

from __future__ import annotations

import random

import pytest
from agreement import disagrees
from enumerator import Enumerator, TooLarge
from random_sagas import ENDS, Case, case, parts, with_part

from placet.faults.hypothesis import Hypothesis
from placet.ir import model as ir

MOST = 3_000  # markings of one saga
FAULTS = (
    "reject", "lost", "slow", "partial", "undo-fail", "undo-slow", "undo-lost", "duplicate", "cancel", "crash"
)  # fmt: skip
AT_ONCE = ({"undo_order": "parallel"}, {"siblings": "abandon"}, {"undo_order": "parallel", "siblings": "abandon"})


def timed(statement: ir.Statement) -> ir.Statement:
    """The same body with a time-out at every step."""
    if isinstance(statement, ir.Step):
        return statement._replace(timeout=10.0)
    for k, part in enumerate(parts(statement)):
        statement = with_part(statement, k, timed(part))
    return statement


def halting(seed: int) -> Case:
    """A saga whose undos may give up in several places at once, and always hears of a loss by a time-out."""
    rng = random.Random(seed)
    one = case(seed, most=4)
    choices = {
        **rng.choice(AT_ONCE),
        "undo_failure": rng.choice(["halt", "escalate", "retry", "continue"]),
        "undo_retries": rng.choice([0, 0, 0, 1]),
        "deadline": rng.choice(["none", "undo", "escalate"]),
        "recovery": rng.choice(["resume", "undo"]),
    }

    def changed(p: ir.Process) -> ir.Process:
        return p._replace(body=timed(p.body), policy=p.policy._replace(**choices))

    faults = tuple(rng.sample(FAULTS, rng.choice([1, 2, 2])))
    hypothesis = Hypothesis(faults, rng.choice([1, 2]), rng.choice(["transient", "permanent"]))
    return Case(changed(one.process), tuple(changed(p) for p in one.called), hypothesis)


def ended(woven, most: int) -> None:
    """That no marking has two ends, and that without further faults each leads to one with exactly one end."""
    runs = Enumerator(woven, most)
    ends = woven.compiled.final.ends
    start = woven.compiled.initial
    before: dict[tuple[int, ...], list[tuple[int, ...]]] = {start: []}
    queue = [start]
    for marking in queue:
        if len(queue) > most:
            raise TooLarge(len(queue))
        assert sum(marking[p] for p in ends) <= 1, shown(woven, marking)
        for t in range(len(woven.compiled.net.transitions)):
            after = runs.fired(marking, t)
            if after is None:
                continue
            if after not in before:
                before[after] = []
                queue.append(after)
            if t not in runs.cause:
                before[after].append(marking)
    good = [m for m in queue if sum(m[p] for p in ends) == 1]
    seen = set(good)
    for marking in good:
        good += [m for m in before[marking] if m not in seen and not seen.add(m)]
    for marking in queue:
        assert marking in seen, shown(woven, marking)


def shown(woven, marking) -> list[str]:
    return [woven.compiled.net.places[p] for p, tokens in enumerate(marking) if tokens]


@pytest.mark.parametrize("first", range(0, 160, 40))
def test_with_time_outs_every_saga_comes_to_exactly_one_end(first) -> None:
    compared = 0
    for seed in range(first, first + 40):
        woven = halting(seed).woven()
        try:
            if woven is not None:
                ended(woven, MOST)
                compared += 1
        except TooLarge:
            continue
    assert compared >= 25


def step(name: str, **options) -> ir.Step:
    path, _, last = name.rpartition("/")
    given = {"undo": ir.Undo(f"undo_{last}"), "timeout": 10.0, **options}
    return ir.Step(f"{path or 'b'}/{last}", last, "z", **given)


def saga(body: ir.Statement, faults: Hypothesis, called: tuple[ir.Process, ...] = (), **policy) -> Case:
    return Case(ir.Process("b", "saga", body, ENDS, ir.Policy(**policy)), called, faults)


def callee(body: ir.Statement, kind: str = "saga", **policy) -> ir.Process:
    return ir.Process("q", kind, body, ENDS, ir.Policy(**policy))


def child(*on: tuple[str, ir.Statement]) -> ir.Call:
    return ir.Call("b/call", "q", on)


HALTS = {"undo_failure": "halt", "undo_retries": 0}
TWICE = Hypothesis(("undo-fail",), 2, "permanent")
STOP = ir.Abandon("b/stop")
MEND = ("failed", ir.Task("b/mend", "mend"))


def seq(*body: ir.Statement) -> ir.Sequence:
    return ir.Sequence("b/seq", body)


def beside(*bodies: ir.Statement) -> ir.Parallel:
    return ir.Parallel("b/par", tuple(ir.Way(f"b/way{k}", None, body) for k, body in enumerate(bodies)))


NAMED = {
    "two undos halt at once": saga(seq(step("a"), step("c"), STOP), TWICE, undo_order="parallel", **HALTS),
    "undos halt behind a pivot": saga(
        seq(step("a"), step("p", undo=None, pivot=True), step("c"), step("d"), STOP),
        TWICE,
        undo_order="parallel",
        **HALTS,
    ),
    "one way halts and another turns back, abandoned": saga(
        beside(seq(step("a"), STOP), step("c")), Hypothesis(("reject", "undo-fail"), 2), siblings="abandon", **HALTS
    ),
    "both ways halt, abandoned, after the whole was done": saga(
        seq(beside(step("a"), step("c")), STOP), TWICE, siblings="abandon", **HALTS
    ),
    # the handler of `failed` ran once more, and the caller went on from there while it was going back
    "a child gives up while its caller undoes it": saga(
        seq(child(MEND), step("c")), Hypothesis(("reject", "undo-fail"), 2), (callee(step("q/a"), **HALTS),)
    ),
    "a child gives up beside other undos": saga(
        seq(child(MEND), step("c"), STOP),
        Hypothesis(("undo-fail",), 2),
        (callee(step("q/a"), **HALTS),),
        undo_order="parallel",
        **HALTS,
    ),
    "a workflow with steps gives up while its caller undoes it": saga(
        seq(child(MEND), step("c")), Hypothesis(("reject", "undo-fail"), 2), (callee(step("q/a"), "workflow"),), **HALTS
    ),
    # the second round led back to the first one, which has nothing to undo and took the token from nobody
    "a loop around a step without an undo": saga(
        ir.Loop("b/loop", step("a", undo=None), "after", at_most=2), Hypothesis(("reject",), 1)
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_it_comes_to_one_end(name) -> None:
    ended(NAMED[name].woven(), 60_000)


@pytest.mark.parametrize("name", NAMED)
def test_and_the_enumeration_says_so(name) -> None:
    """Nothing is left hanging in any scenario; measured and enumerated agree on everything else."""
    one = NAMED[name]
    statuses = Enumerator(one.woven(), 60_000).obligations()
    assert {status for (family, *_), status in statuses.items() if family == "TERM"} == {"covered"}
    assert not disagrees(one, 60_000)


def test_a_child_that_gives_up_while_it_is_undone_stops_its_caller() -> None:
    woven = NAMED["a child gives up while its caller undoes it"].woven()
    runs = Enumerator(woven, 60_000)
    after = {
        woven.compiled.net.transitions[t] for s, moves in runs.graph(runs.start).items() if hit(s) for t, _ in moves
    }
    assert "b/call#stopped" in after
    assert "b/mend" not in after


def hit(situation) -> bool:
    """Whether the undo of the child has failed."""
    return any(c.fault == "undo-fail" for c in situation.causes)
