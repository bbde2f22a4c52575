"""The scenarios of a graph: which faults came in which order, and how far each step had got when the saga gave up.

A product of the reachability graph with a *context*: the causes so far, and the phases of all steps when the saga gave
up going on, or until then when the last fault came. Only what lies before the last possible fault is unrolled; what follows without
faults is a fact of the state (`facts`). What has happened before is carried along as a set of facts: obligations are
about some run each, so that the union over the ways to a state and context loses nothing.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placet.coverage.causes import Causes
    from placet.coverage.facts import Facts
    from placet.coverage.ghosts import Ghosts

Phases: TypeAlias = "tuple[int, ...]"  # by phase, the set of steps in it


class Context(NamedTuple):
    """The causes so far; whether the saga still goes on; the phases when it gave up, until then after the last cause."""

    causes: tuple[int, ...]
    calm: bool
    phases: Phases


class Entry(NamedTuple):
    """A node in which a scenario is complete: what happens from here on without faults belongs to it.

    Where its context is calm only the runs that never give up count; those that do have an entry of their own.
    """

    node: int
    context: Context


class Scenarios:
    """The product, breadth-first; nodes are numbered in the order of discovery."""

    def __init__(
        self,
        facts: Facts,
        ghosts: Ghosts,
        causes: Causes,
        budget: int,
        *,
        faultless: bool = False,
        most: int | None = None,
        until: float | None = None,
    ) -> None:
        self._facts, self._ghosts, self._causes, self._budget = facts, ghosts, causes, budget
        self._numbers: dict[Context, int] = {}
        self.contexts: list[Context] = []
        self._phases: dict[int, Phases] = {}  # number of the ghosts' values -> phases
        self._nodes: dict[int, int] = {}
        self.states: list[int] = []
        self.context: list[int] = []
        self.past: list[int] = []
        self.parents: list[tuple[int, int]] = []  # (node, transition)
        self.entries: dict[Entry, None] = {}
        self.future = facts.future()
        self.calm, self.can, self._may = facts.calmly(ghosts.commits)
        self.start = Context((), True, self.phases(0))
        self._most, self._until = most, until  # nodes, and the clock
        self.late = False  # the time was over first
        self._left: list[int] = []  # those that were not expanded, or not again, when there were too many
        self._run()
        if faultless:
            self.entries[Entry(0, self.start)] = None

    def told(self, entry: Entry) -> int | None:
        """The facts of the runs through an entry; None where it has none of its own."""
        state = self.states[entry.node]
        if not entry.context.calm:
            return self.past[entry.node] | self.future[state]
        if self.can[state]:
            return self.past[entry.node] | self.calm[state]
        return self._facts.bits.doubted(self.past[entry.node]) if self._may[state] else None

    def _context(self, context: Context) -> int:
        number = self._numbers.get(context)
        if number is None:
            number = self._numbers[context] = len(self.contexts)
            self.contexts.append(context)
        return number

    def phases(self, state: int) -> Phases:
        """The phases of all steps in a state."""
        vector = self._facts.vector_of[state]
        found = self._phases.get(vector)
        if found is None:
            found = self._phases[vector] = self._ghosts.phases(self._facts.vectors[vector])
        return found

    def following(self, state: int, context: Context) -> Iterator[tuple[int, int, Context]]:
        """(transition, state, context) for every edge that still matters for scenarios."""
        rows, causes, commits = self._facts.rows, self._causes.of, self._ghosts.commits
        if state >= rows.expanded:
            return
        calm = context.calm
        spent = len(context.causes) >= self._budget and not calm
        for e in range(rows.offsets[state], rows.offsets[state + 1]):
            t, j = rows.labels[e], rows.targets[e]
            cause = causes.get(t)
            faults = context.causes if cause is None else (*context.causes, cause)
            if calm and t in commits:
                yield t, j, Context(faults, False, self.phases(state))
            elif cause is not None:
                yield t, j, Context(faults, calm, self.phases(j) if calm else context.phases)
            elif not spent:
                yield t, j, context

    def _run(self) -> None:
        facts = self._facts
        start = self._enter(0, self._context(self.start), -1, -1, 0)
        pending = [start]
        for at, node in enumerate(pending):
            if self._is_over(at):
                self._left = pending[at:]
                return
            state, context, past = self.states[node], self.contexts[self.context[node]], self.past[node]
            for t, j, after in self.following(state, context):
                total = past | facts.edge(t, state)
                number = self._context(after)
                known = self._nodes.get(number * facts.rows.states + j)
                if known is None:
                    known = self._enter(j, number, node, t, total)
                    pending.append(known)
                elif total | self.past[known] != self.past[known]:
                    self.past[known] |= total
                    pending.append(known)
                if after is not context:
                    self.entries[Entry(known, after)] = None

    def _is_over(self, at: int) -> bool:
        if self._until is not None and at & 255 == 0 and monotonic() > self._until:
            self.late = True
        return self.late or (self._most is not None and len(self.states) > self._most)

    def _enter(self, state: int, context: int, parent: int, transition: int, past: int) -> int:
        number = len(self.states)
        self._nodes[context * self._facts.rows.states + state] = number
        self.states.append(state)
        self.context.append(context)
        self.past.append(past)
        self.parents.append((parent, transition))
        return number

    def open(self) -> Iterator[tuple[Context, int]]:
        """Where the search stopped before all was over that makes scenarios: contexts and states that were not expanded."""
        expanded = self._facts.rows.expanded
        left = set(self._left)
        for node, state in enumerate(self.states):
            if state >= expanded or node in left:
                context = self.contexts[self.context[node]]
                if context.calm or len(context.causes) < self._budget:
                    yield context, state

    @property
    def stopped(self) -> bool:
        """Whether there were more scenarios than were followed."""
        return bool(self._left)

    def going(self) -> set[int]:
        """The values of the ghosts, by number, while the saga had not given up."""
        vectors = self._facts.vector_of
        return {vectors[i] for n, i in enumerate(self.states) if self.contexts[self.context[n]].calm}

    def way(self, node: int) -> tuple[int, ...]:
        """The transitions of a shortest way to a node of the product."""
        way = []
        while node:
            node, t = self.parents[node]
            way.append(t)
        return tuple(reversed(way))
