"""What a saga owes under faults, counted anew on a closed set of its situations with what is remembered in them (`memory`).

A situation, the causes so far and the phases make a node; what was owed and broken on some way to it is carried along, and is told
where a run is over: in a terminal set, which only a cause could leave. Obligations speak of some run each, so that nothing is lost
by uniting the ways to a node. Nothing is left out, cut or joined: this is the definition, and slower than what it is held against.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from placet.certificate.closed import BeyondError, components, leading_to
from placet.certificate.measured import BLAMED
from placet.certificate.memory import PHASES, Memory
from placet.coverage.causes import causes
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TypeAlias

    from placet.certificate.closed import Graph
    from placet.certificate.measured import Owes
    from placet.compiled import Compiled
    from placet.coverage.obligations import Cause

    Phases: TypeAlias = "tuple[int, ...] | None"  # by step; None: no cause yet, and not given up
    Scenario: TypeAlias = (
        "tuple[tuple[int, ...], Phases]"  # the causes in order, and how far the steps had got that are asked about
    )
    Row: TypeAlias = "tuple[int, tuple[int, ...], int | None]"  # a step (-1: the saga), the causes, its phase

NODES = 400_000  # situations with the causes and phases that they are reached with
RUNS = 100  # uncovered obligations that are shown with a run each


class Told(NamedTuple):
    """One obligation that is not kept: its family, the step, the ids of the causes, the phase."""

    family: str
    step: str
    faults: tuple[str, ...]
    phase: str


class Count(NamedTuple):
    """How many obligations there are, and those that are not kept."""

    feasible: int
    uncovered: tuple[Told, ...]

    @property
    def covered(self) -> int:
        """Those that every run keeps, by undo or by calling a person."""
        return self.feasible - len(self.uncovered)


# -- all runs --------------------------------------------------------------------------------------------------------


class Runs:
    """All runs of a closed set, by where they end; the steps between are those of its graph."""

    def __init__(self, compiled: Compiled, graph: Graph) -> None:
        self._graph = graph
        self.memory = Memory(compiled)
        self.start: tuple[int, Scenario] = (graph.states.index(compiled.start), ((), None))
        self._kept = [self.memory.values(state) for state in graph.states]
        self.causes, self._of = causes(compiled)
        self._ended = self._terminal()
        self._scenarios: dict[Row, int] = {}

    def _terminal(self) -> dict[int, int]:
        """By state of a terminal set, what runs owe and break that end there."""
        graph, faults = self._graph, self.memory.faults
        onwards = [
            [(t, j) for t, j in zip(graph.fired(i), graph.next(i), strict=True) if t not in faults]
            for i in range(len(graph.states))
        ]
        over = bytearray(not out for out in onwards)
        found = {i: self.memory.ended([graph.states[i]], circling=False) for i, is_over in enumerate(over) if is_over}
        circling = {i for i, can in enumerate(leading_to(graph, over, faults)) if not can}
        for own in components(onwards, circling):
            if all(j in own for i in own for _, j in onwards[i]):
                told = self.memory.ended([graph.states[i] for i in own], circling=True)
                found.update(dict.fromkeys(own, told))
        return found

    def breaks(self, families: Iterable[str]) -> bool:
        """Whether any move or end of the set breaks one of these, whatever came before; a failed undo is blamed for each balance."""
        families = set(families)
        wanted, told = self._mask(families | {"BALANCE"} if BLAMED in families else families), 0
        for i, kept in enumerate(self._kept):
            told |= self._ended.get(i, 0)
            for t in self._graph.fired(i):
                told |= self.memory.shown(t, kept)
        return bool(told & wanted)

    def _mask(self, families: Iterable[str]) -> int:
        found = 0
        for family in families:
            found |= sum(self.memory.bit(family, n) for n in range(-1, len(self.memory.steps)))
        return found

    def scenarios(self) -> dict[Row, int]:
        """By step and scenario what its runs owe and break for it: for all steps at once, or each for itself. Raises BeyondError."""
        if not self._scenarios:
            every = tuple(range(len(self.memory.steps)))
            try:
                parts = [((*every, -1), self._of_all_runs(every))]
            except BeyondError:
                parts = [((n,), self._of_all_runs((n,))) for n in every]
                parts.append(((-1,), self._of_all_runs(())))
            found: dict[Row, int] = {}
            for steps, scenarios in parts:
                columns = [self.memory.column(n) for n in steps]
                for (faults, phases), told in scenarios.items():
                    for at, (n, column) in enumerate(zip(steps, columns, strict=True)):
                        row = (n, faults, None if phases is None else -1 if n < 0 else phases[at])
                        found[row] = found.get(row, 0) | (told & column)
            self._scenarios = self._blamed(found)
        return self._scenarios

    def _of_all_runs(self, of: tuple[int, ...]) -> dict[Scenario, int]:
        """By scenario, as far as the phases of these steps tell it, what its runs owe and break. Raises BeyondError."""
        nodes: dict[tuple[int, Scenario], int] = {self.start: 0}
        waiting, queued = deque(nodes), set(nodes)
        while waiting:
            node = waiting.popleft()
            queued.discard(node)
            past = nodes[node]
            for _, j, scenario, facts in self.moves(*node, of):
                after, told = (j, scenario), past | facts
                known = nodes.get(after, -1)
                if known < 0 or told | known != known:
                    nodes[after] = told | max(known, 0)
                    if len(nodes) > NODES:
                        raise BeyondError(_SCENARIOS)
                    if after not in queued:
                        queued.add(after)
                        waiting.append(after)
        found: dict[Scenario, int] = {}
        for (i, scenario), past in nodes.items():
            if i in self._ended:
                found[scenario] = found.get(scenario, 0) | past | self._ended[i]
        return found

    def moves(self, i: int, scenario: Scenario, of: tuple[int, ...]) -> Iterator[tuple[int, int, Scenario, int]]:
        """What can happen: the transition, the state and the scenario after it, with the phases of these steps, and what it owes and breaks."""
        for t, j in zip(self._graph.fired(i), self._graph.next(i), strict=True):
            yield t, j, self._following(scenario, t, i, j, of), self.memory.shown(t, self._kept[i])

    def ended(self, i: int) -> int | None:
        """What runs owe and break that end in a state; None where none does."""
        return self._ended.get(i)

    def speaks(self, scenario: Scenario, told: Told, n: int) -> bool:
        """Whether an obligation is one of those that are counted in a scenario, told by the phase of its step; a failed undo in any phase."""
        faults, phases = scenario
        if phases is None or self._ids(faults) != told.faults:
            return False
        return n < 0 or told.family == BLAMED or PHASES[phases[0]] == told.phase

    def leads(self, scenario: Scenario, told: Told) -> bool:
        """Whether the causes of a scenario are the first ones of an obligation."""
        return self._ids(scenario[0]) == told.faults[: len(scenario[0])]

    def _ids(self, faults: tuple[int, ...]) -> tuple[str, ...]:
        return tuple(self.causes[f].id for f in faults)

    def _following(self, scenario: Scenario, t: int, i: int, j: int, of: tuple[int, ...]) -> Scenario:
        faults, phases = scenario
        memory, given_up = self.memory, self.memory.value(self._kept[i], -1, "given up")
        if t in memory.faults:
            faults = (*faults, self._of[t])
            phases = phases if given_up else memory.phases(self._kept[j], of)
        if t in memory.gives_up and not given_up:
            phases = memory.phases(self._kept[i], of)
        return faults, phases

    def counted(self, owes: Owes) -> Count:
        """The obligations of the scenarios, of what is asked. Raises BeyondError."""
        memory, section = self.memory, (1 << self.memory.section) - 1
        wanted, counted = self._mask(owes.families), owes.where == "counted"
        owed: set[tuple[str, int, tuple[int, ...], int]] = set()
        broken: set[tuple[str, int, tuple[int, ...], int]] = set()
        for (n, faults, phase), told in self.scenarios().items():
            if counted and phase is None:
                continue  # no fault, and it goes on to its end: there is nothing to compensate
            for found, bits in ((owed, told >> memory.section & section), (broken, told & section)):
                for family, _ in memory.named(bits & wanted):
                    found.add((family, n, faults, -1 if phase is None else phase))
        beside = frozenset(pair for kept in set(self._kept) for pair in memory.beside(kept))
        uncovered = sorted(self._named(*one) for one in broken if self._is_asked(owes.where, one, beside))
        return Count(len(owed), tuple(uncovered))

    def _blamed(self, rows: dict[Row, int]) -> dict[Row, int]:
        """With the failed undos that are blamed for what is out of balance in some run of the same causes."""
        balance, union = self._mask(("BALANCE",)), dict[tuple[int, ...], int]()
        for (_, faults, _), told in rows.items():
            union[faults] = union.get(faults, 0) | (told & balance)
        hit = [self.memory.number.get(c.step, -1) if c.direction == "undo" else -1 for c in self.causes]
        blame = {faults: {hit[f] for f in faults} - {-1} for faults, told in union.items() if told}
        return {
            (n, faults, phase): told | (self.memory.bit(BLAMED, n) if n in blame.get(faults, ()) else 0)
            for (n, faults, phase), told in rows.items()
        }

    def beside_in(self, i: int) -> list[tuple[str, str]]:
        """The pairs of steps that are in flight at once in a state, if the saga has not given up."""
        return self.memory.beside(self._kept[i])

    def _is_asked(
        self, where: str, one: tuple[str, int, tuple[int, ...], int], beside: frozenset[tuple[str, str]]
    ) -> bool:
        _, n, faults, phase = one
        step = self.memory.steps[n].id if n >= 0 else ""
        hit = [self.causes[f] for f in faults]
        return fits(where, step, PHASES[phase] if phase >= 0 else "", hit, beside)

    def _named(self, family: str, n: int, faults: tuple[int, ...], phase: int) -> Told:
        step = self.memory.steps[n].id if n >= 0 else ""
        return Told(family, step, self._ids(faults), PHASES[phase] if phase >= 0 else "")


_SCENARIOS = "there are more situations with the faults that led to them than a certificate may speak of"


def fits(where: str, step: str, phase: str, hit: Sequence[Cause], beside: Iterable[tuple[str, str]]) -> bool:
    """Whether a scenario is one of those that are asked about."""
    if where == "unknown":
        return phase == PHASES[3]
    if where == "cancelled":
        return any(c.kind == "cancel" for c in hit)
    if where == "beside":
        pairs = set(beside)
        return phase in (PHASES[1], PHASES[3]) and any((step, c.step) in pairs for c in hit)
    return True
