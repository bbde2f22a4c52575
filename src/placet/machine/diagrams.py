"""State charts as text for PlantUML and Mermaid, and as a list for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.machine.events import said, words

if TYPE_CHECKING:
    from placet.lts import Lts
    from placet.machine.chart import Chart

_PLAIN = frozenset(" .,_/?!()[]+='-")


def plantuml(chart: Chart) -> str:
    """A state diagram of PlantUML. Linear."""
    return "\n".join(["@startuml", *_diagram(chart), "@enduml", ""])


def mermaid(chart: Chart) -> str:
    """A state diagram of Mermaid, as GitHub and GitLab show it. Linear."""
    return "\n".join(["stateDiagram-v2", *(f"  {line}" for line in _diagram(chart)), ""])


def _diagram(chart: Chart) -> list[str]:
    lines = [f'state "{_plain(name)}" as s{n}' for n, name in enumerate(chart.states)]
    first = said(chart.first)
    lines.append(f"[*] --> s{chart.initial}" + (f" : / {_plain(first)}" if first else ""))
    for move in chart.moves:
        told = _plain(words(move))
        lines.append(f"s{move.source} --> s{move.target}" + (f" : {told}" if told else ""))
    lines += [f"s{n} --> [*]" for n in sorted(chart.finals)]
    return lines


def _plain(text: str) -> str:
    """Neither language has a quote for these words: what could mean something in one of them is left out."""
    return " ".join("".join(c if c.isalnum() or c in _PLAIN else " " for c in text).split())


def listing(chart: Chart) -> str:
    """The moves of each state, for people."""
    lines = [f"machine {chart.name}: {_many(len(chart.states), 'state')}, {_many(len(chart.moves), 'move')}"]
    if said(chart.first):
        lines.append(f"  at first: {said(chart.first)}")
    for number, name in enumerate(chart.states):
        lines.append(f"  {name}" + (" (final)" if number in chart.finals else ""))
        for move in chart.of(number):
            lines.append(f"    {words(move) or 'at once'} -> {chart.states[move.target]}")
    return "\n".join([*lines, ""])


def steps(name: str, lts: Lts) -> str:
    """The edges of a transition system that is no state machine, for people; the silent one is `(unseen)`."""
    lines = [f"{name}: {_many(lts.states, 'situation')}, {_many(len(lts.edges), 'step')}"]
    before = -1
    for source, label, target in lts.edges:
        if source != before:
            lines.append(f"  {lts.names[source]}" + (" (final)" if source in lts.final else ""))
            before = source
        lines.append(f"    {lts.labels[label] or '(unseen)'} -> {lts.names[target]}")
    return "\n".join([*lines, ""])


def _many(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")
