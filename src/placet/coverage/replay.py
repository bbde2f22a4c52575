"""Every run that breaks an obligation, fired again on the net by the plain firing rule, and judged anew.

Shares no code with the search: neither the engines, nor the observers, nor the facts. What it cannot re-check within
its limit (a terminal set of very many situations) it says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.errors import EvidenceError
from placet.net.final import PlaceClass
from placet.net.firing import enabled, fire
from placet.net.roles import Kind, builders
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.coverage.causes import Causes
    from placet.coverage.obligations import Cause, Obligation
    from placet.evidence import Trace
    from placet.net.core import Marking
    from placet.net.roles import Role

LIMIT = 20_000  # situations of a terminal set
_ON_ITS_WAY = {"sent": "on its way", "": "not started"}


class _Memory:
    """What is remembered of one step."""

    def __init__(self) -> None:
        self.effect = 0
        self.sent = self.held = self.refused = self.carried = self.learned = self.touched = False
        self.broken: set[str] = set()

    def phase(self) -> str:
        if self.effect >= 2:
            return "applied twice"
        if self.held:
            return "applied, acknowledged"
        if self.effect == 1:
            return "applied, not acknowledged"
        if self.refused:
            return "refused"
        return "on its way" if self.sent else "not started"


class Judged(NamedTuple):
    """What a run shows: its causes in order, the phase of each step when the saga gave up, what it breaks."""

    causes: tuple[Cause, ...]
    phases: dict[str, str]
    broken: frozenset[tuple[str, str]]  # (family, step)
    settled: bool


def check(compiled: Compiled, obligation: Obligation, causes: tuple[Cause, ...]) -> Judged:
    """Fire the obligation's run. Raises EvidenceError where it is no run, of another scenario, or breaks nothing."""
    judged = judge(compiled, obligation.trace)
    wanted = [causes[f]._replace(words="") for f in obligation.faults]
    if [c._replace(words="") for c in judged.causes] != wanted:
        raise EvidenceError("the run has other faults than its scenario")
    if obligation.family == "UNDO-FAIL":
        if not any(family == "BALANCE" for family, _ in judged.broken):
            raise EvidenceError("the run leaves nothing out of balance")
        return judged
    if obligation.step and judged.phases.get(obligation.step) != obligation.phase:
        raise EvidenceError(f"the run gives up with `{obligation.step}` {judged.phases.get(obligation.step)}")
    if (obligation.family, obligation.step) not in judged.broken:
        raise EvidenceError(f"the run does not break {obligation.family} of `{obligation.step}`")
    return judged


def judge(compiled: Compiled, trace: Trace) -> Judged:
    """Fire a run and say what it shows. Raises EvidenceError where a step is not enabled."""
    walk = _Walk(compiled)
    for t in trace:
        walk.step(t)
    settled = walk.end()
    broken = {(family, step) for step, memory in walk.memory.items() for family in memory.broken}
    if settled is False:
        broken.add(("TERM", ""))
    broken.update((family, "") for family in walk.whole)
    return Judged(tuple(walk.causes), walk.phases, frozenset(broken), settled is True)


class _Walk:
    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._marking: Marking = compiled.initial
        roles = compiled.roles
        self._steps = {s.id: s for s in roles.steps if not s.read_only}
        self.memory = {s: _Memory() for s in self._steps}
        self._builders = builders(roles.steps)
        told = roles.transitions
        self._knows = {
            t
            for name, transitions in compiled.steps
            for t in transitions
            if "#" not in name and told[t].kind is Kind.REPLY and told[t].direction == "forward"
        }
        self._acknowledges = {roles.transitions[t].step for t in self._knows}
        self._asks = {r.step for r in roles.transitions if r.kind is Kind.SEND and r.direction == "forward"}
        self.causes: list[Cause] = []
        self._causes: Causes | None = None
        self.phases = {s: m.phase() for s, m in self.memory.items()}
        self.whole: set[str] = set()  # what is wrong with the saga as a whole
        self._gave_up = False
        self._called = False
        self._over = self._completed = self._drawn = False
        others = {o.id: (o.service, o.key) for o in roles.others if o.key}
        self._touches = {
            o: [s.id for s in self._steps.values() if s.key and (s.service, s.key) == thing]
            for o, thing in others.items()
        }

    def step(self, t: int) -> None:
        """Fire one transition and remember what it means."""
        compiled = self._compiled
        after = _fired(compiled, self._marking, t)
        role = compiled.roles.transitions[t]
        cause = self._cause(t, role)
        if cause is not None:
            self.causes.append(cause)
        if not self._gave_up and self._gives_up(t, role):
            self._gave_up = True
            self.phases = {s: m.phase() for s, m in self.memory.items()}
        self._remember(t, role)
        self._marking = after
        into = [_end(compiled, p) for p, _ in compiled.net.post[t] if p in compiled.final.ends]
        self._over = self._over or bool(into)
        self._completed = self._completed or "completed" in into
        if cause is not None and not self._gave_up:
            self.phases = {s: m.phase() for s, m in self.memory.items()}

    def _cause(self, t: int, role: Role) -> Cause | None:
        if role.kind is not Kind.FAULT:
            return None
        classes = self._compiled.final.classes
        spends = any(
            classes[p] is PlaceClass.BUDGET and "#faults" in self._compiled.net.places[p]
            for p, _ in self._compiled.net.pre[t]
        )
        if not spends:
            return None
        if self._causes is None:
            from placet.coverage.causes import causes

            self._causes = causes(self._compiled)
        return self._causes.causes[self._causes.of[t]]

    def _gives_up(self, t: int, role: Role) -> bool:
        if role.commits or (role.kind is Kind.SEND and role.direction == "undo"):
            return True
        ends = {p for p in self._compiled.final.ends if _end(self._compiled, p) in ("compensated", "failed")}
        return any(p in ends for p, _ in self._compiled.net.post[t])

    def _remember(self, t: int, role: Role) -> None:
        self._called = self._called or role.escalates
        does = role.kind in (Kind.APPLY, Kind.IGNORE) or role.fault == "partial"
        for touched in self._touches.get(role.step, ()) if does and role.direction == "forward" else ():
            self.memory[touched].touched = True
        self._drawn = self._drawn or (role.retries == "draws" and role.direction == "forward")
        mine = self.memory.get(role.step)
        if mine is None:
            return
        if role.retries == "spent" and role.direction == "undo" and self._drawn:
            mine.broken.add("retries used up")
        acts = role.kind is Kind.APPLY or role.fault == "partial"
        if self._over and (role.kind is Kind.TIMER or (role.kind is Kind.SEND and role.direction != "undo")):
            mine.broken.add("acts after its end")
        if role.direction == "undo":
            self._undo(mine, role, acts=acts)
            return
        if role.kind is Kind.SEND:
            mine.sent, mine.refused = True, False
        if acts:
            if mine.effect >= 1:
                mine.broken.add("ONCE")
            if mine.carried:
                mine.broken.add("LATE")
            mine.effect = min(2, mine.effect + 1)
            mine.touched = False
            mine.sent = mine.sent or role.step not in self._asks
            if role.step not in self._acknowledges:
                mine.held = mine.learned = True
        if role.kind is Kind.REFUSE or role.how == "blocked" or role.fault == "reject":
            mine.refused = True
        if t in self._knows:
            mine.held = mine.learned = True
            if role.how == "other":
                mine.broken.add("wrong scope")

    def _undo(self, mine: _Memory, role: Role, *, acts: bool) -> None:
        if self._completed and (acts or role.kind is Kind.SEND):
            mine.broken.add("undone after completion")
        if role.kind is Kind.SEND:
            if self._steps[role.step].reply and not mine.learned:
                mine.broken.add("INPUT")
            mine.held = False
        if acts:
            if mine.touched and mine.effect > 0:
                mine.broken.add("isolation")
            if mine.effect <= 0:
                again = role.how == "repeat" or (not role.how and mine.carried)
                mine.broken.update(("NULL", "undo twice" if again else "undo of nothing"))
            for other, step in self._steps.items():
                if other in self._builders[role.step] and self.memory[other].effect > 0:
                    mine.broken.add("ORDER")
                if step.pivot and other != role.step and self.memory[other].effect > 0:
                    self.memory[other].broken.add("PIVOT")
            mine.effect = max(-1, mine.effect - 1)
        if acts or role.kind is Kind.IGNORE:
            mine.carried = True

    def end(self) -> bool | None:
        """Whether the run has settled; then the balance. None where it can still go on."""
        members = self._closed()
        if members is None:
            return None
        compiled = self._compiled
        ends = {tuple(p for p in compiled.final.ends for _ in range(m[p])) for m in members}
        roles = compiled.roles.transitions
        moving = any(
            (roles[t].kind is Kind.APPLY or roles[t].fault == "partial") and roles[t].step in self._steps
            for m in members
            for t in enabled(compiled.net, m)
            if self._calm(t) and len(members) > 1
        )
        if len(ends) != 1 or len(next(iter(ends))) != 1 or moving:
            circling = any(self._calm(t) for m in members for t in enabled(compiled.net, m))
            self.whole.add("livelock" if circling else "stuck")
            return False
        end = _end(compiled, next(iter(ends))[0])
        for name, memory in self.memory.items():
            step = self._steps[name]
            back = end in ("compensated", "failed") and step.saga == compiled.subject
            unbalanced = memory.effect != (0 if back else memory.held)
            if unbalanced and end == "compensated":
                memory.broken.add("says compensated")
            if self._called:
                continue
            if unbalanced:
                wanted = not back and memory.held
                memory.broken.update(("BALANCE", "not complete" if wanted else "not undone"))
            if step.pivot and back and memory.effect > 0:
                memory.broken.add("PIVOT")
        return True

    def _calm(self, t: int) -> bool:
        return self._cause(t, self._compiled.roles.transitions[t]) is None

    def _closed(self) -> set[Marking] | None:
        """The terminal set that the run has reached; None where it has not, or where it is past the limit.

        Depth first, so that a run that only goes on to its end is told soon: nothing comes back from where nothing goes on.
        """
        net = self._compiled.net
        seen, pending = {self._marking}, [self._marking]
        back: dict[Marking, list[Marking]] = {}
        while pending:
            marking = pending.pop()
            onwards = [t for t in enabled(net, marking) if self._calm(t)]
            if not onwards and marking != self._marking:
                return None
            for t in onwards:
                after = _fired(self._compiled, marking, t)
                back.setdefault(after, []).append(marking)
                if after not in seen:
                    if len(seen) >= LIMIT:
                        return None
                    seen.add(after)
                    pending.append(after)
        home, queue = {self._marking}, [self._marking]
        for marking in queue:
            for before in back.get(marking, ()):
                if before not in home:
                    home.add(before)
                    queue.append(before)
        return seen if home == seen else None


def _fired(compiled: Compiled, marking: Marking, t: int) -> Marking:
    after = fire(compiled.net, marking, t)
    if after is None:
        raise EvidenceError(f"`{compiled.net.transitions[t]}` cannot happen there")
    return after


def _end(compiled: Compiled, place: int) -> str:
    return compiled.net.places[place].partition("#end.")[2]
