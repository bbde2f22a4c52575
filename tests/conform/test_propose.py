"""A model proposed from runs fits the runs that it was made from, and says what its author would have said."""

from __future__ import annotations

import random

import pytest
from histories import history
from test_native import simulated, temporal
from test_step_functions import CONFORMING

from placet.conform.conform import hold_all
from placet.conform.json_stream import Item
from placet.conform.logs import read
from placet.conform.native import prepared
from placet.conform.propose import propose, word
from placet.conform.step_functions import cases
from placet.pipeline import compile_source
from placet.source import SourceFile


def cases_of(text, tmp_path):
    path = tmp_path / "trips.log"
    path.write_text(text, encoding="utf-8")
    return read(str(path)).cases


def test_a_saga_from_runs_that_undo(tmp_path):
    good = "c car@cars asked\nc car done\nc hotel asked\nc hotel done\nc mail done\nc - ended completed\n"
    turned = "d car asked\nd car done\nd hotel asked\nd hotel refused\nd car undo_asked\nd car undone\nd - ended compensated\n"
    proposal = propose(cases_of(good + turned, tmp_path))
    assert proposal.text.split() == [
        "service",
        "cars",
        "saga",
        "trips",
        "{",
        "step",
        "car",
        "on",
        "cars",
        "{",
        "undo",
        "undo_car",
        "}",
        "step",
        "hotel",
        "task",
        "mail",
        "}",
    ]
    assert proposal.fitting == 2


def test_a_saga_from_temporal_histories(tmp_path):
    car = ("ReserveCar scheduled", "ReserveCar completed")
    hotel = ("ReserveHotel scheduled", "ReserveHotel completed")
    runs = [
        temporal(*car, *hotel, "Charge scheduled", "Charge completed", "workflow completed"),
        temporal(*car, "ReserveHotel scheduled", "ReserveHotel failed Full", "CancelCar scheduled", "CancelCar completed", "workflow failed"),
        temporal(*car, *hotel, "Charge scheduled", "Charge failed Declined", "CancelHotel scheduled", "CancelHotel completed",
                 "CancelCar scheduled", "CancelCar completed", "workflow failed"),
    ]  # fmt: skip
    proposal = propose([case for run in runs for case in cases_of(run, tmp_path)])
    assert "saga trip {" in proposal.text
    assert "step reserve_car { undo cancel_car }" in proposal.text
    assert "step reserve_hotel { undo cancel_hotel }" in proposal.text
    assert "step charge\n" in proposal.text
    assert proposal.fitting == 3


def test_a_workflow_from_runs_that_handle_an_error(tmp_path):
    text = """
a check done
a pack done
a bill done
a - ended completed
b check done
b bill done
b pack done
b - ended completed
c check failed Fraud
c report done
c - ended failed
"""
    proposal = propose(cases_of(text, tmp_path), "Order")
    assert proposal.text.startswith("workflow order {")
    assert "fails fraud" in proposal.text
    assert "parallel {" in proposal.text
    assert proposal.fitting == 3


def test_activities_that_overlap_are_parallel(tmp_path):
    events = (
        "A scheduled",
        "B scheduled",
        "A completed",
        "B completed",
        "C scheduled",
        "C completed",
        "workflow completed",
    )
    proposal = propose(cases_of(temporal(*events), tmp_path))
    assert "parallel {" in proposal.text
    assert proposal.fitting == 1


def test_a_workflow_from_executions_of_step_functions():
    found = [c for text in CONFORMING.values() for c in cases("log", (Item(0, 1, e) for e in history(text)))]
    proposal = propose(found, "order")
    complete = [held for held in proposal.held if held.case.complete]
    assert sum(held.verdict == "conforms" for held in complete) >= 7
    assert "task pay fails" in proposal.text


def test_nothing_is_proposed_from_nothing(tmp_path):
    assert propose(cases_of("a check done\n", tmp_path)) is None
    assert propose(cases_of("a - ended completed\n", tmp_path)) is None


@pytest.mark.parametrize("seed", range(40))
def test_runs_without_failures_always_fit(seed, tmp_path):
    draw = random.Random(seed)
    first = draw.choice(
        ["parallel { task b  task c }", "either { task b } or { task c }", 'while "x" { task b }', "task b"]
    )
    loop = 'loop { task d  task e } until "x"'
    second = draw.choice(["either { task d } or { }", loop, "parallel { task d  { task e  task f } }"])
    model = f"workflow w {{ task a  {first}  {second} }}"
    compiled = compile_source(SourceFile("w.placet", model)).compiled[0]
    lines = []
    for run in range(draw.randint(1, 8)):
        lines += [f"r{run} {line}" for line in simulated(prepared(compiled), seed * 10 + run)]
    found = cases_of("\n".join(lines), tmp_path)
    if not any(case.complete for case in found):
        return
    proposal = propose(found)
    for held in proposal.held:
        assert held.verdict == "conforms" or not held.case.complete, (proposal.text, held.case)


def test_a_proposal_is_a_model_of_the_language(tmp_path):
    names = ["ReserveCar", "2nd try!", "end", "état", "HTTPCall", "a-b c"]
    lines = "\n".join(f'{{"case": "x", "step": "{n}", "outcome": "done"}}' for n in names)
    proposal = propose(cases_of(lines + '\n{"case": "x", "outcome": "ended", "end": "completed"}', tmp_path))
    loaded = compile_source(SourceFile("p.placet", proposal.text))
    assert not loaded.broken
    assert [word(n) for n in names] == ["reserve_car", "s_2nd_try", "end", "tat", "http_call", "a_b_c"]
    assert hold_all(loaded.compiled[0], proposal.held[0:0]) == []
