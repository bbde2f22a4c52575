"""Several instances: the nets of what one would write by hand, and what tolerance means in a saga."""

from __future__ import annotations

import pytest

from oracles.reachability import explore
from placet.compile.resolve import resolve
from placet.compile.to_net import compile_model
from placet.pipeline import check, compile_source
from placet.source import SourceFile
from placet.syntax.parser import parse

BARRIER = "service s { idempotent; null_safe; rejects_after_cancel }\n"


def nets(text):
    file, problems = parse(SourceFile("each.placet", text))
    model, unresolved = resolve(file)
    assert not [d for d in (*problems, *unresolved) if d.severity == "error"]
    return compile_model(model)[0]


def shape(net):
    """The net and its roles without names."""
    roles = [(r.kind, r.direction, r.attempt) for r in net.roles.transitions]
    return net.net.pre, net.net.post, net.initial, roles, net.final.classes


def outcomes(text):
    loaded = compile_source(SourceFile("each.placet", text))
    assert not loaded.broken, loaded.diagnostics
    return [c.outcome for m in check(loaded).models for c in m.checks]


@pytest.mark.parametrize(
    ("each", "by_hand"),
    [
        ("for each i in 1..3 { step a { undo u } }", "step a { undo u } step b { undo v } step c { undo w }"),
        (
            "for each i in 1..2 parallel { step a { undo u; retry 1 } }",
            "parallel { step a { undo u; retry 1 } step b { undo v; retry 1 } }",
        ),
        ("for each i in 1..2 parallel { task a fails E }", "parallel { task a fails E task b fails E }"),
        ("for each i in 1..2 at_most 2 parallel { task a }", "parallel { task a task b }"),
    ],
)
def test_without_bounds_it_is_what_one_writes_by_hand(each, by_hand):
    one, other = nets(f"saga s {{ {each} }}")[0], nets(f"saga s {{ {by_hand} }}")[0]
    assert shape(one) == shape(other)


def test_each_instance_is_a_step_of_its_own():
    net = nets(
        BARRIER
        + "saga t { for each i in 2..4 at_most 2 parallel { step a on s { undo u(a.reply) } step b on s { after a } } }"
    )[0]
    assert {s.id for s in net.roles.steps} == {f"t/{n}[{i}]" for n in "ab" for i in (2, 3, 4)}
    assert "t/a[3]#send[1]" in net.net.transitions


def test_steps_after_others_mean_those_of_their_instance():
    file, _ = parse(SourceFile("each.placet", "saga t { for each i in 1..2 { step a { undo u } step b { after a } } }"))
    model, _ = resolve(file)
    from placet.compile.vocabulary import statements
    from placet.ir import model as ir

    after = {s.id: s.after for s in statements(model.processes[0].body) if isinstance(s, ir.Step)}
    assert after["t/b[1]"] == ("t/a[1]",)
    assert after["t/b[2]"] == ("t/a[2]",)


@pytest.mark.parametrize("how", ["", "parallel", "at_most 1 parallel", "at_most 2 parallel"])
def test_a_saga_goes_on_while_no_more_fail_than_are_tolerated(how):
    """Of three instances one may be refused; two refusals turn all back, and nothing stays."""
    checks = """
check possible(t.compensated) under { reject } at_most 1
check possible(t.compensated) under { reject } at_most 2
check possible(t.completed and a.effect == 0 and end_.done) under { reject } at_most 1
check sound(t) under { reject, lost, slow } at_most 1
check anomaly_A1(t) under { reject, lost, slow } at_most 2
"""
    each = f"for each i in 1..3 {how} tolerate 1 {{ step a on s {{ undo u; timeout 3s }} }}"
    text = f"{BARRIER}saga t {{ {each} task end_ }}\n{checks}"
    assert outcomes(text) == ["violated", "proved", "proved", "proved", "proved"]


def test_no_more_run_at_once_than_may():
    text = """service s
saga t { for each i in 1..3 at_most 2 parallel { step a on s { undo u } } }
workflow w { for each i in 1..3 at_most 2 parallel { task b task c } }
check possible(t.completed), possible(w.completed)
"""
    for net in nets(text):
        busy = [p for p, name in enumerate(net.net.places) if "#waiting[" in name or name.startswith("w/c[")]
        found = explore(net.net, net.initial, limit=5_000)
        assert max(sum(marking[p] for p in busy) for marking in found.edges) == 2


@pytest.mark.parametrize(
    "text",
    [
        "net n { place a = N transition t: a -> a }",
        "net n { place a capacity N transition t: a -> a }",
        "saga s { step a { undo u; retry N } }",
        "saga s { step a { undo u; errors { E: retry N } } }",
        "saga s { step a { undo u; effect debit(alice, N) } }",
    ],
)
def test_a_parameter_below_zero_counts_nothing(text):
    """The first of these ended in an exception, the last took money by giving it."""
    loaded = compile_source(SourceFile("each.placet", f"param N = -1\n{text}\n"))
    (problem,) = [d for d in loaded.diagnostics if d.severity == "error"]
    assert problem.code == "P264"
    assert text[problem.span.start - 13 : problem.span.end - 13] == "N"
    assert not compile_source(SourceFile("each.placet", f"param N = 1\n{text}\n")).broken
