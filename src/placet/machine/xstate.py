"""State charts as the configuration of an XState machine (version 5), in JSON: `setup({actions}).createMachine(config)`.

Actions are `{"type": "send", "params": {"message": ...}}`, `start` with a task, and, for clocks that run on over several
states, `set` and `stop`; a clock of one state is an `after` of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from placet.machine.chart import clock
from placet.machine.events import clock_event, trigger
from placet.machine.label import Seen, seconds

if TYPE_CHECKING:
    from placet.machine.chart import Action, Chart


def xstate(chart: Chart) -> str:
    """The configuration. Linear in the chart."""
    import json

    return json.dumps(configuration(chart), indent=2, ensure_ascii=False) + "\n"


def configuration(chart: Chart) -> dict[str, Any]:
    """The configuration as values."""
    local = _local(chart)
    begins = "start" if chart.first else chart.states[chart.initial]
    while chart.first and begins in chart.states:
        begins += "_"
    states: dict[str, Any] = {}
    if chart.first:
        states[begins] = {"always": _move(chart.states[chart.initial], chart.first, local)}
    for number, name in enumerate(chart.states):
        states[name] = {"type": "final"} if number in chart.finals else _state(chart, number, local)
    return {"id": chart.name, "initial": begins, "states": states}


def _state(chart: Chart, number: int, local: frozenset[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for move in chart.of(number):
        made = _move(chart.states[move.target], move.actions, local)
        if move.target == number and any(action.kind == "set" for action in move.actions):
            made["reenter"] = True  # or its clocks would run on
        needed = trigger(chart, move)
        if not needed:
            found["always"] = made
        elif move.on is not None and move.on.kind is Seen.TIME and clock(move.on) in local:
            found.setdefault("after", {})[str(round(seconds(move.on.time) * 1000))] = made
        else:
            found.setdefault("on", {})[needed] = made
    return found


def _move(target: str, actions: tuple[Action, ...], local: frozenset[str]) -> dict[str, Any]:
    shown = [_action(action) for action in actions if action.kind in ("send", "start") or action.name not in local]
    return {"target": target, "actions": shown} if shown else {"target": target}


def _action(action: Action) -> dict[str, Any]:
    if action.kind == "send":
        return {"type": "send", "params": {"message": action.name}}
    if action.kind == "start":
        return {"type": "start", "params": {"task": action.name}}
    params: dict[str, Any] = {"clock": clock_event(action.name)}
    if action.kind == "set":
        params["after"] = round(seconds(action.time) * 1000)
    return {"type": action.kind, "params": params}


def _local(chart: Chart) -> frozenset[str]:
    """Clocks that never run on over a move, of which no state has another of the same length."""
    waits: list[dict[str, str]] = [{} for _ in chart.states]
    for move in chart.moves:
        if move.on is not None and move.on.kind is Seen.TIME:
            waits[move.source][clock(move.on)] = move.on.time
    found = {name for some in waits for name in some}
    for some in waits:
        lengths = list(some.values())
        found.difference_update(name for name, time in some.items() if lengths.count(time) > 1 or not seconds(time))
    for move in chart.moves:
        over = clock(move.on) if move.on is not None and move.on.kind is Seen.TIME else ""
        fresh = {action.name for action in move.actions if action.kind == "set"}
        found.difference_update(
            name for name in waits[move.source] if name in waits[move.target] and name != over and name not in fresh
        )
    return frozenset(found)
