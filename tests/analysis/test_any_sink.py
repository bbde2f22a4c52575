"""The variant in which any marking of sinks only is final: by its definition, with the sinks counted."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles import properties
from oracles.reachability import Graph
from oracles.reachability import explore as textbook
from placet.analysis.strategy import Options, decide
from placet.analysis.subject import sinks, whole, without_sinks
from placet.compiled import Query
from placet.evidence import Budget, Grows, Holds, Inconclusive, Pump, Reach, Reaches, Strands, Violated
from placet.net.builder import NetBuilder
from placet.net.firing import enabled, fire
from strategies import compiled_of, workflow_nets


def any_sink(compiled):
    """The same net with every place that nothing consumes from as an end, any of which may be marked."""
    ends = tuple(p for p, users in enumerate(compiled.net.consumers()) if not users)
    return compiled._replace(final=compiled.final._replace(ends=ends, any_sink=True))


def sound(compiled):
    """Every other place is safe and a marking of sinks only stays reachable; None where the graph is too large."""
    graph = textbook(compiled.net, compiled.initial, (), 300)
    others = [p for p in range(len(compiled.net.places)) if p not in compiled.final.ends]
    if any(s[p] > 1 for s in graph.edges for p in others):
        return False
    if not graph.whole:
        return None
    final = compiled.final.predicate(compiled.initial)
    return all(graph.reach(s) & graph.where(final) for s in graph.edges)


@settings(max_examples=500)
@given(workflow_nets(breaks=1))
def test_sound_by_its_definition(compiled):
    compiled = any_sink(compiled)
    assume(compiled.final.ends)
    expected = sound(compiled)
    assume(expected is not None)
    answer, otc, proper = decide(
        compiled, (Query("sound", ""), Query("option_to_complete", ""), Query("proper_completion", ""))
    )
    assert isinstance(answer.verdict, Holds if expected else Violated)
    assert answer.verdict.assumptions.final == "any-sink"
    assert isinstance(proper.verdict, Holds)
    assert proper.verdict.vacuous
    if isinstance(answer.verdict, Violated):
        assert answer.replayed.partly == ()
        assert isinstance(answer.verdict.claim, (Strands, Reaches))
    if expected:
        assert isinstance(otc.verdict, Holds)


@settings(max_examples=300)
@given(workflow_nets())
def test_leaving_the_sinks_out_changes_nothing_else(compiled):
    compiled = any_sink(compiled)
    assume(compiled.final.ends)
    subject = without_sinks(compiled)
    graph = textbook(compiled.net, compiled.initial, (), 150)
    final = whole(compiled).goal
    arrived = len(compiled.net.places) if subject.observers else None
    for state, out in graph.edges.items():
        seen = tuple(compiled.initial[p] if p in subject.cut else n for p, n in enumerate(state))
        ends = any(state[p] for p in compiled.final.ends)
        watched = (int(ends),) if arrived is not None else ()
        fired = [t for t in range(len(compiled.net.transitions)) if fire(subject.net, seen, t) is not None]
        assert fired == [t for t, _ in out]
        if subject.cut:
            from placet.logic.state import evaluate

            assert evaluate(subject.goal, seen + watched, lambda fired=fired: fired) == graph.holds(final, state)


def clipped(compiled, limit=300):
    """The textbook graph with "many" for the count of an end: with weights of one nothing can tell two from three."""
    net, ends = compiled.net, frozenset(compiled.final.ends)

    def clip(marking):
        return tuple(min(n, 1) if p in ends else n for p, n in enumerate(marking))

    start = clip(compiled.initial)
    depth, edges, queue = {start: 0}, {}, deque([start])
    while queue and len(edges) < limit:
        state = queue.popleft()
        edges[state] = [(t, clip(fire(net, state, t))) for t in enabled(net, state)]
        for _, after in edges[state]:
            if after not in depth:
                depth[after] = depth[state] + 1
                queue.append(after)
    return Graph(net, depth, edges, whole=not queue)


@settings(max_examples=400)
@given(workflow_nets(breaks=1), st.data())
def test_every_check_by_its_definition(compiled, data):
    compiled = any_sink(compiled)
    assume(compiled.final.ends)
    graph = clipped(compiled)
    assume(graph.whole)
    final = compiled.final.predicate(compiled.initial)
    steps = [step for _, step in compiled.steps]
    t = data.draw(st.integers(0, len(steps) - 1))
    alive = properties.steps_alive(graph, steps)
    otc = properties.option_to_complete(graph, final)
    safe = properties.safe(graph, set(range(len(compiled.net.places))) - set(compiled.final.ends))
    expected = {
        Query("option_to_complete", ""): otc,
        Query("sound", ""): otc and safe,
        Query("weak_sound", ""): otc and safe,
        Query("relaxed_sound", ""): properties.relaxed_sound(graph, final, steps),
        Query("safe", ""): safe,
        Query("no_dead_step", ""): all(alive),
        Query("quasi_live", "", transition=t): alive[t],
        Query("live", "", transition=t): properties.live(graph, t),
        Query("deadlock_free", ""): properties.deadlock_free(graph, final),
        Query("livelock_free", ""): properties.livelock_free(graph, final),
    }
    unclipped = textbook(compiled.net, compiled.initial, (), 2000).whole
    decided = sinks(compiled) == frozenset(compiled.final.ends) or unclipped
    for answer in decide(compiled, tuple(expected), Options(Budget(states=1000))):
        if not isinstance(answer.verdict, Inconclusive):
            assert isinstance(answer.verdict, Holds if expected[answer.query] else Violated), answer
        else:
            assert not decided, answer
    (bounded,) = decide(compiled, (Query("bounded", ""),), Options(Budget(states=3000)))
    assert isinstance(bounded.verdict, Holds) == unclipped


class Shape(NamedTuple):
    name: str
    build: object
    verdict: type


def looping_sink(builder):
    """A loop that reports to a sink for ever and can be left: unbounded, and sound all the same."""
    a, report, end = builder.place("a", 1), builder.place("report"), builder.place("end")
    builder.transition("round", {a: 1}, {a: 1, report: 1})
    builder.transition("leave", {a: 1}, {end: 1})


def endless_sink(builder):
    """The same loop without a way out."""
    a, report = builder.place("a", 1), builder.place("report")
    builder.transition("round", {a: 1}, {a: 1, report: 1})


def vanishing(builder):
    """A transition that ends without reaching any sink: nothing is left, but no end was reached either."""
    a, end = builder.place("a", 1), builder.place("end")
    builder.transition("leave", {a: 1}, {end: 1})
    builder.transition("vanish", {a: 1}, {})


def vanishing_after(builder):
    """The same, after a sink has been reached."""
    a, b, end = builder.place("a", 1), builder.place("b"), builder.place("end")
    builder.transition("arrive", {a: 1}, {end: 1, b: 1})
    builder.transition("vanish", {b: 1}, {})


def unsafe(builder):
    """Both branches of a fork go on through one place."""
    a, b, c, d, end = (builder.place(n, int(n == "a")) for n in "abcde")
    builder.transition("fork", {a: 1}, {b: 1, c: 1})
    builder.transition("left", {b: 1}, {d: 1})
    builder.transition("right", {c: 1}, {d: 1})
    builder.transition("leave", {d: 1}, {end: 1})


def unbounded(builder):
    """A place that is no sink collects tokens."""
    a, b, end = builder.place("a", 1), builder.place("b"), builder.place("end")
    builder.transition("round", {a: 1}, {a: 1, b: 1})
    builder.transition("leave", {a: 1}, {end: 1})
    builder.transition("clear", {b: 1}, {end: 1})


def dead(builder):
    """A transition that never fires is no fault in this variant."""
    a, b, end = builder.place("a", 1), builder.place("b"), builder.place("end")
    builder.transition("leave", {a: 1}, {end: 1})
    builder.transition("never", {b: 1}, {end: 1})


@pytest.mark.parametrize(
    ("build", "verdict"),
    [
        (looping_sink, Holds),
        (endless_sink, Violated),
        (vanishing, Violated),
        (vanishing_after, Holds),
        (unsafe, Violated),
        (unbounded, Violated),
        (dead, Holds),
    ],
)
def test_shapes(build, verdict):
    builder = NetBuilder()
    build(builder)
    compiled = any_sink(compiled_of(*builder.build()))
    (answer,) = decide(compiled, (Query("sound", "sound"),), Options(Budget(states=1000)))
    assert isinstance(answer.verdict, verdict)
    if verdict is Violated:
        assert answer.replayed.partly == ()


def test_an_end_that_something_reads_is_not_left_out():
    builder = NetBuilder()
    a, b, end = builder.place("a", 1), builder.place("b", 1), builder.place("end")
    builder.transition("leave", {a: 1}, {end: 1})
    builder.transition("follow", {b: 1}, {end: 1}, read={end: 1})
    compiled = any_sink(compiled_of(*builder.build()))
    assert sinks(compiled) == frozenset()
    (answer,) = decide(compiled, (Query("sound", "sound"),))
    assert isinstance(answer.verdict, Holds)


def test_a_sink_that_grows_for_ever_hides_nothing():
    """The loop drops something on a sink in every round; the markings are infinite, the question is not."""
    b = NetBuilder("net")
    here, waste, done = b.place("here", 1), b.place("waste"), b.place("done")
    b.transition("round", {here: 1}, {here: 1, waste: 1})
    b.transition("leave", {here: 1}, {done: 1})
    compiled = compiled_of(*b.build(), ends=(waste, done), any_sink=True)
    for check in ("option_to_complete", "no_dead_step", "livelock_free", "sound"):
        (answer,) = decide(compiled, (Query(check, ""),), Options(Budget(states=1000)))
        assert isinstance(answer.verdict, Holds), check


def test_ended_before_the_first_step():
    """The initial marking itself has an end marked, and work left over."""
    b = NetBuilder("net")
    here, done = b.place("here", 1), b.place("done", 1)
    b.transition("go", {here: 1}, {done: 1})
    (answer,) = decide(compiled_of(*b.build(), ends=(done,)), (Query("proper_completion", ""),))
    assert isinstance(answer.verdict, Violated)
    assert answer.verdict.witness.trace == ()


def test_a_sink_that_grows_for_ever_has_no_bound():
    """What is aside for completion is the question here: the sink is a place, and this check speaks of all of them."""
    builder = NetBuilder()
    looping_sink(builder)
    compiled = any_sink(compiled_of(*builder.build()))
    assert sinks(compiled) == {1, 2}
    bounded, three = decide(compiled, (Query("bounded", ""), Query("bounded", "", place=1, bound=3)))
    assert isinstance(bounded.verdict, Violated)
    assert (bounded.verdict.claim, bounded.verdict.witness) == (Grows(1), Pump((), (0,)))
    assert isinstance(three.verdict, Violated)
    assert three.verdict.witness == Reach((0,) * 4)
