"""A deterministic transition system as a state chart: moves on events that carry out actions.

What the coordinator sends it sends at once, so states in which it only sends become actions of the moves that lead to them;
where several messages may go out in any order, one order is taken. Where the order or the choice of what it sends matters
for what comes later, the state stays, and its moves need no event. A task is started, and the clock of a time-out set, by
the move into the first state that waits for it; a clock that is still running when a move leads elsewhere is stopped.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from typing import TYPE_CHECKING, Literal

from placet.machine.label import INPUTS, Label, Seen
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placet.lts import Lts


class Action(NamedTuple):
    """What a move does: sends a message, starts a task, sets or stops the clock of a time-out."""

    kind: Literal["send", "start", "set", "stop"]
    name: str
    time: str = ""  # of a clock that is set

    @property
    def text(self) -> str:
        """As people write it."""
        return f"set {self.name} to {self.time}" if self.kind == "set" else f"{self.kind} {self.name}"


class Move(NamedTuple):
    """From a state to a state; `on` is what happens first, None where the coordinator moves by itself."""

    source: int
    on: Label | None
    actions: tuple[Action, ...]
    target: int


class Chart(NamedTuple):
    """States by name, and moves sorted by their source. `first` is done before anything happens."""

    name: str
    states: tuple[str, ...]
    initial: int
    first: tuple[Action, ...]
    moves: tuple[Move, ...]
    finals: frozenset[int]

    def of(self, state: int) -> tuple[Move, ...]:
        """The moves that leave a state. O(log moves)."""
        begin = bisect_left(self.moves, state, key=_source)
        return self.moves[begin : bisect_right(self.moves, state, begin, key=_source)]


def _source(move: Move) -> int:
    return move.source


def clock(label: Label) -> str:
    """The name of the clock behind a time-out."""
    return label.text


def chart(name: str, lts: Lts, labels: Sequence[Label], *, afresh: bool = False) -> Chart:
    """The state chart of a deterministic transition system without silent edges. Linear in its size, but for sorting.

    With `afresh` every move enters its target anew, so that no clock runs on over a move.
    """
    building = _Building(lts, labels, afresh=afresh)
    at_once, initial = building.settle(lts.initial)
    number = {initial: 0}
    order = [initial]
    moves: list[Move] = []
    for state in order:
        for label, target in building.out[state]:
            sends, settled = building.settle(target)
            if label.kind is Seen.SENDS:
                sends = (label, *sends)
            on = None if label.kind in (Seen.SENDS, Seen.END) else label
            actions = building.actions(state, label, sends, settled)
            if settled not in number:
                number[settled] = len(order)
                order.append(settled)
            moves.append(Move(number[state], on, actions, number[settled]))
    finals = frozenset(number[s] for s in order if s in lts.final and not building.out[s])
    names = tuple(lts.names[s] if lts.names else f"s{s}" for s in order)
    first = building.actions(None, None, at_once, initial)
    return Chart(name, names, 0, first, tuple(moves), finals)


class _Building:
    def __init__(self, lts: Lts, labels: Sequence[Label], *, afresh: bool) -> None:
        self._afresh = afresh
        self.out: list[list[tuple[Label, int]]] = [[] for _ in range(lts.states)]
        for source, label, target in sorted(lts.edges):
            self.out[source].append((labels[label], target))
        self._settled = _settled(self.out)
        waits = [[label for label, _ in out if label.kind in INPUTS] for out in self.out]
        self._clocks = [{clock(x): x for x in some if x.kind is Seen.TIME} for some in waits]
        self._tasks = [{x.about: x for x in some if x.kind is Seen.OUTCOME and x.about} for some in waits]

    def settle(self, state: int) -> tuple[tuple[Label, ...], int]:
        """What is sent at once from a state, and where that ends."""
        return self._settled[state] or ((), state)

    def actions(self, source: int | None, on: Label | None, sends: Sequence[Label], target: int) -> tuple[Action, ...]:
        """What a move does."""
        none: Mapping[str, Label] = {}
        clocks, tasks = (none, none) if source is None else (self._clocks[source], self._tasks[source])
        sent = {label.name for label in sends}
        over = clock(on) if on is not None and on.kind is Seen.TIME else ""
        found: list[Action] = []
        running = set(clocks) - {over}
        for name in sorted(running):
            again = self._clocks[target].get(name)
            if again is None or again.about in sent or self._afresh:
                running.discard(name)
                if again is None:
                    found.append(Action("stop", name))
        found += [Action("send", label.name) for label in sends]
        done = on.about if on is not None and on.kind is Seen.OUTCOME else ""
        found += [Action("start", name) for name in sorted(self._tasks[target]) if name not in tasks or name == done]
        found += [
            Action("set", name, label.time)
            for name, label in sorted(self._clocks[target].items())
            if name not in running
        ]
        return tuple(found)


def _settled(out: list[list[tuple[Label, int]]]) -> list[tuple[tuple[Label, ...], int] | None]:
    """By state what it sends at once, in one order of several, and the state after that; None where it does not, or must choose.

    Depth-first over the edges that send, with a stack of its own.
    """
    found: list[tuple[tuple[Label, ...], int] | None] = [None] * len(out)
    own = [[(x, t) for x, t in edges if x.kind in (Seen.SENDS, Seen.END)] for edges in out]
    mark = [0] * len(out)  # 1 under way, 2 done
    for root in range(len(out)):
        stack = [root] if not mark[root] else []
        while stack:
            state = stack[-1]
            if mark[state] == 0:
                mark[state] = 1
                stack += [t for _, t in own[state] if mark[t] == 0]
                continue
            stack.pop()
            if mark[state] == 1:
                mark[state] = 2
                found[state] = _joined(state, own, out, found, mark)
    return found


def _joined(
    state: int,
    own: list[list[tuple[Label, int]]],
    out: list[list[tuple[Label, int]]],
    found: list[tuple[tuple[Label, ...], int] | None],
    mark: list[int],
) -> tuple[tuple[Label, ...], int] | None:
    if not own[state] or any(label.kind is Seen.CHOICE for label, _ in out[state]):
        return None
    ways = []
    for label, target in own[state]:
        if mark[target] != 2:
            return None  # a circle of messages
        rest, last = found[target] or ((), target)
        ways.append(((label, *rest) if label.kind is Seen.SENDS else rest, last))
    sends, last = ways[0]
    if any(other != last or Counter(some) != Counter(sends) for some, other in ways[1:]):
        return None
    return sends, last
