"""Each property by its definition, over a whole textbook graph. `final` is a state predicate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.logic.state import And, Dead, Not

if TYPE_CHECKING:
    from oracles.reachability import Graph
    from placet.logic.state import Predicate


def option_to_complete(graph: Graph, final: Predicate) -> bool:
    good = graph.where(final)
    return all(graph.reach(s) & good for s in graph.edges)


def proper_completion(graph: Graph, final: Predicate, ended: Predicate) -> bool:
    return graph.where(ended) <= graph.where(final)


def steps_alive(graph: Graph, steps) -> list[bool]:
    fired = {t for out in graph.edges.values() for t, _ in out}
    return [bool(fired & set(step)) for step in steps]


def relaxed_sound(graph: Graph, final: Predicate, steps) -> bool:
    good = graph.where(final)
    return all(
        any(t in step and graph.reach(after) & good for out in graph.edges.values() for t, after in out)
        for step in steps
    )


def safe(graph: Graph, places) -> bool:
    return all(s[p] <= 1 for s in graph.edges for p in places)


def deadlock_free(graph: Graph, final: Predicate | None) -> bool:
    return not graph.where(Dead() if final is None else And((Dead(), Not(final))))


def livelock_free(graph: Graph, final: Predicate) -> bool:
    """Terminal strongly connected sets: what a state reaches when all of it reaches the state back."""
    good = graph.where(final)
    for s in graph.edges:
        ahead = graph.reach(s)
        if all(s in graph.reach(other) for other in ahead) and graph.edges[s] and not ahead & good:
            return False
    return True


def live(graph: Graph, transition: int) -> bool:
    fires = {s for s, out in graph.edges.items() if any(t == transition for t, _ in out)}
    return all(graph.reach(s) & fires for s in graph.edges)
