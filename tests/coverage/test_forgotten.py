"""A net that forgets what can never matter again: fewer situations, the same obligations, runs of the net as it was."""

from __future__ import annotations

import pytest
from random_sagas import case

from placet.coverage import measure as measuring
from placet.coverage.forgotten import _ancestors, _only_there, _producers, _users, forgetting
from placet.coverage.measure import measure
from placet.engines.protocol import Needs, Visitor
from placet.engines.reference import Reference
from placet.evidence import Budget
from placet.faults.hypothesis import Hypothesis
from placet.faults.weave import weave
from placet.pipeline import as_loaded

BUDGET = Budget(states=4_000)


@pytest.mark.parametrize("first", range(0, 240, 60))
def test_it_is_measured_alike(first, monkeypatch) -> None:
    before = after = 0
    for seed in range(first, first + 60):
        one = case(seed)
        woven = one.woven()
        if woven is None:
            continue
        with monkeypatch.context() as patch:
            patch.setattr(measuring, "forgetting", lambda compiled: compiled.net)
            plain = measure(woven.compiled, one.hypothesis.budget, BUDGET).coverage
        if not plain.size.complete:
            continue
        found = measure(woven.compiled, one.hypothesis.budget, BUDGET)
        assert found.coverage.rows == plain.rows, seed
        before, after = before + plain.size.states, after + found.coverage.size.states
        for o in list(found.coverage.missing())[:3]:
            assert found.run(o).trace
    assert after < before  # a record may be made again later, for nothing: here and there it is more


@pytest.mark.parametrize("first", range(0, 120, 60))
def test_what_is_forgotten_can_never_matter(first) -> None:
    """Where it forgets no transition that needs the record can ever fire again: by looking at all that follows."""
    forgot = 0
    for seed in range(first, first + 60):
        woven = case(seed, most=2).woven()
        if woven is None:
            continue
        net, lean = woven.compiled.net, forgetting(woven.compiled)
        changed = {t: set(lean.reset[t]) for t in range(len(net.transitions)) if lean.reset[t] != net.reset[t]}
        seen = Reference().explore(net, woven.compiled.initial, (), [Visitor(needs=Needs.EDGES)], BUDGET)
        if not changed or not seen.complete:
            continue
        forgot += 1
        users = _users(net)
        offsets, labels, targets = seen.graph()
        after: set[tuple[int, frozenset[int]]] = set()
        for i in range(seen.states):
            for e in range(offsets[i], offsets[i + 1]):
                if labels[e] in changed:
                    after.add((targets[e], frozenset(changed[labels[e]])))
        for records in {r for _, r in after}:
            queue = [s for s, r in after if r == records]
            reached = set(queue)
            useful = {t for p in records for t in users[p]}
            for s in queue:
                for e in range(offsets[s], offsets[s + 1]):
                    assert labels[e] not in useful, (seed, net.transitions[labels[e]])
                    if targets[e] not in reached:
                        reached.add(targets[e])
                        queue.append(targets[e])
    assert forgot > 10


def test_a_long_saga_no_longer_grows_with_the_cube() -> None:
    sizes = []
    for steps in (4, 8, 16):
        body = "".join(f"step a{i} on s {{ undo u{i}; timeout 10s }} " for i in range(steps))
        text = f"service s {{ idempotent; null_safe; rejects_after_cancel }} saga b {{ {body}}}"
        (compiled,) = as_loaded(text).compiled
        hypothesis = Hypothesis(("reject", "lost", "slow", "undo-fail"), 2, "transient")
        sizes.append(measure(weave(compiled, hypothesis).compiled, 2).coverage.size.states)
    assert sizes[2] < 4.5 * sizes[1] < 4.5 * 4.5 * sizes[0]


def test_what_a_retry_needs_is_kept() -> None:
    """An attempt that is made for ever is waited for again: whether it is late still matters."""
    (compiled,) = as_loaded("service s {} saga b { step a on s { retriable; timeout 10s } }").compiled
    woven = weave(compiled, Hypothesis(("slow",), 1)).compiled
    net = forgetting(woven)
    (timeout,) = [t for t, name in enumerate(net.transitions) if "timeout" in name]
    (known,) = [t for t, name in enumerate(net.transitions) if "known" in name]
    due = net.places.index("b/a#due[1]")
    assert due in net.reset[known]
    assert due not in net.reset[timeout]
    waiting = {net.places.index("b/a#waiting[1]")}
    assert due in _only_there(woven, waiting, _users(net))
    assert timeout in _ancestors(net, waiting, _producers(net))
