"""The same verdict and the same text whatever the engine, reduced or not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import CHECKOUT
from families import philosophers
from placet.analysis import strategy
from placet.analysis.questions import MEASURED, questions
from placet.compiled import Query
from placet.evidence import Budget, Inconclusive
from placet.pipeline import Loaded, Options, check, load
from placet.report.style import PLAIN
from placet.report.text import render_model
from strategies import any_nets, compiled_of, predicates, workflow_nets

MODELS = sorted((CHECKOUT / "models").glob("*/*.placet"), key=lambda p: (p.stat().st_size, p))
ENGINES = ("reference", "frontier", "symbolic")
CHECKS = (
    *("sound", "weak_sound", "easy_sound", "option_to_complete", "proper_completion", "no_dead_step", "safe"),
    *("deadlock_free", "livelock_free", "home", "never", "possible", "bounded"),
)


def told(loaded, options) -> list[str]:
    """What a user reads; which engine it was is told on demand only."""
    report = check(loaded, options)
    return ["\n".join(render_model(model, PLAIN)) for model in report.models]


@pytest.mark.parametrize("path", MODELS[:20], ids=lambda p: p.parent.name)
def test_of_shipped_models(path):
    loaded = load(path)
    compiled = []
    for c in loaded.compiled:
        asked = tuple(q for q in questions(c) if q.check not in MEASURED)
        compiled += [c._replace(queries=asked)] if asked else []
    loaded = loaded._replace(compiled=tuple(compiled))
    if not compiled:
        pytest.skip("it asks what is measured only")
    usual = check(loaded, Options())
    if any(c.states > 3000 for m in usual.models for c in m.checks):
        pytest.skip("it is large")
    for name in ENGINES:
        assert told(loaded, Options(engine=name)) == ["\n".join(render_model(m, PLAIN)) for m in usual.models], name
    bare = check(loaded, Options(reduce=False))
    assert [[c.outcome for c in m.checks] for m in bare.models] == [[c.outcome for c in m.checks] for m in usual.models]


@st.composite
def asked(draw):
    if draw(st.booleans()):
        compiled = draw(workflow_nets())
        if draw(st.integers(0, 3)) == 0:
            compiled = compiled._replace(final=compiled.final._replace(any_sink=True))
    else:
        compiled = compiled_of(*draw(any_nets()))
    ids = draw(st.lists(st.sampled_from(CHECKS), min_size=1, max_size=3, unique=True))
    width = (len(compiled.net.places), len(compiled.net.transitions))
    queries = tuple(
        Query(c, f"{c}(net)", draw(predicates(*width)) if c in ("never", "possible", "home") else None) for c in ids
    )
    return compiled._replace(queries=queries)


@settings(max_examples=80)
@given(asked(), st.booleans())
def test_of_random_nets(compiled, reduce):
    loaded = Loaded("net", "", (compiled,))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strategy, "LARGE_ENTRIES", 50_000)
        usual = told(loaded, Options(budget=Budget(500), reduce=reduce))
        for name in ENGINES:
            assert told(loaded, Options(budget=Budget(500), reduce=reduce, engine=name)) == usual, name


@settings(max_examples=80)
@given(asked())
def test_diagrams_alone_decide_as_a_search_does(compiled):
    """With a probe of one state, so that diagrams answer first; where the net has no bound nothing is claimed."""
    loaded = Loaded("net", "", (compiled,))
    usual = check(loaded, Options(budget=Budget(500), engine="reference")).models[0].checks
    with pytest.MonkeyPatch.context() as patch:
        for name, most in (("FIRST_STATES", 1), ("PROBE_STATES", 1), ("LARGE_ENTRIES", 50_000)):
            patch.setattr(strategy, name, most)
        found = check(loaded, Options(budget=Budget(500))).models[0].checks
    for one, other in zip(usual, found, strict=True):
        if not isinstance(one.verdict, Inconclusive) and not isinstance(other.verdict, Inconclusive):
            assert (one.id, one.outcome) == (other.id, other.outcome)


def test_a_large_structured_net_is_decided_by_a_diagram_with_the_shortest_run():

    net, initial = philosophers(14)
    compiled = compiled_of(net, initial)
    compiled = compiled._replace(queries=(Query("deadlock_free", "stuck"), Query("no_dead_step", "alive")))
    stuck, alive = check(Loaded("net", "", (compiled,)), Options()).models[0].checks
    assert (stuck.outcome, alive.outcome) == ("violated", "proved")
    assert stuck.engine == "symbolic"
    assert len(stuck.verdict.witness.trace) == 14
    assert re.fullmatch(r"l0|r0|t0", net.transitions[stuck.verdict.witness.trace[0]])
