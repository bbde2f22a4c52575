"""Charts and transition systems of models, and a walk that holds a chart against the system that it was made from."""

from __future__ import annotations

from conftest import CHECKOUT
from placet.analysis.coordinator import coordinator
from placet.evidence import Budget
from placet.machine.chart import chart
from placet.machine.label import Seen
from placet.pipeline import compile_source, load
from placet.source import SourceFile

MODELS = sorted((CHECKOUT / "models").glob("*/*.placet"))


def subjects(path):
    """What somebody coordinates."""
    return [c for c in load(path).compiled if c.kind not in ("choreography", "system")]


def compiled(text):
    loaded = compile_source(SourceFile("text.placet", text))
    assert not loaded.broken, loaded.diagnostics
    return loaded.compiled[0]


def of(subject, *, decisions=True):
    """(coordinator, chart); the chart is None where something is hidden."""
    found = coordinator(subject, Budget(200_000), decisions=decisions)
    assert found.stop is None
    made = None
    if not found.hidden:
        made = chart(subject.subject, found.lts, found.labels, afresh=subject.kind == "machine")
    return found, made


def edges(found):
    """state -> label text -> target of a deterministic system."""
    out = [{} for _ in range(found.lts.states)]
    for source, label, target in found.lts.edges:
        out[source][found.lts.labels[label]] = target
    return out


class Runner:
    """A chart that is run: events in, actions out."""

    def __init__(self, made) -> None:
        self.made, self.state, self.done = made, made.initial, list(made.first)
        self._at_once()

    def offers(self):
        return {m.on.text: m for m in self.made.of(self.state) if m.on is not None}

    def take(self, move):
        self.state = move.target
        self.done += move.actions
        self._at_once()

    def _at_once(self):
        """Moves that need no event, where there is no choice."""
        while len(self.made.of(self.state)) == 1 and self.made.of(self.state)[0].on is None:
            move = self.made.of(self.state)[0]
            self.state = move.target
            self.done += move.actions

    @property
    def sent(self):
        return [a.name for a in self.done if a.kind == "send"]


INPUT = (Seen.HEARS, Seen.OUTCOME, Seen.TIME, Seen.CHOICE)
