"""What a saga does, by rules on its syntax tree: each statement that is done leaves what would undo it, as in calculi of compensations.

(Bruni, Melgratti, Montanari, Theoretical foundations for compensations in flow composition languages, POPL 2005.) There is no
net, no port and no record of the way taken: a run of a statement comes to DONE with a compensation, to BACK when it has failed and
undone itself, or to FAILED when an undo has given up half-way. What services and faults do is in oracles.saga_services, what a saga
makes of answers in oracles.saga_steps, several ways at once in oracles.saga_ways, and what makes it turn back from outside in
oracles.saga_turns.
"""

from __future__ import annotations

from collections import Counter

from oracles.interpreter import DONE as PLAIN_DONE
from oracles.interpreter import GIVEN_UP, GONE, Frame, Interpreter, _held, _nodes, _raised, _with, instances_of
from oracles.saga_limits import Held, under_way
from oracles.saga_policies import policy
from oracles.saga_services import OK, Outside, World, calls, request
from oracles.saga_steps import Steps
from oracles.saga_turns import Turns, fresh
from oracles.saga_undos import BACK, FAILED, NOTHING, TURNED, UNDONE, Around, Undos, done
from oracles.saga_ways import MANY, Ways
from placet.syntax import ast

ENDS = {"done": "completed", "back": "compensated", "failed": "failed"}
IDLE = "world"  # the key of all that is outside, among the values of a workflow


def ended(term) -> bool:
    return term[0] in ENDS and not hasattr(term, "_fields")


def opened(term):
    """A block at its first statement: to open it is no step."""
    return (
        ("then", term.statements[0], term.statements[1:]) if isinstance(term, ast.Block) and term.statements else term
    )


def opens(term) -> bool:
    """Whether what comes next in a term is only that something is entered."""
    if hasattr(term, "_fields"):
        return isinstance(term, ast.Block | ast.Call)
    return term[0] in ("then", "call", "try") and opens(term[1])


def in_course(term):
    """A saga that was called and in which something has happened."""
    return term if term[0] == "begun" and not hasattr(term, "_fields") else ("begun", term)


def told(prefix: str, label):
    """A label of one of two runs."""
    if not prefix or label is None:
        return label
    return prefix + label if isinstance(label, str) else (f"{prefix}{label[0]}", *label[1:])


class Workflow(Interpreter):
    """What has no steps in it. A saga may be given up there too, and a workflow may call sagas."""

    machine: SagaInterpreter

    def steps(self, term, values, frame: Frame):
        match term:
            case ast.Abandon():
                return [(None, ("error", GIVEN_UP), values)]
            case ast.Raise(error):
                return [(None, ("error", error.text), values)]
            case ast.Call(target) if not term.detached and self.processes[target.text].kind == "saga":
                its = Frame(target.text, (*frame.path, term.span.start, frame.suffix))
                (world,) = self.machine.worlds(values)
                found = self.machine.of(its).begins(world, term)
                return [(None, ("call", ("saga", one, its), term, its), self.put(w)) for one, w in found]
            case ("saga", inner, its):
                (world,) = self.machine.worlds(values)
                if ended(inner):
                    return [(None, ("ended", ENDS[inner[0]]), values)]
                saga = self.machine.of(its)
                found = [m[:3] for m in saga.run(inner, world, Around())] + saga.by_itself(inner, world, Around())
                return [(label, ("saga", after, its), self.put(w)) for label, after, w in found]
        return super().steps(term, values, frame)

    def call(self, inner, call, its, values):
        if _raised(inner) and self.processes[its.process].kind == "saga":
            inner = ("ended", "compensated")
        return super().call(inner, call, its, values)

    def put(self, world: World):
        return _with(world.data, {IDLE: world._replace(data=())})


class SagaInterpreter:
    """All sagas of a file, with at most `faults` of some kinds; its first process is where it begins."""

    def __init__(self, file: ast.File, kinds=(), faults: int = 0, *, lasting: bool = False) -> None:
        self.plain = Workflow(file)
        self.plain.machine = self
        self.known = calls(file)
        self.sagas: dict[str, Saga] = {}
        self.inside: dict[int, list] = {}
        self.file = file
        self.frame = Frame(self.plain.root)
        self.kinds = frozenset(kinds)
        self.outside = Outside(self.known, self.kinds, lasting=lasting, saga_of=self.saga_of)
        self.held = Held(file, lambda step: self.outside.of(step).service)
        self.start = World(faults=faults if kinds else 0)
        self.root = self.plain.processes[self.plain.root]

    def of(self, frame: Frame) -> Saga:
        prefix = "/".join(f"{part}" for part in (*frame.path, ""))
        if prefix not in self.sagas:
            self.sagas[prefix] = Saga(self, frame, prefix)
        return self.sagas[prefix]

    def nodes(self, part):
        """Every value of a tree, and of the sagas that are called from it."""
        found = self.inside.get(id(part))
        if found is None:
            found = self.inside[id(part)] = list(_nodes(part))
            for node in list(found):
                if isinstance(node, ast.Call) and not node.detached:
                    found += self.nodes(self.plain.processes[node.target.text].body)
        return found

    def has_steps(self, part, but=()) -> bool:
        """Whether a statement has a step in it, or calls a saga, or what it calls does."""
        processes = self.plain.processes
        return any(
            (isinstance(n, ast.Step | ast.Again) and not isinstance(n, but))
            or (isinstance(n, ast.Call) and not n.detached and processes[n.target.text].kind == "saga")
            for n in self.nodes(part)
        )

    def forks(self, part) -> bool:
        """Whether several things may go on at once in a statement."""
        found = False
        for n in self.nodes(part):
            at_once = isinstance(n, ast.Parallel) or (isinstance(n, ast.ForEach) and n.parallel)
            at_once = at_once or (isinstance(n, ast.Every) and n.overlap.text == "allow")
            found = found or at_once or (isinstance(n, ast.Handler) and n.beside)
        return found

    def saga_of(self, step: str) -> Saga:
        return self.sagas[step[: step.rfind("/") + 1]]

    def worlds(self, values):
        """The world that is kept among the values of a workflow."""
        found = dict(values)
        world = found.pop(IDLE)
        return [world._replace(data=tuple(sorted(found.items(), key=repr)))]

    def system(self):
        """(initial, successors) as oracles.traces compares them."""
        if self.root.kind == "saga":
            return None, self.of_saga
        initial, moves = self.plain.system()

        def successors(state):
            if state is None:
                return [(label, (term, _with(v, {IDLE: self.start}))) for label, (term, v) in moves(initial)]
            term, values = state
            (world,) = self.worlds(values)
            self.plain.held = Counter([*_held(term), *_held(world.beside)])
            found = [one for one in moves(state) if one[0] is None or "completed" not in one[0] or term == PLAIN_DONE]
            found += [(label, (term, self.plain.put(w))) for label, w in self.outside.moves(world)]
            return found + [(label, (term, self.plain.put(w))) for label, w in self.alone(world)]

        return None, successors

    def twice(self):
        """The same of two runs at once, which have the faults in common and what services remember of keys that both use."""
        names = {name for name, its in self.known.items() if its.common}
        if not names:
            return self.system()

        def shared(step: str) -> bool:
            return step.rpartition("/")[2].partition("[")[0] in names

        def successors(state):
            if state is None:
                begun = [one for _, one in self.of_saga(None)]
                return [(None, (one, other)) for one in begun for other in begun]
            found = []
            for i, prefix in enumerate(("", "2 ")):
                term, world = state[1 - i]
                for label, after in self.of_saga(state[i]):
                    records = [r for r in world.records if not shared(r[0])]
                    records += [r for r in after[1].records if shared(r[0])]
                    other = (term, world._replace(faults=after[1].faults, records=frozenset(records)))
                    found.append((told(prefix, label), (after, other) if i == 0 else (other, after)))
            return found

        return None, successors

    def of_saga(self, state):
        saga = self.of(self.frame)
        if state is None:
            values = [((), ())] if not self.plain.common else []
            keys = list(self.plain.common)
            values = [()]
            for k in keys:
                values = [_with(v, {k: one}) for v in values for one in self.plain.first(self.plain.common[k])]
            return [(None, one) for v in values for one in saga.begins(self.start._replace(data=v))]
        term, world = state
        self.plain.held = Counter([*_held(term), *_held(world.beside)])
        self.held.now = under_way((term, world.beside))
        outside = (*self.outside.moves(world), *((None, w) for w in self.held.passes(world)))
        found = [(label, (term, w)) for label, w in (*outside, *self.alone(world))]
        found += [(label, (after, w)) for label, after, w in saga.told(term, world)]
        return [self.heard(*move) for move in self.moves_of(saga, term, world, found)]

    def heard(self, label, state):
        """A move, with what the limits of services make of it."""
        ill = lambda told: self.outside.of(told[1]).ill(told[4] if told[0] == "reply" else "timeout")  # noqa: E731
        undone = lambda told: told[0] == "timeout" or told[4] != OK  # noqa: E731
        term, world = state
        ails = undone if isinstance(label, tuple) and len(label) > 2 and label[2] == "undo" else ill  # noqa: PLR2004
        state = (term, self.held.after(label, term, world, ails))
        blocked = isinstance(label, tuple) and label[0] == "blocked"
        return (("reply", *label[1:]) if blocked else label), state

    def moves_of(self, saga: Saga, term, world: World, found):
        if term in (("over",), GONE):
            return found
        if ended(term):
            return [(ENDS[term[0]], (("over",), world)), *found]
        return found + [(label, (after, w)) for label, after, w, _ in saga.run(term, world, Around())]

    def alone(self, world: World):
        """Ways of a parallel that nobody looks after."""
        found = []
        for frame, way, around in dict.fromkeys(world.beside):
            moves = [m[:3] for m in self.of(frame).run(way, world, around)]
            moves += self.of(frame).told(way, world, around, whole=False)
            moves += self.of(frame).late_callers(way, world, around)
            for label, after, w in moves:
                left = list(w.beside)
                left.remove((frame, way, around))
                over = after in (BACK, FAILED, TURNED, GONE) or after[:1] == ("done",)
                left += [] if over else [(frame, after, around)]
                found.append((label, w._replace(beside=tuple(sorted(left, key=repr)))))
        return found


class Saga(Steps, Ways, Turns, Undos):
    """One saga, where it was called."""

    def __init__(self, machine: SagaInterpreter, frame: Frame, prefix: str) -> None:
        self.machine, self.plain, self.outside, self.known = machine, machine.plain, machine.outside, machine.known
        self.frame, self.prefix = frame, prefix
        self.saga = self.plain.processes[frame.process]
        self.policy = policy(self.saga)
        self.caller: Saga | None = None
        self.deaf = False  # it does not hear that its caller is cancelled
        self.heard: tuple[Saga, ...] = ()  # callers whose time it hears of when it is up

    def called_from(self, callee: Saga, around: Around) -> None:
        awaited = self.policy.children == "await"
        passed = around.past and self.policy.cancellation == "masked"
        callee.caller, callee.deaf = self, self.deaf or awaited or passed
        own = (self,) if self.policy.deadline == "escalate" or not around.past else ()
        callee.heard = () if awaited else (*own, *(() if passed else self.heard))

    def clocks(self) -> list[str]:
        """The sagas whose time goes by while this one runs: itself, and those that have called it."""
        saga, found = self, []
        while saga is not None:
            found += [saga.prefix] if saga.policy.deadline in ("undo", "escalate") else []
            saga = saga.caller
        return found

    def begins(self, world: World, _call=None):
        """(term, world) of each way in which it may begin."""
        world = self.budgeted(world)
        again = any(isinstance(n, ast.Again) for n in _nodes(self.saga.body))
        body = ("renewed", self.saga.body, 1, (), False) if again else self.saga.body
        return [(body, world._replace(data=v)) for v in self.plain.begin(self.frame, world.data)]

    def budgeted(self, world: World) -> World:
        """With all its retries."""
        if self.policy.budget is None:
            return world
        return world._replace(retries=tuple(sorted({**dict(world.retries), self.prefix: self.policy.budget}.items())))

    def at(self, around: Around) -> Frame:
        return self.frame._replace(numbers=around.numbers)

    def key(self, name: str, around: Around) -> str:
        return f"{self.prefix}{name}{self.at(around).suffix}{around.suffix}"

    # -- statements

    def run(self, term, world: World, around: Around):
        """(label, term, world, reason) of all that may happen next; the reason is that of a turn back, where it is one."""
        if (
            hasattr(term, "_fields")
            and not isinstance(term, ast.Step | ast.Abandon | ast.Again)
            and not self.machine.has_steps(term)
        ):
            return self.plainly(term, world, around, forks=self.machine.forks(term))
        match term:
            case ast.Block():
                return self.run(self.sequence(term.statements[0], term.statements, 0, (), around), world, around)
            case ast.Step(name):
                return self.run(("ready", self.key(name.text, around), 1, False), world, around)
            case ast.Abandon():
                return [(None, BACK, world, GIVEN_UP)]
            case ast.Again(_, carrying, at_most):
                continues = around.run <= at_most.value
                return [(None, ("again", NOTHING, around.past, carrying) if continues else done(NOTHING), world, None)]
            case ("renewed", inner, number, carried, past):
                its = Around(past, f"[{number}]" if number > 1 else "", run=number)
                return [
                    (label, *self.in_runs(after, number, carried, past, w), reason)
                    for label, after, w, reason in self.run(inner, world, its)
                ]
            case ast.Choice():
                return self.chosen(self.plain.choose(term, world.data, self.at(around)), world)
            case ast.Either() | ast.Patch():
                return self.chosen(self.plain.steps(term, world.data, self.at(around)), world)
            case ast.FirstOf(_, branches):
                return [
                    (label, ("entered", b.body), world._replace(data=v), None)
                    for b in branches
                    for label, _, v in self.plain.steps(b.trigger, world.data, self.at(around))
                ]
            case ast.Loop():
                said = self.plain.may(term.while_, world.data, self.at(around)) if term.while_ is not None else [True]
                first = ("loop", term.body, term, 1, ())
                return [(None, first if yes else done(NOTHING), world, None) for yes in said]
            case ast.Every(_, ast.Name("allow")):
                return self.run(instances_of(term, self.plain.count(term.rounds), term.at_most), world, around)
            case ast.Every():
                return self.rounds(None, term, 1, (), None, world, around)
            case ("rounds", inner, every, number, left, why):
                return self.rounds(inner, every, number, left, why, world, around)
            case ast.Parallel() | ast.ForEach():
                return self.several(term, world)
            case ast.Try():
                return [(None, ("scope", term.body, term, None), world, None)]
            case ast.With(pool):
                free = self.plain.left(pool, world.data)
                return [(None, ("with", term.body, term), world, None)] if free else []
            case ast.Call():
                return self.calls(term, world, around)
            case ("halting", inner):
                return [
                    (label, BACK if after == GONE else ("halting", after), world._replace(data=v), None)
                    for label, after, v in self.plain.steps(inner, world.data, self.at(around))
                ]
            case ("entered", inner):
                return self.run(inner, world, around)
            case ("plain", inner, forks):
                return self.plainly(inner, world, around, forks=forks)
            case ("sequence", inner, statements, i, left):
                its = around._replace(past=around.past or self.pivotal(*statements[:i]))
                return [
                    (*m[:1], self.sequence(m[1], statements, i, left, around), *m[2:])
                    for m in self.run(inner, world, its)
                ]
            case ("loop", inner, loop, number, left):
                its = self.in_round(loop, number, around)
                return [
                    (label, after, w, reason)
                    for label, one, w, reason in self.run(inner, world, its)
                    for after in self.round(one, loop, number, left, w, around)
                ]
            case ("series", inner, each, number, left, failed):
                its = self.in_instance(each, number, around)
                return [
                    (label, *self.instance(one, each, number, left, failed, w, reason, around))
                    for label, one, w, reason in self.run(inner, world, its)
                ]
            case ("instance", inner, each, number):
                its = around._replace(numbers=(*around.numbers, (each.name.text, number)))
                return [(m[0], self.one_of(m[1], each, number), *m[2:]) for m in self.run(inner, world, its)]
            case ("trial", inner, why):
                return [
                    (label, self.trial(one, why or ("own" if reason is not None else None)), w, reason)
                    for label, one, w, reason in self.run(inner, world, around)
                ]
            case ("scope", inner, attempt, why):
                found = []
                for label, after, w, reason in self.run(inner, world, around):
                    found.append((label, *self.caught(after, attempt, why or reason), w))
                found = [(label, after, w, out) for label, after, out, w in found]
                # what only begins a new run has no steps: an interruption of it is none that undoes
                past = around.past and self.machine.has_steps(attempt, but=ast.Again)
                return found + self.interrupted(inner, attempt, why, world, around._replace(past=past))
            case ("with", inner, within):
                return [(m[0], self.within(m[1], within), *m[2:]) for m in self.run(inner, world, around)]
            case ("begun", inner):
                found = self.run(inner, world, around)
                return [(m[0], m[1] if ended(m[1]) else in_course(m[1]), *m[2:]) for m in found]
            case ("called", inner, call, its):
                return self.called_saga(inner, call, its, world, around)
            case ("runs", inner, call, its, begun):
                return self.runs(inner, call, its, begun, world, around)
            case ("handled", inner, left):
                return [
                    (m[0], self.handled(m[1], left), *m[2:])
                    for m in self.run(inner, world, self.after_call(left, around))
                ]
            case ("ways", ways, shape, failing, stuck, failed):
                return self.in_parallel(ways, shape, failing, stuck, failed, world, around)
            case ("some", ways, need, failing, stuck):
                return self.some_of(ways, need, failing, stuck, world, around)
            case ("ready", key, attempt, doubt):
                this = (key, "forward", attempt)
                sent = [w.put(request(*this)) for w in self.machine.held.sends(this, world)]
                found = [(("send", *this), ("call", key, attempt, doubt), w, None) for w in sent]
                for error in self.machine.held.refuses(this, world):  # what is tried for ever waits
                    after = [m for m in self.outcome(key, attempt, doubt, error, world) if m[0][:3] != term[:3]]
                    found += [(("blocked", *this, error), *m) for m in after]
                return found
            case ("call", key, attempt, doubt):
                return self.called(key, attempt, doubt, world, past=around.past or around.beyond)
            case ("asking", key, why):
                was = world.record(key) == "applied"
                if was:
                    return [(("told", key, True), done(self.compensation(key)), world, None)]
                return [(("told", key, False), self.refused(key), world, why)]
            case ("turning", inner):
                return [
                    (label, {UNDONE: BACK}.get(after, after if after == FAILED else ("turning", after)), w, None)
                    for label, after, w, _ in self.undoing(inner, world, around)
                ]
        return self.undoing(term, world, around)

    def chosen(self, found, world: World):
        """What the interpreter of workflows says about a decision."""
        said = []
        for label, after, values in found:
            w = world._replace(data=values)
            if _raised(after):
                said.append((label, BACK, w, after[1]))
            else:
                goes_on = ("entered", after) if isinstance(after, ast.Block) else after
                said.append((label, done(NOTHING) if after == PLAIN_DONE else goes_on, w, None))
        return said

    def plainly(self, inner, world: World, around: Around, *, forks: bool):
        """What has no steps in it does what it does in a workflow."""
        found = []
        inner = self.entered(inner, world, around)
        for label, after, w, reason in self.chosen(self.plain.steps(inner, world.data, self.at(around)), world):
            inside = after[1] if after[0] == "entered" else after
            if ended(after) or after == BACK:
                found.append((label, after, w, reason))
            elif self.settled(inside, w, around):
                found.append((label, done(NOTHING), w, None))
            else:
                found.append((label, ("plain", inside, forks), w, reason))
        return found

    def entered(self, term, world: World, around: Around):
        """What has no steps, where the first thing in it is: that it is entered is no move, if nothing is set by that."""
        term = opened(term)
        while opens(term):
            found = self.plain.steps(term, world.data, self.at(around))
            if len(found) != 1 or found[0][0] is not None or found[0][2] != world.data or found[0][1] == PLAIN_DONE:
                break
            term = found[0][1]
        return term

    def settled(self, term, world: World, around: Around) -> bool:
        """Whether nothing but its end is left: the last of several instances, or a body, is done."""
        inner = term
        while not hasattr(inner, "_fields") and (
            inner[0] in ("series", "at", "try") or inner[0] == "then" and not inner[2]
        ):
            inner = inner[1]
        if inner != PLAIN_DONE:
            return False
        silent = lambda of: [m for m in self.plain.steps(of, world.data, self.at(around)) if m[0] is None]  # noqa: E731
        found = silent(term)  # what interrupts it comes too late
        while len(found) == 1 and not _raised(found[0][1]):
            if found[0][1] == PLAIN_DONE:
                return True
            found = silent(found[0][1])
        return False

    def in_runs(self, after, number: int, carried, past: bool, world: World):
        """(term, world) of a saga that continues as new; `carried`: what would undo the runs before."""
        if hasattr(after, "_fields") or after[:1] not in (("again",), BACK, FAILED, ("done",)):
            return ("renewed", after, number, carried, past), world
        if after[0] != "again":
            return (self.turning(("chain", carried)) if after == BACK else after), world
        _, own, behind, carrying = after
        carried = (*carried, own) if carrying else ()
        return ("renewed", self.saga.body, number + 1, carried, behind and carrying), self.budgeted(world)

    def sequence(self, inner, statements, i: int, left, around: Around):
        """`left`: what would undo the parts that are done."""
        while ended(inner) and inner[0] == "done":
            left, i = (*left, inner[1]), i + 1
            if i == len(statements):
                return done(self.joined(statements, left))
            inner = statements[i]
        if inner == BACK:
            return self.turning(self.joined(statements, left))
        if inner[:1] == ("again",) and not hasattr(inner, "_fields"):
            # it goes back here as if it had failed where it continued as new: what is further in first
            return ("again", ("chain", (self.joined(statements, left), inner[1])), *inner[2:])
        return FAILED if inner == FAILED else ("sequence", inner, statements, i, left)

    def pivotal(self, *parts) -> bool:
        """Whether there may have been a point of no return: one that stands in the way that was not taken counts too."""
        return any(
            isinstance(n, ast.Step) and self.known[n.name.text].pivot
            for part in parts
            for n in self.machine.nodes(part)
        )

    def in_round(self, loop: ast.Loop, number: int, around: Around) -> Around:
        return around._replace(
            past=around.past or (number > 1 and self.pivotal(loop.body)), suffix=f"{around.suffix}[{number}]"
        )

    def round(self, inner, loop: ast.Loop, number: int, left, world: World, around: Around):
        """What may follow in a loop around steps."""
        if inner[:1] == ("again",) and not hasattr(inner, "_fields"):
            return [("again", ("chain", (*left, inner[1])), *inner[2:])]
        if inner == BACK:
            return [self.turning(("chain", left))]
        if inner == FAILED:
            return [FAILED]
        if not ended(inner):
            return [("loop", inner, loop, number, left)]
        left = (*left, inner[1])
        out = done(("chain", left))
        if number == self.plain.count(loop.at_most):
            return [out]
        again = ("loop", loop.body, loop, number + 1, left)
        guard = loop.while_ if loop.while_ is not None else loop.until
        if guard is None:
            return [again]
        said = self.plain.may(guard, world.data, self.at(around))
        return [again if yes is (loop.while_ is not None) else out for yes in said]

    def in_instance(self, each: ast.ForEach, number: int, around: Around) -> Around:
        past = around.past or (number > self.plain.count(each.low) and self.pivotal(each.body))
        return around._replace(past=past, numbers=(*around.numbers, (each.name.text, number)))

    def instance(self, inner, each: ast.ForEach, number: int, left, failed: int, world: World, reason, around: Around):
        """(term, world, reason) after a move in one of several instances, one after the other."""
        bodies = (each.body,) * (len(left) + 1)
        if inner == BACK and each.tolerate is not None:
            if failed == self.plain.count(each.tolerate):
                return self.turning(self.joined(bodies, left, alike=True)), world, MANY
            failed, inner, reason = failed + 1, done(NOTHING), None
        if inner in (BACK, TURNED):
            return self.turning(self.joined(bodies, left, alike=True)), world, reason
        if not ended(inner):
            return ("series", inner, each, number, left, failed), world, None if each.tolerate is not None else reason
        if inner == FAILED:
            return FAILED, world, None
        left = (*left, inner[1])
        if number == self.plain.count(each.high):
            return done(self.joined(bodies, left, alike=True)), world, None
        return ("series", self.tried(each), each, number + 1, left, failed), world, None

    def within(self, inner, within: ast.With):
        if ended(inner):
            return done(("held", within.pool, inner[1])) if inner[0] == "done" else inner
        return ("with", inner, within)

    def caught(self, after, attempt: ast.Try, why):
        """(term, reason for who is further out) of a body that may have come to an end."""
        if after == BACK:
            if isinstance(why, tuple):
                return ("entered", why[1]), None
            for handler in attempt.handlers:
                if (
                    why != GIVEN_UP
                    and handler.name.text in (why, "any")
                    and not handler.signal
                    and handler.timeout is None
                ):
                    return ("entered", handler.body), None
            return BACK, why
        if ended(after) or (after[:1] == ("again",) and not hasattr(after, "_fields")):
            return after, None
        return ("scope", after, attempt, why), None

    # -- sagas that are called

    def calls(self, call: ast.Call, world: World, around: Around):
        name = call.target.text
        its = Frame(name, (*self.frame.path, call.span.start, f"{self.at(around).suffix}{around.suffix}"))
        if self.plain.processes[name].kind != "saga" and not self.machine.has_steps(self.plain.processes[name].body):
            body = opened(self.plain.processes[name].body)
            return [
                (None, ("runs", body, call, its, False), world._replace(data=v), None)
                for v in self.plain.begin(its, world.data)
            ]
        self.called_from(self.machine.of(its), around)
        by_itself = self.begins_by_itself(self.plain.processes[name])
        return [
            (None, ("called", ("begun", one) if by_itself else one, call, its), w, None)
            for one, w in self.machine.of(its).begins(world)
        ]

    def begins_by_itself(self, process: ast.Process) -> bool:
        """Whether a saga that is called has begun before its first request, and not only with that."""
        first, own = self.next_step(process.body, Around()), policy(process)
        if not first or process.kind != "saga":
            return False
        its = self.outside.of(first)
        return bool(its.retriable or its.pivot or own.unknown == "retry" or own.register == "submit")

    def runs(self, inner, call: ast.Call, its: Frame, begun: bool, world: World, around: Around):  # noqa: FBT001
        """A process without steps, whose ends lead to some."""
        if inner == PLAIN_DONE:
            return self.goes_on("completed", NOTHING, call, world)
        if _raised(inner):
            saga = self.plain.processes[its.process].kind == "saga"
            return self.goes_on("compensated" if saga else "failed", NOTHING, call, world)
        if inner[:1] == ("ended",) and not hasattr(inner, "_fields"):
            return self.goes_on(inner[1], NOTHING, call, world)
        found = self.plain.steps(inner, world.data, its)
        found = [
            (label, ("runs", after, call, its, begun or not opens(inner)), world._replace(data=v), None)
            for label, after, v in found
        ]
        return found + self.crashes_without_steps(call, its, world, around)

    def crashes_without_steps(self, call: ast.Call, its: Frame, world: World, around: Around):
        callee = self.machine.of(its)
        how = callee.policy.recovery if self.plain.processes[its.process].kind == "saga" else "resume"
        if how == "resume" or "crash" not in self.outside.kinds or not world.faults:
            return []
        label, spent = ("fault", "crash"), world._replace(faults=world.faults - 1)
        if how == "forget":
            return [(label, GONE, spent, None)]
        if around.past or around.beyond:
            return []
        return [(label, *after) for _, *after in self.goes_on("compensated", NOTHING, call, spent)]

    def called_saga(self, inner, call: ast.Call, its: Frame, world: World, around: Around):
        saga = self.machine.of(its)
        inside = self.into(around)
        found = saga.by_itself(inner, world, inside) if not fresh(inner) else []
        if not ended(inner):
            found += [m[:3] for m in saga.run(inner, world, inside)]
        found = [
            (label, ("called", after if label is None or ended(after) else in_course(after), call, its), w, None)
            for label, after, w in found
        ]
        if ended(inner):
            left = ("inside", its, inner[1]) if inner[0] == "done" else NOTHING
            found += self.goes_on(ENDS[inner[0]], left, call, world)
        return found

    def goes_on(self, end: str, left, call: ast.Call, world: World):
        """What an end of what was called leads to; `left` would undo it."""
        body = {h.name.text: h.body for h in call.handlers}.get(end)
        if body is None and end in ("compensated", "failed"):  # of what cannot fail by itself, when it is stopped
            return [(None, BACK, world, end)]
        return [(None, ("handled", body or ast.Block((), call.span), left), world, None)]

    def after_call(self, left, around: Around) -> Around:
        """Where a handler runs: behind a point of no return, where the saga that has completed may have passed one."""
        callee = self.machine.of(left[1]) if left[0] == "inside" else None
        return around._replace(past=around.past or (callee is not None and callee.pivotal(callee.saga.body)))

    def handled(self, inner, left):
        if not ended(inner):
            return ("handled", inner, left)
        if inner == BACK:
            return self.turning(left)
        return inner if inner == FAILED else done(("chain", (left, inner[1])))
