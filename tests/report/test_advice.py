"""What to do is said where it helps, and only there: each rule against its nearest neighbour."""

from __future__ import annotations

import pytest
from report_cases import CASES

from placet.logic.state import Linear
from placet.report.story import tell


def advice(case) -> tuple[str, ...]:
    return tell(*case).advice


def with_steps(case, **changes):
    roles = case.compiled.roles
    steps = tuple(s._replace(**changes) if s.id.endswith("car") else s for s in roles.steps)
    return case._replace(compiled=case.compiled._replace(roles=roles._replace(steps=steps)))


def test_a_late_request():
    (line,) = advice(CASES["late_request"]())
    assert "rejects_after_cancel" in line
    assert "`cars`" in line


def test_no_advice_to_do_what_is_done():
    case = with_steps(CASES["late_request"](), guarantees=("null_safe", "rejects_after_cancel"))
    assert advice(case) == ()


def test_a_step_without_undo():
    (line,) = advice(with_steps(CASES["late_request"](), undo=""))
    assert "give `car` an `undo`" in line


def test_a_wait_without_timeout():
    (line,) = advice(CASES["no_timeout"]())
    assert "give `charge` a `timeout`" in line


def test_a_wait_with_timeout():
    case = CASES["no_timeout"]()
    roles = case.compiled.roles
    channels = tuple(c._replace(due=0) for c in roles.channels)
    case = case._replace(compiled=case.compiled._replace(roles=roles._replace(channels=channels)))
    assert not any("timeout" in line for line in advice(case))


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("ends_early", "`parallel`"),
        ("goes_round", "way out"),
        ("never_ends", "way out"),
        ("dead_step", "remove `refund`"),
    ],
)
def test_workflows(name, word):
    (line,) = advice(CASES[name]())
    assert word in line


@pytest.mark.parametrize("name", ["two_locks", "piles_up", "twice", "never_broken"])
def test_silence(name):
    assert advice(CASES[name]()) == ()


def test_a_workflow_without_parallel_is_not_told_to_join():
    case = CASES["ends_early"]()
    net = case.compiled.net
    alone = net._replace(post=(net.post[0][:1], *net.post[1:]))
    compiled = case.compiled._replace(net=alone, initial=(1, 0, 1, 0, 0))
    assert advice(case._replace(compiled=compiled)) == ()


def test_a_double_effect():
    case = CASES["late_request"]()
    apply = [t for t, r in enumerate(case.compiled.roles.transitions) if r.step.endswith("car")][-1]
    index = len(case.compiled.net.places) + 1
    query = case.query._replace(check="never", predicate=Linear(((index, 1),), ">=", 2))
    reset = case.compiled.net._replace(pre=tuple(() if t == apply else a for t, a in enumerate(case.compiled.net.pre)))
    compiled = case.compiled._replace(net=reset)
    witness = case.verdict.witness
    twice = case.verdict._replace(witness=witness._replace(trace=(*witness.trace, apply)))
    (line,) = advice(case._replace(compiled=compiled, query=query, verdict=twice))
    assert "`idempotent`" in line
    other = query._replace(predicate=Linear(((index - 1, 1),), ">=", 2))  # the check is about another step
    assert advice(case._replace(compiled=compiled, query=other, verdict=twice)) == ()
