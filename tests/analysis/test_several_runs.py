"""Generalised soundness against its definition: k tokens on the start, for each k up to a bound."""

from __future__ import annotations

import random

from placet.analysis.several_runs import RUNS, several
from placet.net.firing import enabled, fire
from placet.pipeline import Options, check, compile_source
from placet.source import SourceFile


def k_sound(net, start, end, k, most=2000):
    """The definition; None where there are too many markings."""
    first = tuple(k * (p == start) for p in range(len(net.places)))
    goal = tuple(k * (p == end) for p in range(len(net.places)))
    after, todo = {}, [first]
    for m in todo:
        if m in after:
            continue
        if len(after) > most:
            return None
        after[m] = [fire(net, m, t) for t in enabled(net, m)]
        todo += after[m]
    able = {goal} & set(after)
    changed = True
    while changed:
        more = {m for m, ms in after.items() if m not in able and any(n in able for n in ms)}
        able |= more
        changed = bool(more)
    return len(able) == len(after)


def drawn(rng):
    """A net in which runs get several tokens, some of which fit those of others: pairs in, pairs out."""
    names = [f"p{n}" for n in range(rng.randint(2, 4))]
    pairs = [tuple(rng.sample(names, 2)) for _ in range(rng.randint(1, 3))]
    lines = [f"  transition in{n}: i -> {a} + {b}" for n, (a, b) in enumerate(pairs)]
    out = pairs if rng.random() < 0.7 else [*pairs, tuple(rng.sample(names, 2))]
    if rng.random() < 0.3:
        a, b = rng.sample(names, 2)
        lines.append(f"  transition turn: {a} -> {b}")
    lines += [f"  transition out{n}: {a} + {b} -> o" for n, (a, b) in enumerate(out)]
    return "\n".join(["net n {", f"  place i = 1, o, {', '.join(names)}", *lines, "  final o", "}"])


def test_one_run_is_not_several():
    """Where the question names one run or none, the usual number is looked at."""
    (compiled,) = compile_source(SourceFile("n.placet", LINE)).compiled
    made = [several(compiled, runs) for runs in (0, 1, RUNS, RUNS + 1)]
    assert made[0] == made[1] == made[2] != made[3]


LINE = "net n { place i = 1, p, q, o  transition a: i -> p + q  transition b: p + q -> o  transition c: p + q -> o + q  final o }"


def test_against_the_definition():
    rng = random.Random(11)
    seen = {}
    for _ in range(400):
        text = drawn(rng)
        loaded = compile_source(SourceFile("n.placet", text + "\ncheck generalised_sound(n, 3)"))
        (compiled,) = loaded.compiled
        (answer,) = check(loaded, Options()).models[0].checks
        truths = [k_sound(compiled.net, 0, 1, k) for k in (1, 2, 3)]
        assert None not in truths
        if answer.outcome == "violated":
            assert not all(truths), text
        else:
            assert all(truths), text
            if answer.outcome == "proved":
                assert k_sound(compiled.net, 0, 1, 5)
        key = answer.outcome, truths[0]
        seen[key] = seen.get(key, 0) + 1
    assert seen["violated", True] > 5, seen  # one run is sound, several are not
    assert seen["violated", False] > 20
    assert seen["inconclusive", True] > 5
    assert seen["proved", True] > 5


def test_what_has_no_shape_is_said():
    text = "saga s { step a { undo b } }\ncheck generalised_sound(s)"
    (answer,) = check(compile_source(SourceFile("n.placet", text)), Options()).models[0].checks
    assert answer.outcome == "inconclusive"
    assert "one start" in answer.message


def test_workflows_of_blocks_are_proved():
    text = "workflow w { parallel { task a; task b }; either { task c } or { end other } }\ncheck generalised_sound(w)"
    (answer,) = check(compile_source(SourceFile("n.placet", text)), Options()).models[0].checks
    assert (answer.outcome, answer.engine) == ("proved", "structure")


def test_absurd_numbers_of_runs():
    text = "workflow w { task a }\ncheck generalised_sound(w, 1000)"
    assert [d.code for d in compile_source(SourceFile("n.placet", text)).diagnostics] == ["P217"]
