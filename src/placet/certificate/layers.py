"""Whether a set of states, written as a decision diagram, is closed under firing, and whether some state of it has a predicate.

Nothing is taken from the engine that made the diagram: each transition is led through it level by level, in pairs of nodes (where the
state is, where its successor must be), each pair once. Recursion is as deep as there are levels.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from placet.logic.state import And, Dead, Fireable, Linear, Not, Or, compare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placet.certificate.form import Layers
    from placet.compiled import Compiled
    from placet.evidence import State
    from placet.logic.state import Predicate

Residue: TypeAlias = "bool | tuple[object, ...]"  # a predicate with the levels seen so far filled in


@contextmanager
def _deep(levels: int) -> Iterator[None]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 2000 + 8 * levels)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


class _Moves:
    """What a transition does to the numbers of one level."""

    def __init__(self, layers: Layers, compiled: Compiled) -> None:
        net, self._width = compiled.net, len(compiled.net.places)
        self.layers, self.compiled = layers, compiled
        self.where = {slot: level for level, slots in enumerate(layers.levels) for slot in slots}
        self._position = {slot: at for slots in layers.levels for at, slot in enumerate(slots)}
        self._numbers = [{state: i for i, state in enumerate(states)} for states in layers.local]
        self._most = dict(net.capacity)
        counts: dict[int, set[int]] = {}
        for o, observer in enumerate(compiled.observers, self._width):
            for t, _ in observer.deltas:
                counts.setdefault(t, set()).add(o)
        self.slots: list[
            dict[int, set[int]]
        ] = []  # by transition: level -> slots that it concerns; -1 for those in no level
        for t in range(len(net.transitions)):
            touched = {p for side in (net.pre, net.post, net.read, net.inhibit) for p, _ in side[t]}
            by_level: dict[int, set[int]] = {}
            for slot in touched | set(net.reset[t]) | counts.get(t, set()):
                by_level.setdefault(self.where.get(slot, -1), set()).add(slot)
            self.slots.append(by_level)
        self._sides = [tuple(dict(side[t]) for side in (net.pre, net.post, net.read, net.inhibit)) for t in range(len(net.transitions))]  # fmt: skip

    def value(self, t: int, slot: int, before: int) -> int | None:
        """The number of a slot after the transition; None where it keeps the transition from firing."""
        if slot >= self._width:
            return self.compiled.observers[slot - self._width].step(before, t)
        pre, post, read, inhibit = self._sides[t]
        if before < max(pre.get(slot, 0), read.get(slot, 0)) or before >= inhibit.get(slot, before + 1):
            return None
        after = (0 if slot in self.compiled.net.reset[t] else before - pre.get(slot, 0)) + post.get(slot, 0)
        return None if after > self._most.get(slot, after) else after

    def able(self, t: int, level: int, local: int) -> bool:
        """Whether the transition may fire as far as a local state of a level (-1: what stands in none) tells."""
        return all(self.value(t, slot, self.before(slot, local)) is not None for slot in self.slots[t].get(level, ()))

    def before(self, slot: int, local: int) -> int:
        """The number of a slot in a local state; a slot that stands in no level has its initial one."""
        level = self.where.get(slot, -1)
        return self.compiled.start[slot] if level < 0 else self.layers.local[level][local][self._position[slot]]

    def target(self, t: int, level: int, local: int) -> int | None:
        """The local state after; None where it may not fire, -1 where there is no such local state."""
        values = list(self.layers.local[level][local])
        for slot in self.slots[t].get(level, ()):
            after = self.value(t, slot, values[self._position[slot]])
            if after is None:
                return None
            values[self._position[slot]] = after
        return self._numbers[level].get(tuple(values), -1)


def _well_made(layers: Layers, start: State, places: int) -> list[int]:
    """By node its level, from 1; empty where the diagram is none."""
    slots = [slot for level in layers.levels for slot in level]
    if len(set(slots)) < len(slots) or any(not 0 <= slot < len(start) for slot in slots):
        return []
    if len(layers.local) != len(layers.levels):
        return []
    for level, states in zip(layers.levels, layers.local, strict=True):
        if len(set(states)) < len(states) or any(len(state) != len(level) for state in states):
            return []
        if any(value < 0 and slot < places for state in states for slot, value in zip(level, state, strict=True)):
            return []
    height = [-1, 0]
    for number, kids in enumerate(layers.nodes, 2):
        below = {height[kid] if kid < number else -1 for kid in kids if kid}
        if len(below) != 1 or -1 in below:
            return []
        at = below.pop() + 1
        if at > len(layers.levels) or len(kids) > len(layers.local[at - 1]):
            return []
        height.append(at)
    return height if 0 < layers.root < len(height) and height[layers.root] == len(layers.levels) else []


def covers(layers: Layers, compiled: Compiled) -> bool:
    """Whether the set holds the initial state and every firing in it leads back into it. O(pairs of nodes, transitions)."""
    height = _well_made(layers, compiled.start, len(compiled.net.places))
    crowded = any(
        compiled.initial[p] > most for p, most in compiled.net.capacity
    )  # then capacities concern all firings
    if not height or crowded or not _holds(layers, compiled.start):
        return False
    by_level: list[list[int]] = [[] for _ in layers.levels]
    for number in _used(layers):
        by_level[height[number] - 1].append(number)
    moves, inside = _Moves(layers, compiled), _Inside(layers)
    with _deep(len(layers.levels)):
        return all(_Firing(moves, inside, t).stays(by_level) for t in range(len(compiled.net.transitions)))


def _nodes(layers: Layers) -> tuple[tuple[int, ...], ...]:
    return ((), (), *layers.nodes)


def _holds(layers: Layers, state: State) -> bool:
    nodes, node = _nodes(layers), layers.root
    for slots, states in zip(reversed(layers.levels), reversed(layers.local), strict=True):
        wanted, kids = tuple(state[slot] for slot in slots), nodes[node]
        node = next((kid for kid, local in zip(kids, states, strict=False) if local == wanted), 0)
        if not node:
            return False
    return node == 1


def _used(layers: Layers) -> list[int]:
    found = {layers.root} - {1}
    pending = list(found)
    while pending:
        for kid in layers.nodes[pending.pop() - 2]:
            if kid > 1 and kid not in found:
                found.add(kid)
                pending.append(kid)
    return sorted(found)


class _Inside:
    """Whether one set is part of another of the same level."""

    def __init__(self, layers: Layers) -> None:
        self.nodes = _nodes(layers)
        self._known: dict[tuple[int, int], bool] = {}

    def holds(self, one: int, other: int) -> bool:
        if one == other or not one:
            return True
        if not other:
            return False
        found = self._known.get((one, other))
        if found is None:
            found, theirs = True, self.nodes[other]
            for i, kid in enumerate(self.nodes[one]):
                if kid and not (i < len(theirs) and self.holds(kid, theirs[i])):
                    found = False
                    break
            self._known[one, other] = found
        return found


class _Firing:
    """One transition, led through the diagram."""

    def __init__(self, moves: _Moves, inside: _Inside, t: int) -> None:
        self._moves, self._inside, self._nodes, self._t = moves, inside, inside.nodes, t
        levels = [level for level in moves.slots[t] if level >= 0]
        self._top, self._bottom = max(levels, default=-1), min(levels, default=-1)
        start = moves.compiled.start
        after = [(slot, moves.value(t, slot, start[slot])) for slot in moves.slots[t].get(-1, ())]
        self._never = any(value is None for _, value in after)
        self._leaves = any(value != start[slot] for slot, value in after)  # it changes what stands in no level
        self._steps: dict[tuple[int, int], int | None] = {}
        self._known: dict[tuple[int, int], bool] = {}
        self._barred: dict[int, bool] = {}

    def stays(self, by_level: list[list[int]]) -> bool:
        """Whether it leads from states of the set to states of the set only."""
        if self._never:
            return True
        if self._top < 0:
            return not self._leaves
        for node in by_level[self._top]:
            if not (self._kept_from(node, self._top) if self._leaves else self._leads(node, node, self._top)):
                return False
        return True

    def _leads(self, one: int, other: int, level: int) -> bool:
        """Whether it leads from each state of the one set, where it can fire, into the other."""
        if level < self._bottom:
            return self._inside.holds(one, other)
        found = self._known.get((one, other))
        if found is None:
            found, theirs = True, self._nodes[other]
            for i, kid in enumerate(self._nodes[one]):
                j = self._target(level, i) if kid else None
                if j is None:
                    continue
                if 0 <= j < len(theirs) and theirs[j]:
                    found = self._leads(kid, theirs[j], level - 1)
                else:
                    found = self._kept_from(kid, level - 1)
                if not found:
                    break
            self._known[one, other] = found
        return found

    def _kept_from(self, node: int, level: int) -> bool:
        """Whether it can fire in no state of the set, as far as this level and those below tell."""
        if level < self._bottom:
            return False
        found = self._barred.get(node)
        if found is None:
            found = True
            for i, kid in enumerate(self._nodes[node]):
                if kid and self._target(level, i) is not None and not self._kept_from(kid, level - 1):
                    found = False
                    break
            self._barred[node] = found
        return found

    def _target(self, level: int, i: int) -> int | None:
        key = (level, i)
        if key not in self._steps:
            self._steps[key] = self._moves.target(self._t, level, i)
        return self._steps[key]


# -- predicates ------------------------------------------------------------------------------------------------------


def never_in(layers: Layers, compiled: Compiled, predicate: Predicate) -> bool:
    """Whether no state of a well-made set has the predicate: from the top, with what each level leaves of the predicate."""
    search = _Search(_Moves(layers, compiled), _nodes(layers))
    with _deep(len(layers.levels)):
        return not search.some(layers.root, len(layers.levels) - 1, search.begun(predicate))


class _Search:
    """What is left of a predicate is a truth value, or a tuple whose first part names its kind."""

    def __init__(self, moves: _Moves, nodes: tuple[tuple[int, ...], ...]) -> None:
        self._moves, self._nodes = moves, nodes
        self._known: dict[tuple[int, Residue], bool] = {}
        self._filled: dict[tuple[int, int, Residue], Residue] = {}
        self._places = len(moves.compiled.net.places)
        self._bottom = [min((k for k in levels if k >= 0), default=-1) for levels in moves.slots]
        self._heads: dict[int, list[int]] = {}  # by level, the transitions of which it is the highest
        for t, levels in enumerate(moves.slots):
            self._heads.setdefault(max(levels, default=-1), []).append(t)

    def some(self, node: int, level: int, residue: Residue) -> bool:
        """Whether some state of the node has what is left."""
        if isinstance(residue, bool):
            return residue
        key = (node, residue)
        found = self._known.get(key)
        if found is None:
            found = False
            for i, kid in enumerate(self._nodes[node]):
                if kid and self.some(kid, level - 1, self._fill(residue, level, i)):
                    found = True
                    break
            self._known[key] = found
        return found

    def begun(self, predicate: Predicate) -> Residue:
        """The predicate with what stands in no level filled in."""
        moves = self._moves
        match predicate:
            case Linear(terms, op, bound):
                fixed = sum(c * moves.compiled.start[i] for i, c in terms if i not in moves.where)
                return self._sum(tuple((i, c) for i, c in terms if i in moves.where), op, bound - fixed)
            case Fireable(t):
                if not moves.able(t, -1, 0):
                    return False
                return self._bottom[t] < 0 or ("fire", t)
            case Dead(ignoring):
                able = [t for t in range(len(moves.slots)) if t not in ignoring and moves.able(t, -1, 0)]
                if any(self._bottom[t] < 0 for t in able):
                    return False
                return ("dead", frozenset(range(len(moves.slots))) - frozenset(able), frozenset()) if able else True
            case Not(of):
                return _not(self.begun(of))
            case And(of):
                return _joined("and", [self.begun(part) for part in of])
            case Or(of):
                return _joined("or", [self.begun(part) for part in of])

    def _fill(self, residue: Residue, level: int, local: int) -> Residue:
        if isinstance(residue, bool):
            return residue
        key = (level, local, residue)
        found = self._filled.get(key)
        if found is None:
            found = self._filled[key] = self._fill_in(residue, level, local)
        return found

    def _fill_in(self, residue: tuple[Any, ...], level: int, local: int) -> Residue:
        moves = self._moves
        match residue:
            case ("sum", terms, op, bound):
                here = sum(c * moves.before(i, local) for i, c in terms if moves.where[i] == level)
                return self._sum(tuple((i, c) for i, c in terms if moves.where[i] != level), op, bound - here)
            case ("fire", t):
                if not moves.able(t, level, local):
                    return False
                return level <= self._bottom[t] or residue
            case ("dead", aside, pending):
                return self._dead(aside, pending, level, local)
            case ("not", of):
                return _not(self._fill(of, level, local))
            case (kind, parts):
                return _joined(kind, [self._fill(part, level, local) for part in parts])
        raise AssertionError(residue)

    def _dead(self, aside: frozenset[int], pending: frozenset[int], level: int, local: int) -> Residue:
        """Of the transitions that the levels so far allow, and those that begin here, the ones still allowed."""
        left = set()
        for t in (*pending, *(t for t in self._heads.get(level, ()) if t not in aside)):
            if self._moves.able(t, level, local):
                if level <= self._bottom[t]:
                    return False
                left.add(t)
        return True if not level else ("dead", aside, frozenset(left))

    def _sum(self, terms: tuple[tuple[int, int], ...], op: str, bound: int) -> Residue:
        if not terms:
            return compare(0, op, bound)  # type: ignore[arg-type]
        if all(c >= 0 and i < self._places for i, c in terms):  # the rest is at least 0
            if (op in ("<=", "==") and bound < 0) or (op == "<" and bound <= 0):
                return False
            if (op == ">=" and bound <= 0) or (op in (">", "!=") and bound < 0):
                return True
        return ("sum", terms, op, bound)


def _not(residue: Residue) -> Residue:
    return not residue if isinstance(residue, bool) else ("not", residue)


def _joined(kind: str, parts: list[Residue]) -> Residue:
    """A conjunction or disjunction without what is decided."""
    decisive = kind == "or"
    if decisive in [part for part in parts if isinstance(part, bool)]:
        return decisive
    left = tuple(dict.fromkeys(part for part in parts if not isinstance(part, bool)))
    if not left:
        return not decisive
    return left[0] if len(left) == 1 else (kind, left)
