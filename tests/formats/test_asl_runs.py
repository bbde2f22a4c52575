"""The net of a state machine shows exactly the runs that the rules of the language give, event for event."""

from __future__ import annotations

import json

from hypothesis import assume, given, settings

from oracles.asl_machines import machines
from oracles.asl_runs import BAD, NAMES, runs
from oracles.traces import difference
from placet.formats.asl.reader import read_all
from placet.net.firing import enabled, fire
from placet.source import SourceFile

NAMED = ("failed", "timed_out", "raised", "bad_data")
EVERY = (*NAMES, *BAD, "States.Timeout", "States.NoChoiceMatched")


def net_of(definition):
    found, problems = read_all(SourceFile("m.asl.json", json.dumps(definition)))
    assert not [d for d in problems if d.severity == "error"]
    return found[0]


def labels(event):
    """The labels of the oracle that a transition stands for: one for each error, where they are told apart."""
    if event is None:
        return [None]
    if event.kind in NAMED:
        fits = [e for e in EVERY if e in event.errors or ("*" in event.errors and e not in event.but)]
        if event.kind == "failed":
            fits = [e for e in fits if e in NAMES]
        return [(event.kind, event.element, event.scope, e) for e in fits]
    if event.kind in ("execution_succeeded", "execution_failed"):
        return [(event.kind,)]
    if event.kind == "started":
        return [(event.kind, event.element, event.scope, event.copies)]
    via = (event.via,) if event.via else ()
    return [(event.kind, event.element, event.scope, *via)]


def as_system(net):
    told = [labels(origin.event) for origin in net.origin.transitions]

    def successors(marking):
        return [(label, fire(net.net, marking, t)) for t in enabled(net.net, marking) for label in told[t]]

    return net.initial, successors


@settings(max_examples=600)
@given(machines())
def test_the_net_shows_exactly_the_runs_of_the_rules(definition) -> None:
    net = net_of(definition)
    assume(len(net.net.transitions) < 400)
    if any(name.endswith("#calm") for name in net.net.transitions):
        return  # an endless loop: its net has one transition that is no event, and is looked at below
    assert difference(as_system(net), runs(definition), 7) is None
