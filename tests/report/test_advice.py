"""What to do is said where it helps, and only there: each rule against its nearest neighbour."""

from __future__ import annotations

import pytest
from report_cases import CASES

from placet.logic.state import Linear
from placet.pipeline import Options, compile_source
from placet.pipeline import check as verify
from placet.report.story import tell
from placet.source import SourceFile


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


def test_a_pivot_that_is_done_is_not_told_to_be_a_pivot():
    (line,) = advice(with_steps(CASES["late_request"](), undo="", pivot=True))
    assert "`errors { other: unknown }`" in line
    assert "`undo`" not in line


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


@pytest.mark.parametrize("name", ["twice", "never_broken"])
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


# -- rules against models as people write them: (text, check, words of the advice, or nothing where it must be silent)

BANK = "service bank { null_safe; rejects_after_cancel }\n"
TWO = BANK + "saga pay { step charge on bank { undo refund; retry 1; timeout 9s%s } }\ncheck anomaly_A1(pay)"
ASIDE = """workflow claim { try { task ask fails Silent } on Silent { task aside%s } task pay }
check never(pay.done and %s)"""
TRIP = """service air { idempotent; null_safe; rejects_after_cancel }
saga book { step fly on air { undo cancel; timeout 9s } }
workflow trip { call book on compensated { %s } on failed { end lost } task ticket }
check never(ticket.done and %s)"""
BESIDE = """workflow w { try { parallel { %s } } on No { end no } }
check never(pack.done and w.no)"""
EARLY = "workflow w { parallel { { %s; task a; end yes } { %s; task b; end no } } }"
WAYS = """workflow w { %s { receive yes%s task a } %s { timer 1d%s task b } %s }
check never(a.done and b.done)"""
UNDO = (
    BANK
    + "saga pay { step hold on bank { pivot; timeout 9s } step charge on bank { undo refund; retriable; timeout 9s } }"
)
STOCK = "net shop { place idle = 1, store transition make: idle -> idle + store %s }\ncheck bounded(shop)"

RULES = {
    "a retry that counts twice": (TWO % "", "anomaly_A1", "recognise a request of `charge`"),
    "a handler goes on": (ASIDE % ("", "aside.done"), "never", "after `Silent` is handled, `claim` goes on to `pay`"),
    "the handler of a call goes on": (
        TRIP % ("task sorry", "fly.effect == 0"), "never", "after `book` has ended `compensated`, `trip` goes on to `ticket`"
    ),
    "a way beside fails": (
        BESIDE % "task charge fails No task pack", "never", "`pack` does not wait for `charge`, which may fail"
    ),
    "a race told as parallel": (EARLY % ("receive yes", "timer 1d"), "proper_completion", "let only the first"),
    "both of a race": (WAYS % ("parallel {", ";", "", ";", "}"), "never", "let only one of `a` and `b` happen"),
    "an undo that nobody asks for": (UNDO, "no_dead_step", "leave out `refund`"),
    "a way that ends": (
        "workflow w { parallel { task a { task b end early } } task c }", "no_dead_step", "take that `end` out of it"
    ),
    "both of two ways": (
        "workflow w { parallel { task a task b } }\ncheck never(a.done and b.done)", "never", "write a `choice`"
    ),
    "ends side by side": (EARLY % ("task x", "task y"), "proper_completion", "let every branch finish"),
    "a store without limit": (
        STOCK % "transition use: store + idle -> idle", "bounded", "let `make` take one of a limited number of free slots"
    ),
    "a store that nobody empties": (STOCK % "", "bounded", "nothing ever takes from `store`"),
}  # fmt: skip

NEIGHBOURS = {
    "the handler did not do it": (
        """workflow w { try { task ask fails Silent } on Silent { task aside } task pay task book }
        check never(book.done and pay.done)""", "never"
    ),
    "no handler ran": (TRIP % ("end sorry", "fly.effect == 1"), "never"),
    "nothing fails beside it": (
        "workflow w { parallel { task charge task pack } task end_it end no }\ncheck never(pack.done and w.no)", "never"
    ),
    "one after the other": ("workflow w { task a task b }\ncheck never(a.done and b.done)", "never"),
}  # fmt: skip


def told(text: str, check: str) -> list[str]:
    report = verify(compile_source(SourceFile("w.placet", text)))
    assert not [d for m in report.models for d in m.diagnostics if d.severity == "error"]
    found = [c for m in report.models for c in m.checks if c.id == check]
    assert [c.outcome for c in found] == ["violated"]
    return [line for c in found for line in c.story.advice]


def test_where_nothing_arrives_from_outside():
    text = "workflow w { receive order; first of { receive paid -> task pack; receive called_off } }"
    report = verify(compile_source(SourceFile("w.placet", text)), Options(closed=True))
    stuck, dead = (c.story for m in report.models for c in m.checks if c.outcome == "violated")
    assert stuck.why[-1] == "it waits for `order`, and nothing arrives from outside"
    assert dead.why[0].startswith("`order` never arrives, because nothing arrives from outside; ")
    assert "`pack`" in dead.why[0]
    assert all("`--closed`" in line for story in (stuck, dead) for line in story.advice)


@pytest.mark.parametrize("rule", RULES)
def test_rules(rule):
    text, check, words = RULES[rule]
    (line,) = told(text, check)
    assert words in line


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_neighbours_of_rules(neighbour):
    text, check = NEIGHBOURS[neighbour]
    assert told(text, check) == []
