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


class Frame(NamedTuple):
    """Where a statement runs: in which process, and by which calls it came there."""

    process: str
    path: tuple = ()
    numbers: tuple = ()  # (name, number) of the instances of `for each` around

    @property
    def suffix(self) -> str:
        return "".join(f"[{number}]" for _, number in self.numbers)


FAILED = ("failed",)  # an instance that may fail did
MANY = "TooManyFailed"


class Interpreter:
    """One file, whose first process is the root unless another one is named."""

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
                return [(f"receive({event.text})", DONE, after) for after in self.set(sets, values, frame)]
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
            case ast.Parallel(_, branches):
                return [(None, ("ways", tuple(b.body for b in branches)), values)]
            case ast.Loop():
                found = []
                for going in self.may(term.while_, values, frame) if term.while_ is not None else [True]:
                    found.append((None, ("loop", term.body, term, 1) if going else DONE, values))
                return found
            case ast.Try():
                return [(None, ("try", term.body, term), values)]
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
                return [(label, _caught(after, attempt), v) for label, after, v in self.steps(inner, values, frame)]
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
        return [
            _with(values, {(frame.path, frame.process, name): value for name, value in zip(own, chosen, strict=True)})
            for chosen in product(*(self.first(v) for v in own.values()))
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
        found = self.spare(inner, each, values, frame)
        return [
            (label, after if _leaves(after) else ("series", after, rest, failed, each), v) for label, after, v in found
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
            if term[:1] in (("ended",), ("error",)) and not isinstance(term, ast.Raise):
                return []
            self.held = Counter(_held(term))
            return [(label, (after, v)) for label, after, v in self.steps(term, values, frame)]

        return None, successors


def _held(term):
    """The pool of each `with` that has begun and is not over, anywhere in a term."""
    if not isinstance(term, tuple) or hasattr(term, "_fields"):
        return
    if term[:1] == ("with",):
        yield term[2].pool.text
    for part in term:
        yield from _held(part)


def _with(values, changed):
    return tuple(sorted({**dict(values), **changed}.items(), key=repr))


def _raised(after) -> bool:
    return after[:1] == ("error",) and not isinstance(after, ast.Raise)


def _leaves(after) -> bool:
    """Whether what is left of a statement is for somebody further out."""
    return after == GONE or (after[:1] in (("error",), ("ended",)) and not isinstance(after, ast.Raise | ast.End))


def _within(after, tag, *rest):
    return after if _leaves(after) else (tag, after, *rest)


def _caught(after, attempt):
    if after == DONE:
        return DONE
    if after[:1] == ("error",) and not isinstance(after, ast.Raise):
        for handler in attempt.handlers:
            if handler.name.text in (after[1], "any"):
                return handler.body
        return after
    return _within(after, "try", attempt)


def _stopped(term):
    """The term after it was told to stop, or None where that has to wait."""
    match term:
        case ("dead",) | ("stop", _, _):
            return None
        case ("ended", _) if not isinstance(term, ast.End):
            return None
        case ("ways", ways):
            return ("stop", None, ways)
        case ("group", ways, begun, failed, stop, each):
            return ("group", ways, begun, failed, (None,), each) if stop is None else None
        case ("then" | "with" | "loop" | "try" | "call" | "at" | "series" as tag, inner, *rest) if tag:
            inner = _stopped(inner)
            return inner if inner in (None, GONE) else (tag, inner, *rest)
    return GONE
