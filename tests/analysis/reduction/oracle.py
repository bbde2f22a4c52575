"""Everything a reduction claims, held against full enumeration of the original net by `net/firing.py`."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from placet.analysis.reduction import ALL, reduce
from placet.logic.state import And, Dead, Linear, Not, Or, evaluate
from placet.net.firing import enabled, fire
from placet.net.observer import Observer


class Case(NamedTuple):
    net: object
    initial: tuple
    exact: frozenset = frozenset()
    zero: frozenset = frozenset()
    resource: frozenset = frozenset()
    end: frozenset = frozenset()
    fixed: frozenset = frozenset()
    bounded: frozenset | None = None
    channel: frozenset = frozenset()

    def reduce(self, rules=ALL):
        half = frozenset(t for t in self.fixed if t % 2)
        return reduce(
            self.net, self.initial, visible_places=self.exact, visible_transitions=half, observed=self.fixed - half,
            zero_places=self.zero, channel_places=self.channel,
            resource_places=self.resource, end_places=self.end, bounded_places=self.bounded, rules=rules,
        )  # fmt: skip


class Graph:
    """All states (marking, counters of the observed transitions), edges, shortest traces; None from `of` past the limit."""

    @classmethod
    def of(cls, net, initial, observers=(), limit=300, most=12, places=None):
        self = cls()
        self.net, width = net, len(net.places)
        start = (*initial, *(o.initial for o in observers))
        self.start, self.trace, self.edges = start, {start: ()}, {}
        queue = deque([start])
        while queue:
            state = queue.popleft()
            counts = state[:width] if places is None else [state[p] for p in places]
            if len(self.trace) > limit or max(counts, default=0) > most:
                return None
            found = []
            for t in enabled(net, state[:width]):
                marking = fire(net, state[:width], t)
                after = marking + tuple(o.step(v, t) for o, v in zip(observers, state[width:], strict=True))
                found.append((t, after))
                if after not in self.trace:
                    self.trace[after] = (*self.trace[state], t)
                    queue.append(after)
            self.edges[state] = found
        self.back = {s: [] for s in self.edges}
        for s, found in self.edges.items():
            for _, after in found:
                self.back[after].append(s)
        return self

    def where(self, predicate):
        return {
            s for s, found in self.edges.items() if evaluate(predicate, s, lambda found=found: [t for t, _ in found])
        }

    def ef(self, goal):
        """The states from which some state of `goal` can be reached."""
        seen, stack = set(goal), list(goal)
        while stack:
            for before in self.back[stack.pop()]:
                if before not in seen:
                    seen.add(before)
                    stack.append(before)
        return seen

    def ag(self, good):
        return set(self.edges) - self.ef(set(self.edges) - good)

    def fired(self):
        return {t for found in self.edges.values() for t, _ in found}

    def forward(self, state):
        seen, stack = {state}, [state]
        while stack:
            for _, after in self.edges[stack.pop()]:
                if after not in seen:
                    seen.add(after)
                    stack.append(after)
        return seen

    def terminal(self):
        """Terminal strongly connected components, each as a frozenset of states."""
        found, rest = set(), set(self.edges)
        while rest:
            reach = self.forward(next(iter(rest)))
            while True:  # a state with the fewest followers lies in a terminal component
                state = min(reach, key=lambda s: len(self.edges[s]) and 1)
                smaller = self.forward(state)
                better = next((r for s in smaller if len(r := self.forward(s)) < len(smaller)), None)
                if better is None:
                    component = frozenset(smaller)
                    break
                reach = better
            found.add(component)
            rest -= self.ef(component)
        return found


def observers_of(case, reduced=None):
    """A saturating counter for each fixed transition."""
    if reduced is None:
        return [Observer(f"o{t}", "", ((t, 1),), 0, 2) for t in sorted(case.fixed)]
    place = {t: i for i, t in enumerate(reduced.transitions) if t in case.fixed}
    assert len(place) == len(case.fixed) == sum(t in case.fixed for t in reduced.transitions)
    return [Observer(f"o{t}", "", ((place[t], 1),), 0, 2) for t in sorted(case.fixed)]


def predicates_of(case, draw):
    """(predicate, kinds of comparison) that the classes of places admit; `draw` is a random.Random."""
    ends, zero, exact = sorted(case.end), sorted(case.zero - case.exact - case.end), sorted(case.exact)
    zero = [p for p in zero if p not in case.resource]
    channel = sorted(case.channel - case.exact - case.end - case.resource - case.zero)
    resource = sorted(case.resource - case.exact - case.end)
    ends = [p for p in ends if p not in case.exact]
    settled = Linear(tuple((p, 1) for p in zero), "==", 0)
    empty = Linear(tuple((p, 1) for p in [*zero, *channel]), "==", 0)
    restored = tuple(Linear(((p, 1),), "==", case.initial[p]) for p in resource)
    total = tuple((p, 1) for p in ends)
    final = And((Linear(total, "==", 1), empty, *restored))
    any_sink = And((Linear(total, ">=", 1), empty, *restored))
    home = And((Linear(total, "==", 1), settled, *restored))
    ended = Or(tuple(Linear(((p, 1),), ">=", 1) for p in ends))
    counters = range(len(case.net.places), len(case.net.places) + len(case.fixed))
    asked = [*exact, *counters]
    free = (
        [
            Linear(
                ((draw.choice(asked), 1), (draw.choice(asked), draw.choice([1, -1]))),
                draw.choice(["==", ">=", "<=", "!="]),
                draw.choice([0, 1, 1, 2]),
            )
            for _ in range(3)
        ]
        if asked
        else []
    )
    found = [
        Dead(),
        final,
        any_sink,
        ended,
        And((ended, Not(final))),
        empty,
        And((Dead(), Not(final))),
        And((Dead(), Not(any_sink))),
    ]
    found += [And((ended, Not(home))), And((Dead(), settled)), And((Dead(), Not(home)))]
    found += [And((Dead(), ended)), *(And((Dead(), r)) for r in restored), *(And((empty, r)) for r in restored)]
    for p in ends[:2]:
        found += [
            And((final, Linear(((p, 1),), "==", 1))),
            Linear(((p, 1),), ">=", 1),
            And((Dead(), Linear(((p, 1),), "==", 1))),
        ]
    for psi in free:
        found += [
            psi,
            Not(psi),
            And((final, psi)),
            And((Dead(), psi)),
            And((ended, psi)),
            And((ended, Not(final), psi)),
            And((ended, Not(home), psi)),
        ]
    found += [Dead(frozenset({t})) for t in case.fixed if t % 2]
    return found


def check(case, rules, draw, limit=300):
    """Assert every claim; gives the Reduced, or None where the net is too large to enumerate."""
    original = Graph.of(case.net, case.initial, observers_of(case), limit)
    if original is None:
        return None
    reduced = case.reduce(rules)
    width = len(case.net.places)
    smaller = Graph.of(reduced.net, reduced.initial, observers_of(case, reduced), 4 * limit)
    assert smaller is not None, "the reduced net has more states"
    predicates = predicates_of(case, draw)
    image = {s: _lifted(case, reduced, original, trace, s) for s, trace in smaller.trace.items()}
    dead, dead_small = original.ef(original.where(Dead())), smaller.ef(smaller.where(Dead()))
    for predicate in predicates:
        there = reduced.predicate(predicate, len(case.fixed))
        goal, goal_small = original.where(predicate), smaller.where(there)
        for s in goal_small:
            assert image[s] in goal, ("the lifted state does not show it", predicate)
        ef, ef_small = original.ef(goal), smaller.ef(goal_small)
        for s, lifted in image.items():
            assert (s in ef_small) == (lifted in ef), ("EF", predicate, s, lifted)
        assert (smaller.start in ef_small) == (original.start in ef), ("EF at the start", predicate)
        assert (smaller.start in smaller.ag(ef_small)) == (original.start in original.ag(ef)), ("AG EF", predicate)
        livelock = original.ef(set(original.edges) - ef - dead)
        livelock_small = smaller.ef(set(smaller.edges) - ef_small - dead_small)
        assert (smaller.start in livelock_small) == (original.start in livelock), ("livelock", predicate)
    _transitions(original, smaller, reduced, image)
    _bounds(case, original, smaller, reduced, width)
    return reduced


def _lifted(case, reduced, original, trace, state):
    """The state that a lifted trace ends in; all of it must be as promised."""
    now = original.start
    for t in reduced.lift(trace):
        now = next((after for u, after in original.edges[now] if u == t), None)
        assert now is not None, "a lifted trace cannot be fired"
    assert tuple(now[p] for p in reduced.places) == state[: len(reduced.places)], "the ends of the traces differ"
    assert now[len(case.net.places) :] == state[len(reduced.places) :], "the observers differ"
    return now


def _transitions(original, smaller, reduced, image):
    assert reduced.alive(smaller.fired()) == original.fired(), "who can fire"
    components = original.terminal()
    recurring = set()
    for component in smaller.terminal():
        lifted = image[next(iter(component))]
        assert any(lifted in c for c in components), "a terminal component is none"
        recurring.add(reduced.recurring({t for s in component for t, _ in smaller.edges[s]}))
    fires = {frozenset(t for s in c for t, _ in original.edges[s]) for c in components}
    assert recurring == fires, "who fires for ever"


def _bounds(case, original, smaller, reduced, width):
    true = [max(s[p] for s in original.edges) for p in range(width)]
    there = [max(s[p] for s in smaller.edges) for p in range(len(reduced.places))]
    bounds = reduced.bounds(there)
    for p, bound in enumerate(bounds):
        assert bound.least <= true[p], ("least", p)
        assert bound.most is None or true[p] <= bound.most, ("most", p)
    for i, p in enumerate(reduced.places):
        assert there[i] == true[p], ("bound", p)
    asked = range(width) if case.bounded is None else case.bounded
    greatest = max((true[p] for p in asked), default=0)
    shown = max((there[i] for i, p in enumerate(reduced.places) if p in asked), default=0)
    assert max(greatest, 1) == max(shown, 1), "the greatest bound"


def check_reach(case, rules, draw, limit=300):
    """Assert what the rules for reachability claim; gives the Reduced, or None where the net is too large to enumerate."""
    case = case._replace(
        zero=frozenset(), resource=frozenset(), end=frozenset(), channel=frozenset(), bounded=frozenset()
    )
    original = Graph.of(case.net, case.initial, observers_of(case), limit)
    if original is None:
        return None
    reduced = case.reduce(rules)
    smaller = Graph.of(reduced.net, reduced.initial, observers_of(case, reduced), 4 * limit)
    assert smaller is not None, "the reduced net has more states"
    asked = [*sorted(case.exact), *range(len(case.net.places), len(case.net.places) + len(case.fixed))]
    index = {p: i for i, p in enumerate(reduced.places)}
    for state, trace in smaller.trace.items():
        now = original.start
        for t in reduced.lift(trace):
            now = next((after for u, after in original.edges[now] if u == t), None)
            assert now is not None, "a lifted trace cannot be fired"
        assert all(now[p] == state[index[p]] for p in case.exact), "it shows something else"
        assert now[len(case.net.places) :] == state[len(reduced.places) :], "the observers differ"
    shown = {(tuple(s[index[p]] for p in sorted(case.exact)), s[len(reduced.places) :]) for s in smaller.edges}
    assert shown == {(tuple(s[p] for p in sorted(case.exact)), s[len(case.net.places) :]) for s in original.edges}, (
        asked
    )
    return reduced
