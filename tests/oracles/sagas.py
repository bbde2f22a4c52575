"""Every run of a small saga, with the effect of each step counted along: what SAGAS calls BALANCE, by enumeration."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from placet.logic.state import evaluate
from placet.net.firing import enabled, fire
from placet.net.roles import Kind


class Settled(NamedTuple):
    """What is reachable: `ends` as (end, effects) with a shortest trace each; `stuck`: a trace to where no end is."""

    ends: dict
    stuck: tuple[int, ...] | None
    states: int
    net: object

    def effects(self, end: str) -> set[tuple[int, ...]]:
        return {effects for name, effects in self.ends if name == end}

    def story(self, end: str, effects: tuple[int, ...]) -> list[str]:
        return [self.net.origin.transitions[t].phrase for t in self.ends[end, effects]]


def settle(net, limit: int = 60_000) -> Settled:
    """Explore markings together with effects in [-1, 2]; ends are read where a marking is final."""
    roles = net.roles.transitions
    steps = [s.id for s in net.roles.steps]
    final = net.final.predicate(net.initial)
    end_of = {p: net.net.places[p].partition("#end.")[2] for p in net.final.ends}
    faults = {t for t, role in enumerate(roles) if role.kind is Kind.FAULT}
    start = (net.initial, (0,) * len(steps))
    parent = {start: None}
    queue = deque([start])
    back = {start: []}
    finals, ends = [], {}
    moves = {}
    while queue:
        state = queue.popleft()
        marking, effects = state
        assert len(parent) <= limit
        if evaluate(final, marking, list):
            finals.append(state)
            name = next(end for p, end in end_of.items() if marking[p])
            ends.setdefault((name, effects), state)
        out = moves.get(marking)
        if out is None:
            out = moves[marking] = [(t, fire(net.net, marking, t)) for t in enabled(net.net, marking)]
        for t, after in out:
            following = (after, counted(roles[t], effects, steps))
            if following not in parent:
                parent[following] = (state, t)
                back[following] = []
                queue.append(following)
            if t not in faults:
                back[following].append(state)
    good, pending = set(finals), list(finals)
    while pending:
        for before in back[pending.pop()]:
            if before not in good:
                good.add(before)
                pending.append(before)
    lost = next((s for s in parent if s not in good), None)
    traces = {key: trace(parent, state) for key, state in ends.items()}
    return Settled(traces, None if lost is None else trace(parent, lost), len(parent), net)


def counted(role, effects, steps):
    """The effects after a transition: applies add one, undos take one; a `partial` fault applies."""
    if role.kind is not Kind.APPLY and role.fault != "partial":
        return effects
    i = steps.index(role.step)
    change = -1 if role.direction == "undo" else 1
    return (*effects[:i], min(2, max(-1, effects[i] + change)), *effects[i + 1 :])


def trace(parent, state):
    found = []
    while parent[state] is not None:
        state, t = parent[state]
        found.append(t)
    return tuple(reversed(found))
