"""Where the run that loses a transition for ever is cut."""

from __future__ import annotations

from placet.analysis.strategy import Options, decide
from placet.compiled import Query
from placet.evidence import Violated
from placet.net.builder import NetBuilder
from strategies import compiled_of


def test_the_run_ends_where_the_transition_is_lost():
    """`again` is lost with `leave`; that nothing but `idle` is left is only seen two firings later."""
    b = NetBuilder("net")
    p, q, r, s = (b.place(name, int(name == "p")) for name in "pqrs")
    again = b.transition("again", {p: 1}, {p: 1})
    leave = b.transition("leave", {p: 1}, {q: 1})
    b.transition("on", {q: 1}, {r: 1})
    b.transition("further", {r: 1}, {s: 1})
    b.transition("idle", {s: 1}, {s: 1})
    (answer,) = decide(compiled_of(*b.build()), (Query("live", "", transition=again),), Options(reduce=False))
    assert isinstance(answer.verdict, Violated)
    assert answer.verdict.witness.trace == (leave,)
