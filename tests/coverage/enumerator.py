"""Every run of a small saga, by brute force: what docs/coverage.md says, word by word, on a net and its roles alone.

A situation is a marking and the whole history that the definition speaks of: what is remembered of each step, the
causes so far in order, the phases, and each fact that the run has shown. Nothing is shared, joined or propagated: two
runs that differ in one fact are two ways through a large graph. Terminal sets are found by their definition. It shares
no code with what it is held against, not even the firing rule.
"""

from __future__ import annotations

from typing import NamedTuple

COVERED, ESCALATED, UNCOVERED = "covered", "covered by escalation", "uncovered"
NOT_STARTED, ON_ITS_WAY, REFUSED = "not started", "on its way", "refused"
UNKNOWN, KNOWN, TWICE = "applied, not acknowledged", "applied, acknowledged", "applied twice"


class TooLarge(Exception):
    """More situations than asked for."""


class Memory(NamedTuple):
    """What is remembered of a step."""

    effect: int = 0
    sent: bool = False
    held: bool = False
    refused: bool = False
    carried: bool = False
    reply: bool = False  # the coordinator has learned that it is done at least once
    touched: bool = False  # another run has touched what it did since it was last applied


class Cause(NamedTuple):
    """A fault of a message."""

    fault: str
    step: str
    direction: str
    attempt: int
    part: str
    lasting: bool
    error: str  # the name of the error that is answered, where it has one


class Situation(NamedTuple):
    """A marking, and all that the run did on its way there that counts."""

    marking: tuple[int, ...]
    memory: tuple[Memory, ...]
    causes: tuple[Cause, ...] = ()
    phases: tuple[str, ...] | None = None  # None: no fault yet, and not given up
    given_up: bool = False
    facts: frozenset[tuple[str, int]] = frozenset()  # (what, step)


class Story(NamedTuple):
    """What one terminal set says of one scenario: (family, step) owed, broken, or handed to a person."""

    causes: tuple[Cause, ...]
    phases: tuple[str, ...]
    owed: frozenset[tuple[str, int]]
    broken: frozenset[tuple[str, int]]
    escalated: frozenset[tuple[str, int]]


def phase(m: Memory) -> str:
    """How far a step had truly got."""
    if m.effect >= 2:
        return TWICE
    if m.held:
        return KNOWN
    if m.effect == 1:
        return UNKNOWN
    if m.refused:
        return REFUSED
    return ON_ITS_WAY if m.sent else NOT_STARTED


class Enumerator:
    """All runs of a woven net."""

    def __init__(self, woven, most: int = 20_000) -> None:
        self.compiled = woven.compiled
        self.net = woven.compiled.net
        self.roles = woven.compiled.roles
        self.most = most
        self.steps = [s.id for s in self.roles.steps]
        self.number = {s: n for n, s in enumerate(self.steps)}
        before = {s.id: set(s.follows) for s in self.roles.steps}
        for _ in self.steps:  # until nothing is added any more
            for s in self.steps:
                before[s] |= {further for f in before[s] if f in before for further in before[f]}
        self.builders = [
            [n for n, o in enumerate(self.roles.steps) if s.id in (o.depends or before[o.id]) and not o.read_only]
            for s in self.roles.steps
        ]
        parts = {c.place: c.part for c in self.roles.channels}
        answers = {c.answered for c in self.roles.channels if c.part == "request" and c.direction == "forward"}
        self.cause: dict[int, Cause] = {}
        for t in woven.causes:
            role = self.roles.transitions[t]
            part = next((parts[p] for p, _ in self.net.pre[t] if p in parts), "")
            kinds = self.compiled.final.classes
            lasting = any(p >= woven.places and kinds[p].value == "budget" for p, _ in self.net.post[t])
            gives = {p for p, _ in self.net.post[t]}
            errors = [name for c in self.roles.channels for name, p in c.errors if p in gives and c.step == role.step]
            error = errors[0] if errors and role.fault in ("reject", "partial", "undo-fail") else ""
            self.cause[t] = Cause(role.fault, role.step, role.direction, role.attempt, part, lasting, error)
        back = {p for p in self.compiled.final.ends if self.end_name(p) in ("compensated", "failed")}
        self.gives_up = [
            role.commits
            or (role.kind.value == "send" and role.direction == "undo")
            or any(p in back for p, _ in self.net.post[t])
            for t, role in enumerate(self.roles.transitions)
        ]
        answers |= {c.place for c in self.roles.channels if "#error.AlreadyExists[" in self.net.places[c.place]}
        told = {t for name, group in self.compiled.steps if "#" not in name for t in group}
        self.learns = [
            role.kind.value == "reply"
            and role.direction == "forward"
            and (
                any(p in answers for p, _ in self.net.pre[t])  # the reply, or what it was told when it asked
                and (t in told or "AlreadyExists" not in role.says)  # which the model may take for a refusal
                or (t in told and not any(p in parts for p, _ in self.net.pre[t]))
            )
            for t, role in enumerate(self.roles.transitions)
        ]
        self.start = Situation(woven.compiled.initial, tuple(Memory() for _ in self.steps))
        self.first = [arcs[0][0] if arcs else -1 for arcs in self.net.pre]
        self.by_place: dict[int, list[int]] = {}
        for t, p in enumerate(self.first):
            self.by_place.setdefault(p, []).append(t)

    def end_name(self, place: int) -> str:
        """The name of an end."""
        return self.net.places[place].rsplit("#end.", 1)[-1]

    # -- one move

    def fired(self, marking: tuple[int, ...], t: int) -> tuple[int, ...] | None:
        """The marking after a transition, or None."""
        net = self.net
        for p, w in (*net.pre[t], *net.read[t]):
            if marking[p] < w:
                return None
        for p, w in net.inhibit[t]:
            if marking[p] >= w:
                return None
        tokens = list(marking)
        for p, w in net.pre[t]:
            tokens[p] -= w
        for p in net.reset[t]:
            tokens[p] = 0
        for p, w in net.post[t]:
            tokens[p] += w
        for p, most in net.capacity:
            if tokens[p] > most:
                return None
        return tuple(tokens)

    def after(self, s: Situation, t: int) -> Situation | None:
        """The situation after a transition, or None where it cannot happen."""
        marking = self.fired(s.marking, t)
        if marking is None:
            return None
        role = self.roles.transitions[t]
        facts = set(s.facts)
        if role.escalates:
            facts.add(("person", -1))
        memory = s.memory
        does = role.kind.value in ("apply", "ignore") or (role.kind.value == "fault" and role.fault == "partial")
        for other in self.roles.others:
            if other.id == role.step and other.key and role.direction == "forward" and does:
                things = [(step.service, step.key) for step in self.roles.steps]
                memory = tuple(
                    m._replace(touched=m.touched or thing == (other.service, other.key))
                    for m, thing in zip(memory, things, strict=True)
                )
        if role.direction == "forward" and role.retries == "draws":
            facts.add(("drawn", -1))
        if any(self.end_name(p) == "completed" for p, _ in self.net.post[t] if p in self.compiled.final.ends):
            facts.add(("completed", -1))
        if role.step in self.number:
            memory = self.remembered(memory, self.number[role.step], t, facts)
        causes, phases, given_up = s.causes, s.phases, s.given_up
        if t in self.cause:
            cause = self.cause[t]
            causes = (*causes, cause)
            if cause.direction == "undo" and cause.step in self.number:
                facts.add(("hit", self.number[cause.step]))
            if not given_up:
                phases = tuple(phase(m) for m in memory)
        if self.gives_up[t] and not given_up:
            phases, given_up = tuple(phase(m) for m in s.memory), True
        return Situation(marking, memory, causes, phases, given_up, frozenset(facts))

    def remembered(self, before: tuple[Memory, ...], n: int, t: int, facts: set[tuple[str, int]]) -> tuple[Memory, ...]:
        """What is remembered after a transition of step `n`; what it showed goes into `facts`."""
        role, m = self.roles.transitions[t], before[n]
        kind, forward, undo = role.kind.value, role.direction == "forward", role.direction == "undo"
        applies = kind == "apply" or (kind == "fault" and role.fault == "partial")
        if kind == "send" and forward:
            m = m._replace(sent=True, refused=False)
            facts.add(("sent", n))
        if undo and (applies or kind == "send"):
            facts.add(("may be late", n))
            if ("completed", -1) in facts:
                facts.add(("undone after completion", n))
        if undo and kind in ("reply", "timer") and role.retries == "spent" and ("drawn", -1) in facts:
            facts.add(("retries used up", n))
        if kind == "send" and undo:
            facts.add(("undo asked", n))
            if not m.reply:
                facts.add(("INPUT", n))
            m = m._replace(held=False)
        if self.learns[t]:
            m = m._replace(held=True, reply=True)
            facts.add(("acknowledged", n))
            if role.how == "other":
                facts.add(("wrong scope", n))
        if forward and (kind == "refuse" or role.how == "blocked" or (kind == "fault" and role.fault == "reject")):
            m = m._replace(refused=True)
        if forward and applies:
            facts.add(("applied", n))
            if m.effect >= 1:
                facts.add(("ONCE", n))
            if m.carried:
                facts.add(("LATE", n))
            m = m._replace(effect=min(2, m.effect + 1), touched=False)
        if undo and (applies or kind == "ignore"):
            facts.add(("undo carried out", n))
        if undo and applies:
            facts.add(("undo took effect", n))
            if m.touched and m.effect > 0:
                facts.add(("isolation", n))
            if m.effect <= 0:
                facts.add(("NULL", n))
            if any(before[other].effect > 0 for other in self.builders[n]):
                facts.add(("ORDER", n))
            for other, step in enumerate(self.roles.steps):
                if step.pivot and other != n and before[other].effect > 0 and not self.roles.steps[n].read_only:
                    facts.add(("PIVOT", other))
            m = m._replace(effect=max(-1, m.effect - 1))
        if undo and (applies or kind == "ignore"):
            m = m._replace(carried=True)
        return (*before[:n], m, *before[n + 1 :])

    # -- all moves

    def graph(self, start: Situation, *, faults: bool = True) -> dict[Situation, list[tuple[int, Situation]]]:
        """Every situation that can be reached, with what can happen in it."""
        found: dict[Situation, list[tuple[int, Situation]]] = {start: []}
        pending = [start]
        for s in pending:
            if len(found) > self.most:
                raise TooLarge(len(found))
            candidates = list(self.by_place.get(-1, ()))
            for p, tokens in enumerate(s.marking):
                if tokens:
                    candidates += self.by_place.get(p, ())
            for t in sorted(candidates):
                if not faults and t in self.cause:
                    continue
                after = self.after(s, t)
                if after is None:
                    continue
                found[s].append((t, after))
                if after not in found:
                    found[after] = []
                    pending.append(after)
        return found

    def terminal_sets(self, graph: dict[Situation, list[tuple[int, Situation]]]) -> list[frozenset[Situation]]:
        """The strongly connected sets that only a fault leaves: all that follows from any of them leads back to it."""
        goes = {s: [after for t, after in moves if t not in self.cause] for s, moves in graph.items()}
        closures: dict[Situation, frozenset[Situation]] = {}

        def closure(s: Situation) -> frozenset[Situation] | None:
            """All that follows from a situation; None where a run may stop somewhere else."""
            if s not in closures:
                seen, pending = {s}, [s]
                for one in pending:
                    if not goes[one] and one is not s and one != s:
                        return None
                    for after in goes[one]:
                        if after not in seen:
                            seen.add(after)
                            pending.append(after)
                closures[s] = frozenset(seen)
            return closures[s]

        found: dict[frozenset[Situation], None] = {}
        for s in graph:
            reached = closure(s)
            if reached is not None and reached not in found and all(closure(r) == reached for r in reached):
                found[reached] = None
        return list(found)

    # -- what a run owes and breaks

    def story(self, terminal: frozenset[Situation]) -> Story | None:
        """What the runs that end in a terminal set owe and break; None where they have no scenario."""
        one = next(iter(terminal))
        if one.phases is None:
            return None
        ends = {tuple(p for p in self.compiled.final.ends for _ in range(s.marking[p])) for s in terminal}
        effects = {tuple(m.effect for m in s.memory) for s in terminal}
        (end,) = ends if len(ends) == 1 else ((),)
        settled = len(end) == 1 and len(effects) == 1
        name = self.end_name(end[0]) if settled else ""
        back = name in ("compensated", "failed")
        facts, person = one.facts, ("person", -1) in one.facts
        owed, broken, escalated = set(), set(), set()
        for n, step in enumerate(self.roles.steps):
            if step.read_only:
                continue
            outer = back and step.saga == self.compiled.subject
            sent, applied = ("sent", n) in facts, ("applied", n) in facts
            undo_asked = ("undo asked", n) in facts
            if sent or applied:
                owed.add(("BALANCE", n))
            wrong = settled and any(m.effect != (0 if outer else int(m.held)) for m in (s.memory[n] for s in terminal))
            if wrong:
                (escalated if person else broken).add(("BALANCE", n))
            if applied:
                owed.add(("ONCE", n))
            if undo_asked:
                owed.add(("NULL", n))
            if undo_asked and step.reply:
                owed.add(("INPUT", n))
            if ("undo carried out", n) in facts:
                owed.add(("LATE", n))
            if ("undo took effect", n) in facts and self.builders[n]:
                owed.add(("ORDER", n))
            if step.pivot and applied:
                owed.add(("PIVOT", n))
                if settled and outer and one.memory[n].effect > 0:
                    (escalated if person else broken).add(("PIVOT", n))
            if ("hit", n) in facts:
                owed.add(("UNDO-FAIL", n))
            broken |= {(f, k) for f, k in facts if f.isupper() and k == n and (f != "INPUT" or step.reply)}
        owed.add(("TERM", -1))
        if not settled:
            broken.add(("TERM", -1))
        return Story(
            one.causes, one.phases, frozenset(owed | broken | escalated), frozenset(broken), frozenset(escalated)
        )

    def stories(self, start: Situation | None = None, *, faults: bool = True) -> list[Story]:
        """What every maximal fair run owes and breaks."""
        graph = self.graph(start or self.start, faults=faults)
        stories = (self.story(terminal) for terminal in self.terminal_sets(graph))
        return [story for story in stories if story is not None]

    def obligations(self) -> dict[tuple[str, str, tuple[Cause, ...], str], str]:
        """Status by family, step, causes and phase."""
        stories = self.stories()
        bad = {story.causes for story in stories if any(family == "BALANCE" for family, _ in story.broken)}
        called = {story.causes for story in stories if any(family == "BALANCE" for family, _ in story.escalated)}
        found: dict[tuple[str, str, tuple[Cause, ...], str], str] = {}
        order = [COVERED, ESCALATED, UNCOVERED]
        for story in stories:
            for family, n in story.owed:
                step, how_far = (self.steps[n], story.phases[n]) if n >= 0 else ("", "")
                blamed = family == "UNDO-FAIL"
                status = COVERED
                if (family, n) in story.escalated or (blamed and story.causes in called):
                    status = ESCALATED
                if (family, n) in story.broken or (blamed and story.causes in bad):
                    status = UNCOVERED
                key = (family, step, story.causes, how_far)
                found[key] = max(found.get(key, COVERED), status, key=order.index)
        return found

    def finer(self) -> dict[tuple[str, str, tuple[Cause, ...], str], str]:
        """As `obligations`, for what only anomalies ask about; runs without faults that never give up have no phase."""
        found: dict[tuple[str, str, tuple[Cause, ...], str], str] = {}
        premises = {
            "undone after completion": "may be late",
            "wrong scope": "acknowledged",
            "isolation": "undo took effect",
            "retries used up": "hit",
        }
        for terminal in self.terminal_sets(self.graph(self.start)):
            one = next(iter(terminal))
            for n, step in enumerate(self.roles.steps):
                if step.read_only or one.phases is None:
                    continue
                for family, premise in premises.items():
                    alone = family == "isolation" and not (step.key and any(o.key for o in self.roles.others))
                    if alone or ((premise, n) not in one.facts and (family, n) not in one.facts):
                        continue
                    status = UNCOVERED if (family, n) in one.facts else COVERED
                    key = (family, step.id, one.causes, one.phases[n])
                    found[key] = max(found.get(key, COVERED), status, key=[COVERED, UNCOVERED].index)
        return found

    # -- one run

    def run(self, trace) -> Situation:
        """The situation at the end of a run. Raises ValueError where it cannot happen."""
        s = self.start
        for k, t in enumerate(trace):
            after = self.after(s, t)
            if after is None:
                raise ValueError(f"{self.net.transitions[t]} cannot happen at {k}")
            s = after
        return s
