"""Whether a certificate shows what it says: by the firing rule alone, sharing nothing with engines and reductions.

A set of states that holds the initial one and that no firing leaves holds all reachable states, whoever made it and however. So
the checker believes nothing that is written in a certificate: it fires every transition in every state of a set, replays every run,
and does the sums of every weighting, on the net as it was compiled, before any reduction.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

from placet.certificate.form import digest, unshifted
from placet.certificate.layers import covers, never_in
from placet.certificate.meaning import faults
from placet.logic.state import And, Dead, Fireable, Linear, Not, Or, evaluate
from placet.net.firing import enabled, fire_state
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from placet.certificate.form import Certificate, Entry
    from placet.certificate.meaning import Obligation, Question
    from placet.compiled import Compiled
    from placet.evidence import State, Trace
    from placet.logic.state import Predicate


class RefusedError(Exception):
    """The evidence does not show what it should: why, in a few words."""


class Graph(NamedTuple):
    """A closed set with its edges: those of state i are at `offsets[i] .. offsets[i + 1] - 1`; targets of moves that may leave it are -1."""

    states: tuple[State, ...]
    offsets: array[int]
    labels: array[int]
    targets: array[int]

    def fired(self, i: int) -> array[int]:
        """The transitions enabled in a state."""
        return self.labels[self.offsets[i] : self.offsets[i + 1]]

    def having(self, predicate: Predicate) -> bytearray:
        """By state, 1 where the predicate holds."""
        return bytearray(evaluate(predicate, s, lambda i=i: self.fired(i)) for i, s in enumerate(self.states))  # type: ignore[misc]


class Checker:
    """One certificate; what was found out about a set for one check serves the next."""

    def __init__(self, certificate: Certificate) -> None:
        self._certificate = certificate
        self._graphs: dict[tuple[object, ...], Graph] = {}

    def extend(self, certificate: Certificate) -> None:
        """Go on with a certificate that has more than before, and all that it had under the same numbers."""
        self._certificate = certificate

    def check(self, question: Question, entry: Entry) -> None:
        """Accept an entry with evidence. Raises RefusedError where the evidence does not show the verdict."""
        if digest(question) != entry.question:
            raise RefusedError("it was made for another net, or another question")
        try:
            if entry.verdict == "proved":
                self._proved(question, entry.evidence)
            elif entry.verdict == "violated" and len(entry.evidence) == 1:
                self._refuted(question, entry.evidence[0])
            else:
                raise RefusedError("it shows nothing")
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError, OverflowError):
            raise RefusedError("its evidence is not made as evidence is") from None

    def _proved(self, question: Question, evidence: Sequence[dict[str, Any]]) -> None:
        if len(evidence) != len(question.obligations):
            raise RefusedError("it does not show every part of what is asked")
        for obligation, shown in zip(question.obligations, evidence, strict=True):
            compiled = question.compiled
            if obligation.kind == "never":
                self._never(compiled, obligation.predicate, shown)
            elif obligation.kind == "again":
                graph = self._closed(compiled, shown["set"], compiled.start)
                if _leading_to(graph, graph.having(obligation.predicate), faults(compiled)).find(0) >= 0:
                    raise RefusedError("from some state of its set there is no way to where one should lead")
            elif obligation.kind == "some":
                self._shown(compiled, obligation, shown)
            elif "weights" in shown:
                weights = _weights(compiled, shown["weights"])
                _falling(compiled, weights)
                if any(weights.get(p, 0) <= 0 for p in range(len(compiled.net.places))):
                    raise RefusedError("its sum leaves a place out")
            else:
                self._closed(compiled, shown["set"], compiled.start)

    def _refuted(self, question: Question, shown: dict[str, Any]) -> None:
        compiled, obligation = question.compiled, question.obligations[_index(shown["obligation"])]
        if obligation.kind == "never":
            self._shown(compiled, obligation, shown)
        elif obligation.kind == "again":
            start = self._replayed(compiled, shown)
            graph = self._closed(compiled, shown["set"], start, faults(compiled))
            if graph.having(obligation.predicate).find(1) >= 0:
                raise RefusedError("the way on that should be lost is still there")
        elif obligation.kind == "some" and obligation.through:
            graph = self._closed(compiled, shown["set"], compiled.start)
            ends_well = _leading_to(graph, graph.having(obligation.predicate), frozenset())
            for label, target in zip(graph.labels, graph.targets, strict=True):
                if label in obligation.through and ends_well[target]:
                    raise RefusedError("a run does what should never happen")
        elif obligation.kind == "some":
            self._never(compiled, obligation.predicate, shown)
        else:
            _grows(compiled, self._replayed(compiled, shown), self._certificate.runs[_index(shown["loop"])])

    # -- the kinds of evidence ---------------------------------------------------------------------------------------

    def _never(self, compiled: Compiled, predicate: Predicate, shown: dict[str, Any]) -> None:
        if "set" in shown:
            if self._closed(compiled, shown["set"], compiled.start).having(predicate).find(1) >= 0:
                raise RefusedError("its set has a state that should be out of reach")
        elif "diagram" in shown:
            layers = self._certificate.diagrams[_index(shown["diagram"])]
            if not covers(layers, compiled):
                raise RefusedError("a firing leaves its set, or the initial state is not in it")
            if not never_in(layers, compiled, predicate):
                raise RefusedError("its set has a state that should be out of reach")
        elif "siphon" in shown:
            _starved(compiled, predicate, frozenset(_index(p) for p in shown["siphon"]))
        else:
            _outweighed(compiled, predicate, shown["weights"])

    def _shown(self, compiled: Compiled, obligation: Obligation, shown: dict[str, Any]) -> None:
        state = self._replayed(compiled, shown)
        able = enabled(compiled.net, state[: len(compiled.net.places)])
        if not evaluate(obligation.predicate, state, lambda: able):
            raise RefusedError("its run does not end where it should")
        if obligation.through and obligation.through.isdisjoint(self._steps(shown)):
            raise RefusedError("its run does not do what it should show")

    def _steps(self, shown: dict[str, Any]) -> Trace:
        run = self._certificate.runs[_index(shown["run"])]
        steps = _index(shown["steps"])
        if steps > len(run):
            raise RefusedError("its run is shorter than it says")
        return run[:steps]

    def _replayed(self, compiled: Compiled, shown: dict[str, Any]) -> State:
        return _fired(compiled, compiled.start, self._steps(shown))

    def _closed(
        self, compiled: Compiled, number: Any, start: State, without: frozenset[int] = frozenset()  # noqa: ANN401
    ) -> Graph:  # fmt: skip
        """The graph of a set, once it is sure that it holds the start and that no firing leaves it."""
        key = (_index(number), start, without, compiled.net, compiled.observers)
        found = self._graphs.get(key)
        if found is None:
            found = self._graphs[key] = _closed(compiled, self._certificate.sets[key[0]], start, without)
        return found


def _index(value: Any) -> int:  # noqa: ANN401 - as JSON gives it
    if type(value) is not int or value < 0:
        raise RefusedError("its evidence is not made as evidence is")
    return value


def _fired(compiled: Compiled, state: State, trace: Trace) -> State:
    for number, t in enumerate(trace, 1):
        after = fire_state(compiled.net, compiled.observers, state, t) if t < len(compiled.net.transitions) else None
        if after is None:
            raise RefusedError(f"step {number} of its run cannot happen there")
        state = after
    return state


def _closed(compiled: Compiled, states: Any, start: State, without: frozenset[int]) -> Graph:  # noqa: ANN401
    net, width = compiled.net, len(compiled.net.places)
    if states.width != len(start):
        raise RefusedError("its states are not those of this net")
    members = tuple(unshifted(width, row) for row in states.rows)
    numbers = {state: i for i, state in enumerate(members)}
    if start not in numbers:
        raise RefusedError("its set does not hold the state to start from")
    always = [t for t in range(len(net.transitions)) if not net.pre[t]]
    users: list[list[int]] = [[] for _ in range(width)]
    for t, arcs in enumerate(net.pre):
        if arcs:
            users[arcs[0][0]].append(t)
    offsets, labels, targets = array("q", (0,)), array("q"), array("q")
    for state in members:
        candidates = [*always, *(t for p in range(width) if state[p] for t in users[p])]
        for t in candidates:
            after = fire_state(net, compiled.observers, state, t)
            if after is None:
                continue
            target = numbers.get(after, -1)
            if target < 0 and t not in without:
                raise RefusedError("a firing leaves its set")
            labels.append(t)
            targets.append(target)
        offsets.append(len(labels))
    return Graph(members, offsets, labels, targets)


def _leading_to(graph: Graph, goal: bytearray, without: frozenset[int]) -> bytearray:
    """By state, 1 where the goal holds or can be reached without these transitions."""
    before: list[list[int]] = [[] for _ in graph.states]
    for i in range(len(graph.states)):
        for at in range(graph.offsets[i], graph.offsets[i + 1]):
            if graph.labels[at] not in without:
                before[graph.targets[at]].append(i)
    found, pending = bytearray(goal), [i for i, holds in enumerate(goal) if holds]
    while pending:
        for i in before[pending.pop()]:
            if not found[i]:
                found[i] = 1
                pending.append(i)
    return found


def _grows(compiled: Compiled, before: State, loop: Trace) -> None:
    """The loop can be repeated for ever and adds each time: nothing is less after it, and what could hold it up is as before."""
    net, width = compiled.net, len(compiled.net.places)
    after = _fired(compiled, before, loop)
    emptied = {p for t in loop for p in net.reset[t]}
    held = {
        p for t in loop for p, _ in net.inhibit[t]
    }.union(  # and those with a capacity, where it is not emptied first
        p
        for p, most in net.capacity
        if before[p] > most or not all(p in net.reset[t] for t in loop if p in dict(net.post[t]))
    )
    if any(after[p] < before[p] for p in range(width)) or any(after[p] != before[p] for p in held):
        raise RefusedError("its loop cannot be repeated for ever")
    if all(after[p] == before[p] for p in range(width) if p not in emptied):
        raise RefusedError("its loop adds nothing")


def _starved(compiled: Compiled, predicate: Predicate, siphon: frozenset[int]) -> None:
    """An empty siphon stays empty, so that what takes from it never fires."""
    net = compiled.net
    takes = [any(p in siphon for p, _ in (*net.pre[t], *net.read[t])) for t in range(len(net.transitions))]
    fed = any(p in siphon and not takes[t] for t, arcs in enumerate(net.post) for p, _ in arcs)
    if fed or any(compiled.initial[p] for p in siphon):
        raise RefusedError("its places are filled from outside")
    parts = predicate.of if isinstance(predicate, Or) else (predicate,)
    if not all(isinstance(part, Fireable) and takes[part.transition] for part in parts):
        raise RefusedError("its places do not keep this from happening")


# -- sums ------------------------------------------------------------------------------------------------------------


def _weights(compiled: Compiled, pairs: Iterable[Sequence[int]]) -> dict[int, int]:
    found = {_index(p): w for p, w in pairs}
    if any(type(w) is not int or p >= len(compiled.net.places) for p, w in found.items()):
        raise RefusedError("its weights are not those of places")
    return found


def _falling(compiled: Compiled, weights: dict[int, int]) -> None:
    """No firing raises the sum."""
    net = compiled.net
    for t, arcs in enumerate(net.pre):
        change = sum(weights.get(p, 0) * w for p, w in net.post[t]) - sum(weights.get(p, 0) * w for p, w in arcs)
        if change > 0 or any(weights.get(p, 0) < 0 for p in net.reset[t]):
            raise RefusedError("a firing raises its sum")


def _outweighed(compiled: Compiled, predicate: Predicate, shown: Sequence[Any]) -> None:
    """Each alternative demands a sum above the initial one: `y C <= 0`, `y >= z A` where states obey `A m >= b`, `y m0 < z b`."""
    alternatives = predicate.of if isinstance(predicate, Or) else (predicate,)
    if len(shown) != len(alternatives):
        raise RefusedError("it does not rule out every case")
    for alternative, (pairs, prices) in zip(alternatives, shown, strict=True):
        weights, demands = _weights(compiled, pairs), _demands(compiled, alternative)
        _falling(compiled, weights)
        if len(prices) != len(demands):
            raise RefusedError("it does not weigh every condition")
        wanted: dict[int, int] = {}
        for price, (terms, _) in zip(prices, demands, strict=True):
            for p, c in terms:
                wanted[p] = wanted.get(p, 0) + _index(price) * c
        bound = sum(price * least for price, (_, least) in zip(prices, demands, strict=True))
        if any(wanted.get(p, 0) > weights.get(p, 0) for p in {*wanted, *weights}):
            raise RefusedError("its sum is less than the condition asks for")
        if sum(w * compiled.initial[p] for p, w in weights.items()) >= bound:
            raise RefusedError("its sum leaves room for what should be out of reach")


def _demands(compiled: Compiled, predicate: Predicate) -> list[tuple[tuple[tuple[int, int], ...], int]]:
    """A conjunction as `sum >= bound` each. Raises RefusedError for what is none."""
    if isinstance(predicate, And):
        return [demand for part in predicate.of for demand in _demands(compiled, part)]
    if isinstance(predicate, Not | Or | Dead | Fireable) or any(i >= len(compiled.initial) for i, _ in predicate.terms):
        raise RefusedError("sums cannot show this")
    terms, op, bound = predicate
    less = (tuple((i, -c) for i, c in terms), -bound + (op == "<"))
    more = (terms, bound + (op == ">"))
    sides = {"<": [less], "<=": [less], ">": [more], ">=": [more], "==": [less, more]}
    if not isinstance(predicate, Linear) or op not in sides:
        raise RefusedError("sums cannot show this")
    return sides[op]
