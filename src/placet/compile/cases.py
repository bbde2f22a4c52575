"""Conditions and assignments over finite domains, taken apart into the values under which they hold or happen.

What is found is small where it can be: a variable that does not matter is left open. Nothing here grows beyond MOST, since
whoever reads a model refuses conditions over more combinations of values (P263).
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING, TypeAlias

from placet.ir.model import Choice, Loop, Receive, Sum, Task
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from placet.ir.model import Assignment, Formula, Gateway, Guard, Statement, Variable

MOST = 10_000  # combinations of values that one condition or one task may depend on

Case: TypeAlias = "tuple[tuple[str, int], ...]"  # id of a variable, number of its value
COMPARE: dict[str, Callable[[int, int], bool]] = {
    ">=": int.__ge__, "<=": int.__le__, "==": int.__eq__, "!=": int.__ne__, ">": int.__gt__, "<": int.__lt__,
}  # fmt: skip


class Outcome(NamedTuple):
    """One way in which assignments happen: what they read, and what is set; None where a value is outside its domain."""

    reads: Case
    sets: Case | None


def variables_of(formulas: Iterable[Formula]) -> list[str]:
    """The ids of the variables of some formulas, in the order in which they occur."""
    found: dict[str, None] = {}
    todo = list(formulas)[::-1]
    while todo:
        formula = todo.pop()
        if isinstance(formula, Sum):
            found.update(dict.fromkeys(fact.id for _, fact in formula.terms if fact.kind == "value"))
        else:
            todo += reversed(formula.parts)
    return list(found)


def variables_in(statement: Statement | Gateway) -> list[str]:
    """The variables that a statement itself, not what is in it, reads or sets."""
    guards: list[Guard | None] = []
    match statement:
        case Task() | Receive():
            return read_by(statement.sets) if statement.sets else []
        case Choice():
            guards += [way.guard for way in statement.ways]
        case Loop():
            guards.append(statement.guard)
    return variables_of([g.condition for g in guards if g is not None and g.condition is not None])


def combinations(ids: Iterable[str], variables: Mapping[str, Variable]) -> int:
    """How many combinations of values these variables have."""
    return prod(len(variables[i].values) for i in ids)


def holds(formula: Formula, values: Mapping[str, int], variables: Mapping[str, Variable]) -> bool:
    """Whether a formula over variables holds, by the numbers of their values. Recurses over its nesting."""
    if isinstance(formula, Sum):
        total = sum(weight * (variables[fact.id].low + values[fact.id]) for weight, fact in formula.terms)
        return COMPARE[formula.op](total, formula.bound)
    if formula.op == "not":
        return not holds(formula.parts[0], values, variables)
    found = (holds(part, values, variables) for part in formula.parts)
    return all(found) if formula.op == "and" else any(found)


def cases(wanted: Sequence[Formula], unwanted: Sequence[Formula], variables: Mapping[str, Variable]) -> list[Case]:
    """Disjoint cases which together are: all of `wanted` hold, and none of `unwanted`. `[()]` means always, `[]` never.

    A decision tree over the variables in the order in which they occur; where all values lead to the same, the variable is
    left out. Linear in the combinations of values.
    """
    names = variables_of((*wanted, *unwanted))
    values: dict[str, int] = {}

    def found(at: int) -> list[Case]:
        if at == len(names):
            good = all(holds(f, values, variables) for f in wanted)
            return [()] if good and not any(holds(f, values, variables) for f in unwanted) else []
        name = names[at]
        below: list[list[Case]] = []
        for number in range(len(variables[name].values)):
            values[name] = number
            below.append(found(at + 1))
        if all(part == below[0] for part in below):
            return below[0]
        return [((name, number), *case) for number, part in enumerate(below) for case in part]

    return found(0)


def read_by(assignments: Sequence[Assignment]) -> list[str]:
    """The variables that assignments read or set; what is set must give up its old value, whatever it is."""
    found: dict[str, None] = {}
    for assignment in assignments:
        found[assignment.variable] = None
        found.update(dict.fromkeys(i for _, i in assignment.terms or ()))
    return list(found)


def fan(assignments: Sequence[Assignment], variables: Mapping[str, Variable]) -> int:
    """How many outcomes assignments have."""
    free = [a.variable for a in assignments if a.terms is None]
    return combinations(read_by(assignments), variables) * combinations(free, variables)


def outcomes(assignments: Sequence[Assignment], variables: Mapping[str, Variable]) -> list[Outcome]:
    """Every way in which assignments may happen: all values are read before any is set."""
    names = read_by(assignments)
    found: dict[Outcome, None] = {}
    for numbers in product(*(range(len(variables[i].values)) for i in names)):
        values = dict(zip(names, numbers, strict=True))
        targets: list[Iterable[int]] = []
        for assignment in assignments:
            variable = variables[assignment.variable]
            if assignment.terms is None:
                targets.append(range(len(variable.values)))
                continue
            total = assignment.constant - variable.low
            total += sum(weight * (variables[i].low + values[i]) for weight, i in assignment.terms)
            targets.append((total,))
        for chosen in product(*targets):
            after = tuple([(a.variable, number) for a, number in zip(assignments, chosen, strict=True)])
            inside = all(0 <= number < len(variables[i].values) for i, number in after)
            found[Outcome(tuple(values.items()), after if inside else None)] = None
    return list(found)


def written(case: Case, variables: Mapping[str, Variable]) -> str:
    """A case as part of an id: `stock=1,rated=true`."""
    return ",".join(f"{variables[i].name}={variables[i].values[number]}" for i, number in case)
