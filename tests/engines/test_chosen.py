"""The engine that is used when none is named, with a probe so small that both of its engines have their turn."""

from __future__ import annotations

from engines.engine_contract import EngineContract, grid, toggles
from placet.engines.chosen import Chosen
from placet.engines.frontier import Frontier
from placet.evidence import Budget


class TestChosen(EngineContract):
    engine = Chosen(probe=5)

    def test_the_memory_that_is_named_is_what_is_used(self):
        """Held by the tests of each engine: which of the two it is depends on the net."""


def test_small_nets_stay_with_the_reference_engine_and_large_ones_do_not():
    assert Chosen(100).explore(*toggles(6), (), (), Budget()).engine == "reference"
    found = Chosen(100).explore(*toggles(8), (), (), Budget())
    assert (found.engine, found.states, found.complete) == (Frontier.name, 256, True)
    assert Chosen(100).explore(*grid(30), (), (), Budget(states=150)).engine == "reference"
