"""Whatever the participants and the faults do, the coordinator does what its machine says: runs of the whole, woven net."""

from __future__ import annotations

import random

import pytest
from machines import MODELS, compiled, of, subjects

from placet.analysis.open_net import SILENT, open_net
from placet.faults.hypothesis import Hypothesis
from placet.faults.weave import weave
from placet.net.firing import enabled, fire

FAULTS = ("reject", "lost", "slow", "partial", "undo-fail", "undo-slow", "undo-lost", "duplicate")
PROGRAMS = (
    "saga s { step a { undo b; timeout 1s; retry 2 }; parallel { step c { undo d; timeout 1s }; step e { pivot; timeout 1s } } }",
    "saga s { on unknown ask; step a { undo b; timeout 1s }; first of { receive x; timer 1h -> abandon }; step c { undo d } }",
    "saga s { siblings cancel; parallel { step a { undo b }; { step c { undo d }; step e } }; on undo_failure retry 1 then escalate }",
    "saga s { undo_order parallel; step a { undo b; timeout 1s }; step c { undo d; errors { E: retry 1 then reject; other: unknown } }; step e }",
    "service z { circuit_breaker after 1; bulkhead 1 reject } saga s { parallel { step a on z { undo b; timeout 1s; retry 1 }; step c on z { undo d; timeout 1s } }; on undo_failure retry 1 then escalate }",
    "pool p 1 service z { rate_limit 1 per 1s reject } saga s { with p { step a on z { undo b; timeout 1s } }; step c on z { undo d; errors { RateLimited: retry 1 then reject } } }",
    "service z[2] { null_safe } saga s { parallel { step a[i in 1..2] on z[i] { undo b[i]; timeout 1s } }; step c on z[1] { undo d } }",
    "service z { null_safe } saga s { step a on z { undo b; timeout 1s }; first of { receive x -> continue_as_new carrying undo at_most 1 receive y }; step c on z { undo d } }",
    "service z { null_safe } saga s { parallel 1 of { step a on z { undo b; timeout 1s } step c on z { undo d; timeout 1s } } others cancel; step e on z { undo f } }",
    "service z { null_safe } saga s { every 1h at_most 2 overlap cancel { step a on z { undo b; timeout 1s } }; step c on z { undo d } }",
    "workflow w { try { task a fails E  receive x } on signal z beside at_most 2 { task b } on E { task c } }",
    "saga t { step a { undo b } } workflow w { call t on compensated { task c; end x } on failed { end y }; task d fails E }",
)


class Follower:
    """The states that the machine may be in, by what was seen."""

    def __init__(self, found) -> None:
        self.lts = found.lts
        self.out = [[] for _ in range(found.lts.states)]
        for source, label, target in found.lts.edges:
            self.out[source].append((label, target))
        self.number = {text: n for n, text in enumerate(found.lts.labels)}
        self.states = self._settled({found.lts.initial})

    def _settled(self, states):
        todo = list(states)
        while todo:
            for label, target in self.out[todo.pop()]:
                if label == SILENT and target not in states:
                    states.add(target)
                    todo.append(target)
        return states

    def see(self, text):
        label = self.number[text]
        self.states = self._settled({t for s in self.states for its, t in self.out[s] if its == label})

    def offered(self):
        return {self.lts.labels[label] for s in self.states for label, _ in self.out[s] if label != SILENT}


def walked(subject, rng, steps):
    """The labels seen on a random run of the whole net with faults."""
    opened = open_net(subject)
    seen = {t: label for t, label in zip(opened.transitions, opened.labels, strict=True) if label is not None}
    # what an engine does to a saga as a whole is not part of its machine
    ports = tuple(port._replace(overdue=-1) for port in subject.roles.ports)
    subject = subject._replace(roles=subject.roles._replace(ports=ports))
    woven = weave(subject, Hypothesis(FAULTS, 2, "both")).compiled
    net, marking = woven.net, woven.initial
    known = {subject.net.transitions[t]: label for t, label in seen.items()}
    for t, name in enumerate(net.transitions):
        if (
            name.endswith(":copy") and name.removesuffix(":copy") in known
        ):  # a reply that came twice is taken as the first one
            seen[t] = known[name.removesuffix(":copy")]
    for _ in range(steps):
        able = enabled(net, marking)
        if not able:
            return
        t = rng.choice(able)
        marking = fire(net, marking, t)
        if woven.roles.transitions[t].how == "blocked" and t in seen:  # for the coordinator the answer to its call
            yield "!" + seen[t].text.removeprefix("?").rpartition(".")[0]
        if t in seen:
            yield seen[t].text


def sources():
    for path in MODELS:
        for subject in subjects(path):
            if subject.kind in ("saga", "workflow") and len(subject.net.transitions) < 400 and not has_data(subject):
                yield pytest.param(subject, id=subject.subject)
    for text in PROGRAMS:
        yield pytest.param(compiled(text), id=text[:40])


def has_data(subject):
    return any("#sets[" in t for t in subject.net.transitions)


@pytest.mark.parametrize("subject", list(sources()))
def test_every_run_of_the_whole_is_one_of_the_machine(subject) -> None:
    rng = random.Random(13)
    found, _ = of(subject, decisions=False)
    covered = set()
    for _ in range(25):
        follower = Follower(found)
        word = []
        for text in walked(subject, rng, 120):
            word.append(text)
            assert text in follower.offered(), word
            follower.see(text)
            covered.add(text)
    assert len(covered) >= min(3, len(found.lts.labels) - 1)
