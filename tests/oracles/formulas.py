"""Random nets of a few states, with faults and an observer of the moment, and random formulas about their runs."""

from __future__ import annotations

from random import Random

from placet.logic.state import Fireable, at_least, evaluate
from placet.logic.temporal import Always, Atom, Conj, Disj, Eventually, Every, Neg, Next, Release, Some, Until
from placet.net.builder import NetBuilder
from placet.net.firing import enabled, fire_state
from placet.net.observer import Observer
from placet.net.roles import PLAIN, Kind, Roles
from strategies import compiled_of

FAIRNESS = ("edges", "strong", "weak", "nothing")
MOST = 7  # states


def random_net(rng):
    """A net with some faults and an observer that says whether a transition has just fired; None where it has too many states."""
    builder = NetBuilder("random")
    places = rng.randint(2, 4)
    for p in range(places):
        builder.place(f"p{p}", int(rng.random() < 0.5))
    count = rng.randint(2, 6)
    for t in range(count):
        pre = {rng.randrange(places): 1 for _ in range(rng.randint(1, 2))}
        post = {rng.randrange(places): 1 for _ in range(len(pre) if rng.random() < 0.8 else 1)}
        builder.transition(f"t{t}", pre, post)
    net, initial = builder.build()
    meant = rng.randrange(count)
    watch = tuple(Observer("t#fires", "t has just happened", tuple((t, 1 if t == meant else -1) for t in range(count)), momentary=True) for _ in range(rng.random() < 0.5))  # fmt: skip
    faults = {t for t in range(count) if rng.random() < 0.15}
    compiled = compiled_of(net, initial, observers=watch)
    roles = Roles(tuple(PLAIN._replace(kind=Kind.FAULT) if t in faults else PLAIN for t in range(count)))
    compiled = compiled._replace(roles=roles)
    states, graph = [compiled.start], []
    for state in states:
        row = []
        for t in enabled(net, state[:places]):
            to = fire_state(net, watch, state, t)
            if to not in states:
                if len(states) >= MOST:
                    return None
                states.append(to)
            row.append((t, states.index(to)))
        graph.append(row)
    return compiled, states, graph, faults


def random_formula(rng, compiled, depth, *, ctl):
    """A formula over places, enabled transitions and the observer."""
    if depth == 0 or rng.random() < 0.15:
        if rng.random() < 0.2:
            return Atom(Fireable(rng.randrange(len(compiled.net.transitions))))
        return Atom(at_least(rng.randrange(len(compiled.start)), 1))
    inner = lambda: random_formula(rng, compiled, depth - 1, ctl=ctl)  # noqa: E731
    kind = rng.randrange(9)
    if kind == 0:
        return Neg(inner())
    if kind < 4:
        return (Conj, Disj)[kind % 2]((inner(), inner()))
    of = rng.choice(
        [lambda: Next(inner()), lambda: Eventually(inner()), lambda: Always(inner()), lambda: Until(inner(), inner()), lambda: Release(inner(), inner())]
    )()  # fmt: skip
    return rng.choice((Every, Some))(of) if ctl else of


def cases(seed, count):
    rng = Random(seed)
    found = 0
    while found < count:
        made = random_net(rng)
        if made is not None:
            found += 1
            yield rng, *made


def definition(compiled, states):
    width = len(compiled.net.places)

    def at(predicate, state):
        return evaluate(predicate, state, lambda: enabled(compiled.net, state[:width]))

    def calm(predicate, s):
        return at(predicate, states[s][:width] + tuple(0 for _ in compiled.observers))

    return (lambda predicate, s: at(predicate, states[s])), calm
