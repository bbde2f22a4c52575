"""Observers made on demand: for what the checks ask, and for nothing else, so that the state space stays small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.net.observer import Observer, completed
from placet.net.roles import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from placet.compiled import Compiled
    from placet.net.roles import Role


MOST_MOVED = 100  # times that a step moves its amount; what reaches it is not counted exactly any more


MOST_ASKED = 100


def _sent(role: Role) -> int:
    if role.kind is Kind.PASSES:
        return -1 if role.how == "window" else 0
    return int(role.kind is Kind.SEND)


def _failing(role: Role) -> int:
    if role.kind is Kind.PASSES:
        return 0 if role.how == "window" else -MOST_ASKED
    return role.ails if role.ails > 0 else role.ails * MOST_ASKED


def _blocked(role: Role) -> int:
    return int(role.how == "blocked")


_COUNTED = {"sent": _sent, "failing": _failing, "blocked": _blocked}


class Watch:
    """The observers of one net. Indices it gives are those of states: places first, then observers."""

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._width = len(compiled.net.places)
        self._observers = list(compiled.observers)
        self._index = {o.id: self._width + i for i, o in enumerate(compiled.observers)}
        self._steps: dict[str, list[int]] = {}  # what the user wrote -> its transitions, ends of calls below the call
        for name, transitions in compiled.steps:
            self._steps.setdefault(name, []).extend(transitions)
            call, mark, _ = name.partition("#")
            if mark:
                self._steps.setdefault(f"{call}#", []).extend(transitions)
        self._applies: dict[str, list[tuple[int, int]]] | None = None
        self._effects: dict[int, int] = {}  # number of a saga step -> observer

    def done(self, identifier: str, run: str = "") -> int:
        """The latch that says a statement was done (a call: ended in any way); -1 where nothing in the net does it.

        `run`: only in one run of a saga that continues as new, such as `[2]`.
        """
        name = identifier.rpartition("/")[2]
        return self.latch(f"{identifier}{run}#done", f"`{name}{run}` was done", self._doing(identifier, run))

    def _doing(self, identifier: str, run: str) -> list[int]:
        transitions = self._steps.get(identifier) or self._steps.get(f"{identifier}#") or []
        return in_run(transitions, identifier, run, self._compiled.net.transitions.__getitem__)

    def latch(self, identifier: str, phrase: str, transitions: Iterable[int]) -> int:
        """The latch that says one of these transitions has fired; -1 where there are none."""
        deltas = tuple((t, 1) for t in sorted(set(transitions)))
        return self._add(Observer(identifier, phrase, deltas)) if deltas else -1

    def fires(self, identifier: str, run: str = "") -> int:
        """Whether the last step did a statement; -1 where nothing in the net does it."""
        name = identifier.rpartition("/")[2]
        return self._moment(f"{identifier}{run}#fires", f"`{name}{run}` is done", self._doing(identifier, run))

    def undone(self, identifier: str, run: str = "", *, now: bool) -> int:
        """The latch that says the coordinator has learnt that the undo of a saga step was done; `now`: by the last step."""
        origins = self._compiled.origin.transitions
        transitions = [
            t
            for t, role in enumerate(self._compiled.roles.transitions)
            if role.kind is Kind.REPLY and role.direction == "undo" and not role.says and origins[t].id == identifier
        ]
        transitions = in_run(transitions, identifier, run, self._compiled.net.transitions.__getitem__)
        name = identifier.rpartition("/")[2] + run
        if now:
            return self._moment(f"{identifier}{run}#undoes", f"the undo of `{name}` is done", transitions)
        return self.latch(f"{identifier}{run}#undone", f"the undo of `{name}` was done", transitions)

    def _moment(self, identifier: str, phrase: str, transitions: Iterable[int]) -> int:
        """The observer that says one of these transitions was the last to fire; -1 where there are none."""
        deltas = tuple((t, 1) for t in sorted(set(transitions)))
        if not deltas:
            return -1
        made = Observer(identifier, phrase, deltas, momentary=True)
        return self._add(completed(made, len(self._compiled.net.transitions)))

    def effect(self, number: int) -> int:
        """The counter of effective applies minus effective undos of a saga step, by its number in the roles."""
        step = self._compiled.roles.steps[number]
        if self._applies is None:
            self._applies = _applies(self._compiled)
        name = step.id.rpartition("/")[2]
        deltas = tuple(self._applies.get(step.id, ()))
        index = self._add(Observer(f"{step.id}#effect", f"net effect of `{name}` at `{step.service}`", deltas, -1, 2))
        self._effects[number] = index - self._width
        return index

    def moved(self, number: int) -> int:
        """How often a saga step has moved its amounts, applies minus undos, as far as anybody counts."""
        step = self._compiled.roles.steps[number]
        if self._applies is None:
            self._applies = _applies(self._compiled)
        phrase = f"how often `{step.id.rpartition('/')[2]}` has moved its amount"
        deltas = tuple(self._applies.get(step.id, ()))
        return self._add(Observer(f"{step.id}#moved", phrase, deltas, -MOST_MOVED, MOST_MOVED, every_run=True))

    def asked(self, service: str, what: str) -> int:
        """A counter of calls to a service: made (`sent`), failed in a row (`failing`), refused before they were made (`blocked`)."""
        deltas = []
        for t, role in enumerate(self._compiled.roles.transitions):
            if role.service == service and (by := _COUNTED[what](role)):
                deltas.append((t, by))
        words = {"sent": "calls made to", "failing": "calls in a row that failed at", "blocked": "calls not made to"}[
            what
        ]
        observer = Observer(f"{service}#{what}", f"{words} `{service}`", tuple(deltas), 0, MOST_ASKED, every_run=True)
        return self._add(observer) if deltas else -1

    def _add(self, observer: Observer) -> int:
        index = self._index.get(observer.id)
        if index is None:
            index = self._index[observer.id] = self._width + len(self._observers)
            self._observers.append(observer)
        return index

    def attached(self) -> Compiled:
        """The net with its observers; saga steps know theirs."""
        roles = self._compiled.roles
        if self._effects:
            steps = tuple(
                s._replace(effect=self._effects[n]) if n in self._effects else s for n, s in enumerate(roles.steps)
            )
            roles = roles._replace(steps=steps)
        return self._compiled._replace(observers=tuple(self._observers), roles=roles)


def in_run(found: Sequence[int], identifier: str, run: str, name: Callable[[int], str]) -> list[int]:
    """Of all that stands for a statement, by its names in the net, what belongs to one run of a saga that continues as new.

    The first run adds nothing to names, each later one its number, and loops inside each run the same numbers behind it.
    """
    if not run:
        return list(found)
    own = len(identifier.rpartition("/")[2])
    numbers = {i: name(i).partition("#")[0].rpartition("/")[2][own:] for i in found}
    deepest = max((n.count("[") for n in numbers.values()), default=0)
    if run == "[1]":
        return [i for i, n in numbers.items() if n.count("[") < deepest]
    return [i for i, n in numbers.items() if n.count("[") == deepest and n.startswith(run)]


def _applies(compiled: Compiled) -> dict[str, list[tuple[int, int]]]:
    """For each saga step the transitions by which its participant does (+1) or undoes (-1) it."""
    found: dict[str, list[tuple[int, int]]] = {}
    for t, role in enumerate(compiled.roles.transitions):
        if role.kind is Kind.APPLY:
            found.setdefault(role.step, []).append((t, -1 if role.direction == "undo" else 1))
    return found
