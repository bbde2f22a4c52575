"""What must be remembered of each step to say whether it keeps its obligations: observers, made from roles alone.

Six small counters a step, run in product by the engine: they never change what can happen. Everything else is read off
the edges of the reachability graph, so that the state space stays small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.coverage.obligations import PHASES
from placet.net.observer import Observer
from placet.net.roles import Kind, builders
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.compiled import Compiled
    from placet.net.roles import Role, Step

EFFECT, HELD, SENT, REFUSED, CARRIED, LEARNED = range(6)
PER_STEP = 6
_BACK = ("compensated", "failed")
COMPLETED, OVER, ESCALATED = -3, -2, -1  # of the saga as a whole: the last observers


class Ghosts(NamedTuple):
    """The steps that can have an effect, the observers (PER_STEP for each step, then those of the whole), the commits.

    `touched` are observers between these, by step that has a key: another run has touched what it did.
    """

    steps: tuple[Step, ...]
    observers: tuple[Observer, ...]
    commits: frozenset[int]  # transitions by which the saga gives up going on
    touched: dict[int, int]
    builders: dict[str, frozenset[str]]  # by id of a step, those that build on it
    acknowledged: frozenset[int]  # transitions by which the coordinator learns that a step is done
    drawn: int = -1  # the observer that an attempt forward was made again from a shared budget; -1 where nobody asks

    def phases(self, values: Sequence[int]) -> tuple[int, ...]:
        """By phase of PHASES, the set of steps that are in it, as bits."""
        found = [0] * len(PHASES)
        for s in range(len(self.steps)):
            effect, held, sent, refused = values[PER_STEP * s : PER_STEP * s + CARRIED]
            if effect >= 2:
                phase = 5
            elif held:
                phase = 4
            elif effect == 1:
                phase = 3
            elif refused:
                phase = 2
            else:
                phase = 1 if sent else 0
            found[phase] |= 1 << s
        return tuple(found)


def applies(role: Role) -> bool:
    """Whether the participant does or undoes something by it."""
    return role.kind is Kind.APPLY or (role.kind is Kind.FAULT and role.fault == "partial")


def ghosts(compiled: Compiled, *, isolation: bool = False, retries: bool = False) -> Ghosts:
    """The observers of a net whose faults are woven. Linear in its transitions.

    With `isolation` also what a second run does, with `retries` who drew from a budget of retries that undos share.
    """
    roles = compiled.roles
    steps = tuple(s for s in roles.steps if not s.read_only)
    number = {s.id: i for i, s in enumerate(steps)}
    deltas: list[list[dict[int, int]]] = [[{} for _ in range(PER_STEP)] for _ in steps]
    acknowledged = _acknowledged(compiled)
    sends = {r.step for r in roles.transitions if r.kind is Kind.SEND and r.direction == "forward"}
    for t, role in enumerate(roles.transitions):
        s = number.get(role.step)
        if s is None:
            continue
        mine = deltas[s]
        if role.direction == "undo":
            _undo(mine, t, role)
            continue
        if role.kind is Kind.SEND:
            mine[SENT][t], mine[REFUSED][t] = 1, -1
        if applies(role):
            mine[EFFECT][t] = 1
            if role.step not in sends:
                mine[SENT][t] = 1
            if role.step not in acknowledged:
                mine[HELD][t] = 1
        if role.kind is Kind.REFUSE or role.how == "blocked" or (role.kind is Kind.FAULT and role.fault == "reject"):
            mine[REFUSED][t] = 1
        if t in acknowledged.get(role.step, ()):
            mine[HELD][t] = 1
        if steps[s].reply:
            mine[LEARNED].update((t, 1) for t, delta in mine[HELD].items() if delta > 0)
    ends = {p: end_name(compiled, p) for p in compiled.final.ends}
    words = ("net effect", "believed in effect", "asked for", "refused", "undo carried out", "reply known")
    observers = [
        Observer(
            f"{step.id}#{words[k]}",
            f"`{step.id.rpartition('/')[2]}`: {words[k]}",
            tuple(sorted(deltas[s][k].items())),
            -1 if k == EFFECT else 0,
            2 if k == EFFECT else 1,
        )
        for s, step in enumerate(steps)
        for k in range(PER_STEP)
    ]
    touched = {}
    for s, deltas_of in _touches(compiled, steps).items() if isolation else ():
        touched[s] = len(observers)
        name = steps[s].id
        words_of = f"another run has touched what `{name.rpartition('/')[2]}` did"
        observers.append(Observer(f"{name}#touched", words_of, deltas_of))
    drawn = -1
    if retries and any(role.retries == "spent" for role in roles.transitions):
        drawn = len(observers)
        takes = (
            (t, 1)
            for t, role in enumerate(roles.transitions)
            if role.retries == "draws" and role.direction == "forward"
        )
        words_of = f"a step of `{compiled.subject}` has used a retry that its undos share"
        observers.append(Observer(f"{compiled.subject}#retried", words_of, tuple(takes)))
    completed = {p for p, name in ends.items() if name == "completed"}
    done = tuple((t, 1) for t, arcs in enumerate(compiled.net.post) if any(p in completed for p, _ in arcs))
    observers.append(Observer(f"{compiled.subject}#completed", f"`{compiled.subject}` has completed", done))
    into = tuple((t, 1) for t, arcs in enumerate(compiled.net.post) if any(p in ends for p, _ in arcs))
    observers.append(Observer(f"{compiled.subject}#over", f"`{compiled.subject}` is over", into))
    called = tuple((t, 1) for t, role in enumerate(roles.transitions) if role.escalates)
    observers.append(Observer(f"{compiled.subject}#escalated", "a person was called", called))
    learns = frozenset(t for group in acknowledged.values() for t in group)
    return Ghosts(steps, tuple(observers), _commits(compiled), touched, builders(roles.steps), learns, drawn)


def _touches(compiled: Compiled, steps: tuple[Step, ...]) -> dict[int, tuple[tuple[int, int], ...]]:
    """By step with a key: +1 for what another run does to the same thing at its service, -1 where it is applied itself.

    To read it is to touch it; who is refused has not.
    """
    others = {o.id: (o.service, o.key) for o in compiled.roles.others if o.key}
    found: dict[int, tuple[tuple[int, int], ...]] = {}
    for s, step in enumerate(steps) if others else ():
        thing = (step.service, step.key)
        deltas = []
        for t, role in enumerate(compiled.roles.transitions):
            if role.direction != "forward" or not (applies(role) or role.kind is Kind.IGNORE):
                continue
            if role.step == step.id and applies(role):
                deltas.append((t, -1))
            elif others.get(role.step) == thing:
                deltas.append((t, 1))
        if step.key:
            found[s] = tuple(deltas)
    return found


def _undo(mine: list[dict[int, int]], t: int, role: Role) -> None:
    if applies(role):
        mine[EFFECT][t] = -1
    if role.kind in (Kind.APPLY, Kind.IGNORE) or applies(role):
        mine[CARRIED][t] = 1
    if role.kind is Kind.SEND:
        mine[HELD][t] = -1


def _acknowledged(compiled: Compiled) -> dict[str, set[int]]:
    """By step the transitions by which the coordinator learns that it is done."""
    found: dict[str, set[int]] = {}
    roles = compiled.roles.transitions
    known = {s.id for s in compiled.roles.steps}
    for name, transitions in compiled.steps:
        for t in transitions:
            role = roles[t]
            if role.kind is Kind.REPLY and role.direction == "forward" and role.step in known and "#" not in name:
                found.setdefault(role.step, set()).add(t)
    return found


def _commits(compiled: Compiled) -> frozenset[int]:
    """The moves by which the saga gives up going on: marked ones, every request of an undo, every end but `completed`."""
    found = set()
    ends = {p: end_name(compiled, p) for p in compiled.final.ends}
    for t, role in enumerate(compiled.roles.transitions):
        undoes = role.kind is Kind.SEND and role.direction == "undo"
        if role.commits or undoes or any(ends.get(p) in _BACK for p, _ in compiled.net.post[t]):
            found.add(t)
    return frozenset(found)


def end_name(compiled: Compiled, place: int) -> str:
    """The name of an end place."""
    return compiled.net.places[place].partition("#end.")[2]
