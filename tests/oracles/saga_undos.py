"""How a saga turns back: what was done leaves a compensation, a value; one that runs is a term."""

from __future__ import annotations

from typing import NamedTuple

from oracles.interpreter import GONE, _nodes
from oracles.saga_services import OK, Outside, World, request
from placet.syntax import ast

BACK = ("back",)  # has failed, and has undone what it did
TURNED = ("back", "told")  # of an instance that may fail: it has not failed by itself
FAILED = ("failed",)  # an undo gave up: nothing further is undone
UNDONE = ("undone",)  # of a compensation: it is over
NOTHING = ("nothing",)  # the compensation of what need not be undone
PAST = ("past",)  # that of a point of no return


def done(compensation):
    return ("done", compensation)


class Around(NamedTuple):
    """Where a statement runs: behind a point of no return, in which rounds of loops and which instances."""

    past: bool = False
    suffix: str = ""
    numbers: tuple = ()  # (name, number) of the instances of `for each` around
    beyond: bool = False  # in a saga that was called behind one of its caller's
    run: int = 1  # of a saga that continues as new


def past(compensation) -> bool:
    """Whether a point of no return is behind."""
    return compensation == PAST or any(past(part) for part in compensation if isinstance(part, tuple))


class Undos:
    """The part of an interpreter of sagas that undoes. It needs `policy`, `known`, `outside` and `run`."""

    outside: Outside

    # -- compensations

    def joined(self, statements, parts, *, alike: bool = False):
        """What undoes parts that were done one after the other; of instances of one block when they are `alike`."""
        if self.policy.order in ("parallel", "dependencies"):
            inner = statements[: len(parts)]
            unsure = tuple(not isinstance(part, ast.Step) and self.pivotal(part) for part in inner)
            waits = ((),) * len(parts) if alike else self.waits(statements, len(parts))
            return ("all", parts, waits, unsure)
        return ("chain", parts)

    def waits(self, statements, count: int):
        """By part, those whose undos its own waits for."""
        inside = [[n.name.text for n in _nodes(part) if isinstance(n, ast.Step)] for part in statements]
        found = [set() for _ in inside]
        for i, names in enumerate(inside):
            for name in names:
                its = self.known[name]
                for k, others in enumerate(inside):
                    before_pivot = k < i and self.pivotal(statements[i])
                    waited = {n for n in others if self.compensation(n)[0] == "undo"} & set(its.undo_after)
                    if k != i and waited and not its.pivot and not before_pivot:
                        found[i].add(k)
                    if k != i and set(others) & set(its.after) and self.policy.order == "dependencies":
                        found[k].add(i)
        undone = {k for k, names in enumerate(inside) if any(self.compensation(name)[0] == "undo" for name in names)}
        return tuple(tuple(sorted(k for k in each & undone if k < count)) for each in found[:count])

    def turning(self, compensation):
        begun = self.begin(compensation)
        return {UNDONE: BACK, FAILED: FAILED}.get(begun, ("turning", begun))

    # -- those of a step

    def compensation(self, key: str):
        its = self.outside.of(key)
        return PAST if its.pivot else ("undo", key) if its.undo else NOTHING

    def own_undo(self, key: str):
        """A step whose outcome is unknown is undone where its undo is noted by then."""
        noted = self.policy.register != "after" and self.policy.failing != "keep"
        return self.turning(("undo", key)) if noted and self.compensation(key) == ("undo", key) else BACK

    def unasked(self, key: str):
        """One that is next: undone in vain where all undos are noted at the start. None where nobody can tell that it is."""
        its = self.outside.of(key)
        told = its.timeout or any(rule.action == "unknown" for _, rule in its.rules)
        if not told and any(self.insists(key, "forward", 1, what) for what in its.errors):
            return BACK if self.refused(key) == BACK else None
        noted = self.policy.register == "submit" and self.compensation(key) == ("undo", key)
        return self.turning(("undo", key)) if noted else BACK

    def refused(self, key: str):
        """One that was refused is undone only where the saga undoes every step that failed."""
        return self.own_undo(key) if self.policy.failing == "undo" else BACK

    def given_up(self, key: str):
        """One that may have been carried out and that nobody waits for any more; None where that cannot be."""
        if self.outside.of(key).pivot:
            return None
        return self.own_undo(key) if self.policy.unknown != "ignore" else BACK

    # -- compensations that run

    def begin(self, compensation):
        """A compensation that runs: UNDONE, FAILED, or a term."""
        match compensation:
            case ("undo", key):
                return ("unready", key, 1)
            case ("past",):
                return FAILED
            case ("chain", parts):
                return self.chained(UNDONE, parts)
            case ("both", parts):
                return self.both(tuple(self.begin(part) for part in parts))
            case ("inside", its, inner):
                return self.inside(its, self.machine.of(its).begin(inner))
            case ("held", pool, inner):
                return ("taking", pool, inner)
            case ("all", parts, waits, unsure):
                return self.together(tuple(("later", part) for part in parts), waits, unsure)
        return UNDONE

    def chained(self, inner, parts):
        while inner == UNDONE and parts:
            inner, parts = self.begin(parts[-1]), parts[:-1]
        return inner if inner in (UNDONE, FAILED) else ("chained", inner, parts)

    def inside(self, its, term):
        """The undos of a saga that was called, by its own policies."""
        return term if term in (UNDONE, FAILED) else ("inside", its, term)

    def holding(self, pool, term):
        return term if term in (UNDONE, FAILED) else ("holding", pool, term)

    def both(self, ways):
        if all(way in (UNDONE, FAILED) for way in ways):
            return FAILED if FAILED in ways else UNDONE
        return ("both", ways)

    def together(self, states, waits, unsure):
        """Undos that start all at once, the last part first, up to a point of no return; some wait for others.

        `later`: not started; `waits`: started; `kept`: behind the point of no return; `left`: what it waits for has given up.
        """
        states = list(states)
        before = None
        while before != states:
            before = list(states)
            self.cascade(states, unsure)
            started = all(state[0] != "later" for state in states)
            for i, state in enumerate(states):
                others = [states[k] for k in waits[i]]
                if state[0] != "waits" or (others and not started and not unsure[i]):
                    continue
                if all(other in (UNDONE, ("kept",)) for other in others):
                    states[i] = self.begin(state[1])
                elif any(other in (FAILED, ("left",)) for other in others):
                    states[i] = ("left",)
        if all(state in (UNDONE, FAILED, ("left",), ("kept",)) for state in states):
            return UNDONE if all(state == UNDONE for state in states) else FAILED
        return ("together", tuple(states), waits, unsure)

    def cascade(self, states, unsure):
        """Start what may be started. Behind a part that may hold a point of no return it goes on when that part is undone."""
        for i in range(len(states) - 1, -1, -1):
            if states[i][0] == "later":
                states[i] = ("waits", states[i][1])
            over = states[i] in (FAILED, ("left",)) and unsure[i]
            if over or states[i] == ("waits", PAST):
                states[:i] = [("kept",) if state[0] == "later" else state for state in states[:i]]
            if unsure[i] and states[i] != UNDONE:
                return

    def undoing(self, term, world: World, around: Around):
        match term:
            case ("unready", key, attempt):
                this, held = (key, "undo", attempt), self.machine.held
                sent = [w.put(request(*this)) for w in held.sends(this, world)]
                found = [(("send", *this), ("uncall", key, attempt), w, None) for w in sent]
                if self.policy.undo_retries is not None:  # what is tried for ever waits
                    for error in held.refuses(this, world):
                        found += [(("blocked", *this, error), *m, None) for m in self.not_undone(key, attempt, world)]
                return found
            case ("uncall", key, attempt):
                return self.uncalled(key, attempt, world)
            case ("chained", inner, parts):
                return [(m[0], self.chained(m[1], parts), *m[2:]) for m in self.undoing(inner, world, around)]
            case ("inside", its, inner):
                callee = self.machine.of(its)
                found = callee.undoing(inner, world, Around())
                if callee.policy.recovery == "forget" and "crash" in self.outside.kinds and world.faults:
                    spent = world._replace(faults=world.faults - 1)
                    found += [(("fault", "crash"), *one, None) for one in callee.halted(inner, spent, GONE)]
                return [(m[0], self.inside(its, m[1]), *m[2:]) for m in found]
            case ("taking", pool, inner):
                free = self.plain.left(pool, world.data)
                return [(None, self.holding(pool, self.begin(inner)), world, None)] if free else []
            case ("holding", pool, inner):
                return [(m[0], self.holding(pool, m[1]), *m[2:]) for m in self.undoing(inner, world, around)]
            case ("both", ways):
                found = []
                if FAILED in ways and self.policy.siblings == "abandon":
                    others = tuple(None if way == FAILED else way for way in ways)
                    return [(None, FAILED, self.left_alone(others, world, around), None)]
                for i, way in enumerate(ways):
                    for label, after, w, _ in self.undoing(way, world, around) if way not in (UNDONE, FAILED) else ():
                        put = (*ways[:i], after, *ways[i + 1 :])
                        found.append((label, self.both(put), w, None))
                return found
            case ("together", states, waits, unsure):
                found = []
                for i, state in enumerate(states):
                    if state[0] not in ("later", "waits", "left", "kept") and state not in (UNDONE, FAILED):
                        for label, after, w, _ in self.undoing(state, world, around):
                            found.append(
                                (label, self.together((*states[:i], after, *states[i + 1 :]), waits, unsure), w, None)
                            )
                return found
        return []

    def uncalled(self, key: str, attempt: int, world: World):
        """An undo answers, or takes too long."""
        this = (key, "undo", attempt)
        found = []
        for message in dict.fromkeys(world.messages):
            echo = message.part == "echo" and message.says != OK and self.policy.undo_retries is None
            echo = echo and self.outside.of(key).timeout
            if message[:3] == this and (message.part == "reply" or echo):
                rest, label = world.take(message), ("reply", *this, message.says)
                after = [(UNDONE, rest.ended(*this))] if message.says == OK else self.not_undone(key, attempt, rest)
                found += [(label, *one, None) for one in after]
        if this in world.due:
            due = list(world.due)
            due.remove(this)
            rest = world._replace(due=tuple(due))
            found += [(("timeout", *this), *one, None) for one in self.not_undone(key, attempt, rest)]
        if self.policy.recovery != "forget":
            found += [(label, ("uncall", key, attempt), w, None) for label, w in self.outside.crash(*this, world)]
        return found

    def not_undone(self, key: str, attempt: int, world: World):
        most, over = self.policy.undo_retries, world.ended(key, "undo", attempt)
        if (most is None or attempt <= most) and not (self.policy.shared and world.left(self.prefix) == 0):
            if most is None:
                return [(("unready", key, attempt), world.drawn(self.prefix) if self.policy.shared else world)]
            return [(("unready", key, attempt + 1), over.drawn(self.prefix) if self.policy.shared else over)]
        return [(UNDONE if self.policy.undo_then == "continue" else FAILED, over)]

    def left_alone(self, ways, world: World, around: Around) -> World:
        over = ("done", "back", "failed", "undone")
        others = [
            (self.frame, way, around)
            for way in ways
            if way is not None and (hasattr(way, "_fields") or way[0] not in over)
        ]
        return world._replace(beside=tuple(sorted((*world.beside, *others), key=repr)))
