"""A choice that nobody sees is told once, at the thing that the user wrote, however many situations, rounds and runs it is met in."""

from __future__ import annotations

import pytest
from machines import compiled

from placet.analysis.coordinator import coordinator
from placet.evidence import Budget
from placet.report.unseen_choices import MOST, unseen_choices

STEPS = """
service suppliers { idempotent; null_safe; rejects_after_cancel }
saga purchase {
  %s
  step pay on suppliers { undo refund; timeout 1min }
}
"""
TWO = "{ step here on suppliers { undo not_here; timeout 1h } step there on suppliers { undo not_there; timeout 1h } }"


def told(text: str):
    subject = compiled(text)
    found = coordinator(subject, Budget(20_000))
    assert found.stop is None
    return unseen_choices(subject, found), len(found.hidden), text


def lines(problem, text: str) -> list[str]:
    """What is underlined, by label."""
    spans = [problem.span, *(label.span for label in problem.labels)]
    return [text[span.start : span.end].partition("{")[0].strip() for span in spans]


@pytest.mark.parametrize(
    "part",
    [
        f"parallel 1 of {TWO} others cancel",
        f"parallel 1 of {TWO} others go_on",
        f"parallel {TWO} siblings cancel",
        f"siblings cancel parallel 1 of {TWO}",
    ],
)
def test_a_parallel_that_stops_its_ways_is_one_choice(part: str) -> None:
    problems, met, text = told(STEPS % part)
    assert met > 3
    assert [p.code for p in problems] == ["P480"]
    assert lines(problems[0], text) == [part[part.index("parallel") :].partition("{")[0].strip()]
    assert f"and so in {met - 1} other situations" in problems[0].notes
    assert not any("{}" in note for note in problems[0].notes)  # ids are no words


def test_a_parallel_in_a_workflow_is_one_choice_too() -> None:
    problems, met, _ = told("workflow w { parallel 1 of { { receive a } { receive b } { receive c } } task t }")
    assert met > 2
    assert len(problems) == 1
    assert told("workflow w { first of { receive a receive b receive c } task t }")[0] == ()


def test_the_same_choice_of_each_run_is_one() -> None:
    choice = 'choice { when "there is more" { continue_as_new carrying undo at_most 3 } otherwise { } }'
    first = "step take on suppliers { undo give_back; timeout 1h }"
    problems, met, _ = told(STEPS % f"{first} {choice}")
    assert met == 3
    assert len(problems) == 1
    assert problems[0].notes[-1] == "and so in 2 other situations"
    heard = "first of { receive more -> continue_as_new carrying undo at_most 3 receive enough }"
    assert told(STEPS % f"{first} {heard}")[0] == ()


def test_the_same_choice_of_each_round_is_one() -> None:
    problems, met, _ = told(STEPS % f'loop at_most 3 {TWO} until "all is ordered"')
    assert (met, len(problems)) == (2, 1)


def test_two_choices_are_two() -> None:
    two = 'choice { when "a" { step a on suppliers { undo ua } } otherwise { } }'
    problems, _, text = told(STEPS % f"{two} {two.replace('step a', 'step b').replace('ua', 'ub')}")
    assert len(problems) == 2 < MOST
    assert problems[0].span != problems[1].span
    problems, _, _ = told(STEPS % f"parallel 1 of {TWO} {two} parallel 1 of {TWO.replace('ere', 'is')}")
    assert len(problems) == 3
