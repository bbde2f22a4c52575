"""What can still happen from each state when no more faults come: facts, propagated backwards over the graph.

A fact is a bit: "an obligation of this family and step is broken", "it is owed at all" (its premise occurs), "a person
was called instead". All facts of a state are one integer. Facts of safety families come from edges, those of BALANCE,
PIVOT and TERM from the terminal strongly connected sets, where runs end: fairness is strong on edges, faults exempt.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from placet.analysis.components import Rows, components, hopeless, without
from placet.coverage import anomalies
from placet.coverage.ghosts import (
    CARRIED,
    COMPLETED,
    EFFECT,
    HELD,
    LEARNED,
    OVER,
    PER_STEP,
    REFUSED,
    SENT,
    Ghosts,
    applies,
    end_name,
)
from placet.coverage.obligations import FAMILIES
from placet.net.roles import Kind
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from placet.compiled import Compiled
    from placet.engines.protocol import Exploration
    from placet.evidence import State

BALANCE, ONCE, NULL, LATE, ORDER, INPUT, PIVOT, UNDO_FAIL, TERM = FAMILIES


class Bits:
    """Where each fact lies in an integer: `family * columns + step`, three sections; the last column is the saga itself.

    BALANCE is always the first family. Of a family that is not among `families` every fact is 0.
    """

    def __init__(self, columns: int, families: tuple[str, ...]) -> None:
        self.columns = columns
        self.families = families
        self.section = len(families) * columns  # its width: broken, then owed, then escalated
        self.unknown = 1 << 3 * self.section  # a state that was not expanded can be reached
        self._one_step = sum(1 << row * columns for row in range(3 * len(families)))
        self._row = {family: row for row, family in enumerate(families)}

    def _bit(self, family: str, step: int) -> int:
        row = self._row.get(family)
        return 0 if row is None else 1 << row * self.columns + step

    def broken(self, family: str, step: int) -> int:
        """The obligation is broken; then it is owed too."""
        bit = self._bit(family, step)
        return bit | bit << self.section

    def owed(self, family: str, step: int) -> int:
        """The premise of the obligation occurs."""
        return self._bit(family, step) << self.section

    def escalated(self, family: str, step: int) -> int:
        """It would be broken, but a person was called instead; then it is owed too."""
        bit = self._bit(family, step) << self.section
        return bit | bit << self.section

    def doubted(self, facts: int) -> int:
        """What is owed of these facts if there is such a run, which was not followed to its end."""
        return facts & (1 << self.section) - 1 << self.section | self.unknown

    def rows(self, steps: int) -> int:
        """These steps (a bit set over columns) in all families and sections."""
        return steps * self._one_step


class Calm(NamedTuple):
    """What runs that never give up show: by state their facts, and whether there is such a run.

    `can` says that one was seen to its end, `may` that one was, or goes on where the search stopped.
    """

    facts: list[int]
    can: bytearray
    may: bytearray


class Facts:
    """The facts of one explored graph. Ghosts are the last observers of the net that was explored."""

    def __init__(
        self,
        compiled: Compiled,
        ghosts: Ghosts,
        seen: Exploration,
        causes: frozenset[int],
        families: tuple[str, ...] = tuple(FAMILIES),
    ) -> None:
        self.bits = Bits(len(ghosts.steps) + 1, families)
        self._compiled, self._ghosts, self._seen, self._causes = compiled, ghosts, seen, causes
        self.net = compiled.net
        self._width = len(compiled.net.places)
        self._skip = len(compiled.observers) - len(ghosts.observers)
        offsets, labels, targets = seen.graph()
        self.rows = Rows(seen.states, offsets, labels, targets)
        self.calm = without(self.rows, causes)
        self._vectors: dict[tuple[int, ...], int] = {}
        self.vector_of = self._number_vectors()  # by state, the number of its ghosts' values
        self.vectors = tuple(self._vectors)
        self._told: dict[int, dict[int, int]] = {}  # transition -> number of a vector -> facts
        self._edge_rules = self._rules()
        self._dead = bytearray(seen.states)  # where runs end for good
        self._circles: list[list[int]] = []  # where they go on for ever
        self.own = self._own()

    def _number_vectors(self) -> array[int]:
        known, skip, observed = self._vectors, self._skip, self._seen.observed
        same: dict[int, int] = {}  # id of a tuple the engine keeps -> its number
        kept = []
        numbers = array("I")
        for i in range(self._seen.states):
            values = observed(i)
            number = same.get(id(values))
            if number is None:
                number = same[id(values)] = known.setdefault(values[skip:] if skip else values, len(known))
                kept.append(values)
            numbers.append(number)
        return numbers

    def values(self, state: int) -> tuple[int, ...]:
        """The ghosts' values in a state."""
        return self.vectors[self.vector_of[state]]

    def marking(self, state: int) -> Sequence[int]:
        """The tokens of a state."""
        return self._seen.state(state)[: self._width]

    # -- edges -------------------------------------------------------------------------------------------------------

    def _rules(self) -> dict[int, Callable[[Sequence[int]], int]]:
        """By transition, what its firing says when the ghosts have these values before it."""
        number = {s.id: i for i, s in enumerate(self._ghosts.steps)}
        rules: dict[int, Callable[[Sequence[int]], int]] = {}
        for t, role in enumerate(self._compiled.roles.transitions):
            s = number.get(role.step)
            if s is None:
                continue
            if role.direction == "undo":
                if role.kind is Kind.SEND:
                    rules[t] = self._undo_asked(s)
                elif applies(role):
                    rules[t] = self._undone(s, role.how)
                elif role.kind is Kind.IGNORE:
                    rules[t] = _always(self.bits.owed(LATE, s))
                elif role.kind is Kind.FAULT and t in self._causes:
                    rules[t] = _always(self.bits.owed(UNDO_FAIL, s) | self.bits.owed(anomalies.RETRIES, s))
            elif applies(role):
                rules[t] = self._applied(s)
            elif role.kind is Kind.SEND:
                rules[t] = self._asked(s)
            elif t in self._ghosts.acknowledged:
                wrong = self.bits.broken if role.how == "other" else self.bits.owed
                rules[t] = _always(wrong(anomalies.WRONG_SCOPE, s))
            if role.kind is Kind.TIMER:
                rules[t] = self._timed_out(s)
            if role.direction == "undo" and role.retries in ("draws", "spent") and self._ghosts.drawn >= 0:
                rules[t] = self._tried_again(s, rules.get(t), spent=role.retries == "spent")
        return rules

    def _asked(self, s: int) -> Callable[[Sequence[int]], int]:
        bits = self.bits
        owed = bits.owed(BALANCE, s) | bits.owed(anomalies.ACTS_AFTER_END, s)

        def rule(values: Sequence[int]) -> int:
            return owed | bits.broken(anomalies.ACTS_AFTER_END, s) if values[OVER] else owed

        return rule

    def _timed_out(self, s: int) -> Callable[[Sequence[int]], int]:
        bits = self.bits

        def rule(values: Sequence[int]) -> int:
            return bits.broken(anomalies.ACTS_AFTER_END, s) if values[OVER] else bits.owed(anomalies.ACTS_AFTER_END, s)

        return rule

    def _tried_again(
        self, s: int, before: Callable[[Sequence[int]], int] | None, *, spent: bool
    ) -> Callable[[Sequence[int]], int]:
        """An undo that failed: it is tried again, or no retry is left for it."""
        bits, drawn = self.bits, self._ghosts.drawn

        def rule(values: Sequence[int]) -> int:
            told = bits.broken if spent and values[drawn] else bits.owed
            return told(anomalies.RETRIES, s) | (before(values) if before is not None else 0)

        return rule

    def _applied(self, s: int) -> Callable[[Sequence[int]], int]:
        bits = self.bits
        owed = bits.owed(ONCE, s) | bits.owed(BALANCE, s)
        if self._ghosts.steps[s].pivot:
            owed |= bits.owed(PIVOT, s)

        def rule(values: Sequence[int]) -> int:
            found = owed
            if values[PER_STEP * s + EFFECT] >= 1:
                found |= bits.broken(ONCE, s)
            if values[PER_STEP * s + CARRIED]:
                found |= bits.broken(LATE, s)
            return found

        return rule

    def _undo_asked(self, s: int) -> Callable[[Sequence[int]], int]:
        bits, step, late = self.bits, self._ghosts.steps[s], self._undone_late

        def rule(values: Sequence[int]) -> int:
            found = bits.owed(NULL, s) | late(s, values)
            if step.reply:
                found |= bits.owed(INPUT, s) if values[PER_STEP * s + LEARNED] else bits.broken(INPUT, s)
            return found

        return rule

    def _undone(self, s: int, how: str) -> Callable[[Sequence[int]], int]:
        bits, steps, late = self.bits, self._ghosts.steps, self._undone_late
        touched = self._ghosts.touched.get(s)
        building = self._ghosts.builders[steps[s].id]
        on_it = tuple(u for u, step in enumerate(steps) if step.id in building)
        pivots = tuple(p for p, step in enumerate(steps) if step.pivot and p != s)

        def rule(values: Sequence[int]) -> int:
            found = bits.owed(LATE, s) | late(s, values)
            if touched is not None:
                spoilt = values[touched] and values[PER_STEP * s + EFFECT] > 0
                found |= bits.broken(anomalies.ISOLATION, s) if spoilt else bits.owed(anomalies.ISOLATION, s)
            again = how == "repeat" or (not how and bool(values[PER_STEP * s + CARRIED]))
            found |= bits.owed(anomalies.UNDO_TWICE if again else anomalies.UNDO_OF_NOTHING, s)
            if values[PER_STEP * s + EFFECT] <= 0:
                found |= bits.broken(NULL, s)
                found |= bits.broken(anomalies.UNDO_TWICE if again else anomalies.UNDO_OF_NOTHING, s)
            if on_it:
                later = any(values[PER_STEP * u + EFFECT] > 0 for u in on_it)
                found |= bits.broken(ORDER, s) if later else bits.owed(ORDER, s)
            for p in pivots:
                if values[PER_STEP * p + EFFECT] > 0:
                    found |= bits.broken(PIVOT, p)
            return found

        return rule

    def _undone_late(self, s: int, values: Sequence[int]) -> int:
        told = self.bits.broken if values[COMPLETED] else self.bits.owed
        return told(anomalies.UNDONE_LATE, s)

    def beside(self, vectors: Iterable[int]) -> frozenset[tuple[int, int]]:
        """Pairs of steps that are in flight together in some of these values of the ghosts. O(values x steps^2)."""
        found: set[tuple[int, int]] = set()
        for values in (self.vectors[v] for v in vectors):
            open_ = [
                s
                for s in range(len(self._ghosts.steps))
                if values[PER_STEP * s + SENT]
                and not values[PER_STEP * s + HELD]
                and not values[PER_STEP * s + REFUSED]
            ]
            if len(open_) > 1:
                found.update((s, u) for s in open_ for u in open_ if s != u)
        return frozenset(found)

    def edge(self, transition: int, state: int) -> int:
        """The facts that firing a transition in a state shows."""
        rule = self._edge_rules.get(transition)
        if rule is None:
            return 0
        told = self._told.setdefault(transition, {})
        vector = self.vector_of[state]
        found = told.get(vector)
        if found is None:
            found = told[vector] = rule(self.vectors[vector])
        return found

    # -- where runs end ----------------------------------------------------------------------------------------------

    def _own(self) -> dict[int, int]:
        """The facts of states of terminal sets, and of states that were not expanded."""
        calm = self.calm
        found = dict.fromkeys(range(calm.expanded, calm.states), self.bits.unknown)
        offsets = calm.offsets
        for i in range(calm.expanded):
            if offsets[i] == offsets[i + 1]:
                self._dead[i] = 1
                found[i] = self._ended([i])
        circling = hopeless(calm, self._dead)
        if any(circling):
            for members in components(calm, lambda i: bool(circling[i])):
                own = set(members)
                if all(own.issuperset(calm.out(i)) for i in members):
                    facts = self._ended(members)
                    self._circles.append(members)
                    for i in members:
                        found[i] = facts
        return found

    def _ended(self, members: Sequence[int]) -> int:
        """What a terminal set says: whether it is settled, and then the balance of each step."""
        bits, ghosts = self.bits, self._ghosts
        whole = len(ghosts.steps)
        facts = bits.owed(TERM, whole) | sum(bits.owed(family, whole) for family in anomalies.OF_ENDS)
        first = self._seen.state(members[0])
        end, values = self._end(first), self.values(members[0])
        if end is None or any(not self._same(self._seen.state(i), end, values) for i in members[1:]):
            circling = calm_edges(self.calm, members[0])
            kind = anomalies.LIVELOCK if circling else anomalies.STUCK
            return facts | bits.broken(TERM, whole) | bits.broken(kind, whole)
        for s, step in enumerate(ghosts.steps):
            effect = values[PER_STEP * s + EFFECT]
            back = end in ("compensated", "failed") and step.saga == self._compiled.subject
            wanted = not back and values[PER_STEP * s + HELD]
            kind = anomalies.NOT_COMPLETE if wanted else anomalies.NOT_UNDONE
            if any(effect != (0 if back else self.values(i)[PER_STEP * s + HELD]) for i in members):
                facts |= bits.escalated(BALANCE, s) if values[-1] else bits.broken(BALANCE, s)
                facts |= bits.escalated(kind, s) if values[-1] else bits.broken(kind, s)
                if end == "compensated":
                    facts |= bits.broken(anomalies.SAYS_COMPENSATED, s)
            facts |= bits.owed(kind, s)
            if end == "compensated":
                facts |= bits.owed(anomalies.SAYS_COMPENSATED, s)
            if step.pivot and back and effect > 0:
                facts |= bits.escalated(PIVOT, s) if values[-1] else bits.broken(PIVOT, s)
        return facts

    def _end(self, state: State) -> str | None:
        """The name of the end of the root that holds, or None where none or several do."""
        marked = [p for p in self._compiled.final.ends if state[p]]
        if len(marked) != 1 or state[marked[0]] != 1:
            return None
        return end_name(self._compiled, marked[0])

    def end_of(self, state: int) -> str | None:
        """The name of the end that holds in a state, or None."""
        return self._end(self._seen.state(state))

    def _same(self, state: State, end: str, values: Sequence[int]) -> bool:
        """The same end, and the same effects."""
        mine = state[self._width + self._skip :]
        effects = all(mine[k] == values[k] for k in range(EFFECT, PER_STEP * len(self._ghosts.steps), PER_STEP))
        return effects and self._end(state) == end

    # -- from there backwards ----------------------------------------------------------------------------------------

    def future(self) -> list[int]:
        """By state, the facts that some fair run without further faults shows from here on. O(states + edges)."""
        return self._backwards(self.calm, None)

    def calmly(self, commits: frozenset[int]) -> Calm:
        """The same for runs that never give up going on. O(states + edges)."""
        going = without(self.calm, commits)
        offsets, labels = self.calm.offsets, self.calm.labels
        able = bytearray(self._dead)
        for members in self._circles:
            edges = (e for i in members for e in range(offsets[i], offsets[i + 1]))
            if all(labels[e] not in commits for e in edges):
                for i in members:
                    able[i] = 1
        may = _can(going, able)
        if going.expanded == going.states:
            return Calm(self._backwards(going, may), may, may)
        closed = array("q", going.offsets)
        closed.extend([closed[-1]] * (going.states - going.expanded))
        can = _can(going._replace(offsets=closed), able)
        facts = self._backwards(going, can)
        for i, open_ in enumerate(_can(going, bytearray(going.states))):
            if open_:
                facts[i] |= self.bits.unknown
        return Calm(facts, can, may)

    def _backwards(self, rows: Rows, inside: bytearray | None) -> list[int]:
        facts = [0] * rows.states
        for i, own in self.own.items():
            if inside is None or inside[i]:
                facts[i] = own
        offsets, labels, targets, edge = rows.offsets, rows.labels, rows.targets, self.edge
        ruled = bytearray(len(self._compiled.net.transitions))
        for t in self._edge_rules:
            ruled[t] = 1
        for i in range(rows.expanded - 1, -1, -1):
            total = facts[i]
            for e in range(offsets[i], offsets[i + 1]):
                j = targets[e]
                if inside is None or inside[j]:
                    total |= facts[j]
                    if ruled[labels[e]]:
                        total |= edge(labels[e], i)
            facts[i] = total
        changed = True
        while changed:
            changed = False
            for i in range(rows.expanded - 1, -1, -1):
                before = total = facts[i]
                for j in targets[offsets[i] : offsets[i + 1]]:
                    if inside is None or inside[j]:
                        total |= facts[j]
                if total != before:
                    facts[i] = total
                    changed = True
        return facts


def calm_edges(rows: Rows, state: int) -> int:
    """How many edges leave a state."""
    return rows.offsets[state + 1] - rows.offsets[state] if state < rows.expanded else 0


def _can(rows: Rows, goal: Sequence[int]) -> bytearray:
    """By state, whether one with the goal can be reached, or one that was not expanded."""
    return bytearray(1 - x for x in hopeless(rows, goal))


def _always(fact: int) -> Callable[[Sequence[int]], int]:
    return lambda _: fact
