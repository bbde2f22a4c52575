"""The engine that is used when none is named, with probes so small that all of its engines have their turn."""

from __future__ import annotations

import sys

import pytest

from engines.engine_contract import EngineContract, at_least, grid, toggles
from placet.engines import chosen
from placet.engines.chosen import Chosen
from placet.engines.frontier import Frontier
from placet.engines.native import Native, installed
from placet.engines.protocol import Needs, Visitor
from placet.errors import UsageError
from placet.evidence import Budget
from placet.logic.state import Dead


class TestChosen(EngineContract):
    engine = Chosen(probe=5, large=20)

    def test_the_memory_that_is_named_is_what_is_used(self):
        """Held by the tests of each engine: which of the two it is depends on the net."""


def test_small_nets_stay_with_the_reference_engine_and_large_ones_do_not():
    assert Chosen(100).explore(*toggles(6), (), (), Budget()).engine == "reference"
    found = Chosen(100).explore(*toggles(8), (), (), Budget())
    assert (found.engine, found.states, found.complete) == (Frontier.name, 256, True)
    found = Chosen(10, 20).explore(*toggles(8), (), (), Budget())
    assert (found.engine, found.states, found.complete) == (Native.name if installed() else Frontier.name, 256, True)
    assert Chosen(100).explore(*grid(30), (), (), Budget(states=150)).engine == "reference"


def test_a_compiler_that_does_not_work_is_done_without(monkeypatch):
    monkeypatch.setitem(sys.modules, "placet.engines.kernels", None)
    monkeypatch.delattr("placet.engines.kernels", raising=False)
    assert Chosen(10, 20).explore(*toggles(8), (), (), Budget()).engine == Frontier.name


def test_an_engine_that_is_not_there(monkeypatch):
    monkeypatch.setattr(chosen, "_compiler", lambda: False)
    with pytest.raises(UsageError, match="needs numba"):
        chosen.engine("native")
    assert Chosen(10, 20).explore(*toggles(8), (), (), Budget()).engine == Frontier.name


def test_what_an_engine_knew_is_not_lost_when_the_next_is_interrupted():
    def interrupt(states, frontier):
        if states > 20_000:
            raise KeyboardInterrupt

    found = Chosen(5000, 20_000).explore(*grid(200), (), (Visitor(at_least(1), Needs.EDGES),), Budget(), interrupt)
    assert found.stop.budget == "interrupted"
    assert found.states >= 20_000
    assert found.found == (1,)


def test_the_seconds_are_those_of_all_engines_together():
    found = Chosen(100, 1000).explore(*grid(200), (), (Visitor(Dead(), Needs.EDGES),), Budget(None, None, 0.0))
    assert found.stop.budget == "seconds"
    assert not found.complete
