"""Token replay: looks for a firing sequence of the net whose visible part is a given run.

All markings that the run so far can have led to are kept. For the next event those silent firings are searched that can
matter for it, by stubborn sets (Valmari 1990; for the reachability of one transition Schmidt 1999): a silent firing that
neither helps nor hinders the event is put off, which loses no run, since it can be done later with the same outcome. So
the silent steps of a hundred items of a Map are never interleaved.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeAlias

from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from placet.conform.observed import Label, Observed

Sparse: TypeAlias = "dict[int, int]"  # the marked places and their tokens

MOST_MARKINGS = 200_000  # looked at for one run
MOST_KEPT = 5_000  # that a run so far can have led to
MOST_ALLOWED = 2_000  # looked at to say what could have come instead


Path: TypeAlias = "tuple[Path, int] | None"  # how a marking was reached, backwards


class Node(NamedTuple):
    """A marking with its check sum, and how it was reached; the markings before it are not kept."""

    marking: Sparse
    sum: int
    path: Path = None


class Seen:
    """A set of markings: by check sum, and where sums agree by what is in them."""

    def __init__(self, nodes: Iterable[Node] = ()) -> None:
        self._found: dict[int, list[Sparse]] = {}
        for node in nodes:
            self.add(node)

    def add(self, node: Node) -> bool:
        """Whether the marking is new."""
        same = self._found.setdefault(node.sum, [])
        if node.marking in same:
            return False
        same.append(node.marking)
        return True


class Tables:
    """The net by place: which silent transitions take from it, give to it, look at it. Made once for many runs."""

    def __init__(self, observed: Observed) -> None:
        net = observed.net
        self.observed = observed
        self.pre, self.post, self.read, self.inhibit, self.reset = net.pre, net.post, net.read, net.inhibit, net.reset
        self.capacity = dict(net.capacity)
        self.by_label: dict[Label, list[int]] = {}
        self.takers: dict[int, list[int]] = {}  # after which it has fewer tokens
        self.givers: dict[int, list[int]] = {}  # after which it has more
        self.testers: dict[int, list[int]] = {}  # that need tokens there and leave them
        self.shunners: dict[int, list[int]] = {}  # that need it to have few
        self.emptiers: dict[int, list[int]] = {}
        for t, label in enumerate(observed.labels):
            if label is not None:
                self.by_label.setdefault(label, []).append(t)
                continue
            takes, gives, tests = self._effect(t)
            for table, places in (
                (self.takers, takes),
                (self.givers, gives),
                (self.testers, tests),
                (self.shunners, [p for p, _ in net.inhibit[t]]),
                (self.emptiers, list(net.reset[t])),
            ):
                for p in places:
                    table.setdefault(p, []).append(t)
        self._rivals: dict[int, tuple[int, ...]] = {}
        self._relevant: dict[tuple[int, ...], frozenset[int]] = {}

    def _effect(self, t: int) -> tuple[list[int], list[int], list[int]]:
        """The places it takes from, gives to, and needs more tokens on than it takes."""
        pre, post = dict(self.pre[t]), dict(self.post[t])
        takes = [p for p, w in pre.items() if w > post.get(p, 0)]
        gives = [p for p, w in post.items() if w > pre.get(p, 0)]
        tests = [p for p in pre if post.get(p, 0)]
        return takes, gives, [*tests, *(p for p, _ in self.read[t])]

    def start(self) -> Node:
        """The initial marking."""
        marking = {p: n for p, n in enumerate(self.observed.initial) if n}
        total = 0
        for item in marking.items():
            total ^= hash(item)
        return Node(marking, total)

    def obstacle(self, marking: Sparse, t: int) -> tuple[str, int] | None:
        """What keeps a transition from firing: too few (`few`) or too many (`many`) tokens on a place; None: nothing."""
        best: tuple[str, int] | None = None
        fewest = 0
        for p, w in (*self.pre[t], *self.read[t]):
            if marking.get(p, 0) < w:
                helpers = len(self.givers.get(p, ()))
                if best is None or helpers < fewest:
                    best, fewest = ("few", p), helpers
        if best is not None:
            return best
        for p, w in self.inhibit[t]:
            if marking.get(p, 0) >= w:
                return "many", p
        if self.capacity:
            taken = dict(self.pre[t])
            for p, w in self.post[t]:
                most = self.capacity.get(p)
                left = 0 if p in self.reset[t] else marking.get(p, 0) - taken.get(p, 0)
                if most is not None and left + w > most:
                    return "many", p
        return None

    def fire(self, node: Node, t: int) -> Node:
        """The marking after an enabled transition."""
        after = dict(node.marking)
        total = node.sum
        for p, w in self.pre[t]:
            held = after[p]
            total ^= hash((p, held))
            if held > w:
                after[p] = held - w
                total ^= hash((p, held - w))
            else:
                del after[p]
        for p in self.reset[t]:
            if p in after:
                total ^= hash((p, after.pop(p)))
        for p, w in self.post[t]:
            held = after.get(p, 0)
            if held:
                total ^= hash((p, held))
            after[p] = held + w
            total ^= hash((p, held + w))
        return Node(after, total, (node.path, t))

    def rivals(self, t: int) -> tuple[int, ...]:
        """The silent transitions that may not be exchanged with an enabled one: one can disable the other."""
        found = self._rivals.get(t)
        if found is None:
            made: set[int] = set()
            takes, gives, tests = self._effect(t)
            for p in takes:
                made.update(self.takers.get(p, ()), self.testers.get(p, ()))
            for p in tests:
                made.update(self.takers.get(p, ()))
            for p, _ in self.inhibit[t]:
                made.update(self.givers.get(p, ()))
            for p in gives:
                made.update(self.shunners.get(p, ()))
                if p in self.capacity:
                    made.update(self.givers.get(p, ()))
            around = {*takes, *gives, *tests, *(p for p, _ in self.inhibit[t])}
            for p in self.reset[t]:
                for table in (self.takers, self.givers, self.testers, self.shunners, self.emptiers):
                    made.update(table.get(p, ()))
            if self.emptiers:
                for p in around:
                    made.update(self.emptiers.get(p, ()))
            found = self._rivals[t] = tuple(made)
        return found

    def relevant(self, goals: tuple[int, ...]) -> frozenset[int]:
        """The silent transitions that can have a part in enabling a goal, or would be too late after it.

        All others can be put off until it has fired: they give nothing that leads to it, and nothing that leads to it
        takes from them what they need.
        """
        found = self._relevant.get(goals)
        if found is None:
            chosen: set[int] = set()
            pending = list(goals)
            while pending:
                for u in self._before(pending.pop()):
                    if u not in chosen:
                        chosen.add(u)
                        pending.append(u)
            found = self._relevant[goals] = frozenset(chosen)
        return found

    def _before(self, t: int) -> Iterator[int]:
        """The silent transitions that help one, or that it can make impossible."""
        takes, gives, _ = self._effect(t)
        for p, _ in (*self.pre[t], *self.read[t]):
            yield from self.givers.get(p, ())
        for p, _ in self.inhibit[t]:
            yield from self.takers.get(p, ())
        for p in takes:
            yield from self.testers.get(p, ())
        for p in gives:
            yield from self.shunners.get(p, ())
            if p in self.capacity:
                yield from self.takers.get(p, ())
                yield from self.givers.get(p, ())
        for p in self.reset[t]:
            for table in (self.takers, self.givers, self.testers):
                yield from table.get(p, ())
        if self.emptiers:
            for p, _ in (*self.pre[t], *self.post[t], *self.read[t], *self.inhibit[t]):
                yield from self.emptiers.get(p, ())

    def stubborn(self, marking: Sparse, goals: tuple[int, ...]) -> list[int]:
        """The enabled transitions of a set, containing the goals, that no other silent firing can matter to."""
        relevant = self.relevant(goals)
        pending = list(goals)
        chosen = set(pending)
        enabled = []
        while pending:
            t = pending.pop()
            found = self.obstacle(marking, t)
            if found is None:
                enabled.append(t)
                more: Iterable[int] = self.rivals(t)
            elif found[0] == "few":
                more = self.givers.get(found[1], ())
            else:
                more = (*self.takers.get(found[1], ()), *self.emptiers.get(found[1], ()))
            for u in more:
                if u not in chosen and u in relevant:
                    chosen.add(u)
                    pending.append(u)
        return enabled


class Replay:
    """One run while it is held against the net."""

    def __init__(self, tables: Tables, budget: int = MOST_MARKINGS, width: int = MOST_KEPT) -> None:
        self.tables = tables
        self.budget = budget
        self.width = width  # markings that are kept; with more of them `cut` is set, and a refusal says nothing
        self.cut = False
        self.spent = 0
        self.exhausted = ""  # which limit was reached
        self.nodes: list[Node] = [tables.start()]

    def step(self, labels: Collection[Label]) -> bool:
        """Whether one of these can be seen next; then it has been. With `exhausted` or `cut` set, False says nothing."""
        goals = tuple(dict.fromkeys(t for label in labels for t in self.tables.by_label.get(label, ())))
        found = self._search(goals) if goals else []
        if found:
            self.nodes = found
        return bool(found)

    def _search(self, goals: tuple[int, ...]) -> list[Node]:
        tables = self.tables
        wanted = set(goals)
        queue: deque[Node] = deque(self.nodes)
        seen = Seen(self.nodes)
        reached = Seen()
        found: list[Node] = []
        while queue:
            if self.spent >= self.budget:
                self.exhausted = f"{self.budget:,} markings were looked at"
                break
            self.spent += 1
            node = queue.popleft()
            for t in tables.stubborn(node.marking, goals):
                after = tables.fire(node, t)
                if t in wanted:
                    if reached.add(after):
                        found.append(after)
                elif seen.add(after):
                    queue.append(after)
            if len(found) >= self.width:
                self.cut = True
                break
        return found

    def allowed(self) -> tuple[list[Label], bool]:
        """What could have been seen next, and whether that is all of it."""
        tables = self.tables
        by_place: dict[int, list[int]] = {}
        free: list[int] = []
        for t, pre in enumerate(tables.pre):
            (by_place.setdefault(pre[0][0], []) if pre else free).append(t)
        queue = deque(self.nodes)
        seen = Seen(self.nodes)
        found: dict[Label, None] = {}
        looked = 0
        while queue and looked < MOST_ALLOWED:
            looked += 1
            node = queue.popleft()
            marking = node.marking
            for t in (*free, *(t for p in marking for t in by_place.get(p, ()))):
                label = tables.observed.labels[t]
                if (label is not None and label in found) or tables.obstacle(marking, t) is not None:
                    continue
                if label is not None:
                    found[label] = None
                    continue
                after = tables.fire(node, t)
                if seen.add(after):
                    queue.append(after)
        return list(found), not queue

    def sequence(self) -> tuple[int, ...]:
        """A firing sequence of the observed net that shows the run so far."""
        found = []
        path = self.nodes[0].path
        while path is not None:
            path, fired = path
            found.append(fired)
        return tuple(reversed(found))
