"""What is proved of bounds without a search: right on random nets, and more than any search could see."""

from __future__ import annotations

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from oracles.reachability import explore as textbook
from placet.analysis import invariants
from placet.analysis.strategy import Options, decide
from placet.compiled import Query
from placet.engines import reference
from placet.evidence import Budget, Holds, Inconclusive, Violated
from placet.logic.state import at_least
from placet.net.builder import NetBuilder
from strategies import any_nets, compiled_of


@given(any_nets(), st.sampled_from(["safe", "bounded", "place"]), st.booleans(), st.data())
@settings(max_examples=500, deadline=None)
def test_no_proof_without_a_search_is_wrong(marked, check, reduce, data):
    compiled = compiled_of(*marked)
    place = data.draw(st.integers(0, len(marked.net.places) - 1)) if check == "place" else -1
    query = Query("safe" if check == "safe" else "bounded", check, place=place, bound=data.draw(st.integers(1, 4)))
    (answer,) = decide(compiled, (query,), Options(budget=Budget(states=1), reduce=reduce))
    event(f"{check} {type(answer.verdict).__name__}")
    graph = textbook(*marked, limit=150)
    if not isinstance(answer.verdict, Holds):
        return
    most = {"safe": 1, "place": query.bound}.get(check)
    seen = [marking if place < 0 else (marking[place],) for marking in graph.depth]
    if most is None and answer.verdict.proof.engine == "invariants":
        most = int(answer.verdict.proof.argument.split()[-3])
    if most is None:
        assert graph.whole
    else:
        assert all(tokens <= most for marking in seen for tokens in marking)


def ring(tokens: int, capacity: int | None = None, leak: bool = False):
    builder = NetBuilder("ring")
    places = [builder.place(f"p{i}", tokens if i == 0 else 0, capacity) for i in range(3)]
    for i in range(3):
        # two are taken for two, so that no fusion makes the ring a single place
        builder.transition(f"t{i}", {places[i]: 2}, {places[(i + 1) % 3]: 1 if leak else 2})
    return compiled_of(*builder.build())


@pytest.mark.parametrize("reduce", [True, False])
@pytest.mark.parametrize("leak", [True, False])
def test_a_thousand_million_tokens_are_bounded(leak, reduce):
    options = Options(budget=Budget(states=100), reduce=reduce)
    (answer,) = decide(ring(1_000_000_000, leak=leak), (Query("bounded", "b"),), options)
    assert isinstance(answer.verdict, Holds)
    assert answer.verdict.proof.engine == "invariants"
    assert answer.verdict.proof.argument.endswith("no more than 1000000000 at once")


def test_a_bound_below_that_of_the_invariants_is_left_to_the_search():
    options = Options(budget=Budget(states=100), reduce=False)
    low, high = (Query("bounded", "b", place=1, bound=bound) for bound in (999, 1000))
    answers = decide(ring(1_000), (low, high), options)
    assert isinstance(answers[0].verdict, Violated | Inconclusive)
    assert isinstance(answers[1].verdict, Holds)


def test_a_capacity_is_a_bound():
    builder = NetBuilder("store")
    builder.place("p", 0, 1_000_000_000)
    builder.transition("put", {}, {0: 1})
    compiled = compiled_of(*builder.build())
    (answer,) = decide(compiled, (Query("bounded", "b"),), Options(budget=Budget(states=100), reduce=False))
    assert isinstance(answer.verdict, Holds)


def test_bounded_from_this_marking_only_is_beyond_invariants():
    """`t` doubles what is there and needs a token that never comes: bounded, but not from every initial marking."""
    builder = NetBuilder("asleep")
    p, key = builder.place("p", 5), builder.place("key", 0)
    q = builder.place("q", 0)
    builder.transition("t", {p: 1, key: 1}, {p: 2, key: 1})
    builder.transition("u", {p: 1}, {q: 1})
    compiled = compiled_of(*builder.build())
    (short,) = decide(compiled, (Query("bounded", "b"),), Options(budget=Budget(states=3, bytes=10), reduce=False))
    (whole,) = decide(compiled, (Query("bounded", "b"),), Options(reduce=False))
    assert not isinstance(short.verdict, Violated)
    assert isinstance(whole.verdict, Holds)
    assert whole.verdict.proof.engine != "invariants"


@pytest.mark.parametrize("reduce", [True, False])
def test_without_time_nothing_is_proved(reduce):
    (answer,) = decide(ring(1_000), (Query("bounded", "b"),), Options(budget=Budget(seconds=0.0), reduce=reduce))
    assert isinstance(answer.verdict, Inconclusive)
    assert answer.verdict.budget == "seconds"


@pytest.mark.parametrize("reduce", [True, False])
def test_many_checks_share_the_invariants_of_their_net(monkeypatch, reduce):
    made = []
    original = invariants.semiflows
    monkeypatch.setattr(invariants, "semiflows", lambda *a, **k: made.append(1) or original(*a, **k))
    queries = [Query("bounded", f"b{bound}", place=1, bound=1_000 + bound) for bound in range(300)]
    answers = decide(ring(1_000), queries, Options(budget=Budget(states=50), reduce=reduce))
    assert all(isinstance(answer.verdict, Holds) for answer in answers)
    assert len(made) == 1


def test_many_checks_ask_once_what_the_search_found(monkeypatch):
    asked = []
    original = reference.Search.found
    monkeypatch.setattr(reference.Search, "found", property(lambda s: asked.append(1) or original.fget(s)))
    queries = [Query("never", f"n{bound}", at_least(1, 5_000 + bound)) for bound in range(300)]
    answers = decide(ring(1), queries)
    assert all(isinstance(answer.verdict, Holds) for answer in answers)
    assert len(asked) == 1
