"""Dead steps with and without a siphon, in searches that end early, and in steps of several transitions."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles import properties
from oracles.reachability import explore as textbook
from placet import pipeline
from placet.analysis.strategy import Options, decide
from placet.compiled import Query
from placet.evidence import Budget, Holds, Inconclusive, Violated
from placet.net.builder import NetBuilder
from placet.report.words import short
from strategies import any_nets, compiled_of

SMALL = Options(Budget(states=2), reduce=False)


def hopes(**steps):
    """A long line; `starved` waits for what never comes, `exclusive` for two places that are never marked together."""
    builder = NetBuilder("net")
    line = [builder.place(f"p{i}", int(i == 0)) for i in range(6)]
    hope = builder.place("hope")
    for i in range(5):
        builder.transition(f"t{i}", {line[i]: 1}, {line[i + 1]: 1})
    builder.transition("starved", {line[0]: 1, hope: 1}, {line[1]: 1})
    builder.transition("exclusive", {line[1]: 1, line[2]: 1}, {line[3]: 1})
    builder.transition("reading", {line[0]: 1}, {line[1]: 1}, read={hope: 1})
    return compiled_of(*builder.build(), steps=tuple(steps.items()))


def verdict_of(compiled, options=None, check="no_dead_step"):
    return decide(compiled, (Query(check, ""),), options or Options())[0].verdict


@pytest.mark.parametrize("wishes", [(5,), (7,), (5, 7)])
def test_a_siphon_needs_no_search(wishes):
    verdict = verdict_of(hopes(go=(0,), wish=wishes), SMALL)
    assert isinstance(verdict, Violated)
    assert verdict.culprits == wishes
    assert verdict.witness.certificate.kind == "empty siphon"
    assert verdict.witness.certificate.places == (6,)


def test_what_a_siphon_does_not_show_waits_for_the_whole_search():
    starved_and_exclusive = hopes(wish=(5,), both=(6,))
    early, whole = verdict_of(starved_and_exclusive, SMALL), verdict_of(starved_and_exclusive)
    assert isinstance(early, Violated)
    assert early.culprits == (5,)
    assert early.witness.certificate.kind == "empty siphon"
    assert isinstance(whole, Violated)
    assert whole.culprits == (5, 6)
    assert whole.witness.certificate.kind == "closed set"


def test_one_step_of_both_kinds_of_dead_transitions():
    compiled = hopes(either=(5, 6))
    assert isinstance(verdict_of(compiled, SMALL), Inconclusive)
    verdict = verdict_of(compiled)
    assert isinstance(verdict, Violated)
    assert verdict.culprits == (5, 6)
    assert verdict.witness.certificate.kind == "closed set"
    assert isinstance(verdict_of(hopes(any_of_three=(0, 5, 6))), Holds)


def test_quiet_transitions_are_no_steps():
    compiled = hopes()._replace(quiet=frozenset((5, 6, 7)))
    assert isinstance(verdict_of(compiled), Holds)
    verdict = verdict_of(hopes())
    assert isinstance(verdict, Violated)
    assert verdict.culprits == (5, 6, 7)


@settings(max_examples=300)
@given(any_nets(), st.data(), st.integers(1, 30))
def test_steps_of_several_transitions_and_searches_that_end_early(marked, data, states):
    net, initial = marked
    graph = textbook(net, initial, (), 250)
    assume(graph.whole)
    numbers = st.integers(0, len(net.transitions) - 1)
    groups = data.draw(st.lists(st.lists(numbers, max_size=3, unique=True), min_size=1, max_size=3))
    steps = tuple((f"s{i}", tuple(group)) for i, group in enumerate(groups))
    assume(any(groups))
    compiled = compiled_of(net, initial, steps=steps)
    asked = [set(group) for group in groups if group]
    dead = [step for step, alive in zip(asked, properties.steps_alive(graph, asked), strict=True) if not alive]
    whole = verdict_of(compiled)
    assert isinstance(whole, Violated if dead else Holds)
    for verdict in (whole, verdict_of(compiled, Options(Budget(states=states), reduce=False))):
        if isinstance(verdict, Holds):
            assert not dead
        if isinstance(verdict, Violated):
            assert set(verdict.culprits) <= set().union(*dead)
    if dead:
        assert set(whole.culprits) == set().union(*dead)


HANDLED = """
service a {{ idempotent; null_safe; rejects_after_cancel }}
saga s {{ step x on a {{ undo y; timeout 5s }} {policy} }}
workflow helped {{ task ring }}
workflow w {{
  call s
    on compensated {{ task regret }}
    on failed {{ choice sev {{ when "bad" {{ task shout }} otherwise {{ call helped }} }} {more} }}
  {after}
}}
check {check}(w)
"""


def of_handlers(policy="", more="", after="", check="no_dead_step", **how):
    text = HANDLED.format(policy=policy, more=more, after=after, check=check)
    return pipeline.verify(text, **how).models[0].checks[0]


@pytest.mark.parametrize("check", ["no_dead_step", "sound", "relaxed_sound"])
def test_a_handler_that_the_language_asks_for_may_never_begin(check):
    found = of_handlers(check=check)
    assert isinstance(found.verdict, Holds)
    assert "after `s` has ended `failed`" in found.note
    heard = of_handlers(policy="on undo_failure halt", check=check, level="L2")
    assert isinstance(heard.verdict, Holds)
    assert not heard.note


@pytest.mark.parametrize("check", ["no_dead_step", "sound", "relaxed_sound"])
def test_what_else_leads_nowhere_is_still_said(check):
    found = of_handlers(after="end fine task late", check=check)
    assert "`late` can never happen" in found.message or check == "relaxed_sound"
    assert isinstance(found.verdict, Violated)
    assert len(found.verdict.culprits) == 1


def test_a_dead_step_behind_a_handler_that_begins_is_said():
    found = of_handlers(policy="on undo_failure halt", more="end bad task late", level="L2")
    assert isinstance(found.verdict, Violated)
    assert "`late`" in found.message


def test_ways_of_a_decision_have_names_of_their_own():
    names = [
        short(f"w/{path}")
        for path in ("choice[sev][otherwise]", "choice(big)[big]", "choice(big)[otherwise]", "choice[sev]")
    ]
    assert names == ["otherwise", "big", "otherwise", "sev"]
