"""Budgets, assumptions, order and sharing; what a proof may not lean on."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings

from placet.analysis import strategy
from placet.analysis.check import CHECKS, STANDARD, check
from placet.analysis.strategy import Options, decide
from placet.compile.check_items import CHECKS as SHAPES
from placet.compiled import Query
from placet.errors import UsageError
from placet.evidence import Assumptions, Budget, Grows, Holds, Inconclusive, Lasso, Never, NoReturn, Reach, Violated
from placet.logic.state import TRUE, Fireable, at_least
from placet.net.builder import NetBuilder
from placet.net.final import PlaceClass
from placet.net.roles import Kind, Role, Roles
from strategies import any_nets, compiled_of, workflow_nets

WORKFLOW = [
    "sound",
    "weak_sound",
    "relaxed_sound",
    "option_to_complete",
    "proper_completion",
    "no_dead_step",
    "safe",
    "livelock_free",
]

DEFAULT = Options()


def verdict_of(compiled, query, options=DEFAULT):
    return decide(compiled, (query,), options)[0].verdict


def line(steps=1, *, kind="workflow"):
    """start -> ... -> end, `steps` transitions."""
    builder = NetBuilder("line")
    places = [builder.place(f"p{i}", int(i == 0)) for i in range(steps + 1)]
    for i in range(steps):
        builder.transition(f"t{i}", {places[i]: 1}, {places[i + 1]: 1})
    return compiled_of(*builder.build(), ends=(steps,), kind=kind)


def fork(branches, steps):
    """A fork into branches of some steps each, and their join."""
    builder = NetBuilder("fork")
    start, end = builder.place("start", 1), builder.place("end")
    rows = [[builder.place(f"b{i}_{j}") for j in range(steps + 1)] for i in range(branches)]
    builder.transition("fork", {start: 1}, {row[0]: 1 for row in rows})
    for i, row in enumerate(rows):
        for j in range(steps):
            builder.transition(f"s{i}_{j}", {row[j]: 1}, {row[j + 1]: 1})
    builder.transition("join", {row[-1]: 1 for row in rows}, {end: 1})
    return compiled_of(*builder.build(), ends=(end,), kind="workflow")


def two_loops(with_way_out):
    """A loop of two steps, with or without the step that ends it."""
    builder = NetBuilder("loop")
    a, b, end = builder.place("a", 1), builder.place("b"), builder.place("end")
    builder.transition("go", {a: 1}, {b: 1})
    builder.transition("back", {b: 1}, {a: 1})
    if with_way_out:
        builder.transition("leave", {b: 1}, {end: 1})
    return compiled_of(*builder.build(), ends=(end,), kind="workflow")


def test_every_check_of_the_registry_is_there():
    for identifier in CHECKS:
        found = check(identifier)
        assert isinstance(found.existential, bool)
        assert isinstance(found.cuts_sinks, bool)
    assert all(c in CHECKS for checks in STANDARD.values() for c in checks)
    with pytest.raises(UsageError):
        check("valid")
    with pytest.raises(UsageError):
        decide(line(), (Query("sound", ""),), Options(engine="steam"))
    with pytest.raises(UsageError):
        decide(line(), (Query("never", ""),))


def test_a_line_passes_everything():
    for answer in decide(line(3), [Query(name, name) for name in WORKFLOW]):
        assert isinstance(answer.verdict, Holds)
        assert answer.verdict.proof.states == 4
        assert answer.verdict.proof.engine == "reference"
        assert answer.seconds > 0


def test_answers_come_in_the_order_of_the_queries():
    queries = [Query("never", "a", predicate=at_least(1)), Query("sound", "b"), Query("possible", "c", predicate=TRUE)]
    assert [a.query for a in decide(line(), queries)] == queries


def test_without_an_end_completion_is_no_question():
    compiled = line()._replace(final=line().final._replace(ends=()))
    for name in WORKFLOW:
        verdict = verdict_of(compiled, Query(name, name))
        if name in ("no_dead_step", "safe"):
            assert isinstance(verdict, Holds)
        else:
            assert isinstance(verdict, Inconclusive)
            assert verdict.budget == "theory"


def test_what_is_too_large_for_the_first_pass_is_reduced_and_says_so():
    compiled = fork(12, 4)  # 5^12 + 2 states
    for name in [
        "sound",
        "option_to_complete",
        "proper_completion",
        "no_dead_step",
        "safe",
        "livelock_free",
        "deadlock_free",
    ]:
        verdict = verdict_of(compiled, Query(name, name), Options(Budget(states=50_000)))
        assert isinstance(verdict, Holds), name
        assert verdict.proof.reductions
    unreduced = verdict_of(compiled, Query("sound", ""), Options(Budget(states=30_000), reduce=False))
    assert isinstance(unreduced, Inconclusive)
    assert (unreduced.budget, unreduced.limit, unreduced.option) == ("states", "30000", "--budget-states")
    relaxed = verdict_of(compiled, Query("relaxed_sound", ""), Options(Budget(states=30_000)))
    assert isinstance(relaxed, Holds)
    assert relaxed.proof.engine == "structure"  # the net is free choice


def test_a_violation_in_a_large_net_is_lifted_and_replayed():
    compiled = fork(12, 4)
    net = compiled.net
    join = len(net.transitions) - 1
    broken = compiled._replace(net=net._replace(pre=(*net.pre[:join], (*net.pre[join][:-1], (0, 1)))))
    (answer,) = decide(broken, (Query("option_to_complete", ""),), Options(Budget(states=50_000)))
    assert isinstance(answer.verdict, Violated)
    assert answer.replayed is not None


def test_budgets_of_bytes_and_seconds_are_named():
    compiled = fork(8, 4)
    for budget, name, option in (
        (Budget(None, 1_000_000), "bytes", "--budget-mb"),
        (Budget(None, None, 0.05), "seconds", "--budget-seconds"),
    ):
        verdict = verdict_of(compiled, Query("sound", ""), Options(budget, reduce=False, engine="reference"))
        assert isinstance(verdict, Inconclusive)
        assert (verdict.budget, verdict.option) == (name, option)
        assert verdict.limit


def test_an_interrupt_leaves_what_is_known():
    def interrupt(states, frontier):
        raise KeyboardInterrupt

    compiled = fork(8, 4)
    queries = (Query("never", "", predicate=at_least(2)), Query("sound", ""), Query("possible", "", predicate=TRUE))
    never, sound, possible = (a.verdict for a in decide(compiled, queries, Options(progress=interrupt, reduce=False)))
    assert isinstance(never, Violated)
    assert isinstance(possible, Holds)
    assert isinstance(sound, Inconclusive)
    assert sound.budget == "interrupted"


def test_free_guards_allow_only_universal_proofs():
    compiled = line()._replace(assumptions=Assumptions(free_guards=("amount > 10",)))
    universal = {"proper_completion", "safe", "bounded", "deadlock_free", "never", "anomaly_A1", "conserved"}
    for name in CHECKS:
        if name in ("live", "reversible", "home", "generalised_sound", "ctl", "ltl") or SHAPES.get(name) == "messages":
            continue
        predicate = at_least(1) if name == "possible" else at_least(1, 5)
        query = Query(name, name, predicate=predicate)
        verdict = verdict_of(compiled, query)
        assert isinstance(verdict, Holds if name in universal else Inconclusive), name
        assert verdict.assumptions.free_guards == ("amount > 10",)
        if name not in universal:
            assert verdict.budget == "theory"
            assert "`amount > 10`" in verdict.reason
    violated = verdict_of(compiled, Query("never", "", predicate=at_least(1)))
    assert isinstance(violated, Violated)
    assert violated.assumptions.free_guards == ("amount > 10",)


def test_culprits_and_witnesses():
    verdict = verdict_of(two_loops(with_way_out=False), Query("livelock_free", ""))
    assert isinstance(verdict, Violated)
    assert verdict.witness == Lasso((), (0, 1))
    assert verdict.culprits == (0, 1)
    assert isinstance(verdict_of(two_loops(with_way_out=True), Query("livelock_free", "")), Holds)
    verdict = verdict_of(two_loops(with_way_out=False), Query("option_to_complete", ""))
    assert isinstance(verdict, Violated)
    assert verdict.witness == NoReturn((), 2)
    assert verdict.culprits == (0,)
    verdict = verdict_of(two_loops(with_way_out=True), Query("live", "", transition=2))
    assert isinstance(verdict, Violated)
    assert isinstance(verdict.witness, NoReturn)
    assert verdict.witness.trace == (0, 2)
    assert verdict.culprits == (2,)


def test_a_dead_step_names_the_input_that_never_arrives():
    builder = NetBuilder()
    start, hope, relay, end = (builder.place(n, int(n == "s")) for n in ("s", "hope", "relay", "end"))
    builder.transition("go", {start: 1}, {end: 1})
    builder.transition("wish", {start: 1, hope: 1}, {end: 1})
    builder.transition("feed", {relay: 1}, {hope: 1})
    builder.transition("pass_on", {hope: 1}, {relay: 1})
    compiled = compiled_of(*builder.build(), ends=(end,), steps=(("go", (0,)), ("wish", (1,)), ("empty", ())))
    verdict = verdict_of(compiled, Query("no_dead_step", ""))
    assert isinstance(verdict, Violated)
    assert verdict.culprits == (1,)
    assert verdict.witness.certificate.kind == "empty siphon"
    assert verdict.witness.certificate.places == (hope, relay)
    either = compiled._replace(steps=(("either", (0, 1)),))
    assert isinstance(verdict_of(either, Query("no_dead_step", "")), Holds)
    quiet = compiled._replace(steps=(), quiet=frozenset((1, 2, 3)))
    assert isinstance(verdict_of(quiet, Query("no_dead_step", "")), Holds)
    assert isinstance(verdict_of(quiet, Query("quasi_live", "")), Holds)
    assert isinstance(verdict_of(quiet, Query("quasi_live", "", transition=1)), Violated)


def test_a_dead_step_without_a_siphon_has_the_closed_set():
    builder = NetBuilder()
    a, b, c = builder.place("a", 1), builder.place("b"), builder.place("c")
    builder.transition("left", {a: 1}, {b: 1})
    builder.transition("right", {a: 1}, {c: 1})
    builder.transition("both", {b: 1, c: 1}, {a: 1})
    verdict = verdict_of(compiled_of(*builder.build()), Query("no_dead_step", ""))
    assert isinstance(verdict, Violated)
    assert verdict.culprits == (2,)
    assert isinstance(verdict.witness, Never)
    assert verdict.witness.certificate.kind == "closed set"
    assert verdict.witness.certificate.states == 3


def pump(**options):
    """start -> end with a step that leaves a token behind each time."""
    builder = NetBuilder()
    start, pile, end = builder.place("start", 1), builder.place("pile"), builder.place("end")
    builder.transition("more", {start: 1}, {start: 1, pile: 1})
    builder.transition("finish", {start: 1}, {end: 1}, **options)
    return builder, pile, end


def test_unbounded_nets():
    builder, pile, end = pump()
    compiled = compiled_of(*builder.build(), ends=(end,), kind="workflow")
    verdict = verdict_of(compiled, Query("bounded", ""))
    assert isinstance(verdict, Violated)
    assert verdict.claim == Grows(pile)
    assert verdict.witness == ((), (0,))
    bound = verdict_of(compiled, Query("bounded", "", place=pile, bound=7))
    assert isinstance(bound, Violated)
    assert bound.witness == Reach((0,) * 8)
    assert isinstance(verdict_of(compiled, Query("bounded", "", place=end, bound=1)), Inconclusive)
    assert isinstance(verdict_of(compiled, Query("safe", "")), Violated)
    assert isinstance(verdict_of(compiled, Query("sound", "")), Violated)
    assert isinstance(verdict_of(compiled, Query("no_dead_step", "")), Holds)
    records = (PlaceClass.CONTROL, PlaceClass.RECORD, PlaceClass.CONTROL)
    recorded = compiled._replace(final=compiled.final._replace(classes=records))
    verdict = verdict_of(recorded, Query("sound", ""))
    assert isinstance(verdict, Inconclusive)
    assert verdict.budget == "theory"
    assert "`pile`" in verdict.reason
    assert isinstance(verdict_of(recorded, Query("safe", "")), Inconclusive)


def test_an_unbounded_net_with_a_reset_is_not_refuted_by_growth_alone():
    """`finish` empties the pile, so that the net completes however much is on it."""
    builder, pile, end = pump(reset=(1,))
    compiled = compiled_of(*builder.build(), ends=(end,), kind="workflow")
    assert isinstance(verdict_of(compiled, Query("bounded", "")), Violated)
    for name in ("sound", "weak_sound", "option_to_complete", "proper_completion"):
        assert isinstance(verdict_of(compiled, Query(name, "")), Inconclusive), name


def test_faults_happen_but_nothing_relies_on_them():
    builder = NetBuilder()
    start, lost, end = builder.place("start", 1), builder.place("lost"), builder.place("end")
    builder.transition("fault", {start: 1}, {lost: 1})
    builder.transition("finish", {lost: 1}, {end: 1})
    compiled = compiled_of(*builder.build(), ends=(end,))
    woven = compiled._replace(roles=Roles((Role(Kind.FAULT, fault="lost"), Role(Kind.REPLY))))
    for name in ("option_to_complete", "sound", "deadlock_free"):
        assert isinstance(verdict_of(compiled, Query(name, "")), Holds), name
        verdict = verdict_of(woven, Query(name, ""))
        assert isinstance(verdict, Violated), name
        assert verdict.witness.trace == ()
    assert isinstance(verdict_of(woven, Query("possible", "", predicate=at_least(end))), Holds)


@settings(max_examples=300)
@given(any_nets())
def test_every_violation_is_replayed(marked):
    queries = [Query(name, name) for name in ("bounded", "safe", "deadlock_free", "no_dead_step", "live")]
    for answer in decide(compiled_of(*marked), queries, Options(Budget(states=500), replay_states=600)):
        assert (answer.replayed is not None) == isinstance(answer.verdict, Violated)


@settings(max_examples=300)
@given(workflow_nets(blocks=7))
def test_reductions_change_no_verdict(compiled):
    queries = [Query(name, name) for name in WORKFLOW]
    queries += [Query("live", "", transition=0), Query("bounded", ""), Query("bounded", "", place=0, bound=1)]
    queries += [Query("never", "", predicate=Fireable(0)), Query("never", "", predicate=at_least(1))]
    plain = decide(compiled, queries, Options(Budget(states=2000), reduce=False))
    assume(not any(isinstance(a.verdict, Inconclusive) for a in plain))
    before = strategy.FIRST_PLACES
    strategy.FIRST_PLACES = 0
    try:
        reduced = decide(compiled, queries, Options(Budget(states=2000)))
    finally:
        strategy.FIRST_PLACES = before
    for one, other in zip(plain, reduced, strict=True):
        assert type(one.verdict) is type(other.verdict), one.query


def test_a_counterexample_of_a_thousand_million_steps_is_not_written_out():
    builder = NetBuilder("drain")
    full, empty = builder.place("full", 10**9), builder.place("empty")
    builder.transition("move", {full: 1}, {empty: 1})
    compiled = compiled_of(*builder.build(), ends=(), kind="net")
    verdict = verdict_of(compiled, Query("deadlock_free", ""), Options(Budget(states=30_000)))
    assert isinstance(verdict, Inconclusive)
    assert verdict.budget == "theory"
    assert "1000000000 steps" in verdict.reason
    assert isinstance(verdict_of(compiled, Query("bounded", ""), Options(Budget(states=30_000))), Holds)
