"""Interrupted steps, by every run of small sagas: what a scope did is undone before its handler runs, whatever was under way."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oracles.sagas import settle
from placet import pipeline
from placet.faults.hypothesis import Hypothesis
from placet.faults.weave import weave
from placet.source import SourceFile

SERVICE = "service safe { idempotent; null_safe; rejects_after_cancel }\n"
POLICY = "failing_step undo"


def net_of(text: str):
    loaded = pipeline.compile_source(SourceFile("x.placet", SERVICE + text))
    assert not loaded.broken, loaded.diagnostics
    return loaded.compiled[0]


def runs(text: str, *faults: str):
    net = net_of(text)
    return settle(weave(net, Hypothesis(faults, 1, "transient")).compiled if faults else net)


@st.composite
def bodies(draw, most: int = 3) -> tuple[str, int]:
    """Steps one after the other and at once, things without steps between them; and how many steps there are."""
    number = iter(range(1, 10))

    def part(left: int) -> str:
        kind = draw(st.sampled_from(["sequence", "parallel", "try"])) if left > 1 else "step"
        if kind == "step":
            n = next(number)
            more = draw(st.sampled_from(["", "", f"; receive m{n}", f"; parallel {{ task k{n} receive m{n} }}"]))
            return f"step s{n} on safe {{ undo u{n}; timeout 5s }}{more}"
        cut = draw(st.integers(1, left - 1))
        one, two = part(cut), part(left - cut)
        if kind == "parallel":
            return f"parallel {{ {{ {one} }} {{ {two} }} }}"
        return f"{one} ; {two}" if kind == "sequence" else f"try {{ {one} ; {two} }} on Other {{ task other }}"

    count = draw(st.integers(1, most))
    return part(count), count


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(bodies(), st.sampled_from([(), ("lost",), ("slow",), ("reject",)]), st.sampled_from(["await", "cancel"]))
def test_what_was_done_in_a_scope_is_undone_before_its_handler_runs(body, faults, siblings):
    inside, count = body
    text = (
        f"saga b {{ step before on safe {{ undo ub; timeout 5s }} try {{ {inside} }} on signal stop {{ task t }}"
        f" step after on safe {{ undo ua; timeout 5s }} {POLICY} siblings {siblings} }}\n"
    )
    try:
        found = runs(text, *faults)
    except AssertionError:  # more states than are looked at
        return
    assert found.stuck is None, text
    assert found.effects("compensated") <= {(0,) * (count + 2)}, text
    order = [s.id for s in found.net.roles.steps]
    within = [i for i, s in enumerate(order) if s not in ("b/before", "b/after")]
    for effects in found.effects("completed"):
        assert effects[order.index("b/before")] == effects[order.index("b/after")] == 1
        assert {effects[i] for i in within} in ({0}, {1}), (text, effects)
    assert {effects[within[0]] for effects in found.effects("completed")} == {0, 1}


def test_an_interruption_is_found_in_the_middle_of_what_has_no_steps():
    """It would otherwise seem that the saga waits for ever."""
    text = 'saga b { try { step x on safe { undo u } while "waiting" { receive m } loop { receive n } } on signal stop { task t } }'
    found = runs(text)
    assert found.stuck is None
    assert found.effects("completed") == {(0,)}


def test_past_a_pivot_nothing_interrupts():
    found = runs("saga b { try { step x on safe { pivot } step y on safe { retriable } } on signal stop { task t } }")
    assert found.effects("completed") == {(0, 0), (1, 1)}  # stopped before the pivot was asked for, or not at all


def test_the_nearest_scope_that_names_it_is_interrupted():
    text = (
        "saga b { try { step x on safe { undo ux } try { step y on safe { undo uy } } on signal stop { task t } on any { task k } }"
        " on signal stop { task v } }"
    )
    assert runs(text).effects("completed") == {(0, 0), (1, 0), (1, 1)}


def test_enough_ways_and_the_others_go_on():
    """What follows begins when one step is done; when a step fails later, all of it is undone."""
    text = (
        "saga b { parallel 1 of { step x on safe { undo ux; timeout 5s } step y on safe { undo uy; timeout 5s } } others go_on"
        f" step z on safe {{ undo uz; timeout 5s }} {POLICY} }}"
    )
    found = runs(text)
    assert found.effects("completed") == {(1, 1, 1)}
    found = runs(text, "reject", "lost")
    assert found.stuck is None
    assert found.effects("compensated") == {(0, 0, 0)}
