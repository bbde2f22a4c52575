"""Divergence-preserving branching bisimilarity: which states of a transition system nobody outside can tell apart.

Two states are the same where they offer the same after the same silent steps, decide nothing by silent steps that the
other has not decided too, and where either both or neither can go on silently for ever (R.J. van Glabbeek and W.P.
Weijland, "Branching time and abstraction in bisimulation semantics", J. ACM 43(3), 1996; with explicit divergence: van
Glabbeek, Luttik, Trčka, Fundamenta Informaticae 93, 2009).

Silent cycles are collapsed first, since their states are the same; one that was a cycle is marked. What is left is
acyclic in silent steps, so that the signature of a state can be read off in one sweep, and blocks are split by signature
until nothing changes (S. Blom and S. Orzan, STTT 7(1), 2005; the collapse as in J.F. Groote and F. Vaandrager, ICALP
1990, and Groote, Jansen, Keiren, Wijs, ACM TOCL 18(2), 2017).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.lts import Lts

SILENT = -1
_FOR_EVER = -2  # the label of a step that a state which goes on silently for ever has to itself


class Classes(NamedTuple):
    """Blocks of states that are the same, numbered from 0 in the order in which their first state is numbered."""

    number: int
    of: tuple[int, ...]  # by state
    divergent: frozenset[int]  # blocks that can go on silently for ever
    settled: tuple[int, ...]  # by block a state of it from which no silent step stays in it (but on a silent cycle)


def classes(lts: Lts, silent: int, marks: Sequence[int] | None = None) -> Classes:
    """The coarsest division of the states; `silent` is the number of the silent label, or one that no edge has.

    `marks` are numbers by state: states of different ones are never the same. O(m log m) for each round of splitting, of
    which there are at most as many as blocks, and mostly a few.
    """
    seen = marks if marks is not None else (0,) * lts.states
    component, cyclic = _collapsed(lts, silent, seen)
    count = len(cyclic)
    quiet: list[set[int]] = [set() for _ in range(count)]
    loud: list[set[tuple[int, int]]] = [set() for _ in range(count)]
    for source, label, target in lts.edges:
        a, b = component[source], component[target]
        if label != silent:
            loud[a].add((label, b))
        elif seen[source] != seen[target]:
            loud[a].add((SILENT, b))
        elif a != b:
            quiet[a].add(b)
    for c in range(count):
        if cyclic[c]:
            loud[c].add((_FOR_EVER, c))
    # components are numbered so that silent steps lead to smaller numbers
    first: dict[int, int] = {}
    block = [0] * count
    for state, mark in enumerate(seen):
        block[component[state]] = first.setdefault(mark, len(first))
    blocks = len(first)
    while True:
        block, found = _split(block, quiet, loud)
        if found == blocks:
            break
        blocks = found
    return _numbered(lts, component, block, cyclic, quiet)


def _split(block: list[int], quiet: list[set[int]], loud: list[set[tuple[int, int]]]) -> tuple[list[int], int]:
    """One round: states of a block stay together where they have the same signature."""
    signatures: list[frozenset[tuple[int, int]]] = []
    for c, here in enumerate(block):
        signature = {(label, block[target]) for label, target in loud[c]}
        for target in quiet[c]:
            if block[target] == here:
                signature |= signatures[target]
            else:
                signature.add((SILENT, block[target]))
        signatures.append(frozenset(signature))
    numbers: dict[tuple[int, frozenset[tuple[int, int]]], int] = {}
    after = [numbers.setdefault((block[c], signatures[c]), len(numbers)) for c in range(len(block))]
    return after, len(numbers)


def _numbered(
    lts: Lts, component: Sequence[int], block: Sequence[int], cyclic: Sequence[bool], quiet: Sequence[set[int]]
) -> Classes:
    numbers: dict[int, int] = {}
    of = tuple(numbers.setdefault(block[component[s]], len(numbers)) for s in range(lts.states))
    restless = [any(block[t] == block[c] for t in quiet[c]) for c in range(len(block))]
    settled = [-1] * len(numbers)
    for s in range(lts.states):
        if settled[of[s]] < 0 and not restless[component[s]]:
            settled[of[s]] = s
    divergent = frozenset(of[s] for s in range(lts.states) if cyclic[component[s]])
    return Classes(len(numbers), of, divergent, tuple(settled))


def _collapsed(lts: Lts, silent: int, seen: Sequence[int]) -> tuple[list[int], list[bool]]:
    """The strongly connected components of the silent steps between equal marks, each numbered after those it leads to.

    And which of them are cycles.

    Iterative depth-first search with one stack of roots (Gabow 2000). O(states + edges).
    """
    out: list[list[int]] = [[] for _ in range(lts.states)]
    loops: set[int] = set()
    for source, label, target in lts.edges:
        if label == silent and seen[source] == seen[target]:
            out[source].append(target)
            if source == target:
                loops.add(source)
    number = [-1] * lts.states  # on the path: the position; complete: -2
    component = [-1] * lts.states
    cyclic: list[bool] = []
    for root in range(lts.states):
        if number[root] != -1:
            continue
        path, borders, work = [root], [0], [(root, iter(out[root]))]
        number[root] = 0
        while work:
            state, left = work[-1]
            for target in left:
                if number[target] == -1:
                    number[target] = len(path)
                    borders.append(len(path))
                    path.append(target)
                    work.append((target, iter(out[target])))
                    break
                while number[target] >= 0 and borders[-1] > number[target]:
                    borders.pop()
            else:
                work.pop()
                if borders[-1] == number[state]:
                    cut = borders.pop()
                    members = path[cut:]
                    del path[cut:]
                    for member in members:
                        number[member] = -2
                        component[member] = len(cyclic)
                    cyclic.append(len(members) > 1 or state in loops)
    return component, cyclic


class Quotient(NamedTuple):
    """A transition system with one state for each class, and for each of its edges the first edge that it stands for."""

    lts: Lts
    settled: tuple[int, ...]  # by state of the quotient, a state of the original
    stands_for: tuple[int, ...]  # by edge of the quotient, an edge of the original


def quotient(lts: Lts, found: Classes, silent: int) -> Quotient:
    """The smallest transition system with the same behaviour. A silent loop stays where a class can go on for ever.

    The classes must not mix final with other states: give `classes` marks. O(edges).
    """
    kept: dict[tuple[int, int, int], int] = {}
    for number, (source, label, target) in enumerate(lts.edges):
        a, b = found.of[source], found.of[target]
        if label != silent or a != b or a in found.divergent:
            kept.setdefault((a, label, b), number)
    edges = sorted(kept)
    names = tuple(lts.names[s] for s in found.settled) if lts.names else ()
    final = frozenset(found.of[s] for s in lts.final)
    small = lts._replace(
        states=found.number, initial=found.of[lts.initial], edges=tuple(edges), names=names, final=final
    )
    return Quotient(small, found.settled, tuple(kept[edge] for edge in edges))
