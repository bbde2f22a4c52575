"""What makes a saga turn back where it stands: another way has failed, it is cancelled, a signal comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracles.interpreter import GIVEN_UP, GONE, _raised, _stopped
from oracles.saga_undos import BACK, FAILED, NOTHING, TURNED, UNDONE, Around
from oracles.saga_ways import DUE, idle, is_done
from placet.syntax import ast

if TYPE_CHECKING:
    from oracles.saga_services import World

INTERRUPTED = "interrupted"


class Turns:
    """The part of an interpreter of sagas that turns back although nothing in it has failed."""

    def stopped(self, term, world: World, around: Around, why: str = "sibling"):
        """(term, world, reason) where a saga or a way of it turns back from the moment it is at.

        `why`: another way has failed (sibling), it is cancelled, its time is up (overdue), its coordinator has crashed (undo,
        forget), or something interrupts a scope. An unmasked cancellation stops it half-way, and so does a time that is up where a
        person is called then; a crash that nobody remembers leaves nothing of it.
        """
        if term[0] == "plain" and not hasattr(term, "_fields") and term[2] and why not in ("sibling", "signal"):
            return []
        final = self.stops_half_way(why)
        if final is None and (around.past or (around.beyond and why in ("cancel", "undo"))):
            return []
        if final is not None and (hasattr(term, "_fields") or term[0] in ("ready", "call", "plain")):
            over = world.ended(term[1], "forward", term[2]) if term[0] in ("call", "ready") else world
            return [(final, over, GIVEN_UP)]
        match term:
            case ("turning", inner):
                return [] if final is None else self.undoing_stops(inner, world, final)
            case (
                "unready" | "uncall" | "chained" | "inside" | "holding" | "both" | "together",
                *_,
            ):  # nobody looks after it
                return [] if final is None else [(a, w, None) for a, w in self.halted(term, world, final)]
            case ("sequence", inner, statements, i, left):
                its = around._replace(past=around.past or self.pivotal(*statements[:i]))
                return [
                    (self.sequence(a, statements, i, left, around), w, r)
                    for a, w, r in self.stopped(inner, world, its, why)
                ]
            case ("loop", inner, loop, number, left):
                found = self.stopped(inner, world, self.in_round(loop, number, around), why)
                return [(a, w, r) for one, w, r in found for a in self.round(one, loop, number, left, w, around)]
            case ("series", inner, each, number, left, failed):
                found = self.stopped(inner, world, self.in_instance(each, number, around), why)
                return [(*self.instance(one, each, number, left, failed, w, r, around)[:2], r) for one, w, r in found]
            case ("rounds", None | "before", every, number, left, before):
                number -= before == DUE  # the run that was displaced had not come to its point of no return
                if final is None and self.in_run(every, number, around).past:
                    return []
                back = self.turning(self.joined((every.body,) * len(left), left, alike=True))
                return [(final or back, world, GIVEN_UP)]
            case ("rounds", inner, every, number, left, before):
                found = self.stopped(inner, world, self.in_run(every, number, around), why)
                told = [(self.round_of(a, every, number, left, before, r), w) for a, w, r in found]
                return [(term, w, out) for (term, out), w in told]
            case ("instance", inner, each, number):
                its = around._replace(numbers=(*around.numbers, (each.name.text, number)))
                return [(self.one_of(a, each, number), w, r) for a, w, r in self.stopped(inner, world, its, why)]
            case ("trial", inner, cause):
                return [
                    (self.trial(a, cause or ("told" if r is not None else None)), w, r)
                    for a, w, r in self.stopped(inner, world, around, why)
                ]
            case ("scope", inner, attempt, before):
                found = [
                    (*self.caught(a, attempt, before or r), w, r) for a, w, r in self.stopped(inner, world, around, why)
                ]
                # whoever is further out is told that it turns back from outside, though nothing has come there yet
                return [(after, w, r if after[0] == "scope" else out) for after, out, w, r in found]
            case ("entered" | "begun", inner):
                return self.stopped(inner, world, around, why)
            case ("with", inner, within):
                return [(self.within(a, within), w, r) for a, w, r in self.stopped(inner, world, around, why)]
            case ("handled", inner, left):
                its = self.after_call(left, around)
                return [(self.handled(a, left), w, r) for a, w, r in self.stopped(inner, world, its, why)]
            case ("called", inner, call, its):
                saga = self.machine.of(its)
                awaited = self.policy.children == "await" and why in ("sibling", "cancel", "overdue")
                if fresh(inner) and (awaited or saga.unbegun(inner)):
                    return [(final or BACK, world, GIVEN_UP)]
                if why in ("signal", "undo", "forget") or awaited:  # what follows a crash is for its own policy to say
                    return []
                inside, why = self.into(around), "cancel" if why == "overdue" else why
                if inner in (BACK, FAILED) or is_done(inner):  # all is done, which is not said yet, or not heard yet
                    found = saga.at_the_end(inner, world, why, inside)
                else:
                    found = saga.stopped(inner, world, inside, why)
                return [(("called", after, call, its), w, None) for after, w, _ in found]
            case ("runs", _, _, _, False):
                return [(final or BACK, world, GIVEN_UP)]
            case ("runs", *_) if why == "signal":
                return []
            case ("runs", inner, call, its, _):
                # when all is done, which is not said yet, it is still to be found
                over = _raised(inner) or (inner[:1] == ("ended",) and not hasattr(inner, "_fields"))
                if over or (self.policy.children == "await" and why in ("sibling", "cancel", "overdue")):
                    return []
                callee = self.machine.of(its) if self.plain.processes[its.process].kind == "saga" else self
                if callee is not self and why in ("undo", "forget"):
                    return []
                if why == "forget":
                    return [(GONE, world, None)]
                if callee is not self and around.past and callee.policy.cancellation == "masked":
                    return []
                halts = callee.policy.cancellation == "unmasked" and why in ("cancel", "overdue")
                end = "failed" if callee is self or halts else "compensated"
                return [(after, w, reason) for _, after, w, reason in self.goes_on(end, NOTHING, call, world)]
            case ("ways", ways, shape, failing, stuck, failed):
                found = []
                for i, way in enumerate(ways):
                    if way is None or way in (BACK, FAILED, TURNED, GONE) or is_done(way) or idle(way):
                        continue
                    put = lambda one, i=i: (*ways[:i], one, *ways[i + 1 :])  # noqa: E731
                    for after, w, reason in self.stopped(way, world, around, why):
                        inside = self.ways(put(after), shape, failing=failing, stuck=stuck, failed=failed)
                        found.append((inside, w, reason))
                return found
            case ("some", ways, need, failing, stuck):
                found = []
                for i, way in enumerate(ways):
                    if way is None or way in (BACK, FAILED, GONE) or way[0] in ("done", "won", "lost"):
                        continue
                    for after, w, reason in self.stopped(way, world, around, why):
                        put = (*ways[:i], after, *ways[i + 1 :])
                        found.append((self.some(put, need, failing=failing, stuck=stuck), w, reason))
                return found
            case ("ready", key, attempt, doubt):
                after = self.given_up(key) if doubt else self.refused(key) if attempt > 1 else self.unasked(key)
                return [(after, world.ended(key, "forward", attempt), GIVEN_UP)] if after is not None else []
            case ("call", key, attempt, _):
                after = self.given_up(key)
                return [(after, world.ended(key, "forward", attempt), GIVEN_UP)] if after is not None else []
            case ("asking", key, _):
                after = final or self.given_up(key)
                return [(after, world, GIVEN_UP)] if after is not None else []
        if hasattr(term, "_fields"):
            if self.calls_next(term):  # which begins at once
                return []
            key = self.next_step(term, around)
            if key:
                return self.stopped(("ready", key, 1, False), world, around, why)
            return [(BACK, world, GIVEN_UP)]
        if term[0] == "plain" and why == "signal":  # several things in it are stopped one by one
            rest = _stopped(term[1])
            return [] if rest is None else [(BACK if rest == GONE else ("halting", rest), world, GIVEN_UP)]
        return [(BACK, world, GIVEN_UP)] if term[0] == "plain" else []

    def unbegun(self, term) -> bool:
        """Whether there is nothing to undo of a saga that has not begun."""
        key = self.next_step(term, Around())
        return not key or self.unasked(key) == BACK

    def stops_half_way(self, why: str):
        """Where what happens to it leaves nothing to be undone: how it ends."""
        if why == "forget":
            return GONE
        unmasked = why == "cancel" and self.policy.cancellation == "unmasked"
        return FAILED if unmasked or (why == "overdue" and self.policy.deadline == "escalate") else None

    def into(self, around: Around) -> Around:
        """The surroundings of a saga that is called there."""
        return Around(beyond=around.past or around.beyond)

    def interrupted(self, inner, attempt, why, world: World, around: Around):
        """A signal or a time-out makes the body of a scope turn back, once."""
        found = []
        for h in attempt.handlers:
            if isinstance(why, tuple) or not (h.signal or h.name.text == "timeout"):
                continue
            label = f"signal({h.name.text})" if h.signal else f"timeout({h.timeout.text if h.timeout else ''})"
            for after, w, _ in self.stopped(inner, world, around, "signal"):
                told = why or (INTERRUPTED, h.body)
                found.append((label, self.caught(after, attempt, told)[0], w, None))
        return found

    def told(self, term, world: World, around: Around | None = None, *, whole: bool = True):
        """(label, term, world) of what happens to the coordinator of a whole saga: it is cancelled, its time is up, or it crashes and comes back."""
        around = around or Around()
        if not self.machine.has_steps(self.saga.body):
            return []
        found = []
        if "cancel" in self.outside.kinds and not self.deaf:
            for after, w in self.turned_by("cancel", term, world, around, whole=whole):
                if world.cancelled:
                    found.append((None, after, w))
                elif world.faults:
                    found.append((("fault", "cancel"), after, w._replace(faults=w.faults - 1, cancelled=True)))
        return found + self.by_itself(term, world, around, whole=whole)

    def turned_by(self, why: str, term, world: World, around: Around, *, whole: bool):
        ends = self.at_the_end(term, world, why, around) if whole else []
        return [(after, w) for after, w, _ in self.stopped(term, world, around, why) + ends]

    def by_itself(self, term, world: World, around: Around, *, whole: bool = True):
        """What its own policies make of a time that is up, and of a crash: of a saga that is called too."""
        found = []
        up = self.prefix in world.overdue
        if self.policy.deadline in ("undo", "escalate") and (up or self.prefix in world.late):
            own = around._replace(beyond=False)  # what its caller has passed is nothing to its own time
            for after, w in self.turned_by("overdue", term, world, own, whole=whole):
                if up:
                    found.append((None, after, w))
                else:
                    found.append(("overdue", after, self.times_out(w)))
        how = self.policy.recovery
        if "crash" in self.outside.kinds and world.faults and how != "resume":
            for after, w in self.turned_by(how, term, world, around, whole=whole):
                found.append((("fault", "crash"), after, w._replace(faults=w.faults - 1)))
        return found

    def late_callers(self, term, world: World, around: Around):
        """What nobody looks after hears of it too that the time of a caller is up."""
        found = []
        for caller in self.heard:
            up = caller.prefix in world.overdue
            if up or (caller.policy.deadline in ("undo", "escalate") and caller.prefix in world.late):
                for after, w in self.turned_by("cancel", term, world, around, whole=False):
                    found.append((None, after, w) if up else ("overdue", after, caller.times_out(w)))
        return found

    def times_out(self, world: World) -> World:
        late = list(world.late)
        late.remove(self.prefix)
        return world._replace(late=tuple(late), overdue=world.overdue | {self.prefix})

    def at_the_end(self, term, world: World, why: str, around: Around):
        """All is done, which is not said yet."""
        if not is_done(term):
            return []
        final = self.stops_half_way(why)
        if final is not None:
            return [(final, world, None)]
        beyond = around.beyond and why in ("cancel", "undo")
        return [] if beyond or self.pivotal(self.saga.body) else [(self.turning(term[1]), world, None)]

    def undoing_stops(self, term, world: World, final):
        """(term, world, None) where nobody waits any more for an undo that is under way."""
        return [(self.turned(after), w, None) for after, w in self.halted(term, world, final)]

    def turned(self, term):
        return {UNDONE: BACK}.get(term, term if term in (FAILED, GONE) else ("turning", term))

    def halted(self, term, world: World, final):
        match term:
            case ("unready", *_):
                return [(final, world)]
            case ("uncall", key, attempt):
                return [(final, world.ended(key, "undo", attempt))]
            case ("chained", inner, parts):
                return [(self.chained(a, parts), w) for a, w in self.halted(inner, world, final)]
            case ("inside", its, inner):
                callee = self.machine.of(its)
                hears = callee.policy.cancellation == "unmasked" and self.policy.children == "propagate"
                if not hears or final == GONE:  # what follows a crash there is its own affair
                    return []
                return [(self.inside(its, a), w) for a, w in callee.halted(inner, world, final)]
            case ("holding", pool, inner):
                return [(self.holding(pool, a), w) for a, w in self.halted(inner, world, final)]
            case ("both", ways):
                return [
                    (self.both((*ways[:i], a, *ways[i + 1 :])), w)
                    for i, way in enumerate(ways)
                    for a, w in self.halted(way, world, final)
                ]
            case ("together", states, waits, unsure):
                return [
                    (self.together((*states[:i], a, *states[i + 1 :]), waits, unsure), w)
                    for i, state in enumerate(states)
                    for a, w in self.halted(state, world, final)
                ]
        return []

    def calls_next(self, term) -> bool:
        while isinstance(term, ast.Block | ast.Try) and self.machine.has_steps(term):
            term = term.statements[0] if isinstance(term, ast.Block) else term.body
        if not isinstance(term, ast.Call):
            return False
        process = self.plain.processes[term.target.text]
        return process.kind == "saga" and not self.begins_by_itself(process)

    def next_step(self, statement, around: Around) -> str:
        """The step that comes next, where a statement begins with one."""
        match statement:
            case ast.Step(name):
                return self.key(name.text, around)
            case ast.Block(statements) if statements:
                return self.next_step(statements[0], around)
            case ast.Try(_, body) if not any(h.signal or h.timeout for h in statement.handlers):
                return self.next_step(body, around)
            case ast.ForEach(_, low) if not statement.parallel:
                return self.next_step(statement.body, self.in_instance(statement, self.plain.count(low), around))
            case ("sequence" | "scope" | "loop" | "series" | "trial" | "entered", inner, *_):
                return self.next_step(inner, around)
        return ""


def fresh(term) -> bool:
    """Whether nothing of it has happened yet."""
    match term:
        case _ if hasattr(term, "_fields"):
            return True
        case ("sequence", inner, _, 0, ()):
            return fresh(inner)
        case ("scope", inner, attempt, None):
            return fresh(inner) and not any(h.signal or h.timeout for h in attempt.handlers)
        case ("series", inner, _, _, (), 0) | ("called", inner, *_) | ("trial", inner, None):
            return fresh(inner)
        case ("runs", _, _, _, begun):
            return not begun
    return False
