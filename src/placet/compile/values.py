"""Variables in the net: a record for each value, with one token among them; conditions test it, assignments move it.

A variable of the model is there once; one of a process is there for each call of it, and is as at first when the call begins.
What begins with `any` value has none until the process starts, which chooses it first of all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.cases import cases, outcomes, variables_in, written
from placet.compile.draft import RECORD
from placet.compile.flow import OUT_OF_RANGE
from placet.compile.vocabulary import statements
from placet.ir import model as ir
from placet.net.roles import PLAIN
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placet.compile.cases import Case
    from placet.compile.env import Agenda, Env
    from placet.net.roles import Role
    from placet.source import Span


def _places(agenda: Agenda, env: Env, identifier: str) -> tuple[int, ...]:
    """The places of the values of a variable, as it is known there."""
    return agenda.values.of(agenda.draft, identifier, env.base, env.stem, env.frame.path)


def _read(agenda: Agenda, env: Env, case: Case) -> tuple[int, ...]:
    """The places that a case tests."""
    return tuple([_places(agenda, env, identifier)[number] for identifier, number in case])


class Move(NamedTuple):
    """A transition to be made wherever a condition holds."""

    name: str
    pre: tuple[int, ...]
    post: tuple[int, ...]
    env: Env
    origin: str
    phrase: str
    span: Span | None
    role: Role = PLAIN


def decided(
    agenda: Agenda, move: Move, wanted: Sequence[ir.Guard | None], unwanted: Sequence[ir.Guard | None] = ()
) -> list[int]:
    """The transitions of a move that needs some conditions to hold, and others not: one for each case of their values.

    Where no values allow it there is one that can never fire, so that it is found to be dead.
    """
    good = [g.condition for g in wanted if g is not None and g.condition is not None]
    bad = [g.condition for g in unwanted if g is not None and g.condition is not None]
    name, pre, post, env, origin, phrase, span, role = move
    if not good and not bad:
        return [agenda.move(name, pre, post, env, origin, phrase, span, role)]
    values = agenda.values
    found = cases(good, bad, values.variables)
    if not found:
        phrase_ = "no values of the variables allow this"
        never = agenda.place(f"{name}.never", env, origin, phrase_, span, RECORD)
        return [agenda.move(name, (*pre, never), (*post, never), env, origin, phrase, span, role)]
    made = []
    for case in found:
        tested = _read(agenda, env, case)
        label = f"{name}[{written(case, values.variables)}]" if len(found) > 1 else name
        made.append(agenda.move(label, (*pre, *tested), (*post, *tested), env, origin, phrase, span, role))
    return made


def open_to(agenda: Agenda, guards: Sequence[ir.Guard | None], env: Env) -> list[tuple[str, tuple[int, ...]]]:
    """Under which values none of the conditions over variables holds: what tells the cases apart, and what they test."""
    bad = [g.condition for g in guards if g is not None and g.condition is not None]
    values = agenda.values
    found = cases((), bad, values.variables)
    labels = [f"[{written(case, values.variables)}]" if len(found) > 1 else "" for case in found]
    return [(label, _read(agenda, env, case)) for label, case in zip(labels, found, strict=True)]


def setting(agenda: Agenda, move: Move, sets: Sequence[ir.Assignment]) -> list[int]:
    """The transitions of something that sets variables, one for each outcome within their domains."""
    values = agenda.values
    known = values.variables
    name, pre, post, env, origin, phrase, span, role = move
    made = []
    for reads, after in outcomes(sets, known):
        if after is None:
            continue
        old = _read(agenda, env, reads)
        new = dict(reads) | dict(after)
        places = _read(agenda, env, tuple(new.items()))
        told = ", ".join(f"`{known[i].name}` is now {known[i].values[number]}" for i, number in after)
        made.append(
            agenda.move(
                f"{name}#sets[{_change(reads, after, known)}]", (*pre, *old), (*post, *places), env, origin,
                f"{phrase}: {told}", span, role,
            )
        )  # fmt: skip
    return made


def overflowing(agenda: Agenda, move: Move, sets: Sequence[ir.Assignment]) -> list[int]:
    """The transitions by which something that sets variables fails, since a value would be outside its domain."""
    values = agenda.values
    name, pre, _, env, origin, phrase, span, role = move
    made = []
    for reads, after in outcomes(sets, values.variables):
        if after is None:
            old = _read(agenda, env, reads)
            label = f"{name}#{OUT_OF_RANGE}[{written(reads, values.variables)}]"
            made += agenda.raising(label, (*pre, *old), OUT_OF_RANGE, env, origin, phrase, span, role, old)
    return made


def _change(reads: Case, after: Case, variables: Mapping[str, ir.Variable]) -> str:
    """`stock=2->1,limit=3`."""
    now = dict(after)
    shown = []
    for identifier, number in reads:
        variable = variables[identifier]
        arrow = f"->{variable.values[now[identifier]]}" if identifier in now else ""
        shown.append(f"{variable.name}={variable.values[number]}{arrow}")
    return ",".join(shown)


# -- where a process begins ------------------------------------------------------------------------------------------


def used_by(root: ir.Process, processes: Mapping[str, ir.Process]) -> set[str]:
    """The variables that a process and all it calls read or set."""
    found: set[str] = set()
    seen = {root.id}
    todo = [root]
    while todo:
        for statement in statements(todo.pop().body):
            found.update(variables_in(statement))
            if (
                isinstance(statement, ir.Call)
                and not statement.detached
                and statement.target in processes
                and statement.target not in seen
            ):
                seen.add(statement.target)
                todo.append(processes[statement.target])
    return found


def chosen_first(agenda: Agenda, start: int, env: Env, common: Sequence[ir.Variable]) -> int:
    """Before the root begins, each variable that may have any value at first gets one. Gives the place after that."""
    variables = [v for v in (*common, *env.frame.process.variables) if v.initial is None and v.id in agenda.values.used]
    for variable in variables:
        places = _places(agenda, env, variable.id)
        path = f"{env.base}#given.{variable.name}"
        after = agenda.place(path, env, variable.id, f"`{variable.name}` is known", variable.span)
        for value, place in zip(variable.values, places, strict=True):
            phrase = f"`{variable.name}` is {value} at first"
            agenda.move(f"{path}[{value}]", (start,), (after, place), env, variable.id, phrase, variable.span)
        start = after
    return start


def renewed(agenda: Agenda, start: int, env: Env) -> int:
    """Where a call begins, the variables of its process are as at first. Gives the place after that."""
    for variable in env.frame.process.variables:
        if variable.id not in agenda.values.used:
            continue
        places = _places(agenda, env, variable.id)
        if variable.initial is None and not any(agenda.draft.initial[p] for p in places):
            agenda.draft.initial[places[0]] = 1  # nobody asks before the call begins
        path = f"{env.base}#given.{variable.name}"
        after = agenda.place(path, env, variable.id, f"`{variable.name}` is known", variable.span)
        targets = range(len(places)) if variable.initial is None else (variable.initial,)
        for number, old in enumerate(places):
            for target in targets:
                value = variable.values[target]
                label = f"{path}[{variable.values[number]}->{value}]"
                pre, post = (start, old), (after, places[target])
                phrase = f"`{variable.name}` is {value} at first"
                made = agenda.move(label, pre, post, env, variable.id, phrase, variable.span)
                if variable.initial is not None:
                    agenda.draft.quiet.add(made)
        start = after
    return start
