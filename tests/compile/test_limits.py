"""What holds calls back from services, against definitions of ten lines that know no net: a circuit breaker, a bulkhead, a rate."""

from __future__ import annotations

import random
import sys

import pytest

from conftest import CHECKOUT

sys.path.append(str(CHECKOUT / "tests" / "coverage"))

from random_sagas import POOL, case, walk  # noqa: E402

from placet.faults.hypothesis import KINDS, Hypothesis  # noqa: E402
from placet.ir import model as ir  # noqa: E402
from placet.net.firing import enabled, fire  # noqa: E402
from placet.net.roles import Kind  # noqa: E402


class Breaker:
    """The textbook: closed until so many failures in a row; open until time passes; half-open for one call."""

    def __init__(self, most: int) -> None:
        self.most, self.state, self.failures = most, "closed", 0

    def allows(self) -> bool:
        return self.state in ("closed", "half")

    def call(self) -> bool:
        """A call is made; whether it is the probe."""
        probe = self.state == "half"
        if probe:
            self.state = "probing"
        return probe

    def passes(self) -> None:
        assert self.state == "open"
        self.state = "half"

    def ends(self, outcome: str, *, probe: bool) -> None:
        """A call is over: `well`, `ill`, or nobody waits for it any more (``)."""
        if probe:
            self.state, self.failures = ("closed" if outcome == "well" else "open"), 0
        elif self.state == "closed" and outcome:
            self.failures = 0 if outcome == "well" else self.failures + 1
            if self.failures == self.most:
                self.state, self.failures = "open", 0


class Walk:
    """One run of a net, with the limits of its service beside it."""

    def __init__(self, compiled, limits: ir.Limits, errors: dict[str, tuple[ir.ErrorRule, ...]]) -> None:
        self.compiled, self.net, self.roles = compiled, compiled.net, compiled.roles.transitions
        self.limits, self.errors = limits, errors
        self.breaker = Breaker(limits.breaker) if limits.breaker else None
        self.window = 0
        self.marking = compiled.initial
        names = self.net.places
        self.waits = {p for p, name in enumerate(names) if "#waiting[" in name or "#undo.waiting[" in name}
        self.probes = {p for p in self.waits if names[p].endswith(".probe")}
        self.own = {  # of a request: what the coordinator needs for it beside the limits
            t: [p for p, _ in self.net.pre[t] if not names[p].startswith("z#")]
            for t, role in enumerate(self.roles)
            if role.kind is Kind.SEND
        }

    def busy(self) -> int:
        return sum(self.marking[p] for p in self.waits)

    def allowed(self) -> bool:
        full = self.limits.bulkhead and self.busy() >= self.limits.bulkhead
        spent = self.limits.rate and self.window >= self.limits.rate
        return not full and not spent and (self.breaker is None or self.breaker.allows())

    def agrees(self) -> None:
        able = set(enabled(self.net, self.marking))
        wanted = {t for t, own in self.own.items() if all(self.marking[p] for p in own)}
        made = {self._call(t) for t in able if t in self.own}
        assert made == ({self._call(t) for t in wanted} if self.allowed() else set())
        for t in able:
            if self.roles[t].how == "blocked":
                assert self.refuses(self.roles[t].says), self.net.transitions[t]
        if self.breaker is not None:
            states = {s: self.marking[self.net.place(f"z#breaker.{s}")] for s in ("closed", "open", "half", "probing")}
            assert [s for s, n in states.items() if n] == [self.breaker.state]
            assert sum(states.values()) == 1
        if self.limits.bulkhead:
            assert self.busy() <= self.limits.bulkhead
            assert self.marking[self.net.place("z#bulkhead.free")] == self.limits.bulkhead - self.busy()

    def _call(self, t: int) -> tuple[str, str, int]:
        role = self.roles[t]
        return role.step, role.direction, role.attempt

    def refuses(self, error: str) -> bool:
        match error:
            case "CircuitOpen":
                return self.breaker is not None and not self.breaker.allows()
            case "BulkheadFull":
                return self.limits.full == "reject" and self.busy() >= self.limits.bulkhead
        return self.limits.spent == "reject" and self.window >= self.limits.rate

    def step(self, t: int) -> None:
        role = self.roles[t]
        before = {p for p in self.waits if self.marking[p]}
        after = fire(self.net, self.marking, t)
        ended = [p for p in before if not after[p]]
        self.marking = after
        if role.kind is Kind.SEND:
            self.window += 1
            if self.breaker is not None:
                probe = self.breaker.call()
                begun = [p for p in self.waits - before if after[p]]
                assert [p in self.probes for p in begun] == [probe]
        elif role.kind is Kind.PASSES and role.how == "window":
            self.window -= 1
        elif role.kind is Kind.PASSES:
            self.breaker.passes()
        for p in ended if self.breaker is not None else ():
            self.breaker.ends(self.outcome(role), probe=p in self.probes)

    def outcome(self, role) -> str:
        """What the end of a call says of its service."""
        if role.kind is Kind.TIMER:
            return "ill" if role.says == "10s" else ""  # that of the call, or of the whole saga
        if role.kind is not Kind.REPLY:
            return ""
        if not role.says or role.says.startswith("was") or role.direction == "undo":
            return "ill" if role.says else "well"
        rule = next(
            (r for r in self.errors.get(role.step.rpartition("/")[2].partition("[")[0], ()) if r.error == role.says),
            None,
        )
        if rule is None:
            return "well" if role.says == "AlreadyExists" else "ill"
        return "well" if rule.action == "reject" and not rule.retry else "ill"


def walks(seed: int, instances: int):
    one = case(seed, limited=True)
    one = one._replace(hypothesis=Hypothesis(tuple(KINDS), 2, "both", instances))
    woven = one.woven()
    if woven is None:
        return
    steps = [s for p in (one.process, *one.called) for s in walk(p.body) if isinstance(s, ir.Step)]
    held = next((s.limits for s in steps if s.limits), None)
    if held is None:
        return
    errors = {s.id.rpartition("/")[2]: s.errors for s in steps}
    for number in range(4):
        rng = random.Random(seed * 10 + number)
        run = Walk(woven.compiled, held, errors)
        run.agrees()
        for _ in range(60):
            able = enabled(run.net, run.marking)
            if not able:
                break
            run.step(rng.choice(able))
            run.agrees()
        yield run


@pytest.mark.parametrize("instances", [1, 2])
def test_a_with_holds_one_of_its_pool_and_no_more(instances: int) -> None:
    """Whatever happens in a saga: what is not free is held by a body that goes on, each of which holds one."""
    held = 0
    for seed in range(400):
        one = case(seed, limited=True)
        found = [s for p in (one.process, *one.called) for s in walk(p.body) if isinstance(s, ir.With)]
        woven = one._replace(hypothesis=Hypothesis(tuple(KINDS), 2, "both", instances)).woven() if found else None
        if woven is None or any(isinstance(s, ir.Loop) for p in (one.process, *one.called) for s in walk(p.body)):
            continue
        net = woven.compiled.net
        free, most = net.place("p#free"), len(found) * (len(one.called) + 1) * instances
        for number in range(5):
            rng, marking = random.Random(seed * 10 + number), woven.compiled.initial
            for _ in range(80):
                able = enabled(net, marking)
                calm = [t for t in able if woven.compiled.roles.transitions[t].kind is not Kind.FAULT]
                if not able:
                    break
                marking = fire(net, marking, rng.choice(calm if calm and rng.random() < 0.9 else able))
                assert 0 <= POOL - marking[free] <= most
                held += marking[free] < POOL
    assert held > 1000


@pytest.mark.parametrize("instances", [1, 2])
def test_calls_are_made_exactly_when_the_limits_let_them(instances: int) -> None:
    runs = [run for seed in range(120) for run in walks(seed, instances)]
    assert len(runs) > 200
    assert any(run.breaker is not None and run.breaker.state != "closed" for run in runs)
