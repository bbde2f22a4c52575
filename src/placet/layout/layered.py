"""Layered drawing of directed graphs (Sugiyama, Tagawa, Toda 1981): rows from top to bottom, edges pointing down.

The phases: turn back edges round (depth-first search), assign layers (longest path, then pull together), break long
edges by waypoints, order each layer by barycentres, place each layer by isotonic regression. No randomness, no hashing
of names: the same graph has the same drawing everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.layout.ordering import order_layers
from placet.layout.placing import place_layers
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

Point = tuple[float, float]

MOST_WAYPOINTS = 40_000  # edges that would need more are drawn straight: bounds time and memory


class Layout(NamedTuple):
    """Where everything is. Lengths are those of the sizes given; y grows downwards."""

    centres: tuple[Point, ...]  # by vertex: x of its anchor, y of its middle
    routes: tuple[tuple[Point, ...], ...]  # by edge, from source to target centre, vertical within each layer
    layers: tuple[int, ...]  # by vertex, 0 at the top
    turned: frozenset[int]  # edges that point upwards, because they close a cycle
    width: float
    height: float


def layered(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    *,
    gap: tuple[float, float] = (24.0, 46.0),
    anchors: Sequence[float] | None = None,
) -> Layout:
    """Lay out vertices of these (width, height) with these (source, target) edges.

    `anchors` say how far from its left border each vertex has its edges; without them, in the middle.
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
    lefts = [w / 2 for w, _ in sizes] if anchors is None else list(anchors)
    extents = [(left, w - left) for left, (w, _) in zip(lefts, sizes, strict=True)]
    extents += [(1.0, 1.0)] * (len(layers_all) - count)
    rows = order_layers(layers_all, links, count)
    xs = place_layers(rows, links, extents, gap[0], count)
    bands = _bands(layers, sizes, gap[1])
    centres = tuple((xs[v], sum(bands[layers[v]]) / 2) for v in range(count))
    chosen = [[(xs[w], layers_all[w]) for w in chain] for chain in chains]
    routes = _routes(edges, turned, chosen, centres, layers, bands, sizes)
    right = max(x + extent[1] for x, extent in zip(xs, extents, strict=True))
    return Layout(centres, routes, tuple(layers), frozenset(turned), right, bands[-1][1])


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


def _bands(layers: list[int], sizes: Sequence[tuple[float, float]], gap: float) -> list[tuple[float, float]]:
    """Top and bottom of each layer."""
    tall = [0.0] * (max(layers) + 1)
    for v, deep in enumerate(layers):
        tall[deep] = max(tall[deep], sizes[v][1])
    bands: list[tuple[float, float]] = []
    top = 0.0
    for height in tall:
        bands.append((top, top + height))
        top += height + gap
    return bands


def _routes(
    edges: Sequence[tuple[int, int]],
    turned: set[int],
    chosen: list[list[tuple[float, int]]],
    centres: tuple[Point, ...],
    layers: list[int],
    bands: list[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
) -> tuple[tuple[Point, ...], ...]:
    """Points of every edge; parallel edges between neighbours are bent apart, a self-loop goes out to the right."""
    seen: dict[tuple[int, int], int] = {}
    routes: list[tuple[Point, ...]] = []
    for e, (a, b) in enumerate(edges):
        pair = (min(a, b), max(a, b))
        twin = seen[pair] = seen.get(pair, -1) + 1
        if a == b:
            x, y = centres[a]
            reach, quarter = x + sizes[a][0] / 2 + 10 + 8 * twin, sizes[a][1] / 4
            routes.append(((x, y), (reach, y - quarter), (reach, y + quarter), (x, y)))
            continue
        upper, lower = (b, a) if e in turned else (a, b)
        (ux, uy), (lx, ly) = centres[upper], centres[lower]
        leave, arrive = bands[layers[upper]][1], bands[layers[lower]][0]
        between = [(x, y) for x, deep in chosen[e] for y in bands[deep]]
        if not between and twin:
            shift = 16.0 * ((twin + 1) // 2) * (1 if twin % 2 else -1)
            between = [((ux + lx) / 2 + shift, (leave + arrive) / 2)]
        route = ((ux, uy), (ux, leave), *between, (lx, arrive), (lx, ly))
        routes.append(route[::-1] if e in turned else route)
    return tuple(routes)
