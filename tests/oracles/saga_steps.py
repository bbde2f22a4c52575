"""What a saga makes of the answers to its requests: which attempt is next, and how it turns back."""

from __future__ import annotations

from oracles.saga_services import OK, World
from oracles.saga_undos import BACK, FAILED, done


class Steps:
    """The part of an interpreter of sagas that asks services. It needs `policy`, `outside`, `prefix` and what undoes."""

    def insists(self, key: str, way: str, attempt: int, what: str) -> bool:
        """Whether an attempt is made again, for ever, after an outcome."""
        if way == "undo":
            return self.policy.undo_retries is None
        its = self.outside.of(key)
        rule = its.rule(what)
        if rule.action in ("escalate", "halt") or attempt <= rule.retries:
            return False
        return its.retriable or (self.unknown(rule, what) and self.persists(its))

    def unknown(self, rule, what: str) -> bool:
        return what == "timeout" or rule.action == "unknown"

    def persists(self, its) -> bool:
        """Whether a step whose outcome is unknown is asked for until it is not."""
        return self.policy.unknown == "retry" or (its.pivot and not self.asks(its))

    def asks(self, its) -> bool:
        return self.policy.unknown == "ask" and not its.read_only

    def called(self, key: str, attempt: int, doubt, world: World, *, past: bool):
        this = (key, "forward", attempt)
        its = self.outside.of(key)
        again = its.timeout and any(
            self.insists(*this, what) for what in (*its.errors, *(("timeout",) if its.timeout else ()))
        )
        found = []
        for message in dict.fromkeys(world.messages):
            echo = message.part == "echo" and message.says != OK and again
            if message[:3] != this or (message.part != "reply" and not echo):
                continue
            rest = world.take(message)
            label = ("reply", *this, message.says)
            known = message.says == its.exists and its.exists not in dict(its.rules)
            if message.says == OK or known:
                found.append((label, done(self.compensation(key)), rest.ended(*this), None))
            else:
                found += [(label, *after) for after in self.outcome(key, attempt, doubt, message.says, rest)]
        for message in self.mistaken(key, attempt, world):
            label = ("reply", *this, OK)
            found.append((label, done(self.compensation(key)), world.take(message).ended(*this), None))
        if this in world.due:
            due = list(world.due)
            due.remove(this)
            rest = world._replace(due=tuple(due))
            found += [(("timeout", *this), *after) for after in self.outcome(key, attempt, doubt, "timeout", rest)]
        if self.policy.recovery == "resume" or (self.policy.recovery == "undo" and (past or its.pivot)):
            term = ("call", key, attempt, doubt)
            found += [(label, term, w, None) for label, w in self.outside.crash(*this, world)]
        return found

    def mistaken(self, key: str, attempt: int, world: World):
        """Replies to other calls that are taken for the one that is waited for: they say that all is done."""
        its, own = self.outside.of(key).correlation, key.rpartition("/")[2].partition("[")[0]
        for message in dict.fromkeys(world.messages):
            same = message.step == key and message.attempt != attempt
            round_ = message.step != key and message.step.rpartition("/")[2].partition("[")[0] == own
            taken = (same and its != "attempt") or (round_ and its == "name")
            if taken and message.way == "forward" and message.part == "reply" and message.says == OK:
                yield message

    def outcome(self, key: str, attempt: int, doubt, what: str, world: World):
        """(term, world, reason) after an attempt that has not succeeded."""
        its, this = self.outside.of(key), (key, "forward", attempt)
        rule = its.rule(what)
        unknown = self.unknown(rule, what)
        insists = its.retriable or (unknown and self.persists(its))
        if attempt <= rule.retries and (insists or world.left(self.prefix) != 0):
            drawn = world if insists else world.drawn(self.prefix)
            return [(("ready", key, attempt + 1, doubt or unknown), drawn.ended(*this), None)]
        over = world.ended(*this)
        if rule.action in ("escalate", "halt"):
            return [(FAILED, over, None)]
        again = [(("ready", key, attempt, doubt or unknown), world, None)]
        if its.retriable:
            return again
        if (unknown or doubt) and self.asks(its):
            return [(("asking", key, "timeout"), over, None)]
        if its.pivot and (unknown or doubt):
            return again
        if unknown:
            if self.policy.unknown == "retry":
                return again
            after = self.own_undo(key) if self.policy.unknown == "undo" else BACK
        elif doubt:
            after = self.own_undo(key) if self.policy.unknown in ("undo", "retry") else BACK
        else:
            after = self.refused(key)
        return [(after, over, what)]
