"""Answers depend on the net and the question alone: not on other questions, their order, or reduction at once."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles.reachability import explore as textbook
from placet.analysis import strategy
from placet.analysis.strategy import Options, decide
from placet.compiled import Query
from placet.evidence import Budget, Holds, Inconclusive, Reach, Violated
from placet.net.final import PlaceClass
from strategies import any_nets, cases, compiled_of, predicates, workflow_nets

LIMIT = 250
BOUNDED = Options(Budget(states=2000))


def kinds(answers):
    return [type(answer.verdict) for answer in answers]


@st.composite
def questions(draw, compiled):
    """Some of all questions about a net, in any order."""
    places, transitions = len(compiled.net.places), len(compiled.net.transitions)
    t, p = draw(st.integers(0, transitions - 1)), draw(st.integers(0, places - 1))
    predicate = draw(predicates(places + len(compiled.observers), transitions))
    queries = [
        Query("bounded", ""),
        Query("bounded", "", place=p, bound=draw(st.integers(0, 3))),
        Query("safe", ""),
        Query("deadlock_free", ""),
        Query("no_dead_step", ""),
        Query("quasi_live", "", transition=t),
        Query("live", ""),
        Query("live", "", transition=t),
        Query("never", "", predicate=predicate),
        Query("possible", "", predicate=predicate),
    ]
    if compiled.final.ends:
        names = ("sound", "weak_sound", "relaxed_sound", "option_to_complete", "proper_completion", "livelock_free")
        queries += [Query(name, "") for name in names]
    return draw(st.lists(st.sampled_from(queries), min_size=1, max_size=6, unique=True))


@settings(max_examples=150)
@given(st.one_of(workflow_nets(), any_nets().map(lambda marked: compiled_of(*marked))), st.data(), st.booleans())
def test_alone_and_in_company(compiled, data, at_once):
    assume(textbook(compiled.net, compiled.initial, (), LIMIT).whole)
    queries = data.draw(questions(compiled))
    before = strategy.FIRST_PLACES
    strategy.FIRST_PLACES = 0 if at_once else before
    try:
        together = decide(compiled, queries, BOUNDED)
        alone = [decide(compiled, (query,), BOUNDED)[0] for query in queries]
    finally:
        strategy.FIRST_PLACES = before
    assert Inconclusive not in kinds(together)
    assert kinds(together) == kinds(alone)


@settings(max_examples=300)
@given(cases())
def test_never_and_possible_of_reduced_nets(case):
    (net, initial), watch, predicate = case
    graph = textbook(net, initial, watch, LIMIT)
    assume(graph.whole)
    compiled = compiled_of(net, initial, observers=watch)
    queries = (Query("never", "", predicate=predicate), Query("possible", "", predicate=predicate))
    before = strategy.FIRST_PLACES
    strategy.FIRST_PLACES = 0
    try:
        never, possible = decide(compiled, queries, BOUNDED)
    finally:
        strategy.FIRST_PLACES = before
    seen = bool(graph.where(predicate))
    assert isinstance(never.verdict, Violated if seen else Holds)
    assert isinstance(possible.verdict, Holds if seen else Violated)


@settings(max_examples=180)
@given(workflow_nets())
def test_soundness_shows_the_part_with_the_shortest_run(compiled):
    assume(textbook(compiled.net, compiled.initial, (), LIMIT).whole)
    names = ("sound", "option_to_complete", "proper_completion", "no_dead_step")
    sound, *parts = (a.verdict for a in decide(compiled, [Query(name, "") for name in names]))
    broken = [(part.claim, part.witness) for part in parts if isinstance(part, Violated)]
    if not isinstance(sound, Violated):
        assert not broken
        return
    assert (sound.claim, sound.witness) in broken

    def steps(witness):
        trace = getattr(witness, "trace", None)
        return 10**6 if trace is None else len(trace)

    least = min(steps(witness) for _, witness in broken)
    assert steps(sound.witness) == least
    if any(isinstance(witness, Reach) and steps(witness) == least for _, witness in broken):
        assert isinstance(sound.witness, Reach)


@settings(max_examples=180)
@given(workflow_nets())
def test_what_a_counterexample_names_is_marked_at_its_end(compiled):
    graph = textbook(compiled.net, compiled.initial, (), LIMIT)
    assume(graph.whole)
    names = ("option_to_complete", "proper_completion", "deadlock_free", "safe")
    for name, answer in zip(names, decide(compiled, [Query(name, "") for name in names]), strict=True):
        if not isinstance(answer.verdict, Violated):
            continue
        state = compiled.initial
        for t in answer.verdict.witness.trace:
            state = dict(graph.edges[state])[t]
        marked = {p for p, n in enumerate(state) if n}
        expected = {
            "deadlock_free": marked,
            "safe": {p for p in marked if state[p] > 1},
        }.get(name, marked - set(compiled.final.ends))
        assert answer.verdict.culprits == tuple(sorted(expected))
    kept = (PlaceClass.RECORD, *compiled.final.classes[1:])
    recorded = compiled._replace(final=compiled.final._replace(classes=kept))
    (answer,) = decide(recorded, (Query("option_to_complete", ""),))
    assert not isinstance(answer.verdict, Violated) or 0 not in answer.verdict.culprits
