"""The look along the ancestors: what it finds, and how much it may look at."""

from __future__ import annotations

from placet.engines.pumping import Pumping
from placet.net.builder import NetBuilder


class Line:
    """A search that went straight on: state i holds i tokens on the place; counts how often it is asked."""

    def __init__(self, length: int) -> None:
        self.states = length
        self.asked = 0

    def line(self, number: int) -> tuple[list[int], list[int]]:
        return list(range(number + 1)), [0] * number

    def covers(self, greater: int, less: int) -> bool:
        return greater >= less

    def state(self, index: int) -> tuple[int, ...]:
        self.asked += 1
        return (index,)


def producer(capacity: int | None):
    builder = NetBuilder("producer")
    builder.place("p", 0, capacity)
    builder.transition("t", {}, {0: 1})
    return builder.build()


def test_a_place_that_grows_comes_with_the_shortest_loop():
    assert Pumping(*producer(None)).look(Line(9), 5) == (0, (0,) * 4, (0,))


def test_a_loop_whose_places_have_a_capacity_is_none():
    assert Pumping(*producer(10)).look(Line(9), 5) is None


def test_the_work_stays_in_proportion_to_the_search_however_long_its_runs_are():
    line, pumping = Line(10_000), Pumping(*producer(1_000_000_000))
    for number in range(10_000):
        assert pumping.look(line, number) is None
    assert line.asked <= 20_000


class Apart(Line):
    """No state covers another; counts how many were compared."""

    def covers(self, greater: int, less: int) -> bool:
        self.asked += 1
        return False


def test_so_many_ancestors_are_looked_at_and_no_more():
    line, pumping = Apart(1_000), Pumping(*producer(None))
    for number in range(1_000):
        assert pumping.look(line, number) is None
    most = Pumping._FREE + 4 * line.states
    assert most - 1_000 < line.asked <= most + 1_000
