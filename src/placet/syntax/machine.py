"""The LALR(1) machine: shifts and reduces by the generated tables; values are built as rules are reduced.

The textbook loop (Aho, Lam, Sethi and Ullman, "Compilers", 2nd edition, algorithm 4.44) with one addition: a list
`x*` grows in place, so that n elements cost n steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from placet.source import Span
from placet.syntax.tables import GOTOS, NONTERMINALS, ROWS, RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.source import SourceFile

_BEGIN, _APPEND, _LEAVE = "[]", "[+]", "[=]"
_MARKS = {mark: mark for mark in (_BEGIN, _APPEND, _LEAVE)}  # one object each, compared by identity below
ACCEPT = next(rule for rule, (origin, *_) in enumerate(RULES) if NONTERMINALS[origin] == "start")


def _accessing() -> tuple[int, ...]:
    """For each state the symbol that leads to it: a terminal, or ~nonterminal."""
    symbols = [0] * len(ROWS)
    for row, gotos in zip(ROWS, GOTOS, strict=True):
        for terminal, action in row.items():
            if action >= 0:
                symbols[action] = terminal
        for nonterminal, state in gotos.items():
            symbols[state] = ~nonterminal
    return tuple(symbols)


class Machine:
    """A stack of states with the value and the first offset of each symbol on it.

    Cost: linear in the number of tokens fed; a stack entry for each symbol of each construct that is open.
    """

    __slots__ = ("_build", "begins", "end", "source", "states", "values")

    def __init__(self, source: SourceFile, builder: object) -> None:
        self.source = source
        self.states = [0]
        self.values: list[Any] = [None]
        self.begins = [0]
        self.end = 0  # of the last token shifted
        self._build: list[tuple[int, int, Callable[..., Any] | str | None, tuple[int, ...]]] = [
            (origin, size, _MARKS.get(callback) or (getattr(builder, callback) if callback else None), recipe)
            for origin, size, callback, recipe, _ in RULES
        ]

    def feed(self, kind: int, start: int, end: int) -> bool:
        """Shifts a token, after the reductions it calls for; False where the grammar does not take it here.

        The caller puts the value of the token, where it has one, into `values[-1]`.
        """
        states, values, begins = self.states, self.values, self.begins
        while True:
            action = ROWS[states[-1]].get(kind)
            if action is None:
                return False
            if action >= 0:
                states.append(action)
                values.append(None)
                begins.append(start)
                self.end = end
                return True
            self._reduce(~action)

    def settle(self) -> None:
        """Makes the reductions that are due whatever comes next, so that what is complete is off the stack."""
        while len(actions := set(ROWS[self.states[-1]].values())) == 1 and (action := actions.pop()) < 0:
            self._reduce(~action)

    def _reduce(self, rule: int) -> None:
        """Puts the left side of a rule in the place of its right side."""
        states, values, begins = self.states, self.values, self.begins
        origin, size, build, recipe = self._build[rule]
        if build is _APPEND:
            values[-size].append(values[recipe[0] - size])
            del states[1 - size :], values[1 - size :], begins[1 - size :]
            return
        if build is _LEAVE:
            del states[1 - size :], values[1 - size :], begins[1 - size :]
            return
        if size:
            made = self._value(size, build, recipe)
            begin = begins[-size]
            del states[-size:], values[-size:], begins[-size:]
        else:
            begin = self.end
            made = build(Span(self.source, begin, begin))  # type: ignore[operator,misc]
        states.append(GOTOS[states[-1]][origin])
        values.append(made)
        begins.append(begin)

    def _value(self, size: int, build: Callable[..., Any] | str | None, recipe: tuple[int, ...]) -> object:
        """The value of a rule from those of its symbols, the topmost `size` values."""
        values = self.values
        if build is None:
            return values[recipe[0] - size]
        if build is _BEGIN:
            return [values[i - size] for i in recipe]
        children: list[Any] = []
        for i in recipe:
            if i >= 0:
                children.append(values[i - size])
            elif i == -1:
                children.append(None)
            else:
                children.extend(values[-2 - i - size])
        return build(Span(self.source, self.begins[-size], self.end), *children)  # type: ignore[operator]

    def truncate(self, size: int) -> None:
        """Forgets all but the first `size` symbols."""
        del self.states[size:], self.values[size:], self.begins[size:]


def shift(states: list[int], kind: int) -> bool:
    """What `feed` would do to the states, without values."""
    while True:
        action = ROWS[states[-1]].get(kind)
        if action is None:
            return False
        if action >= 0:
            states.append(action)
            return True
        origin, size, *_ = RULES[~action]
        if size:
            del states[-size:]
        states.append(GOTOS[states[-1]][origin])


ACCESSING = _accessing()
