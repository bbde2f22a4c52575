"""Calls in imported nets: every run of theirs is a run of the definition, and comes to an end of it; faults count as in a saga."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles.asl_machines import machines
from placet.coverage.measure import measure
from placet.faults.weave import Hypothesis, weave
from placet.formats.asl import reader
from placet.formats.asl.calls import elements
from placet.net.final import PlaceClass
from placet.net.firing import enabled, fire
from placet.net.roles import Kind
from placet.pipeline import load
from placet.source import SourceFile

ALL = Hypothesis(("reject", "partial", "lost", "slow", "undo-fail", "undo-slow", "undo-lost", "duplicate"), 3)
MOST = 4_000


def tasks(definition):
    (found,), _ = reader.definitions(SourceFile("order.asl.json", json.dumps(definition)))
    every = list(elements("order", found[1]))
    return [e for e in every if e.state.kind == "Task"]


def sidecar(definition, choose) -> str:
    """Roles for some of the tasks: steps, and undos in the same scope."""
    found = tasks(definition)
    chosen = [e for e in found if choose.random() < 0.8]
    lines = []
    while chosen:
        step = chosen.pop(0)
        scope = step.path.rpartition("/")[0]
        undo = next((u for u in chosen if u.path.rpartition("/")[0] == scope), None)
        if undo is not None and choose.random() < 0.7:
            chosen.remove(undo)
            lines.append(f'state "{step.path[6:]}" on s undone by "{undo.path[6:]}"')
        else:
            lines.append(f'state "{step.path[6:]}" on s')
    body = "\n".join(lines)
    return f'service s {{ {choose.choice(["", "idempotent", "null_safe; rejects_after_cancel"])} }}\nannotate "order.asl.json" {{ {body} }}\n'


def annotated(folder, definition, text):
    (folder / "order.asl.json").write_text(json.dumps(definition), encoding="utf-8")
    (folder / "order.placet").write_text(text, encoding="utf-8")
    loaded = load(folder / "order.placet")
    assert [d.message for d in loaded.diagnostics if d.severity == "error"] == []
    return loaded.compiled[0]


def label(compiled, t):
    event = compiled.origin.transitions[t].event
    return None if event is None else tuple(event)


class Acceptor:
    """All markings in which the definition can be after the events so far."""

    def __init__(self, compiled):
        self.compiled = compiled
        self.markings = self.closed({compiled.initial})

    def closed(self, markings):
        seen, pending = set(markings), list(markings)
        while pending:
            assume(len(seen) < MOST)
            marking = pending.pop()
            for t in enabled(self.compiled.net, marking):
                if label(self.compiled, t) is None:
                    after = fire(self.compiled.net, marking, t)
                    if after not in seen:
                        seen.add(after)
                        pending.append(after)
        return seen

    def takes(self, event) -> bool:
        after = {
            fire(self.compiled.net, m, t)
            for m in self.markings
            for t in enabled(self.compiled.net, m)
            if label(self.compiled, t) == event
        }
        self.markings = self.closed(after)
        return bool(after)


@settings(max_examples=40)
@given(machines(), st.integers(0, 10**6), st.booleans())
def test_a_run_of_the_calls_is_a_run_of_the_definition(tmp_path_factory, definition, seed, faults):
    choose = random.Random(seed)
    assume(tasks(definition))
    plain = annotated(tmp_path_factory.mktemp("m"), definition, sidecar(definition, choose))
    called = plain.called
    net = weave(called, ALL).compiled if faults and called.roles.channels else called
    accepts = Acceptor(plain)
    marking = net.initial
    for _ in range(60):
        ready = enabled(net.net, marking)
        if not ready:
            ends = [p for p in net.final.ends if marking[p]]
            assert len(ends) == 1
            kinds = (PlaceClass.CONTROL, PlaceClass.CHANNEL)
            left = [net.net.places[p] for p, n in enumerate(marking) if n and net.final.classes[p] in kinds]
            assert left == [net.net.places[ends[0]]]
            break
        t = choose.choice(ready)
        marking = fire(net.net, marking, t)
        event = label(net, t)
        if event is not None:
            assert accepts.takes(event), event


@settings(max_examples=30)
@given(machines(), st.integers(0, 10**6))
def test_without_faults_no_step_fails(tmp_path_factory, definition, seed):
    choose = random.Random(seed)
    assume(tasks(definition))
    called = annotated(tmp_path_factory.mktemp("m"), definition, sidecar(definition, choose)).called
    assume(called.roles.steps)
    marking = called.initial
    for _ in range(80):
        ready = enabled(called.net, marking)
        if not ready:
            break
        t = choose.choice(ready)
        marking = fire(called.net, marking, t)
        event = called.origin.transitions[t].event
        assert event is None or event.kind not in ("failed", "timed_out", "bad_data")
        assert called.roles.transitions[t].kind is not Kind.TIMER or event.kind == "exited"


SAGA = """
service orders { idempotent; null_safe; rejects_after_cancel }
service payments { idempotent; null_safe; rejects_after_cancel }
service inventory { idempotent; null_safe; rejects_after_cancel }
saga fulfil uses step-functions {
  step order on orders { undo withdraw_order; timeout 10s; errors { timeout: halt } }
  step pay on payments { undo credit_back; timeout 10s; errors { timeout: halt } }
  step reserve on inventory { undo release; timeout 10s; errors { timeout: halt } }
  failing_step undo
  on undo_failure halt
}
"""
LLT = """
service orders { idempotent; null_safe; rejects_after_cancel }
service payments { idempotent; null_safe; rejects_after_cancel }
service inventory { idempotent; null_safe; rejects_after_cancel }
annotate "order.asl.yaml" {
  ProcessOrder on orders undone by UpdateOrderStatus
  ProcessPayment on payments undone by ProcessRefund
  ReserveInventory on inventory undone by ReleaseInventory
  end OrderFailed compensated
}
"""
NAMES = {"ProcessOrder": "order", "ProcessPayment": "pay", "ReserveInventory": "reserve"}
REJECT = Hypothesis(("reject",), 1, "transient")
LOSSES = Hypothesis(("reject", "lost", "slow"), 1, "transient")
UNDOS = Hypothesis(("reject", "lost", "slow", "undo-fail"), 2, "transient")


def owed(compiled, hypothesis):
    """Every obligation, by the place in the saga of what it speaks of."""
    compiled = compiled.called or compiled
    woven = weave(compiled._replace(queries=()), hypothesis).compiled
    coverage = measure(woven, hypothesis.budget).coverage
    assert coverage.size.complete

    def plain(step):
        last = step.rpartition("/")[2]
        return NAMES.get(last, last)

    return {
        (o.family, plain(o.step), tuple((c.kind, plain(c.step), c.direction, c.part) for c in map(coverage.causes.__getitem__, o.faults)), o.phase): o.status
        for o in coverage.obligations
    }  # fmt: skip


@pytest.fixture
def published(corpora, tmp_path):
    """The public sample of long-lived transactions, with its sidecar."""
    sample = corpora / "samples" / "aws-stepfunctions" / "llt.asl.yaml"
    (tmp_path / "order.asl.yaml").write_text(sample.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "order.placet").write_text(LLT, encoding="utf-8")
    return load(tmp_path / "order.placet").compiled[0]


@pytest.mark.parametrize("hypothesis", [REJECT, LOSSES], ids=["phi0", "phi1"])
def test_the_published_sample_owes_what_the_saga_written_by_hand_owes(published, tmp_path, hypothesis):
    (tmp_path / "saga.placet").write_text(SAGA, encoding="utf-8")
    by_hand = owed(load(tmp_path / "saga.placet").compiled[0], hypothesis)
    assert owed(published, hypothesis) == by_hand
    assert by_hand


def test_the_published_sample_is_covered_until_a_message_is_lost(published):
    statuses = {h: {s.value for s in owed(published, h).values()} for h in (REJECT, LOSSES, UNDOS)}
    assert statuses[REJECT] == {"covered"}
    assert statuses[LOSSES] == statuses[UNDOS] == {"covered", "uncovered"}
