"""What is remembered of a run of a saga, and what each move and each end of it owes and breaks: `docs/coverage.md`, word by word.

Made from the roles of the net alone, and from nothing that coverage explores with: counters that are added to the state (they
never change what can happen), and facts about a move, told from what was remembered before it. A fact is a bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.net.final import PlaceClass
from placet.net.observer import Observer
from placet.net.roles import Kind, builders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from placet.compiled import Compiled
    from placet.evidence import State
    from placet.net.roles import Role

COUNTED = ("BALANCE", "ONCE", "NULL", "LATE", "ORDER", "INPUT", "PIVOT", "UNDO-FAIL", "TERM")
FINER = (
    *("not undone", "not complete", "says compensated", "undo of nothing", "undo twice", "acts after its end"),
    *("undone after completion", "wrong scope", "isolation", "retries used up", "stuck", "livelock"),
)
FAMILIES = (*COUNTED, *FINER)
PHASES = (
    *("not started", "on its way", "refused", "applied, not acknowledged", "applied, acknowledged", "applied twice"),
)
_BACK = ("compensated", "failed")
OF_STEP = ("effect", "sent", "held", "refused", "carried", "learned", "touched")
OF_WHOLE = ("given up", "over", "completed", "called", "drawn")


class Memory:
    """What is remembered on a net whose faults are woven. `observers` count it; facts are bits of three sections."""

    def __init__(self, compiled: Compiled) -> None:
        roles = compiled.roles
        self._compiled = compiled
        self._width = len(compiled.net.places)
        self.steps = tuple(s for s in roles.steps if not s.read_only)
        self.number = {s.id: n for n, s in enumerate(self.steps)}
        self._builders = [
            tuple(self.number[b] for b in builders(roles.steps)[s.id] if b in self.number) for s in self.steps
        ]
        self._things = [(s.service, s.key) if s.key else None for s in self.steps]
        self._others = {o.id: (o.service, o.key) for o in roles.others if o.key}
        self._ends = {p: compiled.net.places[p].partition("#end.")[2] for p in compiled.final.ends}
        self._acknowledging = frozenset(
            t
            for name, group in compiled.steps
            for t in group
            if "#" not in name and roles.transitions[t].kind is Kind.REPLY and roles.transitions[t].direction == "forward"
        )  # fmt: skip
        self._acknowledged = {roles.transitions[t].step for t in self._acknowledging}
        self._asked = {r.step for r in roles.transitions if r.kind is Kind.SEND and r.direction == "forward"}
        self._shared = any(role.retries == "spent" for role in roles.transitions)
        self.faults = _spending(compiled)  # the causes
        self.gives_up = frozenset(t for t, role in enumerate(roles.transitions) if self._gives_up(t, role))
        self._slots: dict[tuple[int, str], int] = {}  # -1 for the saga as a whole
        self.observers = tuple(self._observers())
        self.section = len(FAMILIES) * (len(self.steps) + 1)  # bits: broken, then owed, then escalated
        self._told: dict[tuple[int, tuple[int, ...]], int] = {}

    def watched(self) -> Compiled:
        """The net with what is remembered, and nothing else, added to its states."""
        return self._compiled._replace(observers=self.observers)

    # -- what is remembered ------------------------------------------------------------------------------------------

    def _observers(self) -> Iterable[Observer]:
        changes: dict[tuple[int, str], dict[int, int]] = {}
        for t, role in enumerate(self._compiled.roles.transitions):
            for key, delta in self._changes(t, role):
                changes.setdefault(key, {})[t] = delta
        for number, key in enumerate(sorted(changes, key=lambda k: (k[0], [*OF_STEP, *OF_WHOLE].index(k[1])))):
            self._slots[key] = number
            n, word = key
            name = self.steps[n].id if n >= 0 else self._compiled.subject
            low, high = (-1, 2) if word == "effect" else (0, 1)
            yield Observer(f"{name}#{word}", f"{word} of {name}", tuple(sorted(changes[key].items())), low, high)

    def _changes(self, t: int, role: Role) -> Iterable[tuple[tuple[int, str], int]]:
        """What a transition adds to which counter."""
        ends = {self._ends[p] for p, _ in self._compiled.net.post[t] if p in self._ends}
        whole = {
            "given up": t in self.gives_up,
            "over": bool(ends),
            "completed": "completed" in ends,
            "called": role.escalates,
            "drawn": self._shared and role.retries == "draws" and role.direction == "forward",
        }
        yield from (((-1, word), 1) for word, is_so in whole.items() if is_so)
        forward, acts = role.direction == "forward", _acts(role)
        if forward and (acts or role.kind is Kind.IGNORE):
            mine = self._others.get(role.step)
            yield from (
                ((n, "touched"), 1) for n, thing in enumerate(self._things) if mine is not None and thing == mine
            )
        n = self.number.get(role.step, -1)
        if n < 0:
            return
        if role.direction == "undo":
            if role.kind is Kind.SEND:
                yield (n, "held"), -1
            if acts:
                yield (n, "effect"), -1
            if acts or role.kind is Kind.IGNORE:
                yield (n, "carried"), 1
            return
        if role.kind is Kind.SEND:
            yield (n, "sent"), 1
            yield (n, "refused"), -1
        if acts:
            yield (n, "effect"), 1
            if self._others and self._things[n] is not None:
                yield (n, "touched"), -1
            if role.step not in self._asked:
                yield (n, "sent"), 1
        if role.kind is Kind.REFUSE or role.how == "blocked" or role.fault == "reject":
            yield (n, "refused"), 1
        if t in self._acknowledging or (acts and role.step not in self._acknowledged):
            yield (n, "held"), 1
            if self.steps[n].reply:
                yield (n, "learned"), 1

    def _gives_up(self, t: int, role: Role) -> bool:
        back = any(self._ends.get(p) in _BACK for p, _ in self._compiled.net.post[t])
        return back or role.commits or (role.kind is Kind.SEND and role.direction == "undo")

    def value(self, values: Sequence[int], step: int, word: str) -> int:
        """What is remembered of a step, or with -1 of the saga: of what never changes that it is 0."""
        slot = self._slots.get((step, word))
        return 0 if slot is None else values[slot]

    def values(self, state: State) -> tuple[int, ...]:
        """What is remembered in a state."""
        return state[self._width :]

    def phases(self, values: Sequence[int], of: Iterable[int]) -> tuple[int, ...]:
        """How far each of these steps has truly got."""
        return tuple(self._phase(values, n) for n in of)

    def column(self, step: int) -> int:
        """The bits of a step, or with -1 of the saga as a whole, in all sections."""
        return sum(self.bit(family, step) << k * self.section for family in FAMILIES for k in range(3))

    def _phase(self, values: Sequence[int], n: int) -> int:
        effect = self.value(values, n, "effect")
        if effect >= 2:
            return 5
        if self.value(values, n, "held"):
            return 4
        if effect == 1:
            return 3
        if self.value(values, n, "refused"):
            return 2
        return 1 if self.value(values, n, "sent") else 0

    def beside(self, values: Sequence[int]) -> list[tuple[str, str]]:
        """The pairs of steps that are on their way at once, as long as the saga has not given up.

        They were asked for, and the coordinator does not know the outcome.
        """
        if self.value(values, -1, "given up"):
            return []
        open_ = [
            step.id
            for n, step in enumerate(self.steps)
            if [self.value(values, n, word) for word in ("sent", "held", "refused")] == [1, 0, 0]
        ]
        return [(one, other) for one in open_ for other in open_ if one != other]

    # -- what is owed and broken -------------------------------------------------------------------------------------

    def bit(self, family: str, step: int) -> int:
        """The bit of a family and a step, among those that are broken; the saga itself is the step -1."""
        return 1 << FAMILIES.index(family) * (len(self.steps) + 1) + (step if step >= 0 else len(self.steps))

    def named(self, bits: int) -> Iterable[tuple[str, int]]:
        """The families and steps of these bits of one section."""
        while bits:
            lowest = bits & -bits
            bits ^= lowest
            family, step = divmod(lowest.bit_length() - 1, len(self.steps) + 1)
            yield FAMILIES[family], step if step < len(self.steps) else -1

    def shown(self, t: int, values: tuple[int, ...]) -> int:
        """What a move owes and breaks when it happens with this in memory."""
        key = (t, values)
        found = self._told.get(key)
        if found is None:
            role = self._compiled.roles.transitions[t]
            n = self.number.get(role.step, -1)
            found = self._told[key] = 0 if n < 0 else self._shown(t, role, n, values)
        return found

    def _shown(self, t: int, role: Role, n: int, values: Sequence[int]) -> int:
        found = 0

        def owes(family: str, step: int, *, broken: object = False) -> None:
            nonlocal found
            bit = self.bit(family, step)
            found |= bit << self.section | (bit if broken else 0)

        def whole(word: str) -> int:
            return self.value(values, -1, word)

        def mine(word: str) -> int:
            return self.value(values, n, word)

        undo, acts = role.direction == "undo", _acts(role)
        if role.kind is Kind.TIMER or (role.kind is Kind.SEND and not undo):
            owes("acts after its end", n, broken=whole("over"))
        if undo:
            if role.retries in ("draws", "spent"):
                owes("retries used up", n, broken=role.retries == "spent" and whole("drawn"))
            if t in self.faults:
                owes("UNDO-FAIL", n)
            if role.kind is Kind.SEND:
                owes("NULL", n)
                if self.steps[n].reply:
                    owes("INPUT", n, broken=not mine("learned"))
            if role.kind is Kind.SEND or acts:
                owes("undone after completion", n, broken=whole("completed"))
            if acts or role.kind is Kind.IGNORE:
                owes("LATE", n)
            if acts:
                self._undone(role, n, values, owes)
            return found
        if role.kind is Kind.SEND or acts:
            owes("BALANCE", n)
        if acts:
            owes("ONCE", n, broken=mine("effect") >= 1)
            if mine("carried"):
                owes("LATE", n, broken=True)
            if self.steps[n].pivot:
                owes("PIVOT", n)
        if t in self._acknowledging:
            owes("wrong scope", n, broken=role.how == "other")
        return found

    def _undone(self, role: Role, n: int, values: Sequence[int], owes: Callable[..., None]) -> None:
        """An undo takes effect."""
        effect = self.value(values, n, "effect")
        again = role.how == "repeat" or (not role.how and self.value(values, n, "carried"))
        owes("isolation", n, broken=self.value(values, n, "touched") and effect > 0)
        owes("undo twice" if again else "undo of nothing", n, broken=effect <= 0)
        if effect <= 0:
            owes("NULL", n, broken=True)
        if self._builders[n]:
            owes("ORDER", n, broken=any(self.value(values, b, "effect") > 0 for b in self._builders[n]))
        for p, step in enumerate(self.steps):
            if step.pivot and p != n and self.value(values, p, "effect") > 0:
                owes("PIVOT", p, broken=True)

    def ended(self, members: Sequence[State], *, circling: bool) -> int:
        """What a terminal set owes and breaks: whether it is settled, and then the balance of each step."""
        owed = broken = escalated = 0
        ends = {tuple(p for p in self._ends for _ in range(state[p])) for state in members}
        kept = [self.values(state) for state in members]
        effects = {tuple(self.value(v, n, "effect") for n in range(len(self.steps))) for v in kept}
        if len(effects) != 1 or len(ends) != 1 or len(next(iter(ends))) != 1:
            broken = self.bit("TERM", -1) | self.bit("livelock" if circling else "stuck", -1)
            return broken | (broken | self.bit("TERM", -1)) << self.section
        owed = self.bit("TERM", -1)
        end, called = self._ends[next(iter(ends))[0]], self.value(kept[0], -1, "called")
        for n, step in enumerate(self.steps):
            effect = self.value(kept[0], n, "effect")
            back = end in _BACK and step.saga == self._compiled.subject
            wanted = {0 if back else self.value(v, n, "held") for v in kept}
            wrong = 0
            if wanted != {effect}:
                kind = "not complete" if wanted == {1} else "not undone"
                wrong = self.bit("BALANCE", n) | self.bit(kind, n)
                if end == "compensated":
                    broken |= self.bit("says compensated", n)
            if step.pivot and back and effect > 0:
                wrong |= self.bit("PIVOT", n)
            escalated, broken = (escalated | wrong, broken) if called else (escalated, broken | wrong)
        return broken | (owed | broken | escalated) << self.section | escalated << 2 * self.section


def _acts(role: Role) -> bool:
    """Whether the service does or undoes something by it."""
    return role.kind is Kind.APPLY or (role.kind is Kind.FAULT and role.fault == "partial")


def _spending(compiled: Compiled) -> frozenset[int]:
    """The faults that take from the budget of faults."""
    budget = {
        p
        for p, kind in enumerate(compiled.final.classes)
        if kind is PlaceClass.BUDGET and "#faults" in compiled.net.places[p]
    }
    return frozenset(
        t
        for t, role in enumerate(compiled.roles.transitions)
        if role.kind is Kind.FAULT and any(p in budget for p, _ in compiled.net.pre[t])
    )
