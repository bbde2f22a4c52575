"""Coverage against the enumeration of every run, on random small sagas; every disagreement there was, by its name."""

from __future__ import annotations

import pytest
from agreement import difference, differences, disagrees, smallest, told
from enumerator import ESCALATED, UNCOVERED, Enumerator, TooLarge
from random_nets import STEPS, Move, RandomNet, random_net
from random_sagas import ENDS, Case, case, stacked

from placet.coverage.measure import measure
from placet.coverage.unseen import Flow
from placet.engines.protocol import Needs, Visitor
from placet.engines.reference import Reference
from placet.evidence import Budget
from placet.faults.hypothesis import Hypothesis
from placet.ir import model as ir
from placet.net.roles import PLAIN, Kind, Role, Step

MOST = 1_500  # situations of one saga
CHUNK = 50


def woven_cases(first: int, count: int):
    """The cases that compile and are small enough, by number."""
    for seed in range(first, first + count):
        one = case(seed)
        woven = one.woven()
        if woven is not None:
            yield seed, one, woven


@pytest.mark.parametrize("first", range(0, 12 * CHUNK, CHUNK))
def test_every_obligation_is_that_of_all_runs(first) -> None:
    compared = 0
    for seed, one, woven in woven_cases(first, CHUNK):
        try:
            found = differences(woven, one.hypothesis.budget, MOST)
        except TooLarge:
            continue
        compared += 1
        if found.measured:
            least = smallest(one, MOST)
            pytest.fail(f"seed {seed}, smallest:\n{least}\n{differences(least.woven(), least.hypothesis.budget, MOST)}")
    assert compared >= CHUNK // 2


def compare(make, seeds, least_compared) -> None:
    """What is made of each seed has the obligations of all its runs; so many are small enough to be compared."""
    compared = 0
    for seed in seeds:
        one = make(seed)
        found = difference(one, MOST)
        if found is None:
            continue
        compared += 1
        if found.measured:
            least = smallest(one, MOST)
            pytest.fail(f"seed {seed}, smallest:\n{least}\n{difference(least, MOST)}")
    assert compared >= least_compared


@pytest.mark.parametrize("first", range(0, 6 * CHUNK, CHUNK))
def test_every_obligation_where_calls_are_held_back(first) -> None:
    """Limits of services, kinds of calls, keys of attempts and keys that are forgotten."""
    compare(lambda seed: case(seed, limited=True), range(first, first + CHUNK), CHUNK // 3)


@pytest.mark.parametrize("first", range(0, 2 * CHUNK, CHUNK))
def test_every_obligation_where_undos_keep_an_order_across_ways(first) -> None:
    compare(stacked, range(first, first + CHUNK), CHUNK // 6)


@pytest.mark.parametrize("first", range(0, 6 * 100, 100))
def test_every_obligation_of_a_net_that_no_compiler_writes(first) -> None:
    compare(random_net, range(first, first + 100), 80)


# -- by name ----------------------------------------------------------------------------------------------------------


def step(name: str, **options) -> ir.Step:
    given = {"undo": ir.Undo(f"undo_{name}"), "timeout": 10.0, **options}
    return ir.Step(f"b/{name}", name, "z", **given)


def seq(*parts: ir.Statement) -> ir.Sequence:
    return ir.Sequence(f"b/seq({parts[0].id})", parts)


def saga(body: ir.Statement, faults: Hypothesis, **policy) -> Case:
    return Case(ir.Process("b", "saga", body, ENDS, ir.Policy(**policy)), (), faults)


FAILS = ir.Task("b/t", "t", ("E",))
UNDO_FAILS = Hypothesis(("undo-fail",), 1, "transient")
NAMED = {
    # the first request for an undo was taken for the loss of the reply, so that each further one broke INPUT
    "an undo that needs the reply is asked for again": saga(
        seq(step("a", undo=ir.Undo("undo_a", "reply")), FAILS), UNDO_FAILS
    ),
    # attempt 1 is refused while attempt 2 is on its way: refused, since it was last asked for
    "a late refusal of an earlier attempt": saga(step("a", retry=1), Hypothesis(("reject", "slow"), 2, "transient")),
    # being cancelled is the move by which the saga gives up: how far the step had got is told from before it
    "a saga that is cancelled": saga(seq(step("a"), step("c")), Hypothesis(("cancel", "slow"), 2, "transient")),
    # both undos of a parallel undoing halt: the end is reached twice, and that is no end
    "two undos halt at once": saga(
        seq(step("a"), step("c"), ir.Abandon("b/stop")),
        Hypothesis(("undo-fail",), 2, "permanent"),
        undo_order="parallel",
        undo_failure="halt",
        undo_retries=0,
    ),
}


def net_that_gives_up_for_ever() -> RandomNet:
    """After the fault the request is sent, and the saga goes round for ever; it may give up on each round, so it does."""
    a, b = (Step(s, "n", "z", "u", False, False, False, (), (), -1) for s in STEPS)  # noqa: FBT003
    still = (0, 0, 0, 0)
    moves = (
        Move(still, still, Role(Kind.REPLY, a.id, "forward", 1), knows=True),
        Move(still, still, Role(Kind.SEND, b.id, "forward", 1)),
        Move(still, still, Role(Kind.REPLY, b.id, "forward", 1), knows=True),
        Move((0,), (1,), Role(Kind.FAULT, a.id, "forward", 1, fault="lost")),
        Move((1,), (2,), Role(Kind.SEND, a.id, "forward", 1)),
        Move((2,), (3,), PLAIN),
        Move((3,), (2,), PLAIN),
        Move((3,), (2,), PLAIN._replace(commits=True)),
    )
    return RandomNet(4, 1, 1, (a, b), moves)


NAMED["a saga that may give up on each round gives up"] = net_that_gives_up_for_ever()


@pytest.mark.parametrize("name", NAMED)
def test_a_disagreement_that_was(name) -> None:
    assert not disagrees(NAMED[name], 20_000)


def two_ways(*bodies: ir.Statement) -> ir.Statement:
    return ir.Parallel("b/p", tuple(ir.Way(f"b/p[{i}]", None, body) for i, body in enumerate(bodies)))


ORDERED = {
    "a slow one": (two_ways(step("a"), step("d")), ("reject", "slow"), 1),
    "two in a way": (
        two_ways(seq(step("a", timeout=None), step("c", timeout=None)), step("d", timeout=None)), ("reject",), 1,
    ),
    "an undo fails": (two_ways(step("a", timeout=None), step("d", timeout=None)), ("reject", "undo-fail"), 2),
}  # fmt: skip


@pytest.mark.parametrize("name", ORDERED)
@pytest.mark.parametrize("order", ["start", "completion"])
def test_undos_in_one_order_across_ways(order: str, name: str) -> None:
    body, kinds, budget = ORDERED[name]
    siblings = "await" if order == "start" else "cancel"
    more = {"undo_order": order, "siblings": siblings, "undo_failure": "halt", "undo_retries": 0}
    found = difference(saga(body, Hypothesis(kinds, budget, "transient"), **more), 60_000)
    assert found is not None, "it is too large"
    assert not found.measured


CUT = {
    # every run gives up in the end: that the request is on its way when the last fault comes is no scenario
    "a run that cannot go on": saga(seq(step("a"), ir.Abandon("b/stop")), Hypothesis(("duplicate",), 1)),
    # the crash may come long after the time-out: such runs were not looked at, and break what the others keep
    "a fault that comes late": saga(
        step("a", retry=1), Hypothesis(("slow", "crash"), 2, "transient"), recovery="forget"
    ),
}


@pytest.mark.parametrize("name", CUT)
def test_a_search_that_is_cut_anywhere_says_only_what_is_so(name) -> None:
    woven, faults = CUT[name].woven(), CUT[name].hypothesis.budget
    measured = measure(woven.compiled, faults)
    whole = told(measured.coverage)
    for states in range(1, measured.coverage.size.states):
        for key, status in told(measure(woven.compiled, faults, Budget(states=states)).coverage).items():
            assert status == "undecided" or status == whole.get(key), (states, key)


def test_an_undo_that_needs_the_reply_may_be_asked_for_again() -> None:
    one = NAMED["an undo that needs the reply is asked for again"]
    coverage = measure(one.woven().compiled, 1).coverage
    families = {o.family: o.status.value for o in coverage.obligations if o.faults}
    assert families["INPUT"] == "covered"


def test_the_oracle_sees_what_it_is_for() -> None:
    """Each family is broken by some random saga, and some are covered only by a person."""
    statuses = set()
    for _, _, woven in woven_cases(0, 110):
        try:
            statuses |= {(key[0], status) for key, status in Enumerator(woven, MOST).obligations().items()}
        except TooLarge:
            continue
    broken = {family for family, status in statuses if status == UNCOVERED}
    assert broken == {"BALANCE", "ONCE", "NULL", "LATE", "ORDER", "INPUT", "PIVOT", "UNDO-FAIL", "TERM"}
    assert {family for family, status in statuses if status == ESCALATED} >= {"BALANCE"}


# -- laws -------------------------------------------------------------------------------------------------------------

LAWS = range(2_000, 2_120, 20)


def small_cases(first: int):
    """The cases of twenty numbers that compile and whose search is short, with their coverage."""
    for _, one, woven in woven_cases(first, 20):
        measured = measure(woven.compiled, one.hypothesis.budget, Budget(states=800))
        if measured.coverage.size.complete:
            yield one, woven, measured


def small_nets(first: int):
    """The nets of twenty numbers whose search is short, with their coverage."""
    for seed in range(first, first + 20):
        net = random_net(seed)
        woven = net.woven()
        measured = measure(woven.compiled, net.faults, Budget(states=200))
        if measured.coverage.size.complete:
            yield net, woven, measured


@pytest.mark.parametrize("first", LAWS[:4])
def test_what_is_remembered_changes_nothing_that_can_happen(first) -> None:
    for _, woven, measured in small_cases(first):
        watched, alone = measured.compiled, woven.compiled._replace(observers=())
        assert watched.net == alone.net
        assert len(watched.observers) > len(woven.compiled.observers)
        assert explored(watched) == explored(alone)


def explored(compiled):
    found = Reference().explore(
        compiled.net, compiled.initial, compiled.observers, [Visitor(needs=Needs.EDGES)], Budget()
    )
    width = len(compiled.net.places)
    markings = [found.state(i)[:width] for i in range(found.states)]
    return set(markings), {(markings[i], t, markings[j]) for i in range(found.states) for t, j in found.successors(i)}


@pytest.mark.parametrize("first", LAWS)
def test_obligations_come_in_a_stable_order(first) -> None:
    for one, _, measured in small_cases(first):
        coverage = measured.coverage
        again = measure(one.woven().compiled, one.hypothesis.budget).coverage
        assert coverage.obligations == again.obligations
        assert coverage.causes == again.causes
        lengths = [len(o.faults) for o in coverage.obligations]
        assert lengths == sorted(lengths)
        assert len(coverage.obligations) == coverage.feasible + coverage.undecided
        assert sum(o.status.value == UNCOVERED for o in coverage.obligations) == coverage.uncovered


@pytest.mark.parametrize("first", LAWS)
def test_more_faults_take_no_obligation_away_and_cover_none_again(first) -> None:
    for one, _, _ in small_cases(first):
        before = {}
        for budget in range(2):
            woven = one._replace(hypothesis=one.hypothesis._replace(budget=budget)).woven()
            coverage = measure(woven.compiled, budget).coverage
            found = told(coverage)
            assert all(len(faults) <= budget for _, _, faults, _ in found)
            assert all(found.get(key) == status for key, status in before.items())
            before = found
            if budget == 0:
                runs = Enumerator(woven, 20_000)
                assert bool(found) == any(s.given_up for s in runs.graph(runs.start))


@pytest.mark.parametrize("first", LAWS)
def test_what_a_small_search_says_is_so(first) -> None:
    cases = [(woven, one.hypothesis.budget, measured) for one, woven, measured in small_cases(first)]
    cases += [(woven, net.faults, measured) for net, woven, measured in small_nets(first)]
    for woven, faults, measured in cases:
        whole, size = told(measured.coverage), measured.coverage.size.states
        for states in range(1, size, max(1, size // 8)):
            coverage = measure(woven.compiled, faults, Budget(states=states)).coverage
            assert not coverage.size.complete or told(coverage) == whole
            for key, status in told(coverage).items():
                assert status == "undecided" or status == whole.get(key), (states, key)


@pytest.mark.parametrize("first", LAWS)
def test_whatever_fires_was_taken_as_possible(first) -> None:
    for _, woven, _ in small_cases(first):
        net, start = woven.compiled.net, woven.compiled.initial
        seen = Reference().explore(net, start, (), [Visitor(needs=Needs.STATES)], Budget())
        assert seen.fired <= Flow(net).possible({p for p, tokens in enumerate(start) if tokens})
    assert Flow(net).possible(set()) == {t for t in range(len(net.transitions)) if not net.pre[t] and not net.read[t]}


# -- runs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", range(3_000, 3_100, 20))
def test_the_run_of_an_uncovered_obligation_shows_it(first) -> None:
    shown = 0
    for _, woven, measured in small_cases(first):
        runs = Enumerator(woven, 20_000)
        for o in list(measured.coverage.missing())[:10]:
            check(runs, measured.coverage, measured.run(o))
            shown += 1
    assert shown > 20


def check(runs: Enumerator, coverage, o) -> None:
    """The run is of the scenario, and breaks the obligation in it; what happens after it without faults may not be undone."""
    at = runs.run(o.trace)
    assert [runs.cause[t] for t in o.trace if t in runs.cause] == list(at.causes)
    assert len(at.causes) == len(o.faults)
    for cause, number in zip(at.causes, o.faults, strict=True):
        theirs = coverage.causes[number]
        assert (cause.fault, cause.step, cause.direction, cause.part, cause.attempt, cause.lasting, cause.error) == (
            theirs.kind,
            theirs.step,
            theirs.direction,
            theirs.part,
            theirs.attempt,
            theirs.lasting,
            theirs.detail,
        )
    n = runs.number.get(o.step, -1)
    stories = runs.stories(at, faults=False)
    blamed = o.family == "UNDO-FAIL"
    assert any(
        story.causes == at.causes
        and (blamed or n < 0 or story.phases[n] == o.phase)
        and (any(f == "BALANCE" for f, _ in story.broken) if blamed else (o.family, n) in story.broken)
        for story in stories
    )
    if o.family in ("BALANCE", "TERM", "UNDO-FAIL"):  # the run has come to its end
        terminal = runs.terminal_sets(runs.graph(at, faults=False))
        assert any(at.marking == s.marking for members in terminal for s in members)
    elif o.family != "PIVOT":
        assert (o.family, n) in at.facts
