"""How much of what has no bound of its own is looked at: items of a Map, retries.

One retry shows what a thousand show, but for their number: each leads to where the first attempt began. Two items show how
one stops the other. Where Maps stand in Maps the items multiply, so there the inner ones get one item each when the net
would be too large otherwise; whatever is taken is reported with every verdict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.formats.asl.machine import Machine, State

HEAVY = 1_000_000  # comparisons of names; a definition that people wrote needs thousands
MANY = 300_000  # states, as they are guessed here; a search of so many takes seconds
_WORK = 5  # where the token of one attempt of a task can be


class Bounds(NamedTuple):
    """`copies` are the numbers of items, `retries` the most attempts after the first one (None: what the file says).

    Maps that stand `deep` or more Maps deep have at most one item.
    """

    copies: tuple[int, ...] = (0, 1, 2)
    retries: int | None = 2
    items: tuple[tuple[str, tuple[int, ...]], ...] = ()  # the numbers by name of a Map, where they are known better
    unforeseen: bool = False  # every state may fail over its data and its size, whether or not it looks into it
    deep: int = 1_000
    plain: bool = False  # a Map of at most one item has nothing to stop when it fails, and is compiled so

    def numbers(self, name: str, depth: int) -> tuple[int, ...]:
        """The numbers of items of a Map of that name inside `depth` others."""
        given = dict(self.items).get(name, self.copies)
        return given if depth < self.deep else tuple(n for n in given if n <= 1)

    def times(self, given: int) -> int:
        """How often to retry where the file says so often."""
        return given if self.retries is None else min(given, self.retries)


def weight(machine: Machine, names: int = 0) -> int:
    """About how much work the errors of a machine are: for each task the names that are told apart, by themselves."""
    total = 0
    for state in machine.states.values():
        more = names + sum(len(r.errors) for r in state.retry) + sum(len(c.errors) for c in state.catch)
        total += 4 + more * more if state.kind in ("Task", "Parallel", "Map") else 1
        total += sum(weight(inner, more) for inner in state.inner)
    return total


def fitted(machine: Machine) -> Bounds:
    """The largest of the usual bounds with which the net is not too large. Linear in the definition."""
    usual = Bounds(plain=True)
    less = usual._replace(retries=1)
    found = usual
    for found in (usual, less, less._replace(deep=1), less._replace(deep=0)):
        if _states(machine, found, 0) <= MANY:
            break
    return found


def _states(machine: Machine, bounds: Bounds, depth: int) -> float:
    """About how many states a machine has. Recurses over nesting, which is bounded."""
    return 1 + sum(_of(state, bounds, depth) for state in machine.states.values())


def _of(state: State, bounds: Bounds, depth: int) -> float:
    tries = 1.0
    for retrier in state.retry:
        tries *= 1 + bounds.times(retrier.times)
    inner = 1.0
    if state.kind == "Map" and state.inner:
        most = max(bounds.numbers(state.name, depth), default=0)
        inside = _states(state.inner[0], bounds, depth + 1)
        inner = inside if most == 1 and bounds.plain else min(1e12, 2 * inside + 1) ** most
    elif state.kind == "Parallel":
        for branch in state.inner:
            inner = min(1e30, inner * (2 * _states(branch, bounds, depth) + 1))
    elif state.kind == "Task":
        inner = _WORK
    return min(1e30, 2 + tries * inner)
