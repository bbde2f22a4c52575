"""Several ways of a saga at once: parallel, so many of them, instances in parallel."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from oracles.saga_undos import BACK, FAILED, NOTHING, TURNED, Around, done
from placet.syntax import ast

if TYPE_CHECKING:
    from oracles.saga_services import World

MANY = "TooManyFailed"
DUE, DISPLACED = "due", "displaced"


class Shape(NamedTuple):
    """How ways belong together: how many are needed before the last one begins, how many may run, how many may fail."""

    need: int | None = None
    at_most: int | None = None
    tolerate: int = 0


def is_done(way) -> bool:
    return way is not None and not hasattr(way, "_fields") and way[0] == "done"


def idle(way) -> bool:
    return way is not None and not hasattr(way, "_fields") and way[0] == "idle"


class Ways:
    """The part of an interpreter of sagas that does several things at once. Ways that have come to rest are None."""

    def several(self, term, world: World):
        if isinstance(term, ast.ForEach):
            numbers = range(self.plain.count(term.low), self.plain.count(term.high) + 1)
            if not term.parallel:
                return [(None, ("series", self.tried(term), term, numbers[0], (), 0), world, None)]
            ways = [("instance", self.tried(term), term, n) for n in numbers]
            at_most = self.plain.count(term.at_most) if term.at_most is not None else None
            if at_most is not None:
                ways = [("idle", way) for way in ways]
            shape = Shape(at_most=at_most, tolerate=self.plain.count(term.tolerate) if term.tolerate else 0)
            return [(None, self.ways(tuple(ways), shape, failing=False, stuck=False, failed=0), world, None)]
        if term.need is not None and self.plain.count(term.need) < len(term.branches):
            return [(None, self.some(tuple(b.body for b in term.branches), self.plain.count(term.need)), world, None)]
        ways = tuple(b.body for b in term.branches)
        return [(None, self.ways(ways, Shape(), failing=False, stuck=False, failed=0), world, None)]

    # -- `every` with so many runs, one after the other; DUE where a run waits for nothing, since the last one was displaced

    def rounds(self, inner, every: ast.Every, number: int, left, why, world: World, around: Around):
        """`left`: what would undo the runs that are over. `why`: what made the run turn back, where it may be displaced by the next."""
        scoped = self.displaced(every, number)
        if inner is None:
            begun = ("rounds", "before" if scoped else every.body, every, number, left, None)
            ready = why == DUE or (every.overlap.text == "queue" and number > 1)
            found = [(None, begun, world, None)] if ready else []
            return found if why == DUE else [*found, (f"timer({every.duration.text})", begun, world, None)]
        if inner == "before":
            return [(None, ("rounds", every.body, every, number, left, None), world, None)]
        its = self.in_run(every, number, around)
        found = []
        for label, after, w, reason in self.run(inner, world, its):
            term, out = self.round_of(after, every, number, left, why, reason)
            found.append((label, term, w, out))
        if scoped and why != DISPLACED:
            for after, w, _ in self.stopped(inner, world, its, "signal"):
                term, _ = self.round_of(after, every, number, left, why, DISPLACED)
                found.append((f"timeout({every.duration.text})", term, w, None))
        return found

    def displaced(self, every: ast.Every, number: int) -> bool:
        return every.overlap.text == "cancel" and number < self.plain.count(every.rounds)

    def in_run(self, every: ast.Every, number: int, around: Around) -> Around:
        past = around.past or (number > 1 and self.pivotal(every.body))
        return around._replace(past=past, numbers=(*around.numbers, ("every", number)))

    def round_of(self, inner, every: ast.Every, number: int, left, why, reason):
        """(term, reason for who is further out): a run that was displaced and is back leaves nothing to undo."""
        scoped = self.displaced(every, number)
        why = (why or reason) if scoped else None
        over = not hasattr(inner, "_fields") and inner[0] in ("done", "back", "failed", "gone")
        if not over:
            return ("rounds", inner, every, number, left, why), None if scoped else reason
        bodies = (every.body,) * (len(left) + 1)
        back = inner in (BACK, TURNED)
        if back and why != DISPLACED:
            return self.turning(self.joined(bodies, left, alike=True)), why or reason
        if inner[0] in ("failed", "gone"):
            return inner, None if scoped else reason
        left = (*left, NOTHING if back else inner[1])
        if number == self.plain.count(every.rounds):
            return done(self.joined(bodies, left, alike=True)), reason
        return ("rounds", None, every, number + 1, left, DUE if back else None), None

    def tried(self, each: ast.ForEach):
        """An instance; where it may fail, with what has made it turn back first: itself (own), or something outside (told)."""
        return each.body if each.tolerate is None else ("trial", each.body, None)

    def trial(self, inner, why):
        over = not hasattr(inner, "_fields") and inner[0] in ("done", "back", "failed", "gone")
        if not over:
            return ("trial", inner, why)
        return TURNED if inner == BACK and why == "told" else inner

    def one_of(self, inner, each: ast.ForEach, number: int):
        over = not hasattr(inner, "_fields") and inner[0] in ("done", "back", "failed")
        return inner if over else ("instance", inner, each, number)

    def ways(self, ways, shape: Shape, *, failing: bool, stuck: bool, failed: int):
        if all(is_done(way) for way in ways) and not (failing or stuck):
            return done(("both", tuple(way[1] for way in ways)))
        if all(way is None for way in ways):
            return FAILED if stuck else BACK
        return ("ways", ways, shape, failing, stuck, failed)

    def begins_now(self, ways, shape: Shape, i: int) -> bool:
        """Whether a way that has not begun may."""
        if shape.need is not None:
            return sum(is_done(way) for way in ways[:-1]) >= shape.need
        busy = sum(way is not None and not is_done(way) and not idle(way) for way in ways)
        return busy < shape.at_most and not any(idle(way) for way in ways[:i])

    def in_parallel(self, ways, shape: Shape, failing: bool, stuck: bool, failed: int, world: World, around: Around):
        found = []
        for i, way in enumerate(ways):
            put = lambda one, i=i: (*ways[:i], one, *ways[i + 1 :])  # noqa: E731

            def after(one, *, put=put, failing=failing, stuck=stuck, failed=failed):
                return self.ways(put(one), shape, failing=failing, stuck=stuck, failed=failed)

            if way is None:
                continue
            if way == BACK and shape.tolerate and not failing and not stuck:
                if failed < shape.tolerate:
                    found.append((None, after(done(NOTHING), failed=failed + 1), world, None))
                else:
                    found.append((None, after(None, failing=True), world, MANY))
                continue
            if way in (BACK, FAILED, TURNED):  # its end is heard of some time later
                found.append(
                    (
                        None,
                        *self.rested(put, BACK if way == TURNED else way, shape, failing, stuck, failed, world, around),
                        None,
                    )
                )
                continue
            if is_done(way):
                if failing:
                    found.append((None, after(self.turning(way[1])), world, None))
                if stuck:
                    found.append((None, after(None), world, None))
                continue
            if idle(way):
                if failing or stuck:
                    found.append((None, after(None), world, None))
                elif self.begins_now(ways, shape, i):
                    found.append((None, after(way[1]), world, None))
                continue
            for label, one, w, reason in self.run(way, world, around):
                found.append((label, after(one), w, None if shape.tolerate else reason))
            if failing and self.policy.siblings == "cancel":
                for one, w, reason in self.stopped(way, world, around):
                    found.append((None, after(one, failing=True), w, reason))
        return found

    # -- several ways of which some are needed: one that is done counts (`won`), or comes too late, and is `lost` when it is undone

    def some(self, ways, need: int, *, failing: bool = False, stuck: bool = False):
        """Ways that have come to rest are None."""
        heard = [way is not None and way[:1] in (("won",), ("lost",)) for way in ways]
        if all(heard) and not (failing or stuck):
            return done(("both", tuple(way[1] for way in ways if way[0] == "won")))
        if all(way is None for way in ways):
            return FAILED if stuck else BACK
        return ("some", ways, need, failing, stuck)

    def some_of(self, ways, need: int, failing: bool, stuck: bool, world: World, around: Around):
        found = []
        enough = sum(way is not None and way[:1] == ("won",) for way in ways) >= need
        for i, way in enumerate(ways):
            put = (
                lambda one, failing=failing, stuck=stuck, i=i: self.some(  # noqa: E731
                    (*ways[:i], one, *ways[i + 1 :]), need, failing=failing, stuck=stuck
                )
            )
            silent = lambda after: found.append((None, after, world, None))  # noqa: E731
            if way is None:
                continue
            if way == BACK:  # its end is heard of some time later
                silent(put(("lost",)) if enough and not failing else put(None, failing=True))
            elif way == FAILED:
                silent(put(None, stuck=True))
            elif way[0] in ("done", "won", "lost") and not hasattr(way, "_fields"):
                if way[0] == "done" and not failing:
                    silent(put(self.turning(way[1])) if enough else put(("won", way[1])))
                if failing and way[0] != "lost":
                    silent(put(self.turning(way[1])))
                if stuck:
                    silent(put(None))
            else:
                for label, after, w, reason in self.run(way, world, around):
                    found.append((label, put(after), w, reason))
                if enough or (failing and self.policy.siblings == "cancel"):
                    for after, w, reason in self.stopped(way, world, around):
                        found.append((None, put(after), w, reason))
        return found

    def rested(self, put, way, shape: Shape, failing: bool, stuck: bool, failed: int, world: World, around: Around):
        """(term, world) after a way that has failed came to rest."""
        if self.policy.siblings == "abandon":
            return way, self.left_alone(put(None), world, around)
        both = {"failing": failing or way == BACK, "stuck": stuck or way == FAILED, "failed": failed}
        return self.ways(put(None), shape, **both), world
