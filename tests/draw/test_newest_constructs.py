"""Arrays, runs, ways that are cancelled, handlers beside: runs of them are runs, and their pictures name every member."""

from __future__ import annotations

import pytest

from placet.draw.from_net import from_net
from placet.net.firing import fire
from placet.pipeline import compile_source
from placet.simulate.simulator import Outcome, run
from placet.source import SourceFile

SERVICE = "service s[2] { idempotent; null_safe; rejects_after_cancel }\n"
WHAT = {
    "arrays": (
        SERVICE + "saga w { parallel { step take[i in 1..2] on s[i] { undo back[i]; timeout 1min } } step pay on s[1] { undo refund; timeout 1min } }",
        ("take[1]", "take[2]", "pay"),
    ),
    "arrays in a net": (
        "net w { place p[2] = 1, q[2], done  transition go[i in 1..2]: p[i] -> q[i]  transition finish: q[1..2] -> done  final done }",
        ("go[1]", "go[2]", "finish"),
    ),
    "runs of a saga": (
        SERVICE + "saga w { step take on s[1] { undo back; timeout 1min } either { continue_as_new carrying undo at_most 1 } or { } }",
        ("take", "continue_as_new"),  # a step is called the same in each run, as reports call it
    ),
    "others cancel": (
        SERVICE + "saga w { parallel 1 of { step here on s[1] { undo not_here; timeout 1min } step there on s[2] { undo not_there; timeout 1min } } others cancel }",
        ("here", "there"),
    ),
    "every in a saga": (
        SERVICE + "saga w { every 1h at_most 2 overlap cancel { step post on s[1] { undo reverse; timeout 1min } } }",
        ("post[1]", "post[2]"),
    ),
    "every": (
        "workflow w { every 1h at_most 3 overlap queue { task clean } task close }",
        ("clean[1]", "clean[2]", "clean[3]", "close"),
    ),
    "beside": (
        "workflow w { try { task pack task ship } on signal change beside at_most 2 { task note } }",
        ("pack", "ship", "note"),
    ),
}  # fmt: skip


def compiled(text: str):
    loaded = compile_source(SourceFile("w.placet", text))
    assert not loaded.broken, loaded.diagnostics
    return loaded.compiled[0]


@pytest.mark.parametrize("what", WHAT)
def test_a_simulated_run_comes_to_an_end_and_is_a_run(what) -> None:
    subject = compiled(WHAT[what][0])
    for seed in range(5):
        found = run(subject, seed, 2_000)
        marking = subject.initial
        for event in found.events:
            marking = fire(subject.net, marking, event.transition)
            assert marking is not None
        assert found.marking == marking
        assert found.outcome is Outcome.ENDED
        assert subject.kind == "net" or found.end in ("completed", "compensated")


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("detail", ["steps", "net"])
def test_a_picture_names_every_member(what, detail) -> None:
    text, names = WHAT[what]
    drawn = " ".join(str(part) for element in from_net(compiled(text), detail=detail).elements for part in element)
    for name in names:
        assert name in drawn
