"""Soundness of nets without a bound: growth refutes it only where it must end in an improper marking."""

from __future__ import annotations

import pytest

from oracles import properties
from oracles.reachability import explore as textbook
from placet.analysis.strategy import Options, decide
from placet.compiled import Query
from placet.evidence import Budget, Holds, Inconclusive, Violated
from placet.net.builder import NetBuilder
from placet.net.final import PlaceClass
from strategies import compiled_of


def asking(kind, times):
    """Sends a request as often as it likes, or so many times, and ends; requests are taken in before and after that."""
    builder = NetBuilder("asking")
    here, request, end = builder.place("here", 1), builder.place("request"), builder.place("end")
    classes = [PlaceClass.CONTROL, kind, PlaceClass.CONTROL]
    left = {}
    if times is not None:
        left = {builder.place("left", times): 1}
        classes.append(PlaceClass.BUDGET)
    builder.transition("send", {here: 1, **left}, {here: 1, request: 1})
    builder.transition("finish", {here: 1}, {end: 1})
    builder.transition("take", {end: 1, request: 1}, {end: 1})
    builder.transition("take_early", {here: 1, request: 1}, {here: 1})
    return compiled_of(*builder.build(), ends=(end,), classes=tuple(classes), kind="workflow")


@pytest.mark.parametrize("check", ["sound", "weak_sound"])
@pytest.mark.parametrize("times", [1, 2, 5, None])
@pytest.mark.parametrize("kind", list(PlaceClass))
def test_requests_that_come_too_late_are_no_improper_end(kind, times, check):
    """Messages in flight at an end are proper as long as they are taken in: however many there are, all parts hold."""
    compiled = asking(kind, times)
    (answer,) = decide(compiled, (Query(check, ""),), Options(Budget(states=2000)))
    proper = kind not in (PlaceClass.CONTROL, PlaceClass.RESOURCE)
    if times is None:
        assert isinstance(answer.verdict, Inconclusive if proper else Violated)
        return
    graph = textbook(compiled.net, compiled.initial)
    final = compiled.final.predicate(compiled.initial)
    assert properties.option_to_complete(graph, final)
    assert all(properties.steps_alive(graph, [step for _, step in compiled.steps]))
    assert (not graph.where(compiled.final.early(compiled.initial))) == proper
    assert isinstance(answer.verdict, Holds if proper else Violated)
