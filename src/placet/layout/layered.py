"""Layered drawing of directed graphs (Sugiyama, Tagawa, Toda 1981): rows from top to bottom, edges pointing down.

The phases: turn back edges round (depth-first search), assign layers (longest path, then pull together), break long
edges by waypoints, order each layer by barycentres, place each layer by isotonic regression. No randomness, no hashing
of names: the same graph has the same drawing everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from placet.layout.ordering import order_layers
from placet.layout.placing import place_layers

if TYPE_CHECKING:
    from collections.abc import Sequence

Point = tuple[float, float]

MOST_WAYPOINTS = 40_000  # edges that would need more are drawn straight: bounds time and memory


class Layout(NamedTuple):
    """Where everything is. Lengths are those of the sizes given; y grows downwards."""

    centres: tuple[Point, ...]  # by vertex
    routes: tuple[tuple[Point, ...], ...]  # by edge, from source to target centre, with waypoints between
    layers: tuple[int, ...]  # by vertex, 0 at the top
    turned: frozenset[int]  # edges that point upwards, because they close a cycle
    width: float
    height: float


def layered(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    *,
    gap: tuple[float, float] = (24.0, 46.0),
) -> Layout:
    """Lay out vertices of these (width, height) with these (source, target) edges.

    Vertices never overlap: `gap` is kept beside and between layers. Every edge points to a deeper layer but for self-loops
    and those in `turned`. O((V + waypoints + E) log V) for each of a bounded number of rounds, no recursion.
    """
    if not sizes:
        return Layout((), (), (), frozenset(), 0.0, 0.0)
    count = len(sizes)
    turned = back_edges(count, edges)
    down = [(b, a) if e in turned else (a, b) for e, (a, b) in enumerate(edges)]
    layers = assign_layers(count, [(a, b) for a, b in down if a != b])
    chains, layers_all, links = _waypoints(layers, down)
    widths = [w for w, _ in sizes] + [2.0] * (len(layers_all) - count)
    rows = order_layers(layers_all, links, count)
    xs = place_layers(rows, links, widths, gap[0], count)
    ys, height = _heights(layers, sizes, gap[1])
    centres = tuple((xs[v], ys[layers[v]]) for v in range(count))
    routes = _routes(edges, turned, chains, centres, xs, ys, layers_all, sizes)
    right = max(xs[v] + widths[v] / 2 for v in range(len(xs)))
    return Layout(centres, routes, tuple(layers), frozenset(turned), right, height)


def back_edges(count: int, edges: Sequence[tuple[int, int]]) -> set[int]:
    """Edges whose reversal leaves no cycle, self-loops aside: those that close a cycle in a depth-first search.

    The search begins at vertices without predecessors, then takes the rest in order, so that flows run as written.
    """
    out: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    entered = [0] * count
    for e, (a, b) in enumerate(edges):
        if a != b:
            out[a].append((e, b))
            entered[b] += 1
    found: set[int] = set()
    colour = [0] * count  # 0 new, 1 on the path, 2 done
    for root in [*(v for v in range(count) if not entered[v]), *range(count)]:
        if colour[root]:
            continue
        colour[root] = 1
        path = [(root, iter(out[root]))]
        while path:
            vertex, rest = path[-1]
            for e, to in rest:
                if colour[to] == 1:
                    found.add(e)
                elif not colour[to]:
                    colour[to] = 1
                    path.append((to, iter(out[to])))
                    break
            else:
                colour[vertex] = 2
                path.pop()
    return found


def assign_layers(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """A layer for each vertex of an acyclic graph: longest path, then each vertex moved where its edges are shortest."""
    out: list[list[int]] = [[] for _ in range(count)]
    into: list[list[int]] = [[] for _ in range(count)]
    for a, b in edges:
        out[a].append(b)
        into[b].append(a)
    waiting = [len(into[v]) for v in range(count)]
    ready = [v for v in range(count) if not waiting[v]]
    layer = [0] * count
    for v in ready:  # grows while it is walked: a topological order
        for to in out[v]:
            layer[to] = max(layer[to], layer[v] + 1)
            waiting[to] -= 1
            if not waiting[to]:
                ready.append(to)
    for _ in range(4):  # total length falls in every round; a few rounds are enough to look well
        moved = False
        for v in [*reversed(ready), *ready]:
            low = max((layer[u] for u in into[v]), default=-1) + 1
            high = min((layer[u] for u in out[v]), default=len(ready)) - 1
            pull = len(out[v]) - len(into[v])
            goal = high if pull > 0 else low if pull < 0 else layer[v]
            if goal != layer[v] and (into[v] or out[v]):
                layer[v] = goal
                moved = True
        if not moved:
            break
    used = {deep: at for at, deep in enumerate(sorted(set(layer)))}
    return [used[deep] for deep in layer]


def _waypoints(
    layers: list[int], down: list[tuple[int, int]]
) -> tuple[list[list[int]], list[int], list[tuple[int, int]]]:
    """Vertices added on long edges: by edge its chain, the layers of all vertices, and the links of adjacent layers.

    Short edges come first when there are too many to break them all.
    """
    all_layers = list(layers)
    chains: list[list[int]] = [[] for _ in down]
    links: list[tuple[int, int]] = []
    for e in sorted(range(len(down)), key=lambda e: (layers[down[e][1]] - layers[down[e][0]], e)):
        a, b = down[e]
        between = range(layers[a] + 1, layers[b])
        if a == b or len(all_layers) - len(layers) + len(between) > MOST_WAYPOINTS:
            continue
        chain = list(range(len(all_layers), len(all_layers) + len(between)))
        all_layers.extend(between)
        chains[e] = chain
        links.extend(zip([a, *chain], [*chain, b], strict=True))
    return chains, all_layers, links


def _heights(layers: list[int], sizes: Sequence[tuple[float, float]], gap: float) -> tuple[list[float], float]:
    """The middle of each layer, and the height of all."""
    tall = [0.0] * (max(layers) + 1)
    for v, deep in enumerate(layers):
        tall[deep] = max(tall[deep], sizes[v][1])
    middles: list[float] = []
    top = 0.0
    for height in tall:
        middles.append(top + height / 2)
        top += height + gap
    return middles, top - gap


def _routes(
    edges: Sequence[tuple[int, int]],
    turned: set[int],
    chains: list[list[int]],
    centres: tuple[Point, ...],
    xs: list[float],
    ys: list[float],
    layers: list[int],
    sizes: Sequence[tuple[float, float]],
) -> tuple[tuple[Point, ...], ...]:
    """Points of every edge; parallel edges between neighbours are bent apart, a self-loop goes out to the right."""
    seen: dict[tuple[int, int], int] = {}
    routes: list[tuple[Point, ...]] = []
    for e, (a, b) in enumerate(edges):
        pair = (min(a, b), max(a, b))
        twin = seen[pair] = seen.get(pair, -1) + 1
        (ax, ay), (bx, by) = centres[a], centres[b]
        if a == b:
            reach = ax + sizes[a][0] / 2 + 10 + 8 * twin
            quarter = sizes[a][1] / 4
            routes.append(((ax, ay), (reach, ay - quarter), (reach, ay + quarter), (ax, ay)))
            continue
        between = [(xs[w], ys[layers[w]]) for w in chains[e]]
        if e in turned:
            between.reverse()
        if not between and twin:
            shift = 16.0 * ((twin + 1) // 2) * (1 if twin % 2 else -1)
            between = [((ax + bx) / 2 + shift, (ay + by) / 2)]
        routes.append(((ax, ay), *between, (bx, by)))
    return tuple(routes)
