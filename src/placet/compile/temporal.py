"""From formulas about runs in the IR to formulas over the states of a net."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.ir import model as ir
from placet.logic.state import And, Not, Or
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
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.logic.state import Predicate
    from placet.logic.temporal import Formula

_ONE: dict[str, type[Next | Eventually | Always]] = {"X": Next, "F": Eventually, "G": Always}


def formula_of(formula: ir.Formula, predicate: Callable[[ir.Sum], Predicate]) -> Formula:
    """The formula; `predicate` gives that of a comparison."""
    if isinstance(formula, ir.Sum):
        return Atom(predicate(formula))
    parts = tuple(formula_of(part, predicate) for part in formula.parts)
    if isinstance(formula, ir.Connective):
        return Neg(parts[0]) if formula.op == "not" else (Conj if formula.op == "and" else Disj)(parts)
    op = formula.op
    if op[0] in "AE":
        quantifier = Every if op[0] == "A" else Some
        return quantifier(parts[0] if len(op) == 1 else _ONE[op[1]](parts[0]))
    if op in _ONE:
        return _ONE[op](parts[0])
    left, right = parts
    if op == "U":
        return Until(left, right)
    return Release(left, right) if op == "R" else Release(right, Disj((left, right)))


def atoms_of(formula: ir.Formula, predicate: Callable[[ir.Sum], Predicate]) -> tuple[tuple[Predicate, str], ...]:
    """Each comparison of the formula with its text."""
    found: dict[Predicate, str] = {}
    pending = [formula]
    while pending:
        one = pending.pop()
        if isinstance(one, ir.Sum):
            found.setdefault(predicate(one), one.text)
        else:
            pending.extend(reversed(one.parts))
    return tuple(found.items())


def premise_of(formula: ir.Formula, predicate: Callable[[ir.Sum], Predicate]) -> tuple[Predicate, str] | None:
    """What the formula waits for before it asks anything: `a` of `AG (a -> f)` and of `G (a -> f)`."""
    while isinstance(formula, ir.Modal) and formula.op in ("AG", "G", "A"):
        formula = formula.parts[0]
    if not isinstance(formula, ir.Connective) or formula.op != "or":
        return None
    first = formula.parts[0]
    if not isinstance(first, ir.Connective) or first.op != "not" or not first.text.startswith("not ("):
        return None  # an `or` as written, no implication
    of = first.parts[0]
    found = _plain(of, predicate)
    return None if found is None else (found, of.text)


def _plain(formula: ir.Formula, predicate: Callable[[ir.Sum], Predicate]) -> Predicate | None:
    if isinstance(formula, ir.Sum):
        return predicate(formula)
    if isinstance(formula, ir.Modal):
        return None
    parts = [_plain(part, predicate) for part in formula.parts]
    known = tuple(p for p in parts if p is not None)
    if len(known) < len(parts):
        return None
    if formula.op == "not":
        return Not(known[0])
    return And(known) if formula.op == "and" else Or(known)
