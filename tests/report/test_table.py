"""The table of a run: lanes, numbers, what is folded away."""

from __future__ import annotations

import pytest

from placet.report.report import Step, Story
from placet.report.style import Style
from placet.report.table import MOST_STEPS, render_run


def story(count: int, *, faults=(), hidden=(), loop=None, services=()) -> Story:
    steps = tuple(
        Step(
            f"s{n}",
            f"event {n}",
            services[n % len(services)] if services else "",
            fault="lost" if n in faults else "",
            shown=n not in hidden,
        )
        for n in range(count)
    )
    return Story("reach", "h", steps, loop, count - 1)


def numbers(lines: list[str]) -> list[int]:
    return [int(line.split()[0]) for line in lines if line.split()[0].isdigit()]


def test_short_runs_are_told_whole():
    lines = render_run(story(MOST_STEPS), "c", Style())
    assert numbers(lines) == list(range(1, MOST_STEPS + 1))


@pytest.mark.parametrize("count", [MOST_STEPS + 1, 60, 500])
def test_long_runs_say_how_many_steps_are_left_out(count):
    lines = render_run(story(count), "c", Style())
    told = numbers(lines)
    (gap,) = [line for line in lines if "..." in line]
    assert len(told) + int(gap.split()[1]) == count
    assert told[0] == 1
    assert told[-1] == count
    assert len(told) < count


def test_a_fault_in_the_middle_is_never_left_out():
    lines = render_run(story(500, faults=(250,)), "c", Style())
    assert any("FAULT: event 250" in line for line in lines)
    assert {250, 251, 252} <= set(numbers(lines))
    skipped = sum(int(line.split()[1]) for line in lines if "..." in line)
    assert skipped + len(numbers(lines)) == 500


def test_hidden_steps_are_neither_told_nor_counted():
    lines = render_run(story(5, hidden=(0, 2)), "c", Style())
    assert [line.split(maxsplit=1) for line in lines] == [["1", "event 1"], ["2", "event 3"], ["3", "event 4"]]


def test_where_all_is_hidden_all_is_told():
    assert numbers(render_run(story(3, hidden=(0, 1, 2)), "c", Style())) == [1, 2, 3]


def test_the_coordinator_has_the_first_lane():
    lines = render_run(story(3, services=("b", "", "a")), "boss", Style())
    assert lines[0].split() == ["boss", "b", "a"]
    assert [line.split()[1:4] for line in lines[1:]] == [["|", "*", "|"], ["*", "|", "|"], ["|", "|", "*"]]


def test_too_many_lanes_become_a_list():
    lines = render_run(story(20, services=tuple(f"service{n}" for n in range(9))), "boss", Style(100))
    assert "|" not in "".join(lines)
    assert lines[0].split(maxsplit=1)[1] == "service0: event 0"


def test_nothing_to_tell():
    assert render_run(story(0), "c", Style()) == []


def test_the_loop_is_announced_once():
    lines = render_run(story(5, loop=2), "c", Style())
    at = [n for n, line in enumerate(lines) if "again and again" in line]
    assert at == [2]
