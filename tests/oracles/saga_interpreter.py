"""What a saga does, by rules on its syntax tree: each statement that is done leaves what would undo it, as in calculi of compensations.

(Bruni, Melgratti, Montanari, Theoretical foundations for compensations in flow composition languages, POPL 2005.) There is no
net, no port and no record of the way taken: a run of a statement comes to DONE with a compensation, to BACK when it has failed and
undone itself, or to FAILED when an undo has given up half-way. What services and faults do is in oracles.saga_services.
"""

from __future__ import annotations

from oracles.interpreter import DONE as PLAIN_DONE
from oracles.interpreter import GIVEN_UP, Frame, Interpreter, _nodes, _raised
from oracles.saga_policies import policy
from oracles.saga_services import OK, Outside, World, calls, request
from oracles.saga_undos import BACK, FAILED, NOTHING, UNDONE, Around, Undos, done
from placet.syntax import ast


class Workflow(Interpreter):
    """What has no steps in it, in which a saga may be given up too."""

    def steps(self, term, values, frame: Frame):
        match term:
            case ast.Abandon():
                return [(None, ("error", GIVEN_UP), values)]
            case ast.Raise(error):
                return [(None, ("error", error.text), values)]
        return super().steps(term, values, frame)


class SagaInterpreter(Undos):
    """One saga, with at most `faults` of some kinds."""

    def __init__(self, file: ast.File, kinds=(), faults: int = 0, *, lasting: bool = False) -> None:
        self.plain = Workflow(file)
        self.frame = Frame(self.plain.root)
        self.saga = self.plain.processes[self.plain.root]
        self.policy = policy(self.saga)
        self.known = calls(file)
        own = self.policy.undo_retries
        self.outside = Outside(
            self.known, frozenset(kinds), lasting=lasting, log=self.policy.register == "log",
            undo_attempts=1 + (own or 0), insists=self.insists,
        )  # fmt: skip
        self.start = World(faults=faults if kinds else 0, retries=self.policy.budget)

    def system(self):
        """(initial, successors) as oracles.traces compares them."""
        again = any(isinstance(n, ast.Again) for n in _nodes(self.saga.body))
        return (("runs", self.saga.body, 1, (), False) if again else self.saga.body, self.start), self.successors

    def successors(self, state):
        term, world = state
        ends = {"done": "completed", "back": "compensated", "failed": "failed"}
        if term[0] in ends and not hasattr(term, "_fields"):
            return [(ends[term[0]], (("over",), world)), *self.elsewhere(term, world)]
        found = [(label, (after, w)) for label, after, w, _ in self.run(term, world, Around())]
        return found + self.elsewhere(term, world)

    def elsewhere(self, term, world: World):
        """Services, faults, and ways that nobody looks after."""
        found = [(label, (term, w)) for label, w in self.outside.moves(world)]
        for way, around in dict.fromkeys(world.beside):
            for label, after, w, _ in self.run(way, world, around):
                left = list(w.beside)
                left.remove((way, around))
                left += [] if after in (BACK, FAILED) or after[:1] == ("done",) else [(after, around)]
                found.append((label, (term, w._replace(beside=tuple(sorted(left, key=repr))))))
        return found

    # -- statements

    def run(self, term, world: World, around: Around):
        """(label, term, world, reason) of all that may happen next; the reason is that of a turn back, where it is one."""
        match term:
            case ast.Block():
                return self.run(self.sequence(term.statements[0], term, 0, ()), world, around) if term.statements else [
                    (None, done(NOTHING), world, None)
                ]  # fmt: skip
            case ast.Step(name):
                return self.run(("ready", name.text + around.suffix, 1, False), world, around)
            case ast.Abandon():
                return [(None, BACK, world, GIVEN_UP)]
            case ast.Again(_, carrying, at_most):
                number = int(around.suffix[1:-1] or 1)
                continues = number <= at_most.value
                return [(None, ("again", NOTHING, around.past, carrying) if continues else done(NOTHING), world, None)]
            case ("runs", inner, number, carried, past):
                its = Around(past, f"[{number}]" if number > 1 else "")
                return [
                    (label, *self.in_runs(after, number, carried, past, w), reason)
                    for label, after, w, reason in self.run(inner, world, its)
                ]
            case _ if hasattr(term, "_fields") and not any(isinstance(n, ast.Step | ast.Again) for n in _nodes(term)):
                return self.run(("plain", term), world, around)
            case ast.Choice() | ast.Either():
                ways = [b.body for b in term.branches]
                if isinstance(term, ast.Choice):
                    if term.otherwise is None:
                        return [(None, w, world, None) for w in ways] + [(None, BACK, world, "NoChoiceMatched")]
                    ways.append(term.otherwise)
                return [(None, way, world, None) for way in ways]
            case ast.FirstOf(_, branches):
                return [
                    (label, b.body, world, None)
                    for b in branches
                    for label, *_ in self.plain.steps(b.trigger, (), self.frame)
                ]
            case ast.Loop():
                first = (None, ("loop", term.body, term, 1, ()), world, None)
                return [first] if term.while_ is None else [first, (None, done(NOTHING), world, None)]
            case ast.Parallel(_, branches) if term.need is not None and term.need.value < len(branches):
                return [(None, self.some(tuple(b.body for b in branches), term.need.value), world, None)]
            case ("some", ways, need, failing, stuck):
                return self.some_of(ways, need, failing, stuck, world, around)
            case ast.Parallel(_, branches):
                return [(None, self.ways(tuple(b.body for b in branches), failing=False, stuck=False), world, None)]
            case ast.Try():
                return [(None, ("scope", term.body, term, None), world, None)]
            case ("plain", inner):
                return self.plainly(inner, world)
            case ("sequence", inner, block, i, left):
                its = around._replace(past=around.past or self.pivotal(*block.statements[:i]))
                return [(*m[:1], self.sequence(m[1], block, i, left), *m[2:]) for m in self.run(inner, world, its)]
            case ("loop", inner, loop, number, left):
                its = self.in_round(loop, number, around)
                return [
                    (label, after, w, reason)
                    for label, one, w, reason in self.run(inner, world, its)
                    for after in self.round(one, loop, number, left)
                ]
            case ("scope", inner, attempt, why):
                found = []
                for label, after, w, reason in self.run(inner, world, around):
                    found.append((label, *self.caught(after, attempt, why or reason), w))
                return [(label, after, w, out) for label, after, out, w in found]
            case ("ways", ways, failing, stuck):
                return self.several(ways, failing, stuck, world, around)
            case ("ready", key, attempt, doubt):
                this = (key, "forward", attempt)
                sent = world.put(request(*this))
                return [(("send", *this), ("call", key, attempt, doubt), sent, None)]
            case ("call", key, attempt, doubt):
                return self.called(key, attempt, doubt, world)
            case ("asking", key, why):
                was = world.record(key) == "applied"
                if was:
                    return [(("told", key, True), done(self.compensation(key)), world, None)]
                return [(("told", key, False), self.refused(key), world, why)]
            case ("turning", inner):
                return [
                    (label, {UNDONE: BACK}.get(after, after if after == FAILED else ("turning", after)), w, None)
                    for label, after, w, _ in self.run(inner, world, around)
                ]
        return self.undoing(term, world, around)

    def plainly(self, inner, world: World):
        """What has no steps in it does what it does in a workflow."""
        found = []
        for label, after, _ in self.plain.steps(inner, (), self.frame):
            if after == PLAIN_DONE:
                found.append((label, done(NOTHING), world, None))
            elif _raised(after):
                found.append((label, BACK, world, after[1]))
            else:
                found.append((label, ("plain", after), world, None))
        return found

    def in_runs(self, after, number: int, carried, past: bool, world: World):
        """(term, world) of a saga that continues as new; `carried`: what would undo the runs before."""
        if hasattr(after, "_fields") or after[:1] not in (("again",), BACK, FAILED, ("done",)):
            return ("runs", after, number, carried, past), world
        if after[0] != "again":
            return (self.turning(("chain", carried)) if after == BACK else after), world
        _, own, behind, carrying = after
        carried = (*carried, own) if carrying else ()
        return ("runs", self.saga.body, number + 1, carried, behind and carrying), world._replace(
            retries=self.policy.budget
        )

    def sequence(self, inner, block: ast.Block, i: int, left):
        """`left`: what would undo the parts that are done."""
        while inner[:1] == ("done",) and not hasattr(inner, "_fields"):
            left, i = (*left, inner[1]), i + 1
            if i == len(block.statements):
                return done(self.joined(block, left))
            inner = block.statements[i]
        if inner == BACK:
            return self.turning(self.joined(block, left))
        if inner[:1] == ("again",):
            # it goes back here as if it had failed where it continued as new: what is further in first
            return ("again", ("chain", (self.joined(block, left), inner[1])), *inner[2:])
        return FAILED if inner == FAILED else ("sequence", inner, block, i, left)

    def pivotal(self, *parts) -> bool:
        """Whether there may have been a point of no return: one that stands in the way that was not taken counts too."""
        return any(isinstance(n, ast.Step) and self.known[n.name.text].pivot for part in parts for n in _nodes(part))

    def in_round(self, loop: ast.Loop, number: int, around: Around) -> Around:
        return Around(around.past or (number > 1 and self.pivotal(loop.body)), f"{around.suffix}[{number}]")

    def round(self, inner, loop: ast.Loop, number: int, left):
        """What may follow in a loop around steps."""
        if inner == BACK:
            return [self.turning(("chain", left))]
        if inner == FAILED:
            return [FAILED]
        if hasattr(inner, "_fields") or inner[0] != "done":
            return [("loop", inner, loop, number, left)]
        left = (*left, inner[1])
        out = done(("chain", left))
        if number == loop.at_most.value:
            return [out]
        again = ("loop", loop.body, loop, number + 1, left)
        return [again] if loop.while_ is None and loop.until is None else [again, out]

    def caught(self, after, attempt: ast.Try, why):
        """(term, reason for who is further out) of a body that may have come to an end."""
        if after == BACK:
            for handler in attempt.handlers:
                if why != GIVEN_UP and handler.name.text in (why, "any"):
                    return handler.body, None
            return BACK, why
        if after == FAILED or (after[0] == "done" and not hasattr(after, "_fields")):
            return after, None
        return ("scope", after, attempt, why), None

    # -- several ways

    def ways(self, ways, *, failing: bool, stuck: bool):
        """Ways that have come to rest are None."""
        if all(way is not None and not hasattr(way, "_fields") and way[0] == "done" for way in ways) and not (
            failing or stuck
        ):
            return done(("both", tuple(way[1] for way in ways)))
        if all(way is None for way in ways):
            return FAILED if stuck else BACK
        return ("ways", ways, failing, stuck)

    def several(self, ways, failing: bool, stuck: bool, world: World, around: Around):
        found = []
        for i, way in enumerate(ways):
            put = lambda one, i=i: (*ways[:i], one, *ways[i + 1 :])  # noqa: E731
            if way is None:
                continue
            if way in (BACK, FAILED):  # its end is heard of some time later
                found.append((None, *self.rested(put, way, failing, stuck, world, around), None))
                continue
            if way[0] == "done" and not hasattr(way, "_fields"):
                if failing:
                    found.append((None, self.ways(put(self.turning(way[1])), failing=True, stuck=stuck), world, None))
                if stuck:
                    found.append((None, self.ways(put(None), failing=failing, stuck=True), world, None))
                continue
            for label, after, w, reason in self.run(way, world, around):
                found.append((label, self.ways(put(after), failing=failing, stuck=stuck), w, reason))
            if failing and self.policy.siblings == "cancel":
                for after, w, reason in self.stopped(way, world, around):
                    found.append((None, self.ways(put(after), failing=True, stuck=stuck), w, reason))
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

    def rested(self, put, after, failing: bool, stuck: bool, world: World, around: Around):
        """(term, world) after a way that has failed came to rest."""
        if self.policy.siblings == "abandon":
            return after, self.left_alone(put(None), world, around)
        return self.ways(put(None), failing=failing or after == BACK, stuck=stuck or after == FAILED), world

    def stopped(self, term, world: World, around: Around):
        """(term, world, reason) where a way turns back although nothing in it has failed."""
        if around.past:
            return []
        match term:
            case ("sequence", inner, block, i, left):
                found = self.stopped(inner, world, around._replace(past=self.pivotal(*block.statements[:i])))
                return [(self.sequence(after, block, i, left), w, reason) for after, w, reason in found]
            case ("loop", inner, loop, number, left):
                found = self.stopped(inner, world, self.in_round(loop, number, around))
                return [(a, w, reason) for one, w, reason in found for a in self.round(one, loop, number, left)]
            case ("scope", inner, attempt, why):
                found = [(*self.caught(a, attempt, why or r), w) for a, w, r in self.stopped(inner, world, around)]
                return [(after, w, out) for after, out, w in found]
            case ("ways", ways, failing, stuck):
                found = []
                for i, way in enumerate(ways):
                    if way is None or way in (BACK, FAILED) or way[0] == "done":
                        continue
                    put = lambda one, i=i: (*ways[:i], one, *ways[i + 1 :])  # noqa: E731
                    for after, w, reason in self.stopped(way, world, around):
                        found.append((self.ways(put(after), failing=failing, stuck=stuck), w, reason))
                return found
            case ("some", ways, need, failing, stuck):
                found = []
                for i, way in enumerate(ways):
                    if way is None or way in (BACK, FAILED) or way[0] in ("done", "won", "lost"):
                        continue
                    for after, w, reason in self.stopped(way, world, around):
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
                after = self.given_up(key)
                return [(after, world, GIVEN_UP)] if after is not None else []
        if hasattr(term, "_fields"):
            step = _next(term)
            if step is not None:
                return self.stopped(("ready", step.name.text + around.suffix, 1, False), world, around)
            return [(BACK, world, GIVEN_UP)]
        return [(BACK, world, GIVEN_UP)] if term[0] == "plain" else []

    # -- calls

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

    def called(self, key: str, attempt: int, doubt, world: World):
        this = (key, "forward", attempt)
        found = []
        for message in dict.fromkeys(world.messages):
            if message[:4] != (*this, "reply"):
                continue
            rest = world.take(message)
            label = ("reply", *this, message.says)
            if message.says == OK:
                found.append((label, done(self.compensation(key)), rest.ended(*this), None))
            else:
                found += [(label, *after) for after in self.outcome(key, attempt, doubt, message.says, rest)]
        if this in world.due:
            due = list(world.due)
            due.remove(this)
            rest = world._replace(due=tuple(due))
            found += [(("timeout", *this), *after) for after in self.outcome(key, attempt, doubt, "timeout", rest)]
        return found

    def outcome(self, key: str, attempt: int, doubt, what: str, world: World):
        """(term, world, reason) after an attempt that has not succeeded."""
        its, this = self.outside.of(key), (key, "forward", attempt)
        rule = its.rule(what)
        unknown = self.unknown(rule, what)
        insists = its.retriable or (unknown and self.persists(its))
        if attempt <= rule.retries and (insists or world.retries != 0):
            drawn = world if insists else world._replace(retries=world.retries and world.retries - 1)
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


def _next(statement):
    """The step that comes next, where a statement begins with one."""
    match statement:
        case ast.Step():
            return statement
        case ast.Block(statements) if statements:
            return _next(statements[0])
        case ast.Try(_, body):
            return _next(body)
    return None
