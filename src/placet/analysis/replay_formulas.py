"""Counterexamples of formulas about runs, shown again from the definitions alone: no engine, no automaton, no labelling shared.

A run is fired step by step and the formula of LTL is evaluated on it, position by position; its loop must be fair by the definition of
the fairness. A tree of CTL is followed: each way is fired, and at each branching it is asked whether what is said there follows.
That nothing can be reached is searched again, up to a limit; past it, it is named as not checked.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from placet.analysis.replay_labels import BEYOND, Own, TooManyError
from placet.errors import EvidenceError
from placet.evidence import Fails, Lasso, Reach, RunBreaks, Tree
from placet.logic.state import evaluate
from placet.logic.temporal import (
    Always,
    Atom,
    Conj,
    Disj,
    Eventually,
    Every,
    Neg,
    Next,
    Release,
    Some,
    Until,
    children,
    is_plain,
)
from placet.net.firing import enabled, fire_state
from placet.net.roles import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from placet.compiled import Compiled
    from placet.evidence import Branch, State, Witness
    from placet.logic.temporal import Formula

_LATE = "that nothing else can be reached: it took too long"
_NEVER = float("inf")
_LOOKS = 3_000_000  # states times transitions of the search for what cannot be reached


def replay_formula(
    compiled: Compiled, claim: RunBreaks | Fails, witness: Witness, limit: int, until: float = _NEVER
) -> tuple[str, ...]:
    """Check that the witness shows the claim; gives what was too large to be checked, or not checked by then (on the monotonic clock).

    Raises EvidenceError where it does not show it.
    """
    shown = _Shown(compiled, claim.fairness, limit, until)
    if isinstance(claim, RunBreaks) and isinstance(witness, Lasso | Reach):
        loops = (witness.loop, witness.told) if isinstance(witness, Lasso) and witness.told else (_loop_of(witness),)
        for loop in dict.fromkeys(loops):
            shown.breaks(claim.formula, witness.trace, loop)
        if not isinstance(witness, Lasso) or witness.whole:
            shown.fair(shown.after(compiled.start, witness.trace)[-1], _loop_of(witness))
        else:
            shown.partly["that the loop is fair: too long"] = None
        return tuple(shown.partly)
    if isinstance(claim, Fails) and isinstance(witness, Tree):
        if witness.root.formula != claim.formula:
            raise EvidenceError("the tree is about another formula")
        shown.false(witness.root, compiled.start)
        return tuple(shown.partly)
    raise EvidenceError(f"a witness `{type(witness).__name__}` cannot show a claim `{type(claim).__name__}`")


class Word:
    """A run, and what of a formula of LTL holds at each of its positions; for those who tell it."""

    def __init__(self, compiled: Compiled, trace: Sequence[int], loop: Sequence[int]) -> None:
        """Raises EvidenceError where it is no run."""
        self._shown = _Shown(compiled, "nothing", 0)
        self.states, self.first = self._shown.word(trace, loop)
        self._known: dict[Formula, list[bool]] = {}

    def holds(self, formula: Formula) -> list[bool]:
        """By position."""
        if formula not in self._known:
            self._known[formula] = _on_word(self._shown, formula, self.states, self.first)
        return self._known[formula]


def is_fair(compiled: Compiled, fairness: str, state: State, loop: Sequence[int]) -> bool:
    """Whether the run that goes round this loop for ever is one, and fair."""
    shown = _Shown(compiled, fairness, 0)
    try:
        if shown.after(state, loop)[-1] != state:
            return False
        shown.fair(state, loop)
    except EvidenceError:
        return False
    return True


def _loop_of(witness: Lasso | Reach) -> tuple[int, ...]:
    return witness.loop if isinstance(witness, Lasso) else ()


class _Shown:
    """The net, fired and looked at by the definitions."""

    def __init__(self, compiled: Compiled, fairness: str, limit: int, until: float = _NEVER) -> None:
        self._compiled, self._fairness, self._latest = compiled, fairness, until
        self._width = len(compiled.net.places)
        self._limit = min(limit, max(1, _LOOKS // max(1, len(compiled.net.transitions))))
        roles = compiled.roles.transitions
        self._faults = frozenset(t for t, role in enumerate(roles) if role.kind is Kind.FAULT)
        self._able: dict[State, list[int]] = {}
        self.partly: dict[str, None] = {}

    # -- states ------------------------------------------------------------------------------------------------------

    def _enabled(self, state: State) -> list[int]:
        found = self._able.get(state[: self._width])
        if found is None:
            found = self._able[state[: self._width]] = list(enabled(self._compiled.net, state[: self._width]))
        return found

    def _helped(self, state: State) -> list[int]:
        """What can happen without a fault."""
        return [t for t in self._enabled(state) if t not in self._faults]

    def _fired(self, state: State, t: int) -> State:
        after = fire_state(self._compiled.net, self._compiled.observers, state, t)
        if after is None:
            raise EvidenceError(f"transition {t} of the counterexample is not enabled")
        return after

    def after(self, state: State, trace: Sequence[int]) -> list[State]:
        """The states of a firing sequence, the first one too. Raises EvidenceError where a step is not enabled."""
        states = [state]
        for number, t in enumerate(trace, 1):
            if t not in self._enabled(state):
                raise EvidenceError(f"step {number} of the counterexample, transition {t}, is not enabled")
            state = self._fired(state, t)
            states.append(state)
        return states

    def _plain(self, formula: Formula, state: State) -> bool:
        match formula:
            case Atom(predicate):
                return evaluate(predicate, state, lambda: self._enabled(state))
            case Neg(of):
                return not self._plain(of, state)
            case Conj(of):
                return all(self._plain(f, state) for f in of)
            case Disj(of):
                return any(self._plain(f, state) for f in of)
        raise EvidenceError("the formula is not about one state")

    # -- LTL ---------------------------------------------------------------------------------------------------------

    def word(self, trace: Sequence[int], loop: Sequence[int]) -> tuple[list[State], int]:
        """The states of a run, each once, and where it goes on after the last. Raises EvidenceError where it is none."""
        states = self.after(self._compiled.start, trace)
        first = len(states) - 1
        if loop:
            round_ = self.after(states[-1], loop)
            if round_[-1] != states[-1]:
                raise EvidenceError("the loop does not lead back to where it began")
            states += round_[1:-1]
        else:
            if self._helped(states[-1]):
                raise EvidenceError("the run is not over")
            calm = zip(self._compiled.observers, states[-1][self._width :], strict=True)
            states.append((*states[-1][: self._width], *(0 if o.momentary else v for o, v in calm)))
            first = len(states) - 1
        return states, first

    def breaks(self, formula: Formula, trace: Sequence[int], loop: Sequence[int]) -> None:
        """The run does not satisfy the formula. Without a loop it ends: its last state repeats, in which nothing happens any more."""
        states, first = self.word(trace, loop)
        if _on_word(self, formula, states, first)[0]:
            raise EvidenceError("the run satisfies the formula")

    def atom(self, formula: Atom, state: State) -> bool:
        """Whether a predicate holds in a state."""
        return self._plain(formula, state)

    def fair(self, state: State, loop: Sequence[int]) -> None:
        """The run that goes round this loop for ever is fair; one that ends is."""
        if not loop or self._fairness == "nothing":
            return
        states = self.after(state, loop)[:-1]
        if not self._faults.isdisjoint(loop):
            raise EvidenceError("the loop needs a fault again and again")
        possible = [set(self._helped(s)) for s in states]
        fired = set(loop)
        if self._fairness == "edges":
            taken: dict[State, set[int]] = {}
            for s, t in zip(states, loop, strict=True):
                taken.setdefault(s, set()).add(t)
            good = all(asked <= taken[s] for s, asked in zip(states, possible, strict=True))
        elif self._fairness == "strong":
            good = set().union(*possible) <= fired
        else:
            good = set.intersection(*possible) <= fired
        if not good:
            raise EvidenceError("the loop is not fair")

    # -- CTL ---------------------------------------------------------------------------------------------------------

    def false(self, branch: Branch, state: State) -> None:
        """The formula of the branch is false in the state. Raises EvidenceError where that is not shown."""
        formula = branch.formula
        if is_plain(formula):
            if self._plain(formula, state):
                raise EvidenceError("what should be false holds")
            return
        match formula:
            case Conj(of):
                (part,) = branch.parts
                if part.formula not in of:
                    raise EvidenceError("the tree shows something else than what was asked")
                self.false(part, state)
            case Disj(of):
                if {part.formula for part in branch.parts} != set(of):
                    raise EvidenceError("the tree does not show that every part is false")
                for part in branch.parts:
                    self.false(part, state)
            case Every(Next(inner)):
                states = self.after(state, branch.trace)
                if len(states) != 2:
                    raise EvidenceError("the next situation is one step away")
                self._shown(branch, states[-1], (inner,))
            case Every(Release(left, right)):
                states = self.after(state, branch.trace)
                self._all_false(left, states[:-1], branch)
                self._shown(branch, states[-1], (right,))
            case Every(Until(left, right)):
                self._until(branch, state, left, right)
            case Some():
                self._out_of_reach(formula, state)
            case _:
                raise EvidenceError("the tree is about no formula of CTL")

    def _until(self, branch: Branch, state: State, left: Formula, right: Formula) -> None:
        states = self.after(state, branch.trace)
        self._all_false(right, states[:-1], branch)
        if not branch.stays:
            self._shown(branch, states[-1], (left, right))
            return
        for loop in dict.fromkeys((branch.loop, branch.told or branch.loop)):
            round_ = self.after(states[-1], loop)
            if round_[-1] != states[-1]:
                raise EvidenceError("the loop does not lead back to where it began")
            if not loop and self._helped(states[-1]):
                raise EvidenceError("the run is not over")
            self._all_false(right, round_, branch)
        if branch.fair:
            self.fair(states[-1], branch.loop)
        else:
            self.partly["that the loop is fair: too long"] = None

    def _shown(self, branch: Branch, state: State, asked: tuple[Formula, ...]) -> None:
        if {part.formula for part in branch.parts} != set(asked):
            raise EvidenceError("the tree does not show what follows")
        for part in branch.parts:
            self.false(part, state)

    def _all_false(self, formula: Formula, states: Sequence[State], branch: Branch) -> None:
        """The formula is false in all these states."""
        if is_plain(formula):
            if any(self._plain(formula, s) for s in states):
                raise EvidenceError("what should be false on the way holds")
        elif states:
            self._labelled(formula, states)

    def _out_of_reach(self, formula: Formula, state: State) -> None:
        self._labelled(formula, [state])

    def _labelled(self, formula: Formula, states: Sequence[State]) -> None:
        """By a search of its own from the first of these states, which lead to the others."""
        if BEYOND in self.partly or _LATE in self.partly:
            return
        try:
            found = Own(self, states[0], self._limit, self._fairness)
            wrong = not found.label(formula).isdisjoint(states)
        except TooManyError as why:
            self.partly[str(why)] = None
            return
        if wrong:
            raise EvidenceError("what should be false on the way holds")

    def look(self) -> None:
        """Raises TooManyError where the time is over."""
        if self._latest < _NEVER and monotonic() > self._latest:
            raise TooManyError(_LATE)

    def steps(self, state: State) -> Iterator[tuple[int, State, bool]]:
        """(transition, next state, whether it is a fault) of every step."""
        for t in self._enabled(state):
            yield t, self._fired(state, t), t in self._faults


def _on_word(shown: _Shown, formula: Formula, states: list[State], first: int) -> list[bool]:
    """By position whether the formula holds on the run from there, which goes on at `first` after the last position."""
    count = len(states)
    follows = [*range(1, count), first]
    match formula:
        case Atom():
            return [shown.atom(formula, s) for s in states]
        case Neg(of):
            return [not one for one in _on_word(shown, of, states, first)]
        case Conj() | Disj():
            rows = [_on_word(shown, f, states, first) for f in children(formula)]
            join = all if isinstance(formula, Conj) else any
            return [join(row[i] for row in rows) for i in range(count)]
        case Next(of):
            inner = _on_word(shown, of, states, first)
            return [inner[i] for i in follows]
        case Eventually(of):
            return _until(follows, [True] * count, _on_word(shown, of, states, first))
        case Always(of):
            return [
                not one for one in _until(follows, [True] * count, [not o for o in _on_word(shown, of, states, first)])
            ]
        case Until(left, right):
            return _until(follows, _on_word(shown, left, states, first), _on_word(shown, right, states, first))
        case Release(left, right):
            no_left = [not one for one in _on_word(shown, left, states, first)]
            no_right = [not one for one in _on_word(shown, right, states, first)]
            return [not one for one in _until(follows, no_left, no_right)]
    raise EvidenceError("the formula is no LTL: a quantifier stands in it")


def _until(follows: list[int], left: list[bool], right: list[bool]) -> list[bool]:
    """The least solution of `right or (left and next)`; twice backwards is enough on a word with one loop."""
    found = list(right)
    for _ in range(2):
        for i in range(len(found) - 1, -1, -1):
            found[i] = found[i] or (left[i] and found[follows[i]])
    return found
