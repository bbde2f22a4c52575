"""Runs: every step is one the textbook allows, the same seed gives the same run, and how it came out is true."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.compiled import Origin, OriginMap
from placet.errors import UsageError
from placet.logic.state import evaluate
from placet.net.builder import NetBuilder
from placet.net.final import PlaceClass
from placet.net.firing import enabled, fire
from placet.net.roles import Kind, Role, Roles
from placet.simulate.scheduler import Scheduler
from placet.simulate.simulator import Finality, Outcome, name_of_end, run
from placet.simulate.statistics import replicate
from strategies import any_nets, compiled_of, workflow_nets


@given(any_nets(), st.integers(0, 50), st.lists(st.integers(0, 10), max_size=30))
def test_the_scheduler_agrees_with_the_definition(marked, seed, choices):
    net, marking = marked
    scheduler = Scheduler(net, marking)
    for choice in choices:
        assert scheduler.enabled == enabled(net, marking)
        if not scheduler.enabled:
            break
        t = scheduler.enabled[choice % len(scheduler.enabled)]
        scheduler.fire(t)
        marking = fire(net, marking, t)
        assert tuple(scheduler.tokens) == marking


@given(any_nets(), st.integers(-(2**70), 2**70))
def test_runs_are_runs(marked, seed):
    compiled = compiled_of(*marked)
    found = run(compiled, seed, 40)
    marking = marked.initial
    for event in found.events:
        marking = fire(marked.net, marking, event.transition)
        assert marking is not None
        assert event.id == marked.net.transitions[event.transition]
        assert event.phrase == f"`{event.id}` happens"
    assert found.marking == marking
    assert found == run(compiled, seed, 40)
    if found.outcome is Outcome.STUCK:
        assert enabled(marked.net, marking) == []
    else:
        assert found.outcome is Outcome.RUNNING
        assert len(found.events) == 40


def states(found, compiled):
    marking = compiled.initial
    yield marking
    for event in found.events:
        marking = fire(compiled.net, marking, event.transition)
        yield marking


@given(workflow_nets(), st.booleans(), st.integers(0, 9), st.data())
def test_a_run_ends_where_it_is_final_and_not_before(compiled, any_sink, seed, data):
    classes = tuple(data.draw(st.sampled_from(PlaceClass)) for _ in compiled.net.places)
    compiled = compiled._replace(final=compiled.final._replace(any_sink=any_sink, classes=classes))
    predicate = compiled.final.predicate(compiled.initial)
    found = run(compiled, seed, 60)
    verdicts = [evaluate(predicate, m, lambda m=m: enabled(compiled.net, m)) for m in states(found, compiled)]
    assert not any(verdicts[:-1])
    if verdicts[-1]:
        assert found.outcome is Outcome.ENDED
    elif found.outcome is Outcome.ENDED:  # only messages are left, and nothing can happen any more
        assert enabled(compiled.net, found.marking) == []
        wrong = [
            p
            for p, c in enumerate(classes)
            if found.marking[p] and c is PlaceClass.CHANNEL and p not in compiled.final.ends
        ]
        cleared = tuple(0 if p in wrong else m for p, m in enumerate(found.marking))
        assert evaluate(predicate, cleared, list)
    assert bool(found.end) == (found.outcome is Outcome.ENDED)


def coin():
    """Heads or tails, and a dead end."""
    builder = NetBuilder("coin")
    for place in ("coin#start", "coin#end.heads", "coin#end.tails", "coin#edge"):
        builder.place(place, 1 if place == "coin#start" else 0)
    for number, name in enumerate(("heads", "tails", "edge"), 1):
        builder.transition(name, {0: 1}, {number: 1})
    compiled = compiled_of(*builder.build(), ends=(1, 2), kind="workflow")
    places = (*compiled.origin.places[:3], Origin("edge", "the coin on its edge"))
    return compiled._replace(origin=OriginMap(places, compiled.origin.transitions))


def test_runs_are_told():
    by_end = {run(coin(), seed).told for seed in range(30)}
    assert by_end == {
        "ended `heads` after 1 step",
        "ended `tails` after 1 step",
        "stuck after 1 step, with the coin on its edge",
    }
    assert run(coin(), 0, 0).told == "still running after 0 steps"
    assert name_of_end("p") == "p"


def test_the_dice_are_the_same_everywhere():
    # figures fixed by the definition of the generator (Mersenne Twister, `random()`), the same in every Python
    assert "".join(run(coin(), seed).events[0].id[0] for seed in range(20)) == "ehehhtehhtttthhetthe"


def test_replications_are_counted_and_can_be_had_again():
    found = replicate(coin(), seed=5, replications=200)
    assert sum(t.runs for t in found.tallies) == 200
    assert [(t.outcome, t.end) for t in found.tallies if t.outcome is Outcome.STUCK] == [(Outcome.STUCK, "")]
    for tally in found.tallies:
        assert 40 < tally.runs < 95
        again = run(coin(), tally.seed)
        assert (again.outcome, again.end) == (tally.outcome, tally.end)
    assert (found.shortest, found.longest, found.mean) == (1, 1, 1.0)


def test_bookkeeping_is_not_shown():
    compiled = coin()
    roles = Roles((Role(Kind.ROUTE), Role(Kind.ABSORB), Role(Kind.TASK, service="mint")))
    compiled = compiled._replace(roles=roles, quiet=frozenset({0, 2}))
    shown = {e.id: (e.shown, e.service) for seed in range(30) for e in run(compiled, seed).events}
    assert shown == {"heads": (False, ""), "tails": (False, ""), "edge": (True, "mint")}


def test_misuse_is_told():
    with pytest.raises(UsageError):
        run(coin(), 1, -1)
    with pytest.raises(UsageError):
        replicate(coin(), 1, 0)


def test_resources_must_come_back():
    builder = NetBuilder("r")
    for place, count in (("start", 1), ("end", 0), ("lock", 1)):
        builder.place(place, count)
    builder.transition("work", {0: 1, 2: 1}, {1: 1})
    classes = (PlaceClass.CONTROL, PlaceClass.CONTROL, PlaceClass.RESOURCE)
    compiled = compiled_of(*builder.build(), ends=(1,), classes=classes)
    assert run(compiled).outcome is Outcome.STUCK
    watch = Finality(compiled)
    watch.moved({0: 0, 1: 1})
    assert watch.final
    watch.moved({1: 2})
    assert not watch.final


def test_arcs_at_their_limits():
    builder = NetBuilder("limits")
    builder.place("two", 2)
    builder.place("room", 1, capacity=2)
    for weight in (1, 2, 3):
        builder.transition(f"read{weight}", {}, {}, read={0: weight})
        builder.transition(f"inhibit{weight}", {}, {}, inhibit={0: weight})
        builder.transition(f"take{weight}", {0: weight}, {})
        builder.transition(f"put{weight}", {}, {1: weight})
    net, marking = builder.build()
    names = {net.transitions[t] for t in Scheduler(net, marking).enabled}
    assert names == {"read1", "read2", "inhibit3", "take1", "take2", "put1"}


def test_each_replication_has_the_next_seed():
    one_by_one = [run(coin(), seed) for seed in (7, 8, 9)]
    found = replicate(coin(), seed=7, replications=3)
    assert {(t.outcome, t.end): t.runs for t in found.tallies} == {
        key: sum((r.outcome, r.end) == key for r in one_by_one) for key in {(r.outcome, r.end) for r in one_by_one}
    }
    for tally in found.tallies:
        assert tally.seed == min(r.seed for r in one_by_one if (r.outcome, r.end) == (tally.outcome, tally.end))
    assert replicate(coin(), seed=7, replications=1).replications == 1
