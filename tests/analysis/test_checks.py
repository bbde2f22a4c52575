"""Every check against its definition over the textbook graph, on random nets and random workflow nets."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles import properties
from oracles.reachability import explore as textbook
from placet.analysis.strategy import Options, decide
from placet.compiled import Query
from placet.evidence import Budget, Holds, Inconclusive, Violated
from strategies import any_nets, cases, compiled_of, predicates, workflow_nets

LIMIT = 250
SETTINGS = [
    pytest.param(Options(reduce=False), id="unreduced"),
    pytest.param(Options(), id="reduced where it pays"),
]

DEFAULT = Options()


def ask(compiled, *queries, options=DEFAULT):
    answers = decide(compiled, queries, options)
    assert [a.query for a in answers] == list(queries)
    for answer in answers:
        if isinstance(answer.verdict, Violated):
            assert answer.replayed is not None
            assert answer.replayed.partly == ()
    return [answer.verdict for answer in answers]


def agrees(verdict, expected):
    assert isinstance(verdict, Holds if expected else Violated), verdict


def check_workflow(compiled, options):
    graph = textbook(compiled.net, compiled.initial, (), LIMIT)
    assume(graph.whole)
    final, ended = compiled.final.predicate(compiled.initial), compiled.final.ended()
    steps = [step for _, step in compiled.steps]
    named = [
        "option_to_complete",
        "proper_completion",
        "no_dead_step",
        "sound",
        "weak_sound",
        "relaxed_sound",
        "safe",
        "deadlock_free",
        "livelock_free",
    ]
    verdicts = dict(zip(named, ask(compiled, *(Query(n, n) for n in named), options=options), strict=True))
    otc = properties.option_to_complete(graph, final)
    proper = properties.proper_completion(graph, final, ended)
    alive = all(properties.steps_alive(graph, steps))
    agrees(verdicts["option_to_complete"], otc)
    agrees(verdicts["proper_completion"], proper)
    agrees(verdicts["no_dead_step"], alive)
    agrees(verdicts["sound"], otc and proper and alive)
    agrees(verdicts["weak_sound"], otc and proper)
    agrees(verdicts["relaxed_sound"], properties.relaxed_sound(graph, final, steps))
    agrees(verdicts["safe"], properties.safe(graph, range(len(compiled.net.places))))
    agrees(verdicts["deadlock_free"], properties.deadlock_free(graph, final))
    agrees(verdicts["livelock_free"], properties.livelock_free(graph, final))


class TestWorkflowNets:
    @settings(max_examples=400)
    @given(workflow_nets())
    def test_as_they_are(self, compiled):
        check_workflow(compiled, Options(reduce=False))

    @settings(max_examples=400)
    @given(workflow_nets(blocks=6))
    def test_reduced_at_once(self, compiled):
        import placet.analysis.strategy as strategy

        before = strategy.FIRST_PLACES
        strategy.FIRST_PLACES = 0
        try:
            check_workflow(compiled, Options())
        finally:
            strategy.FIRST_PLACES = before

    @settings(max_examples=300)
    @given(workflow_nets(extensions=False, blocks=3))
    def test_the_shortest_counterexamples(self, compiled):
        graph = textbook(compiled.net, compiled.initial, (), LIMIT)
        assume(graph.whole)
        final = compiled.final.predicate(compiled.initial)
        otc, proper = ask(compiled, Query("option_to_complete", ""), Query("proper_completion", ""))
        if isinstance(otc, Violated):
            good = graph.where(final)
            shortest = min(d for s, d in graph.depth.items() if not graph.reach(s) & good)
            assert len(otc.witness.trace) == shortest
            assert otc.witness.closed >= 1
        if isinstance(proper, Violated):
            early = graph.where(compiled.final.ended()) - graph.where(final)
            assert len(proper.witness.trace) == min(graph.depth[s] for s in early)


class TestPlainNets:
    @settings(max_examples=300)
    @given(any_nets(), st.data())
    def test_checks_without_an_end(self, marked, data):
        net, initial = marked
        graph = textbook(net, initial, (), LIMIT)
        assume(graph.whole)
        transition = data.draw(st.integers(0, len(net.transitions) - 1))
        place = data.draw(st.integers(0, len(net.places) - 1))
        bound = data.draw(st.integers(0, 3))
        compiled = compiled_of(net, initial)
        verdicts = ask(
            compiled,
            Query("bounded", ""),
            Query("bounded", "", place=place, bound=bound),
            Query("safe", ""),
            Query("deadlock_free", ""),
            Query("no_dead_step", ""),
            Query("quasi_live", ""),
            Query("quasi_live", "", transition=transition),
            Query("live", ""),
            Query("live", "", transition=transition),
        )
        alive = properties.steps_alive(graph, [(t,) for t in range(len(net.transitions))])
        agrees(verdicts[0], True)
        agrees(verdicts[1], all(s[place] <= bound for s in graph.edges))
        agrees(verdicts[2], properties.safe(graph, range(len(net.places))))
        agrees(verdicts[3], properties.deadlock_free(graph, None))
        agrees(verdicts[4], all(alive))
        agrees(verdicts[5], all(alive))
        agrees(verdicts[6], alive[transition])
        agrees(verdicts[7], all(properties.live(graph, t) for t in range(len(net.transitions))))
        agrees(verdicts[8], properties.live(graph, transition))

    @settings(max_examples=300)
    @given(cases())
    def test_never_and_possible(self, case):
        (net, initial), watch, predicate = case
        graph = textbook(net, initial, watch, LIMIT)
        assume(graph.whole)
        compiled = compiled_of(net, initial, observers=watch)
        seen = graph.where(predicate)
        never, possible, lost = ask(
            compiled,
            Query("never", "", predicate=predicate),
            Query("possible", "", predicate=predicate),
            Query("anomaly_A1", "", predicate=predicate),
        )
        agrees(never, not seen)
        agrees(lost, not seen)
        agrees(possible, bool(seen))
        if seen:
            assert len(never.witness.trace) == min(graph.depth[s] for s in seen)

    @settings(max_examples=400)
    @given(cases(), st.data())
    def test_a_budget_that_is_too_small_never_passes(self, case, data):
        (net, initial), watch, predicate = case
        graph = textbook(net, initial, watch, LIMIT)
        limit = data.draw(st.integers(1, 20))
        compiled = compiled_of(net, initial, observers=watch)
        options = Options(budget=Budget(states=limit), reduce=False)
        queries = [Query("never", "", predicate=predicate), Query("deadlock_free", ""), Query("live", "")]
        verdicts = ask(compiled, *queries, Query("possible", "", predicate=predicate), options=options)
        for verdict in verdicts[:3]:
            if isinstance(verdict, Holds):
                assert graph.whole
                assert len(graph.edges) <= limit
            if isinstance(verdict, Inconclusive) and verdict.budget == "states":
                assert verdict.limit == str(limit)
                assert verdict.option == "--budget-states"
        if isinstance(verdicts[3], Violated):
            assert graph.whole
            assert len(graph.edges) <= limit


class TestUnboundedNets:
    @settings(max_examples=300)
    @given(any_nets())
    def test_boundedness_of_plain_nets_is_decided(self, marked):
        net, initial = marked
        graph = textbook(net, initial, (), LIMIT)
        options = Options(budget=Budget(states=2000))
        (verdict,) = ask(compiled_of(net, initial), Query("bounded", ""), options=options)
        if graph.whole:
            agrees(verdict, True)
        elif net.is_plain and len(net.places) <= 4:
            assert not isinstance(verdict, Inconclusive)
        if isinstance(verdict, Violated):
            assert not graph.whole
            assert verdict.culprits == (verdict.claim.place,)

    @settings(max_examples=300)
    @given(any_nets(), st.data())
    def test_nothing_is_claimed_that_a_part_of_the_graph_refutes(self, marked, data):
        net, initial = marked
        graph = textbook(net, initial, (), LIMIT)
        assume(not graph.whole)
        place = data.draw(st.integers(0, len(net.places) - 1))
        predicate = data.draw(predicates(len(net.places), len(net.transitions)))
        compiled = compiled_of(net, initial, ends=(place,))
        options = Options(budget=Budget(states=300), replay_states=600)
        names = ["sound", "option_to_complete", "proper_completion", "deadlock_free", "safe", "no_dead_step"]
        queries = [Query(n, n) for n in names]
        queries += [Query("never", "", predicate=predicate), Query("possible", "", predicate=predicate)]
        answers = decide(compiled, queries, options)
        verdicts = dict(zip([*names, "never", "possible"], (a.verdict for a in answers), strict=True))
        final = compiled.final.predicate(initial)
        refuted = {
            "proper_completion": bool(graph.where(compiled.final.ended()) - graph.where(final)),
            "deadlock_free": not properties.deadlock_free(graph, final),
            "safe": not properties.safe(graph, range(len(net.places))),
            "never": bool(graph.where(predicate)),
        }
        for name, shown in refuted.items():
            assert not (shown and isinstance(verdicts[name], Holds)), name
        for name in ("sound", "option_to_complete", "proper_completion"):
            assert not isinstance(verdicts[name], Holds), name
        if graph.where(predicate):
            assert not isinstance(verdicts["possible"], Violated)
        fired = {t for out in graph.edges.values() for t, _ in out}
        if isinstance(verdicts["no_dead_step"], Violated):
            assert not fired & set(verdicts["no_dead_step"].culprits)
