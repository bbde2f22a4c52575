"""The Model Checking Contest's property files: one XML element a formula, over the places and transitions of a net.

Read: the reachability, CTL, LTL and upper-bound formulas of the contest (mcc.lip6.fr, its manual for formulas). A property
that names something the net has not, or uses an element that we do not know, is reported and left out; the others stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.diagnostics import Diagnostic
from placet.formats.xml_walk import tag_span, walk
from placet.logic.state import Fireable, Linear, Or
from placet.logic.temporal import (
    Always,
    Atom,
    Eventually,
    Every,
    Next,
    Some,
    Until,
    conj,
    disj,
    neg,
)
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.logic.temporal import Formula
    from placet.net.core import Net
    from placet.source import SourceFile


class Property(NamedTuple):
    """A formula, or the places whose greatest sum of tokens is asked. None of both: it was not understood."""

    id: str
    formula: Formula | None = None
    bound: tuple[int, ...] | None = None  # places


class _Sum(NamedTuple):
    terms: tuple[int, ...]  # places, as often as they are named
    constant: int


class _Misread(Exception):  # noqa: N818 - it never leaves this module
    pass


def read(source: SourceFile, net: Net) -> tuple[tuple[Property, ...], tuple[Diagnostic, ...]]:
    """The properties of a file, in its order, and what is wrong with it. Linear in the text; never raises on any text."""
    listener = _Listener(source, net)
    stopped = walk(source, listener)
    problems = [*listener.problems, *((stopped,) if stopped is not None else ())]
    return tuple(listener.properties), tuple(problems)


class _Open:
    """An element whose end has not come yet."""

    __slots__ = ("at", "made", "name", "text")

    def __init__(self, name: str, at: int) -> None:
        self.name, self.at = name, at
        self.made: list[object] = []  # what its children stand for
        self.text: list[str] = []


class _Listener:
    def __init__(self, source: SourceFile, net: Net) -> None:
        self._source = source
        self._places = {name: p for p, name in enumerate(net.places)}
        self._transitions = {name: t for t, name in enumerate(net.transitions)}
        self._open: list[_Open] = []
        self._id = ""
        self._found: Formula | tuple[int, ...] | None = None
        self._failed = False
        self.properties: list[Property] = []
        self.problems: list[Diagnostic] = []

    def start(self, name: str, _attributes: dict[str, str], at: int) -> None:
        self._open.append(_Open(name, at))
        if name == "property":
            self._id, self._found, self._failed = "", None, False

    def text(self, data: str) -> None:
        if self._open:
            self._open[-1].text.append(data)

    def end(self, _name: str) -> None:
        one = self._open.pop()
        if one.name == "property":
            bound = self._found if isinstance(self._found, _Bound) else None
            formula = None if bound is not None or self._failed else self._found
            places = None if bound is None or self._failed else tuple(bound)
            self.properties.append(Property(self._id, formula, places))  # type: ignore[arg-type]
            return
        if one.name == "id" and self._open and self._open[-1].name == "property":
            self._id = "".join(one.text).strip()
            return
        if one.name in ("description", "property-set", "tags") or self._failed:
            return
        try:
            made = self._make(one)
        except _Misread as problem:
            self._failed = True
            if len(self.problems) < 100:
                self._tell(str(problem), one.at)
            return
        if one.name == "formula":
            self._found = made  # type: ignore[assignment]
        elif self._open:
            self._open[-1].made.append(made)

    def _tell(self, message: str, at: int) -> None:
        span = tag_span(self._source, at)
        message = f"the property `{self._id}` is not read: {message}"
        self.problems.append(Diagnostic("P530", "warning", message, span, path=self._source.path))

    def _make(self, one: _Open) -> object:
        """What an element stands for, from what its children stand for."""
        name, made = one.name, one.made
        if name in ("place", "transition"):
            word = "".join(one.text).strip()
            index = (self._places if name == "place" else self._transitions).get(word)
            if index is None:
                raise _Misread(f"the net has no {name} `{word}`")
            return _Named(name, index)
        if name == "tokens-count":
            return _Sum(_indices(made, "place"), 0)
        if name == "integer-constant":
            digits = "".join(one.text).strip()
            if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
                raise _Misread(f"`{digits[:20]}` is no whole number")
            return _Sum((), int(digits))
        if name == "integer-le":
            return Atom(_at_most(*_sums(made)))
        if name == "is-fireable":
            return Atom(_some(_indices(made, "transition")))
        if name == "place-bound":
            return _Bound(_indices(made, "place"))
        return self._compose(name, _formulas(name, made))

    @staticmethod
    def _compose(name: str, of: tuple[Formula, ...]) -> object:
        if name == "conjunction":
            return conj(of)
        if name == "disjunction":
            return disj(of)
        unary = {"negation": neg, "next": Next, "finally": Eventually, "globally": Always,
                 "all-paths": Every, "exists-path": Some, "before": _same, "reach": _same, "formula": _same}  # fmt: skip
        if name == "until" and len(of) == 2:
            return Until(*of)
        if name == "true" and not of:
            return conj(())
        if name == "false" and not of:
            return disj(())
        if name == "deadlock" and not of:
            from placet.logic.state import Dead

            return Atom(Dead())
        if name not in unary or len(of) != 1:
            raise _Misread(f"`{name}` with {len(of)} parts")
        return unary[name](of[0])


class _Named(NamedTuple):
    kind: str
    number: int


class _Bound(tuple):  # type: ignore[type-arg]
    """Places whose sum is asked."""

    __slots__ = ()


def _same(of: Formula) -> Formula:
    return of


def _formulas(name: str, made: list[object]) -> tuple[Formula, ...]:
    if name == "formula" and len(made) == 1 and isinstance(made[0], _Bound):
        return (made[0],)  # type: ignore[return-value]
    if any(isinstance(m, (_Sum, _Named, _Bound)) for m in made):
        raise _Misread(f"`{name}` has a part that is no formula")
    return tuple(made)  # type: ignore[arg-type]


def _indices(made: list[object], kind: str) -> tuple[int, ...]:
    if not all(isinstance(m, _Named) and m.kind == kind for m in made):
        raise _Misread(f"something else where a {kind} is needed")
    return tuple(m.number for m in made)  # type: ignore[attr-defined]


def _sums(made: list[object]) -> tuple[_Sum, _Sum]:
    if len(made) != 2 or not all(isinstance(m, _Sum) for m in made):
        raise _Misread("`integer-le` compares two numbers")
    return made[0], made[1]  # type: ignore[return-value]


def _at_most(left: _Sum, right: _Sum) -> Linear:
    weights: dict[int, int] = {}
    for side, sign in ((left, 1), (right, -1)):
        for p in side.terms:
            weights[p] = weights.get(p, 0) + sign
    terms = tuple(sorted((p, w) for p, w in weights.items() if w))
    return Linear(terms, "<=", right.constant - left.constant)


def _some(transitions: tuple[int, ...]) -> Fireable | Or:
    named = tuple(dict.fromkeys(transitions))
    return Fireable(named[0]) if len(named) == 1 else Or(tuple(Fireable(t) for t in named))
