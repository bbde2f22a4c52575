"""What holds for every fault and every saga: random small ones, all kinds of faults."""

from __future__ import annotations

import re

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles.saga_bodies import ENDS, POLICIES, SAGAS, bodies
from oracles.sagas import settle
from placet.compile.observers import Watch
from placet.compile.workflow_to_net import process_to_net
from placet.faults.hypothesis import KINDS, Hypothesis
from placet.faults.weave import weave
from placet.ir import model as ir
from placet.net.firing import enabled, fire, fire_state
from placet.net.roles import Kind

MOST = 3_000
HYPOTHESES = st.builds(
    Hypothesis,
    faults=st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=4, unique=True).map(tuple),
    budget=st.integers(1, 2),
    modes=st.sampled_from(["transient", "permanent", "both"]),
    instances=st.just(1),
)
ALL = Hypothesis(tuple(KINDS), 2)


def net_of(saga):
    return process_to_net(saga, {})[0]


def reachable(compiled, keep=lambda _: True):
    """The reachable markings, in order of discovery, as far as `keep` lets; at most about MOST."""
    seen, pending = {compiled.initial}, [compiled.initial]
    for marking in pending:
        for t in enabled(compiled.net, marking):
            after = fire(compiled.net, marking, t)
            if after not in seen and keep(after):
                seen.add(after)
                pending.append(after)
        if len(seen) > MOST:
            break
    return pending


@settings(max_examples=150, deadline=None)
@given(SAGAS, HYPOTHESES)
def test_while_nothing_is_spent_the_net_is_the_one_without_faults(saga, hypothesis) -> None:
    base = net_of(saga)
    woven = weave(base, hypothesis)
    places = woven.places
    unspent = reachable(woven.compiled, lambda m: woven.budget < 0 or m[woven.budget] == hypothesis.budget)
    plain = reachable(base)
    assert [m[:places] for m in unspent] == plain
    rest = woven.compiled.initial[places:]
    assert all(m[places:] == rest for m in unspent)


@settings(max_examples=100, deadline=None)
@given(SAGAS, HYPOTHESES)
def test_a_budget_of_nothing_adds_nothing(saga, hypothesis) -> None:
    base = net_of(saga)
    none = weave(base, hypothesis._replace(budget=0)).compiled
    assert none.net is base.net
    assert (none.initial, none.roles, none.origin, none.final) == (base.initial, base.roles, base.origin, base.final)


@settings(max_examples=150, deadline=None)
@given(SAGAS, HYPOTHESES)
def test_a_cause_costs_one_and_a_consequence_needs_one(saga, hypothesis) -> None:
    base = net_of(saga)
    woven = weave(base, hypothesis)
    net, roles = woven.compiled.net, woven.compiled.roles.transitions
    for t in range(woven.transitions, len(net.transitions)):
        taken, given_ = dict(net.pre[t]).get(woven.budget, 0), dict(net.post[t]).get(woven.budget, 0)
        assert (taken, given_) == ((1, 0) if t in woven.causes else (0, 0))
        if t in woven.causes:
            assert roles[t].kind is Kind.FAULT
            assert roles[t].fault in hypothesis.faults
        else:
            assert any(p >= woven.places for p, _ in net.pre[t])  # nothing marks that place but a cause


@settings(max_examples=60, deadline=None)
@given(SAGAS, HYPOTHESES)
def test_observers_never_change_what_happens(saga, hypothesis) -> None:
    base = net_of(saga)
    watch = Watch(base)
    for number, _ in enumerate(base.roles.steps):
        watch.effect(number)
    watched, alone = weave(watch.attached(), hypothesis).compiled, weave(base, hypothesis).compiled
    assert watched.net == alone.net
    width = len(watched.net.places)
    seen, pending = {watched.start}, [watched.start]
    for state in pending:
        marking = state[:width]
        for t in enabled(watched.net, marking):
            after = fire_state(watched.net, watched.observers, state, t)
            assert after[:width] == fire(alone.net, marking, t)
            if after not in seen and len(seen) < MOST:
                seen.add(after)
                pending.append(after)


@settings(max_examples=150, deadline=None)
@given(SAGAS)
def test_every_element_is_told_in_the_words_of_the_user(saga) -> None:
    net = weave(net_of(saga), ALL).compiled
    assert len(net.origin.places) == len(net.net.places) == len(net.final.classes) == len(net.initial)
    assert len(net.origin.transitions) == len(net.net.transitions) == len(net.roles.transitions)
    for origin in (*net.origin.places, *net.origin.transitions):
        assert origin.id
        assert origin.phrase
        assert not re.search(r"[#~]|\.$", origin.phrase), origin.phrase
    assert len(set(net.net.places)) == len(net.net.places)
    assert len(set(net.net.transitions)) == len(net.net.transitions)


def timed(statement):
    """The same body with a time-out at every step."""
    match statement:
        case ir.Step():
            return statement._replace(timeout=10.0, retry=0)
        case ir.Sequence():
            return statement._replace(parts=tuple(timed(p) for p in statement.parts))
        case ir.Choice() | ir.Parallel():
            return statement._replace(ways=tuple(w._replace(body=timed(w.body)) for w in statement.ways))
        case ir.Scope():
            handlers = tuple(h._replace(body=timed(h.body)) for h in statement.handlers)
            return statement._replace(body=timed(statement.body), handlers=handlers)
    return statement


@settings(max_examples=60, deadline=None)
@given(
    st.builds(lambda body, policy: ir.Process("b", "saga", body, ENDS, policy), bodies(2), POLICIES),
    st.sampled_from(list(KINDS)),
)
def test_with_time_outs_no_policy_and_no_single_fault_leaves_a_saga_hanging(saga, fault) -> None:
    policy = saga.policy._replace(recovery="resume") if saga.policy.recovery == "forget" else saga.policy
    saga = saga._replace(body=timed(saga.body), policy=policy)
    woven = weave(net_of(saga), Hypothesis((fault, "reject"), 2, "transient")).compiled
    assume(len(reachable(woven)) < MOST)
    found = settle(woven)
    assert found.stuck is None, [woven.origin.transitions[t].phrase for t in found.stuck]
