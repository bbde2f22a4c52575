"""Steps before steps: against the definition of the word, by all paths of small machines."""

from __future__ import annotations

import json

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles.asl_machines import machines
from placet.formats.asl import reader
from placet.formats.asl.calls import elements
from placet.sidecar.order import follows
from placet.source import SourceFile


def paths(states, start, asked):
    """The first steps on each way on from a state, which catches nothing."""
    seen, found, pending = set(), set(), [start]
    while pending:
        state = states[pending.pop()]
        ways = [state.get("Next"), state.get("Default"), *(rule["Next"] for rule in state.get("Choices", ()))]
        for name in filter(None, ways):
            if name in asked:
                found.add(name)
            elif name not in seen:
                seen.add(name)
                pending.append(name)
    return found


def reaches(states, start, goal, asked):
    """Whether a way from one step leads to another one, over further steps."""
    seen, pending = set(), [start]
    while pending:
        for name in paths(states, pending.pop(), asked):
            if name not in seen:
                seen.add(name)
                pending.append(name)
    return goal in seen


@settings(max_examples=150)
@given(machines(depth=0), st.integers(0, 7))
def test_directly_before(definition, mask):
    states = definition["States"]
    asked = [name for n, name in enumerate(states) if states[name]["Type"] == "Task" and mask >> n & 1]
    assume(asked)
    ((_, machine, _),) = reader.definitions(SourceFile("m.asl.json", json.dumps(definition)))[0]
    found = follows(list(elements("m", machine)), [f"m/{name}" for name in asked])
    wanted = {
        name: {
            other
            for other in asked
            if other != name
            and name in paths(states, other, set(asked))
            and not reaches(states, name, other, set(asked))
        }
        for name in asked
    }
    assert {path[2:]: {b[2:] for b in before} for path, before in found.items()} == wanted
    order = list(found)
    assert all(order.index(b) < order.index(path) for path, before in found.items() for b in before)
