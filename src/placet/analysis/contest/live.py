"""Liveness: whether every transition can become enabled again from every reachable marking."""

from __future__ import annotations

from fractions import Fraction
from time import monotonic
from typing import TYPE_CHECKING

from placet.analysis.contest.global_properties import quasi_live, starved
from placet.analysis.contest.symbolic import ask, is_live
from placet.engines.protocol import Needs, Visitor
from placet.logic.state import FALSE, Fireable

if TYPE_CHECKING:
    from placet.analysis.contest.context import Context
    from placet.analysis.temporal.graph import Graph, Truth
    from placet.engines.frontier import Search
    from placet.net.core import Net

CLOSED = 20_000  # states explored from where a walker ended, to see whether it was caught


def live(context: Context) -> bool | None:
    """Whether the marked net is live."""
    net = context.net
    if not net.transitions:
        return True
    if starved(net, context.initial):
        return False
    found = _on_graph(context, 5_000, context.share(0.2))
    if found is not None:
        return found
    walk = context.walk(seed=7)
    if walk is not None:
        walk.run(context.share(0.1, 1.0), 1000)
        if walk.dead:
            return False
    if fires_finitely(context):
        return False
    if commoner(net, context.initial):
        return True
    if walk is not None and _caught(context, walk.ends(6), context.share(0.25)):
        return False
    found = ask(context, context.share(0.3), lambda diagram: is_live(context, diagram))
    if found is not None:
        return found
    equation = context.equation
    if equation is not None and walk is not None:
        until = context.share(0.2, 5.0)
        for t in set(range(len(net.transitions))) - walk.fired:
            if monotonic() < until and equation.never(context.spelt(Fireable(t)), until, 50):
                return False
    found = _by_reduction(context, context.share(0.4))
    if found is None:
        found = _on_graph(context, None, context.share(0.5))
    if found is None:
        found = ask(context, context.share(0.6), lambda diagram: is_live(context, diagram))
    if found is None and walk is not None:
        walk.run(context.share(0.3), 5000)
        if walk.dead or _caught(context, walk.ends(12), context.share(0.6)):
            return False
        if quasi_live(context) is False:
            return False
    return found


def _by_reduction(context: Context, until: float) -> bool | None:
    """The check `live`, on the reduced net, with the numpy engine."""
    from placet.analysis.strategy import Options, decide
    from placet.compiled import Query, plain
    from placet.evidence import Budget, Holds, Violated

    budget = Budget(None, 2_500_000_000, max(0.1, until - monotonic()))
    (answer,) = decide(
        plain(context.net, context.initial), (Query("live", "live"),), Options(budget, engine="frontier")
    )
    if isinstance(answer.verdict, Holds):
        return True
    return False if isinstance(answer.verdict, Violated) else None


def _on_graph(context: Context, states: int | None, until: float) -> bool | None:
    """By the reachability graph: live iff every transition labels an edge in every terminal component."""
    seen = context.search([Visitor(FALSE, Needs.EDGES)], states, until)
    if seen is None or not seen.complete:
        return None
    if len(seen.fired) < len(context.net.transitions):
        return False
    return all_terminal_components_have_all(seen, len(context.net.transitions))


def all_terminal_components_have_all(seen: Search, count: int) -> bool:
    """Whether each of so many labels occurs in each terminal component. Linear in the edges for each component met."""
    import numpy as np

    from placet.analysis.temporal.graph import Graph, rows

    offsets, labels, targets = seen.arrays()
    graph = Graph(seen.states, offsets, targets)
    done = np.zeros(seen.states, dtype=bool)  # states that reach a terminal component which has been judged
    everywhere = np.ones(seen.states, dtype=bool)
    while not done.all():
        state = int(np.flatnonzero(~done)[0])
        while True:
            one = np.zeros(seen.states, dtype=bool)
            one[state] = True
            ahead = _forward(graph, state)
            back = graph.leads_to(one, everywhere)
            beyond = np.flatnonzero(ahead & ~back)
            if not len(beyond):
                break
            state = int(beyond[-1])
        members = np.flatnonzero(ahead)
        if np.count_nonzero(np.bincount(labels[rows(offsets, members)], minlength=count)) < count:
            return False
        done |= back
    return True


def _forward(graph: Graph, start: int) -> Truth:
    import numpy as np

    found = np.zeros(graph.states, dtype=bool)
    found[start] = True
    front = np.array([start], dtype=np.int64)
    while len(front):
        after = graph.after(front)[1]
        front = graph.distinct(after[~found[after]])
        found[front] = True
    return found


def _caught(context: Context, states: list[tuple[int, ...]], until: float) -> bool:
    """Whether from one of these states only few can be reached, and not every transition fires there any more."""
    count = len(context.net.transitions)
    for state in dict.fromkeys(states):
        if monotonic() >= until:
            return False
        seen = context.explore([Visitor(FALSE, Needs.STATES)], CLOSED, until, context.net, state)
        if seen is not None and seen.complete and len(seen.fired) < count:
            return True
    return False


def fires_finitely(context: Context) -> bool:
    """Whether a weighting proves that some transition fires finitely often in every run: it is not live then.

    A weighting `y >= 0` that no firing raises and one transition lowers: the weight of a marking is no less than 0.
    """
    from placet.analysis.weightings import falling

    if any(context.net.reset):
        return False
    return falling(_changes(context.net), len(context.net.places), context.share(0.2, 3.0)) is not None


def commoner(net: Net, initial: tuple[int, ...]) -> bool:
    """Whether the net is live by the theory of free-choice nets.

    A well-formed free-choice net is live where no proper siphon is unmarked; it is well-formed iff it is connected, has a
    positive invariant of places and one of transitions, and the rank of its matrix is the number of its clusters less
    one (the rank theorem). J. Desel and J. Esparza (1995), "Free Choice Petri Nets", chapters 4 to 6.
    """
    from placet.net.classes import NetClass, classes

    if not net.is_ordinary or NetClass.EXTENDED_FREE_CHOICE not in classes(net):
        return False
    if len(net.places) * len(net.transitions) > 40_000 or not all(net.pre) or not all(net.post):
        return False
    if any(dict(pre).keys() & dict(post).keys() for pre, post in zip(net.pre, net.post, strict=True)):
        return False  # the matrix does not show such arcs
    clusters = _clusters(net)
    rank, positive_places, positive_transitions = _algebra(net)
    if clusters is None or rank != clusters - 1 or not positive_places or not positive_transitions:
        return False
    return not starved(net, initial) and not _unmarked_siphon(net, initial)


def _unmarked_siphon(net: Net, initial: tuple[int, ...]) -> bool:
    inside = {p for p, m in enumerate(initial) if m == 0}
    changed = True
    while changed:
        changed = False
        for t in range(len(net.transitions)):
            if not any(p in inside for p, _ in net.pre[t]):
                gone = {p for p, _ in net.post[t]} & inside
                if gone:
                    inside -= gone
                    changed = True
    return bool(inside)


def _clusters(net: Net) -> int | None:
    """How many clusters there are; None where the net is not connected or has a place without neighbours."""
    count, total = len(net.places), len(net.places) + len(net.transitions)

    def parts(sides: tuple[tuple[tuple[tuple[int, int], ...], ...], ...]) -> list[int]:
        root = list(range(total))

        def find(x: int) -> int:
            while root[x] != x:
                root[x] = root[root[x]]
                x = root[x]
            return x

        for side in sides:
            for t, arcs in enumerate(side):
                for p, _ in arcs:
                    root[find(p)] = find(count + t)
        return [find(x) for x in range(total)]

    if len(set(parts((net.pre, net.post)))) != 1:
        return None
    return len(set(parts((net.pre,))))


def _algebra(net: Net) -> tuple[int, bool, bool]:
    """(rank of the incidence matrix, there is a positive place invariant, a positive transition invariant). Exact."""
    columns: list[dict[int, Fraction]] = [{p: Fraction(w) for p, w in column.items()} for column in _changes(net)]
    rank = 0
    basis: dict[int, dict[int, Fraction]] = {}
    for column in columns:
        row = dict(column)
        while row:
            lead = min(row)
            known = basis.get(lead)
            if known is None:
                basis[lead] = {p: w / row[lead] for p, w in row.items()}
                rank += 1
                break
            factor = row[lead]
            for p, part in known.items():
                left = row.get(p, Fraction(0)) - factor * part
                if left:
                    row[p] = left
                else:
                    row.pop(p, None)
    from placet.analysis.weightings import positive_invariant

    rows: list[dict[int, int]] = [{} for _ in net.places]
    for t, change in enumerate(_changes(net)):
        for p, w in change.items():
            rows[p][t] = w
    return rank, positive_invariant(_changes(net), len(net.places)), positive_invariant(rows, len(net.transitions))


def _changes(net: Net) -> list[dict[int, int]]:
    made = []
    for pre, post in zip(net.pre, net.post, strict=True):
        change = dict(post)
        for p, w in pre:
            change[p] = change.get(p, 0) - w
        made.append({p: w for p, w in change.items() if w})
    return made
