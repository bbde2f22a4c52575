"""Advice about orders of events, limits, keys and pools: it is given where the run shows the cause, and not beside it."""

from __future__ import annotations

import pytest

from placet.pipeline import compile_source, verify
from placet.report.words import resting_on
from placet.source import SourceFile

SMS = "service sms { idempotent; null_safe; rejects_after_cancel%s }\n"
TWICE = (
    SMS + "saga alarm { parallel { step one on sms { undo a; timeout 9s } step two on sms { undo b; timeout 9s } } }\n"
)
KEY = (
    (SMS % "")
    + "saga pay { step charge on sms { undo back; retry 1 backoff 1s..30s; timeout 9s; key k %s } }\ncheck never(charge.effect >= 2)"
)
LOCKS = """pool left 1
pool right 1
workflow w { parallel { with left { with right { task a } } with %s { with %s { task b } } } }
check option_to_complete(w)"""
LEAK = "pool box 1\nworkflow w { acquire box try { task a fails No } on No { task b %s end no } release box }\ncheck proper_completion(w)"
SEATS = """var seats : 0..2 = 1
workflow w { choice { when seats >= 1 { parallel { task door sets seats = seats - 1 task phone %s } } otherwise { end none } } }
check never(w.failed)"""
ROUNDS = """var short : bool = any
workflow w { while short at_most 2 { task order sets short = any } %s task send }
check never(short and send.done)"""
SIGNAL = "workflow w { signal go task a receive go%s task b }\ncheck option_to_complete(w)"
TOPIC = """topic t on kafka { capacity 2%s }
workflow w { publish t.One publish t.Two }
var seen : bool = false
choreography c { service s { on t.One { task one sets seen = true } on t.Two { choice { when seen { task two } otherwise { task wonder } } } } }
system all
check never(all, wonder.done) under { }"""
EARLY = """topic t on kafka { capacity 2 }
service bank { idempotent; null_safe; rejects_after_cancel }
saga s { %s step pay on bank { undo back; timeout 9s } %s }
choreography c { service pack { on t.Bought { task wrap } } }
system all
check never(all, wrap.done and %s)"""
PATIENCE = """topic t on kafka { capacity 2 }
workflow w { publish t.Asked %s }
choreography c { service s { on t.Asked { task think publish t.Answered } } }
system all
check all_consumed(all) under { }"""
WAITING = """topic t on kafka { capacity 2 }
workflow one { task c %s task a }
workflow two { task d %s task b }
system all
check deadlock_free(all) under { }"""
RUNS = """saga s { step pay on sms { undo back } choice { when "more" { continue_as_new%s at_most 1 } otherwise { } } }
check never(s.compensated and pay.effect >= 1)"""
FIRST = """service shop { idempotent; null_safe%s }
saga s { parallel 1 of { step here on shop { undo a } step there on shop { undo b } } others cancel }
check never(s.completed and here.effect >= 1 and there.effect >= 1)"""

RULES = {
    "calls": ((TWICE % "") + "check never(sms.calls > 1)", "never", "no more than 1 call to `sms` be under way: `bulkhead 1 wait`"),
    "calls, at least": ((TWICE % "") + "check never(sms.calls >= 2)", "never", "`bulkhead 1 wait`"),
    "calls of a member": (
        ("service sms[2]\nsaga alarm { parallel { step one on sms[2] { read_only; timeout 9s } step two on sms[2] { read_only; timeout 9s } } }\n"
        "check never(sms[2].calls>1)"), "never", "no more than 1 call to `sms[2]` be under way: `bulkhead 1 wait`",
    ),
    "undos that the next run does not know": (
        (SMS % "") + RUNS % "", "never", "let the next run know what `pay` did, so that it is undone with it: `continue_as_new carrying undo`",
    ),
    "a way that was cancelled": (FIRST % "", "never", "let `shop` refuse requests that arrive after their cancellation"),
    "sent": ((TWICE % "") + "check never(sms.sent > 1)", "never", "asked no more than 1 time in a while: `rate_limit 1 per 1s wait`"),
    "failing": (
        (SMS % "") + "saga s { step a on sms { undo b; retry 3; timeout 9s } }\ncheck never(sms.failing > 1)", "never",
        "once 1 call in a row failed: `circuit_breaker after 1",
    ),
    "refused at once": (TWICE % "; rate_limit 1 per 1s reject" + "check never(alarm.compensated) under { }", "never", "wait until `sms` may be asked"),
    "a key forgotten": (KEY % "per run ttl 10s", "never", "a longer `ttl`, or none"),
    "a key of each attempt": (KEY % "per attempt", "never", "`per run` instead of `per attempt`"),
    "two orders of locks": (LOCKS % ("right", "left"), "option_to_complete", "in the same order, such as first `left`, then `right`"),
    "a ring of many": (
        """param N = 9
net ring {
  place fork[N] = 1, idle[N] = 1, one[N], two[N]
  transition first[i in 1..N]: idle[i] + fork[i] -> one[i]
  transition second[i in 1..N]: one[i] + fork[i % N + 1] -> two[i]
  transition back[i in 1..N]: two[i] -> idle[i] + fork[i] + fork[i % N + 1]
}
check deadlock_free(ring)""", "deadlock_free",
        "`fork[4]` and 5 more take them in the same order, such as first `fork[1]`, then `fork[2]`, then `fork[3]`, then `fork[4]` and so on",
    ),
    "a lock kept": (LEAK % "", "proper_completion", "write `with box { ... }`"),
    "a look too early": (SEATS % "sets seats = seats - 1", "never", "relies on `seats` as it was in step 1, and"),
    "rounds used up": (ROUNDS % "", "never", "`short` then still holds: look again behind it"),
    "a signal lost": (SIGNAL % "", "option_to_complete", "`receive go buffered`"),
    "overtaken": (TOPIC % "", "never", "`t.Two` (step 2) overtakes `t.One` (step 1)"),
    "told, and taken back": (EARLY % ("publish t.Bought", "", "s.compensated"), "never", "tells `pack` of something that `s` takes back afterwards"),
    "told before it is done": (EARLY % ("publish t.Bought", "", "not pay.done"), "never", "publish it behind `pay`"),
    "not waited for any more": (
        PATIENCE % "first of { receive t.Answered timer 1d }", "all_consumed", "`w` waits for `t.Answered` no longer than 1d (step "
    ),
    "each waits for the other": (
        WAITING % ("receive t.B publish t.A", "receive t.A publish t.B"), "deadlock_free", "let one of the two send before it waits"
    ),
    "a state without a way out": (
        "machine m { initial a a --x--> b a --y--> c final c }\ncheck option_to_complete(m)", "option_to_complete", "nothing leads out of `b`"
    ),
    "a lock not given back": (
        "net n { place i = 1, lock = 1, b transition enter: i + lock -> b transition leave: b -> i }\ncheck deadlock_free(n)",
        "deadlock_free", "let `leave` give `lock` back, which `enter` took",
    ),
    "one of two ways": (
        "net n { place p = 1, a, b, z transition l: p -> a transition r: p -> b transition both: a + b -> z final z }\ncheck option_to_complete(n)",
        "option_to_complete", "and `both` waits for what comes of both",
    ),
}  # fmt: skip

SILENT = {  # the same with another cause: (text, check, words that would be wrong)
    "a limit of nothing": ((TWICE % "") + "check never(sms.calls >= 1)", "never", "bulkhead"),
    "taken on the other way": (LOCKS % ("left", "right"), "", ""),
    "handed on": ((SMS % "") + RUNS % " carrying undo", "", ""),
    "refused when it was cancelled": (FIRST % "; rejects_after_cancel", "", ""),
    "given back": (LEAK % "release box", "", ""),
    "who fails had not looked": (
        "var seats : 0..2 = 1\nworkflow w { parallel { task door sets seats = seats - 1 task phone sets seats = seats - 1 } }\ncheck never(w.failed)",
        "never", "relies on",
    ),
    "the choice was about something else": (
        """var seats : 0..2 = 1
workflow w { choice { when seats >= 1 { task note } otherwise { end none } }
  parallel { task door sets seats = seats - 1 task phone sets seats = seats - 1 } }
check never(w.failed)""", "never", "relies on",
    ),
    "looked at again": (ROUNDS % "choice { when short { end no } otherwise { task fine } }", "", ""),
    "kept": (SIGNAL % " buffered", "", ""),
    "in order": (TOPIC % "; fifo", "", ""),
    "told at the end": (EARLY % ("", "publish t.Bought", "not pay.done"), "", ""),
    "waits for ever": (PATIENCE % "receive t.Answered", "", ""),
    "waits for what nobody sends": (WAITING % ("receive t.B publish t.A", "receive t.A receive t.A"), "deadlock_free", "send before it waits"),
}  # fmt: skip


def told(text: str, check: str) -> list[str]:
    report = verify(compile_source(SourceFile("w.placet", text)))
    assert not [d for m in report.models for d in m.diagnostics if d.severity == "error"], report.models
    checks = [c for m in report.models for c in m.checks if c.outcome == "violated"]
    assert [c.id for c in checks] == ([check] if check else [])
    return [line for c in checks for line in c.story.advice]


@pytest.mark.parametrize("rule", RULES)
def test_rules(rule):
    text, check, words = RULES[rule]
    assert [words in line for line in told(text, check)] == [True], told(text, check)


@pytest.mark.parametrize("rule", SILENT)
def test_it_is_not_said_where_it_is_not_the_cause(rule):
    text, check, words = SILENT[rule]
    assert not [line for line in told(text, check) if words in line]


def test_who_acquires_has_no_name_but_that_of_the_pool():
    text = (
        "pool left[2] 1\nworkflow w { parallel { { acquire left[1] acquire left[2] } { acquire left[2] acquire left[1] } } }\n"
        "check deadlock_free(w)"
    )
    (model,) = verify(compile_source(SourceFile("w.placet", text))).models
    whys = [line for c in model.checks for line in c.story.why]
    assert sum("one of `left[2]` is needed to go on: it was taken in step" in line for line in whys) == 1, whys


def test_a_loop_is_counted_once_for_all_runs():
    text = (SMS % "") + (
        'saga s { loop at_most 2 { step pay on sms { undo back } } until "ok" '
        'choice { when "more" { continue_as_new at_most 2 } otherwise { } } }\ncheck possible(pay.done)'
    )
    (model,) = verify(compile_source(SourceFile("w.placet", text))).models
    said = resting_on(model.checks[0].assumptions)
    assert said.startswith("for 3 runs of `s` and 2 rounds of the loop around `pay`, under"), said
