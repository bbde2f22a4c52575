"""Two runs of one saga at once: what the copy is, and what two runs do to each other under one key."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles.saga_bodies import SAGAS
from placet.compile.checks import with_queries
from placet.compile.workflow_to_net import process_to_net
from placet.errors import UsageError
from placet.faults.hypothesis import LEVELS, Hypothesis, checked
from placet.faults.instances import shared_records, twice
from placet.faults.weave import weave
from placet.ir import model as ir
from placet.net.final import PlaceClass
from placet.net.firing import enabled, fire
from placet.net.roles import Kind

ENDS = ("completed", "compensated", "failed")
IDEMPOTENT = frozenset(("idempotent", "null_safe"))
MOST = 4_000


def keyed(statement, key: str = "account"):
    """The same body with a key at every step."""
    match statement:
        case ir.Step():
            return statement._replace(key=key)
        case ir.Sequence():
            return statement._replace(parts=tuple(keyed(p) for p in statement.parts))
        case ir.Choice() | ir.Parallel():
            return statement._replace(ways=tuple(w._replace(body=keyed(w.body)) for w in statement.ways))
        case ir.Scope():
            handlers = tuple(h._replace(body=keyed(h.body)) for h in statement.handlers)
            return statement._replace(body=keyed(statement.body), handlers=handlers)
    return statement


def net_of(saga):
    return process_to_net(saga, {})[0]


def reachable(compiled, keep=lambda _: True):
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


@settings(max_examples=100, deadline=None)
@given(SAGAS)
def test_without_keys_a_second_run_is_not_woven(saga) -> None:
    base = net_of(saga)
    assert twice(base) is base
    one, two = weave(base, LEVELS["L4"]), weave(base, LEVELS["L5"])
    assert one.compiled.net == two.compiled.net


@settings(max_examples=100, deadline=None)
@given(SAGAS)
def test_while_the_second_run_has_not_begun_the_net_is_the_one_run(saga) -> None:
    base = net_of(saga._replace(body=keyed(saga.body)))
    both = twice(base)
    places = len(base.net.places)
    rest = both.initial[places:]
    assert [m[:places] for m in reachable(both, lambda m: m[places:] == rest)] == reachable(base)


@settings(max_examples=100, deadline=None)
@given(SAGAS)
def test_both_runs_are_alike(saga) -> None:
    """Exchanging the places of the runs exchanges their transitions."""
    base = net_of(saga._replace(body=keyed(saga.body)))
    both, shared = twice(base), shared_records(base)
    if not shared:
        return
    places, transitions = len(base.net.places), len(base.net.transitions)
    own = [p for p in range(places) if p not in shared]
    swap = {p: p for p in shared}
    for n, p in enumerate(own):
        swap[p], swap[places + n] = places + n, p
    for side in (both.net.pre, both.net.post):
        for t in range(transitions):
            assert tuple(sorted((swap[p], w) for p, w in side[t])) == side[t + transitions]
            assert tuple(sorted((swap[p], w) for p, w in side[t + transitions])) == side[t]
    assert [both.initial[swap[p]] for p in range(places + len(own))] == list(both.initial)
    assert all(kind is PlaceClass.RECORD for kind in both.final.classes[places:])
    for c, d in zip(base.roles.channels, both.roles.channels[len(base.roles.channels) :], strict=True):
        assert (swap[c.place], swap.get(c.due, -1), swap.get(c.answered, -1)) == (d.place, d.due, d.answered)
    for a, b in zip(base.roles.ports, both.roles.ports[len(base.roles.ports) :], strict=True):
        assert (swap[a.place], swap.get(a.back, -1), a.step != "") == (b.place, b.back, b.step != "")


@settings(max_examples=60, deadline=None)
@given(SAGAS, st.sampled_from(["L0", "L5"]))
def test_every_element_is_told_in_the_words_of_the_user(saga, level) -> None:
    base = net_of(saga._replace(body=keyed(saga.body)))
    asked, _ = with_queries(base, None)
    woven = weave(asked, LEVELS[level]._replace(instances=2))
    net = woven.compiled
    assert len(net.origin.places) == len(net.net.places) == len(net.final.classes) == len(net.initial)
    assert len(net.origin.transitions) == len(net.net.transitions) == len(net.roles.transitions)
    assert len(set(net.net.places)) == len(net.net.places)
    assert len(set(net.net.transitions)) == len(net.net.transitions)
    for origin in (*net.origin.places, *net.origin.transitions):
        assert not re.search(r"[#~]|\.$", origin.phrase), origin.phrase
        assert origin.phrase.count("in the second run") == ("~2" in origin.actor)
    assert all(net.roles.transitions[t].kind is Kind.FAULT for t in woven.causes)


def ends(guarantees, body=(), key: str = "account") -> set[tuple[str, ...]]:
    """How the runs of a saga of one step may end, with what the service remembers then."""
    step = ir.Step("b/a", "a", "as", ir.Undo("ua"), timeout=10.0, guarantees=guarantees, key=key)
    saga = ir.Process("b", "saga", ir.Sequence("b", (step, *body)), ENDS)
    net = weave(net_of(saga), Hypothesis(("reject",), 1, instances=2)).compiled
    found = set()
    for marking in reachable(net):
        if not [t for t in enabled(net.net, marking) if net.roles.transitions[t].kind is not Kind.FAULT]:
            held = [net.net.places[p] for p, n in enumerate(marking) if n]
            one, two = ([h.partition("#end.")[2] for h in held if h.startswith(run)] for run in ("b#end", "b~2#end"))
            record = [h.partition("record.")[2] for h in held if "#record." in h and "~2" not in h]
            found.add((*one, *two, *record))
    return found


MAYBE = (ir.Choice("b/c", (ir.Way("b/c[0]", None, ir.Abandon("b/stop")), ir.Way("b/c[1]", None, ir.Task("b/t", "t")))),)


def test_under_one_key_a_run_undoes_what_the_other_one_was_told_is_done() -> None:
    assert ("completed", "compensated", "undone") in ends(IDEMPOTENT, MAYBE)
    assert ends(IDEMPOTENT, MAYBE, key="") == {
        ("completed", "applied"), ("compensated", "undone"), ("compensated", "fresh"),
    }  # fmt: skip


def test_the_second_run_is_symmetric() -> None:
    found = ends(IDEMPOTENT, MAYBE)
    assert {(b, a, r) for a, b, r in found} == found


def test_one_or_two_runs() -> None:
    with pytest.raises(UsageError):
        checked(Hypothesis(("lost",), 1, instances=3))
