"""Execution histories written down shortly, as the service would print them."""

from __future__ import annotations

import json

from placet.conform.conform import conform
from placet.conform.json_stream import Item
from placet.conform.record import Log
from placet.conform.step_functions import cases
from placet.pipeline import compile_source
from placet.source import SourceFile

KEYS = {"Entered": "stateEntered", "Exited": "stateExited"}


def event(number, line):
    """`8<6 TaskFailed error=Broken` is event 8, which followed event 6; without `<6` it followed the one before."""
    head, spelt, *more = line.split()
    identifier, _, cause = head.partition("<")
    details = dict(part.split("=", 1) for part in more)
    details = {k: int(v) if k in ("index", "length") else v for k, v in details.items()}
    if spelt.endswith(("StateEntered", "StateExited")):
        base = "stateEntered" if spelt.endswith("Entered") else "stateExited"
    else:
        base = spelt[0].lower() + spelt[1:]
    found = {"id": int(identifier), "previousEventId": int(cause) if cause else number, "type": spelt}
    return {**found, **({f"{base}EventDetails": details} if details else {})}


def history(text):
    """The events of a history; lines without a number are counted."""
    made = []
    for number, line in enumerate([line for line in text.strip().splitlines() if line.strip()]):
        line = line.strip()  # noqa: PLW2901
        if not line[0].isdigit():
            line = f"{number + 1}<{max(0, number)} {line}" if number != 1 else f"2<0 {line}"  # noqa: PLW2901
        elif line.startswith(f"{number + 1}<") or line.split()[0].isdigit():
            pass
        made.append(event(number, line))
    return made


def held(definition, text, budget=200_000):
    """What comes out for a history against a definition."""
    loaded = compile_source(SourceFile("order.asl.json", json.dumps(definition)))
    assert not loaded.broken, loaded.diagnostics
    events = history(text) if isinstance(text, str) else text
    log = Log("log", tuple(cases("log", (Item(0, 1, e) for e in events))))
    (found,) = conform(loaded, loaded.compiled[0], [log], budget).held
    return found


def task(name, **more):
    return {"Type": "Task", "Resource": f"arn:aws:states:::sqs:{name}", **more}


def machine(start, **states):
    return {"StartAt": start, "States": states}
