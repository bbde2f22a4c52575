"""Formulas over variables, as predicates over the places of their values."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from placet.compile.cases import COMPARE, variables_of
from placet.logic.state import FALSE, Linear, Or

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from placet.compiled import Compiled
    from placet.ir import model as ir
    from placet.logic.state import Predicate


class ValuePlaces:
    """Where the states of one net show the values of variables: those of a process once for each call of it."""

    def __init__(self, compiled: Compiled, variables: Mapping[str, ir.Variable]) -> None:
        self._variables = variables
        self._found: dict[str, dict[str, list[int]]] = {}  # id -> path in this net -> the place of each value
        if not variables:
            return
        origins = compiled.origin.places
        for p, name in enumerate(compiled.net.places):
            identifier = origins[p].id
            if identifier in variables and "#is." in name:
                path = name.partition("#is.")[0]
                self._found.setdefault(identifier, {}).setdefault(path, []).append(p)

    def sum(self, formula: ir.Sum, indices: Callable[[ir.Fact], list[int]]) -> Predicate:
        """A comparison; where a variable is there several times, that it holds for some of them."""
        names = list(dict.fromkeys(fact.id for _, fact in formula.terms if fact.kind == "value"))
        found: list[Predicate] = []
        for chosen in product(*(self._found.get(name, {}).values() for name in names)):
            places = dict(zip(names, chosen, strict=True))
            if len(formula.terms) == 1:
                found.append(self._single(formula, chosen[0]))
                continue
            terms: dict[int, int] = {}
            for weight, fact in formula.terms:
                if fact.kind == "value":
                    low = self._variables[fact.id].low
                    for number, place in enumerate(places[fact.id]):
                        terms[place] = terms.get(place, 0) + weight * (low + number)
                else:
                    for index in indices(fact):
                        terms[index] = terms.get(index, 0) + weight
            found.append(Linear(tuple(sorted(terms.items())), formula.op, formula.bound))  # type: ignore[arg-type] # a comparison
        if not found:
            return FALSE
        return found[0] if len(found) == 1 else Or(tuple(found))

    def _single(self, formula: ir.Sum, places: list[int]) -> Predicate:
        """One of the places of the values for which it holds is marked."""
        ((weight, fact),) = formula.terms
        low = self._variables[fact.id].low
        good = [p for n, p in enumerate(places) if COMPARE[formula.op](weight * (low + n), formula.bound)]
        return Linear(tuple((p, 1) for p in sorted(good)), ">=", 1) if good else FALSE

    def given(self, formula: ir.Formula) -> list[Predicate]:
        """What begins with any value has one: before, a formula over it means nothing."""
        found: list[Predicate] = []
        for name in variables_of((formula,)):
            variable = self._variables.get(name)
            if variable is not None and variable.initial is None:
                for places in self._found.get(name, {}).values():
                    found.append(Linear(tuple((p, 1) for p in sorted(places)), ">=", 1))
        return found
