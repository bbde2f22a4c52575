"""State charts as SCXML (W3C Recommendation of 1 September 2015), null data model.

Messages go out by `<send>` with the type `placet:message`: whoever runs the document says where they go. `start.NAME` asks for
a task. Clocks are sends to the machine itself with a delay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.machine.events import clock_event, plain, trigger
from placet.machine.label import seconds

if TYPE_CHECKING:
    from placet.machine.chart import Action, Chart

NAMESPACE = "http://www.w3.org/2005/07/scxml"
MESSAGE = "placet:message"


def scxml(chart: Chart) -> str:
    """The document. Linear in the chart."""
    begins = "start" if chart.first else chart.states[chart.initial]
    while chart.first and begins in chart.states:
        begins += "_"
    head = f'<scxml xmlns="{NAMESPACE}" version="1.0" datamodel="null"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"{head} name={_quoted(plain(chart.name))} initial={_quoted(begins)}>",
    ]
    if chart.first:
        lines += [f"  <state id={_quoted(begins)}>", f"    <transition target={_quoted(chart.states[chart.initial])}>"]
        lines += [f"      {_action(action)}" for action in chart.first]
        lines += ["    </transition>", "  </state>"]
    for number, name in enumerate(chart.states):
        if number in chart.finals:
            lines.append(f"  <final id={_quoted(name)}/>")
            continue
        moves = chart.of(number)
        if not moves:
            lines.append(f"  <state id={_quoted(name)}/>")
            continue
        lines.append(f"  <state id={_quoted(name)}>")
        for move in moves:
            needed = trigger(chart, move)
            event = f"event={_quoted(needed)} " if needed else ""
            opening = f"    <transition {event}target={_quoted(chart.states[move.target])}"
            if not move.actions:
                lines.append(f"{opening}/>")
                continue
            lines += [f"{opening}>", *(f"      {_action(action)}" for action in move.actions), "    </transition>"]
        lines.append("  </state>")
    return "\n".join([*lines, "</scxml>", ""])


def _action(action: Action) -> str:
    if action.kind == "stop":
        return f"<cancel sendid={_quoted(plain(action.name))}/>"
    if action.kind == "set":
        delay = f"{seconds(action.time):g}s"
        return (
            f"<send id={_quoted(plain(action.name))} event={_quoted(clock_event(action.name))} delay={_quoted(delay)}/>"
        )
    name = f"start.{plain(action.name)}" if action.kind == "start" else plain(action.name)
    return f"<send event={_quoted(name)} type={_quoted(MESSAGE)}/>"


def _quoted(text: str) -> str:
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return f'"{text}"'
