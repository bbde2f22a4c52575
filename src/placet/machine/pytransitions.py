"""State charts for the Python package `transitions`: the arguments of `Machine(model, **configuration)`, in JSON.

Triggers are methods of the model, so their names are Python names. What a move does is a method too, called after it:
`do_send_NAME`, `do_start_NAME`, `do_set_CLOCK`, `do_stop_CLOCK`. What is taken at once is the trigger `go`.
"""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Any

from placet.machine.events import clock_event, plain, trigger

if TYPE_CHECKING:
    from placet.machine.chart import Action, Chart


def transitions(chart: Chart) -> str:
    """The configuration. Linear in the chart."""
    import json

    return json.dumps(configuration(chart), indent=2, ensure_ascii=False) + "\n"


def configuration(chart: Chart) -> dict[str, Any]:
    """The configuration as values."""
    begins = "start" if chart.first else chart.states[chart.initial]
    while chart.first and begins in chart.states:
        begins += "_"
    called = names(chart)
    states: list[Any] = [begins] if chart.first else []
    states += [{"name": name, "final": True} if n in chart.finals else name for n, name in enumerate(chart.states)]
    moves = [_move("go", begins, chart.states[chart.initial], chart.first)] if chart.first else []
    for move in chart.moves:
        source, target = chart.states[move.source], chart.states[move.target]
        moves.append(_move(called[trigger(chart, move) or "go"], source, target, move.actions))
    return {
        "name": chart.name,
        "states": states,
        "initial": begins,
        "transitions": moves,
        "auto_transitions": False,
        "ignore_invalid_triggers": True,
    }


def names(chart: Chart) -> dict[str, str]:
    """The names of the triggers, by event; what would have the name of another one gets a number."""
    found = {"go": "go"}
    for move in chart.moves:
        text = trigger(chart, move)
        if text and text not in found:
            base, number = name(text), 1
            while (shown := base if number == 1 else f"{base}_{number}") in found.values():
                number += 1
            found[text] = shown
    return found


def name(text: str) -> str:
    """A name of Python."""
    found = plain(text).replace(".", "_").replace("-", "_")
    found = found if found[:1].isalpha() or found[:1] == "_" else f"_{found}"
    return f"{found}_" if keyword.iskeyword(found) or found in ("state", "trigger") else found


def _move(on: str, source: str, target: str, actions: tuple[Action, ...]) -> dict[str, Any]:
    does = [
        name(f"do_{a.kind}_{clock_event(a.name) if a.kind in ('set', 'stop') else a.name}") for a in actions
    ]  # fmt: skip
    made: dict[str, Any] = {"trigger": on, "source": source, "dest": target}
    return {**made, "after": does} if does else made
