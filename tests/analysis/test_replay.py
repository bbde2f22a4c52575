"""Replay accepts what the checks find and refuses witnesses that were tampered with."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles import properties
from oracles.reachability import explore as textbook
from placet.analysis.replay import Replayed, replay
from placet.analysis.strategy import Options, decide
from placet.compiled import Query
from placet.errors import EvidenceError
from placet.evidence import (
    Budget,
    Certificate,
    Cycles,
    Grows,
    Lasso,
    Never,
    NeverHolds,
    NoReturn,
    Proof,
    Pump,
    Reach,
    Reaches,
    Strands,
    Violated,
)
from placet.logic.state import FALSE, TRUE, And, Dead, Fireable, Linear, Not, Or, at_least
from placet.net.builder import NetBuilder
from placet.net.firing import fire_state
from placet.net.roles import Kind, Role, Roles
from strategies import any_nets, cases, compiled_of, workflow_nets

PROOF = Proof("test")


def shown(compiled, claim, witness, limit=10_000):
    try:
        return replay(compiled, Violated(claim, witness, PROOF), limit)
    except EvidenceError:
        return None


def fires(compiled, trace, start=None):
    state = compiled.start if start is None else start
    for t in trace:
        state = fire_state(compiled.net, compiled.observers, state, t)
        if state is None:
            return None
    return state


@st.composite
def tampered(draw, trace, transitions):
    """The trace with one transition dropped, doubled, exchanged for another, or two swapped."""
    changed = list(trace)
    kind = draw(st.sampled_from(["drop", "double", "other", "swap", "insert"]))
    if not changed or kind == "insert":
        changed.insert(draw(st.integers(0, len(changed))), draw(st.integers(-1, transitions)))
        return tuple(changed)
    at = draw(st.integers(0, len(changed) - 1))
    if kind == "drop":
        del changed[at]
    elif kind == "double":
        changed.insert(at, changed[at])
    elif kind == "other":
        changed[at] = draw(st.integers(0, transitions))
    else:
        other = draw(st.integers(0, len(changed) - 1))
        changed[at], changed[other] = changed[other], changed[at]
    return tuple(changed)


class TestTampered:
    """A changed witness is accepted exactly where it shows the claim all the same, by the definitions."""

    @settings(max_examples=400)
    @given(cases(), st.data())
    def test_reach(self, case, data):
        (net, initial), watch, predicate = case
        compiled = compiled_of(net, initial, observers=watch)
        (found,) = decide(compiled, (Query("never", "", predicate=predicate),), Options(Budget(states=300)))
        assume(isinstance(found.verdict, Violated))
        assert replay(compiled, found.verdict) == Replayed()
        trace = data.draw(tampered(found.verdict.witness.trace, len(net.transitions)))
        end = fires(compiled, trace) if all(0 <= t < len(net.transitions) for t in trace) else None
        graph = textbook(net, initial, watch, 5)
        graph.edges[end] = [(t, None) for t in range(len(net.transitions)) if end and fires(compiled, (t,), end)]
        expected = end is not None and graph.holds(predicate, end)
        assert (shown(compiled, Reaches(predicate), Reach(trace)) is not None) == expected

    @settings(max_examples=400)
    @given(workflow_nets(), st.data())
    def test_no_return(self, compiled, data):
        net, final = compiled.net, compiled.final.predicate(compiled.initial)
        graph = textbook(net, compiled.initial, (), 250)
        assume(graph.whole)
        (found,) = decide(compiled, (Query("option_to_complete", ""),))
        trace = found.verdict.witness.trace if isinstance(found.verdict, Violated) else ()
        trace = data.draw(tampered(trace, len(net.transitions)))
        end = fires(compiled, trace) if all(0 <= t < len(net.transitions) for t in trace) else None
        expected = end is not None and not graph.reach(end) & graph.where(final)
        assert (shown(compiled, Strands(final), NoReturn(trace, 1)) is not None) == expected

    @settings(max_examples=300)
    @given(any_nets(), st.data())
    def test_pump(self, marked, data):
        net, initial = marked
        compiled = compiled_of(net, initial)
        (found,) = decide(compiled, (Query("bounded", ""),), Options(Budget(states=500)))
        assume(isinstance(found.verdict, Violated))
        pump = found.verdict.witness
        trace, loop = pump.trace, pump.loop
        if data.draw(st.booleans()):
            loop = data.draw(tampered(loop, len(net.transitions)))
        else:
            trace = data.draw(tampered(trace, len(net.transitions)))
        place = data.draw(st.integers(0, len(net.places) - 1))
        if shown(compiled, Grows(place), Pump(trace, loop)) is None:
            return
        counts = [fires(compiled, trace + loop * times)[place] for times in range(6)]
        assert all(b > a for a, b in zip(counts, counts[1:], strict=False))

    @settings(max_examples=300)
    @given(workflow_nets(blocks=5), st.data())
    def test_lasso(self, compiled, data):
        net, final = compiled.net, compiled.final.predicate(compiled.initial)
        graph = textbook(net, compiled.initial, (), 250)
        assume(graph.whole)
        trace, loop = [], []
        state = compiled.start
        for part in (trace, loop):
            for _ in range(data.draw(st.integers(0, 4))):
                if graph.edges[state]:
                    t, state = data.draw(st.sampled_from(graph.edges[state]))
                    part.append(t)
        begun = fires(compiled, trace)
        expected = bool(loop) and state == begun and not graph.reach(begun) & graph.where(final)
        claim = Cycles(Not(final), escape=final)
        assert (shown(compiled, claim, Lasso(tuple(trace), tuple(loop))) is not None) == expected

    @settings(max_examples=400)
    @given(cases())
    def test_a_closed_set_without_the_predicate(self, case):
        (net, initial), watch, predicate = case
        graph = textbook(net, initial, watch, 200)
        assume(graph.whole)
        compiled = compiled_of(net, initial, observers=watch)
        given_up = shown(compiled, NeverHolds(predicate), Never(Certificate("closed set", states=1)), len(graph.edges))
        assert (given_up == Replayed()) == (not graph.where(predicate))

    @settings(max_examples=400)
    @given(workflow_nets(), st.data())
    def test_a_step_that_never_ends_well(self, compiled, data):
        graph = textbook(compiled.net, compiled.initial, (), 200)
        assume(graph.whole)
        step = data.draw(st.sets(st.integers(0, len(compiled.net.transitions) - 1), min_size=1, max_size=2))
        final = compiled.final.predicate(compiled.initial)
        claim = NeverHolds(final, after=tuple(step))
        expected = not any(properties.relaxed_sound(graph, final, [(t,)]) for t in step)
        assert (shown(compiled, claim, Never(Certificate("closed set"))) is not None) == expected

    @settings(max_examples=300)
    @given(any_nets(), st.data())
    def test_siphons(self, marked, data):
        net, initial = marked
        graph = textbook(net, initial, (), 300)
        places = data.draw(st.sets(st.integers(0, len(net.places) - 1)))
        t = data.draw(st.integers(0, len(net.transitions) - 1))
        certificate = Never(Certificate("empty siphon", tuple(places)))
        if shown(compiled_of(net, initial), NeverHolds(Or((Fireable(t),))), certificate) is not None:
            assert not any(fired == t for out in graph.edges.values() for fired, _ in out)
            assert all(state[p] == 0 for state in graph.edges for p in places)


def ring():
    """a -> b -> a, and a way out of b to a place from which nothing leads on; `end` is never reached."""
    builder = NetBuilder()
    a, b, c, end = builder.place("a", 1), builder.place("b"), builder.place("c"), builder.place("end")
    builder.transition("go", {a: 1}, {b: 1})
    builder.transition("back", {b: 1}, {a: 1})
    builder.transition("out", {b: 1}, {c: 1})
    builder.transition("finish", {c: 1, end: 1}, {end: 1})
    net, initial = builder.build()
    return compiled_of(net, initial, ends=(end,))


REFUSED = [
    (Reaches(at_least(1)), NoReturn((0,), 1)),
    (Strands(at_least(3)), Reach((0,))),
    (Grows(1), Reach((0,))),
    (Reaches(at_least(1)), Lasso((0,), (1, 0))),
    (Cycles(TRUE), Pump((), (0, 1))),
    (Cycles(TRUE), Lasso((), ())),
    (Cycles(TRUE), Lasso((), (0,))),
    (Cycles(at_least(0)), Lasso((), (0, 1))),
    (Cycles(TRUE, escape=at_least(2)), Lasso((), (0, 1))),
    (Grows(0), Pump((), (0, 1))),
    (Grows(9), Pump((), (0, 1))),
    (Reaches(Dead()), Reach((0,))),
    (NeverHolds(Or((Fireable(0),))), Never(Certificate("empty siphon", (3,)))),
    (NeverHolds(Or((Fireable(3),))), Never(Certificate("empty siphon", (0, 3)))),
    (NeverHolds(Or((Fireable(3),))), Never(Certificate("empty siphon", (2,)))),
    (NeverHolds(Or((Fireable(3),))), Never(Certificate("empty siphon", (3, 7)))),
    (NeverHolds(at_least(3)), Never(Certificate("empty siphon", (3,)))),
    (NeverHolds(at_least(3)), Never(Certificate("invariant", (3,), (1,)))),
    (NeverHolds(at_least(2)), Never(Certificate("closed set", states=4))),
    (Strands(at_least(2)), NoReturn((0,), 2)),
]
ACCEPTED = [
    (Reaches(at_least(1)), Reach((0,))),
    (Reaches(Dead()), Reach((0, 2))),
    (Strands(at_least(3)), NoReturn((), 3)),
    (Cycles(TRUE), Lasso((), (0, 1))),
    (Cycles(Linear(((2, 1),), "==", 0), escape=at_least(3)), Lasso((0,), (1, 0))),
    (NeverHolds(Or((Fireable(3),))), Never(Certificate("empty siphon", (3,)))),
    (NeverHolds(at_least(3)), Never(Certificate("closed set", states=4))),
    (NeverHolds(And((at_least(0), at_least(1)))), Never(Certificate("closed set", states=1))),
    (NeverHolds(FALSE), Never(Certificate("closed set", states=1))),
]


class TestByHand:
    @pytest.mark.parametrize(("claim", "witness"), ACCEPTED)
    def test_accepted(self, claim, witness):
        assert shown(ring(), claim, witness) == Replayed()

    @pytest.mark.parametrize(("claim", "witness"), REFUSED)
    def test_refused(self, claim, witness):
        with pytest.raises(EvidenceError):
            replay(ring(), Violated(claim, witness, PROOF))

    def test_past_the_limit_what_was_not_checked_is_named(self):
        builder = NetBuilder()
        p = builder.place("p", 50)
        builder.transition("t", {p: 1}, {})
        compiled = compiled_of(*builder.build())
        witness = Never(Certificate("closed set", states=51))
        assert shown(compiled, NeverHolds(at_least(0, 51)), witness, 51) == Replayed()
        assert shown(compiled, NeverHolds(at_least(0, 51)), witness, 50).partly != ()
        assert shown(compiled, Strands(at_least(0, 51)), NoReturn((), 51), 50).partly != ()
        assert shown(compiled, NeverHolds(at_least(0, 51), after=(0,)), witness, 20).partly != ()

    def test_growth_that_a_reset_an_inhibitor_or_a_capacity_stops_is_refused(self):
        for options in ({"reset": (1,)}, {"inhibit": {1: 5}}):
            builder = NetBuilder()
            p, q = builder.place("p", 1), builder.place("q")
            builder.transition("t", {p: 1}, {p: 1, q: 1}, **options)
            with pytest.raises(EvidenceError):
                replay(compiled_of(*builder.build()), Violated(Grows(q), Pump((), (0,)), PROOF))
        builder = NetBuilder()
        p, q = builder.place("p", 1), builder.place("q", 0, 5)
        builder.transition("t", {p: 1}, {p: 1, q: 1})
        with pytest.raises(EvidenceError):
            replay(compiled_of(*builder.build()), Violated(Grows(q), Pump((), (0,)), PROOF))

    def test_a_place_that_is_emptied_first_never_meets_its_capacity(self):
        builder = NetBuilder()
        p, q = builder.place("p"), builder.place("q", 0, 1)
        builder.transition("t", {}, {p: 1, q: 1}, reset=(q,))
        compiled = compiled_of(*builder.build())
        assert replay(compiled, Violated(Grows(p), Pump((), (0,)), PROOF)) == Replayed()
        with pytest.raises(EvidenceError):
            replay(compiled, Violated(Grows(q), Pump((), (0,)), PROOF))

    def test_a_fault_rescues_no_run(self):
        """`finish` needs a token that only the fault brings: an end is reachable, but nothing may rely on it."""
        builder = NetBuilder()
        start, lost, end = builder.place("start", 1), builder.place("lost"), builder.place("end")
        builder.transition("fault", {start: 1}, {lost: 1})
        builder.transition("finish", {lost: 1}, {end: 1})
        compiled = compiled_of(*builder.build(), ends=(end,))
        final = compiled.final.predicate(compiled.initial)
        with pytest.raises(EvidenceError):
            replay(compiled, Violated(Strands(final), NoReturn((), 1), PROOF))
        woven = compiled._replace(roles=Roles((Role(Kind.FAULT, fault="lost"), Role(Kind.REPLY))))
        assert replay(woven, Violated(Strands(final), NoReturn((), 1), PROOF)) == Replayed()
        with pytest.raises(EvidenceError):
            replay(woven, Violated(Strands(final), NoReturn((0,), 1), PROOF))
