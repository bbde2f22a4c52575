"""Why a formula about runs is false, in words: the way down the formula, each part told at the step where it failed.

A tree of CTL gives that way itself; of LTL it is found on the run, which every part of the formula is evaluated on. Both become the same:
parts with the position where they are asked and the one where they have failed, so that one voice tells them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.replay_formulas import Word
from placet.evidence import Lasso, Tree
from placet.logic.state import evaluate
from placet.logic.temporal import (
    NO,
    YES,
    Atom,
    Conj,
    Disj,
    Every,
    Formula,
    Neg,
    Next,
    Release,
    Some,
    Until,
    is_plain,
    normal,
)
from placet.report.run import can_fire, end_name, going_on, marked_ends, walk
from placet.report.words import listed, quoted
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from placet.compiled import Compiled
    from placet.evidence import Branch, Trace, Violated
    from placet.logic.state import Predicate
    from placet.report.run import Run


class Failed(NamedTuple):
    """A part that is false at a position of the run (0: the start), and where it was lost.

    `stays`: what it asks for never comes about from `lost` on. `closed`: that nothing leads to it was searched.
    """

    formula: Formula
    at: int
    lost: int
    stays: bool = False
    closed: bool = False
    parts: tuple[Failed, ...] = ()


def spine(root: Branch) -> tuple[Trace, Trace, tuple[Branch, ...]]:
    """The run that a tree shows, its loop as it is told, and the ways on where it shows several."""
    trace: Trace = ()
    branch = root
    while True:
        trace += branch.trace
        if branch.stays:
            return trace, branch.told or branch.loop, ()
        on = _ways_on(branch)
        if len(on) != 1:
            return trace, (), on
        (branch,) = on


def _ways_on(branch: Branch) -> tuple[Branch, ...]:
    """The parts that a run shows: not what looks at one state, nor what says that nothing leads somewhere."""
    return tuple(p for p in branch.parts if not is_plain(p.formula) and not isinstance(p.formula, Some))


def failed(run: Run) -> Failed:
    """The way down the formula of the check."""
    witness = run.violated.witness
    if isinstance(witness, Tree):
        return _of_branch(witness.root, 0)
    loop: Trace = (witness.told or witness.loop) if isinstance(witness, Lasso) else ()
    formula = getattr(run.violated.claim, "formula", YES)
    trace: Trace = getattr(witness, "trace", ())
    return _on_run(Word(run.compiled, trace, loop), normal(formula), 0)


def run_of(compiled: Compiled, violated: Violated) -> tuple[Trace, Trace]:
    """What is told of a witness: the run, and its loop in short; of a run that has gone wrong for good by some step, no more."""
    witness = violated.witness
    if isinstance(witness, Tree):
        trace, loop, _ = spine(witness.root)
        return trace, loop
    trace = getattr(witness, "trace", ())
    loop = (witness.told or witness.loop) if isinstance(witness, Lasso) else ()
    part = _on_run(Word(compiled, trace, loop), normal(getattr(violated.claim, "formula", YES)), 0)
    last = _decided(part, 0)
    return ((trace + loop)[:last], ()) if last >= 0 else (trace, loop)


def _decided(part: Failed, since: int) -> int:
    """The position by which the run shows all that is told of a part; -1 where that takes the run as a whole."""
    if part.stays or part.at < since or part.lost < part.at:
        return -1
    found = [_decided(p, part.lost) for p in part.parts]
    return -1 if -1 in found else max((part.lost, *found))


def _of_branch(branch: Branch, at: int) -> Failed:
    lost = at + len(branch.trace)
    on = _ways_on(branch)
    several = len(on) > 1 and not branch.stays  # then each is told as a run of its own
    parts = tuple(_of_branch(part, lost) for part in branch.parts if not (several and part in on))
    return Failed(branch.formula, at, lost, branch.stays, isinstance(branch.formula, Some), parts)


def _on_run(word: Word, formula: Formula, at: int) -> Failed:
    """Why a formula of LTL in normal form is false at a position."""
    if is_plain(formula):
        return Failed(formula, at, at)
    match formula:
        case Conj(of):
            false = [f for f in of if not word.holds(f)[at]]
            one = min(false, key=lambda f: not is_plain(f))
            return Failed(formula, at, at, parts=(_on_run(word, one, at),))
        case Disj(of):
            return Failed(formula, at, at, parts=tuple(_on_run(word, f, at) for f in of))
        case Next(of):
            after = at + 1 if at + 1 < len(word.states) else word.first
            return Failed(formula, at, after, parts=(_on_run(word, of, after),))
        case Release(_, right):
            lost = next(i for i in _from(word, at) if not word.holds(right)[i])
            return Failed(formula, at, lost, parts=(_on_run(word, right, lost),))
        case Until(left, right):
            for i in _from(word, at):
                if not word.holds(left)[i] and not word.holds(right)[i]:
                    return Failed(formula, at, i, parts=(_on_run(word, left, i), _on_run(word, right, i)))
            # lost is where the loop begins, or where it is asked if that is later: before, nothing is decided
            inner = () if is_plain(right) else (_on_run(word, right, max(at, word.first)),)
            return Failed(formula, at, max(at, word.first), stays=True, parts=inner)
    return Failed(formula, at, at)


def _from(word: Word, at: int) -> Iterator[int]:
    """The positions from one on, each once."""
    yield from range(at, len(word.states))
    yield from range(min(word.first, at), at)


# -- words -----------------------------------------------------------------------------------------------------------


class Words:
    """Formulas in words, atoms as the user wrote them; an atom that the user did not write has none."""

    def __init__(self, run: Run) -> None:
        self._texts = dict(run.query.atoms)

    def known(self, formula: Formula) -> bool:
        """Whether the user wrote it."""
        match formula:
            case Atom(predicate):
                return predicate in self._texts
            case Neg(of):
                return self.known(of)
            case Conj(of) | Disj(of):
                return all(self.known(f) for f in of)
            case Until(left, right) | Release(left, right):
                return self.known(left) and self.known(right)
        return self.known(formula.of)

    def atom(self, predicate: Predicate) -> str:
        """An atom in backticks."""
        return quoted(self._texts.get(predicate, "that"))

    def say(self, formula: Formula, *, inner: bool = False) -> str:
        """A noun-like clause for the formula; `inner`: in brackets where it would run into what stands around it."""
        match formula:
            case Atom(predicate):
                return self.atom(predicate)
            case Neg(of):
                return f"not {self.say(of, inner=True)}"
            case Conj() | Disj():
                return self._junction(formula, inner=inner)
            case Every(of) | Some(of):
                return self._on_runs(of, some=isinstance(formula, Some))
        return self._on_runs(formula, some=False)

    def _junction(self, formula: Conj | Disj, *, inner: bool) -> str:
        if isinstance(formula, Disj):
            given = [f for f in formula.of if isinstance(f, Neg)]
            then = [f for f in formula.of if not isinstance(f, Neg)]
            if given and then and all(not is_plain(f) for f in then):
                premise = " and ".join(self.say(f.of, inner=True) for f in given)
                return f"if {premise}, then {' or '.join(self.say(f) for f in then)}"
        said = listed([self.say(f, inner=True) for f in formula.of], "and" if isinstance(formula, Conj) else "or", 12)
        return f"({said})" if inner and len(formula.of) > 1 else said

    def _on_runs(self, of: Formula, *, some: bool) -> str:
        way = "a way on which " if some else ""
        match of:
            case Next(inner):
                return f"{way}{self.say(inner, inner=True)} in the next step"
            case Until(left, right) if left == YES:
                return f"{'a way to ' if some else ''}{self.say(right, inner=True)}{'' if some else ' in the end'}"
            case Until(left, right):
                return f"{way}{self.say(left, inner=True)} until {self.say(right, inner=True)}"
            case Release(left, Neg(right)) if left == NO:
                return f"{way}never {self.say(right, inner=True)}"
            case Release(left, right) if left == NO:
                return f"{way}always {self.say(right, inner=True)}"
            case Release(left, right):
                return f"{way}{self.say(right, inner=True)} until and with {self.say(left, inner=True)}"
        return self.say(of)


def reasons(run: Run) -> Iterator[str]:
    """Clauses that say which part failed, at which step, and what keeps it from coming true."""
    yield from dict.fromkeys(_why(run, Words(run), failed(run)))


def told(run: Run, branch: Branch, at: int) -> Iterator[str]:
    """The same of a branch that is asked at a position of its run."""
    yield from dict.fromkeys(_why(run, Words(run), _of_branch(branch, at)))


def _why(run: Run, words: Words, part: Failed) -> Iterator[str]:
    formula = part.formula
    if is_plain(formula):
        yield from _facts(run, words, formula, part.at)
        return
    below = [p for p in part.parts if not is_plain(p.formula)]
    plain = [p for p in part.parts if is_plain(p.formula)]
    inner = formula.of if isinstance(formula, (Every, Some)) else formula
    if not words.known(formula):
        below, plain = list(part.parts), []
    elif isinstance(inner, Until) and not part.closed:
        yield _missed(run, words, part, inner)
        plain = [] if part.stays else plain
    elif part.closed:
        yield _unreachable(run, words, part, inner)
    elif isinstance(inner, Next):
        hidden = not run.steps[part.lost - 1].shown if 0 < part.lost <= len(run.steps) else True
        which = "bookkeeping that is not shown" if hidden else _step(run, part.lost)
        yield f"the next step is {which}, and after it {words.say(inner.of, inner=True)} does not hold"
    for one in (*plain, *below):
        yield from _why(run, words, one)


def _missed(run: Run, words: Words, part: Failed, until: Until) -> str:
    wanted = words.say(until.right, inner=True)
    since = "from the start on" if part.at == 0 else f"after {_step(run, part.at)}"
    if not part.stays:
        return f"{since} {words.say(until.left)} must hold until {wanted}, and it ends too early"
    if run.loop is not None:
        shown = next((n for n in range(run.loop, len(run.fired)) if run.steps[n].shown), run.loop)
        first, last = run.number(shown), run.number(len(run.fired) - 1)
        rounds = f"step {first}" if first == last else f"steps {first} to {last}"
        return f"{since} {wanted} never comes about: {rounds} can be repeated for ever"
    over = f"the run is over after {_step(run, len(run.fired))}" if run.fired else "nothing can happen at all"
    return f"{since} {wanted} never comes about: {over}"


def _unreachable(run: Run, words: Words, part: Failed, inner: Formula) -> str:
    after = "from the start on" if part.at == 0 else f"after {_step(run, part.at)}"
    if not part.at and isinstance(inner, Until) and inner.left == YES:
        return "nothing that can happen leads to it"
    match inner:
        case Until(left, right) if left == YES:
            return f"{after} {words.say(right)} is out of reach, whatever happens next"
        case Release(left, right) if left == NO:
            return f"{after} nothing can keep {words.say(right, inner=True)} as it is for ever"
    return f"{after} there is no longer {words.say(Some(inner))}"


def _step(run: Run, position: int) -> str:
    return f"step {run.number(position - 1)}" if position else "the start"


def _facts(run: Run, words: Words, formula: Formula, at: int) -> Iterator[str]:
    """What is true or false at a position, and since when, of the atoms that make a plain formula false."""
    for predicate, wanted in _blamed(run, formula, at):
        if not words.known(Atom(predicate)):
            continue
        history = _history(run, predicate)
        value = history[at]
        begun = at
        while begun > 0 and history[begun - 1] is value:
            begun -= 1
        name = words.atom(predicate)
        state = "true" if value else "not true"
        if begun == 0:
            yield f"{name} is {state} from the start on" if at else f"{name} is {state} at the start"
        elif begun == at:
            yield f"{name} {'comes true' if value else 'is no longer true'} in {_step(run, at)}"
        else:
            yield f"{name} {'has been true' if value else 'has not been true'} since {_step(run, begun)}"
        del wanted


def _blamed(run: Run, formula: Formula, at: int) -> Iterator[tuple[Predicate, bool]]:
    """The atoms, with the value they would need, that make a plain formula false at a position."""
    match formula:
        case Atom(predicate):
            yield predicate, True
        case Neg(Atom(predicate)):
            yield predicate, False
        case Conj(of):
            for one in of:
                if not _true(run, one, at):
                    yield from _blamed(run, one, at)
                    return
        case Disj(of):
            for one in of:
                yield from _blamed(run, one, at)


def _true(run: Run, formula: Formula, at: int) -> bool:
    match formula:
        case Atom(predicate):
            return _history(run, predicate)[at]
        case Neg(of):
            return not _true(run, of, at)
        case Conj(of):
            return all(_true(run, f, at) for f in of)
        case Disj(of):
            return any(_true(run, f, at) for f in of)
    return False


def _history(run: Run, predicate: Predicate) -> list[bool]:
    """By position of the run, the start first, whether the predicate holds; one more where a run is over and rests."""
    compiled = run.compiled

    def at(state: Sequence[int]) -> bool:
        transitions = range(len(compiled.net.transitions))
        return evaluate(predicate, state, lambda: [t for t in transitions if can_fire(compiled.net, state, t)])

    found = [at(compiled.start)]
    found += [at(state) for _, state, _ in walk(compiled, run.fired)]
    calm = list(run.last)
    for i, observer in enumerate(compiled.observers, len(compiled.net.places)):
        if observer.momentary:
            calm[i] = 0
    return [*found, at(calm)]


# -- the headline, and what to do --------------------------------------------------------------------------------------


def headline(run: Run) -> str:
    """What goes wrong, in one clause."""
    subject, words = quoted(run.compiled.subject), Words(run)
    whole = failed(run)
    part, premise = _heart(whole)
    unless = _unless(whole)
    if unless is not None and words.known(unless[0]):
        return f"{words.say(unless[0], inner=True)} comes before {words.say(unless[1], inner=True)} in {subject}"
    inner = part.formula.of if isinstance(part.formula, (Every, Some)) else part.formula
    after = f"after {listed([words.say(f, inner=True) for f in premise], 'and')}, " if premise else ""
    if not words.known(part.formula):
        return f"{subject} goes against {quoted(run.query.label)}"
    if part.stays and isinstance(inner, Until):
        wanted = words.say(inner.right)
        if run.loop is not None:
            return f"{after}{subject} can go round for ever without {wanted}"
        ended = marked_ends(run.compiled, run.last)
        how = f"ends as {end_name(run.compiled, ended[0])}" if ended else "comes to a halt"
        return f"{after}{subject} {how} without {wanted}"
    if isinstance(part.formula, Disj) and not part.parts:
        none = "; ".join(words.say(f) for f in part.formula.of)
        return (
            f"{after}{subject} can get to where none of these holds: {none}"
            if part.at
            else f"none of these holds in {subject}: {none}"
        )
    if part.closed and not part.at and isinstance(inner, Until) and inner.left == YES:
        return f"this can never come about in {subject}: {words.say(inner.right)}"
    if part.closed and isinstance(inner, Until) and inner.left == YES:
        return f"{after}{subject} can get to where this is out of reach: {words.say(inner.right)}"
    if part.closed:
        return f"{after}{subject} has not what it should have: {words.say(part.formula)}"
    if isinstance(inner, Until) and isinstance(inner.left, Neg):
        return f"{after}{words.say(inner.left.of, inner=True)} comes before {words.say(inner.right, inner=True)} in {subject}"
    if isinstance(inner, Until):
        return f"in {subject} this ends before {words.say(inner.right, inner=True)}: {words.say(inner.left)}"
    if isinstance(part.formula, Neg):
        return f"{after}this comes about in {subject}, and must not: {words.say(part.formula.of)}"
    return f"{after}{subject} can get to where this does not hold: {words.say(part.formula)}"


def _unless(part: Failed) -> tuple[Formula, Formula] | None:
    """What came too early, and what it should have waited for, where the formula is `not a W b` and no more."""
    inner = part.formula.of if isinstance(part.formula, (Every, Some)) else part.formula
    if isinstance(inner, Release) and isinstance(inner.right, Disj) and is_plain(inner.right):
        held = [f for f in inner.right.of if f != inner.left]
        if inner.left in inner.right.of and len(held) == 1 and isinstance(held[0], Neg):
            return held[0].of, inner.left
    return None


def _heart(part: Failed) -> tuple[Failed, tuple[Formula, ...]]:
    """The innermost part that is told by itself, and the conditions under which it is asked."""
    premise: tuple[Formula, ...] = ()
    while True:
        below = [p for p in part.parts if not is_plain(p.formula)]
        if isinstance(part.formula, Disj) and len(below) == 1:
            given = tuple(f.of for f in part.formula.of if isinstance(f, Neg))
            premise = given or premise
        if len(below) == 1 and not (part.stays and is_plain(_right(part.formula))):
            (part,) = below
            continue
        if not below and len(part.parts) == 1 and not part.stays:
            return part.parts[0], premise
        return part, premise


def _right(formula: Formula) -> Formula:
    inner = formula.of if isinstance(formula, (Every, Some)) else formula
    return inner.right if isinstance(inner, (Until, Release)) else inner


def advice(run: Run) -> Iterator[str]:
    """What may be changed, where the run itself shows it."""
    words = Words(run)
    part, _ = _heart(failed(run))
    inner = part.formula.of if isinstance(part.formula, (Every, Some)) else part.formula
    if not words.known(part.formula) or not isinstance(inner, Until):
        return
    wanted = words.say(inner.right, inner=True)
    if part.stays and run.loop is not None:
        leaves = _ways_out(run)
        if leaves:
            bounded = ", or bound the repetition (`at_most`)" if run.compiled.kind not in ("net", "machine") else ""
            yield (
                f"the repetition can be left ({listed(leaves, 'or')}): say `assuming fair` if that happens at some time{bounded}"
            )
        else:
            yield f"give the repetition a way out that leads to {wanted}"
        return
    ended = marked_ends(run.compiled, run.last)
    if part.stays and ended:
        end = end_name(run.compiled, ended[0])
        yield f"let {wanted} come about before it ends as {end}, or allow for that end in the formula: `... or {end.strip('`')}`"


def _ways_out(run: Run) -> list[str]:
    """What could happen in the loop and does not, by its phrase; only where such runs count that never take it."""
    if getattr(run.violated.claim, "fairness", "") == "edges":
        return []
    compiled, loop = run.compiled, run.fired[run.loop or 0 :]
    found: dict[str, None] = {}
    before = [
        run.middle,
        *(tuple(s) for _, s, _ in ((t, list(state), c) for t, state, c in walk(compiled, loop, run.middle))),
    ]
    for state, taken in zip(before, loop, strict=False):
        for t in going_on(compiled, state):
            if t != taken and t not in loop:
                found[compiled.origin.transitions[t].phrase] = None
    return list(found)[:3]
