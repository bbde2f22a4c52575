"""State charts as SCXML (W3C Recommendation of 1 September 2015), null data model.

Messages go out by `<send>` with the type `placet:message`: whoever runs the document says where they go. `start.NAME` asks for
a task. Clocks are sends to the machine itself with a delay; an identifier stands for one `<send>` only, so what stops a clock
cancels all those that may have set it.
"""

from __future__ import annotations

from collections import Counter
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
    clocks = _Clocks(chart)
    if chart.first:
        lines += [f"  <state id={_quoted(begins)}>", f"    <transition target={_quoted(chart.states[chart.initial])}>"]
        lines += [f"      {line}" for action in chart.first for line in clocks.action(action)]
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
            does = [f"      {line}" for action in move.actions for line in clocks.action(action)]
            lines += [f"{opening}>", *does, "    </transition>"]
        lines.append("  </state>")
    return "\n".join([*lines, "</scxml>", ""])


class _Clocks:
    """What is set has a number for each place where it is set, in the order of the text."""

    def __init__(self, chart: Chart) -> None:
        actions = [*chart.first, *(action for move in chart.moves for action in move.actions)]
        self._setters = Counter(action.name for action in actions if action.kind == "set")
        self._used: Counter[str] = Counter()

    def action(self, action: Action) -> list[str]:
        """The elements of an action."""
        if action.kind == "stop":
            return [f"<cancel sendid={_quoted(_id(action, n))}/>" for n in range(1, self._setters[action.name] + 1)]
        if action.kind == "set":
            self._used[action.name] += 1
            identifier, delay = _id(action, self._used[action.name]), f"{seconds(action.time):g}s"
            event = clock_event(action.name)
            return [f"<send id={_quoted(identifier)} event={_quoted(event)} delay={_quoted(delay)}/>"]
        name = f"start.{plain(action.name)}" if action.kind == "start" else plain(action.name)
        return [f"<send event={_quoted(name)} type={_quoted(MESSAGE)}/>"]


def _id(action: Action, number: int) -> str:
    """No state has a dot in its name."""
    return f"clock.{plain(action.name)}.{number}"


def _quoted(text: str) -> str:
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return f'"{text}"'
