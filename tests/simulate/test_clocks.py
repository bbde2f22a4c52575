"""Times: what is drawn has the distribution that was asked for, and clocks race, wait and queue as services do."""

from __future__ import annotations

import math
import statistics
from random import Random

import pytest

from placet.net.delays import Delay
from placet.pipeline import compile_source
from placet.simulate.clocks import sample
from placet.simulate.simulator import Outcome, duration, run
from placet.simulate.statistics import replicate
from placet.source import SourceFile


def compiled_of(text):
    loaded = compile_source(SourceFile("t.placet", text))
    assert not loaded.broken, loaded.diagnostics
    return loaded.compiled[0]


def drawn(delay, count=20_000):
    dice = Random(7)
    return [sample(delay, dice) for _ in range(count)]


def test_distributions():
    assert drawn(Delay("constant", 3.0), 5) == [3.0] * 5
    uniform = drawn(Delay("uniform", 2.0, 6.0))
    assert 2.0 <= min(uniform) < 2.01
    assert 5.99 < max(uniform) <= 6.0
    assert statistics.mean(uniform) == pytest.approx(4.0, abs=0.05)
    exponential = drawn(Delay("exponential", 3.0))
    assert statistics.mean(exponential) == pytest.approx(3.0, abs=0.1)
    assert sum(x > 3.0 for x in exponential) / len(exponential) == pytest.approx(math.exp(-1), abs=0.01)
    lognormal = drawn(Delay("lognormal", 0.08, 2.0))
    assert statistics.median(lognormal) == pytest.approx(0.08, rel=0.03)
    assert sum(0.04 <= x <= 0.16 for x in lognormal) / len(lognormal) == pytest.approx(0.683, abs=0.01)


PARALLEL = """
service shop {{ idempotent; null_safe; rejects_after_cancel; latency 3s{capacity} }}
saga order {{
  parallel {{
    step a on shop {{ undo u; timeout 60s }}
    step b on shop {{ undo v; timeout 60s }}
    step c on shop {{ undo w; timeout 60s }}
  }}
}}
"""


@pytest.mark.parametrize(
    ("capacity", "seconds"), [("", 3), ("; capacity 3", 3), ("; capacity 2", 6), ("; capacity 1", 9)]
)
def test_a_service_that_is_busy_lets_the_others_wait(capacity, seconds):
    compiled = compiled_of(PARALLEL.format(capacity=capacity))
    for seed in range(20):
        found = run(compiled, seed)
        assert (found.outcome, found.seconds) == (Outcome.ENDED, pytest.approx(seconds))
        times = [event.seconds for event in found.events]
        assert times == sorted(times)


def test_pauses_double_up_to_the_longest():
    compiled = compiled_of("""
service bank { idempotent; null_safe; rejects_after_cancel; latency 1s }
saga pay { step charge on bank { undo back; timeout 5s; retry 4 backoff 2s..6s } }
""")
    from placet.faults.hypothesis import Hypothesis
    from placet.faults.weave import weave

    woven = weave(compiled, Hypothesis(("lost",), 1)).compiled
    pauses = set()
    for seed in range(300):
        sent: dict[str, float] = {}
        last = 0.0
        for event in run(woven, seed).events:
            if event.kind == "timer":
                last = event.seconds
            elif event.kind == "send" and "attempt" in event.phrase:
                sent[event.phrase.rpartition(" ")[2]] = round(event.seconds - last, 9)
        pauses |= set(sent.items())
    assert pauses == {("2", 2.0), ("3", 4.0), ("4", 6.0), ("5", 6.0)}


def test_the_first_clock_wins():
    """An event that comes after an exponential time of mean 2 against a timer of 2: lost once in e."""
    compiled = compiled_of("""
service never { latency 1s }
workflow approval {
  task start on never
  first of { receive approved -> end yes; timer 2s -> end no }
}
""")
    counts = {t.end: t.runs for t in replicate(compiled, 0, 4000, arrivals=2.0).tallies}
    assert counts["no"] / 4000 == pytest.approx(math.exp(-1), abs=0.02)


def test_the_tallies_tell_how_long_it_took():
    compiled = compiled_of(PARALLEL.format(capacity="; capacity 1"))
    (tally,) = replicate(compiled, 0, 50).tallies
    assert tally.times == pytest.approx((9, 9, 9, 9))
    untimed = compiled_of(PARALLEL.format(capacity="").replace("; latency 3s", ""))
    assert run(untimed).seconds is None
    assert replicate(untimed, 0, 5).tallies[0].times == ()


def test_times_change_no_verdict():
    from placet.pipeline import Options, check

    for text in (PARALLEL.format(capacity="; capacity 1"), PARALLEL.format(capacity="").replace("; latency 3s", "")):
        report = check(compile_source(SourceFile("t.placet", text)), Options())
        assert [(c.id, c.outcome, c.states) for m in report.models for c in m.checks] == [
            (c.id, c.outcome, c.states)
            for m in check(compile_source(SourceFile("t.placet", PARALLEL.format(capacity="")))).models
            for c in m.checks
        ]


@pytest.mark.parametrize(
    ("option", "help_"),
    [
        ("latency lognorml(80ms, 2)", "did you mean `lognormal`?"),
        ("latency lognormal(80ms)", "its median and a factor"),
        ("latency lognormal(80ms, 0)", "its median and a factor"),
        ("latency uniform(9s, 1s)", "the shorter one first"),
        ("latency exponential(0s)", "its mean"),
        ("capacity 0", "1 or more"),
    ],
)
def test_what_is_no_time_is_told(option, help_):
    loaded = compile_source(SourceFile("t.placet", f"service s {{ {option} }} saga x {{ step a on s {{ undo b }} }}"))
    (found,) = [d for d in loaded.diagnostics if d.severity == "error"]
    assert found.code == "P206"
    assert help_ in found.help


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 ms"),
        (0.0805, "80 ms"),
        (12.34, "12.3 s"),
        (60, "1 min"),
        (250, "4 min 10 s"),
        (7500, "2 h 5 min"),
        (273600, "3 d 4 h"),
    ],
)
def test_durations(seconds, told):
    assert duration(seconds) == told
