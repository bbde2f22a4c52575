"""What a program of the language does, by rules on its syntax tree: no resolving, no net, no place, no token.

A state is a term and the values of all variables. A term is a statement that has not begun, or a tuple for one that has.
Labels are the names that the author gave (`take`, `take!OutOfRange` where it fails, `receive(order)`, `end(done)`); silent
steps have the label None. All this is said once more, and differently, in src/placet/compile; docs/semantics.md is the word.
"""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import NamedTuple

from placet.syntax import ast

DONE = ("done",)
DEAD = ("dead",)  # an end of the process was reached
GONE = ("gone",)  # was stopped
OUT = "OutOfRange"
GIVEN_UP = "!"  # the error of a saga that is given up, which no handler hears


class Frame(NamedTuple):
    """Where a statement runs: in which process, and by which calls it came there."""

    process: str
    path: tuple = ()
    numbers: tuple = ()  # (name, number) of the instances of `for each` around

    @property
    def suffix(self) -> str:
        return "".join(f"[{number}]" for _, number in self.numbers)


IDLE = ("idle",)  # of a handler beside: has not begun
FAILED = ("failed",)  # an instance that may fail did
MANY = "TooManyFailed"


class Interpreter:
    """One file, whose first process is the root unless another one is named."""

    room = 2  # how many runs may wait in the queue of an `every`

    def __init__(self, file: ast.File) -> None:
        self.processes = {i.name.text: i for i in file.items if isinstance(i, ast.Process)}
        self.root = next(iter(self.processes))
        self.params = {i.name.text: i.value.value for i in file.items if isinstance(i, ast.Parameter)}
        self.pools = {i.name.text: i for i in file.items if isinstance(i, ast.Pool)}
        self.held = Counter()  # by pool, in the term that is looked at
        self.common = {i.name.text: i for i in file.items if isinstance(i, ast.Variable)}

    # -- data

    def domain(self, variable: ast.Variable):
        domain = variable.domain
        if domain.kind is not None:
            return [False, True]
        if domain.names:
            return [n.text for n in domain.names]
        return list(range(self.count(domain.low), self.count(domain.high) + 1))

    def count(self, number: ast.Number) -> int:
        return self.params[number.name] if number.name else number.value

    def first(self, variable: ast.Variable):
        """The values that it may have at first."""
        domain = self.domain(variable)
        initial = variable.initial
        if initial is None:
            return domain[:1]
        if isinstance(initial, ast.Number):
            return [initial.value]
        if initial.text == "any":
            return domain
        return [{"true": True, "false": False}.get(initial.text, initial.text)]

    def own(self, process: str):
        return {v.name.text: v for v in self.processes[process].variables}

    def where(self, name: str, frame: Frame):
        """The declaration that a name means there, and under which key its value is kept; or None."""
        own = self.own(frame.process)
        if name in own:
            return own[name], (frame.path, frame.process, name)
        return (self.common[name], name) if name in self.common else None

    def value(self, name: str, values, frame: Frame):
        found = self.where(name, frame)
        if found is not None:
            return dict(values)[found[1]]
        numbers = {**self.params, **dict(frame.numbers)}
        if name in numbers:
            return numbers[name]
        return {"true": True, "false": False}.get(name, name)

    def number(self, terms, values, frame: Frame):
        """A sum; a single name may also stand for something that is no number."""
        if len(terms) == 1 and terms[0][0] == 1 and terms[0][1] is not None:
            return self.value(terms[0][1], values, frame)
        return sum(w if n is None else w * self.value(n, values, frame) for w, n in terms)

    def holds(self, formula, values, frame: Frame) -> bool:
        match formula:
            case ast.Compare(terms, op, bound):
                left = self.number([(w, a.name.text) for w, a in terms], values, frame)
                if isinstance(bound, ast.Number):
                    right = bound.value
                else:
                    right = self.number([(w, n and n.text) for w, n in bound.terms], values, frame)
                return {
                    "==": left == right, "!=": left != right, "<": op == "<" and left < right, ">": op == ">" and left > right,
                    "<=": op == "<=" and left <= right, ">=": op == ">=" and left >= right,
                }[op]  # fmt: skip
            case ast.Junction(op, parts):
                found = [self.holds(part, values, frame) for part in parts]
                return {"and": all(found), "or": any(found), "implies": not found[0] or found[-1]}[op]
            case ast.Negation(of):
                return not self.holds(of, values, frame)
            case ast.Atom(name):
                return self.value(name.text, values, frame)
        raise TypeError(formula)

    def may(self, guard, values, frame: Frame):
        """What a condition may say: one thing where variables decide it, both where a sentence stands."""
        return [True, False] if guard is None or isinstance(guard, ast.Text) else [self.holds(guard, values, frame)]

    def set(self, assignments, values, frame: Frame):
        """The values after assignments; None for each way in which one is outside its domain."""
        options = []
        for each in assignments:
            variable, key = self.where(each.variable.text, frame)
            domain = self.domain(variable)
            terms = [(w, n and n.text) for w, n in each.value.terms]
            if terms == [(1, "any")]:
                chosen = domain
            else:
                chosen = [self.number(terms, values, frame)]
                chosen = [not c for c in chosen] if each.negated else chosen
            options.append([(key, c if c in domain else None) for c in chosen])
        found = []
        for chosen in product(*options):
            outside = any(c is None for _, c in chosen)
            found.append(None if outside else _with(values, dict(chosen)))
        return found

    # -- `every` with so many runs, one after the other

    def nth(self, every: ast.Every, number: int, waiting: int):
        """The run with this number; `waiting`: how many more are due already."""
        return ("rounds", ("at", every.body, ("every", number)), every, number, waiting)

    def rounds(self, inner, every: ast.Every, number: int, waiting: int, values, frame: Frame):
        left = self.count(every.rounds) - number
        found = []
        if every.overlap.text == "queue" and waiting < min(left, self.room):
            found.append((None, ("rounds", inner, every, number, waiting + 1), values))
        stopped = _stopped(inner) if every.overlap.text == "cancel" and left and inner != DONE else None
        if stopped is not None:
            after = self.nth(every, number + 1, 0)
            after = after if stopped == GONE else ("leaving", stopped, after)
            found.append((f"timeout({every.duration.text})", after, values))
        if inner != DONE:
            its = self.steps(inner, values, frame)
            over = lambda after: (
                after if after == DONE and not left else _within(after, "rounds", every, number, waiting)
            )  # noqa: E731
            return found + [(label, over(after), v) for label, after, v in its]
        if waiting:
            return [*found, (None, self.nth(every, number + 1, waiting - 1), values)]
        return [*found, (f"timer({every.duration.text})", self.nth(every, number + 1, 0), values)]

    def left(self, pool: ast.Name, values) -> int:
        """How many of a pool nobody has: not acquired, and not held by a body that goes on somewhere."""
        return self.count(self.pools[pool.text].size) - dict(values).get(("pool", pool.text), 0) - self.held[pool.text]

    # -- statements

    def steps(self, term, values, frame: Frame):
        """(label, term, values) of everything that may happen next."""
        match term:
            case ast.Block(statements):
                first = ("then", statements[0], statements[1:]) if statements else DONE
                return [(None, first, values)]
            case ast.Task(name, _, fails, _, sets):
                told = name.text + frame.suffix
                found = [(f"{told}!{e.text}", ("error", e.text), values) for e in fails]
                for after in self.set(sets, values, frame):
                    if after is None:
                        found.append((f"{told}!{OUT}", ("error", OUT), values))
                    else:
                        found.append((told, DONE, after))
                return found
            case ast.Receive(event, _, sets):
                return [
                    (f"receive({event.text})", DONE, after)
                    for v in self.takes(event.text, values, frame)
                    for after in self.set(sets, v, frame)
                ]
            case ast.Timer(duration):
                return [(f"timer({duration.text})", DONE, values)]
            case ast.Raise(error):
                return [(f"raise({error.text})", ("error", error.text), values)]
            case ast.End(name):
                return [(f"end({name.text})", ("ended", name.text), values)]
            case ast.Choice():
                return self.choose(term, values, frame)
            case ast.Either(_, branches):
                return [(None, b.body, values) for b in branches]
            case ast.FirstOf(_, branches):
                return [
                    (label, b.body, after) for b in branches for label, _, after in self.steps(b.trigger, values, frame)
                ]
            case ast.Patch():
                new = dict(values)[frame.path, frame.process, f"patch {term.name.text}"]
                return [(None, term.body if new else term.otherwise or DONE, values)]
            case ("then", ast.Parallel() as some, rest) if (
                rest and some.others is not None and some.others.text == "go_on"
            ):
                behind = ast.Block(rest, some.span)
                ways = tuple(b.body for b in some.branches)
                return [(None, ("some", (*ways, IDLE), self.count(some.need), behind, None), values)]
            case ("then", ast.Call() as call, rest) if call.on_close is not None and call.on_close.text != "abandon":
                its = Frame(call.target.text, (*frame.path, call.span.start, frame.suffix))
                body = ("started", self.processes[call.target.text].body, its)
                behind = ast.Block(rest, call.span)
                how = call.on_close.text
                return [
                    (f"start({call.target.text})", ("child", body, behind, how, None), v)
                    for v in self.begin(its, values)
                ]
            case ("started", inner, its):
                if inner == ("again",):
                    return [
                        (None, ("started", self.processes[its.process].body, its), v) for v in self.begin(its, values)
                    ]
                if inner == DONE or (_leaves(inner) and inner != GONE):
                    return [(None, DONE, values)]
                found = self.steps(inner, values, its)
                return [(label, GONE if after == GONE else ("started", after, its), v) for label, after, v in found]
            case ("child", its, rest, how, stop):
                return self.child(its, rest, how, stop, values, frame)
            case ast.Parallel(_, branches) if term.need is not None and (
                term.others is None or term.others.text != "go_on"
            ):
                return [(None, ("some", tuple(b.body for b in branches), self.count(term.need), None, None), values)]
            case ("some", ways, need, behind, stop):
                return self.some(ways, need, behind, stop, values, frame)
            case ast.Parallel(_, branches):
                return [(None, ("ways", tuple(b.body for b in branches)), values)]
            case ast.Loop():
                found = []
                for going in self.may(term.while_, values, frame) if term.while_ is not None else [True]:
                    found.append((None, ("loop", term.body, term, 1) if going else DONE, values))
                return found
            case ast.Try():
                beside = [h for h in term.handlers if h.beside]
                if not beside:
                    return [(None, ("try", term.body, term), values)]
                most = [self.count(h.at_most) if h.at_most else 2 if h.signal else 1 for h in beside]
                runs = tuple((IDLE,) * n for n in most)
                body = ("beside", term.body, tuple(("listens", 0) for _ in beside), runs, tuple(beside), None)
                return [(None, ("try", body, term), values)]
            case ast.Again():
                return [("again", ("again",), values)]
            case ast.Every(_, overlap, body, _, at_most, rounds) if rounds is not None and overlap.text == "allow":
                return self.steps(instances_of(term, self.count(rounds), at_most), values, frame)
            case ast.Every(duration) if term.rounds is not None:
                return [(f"timer({duration.text})", self.nth(term, 1, 0), values)]
            case ("rounds", inner, every, number, waiting):
                return self.rounds(inner, every, number, waiting, values, frame)
            case ast.Every(duration, overlap, body):
                if overlap.text == "allow":
                    alone = term._replace(overlap=overlap._replace(text="skip"))
                    ways = tuple(("at", alone, ("every", n)) for n in range(1, self.count(term.at_most) + 1))
                    return [(None, ("ways", ways), values)]
                after = {"queue": ("queue", body, term, 0), "cancel": ("cancel", body, term)}
                return [(f"timer({duration.text})", after.get(overlap.text, ("then", body, (term,))), values)]
            case ("queue", inner, every, waiting):
                found = [(None, ("queue", inner, every, waiting + 1), values)] if waiting < self.room else []
                if inner != DONE:
                    its = self.steps(inner, values, frame)
                    return found + [(label, _within(after, "queue", every, waiting), v) for label, after, v in its]
                if waiting:
                    return [*found, (None, ("queue", every.body, every, waiting - 1), values)]
                return [(f"timer({every.duration.text})", ("queue", every.body, every, 0), values)]
            case ("cancel", inner, every):
                again, stopped = ("cancel", every.body, every), _stopped(inner)
                label = f"timeout({every.duration.text})"
                found = [(label, again if stopped == GONE else ("leaving", stopped, again), values)] if stopped else []
                if inner == DONE:
                    return [*found, (f"timer({every.duration.text})", again, values)]
                its = self.steps(inner, values, frame)
                return found + [(label, _within(after, "cancel", every), v) for label, after, v in its]
            case ast.Call(target) if term.detached:
                return [(f"start({target.text})", DONE, values)]
            case ast.With(pool):
                return [(None, ("with", term.body, term), values)] if self.left(pool, values) else []
            case ast.Acquire(pool):
                key = ("pool", pool.text)
                taken = dict(values).get(key, 0) + 1
                return [(f"acquire({pool.text})", DONE, _with(values, {key: taken}))] if self.left(pool, values) else []
            case ast.Release(pool):
                key = ("pool", pool.text)
                taken = dict(values).get(key, 0) - 1
                return [(f"release({pool.text})", DONE, _with(values, {key: taken}))] if taken >= 0 else []
            case ("with", inner, within):
                if inner == DONE:
                    return [(None, DONE, values)]
                return [
                    (label, _within(after, "with", within), v) for label, after, v in self.steps(inner, values, frame)
                ]
            case ast.Call(target):
                inner = Frame(target.text, (*frame.path, term.span.start, frame.suffix))
                body = ("call", self.processes[target.text].body, term, inner)
                return [(None, body, start) for start in self.begin(inner, values)]
            case ast.ForEach():
                numbers = range(self.count(term.low), self.count(term.high) + 1)
                ways = tuple(("at", term.body, (term.name.text, n)) for n in numbers)
                if not term.parallel:
                    return [(None, ("series", ways[0], ways[1:], 0, term), values)]
                begun = 0 if term.at_most is not None else len(ways)
                return [(None, ("group", ways, begun, 0, None, term), values)]
            case ("at", inner, number):
                its = frame._replace(numbers=(*frame.numbers, number))
                return [
                    (label, _within(after, "at", number) if after != DONE else DONE, v)
                    for label, after, v in self.steps(inner, values, its)
                ]
            case ("series", inner, rest, failed, each):
                return self.series(inner, rest, failed, each, values, frame)
            case ("group", ways, begun, failed, stop, each):
                return self.group(ways, begun, failed, stop, each, values, frame)
            case ("then", inner, rest):
                return [
                    (
                        label,
                        (("then", rest[0], rest[1:]) if rest else DONE)
                        if after == DONE
                        else _within(after, "then", rest),
                        v,
                    )
                    for label, after, v in self.steps(inner, values, frame)
                ]
            case ("loop", inner, loop, number):
                return self.loop(inner, loop, number, values, frame)
            case ("try", inner, attempt):
                found = [(label, _caught(after, attempt), v) for label, after, v in self.steps(inner, values, frame)]
                return found + self.interrupted(inner, attempt, values, frame)
            case ("leaving", inner, body):
                return [
                    (label, body if after == GONE else ("leaving", after, body), v)
                    for label, after, v in self.steps(inner, values, frame)
                ]
            case ("beside", *_):
                return self.beside(term, values, frame)
            case ("call", inner, call, its):
                return self.call(inner, call, its, values)
            case ("ways", ways):
                return self.ways(ways, values, frame)
            case ("stop", reason, ways):
                return self.stopping(reason, ways, values, frame)
        return []

    def begin(self, frame: Frame, values):
        """The values with those of a process that begins."""
        own = self.own(frame.process)
        signals = {
            (frame.path, frame.process, f"signal {name}"): (most, 0) for name, (_, most) in self.signals(frame).items()
        }
        values = _with(values, signals) if signals else values
        patches = {n.name.text for n in _nodes(self.processes[frame.process].body) if isinstance(n, ast.Patch)}
        domains = {**{n: self.first(v) for n, v in own.items()}, **{f"patch {p}": [False, True] for p in patches}}
        return [
            _with(values, {(frame.path, frame.process, n): value for n, value in zip(domains, chosen, strict=True)})
            for chosen in product(*domains.values())
        ]

    def choose(self, choice, values, frame: Frame):
        """Conditions in their order; a sentence may hold or not, so that the ways behind it stay open."""
        found = []
        for branch in choice.branches:
            said = self.may(branch.guard, values, frame)
            if True in said:
                found.append((None, branch.body, values))
            if False not in said:
                return found
        if choice.otherwise is not None:
            return [*found, (None, choice.otherwise, values)]
        return [*found, (None, ("error", "NoChoiceMatched"), values)]

    def loop(self, inner, loop, number, values, frame: Frame):
        if inner != DONE:
            return [
                (label, after if _leaves(after) else ("loop", after, loop, number), v)
                for label, after, v in self.steps(inner, values, frame)
            ]
        most = loop.at_most.value if loop.at_most is not None else None
        if most is not None and number >= most:
            return [(None, DONE, values)]
        guard = loop.while_ if loop.while_ is not None else loop.until
        again = ("loop", loop.body, loop, number + 1 if most is not None else 1)
        if guard is None:
            return [(None, again, values)]
        said = self.may(guard, values, frame)
        return [(None, again if s is (loop.while_ is not None) else DONE, values) for s in said]

    def call(self, inner, call, its, values):
        if inner == DONE:
            inner = ("ended", "completed")
        if inner == ("again",):
            return [(None, ("call", self.processes[its.process].body, call, its), v) for v in self.begin(its, values)]
        if inner[:1] == ("error",) and not isinstance(inner, ast.Raise):
            inner = ("ended", "failed")
        if inner[:1] == ("ended",):
            handled = {h.name.text: h.body for h in call.handlers}
            if inner[1] in handled:
                return [(None, handled[inner[1]], values)]
            return [(None, ("error", "failed") if inner[1] == "failed" else DONE, values)]
        return [
            (label, GONE if after == GONE else ("call", after, call, its), v)
            for label, after, v in self.steps(inner, values, its)
        ]

    def ways(self, ways, values, frame: Frame):
        if all(way == DONE for way in ways):
            return [(None, DONE, values)]
        found = []
        for i, way in enumerate(ways):
            for label, after, v in self.steps(way, values, frame):
                if after[:1] == ("error",) and not isinstance(after, ast.Raise):
                    found.append((label, ("stop", after[1], (*ways[:i], GONE, *ways[i + 1 :])), v))
                else:
                    found.append((label, ("ways", (*ways[:i], after, *ways[i + 1 :])), v))
        return found

    def spare(self, way, each, values, frame: Frame):
        """The steps of an instance; where some may fail, an error leaves it as failed."""
        found = self.steps(way, values, frame)
        if each.tolerate is None:
            return found
        return [(label, FAILED if _raised(after) else after, v) for label, after, v in found]

    def series(self, inner, rest, failed, each, values, frame: Frame):
        """One instance after the other."""
        if inner == FAILED:
            failed += 1
            if failed > self.count(each.tolerate):
                return [(None, ("error", MANY), values)]
            inner = DONE
        if inner == DONE:
            return [(None, ("series", rest[0], rest[1:], failed, each) if rest else DONE, values)]
        over = lambda after: _leaves(after) or (after == DONE and not rest)  # noqa: E731
        found = self.spare(inner, each, values, frame)
        return [
            (label, after if over(after) else ("series", after, rest, failed, each), v) for label, after, v in found
        ]

    def group(self, ways, begun, failed, stop, each, values, frame: Frame):
        """Instances in parallel; `stop` is None, or says what comes when all are stopped: (error,), or (None,)."""
        if stop is None and all(way == DONE for way in ways):
            return [(None, DONE, values)]
        if stop is not None and all(way == GONE for way in ways):
            return [(None, ("error", stop[0]) if stop[0] else GONE, values)]
        found = []
        busy = sum(way != DONE for way in ways[:begun])
        if begun < len(ways) and ways[begun] != GONE and busy < self.count(each.at_most):
            found.append((None, ("group", ways, begun + 1, failed, stop, each), values))
        for i, way in enumerate(ways):
            rest = (ways[:i], ways[i + 1 :])
            if stop is not None and way != GONE:
                stopped = _stopped(way)
                if stopped is not None:
                    found.append((None, ("group", (*rest[0], stopped, *rest[1]), begun, failed, stop, each), values))
            if i >= begun:
                continue
            if way == FAILED:
                if failed < self.count(each.tolerate):
                    found.append((None, ("group", (*rest[0], DONE, *rest[1]), begun, failed + 1, stop, each), values))
                elif stop is None:
                    found.append((None, ("group", (*rest[0], GONE, *rest[1]), begun, failed, (MANY,), each), values))
                continue
            for label, after, v in self.spare(way, each, values, frame):
                if _raised(after):
                    if stop is None:
                        found.append(
                            (label, ("group", (*rest[0], GONE, *rest[1]), begun, failed, (after[1],), each), v)
                        )
                else:
                    found.append((label, ("group", (*rest[0], after, *rest[1]), begun, failed, stop, each), v))
        return found

    def stopping(self, reason, ways, values, frame: Frame):
        if all(way == GONE for way in ways):
            return [(None, GONE if reason is None else ("error", reason), values)]
        found = []
        for i, way in enumerate(ways):
            if way == GONE:
                continue
            for label, after, v in self.steps(way, values, frame):
                if after[:1] != ("error",):
                    found.append((label, ("stop", reason, (*ways[:i], after, *ways[i + 1 :])), v))
            stopped = _stopped(way)
            if stopped is not None:
                found.append((None, ("stop", reason, (*ways[:i], stopped, *ways[i + 1 :])), values))
        return found

    # -- signals and what goes on beside

    def signals(self, frame: Frame):
        """The signals of its process: whether they are kept, and how many may come."""
        process = self.processes[frame.process]
        declared = {n.text: self.count(s.at_most) if s.at_most else 1 for s in process.signals for n in s.names}
        buffered = {n.event.text for n in _nodes(process.body) if isinstance(n, ast.Receive) and n.buffered}
        return {x: (x in buffered, declared.get(x, 2)) for x in (*declared, *buffered)}

    def takes(self, event: str, values, frame: Frame):
        """The values after it was taken; as they are where it can always come."""
        found = self.signals(frame).get(event)
        if found is None:
            return [values]
        key = (frame.path, frame.process, f"signal {event}")
        left, kept = dict(values)[key]
        if found[0]:
            return [_with(values, {key: (left, kept - 1)})] if kept else []
        return [_with(values, {key: (left - 1, 0)})] if left else []

    def comes(self, term, values, frame: Frame):
        """A signal comes: it is kept, or lost where nobody waits for it."""
        found = []
        waited = self.waited(term, frame)
        for key, value in dict(values).items():
            if not (isinstance(key, tuple) and key[-1].startswith("signal ")):
                continue
            where, name = Frame(key[1], key[0]), key[-1].removeprefix("signal ")
            left, kept = value
            if left and self.signals(where)[name][0]:
                found.append((None, term, _with(values, {key: (left - 1, kept + 1)})))
            elif left and (where.path, name) not in waited:
                found.append((None, term, _with(values, {key: (left - 1, 0)})))
        return found

    def waited(self, term, frame: Frame):
        """The signals that somebody waits for at this moment, each with its run of a process."""
        match term:
            case ast.Receive(event):
                return {(frame.path, event.text)}
            case ast.FirstOf(_, branches):
                return set().union(*(self.waited(b.trigger, frame) for b in branches))
            case ("try", inner, attempt):
                found = self.waited(inner, frame)
                if _stopped(inner) is not None:
                    found |= {(frame.path, h.name.text) for h in attempt.handlers if h.signal and not h.beside}
                return found
            case ("call", inner, _, its) | ("started", inner, its):
                return self.waited(inner, its)
            case ("child", its, rest, *_):
                return self.waited(its, frame) | self.waited(rest, frame)
            case ("ways", ways) | ("stop", _, ways) | ("some", ways, *_):
                return set().union(*(self.waited(way, frame) for way in ways))
            case ("group", ways, begun, *_):
                return set().union(*(self.waited(way, frame) for way in ways[:begun]))
            case ("beside", body, listening, runs, handlers, _):
                found = self.waited(body, frame)
                for told, its, handler in zip(listening, runs, handlers, strict=True):
                    found = found.union(*(self.waited(run, frame) for run in its if run != IDLE))
                    if handler.signal and told[0] == "listens" and told[1] < len(its):
                        found.add((frame.path, handler.name.text))
                return found
            case ("then" | "loop" | "at" | "series" | "leaving" | "queue" | "cancel", inner, *_):
                return self.waited(inner, frame)
        return set()

    def interrupted(self, inner, attempt, values, frame: Frame):
        """A signal or a time-out takes what is going on from wherever it is."""
        stopped = _stopped(inner)
        if stopped is None:
            return []
        found = []
        for h in attempt.handlers:
            if h.beside or not (h.signal or h.name.text == "timeout"):
                continue
            label = f"signal({h.name.text})" if h.signal else f"timeout({h.timeout.text if h.timeout else ''})"
            after = h.body if stopped == GONE else ("leaving", stopped, h.body)
            found += [(label, after, v) for v in (self.takes(h.name.text, values, frame) if h.signal else [values])]
        return found

    def some(self, ways, need, behind, stop, values, frame: Frame):
        """Goes on when enough ways are done; the last one is what comes after them, where the others go on."""
        going = ways if behind is None else ways[:-1]
        if stop is None and sum(way == DONE for way in going) >= need and behind is None:
            return [
                (None, ("some", ways, need, behind, (DONE,)), values),
                *self.some_ways(ways, need, behind, stop, values, frame),
            ]
        if stop is None and behind is not None and all(way == DONE for way in ways):
            return [(None, DONE, values)]
        if stop is not None and all(way == GONE for way in ways):
            reason = stop[0]
            if reason is None:
                return [(None, GONE, values)]
            after = reason if reason == DONE or isinstance(reason, tuple) else ("error", reason)
            return [(None, after, values)]
        found = self.some_ways(ways, need, behind, stop, values, frame)
        if behind is not None and ways[-1] == IDLE and sum(way == DONE for way in going) >= need:
            found.append((None, ("some", (*going, behind), need, behind, stop), values))
        return found

    def child(self, its, rest, how, stop, values, frame: Frame):
        """A process that was started, and all that its starter does after. `stop` says what comes when both are stopped."""
        if stop is not None and its == GONE and rest == GONE:
            return [(None, GONE if stop[0] is None else stop[0], values)]
        found = []
        for label, after, v in self.steps(its, values, frame):
            found.append((label, ("child", after, rest, how, stop), v))
        over = rest == DONE or (_leaves(rest) and rest != GONE)
        if over and stop is None:
            if how == "cancel":
                found.append((None, ("child", its, GONE, how, (rest,)), values))
            elif its == DONE:
                found.append((None, rest, values))
        for label, after, v in [] if over else self.steps(rest, values, frame):
            if _leaves(after) and after != GONE and (how == "cancel" or _raised(after)):
                if stop is None:
                    found.append((label, ("child", its, GONE, how, (after,)), v))
            else:
                found.append((label, ("child", its, after, how, stop), v))
        if stop is not None:
            if its != GONE and (stopped := _stopped(its)) is not None:
                found.append((None, ("child", stopped, rest, how, stop), values))
            if rest != GONE and (stopped := _stopped(rest, ends=True)) is not None:
                found.append((None, ("child", its, stopped, how, stop), values))
        return found

    def some_ways(self, ways, need, behind, stop, values, frame: Frame):
        found = []
        for i, way in enumerate(ways):
            last = behind is not None and i == len(ways) - 1
            for label, after, v in self.steps(way, values, frame):
                if _raised(after) or (last and _leaves(after) and after != GONE):
                    if stop is None:
                        reason = after[1] if _raised(after) else after
                        found.append((label, ("some", _at(ways, i, GONE), need, behind, (reason,)), v))
                else:
                    found.append((label, ("some", _at(ways, i, after), need, behind, stop), v))
            if stop is not None and way != GONE:
                stopped = GONE if way == IDLE else _stopped(way, ends=last)
                if stopped is not None:
                    found.append((None, ("some", _at(ways, i, stopped), need, behind, stop), values))
        return found

    def beside(self, term, values, frame: Frame):
        """A body, those who listen, and what was begun beside it."""
        _, body, listening, runs, handlers, stop = term
        everything = (body, *listening, *(r for its in runs for r in its))
        if stop is None and all(one == DONE for one in everything):
            return [(None, DONE, values)]
        if stop is not None and all(one == GONE for one in everything):
            reason = stop[0]
            after = GONE if reason is None else ("ended", reason[1]) if isinstance(reason, tuple) else ("error", reason)
            return [(None, after, values)]
        found = []

        def going(label, v, *, body=body, listening=listening, runs=runs, stop=stop):
            found.append((label, ("beside", body, listening, runs, handlers, stop), v))

        if stop is None and body == DONE and any(told != DONE for told in listening):
            closed = tuple(tuple(DONE if r == IDLE else r for r in its) for its in runs)
            going(None, values, listening=(DONE,) * len(listening), runs=closed)

        def ways():
            yield body, lambda one: {"body": one}
            for i, its in enumerate(runs):
                for j, run in enumerate(its):
                    yield run, lambda one, i=i, j=j: {"runs": _at(runs, i, _at(runs[i], j, one))}
            for i, told in enumerate(listening):
                yield told, lambda one, i=i: {"listening": _at(listening, i, one)}

        for way, put in ways():
            for label, after, v in self.steps(way, values, frame):
                if _leaves(after) and after != GONE:
                    if stop is None:
                        reason = after if after[0] == "ended" else after[1]
                        going(label, v, **put(GONE), stop=(reason,))
                else:
                    going(label, v, **put(after))
            if stop is not None and way != GONE:
                stopped = GONE if way == IDLE or way[:1] == ("listens",) else _stopped(way, ends=True)
                if stopped is not None:
                    going(None, values, **put(stopped))
        for i, (told, handler) in enumerate(zip(listening, handlers, strict=True)):
            if told[0] != "listens" or told[1] >= len(runs[i]) or runs[i][told[1]] != IDLE:
                continue
            label = f"signal({handler.name.text})" if handler.signal else f"timeout({handler.timeout.text})"
            begun = _at(runs, i, _at(runs[i], told[1], handler.body))
            for v in self.takes(handler.name.text, values, frame) if handler.signal else [values]:
                going(label, v, listening=_at(listening, i, ("listens", told[1] + 1)), runs=begun)
        return found

    # -- the whole

    def system(self):
        """(initial, successors) as oracles.traces compares them."""
        frame = Frame(self.root)

        def successors(state):
            if state is None:
                keys = list(self.common)
                found = []
                for chosen in product(*(self.first(self.common[k]) for k in keys)):
                    for values in self.begin(frame, tuple(sorted(zip(keys, chosen, strict=True), key=repr))):
                        found.append((None, (self.processes[self.root].body, values)))
                return found
            term, values = state
            if term == DONE:
                return [("completed", (DEAD, values))]
            if term == ("again",):
                return [(None, (self.processes[self.root].body, v)) for v in self.begin(frame, values)]
            if term[:1] in (("ended",), ("error",)) and not isinstance(term, ast.Raise):
                return []
            self.held = Counter(_held(term))
            found = [*self.steps(term, values, frame), *self.comes(term, values, frame)]
            return [(label, (after, v)) for label, after, v in found]

        return None, successors


def instances_of(every: ast.Every, count: int, at_most) -> ast.ForEach:
    """So many runs of which some may go on at once, each with the wait before it."""
    one = ast.Number(1, every.span)
    at_most = None if at_most.value >= count else at_most  # which then holds nothing back
    body = ast.Block((ast.Timer(every.duration, every.span), *every.body.statements), every.span)
    return ast.ForEach(
        ast.Name("every", every.span), one, one._replace(value=count), at_most, True, None, body, every.span
    )


def _held(term):
    """The pool of each `with` that has begun and is not over, anywhere in a term."""
    if not isinstance(term, tuple) or hasattr(term, "_fields"):
        return
    if term[:1] == ("with",):
        yield term[2].pool.text
    if term[:1] == ("holding",):  # to undo what was done in one
        yield term[1].text
    for part in term:
        yield from _held(part)


def _with(values, changed):
    return tuple(sorted({**dict(values), **changed}.items(), key=repr))


def _raised(after) -> bool:
    return after[:1] == ("error",) and not isinstance(after, ast.Raise)


def _leaves(after) -> bool:
    """Whether what is left of a statement is for somebody further out."""
    return after in (GONE, ("again",)) or (
        after[:1] in (("error",), ("ended",)) and not isinstance(after, ast.Raise | ast.End)
    )


def _within(after, tag, *rest):
    return after if _leaves(after) else (tag, after, *rest)


def _caught(after, attempt):
    if after == DONE:
        return DONE
    if after[:1] == ("error",) and not isinstance(after, ast.Raise):
        for handler in attempt.handlers:
            if handler.name.text in (after[1], "any") and not handler.signal and after[1] != GIVEN_UP:
                return handler.body
        return after
    return _within(after, "try", attempt)


def _stopped(term, *, ends: bool = False):
    """The term after it was told to stop, or None where that has to wait. `ends`: an end of the process can be stopped."""
    match term:
        case ("dead",):
            return None
        case ("stop", reason, ways):
            return GONE if reason is not None and all(way == GONE for way in ways) else None
        case ("ended", _) if not isinstance(term, ast.End):
            return GONE if ends else None
        case ("ways", ways):
            return ("stop", None, ways)
        case ("group", ways, begun, failed, stop, each):
            if stop is not None:
                return GONE if stop[0] is not None and all(way == GONE for way in ways) else None
            return ("group", ways, begun, failed, (None,), each)
        case ("some", ways, need, behind, stop):
            if stop is None:
                return ("some", ways, need, behind, (None,))
            over = stop[0] not in (None, DONE) and all(way == GONE for way in ways)
            return GONE if over and (ends or not isinstance(stop[0], tuple)) else None
        case ("child", its, rest, how, stop):
            if stop is None:
                return ("child", its, rest, how, (None,))
            over = stop[0] not in (None, DONE) and its == rest == GONE
            return GONE if over and (ends or _raised(stop[0])) else None
        case ("started", inner, its):
            inner = _stopped(inner)
            return inner if inner in (None, GONE) else ("started", inner, its)
        case ("beside", body, listening, runs, handlers, stop):
            if stop is None:
                return ("beside", body, listening, runs, handlers, (None,))
            over = all(one == GONE for one in (body, *listening, *(r for its in runs for r in its)))
            return GONE if over and stop[0] is not None and (ends or not isinstance(stop[0], tuple)) else None
        case (
            "then"
            | "with"
            | "loop"
            | "try"
            | "call"
            | "at"
            | "series"
            | "leaving"
            | "queue"
            | "cancel"
            | "rounds" as tag,
            inner,
            *rest,
        ) if tag:
            inner = _stopped(inner, ends=ends and tag != "call")
            return inner if inner in (None, GONE) else (tag, inner, *rest)
    return GONE


def _at(items, index, value):
    return (*items[:index], value, *items[index + 1 :])


def _nodes(value):
    """Every value of a tree."""
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, tuple):
            yield one
            todo += one
